"""Refuse unsafe files of an untrusted release before reading: devices, pipes, links, and files beyond the limits."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow.parquet as pq

from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.errors import DataError
from malmoi.processes.rlimits import limit_growth
from malmoi.releases.verification import sha256sums

Refusal: TypeAlias = tuple[str, str, str]  # check, path, message
_ROWS: Final = 100_000  # rows that are always read, whatever the file size
_MEMORY_FACTOR: Final = 4  # bytes of memory per byte of the files
_END: Final = 8  # bytes after the footer: its length and PAR1
_UNPACKED: Final = 64 << 20  # bytes that are always unpacked, whatever the file size


class _Unreadable(Exception):
    """A Parquet file with an unreadable footer; the checks of its content report it."""


def find(folder: Path) -> list[Refusal]:
    """Return the entries of `folder` that cannot be read safely; [] if there are none or no folder."""
    small = {sha256sums.SIGNATURE: limits.VERIFY_SIGNATURE, sha256sums.STAMP: limits.STAMP_BYTES}
    refusals: list[Refusal] = []
    for path in _entries(folder):
        name, state = sha256sums.relative_name(folder, path), path.lstat()
        limit = small.get(name, limits.VERIFY_TEXT)
        if not stat.S_ISREG(state.st_mode):
            says = "not a plain file; a release holds plain files only, so nothing was read"
            refusals.append(("sums", name, says))
        elif path.suffix == ".parquet":
            refusals += [("limits", name, f"{says}; nothing was read") for says in _excess(path, state.st_size)]
        elif state.st_size > limit.value:
            says = f"{state.st_size:,} bytes ({limit.describe()}); nothing was read"
            refusals.append(("limits", name, says))
    return refusals


def refuse(folder: Path) -> None:
    """Raise DataError if an entry of `folder` cannot be read safely."""
    if refused := find(folder):
        _, path, says = refused[0]
        raise DataError(f"{folder}: {path}: {says}. See `malmoi verify {folder}`.")


@contextmanager
def guard(folder: Path) -> Iterator[None]:
    """Read an untrusted release in the body: refuse unsafe entries, and limit memory (MemoryError)."""
    refuse(folder)
    with limit_growth(limits.VERIFY_MEMORY.value + _MEMORY_FACTOR * size(folder)):
        yield


@contextmanager
def translate_errors(folder: Path) -> Iterator[None]:
    """As `guard`; DataError for whatever a library raises about the files."""
    with (
        input_errors(lambda name: DataError(f"{folder}: cannot be read ({name}). See `malmoi verify {folder}`.")),
        guard(folder),
    ):
        yield


def size(folder: Path) -> int:
    """Return the size in bytes of all plain files of `folder`."""
    return sum(path.lstat().st_size for path in _entries(folder) if stat.S_ISREG(path.lstat().st_mode))


def _entries(folder: Path) -> list[Path]:
    return [
        *sha256sums.entries(folder),
        *(path for path in (folder / name for name in sha256sums.UNLISTED) if path.is_symlink() or path.exists()),
    ]


def _excess(path: Path, packed: int) -> Iterator[str]:
    """Yield the limits that a Parquet file exceeds by its footer (decompression bombs)."""
    with path.open("rb") as stream:
        stream.seek(max(0, packed - _END))
        end = stream.read(_END)
    if end[4:] not in (b"PAR1", b"PARE"):  # no Parquet file; its reader says so
        return
    if (footer := int.from_bytes(end[:4], "little")) > limits.VERIFY_FOOTER.value:
        yield f"a footer of {footer:,} bytes ({limits.VERIFY_FOOTER.describe()})"
        return
    try:
        with input_errors(_Unreadable), pq.ParquetFile(path) as file:
            found = file.metadata
            rows = found.num_rows
            unpacked = sum(found.row_group(n).total_byte_size for n in range(found.num_row_groups))
    except (_Unreadable, OSError):
        return
    if rows > max(_ROWS, limits.VERIFY_ROWS.value * packed):
        yield f"{rows:,} rows in {packed:,} bytes ({limits.VERIFY_ROWS.describe()})"
    if unpacked > max(_UNPACKED, limits.VERIFY_UNPACKED.value * packed):
        yield f"{packed:,} bytes unpack to {unpacked:,} ({limits.VERIFY_UNPACKED.describe()})"
