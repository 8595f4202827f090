"""Shuffle through files: group rows by partition without a process that holds them all.

Each task writes its rows as one file, one record batch a partition; the task of a partition then reads its
batch of every file. Writes are atomic, so an existing file is a checkpoint: its task need not run again. There
is no scheduler and no server: `Run` is a `map` over plain functions, run by threads of this machine or by the
workers of an engine.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
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
_Call = TypeVar("_Call", bound=Callable[..., Any])


_DIGEST = b"sha256"  # custom metadata of a batch: Arrow's format has no checksum
_WHOLE: set[tuple[Any, ...]] = set()  # batches whose digest was checked, by file, state of the file and number
_MOST = 1 << 16


class Run(Protocol):
    """Like `map`: call a plain function on every piece of work; results are in the same order.

    Functions and their arguments are picklable: module-level functions, frozen values with paths.
    """

    def __call__(self, call: Callable[[_A], _B], work: list[_A], /) -> Iterable[_B]:
        """Return the results of `call`, one for each piece of work."""
        ...


def name_task(says: str) -> Callable[[_Call], _Call]:
    """Name what a function of a `Run` does with its work: verb and unit, for people who watch it, as `find_task_name`.

    >>> @name_task("hash files")
    ... def _hash(path, salt): ...
    >>> find_task_name(_hash), find_task_name(partial(_hash, salt=1)), find_task_name(len)
    ('hash files', 'hash files', 'len')
    """

    def set_name(call: _Call) -> _Call:
        call.task_name = says  # type: ignore[attr-defined]
        return call

    return set_name


def find_task_name(call: Callable[..., Any]) -> str:
    """Return what `name_task` says of a function, of the one in a `partial` or a wrapper, or its name by default."""
    while isinstance(call, partial):
        call = getattr(call, "__wrapped__", call.func)
    name: str = getattr(call, "__name__", type(call).__name__)
    return str(getattr(call, "task_name", name.replace("_", " ").strip()))


def write_partitions(table: pa.Table, part: npt.NDArray[np.integer], parts: int, target: Path) -> None:
    """Write the rows of `table` to `target`, one record batch for each of `parts` partitions, empty ones too.

    `part` names the partition of each row, shape (rows,). Rows keep their order within a partition.
    """
    write(partition_rows(table, part, parts), target)


def partition_rows(table: pa.Table, part: npt.NDArray[np.integer], parts: int) -> list[pa.RecordBatch]:
    """Return the rows of `table` as one record batch for each of `parts` partitions, empty ones too.

    >>> [batch.num_rows for batch in partition_rows(pa.table({"n": [1, 2, 3]}), np.array([2, 0, 2]), 4)]
    [1, 0, 2, 0]
    """
    narrow = part.astype(np.uint16 if parts <= 1 << 16 else np.uint32)  # NumPy sorts these by radix sort
    order = np.argsort(narrow, kind="stable")
    ends = np.cumsum(np.bincount(part.astype(np.int64), minlength=parts))
    moved = table.take(pa.array(order)).combine_chunks()
    batches = moved.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    return [batches[0].slice(at, end - at) for at, end in zip([0, *ends[:-1]], ends, strict=True)]


def write(batches: Iterable[pa.RecordBatch], target: Path) -> None:
    """Write record batches of one schema to `target` in Arrow's file format, atomically.

    ValueError if there is no batch: the schema is needed, and an empty batch has it.
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
        part.replace(target)  # no fsync of the folder: a file lost in a power cut is computed again
    finally:
        part.unlink(missing_ok=True)


def gather(files: Iterable[Path], part: int) -> pa.Table:
    """Return the rows of one partition of every file, in the order of the files. StageError names a damaged file."""
    return pa.Table.from_batches([read_piece(path, part) for path in files])


def read_piece(path: Path, part: int) -> pa.RecordBatch:
    """Map one partition of a file into memory: only accessed pages are read. StageError if the file is damaged."""
    (found,) = _batches(path, lambda _: [part])
    return found


def read_pieces(path: Path, part: int = 0, parts: int = 1) -> list[pa.RecordBatch]:
    """Return one partition of a file written in rounds, each with a batch for every one of `parts` partitions."""
    return list(_batches(path, lambda count: range(part, count, parts)))


def _digest(number: int, batch: pa.RecordBatch) -> bytes:
    """Return the sha256 (hex) of a batch, its number in the file and its schema."""
    digest = hashlib.sha256(f"{number}\n{batch.schema}\n".encode("utf-8", "replace"))
    digest.update(batch.serialize())
    return digest.hexdigest().encode()


def _remember_checked(checked: tuple[Any, ...]) -> None:
    if len(_WHOLE) >= _MOST:
        _WHOLE.clear()
    _WHOLE.add(checked)


def _batches(path: Path, chosen: Callable[[int], Iterable[int]]) -> Iterator[pa.RecordBatch]:
    """Yield batches of a file; `chosen` maps their count to the wanted numbers."""
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            found = path.stat()
            state = (str(path), found.st_size, found.st_mtime_ns, found.st_ino)
            for number in chosen(file.num_record_batches):
                batch, said = file.get_batch_with_custom_metadata(number)
                if (*state, number) not in _WHOLE and said is not None and _DIGEST in said:
                    if said[_DIGEST] != _digest(number, batch):
                        raise StageError(f"{path}: changed since it was written. Delete it and run again.")
                    _remember_checked((*state, number))
                yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StageError(f"{path}: cannot be read back ({error}). Delete it and run again.") from error
