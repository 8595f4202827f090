"""Read the places of a page that name an author, a source or a holder of rights: titles, labels, lines, statements."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from lxml import html

from crawlers.formats.html.runs import Run

MAX_STATEMENT = 300  # code points of a run that is read as a statement; of a longer one, only its last sentences
MAX_CLOSING = 2  # last sentences of a long run that are read
MAX_LINE = 120  # code points of a line, or of a sentence at the end of a long run
MAX_LABEL = 40  # code points of a line that may be a label
MAX_TITLE = 200  # code points of a title that are read
MAX_PLAIN_TITLE = 80  # code points of a title without a tag or a class of titles
MAX_INLINE = 6  # inline elements of a title whose class is read
MAX_ABOVE = 60  # runs above the text that may be titles
MIN_PROSE = 40  # code points of a run that is the text itself
Place: TypeAlias = tuple[int, str, str, str]  # number of a run, kind of the place, a label or "", and the words

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


def find_title(tree: html.HtmlElement) -> str:
    """Return the title of a page, cut after MAX_TITLE code points."""
    title = tree.find(".//title")
    return " ".join((title.text or "").split())[:MAX_TITLE] if title is not None else ""


def find_places(shown: Sequence[Run], title: str, numbers: Container[int]) -> Iterator[Place]:
    """Yield the places of the title, whose number is that of the last run + 1, and of the runs with these `numbers`.

    A cell is read, too, if `numbers` has the run before it, its label. Quoted runs and prose are left out.
    """
    if len(shown) in numbers:
        yield len(shown), "title", "", title
    wanted = [number for number in range(len(shown)) if number in numbers or number - 1 in numbers]
    first, last = _find_prose(shown) if wanted else (0, 0)
    for number in wanted:
        run = shown[number]
        if run.state.quoted or not run.text:
            continue
        if (number <= min(first, MAX_ABOVE) and _is_title(run)) or (number > last and _is_plain_title(run)):
            yield number, "title", "", run.text
            yield from ((number, "title", "", words) for words in _read_named_parts(run))
        if run.state.part != "site":
            read = _read_run(run, not first < number < last, shown[number - 1] if number else run)
            yield from ((number, *place) for place in read)


def _find_prose(shown: Sequence[Run]) -> tuple[int, int]:
    """Return the numbers of the first and the last run of prose; of a page without, after and before all runs."""
    first = next((number for number, run in enumerate(shown) if _is_prose(run)), len(shown))
    return first, next((number for number in range(len(shown) - 1, first - 1, -1) if _is_prose(shown[number])), -1)


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
    cell = _label_of_cell(run)
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


def _label_of_cell(run: Run) -> str:
    before = run.owner.getprevious() if run.owner.tag in _CELLS else None
    if before is None or before.tag not in ("th", "td", "dt"):
        return ""
    label = " ".join(before.text_content().split())
    return label.rstrip(" :：") if len(label) <= MAX_LABEL else ""


def _is_prose(run: Run) -> bool:
    if run.state.part == "site" or run.state.mark is not None or len(run.text) < MIN_PROSE:
        return False
    return 2 * _count_linked(run) < len(run.text) and (len(run.text) > MAX_STATEMENT or not _NOTE.search(run.text))


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


def _read_named_parts(run: Run) -> Iterator[str]:
    """Yield the words of the first inline elements that a class calls a board or a category."""
    for one in islice(run.owner.iterchildren("span", "strong", "em", "b"), MAX_INLINE):
        if _is_called(one, _CATEGORY):
            yield " ".join(one.text_content().split())[:MAX_TITLE]


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
