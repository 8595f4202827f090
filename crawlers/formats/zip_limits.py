"""Open an office document that is a ZIP archive, within limits that no honest document reaches.

An archive inside the archive is never opened, and nothing is ever unpacked to disk.
"""

from __future__ import annotations

import io
import zipfile

from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors

MAX_ENTRIES = 2_000  # files of one archive
MAX_TOTAL = 64 * 1024 * 1024  # bytes of all parts that are read, unpacked
MAX_RATIO = 100  # unpacked : packed, of one part
SMALL = 1024 * 1024  # bytes; below this no ratio is suspicious: blank pages of XML pack 1000 : 1
ENCRYPTED = 0x1  # bit of the general purpose flag (APPNOTE.TXT, section 4.4.4)
_ENTRY = b"PK\x01\x02"  # begins an entry of the central directory (section 4.3.12)


class Zipped:
    """The parts of an archive by name; what is read counts towards MAX_TOTAL."""

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable: `damaged`, or `archive-bomb` for too many entries or names that lead out of it."""
        # Before they are read: 700,000 empty entries fit into 32 MB, and each becomes an object.
        if body.count(_ENTRY) > 2 * MAX_ENTRIES:  # an archive inside may have some of its own
            raise Unreadable("archive-bomb")
        with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
            self._zip = zipfile.ZipFile(io.BytesIO(body))
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES:
            raise Unreadable("archive-bomb")
        self._entries = {entry.filename: entry for entry in entries}
        if any(_leads_out(name) for name in self._entries):
            raise Unreadable("archive-bomb")
        self._left = MAX_TOTAL

    @property
    def names(self) -> list[str]:
        """The names of all parts, in the order of the archive."""
        return list(self._entries)

    def read(self, name: str) -> bytes:
        """The bytes of a part; b"" where there is none.

        Raises Unreadable: `encrypted`, `damaged`, `archive-bomb`. Declared sizes are not believed.
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


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name
