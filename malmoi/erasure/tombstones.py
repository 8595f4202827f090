"""Tombstones (takedowns): what must not appear again, with the day, the reason and the request.

One Parquet file of a workspace, a row each, sorted. Rows are only added, and revoking sets a day in a row; each write
is atomic. Curation drops matching documents before the first filter, whatever the recipe says, and a release excludes
those that still reach it.

    kind          key
    id            id of a document, also as a release names it (`<source>/page-…`)
    url           canonical URL
    url-prefix    canonical URL; covers itself and what lies below it
    text-sha256   sha256 (hex) of the published or of the stored text
    value         keyed digest of a value that a text contains (malmoi/erasure/value_digests.py)
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date as calendar
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.document import Document, Spans, Verdict
from malmoi.erasure.value_digests import ValueFinder, is_value_digest
from malmoi.errors import CallError
from malmoi.ledger import digest_of
from malmoi.storage.atomic_files import replace_file, sync
from malmoi.url_privacy import digest_id, is_digest_id

Kind: TypeAlias = Literal["id", "url", "url-prefix", "text-sha256", "value"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NAME, REASON = "withdrawals", "withdrawn"  # of a drop, in ledgers and audit tables
COLUMNS = ("kind", "key", "date", "reason", "request", "revoked")
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in COLUMNS])
KEY_BYTES = 32
_DIGEST = b"sha256"  # of the rows, in the metadata of the file
_BEFORE = ("id", "date", "reason", "request")  # columns of files written before there were kinds


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A rule: this must not appear again; `date` is the day of the decision, as 2026-11-24."""

    kind: Kind
    key: str
    date: str
    reason: str
    request: str = ""  # who asked, or the number of the request; "" without one
    revoked: str = ""  # the day from which it has no effect

    def describe(self) -> str:
        """Return kind and key for a message; the digest of a value is shortened."""
        return f"{self.kind} {self.key[:12]}…" if self.kind == "value" else f"{self.kind} {self.key}"


def mark(doc: Document, *, ids: Collection[str]) -> Verdict | Spans:
    """Drop a document whose id is in `ids`; other documents stay unchanged, without a note in the trail."""
    return Verdict("drop", REASON) if doc.id in ids else ()


def read(path: Path) -> tuple[Tombstone, ...]:
    """Read the tombstones in `path`, sorted, revoked ones too; none if the file is missing. CallError if unreadable."""
    try:
        with pq.ParquetFile(path) as file:
            old = "kind" not in file.schema_arrow.names
            names = _BEFORE if old else COLUMNS
            schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in names])
            rows = file.read(columns=list(names)).cast(schema).to_pylist()
            said = (file.schema_arrow.metadata or {}).get(_DIGEST)
        if said is not None and said != _digest(rows):
            raise CallError(f"{path}: was changed; restore it from a copy, or the withdrawn documents come back.")
        if old:
            return tuple(Tombstone("id", row.pop("id"), **row) for row in rows)
        found = tuple(Tombstone(**row) for row in rows)
        if strange := {one.kind for one in found} - set(KINDS):
            raise ValueError(f"unknown kind {min(strange)!r}")
        return found
    except FileNotFoundError:
        return ()
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise CallError(f"{path}: not readable as withdrawals ({first}); restore it from a copy.") from error


def read_ids(path: Path) -> list[str]:
    """Return the ids of the documents in `path` that must not appear, as they were given."""
    return [one.key for one in read(path) if one.kind == "id" and not one.revoked]


def add(path: Path, new: Iterable[Tombstone]) -> tuple[Tombstone, ...]:
    """Add the new tombstones to `path`; return those that were not in effect before.

    Repeating one changes nothing; one that was revoked is added as a new row. CallError, and nothing is written, if a
    reason is empty, a date is invalid, a key has not the form of its kind, or another reason or request is recorded
    for it: a record is never changed.
    """
    added = list_new(path, new)
    if added:
        _write(path, [*read(path), *added])
    return added


def list_new(path: Path, new: Iterable[Tombstone]) -> tuple[Tombstone, ...]:
    """Return what `add` would add, and write nothing; CallError as `add`."""
    rows = read(path)
    known = {(one.kind, one.key): one for one in rows if not one.revoked}
    added: dict[tuple[Kind, str], Tombstone] = {}
    for one in new:
        refuse_incomplete(one)
        if one in rows:
            continue
        old = known.get((one.kind, one.key)) or added.get((one.kind, one.key))
        if old is None:
            added[one.kind, one.key] = one
        elif old.reason != one.reason or one.request not in ("", old.request):
            raise CallError(
                f"{one.describe()} was withdrawn on {old.date}: {old.reason!r}, request {old.request!r}. A withdrawal "
                "is not changed; nothing was written. Leave it out, or repeat the same words."
            )
    return tuple(added[key] for key in sorted(added))


def revoke(path: Path, key: str, day: str) -> tuple[Tombstone, ...]:
    """Set the day from which the tombstones with this key have no effect; return them as they are now.

    CallError if none of them is in effect.
    """
    rows = read(path)
    hit = [one.key == key and not one.revoked for one in rows]
    if not any(hit):
        raise CallError(f"no tombstone in effect has the key {key!r}; `malmoi withdrawals list` shows all of them.")
    changed = [replace(one, revoked=day) if here else one for one, here in zip(rows, hit, strict=True)]
    for one in changed:
        refuse_incomplete(one)
    _write(path, changed)
    return tuple(one for one, here in zip(changed, hit, strict=True) if here)


def load_key(path: Path) -> bytes:
    """Read the secret key of values in `path`; make one if it is missing, readable by its owner only."""
    if not path.exists():
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(os.urandom(KEY_BYTES))
            sync(part)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        sync(path.parent)
    return read_key(path)


def read_key(path: Path) -> bytes:
    """Read the secret key of values in `path`. CallError if it is missing or damaged: erased values would come back."""
    if not path.exists():
        raise CallError(f"{path} is missing, so erased values cannot be found; restore it from a copy.")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise CallError(
            f"{path}: {len(key)} bytes, not {KEY_BYTES}; restore it from a copy, or erased values come back."
        )
    return key


def read_matcher(tombstones: Path, key: Path) -> Matcher:
    """Read the tombstones and, if there are values among them, the key. CallError if one of the files is damaged."""
    found = read(tombstones)
    has_values = any(one.kind == "value" and not one.revoked for one in found)
    return Matcher(found, read_key(key) if has_values else b"")


class Matcher:
    """Compares documents, addresses and texts with the tombstones in effect; revoked ones are ignored.

    `key` is that of the workspace; it may be empty if no tombstone is of kind `value`. URLs are canonical.
    """

    def __init__(self, tombstones: Sequence[Tombstone], key: bytes) -> None:
        self.tombstones = tuple(one for one in tombstones if not one.revoked)
        by: dict[str, dict[str, Tombstone]] = {kind: {} for kind in KINDS}
        for one in self.tombstones:
            by[one.kind][one.key] = one
        self._ids, self._urls, self._texts, self._values = by["id"], by["url"], by["text-sha256"], by["value"]
        self._prefixes = tuple(by["url-prefix"].values())
        self._starts = tuple(one.key for one in self._prefixes)
        self._sources = {id.partition("/")[0] for id in self._ids}
        self._has_pages = any(map(is_digest_id, self._ids))
        self._ids = {**{digest_id(id): one for id, one in self._ids.items()}, **self._ids}
        self._finder = ValueFinder(self._values, key) if self._values else None

    def __bool__(self) -> bool:
        return bool(self.tombstones)

    @property
    def reads_texts(self) -> bool:
        """Whether a tombstone needs the text of a document: ids and addresses are not enough."""
        return bool(self._texts or self._values)

    @property
    def reads_addresses(self) -> bool:
        """Whether a tombstone needs the address of a document."""
        return bool(self._urls or self._prefixes or self._values)

    def may_match(self, sources: Iterable[str]) -> bool:
        """Whether a document of `sources` can match: tombstones of ids name their source."""
        return self.reads_addresses or self.reads_texts or not self._sources.isdisjoint(sources)

    def spell_keys(self) -> list[list[str]]:
        """Return kind and key of all tombstones in effect, sorted: equal lists match the same documents."""
        return sorted([one.kind, one.key] for one in self.tombstones)

    @property
    def has_values(self) -> bool:
        """Whether texts are searched for a value."""
        return bool(self._values)

    def list_exact_keys(self) -> tuple[list[str], list[str]] | None:
        """Return the ids and the text digests to look for, if equality is enough; else None."""
        if self.reads_addresses or self._has_pages:
            return None
        return sorted(self._ids), sorted(self._texts)

    def list_ids(self) -> list[str] | None:
        """Return the ids to look for, if no address and no text decides; else None."""
        exact = None if self._texts else self.list_exact_keys()
        return None if exact is None else exact[0]

    def find_by_address(self, url: str) -> Tombstone | None:
        """Return the tombstone that covers a canonical URL, or a value in it; None if it may be fetched."""
        return self.find_by_url(url) or self.find_value(url)

    def find_by_url(self, url: str) -> Tombstone | None:
        """Return the tombstone that covers a canonical URL, without a search for values."""
        if url in self._urls:
            return self._urls[url]
        if url.startswith(self._starts):
            return next((one for one in self._prefixes if _covers(one.key, url)), None)
        return None

    def find_by_id(self, doc_id: str) -> Tombstone | None:
        """Return the tombstone of a document, by its own id or by that in a release."""
        return self._ids.get(doc_id) or (self._ids.get(digest_id(doc_id)) if self._has_pages else None)

    def find_by_digest(self, text_sha256: str) -> Tombstone | None:
        """Return the tombstone of a text with this sha256 (hex)."""
        return self._texts.get(text_sha256)

    def find(self, doc_id: str, url: str, text: str) -> Tombstone | None:
        """Return the tombstone that a document matches: by id, address, digest of the text, or a value in them."""
        found = self.find_by_id(doc_id) or self.find_by_address(url)
        if found is None and self._texts:
            found = self.find_by_digest(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
        return found or self.find_value(text) or self.find_value(doc_id)

    def find_value(self, text: str) -> Tombstone | None:
        """Return the tombstone of a value that the text contains."""
        digest = self._finder.find(text) if self._finder is not None else None
        return self._values[digest] if digest is not None else None


def _covers(prefix: str, url: str) -> bool:
    """Whether `url`, which begins with `prefix`, ends there or goes on with a new segment or parameter.

    >>> _covers("https://a.kr/part", "https://a.kr/part/1"), _covers("https://a.kr/part", "https://a.kr/partner")
    (True, False)
    """
    rest = url[len(prefix) :]
    return url.startswith(prefix) and (
        not rest or prefix[-1] in "/?=&#" or rest[0] in ("&#" if "?" in prefix else "/?#")
    )


def refuse_incomplete(one: Tombstone) -> None:
    """CallError if a tombstone lacks its key or reason, or if kind, key or date are malformed."""
    if not one.key.strip() or not one.reason.strip():
        raise CallError(f"the withdrawal of {one.describe()!r} needs a document and a reason; nothing was written.")
    if one.kind not in KINDS:
        raise CallError(
            f"{one.kind!r} is not a kind of tombstone; write one of {', '.join(KINDS)}. Nothing was written."
        )
    if one.kind == "text-sha256" and not re.fullmatch("[0-9a-f]{64}", one.key):
        raise CallError(f"{one.key!r} is not a sha256; write 64 hex digits in lower case. Nothing was written.")
    if one.kind == "value" and not is_value_digest(one.key):
        raise CallError(
            "a value is stored as its keyed digest only; add it by `malmoi erase --value`. Nothing was written."
        )
    try:
        for day in filter(None, (one.date or "?", one.revoked)):
            calendar.fromisoformat(day)
    except ValueError as error:
        raise CallError(f"{day!r} is not a date; write it as 2026-11-24. Nothing was written.") from error


def _digest(rows: list[dict[str, str]]) -> bytes:
    return digest_of({"withdrawals": rows}).encode()


def _write(path: Path, rows: Iterable[Tombstone]) -> None:
    said = [asdict(one) for one in sorted(rows, key=lambda one: (one.kind, one.key, one.date, one.revoked))]
    schema, content = SCHEMA.with_metadata({_DIGEST: _digest(said)}), pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(said, schema), content, compression="zstd")
    replace_file(path, content.getvalue().to_pybytes())
