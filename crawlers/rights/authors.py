"""Find what a page says of who wrote its text: that it is somebody else than who publishes it under a licence.

A mark tells nothing of the author. A contribution, a release that is handed on, a reprint, an entry of a contest, a
citizen's post: whoever publishes it cannot free it. One such statement makes the licence of the item `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lxml import html

from crawlers.rights import author_words as words
from crawlers.rights.gates import anywhere, gate
from crawlers.rights.place import Found, Run, State, quote
from crawlers.rights.refusals import find_stated
from crawlers.rights.subjects import about
from malmoi.rights import UNKNOWN

MAX_STATEMENT = 300  # code points of a run that states who owns the text; a longer one is prose
MAX_LINE = 120  # code points of a labelled line
MAX_SIGNATURE = 40  # code points of a signature
MAX_TITLE = 200  # code points of a title that are read
MIN_PROSE = 40  # code points of a run that is the text itself, and no title or label
MAX_ABOVE = 60  # runs that may stand above the text
MAX_NAMES = 40  # runs of the frame that name the publisher
MAX_ENDS = 6  # last runs of a text, where its signature stands
ITEM = State(part="item", article=True)
_CRUMB = re.compile(r"(?:^|[\s_-])(?:locations?|bread-?crumbs?|crumbs?|path|page_?navi?|navi|loc|history)(?:$|[\s_-])", re.I)
_CATEGORY = re.compile(r"categor|cat-?links?|catlinks|series|board_?name|sort|badge|label|\btag\b|subject|tit|headline", re.I)
_HEADINGS = frozenset("h1 h2 h3 h4".split())
_CELLS = frozenset(("td", "dd"))
_OWNER = re.compile(r"©|ⓒ|\(c\)|copyright|저작권|주소|전화|\btel\b|\(?\d{5}\)?\s?[가-힣]", re.I)
_MADE = re.compile(r"담당\s?부서|담당\s?기관|제공\s?부처|발행|부서명?|소관\s?부처")
_NOISE = re.compile(r"[\s\"'“”‘’「」『』<>《》()\[\]]")
_DENIED = re.compile(r"없|않|아니|아닙")
_LABEL_SIGN = re.compile(r"[:：=]")
_SENTENCES = re.compile(r"(?<=[.!?。])\s+(?=\D)")
# 저작권은 필자에게 있|다고 설명했다: somebody tells of it.
_REPORTED = re.compile(r"\S{0,6}(?:다고|라고|다는|라는|다며|라며|는지|는가|느냐)(?:\s|$)|.{0,60}[?？]\s?$")
_PARTICLE = re.compile(r"(?:에서|으로부터|로부터|에게|청|의|은|는|이|가|에)$")
_may_state = gate(*words.KEEPS, words.REMAINS)
_may_come = gate(*words.FROM)


def find(tree: html.HtmlElement, shown: Sequence[Run], grants: Sequence[Found]) -> Iterator[Found]:
    """The statements of a page that its text is somebody else's; `grants` are the licences found on it."""
    page = _Page(tree, shown, grants)
    for run, said in (*page.rights(), *page.titles(), *(page.notes() if grants else ())):
        yield Found(UNKNOWN, "other-author", quote(said), run.owner, ITEM)


class _Page:
    """The runs of a page, with what is asked about them more than once."""

    def __init__(self, tree: html.HtmlElement, shown: Sequence[Run], grants: Sequence[Found]) -> None:
        self.tree, self.shown, self.grants = tree, shown, grants
        prose = [n for n, run in enumerate(shown) if _is_prose(run)]
        self.first, self.last = (prose[0], prose[-1]) if prose else (len(shown), -1)
        self._names: str | None = None

    def rights(self) -> Iterator[tuple[Run, str]]:
        """Sentences of the form subject, right, verb; and that the protection of the work goes on."""
        for run in self.shown if anywhere(_may_state, (run.text for run in self.shown)) else ():
            if run.state.quoted or len(run.text) > MAX_STATEMENT:
                continue
            label = _cell_label(run)
            said = f"{label}: {run.text}" if label.startswith(("저작", "판권")) else run.text
            for sentence in _SENTENCES.split(said) if _may_state(said) else ():
                if not words.GIVES.search(sentence) and (self.keeps(sentence) or _remains(sentence, run)):
                    yield run, sentence

    def keeps(self, sentence: str) -> bool:
        """Whether a sentence leaves the rights in the text to somebody else than the publisher."""
        for rule in words.KEEPS:
            found = rule.search(sentence)
            if found is None or _REPORTED.match(sentence, found.end()):
                continue
            holder = found["holder"].strip()
            first = "권" not in sentence[: found.start("holder")]  # 사진은 제3자에게 저작권이 있습니다
            if about(sentence[: found.end("holder") if first else found.start("holder")]) in ("media", "software"):
                continue
            if words.ROLE.search(holder) or not (words.SELF.search(holder) or self.is_publisher(holder)):
                return True
        return False

    def titles(self) -> Iterator[tuple[Run, str]]:
        """Titles, boards, categories and labelled cells above the text that name who writes there."""
        said = [(run, _text_of(run)) for run in self.shown[: min(self.first + 1, MAX_ABOVE)] if self.is_title(run)]
        if self.shown and (title := self.tree.find(".//title")) is not None:
            said.append((self.shown[0], " ".join((title.text or "")[:MAX_TITLE].split())))
        for run, text in said:
            if any(self.is_label(segment) for segment in _segments(text)):
                yield run, text

    def is_title(self, run: Run) -> bool:
        """Whether a run is a heading, a path, a category or a cell of the head of an entry, and leads nowhere else."""
        if not run.text or len(run.text) > MAX_TITLE:
            return False
        if any(_called(up, _CRUMB) for up in _near(run.owner)):
            return True
        if run.state.part == "site" or run.state.quoted:
            return False
        near = (*_near(run.owner), *(up for link in run.links[:2] for up in _near(link.element)))
        named = run.owner.tag in _HEADINGS or any(_called(up, _CATEGORY) for up in near)
        if named or run.owner.tag in _CELLS:
            return True
        linked = sum(len(link.text.strip()) for link in run.links)
        return run.owner.tag not in ("li", "a") and len(run.text) <= MAX_SIGNATURE * 2 and not linked

    def is_label(self, segment: str) -> bool:
        """Whether a segment of a title is a label of other people's texts, and not the publisher's own."""
        for rule in words.LABEL:
            if found := rule.fullmatch(segment):
                holder = found.groupdict().get("holder")
                return not (holder and (words.OFFICIAL.search(holder) or self.is_publisher(holder)))
        return bool(words.LABEL[6].match(segment))

    def notes(self) -> Iterator[tuple[Run, str]]:
        """Labelled lines, notes above and below the text, and signatures, where they name somebody else."""
        inside = [n for n, run in enumerate(self.shown) if self.in_item(run) and run.text and run.state.mark is None]
        ends = frozenset(n for n in inside if n > self.last) & frozenset(inside[-MAX_ENDS:])
        for number, run in enumerate(self.shown):
            if not self.in_item(run) or not run.text:
                continue
            edge = number <= self.first or number >= self.last
            if (edge and self.is_labelled(run, number)) or self.comes_from(run):
                yield run, run.text
            elif number in ends and self.is_signature(run):
                yield run, run.text

    def in_item(self, run: Run) -> bool:
        return run.state.part != "site" and not run.state.quoted

    def is_labelled(self, run: Run, number: int) -> bool:
        """Whether a line or a cell has the label of a source or byline, and names somebody else behind it."""
        cell = _cell_label(run)
        found = words.LABELLED.match(run.text) if len(run.text) <= MAX_LINE else None
        found = found or words.IN_BRACKETS.search(run.text[-MAX_LINE:])
        label, holder = (cell, run.text[:MAX_LINE]) if cell else (found["label"], found["holder"]) if found else ("", "")
        if not label and run.owner.tag == "li":  # <li><strong>필진</strong> 홍길동</li>
            first = next(iter(run.owner), None)
            label = " ".join((first.text_content() if first is not None else "").split())[:20]
            holder = run.text[len(label) :][:MAX_LINE]
        label, holder = label.strip(" :：[<("), holder.strip()
        if not holder or (not cell and number and _cites(self.shown[number - 1], run)):
            return False
        if words.SOURCE.fullmatch(label):
            return not self.is_publisher(holder)
        other = words.OTHERS.search(holder) or any(self.is_label(one) for one in _segments(holder))
        return bool(words.BYLINE.fullmatch(label) and other) and not self.is_publisher(holder)

    def comes_from(self, run: Run) -> bool:
        """Whether a note says that the text comes from somebody else: printed, sent, provided, awarded."""
        if len(run.text) > MAX_STATEMENT or run.links[2:] or not _may_come(run.text):
            return False
        for sentence in _SENTENCES.split(run.text):
            for rule in words.FROM:
                found = find_stated(rule, sentence)
                if found and not _DENIED.search(found[0]) and about(sentence[: found.start("holder")]) not in ("media", "software"):
                    holder = found["holder"].strip()
                    if not words.GIVES.search(sentence) and holder and not self.is_publisher(holder):
                        return True
        return False

    def is_signature(self, run: Run) -> bool:
        text = words.DATE.sub("", run.text).strip(" .-–—·")
        if _LABEL_SIGN.search(text) or about(text) == "media":
            return False
        return 2 < len(text) <= MAX_SIGNATURE and bool(words.SIGNED.match(text)) and not self.is_publisher(text)

    def is_publisher(self, holder: str) -> bool:
        """Whether a holder is who publishes the page: the first word stands in its frame, the others are departments."""
        first, *rest = holder.split() or [""]
        own = self.is_named(first) or bool(words.SELF.search(holder))
        own = own or bool(rest and self.is_named(first + rest[0]))
        return own and all(words.DEPARTMENT.fullmatch(one) or self.is_named(one) for one in rest)

    def is_named(self, word: str) -> bool:
        plain = _PARTICLE.sub("", _NOISE.sub("", word).strip(".,:·")).lower()
        return len(plain) > 1 and plain in self.names

    @property
    def names(self) -> str:
        """What the frame of the page says of its publisher: its name above, its address and notice below."""
        if self._names is None:
            said = [run.text for run in self.shown if run.state.part == "site" and _names_owner(run)][:MAX_NAMES]
            said += [run.text for run in self.shown if _MADE.search(_cell_label(run))][:2]
            metas = (m for m in self.tree.iter("meta") if (m.get("property") or m.get("name") or "") in _META)
            said += [(m.get("content") or "")[:MAX_TITLE] for m in islice(metas, 4)]
            said += [one.quote for one in self.grants if one.kind.endswith("sentence")]
            title = self.tree.find(".//title")
            parts = SEGMENTS.split((title.text or "")[-MAX_TITLE:])[1:] if title is not None else []
            said += [one for one in parts if not any(rule.fullmatch(one.strip()) for rule in words.LABEL)]
            self._names = _NOISE.sub("", "\n".join(said)).lower()
        return self._names


_META = frozenset(("og:site_name", "publisher", "copyright", "article:publisher"))
SEGMENTS = re.compile(r"\s[-–—|]\s|\|")


def _remains(sentence: str, run: Run) -> bool:
    """Whether a sentence says that the work on the page is still protected."""
    if find_stated(words.REMAINS, sentence) is None or about(sentence) in ("media", "software"):
        return False
    return bool(words.OF_THIS.search(sentence) or (words.POLITE.search(sentence) and run.state.part != "site"))


def _is_prose(run: Run) -> bool:
    linked = sum(len(link.text) for link in run.links)
    inside = run.state.part != "site" and run.state.mark is None
    return inside and len(run.text) >= MIN_PROSE and 2 * linked < len(run.text)


def _text_of(run: Run) -> str:
    return run.text[:MAX_TITLE]


def _segments(title: str) -> Iterator[str]:
    """The parts of a title between its separators, and what stands in its brackets.

    >>> list(_segments("[기고] 갯벌 - 가나군"))
    ['기고', '갯벌', '가나군']
    """
    yield from (found[1].strip() for found in words.BRACKETED.finditer(title))
    yield from filter(None, (one.strip(" []<>()") for one in words.SEGMENT.split(words.BRACKETED.sub(" ", title))))


def _near(owner: html.HtmlElement) -> Iterator[html.HtmlElement]:
    yield owner
    yield from islice(owner.iterancestors(), 2)


def _called(element: html.HtmlElement, names: re.Pattern[str]) -> bool:
    called = f"{element.get('class') or ''} {element.get('id') or ''}"[:200]
    return bool(called.strip()) and element.tag not in ("html", "body") and bool(names.search(called))


def _cell_label(run: Run) -> str:
    before = run.owner.getprevious() if run.owner.tag in _CELLS else None
    if before is None or before.tag not in ("th", "td", "dt"):
        return ""
    return " ".join(before.text_content().split())[:20].rstrip(" :：")


def _cites(before: Run, run: Run) -> bool:
    """Whether a line of a source stands below a table or a picture, and is about that."""
    above = run.owner.getprevious()
    table = above is not None and above.tag in ("table", "figure", "img", "iframe")
    return table or (before.owner.tag in ("td", "th") and run.owner.tag not in ("td", "th")) and not above_is_text(run)


def above_is_text(run: Run) -> bool:
    above = run.owner.getprevious()
    return above is not None and above.tag in ("p", "div", "span")


def _names_owner(run: Run) -> bool:
    home = any((link.element.get("href") or "").rstrip("/") in ("", "/index.do", "/main.do") for link in run.links[:3])
    return bool(home or run.owner.tag == "h1" or _OWNER.search(run.text))
