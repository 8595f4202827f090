"""Iterate over the documents of a release in a shuffled order that resumes exactly; needs PyArrow only.

The row groups of a release are shuffled, joined to windows of a bounded size, and the rows of a window are shuffled.
Both orders are hashes of the seed, the epoch and a number, so that three numbers say where an iteration is: epoch,
window, place in the window. The consumers of a training run (ranks times workers) take turns row by row. Each of them
reads every window: reading is fast compared with training, and no window is too small to be shared out evenly.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

REDISTRIBUTE = ds.field("use") == "redistribute"
_LARGEST = 1 << 30  # bytes of a window: a string column of Arrow holds less than 2 GiB
_CHUNK = 256  # rows that become Python objects at once


class ReleaseReader:
    """Documents of a release as dictionaries, one epoch for each call of `iter`; `state_dict` says where it is.

    A new iterator continues where the last one stopped. For torch, derive a class from this one and from
    `torch.utils.data.IterableDataset`; the workers of a DataLoader then share out the documents of their rank.
    """

    def __init__(
        self,
        release: str | Path,
        *,
        columns: Sequence[str] = ("id", "text"),
        where: ds.Expression | None = REDISTRIBUTE,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        window: int = 128 << 20,
    ) -> None:
        """`where` selects rows; `window` is the size in bytes (uncompressed) of what is shuffled in memory.

        ValueError if rank, world size, window or a column is impossible.
        """
        if not 0 <= rank < world_size:
            raise ValueError(f"rank {rank} of {world_size}: a rank is at least 0 and below world_size.")
        if not 0 < window <= _LARGEST:
            raise ValueError(f"window is {window}; give 1 to {_LARGEST} bytes.")
        self._columns, self._where, self._seed, self._window = list(columns), where, seed, window
        self._rank, self._world_size = rank, world_size
        self._schema, self._groups, self._sizes, facts = _read_groups(Path(release), self._columns)
        settings = f"{facts}\n{where}\n{seed}\n{window}\n"
        self._digest = hashlib.sha256(settings.encode()).hexdigest()
        self._epoch, self._at, self._place, self._is_done = 0, 0, 0, False
        self._resumed: tuple[int, int] | None = None  # the consumer whose state was loaded

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the rest of the epoch, nothing behind its end; the call after that yields the next epoch."""
        if self._is_done:
            self.set_epoch(self._epoch + 1)
        me, all_of_us = self._consumer()
        if self._resumed is not None and self._resumed != (me, all_of_us):
            raise ValueError(
                f"the state is of consumer {self._resumed[0]} of {self._resumed[1]}, this is consumer {me} of "
                f"{all_of_us}; resume with the same number of ranks and workers, each with its own state."
            )
        windows = self._windows()
        while self._at < len(windows):
            table = self._read(windows[self._at])
            order = self._shuffle(table.num_rows, f"row\n{self._at}")
            turn = (me - self._at) % all_of_us  # another consumer begins in each window, so that all get as many
            mine = [place for place in range(self._place, len(order)) if place % all_of_us == turn]
            for start in range(0, len(mine), _CHUNK):
                places = mine[start : start + _CHUNK]
                rows = table.take([order[place] for place in places]).to_pylist()
                for place, row in zip(places, rows, strict=True):
                    self._place = place + 1
                    yield row
            self._at, self._place = self._at + 1, 0
        # The epoch stays: a loader whose other workers are not at its end saves the state of this one, too.
        self._is_done = True

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch` anew; each epoch has another order."""
        self._epoch, self._at, self._place, self._is_done = epoch, 0, 0, False

    def state_dict(self) -> dict[str, Any]:
        """Return where the iteration is, behind the last document that it gave; plain numbers and strings."""
        me, all_of_us = self._consumer()
        place = {"epoch": self._epoch, "window": self._at, "place": self._place}
        return {"digest": self._digest, "consumer": me, "consumers": all_of_us, **place}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue behind the last document of `state`; ValueError if it is of another release or other settings."""
        if state["digest"] != self._digest:
            raise ValueError(
                "the state was made with another release, seed, window, selection or list of columns; give the same."
            )
        self._resumed = (state["consumer"], state["consumers"])
        self.set_epoch(state["epoch"])
        self._at, self._place = state["window"], state["place"]

    def _consumer(self) -> tuple[int, int]:
        """Return the number of this consumer and how many there are: ranks times workers of torch, if it is loaded."""
        torch_data = sys.modules.get("torch.utils.data")
        worker = torch_data.get_worker_info() if torch_data else None
        if worker is None:
            return self._rank, self._world_size
        return self._rank * worker.num_workers + worker.id, self._world_size * worker.num_workers

    def _windows(self) -> list[list[int]]:
        """Return the row groups of each window of the current epoch."""
        order = self._shuffle(len(self._groups), "group")
        cuts, size = [0], 0
        for at, group in enumerate(order):
            if size and size + self._sizes[group] > self._window:
                cuts.append(at)
                size = 0
            size += self._sizes[group]
        return [order[start:end] for start, end in pairwise([*cuts, len(order)])]

    def _read(self, window: list[int]) -> pa.Table:
        parts = [
            self._groups[number].to_table(self._schema, self._columns, filter=self._where, use_threads=False)
            for number in window
        ]
        return pa.concat_tables(parts).combine_chunks()

    def _shuffle(self, count: int, what: str) -> list[int]:
        """Return the numbers below `count` in the order of their hashes with seed and epoch."""
        start = hashlib.blake2b(f"{self._seed}\n{self._epoch}\n{what}\n".encode(), digest_size=16)

        def place(number: int) -> bytes:
            digest = start.copy()
            digest.update(number.to_bytes(8, "little"))
            return digest.digest()

        return sorted(range(count), key=place)


def _read_groups(release: Path, columns: Sequence[str]) -> tuple[pa.Schema, list[Any], list[int], str]:
    """Return the schema of a release, its row groups, the size of `columns` in each, and what identifies them."""
    found = ds.dataset(release / "data", format="parquet")
    files = sorted(found.get_fragments(), key=lambda one: one.path)
    schema = pa.unify_schemas([file.physical_schema for file in files], promote_options="permissive")
    if missing := [name for name in columns if name not in schema.names]:
        raise ValueError(f"{release} has no column {missing[0]}; choose from {', '.join(sorted(schema.names))}.")
    groups, sizes, facts = [], [], [",".join(columns)]
    for file in files:
        for group in file.split_by_row_group():
            (info,) = group.row_groups
            row_group = file.metadata.row_group(info.id)
            each = [row_group.column(n) for n in range(row_group.num_columns)]
            size = sum(one.total_uncompressed_size for one in each if one.path_in_schema.split(".")[0] in columns)
            groups.append(group)
            sizes.append(size)
            facts.append(f"{os.path.relpath(file.path, release)} {info.id} {info.num_rows} {size}")
    return schema, groups, sizes, "\n".join(facts)
