"""Rows of a release from the documents of the last stage: published fields, and the audit rows of each document."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import url_privacy
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import StageError
from malmoi.licensing import rights_decision
from malmoi.releases import exposed_pages
from malmoi.releases.attribution import sentence
from malmoi.releases.data_splits import Splits
from malmoi.releases.evidence_origin import name_origin
from malmoi.releases.release_inputs import Redact, SourceFacts, bind_phrases
from malmoi.releases.release_schema import AUDIT, PUBLISHED

Row: TypeAlias = dict[str, Any]
_PII = "pii:"
_DOMAIN = "domain:"  # prefix of the measures of domains
_SHARES = ("hangul_share", "quality", "quality_model", "code_share", "list_share")  # columns that are measures
_RESIDENTS = frozenset(("rrn", "frn"))
_EVERYTHING = "general"  # domain of a source that covers all fields
USES = ("redistribute", "train-only")
SIDES = ("attribution", "licence_evidence", "personal_data", "signals")  # audit tables with a row per document


def make_rows(
    folder: Path,
    facts: Sequence[Mapping[str, Any]],
    sources: Sequence[SourceFacts],
    redact: Redact | None,
    splits: Splits,
) -> list[Row]:
    """Return the published fields of some documents of the stage shard `folder`, and their rows of `sides`.

    `was` is the id in the stage. No document has a refusal (`find_refusal`). StageError as for `split`.
    """
    by_name = {source.name: source for source in sources}
    rows = [_row(folder, fact, by_name, redact) for fact in facts]
    for row in rows:
        row["split"] = splits.choose(row["was"], row["id"], overlaps=bool(row["benchmarks"]))
    return rows


def make_tables(piece: pa.Table, rows: Sequence[Row]) -> dict[str, pa.Table]:
    """Return the tables of these rows: `data` (PUBLISHED), whose texts are those of `piece`, and each of SIDES."""
    sides = {
        name: pa.Table.from_pylist([one for row in rows for one in row["sides"][name]], AUDIT[name]) for name in SIDES
    }
    return {"data": _to_data_table(piece, rows), **sides}


def _row(
    folder: Path, fact: Mapping[str, Any], sources: Mapping[str, SourceFacts], redact: Redact | None
) -> dict[str, Any]:
    """Return the published fields of a document, except those computed from its text, and its audit rows."""
    id, labels = fact["id"], {x["name"]: x["value"] for x in fact["labels"] or ()}
    measures = {x["name"]: x["value"] for x in fact["measures"] or ()}
    use, licence, proofs = labels["use"], labels["licence"], fact["evidence"] or ()
    if fact["source"] not in sources:
        raise StageError(f"{folder}: {id} is of source {fact['source']!r}, whose facts are not in the inputs.")
    pii = _count_replaced(fact["trail"] or ())
    redact = None if redact is None else partial(redact, shown=fact["text"].as_py())
    phrase = bind_phrases(redact)
    source, url = sources[fact["source"]], url_privacy.redact_url(fact["url"], phrase)
    title, author = url_privacy.redact_text(fact["title"], phrase), url_privacy.redact_text(fact["author"], phrase)
    replaced = [fact[n] for n, now in (("title", title), ("author", author), ("url", url)) if now != fact[n]]
    led = exposed_pages.is_harmful((kind for kind, _ in pii), replaced)
    id, url = (exposed_pages.digest_id(id), exposed_pages.site(url)) if led else (id, url)
    named = sentence(source, title=title, author=author, date=fact["date"], url=url, licence=licence)
    row: dict[str, Any] = {n: fact[n] for n in ("date", "source", "fetched")} | {"id": id, "was": fact["id"]}
    # Digests of URL and payload: with all other parts known, a redacted phone number can be found by brute force.
    changed = bool(pii) or (title, author, url) != (fact["title"], fact["author"], fact["url"])
    hidden = fact["record"] if changed else None
    # The address of the page has a value that `redact` masked in `url`: so have the places on it.
    led = led or any(note["reason"].startswith(f"url:{_PII}") for note in fact["trail"] or ())
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
    row |= {"page_kind": labels.get("page_kind", ""), "translated": labels.get("translated")}
    row |= {name: measures.get(name) for name in _SHARES}
    row["benchmarks"] = _names(labels.get("benchmarks"))
    row["pii"] = [{"kind": kind, "n": n} for kind, n in pii]
    row["sides"] = {
        "attribution": [{"id": id, "licence": licence, "attribution": named}],
        "licence_evidence": [
            said | {"by": name_origin(said, source.access)}  # of the published place, as `verify` reads it
            for said in (redact_row(e, id, redact, hidden, led=led) for e in proofs)
        ],
        "personal_data": [{"id": id, **found} for found in row["pii"]],
        "signals": [redact_row(s, id, redact, hidden, led=led) for s in fact["signals"] or ()],
    }
    return row


def find_refusal(fact: Mapping[str, Any], redact: Redact | None) -> str:
    """Return the reason why a document of the last stage must not be published; "" if it may be.

    `quarantine` and `rights` drop such documents before; the release asks again, and leaves out what a recipe let pass.
    """
    labels = {x["name"]: x["value"] for x in fact["labels"] or ()}
    use, licence = labels.get("use", ""), labels.get("licence", "")
    kinds = {kind for kind, _ in _count_replaced(fact["trail"] or ())}
    if use == "redistribute" and not _RESIDENTS.isdisjoint(kinds):
        return "resident-number"
    if url_privacy.has_personal_data(fact["id"], bind_phrases(redact)):
        return "personal-data-in-id"
    if use not in USES or not licence:
        return "use-not-published"
    decided = rights_decision.decide(
        [LicenceEvidence(**e) for e in fact["evidence"] or ()], [Signal(**s) for s in fact["signals"] or ()]
    )  # final check: the licence is decided again from the published evidence
    return "" if (decided.use, decided.licence) == (use, licence) else "evidence-differs"


def redact_row(
    fact: Mapping[str, Any], id: str, redact: Redact | None, hidden: str | None = None, *, led: bool = False
) -> dict[str, Any]:
    """Return a row of evidence or of a signal without personal data in quote and place, and without record `hidden`.

    With `led`, the place is reduced to its site, because it would lead to a page with exposed personal data.
    """
    quote = url_privacy.redact_text(fact["quote"], redact)
    place = url_privacy.redact_url(fact["place"], bind_phrases(redact))
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
