"""Open an office document (a ZIP archive) with limits against archive bombs that real documents do not reach.

Nested archives are never opened, and nothing is unpacked to disk.
"""

from __future__ import annotations

import io
import zipfile

from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors

MAX_ENTRIES = 2_000  # files of one archive
MAX_TOTAL = 64 * 1024 * 1024  # bytes of all parts read, unpacked
MAX_RATIO = 100  # unpacked : packed, of one part
SMALL = 1024 * 1024  # bytes; below this no ratio is suspicious: blank XML pages compress 1000 : 1
ENCRYPTED = 0x1  # bit of the general purpose flag (APPNOTE.TXT, section 4.4.4)
_ENTRY = b"PK\x01\x02"  # signature of an entry of the central directory (section 4.3.12)


class Zipped:
    """The parts of an archive by name; bytes read count towards MAX_TOTAL."""

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable: `damaged`, or `archive-bomb` for too many entries or path traversal in names."""
        # Count entries before parsing: 700,000 empty entries fit into 32 MB, and each becomes an object.
        if body.count(_ENTRY) > 2 * MAX_ENTRIES:  # nested archives may have entries of their own
            raise Unreadable("archive-bomb")
        with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
            self._zip = zipfile.ZipFile(io.BytesIO(body))
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES:
            raise Unreadable("archive-bomb")
        self._entries = {entry.filename: entry for entry in entries}
        for name in self._entries:
            if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
                raise Unreadable("archive-bomb")
        self._left = MAX_TOTAL

    @property
    def names(self) -> list[str]:
        """The names of all parts, in the order of the archive."""
        return list(self._entries)

    def read(self, name: str) -> bytes:
        """Return the bytes of a part, or b"" if it is missing.

        Raises Unreadable: `encrypted`, `damaged`, `archive-bomb`. Declared sizes are not trusted.
        """
        entry = self._entries.get(name)
        if entry is None:
            return b""
        if entry.flag_bits & ENCRYPTED:
            raise Unreadable("encrypted")
        limit = min(self._left, max(SMALL, MAX_RATIO * entry.compress_size))
        with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError), self._zip.open(entry) as part:
            found = part.read(limit + 1)
        if len(found) > limit:
            raise Unreadable("archive-bomb")
        self._left -= len(found)
        return found
