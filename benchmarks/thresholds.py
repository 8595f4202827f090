"""`python -m benchmarks.thresholds [RECIPE [WORKSPACE]]`: what each limit of a recipe and its neighbours drop.

Every filter measures every document, whatever another would have dropped: a sample of the real corpora, chosen by
the hash of the id, and the open half of the hand-checked set. A limit is read off here and then stands, with its
origin, beside the filter; nothing sets itself.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import gold
from flows import run as runs
from flows.reports import curation_report
from malmoi.apply import Bound, apply
from malmoi.parameter_bounds import Limit
from malmoi.recipe import Recipe

SHARES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # of the real documents, for which the limit is shown
MIN_CHARS = 100  # code points without white space: shorter texts say little about any measure but length
MOST = 2_000  # real documents: about a minute on one core, most of it Kiwi's
out = Console(highlight=False, soft_wrap=True)


def measured(name: str, text: str, bound: Sequence[Bound]) -> dict[str, float]:
    """Every measure that the filters take of a text, though one of them may drop it."""
    doc = gold.document(name, text)
    for one in bound:
        doc = apply(doc, one.name, one.verb, one.call(doc))
    return dict(doc.measures)


def limits(recipe: Recipe) -> Iterator[tuple[str, Limit, float]]:
    """(filter, limit, bound as the recipe has it), in order."""
    for _, steps in recipe.steps:
        for step in steps:
            for limit in curation_report.limits(step):
                yield step.filter, limit, float(dict(step.params)[limit.parameter]) * limit.scale


def main(recipe_name: str = "general", workspace: str | None = None) -> int:
    """Print one table a limit: what each bound would drop of the corpora, and of what people would keep or drop."""
    recipe = runs.recipe_of(recipe_name)
    bound = gold.filters(recipe)
    texts = gold.texts_of(workspace)
    labels = gold.labels()
    known = [(label, label.text or texts.get(label.id, "")) for label in labels if label.part == "dev"]
    checked = [(label.keep, measured(label.id, text, bound)) for label, text in known if _long(text)]
    closed = {label.id for label in labels if label.part != "dev"}
    real = [measured(name, texts[name], bound) for name in sample(texts, closed)]
    for by, limit, given in limits(recipe):
        if any(limit.measure in measures for measures in real):
            out.print(table_of(by, limit, given, real, checked))
    return 0


def sample(texts: dict[str, str], closed: set[str]) -> list[str]:
    """Ids of at most MOST texts that are long enough and not in `closed`, by the hash of the id."""
    names = [name for name, text in texts.items() if name not in closed and _long(text)]
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:MOST]


def table_of(
    by: str,
    limit: Limit,
    given: float,
    real: Sequence[dict[str, float]],
    checked: Sequence[tuple[bool, dict[str, float]]],
) -> Table:
    """What `limit` drops with the bound as given, and with the bounds that drop each share of SHARES.

    `checked` holds of each hand-checked document whether a person keeps it, and its measures.
    """
    values = np.array([measures[limit.measure] for measures in real if limit.measure in measures])
    quantiles = [share if limit.side == "min" else 1 - share for share in SHARES]
    title = f"{by}: {limit.measure} ({limit.parameter}, {limit.side}) → {limit.reason}"
    table = Table("bound", f"of {len(values)} real", "of those to keep", "of those to drop", title=title)
    for value in sorted({given, *(float(q) for q in np.quantile(values, quantiles))}):
        beyond = int(np.sum(_beyond(limit, values, value)))
        lost = [keep for keep, m in checked if limit.measure in m and _beyond(limit, m[limit.measure], value)]
        mark = f"[bold]{value:.4g} ← here[/]" if value == given else f"{value:.4g}"
        table.add_row(mark, f"{beyond}", f"{sum(lost)}", f"{len(lost) - sum(lost)}")
    return table


def _long(text: str) -> bool:
    return sum(map(len, text.split())) >= MIN_CHARS


def _beyond(limit: Limit, measured: Any, value: float) -> Any:
    """Whether a number, or each of an array, lies beyond the bound `value`."""
    return measured < value if limit.side == "min" else measured > value


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
