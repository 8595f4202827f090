"""`python -m benchmarks.thresholds [RECIPE]`: for each limit of a recipe, what it and its neighbours would drop.

Every filter measures every document, whatever another would have dropped: the real corpora, and the open half of
the hand-checked set. A limit is read off here and then stands, with its origin, beside the filter; nothing sets itself.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import gold
from flows import curation, pool
from flows import run as runs
from malmoi.corridor import Bound, apply
from malmoi.limit import Limit
from malmoi.recipe import Recipe

SHARES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # of the real documents, for which the limit is shown
MIN_CHARS = 100  # code points without white space: shorter texts say little about any measure but length
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
            for limit in curation.limits(step):
                yield step.filter, limit, float(dict(step.params)[limit.parameter]) * limit.scale


def main(recipe_name: str = "general") -> int:
    """Print one table a limit: what each bound would drop of the corpora, and of what people would keep or drop."""
    recipe = runs.recipe_of(recipe_name)
    bound = gold.filters(recipe)
    with tempfile.TemporaryDirectory(prefix="malmoi-limits-") as folder:
        texts = gold.corpora(Path(folder) / "w")
    pool.close()
    long = {name: text for name, text in texts.items() if sum(map(len, text.split())) >= MIN_CHARS}
    real = [measured(name, text, bound) for name, text in long.items()]
    known = [label for label in gold.labels() if label.part == "dev" and (label.text or label.id in texts)]
    gold_measures = [(label, measured(label.id, label.text or texts[label.id], bound)) for label in known]
    for by, limit, given in limits(recipe):
        values = np.array([m[limit.measure] for m in real if limit.measure in m])
        if not len(values):
            continue
        table = Table("bound", "real dropped", "of which", "keep dropped", "drop dropped", title=_title(by, limit))
        quantiles = [share if limit.side == "min" else 1 - share for share in SHARES]
        for value in sorted({given, *(float(q) for q in np.quantile(values, quantiles))}):
            beyond = int(np.sum(values < value if limit.side == "min" else values > value))
            lost = [label.keep for label, m in gold_measures if limit.measure in m and _beyond(limit, m, value)]
            mark = f"[bold]{value:.4g} ← here[/]" if value == given else f"{value:.4g}"
            table.add_row(mark, f"{beyond}", f"{len(values)}", f"{sum(lost)}", f"{len(lost) - sum(lost)}")
        out.print(table)
    return 0


def _beyond(limit: Limit, measures: dict[str, float], value: float) -> bool:
    return measures[limit.measure] < value if limit.side == "min" else measures[limit.measure] > value


def _title(by: str, limit: Limit) -> str:
    return f"{by}: {limit.measure} ({limit.parameter}, {limit.side}) → {limit.reason}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
