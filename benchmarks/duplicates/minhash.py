"""`python -m benchmarks.duplicates.minhash [FILE…]`: MinHash signatures beside those of five other libraries.

Texts are pieces of 2,000 code points of the FILEs (UTF-8), or of the prose of the corpora beside the project. Every
system is a process that holds all texts; they take turns, round by round, so that a busy machine slows all of
them, and the median of the rounds counts. What is measured is CPU from `str` to signature; systems that are
given more than the text stand apart.

Others run where `.venv/peer-minhash` stands, or in the Python that BENCH_PEER names, else in this one; what is not
installed there is left out, and that is said.
"""

from __future__ import annotations

import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.sources.corpora import CORPORA

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parents[1] / "peers" / "sign_texts.py"
HOME = ROOT / ".venv" / "peer-minhash"
MAKE = (
    "python -m venv .venv/peer-minhash && .venv/peer-minhash/bin/pip install --no-deps "
    "-r benchmarks/peers/sign_texts.txt"
)
PIECE = 2000  # code points
LEAST = 2_000_000  # code points of a round; fewer are taken again and again
PAIRS = 400
ROUNDS = 7
SECONDS = 1.0  # of CPU that a slow system has in a round; fast ones sign all texts
LENGTHS = (100, 500, 2000, 20_000)  # code points, for the second table
SINGLE, BULK = "malmoi", "malmoi-bulk"
# Name, shingles, and whether datasketch's index opens the signatures as they are.
SYSTEMS = {
    SINGLE: ("Malmoi, text by text", "5 letters", True),
    BULK: ("Malmoi, many texts a call", "5 letters", True),
    "malmoi-sketch": ("Malmoi, whole row of the survey", "5 letters", True),
    "datasketch-sha1": ("datasketch, sha1 (its default)", "5 characters", True),
    "datasketch-xxh32": ("datasketch, xxh32", "5 characters", True),
    "rensa-object": ("rensa RMinHash", "5 characters", False),
    "rensa-c": ("rensa CMinHash", "5 characters", False),
    "rensa-matrix": ("rensa, digest matrix", "5 characters", False),
    "rensa-rho": ("rensa, digest matrix rho", "5 characters", False),
    "rensa-matrix-words": ("rensa, digest matrix", "1 word", False),
    "rensa-rho-words": ("rensa, digest matrix rho", "1 word", False),
    "daft-words": ("daft, xxhash3", "5 words", False),
    "daft-words-murmur": ("daft, murmur3 (its default)", "5 words", False),
    "daft-characters": ("daft, xxhash3, spaced out", "5 characters", False),
    "datatrove-blanks": ("datatrove, words between blanks", "5 words", False),
    "datatrove-kiwi": ("datatrove, its Korean words", "5 words", False),
    "minhashlib": ("minhashlib", "5 characters", False),
    "malmoi-letters": ("Malmoi, letters given", "5 letters", True),
    "rensa-hashed": ("rensa, digest matrix, hashes given", "5 characters", False),
    "rensa-hashed-rho": ("rensa, matrix rho, hashes given", "5 characters", False),
}
GIVEN = ("malmoi-letters", "rensa-hashed", "rensa-hashed-rho")  # more than the text
out = Console(highlight=False)


@dataclass
class Runner:
    """A process that signs on command; `cpu` are seconds a text, one of each round."""

    process: subprocess.Popen[str]
    count: int = 0  # texts a round
    cpu: list[float] = field(default_factory=list)

    def ask(self, command: str) -> float:
        """The answer to a command; EOFError where the process has ended."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline() or _ended(self.process)))

    def end(self) -> None:
        self.process.communicate()


def _ended(process: subprocess.Popen[str]) -> str:
    raise EOFError(f"{process.args}: status {process.wait()}")  # type: ignore[str-bytes-safe]


def start(system: str, held: Path) -> Runner | str:
    """The process of a system once it is ready, or why there is none."""
    chosen = os.environ.get("BENCH_PEER") or str(HOME / "bin" / "python")
    peer = not system.startswith("malmoi")
    python = chosen if peer and chosen != "none" and Path(chosen).is_file() else sys.executable
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    process = subprocess.Popen(
        [python, str(SCRIPT), system, str(held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=env,
    )
    assert process.stdout
    if process.stdout.readline():
        return Runner(process)
    return (process.communicate()[1].strip().splitlines() or ["ended without a word"])[-1]


def prose() -> list[str]:
    """Long texts of the corpora: reviews, news, tales, reports, the constitution."""
    csv.field_size_limit(sys.maxsize)
    found = []
    for path in sorted((CORPORA / "boddari").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            found += [max(row, key=len) for row in csv.reader(lines)]
    paths = [*sorted((CORPORA / "boddari" / "unesco").glob("*.txt")), CORPORA / "law-ko" / "constitution.txt"]
    return found + [path.read_text(encoding="utf-8", errors="replace") for path in paths if path.exists()]


def pieces(texts: Sequence[str], length: int) -> list[str]:
    """Texts one after another, cut into pieces of `length` code points; the rest is left out.

    >>> pieces(["가나", "다라"], 2)
    ['가나', '\\n다']
    """
    joined = "\n".join(texts)
    return [joined[at : at + length] for at in range(0, len(joined) - length + 1, length)]


def pairs(texts: Sequence[str], count: int) -> list[tuple[str, str]]:
    """Texts and what begins like them and ends like another, by all shares alike."""
    dice = random.Random(1)
    made = []
    for i in range(count):
        one, other = dice.sample(texts, 2)
        shared = len(one) * (i + 1) // count
        made.append((one, one[:shared] + other[shared:]))
    return made


def measured(systems: Sequence[str], texts: Sequence[str], held: Path) -> tuple[dict[str, Runner], dict[str, str]]:
    """Each system after all rounds, still running; and why others are left out."""
    runners: dict[str, Runner] = {}
    without: dict[str, str] = {}
    for system in systems:
        began = start(system, held)
        if isinstance(began, str):
            without[system] = began
            continue
        most = len(texts) * -(-LEAST // sum(map(len, texts)))
        first = min(20, most)
        taken = began.ask(f"sign {first}") / first
        began.count = max(first, min(most, int(SECONDS / max(taken, 1e-9))))
        runners[system] = began
    for _ in range(ROUNDS):
        for runner in runners.values():
            runner.cpu.append(runner.ask(f"sign {runner.count}") / runner.count)
    return runners, without


def speed(texts: Sequence[str], held: Path) -> None:
    """Print the table of all systems, what is left out, and whether the bar is held."""
    runners, without = measured(list(SYSTEMS), texts, held)
    ours = statistics.median(runners[SINGLE].cpu)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / len(texts)
    table = Table(
        *("system", "shingles", "MB/s", "ms a text", "time / ours", "datasketch opens it", "RMSE", "MB signed"),
        title=f"{len(texts):,} texts of {PIECE:,} code points, {size:,.0f} bytes; CPU; ours = text by text",
    )
    for column in table.columns[2:]:
        column.justify = "right"
    taken = {system: statistics.median(runner.cpu) for system, runner in runners.items()}
    for system, runner in runners.items():
        name, shingles, opens = SYSTEMS[system]
        cpu, signed = taken[system], size * runner.count * ROUNDS / 1e6
        figures = (f"{size / cpu / 1e6:,.1f}", f"{1000 * cpu:.4f}", f"{cpu / ours:.2f}×", "yes" if opens else "no")
        table.add_row(name, shingles, *figures, f"{runner.ask('rmse'):.4f}", f"{signed:,.0f}")
        runner.end()
    out.print(table)
    for system, why in without.items():
        out.print(f"left out: {SYSTEMS[system][0]}, {SYSTEMS[system][1]}: {why}")
    if without:
        out.print(f"To have them: {MAKE}", soft_wrap=True)
    others = {system: cpu for system, cpu in taken.items() if not system.startswith("malmoi") and system not in GIVEN}
    if others:
        least = min(others, key=lambda system: others[system])
        out.print(
            f"Fastest other from text: {SYSTEMS[least][0]}, {SYSTEMS[least][1]}; {others[least] / ours:.2f}× our time."
        )


def lengths(texts: Sequence[str], folder: Path) -> None:
    """Print what a text costs by its length, one by one and many a call."""
    table = Table("code points", "texts", "text by text, MB/s", "many a call, MB/s", title="Malmoi by length of text")
    for length in LENGTHS:
        held = folder / f"{length}.json"
        if not (some := pieces(texts, length)):
            continue
        write(some, held)
        size = sum(len(text.encode("utf-8", "surrogatepass")) for text in some) / len(some)
        runners, _ = measured([SINGLE, BULK], some, held)
        figures = [f"{size / statistics.median(runners[system].cpu) / 1e6:,.1f}" for system in (SINGLE, BULK)]
        table.add_row(f"{length:,}", f"{len(some):,}", *figures)
        for runner in runners.values():
            runner.end()
    out.print(table)


def write(texts: list[str], path: Path) -> None:
    """`texts`, again and again up to LEAST, and their pairs as the script reads them."""
    times = -(-LEAST // sum(map(len, texts)))
    held = {"texts": texts * times, "pairs": pairs(texts, PAIRS) if len(texts) > 1 else []}
    path.write_text(json.dumps(held), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Print both tables."""
    whole = [Path(name).read_text(encoding="utf-8") for name in arguments] or prose()
    texts = pieces(whole, PIECE)
    if len(texts) < 2:
        print("benchmarks: no corpora beside the project; name files of Korean prose, 4,000 characters at least.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "texts.json"
        write(texts, held)
        speed(texts, held)
        lengths(whole, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
