"""The exchange: rows that belong together meet, through files, without any process that holds them all.

Each task writes its rows as one file, cut by partition; the task of a partition then reads its piece
of every file. A file appears whole or not at all, so a task whose file stands is done and need not run
again. No scheduler, no server: `Run` is a `map` over plain functions, which threads of this machine or
the workers of an engine carry out.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from malmoi.errors import StageError
from malmoi.storage.atomic_files import sync

_A = TypeVar("_A")
_B = TypeVar("_B")


_DIGEST = b"sha256"  # custom metadata of a batch: Arrow's format has no checksum
_WHOLE: set[tuple[Any, ...]] = set()  # batches that were found as they were written, by file, state of it and number
_MOST = 1 << 16


class Run(Protocol):
    """Like `map`: calls a plain function on every piece of work; the results in the same order.

    Functions and their work are picklable: module-level functions, frozen values that name paths.
    """

    def __call__(self, call: Callable[[_A], _B], work: list[_A], /) -> Iterable[_B]:
        """The results of `call`, one for each piece of work."""
        ...


def write_partitions(table: pa.Table, part: npt.NDArray[np.integer], parts: int, target: Path) -> None:
    """Write the rows of `table` to `target`, one record batch for each of `parts` partitions, empty ones too.

    `part` names the partition of each row, shape (rows,). Within a partition rows keep their order.
    """
    write(partition_rows(table, part, parts), target)


def partition_rows(table: pa.Table, part: npt.NDArray[np.integer], parts: int) -> list[pa.RecordBatch]:
    """The rows of `table` as one record batch for each of `parts` partitions, empty ones too.

    >>> [batch.num_rows for batch in partition_rows(pa.table({"n": [1, 2, 3]}), np.array([2, 0, 2]), 4)]
    [1, 0, 2, 0]
    """
    narrow = part.astype(np.uint16 if parts <= 1 << 16 else np.uint32)  # small numbers are sorted by counting
    order = np.argsort(narrow, kind="stable")
    ends = np.cumsum(np.bincount(narrow, minlength=parts))
    moved = table.take(pa.array(order)).combine_chunks()
    batches = moved.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    return [batches[0].slice(at, end - at) for at, end in zip([0, *ends[:-1]], ends, strict=True)]


def write(batches: Iterable[pa.RecordBatch], target: Path) -> None:
    """Write record batches of one schema to `target` as they come, in Arrow's file format, whole or not at all.

    ValueError where there is none: an empty batch says at least what the columns are.
    """
    each = iter(batches)
    first = next(each, None)
    if first is None:
        raise ValueError(f"{target}: nothing to write, not even an empty batch.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with pa.ipc.new_file(part, first.schema) as writer:
            for number, batch in enumerate(chain([first], each)):
                writer.write_batch(batch, custom_metadata={_DIGEST: _digest(number, batch)})
        sync(part)
        part.replace(target)  # its folder is not made durable: a file that a power cut takes away is made again
    finally:
        part.unlink(missing_ok=True)


def gather(files: Iterable[Path], part: int) -> pa.Table:
    """The rows of one partition out of every file, in the order of the files. StageError names a torn file."""
    return pa.Table.from_batches([read_piece(path, part) for path in files])


def read_piece(path: Path, part: int) -> pa.RecordBatch:
    """One partition of one file, mapped into memory: only what is looked at is read. StageError if it is torn."""
    (found,) = _batches(path, lambda _: [part])
    return found


def read_pieces(path: Path, part: int = 0, parts: int = 1) -> list[pa.RecordBatch]:
    """One partition of a file that was written in rounds, each with a batch for every one of `parts` partitions."""
    return list(_batches(path, lambda count: range(part, count, parts)))


def _digest(number: int, batch: pa.RecordBatch) -> bytes:
    """Of a batch, its place in the file and what its columns are called, as hexadecimal digits."""
    digest = hashlib.sha256(f"{number}\n{batch.schema}\n".encode("utf-8", "replace"))
    digest.update(batch.serialize())
    return digest.hexdigest().encode()


def _remember_checked(checked: tuple[Any, ...]) -> None:
    if len(_WHOLE) >= _MOST:
        _WHOLE.clear()
    _WHOLE.add(checked)


def _batches(path: Path, chosen: Callable[[int], Iterable[int]]) -> Iterator[pa.RecordBatch]:
    """Batches of a file by number; `chosen` is told how many there are."""
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            found = path.stat()
            state = (str(path), found.st_size, found.st_mtime_ns, found.st_ino)
            for number in chosen(file.num_record_batches):
                batch, said = file.get_batch_with_custom_metadata(number)
                if (*state, number) not in _WHOLE and said is not None and _DIGEST in said:
                    if said[_DIGEST] != _digest(number, batch):
                        raise StageError(f"{path}: not as it was written. Delete it and run again: it is made anew.")
                    _remember_checked((*state, number))
                yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StageError(f"{path}: cannot be read back ({error}). Delete it and run again: it is made anew.") from error
