"""Leave out a table of contents: entries of a title, a leader or tab, and a page number, many below each other.

It repeats the headings of the document. Rule `contents`: a run of entries whose page numbers do not fall, with at
most two other lines between two of them (long titles, parts without a number), and the heading above it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from crawlers.formats.blocks import Block, Cell, Table

LEADS = 4  # entries with leaders that are a table of contents; with tabs only, it needs a heading too
BETWEEN = 2  # other lines between two entries
RISING = 0.8  # share of the entries whose page number is not below the one before
TAIL = 400  # code points at the end of a line that are inspected
_PAGE = re.compile(r"(?:[-–(\[]\s?)?(?:[A-Z가-힣]{1,2}-)?(\d{1,4}|[ivxlcIVXLC]{1,7}|[ⅰ-ⅹⅠ-Ⅹ])\s?[-–)\]]?\s?쪽?$")
_HEADING = re.compile(
    r"(?:[^\w\s]{1,2}\s?)?(?:(?:표|그림|사진|부록|도표)\s{0,3})?(?:목\s{0,8}차|차\s{0,8}례|순\s{0,8}서|contents|"
    r"table of contents|list of (?:tables|figures))(?:\s?[^\w\s]{1,2})?",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_INVISIBLE = dict.fromkeys((0x200B, 0x2060, 0xFEFF))  # some programs put one before the page number
_ELLIPSES = "…‥⋯"
_DOTS = frozenset(".·…‥․ㆍ•∙⋅・°‧⋯─―—–-_=~*")


def find_contents(texts: Sequence[str]) -> set[int]:
    """Return the indexes of the lines that are a table of contents or its heading.

    >>> sorted(find_contents(["목 차", "머리말 ····· 1", "1. 뜻 ····· 3", "2. 소리 ···· 9", "3. 글 ··· 12", "머리말"]))
    [0, 1, 2, 3, 4]
    """
    found: set[int] = set()
    run: list[int] = []
    pages: list[tuple[int, bool]] = []

    def close() -> None:
        if len(run) >= LEADS:
            first, last = run[0], run[-1]
            for above in range(first - 1, max(first - 4, -1), -1):  # the heading, if one of three lines above is one
                if _HEADING.fullmatch(texts[above].strip()):
                    first = above
                    break
            led = sum(leader for _, leader in pages)
            if (led >= LEADS or first < run[0]) and _is_rising(pages):
                while last + 1 < len(texts) and _is_rest(texts[last + 1]):
                    last += 1
                found.update(range(first, last + 1))
        run.clear()
        pages.clear()

    for at, text in enumerate(texts):
        if entry := read_entry(text):
            if run and at - run[-1] > BETWEEN + 1:
                close()
            run.append(at)
            pages.append(entry)
    close()
    return found


def remove_contents(blocks: Sequence[Block], above: str = "") -> list[Block]:
    """Return the blocks of a document without its table of contents, which may be in a table that is its frame.

    `above` is the text before the blocks, which may be the heading.
    """
    return _remove_contents(blocks, above)[0]


def _remove_contents(blocks: Sequence[Block], above: str) -> tuple[list[Block], bool]:
    """Return the blocks without contents, and whether `above` is the heading of the contents."""
    texts = [above, *(block if isinstance(block, str) else _only_text(block) for block in blocks)]
    gone = find_contents(texts)
    left: dict[int, Block] = {}
    for at, block in enumerate(blocks, 1):
        if at in gone:
            continue
        if isinstance(block, Table):
            block, headed = _search_cells(block, texts[at - 1])
            if headed:
                gone.add(at - 1)
                left.pop(at - 1, None)
        left[at] = block
    return list(left.values()), 0 in gone


def _search_cells(table: Table, above: str) -> tuple[Table, bool]:
    """Return the table without contents in its cells, and whether the text `above` it is their heading."""
    cells: dict[int, Cell] = {}
    heading = -1  # index of the cell with the text `above`; -1: before the table
    is_above = False
    for at, cell in enumerate(table.cells):
        if len(cell.blocks) >= LEADS:
            left, headed = _remove_contents(cell.blocks, above)
            cell = replace(cell, blocks=left)
            if headed:
                is_above = is_above or heading < 0
                cells.pop(heading, None)
        elif text := _only_text(Table([cell])):
            above, heading = text, at
        cells[at] = cell
    return replace(table, cells=list(cells.values())), is_above


def are_entries(texts: Sequence[str]) -> bool:
    """Whether most of the lines are entries with rising page numbers."""
    pages = [entry for text in texts if (entry := read_entry(text))]
    return len(pages) >= RISING * len(texts) and _is_rising(pages)


def read_entry(text: str) -> tuple[int, bool] | None:
    """Return the page number of an entry (0: roman), and whether a leader precedes it; None for another line.

    >>> read_entry("제1장 서론 . . . . . . . . 12")
    (12, True)
    >>> read_entry("1. 개요\\t3")
    (3, False)
    """
    tail = text[-TAIL:].translate(_INVISIBLE).rstrip()
    match = _PAGE.search(tail)
    if not match:
        return None
    before = tail[: match.start()]
    led = _is_led(before) or _is_led(tail[: match.start(1)])
    title = before.rstrip()
    tabbed = "\t" in before[len(title) :] and title[-1:] not in _DOTS
    if not led and not (tabbed and _LETTER.search(title)):
        return None
    return int(match[1]) if match[1].isascii() and match[1].isdigit() else 0, led


def _only_text(table: Table) -> str:
    """Return the text of a table of one cell with one paragraph, which is a heading in a frame; "" for others."""
    filled = [cell.blocks for cell in table.cells if cell.blocks]
    if len(filled) != 1 or len(filled[0]) != 1:
        return ""
    return filled[0][0] if isinstance(filled[0][0], str) else _only_text(filled[0][0])


def _is_led(before: str) -> bool:
    """Whether a text ends with a leader: one sign three times, with or without spaces between, or two ellipses."""
    sign = before.rstrip()[-1:]
    if not sign or (sign.isalnum() and sign not in _DOTS):
        return False
    count = before.count(sign, len(before.rstrip(f"{sign} \t\u3000\xa0")))
    return count >= 3 or (count == 2 and sign in _ELLIPSES)


def _is_rest(text: str) -> bool:
    """Whether a line is a leader or page number that went to a line of its own."""
    return len(text) < TAIL and not _LETTER.search(text) and any(char in _DOTS or char.isdigit() for char in text)


def _is_rising(pages: list[tuple[int, bool]]) -> bool:
    numbers = [number for number, _ in pages if number]
    rises = sum(one <= two for one, two in pairwise(numbers))
    return rises >= RISING * (len(numbers) - 1)
