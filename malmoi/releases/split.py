"""Split a curated stage shard into published rows, one record batch a partition (first step of the shuffle)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import compress, groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi import url_privacy
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import StageError
from malmoi.licensing import rights_decision
from malmoi.recipe import digest
from malmoi.releases import excluded_documents, exposed_pages, kept_parts, residue
from malmoi.releases.attribution import sentence
from malmoi.releases.data_splits import Shares, Splits, read_exceptions
from malmoi.releases.evidence_origin import name_origin
from malmoi.releases.excluded_documents import QUARANTINED, WITHDRAWN, ExclusionRules, LeftOut
from malmoi.releases.membership.member_tables import SKETCH_BYTES, Sketch
from malmoi.releases.partitioning import Partition, h, partition_of
from malmoi.releases.release_inputs import Redact, SourceFacts
from malmoi.releases.release_schema import AUDIT, PUBLISHED
from malmoi.releases.residue import Find, Look
from malmoi.storage import shard

_Tables: TypeAlias = dict[str, pa.Table]
_Out: TypeAlias = list[LeftOut]
_PII = "pii:"
_DOMAIN = "domain:"  # prefix of the measures of domains
_RESIDENTS = frozenset(("rrn", "frn"))
_EVERYTHING = "general"  # domain of a source that covers all fields
USES = ("redistribute", "train-only")
AT_ONCE = 1024  # documents that are Python objects at a time, about 12 kB each
SKETCH: Final = "sketch"
SKETCHED: Final = PUBLISHED.append(pa.field(SKETCH, pa.binary(SKETCH_BYTES), nullable=False))
SIDES = ("attribution", "licence_evidence", "personal_data", "signals")  # audit tables with a row per document


@dataclass(frozen=True, slots=True)
class Split:
    """A task: a finished stage shard, and the folder for its output."""

    folder: Path
    target: Path
    n_shards: int  # most shards of a field, a power of two
    sources: tuple[SourceFacts, ...]
    redact: Redact | None = None
    sought: ExclusionRules = field(default_factory=ExclusionRules)
    shares: Shares = ()
    exceptions: Path | None = None  # documents whose split is not that of their own hash
    sketch: Sketch | None = None
    key: str = ""  # digest of all other inputs, which all shards of a release share; "": nothing is kept
    content: str = ""  # sha256 (hex) of the documents of the shard


@dataclass(frozen=True, slots=True)
class SplitResult:
    """Output of a split: `documents.arrow`, whose record batch i has the rows of partition i; excluded documents.

    The scans of the second detector are those of the rows: of partition i, and of each table of SIDES.
    """

    target: Path
    partitions: tuple[Partition, ...]
    sizes: tuple[int, ...]  # bytes of text of each partition
    kept: tuple[tuple[str, int], ...] = ()  # source → documents
    out: tuple[LeftOut, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # (id, published id), malmoi/releases/exposed_pages.py
    looks: tuple[tuple[Look, ...], ...] = ()
    side_looks: tuple[tuple[str, tuple[Look, ...]], ...] = ()


def split(work: Split) -> SplitResult:
    """Write the published form of the documents of a stage shard, cut by partition; reuse an earlier one if it is kept.

    Withdrawn documents and those that the second detector quarantines are excluded.

    StageError if a document has no use or licence, if its evidence does not name that licence, or if its
    source is not declared: such a text must not be published.
    """
    ids = shard.read(work.folder / "documents.parquet", ["id"]).column("id").to_pylist()
    exceptions = read_exceptions(work.exceptions, ids) if work.exceptions else {}
    gone = [id for id in ids if not work.sought.withdrawn.isdisjoint((id, exposed_pages.digest_id(id)))]
    if not work.key:
        work.target.mkdir(parents=True)
        return _write(work, work.target, exceptions, frozenset(gone))
    part = work.target / digest([work.key, work.content, sorted(exceptions.items()), gone])[:32]
    found = kept_parts.recall(part) or kept_parts.keep(
        part, lambda folder: astuple(_write(work, folder, exceptions, frozenset(gone)))[1:]
    )
    return _parse_result(part, *found)


def _parse_result(
    target: Path, partitions: Any, sizes: Any, kept: Any, out: Any, renamed: Any, looks: Any, side_looks: Any
) -> SplitResult:
    """Return the result whose fields were written as JSON."""

    def look(values: Any) -> Look:
        file, column, read, characters, found = values
        return Look(file, column, read, characters, tuple(map(tuple, found)))

    def left_out(id: str, source: str, why: Any, finds: Any, signals: Any) -> LeftOut:
        found = tuple((table, Find(*find)) for table, find in finds)
        return LeftOut(id, source, (why[0], why[1]), found, tuple(map(tuple, signals)))

    return SplitResult(
        target,
        tuple(Partition(*one) for one in partitions),
        tuple(sizes),
        tuple(map(tuple, kept)),
        tuple(left_out(*one) for one in out),
        tuple(map(tuple, renamed)),
        tuple(tuple(map(look, one)) for one in looks),
        tuple((name, tuple(map(look, one))) for name, one in side_looks),
    )


def _write(work: Split, target: Path, exceptions: Mapping[str, str], gone: frozenset[str]) -> SplitResult:
    table = shard.read(work.folder / "documents.parquet")
    made, rows, out = [PUBLISHED.empty_table()], list[_Placed](), list[LeftOut]()
    beside: dict[str, list[pa.Table]] = {name: [AUDIT[name].empty_table()] for name in SIDES}
    splits = Splits(work.shares, exceptions)
    for at in range(0, table.num_rows, AT_ONCE):
        piece = table.slice(at, AT_ONCE)
        facts = piece.drop_columns(["text", "morphemes", "sentences"]).to_pylist()
        tables, published, left = _publish_documents(work, piece, facts, splits, gone)
        made.append(tables.pop("data"))
        out += left
        rows += [_place(row, fact, work.n_shards) for row, fact in published]
        for name, side in tables.items():
            beside[name].append(side)
    order = sorted(range(len(rows)), key=lambda i: rows[i][:3])
    data = pa.concat_tables(made).take(pa.array(order, pa.int64())).combine_chunks()
    rows = [rows[i] for i in order]
    sides = {name: pa.concat_tables(tables).combine_chunks() for name, tables in beside.items()}
    looks, found = _search(data, rows, sides, work.sought)
    if found:  # rare: what is left is scanned again
        facts_of = {row.id: row.fact for row in rows}
        out += [_make_left_out(facts_of[id], QUARANTINED, finds) for id, finds in found.items()]
        rows = [row for row in rows if row.id not in found]
        data, sides = _leave_out(data, found), {name: _leave_out(side, found) for name, side in sides.items()}
        looks, _ = _search(data, rows, sides, ExclusionRules())
    for name, side in sides.items():
        pq.write_table(side, target / f"{name}.parquet")
    partitions = [(one, len(list(group))) for one, group in groupby(row.partition for row in rows)]
    _write_batches(data, [n for _, n in partitions], work.sketch, target / "documents.arrow")
    sizes, ends = np.asarray(data["n_bytes"]), np.cumsum([n for _, n in partitions], dtype=np.int64)
    return SplitResult(
        target,
        tuple(partition for partition, _ in partitions),
        tuple(int(part.sum()) for part in np.split(sizes, ends)[:-1]),
        tuple(sorted(Counter(row.fact["source"] for row in rows).items())),
        tuple(out),
        tuple((row.fact["id"], row.id) for row in rows if row.fact["id"] != row.id),
        tuple(map(tuple, looks["data"])),
        tuple((name, tuple(looks[name][0])) for name in SIDES),
    )


class _Placed(NamedTuple):
    """A published row: its place in the release, and what an exclusion would say of it."""

    partition: Partition
    hash: int  # H(id)
    id: str
    fact: Mapping[str, Any]  # of the document in the stage


def _place(row: Mapping[str, Any], fact: Mapping[str, Any], n_shards: int) -> _Placed:
    said = {name: fact[name] for name in ("id", "source", "signals")}
    return _Placed(partition_of(row, n_shards), h(row["id"]), row["id"], said)


def _search(
    data: pa.Table, rows: Sequence[_Placed], sides: _Tables, sought: ExclusionRules
) -> tuple[dict[str, list[list[Look]]], dict[str, tuple[tuple[str, Find], ...]]]:
    """Scan all tables with the second detector: counts by table, of `data` for each partition, and what it excludes."""
    partitions = [number for number, (_, group) in enumerate(groupby(row.partition for row in rows)) for _ in group]
    looks, places = {}, []
    for name, table in {"data": data, **sides}.items():
        groups = np.array(partitions if name == "data" else [0] * table.num_rows, np.int64)
        count = 1 + (partitions[-1] if partitions else -1) if name == "data" else 1
        looks[name], finds = residue.look_by_group(table, groups, count)
        places.append(excluded_documents.Scanned(name, table, finds))
    return looks, excluded_documents.choose_finds(places, sought)


def _leave_out(table: pa.Table, ids: Iterable[str]) -> pa.Table:
    gone = pc.is_in(table.column("id"), value_set=pa.array(list(ids), pa.string()))
    return table.filter(pc.invert(gone)).combine_chunks()


def _write_batches(data: pa.Table, counts: Sequence[int], sketch: Sketch | None, target: Path) -> None:
    """Write the rows of each partition as one record batch, with the sketch of each text.

    Arrow's format is read in a third of the time of Parquet.
    """
    made = sketch(data.column("text").to_pylist()) if sketch else b"\0" * SKETCH_BYTES * data.num_rows
    sketches = pa.Array.from_buffers(SKETCHED.field(SKETCH).type, data.num_rows, [None, pa.py_buffer(made)])
    data, at = data.append_column(SKETCHED.field(SKETCH), sketches), 0
    with pa.ipc.new_file(
        target, SKETCHED, options=pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    ) as writer:
        for n in counts:
            writer.write_batch(data.slice(at, n).combine_chunks().to_batches()[0])
            at += n


def _publish_documents(
    work: Split, piece: pa.Table, facts: list[dict[str, Any]], splits: Splits, gone: frozenset[str]
) -> tuple[_Tables, list[tuple[dict[str, Any], Mapping[str, Any]]], _Out]:
    """Return the published tables of some documents, the row and the stage row of each, and the withdrawn documents."""
    sources = {s.name: s for s in work.sources}
    here = [fact["id"] not in gone for fact in facts]
    out = [_make_left_out(fact, WITHDRAWN) for fact, stays in zip(facts, here, strict=True) if not stays]
    if out:
        piece, facts = piece.filter(pa.array(here)), list(compress(facts, here))
    rows = [_row(work.folder, fact, sources, work.redact) for fact in facts]
    for row in rows:
        row["split"] = splits.choose(row["was"], row["id"], overlaps=bool(row["benchmarks"]))
    tables = {"data": _to_data_table(piece, rows)}
    for name in SIDES:
        tables[name] = pa.Table.from_pylist([one for row in rows for one in row["sides"][name]], AUDIT[name])
    return tables, list(zip(rows, facts, strict=True)), out


def _make_left_out(fact: Mapping[str, Any], why: tuple[str, str], found: tuple[tuple[str, Find], ...] = ()) -> LeftOut:
    signals = tuple((signal["name"], signal["effect"]) for signal in fact["signals"] or ())
    return LeftOut(fact["id"], fact["source"], why, found, signals)


def _row(
    folder: Path, fact: Mapping[str, Any], sources: Mapping[str, SourceFacts], redact: Redact | None
) -> dict[str, Any]:
    """Return the published fields of a document, except those computed from its text, and its audit rows."""
    id, labels = fact["id"], {x["name"]: x["value"] for x in fact["labels"] or ()}
    measures = {x["name"]: x["value"] for x in fact["measures"] or ()}
    use, licence = labels.get("use", ""), labels.get("licence", "")
    if use not in USES or not licence:
        raise StageError(f"{folder}: {id} has use {use!r} and licence {licence!r}; only {USES} are published.")
    proofs = fact["evidence"] or ()
    decided = rights_decision.decide(
        [LicenceEvidence(**e) for e in proofs], [Signal(**s) for s in fact["signals"] or ()]
    )  # final check: the licence is decided again from the published evidence
    if (decided.use, decided.licence) != (use, licence):
        raise StageError(
            f"{folder}: {id} has the labels {licence} ({use}), its evidence gives {decided.licence or 'no licence'} "
            f"({decided.use}); judge its rights again."
        )
    if fact["source"] not in sources:
        raise StageError(f"{folder}: {id} is of source {fact['source']!r}, whose facts are not in the inputs.")
    pii = _count_replaced(fact["trail"] or ())
    _refuse(folder, fact, use, [kind for kind, _ in pii], redact)
    source, url = sources[fact["source"]], url_privacy.redact_url(fact["url"], redact)
    title, author = url_privacy.redact_text(fact["title"], redact), url_privacy.redact_text(fact["author"], redact)
    replaced = [fact[n] for n, now in (("title", title), ("author", author), ("url", url)) if now != fact[n]]
    led = exposed_pages.is_harmful((kind for kind, _ in pii), replaced)
    id, url = (exposed_pages.digest_id(id), exposed_pages.site(url)) if led else (id, url)
    named = sentence(source, title=title, author=author, date=fact["date"], url=url, licence=licence)
    row: dict[str, Any] = {n: fact[n] for n in ("date", "source", "fetched")} | {"id": id, "was": fact["id"]}
    # Digests of URL and payload: with all other parts known, a redacted phone number can be found by brute force.
    changed = bool(pii) or (title, author, url) != (fact["title"], fact["author"], fact["url"])
    hidden = fact["record"] if changed else None
    row |= {
        "title": title,
        "author": author,
        "url": url,
        "record": "" if changed else fact["record"],
        "license": licence,
        "use": use,
        "attribution": named,
        "revision": "" if changed else fact["payload_sha256"],
    }
    row |= {"register": source.register or labels.get("register", ""), "domain": _field(source, labels)}
    row["domains"] = _fields(measures)
    row |= {"abuse": labels.get("abuse"), "language": labels.get("language", ""), "cluster_size": 1}
    row |= {"hangul_share": measures.get("hangul_share"), "quality": measures.get("quality")}
    row["benchmarks"] = _names(labels.get("benchmarks"))
    row["pii"] = [{"kind": kind, "n": n} for kind, n in pii]
    row["sides"] = {
        "attribution": [{"id": id, "licence": licence, "attribution": named}],
        "licence_evidence": [
            redact_row(e, id, redact, hidden, led=led) | {"by": name_origin(e, source.access)} for e in proofs
        ],
        "personal_data": [{"id": id, **found} for found in row["pii"]],
        "signals": [redact_row(s, id, redact, hidden, led=led) for s in fact["signals"] or ()],
    }
    return row


def _refuse(folder: Path, fact: Mapping[str, Any], use: str, kinds: Sequence[str], redact: Redact | None) -> None:
    """Raise StageError for documents that `quarantine` must drop; the message has no id, which may be personal data."""
    what = ""
    if use == "redistribute" and not _RESIDENTS.isdisjoint(kinds):
        what = "contained a resident number"
    elif url_privacy.has_personal_data(fact["id"], redact):
        what = "has personal data in its id"
    if what:
        raise StageError(
            f"{folder}: a document of source {fact['source']!r} {what} and may not be published; "
            "put `quarantine` between `personal_data` and `redact`, and run curate again."
        )


def redact_row(
    fact: Mapping[str, Any], id: str, redact: Redact | None, hidden: str | None = None, *, led: bool = False
) -> dict[str, Any]:
    """Return a row of evidence or of a signal without personal data in quote and place, and without record `hidden`.

    With `led`, the place is reduced to its site, because it would lead to a page with exposed personal data.
    """
    quote, place = url_privacy.redact_text(fact["quote"], redact), url_privacy.redact_url(fact["place"], redact)
    return {
        **fact,
        "id": id,
        "quote": quote,
        "place": exposed_pages.site(place) if led and "://" in place and fact.get("scope", "item") == "item" else place,
        "record": "" if fact["record"] == hidden else fact["record"],
    }


def _field(source: SourceFacts, labels: Mapping[str, str]) -> str:
    """Return the domain of a document: as its source declares, else as judged."""
    if source.domain not in ("", _EVERYTHING):
        return source.domain
    return labels.get("domain") or source.domain


def _names(label: str | None) -> list[str] | None:
    """Split a label of comma-separated names; None if no filter set it.

    >>> _names("klue-ynat,kobest-boolq"), _names(""), _names(None)
    (['klue-ynat', 'kobest-boolq'], [], None)
    """
    return None if label is None else [name for name in label.split(",") if name]


def _fields(measures: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the domains that a filter found, with their scores, highest first."""
    found = [(name.removeprefix(_DOMAIN), score) for name, score in measures.items() if name.startswith(_DOMAIN)]
    return [{"name": name, "score": score} for name, score in sorted(found, key=lambda f: (-f[1], f[0]))]


def _count_replaced(trail: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Count replaced personal data by kind; `outcome` in the trail has the number of places."""
    counts: Counter[str] = Counter()
    for note in trail:
        if note["verb"] == "mend" and note["reason"].startswith(_PII):
            counts[note["reason"].removeprefix(_PII)] += int(note["outcome"])
    return sorted(counts.items())


def _to_data_table(table: pa.Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Build the table of schema PUBLISHED; long columns stay in Arrow, an object for each morpheme would dominate."""
    encoded = [text.as_py().encode() for text in table.column("text")]
    computed = {
        "text": table.column("text"),
        "n_chars": pc.utf8_length(table.column("text")),
        "n_bytes": pc.binary_length(table.column("text")),
        "n_sentences": _lengths(table.column("sentences"), "start"),
        "n_morphemes": _lengths(table.column("morphemes"), "form"),
        "text_sha256": [hashlib.sha256(text).hexdigest() for text in encoded],
        "sentences": table.column("sentences"),
        "morphemes": table.column("morphemes"),
    }
    columns = [_column(computed[f.name] if f.name in computed else [r[f.name] for r in rows], f) for f in PUBLISHED]
    return pa.table(columns, schema=PUBLISHED).combine_chunks()


def _lengths(layer: pa.ChunkedArray, field: str) -> pa.ChunkedArray:
    counts = pc.list_value_length(pc.struct_field(layer, field))
    return pc.if_else(pc.is_valid(layer), counts, pa.scalar(None, pa.int32()))


def _column(values: Any, field: pa.Field) -> Any:
    return values.cast(field.type) if isinstance(values, pa.ChunkedArray) else pa.array(values, field.type)
