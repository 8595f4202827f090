"""Index what is on this machine: the files of a folder, or the latest good answer for each URL of WARC files.

The index of an archive is kept in the workspace by the digest of its bytes, so an unchanged archive is hashed, which
takes a fiftieth of the time, and not read again.
"""

from __future__ import annotations

import mimetypes
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urldefrag

from crawlers.web.site_files import mark_policy_file
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow, record_id
from malmoi.archive.capture_fields import has_controls, show
from malmoi.boundary import input_errors
from malmoi.errors import CaptureError, SourceError
from malmoi.source import FOLDER, Folder, Source, Warc
from malmoi.statistics import Sample, Stratum, draw_by_size
from malmoi.storage.shard import sha256_of

ARCHIVE_VERSION = 1  # raise it when an archive yields other rows or messages
Indexed: TypeAlias = tuple[list[IndexRow], list[str]]  # rows, and messages about unreadable records
ReadArchive: TypeAlias = Callable[[Path], Indexed]


Left: TypeAlias = tuple[str, str]  # name of a file below the folder, and why it was left out

LEADS_OUT = "link-out-of-the-folder"  # no claim of the source covers the linked file
LINKED_FOLDER = "link-to-a-folder"  # files inside are found in the folder itself
BROKEN_LINK = "broken-link"
NO_FILE = "no-regular-file"  # a pipe, a socket, a device
NO_FOLDER = "unreadable-folder"  # its content is unknown
NOT_UTF8 = "name-not-utf-8"
CONTROLS = "control-character-in-name"  # it would become part of a URL and reach terminals and data cards
_MEDIA = {".md": "text/markdown", ".mdx": "text/markdown", ".jsonl": "application/x-ndjson", ".csv": "text/csv"}


def index_files(
    source: Source, access: Folder, limit: int | None, sample: Sample | None = None
) -> tuple[list[IndexRow], list[Left], list[Stratum]]:
    """Return the rows of the files of a folder, what was left out, and the strata of a sample.

    `limit` takes the first files, `sample` draws some. Raises SourceError if no file is left.
    """
    chosen, left = paths(source, access)
    root = access.path.expanduser()
    rows: list[IndexRow] = []
    composed = normalise_names([path.relative_to(root).as_posix() for path in chosen])
    named = {f"{FOLDER}{source.name}/{name}": path for path, name in zip(chosen, composed, strict=True)}
    strata: list[Stratum] = []
    if sample:
        sizes = dict.fromkeys(named, 0)
        for url, path in named.items():
            with suppress(OSError):  # deleted since it was listed
                sizes[url] = path.stat().st_size
        strata = draw_by_size(sample, sizes)
    taken = [url for one in strata for url in one.chosen] if sample else list(named)[:limit]
    for url in sorted(taken):
        path, name = named[url], url.removeprefix(f"{FOLDER}{source.name}/")
        try:
            with input_errors(_PathError):
                digest, state = sha256_of(path), path.stat()
                media = _MEDIA.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
                row = IndexRow(
                    record=record_id(url, digest),
                    url=url,
                    fetched=format_utc(state.st_mtime),  # its last change, as a file has no time of sending
                    status=200,
                    media=media or "application/octet-stream",
                    payload_sha256=digest,
                    path=str(path.absolute()),
                    offset=0,
                    size=state.st_size,
                    kind="file",
                )
            rows.append(row)
        except OSError as error:  # deleted since it was listed, no read permission, a damaged disk
            left.append((name, explain_read_error(error)))
        except _PathError as error:
            left.append((name, f"unreadable: {error}"))
    if not rows:
        raise no_files_error(source, access, left)
    return rows, left, strata


def format_utc(seconds: float) -> str:
    """Format seconds since 1970 as the time of a capture.

    >>> format_utc(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def paths(source: Source, access: Folder) -> tuple[list[Path], list[Left]]:
    """Return the files of a folder, sorted, and what was left out of the files that the globs choose.

    A glob of `exclude` that matches a folder excludes everything in it. The licence file of a claim is archived
    as such and is not text of the source.
    """
    root = access.path.expanduser()
    if not root.is_dir():
        raise SourceError(f"{source.name}: the folder {root} does not exist; correct the path in the source file.")
    shut = _match_globs(source, root, access.exclude) | {root / claim.file for claim in source.claim if claim.file}
    links, closed = _walk(source, root, shut)
    chosen = _match_globs(source, root, access.include) | links
    home = root.resolve()
    _resolve.cache_clear()  # a folder of the last run may be a link now
    taken: list[Path] = []
    left: list[Left] = [(_printable(path, root), NO_FOLDER) for path in closed]
    for path in sorted(chosen - shut):
        if not shut.isdisjoint(path.parents):
            continue
        why = _skip_reason(path, root, home)
        if why:
            left.append((_printable(path, root), why))
        elif why is not None:
            taken.append(path)
    if not taken:
        raise no_files_error(source, access, left)
    return taken, left


def no_files_error(source: Source, access: Folder, left: Sequence[Left]) -> SourceError:
    """Return the error for a folder without usable files; it lists the skipped ones."""
    what = f" ({len(left)} left out: {left[0][0]}, {left[0][1]} …)" if left else ""
    mend = " or `exclude` in the source file"
    if left:
        mend = (
            ", or remove what keeps these files unreadable, such as a missing permission or a name that is not UTF-8 "
            "(convmv renames whole folders)"
        )
    return SourceError(
        f"{source.name}: no file in {access.path.expanduser()} matches {', '.join(access.include)}{what}; correct "
        f"`include`{mend}."
    )


def _match_globs(source: Source, root: Path, globs: Iterable[str]) -> set[Path]:
    """Return the matches of the globs below `root` in NFC and NFD: macOS names files in NFD, people type NFC."""
    found: set[Path] = set()
    for glob in globs:
        # Until Python 3.13 pathlib lets `**` at the end of a glob match folders only.
        whole = f"{glob}/*" if glob == "**" or glob.endswith("/**") else glob
        for spelling in {whole, *(unicodedata.normalize(form, whole) for form in ("NFC", "NFD"))}:
            try:
                found.update(root.glob(spelling))
            except OSError as error:
                raise SourceError(
                    f"{source.name}: the folder {root} changed while it was listed, or cannot be read "
                    f"({error.strerror}); grant read permission, or collect again when it no longer changes."
                ) from error
            except (ValueError, NotImplementedError) as error:
                raise SourceError(
                    f"{source.name}: the glob {glob!r} cannot be used ({error}); it is relative to the folder, "
                    "as in **/*.hwp; correct include or exclude in the source file."
                ) from error
    return found


def _walk(source: Source, root: Path, shut: set[Path]) -> tuple[set[Path], list[Path]]:
    """Return the links to folders below `root`, which no glob enters, and the unreadable folders."""
    links, closed = set[Path](), list[Path]()

    def note(error: OSError) -> None:
        if Path(error.filename) == root:
            raise SourceError(
                f"{source.name}: the folder {root} cannot be read ({error.strerror}); grant read permission, or "
                "correct the path in the source file."
            ) from error
        closed.append(Path(error.filename))

    for place, folders, _ in os.walk(root, onerror=note):
        folders[:] = [name for name in folders if Path(place, name) not in shut]
        links |= {path for name in folders if (path := Path(place, name)).is_symlink()}
    return links, sorted(closed)


def _skip_reason(path: Path, root: Path, home: Path) -> str | None:
    """Return why a path is skipped: "" if it is taken, None for a folder, whose files are judged one by one."""
    try:
        with input_errors(_PathError):
            if path.is_dir():
                return LINKED_FOLDER if path.is_symlink() else None
            if not path.exists():
                return BROKEN_LINK
            place = path.resolve() if path.is_symlink() else _resolve(path.parent)
            if not place.is_relative_to(home):
                return LEADS_OUT
            if not path.is_file():
                return NO_FILE
            name = path.relative_to(root).as_posix()
            if any(0xD800 <= ord(c) < 0xE000 for c in name):  # the way os.fsdecode spells bytes that are not UTF-8
                return NOT_UTF8
            return CONTROLS if has_controls(name) else ""
    except OSError as error:
        return explain_read_error(error)
    except _PathError as error:
        return f"unreadable: {error}"


class _PathError(Exception):
    """An unexpected error about one path."""


def explain_read_error(error: OSError) -> str:
    """Return the reason for a file that the operating system cannot read.

    >>> explain_read_error(PermissionError(13, "Permission denied"))
    'unreadable: Permission denied'
    """
    return f"unreadable: {error.strerror or type(error).__name__}"


@lru_cache(maxsize=1024)
def _resolve(folder: Path) -> Path:
    return folder.resolve()


def _printable(path: Path, root: Path) -> str:
    return show(os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace"))


def normalise_names(raw: Sequence[str]) -> list[str]:
    """Return file names in NFC, so that a file has one id whatever machine copied it; names stay unique.

    >>> ([len(name) for name in normalise_names(["\u1100\u1161", "b"])],
    ...  [len(name) for name in normalise_names(["\u1100\u1161", "가"])])
    ([1, 1], [2, 1])
    """
    composed = [unicodedata.normalize("NFC", name) for name in raw]
    once = Counter(composed)
    return [short if once[short] == 1 else name for name, short in zip(raw, composed, strict=True)]


def index_archives(source: Source, access: Warc, read: ReadArchive) -> Indexed:
    """Return the rows of all archives, one per URL and sorted by it, and messages about unreadable records.

    `read` is `read_archive`, or returns what it returned earlier. Raises SourceError if an archive is missing,
    CaptureError if none of them holds an answer.
    """
    rows: list[IndexRow] = []
    torn: list[str] = []
    for path in _list_files(source, access):
        try:
            found, broken = read(path)
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
    best: dict[str, IndexRow] = {}
    for row in rows:
        if "#" in row.url:  # a fragment is never sent, so the answers are of one page
            row = replace(row, url=urldefrag(row.url).url)
        held = best.get(row.url)
        if row.status == 200 and (held is None or (held.fetched, held.record) < (row.fetched, row.record)):
            best[row.url] = row
    return [best[url] for url in sorted(best)], torn


def read_archive(path: Path) -> Indexed:
    """Index one archive; policy files have the kind INSTRUMENT. OSError or CaptureError if it cannot be read."""
    found, broken = capture.index(path, str(path.absolute()), own="")
    rows = [mark_policy_file(row, path) for row in found if row.kind not in ("metadata", "revisit")]
    return rows, [one.describe() for one in broken]


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
