"""Write the paragraphs of a PDF as text: tables as rows, code between fences with its indents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from statistics import median

from crawlers.formats import blocks
from crawlers.formats.blocks import Block, Table, text_of
from crawlers.formats.pdf.pdf_lines import Cell, Line, ems

FENCE = "```"
MOST_INDENT = 40  # spaces before a line of code


def write_blocks(paragraphs: list[tuple[str, int]], lines: Sequence[Line], code: list[bool]) -> Iterator[str]:
    """Yield paragraphs, tables and code; a paragraph comes with the index of its first line."""

    def kind(paragraph: tuple[str, int]) -> tuple[bool, tuple[int, int] | None]:
        cell = lines[paragraph[1]].cell
        return code[paragraph[1]], cell.table if cell else None

    for (fenced, table), group in groupby(paragraphs, key=kind):
        if table:
            yield _write_table((words, lines[at]) for words, at in group)
        elif fenced:
            yield from (FENCE, *_indent([lines[at] for _, at in group]), FENCE)
        else:
            yield from (words for words, _ in group)


def _write_table(paragraphs: Iterable[tuple[str, Line]]) -> str:
    cells: dict[Cell, list[Block]] = defaultdict(list)
    for words, line in paragraphs:
        if line.cell:
            cells[line.cell].append(words)
    return text_of([Table([blocks.Cell(cell.row, cell.column, found) for cell, found in cells.items()])])


def _indent(lines: Sequence[Line]) -> Iterator[str]:
    """Yield lines of code with the spaces that their distance from the left edge makes."""
    edge = min(line.left for line in lines)
    width = median((line.right - line.left) / (2 * ems(line.text)) for line in lines)
    for line in lines:
        yield " " * min(round((line.left - edge) / max(width, 1.0)), MOST_INDENT) + line.text + "-" * line.hyphen
