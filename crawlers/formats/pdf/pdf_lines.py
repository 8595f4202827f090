"""Lines of a PDF page, the cells of tables they are in, and the width of their text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

MOST_CODE = 0.8  # share of the text in a font of one width from which that font is the one of the text


class Cell(NamedTuple):
    """A cell of a table: its table (page, number on the page), its place, and edges in points."""

    table: tuple[int, int]
    row: int
    column: int
    left: float
    right: float
    top: float  # of the whole table
    bottom: float  # of the whole table


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its position on the page; lengths in points, from the left and from the bottom of the page."""

    text: str
    page: int
    left: float
    right: float
    base: float  # lower edge of its first character
    size: float  # height of its first syllable of Hangul, or of its first character
    spaced: bool = False  # the line ends with a white space character
    hyphen: bool = False  # the line ends with a hyphen, which is not in `text`
    fixed: bool = False  # it is in a font with one width, as code is
    opens_fixed: bool = False  # at least its first character is
    cell: Cell | None = None
    tabbed: str = ""  # the text with a tab in each wide gap, if it has such gaps
    at: int = 0  # index of its first character in the text of the page, in UTF-16 units

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.base + self.size / 2


class Char(NamedTuple):
    """A character and its box."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


def has_code_font(lines: Iterable[Line]) -> bool:
    """Whether a font of one width marks code in a document: it is not the font of most of its text."""
    fixed = every = 0
    for line in lines:
        every += len(line.text)
        fixed += len(line.text) * line.fixed
    return fixed <= MOST_CODE * every


def ems(text: str) -> float:
    """Return the width of a text, in syllables: full-width characters are 1, others half."""
    return sum(map(_width, text))


@lru_cache(maxsize=70_000)
def _width(char: str) -> float:
    return 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.5
