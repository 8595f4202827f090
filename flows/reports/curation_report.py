"""Curation report: the stages, the distribution of each measure with its threshold, and texts just inside and outside.

`reports/curation.html` and `.ko.html` of a workspace. They show texts before redaction, so they must stay private.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_cards.reports import write_report
from flows.curate import FOLDER_OF, Curated
from flows.engine.costs import sum_steps
from malmoi import recipe as recipes
from malmoi.ledger import Ledger
from malmoi.parameter_bounds import Limit
from malmoi.recipe import Recipe, Step
from malmoi.storage import shard
from malmoi.storage.shard_facts import recall
from malmoi.workspace import Workspace
from malmoi.workspace_layout import SPREADS, Stage

BARS = 50  # per histogram
FINE = 20  # bins per bar, for the table of other thresholds
SHARES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # of documents: the report names the thresholds
TICKS = 5  # number of intervals on the axis
SHOWN = 6  # texts on each side of a threshold
HEAD, TAIL = 420, 160  # code points shown of a text
MEASURED = 1  # raise it when a distribution of the same measures is another
SMALLEST, LARGEST = 0.01, 1e7  # of a measure that is not a share: length, score, rate; the scale is logarithmic

_Floats: TypeAlias = npt.NDArray[np.float64]
_Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scale:
    """Map a value to its place in the histogram: shares linear from 0 to 1, other measures logarithmic."""

    share: bool

    def place(self, values: _Floats) -> _Floats:
        """Return a place in 0..1 for each value; values outside of the histogram get the edge."""
        if self.share:
            return np.clip(values, 0.0, 1.0)
        low, high = np.log10(SMALLEST), np.log10(LARGEST)
        return np.asarray(np.clip((np.log10(np.maximum(values, SMALLEST)) - low) / (high - low), 0.0, 1.0))

    def value(self, place: float) -> float:
        """Return the value at `place`.

        >>> Scale(share=True).value(0.3), round(Scale(share=False).value(Scale(share=False).place(100.0)), 6)
        (0.3, 100.0)
        """
        return place if self.share else float(SMALLEST * (LARGEST / SMALLEST) ** place)


@dataclass(frozen=True, slots=True)
class Sample:
    """One text next to a threshold."""

    id: str
    value: str
    reason: str  # why it was dropped, "" if it was kept
    text: str


@dataclass(frozen=True, slots=True, order=True)
class _Near:
    distance: float
    id: str
    value: float = field(compare=False)
    reason: str = field(compare=False)
    path: Path = field(compare=False)
    row: int = field(compare=False)


@dataclass(slots=True)
class Spread:
    """The distribution of one measure over documents, and the documents nearest to its threshold."""

    filter: str
    limit: Limit
    bound: float
    scale: Scale
    counts: _Ints  # rows: kept, dropped for this, dropped for another reason; columns: fine bins
    passing: list[_Near]
    failing: list[_Near]

    def empty(self) -> Spread:
        """Return the same distribution without documents."""
        return replace(self, counts=np.zeros_like(self.counts), passing=[], failing=[])

    def to_plain(self) -> dict[str, Any]:
        """Return what `add` reads: the filled bins, and the nearest documents of one shard."""
        bins = [[int(kind), int(at), int(self.counts[kind, at])] for kind, at in np.argwhere(self.counts)]
        near = [
            [[one.distance, one.id, one.value, one.reason, one.path.name, one.row] for one in side]
            for side in (self.passing, self.failing)
        ]
        return {"bins": bins, "near": near}

    def add(self, folder: Path, said: Mapping[str, Any]) -> None:
        """Add the distribution of a shard; ties go to the smaller id."""
        for kind, at, count in said["bins"]:
            self.counts[kind, at] += count
        for side, near in zip((self.passing, self.failing), said["near"], strict=True):
            side += [
                _Near(distance, id, value, reason, folder / name, row)
                for distance, id, value, reason, name, row in near
            ]
            side.sort()
            del side[SHOWN:]

    @property
    def total(self) -> int:
        """Return the number of documents with the measure."""
        return int(self.counts.sum())

    def bars(self) -> list[tuple[int, int, int]]:
        """Return the counts of each bar: kept, dropped for this reason, dropped for another."""
        folded = self.counts.reshape(3, BARS, FINE).sum(axis=2)
        return [(int(a), int(b), int(c)) for a, b, c in folded.T]

    def others(self) -> list[tuple[float, float]]:
        """Return (share of documents, threshold that would drop about so many) for the shares of SHARES."""
        bins = self.counts.sum(axis=0)
        if not bins.sum():
            return []
        order = bins if self.limit.side == "min" else bins[::-1]
        reached = np.cumsum(order) / bins.sum()
        found = []
        for share in SHARES:
            steps = int(np.searchsorted(reached, share, side="right"))
            if steps == 0:
                continue  # one bin holds more than that: no threshold drops so few
            place = steps / len(bins) if self.limit.side == "min" else 1 - steps / len(bins)
            found.append((float(reached[steps - 1]), self.scale.value(place)))
        return list(dict.fromkeys(found))


def write(workspace: Workspace, recipe: Recipe, curated: Curated) -> Path:
    """Write the report of `curated` and return its page."""
    stages = []
    for name in recipes.STAGES:
        stage, steps = FOLDER_OF[name], recipe.stage(name)
        ledgers = curated.ledgers(stage)
        drawn = [_describe_spread(spread) for spread in spreads(workspace, stage, steps, ledgers)]
        stages.append({"name": stage, "steps": list(funnel(steps, ledgers)), "spreads": drawn})
    place = workspace.report("curation")
    costs = sum_steps(workspace, curated.stages)
    write_report("curation.html", place, recipe=recipe, stages=stages, costs=costs)
    return place


def spreads(workspace: Workspace, stage: Stage, steps: Sequence[Step], ledgers: Sequence[Ledger]) -> list[Spread]:
    """Return the distribution of each measure of a stage that has a threshold, in the order of the recipe."""
    found = []
    for step in steps:
        for limit in limits(step):
            bound = float(dict(step.params)[limit.parameter]) * limit.scale
            parameter = recipes.schema(step.filter).model_fields[limit.parameter]
            share = any(getattr(m, "le", None) == 1 for m in parameter.metadata)
            counts = np.zeros((3, BARS * FINE), dtype=np.int64)
            found.append(Spread(step.filter, limit, bound, Scale(share), counts, [], []))
    if not found:
        return []

    def measure(folder: Path) -> list[dict[str, Any]]:
        """Measure the distributions of one shard, as JSON values for `Spread.add`."""
        empty = [one.empty() for one in found]
        _count_values(folder / "documents.parquet", empty)
        _count_values(folder / "dropped.parquet", empty, dropped=True)
        return [one.to_plain() for one in empty]

    question = [MEASURED, [[one.filter, asdict(one.limit), one.bound] for one in found]]
    for ledger in ledgers:
        folder = workspace.stage(stage, ledger.key)
        measured = recall(folder / SPREADS, question, partial(measure, folder))
        for spread, values in zip(found, measured, strict=True):
            spread.add(folder, values)
    return found


def limits(step: Step) -> tuple[Limit, ...]:
    """Return the thresholds that a filter declares and the recipe has not disabled."""
    given = dict(step.params)
    declared: tuple[Limit, ...] = getattr(recipes.load_filter(step.filter), "LIMITS", ())
    return tuple(limit for limit in declared if given.get(limit.parameter) is not None)


def _count_values(path: Path, found: Sequence[Spread], *, dropped: bool = False) -> None:
    table = shard.read(path, ["id", "measures", *(("by", "reason") if dropped else ())])
    if not table.num_rows:
        return
    ids = table.column("id")
    measures = table.column("measures").combine_chunks()
    parents, flat = pc.list_parent_indices(measures), measures.flatten()
    names, values = flat.field("name"), flat.field("value")
    for spread in found:
        here = pc.equal(names, spread.limit.measure)
        rows = parents.filter(here).to_numpy(zero_copy_only=False)
        taken = values.filter(here).to_numpy(zero_copy_only=False)
        if not len(rows):
            continue
        kind, reasons = np.zeros(len(rows), dtype=np.int64), None
        if dropped:
            reasons = table.column("reason").take(pa.array(rows))
            ours = pc.and_(
                pc.equal(table.column("by").take(pa.array(rows)), spread.filter), pc.equal(reasons, spread.limit.reason)
            )
            kind = np.where(ours.to_numpy(zero_copy_only=False), 1, 2)
        bins = np.minimum((spread.scale.place(taken) * BARS * FINE).astype(np.int64), BARS * FINE - 1)
        np.add.at(spread.counts, (kind, bins), 1)
        passes = taken >= spread.bound if spread.limit.side == "min" else taken <= spread.bound
        bound = spread.scale.place(np.array([spread.bound]))[0]
        for side, mask in ((spread.passing, passes & (kind != 1)), (spread.failing, ~passes | (kind == 1))):
            chosen = np.flatnonzero(mask)  # of these, the SHOWN nearest to the threshold; ties go to the smaller id
            away = np.abs(spread.scale.place(taken[chosen]) - bound)
            if len(chosen) > SHOWN:
                edge = np.partition(away, SHOWN - 1)[SHOWN - 1]
                chosen, away = chosen[away <= edge], away[away <= edge]
            for at, distance in zip(chosen, away, strict=True):
                row, why = int(rows[at]), "" if reasons is None else str(reasons[int(at)].as_py())
                side.append(_Near(float(distance), str(ids[row].as_py()), float(taken[at]), why, path, row))
            side.sort()
            del side[SHOWN:]


def funnel(steps: Sequence[Step], ledgers: Sequence[Ledger]) -> Iterator[dict[str, Any]]:
    """Yield for each filter of a stage its input, what it dropped and why, and what it changed."""
    dropped: Counter[tuple[str, str]] = Counter()
    edits: Counter[tuple[str, str]] = Counter()
    for ledger in ledgers:
        for (_, by, reason), n in ledger.dropped.items():
            dropped[by, reason] += n
        for (_, by, reason), n in (ledger.edits or {}).items():
            edits[by, reason] += n
    left = sum(sum(ledger.entered.values()) - len(ledger.failed) for ledger in ledgers)
    for step in steps:
        lost = _reasons_of(dropped, step.filter)
        yield {
            "filter": step.filter,
            "verb": step.verb,
            "in": left,
            "dropped": lost,
            "edits": _reasons_of(edits, step.filter),
            "out": left - sum(n for _, n in lost),
        }
        left -= sum(n for _, n in lost)


def _reasons_of(counts: Mapping[tuple[str, str], int], name: str) -> list[tuple[str, int]]:
    found = [(reason, n) for (by, reason), n in counts.items() if by == name and n]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _describe_spread(spread: Spread) -> dict[str, Any]:
    bars = spread.bars()
    filled = [at for at, bar in enumerate(bars) if sum(bar)]
    bound = float(spread.scale.place(np.array([spread.bound]))[0])
    first = min([*filled, int(bound * BARS)], default=0)
    last = max([*filled, min(int(bound * BARS), BARS - 1)], default=BARS - 1)
    first, last = (0, BARS - 1) if spread.scale.share else (max(0, first - 1), min(BARS - 1, last + 1))
    width = last - first + 1
    highest = max((sum(bar) for bar in bars), default=0) ** 0.5 or 1.0
    drawn = [
        [round(100 * (n**0.5 / highest) * (part / n if n else 0), 2) for part in bar]
        for bar in bars[first : last + 1]
        for n in [sum(bar)]
    ]
    return {
        "filter": spread.filter,
        "measure": spread.limit.measure,
        "parameter": spread.limit.parameter,
        "side": spread.limit.side,
        "reason": spread.limit.reason,
        "bound": format_number(spread.bound),
        "total": spread.total,
        "dropped": int(spread.counts[1].sum()),
        "bars": drawn,
        "at": round(100 * (bound * BARS - first) / width, 2),
        "ticks": [
            format_number(spread.scale.value((first + width * part / TICKS) / BARS)) for part in range(TICKS + 1)
        ],
        "others": [(f"{share:.1%}", format_number(value)) for share, value in spread.others()],
        "passing": _read_samples(spread.passing),
        "failing": _read_samples(spread.failing),
    }


def _read_samples(near: Sequence[_Near]) -> list[Sample]:
    texts: dict[tuple[Path, int], str] = {}
    for path in {one.path for one in near}:
        rows = [one.row for one in near if one.path == path]
        column = shard.read(path, ["text"]).column("text").take(pa.array(rows))
        texts |= {(path, row): text for row, text in zip(rows, column.to_pylist(), strict=True)}
    return [Sample(one.id, format_number(one.value, 4), one.reason, excerpt(texts[one.path, one.row])) for one in near]


def excerpt(text: str) -> str:
    """Return the beginning and the end of a text.

    >>> excerpt("짧은 글"), len(excerpt("가" * 5000))
    ('짧은 글', 585)
    """
    return text if len(text) <= HEAD + TAIL + 5 else f"{text[:HEAD]}\n[…]\n{text[-TAIL:]}"


def format_number(value: float, digits: int = 3) -> str:
    """Format a value for people: `digits` significant digits, thousands separated.

    >>> format_number(0.30000001), format_number(1000000.0), format_number(12.3456)
    ('0.3', '1,000,000', '12.3')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.{digits}g}"
