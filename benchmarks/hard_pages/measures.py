"""Compare an extracted text with its gold text: words, tables, code, lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

ROUGE_N = 5  # tokens, as WebMainBench (arXiv 2511.23119)
SHINGLE = 4  # words, as benchmarks/formats/formats_html.py

# A Hangul syllable or a Han sign is a token; so is a run of other letters and digits.
_TOKEN = re.compile(r"[가-힣㐀-䶿一-鿿豈-﫿]|[^\W_가-힣㐀-䶿一-鿿豈-﫿]+")
_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w+#.-]*)")
_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?)?\s*")
_LINE_MARK = re.compile(r"\s*(?:#{1,6}\s+|[-*+•]\s+|\d{1,3}[.)]\s+|>\s?)+")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+(.*)")
_INLINE = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,1000}\)")
_MARKS = re.compile(r"\*\*|__|`|\$|\\\(|\\\)|\\(?=[\\`*_{}\[\]()#+.!|-])")
_ROW = re.compile(r"\s*\|.*")
_Symbol = TypeVar("_Symbol", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one page, each 0 to 1; None if its gold text has no table, code or list."""

    rouge: float
    shingle: float
    tables: float | None
    code: float | None
    items: float | None


def score_text(gold: str, found: str) -> Scores:
    """Return the scores of an extracted text."""
    code, items = code_blocks(gold), list_items(gold)
    plain, other = plain_text(gold), plain_text(found)
    return Scores(
        rouge=_f1(_grams(_TOKEN.findall(plain), ROUGE_N), _grams(_TOKEN.findall(other), ROUGE_N)),
        shingle=_f1(_grams(_WORD.findall(plain), SHINGLE), _grams(_WORD.findall(other), SHINGLE)),
        tables=_score_tables(tables_of(gold), tables_of(found)),
        code=(code & code_blocks(found)).total() / code.total() if code else None,
        items=(items & list_items(found)).total() / items.total() if items else None,
    )


def plain_text(text: str) -> str:
    """Remove the marks of Markdown outside code; keep words.

    >>> plain_text("## 낱말\\n- **뜻**과 [말](a)\\n| 가 |\\n|---|")
    '낱말\\n뜻과 말\\n  가  \\n'
    """
    lines, fence = [], ""
    for line in text.split("\n"):
        if mark := _FENCE.match(line):
            fence = "" if fence else mark.group(1)
            lines.append("")
        elif fence:
            lines.append(line)
        elif _RULE.fullmatch(line):
            lines.append("")
        else:
            line = _LINE_MARK.sub("", line, count=1) if _LINE_MARK.match(line) else line
            line = line.replace("|", " ") if _ROW.fullmatch(line) else line
            lines.append(_MARKS.sub("", _INLINE.sub(r"\1", line)))
    return "\n".join(lines)


def code_blocks(text: str) -> Counter[str]:
    """Return the texts of fenced blocks, white space at line ends and around them left out."""
    found: Counter[str] = Counter()
    block: list[str] | None = None
    for line in text.split("\n"):
        if _FENCE.match(line):
            if block is not None:
                found["\n".join(block).strip()] += 1
            block = None if block is not None else []
        elif block is not None:
            block.append(line.rstrip())
    return found


def list_items(text: str) -> Counter[str]:
    """Return the words of lines that are marked as list items."""
    code = False
    found: Counter[str] = Counter()
    for line in text.split("\n"):
        if _FENCE.match(line):
            code = not code
        elif not code and (item := _ITEM.fullmatch(line)):
            found["".join(_TOKEN.findall(plain_text(item.group(1))))] += 1
    return found


def tables_of(text: str) -> list[list[list[str]]]:
    """Return the Markdown tables: runs of lines that begin with a bar, as rows of cells.

    >>> tables_of("| 가 | 나 |\\n|---|---|\\n| 1 | |")
    [[['가', '나'], ['1', '']]]
    """
    found: list[list[list[str]]] = []
    open_ = code = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            code, open_ = not code, False
            continue
        if code or not line.lstrip().startswith("|"):
            open_ = False
            continue
        if _RULE.fullmatch(line):
            # The line above is a new head row: two tables may follow each other without a line between them.
            if open_ and len(found[-1]) > 1:
                found.append([found[-1].pop()])
            continue
        if not open_:
            found.append([])
            open_ = True
        cells = line.strip().removeprefix("|").removesuffix("|").replace("\\|", "\0").split("|")
        found[-1].append([" ".join(plain_text(cell.replace("\0", "|")).split()) for cell in cells])
    return found


def _score_tables(gold: list[list[list[str]]], found: list[list[list[str]]]) -> float | None:
    """Return the sum of similarities of tables aligned in order, by the larger number of tables; None without gold."""
    if not gold:
        return None
    pairs = _align(gold, found, lambda one, other: 1 - similarity(one, other), lambda _: 0.5)
    # Cost of a pair is 1 - TEDS, of a table without partner 0.5, so the sum of TEDS follows from the cost.
    alone = (len(gold) + len(found)) / 2
    return max(0.0, alone - pairs) / max(len(gold), len(found))


def similarity(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """Return the tree edit distance similarity (TEDS, Zhong et al. 2020, arXiv 1911.10683) of two tables.

    1 - distance / max(nodes); nodes are the table, its rows and its cells. Rows are aligned in order with rows, cells
    with cells (Selkow's distance of trees); a cell replaced by another costs their normalised edit distance.

    >>> similarity([["가", "나"]], [["가", "나"]]), similarity([["가", "나"]], [["가"]])
    (1.0, 0.75)
    """
    size = max(1 + sum(1 + len(row) for row in table) for table in (one, other))
    distance = _align(one, other, _row_cost, lambda row: 1 + len(row))
    return 1 - distance / size


def _row_cost(one: Sequence[str], other: Sequence[str]) -> float:
    return _align(one, other, _cell_cost, lambda _: 1.0)


@lru_cache(maxsize=200_000)
def _cell_cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return _align(one, other, lambda a, b: float(a != b), lambda _: 1.0) / max(len(one), len(other))


def _align(
    one: Sequence[_Symbol] | Sequence[Sequence[str]] | Sequence[list[list[str]]],
    other: Sequence[_Symbol] | Sequence[Sequence[str]] | Sequence[list[list[str]]],
    change: Callable[..., float],
    remove: Callable[..., float],
) -> float:
    """Return the lowest cost of an alignment in order."""
    above = [0.0]
    for item in other:
        above.append(above[-1] + remove(item))
    for first in one:
        row = [above[0] + remove(first)]
        for at, second in enumerate(other):
            row.append(min(row[at] + remove(second), above[at + 1] + remove(first), above[at] + change(first, second)))
        above = row
    return above[-1]


def _grams(tokens: list[str], length: int) -> Counter[tuple[str, ...]]:
    """Return the n-grams; of a shorter text its only, shorter gram."""
    if not tokens:
        return Counter()
    return Counter(tuple(tokens[at : at + length]) for at in range(max(1, len(tokens) - length + 1)))


def _f1(gold: Counter[tuple[str, ...]], found: Counter[tuple[str, ...]]) -> float:
    shared = (gold & found).total()
    return 2 * shared / (gold.total() + found.total()) if shared else 0.0
