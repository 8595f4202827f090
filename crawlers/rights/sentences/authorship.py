"""Find statements that the author of a page is someone other than the publisher that licenses it.

A mark does not identify the author. For a contribution, a forwarded press release, a reprint, a contest entry or a
citizen's post, the publisher cannot grant a licence. One such statement makes the licence of the item `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice

from lxml import html

from crawlers.formats.html.runs import PageEvidence, Run, State, quote
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.rights.refusals import find_stated
from crawlers.rights.sentences import authorship_words as words
from crawlers.rights.sentences.subject import find_subject
from malmoi.licensing.rights_decision import UNKNOWN

MAX_CLOSING = 2  # sentences at the end of a long paragraph that may name the owner
MAX_STATEMENT = 300  # code points of a run that states who owns or supplied the text; a longer one is prose
MAX_LINE = 120  # code points of a labelled line
MAX_LABEL = 20  # code points of a label
MAX_TITLE = 200  # code points of a title that are read
MAX_PLAIN_TITLE = 80  # code points of a line above the text that may be a title without a matching tag or class
MIN_PROSE = 40  # code points of a run that is the text itself rather than a title, label or note
MAX_ABOVE = 60  # runs above the text that may be titles
MAX_NAMES = 40  # runs of the site frame that name the publisher
_HEADINGS = frozenset("h1 h2 h3 h4".split())
_CELLS = frozenset(("td", "dd"))
_LISTED = frozenset("td dd li dt th".split())
_ITEM = State(part="item", article=True)
_META = frozenset(("og:site_name", "publisher", "copyright", "article:publisher"))


def find(tree: html.HtmlElement, shown: Sequence[Run], grants: Sequence[PageEvidence]) -> Iterator[PageEvidence]:
    """Yield the statements that the text of a page belongs to others; `grants` are the licences found on the page.

    Statements about rights, and titles that label texts by others, count on every page;
    bylines and notes only on a page with a licence.
    """
    page = _Page(tree, shown, grants)
    for run, said in (*page.rights(), *page.titles(), *(page.notes() if grants else ())):
        yield PageEvidence(UNKNOWN, "other-author", quote(said), run.owner, _ITEM)


class _Page:
    """The runs of a page, with cached answers to repeated questions."""

    def __init__(self, tree: html.HtmlElement, shown: Sequence[Run], grants: Sequence[PageEvidence]) -> None:
        self.tree, self.shown, self.grants = tree, shown, grants
        title = tree.find(".//title")
        self.title = " ".join((title.text or "").split())[:MAX_TITLE] if title is not None else ""

    @cached_property
    def prose(self) -> tuple[int, int]:
        """Indexes of the first and last run of prose; on a page without prose, after and before all runs."""
        first = next((n for n, run in enumerate(self.shown) if _is_prose(run)), len(self.shown))
        return first, next((n for n in range(len(self.shown) - 1, first - 1, -1) if _is_prose(self.shown[n])), -1)

    def rights(self) -> Iterator[tuple[Run, str]]:
        """Yield sentences of the form subject, right, verb, and sentences that the work is still protected."""
        for run in self.shown if may_match_any(_may_keep, (run.text for run in self.shown)) else ():
            if run.state.quoted:
                continue
            label = _cell_label(run)
            said = f"{label}: {run.text}" if label.startswith(("저작", "판권")) else run.text
            for sentence in _statements(said) if _may_keep(said) else ():
                if not words.GIVES.search(sentence) and (
                    self.has_other_holder(sentence) or _is_still_protected(sentence, run)
                ):
                    yield run, sentence

    def has_other_holder(self, sentence: str) -> bool:
        """Whether a sentence assigns the rights in the text to someone other than the publisher."""
        for rule in words.KEEPS:
            found = rule.search(sentence)
            if found is None or _REPORTED.match(sentence, found.end()):
                continue
            begin, holder = found.start("holder"), found["holder"].strip()
            # "사진은 제3자에게 저작권이 있습니다": if the holder comes first, the owned thing precedes it.
            owned = sentence[: begin if "권" in sentence[:begin] else found.end("holder")]
            if find_subject(owned) in ("media", "software"):
                continue
            if words.ROLE.search(holder) or not (words.SELF.search(holder) or self.is_publisher(holder)):
                return True
        return False

    def titles(self) -> Iterator[tuple[Run, str]]:
        """Yield titles, boards, categories and cells above the text that name its author."""
        if self.title and self.is_labelled_title(self.title):
            yield from ((run, self.title) for run in self.shown[:1])
        above = self.shown[: min(self.prose[0] + 1, MAX_ABOVE)]
        for run in above if may_match_any(_may_label, (run.text for run in above)) else ():
            if _may_label(run.text) and _is_title(run) and self.is_labelled_title(run.text):
                yield run, run.text

    def is_label(self, segment: str) -> bool:
        """Whether a segment of a title is a label of texts by others, not of the publisher's own."""
        for rule in words.LABELS:
            if found := rule.fullmatch(segment):
                holder = found.groupdict().get("holder")
                return not (holder and (words.OFFICIAL.search(holder) or self.is_publisher(holder)))
        return bool(words.PRIZE_LABEL.match(segment))

    def is_labelled_title(self, title: str) -> bool:
        return bool(words.PRIZE_IN_BRACKETS.search(title)) or any(map(self.is_label, _segments(title)))

    def notes(self) -> Iterator[tuple[Run, str]]:
        """Yield bylines, sources and notes on the text that name someone else; prose is not examined."""
        for number, run in enumerate(self.shown):
            if run.state.part == "site" or run.state.quoted or not run.text:
                continue
            if len(run.text) > MAX_STATEMENT:
                yield from ((run, one) for one in _statements(run.text) if self.is_closing_note(one))
                continue
            if 2 * _count_linked(run) >= len(run.text) or _ATTACHED.match(run.text):
                continue
            sentences = _SENTENCES.split(run.text)
            if self.is_byline(run, number) or any(self.is_note(one, run, number) for one in sentences):
                yield run, run.text

    def is_byline(self, run: Run, number: int) -> bool:
        """Whether a line or cell has a label of source or author, followed by a name other than the publisher's."""
        cell = _cell_label(run)
        if not cell and self.prose[0] < number < self.prose[1]:
            return False
        label, holder = (cell, run.text[:MAX_LINE]) if cell else _split_label(run)
        if not holder or (not cell and number and _is_citation(self.shown[number - 1], run)):
            return False
        if words.SOURCE.fullmatch(label):
            return not self.is_publisher(holder)
        boards = [f"{one} 게시판" for one in _segments(holder)] if label.startswith("게시판") else []
        other = words.OTHERS.search(holder) or any(map(self.is_label, (*_segments(holder), *boards)))
        return bool(words.BYLINE.fullmatch(label) and other) and not self.is_publisher(holder)

    def is_note(self, sentence: str, run: Run, number: int) -> bool:
        """Whether a sentence or line says that the text comes from others: printed, sent, provided, awarded."""
        sentence = words.WHEN.sub("", sentence)
        told = words.ABOUT_TEXT.match(sentence)
        stated = bool(words.SENTENCE.search(sentence))
        titled = run.owner.tag in _HEADINGS or run.text in self.title or _is_called(run.owner, _CATEGORY)
        if not told and (titled or (stated and not words.MARKER.match(sentence))):
            return False
        given = words.GAVE.search(sentence)
        named = not told and not stated and (words.OTHERS.search(sentence) or words.RELEASE.search(sentence))
        if not given and not named:
            return False
        if words.GIVES.search(sentence) or find_subject(sentence[:MAX_LINE]) == "media":
            return False
        if told:
            return not _DENIED.search(sentence) and not self.is_publisher((told["holder"] or "").strip())
        if stated:
            return find_stated(words.GAVE, sentence) is not None and not _DENIED.search(sentence)
        return self.is_beside_text(run, number) and not self.is_publisher(sentence.strip(_MARKS))

    def is_closing_note(self, sentence: str) -> bool:
        """Whether the end of a long paragraph, in brackets or after a sign, names the source of its text."""
        bare = sentence.strip(f"{_MARKS}()[]")
        if bare == sentence.rstrip(".") or words.GIVES.search(sentence) or _DENIED.search(sentence):
            return False
        found = words.LABELLED.match(bare)
        if found and words.SOURCE.fullmatch(found["label"].strip()):
            return not self.is_publisher(found["holder"])
        return bool(words.GAVE.search(bare) and words.OTHERS.search(bare)) and not self.is_publisher(bare)

    def is_beside_text(self, run: Run, number: int) -> bool:
        """Whether a line is directly above or below the text, in the same block, and is not a list item."""
        first, last = self.prose
        if first < number < last or len(run.text) > MAX_LINE or run.owner.tag in _LISTED or run.state.mark is not None:
            return False
        if _BULLET.match(run.text) or (number < first and _DASHED.match(run.text)):
            return False  # "- 가나협회와 협약 맺어 -" above a text: the subtitle of a release
        near = {up for n in (first, last) if 0 <= n < len(self.shown) for up in _nearby_elements(self.shown[n].owner)}
        return not near or not near.isdisjoint(_nearby_elements(run.owner))

    def is_publisher(self, holder: str) -> bool:
        """Whether a holder is the publisher: its first word is in the site frame, the other words are departments."""
        first, *rest = holder.replace(",", " ").split() or [""]
        if all(words.DEPARTMENT.fullmatch(_PARTICLE.sub("", one)) for one in (first, *rest)):
            return True  # a department of the publisher
        own = self.is_named(first) or bool(words.SELF.search(holder)) or bool(rest and self.is_named(first + rest[0]))
        return own and all(words.DEPARTMENT.fullmatch(one) or self.is_named(one) for one in rest)

    def is_named(self, word: str) -> bool:
        plain = _PARTICLE.sub("", _NOISE.sub("", word).strip(".,:·")).lower()
        return len(plain) > 1 and plain in self.names

    @cached_property
    def names(self) -> str:
        """Words of the site frame about the publisher: name in the header, address and notice in the footer."""
        said = [run.text for run in self.shown if run.state.part == "site" and _names_owner(run)][:MAX_NAMES]
        said += [run.text for run in self.shown if _DEPARTMENT_LABEL.search(_cell_label(run))][:2]
        metas = (m for m in self.tree.iter("meta") if (m.get("property") or m.get("name") or "") in _META)
        said += [(m.get("content") or "")[:MAX_TITLE] for m in islice(metas, 4)]
        said += [one.quote for one in self.grants if one.kind.endswith("sentence")]
        parts = _SITE_NAME.split(self.title)[1:]
        said += [one for one in parts if not any(rule.fullmatch(one.strip()) for rule in words.LABELS)]
        return _NOISE.sub("", "\n".join(said)).lower()


def _statements(text: str) -> list[str]:
    """Split a statement into sentences; of a longer run, which is prose, return only the short final ones."""
    if len(text) <= MAX_STATEMENT:
        return _SENTENCES.split(text)
    _, *ending = _SENTENCES.split(text[-MAX_STATEMENT:])
    return [one for one in ending[-MAX_CLOSING:] if len(one) <= MAX_LINE]


_MARKS = " ※*＊<>[]()【】〈〉《》-–—☞▣◆◇▲△■."
_ATTACHED = re.compile(r"^\W{0,3}(?:붙임|첨부|별첨)")
_DASHED = re.compile(r"^[-–—]")
# 장소: 가나회관; ○ 대상: the lines of a notice.
_BULLET = re.compile(
    r"^\W{0,3}(?!기고|투고|글|출처|제공|자료)[가-힣\s]{2,10}[:：]|^[○❍ㅇ□▷▶●•·①-⑳]|^\d{1,2}[.)]|^[가-하][.)]"
)
_CRUMB = re.compile(
    r"(?:^|[\s_-])(?:locations?|bread-?crumbs?|crumbs?|path|page_?navi|navi|loc|history)(?:$|[\s_-])", re.I
)
_CATEGORY = re.compile(
    r"categor|cat-?links?|catlinks|series|board[_-]?name|sort|badge|label|\btag\b|subject|tit|headline", re.I
)
_OWNER = re.compile(r"©|ⓒ|\(c\)|copyright|저작권|주소|전화|\btel\b|\(?\d{5}\)?\s?[가-힣]", re.I)
_DEPARTMENT_LABEL = re.compile(r"담당\s?부서|담당\s?기관|제공\s?부처|발행|부서명?|소관\s?부처")
_NOISE = re.compile(r"[\s\"'“”‘’「」『』<>《》()\[\]]")
_SITE_NAME = re.compile(r"\s[-–—|]\s|\|")
_SENTENCES = re.compile(r"(?<=[.!?。])\s+(?=\D)")
_PARTICLE = re.compile(r"(?:에서|으로부터|로부터|에게|청|의|은|는|이|가|에)$")
# "저작권은 필자에게 있|다고 설명했다": reported speech.
_REPORTED = re.compile(r"\S{0,6}(?:다고|라고|다는|라는|다며|라며|는지|는가|느냐)(?:\s|$)|.{0,60}[?？]\s?$")
_DENIED = re.compile(r"(?:옮|실|싣|전재|발췌|가져|퍼)\S{0,4}\s(?:\S{1,6}\s)?(?:없|않|아니|아닙)")
_may_keep = gate(*words.KEEPS, words.REMAINS)
_may_label = gate(*words.LABELS, words.PRIZE_LABEL, words.PRIZE_IN_BRACKETS)


def _is_still_protected(sentence: str, run: Run) -> bool:
    """Whether a sentence says that the work on the page is still protected."""
    if find_stated(words.REMAINS, sentence) is None or find_subject(sentence) in ("media", "software"):
        return False
    noted = words.POLITE.search(sentence) or words.IS_WORK.search(sentence)
    return bool(words.OF_THIS.search(sentence) or (noted and run.state.part != "site"))


def _is_prose(run: Run) -> bool:
    if run.state.part == "site" or run.state.mark is not None or len(run.text) < MIN_PROSE:
        return False
    noted = words.MARKER.match(run.text) or words.ABOUT_TEXT.match(run.text)
    return not noted and 2 * _count_linked(run) < len(run.text)


def _is_title(run: Run) -> bool:
    """Whether a run above the text is a heading, breadcrumb path, category, cell or short line without a link."""
    if len(run.text) > MAX_TITLE:
        return False
    if any(_is_called(up, _CRUMB) for up in _nearby_elements(run.owner)):
        return True
    if run.state.part == "site" or run.state.quoted:
        return False
    near = (*_nearby_elements(run.owner), *(up for link in run.links[:2] for up in _nearby_elements(link.element)))
    if run.owner.tag in (*_HEADINGS, *_CELLS) or any(_is_called(up, _CATEGORY) for up in near):
        return True
    return run.owner.tag != "li" and len(run.text) <= MAX_PLAIN_TITLE and not _count_linked(run)


def _segments(title: str) -> Iterator[str]:
    """Yield the parts of a title between its separators, and the words in its brackets.

    >>> list(_segments("[기고] 갯벌 - 가나군"))
    ['기고', '갯벌', '가나군']
    """
    yield from (found[1].strip() for found in words.BRACKETED.finditer(title))
    yield from filter(None, (one.strip(" []<>()") for one in words.SEGMENT.split(words.BRACKETED.sub(" ", title))))


def _split_label(run: Run) -> tuple[str, str]:
    """Return the label and the holder of a line: 출처: 가나일보, … [자료제공: ㈜가나], <li><b>필진</b> 홍길동</li>."""
    found = words.LABELLED.match(run.text) if len(run.text) <= MAX_LINE else None
    if found := found or words.IN_BRACKETS.search(run.text[-MAX_LINE:]):
        return found["label"].strip(), found["holder"].strip()
    first = next(iter(run.owner), None) if run.owner.tag == "li" else None
    label = " ".join((first.text_content() if first is not None else "").split())[:MAX_LABEL]
    return label.strip(" :："), run.text[len(label) : MAX_LINE].strip() if label else ""


def _nearby_elements(owner: html.HtmlElement) -> Iterator[html.HtmlElement]:
    yield owner
    yield from islice(owner.iterancestors(), 2)


def _is_called(element: html.HtmlElement, names: re.Pattern[str]) -> bool:
    called = f"{element.get('class') or ''} {element.get('id') or ''}"[:200]
    return element.tag not in ("html", "body") and bool(names.search(called))


def _cell_label(run: Run) -> str:
    before = run.owner.getprevious() if run.owner.tag in _CELLS else None
    if before is None or before.tag not in ("th", "td", "dt"):
        return ""
    return " ".join(before.text_content().split())[:MAX_LABEL].rstrip(" :：")


def _is_citation(before: Run, run: Run) -> bool:
    """Whether a source line is directly below a table or a picture, and so applies to that."""
    above = run.owner.getprevious()
    if above is None:
        return before.owner.tag in ("td", "th") and run.owner.tag not in ("td", "th")
    return above.tag in ("table", "figure", "img", "iframe")


def _count_linked(run: Run) -> int:
    return sum(len(link.text) for link in run.links)


def _names_owner(run: Run) -> bool:
    home = any((link.element.get("href") or "").rstrip("/") in ("", "/index.do", "/main.do") for link in run.links[:3])
    return bool(home or run.owner.tag == "h1" or _OWNER.search(run.text))
