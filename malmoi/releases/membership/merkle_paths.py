"""Merkle tree over leaves of 32 bytes: its root, and the path from a leaf to it.

    node = sha256(0x01 ‖ left ‖ right)                                a node without a sibling moves up unchanged
    commitment = sha256(0x02 ‖ salt ‖ number of leaves ‖ root)        8 bytes, big endian

The commitment fixes the salt too, so that a statement cannot use another one. Rows are hashed in blocks of BLOCK, a
power of two: the root of a block is a node of the whole tree, so a path needs one block and the roots of the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

BLOCK: Final = 1 << 16  # leaves


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Return the node above two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def find_root(nodes: Sequence[bytes]) -> bytes:
    """Return the root over nodes of one level, at least one."""
    while len(nodes) > 1:
        nodes = _reduce(nodes)
    return nodes[0]


def find_path(nodes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings of `nodes[index]` and of the nodes above it, from below.

    >>> a, b, c = (bytes([n]) * 32 for n in range(3))
    >>> find_path([a, b, c], 1) == [a, c], find_path([a, b, c], 2) == [hash_pair(a, b)]
    (True, True)
    """
    found = []
    while len(nodes) > 1:
        if (index ^ 1) < len(nodes):
            found.append(nodes[index ^ 1])
        nodes, index = _reduce(nodes), index >> 1
    return found


def commit(salt: bytes, count: int, root: bytes) -> str:
    """Return the commitment (hex) to salt, number of leaves and root."""
    return hashlib.sha256(b"\x02" + salt + count.to_bytes(8, "big") + root).hexdigest()


def _reduce(nodes: Sequence[bytes]) -> list[bytes]:
    above = [hash_pair(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
    return [*above, nodes[-1]] if len(nodes) % 2 else above
