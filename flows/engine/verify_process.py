"""Verify a release in one or two separate processes with limits on CPU time, memory and temporary files.

A release may be untrusted, and may exhaust the libraries that read it. So the process that reads it can be ended,
and the parent owns its temporary folder and removes it.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path

from flows.engine.limited_process import LimitExceeded, apply_limits, run_limited
from malmoi.errors import CallError
from malmoi.releases import manifest as manifests
from malmoi.releases.verification import untrusted_files
from malmoi.releases.verification.sha256sums import NAME as SUMS
from malmoi.releases.verification.verify import Finding

_MODULE = "flows.engine.verify_process"
_ALONE = 32 << 20  # bytes of a release that one process verifies; of a larger one, two processes share the work


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
    try:  # an unsafe file is a finding of `verify`
        more = (public.hex() if public else "", str(anchors.absolute()) if anchors else "")
        with ThreadPoolExecutor(len(parts)) as pool:
            said = list(pool.map(lambda part: run_limited(_MODULE, [folder], *more, part, refuse=False), parts))
    except LimitExceeded as error:
        says = f"reading it exceeded a limit and was stopped ({error.limit.describe()}); treat it as not verified"
        return [Finding("limits", ".", says)]
    return sorted(Finding(*row) for found in said for row in json.loads(found))


def _verify_in_child(folder: Path, public: bytes | None, anchors: str, part: str) -> list[Finding]:
    import data_cards
    from malmoi.releases.statements.time_stamp import read_anchors
    from malmoi.releases.verification.verify import verify, verify_beside

    if part == "beside":
        return verify_beside(folder)
    held = read_anchors(Path(anchors)) if anchors else ()
    return verify(folder, render=data_cards.render_texts, public=public, anchors=held, beside=part != "data")


if __name__ == "__main__":
    apply_limits(int(sys.argv[1]), int(sys.argv[2]))
    found = _verify_in_child(Path(sys.argv[3]), bytes.fromhex(sys.argv[4]) or None, sys.argv[5], sys.argv[6])
    json.dump([astuple(one) for one in found], sys.stdout)
