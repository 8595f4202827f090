"""The result of an ablation for one version of a release: what its workspace keeps, and its next release publishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measurement:
    """The bits per character of one input on one held-out set, or their mean over all sets (`intervals.MEAN`)."""

    held_out: str
    input: str
    condition: str  # SQL that selects the documents of the input; "" = all
    bits: float  # mean of all seeds; low and high: its 95 % interval
    low: float
    high: float
    difference: float | None = None  # from the baseline; None for the baseline itself
    difference_low: float | None = None
    difference_high: float | None = None
    same_sign: bool | None = None  # whether the difference has one sign in all seeds


@dataclass(frozen=True, slots=True)
class Ablation:
    """The ablation of one version of a release: the inputs that are this version, and the baseline of the plan."""

    version: str
    root: str  # Merkle root
    method: int  # version of training and measurement (flows/ablation/run_ablation.py)
    setting: str
    tokens: int  # that each input gives
    seeds: int
    command: str
    baseline: str  # name of the first input of the plan
    measurements: tuple[Measurement, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of audit/ablation.parquet, one for each held-out set and input."""
        same = {name: getattr(self, name) for name in self.__slots__ if name != "measurements"}
        return [same | asdict(one) for one in self.measurements]


def select_result(facts: Mapping[str, Any], version: str, root: str, names: Collection[str]) -> Ablation:
    """Return of ablation.json what concerns one version of a release, whose inputs are called `names`."""
    conditions = {one["name"]: one["where"] for one in facts["inputs"]}
    baseline = next(iter(conditions))
    return Ablation(
        version=version,
        root=root,
        method=facts["version"],
        setting=facts["setting"]["name"],
        tokens=facts["tokens"]["each_input"],
        seeds=facts["seeds"],
        command=facts["command"],
        baseline=baseline,
        measurements=tuple(
            _describe(held_out, name, condition, found[name])
            for held_out, found in facts["bits"].items()
            for name, condition in conditions.items()
            if name in names or name == baseline
        ),
    )


def _describe(held_out: str, name: str, condition: str, found: Mapping[str, Any]) -> Measurement:
    one, numbers = found.get("difference"), (found["mean"], found["low"], found["high"])
    differences = (one["mean"], one["low"], one["high"], one["same_sign"]) if one else ()
    return Measurement(held_out, name, condition, *numbers, *differences)


def parse_result(found: Mapping[str, Any]) -> Ablation:
    """Return the ablation of a file that the workspace keeps; TypeError or KeyError if it is not one."""
    return Ablation(**{**found, "measurements": tuple(Measurement(**one) for one in found["measurements"])})
