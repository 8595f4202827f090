"""Join the lines of a PDF to paragraphs: find paragraph ends, and choose the characters between joined lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from crawlers.formats.pdf.footnotes import MARK, split_notes
from crawlers.formats.pdf.line_joining import Joint, learn
from crawlers.formats.pdf.pdf_blocks import write_blocks
from crawlers.formats.pdf.pdf_lines import Line, ems, has_code_font

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


@dataclass(slots=True)
class _Column:
    """Layout around a line: the column it is in."""

    margin: float  # right end of full lines, points
    em: float  # width of a syllable of this line, points
    even: bool = False  # lines of this size are justified: a line that ends before the margin is the last


def text(lines: Sequence[Line]) -> str:
    """Return the text of the lines: one paragraph a line, tables as rows, code fenced, notes after their paragraph."""
    if not lines:
        return ""
    body, notes = split_notes(lines)
    lines = [*body, *notes]
    code = _find_code(lines)
    columns = _columns(lines)
    pitch = _pitches(lines)
    first = True
    joined: list[bool] = []
    for at in range(len(lines) - 1):
        if code[at] or code[at + 1]:
            stays = False
        elif at + 1 >= len(body):
            stays = at >= len(body) and lines[at].page == lines[at + 1].page and not MARK.match(lines[at + 1].text)
        else:
            stays = _is_same_paragraph(lines, at, columns, pitch, first=first)
        joined.append(stays)
        first = not stays
    paragraphs = _join_lines(lines, joined, columns)
    ordered = sorted(paragraphs, key=lambda one: (lines[one[1]].page, one[1] >= len(body)))
    return "\n".join(write_blocks(ordered, lines, code))


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
    places = [at for at, stays in enumerate(joined) if stays]
    room = _usual_room(lines, columns, places)
    joints = [_joint(lines[at], lines[at + 1], columns[at], room) for at in places]
    habit = learn(joints, (line.text for line in lines))
    spaces = dict(zip(places, habit.spaces, strict=True))
    words = {word for line in lines for word in line.text.split()[:-1]} if any(line.hyphen for line in lines) else set()
    found: list[tuple[str, int]] = []
    parts, first = [lines[0].text], 0
    for at, stays in enumerate(joined):
        one, two = lines[at], lines[at + 1]
        if not stays or (habit.within and _ends_early(one, two, columns[at], room)):
            found.append(("".join([*parts, "-" * one.hyphen]), first))
            parts, first = [], at + 1
        elif one.hyphen:
            parts.append(_hyphen(one.text, two.text, words))
        elif spaces[at]:
            parts.append(" ")
        parts.append(two.text)
    return [*found, ("".join([*parts, "-" * lines[-1].hyphen]), first)]


def _usual_room(lines: Sequence[Line], columns: list[_Column], places: list[int]) -> float:
    """Return the free space (em) that a line inside a paragraph may have, learned from lines with less than three."""
    rooms = [(columns[at].margin - lines[at].right) / columns[at].em for at in places]
    near = [room for room in rooms if 0 <= room < 3]
    return min(max(ROOM, _quantile(near, FULL) + BRACKET), MOST_ROOM) if near else ROOM


def _joint(one: Line, two: Line, column: _Column, room: float) -> Joint:
    short = column.margin - one.right > room * column.em
    return Joint(one.text.split()[-1], two.text.split()[0], spaced=one.spaced, short=short)


def _hyphen(left: str, right: str, words: set[str]) -> str:
    """Return the text for a hyphen at a line end: "" inside a Latin word that is not written with it elsewhere."""
    before, after = left.split()[-1], right.split()[0]
    if left.endswith(" "):
        return "- "
    if f"{before}-{after}" in words or not (_LETTER.match(before[-1]) and after[0].islower() and _LETTER.match(after)):
        return "-"
    return ""


def _is_same_paragraph(
    lines: Sequence[Line], at: int, columns: list[_Column], pitch: dict[int, float], *, first: bool
) -> bool:
    """Whether the next line belongs to the same paragraph; `first`: this line begins the paragraph."""
    one, two, column = lines[at], lines[at + 1], columns[at]
    if one.cell or two.cell:
        return one.cell == two.cell
    if _LEADER.search(one.text[-TAIL:]) or _is_row(one, column) or _is_row(two, columns[at + 1]):
        return False
    if _MARKER.match(two.text) or abs(one.size - two.size) > SIZES * max(one.size, two.size):
        return False
    full = _is_full(lines, at, column)
    if _NUMBER.match(two.text) and (not full or _END.search(one.text[-TAIL:])):
        return False
    if not full and _has_room_for(one, two.text.split()[0], column):
        return False
    drop = one.base - two.base
    if one.page != two.page or drop < -one.size / 2:
        return True  # another page or column: heights and indents are not comparable
    if abs(drop) < one.size / 2:
        return 0 < two.left - one.right < 3 * column.em
    return drop <= GAP * pitch.get(round(one.size), drop) and _is_indent_fitting(one, two, column, first)


def _is_indent_fitting(one: Line, two: Line, column: _Column, first: bool) -> bool:
    shift = (two.left - one.left) / column.em
    if shift > INDENT:
        marked = _MARKER.match(one.text) or _NUMBER.match(one.text)
        return first and bool(marked) and shift <= HANGING
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


def _ends_early(one: Line, two: Line, column: _Column, room: float) -> bool:
    """Whether another syllable, or the following Latin word, would have fit; for lines that break inside words."""
    unit = _UNIT.match(two.text)
    return column.margin - one.right > room * column.em and _has_room_for(one, unit.group() if unit else "", column)


def _is_row(line: Line, column: _Column) -> bool:
    return line.right - line.left > WIDE * column.em * ems(line.text)


def _columns(lines: Sequence[Line]) -> list[_Column]:
    by_page: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if not line.cell:
            by_page[line.page].append(line)
    sizes = _em_sizes(lines)
    whole = _quantile([line.right for line in lines if not line.cell] or [0.0], FULL)
    pads = _paddings(lines)
    margins: dict[int, tuple[float, float, float]] = {}  # page → middle, margin left of it, margin of the rest
    for page, there in by_page.items():
        margins[page] = _margins(there, whole)
    found = []
    near: dict[int, list[bool]] = defaultdict(list)
    for line in lines:
        size = round(line.size)
        em = sizes.get(size, max(line.size, 1.0))
        if line.cell:
            found.append(_Column(line.cell.right - min(pads[line.cell.table, line.cell.column], em), em))
            continue
        middle, left, right = margins[line.page]
        column = _Column(left if line.right <= middle else right, em)
        near[size].append(column.margin - line.right <= EVEN * column.em)
        found.append(column)
    for line, column in zip(lines, found, strict=True):
        ends = [] if line.cell else near[round(line.size)]
        column.even = len(ends) >= FEW and sum(ends) >= EVEN_SHARE * len(ends)
    return found


def _paddings(lines: Sequence[Line]) -> dict[tuple[tuple[int, int], int], float]:
    """Return the least distance of text from the left edge of its cells, for each column of each table."""
    found: dict[tuple[tuple[int, int], int], float] = {}
    for line in lines:
        if line.cell:
            key = line.cell.table, line.cell.column
            found[key] = min(max(line.left - line.cell.left, 0.0), found.get(key, float("inf")))
    return found


def _margins(lines: Sequence[Line], whole: float) -> tuple[float, float, float]:
    lefts, rights = min(line.left for line in lines), _quantile([line.right for line in lines], FULL)
    middle = (lefts + rights) / 2
    west = [line for line in lines if line.right <= middle + 5]
    east = [line for line in lines if line.left >= middle - 5]
    if len(lines) >= 8 and min(len(west), len(east)) >= COLUMN * len(lines):
        return middle + 5, _quantile([line.right for line in west], FULL), rights
    return float("-inf"), 0.0, max(rights, whole)


def _em_sizes(lines: Sequence[Line]) -> dict[int, float]:
    """Return the width of a syllable by rounded size: median of width per character over lines, non-Hangul as half."""
    seen: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        width = ems(line.text)
        if width >= 8 and line.right > line.left:
            seen[round(line.size)].append((line.right - line.left) / width)
    return {size: max(float(median(widths)), 1.0) for size, widths in seen.items()}


def _pitches(lines: Sequence[Line]) -> dict[int, float]:
    """Return the usual distance between lines by rounded size, in points."""
    seen: dict[int, list[float]] = defaultdict(list)
    for one, two in pairwise(lines):
        drop = one.base - two.base
        if (
            one.page == two.page
            and not one.cell
            and one.size / 2 < drop < 4 * one.size
            and round(one.size) == round(two.size)
        ):
            seen[round(one.size)].append(drop)
    return {
        size: float(median(drops)) if len(drops) >= FEW else min(float(median(drops)), LOOSE * size)
        for size, drops in seen.items()
    }


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
