"""Bytes of a file that are in no chunk of its earlier version: what a store with content-defined chunks must take anew.

Chunks end where a rolling Gear hash has 16 zero bits, as in stores of dataset hubs: about 64 KiB, at least 8 and at
most 128 KiB. So an insertion or a deletion changes only the chunks around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LEAST, MOST, WINDOW = 8 << 10, 128 << 10, 64
_GEAR = np.random.default_rng(0).integers(0, 1 << 63, 256, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_MASK = np.uint64(0xFFFF << 48)


def list_chunks(content: bytes) -> Iterator[bytes]:
    """Yield the chunks of `content`, in order.

    >>> content = np.random.default_rng(1).bytes(1 << 20)
    >>> b"".join(list_chunks(content)) == content, len(list(list_chunks(content))) > 8
    (True, True)
    """
    places, start = _find_cuts(content), 0
    while start < len(content):
        end = min(start + MOST, len(content))
        at = np.searchsorted(places, start + LEAST)
        if at < len(places) and places[at] < end:
            end = int(places[at])
        yield content[start:end]
        start = end


def _find_cuts(content: bytes) -> np.ndarray:
    """Return the places behind which the hash of the last WINDOW bytes asks for a cut.

    hash = sum of gear[byte] << age, so that bytes older than 64 have left it.
    """
    gear, found = _GEAR[np.frombuffer(content, np.uint8)], []
    step = 1 << 22
    for at in range(0, len(gear), step):
        part = gear[max(0, at - WINDOW + 1) : at + step]
        width = 1  # the hash of the last `width` bytes
        hashes = part.copy()
        while width < WINDOW:  # h2(i) = h(i) + (h(i - width) << width)
            older = hashes[:-width] << np.uint64(width)
            hashes[width:] += older
            width *= 2
        cuts = np.flatnonzero((hashes & _MASK) == 0) + max(0, at - WINDOW + 1) + 1
        found.append(cuts[cuts > at])
    return np.concatenate(found) if found else np.empty(0, np.int64)


def measure_new_bytes(before: Path, after: Path) -> tuple[int, int]:
    """Return (bytes in chunks of `after` that `before` does not have, bytes of `after`)."""
    known = {hashlib.sha256(chunk).digest() for chunk in list_chunks(before.read_bytes())}
    content = after.read_bytes()
    new = sum(len(chunk) for chunk in list_chunks(content) if hashlib.sha256(chunk).digest() not in known)
    return new, len(content)
