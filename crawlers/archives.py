"""Index the local WARC files that a source names: the latest good answer for each URL.

The index of an archive is kept in the workspace by the digest of its bytes, so an unchanged archive is hashed, which
takes a fiftieth of the time, and not read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urldefrag

from crawlers.web.site_files import mark_policy_file
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.archive.capture_fields import show
from malmoi.errors import CaptureError, SourceError
from malmoi.source import Source, Warc

VERSION = 1  # raise it when an archive yields other rows or messages
Indexed: TypeAlias = tuple[list[IndexRow], list[str]]  # rows, and messages about unreadable records
ReadArchive: TypeAlias = Callable[[Path], Indexed]


def index_archives(source: Source, access: Warc, read_archive: ReadArchive) -> Indexed:
    """Return the rows of all archives, one per URL and sorted by it, and messages about unreadable records.

    `read_archive` is `read`, or returns what it returned earlier. Raises SourceError if an archive is missing,
    CaptureError if none of them holds an answer.
    """
    rows: list[IndexRow] = []
    torn: list[str] = []
    for path in _list_files(source, access):
        try:
            found, broken = read_archive(path)
        except OSError as error:
            torn.append(f"{show(str(path))}: cannot be read ({error.strerror}); grant read permission")
            continue
        except CaptureError as error:  # a file that is not an archive does not stop the others
            torn.append(show(str(error)))
            continue
        rows += found
        torn += broken
    if not rows:
        where = ", ".join(str(path) for path in access.paths)
        why = f" ({torn[0]})" if torn else ""
        raise CaptureError(
            f"{source.name}: no WARC record of {where} is a response; nothing can be extracted{why}. "
            "Name an archive of pages in `paths` of the source file."
        )
    return _latest(rows), torn


def read(path: Path) -> Indexed:
    """Index one archive; policy files have the kind INSTRUMENT. OSError or CaptureError if it cannot be read."""
    found, broken = capture.index(path, str(path.absolute()), own="")
    rows = [mark_policy_file(row, path) for row in found if row.kind not in ("metadata", "revisit")]
    return rows, [one.describe() for one in broken]


def _latest(rows: list[IndexRow]) -> list[IndexRow]:
    best: dict[str, IndexRow] = {}
    for row in rows:
        if "#" in row.url:  # a fragment is never sent, so the answers are of one page
            row = replace(row, url=urldefrag(row.url).url)
        held = best.get(row.url)
        if row.status == 200 and (held is None or (held.fetched, held.record) < (row.fetched, row.record)):
            best[row.url] = row
    return [best[url] for url in sorted(best)]


def _list_files(source: Source, access: Warc) -> list[Path]:
    files: list[Path] = []
    for path in map(Path.expanduser, access.paths):
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.name.endswith((".warc", ".warc.gz")))
        elif path.is_file():
            files.append(path)
        else:
            raise SourceError(f"{source.name}: the archive {path} does not exist; correct `paths` in the source file.")
    if not files:
        names = ", ".join(str(p) for p in access.paths)
        raise SourceError(f"{source.name}: no .warc or .warc.gz below {names}; correct `paths` in the source file.")
    return files
