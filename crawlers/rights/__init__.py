"""Detect licences, refusals and opt-outs on pages, in headers and beside sources; report evidence and signals."""

import hashlib
from functools import cache
from pathlib import Path

VERSION = 3  # increment it when marks, claims or signals are read differently: every format depends on it


@cache
def rules_digest() -> str:
    """Return the sha256 (hex) of the files of rules; a change of one decides as a change of the code does."""
    files = sorted(Path(__file__).parent.rglob("*.toml"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
