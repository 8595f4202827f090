"""Verify a release in a separate process with limits on CPU time, memory and temporary files.

A release may be untrusted, and may exhaust the libraries that read it. So the process that reads it can be ended,
and the parent owns its temporary folder and removes it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory

from malmoi import limits
from malmoi.errors import CallError, StageError
from malmoi.processes.import_path import PYTHON
from malmoi.processes.rlimits import lower_limit
from malmoi.releases import manifest as manifests
from malmoi.releases.verification import untrusted_files
from malmoi.releases.verification.sha256sums import NAME as SUMS
from malmoi.releases.verification.verify import Finding

_SIZE_PER_SECOND = 256 << 10  # bytes of files per additional second of CPU
_SPILL_FACTOR = 4  # temporary bytes per byte of the release
_PATIENCE = 10  # seconds of wall clock per second of CPU: a busy machine, a slow disk


def find_problems(folder: Path, public: bytes | None = None) -> list[Finding]:
    """Return the problems of a release; empty if it verifies. With `public`, that key must have signed it.

    CallError if `folder` is not a release. A release that exceeds a limit gives a finding that names the limit.
    """
    if not folder.is_dir() or not any((folder / n).exists() for n in (SUMS, manifests.NAME, "card.json")):
        raise CallError(
            f"{folder} is not a release: it has neither {SUMS} nor {manifests.NAME}. Name the folder of one version, "
            "such as workspace/6-releases/general/1.0.0."
        )
    size = untrusted_files.size(folder)
    seconds = limits.VERIFY_SECONDS.value + size // _SIZE_PER_SECOND
    spill = limits.VERIFY_SPILL.value + _SPILL_FACTOR * size
    with TemporaryDirectory(prefix="malmoi-verify-") as tmp:
        command = [*PYTHON, "-m", "flows.engine.verify_process", str(folder.absolute()), str(seconds), str(spill)]
        command.append(public.hex() if public else "")
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                env={**os.environ, "TMPDIR": tmp},
                timeout=_PATIENCE * seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [_limit_finding(limits.VERIFY_SECONDS)]
    if done.returncode == -signal.SIGXCPU:
        return [_limit_finding(limits.VERIFY_SECONDS)]
    if done.returncode < 0:  # a library that gets no memory may abort its process
        return [_limit_finding(limits.VERIFY_MEMORY)]
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        raise StageError(
            f"{folder}: the verifying process ended with status {done.returncode} ({last}); the release is not "
            "verified. Fix the cause that it names, and run the same command again."
        )
    return [Finding(*row) for row in json.loads(done.stdout)]


def _limit_finding(limit: limits.InputLimit) -> Finding:
    return Finding(
        "limits", ".", f"reading it exceeded a limit and was stopped ({limit.describe()}); treat it as not verified"
    )


def _verify_in_child(folder: Path, seconds: int, spill: int, public: bytes | None) -> list[Finding]:
    """Set the limits of this child process, then verify."""
    import data_cards
    from malmoi.releases.verification.verify import verify
    from malmoi.storage import duckdb_tables

    lower_limit(resource.RLIMIT_CPU, seconds)
    lower_limit(resource.RLIMIT_AS, limits.VERIFY_MEMORY.value)
    duckdb_tables.limit_spill(spill)
    return verify(folder, render=data_cards.render_card, public=public)


if __name__ == "__main__":
    found = _verify_in_child(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4]) or None)
    json.dump([astuple(one) for one in found], sys.stdout)
