"""Find signs that a text, its term or its licence is not the publisher's; each leads to a review by a person.

Three kinds: statements at declared places, whose rules are data with examples (third_party.toml); pages whose shape is
that of excerpts; and short notices about rights that are not the licence that the source declares.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, islice
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

from ahocorasick_rs import AhoCorasick
from lxml import html

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import Run, list_item_runs, path, quote
from crawlers.rights.candidates import is_beside
from crawlers.rights.licence_fields import field_kind
from crawlers.rights.page_proofs import select
from crawlers.rights.rules import gate, is_publisher, load, match_any, may_match_any
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.proofs import PROOFS
from malmoi.prefilter import need, shortest
from malmoi.source import Item, Source

MIN_PROSE = 40  # code points of a run that is the text itself
PLACES = ("title", "label", "line", "sentence")
MAX_BLOCK = 8  # runs of a block that holds a notice of copyright and its licence
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend".split())


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of third_party.toml."""

    id: str
    name: str
    places: tuple[str, ...]
    label: re.Pattern[str] | None
    pattern: re.Pattern[str]
    about_text: bool  # the words are about the text of the page: one of [topics] matches
    also: tuple[re.Pattern[str], ...]  # each occurs in the same words
    unless: tuple[re.Pattern[str], ...]  # none occurs in the same words
    licensor: re.Pattern[str] | None  # notices that are left out in a block with a licence and nothing else

    def needs(self) -> list[str]:
        """Return strings in lower case of which each match contains one; of a labelled value, its label does.

        A rule without such strings is never tried.
        """
        needed = need((self.label or self.pattern).pattern).needed or frozenset()
        return shortest(frozenset(one.lower() for one in needed))


_DATA, _compile = load("third_party.toml")
_ACTOR = re.compile(
    r"[^.]{0,40}?[은는] (?:\d{2,4}년\S{0,2} )?(?!\d)(?P<holder>[^.,]{1,30}?)(?:이|가|에서|께서|에|의|은|는)\s"
)
_TOPICS = _compile(_DATA["topics"]["patterns"])
_UNLESS = {place: _compile(_DATA["unless"].get(place, ())) for place in PLACES}


@cache
def read_rules() -> tuple[Rule, ...]:
    """Return the rules of third_party.toml in their order."""
    return tuple(
        Rule(
            id=row["id"],
            name=row.get("name", "third-party"),
            places=tuple(row["places"]),
            label=_compile([row["label"]])[0] if "label" in row else None,
            pattern=_compile([row.get("pattern", "")])[0],
            about_text=row.get("about_text", False),
            also=_compile(row.get("also", ())),
            unless=_compile(row.get("unless", ())),
            licensor=_compile([row["licensor"]])[0] if "licensor" in row else None,
        )
        for row in _DATA["rule"]
    )


def find(shown: Sequence[Run], tree: html.HtmlElement, publisher: str) -> Iterator[Signal]:
    """Yield a signal of effect `review` for each sign on a page, without record; `shown` are its runs, in order.

    Names: `third-party`, `other-term`, `part`; the place begins with the id of the rule. `publisher` is the name that
    the source declares; with "", each named source and holder of rights is a sign.
    """
    if not shown:
        return
    title_element = tree.find(".//title")
    title = " ".join((title_element.text or "").split())[:MAX_TITLE] if title_element is not None else ""
    candidates = find_candidates([*(run.text for run in shown), title])
    for number, place, label, words in find_places(shown, title, candidates):
        rules = candidates.get(number, set()) | (candidates.get(number - 1, set()) if place == "label" else set())
        for rule in (read_rules()[index] for index in sorted(rules)):
            signed = place in rule.places and _is_sign(rule, place, label, words, publisher)
            if signed and not _is_licensor(rule, words, shown, number):
                where = path(shown[number % len(shown)].owner)
                yield Signal(rule.name, "review", quote(label, words), f"{rule.id}: {where}", "")


def find_candidates(texts: Sequence[str]) -> dict[int, set[int]]:
    """Return, by the number of a text, the numbers of the rules that may match in it.

    >>> [read_rules()[rule].id for rule in sorted(find_candidates(["바다", "방명록"])[1])]
    ['open-board-path']
    """
    lower = [text.lower() for text in texts]
    begins = list(accumulate((len(text) + 1 for text in lower), initial=0))
    found: dict[int, set[int]] = {}
    finder, owners = _build_finder()
    for string, begin, _ in finder.find_matches_as_indexes("\n".join(lower), overlapping=True):
        found.setdefault(bisect_right(begins, begin) - 1, set()).update(owners[string])
    return found


@cache
def _build_finder() -> tuple[AhoCorasick, list[tuple[int, ...]]]:
    """Return an automaton of strings of which each rule needs one, and the numbers of the rules by string."""
    owners: dict[str, list[int]] = {}
    for number, rule in enumerate(read_rules()):
        for string in rule.needs():
            owners.setdefault(string, []).append(number)
    return AhoCorasick(sorted(owners)), [tuple(owners[string]) for string in sorted(owners)]


def _is_sign(rule: Rule, place: str, label: str, words: str, publisher: str) -> bool:
    if place == "title":
        found = next(filter(None, map(rule.pattern.fullmatch, split_title(words))), None)
    elif place == "label" and not (rule.label or rule.pattern).fullmatch(label):
        return False
    else:
        found = rule.pattern.search(words)
    if found is None or match_any(rule.unless, words) or (rule.about_text and not match_any(_TOPICS, words)):
        return False
    if not all(one.search(words) for one in rule.also):
        return False
    if rule.name == "third-party" and (match_any(_UNLESS[place], words) or _names_publisher(rule, words, publisher)):
        return False
    if place == "label" and rule.name == "third-party":
        return not is_publisher(words, publisher)
    return not any(is_publisher(holder, publisher) for holder in found.groupdict().values() if holder)


def _names_publisher(rule: Rule, words: str, publisher: str) -> bool:
    """Whether the publisher is the first actor of a statement after its topic, or the actor of its verb."""
    if not rule.about_text:
        return False
    found = (_ACTOR.match(words), *(one.search(words) for one in rule.also))
    actors = (one.groupdict().get("holder") for one in found if one)
    return any(is_publisher(actor, publisher) for actor in actors if actor)


def _is_licensor(rule: Rule, words: str, shown: Sequence[Run], number: int) -> bool:
    """Whether a block holds a notice of copyright, a licence and nothing else: its holder gives the licence.

    Journals print `Copyright (c) 2024 <author>` above the badge of Creative Commons.
    """
    if rule.licensor is None or not rule.licensor.match(words):
        return False
    notice, near = shown[number], shown[max(0, number - MAX_BLOCK) : number + MAX_BLOCK + 1]
    for block in (notice.owner, notice.owner.getparent()):
        inside = [run for run in near if block in (run.owner, *run.owner.iterancestors())]
        rest = [run for run in inside if run is not notice and run.owner.tag not in _HEADINGS]
        if len(inside) <= MAX_BLOCK and any(map(_links_licence, inside)):
            return all(_links_licence(run) and rule.licensor.match(run.text) for run in rest)
    return False


def _links_licence(run: Run) -> bool:
    return any(licence_from_url(link.element.get("href") or "") for link in run.links)


# Places of a page that name an author, a source or a holder of rights: titles, labels, lines, statements.
Place: TypeAlias = tuple[int, str, str, str]  # number of a run, kind of the place, a label or "", and the words
MAX_STATEMENT = 300  # code points of a run that is read as a statement; of a longer one, only its last sentences
MAX_CLOSING = 2  # last sentences of a long run that are read
MAX_LINE = 120  # code points of a line, or of a sentence at the end of a long run
MAX_LABEL = 40  # code points of a line that may be a label
MAX_TITLE = 200  # code points of a title that are read
MAX_PLAIN_TITLE = 80  # code points of a title without a tag or a class of titles
MAX_INLINE = 6  # inline elements of a title whose class is read
MAX_ABOVE = 60  # runs above the text that may be titles
_TITLES, _CELLS, _LISTED = frozenset("h1 h2 h3 h4 td dd".split()), ("td", "dd"), frozenset("td dd li dt th".split())
_CRUMB = re.compile(
    r"(?:^|[\s_-])(?:locations?|bread-?crumbs?|crumbs?|path|page_?navi|navi|loc|history)(?:$|[\s_-])", re.I
)
_CATEGORY = re.compile(r"categor|cat-?links|series|board[_-]?name|badge|label|\btag\b|subject|tit|headline", re.I)
_BOARD = re.compile(r"게시판(?:명|이름)?|카테고리|분류|코너|메뉴|구분")
_PARTS = re.compile(r"\s[-–—/]\s|\s?[①-⑳]\s?|\s?[|>»›·:：]\s?")
_BRACKETED = re.compile(r"[\[(<〈【]\s?([^\[\]()<>〈〉【】]{1,30}?)\s?[\])>〉】]")
_PAIR = re.compile(r"^\W{0,3}([^:：=／|]{1,40}?)\s?(?:[:：=／|]|\s/\s)\s?(.{1,80}?)\W{0,3}$")
_PAIR_AT_END = re.compile(r"[\[<〈【《(]([^\[\]<>()]{1,16}?)\s?[:：=]\s?([^\[\]<>:：]{1,60})[\]>〉】》)]\W{0,3}$")
_SENTENCES = re.compile(r"(?<=[.!?。])\s+(?=\D)")
_NOTE = re.compile(
    r"^[※*＊<\[(【〈《☞▣◆◇▲△■]|^\W{0,3}(?:이|본|위|해당|아래|상기)\s?(?:글|기사|원고|칼럼|자료|보도|작품)"
)


def find_places(shown: Sequence[Run], title: str, numbers: Container[int]) -> Iterator[Place]:
    """Yield the places of the title, whose number is that of the last run + 1, and of the runs with these `numbers`.

    A cell is read, too, if `numbers` has the run before it, its label. Quoted runs and prose are left out.
    """
    if len(shown) in numbers:
        yield len(shown), "title", "", title
    wanted = [number for number in range(len(shown)) if number in numbers or number - 1 in numbers]
    if not wanted:
        return
    # The first and the last run of prose; on a page without, after and before all runs.
    first = next((number for number, run in enumerate(shown) if _is_prose(run)), len(shown))
    last = next((number for number in range(len(shown) - 1, first - 1, -1) if _is_prose(shown[number])), -1)
    for number in wanted:
        run = shown[number]
        if run.state.quoted or not run.text:
            continue
        if (number <= min(first, MAX_ABOVE) and _is_title(run)) or (number > last and _is_plain_title(run)):
            yield number, "title", "", run.text
            for one in islice(run.owner.iterchildren("span", "strong", "em", "b"), MAX_INLINE):
                if _is_called(one, _CATEGORY):  # the class calls it a board or a category
                    yield number, "title", "", " ".join(one.text_content().split())[:MAX_TITLE]
        if run.state.part != "site":
            read = _read_run(run, not first < number < last, shown[number - 1] if number else run)
            yield from ((number, *place) for place in read)


def _is_prose(run: Run) -> bool:
    if run.state.part == "site" or run.state.mark is not None or len(run.text) < MIN_PROSE:
        return False
    return 2 * _count_linked(run) < len(run.text) and (len(run.text) > MAX_STATEMENT or not _NOTE.search(run.text))


@lru_cache(maxsize=4_096)  # boards and paths are the same on each page
def split_title(title: str) -> tuple[str, ...]:
    """Return the words in the brackets of a title, with and without them, and its parts between separators.

    >>> split_title("[기고] 갯벌 - 가나군")
    ('[기고]', '기고', '갯벌', '가나군')
    """
    inside = (words.strip() for found in _BRACKETED.finditer(title) for words in (found[0], found[1]))
    parts = (one.strip(" []<>()") for one in _PARTS.split(_BRACKETED.sub(" ", title)))
    return (*inside, *filter(None, parts))


def _read_run(run: Run, edge: bool, before: Run) -> Iterator[tuple[str, str, str]]:
    """Yield the places of a run of the item; `edge`: it is above or below the prose; `before`: the run before it."""
    if len(run.text) > MAX_STATEMENT:
        _, *ending = _SENTENCES.split(run.text[-MAX_STATEMENT:])
        yield from (("sentence", "", one) for one in ending[-MAX_CLOSING:] if len(one) <= MAX_LINE)
    else:
        yield from (("sentence", "", one) for one in _SENTENCES.split(run.text))
    before_cell = run.owner.getprevious() if run.owner.tag in _CELLS else None
    cell = ""
    if before_cell is not None and before_cell.tag in ("th", "td", "dt"):
        words = " ".join(before_cell.text_content().split())
        cell = words.rstrip(" :：") if len(words) <= MAX_LABEL else ""
    if len(run.text) > MAX_LINE and not cell:
        found = _PAIR_AT_END.search(run.text[-MAX_LINE:])
        pairs = [found.groups()] if found else []
    else:
        pairs = list(_read_pairs(run, cell, edge and not _is_citation(before, run)))
    for label, value in dict.fromkeys(pairs):
        yield "label", label, value
        if _BOARD.fullmatch(label):
            yield from (("title", "", words) for words in (value, f"{value} 게시판"))
    plain = len(run.text) <= MAX_LINE and run.owner.tag not in _LISTED and run.state.mark is None
    if edge and plain and 2 * _count_linked(run) < len(run.text):
        yield "line", "", run.text


def _read_pairs(run: Run, cell: str, edge: bool) -> Iterator[tuple[str, str]]:
    """Yield the labels of a short run with their values; of a line between prose, only a label without a value."""
    if cell:
        yield cell, run.text[:MAX_LINE]
        return
    if len(run.text) <= MAX_LABEL:
        yield run.text.strip(" :：[]"), ""
    if not edge:
        return
    for words in (run.text, *(run.text.split(" | ") if " | " in run.text else ())):
        if found := _PAIR.match(words):
            yield found[1].strip(), found[2].strip()
    if found := _PAIR_AT_END.search(run.text):
        yield found[1].strip(), found[2].strip()
    first = next(iter(run.owner), None) if run.owner.tag in ("li", "div", "p") else None
    label = " ".join(first.text_content().split()) if first is not None and first.tag in ("b", "strong", "span") else ""
    if label and len(label) <= MAX_LABEL:
        yield label.strip(" :："), run.text[len(label) :].strip()


def _is_title(run: Run) -> bool:
    """Whether a run above the text is a breadcrumb path, heading, category, cell or short line without a link."""
    if len(run.text) > MAX_TITLE:
        return False
    if any(_is_called(one, _CRUMB) for one in _list_near(run.owner)):
        return True
    if run.state.part == "site":
        return False
    near = (*_list_near(run.owner), *(one for link in run.links[:2] for one in _list_near(link.element)))
    if run.owner.tag in _TITLES or any(_is_called(one, _CATEGORY) for one in near):
        return True
    return _is_plain_title(run)


def _is_plain_title(run: Run) -> bool:
    plain = run.owner.tag not in ("li", "th", "dt") and len(run.text) <= MAX_PLAIN_TITLE and run.state.part != "site"
    return plain and not _count_linked(run)


def _list_near(owner: html.HtmlElement) -> Iterator[html.HtmlElement]:
    yield owner
    yield from islice(owner.iterancestors(), 2)


def _is_called(element: html.HtmlElement, names: re.Pattern[str]) -> bool:
    called = f"{element.get('class') or ''} {element.get('id') or ''}"[:200]
    return element.tag not in ("html", "body") and called != " " and bool(names.search(called))


def _is_citation(before: Run, run: Run) -> bool:
    """Whether a source line is directly below a table or a picture, and so applies to that."""
    above = run.owner.getprevious()
    if above is None:
        return before.owner.tag in ("td", "th") and run.owner.tag not in ("td", "th")
    return above.tag in ("table", "figure", "img", "iframe")


def _count_linked(run: Run) -> int:
    return sum(len(link.text) for link in run.links)


# Excerpts: the shape of the page decides and not its words.
MIN_QUOTED = 0.5  # share of quotations in the text
MIN_BROKEN = 0.3  # share of paragraphs that break off in the text
MAX_PARAGRAPHS = 400  # of quotations that are measured
_BROKEN = re.compile(r"(?:…|\.{3,}|‥|[(\[]\s?(?:중략|후략|하략|이하\s?생략|계속)\s?[)\]])\W{0,3}$")
_WHOLE = r"(?:원문|전문|원글|원본|출처|전체|나머지|이어서|계속)(?:을|를)?"
_KIND = r"(?:글|답변|기사|본문|리뷰|칼럼|이야기)(?:을|를)?"
_OPEN = r"(?:보기|읽기|보러 ?가기|읽으러 ?가기|바로 ?가기)"
_REST = re.compile(rf"\W{{0,3}}(?:\S{{1,8}}에서 )?{_WHOLE}(?: {_KIND})?(?: ?{_OPEN})?\W{{0,3}}")


def find_excerpts(page: Page, url: str, record: str) -> Iterator[Signal]:
    """Yield at most one signal `third-party` of effect `review` for each shape on the page at `url`.

    Shapes: quotations that are much of the text, paragraphs that break off, and links to the rest of a text at another
    host.
    """
    text = list_item_runs([run for run in page.runs if run.text and run.state.mark is None])
    quoted = [one for one in page.tree.iter("blockquote") if next(one.iterancestors("blockquote"), None) is None]
    length = sum(len(" ".join(one.text_content().split())) for one in quoted[:MAX_PARAGRAPHS])
    own = sum(len(run.text) for run in text if not run.state.quoted)
    if length and length >= MIN_QUOTED * (length + own):
        words = quote(quoted[0].text_content())
        yield Signal("third-party", "review", words, f"quotations: {path(quoted[0])}", record)
    broken = [run for run in text if _BROKEN.search(run.text[-12:])]
    if broken and sum(len(run.text) for run in broken) >= MIN_BROKEN * sum(len(run.text) for run in text):
        words, place = quote(broken[0].text[-100:]), path(broken[0].owner)
        yield Signal("third-party", "review", words, f"breaks-off: {place}", record)
    for place, link in ((path(run.owner), link) for run in text for link in run.links):
        words = " ".join(link.text.split())
        if _REST.fullmatch(words):
            there = urlsplit(urljoin(url, link.element.get("href") or ""))
            if there.scheme in ("http", "https") and there.hostname != urlsplit(url).hostname:
                yield Signal("third-party", "review", quote(words), f"rest-elsewhere: {place}", record)
                return


# Notices: a page that permits has one mark. Any other line that speaks of rights may say whom, what or how long the
# mark does not cover, in words that no rule knows; so the line itself leads to the review, and not what it says.
MAX_NOTICE = 60  # code points of a line; a longer one is prose, which may speak of rights
_NO_NOTICES = frozenset("h1 h2 h3 h4 h5 h6 title caption".split())
_WORDS, _compile_words = load("candidates.toml")
_RIGHTS = _compile_words([_WORDS["rights"]["pattern"], _WORDS["limits"]["pattern"]])
_CUSTOMARY, _HOLDER = _compile_words([_WORDS["customary"]["pattern"], _WORDS["holder"]["pattern"]])
_MENTIONED = re.compile(r"[‘'“\"「][^‘’'“”\"「」]{1,40}[’'”\"」]")
_may_speak = gate(*_RIGHTS)


def find_notices(item: Item, page: Page, source: Source, found: Sequence[LicenceEvidence]) -> Iterator[Signal]:
    """Yield a signal `other-term` of effect `review` for each notice on a page with a proof among `found`.

    A notice is above or below the prose of the item, and neither a title nor the publisher's own claim of copyright.
    """
    rule, publisher = source.rule, source.publisher
    granted = {one.licence for one in found if one.kind in PROOFS}
    if not granted or not may_match_any(_may_speak, (run.text for run in page.runs)):
        return
    own = {one for place in select(page.tree, rule.selector, item.url) for one in place.iter()}
    read = _letters(" ".join(one.quote for one in found if one.licence in granted and one.kind != "words"))
    inside = list_item_runs(page.runs)
    notices = {number for number, run in enumerate(inside) if _is_notice(run, publisher)}
    prose = [number for number, run in enumerate(inside) if number not in notices and len(run.text) >= MIN_PROSE]
    for number in sorted(notices):
        run = inside[number]
        elements = (run.owner, *(link.element for link in run.links), *(image for image, _ in run.images))
        edge = not prose or not prose[0] < number < prose[-1]
        if edge and _letters(run.text) not in read and own.isdisjoint(elements) and not is_beside(run.owner, item.url):
            yield Signal("other-term", "review", quote(run.text), f"notice: {path(run.owner)}", item.record)


def _is_notice(run: Run, publisher: str) -> bool:
    words = run.text
    if not words or len(words) > MAX_NOTICE or run.state.quoted or run.owner.tag in _NO_NOTICES or field_kind(words):
        return False
    if not match_any(_RIGHTS, _MENTIONED.sub("", words)) or _CUSTOMARY.fullmatch(words):
        return False
    holder = _HOLDER.fullmatch(words)
    return not (holder and publisher and is_publisher(holder["holder"], publisher))


def _letters(words: str) -> str:
    return re.sub(r"[\W_]+", "", words)
