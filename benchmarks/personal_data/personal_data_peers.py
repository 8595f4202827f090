"""Detectors of personal data over the same file: Malmoi through its own door, others in an environment of their own.

Others run where `.venv/peer-pii` stands, or in the Python that BENCH_PEER names; without one they are
left out, and that is said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[1] / "peers" / "find_personal_data.py"
RECIPE = str(Path(__file__).parents[1] / "recipes" / "masked.toml")
HOME = Path(__file__).parents[2] / ".venv" / "peer-pii"
OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
MAKE = (
    f"python -m venv {HOME.parent.name}/{HOME.name} && {HOME.parent.name}/{HOME.name}/bin/pip install --no-deps "
    "-r benchmarks/peers/find_personal_data.txt"
)
PEERS = {
    "presidio": "Presidio's Korean recognisers and its e-mail, phone (KR), IP, card ones; no NLP model; score ≥ 0.3",
    "ko-pii": "ko-pii with its defaults",
}


class FinderError(Exception):
    """A detector ended without an answer; the message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers by id, the wall seconds of the whole process, and those of its work where it counts them itself."""

    rows: dict[str, Mapping[str, Any]]
    seconds: float
    working: float


def python() -> Path | None:
    """The Python of the others; None where there is none or BENCH_PEER=none."""
    chosen = os.environ.get("BENCH_PEER") or str(HOME / "bin" / "python")
    return Path(chosen) if chosen != "none" and Path(chosen).is_file() else None


def write(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """{id, text} a line."""
    with path.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps({"id": row["id"], "text": row["text"]}) + "\n")  # ASCII: a lone surrogate survives


def ours(texts: Path) -> Answers:
    """`malmoi try pii` over {id, text} lines, with the values of institutions masked too."""
    begin = time.perf_counter()
    said = _run([sys.executable, "-m", "flows.cli.main", "try", "pii", "--jsonl", str(texts), "--recipe", RECIPE])
    seconds = time.perf_counter() - begin
    return Answers({row["id"]: row for row in _rows(said)}, seconds, seconds)


def theirs(interpreter: Path, system: str, texts: Path) -> Answers:
    """One of PEERS over {id, text} lines; its first line says how long the work took without the start."""
    begin = time.perf_counter()
    said = _run([str(interpreter), str(SCRIPT), system, str(texts)])
    seconds = time.perf_counter() - begin
    first, *rows = _rows(said)
    return Answers({row["id"]: row for row in rows}, seconds, float(first["seconds"]))


def _rows(said: str) -> list[dict[str, Any]]:
    # Not splitlines(): a text may hold a line separator that JSON leaves as it is.
    return [json.loads(line) for line in said.split("\n") if line.strip()]


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **OFFLINE})
    if done.returncode:
        tail = "\n".join(done.stderr.decode("utf-8", "replace").splitlines()[-5:])
        raise FinderError(f"{' '.join(command[:5])} …: status {done.returncode}\n{tail}")
    return done.stdout.decode("utf-8")
