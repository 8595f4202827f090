"""Decide which lines of a page are its main content: a linear model over their features, and their neighbours' votes.

`line_model.json` holds the weights; `benchmarks/hard_pages/train.py` made it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

from crawlers.formats.html.line_features import describe_lines
from crawlers.formats.html.main_content import Frame
from crawlers.formats.html.text_lines import PlacedLine

LITTLE = 150  # code points; with less, lines of lower odds are kept, too
SHORT_PAGE = 0.5  # log odds added then
FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, slots=True)
class BlockModel:
    """`weights` by feature, log odds; `change` is the cost of beginning or ending content between two lines."""

    weights: Mapping[str, float]
    change: float


@cache
def load_model() -> BlockModel:
    """Return the model that is delivered with the package."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return BlockModel(found["weights"], found["change"])


def choose_lines(lines: Sequence[PlacedLine], page: Frame, model: BlockModel) -> list[bool]:
    """Return for each line whether it is main content.

    If little is kept, the page may be a short note: lines in the box of the page are kept with lower odds, too.
    """
    weights = model.weights
    odds = [sum(map(weights.get, names, repeat(0.0))) for names in describe_lines(lines, page)]
    odds = share_in_tables(lines, odds)
    kept = smooth_odds(odds, model.change)
    if sum(len(line.text) for line, keep in zip(lines, kept, strict=True) if keep) < LITTLE:
        boxed = set(page.box.iter())
        kept = [one + SHORT_PAGE > 0 and line.owner in boxed for one, line in zip(odds, lines, strict=True)]
    return kept


def share_in_tables(lines: Sequence[PlacedLine], odds: Sequence[float]) -> list[float]:
    """Give all rows of a table, and its caption, the mean odds of the rows: they are kept or left out together."""
    found = list(odds)
    start = 0
    for at in range(1, len(lines) + 1):
        if at < len(lines) and _is_row(lines[at]) and _is_row(lines[start]) and "\n" not in lines[at].text:
            continue
        if at - start > 1:
            mean = sum(odds[start:at]) / (at - start)
            found[start:at] = [mean] * (at - start)
            if start and lines[start - 1].owner.tag == "caption":
                found[start - 1] = mean
        start = at
    return found


def _is_row(line: PlacedLine) -> bool:
    return line.text[:1] == "|"


def smooth_odds(odds: Sequence[float], change: float) -> list[bool]:
    """Return the best sequence of decisions: the sum of the odds of kept lines, less `change` for each change.

    >>> smooth_odds([2.0, -0.5, 2.0, -3.0], 0.5)
    [True, True, True, False]
    """
    inside, outside = 0.0, 0.0  # best sums of a sequence that ends kept, or left out
    came: list[tuple[bool, bool]] = []  # for both, whether the line before is kept
    for one in odds:
        came.append((inside >= outside - change, inside - change > outside))
        inside, outside = max(inside, outside - change) + one, max(outside, inside - change)
    kept = inside > outside
    found = []
    for before_kept, before_left in reversed(came):
        found.append(kept)
        kept = before_kept if kept else before_left
    return found[::-1]
