"""Partition a release: by use, licence, and one of N shards by the hash of the id.

The shard depends on the id alone: an erasure rewrites only the shards it touches, and the input order of
documents has no effect.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TypeAlias

from malmoi.licensing.licence_expressions import folder_name

Row: TypeAlias = tuple[int, str]  # (H(id), id): the order of rows within a shard
PART = re.compile(r"part-(\d{5})-of-(\d{5})\.parquet")


def h(id: str) -> int:
    """Return H(id): the first 8 bytes of sha256(id), big endian.

    >>> h("a/1") == int(hashlib.sha256(b"a/1").hexdigest()[:16], 16)
    True
    """
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One shard of a release: use, licence expression, number and N."""

    use: str
    licence: str
    shard: int
    of: int

    def path(self) -> str:
        """Return the path of its file, relative to the release.

        >>> Partition("redistribute", "CC-BY-SA-4.0 OR MIT", 0, 4).path()
        'data/redistribute/CC-BY-SA-4.0_OR_MIT/part-00000-of-00004.parquet'
        """
        return f"data/{self.use}/{folder_name(self.licence)}/part-{self.shard:05d}-of-{self.of:05d}.parquet"


def partition_of(id: str, use: str, licence: str, n_shards: int) -> Partition:
    """Return the partition of a document."""
    return Partition(use, licence, h(id) % n_shards, n_shards)
