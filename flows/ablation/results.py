"""Gather what the models of an ablation measured, and describe it in numbers, notes and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from flows.ablation.held_out import FEW, HeldOut
from malmoi.ablation.byte_pairs import Ids
from malmoi.ablation.intervals import Floats, Measured
from malmoi.ablation.korean_probes import KINDS, make_pairs
from malmoi.ablation.plan import Texts
from malmoi.ablation.samples import count_tokens

PROBES = "probes"


def name_set(held_out: str) -> str:
    """Return the name of a held-out set among all that is measured."""
    return f"held-out {held_out}"


def gather_bits(
    sets: Mapping[str, Path], held_out: Sequence[HeldOut], folders: Mapping[str, Sequence[Path]]
) -> dict[str, Measured]:
    """Return the bits of each document by held-out set, with its code points as weight."""
    return {
        one.name: Measured(
            _load(sets[name_set(one.name)], folders), np.array([len(text) for text in one.documents], float)
        )
        for one in held_out
    }


def gather_probes(probes: Path, folders: Mapping[str, Sequence[Path]]) -> dict[str, Measured]:
    """Return 1 for each pair whose right text is more probable, by kind of probe; equal ones count half."""
    bits = _load(probes, folders)
    gain = bits[..., 1::2] - bits[..., 0::2]
    passed = (gain > 0) + 0.5 * (gain == 0)
    kinds = np.array([one.kind for one in make_pairs()])
    return {kind: Measured(passed[..., kinds == kind], np.ones(int((kinds == kind).sum()))) for kind in KINDS}


def _load(path: Path, folders: Mapping[str, Sequence[Path]]) -> Floats:
    """Return the bits of all sequences, shape (inputs, seeds, sequences)."""
    return np.array([[np.load(folder / f"{path.stem}.npy") for folder in found] for found in folders.values()])


def describe_input(given: Texts, texts: Sequence[str], documents: Sequence[Ids]) -> dict[str, Any]:
    """Return where an input came from and how much it has, as far as it was read."""
    return {
        **given.model_dump(),
        "documents": len(texts),
        "characters": sum(map(len, texts)),
        "tokens": count_tokens(documents),
    }


def describe_set(one: HeldOut) -> dict[str, Any]:
    """Return how much of a held-out set is measured, and how many documents were left out."""
    return {
        "name": one.name,
        "documents": len(one.documents),
        "characters": sum(map(len, one.documents)),
        "overlapping": one.overlapping,
        "unsearched": one.unsearched,
    }


def list_notes(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what limits the result: a code, and the values that its sentence names."""
    each, seen = facts["tokens"]["each_input"], facts["tokens"]["seen"]
    if seen > 1.05 * each:
        smallest = min(facts["inputs"], key=lambda one: one["tokens"])
        yield {"code": "repeats", "input": smallest["name"], "tokens": each, "times": round(seen / each, 1)}
    for one in facts["held_out"]:
        if one["documents"] < FEW:
            yield {"code": "few", "set": one["name"], "documents": one["documents"]}
    if facts["seeds"] == 1:
        yield {"code": "one_seed"}


def tabulate(facts: Mapping[str, Any], key: str) -> Table:
    """Return `bits` or `probes` as a table: a row for each input, and for each difference from the first."""
    unit = "bits per character" if key == "bits" else "share of pairs passed"
    table = Table("input", *facts[key], title=f"{unit}, mean of {facts['seeds']} seeds with 95 % interval")
    names = [one["name"] for one in facts["inputs"]]
    for name in names:
        table.add_row(name, *(format_result(facts[key][one][name]) for one in facts[key]))
    for name in names[1:]:
        found = [facts[key][one][name]["difference"] for one in facts[key]]
        table.add_row(f"{name} − {names[0]}", *(f"{format_result(one, '+')}{mark(one)}" for one in found))
    return table


def format_result(result: Mapping[str, Any], sign: str = "") -> str:
    """Return a mean with its interval.

    >>> format_result({"mean": -0.0312, "low": -0.05, "high": -0.01}, "+")
    '-0.031 [-0.050, -0.010]'
    """
    return "{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]".format(sign=sign, **result)


def mark(difference: Mapping[str, Any]) -> str:
    """Return `*` if the interval leaves out 0, and `=` if all seeds agree in the sign.

    >>> mark({"low": -0.05, "high": -0.01, "same_sign": True}), mark({"low": -1, "high": 1, "same_sign": False})
    (' *=', '')
    """
    clear = difference["low"] > 0 or difference["high"] < 0
    found = ("*" if clear else "") + ("=" if difference["same_sign"] else "")
    return f" {found}" if found else ""
