"""datatrove with FineWeb2's Korean thresholds over the same archive: its environment, its run, the comparison.

The peer has an environment of its own, `.venv/peer`, made once from `peers/datatrove.txt`.
BENCH_PEER names the Python of another one; BENCH_PEER=none leaves the peer out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks import measure

SCRIPT = Path(__file__).parent / "peers" / "datatrove_stage.py"
REQUIREMENTS = SCRIPT.with_name("datatrove.txt")
HOME = Path(__file__).parent.parent / ".venv" / "peer"
STAGES = ("extract", "quality", "sign")  # in this order; each reads the folder of the one before
OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
NOTE = (
    "datatrove runs one process a stage, Malmoi two workers: compare CPU, not wall time. Its language identification "
    "is left out, for the model of GlotLID has to be downloaded; so is removing the duplicates that it signs."
)
# What of Malmoi's stages does the work of which stage of datatrove; a name that is not here is filtering.
WORK = {
    "extract": ("collect", "2-documents"),
    "sign": ("survey of exact copies", "survey of copies", "5-curated", "6-release"),
}
LABELS = {
    "extract": "archive to text",
    "quality": "cleaning, filters",
    "sign": "copies, Parquet",
    "rest": "start, end",  # datatrove's is in its stages
}


class PeerError(Exception):
    """The peer cannot run; the message says why and what to do."""


def python() -> Path | None:
    """The Python of the peer's environment, which is made if it is missing; None where the peer is not wanted."""
    chosen = os.environ.get("BENCH_PEER", "")
    if chosen == "none":
        return None
    if chosen:
        if not Path(chosen).is_file():
            raise PeerError(f"BENCH_PEER names {chosen}, where no Python is; name one, or BENCH_PEER=none.")
        return Path(chosen)
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    stamp, found = HOME / ".installed", HOME / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"Installing datatrove into {HOME} (about 800 MB, once) …", flush=True)
        pip = [str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        for command in ([sys.executable, "-m", "venv", "--clear", str(HOME)], [*pip, "-r", str(REQUIREMENTS)]):
            if subprocess.run(command, check=False).returncode:
                raise PeerError("datatrove could not be installed (see above); BENCH_PEER=none runs without it.")
        stamp.write_text(wanted, encoding="utf-8")
    return found


def run(interpreter: Path, archive: Path, folder: Path, pages: int) -> dict[str, Any]:
    """The three stages one after another, measured as Malmoi is; PeerError with the end of its log where one fails."""
    stages: dict[str, float] = {}
    peak, before = 0.0, archive.resolve()
    folder.mkdir()
    for name in STAGES:
        log, out = folder / f"{name}.log", folder / name
        usage = measure.run([str(interpreter), str(SCRIPT), name, str(before), str(out)], OFFLINE, log)
        if usage.status:
            said = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise PeerError(f"datatrove's stage {name} ended with status {usage.status}:\n{said}")
        stages[name], peak, before = usage.cpu, max(peak, usage.peak_mb), out
    cpu = sum(stages.values())
    return {
        "pages": pages,
        "cpu_ms_per_page": 1000 * cpu / pages,
        "pages_per_s_per_core": pages / cpu,
        "peak_mb": peak,
        "stages": stages,
        **measure.kept(sorted(before.glob("text/*.parquet"))),
    }


def grouped(stages: Mapping[str, float], cpu: float) -> dict[str, float]:
    """Malmoi's CPU seconds by the work that datatrove's stages do; `rest` is what lies outside of stages.

    >>> grouped({"2-documents": 3.0, "3-clean": 1.0, "survey of copies": 2.0}, 7.0)
    {'extract': 3.0, 'quality': 1.0, 'sign': 2.0, 'rest': 1.0}
    """
    found = dict.fromkeys(LABELS, 0.0)
    for name, seconds in stages.items():
        found[next((work for work, heads in WORK.items() if name.startswith(heads)), "quality")] += seconds
    found["rest"] = cpu - sum(stages.values())
    return found


def table(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Table:
    """Both side by side, from what results.json holds of each."""
    pages = ours["pages"]
    total = ours["cpu_ms_per_page"] * pages / 1000
    made = Table("", "Malmoi", "datatrove", "ratio", title=f"{pages:,} pages; ratio = datatrove / Malmoi")
    for column in made.columns:
        column.no_wrap, column.justify = True, "right" if column.header else "left"
    for work, mine in grouped(ours["stages"], total).items():
        _add(
            made, f"CPU ms a page: {LABELS[work]}", 1000 * mine / pages, 1000 * theirs["stages"].get(work, 0) / pages, 2
        )
    _add(made, "CPU ms a page: all", ours["cpu_ms_per_page"], theirs["cpu_ms_per_page"], 2)
    _add(made, "peak memory, MB", ours["peak_mb"], theirs["peak_mb"])
    _add(made, "pages kept", ours["kept"], theirs["kept"])
    _add(made, "characters kept", ours["kept_chars"], theirs["kept_chars"])
    _add(made, "of them in distinct lines", ours["kept_distinct_chars"], theirs["kept_distinct_chars"])
    return made


def _add(made: Table, what: str, mine: float, theirs: float, digits: int = 0) -> None:
    ratio = f"{theirs / mine:.2f}×" if mine > 0 and theirs else "-"
    made.add_row(what, f"{mine:,.{digits}f}", f"{theirs:,.{digits}f}", ratio)
