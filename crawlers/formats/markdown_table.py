"""Write the grid of a table as a Markdown table: one form for web pages, Hancom's formats, DOCX and wikis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

RULE = "---"  # a cell of the line below the head row
MAX_PADDED = 200_000  # cells of one table; a larger one is written without its empty cells at line ends


def write_rows(rows: Sequence[Mapping[int, str]]) -> list[str]:
    r"""Return a line for each row, column → words, and the delimiter row below the first, which is the head row.

    Rows and columns without words are left out. The cells of a single column become lines.

    >>> write_rows([{0: "낱말", 1: "뜻"}, {0: "말모이"}])
    ['| 낱말 | 뜻 |', '| --- | --- |', '| 말모이 | |']
    >>> write_rows([{0: "하나"}, {0: "둘"}])
    ['하나', '둘']
    """
    filled = [row for row in rows if any(row.values())]
    columns = sorted({column for row in filled for column, words in row.items() if words})
    if len(columns) < 2:
        return [row[columns[0]] for row in filled]
    padded = len(columns) * len(filled) <= MAX_PADDED
    lines = [_write_row([row.get(column, "") for column in columns], padded) for row in filled]
    lines.insert(1, _write_row([RULE] * len(columns), padded=True))
    return lines


def is_delimiter_row(line: str) -> bool:
    """Whether a line separates the head row of a table from the others.

    >>> is_delimiter_row("| --- | --- |"), is_delimiter_row("| 가 | --- |")
    (True, False)
    """
    return line[:1] == "|" and RULE in line and not line.strip("|-: ")


def _write_row(cells: list[str], padded: bool) -> str:
    if not padded:
        while cells and not cells[-1]:
            cells.pop()
    return " ".join("| " + words.replace("|", r"\|") if words else "|" for words in cells) + " |"
