"""`python -m benchmarks.duplicates.copies_shingles [--workspace W]`: how long a shingle should be, in letters.

Three tables, each with shingles of 4 to 8 letters at the threshold 0.8: the written pairs of
`tests/data/duplicates/pairs.jsonl`, of which a person said whether they are the same; changes of a fixed
strength to real texts of at least 300 letters, which a person would call copies; and what is alike in
real texts as they are. A longer shingle tells texts apart better and forgives a changed letter less.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.duplicates import copies_plant, copies_texts
from benchmarks.duplicates.copies_truth import LIMIT, SHORT, between, jaccard, letters, shingles

PAIRS = Path(__file__).parents[2] / "tests" / "data" / "duplicates" / "pairs.jsonl"
WIDTHS = (4, 5, 6, 7, 8)
TEXTS = 400  # real texts that are changed
out = Console(highlight=False, soft_wrap=True)


def _spaces(share: float) -> Callable[[str], str]:
    """`share` of the blanks gone, and as many put elsewhere."""

    def change(text: str) -> str:
        dice = random.Random(len(text))
        often = share * text.count(" ") / max(1, len(text))
        kept = "".join(char for char in text if char != " " or dice.random() >= share)
        return "".join(f" {char}" if dice.random() < often else char for char in kept)

    return change


def _letters(share: float) -> Callable[[str], str]:
    """`share` of the Hangul syllables read as their neighbour in the code table, which often looks alike."""

    def change(text: str) -> str:
        dice = random.Random(len(text))
        return "".join(chr(ord(c) + 1) if "가" <= c < "힣" and dice.random() < share else c for c in text)

    return change


def _planted(kind: str, strength: float) -> Callable[[str], str]:
    def change(text: str) -> str:
        return copies_plant.CHANGES[kind](text, strength, random.Random(len(text)), text[::-1])

    return change


CHANGES: dict[str, Callable[[str], str]] = {
    "5 % of the blanks moved": _spaces(0.05),
    "20 % of the blanks moved": _spaces(0.2),
    "signs exchanged": _planted("re-punctuated", 1),
    "decomposed (NFD)": lambda text: unicodedata.normalize("NFD", text),
    "full width": _planted("case and width", 1),
    "one letter in 200 misread": _letters(0.005),
    "one letter in 100 misread": _letters(0.01),
    "one letter in 50 misread": _letters(0.02),
    "-다. → -습니다.": lambda text: text.replace("다. ", "습니다. "),
    "all figures changed": _planted("numbers changed", 1),
    "3 % of the words exchanged": _planted("words replaced", 0.1),
    "12 % cut at the end": _planted("tail cut", 0.2),
    "frame of a page": _planted("wrapped", 0.1),
    "sentences in another order": _planted("sentences shuffled", 1),
    "every tenth sentence gone": _planted("sentences dropped", 1 / 6),
}


def main() -> int:
    """Print the three tables; status 2 where neither corpora nor workspace are there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates.copies_shingles")
    parser.add_argument("--workspace", help="of a run of benchmarks/recipes/real.toml, spares the extraction")
    found = copies_texts.chosen([], parser.parse_args().workspace, 2000, 0, 5)
    out.print(of_pairs())
    if not found:
        print("benchmarks: the corpora are not here; name a workspace with --workspace.", file=sys.stderr)
        return 2
    texts = [text for _, text in found]
    out.print(of_changes([text for text in texts if len(letters(text)) >= SHORT][:TEXTS]))
    out.print(of_nature(texts))
    return 0


def pairs() -> Iterator[dict[str, Any]]:
    """The written pairs."""
    yield from map(json.loads, PAIRS.read_text(encoding="utf-8").splitlines())


def of_pairs() -> Table:
    """Jaccard of each written pair; an asterisk where the threshold does not say what a person says."""
    table = _table("Written pairs (* against the person)", "a person says")
    wrong = dict.fromkeys(WIDTHS, 0)
    for row in pairs():
        cells = []
        for width in WIDTHS:
            alike = jaccard(shingles(row["a"], width), shingles(row["b"], width))
            against = (alike >= LIMIT) != (row["expect"] == "same")
            wrong[width] += against
            cells.append(f"{alike:.3f}{'*' if against else ' '}")
        table.add_row(row["name"], row["expect"], *cells)
    table.add_row("against the person", "", *(f"{wrong[width]} " for width in WIDTHS))
    return table


def of_changes(texts: list[str]) -> Table:
    """Share of changed real texts that are still at the threshold, and their mean Jaccard."""
    table = _table(f"Changes to {len(texts)} real texts: share at {LIMIT} (mean Jaccard)")
    for name, change in CHANGES.items():
        cells = []
        for width in WIDTHS:
            alike = [jaccard(shingles(text, width), shingles(change(text), width)) for text in texts]
            cells.append(f"{sum(a >= LIMIT for a in alike) / len(alike):.2f} ({sum(alike) / len(alike):.3f})")
        table.add_row(name, *cells)
    return table


def of_nature(texts: list[str]) -> Table:
    """Pairs of real texts as they are, both of SHORT letters and more, by exact Jaccard."""
    table = _table(f"Pairs among {len(texts)} real texts as they are")
    found = {width: between(texts, width) for width in WIDTHS}
    for low, high in ((0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01)):
        cells = [f"{int((~t.short() & (t.jaccard >= low) & (t.jaccard < high)).sum()):,}" for t in found.values()]
        table.add_row(f"{low:.1f}–{min(high, 1):.1f}", *cells)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table("", *columns, *(f"{width} letters" for width in WIDTHS), title=title)
    for column in table.columns:
        column.no_wrap, column.justify = True, "right" if column.header else "left"
    return table


if __name__ == "__main__":
    sys.exit(main())
