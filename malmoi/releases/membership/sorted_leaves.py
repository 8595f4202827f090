"""Sort the leaves of a release in bounded memory: files by the first bits of a leaf, each sorted on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import Final

import numpy as np
import numpy.typing as npt

from malmoi.releases.membership.merkle_paths import BLOCK

PART: Final = 1 << 20  # leaves that are sorted at a time
ROW: Final = np.dtype([("leaf", "u1", 32), ("document", "<i4")])  # packed: 36 bytes
Rows = npt.NDArray[np.void]


def make_rows(leaves: bytes, documents: npt.NDArray[np.int64]) -> Rows:
    """Return joined leaves with the numbers of their documents, shape (leaves,)."""
    rows = np.empty(len(documents), ROW)
    rows["leaf"], rows["document"] = np.frombuffer(leaves, "u1").reshape(-1, 32), documents
    return rows


def sort_leaves(parts: Iterable[Rows], count: int) -> Iterator[Rows]:
    """Yield the rows of all parts, about `count`, sorted by leaf and document, in blocks of BLOCK rows."""
    bits = min(8, max(0, count // PART).bit_length())
    waiting = np.empty(0, ROW)
    with ExitStack() as stack:
        files = [stack.enter_context(TemporaryFile(prefix="malmoi-leaves-")) for _ in range(1 << bits)]
        for part in parts:
            first = part["leaf"][:, 0].astype(np.uint16) >> (8 - bits)
            for number in np.unique(first).tolist():
                files[number].write(part[first == number].tobytes())
        for file in files:
            file.seek(0)
            rows = np.frombuffer(file.read(), ROW)
            waiting = np.concatenate([waiting, rows[np.lexsort((rows["document"], *rows["leaf"].view(">u8").T[::-1]))]])
            for at in range(0, len(waiting) - BLOCK + 1, BLOCK):
                yield waiting[at : at + BLOCK]
            waiting = waiting[len(waiting) // BLOCK * BLOCK :]
    if len(waiting):
        yield waiting
