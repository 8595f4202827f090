"""Blocks of a document without its layout (paragraphs and tables), and their rendering as lines of text.

The readers of all four Hancom formats (HWP 5, HWPX, HWPML, HWP 3) and of DOCX make these blocks; this file makes text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from crawlers.formats import private_use
from crawlers.formats.markdown_table import write_rows
from crawlers.formats.unreadable import Unreadable

MAX_DEPTH = 48  # nested lists: cells in cells, boxes in notes
MAX_TEXT = 16_000_000  # code points; text of tables counts once per level; a page has about 1,500

# Codes U+F020–F0FF are the characters of a symbol font (Wingdings, Symbol) by number. The font is not known
# here, so all bullets become one; numbers, arrows and ticks are read as Wingdings; other pictograms are removed.
_BULLETS = (
    *range(0xF06C, 0xF080),
    *(0xF09E, 0xF09F, 0xF0A0, 0xF0A1, 0xF0A2, 0xF0A4, 0xF0A5, 0xF0A6, 0xF0A7, 0xF0A8, 0xF0AA, 0xF0AB, 0xF0B2, 0xF0B7),
    *range(0xF0D8, 0xF0E9),
    *(0xF0F0, 0xF0FB, 0xF0FC, 0xF0FD, 0xF0FE),
)
_SPACES = re.compile(r"\s{2,}|[^\S ]")  # single spaces are kept
_EMPTY_NOTE = re.compile(r"\W{0,10}\d{0,5}\W{0,10}")
_CONTROL = dict.fromkeys((*range(9), *range(0xB, 0x20), *range(0x7F, 0xA0), 0x200B, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF))
_CONTROL[0x0B] = _CONTROL[0x0C] = " "
_CONTROL[0x85] = _CONTROL[0x2028] = _CONTROL[0x2029] = "\n"
_LETTERS: dict[int, str | None] = {
    **_CONTROL,
    **dict.fromkeys(range(0xF020, 0xF100)),
    **dict.fromkeys(_BULLETS, "•"),
    **private_use.WINGDINGS,
    **private_use.LETTERS,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; a merged cell has the position of its first row and column."""

    row: int
    column: int
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption."""

    cells: Sequence[Cell]
    caption: Sequence[Block] = ()


Block: TypeAlias = "str | Table"  # a paragraph, or a table


@dataclass(slots=True)
class Paragraph:
    """A paragraph under construction: its words, and the blocks attached to it (tables, boxes, notes).

    Attached blocks precede the words if no word came before them, else they follow: never inside a sentence.
    """

    head: str = ""  # its number or bullet, as printed
    words: list[str] = field(default_factory=list)
    before: list[Block] = field(default_factory=list)
    behind: list[Block] = field(default_factory=list)

    def hang(self, blocks: Iterable[Block]) -> None:
        """Attach blocks to the paragraph."""
        (self.behind if any(map(str.strip, self.words)) else self.before).extend(blocks)

    def note(self, blocks: Iterable[Block]) -> None:
        """Attach a footnote or endnote after the words, wherever its mark was; skip a note that is only a number."""
        found = list(blocks)
        if len(found) != 1 or not isinstance(found[0], str) or not _EMPTY_NOTE.fullmatch(found[0]):
            self.behind.extend(found)

    def blocks(self) -> list[Block]:
        """Return all blocks of the paragraph, in order."""
        text = "".join(self.words)
        own = (self.head + text,) if text and not text.isspace() else ()
        return [*self.before, *own, *self.behind]


def next_depth(depth: int) -> int:
    """Return `depth` + 1. Raises Unreadable `damaged` below MAX_DEPTH: no human-made document nests so deep."""
    if depth >= MAX_DEPTH:
        raise Unreadable("damaged")
    return depth + 1


def text_of(blocks: Iterable[Block]) -> str:
    """Return the text of a document, one paragraph or table row a line. Raises Unreadable: `no-text`, `too-large`.

    >>> print(text_of(["\\uf06c 말모이", Table([Cell(0, 0, ["낱말"]), Cell(0, 1, ["뜻"]), Cell(1, 0, ["말"])])]))
    • 말모이
    | 낱말 | 뜻 |
    | --- | --- |
    | 말 | |
    """
    text = "\n".join(_Writer().lines(blocks))
    if not text:
        raise Unreadable("no-text")
    return text


def count_cells(blocks: Iterable[Block]) -> tuple[int, int]:
    """Return the number of cells of all tables, nested ones included, and of those without words.

    >>> count_cells([Table([Cell(0, 0, ["이름"]), Cell(0, 1, [" "]), Cell(1, 0, []), Cell(1, 1, [Table([])])])])
    (4, 2)
    """
    cells = blank = 0
    waiting = list(blocks)
    while waiting:
        block = waiting.pop()
        if isinstance(block, Table):
            cells += len(block.cells)
            blank += sum(not any(isinstance(b, Table) or b.strip() for b in cell.blocks) for cell in block.cells)
            waiting += (inner for cell in block.cells for inner in cell.blocks)
    return cells, blank


@dataclass(frozen=True, slots=True)
class _Written:
    """A rendered cell. Each cell is rendered once: cells nest, and rendering twice per level would take 2**48 steps."""

    cell: Cell
    lines: list[str]  # all lines
    words: str  # its paragraphs, joined in one line
    tables: list[str]  # lines of nested tables, which are written below the table


class _Writer:
    """Render blocks as lines, at most MAX_TEXT code points."""

    def __init__(self) -> None:
        self._left = MAX_TEXT

    def _spend(self, text: str) -> str:
        self._left -= len(text)
        if self._left < 0:
            raise Unreadable("too-large")
        return text

    def lines(self, blocks: Iterable[Block]) -> Iterator[str]:
        """Yield the lines of blocks, without empty ones."""
        for block in blocks:
            if isinstance(block, Table):
                yield from self._table(block)
                continue
            for raw in self._spend(block).translate(_LETTERS).split("\n"):
                if line := _SPACES.sub(" ", raw).strip():
                    yield line

    def _table(self, table: Table) -> Iterator[str]:
        """Yield a table as in Markdown; one in which no row has two filled cells is layout: yield its paragraphs."""
        yield from self.lines(table.caption)
        rows: dict[int, list[_Written]] = {}
        for cell in sorted(table.cells, key=lambda cell: (cell.row, cell.column)):
            rows.setdefault(cell.row, []).append(self._write_cell(cell))
        if any(sum(bool(cell.lines) for cell in row) > 1 for row in rows.values()):
            yield from self._rows(rows)
            return
        for row in rows.values():
            for written in row:
                yield from written.lines

    def _write_cell(self, cell: Cell) -> _Written:
        found: list[str] = []
        words: list[str] = []
        tables: list[str] = []
        for block in cell.blocks:
            lines = list(self.lines((block,)))
            found += lines
            (tables if isinstance(block, Table) and lines and lines[0].startswith("| ") else words).extend(lines)
        return _Written(cell, found, self._spend(" ".join(words)), tables)

    def _rows(self, rows: dict[int, list[_Written]]) -> Iterator[str]:
        """Yield a Markdown table, then the tables in its cells; a merged cell has its words in its first place only."""
        grid = [{written.cell.column: written.words for written in row} for row in rows.values()]
        for line in write_rows(grid):
            yield self._spend(line)
        for row in rows.values():
            for written in row:
                yield from written.tables
