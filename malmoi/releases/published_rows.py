"""Rows of a release from the documents of the last stage: published fields, and the audit rows of each document.

The source of a published document whose page still shows a replaced value is hidden: a page that prints an account, a
card or a key shows it to everybody who finds the page, and the kinds that were replaced reveal which page is worth
finding. The text stays, under an id that is a digest, with the URL of its site only
(docs/decisions/0011-pages-that-still-show-a-value.md).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import url_privacy
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import StageError
from malmoi.licensing import rights_decision
from malmoi.releases import residue
from malmoi.releases.partitioning import Splits
from malmoi.releases.release_inputs import Redact, SourceFacts, bind_phrases
from malmoi.releases.release_schema import AUDIT, PUBLISHED
from malmoi.url_privacy import digest_id

Row: TypeAlias = dict[str, Any]
_PII = "pii:"
_DOMAIN = "domain:"  # prefix of the measures of domains
_SHARES = ("hangul_share", "quality", "quality_model", "code_share", "list_share")  # columns that are measures
_RESIDENTS = frozenset(("rrn", "frn"))
_EVERYTHING = "general"  # domain of a source that covers all fields
USES = ("redistribute", "train-only")
SIDES = ("attribution", "licence_evidence", "personal_data", "signals")  # audit tables with a row per document
DEFAULT_ATTRIBUTION = "{author}, “{title}” ({year}). {publisher}, {url}. {licence}"
NO_YEAR = "연도 미상"
NO_TITLE = "제목 없음"
_TEMPLATE_FIELD = re.compile(r"\{([^{}]*)\}")
RIGHTS_HOLDER, STATUTE, OPERATOR = "rights-holder", "statute", "operator"
# Kinds of a claim; "claim" is that of a claim that proves nothing, and of all claims in releases of earlier rules.
_CLAIMS: Final = ("claim", "licence-file", "dump-claim")
# The same rule in SQL over `licence_evidence e` and its `sources s`, for `malmoi verify`.
ORIGIN_SQL: Final = (
    f"CASE WHEN e.kind = 'statute' THEN '{STATUTE}' WHEN e.kind = 'review' THEN '{OPERATOR}'"
    f" WHEN e.kind IN {_CLAIMS} AND NOT contains(e.place, '://') AND s.access <> 'Git' THEN '{OPERATOR}'"
    f" ELSE '{RIGHTS_HOLDER}' END"
)


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
    led = is_harmful((kind for kind, _ in pii), replaced)
    id, url = (digest_id(id), reduce_to_site(url)) if led else (id, url)
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
    domain = source.domain  # as the source declares, else as judged
    if domain in ("", _EVERYTHING):
        domain = labels.get("domain") or domain
    row |= {"register": source.register or labels.get("register", ""), "domain": domain}
    found = [(name.removeprefix(_DOMAIN), score) for name, score in measures.items() if name.startswith(_DOMAIN)]
    row["domains"] = [{"name": name, "score": score} for name, score in sorted(found, key=lambda f: (-f[1], f[0]))]
    row |= {"abuse": labels.get("abuse"), "language": labels.get("language", ""), "cluster_size": 1}
    row |= {"page_kind": labels.get("page_kind", ""), "translated": labels.get("translated")}
    row |= {name: measures.get(name) for name in _SHARES}
    benchmarks = labels.get("benchmarks")  # None if no filter set it
    row["benchmarks"] = None if benchmarks is None else [name for name in benchmarks.split(",") if name]
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


def make_tables(piece: pa.Table, rows: Sequence[Row]) -> dict[str, pa.Table]:
    """Return the tables of these rows: `data` (PUBLISHED), whose texts are those of `piece`, and each of SIDES."""
    sides = {
        name: pa.Table.from_pylist([one for row in rows for one in row["sides"][name]], AUDIT[name]) for name in SIDES
    }
    text, sentences, morphemes = (piece.column(name) for name in ("text", "sentences", "morphemes"))
    computed = {
        "text": text,
        "n_chars": pc.utf8_length(text),
        "n_bytes": pc.binary_length(text),
        "n_sentences": _lengths(sentences, "start"),
        "n_morphemes": _lengths(morphemes, "form"),
        "text_sha256": pa.array([hashlib.sha256(value.as_py().encode()).hexdigest() for value in text]),
        "sentences": sentences,  # long columns stay in Arrow: an object for each morpheme would dominate
        "morphemes": morphemes,
    }
    columns = [
        computed[field.name].cast(field.type)
        if field.name in computed
        else pa.array([row[field.name] for row in rows], field.type)
        for field in PUBLISHED
    ]
    return {"data": pa.table(columns, schema=PUBLISHED).combine_chunks(), **sides}


def _lengths(layer: pa.ChunkedArray, field: str) -> pa.ChunkedArray:
    counts = pc.list_value_length(pc.struct_field(layer, field))
    return pc.if_else(pc.is_valid(layer), counts, pa.scalar(None, pa.int32()))


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


def _count_replaced(trail: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Count replaced personal data by kind; `outcome` in the trail has the number of places."""
    counts: Counter[str] = Counter()
    for note in trail:
        if note["verb"] == "mend" and note["reason"].startswith(_PII):
            counts[note["reason"].removeprefix(_PII)] += int(note["outcome"])
    return sorted(counts.items())


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
        "place": reduce_to_site(place) if led and "://" in place and fact.get("scope", "item") == "item" else place,
        "record": "" if fact["record"] == hidden else fact["record"],
    }


def sentence(source: SourceFacts, *, title: str, author: str, date: str, url: str, licence: str) -> str:
    """Return the attribution of one document; without an author it names the publisher.

    StageError if the template has an unknown field: the licence requires a complete attribution.

    >>> facts = SourceFacts("a", "A", "가나부", "Site", (), attribution="{publisher}, {year}, {url}")
    >>> sentence(facts, title="", author="", date="2024-05-01", url="https://example.kr/1", licence="CC-BY-4.0")
    '가나부, 2024, https://example.kr/1'
    """
    values = {
        "title": title or NO_TITLE,
        "author": author or source.publisher,
        "year": date[:4] or NO_YEAR,
        "url": url,
        "publisher": source.publisher,
        "licence": licence,
    }

    def fill(field: re.Match[str]) -> str:
        if field[1] not in values:
            raise StageError(
                f"{source.name}: the attribution template has the field {field[0]!r}, which does not exist; "
                f"known: {', '.join(values)}. Correct it in the source file."
            )
        return values[field[1]]

    return _TEMPLATE_FIELD.sub(fill, source.attribution or DEFAULT_ATTRIBUTION)


def name_origin(fact: Mapping[str, Any], access: str) -> str:
    """Return whose words a row of evidence is; `access` is that of its source.

    The claim of a source rests on a page of the publisher or on a file of its repository, which the crawler fetched. In
    any other source the file of a claim lies beside the data: the operator put it there, and nothing that the crawler
    fetched shows that the rights holder wrote it.

    >>> name_origin({"kind": "licence-file", "place": "notes.txt"}, "Folder")
    'operator'
    >>> name_origin({"kind": "project-licence", "place": "LICENSE"}, "Git")
    'rights-holder'
    >>> name_origin({"kind": "statute", "place": ""}, "Api")
    'statute'
    """
    if fact["kind"] == "statute":
        return STATUTE
    if fact["kind"] == "review":  # a person decided for the operator
        return OPERATOR
    supplied = fact["kind"] in _CLAIMS and "://" not in fact["place"] and access != "Git"
    return OPERATOR if supplied else RIGHTS_HOLDER


def is_harmful(kinds: Iterable[str], replaced: Iterable[str]) -> bool:
    """Whether values of `kinds` (replaced in the text), or values in the texts `replaced` elsewhere, are harmful."""
    found = {*kinds, *(kind for words in replaced for kind in residue.kinds(words))}
    return not found.isdisjoint(residue.QUARANTINED)


def reduce_to_site(url: str) -> str:
    """Return scheme and host of a URL.

    >>> reduce_to_site("https://a.kr/notices/refund.html?x=1"), reduce_to_site("folder:papers/02.txt")
    ('https://a.kr/', 'folder:')
    """
    scheme, mark, rest = url.partition("://")
    if mark:
        end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
        return f"{scheme}://{rest[:end]}/"
    head, colon, _ = url.partition(":")
    return head + colon if colon else ""
