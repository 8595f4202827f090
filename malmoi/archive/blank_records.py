"""Erase records of a WARC file of a run: each becomes a blank record of the same length, so that no other one moves.

Offsets of other records are in the indexes of this run and of later ones. A blank is a `warcinfo` record, which readers
of captures skip; its gzip member is filled to its length by the comment of the gzip header (RFC 1952, section 2.3).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from malmoi.archive.record_boundaries import next_member, read_member
from malmoi.errors import CaptureError
from malmoi.storage.atomic_files import sync

_NOTE = b"note: erased on request\r\n"
_BLANK = (
    b"WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000000>\r\n"
    b"WARC-Date: 1970-01-01T00:00:00Z\r\nContent-Type: application/warc-fields\r\n"
    b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (len(_NOTE), _NOTE)
)
_HEAD = b"\x1f\x8b\x08\x10\x00\x00\x00\x00\x02\xff"  # deflate, with a comment, without a time
_CHUNK = 1 << 22
PART = ".purge"  # end of the name of a file that takes the place of an archive


def is_blank(content: bytes) -> bool:
    """Whether the content of a member is a record that was erased."""
    return content == _BLANK


def make_blank(size: int) -> bytes:
    """Return a blank record as one gzip member of `size` bytes; zeros if a torn record is too short for it.

    >>> import gzip
    >>> len(make_blank(1000)), is_blank(gzip.decompress(make_blank(1000)))
    (1000, True)
    """
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = pack.compress(_BLANK) + pack.flush()
    end = struct.pack("<LL", zlib.crc32(_BLANK), len(_BLANK))
    fill = size - len(_HEAD) - 1 - len(body) - len(end)
    return bytes(size) if fill < 0 else _HEAD + b" " * fill + b"\0" + body + end


def find_ends(path: Path, starts: Iterable[int]) -> dict[int, int]:
    """Return start → end of the gzip members at `starts`; a damaged one ends where the next one begins."""
    found = {}
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        for start in sorted(starts):
            try:
                member = read_member(stream, start)
            except zlib.error:
                member = None
            found[start] = member[1] if member is not None else next_member(stream, start) or size
    return found


def rewrite(path: Path, erased: Mapping[int, int], added: bytes = b"") -> None:
    """Blank the members of `path` from start to end as `erased` says, append `added`; replace the file atomically."""
    part = path.with_name(f".{path.name}{PART}")
    try:
        with path.open("rb") as old, part.open("wb") as new:
            for start, end in sorted(erased.items()):
                _copy(old, new, start)
                new.write(make_blank(end - start))
                old.seek(end)
            _copy(old, new, None)
            new.write(added)
        sync(part)
        part.replace(path)
    except OSError as error:
        raise CaptureError(
            f"{path}: cannot be rewritten ({error.strerror}); free disk space as large as the file, or grant write "
            "permission, and erase again: it goes on where it stopped."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)


def _copy(old: BinaryIO, new: BinaryIO, end: int | None) -> None:
    while end is None or old.tell() < end:
        block = old.read(_CHUNK if end is None else min(_CHUNK, end - old.tell()))
        if not block:
            return
        new.write(block)
