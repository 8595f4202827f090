"""Join the lines of a PDF to paragraphs: find paragraph ends, and choose the characters between joined lines.

Footnotes follow the text of their page, tables are written as rows, code between fences with its indents.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from crawlers.formats import blocks
from crawlers.formats.blocks import Block, Table, text_of
from crawlers.formats.pdf.line_joining import Joint, learn
from crawlers.formats.pdf.pdf_lines import Cell, Line, ems, has_code_font

FULL = 0.9  # quantile of the right ends that is used as the margin
ROOM, MOST_ROOM = 1.3, 2.5  # em: with more free space than this, another syllable would have fit on the line
BRACKET = 0.5  # em added to the usual free space: a bracket or stop may not begin a line, and takes a syllable along
EVEN, EVEN_SHARE = 0.3, 0.6  # lines that end so near the margin, in em; and their share in justified text
INDENT = 0.6  # em by which a line begins further in, or out, than the one before
HANGING = 4.0  # em by which the lines below a list marker may be indented
GAP = 1.35  # line pitches; a larger distance between two lines ends a paragraph
FEW = 8  # distances; with fewer, the usual one is unknown …
LOOSE = 2.0  # … and the maximum is so many font sizes
SIZES = 0.15  # share by which the sizes of two lines may differ within a paragraph
WIDE = 1.35  # a line that is so much wider than its characters has gaps: a table row
TAIL = 40  # code points at the end of a line that are inspected
SAME = 1.5  # points; ends that differ by less share a margin
COLUMN = 0.25  # share of the lines of a page that lie in its left half and in its right half, for two columns
_MARKER = re.compile(r"(?:[○●◎◦◯□■▪▫◆◇◈▶▷►▸△▲▽▼☞☆★※•∙⦁‣❍❏❑➢➤✓✔◉\uf000-\uf0ff]|[-–—*·ㆍ]\s|[①-⑳㉠-㉻㈀-㈜⑴-⒇])")
_NUMBER = re.compile(
    r"(?:[가나다라마바사아자차카타파하][.)]\s|\(?\d{1,2}\)\s?|\d{1,2}\.\s|\([가나다라마바사아자차카타파하]\)|\d{1,2}(?:\.\d{1,2}){1,4}\.?\s"
    r"|제\s?\d{1,4}\s?[장절편관]\s|제\s?\d{1,4}조(?:의\s?\d{1,3})?\s?\(|[Ⅰ-ⅫI]{1,4}\.\s|[A-Z]\.\s|[\[<【〈](?=[^\]>】〉]{1,40}[\]>】〉]))"
)
_END = re.compile(r"(?:[.!?:;。…]|다음|[음함임됨것])[\"'”’」』)\]]{0,3}$")
_LEADER = re.compile(r"(?:[.·…‥]\s?){4,}\s?[\divxIVX]{0,6}$")
_UNIT = re.compile(r"[0-9A-Za-z][^\s\uac00-\ud7a3]{0,80}|.")
_LETTER = re.compile(r"[A-Za-z]")
FENCE = "```"
MOST_INDENT = 40  # spaces before a line of code
SMALL = 0.93  # share of the usual size of text; notes are smaller than that
RAISED = 0.7  # share of the usual size; a mark on a line of its own, which pdfium makes of a raised number, is smaller
MARK = re.compile(r"\(?(?:\d{1,3}|[*†‡]{1,3}|[①-⑳]|주\s?\d{0,2}\s?[):.])[).]?\s?(?=\D)")
_BARE = re.compile(r"\(?(?:\d{1,3}|[*†‡]{1,3})\)?")


@dataclass(slots=True)
class _Column:
    """Layout around a line: the column it is in."""

    margin: float  # right end of full lines, points
    em: float  # width of a syllable of this line, points
    even: bool = False  # lines of this size are justified: a line that ends before the margin is the last


def text(lines: Sequence[Line]) -> str:
    """Return the text of the lines: one paragraph a line, tables as rows, code fenced, notes after their page."""
    if not lines:
        return ""
    body, notes = _split_notes(lines)
    lines = [*body, *notes]
    code = _find_code(lines)
    columns = _find_columns(lines)
    pitch = _find_pitches(lines)
    first = True
    joined: list[bool] = []
    for index in range(len(lines) - 1):
        one, two = lines[index], lines[index + 1]
        if code[index] or code[index + 1]:
            stays = False
        elif index + 1 >= len(body):
            stays = index >= len(body) and one.page == two.page and not MARK.match(two.text)
        else:
            stays = _is_same_paragraph(lines, index, columns, pitch, first=first)
        joined.append(stays)
        first = not stays
    paragraphs = _join_lines(lines, joined, columns)
    ordered = sorted(paragraphs, key=lambda paragraph: (lines[paragraph[1]].page, paragraph[1] >= len(body)))
    return "\n".join(_write_blocks(ordered, lines, code))


def _split_notes(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return the lines of the text and those of the footnotes, each in order, without bare note marks.

    Notes are small lines at the foot of a page, from one that begins with a mark, below all usual lines over them.
    """
    usual = _find_usual_size(lines)
    by_page: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.size >= RAISED * usual or line.cell or not _BARE.fullmatch(line.text):
            by_page[line.page].append(line)
    limit = SMALL * usual
    body: list[Line] = []
    notes: list[Line] = []
    for page in by_page.values():
        start = len(page)
        while start and page[start - 1].size < limit and not page[start - 1].cell and not page[start - 1].fixed:
            start -= 1
        while start < len(page) and not MARK.match(page[start].text):
            start += 1
        if 0 < start < len(page):
            top, first = max(line.base for line in page[start:]), page[start]
            over = [line for line in page if line.size >= limit and line.left < first.right and first.left < line.right]
            if not over or any(line.base <= top for line in over):
                start = len(page)
        else:
            start = len(page)
        body += page[:start]
        notes += page[start:]
    return body, notes


def _find_usual_size(lines: Sequence[Line]) -> float:
    """Return the size that most of the text has, in points."""
    weights: dict[float, int] = defaultdict(int)
    for line in lines:
        if not line.cell and not line.fixed:
            weights[round(line.size, 1)] += len(line.text)
    half, seen = sum(weights.values()) / 2, 0
    for size in sorted(weights):
        seen += weights[size]
        if seen >= half:
            return size
    return 0.0


def _find_code(lines: Sequence[Line]) -> list[bool]:
    """Return which lines are code: two or more below each other in a font of one width, which is not the usual one."""
    fixed = [line.fixed and line.cell is None for line in lines]
    if not has_code_font(lines):
        return [False] * len(lines)
    for at in range(1, len(lines) - 1):  # a comment in Hangul, which another font writes
        fixed[at] = fixed[at] or (lines[at].opens_fixed and fixed[at - 1] and fixed[at + 1] and not lines[at].cell)
    near = zip([False, *fixed[:-1]], fixed, [*fixed[1:], False], strict=True)
    return [one and (before or after) for before, one, after in near]


def _join_lines(lines: Sequence[Line], joined: list[bool], columns: list[_Column]) -> list[tuple[str, int]]:
    """Return the paragraphs, each with the index of its first line."""
    places = [index for index, stays in enumerate(joined) if stays]
    # The free space (em) that a line inside a paragraph may have, learned from lines with less than three.
    rooms = [(columns[place].margin - lines[place].right) / columns[place].em for place in places]
    near = [room for room in rooms if 0 <= room < 3]
    usual = min(max(ROOM, _quantile(near, FULL) + BRACKET), MOST_ROOM) if near else ROOM
    joints = [
        Joint(
            lines[place].text.split()[-1],
            lines[place + 1].text.split()[0],
            spaced=lines[place].spaced,
            short=_is_short(lines[place], columns[place], usual),
        )
        for place in places
    ]
    habit = learn(joints, (line.text for line in lines))
    spaces = dict(zip(places, habit.spaces, strict=True))
    words = {word for line in lines for word in line.text.split()[:-1]} if any(line.hyphen for line in lines) else set()
    paragraphs: list[tuple[str, int]] = []
    parts, first = [lines[0].text], 0
    for index, stays in enumerate(joined):
        one, two, column = lines[index], lines[index + 1], columns[index]
        if stays and habit.within and _is_short(one, column, usual):
            # In a document that breaks inside words, the next syllable or Latin word would have fit.
            unit = _UNIT.match(two.text)
            stays = not _has_room_for(one, unit.group() if unit else "", column)
        if not stays:
            paragraphs.append(("".join([*parts, "-" * one.hyphen]), first))
            parts, first = [], index + 1
        elif one.hyphen:
            parts.append(_write_hyphen(one.text, two.text, words))
        elif spaces[index]:
            parts.append(" ")
        parts.append(two.text)
    return [*paragraphs, ("".join([*parts, "-" * lines[-1].hyphen]), first)]


def _is_short(line: Line, column: _Column, room: float) -> bool:
    return column.margin - line.right > room * column.em


def _write_hyphen(left: str, right: str, words: set[str]) -> str:
    """Return the text for a hyphen at a line end: "" inside a Latin word that is not written with it elsewhere."""
    before, after = left.split()[-1], right.split()[0]
    if left.endswith(" "):
        return "- "
    if f"{before}-{after}" in words or not (_LETTER.match(before[-1]) and after[0].islower() and _LETTER.match(after)):
        return "-"
    return ""


def _is_same_paragraph(
    lines: Sequence[Line], index: int, columns: list[_Column], pitch: dict[int, float], *, first: bool
) -> bool:
    """Whether the next line belongs to the same paragraph; `first`: this line begins the paragraph."""
    one, two, column = lines[index], lines[index + 1], columns[index]
    if one.cell or two.cell:
        return one.cell == two.cell
    if _LEADER.search(one.text[-TAIL:]) or _is_row(one, column) or _is_row(two, columns[index + 1]):
        return False
    if _MARKER.match(two.text) or abs(one.size - two.size) > SIZES * max(one.size, two.size):
        return False
    full = _is_full(lines, index, column)
    if _NUMBER.match(two.text) and (not full or _END.search(one.text[-TAIL:])):
        return False
    if not full and _has_room_for(one, two.text.split()[0], column):
        return False
    drop = one.base - two.base
    if one.page != two.page or drop < -one.size / 2:
        return True  # another page or column: heights and indents are not comparable
    if abs(drop) < one.size / 2:
        return 0 < two.left - one.right < 3 * column.em
    if drop > GAP * pitch.get(round(one.size), drop):
        return False
    shift = (two.left - one.left) / column.em
    if shift > INDENT:
        return first and shift <= HANGING and bool(_MARKER.match(one.text) or _NUMBER.match(one.text))
    return shift >= -INDENT or first


def _is_full(lines: Sequence[Line], at: int, column: _Column) -> bool:
    """Whether a line reaches the margin of its column, or the one that adjacent lines share."""
    one = lines[at]
    if column.margin - one.right <= SAME:
        return True
    beside = [lines[near] for near in (at - 1, at + 1) if 0 <= near < len(lines) and lines[near].page == one.page]
    long = one.right - one.left > 12 * column.em
    return long and any(abs(other.right - one.right) <= SAME for other in beside)


def _has_room_for(one: Line, word: str, column: _Column) -> bool:
    """Whether the word would have fit on the line."""
    room = column.margin - one.right
    return room > column.em * (ems(word) + 0.6) or (column.even and room > 2 * EVEN * column.em)


def _is_row(line: Line, column: _Column) -> bool:
    return line.right - line.left > WIDE * column.em * ems(line.text)


def _find_columns(lines: Sequence[Line]) -> list[_Column]:
    outside = [line for line in lines if not line.cell]
    whole = _quantile([line.right for line in outside] or [0.0], FULL)
    by_page: dict[int, list[Line]] = defaultdict(list)
    for line in outside:
        by_page[line.page].append(line)
    margins = {page: _find_margins(there, whole) for page, there in by_page.items()}
    widths: dict[int, list[float]] = defaultdict(list)  # rounded size → width of a syllable in each line
    pads: dict[tuple[tuple[int, int], int], float] = {}  # column of a table → least distance of text from its left edge
    for line in lines:
        width = ems(line.text)
        if width >= 8 and line.right > line.left:
            widths[round(line.size)].append((line.right - line.left) / width)
        if line.cell:
            key = line.cell.table, line.cell.column
            pads[key] = min(max(line.left - line.cell.left, 0.0), pads.get(key, float("inf")))
    sizes = {size: max(float(median(seen)), 1.0) for size, seen in widths.items()}
    columns = []
    near: dict[int, list[bool]] = defaultdict(list)
    for line in lines:
        size = round(line.size)
        em = sizes.get(size, max(line.size, 1.0))
        if line.cell:
            columns.append(_Column(line.cell.right - min(pads[line.cell.table, line.cell.column], em), em))
            continue
        middle, left, right = margins[line.page]
        column = _Column(left if line.right <= middle else right, em)
        near[size].append(column.margin - line.right <= EVEN * column.em)
        columns.append(column)
    for line, column in zip(lines, columns, strict=True):
        ends = [] if line.cell else near[round(line.size)]
        column.even = len(ends) >= FEW and sum(ends) >= EVEN_SHARE * len(ends)
    return columns


def _find_margins(lines: Sequence[Line], whole: float) -> tuple[float, float, float]:
    """Return the middle of a page, the margin left of it, and the margin of the rest."""
    lefts, rights = min(line.left for line in lines), _quantile([line.right for line in lines], FULL)
    middle = (lefts + rights) / 2
    west = [line for line in lines if line.right <= middle + 5]
    east = [line for line in lines if line.left >= middle - 5]
    if len(lines) >= 8 and min(len(west), len(east)) >= COLUMN * len(lines):
        return middle + 5, _quantile([line.right for line in west], FULL), rights
    return float("-inf"), 0.0, max(rights, whole)


def _find_pitches(lines: Sequence[Line]) -> dict[int, float]:
    """Return the usual distance between lines by rounded size, in points."""
    seen: dict[int, list[float]] = defaultdict(list)
    for one, two in pairwise(lines):
        drop = one.base - two.base
        size = round(one.size)
        if one.page == two.page and not one.cell and one.size / 2 < drop < 4 * one.size and size == round(two.size):
            seen[size].append(drop)
    return {
        size: float(median(drops)) if len(drops) >= FEW else min(float(median(drops)), LOOSE * size)
        for size, drops in seen.items()
    }


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _write_blocks(paragraphs: list[tuple[str, int]], lines: Sequence[Line], code: list[bool]) -> Iterator[str]:
    """Yield paragraphs, tables and code; a paragraph comes with the index of its first line."""

    def kind(paragraph: tuple[str, int]) -> tuple[bool, tuple[int, int] | None]:
        cell = lines[paragraph[1]].cell
        return code[paragraph[1]], cell.table if cell else None

    for (fenced, table), group in groupby(paragraphs, key=kind):
        if table:
            cells: dict[Cell, list[Block]] = defaultdict(list)
            for words, index in group:
                if cell := lines[index].cell:
                    cells[cell].append(words)
            yield text_of([Table([blocks.Cell(cell.row, cell.column, inside) for cell, inside in cells.items()])])
        elif fenced:
            rows = [lines[index] for _, index in group]
            edge = min(line.left for line in rows)
            width = median((line.right - line.left) / (2 * ems(line.text)) for line in rows)
            yield FENCE
            for line in rows:
                indent = min(round((line.left - edge) / max(width, 1.0)), MOST_INDENT)
                yield " " * indent + line.text + "-" * line.hyphen
            yield FENCE
        else:
            yield from (words for words, _ in group)
