"""Collect what lies on this machine: folders of files and existing archives, which stay where they are."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urldefrag

from crawlers import folders
from crawlers.folders import Left
from crawlers.rights import claims
from crawlers.rights.host import policy_files
from crawlers.rights.host.policy_files import INSTRUMENT
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.archive.capture_fields import show
from malmoi.archive.collection import GONE, LICENCE, Run, finish, select_current
from malmoi.boundary import input_errors
from malmoi.errors import CaptureError, SourceError
from malmoi.source import FOLDER, Folder, LicenceClaim, Source, Warc
from malmoi.storage.shard import sha256_of

_MEDIA = {".md": "text/markdown", ".mdx": "text/markdown", ".jsonl": "application/x-ndjson", ".csv": "text/csv"}


@dataclass(frozen=True, slots=True)
class _Look:
    """What is there: rows, records that are torn, and files that a folder shows and we do not take."""

    rows: tuple[IndexRow, ...]
    torn: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()


def collect(source: Source, folder: Path, earlier: Sequence[Run], *, limit: int | None = None) -> dict[str, int]:
    """Index what the source's folder or archives hold and the earlier runs do not; the counts of the run.

    Nothing is written where nothing is new. Raises SourceError or CaptureError where the access point
    or a licence file is not there or not readable; the message says which and what to do.
    """
    look = _scan_source(source, limit)
    known = _instruments(earlier) | {row.url: row for _, rows in select_current(earlier) for row in rows}
    held = {row.record for run in earlier for row in run.rows if row.kind == LICENCE}
    new = [row for row in look.rows if row.url not in known or known[row.url].record != row.record]
    here = {row.url for row in look.rows}
    gone = [] if limit is not None else [_mark_gone(row) for url, row in known.items() if url not in here]
    licences = list(_licences(source))
    fresh = [(row, body) for row, body in licences if row.record not in held]
    counts = {
        "found": len(look.rows),
        "new": len(new),
        "gone": len(gone),
        "torn": len(look.torn),
        "outside": sum(why == folders.LEADS_OUT for _, why in look.left),
        "left out": len(look.left),
    }
    told = {"torn_records": list(look.torn), "not_taken": [list(one) for one in look.left]}
    said = earlier[-1].facts.get("not_taken", []) if earlier else []
    if new or gone or fresh or said != told["not_taken"]:
        folder.mkdir(parents=True, exist_ok=True)
        rows = _write_archive(folder, new, fresh)
        finish(folder, [*rows, *gone], {"source": source.name, **counts, **told})
    return counts


def _instruments(earlier: Sequence[Run]) -> dict[str, IndexRow]:
    """The robots.txt, sitemaps and the like that earlier runs have indexed, by address; no captures that stand."""
    held = {row.url: row for run in earlier for row in run.rows if row.kind in (INSTRUMENT, GONE)}
    return {url: row for url, row in held.items() if row.kind == INSTRUMENT}


def _scan_source(source: Source, limit: int | None) -> _Look:
    match source.access:
        case Folder():
            paths, left = folders.paths(source, source.access)
            taken, unread = _index_files(source, source.access, paths[:limit])
            if not taken:
                raise folders.no_files_error(source, source.access, [*left, *unread])
            return _Look(tuple(taken), left=(*left, *unread))
        case Warc():
            rows, torn = _index_archives(source, source.access, limit)
            return _Look(tuple(rows), tuple(torn))
    raise SourceError(f"{source.name}: {type(source.access).__name__} is fetched over the net, not read from disk.")


def _index_files(source: Source, access: Folder, paths: Sequence[Path]) -> tuple[list[IndexRow], list[Left]]:
    """The rows of the files that can be read, and why the others cannot."""
    root = access.path.expanduser()
    names = folders.normalise_names([path.relative_to(root).as_posix() for path in paths])
    rows: list[IndexRow] = []
    left: list[Left] = []
    for path, name in zip(paths, names, strict=True):
        try:
            with input_errors(_FileError):
                rows.append(_index_file(path, f"{FOLDER}{source.name}/{name}"))
        except OSError as error:  # gone since it was listed, no right to read it, a damaged disk
            left.append((name, folders.explain_read_error(error)))
        except _FileError as error:
            left.append((name, f"unreadable: {error}"))
    return rows, left


class _FileError(Exception):
    """What was raised about one file."""


def _index_file(path: Path, url: str) -> IndexRow:
    digest, found = sha256_of(path), path.stat()
    return IndexRow(
        record=capture.record_id(url, digest),
        url=url,
        fetched=_utc(found.st_mtime),  # a file has no time of sending; its last change is the nearest
        status=200,
        media=_MEDIA.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        payload_sha256=digest,
        path=str(path.absolute()),
        offset=0,
        size=found.st_size,
        kind="file",
    )


def _index_archives(source: Source, access: Warc, limit: int | None) -> tuple[list[IndexRow], list[str]]:
    rows: list[IndexRow] = []
    torn: list[str] = []
    for path in _archive_files(source, access):
        try:
            found, broken = capture.index(path, str(path.absolute()), own="")
        except OSError as error:
            torn.append(f"{show(str(path))}: cannot be read ({error.strerror}); give the right to read it")
            continue
        except CaptureError as error:  # of several archives one that is none stops no other
            torn.append(show(str(error)))
            continue
        rows += [row for row in found if row.kind not in ("metadata", "revisit")]
        torn += [one.describe() for one in broken]
    if not rows:
        where = ", ".join(str(path) for path in access.paths)
        why = f" ({torn[0]})" if torn else ""
        raise CaptureError(
            f"{source.name}: no WARC record of {where} is a response; nothing can be extracted{why}. "
            "Name an archive of pages in `paths` of the source file."
        )
    best: dict[str, IndexRow] = {}
    for row in rows:
        url = urldefrag(row.url).url  # a fragment is never sent, so the answers are of one page
        held = best.get(url)
        if row.status == 200 and (held is None or (held.fetched, held.record) < (row.fetched, row.record)):
            best[url] = replace(row, url=url)
    rows = [_mark_instrument(best[url]) for url in sorted(best)]
    told = [row for row in rows if row.kind == INSTRUMENT]
    return [*[row for row in rows if row.kind != INSTRUMENT][:limit], *told], torn


def _mark_instrument(row: IndexRow) -> IndexRow:
    """An archive holds robots.txt and sitemaps beside the pages; they are no text of the source."""
    body = b""
    if "xml" in row.media or "gzip" in row.media:
        body = capture.read(Path(row.path), row.offset, row.record, row.payload_sha256).body
    try:
        with input_errors(_FileError):
            found = policy_files.is_instrument(row.url, body)
    except _FileError:  # extraction will say what it is
        return row
    return replace(row, kind=INSTRUMENT) if found else row


def _archive_files(source: Source, access: Warc) -> list[Path]:
    files: list[Path] = []
    for path in access.paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.name.endswith((".warc", ".warc.gz")))
        elif path.is_file():
            files.append(path)
        else:
            raise SourceError(f"{source.name}: the archive {path} is not there; correct `paths` in the source file.")
    if not files:
        names = ", ".join(str(p) for p in access.paths)
        raise SourceError(f"{source.name}: no .warc or .warc.gz below {names}; correct `paths` in the source file.")
    return files


def _licences(source: Source) -> Iterator[tuple[IndexRow, bytes]]:
    """Each licence file that a claim names, once, after the claim's words have been found in it."""
    base = _licence_folder(source)
    for claim in {c.file: c for c in source.claim if c.file}.values():
        path = base / claim.file
        if not path.is_file():
            raise SourceError(
                f"{source.name}: the licence file {path} is not there; a claim needs its proof. "
                "Put it there, or correct `file` of the LicenceClaim in the source file."
            )
        try:
            body = path.read_bytes()
        except OSError as error:
            raise _unreadable_error(source, path, str(error.strerror)) from error
        with input_errors(partial(_unreadable_error, source, path)):
            text = claims.readable_text(body, "", name=path.name)
        for words in source.claim:
            if words.file == claim.file:
                claims.check_quote(words, text)
        yield _licence_row(claim, path, body), body


def _unreadable_error(source: Source, path: Path, why: str) -> SourceError:
    return SourceError(
        f"{source.name}: the licence file {path} cannot be read ({why}); a claim needs its proof. Give the right to "
        "read it, or correct `file` of the LicenceClaim in the source file."
    )


def _licence_row(claim: LicenceClaim, path: Path, body: bytes) -> IndexRow:
    digest = hashlib.sha256(body).hexdigest()
    fetched = _utc(path.stat().st_mtime)
    return IndexRow(
        capture.record_id(claim.file, digest), claim.file, fetched, 200, "text/plain", digest, "", 0, len(body), LICENCE
    )


def _licence_folder(source: Source) -> Path:
    """Where licence files are looked for: the folder, or the folder that holds the first archive."""
    match source.access:
        case Folder(path=path):
            return path.expanduser()
        case Warc(paths=paths):
            first = paths[0]
            return first if first.is_dir() else first.parent
    return Path()


def _write_archive(folder: Path, rows: list[IndexRow], licences: list[tuple[IndexRow, bytes]]) -> list[IndexRow]:
    """Write the run's own WARC: licence files with their bytes, other files by path and digest."""
    written: list[IndexRow] = []
    part = folder / "files.warc.gz.open"
    with part.open("wb") as stream:
        for row, body in licences:
            at = stream.tell()
            head = (("Content-Type", row.media),)
            stream.write(capture.warc_record(row.url, row.fetched, 200, head, body))
            written.append(replace(row, path="files.warc.gz", offset=at))
        for row in rows:
            if row.kind == "file":
                stream.write(capture.file_record(row.url, row.fetched, row.path, row.size, row.payload_sha256))
    part.replace(folder / "files.warc.gz")
    return written + rows


def _mark_gone(row: IndexRow) -> IndexRow:
    return replace(row, path="", offset=0, size=0, kind=GONE)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
