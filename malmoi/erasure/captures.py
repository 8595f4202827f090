"""Purge the captures of a source: blank their records, drop their rows, their addresses in facts, lists and logs.

Order, so that a kill at any moment leaves a run that can be read: records that replace others are appended, then index
and facts are replaced, then the erased records are blanked, then lists and logs are rewritten. A file `.purging` is
in the run from the first step to the last: the next purge then reads the whole archive again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

from malmoi.archive import blank_records, capture, collection
from malmoi.archive.capture import Capture, IndexRow, Torn
from malmoi.archive.collection import LICENCE, Run
from malmoi.canonical_json import canonical_json
from malmoi.errors import CaptureError
from malmoi.source import FOLDER
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace_layout import BLOCKED, STATS

Headers = tuple[tuple[str, str], ...]
# Of a capture: headers and payload without what names or quotes the erased; None if it must go whole.
Mask = Callable[[Capture], tuple[Headers, bytes] | None]
_MARK = ".purging"
_ARCHIVES = (".warc.gz", ".warc.gz.open")
_LISTS = (BLOCKED, "resting.txt", "crawl.log")  # of a run, with addresses
_RAW = ("dump.*", "repository.git")  # unread originals of an unfinished run; the next collection fetches them again
_BETWEEN = re.compile(r"[\s\"'<>(),]+")  # of addresses in a line


@dataclass(frozen=True, slots=True)
class Replacement:
    """A record that takes the place of another one: without what is erased, with the rest."""

    record: str
    url: str
    body: bytes
    raw: bytes  # WARC record, one gzip member


@dataclass(frozen=True, slots=True)
class Erasing:
    """What to erase from the captures of one source."""

    source: str
    is_withdrawn: Callable[[str], bool]  # by the address of a capture
    records: frozenset[str] = frozenset()  # ids of records to erase, whatever their address
    replacements: Mapping[str, Replacement] = field(default_factory=dict)  # id of a record of `records` → the new one
    has_value: Callable[[Capture], bool] | None = None  # by the payload; None if no tombstone reads payloads
    mask: Mask | None = None  # None: no capture names or quotes what is erased

    def mentions(self, text: str) -> bool:
        """Whether a line or a fact names a withdrawn address, or a withdrawn file below the folder of the source."""
        words = (word for word in _BETWEEN.split(text) if "/" in word or "." in word)
        names = (text, f"{FOLDER}{self.source}/{text}")
        return any(map(self.is_withdrawn, names)) or any(map(self.is_withdrawn, words))

    def find_replacement(self, kind: str, found: Capture) -> Replacement | Literal["keep"] | None:
        """Return what takes the place of a record: another one, nothing, or "keep" if it stays."""
        if found.record in self.records or self.is_withdrawn(found.url) or self.leads_there(found):
            return self.replacements.get(found.record)
        if self.has_value is not None and self.has_value(found):
            return None
        if self.mask is None or kind != "response":
            return "keep"
        if (masked := self.mask(found)) is None or masked == (found.headers, found.body):
            return masked and "keep"
        headers, body = masked
        headers = tuple((k, str(len(body)) if k.lower() == "content-length" else v) for k, v in headers)
        raw = capture.warc_record(found.url, found.fetched, found.status, headers, body)
        return Replacement(capture.record_id(found.url, body), found.url, body, raw)

    def leads_there(self, found: Capture) -> bool:
        """Whether a capture is a redirect to a withdrawn address."""
        target = found.header("location").strip()
        return bool(target) and self.is_withdrawn(urljoin(found.url, target))


@dataclass(frozen=True, slots=True)
class PurgedSource:
    """How many records of a source were erased, and the ids of those of which something was erased."""

    erased: int = 0
    changed: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Changes:
    """The changes of one archive: members to blank, and the records to append in the place of some of them."""

    path: Path
    blank: dict[int, int] = field(default_factory=dict)  # start → end
    new: dict[tuple[int, str], Replacement] = field(default_factory=dict)  # (start, old record) → the new one
    records: set[str] = field(default_factory=set)  # old ones


def purge_source(home: Path, erasing: Erasing) -> PurgedSource:
    """Purge all runs of a source below `home`."""
    erased, changed = 0, set[str]()
    for folder in sorted(path for path in home.glob("[0-9]*") if path.is_dir()):
        for path in (found for pattern in _RAW for found in folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for one in _purge_run(folder, erasing):
            erased += len(one.blank) - len(one.new)
            changed |= one.records
    return PurgedSource(erased, frozenset(changed))


def _purge_run(folder: Path, erasing: Erasing) -> list[_Changes]:
    for part in folder.glob(f"*{blank_records.PART}"):  # of a purge that was killed
        part.unlink()
    run = collection.read_run(folder) if (folder / "run.json").exists() else None
    mark = folder / _MARK
    if run is not None and not mark.exists() and not _is_touched(run, erasing):
        return []
    mark.touch()
    archives = sorted(
        path for path in folder.glob("*.warc.gz*") if path.name.endswith(_ARCHIVES) and path.stat().st_size
    )
    found = [one for path in archives if (one := _find_changes(path, run, erasing)).blank]
    if run is not None:
        moved = {one.path.name: _append(one) for one in found}
        rows = [new for row in run.rows if (new := _renew_row(run, row, moved, found, erasing)) is not None]
        collection.rewrite(run, rows, strip_facts(run.facts, erasing))
    for one in found:  # of an unfinished run, what would be replaced is fetched again
        blank_records.rewrite(one.path, one.blank)
    for path in (folder / name for name in _LISTS):
        if (text := _strip_lines(path, erasing)) is not None:
            replace_file(path, text)
    if (stats := folder / STATS).exists():
        facts = json.loads(stats.read_text(encoding="utf-8"))
        if (plain := strip_facts(facts, erasing)) != facts:
            replace_file(stats, canonical_json(plain))
    mark.unlink()
    return found


def _is_touched(run: Run, erasing: Erasing) -> bool:
    """Whether a run must be read as a whole; otherwise its index, facts and lists say that nothing of it is erased."""
    if erasing.mask is not None or erasing.has_value is not None:
        return True
    if any(row.record in erasing.records or erasing.is_withdrawn(row.url) for row in run.rows):
        return True
    lists = (_strip_lines(run.folder / name, erasing) is not None for name in _LISTS)
    return strip_facts(run.facts, erasing) != run.facts or any(lists)


def _find_changes(path: Path, run: Run | None, erasing: Erasing) -> _Changes:
    """Find the records of an archive to erase or to replace; the proofs of licences stay."""
    proofs = {row.offset for row in run.rows if row.kind == LICENCE and row.path == path.name} if run else set[int]()
    found, starts = _Changes(path), set[int]()
    try:
        for entry in capture.scan(path):
            if isinstance(entry, Torn) or entry[0] in proofs:
                continue
            at, kind, one = entry
            new = erasing.find_replacement(kind, one)
            if new == "keep":
                continue
            starts.add(at)
            found.records.add(one.record)
            if new is not None:
                found.new[at, one.record] = new
    except CaptureError:  # no record of it can be read, so it names nothing
        return found
    found.blank = blank_records.find_ends(path, starts)
    return found


def _append(changes: _Changes) -> dict[tuple[int, str], int]:
    """Append the new records of an archive; return (start, record) of each old one → start of the new one."""
    at, added, moved = changes.path.stat().st_size, bytearray(), {}
    for key, new in changes.new.items():
        moved[key] = at + len(added)
        added += new.raw
    if added:
        blank_records.rewrite(changes.path, {}, bytes(added))
    return moved


def _renew_row(
    run: Run, row: IndexRow, moved: Mapping[str, Mapping[tuple[int, str], int]], found: list[_Changes], erasing: Erasing
) -> IndexRow | None:
    """Return the row as it is after the purge; None if it goes."""
    if row.kind == LICENCE:
        return row
    place = (row.offset, row.record)
    for one in found:
        if one.path.name == row.path and row.offset in one.blank:
            if (new := one.new.get(place)) is None:
                return None
            digest = hashlib.sha256(new.body).hexdigest()
            return replace(
                row, record=new.record, url=new.url, payload_sha256=digest, size=len(new.body),
                offset=moved[row.path][place],
            )  # fmt: skip
    return None if row.record in erasing.records or erasing.is_withdrawn(row.url) else row


def strip_facts(value: Any, erasing: Erasing) -> Any:
    """Return facts without the entries of lists that name a withdrawn address, and such strings empty."""
    if isinstance(value, dict):
        return {key: strip_facts(one, erasing) for key, one in value.items()}
    if isinstance(value, list):
        return [strip_facts(one, erasing) for one in value if not _has_mention(one, erasing)]
    return "" if isinstance(value, str) and erasing.mentions(value) else value


def _has_mention(value: Any, erasing: Erasing) -> bool:
    if isinstance(value, dict):
        return any(_has_mention(one, erasing) for one in value.values())
    if isinstance(value, list):
        return any(_has_mention(one, erasing) for one in value)
    return isinstance(value, str) and erasing.mentions(value)


def _strip_lines(path: Path, erasing: Erasing) -> str | None:
    """Return a list or log without the lines that name a withdrawn address; None if it has no such line."""
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if not erasing.mentions(line.strip())]
    return "".join(kept) if len(kept) < len(lines) else None
