"""Values of deduplication tasks over files: how the work is partitioned, and the parameters of each task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import numpy as np

from filters.duplicates.earlier_releases import Earlier
from filters.duplicates.engine.document_numbers import Layout, rows_file
from filters.duplicates.minhash.bands import Banding
from filters.duplicates.minhash.duplicate_schema import I64, U64


@dataclass(frozen=True, slots=True)
class Shape:
    """Partitioning of the work: places into groups of shards and segments, keys and families into partitions."""

    work: Path
    threshold: float
    banding: Banding
    starts: tuple[int, ...]  # the first place of each group, then of each segment
    groups: int  # number of groups of shards among these
    slices: int  # partitions of a band, and of the digests; a power of two
    together: int  # partitions of bands of one task; all for a small corpus
    families: int  # partitions by family
    earlier: tuple[Earlier, ...]
    texts: bool

    def files(self, name: str, count: int) -> list[Path]:
        """Return the files that the `count` tasks of a step write."""
        return [self.work / name / f"{number:05d}.arrow" for number in range(count)]

    @property
    def candidate_tasks(self) -> int:
        """Return the number of tasks that find candidates."""
        return -(-self.banding.bands * self.slices // self.together)

    def key_parts(self, task: int) -> range:
        """Return the partitions of bands of one of these tasks."""
        return range(task * self.together, min((task + 1) * self.together, self.banding.bands * self.slices))

    def group_of(self, place: I64) -> I64:
        """Return the group or segment of each place."""
        found: I64 = np.searchsorted(np.array(self.starts), place, "right") - 1
        return found


@dataclass(frozen=True, slots=True)
class Job:
    """One task of a step: a group of shards (`layout`) or a partition, by number."""

    shape: Shape
    step: str
    number: int
    layout: Layout | None = None
    first: int = 0  # number of the first shard of the layout
    folder: Path | None = None  # for the rows about each shard

    @property
    def target(self) -> Path:
        """The file that the task writes last."""
        return self.shape.work / self.step / f"{self.number:05d}.arrow"

    @property
    def side_files(self) -> list[Path]:
        """The files that the task writes before its target."""
        if self.step == "members" and self.layout is not None and self.shape.texts:
            return [self.shape.work / "shingles" / self.target.name]
        if self.step == "rows" and self.layout is not None and self.folder is not None:
            return [rows_file(self.folder, self.first + n) for n in range(len(self.layout.shards))]
        return []

    @property
    def start(self) -> int:
        """Return the first place of the group or segment."""
        return self.shape.starts[self.number]

    @property
    def shards(self) -> Layout:
        """Return the layout of a task that has one."""
        assert self.layout is not None
        return self.layout


def run_once(task: Callable[[Job], None]) -> Callable[[Job], Path]:
    """Wrap a task so that it is skipped if its files exist (checkpoint)."""

    @wraps(task)
    def run(job: Job) -> Path:
        if not all(path.exists() for path in [job.target, *job.side_files]):
            task(job)
        return job.target

    return run


def key_partition(key: U64, bits: int, slices: int) -> I64:
    """Return the partition of each key of `bits` bits: its leading bits."""
    width = slices.bit_length() - 1
    return (key >> np.uint64(bits - width)).astype(np.int64) if width else np.zeros(len(key), np.int64)


def family_partition(label: I64, families: int) -> I64:
    """Return the partition of each family."""
    mixed = label.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)).astype(np.int64) % families
