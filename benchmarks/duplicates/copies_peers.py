"""Finders of copies run over the same file: Malmoi through its own door, others in an environment of their own.

Others run where `.venv/peer-copies` stands, or in the Python that BENCH_PEER names; without one they
are left out, and that is said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.duplicates.copies_plant import Text

SCRIPT = Path(__file__).parents[1] / "peers" / "find_copies.py"
HOME = Path(__file__).parents[2] / ".venv" / "peer-copies"
OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
MAKE = (
    f"python -m venv {HOME.parent.name}/{HOME.name} && {HOME.parent.name}/{HOME.name}/bin/pip install --no-deps "
    "-r benchmarks/peers/find_copies.txt"
)
PEERS = {
    "datatrove": "datatrove 0.10.1, words between blanks, 14 × 8",
    "text-dedup": "as text-dedup, five words, 0.7, not verified",
    "rensa-words": "rensa 0.5.0, words, 0.8",
    "rensa-letters": "rensa 0.5.0, our shingles, 0.8",
    "datasketch-characters": "datasketch 2.0.0 LSH, five characters, 0.8",
    "datasketch-letters": "datasketch 2.0.0 LSH, our shingles, 0.8",
}


class FinderError(Exception):
    """A finder ended without an answer; the message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Found:
    """The keeper of each text, and what it took with the start of the process: wall seconds."""

    keepers: dict[str, str]
    seconds: float


def python() -> Path | None:
    """The Python of the others; None where there is none or BENCH_PEER=none."""
    chosen = os.environ.get("BENCH_PEER") or str(HOME / "bin" / "python")
    return Path(chosen) if chosen != "none" and Path(chosen).is_file() else None


def write(texts: Sequence[Text], path: Path) -> None:
    """{id, text} a line."""
    with path.open("w", encoding="utf-8") as stream:
        for text in texts:
            stream.write(json.dumps({"id": text.id, "text": text.text}) + "\n")  # ASCII: a lone surrogate survives


def ours(texts: Path) -> Found:
    """`malmoi try duplicates` over {id, text} lines."""
    command = [sys.executable, "-m", "flows.cli.main", "try", "duplicates", "--jsonl", str(texts)]
    begin = time.perf_counter()
    said = _run(command)
    rows = [json.loads(line) for line in said.splitlines() if line.strip()]
    return Found({row["id"]: row["cluster"] for row in rows}, time.perf_counter() - begin)


def theirs(interpreter: Path, system: str, texts: Path) -> Found:
    """One of PEERS over {id, text} lines."""
    target = texts.with_name(f"{system}.jsonl")
    begin = time.perf_counter()
    _run([str(interpreter), str(SCRIPT), system, str(texts), str(target)])
    seconds = time.perf_counter() - begin
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    return Found({row["id"]: row["keeper"] for row in rows}, seconds)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **OFFLINE})
    if done.returncode:
        tail = "\n".join(done.stderr.decode("utf-8", "replace").splitlines()[-5:])
        raise FinderError(f"{command[-3] if len(command) > 3 else command[0]}: status {done.returncode}\n{tail}")
    return done.stdout.decode("utf-8")
