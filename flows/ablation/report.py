"""Report an ablation: tables for the terminal, a page, and what a workspace keeps for the next card of a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from data_cards.reports import write_report
from data_cards.words import load_words
from flows.ablation.texts import read_plan
from malmoi.ablation import MEAN, select_result
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace, push
from malmoi.workspace_layout import Layout


def tabulate(facts: Mapping[str, Any], key: str) -> Table:
    """Return `bits` or `probes` as a table: a row for each input, and for each difference from the first."""
    unit, results = "bits per character" if key == "bits" else "share of pairs passed", facts[key].values()
    table = Table("input", *facts[key], title=f"{unit}, mean of {facts['seeds']} seeds with 95 % interval")
    first, *others = (given["name"] for given in facts["inputs"])
    for name in (first, *others):
        table.add_row(name, *(format_result(result[name]) for result in results))
    for name in others:
        differences = [result[name]["difference"] for result in results]
        table.add_row(f"{name} − {first}", *(f"{format_result(one, '+')}{mark(one)}" for one in differences))
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
    marks = ("*" if is_clear(difference) else "") + ("=" if difference["same_sign"] else "")
    return f" {marks}" if marks else ""


def is_clear(difference: Mapping[str, Any]) -> bool:
    """Return whether the interval of a difference leaves out 0."""
    return bool(difference["low"] > 0 or difference["high"] < 0)


def list_notes(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what limits the result, in English."""
    return (str(load_words("en").say(code, **values)) for code, values in _sentences(facts))


def _sentences(facts: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for note in facts["notes"]:
        yield (
            f"ablation_note_{note['code']}",
            {key: f"{value:,}" if isinstance(value, int) else str(value) for key, value in note.items()},
        )


def write(facts: Mapping[str, Any], results: Path) -> Path:
    """Write index.html and index.ko.html of ablation.json, and return the first."""
    page = results / "index.html"
    rules = {"format_result": format_result, "is_clear": is_clear}
    write_report("ablation.html", page, d=facts, mean=MEAN, notes=list(_sentences(facts)), **rules)
    return page


def find_releases(plan_path: Path, root: Path) -> dict[str, Manifest]:
    """Return the inputs of a plan that are versions of releases of the workspace at `root`: name → manifest.

    A version that only the first input has is left out: differences are from that one. An input that is a part of a
    folder, such as data/*.parquet, is not a version. CallError if none is left.
    """
    known = {_identify(made) for made in map(_read_manifest, Layout(root).release_folders(manifests.NAME)) if made}
    first, *others = read_plan(plan_path).input
    versions = {given.name: _read_manifest(plan_path.parent / given.path) for given in (first, *others)}
    later = known & {_identify(made) for given in others if (made := versions[given.name])}
    releases = {name: made for name, made in versions.items() if made and _identify(made) in later}
    if not releases:
        raise CallError(
            f"no input of {plan_path} after the first is a release of {root}, so no card can state a difference from "
            "the first. Name the folder of a version as `path` of a later input, or leave --workspace out."
        )
    return releases


def keep_result(facts: Mapping[str, Any], releases: Mapping[str, Manifest], root: Path) -> Iterator[Path]:
    """Keep the result in the workspace at `root`, in the place of an earlier one, and yield a file for each version.

    `facts`: the content of ablation.json; `releases`: of `find_releases`.
    """
    workspace = Workspace.open(root)
    with workspace.lock():
        for release, version, merkle in dict.fromkeys(map(_identify, releases.values())):
            names = [name for name, made in releases.items() if _identify(made) == (release, version, merkle)]
            target = workspace.ablation(release, version)
            replace_file(target, canonical_json(asdict(select_result(facts, version, merkle, names))))
            push(target)
            yield target


def _identify(made: Manifest) -> tuple[str, str, str]:
    return made.name, made.version, made.root


def _read_manifest(folder: Path) -> Manifest | None:
    try:
        return manifests.read(folder)
    except DataError:  # not a release, or not a readable one; `malmoi verify` says why
        return None
