"""Schema of a release: flat Arrow schemas for the data and for the morphemes beside it, one for each audit table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from malmoi.storage.shard import MORPHEMES, SENTENCES

SCHEMA_VERSION = 9  # raise it with any change below: the next release is then a major version
_TEXT, _COUNT, _SHARE = pa.string(), pa.int32(), pa.float32()
PII = pa.list_(pa.struct([("kind", pa.string()), ("n", pa.int32())]))
NAMES = pa.list_(_TEXT)
DOMAINS = pa.list_(pa.struct([("name", pa.string()), ("score", pa.float32())]))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: type, whether it may be NULL, and description."""

    name: str
    type: pa.DataType
    nullable: bool
    says: str

    def field(self) -> pa.Field:
        """Return the field of the Arrow schema, with the description as its comment."""
        return pa.field(self.name, self.type, self.nullable, metadata={"comment": self.says})


COLUMNS = (
    Column("id", _TEXT, False, "stable id, `<source>/<the source's own key or canonical address>`; unique"),
    Column("text", _TEXT, False, "the published text, Unicode NFC, personal data replaced as the recipe says"),
    Column("title", _TEXT, False, "title as the source has it; empty where unknown"),
    Column("date", _TEXT, False, "date of publication, ISO 8601; empty where unknown"),
    Column("author", _TEXT, False, "author as the source names them; empty where unknown"),
    Column("source", _TEXT, False, "name of the source, see `audit/sources.parquet`"),
    Column("url", _TEXT, False, "address the text was fetched from, personal data in it replaced"),
    Column("fetched", _TEXT, False, "UTC, ISO 8601 to the second"),
    Column("license", _TEXT, False, "licence expression (SPDX id or LicenseRef); one per folder"),
    Column("use", _TEXT, False, "`redistribute` or `train-only`; one per folder"),
    Column("split", _TEXT, False, "`train`, `validation` or `test`; no cluster of copies is in two of them"),
    Column("attribution", _TEXT, False, "the sentence that satisfies the duty to name the origin"),
    Column(
        "register", _TEXT, False, "kind of text: news, law, essay …; the source's, else as judged; empty if unknown"
    ),
    Column("domain", _TEXT, False, "field: semiconductor, law …; the source's, else as judged; empty where unknown"),
    Column("domains", DOMAINS, False, "fields of the text, `name` and `score` 0–1, highest first; empty if not judged"),
    Column(
        "abuse",
        _TEXT,
        True,
        "`hate`, `offensive` or empty, as judged; drops nothing unless the recipe says so; NULL if not judged",
    ),
    Column(
        "benchmarks",
        NAMES,
        True,
        "names of the evaluation sets with which the text overlaps; NULL where the recipe has no such filter",
    ),
    Column("page_kind", _TEXT, False, "of a web page: `article`, or the kind that it may be instead; else empty"),
    Column(
        "translated",
        _TEXT,
        True,
        "`yes` or `no`: whether the text reads like a translation; empty where the model abstains, NULL if not judged",
    ),
    Column("language", _TEXT, False, "language code as judged; empty where not judged"),
    Column("hangul_share", _SHARE, True, "Hangul syllables among letters, 0–1, as measured before redaction"),
    Column("quality", _SHARE, True, "the recipe's quality measure; NULL where it takes none"),
    Column("quality_model", _SHARE, True, "score of the quality model, 0–1; NULL where not judged"),
    Column("code_share", _SHARE, True, "characters in fenced code and lines of code, 0–1; NULL if not judged"),
    Column(
        "list_share",
        _SHARE,
        True,
        "characters in items of lists and lines without a sentence, tables left out, 0–1; NULL if not judged",
    ),
    Column("n_chars", pa.int64(), False, "code points of `text`"),
    Column("n_bytes", pa.int64(), False, "bytes of `text` in UTF-8"),
    Column("n_sentences", _COUNT, True, "sentences in the file beside it in morphemes/; NULL if not analysed"),
    Column("n_morphemes", _COUNT, True, "morphemes in the file beside it in morphemes/; NULL if not analysed"),
    Column("cluster_size", _COUNT, False, "documents of its cluster of copies, itself included; 1 = no copies"),
    Column("pii", PII, False, "personal data replaced in `text`: kind and number of places"),
    Column("text_sha256", _TEXT, False, "sha256 (hex) of `text` in UTF-8"),
    Column("record", _TEXT, False, "id of the archived response it was taken from; empty where anything was replaced"),
    Column("revision", _TEXT, False, "sha256 (hex) of that response's payload; empty where anything was replaced"),
)
# Columns of morphemes/: one file beside each file of data/, with the same ids in the same order.
MORPHEME_COLUMNS = (
    COLUMNS[0],
    Column("sentences", SENTENCES, True, "`start` and `end` (exclusive) of each sentence, in code points of `text`"),
    Column("morphemes", MORPHEMES, True, "`form`, Sejong `tag`, `start` and `length` of each morpheme, in code points"),
)
DATA = pa.schema([column.field() for column in COLUMNS])
MORPHEME_DATA = pa.schema([column.field() for column in MORPHEME_COLUMNS])
PUBLISHED = pa.schema([*DATA, *list(MORPHEME_DATA)[1:]])  # both: a document between the steps of the shuffle
# Columns with few distinct values, or few within one page; for others Parquet would discard the dictionary.
DICTIONARY = ["source", "license", "use", "split", "register", "domain", "abuse", "page_kind", "translated", "language"]
DICTIONARY += ["author", "date", "fetched", "benchmarks.list.element", "pii.list.element.kind"]
DICTIONARY += ["domains.list.element.name"]
# Columns by whose bounds a reader can skip files, row groups and pages. Bounds of others exclude nothing, and those of
# `text` are whole texts: with the page index they took 10 kB of each file.
STATISTICS = ["source", "license", "use", "split", "register", "domain", "abuse", "page_kind", "translated"]
STATISTICS += ["language", "date", "fetched", "hangul_share", "quality", "quality_model", "code_share", "list_share"]
STATISTICS += ["n_chars", "n_bytes", "n_sentences", "n_morphemes", "cluster_size"]
MORPHEME_DICTIONARY = [f"morphemes.{name}.list.element" for name in ("tag", "form", "length")]
# Ascending numbers, stored as differences. For 2,176,217 morphemes of a release `start` takes 0.48 bytes each,
# 1.50 without; `length` 0.32 by dictionary, 0.46 without; form 1.38 and tag 0.52. All four: 2.7 bytes, 3.9 before.
ENCODING = dict.fromkeys(
    ("morphemes.start.list.element", "sentences.start.list.element", "sentences.end.list.element"),
    "DELTA_BINARY_PACKED",
)


def _strings(*names: str, **other: pa.DataType) -> pa.Schema:
    return pa.schema([*((n, _TEXT) for n in names), *other.items()])


_N = pa.int64()
EVIDENCE = _strings("id", "licence", "kind", "scope", "quote", "place", "record", "by")
SIGNALS = _strings("id", "name", "effect", "quote", "place", "record")
AUDIT: dict[str, pa.Schema] = {
    "ablation": pa.schema(
        [("version", _TEXT), ("root", _TEXT), ("method", _N), ("setting", _TEXT), ("tokens", _N), ("seeds", _N)]
        + [(n, _TEXT) for n in ("command", "baseline", "held_out", "input", "condition")]
        + [(n, pa.float64()) for n in ("bits", "low", "high", "difference", "difference_low", "difference_high")]
        + [("same_sign", pa.bool_())]
    ),
    "attribution": _strings("id", "licence", "attribution"),
    "cleared_finds": _strings("id", "place", "field", "kind", "shape", "decision", "reviewer", "date", "reason", n=_N),
    "clusters": pa.schema(
        [(n, _TEXT) for n in ("cluster", "keeper", "member", "kind")]
        + [("similarity", pa.float64()), *((n, _TEXT) for n in ("measured", "reason", "release"))]
    ),
    "dropped": _strings("id", "source", "stage", "filter", "reason", measured=pa.float64(), limit=pa.float64()),
    "edits": _strings("stage", "source", "filter", "reason", n=_N),
    "failed": _strings("id", "source", "stage", "why"),
    "inspection": pa.schema(
        [(n, _TEXT) for n in ("version", "root", "seed")]
        + [("documents", _N), ("readers", _N), ("date", _TEXT), ("question", _TEXT)]
        + [(n, _N) for n in ("judged", "yes_first", "yes_second", "yes_both")]
    ),
    "judged_grants": pa.schema(
        [(n, _TEXT) for n in ("version", "root", "seed", "source", "proof")]
        + [(n, _N) for n in ("documents", "judged", "wrong", "unsure", "reviewers")]
        + [("date", _TEXT), *((n, pa.float64()) for n in ("sample_rate", "sample_low", "sample_high"))]
    ),
    "licence_evidence": EVIDENCE,
    "members": pa.schema([("leaf", pa.binary(32)), ("document", pa.int32())]),
    "personal_data": _strings("id", "kind", n=_N),
    "policies": _strings("source", "site", "file", "outcome", "record", "asked_at"),
    "residue": _strings("detector", "path", "field", "outcome", "kind", n=_N),
    "signals": SIGNALS,
    "sketches": pa.schema([("sketch", pa.binary(64))]),
    "sources": pa.schema(
        [("name", _TEXT), ("title", _TEXT), ("publisher", _TEXT), ("access", _TEXT), ("licences", pa.list_(_TEXT))]
        + [(n, _TEXT) for n in ("register", "domain", "terms", "attribution", "note")]
    ),
    "stages": _strings("stage", "source", "filter", "reason", "outcome", n=_N),
}
AUDIT_SAYS = {
    "ablation": "bits per character of small models trained on a version and on a baseline, with intervals and command",
    "attribution": "the sentence of attribution for each document",
    "cleared_finds": "finds of the second detector that persons cleared as false alarms: who, why, how many; no value",
    "clusters": "every copy that was found: its keeper, their similarity, and the reason why the keeper was preferred",
    "dropped": "every document that was dropped, by which filter, why, and the measured number; no text",
    "edits": "how often each filter changed texts, and for what reason",
    "failed": "documents that could not be processed",
    "inspection": "four questions about a random sample of texts: how many documents each reader answered with yes",
    "judged_grants": "the sample of grants that people judged, by source and kind of proof, and its rate of wrong ones",
    "licence_evidence": "licence evidence of each released document: licence, quote, place, record, whose words it is",
    "members": "salted digests of all addresses and texts, sorted: proof that a work is, or is not, in the release",
    "personal_data": "replaced personal data in each released document, by kind; never the value",
    "policies": "robots.txt, ai.txt and tdmrep.json of each host that answered for them: read or absent, record, time",
    "residue": "the second detector over every string of data/ and audit/: what it read, sought and found",
    "signals": "statements about use (opt-outs and notes) found for released and for dropped documents",
    "sketches": "64 bytes for the text of each document, in the order of data/, to find near copies",
    "sources": "the declarations of each source",
    "stages": "documents in, kept, dropped, failed, by stage, source, filter and reason; torn = unreadable records",
}


def describe_columns() -> dict[str, list[dict[str, Any]]]:
    """Return the columns of data/ and of morphemes/."""
    return {"data": describe_features(DATA), "morphemes": describe_features(MORPHEME_DATA)}


def describe_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return name and type of each column.

    >>> describe_features(pa.schema([("n", pa.int32()), ("names", pa.list_(pa.string()))]))
    [{'name': 'n', 'dtype': 'int32'}, {'name': 'names', 'list': 'string'}]
    """
    return [{"name": field.name, **_describe_type(field.type)} for field in schema]


def _describe_type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {"struct": describe_features(kind)}
    if pa.types.is_list(kind):
        return {"list": next(iter(_describe_type(kind.value_type).values()))}
    return {"dtype": "float32" if pa.types.is_float32(kind) else str(kind)}
