"""Partition a release: by use, licence, field and split, and within these by the hash of the id.

The number of shards, a power of two, follows the size of the texts: a small field has one file. The shard depends on
that number and on the id alone: an erasure rewrites only the shards it touches, and the input order of documents has
no effect.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from malmoi.licensing.licence_expressions import folder_name
from malmoi.releases.data_splits import SPLITS

Row: TypeAlias = tuple[int, str]  # (H(id), id): the order of rows within a shard
PART = re.compile(rf"({'|'.join(SPLITS)})-(\d{{5}})-of-(\d{{5}})\.parquet")
GENERAL = "general"  # field of a document without one


def h(id: str) -> int:
    """Return H(id): the first 8 bytes of sha256(id), big endian.

    >>> h("a/1") == int(hashlib.sha256(b"a/1").hexdigest()[:16], 16)
    True
    """
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One shard of a release: use, licence expression, field, split, number, and the number of shards of these."""

    use: str
    licence: str
    domain: str
    split: str
    shard: int
    of: int

    def path(self) -> str:
        """Return the path of its file, relative to the release.

        >>> Partition("redistribute", "CC-BY-SA-4.0 OR MIT", "law", "train", 0, 4).path()
        'data/redistribute/CC-BY-SA-4.0_OR_MIT/law/train-00000-of-00004.parquet'
        """
        return f"data/{'/'.join(self.folders())}/{self.split}-{self.shard:05d}-of-{self.of:05d}.parquet"

    def folders(self) -> list[str]:
        """Return the names of its folders below data/."""
        return [self.use, folder_name(self.licence), folder_name(self.domain)]

    def merge(self, n: int) -> Partition:
        """Return the shard that holds this one if there are only `n` shards; `n` divides `of`."""
        return replace(self, shard=self.shard % n, of=n)


def partition_of(row: Mapping[str, Any], most: int) -> Partition:
    """Return the partition of a published row with `most` shards for its use, licence, field and split."""
    return Partition(row["use"], row["license"], row["domain"] or GENERAL, row["split"], h(row["id"]) % most, most)


def limit_shards(shards: int) -> int:
    """Return the most shards of a field: the greatest power of two that is not above the recipe's `shards`.

    >>> limit_shards(4), limit_shards(6), limit_shards(1)
    (4, 4, 1)
    """
    return 1 << shards.bit_length() - 1


def count_shards(size: int, most: int, least: int) -> int:
    """Return the number of shards for `size` bytes of text: a power of two up to `most`, with `least` bytes in each.

    >>> count_shards(0, 4, 10), count_shards(39, 4, 10), count_shards(40, 4, 10), count_shards(999, 4, 10)
    (1, 2, 4, 4)
    """
    n = 1
    while 2 * n <= most and size >= 2 * n * least:
        n *= 2
    return n
