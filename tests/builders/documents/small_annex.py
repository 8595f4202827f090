"""Annexes of tests/data/formats/annexes.toml as HWP, HWPX and PDF, and the words that each must give."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.documents import small_hwp, small_pdf

FILE = Path(__file__).parents[2] / "data" / "formats" / "annexes.toml"
# Hancom's own codes of these signs (crawlers/formats/private_use.py); a writer of Hancom stores them so.
HANCOM = str.maketrans("①②《》□", "\U000f02b1\U000f02b2\U000f0854\U000f0855\U000f03c5")
_PART = re.compile(r"\[\^([^\]]+)\]|\$([^$]+)\$|\{(\w+)\}")
_LEFT, _TOP, _WIDTH, _SIZE, _PITCH, _PAGE_END = 60.0, 780.0, 470.0, 9.0, 13.0, 70.0


@dataclass(frozen=True)
class Cell:
    """A cell with the number of rows and columns that it covers."""

    row: int
    column: int
    text: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Annex:
    """A document of the file: its blocks are paragraphs and tables."""

    name: str
    form: bool
    part: str
    field: str
    blocks: list[str | list[Cell]]
    nested: dict[str, list[Cell]] = field(default_factory=dict)

    def units(self) -> list[str]:
        """Return the paragraphs, cells, notes and equations, each without marks, in document order."""
        return [unit for block in self.blocks for text in _texts(block) for unit in self._unit(text)]

    def _unit(self, text: str) -> list[str]:
        found = [_PART.sub(lambda part: f" {part[2]} " if part[2] else "", text)]
        for part in _PART.finditer(text):
            if part[1]:
                found.append(part[1])
            elif part[3]:
                found += [cell.text for cell in self.nested[part[3]]]
        return [unit.strip() for unit in found if unit.strip()]


def load(part: str = "") -> list[Annex]:
    """Return the documents of the file, or those of one part."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))["document"]
    return [
        Annex(
            one["name"],
            one["form"],
            one["part"],
            one["field"],
            read_blocks(one["text"]),
            {name: _table(rows.strip().split("\n")) for name, rows in one.get("nested", {}).items()},
        )
        for one in found
        if part in ("", one["part"])
    ]


def read_blocks(text: str) -> list[str | list[Cell]]:
    """Return the paragraphs and tables of a text with marks."""
    blocks: list[str | list[Cell]] = []
    rows: list[str] = []
    for line in (*text.strip().split("\n"), ""):
        if line.startswith("|"):
            rows.append(line)
            continue
        if rows:
            blocks.append(_table(rows))
            rows = []
        if line.strip():
            blocks.append(line)
    return blocks


def missing_units(annex: Annex, text: str) -> list[str]:
    """Return the units that an extracted text does not hold whole; white space and bars of tables do not count."""
    left, lost = _plain(text), []
    for unit in sorted(annex.units(), key=lambda unit: -len(_plain(unit))):
        plain = _plain(unit)
        if plain in left:
            left = left.replace(plain, "\0", 1)
        elif plain:
            lost.append(unit)
    return lost


def share_recovered(annex: Annex, text: str) -> tuple[int, int]:
    """Return the characters of the units that a text holds whole, and of all units."""
    whole = sum(len(_plain(unit)) for unit in annex.units())
    return whole - sum(len(_plain(unit)) for unit in missing_units(annex, text)), whole


def hwp(annex: Annex) -> bytes:
    """The annex as HWP 5."""
    return small_hwp.hwp(b"".join(_hwp_block(annex, block) for block in annex.blocks))


def hwpx(annex: Annex) -> bytes:
    """The annex as HWPX."""
    return small_hwp.hwpx("".join(_owpml_block(annex, block) for block in annex.blocks))


def pdf(annex: Annex) -> bytes:
    """The annex as PDF: lines wrapped by width, cells with borders, pages broken between rows, notes in brackets."""
    page = _Pages()
    for block in annex.blocks:
        if isinstance(block, list):
            page.table(block, annex)
        else:
            page.paragraph(_print(annex, block))
    return small_pdf.pdf(page.pages)


WRITERS = {"hwp": hwp, "hwpx": hwpx, "pdf": pdf}


def _plain(text: str) -> str:
    return re.sub(r"[\s|]|-{3,}", "", text.replace("\\|", "|"))


def _texts(block: str | list[Cell]) -> list[str]:
    return [block] if isinstance(block, str) else [cell.text for cell in block]


def _table(lines: list[str]) -> list[Cell]:
    grid = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    found = []
    for row, cells in enumerate(grid):
        for column, text in enumerate(cells):
            if text in ("^", "<"):
                continue
            columns = 1
            while column + columns < len(cells) and cells[column + columns] == "<":
                columns += 1
            rows = 1
            while row + rows < len(grid) and grid[row + rows][column] == "^":
                rows += 1
            found.append(Cell(row, column, text, rows, columns))
    return found


def _hwp_block(annex: Annex, block: str | list[Cell], level: int = 0) -> bytes:
    if isinstance(block, str):
        return _hwp_paragraph(annex, block, level)
    return small_hwp.paragraph(small_hwp.control(11, "tbl "), _hwp_table(annex, block, level + 1), level=level)


def _hwp_table(annex: Annex, cells: list[Cell], level: int) -> bytes:
    inner = [
        (cell.row, cell.column, cell.rows, cell.columns, _hwp_paragraph(annex, cell.text, level + 1)) for cell in cells
    ]
    return small_hwp.table(inner, level=level)


def _hwp_paragraph(annex: Annex, text: str, level: int) -> bytes:
    words, parts, at = "", [], 0
    for part in _PART.finditer(text):
        words += text[at : part.start()]
        at = part.end()
        if part[1]:
            words += small_hwp.control(17, "fn  ")
            inner = small_hwp.paragraph(part[1].translate(HANCOM), level=level + 2)
            parts.append(small_hwp.with_list("fn  ", inner, level=level + 1))
        elif part[2]:
            words += small_hwp.control(11, "eqed")
            script = small_hwp.record(88, level + 2, bytes(4) + small_hwp.counted(part[2]))
            parts.append(small_hwp.record(71, level + 1, b"deqe") + script)
        else:
            words += small_hwp.control(11, "tbl ")
            parts.append(_hwp_table(annex, annex.nested[part[3]], level + 1))
    return small_hwp.paragraph((words + text[at:]).translate(HANCOM), *parts, level=level)


def _owpml_block(annex: Annex, block: str | list[Cell]) -> str:
    return _owpml_paragraph(annex, block) if isinstance(block, str) else small_hwp.p(_owpml_table(annex, block))


def _owpml_table(annex: Annex, cells: list[Cell]) -> str:
    found = ""
    for row in sorted({cell.row for cell in cells}):
        inner = (
            f"<hp:tc><hp:subList>{_owpml_paragraph(annex, cell.text)}</hp:subList>"
            f'<hp:cellAddr colAddr="{cell.column}" rowAddr="{cell.row}"/>'
            f'<hp:cellSpan colSpan="{cell.columns}" rowSpan="{cell.rows}"/></hp:tc>'
            for cell in cells
            if cell.row == row
        )
        found += f"<hp:tr>{''.join(inner)}</hp:tr>"
    return f"<hp:tbl>{found}</hp:tbl>"


def _owpml_paragraph(annex: Annex, text: str) -> str:
    runs, at = [], 0

    def words(until: int) -> None:
        if said := text[at:until].translate(HANCOM).replace("&", "&amp;").replace("<", "&lt;"):
            runs.append(f"<hp:t>{said}</hp:t>")

    for part in _PART.finditer(text):
        words(part.start())
        at = part.end()
        if part[1]:
            note = small_hwp.p(part[1].translate(HANCOM))
            runs.append(f"<hp:ctrl><hp:footNote><hp:subList>{note}</hp:subList></hp:footNote></hp:ctrl>")
        elif part[2]:
            runs.append(f"<hp:equation><hp:script>{part[2].replace('<', '&lt;')}</hp:script></hp:equation>")
        else:
            runs.append(_owpml_table(annex, annex.nested[part[3]]))
    words(len(text))
    return small_hwp.p(*runs)


def _print(annex: Annex, text: str) -> str:
    """Return a text as it is printed: a note behind its sentence, a nested table as words."""

    def said(part: re.Match[str]) -> str:
        if part[3]:
            return " ".join(cell.text for cell in annex.nested[part[3]])
        return f" ({part[1]}) " if part[1] else f" {part[2]} "

    return _PART.sub(said, text)


class _Pages:
    def __init__(self) -> None:
        self.pages: list[list[object]] = [[]]
        self._y = _TOP

    def paragraph(self, text: str) -> None:
        for line in _wrap(text, _WIDTH):
            self._room(_PITCH)
            self.pages[-1].append(small_pdf.Put(_LEFT, self._y, line, _SIZE))
            self._y -= _PITCH
        self._y -= 4

    def table(self, cells: list[Cell], annex: Annex) -> None:
        columns = max(cell.column + cell.columns for cell in cells)
        weights = [4.0] * columns
        for cell in cells:
            if cell.columns == 1:
                weights[cell.column] = max(weights[cell.column], min(24.0, len(_print(annex, cell.text)) / 2 + 3))
        xs = [_LEFT]
        for weight in weights:
            xs.append(xs[-1] + _WIDTH * weight / sum(weights))
        wrapped = {
            cell: _wrap(_print(annex, cell.text), xs[cell.column + cell.columns] - xs[cell.column] - 8)
            for cell in cells
        }
        rows = max(cell.row + cell.rows for cell in cells)
        heights = [_PITCH + 6.0] * rows
        for cell, lines in wrapped.items():
            last = cell.row + cell.rows - 1
            others = sum(heights[cell.row : last])
            heights[last] = max(heights[last], len(lines) * _PITCH + 6 - others)
        self._room(min(sum(heights), _TOP - _PAGE_END))
        tops: list[tuple[int, float]] = []
        for height in heights:
            self._room(height)
            tops.append((len(self.pages) - 1, self._y))
            self._y -= height
        for cell, lines in wrapped.items():
            page, top = tops[cell.row]
            covered = [n for n in range(cell.row, cell.row + cell.rows) if tops[n][0] == page]
            bottom = tops[covered[-1]][1] - heights[covered[-1]]
            left, right = xs[cell.column], xs[cell.column + cell.columns]
            self.pages[page] += [
                small_pdf.Stroke(left, top, right, top),
                small_pdf.Stroke(left, bottom, right, bottom),
                small_pdf.Stroke(left, top, left, bottom),
                small_pdf.Stroke(right, top, right, bottom),
            ]
            self.pages[page] += [
                small_pdf.Put(left + 4, top - 11 - _PITCH * n, line, _SIZE) for n, line in enumerate(lines)
            ]
        self._y -= 14

    def _room(self, height: float) -> None:
        if self._y - height < _PAGE_END:
            self.pages.append([])
            self._y = _TOP


def _wrap(text: str, width: float) -> list[str]:
    lines, line, used = [], "", 0.0
    for letter in text:
        wide = _SIZE * (0.5 if letter.isascii() else 1.0)
        if used + wide > width and line:
            lines.append(line)
            line, used = "", 0.0
        line += letter
        used += wide
    # Nothing is embedded, and PDFium leaves out a lone glyph without a width: a space gives the line one.
    return [one if len(one) > 1 else f"{one} " for one in (*lines, line) if one.strip()]
