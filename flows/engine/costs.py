"""Cost of a workspace on this machine: CPU and wall seconds of each step, noted as it ends, summed beside each release.

They are measured, so no root covers them: the same input gives the same release at another cost. Not noted are the
nodes of a cluster, and steps that were killed.
"""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from malmoi.canonical_json import canonical_json, spell_on_one_line
from malmoi.ledger import Ledger
from malmoi.processes.workers import cores
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import push
from malmoi.workspace_layout import Layout

RELEASED = "released"  # the line that ends what a version cost
SECONDS = ("cpu_seconds", "wall_seconds")
_noted = 0.0  # CPU seconds of this process and its descendants that lines have


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its descendants so far."""
    found = sum(os.times()[:4])
    for process in psutil.Process().children(recursive=True):
        try:
            found += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return found


def note(file: Path, step: str, wall_seconds: float) -> None:
    """Append a step to the lines of `file`, with the CPU seconds since the one before, or since this process began."""
    global _noted
    before, _noted = _noted, cpu_seconds()
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else ()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    machine = {
        "processor": next(names, platform.processor() or platform.machine()),
        "cores": cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    seconds = dict(zip(SECONDS, (round(max(0.0, _noted - before), 3), round(wall_seconds, 3)), strict=True))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(spell_on_one_line({"step": step, **seconds, "machine": machine}) + "\n")


def sum_steps(layout: Layout, stages: Sequence[tuple[str, Sequence[Ledger]]]) -> list[dict[str, Any]]:
    """Return the steps in the order of their first line: their seconds, and the bytes of the finished shards.

    SECONDS are those since the release before, `whole_cpu_seconds` those since the workspace began.
    """
    steps: dict[str, Counter[str]] = {}
    for line in _read_lines(layout.costs):
        if line["step"] == RELEASED:
            for one in steps.values():
                for name in SECONDS:
                    one[name] = 0
        else:
            cost = steps.setdefault(line["step"], Counter())
            cost.update({name: line[name] for name in SECONDS})
            cost["whole_cpu_seconds"] += line["cpu_seconds"]
    size = {stage: sum(file.bytes for ledger in found for file in ledger.files) for stage, found in stages}
    return [
        {"step": step, "bytes": size.get(step), **{key: round(value, 3) for key, value in cost.items()}}
        for step, cost in steps.items()
    ]


def write(layout: Layout, release: dict[str, Any], stages: Sequence[tuple[str, Sequence[Ledger]]]) -> None:
    """Write the cost of a release (its name, version, root, characters) beside its folder, outside its root."""
    steps = sum_steps(layout, stages)
    whole = {key: round(sum(one[key] for one in steps), 3) for key in (*SECONDS, "whole_cpu_seconds")}
    for one in (whole, *steps):
        one["cpu_seconds_per_million_characters"] = round(one["whole_cpu_seconds"] * 1e6 / release["characters"], 3)
    machines = {spell_on_one_line(line["machine"]): line["machine"] for line in _read_lines(layout.costs)}
    place = layout.cost(release["name"], release["version"])
    replace_file(place, canonical_json({**release, **whole, "steps": steps, "machines": list(machines.values())}))
    note(layout.costs, RELEASED, 0.0)
    push(place)
    push(layout.costs)


def _read_lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            yield json.loads(line)
        except ValueError:  # the machine went down while it was written
            continue
