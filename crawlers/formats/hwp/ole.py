"""Read the streams of an OLE compound file, with limits against hostile files.

Layout: [MS-CFB] Compound File Binary File Format, sections 2.2 (header), 2.3–2.5 (FAT, mini FAT, DIFAT) and 2.6
(directory). The common library follows a cyclic sector table for minutes; here every table sector
is read once and every chain is finite.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

from crawlers.formats.unreadable import Unreadable

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 10_000  # of the directory; each picture has one
MAX_STREAM = 64 * 1024 * 1024  # bytes of one stream
_LAST = 0xFFFFFFFA  # greatest number of a data sector (MAXREGSECT, section 2.1)
_NONE = 0xFFFFFFFF  # no sibling or child entry
_ENTRY = 128  # bytes
_STORAGE, _STREAM, _ROOT = 1, 2, 5  # kinds of an entry (section 2.6.1)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class Container:
    """The streams of a compound file by path; "/" separates the names of a path, as in "BodyText/Section0"."""

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable: `damaged`, or `too-large` for a directory of more than MAX_ENTRIES."""
        if not body.startswith(MAGIC) or len(body) < 512:
            raise Unreadable("damaged")
        shift, mini_shift = unpack_from("<HH", body, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise Unreadable("damaged")
        self._body = body
        self._size = 1 << shift
        self._sectors = (len(body) - 1) // self._size  # the header occupies one sector
        directory, _, self._cutoff, mini_fat, _, difat, _ = unpack_from("<7I", body, 48)
        self._fat = self._table(difat)
        self._entries = self._directory(directory)
        if not self._entries or self._entries[0].kind != _ROOT:
            raise Unreadable("damaged")
        self._paths = dict(self._walk())
        self._mini_start = mini_fat
        self._mini: tuple[array[int], bytes] | None = None  # loaded on first use

    @property
    def paths(self) -> list[str]:
        """The paths of all streams, sorted."""
        return sorted(self._paths)

    def read(self, path: str) -> bytes:
        """Return the bytes of a stream. Raises Unreadable: `damaged` if it is missing or incomplete, `too-large`."""
        entry = self._paths.get(path)
        if entry is None:
            raise Unreadable("damaged")
        if entry.size > MAX_STREAM:
            raise Unreadable("too-large")
        if not entry.size:
            return b""
        if entry.size >= self._cutoff:
            return self._cut(self._chain(entry.start, -(-entry.size // self._size)), entry.size)
        table, minis = self._minis()
        found, at = [], entry.start
        for _ in range(-(-entry.size // 64)):
            if at >= len(table):
                raise Unreadable("damaged")
            found.append(minis[64 * at : 64 * at + 64])
            at = table[at]
        return self._cut(b"".join(found), entry.size)

    def _minis(self) -> tuple[array[int], bytes]:
        if self._mini is None:
            root = self._entries[0]
            table = _numbers(self._chain(self._mini_start, self._sectors, to_end=True))
            self._mini = table, self._chain(root.start, self._sectors, to_end=True)
        return self._mini

    def _cut(self, found: bytes, size: int) -> bytes:
        if len(found) < size:
            raise Unreadable("damaged")
        return found[:size]

    def _sector(self, number: int) -> bytes:
        if number >= self._sectors:
            raise Unreadable("damaged")
        return self._body[(number + 1) * self._size : (number + 2) * self._size]

    def _table(self, difat: int) -> array[int]:
        """Return the FAT: the next sector of each. Its own sectors are listed in the header and in a chain after it."""
        named = list(unpack_from("<109I", self._body, 76))
        seen: set[int] = set()
        while difat <= _LAST:
            if difat in seen:
                raise Unreadable("damaged")
            seen.add(difat)
            numbers = _numbers(self._sector(difat))
            if len(numbers) < self._size // 4:
                raise Unreadable("damaged")
            named += numbers[:-1]
            difat = numbers[-1]
        named = [number for number in named if number <= _LAST]
        if len(set(named)) != len(named):
            raise Unreadable("damaged")
        return _numbers(b"".join(map(self._sector, named)))

    def _chain(self, start: int, most: int, *, to_end: bool = False) -> bytes:
        found, at = [], start
        for _ in range(most):
            if at > _LAST:
                break
            if at >= len(self._fat):
                raise Unreadable("damaged")
            found.append(self._sector(at))
            at = self._fat[at]
        else:
            if to_end and at <= _LAST:  # longer than the file: a cycle
                raise Unreadable("damaged")
        return b"".join(found)

    def _directory(self, start: int) -> list[_Entry]:
        raw = self._chain(start, self._sectors, to_end=True)
        if len(raw) > MAX_ENTRIES * _ENTRY:
            raise Unreadable("too-large")
        entries = []
        for offset in range(0, len(raw) - _ENTRY + 1, _ENTRY):
            length, kind, _, left, right, child = unpack_from("<HBBIII", raw, offset + 64)
            start, size = unpack_from("<II", raw, offset + 116)
            name = raw[offset : offset + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            entries.append(_Entry(name, kind, left, right, child, start, size))
        return entries

    def _walk(self) -> Iterator[tuple[str, _Entry]]:
        waiting = [("", self._entries[0].child)]
        seen = {0}
        while waiting:
            above, number = waiting.pop()
            if number == _NONE:
                continue
            if number >= len(self._entries) or number in seen:
                raise Unreadable("damaged")
            seen.add(number)
            entry = self._entries[number]
            waiting += ((above, entry.left), (above, entry.right))
            if entry.kind == _STORAGE:
                waiting.append((f"{above}{entry.name}/", entry.child))
            elif entry.kind == _STREAM:
                yield above + entry.name, entry


def _numbers(raw: bytes) -> array[int]:
    numbers = array("I")  # 32 bits on all platforms of CPython
    numbers.frombytes(raw[: len(raw) // 4 * 4])
    return numbers
