"""Read releases that may be a stranger's in a child process with limits on CPU time, memory and temporary files.

A release may exhaust the libraries that read it, so the process that reads it can be ended, and the parent owns its
temporary folder and removes it. `malmoi verify`, `diff` and `contains` are answered so.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from malmoi import limits
from malmoi.errors import CallError, DataError, MalmoiError, StageError
from malmoi.processes.import_path import PYTHON
from malmoi.processes.rlimits import lower_limit
from malmoi.releases import manifest as manifests
from malmoi.releases.verification import untrusted_files
from malmoi.releases.verification.sha256sums import NAME as SUMS
from malmoi.releases.verification.verify import Finding

_MODULE = "flows.limited_process"
_ALONE = 32 << 20  # bytes of a release that one process verifies; of a larger one, two processes share the work
_SIZE_PER_SECOND = 256 << 10  # bytes of files per additional second of CPU
_SPILL_FACTOR = 4  # temporary bytes per byte of the releases
_PATIENCE = 10  # seconds of wall clock per second of CPU: a busy machine, a slow disk


class LimitExceeded(DataError):
    """Reading a release was stopped by `limit`."""

    def __init__(self, says: str, limit: limits.InputLimit) -> None:
        super().__init__(says)
        self.limit = limit


def find_problems(folder: Path, public: bytes | None = None, anchors: Path | None = None) -> list[Finding]:
    """Return the problems of a release; empty if it verifies.

    With `public`, that key must have signed it; with `anchors`, a file of certificates, an authority under them must
    have stamped the signature.

    CallError if `folder` is not a release. A release that exceeds a limit gives a finding that names the limit.
    """
    if not folder.is_dir() or not any((folder / n).exists() for n in (SUMS, manifests.NAME, "card.json")):
        raise CallError(
            f"{folder} is not a release: it has neither {SUMS} nor {manifests.NAME}. Name the folder of one version, "
            "such as workspace/6-releases/general/1.0.0."
        )
    parts = ("",) if untrusted_files.size(folder) < _ALONE else ("data", "beside")
    more = (public.hex() if public else "", str(anchors.absolute()) if anchors else "")
    try:
        with ThreadPoolExecutor(len(parts)) as pool:
            answers = list(pool.map(lambda part: _run_limited("verify", [folder], *more, part), parts))
    except LimitExceeded as error:
        says = f"reading it exceeded a limit and was stopped ({error.limit.describe()}); treat it as not verified"
        return [Finding("limits", ".", says)]
    return sorted(Finding(*row) for rows in answers for row in rows)


def compare_releases(before: Path, after: Path) -> dict[str, Any]:
    """Return the value of `malmoi diff --json`; DataError if a release cannot be read within the limits."""
    value: dict[str, Any] = _run_limited("compare", [before, after])
    return value


def ask_release(release: Path, kind: str, work: str) -> tuple[dict[str, Any], list[str]]:
    """Return the statement about a work, named by its `url` or its `text`, and the lines that say it to a person.

    CallError if the release cannot answer, DataError if it cannot be read within the limits.
    """
    statement, lines = _run_limited("ask", [release], kind, given=work.encode("utf-8", "surrogatepass"))
    return statement, lines


def _run_limited(task: str, folders: Sequence[Path], *arguments: str, given: bytes = b"") -> Any:
    """Return the answer of a task of this module from a child process, which has `given` as input.

    LimitExceeded if a limit stops it, StageError if the process fails otherwise; DataError if a release has an unsafe
    file, which `verify` lists as a finding.
    """
    for folder in folders if task != "verify" else ():
        untrusted_files.refuse(folder)
    size = sum(map(untrusted_files.size, folders))
    seconds = limits.VERIFY_SECONDS.value + size // _SIZE_PER_SECOND
    spill = limits.VERIFY_SPILL.value + _SPILL_FACTOR * size
    named = " and ".join(map(str, folders))
    with TemporaryDirectory(prefix="malmoi-limited-") as tmp:
        places = [str(folder.absolute()) for folder in folders]
        command = [*PYTHON, "-m", _MODULE, task, str(seconds), str(spill), *places, *arguments]
        env = {**os.environ, "TMPDIR": tmp}
        try:
            patience = _PATIENCE * seconds
            done = subprocess.run(command, input=given, capture_output=True, env=env, timeout=patience, check=False)
        except subprocess.TimeoutExpired:
            raise _limit_error(named, limits.VERIFY_SECONDS) from None
    if done.returncode == -signal.SIGXCPU:
        raise _limit_error(named, limits.VERIFY_SECONDS)
    last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
    # A library that gets no memory may abort its process; the C library then ends it with 127.
    if done.returncode < 0 or done.returncode == 127 or (done.returncode and last.startswith("MemoryError")):
        raise _limit_error(named, limits.VERIFY_MEMORY)
    if done.returncode:
        raise StageError(
            f"{named}: the process that reads them ended with status {done.returncode} ({last}). Fix the cause that it "
            "names, and run the same command again."
        )
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise (CallError if answer["call"] else DataError)(answer["error"])
    return answer["value"]


def _limit_error(named: str, limit: limits.InputLimit) -> LimitExceeded:
    return LimitExceeded(f"{named}: reading exceeded a limit and was stopped ({limit.describe()}).", limit)


def compare_folders(before: Path, after: Path) -> dict[str, Any]:
    """Compare two releases in this process: the differences, those of the recipes in words, and of the changelog."""
    from flows.recipe_text import compare_sides, read_release
    from malmoi.releases import changelog
    from malmoi.releases.compare import compare
    from malmoi.releases.verification import sha256sums

    for folder in (before, after):
        if lost := sha256sums.describe_withdrawn(folder):
            raise DataError(
                f"{folder}: {lost}; what is left of it cannot be compared. Compare whole versions, or read the "
                "CHANGELOG.md of the later one."
            )
    found = compare(before, after)
    sides = (
        replace(read_release(folder), name=f"{one.name} {one.version}")
        for folder, one in ((before, found.before), (after, found.after))
    )
    checked = changelog.check_against(after, found)
    return {**found.to_value(), "changelog": checked, "recipe": list(compare_sides(*sides))}


def _answer(task: str, seconds: str, spill: str, *arguments: str) -> dict[str, Any]:
    """Return what a child process answers: the value of its task, or the message of an error."""
    lower_limit(resource.RLIMIT_CPU, int(seconds))
    lower_limit(resource.RLIMIT_AS, limits.VERIFY_MEMORY.value)
    if task != "ask":  # which does not use DuckDB, whose import takes long
        from malmoi.storage import duckdb_tables

        duckdb_tables.limit_spill(int(spill))
    folder = Path(arguments[0])
    if task == "verify":
        import data_cards
        from malmoi.releases.time_stamp import read_anchors
        from malmoi.releases.verification.verify import verify, verify_beside

        _, public, anchors, part = arguments
        if part == "beside":
            return {"value": [astuple(one) for one in verify_beside(folder)]}
        key, authorities = bytes.fromhex(public) or None, read_anchors(Path(anchors)) if anchors else ()
        render, beside = data_cards.render_texts, part != "data"
        found = verify(folder, render=render, public=key, anchors=authorities, beside=beside)
        return {"value": [astuple(one) for one in found]}
    try:
        if task == "compare":
            return {"value": compare_folders(*map(Path, arguments))}
        from flows import contains

        work = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
        with untrusted_files.translate_errors(folder):
            said = (contains.ask_address if arguments[1] == "url" else contains.ask_text)(folder, work)
        return {"value": (said, list(contains.spell_answer(folder, said["predicate"])))}
    except MalmoiError as error:
        return {"error": str(error), "call": task == "ask" and isinstance(error, CallError)}


if __name__ == "__main__":
    json.dump(_answer(*sys.argv[1:]), sys.stdout, sort_keys=sys.argv[1] == "compare")
