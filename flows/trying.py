"""`malmoi try`: one stage by itself on files or JSON lines, for people who tune, debug or compare.

Output is one JSON object a line, in input order; the fields are stable. Nothing is written to a workspace.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from crawlers import defaults, formats
from crawlers.fetch import manners, robots
from crawlers.rights import instruments
from crawlers.rights.instruments import Instrument
from flows import given
from flows.given import Row
from flows.run import recipe_of
from malmoi import recipe as recipes
from malmoi import rights
from malmoi.corridor import Bound, Dropped, Kept, apply, walk
from malmoi.document import Document, Signal, Verdict
from malmoi.errors import CallError
from malmoi.recipe import Recipe, Step
from malmoi.source import Site, Source

_NOWHERE = Source(name="try", title="", publisher="", access=Site(start=(), scope=()))


def run(stage: str, files: Sequence[Path], jsonl: Path | None, recipe_name: str, out: TextIO) -> None:
    """Run `stage` on the input and write one JSON object a document to `out`.

    Raises CallError for an unknown stage, for input that is not JSON lines (with the line number) and
    for a field that the stage needs and the object does not have.
    """
    if stage not in _STAGES:
        raise CallError(f"unknown stage {stage!r}: choose one of {', '.join(_STAGES)}.")
    rows = given.rows(files, jsonl)
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for answer in _STAGES[stage](rows, recipe_of(recipe_name)):
        out.write(encode(answer) + "\n")
        if str(jsonl) == "-":  # whoever writes a line into a pipe waits for its answer
            out.flush()


def _extract(rows: Iterable[Row], _: Recipe) -> Iterator[Row]:
    for row in rows:
        found = formats.extract(given.item(row))
        fields = ("format", "encoding", "title", "date", "author", "text", "outcome", "reason")
        yield {"id": row["id"], **{name: getattr(found, name) for name in fields}}


def _rights(rows: Iterable[Row], _: Recipe) -> Iterator[Row]:
    evidence = defaults.evidence_for(_NOWHERE, {})
    for row in rows:
        item = given.item(row)
        found, signals = evidence(replace(item, date=item.date or defaults.text(item).date))
        files = _host_files(row)
        signals = (
            *_fetchable(row),
            *instruments.resolved(signals, item.url, files),
            *instruments.find(item.url, files),
        )
        decided = rights.decide(found, signals)
        yield {
            "id": row["id"],
            "use": decided.use,
            "licence": decided.licence,
            "attribution": decided.attribution,
            "evidence": [asdict(e) for e in decided.evidence],
            "signals": [asdict(s) for s in decided.signals],
            "conflicts": list(decided.conflicts),
        }


def _fetchable(row: Row) -> tuple[Signal, ...]:
    """A signal where the robots.txt of the object does not let us have the page: it would never be collected."""
    text = row.get("robots") or ""
    if not isinstance(text, str) or not text.strip():
        return ()
    said = robots.decide(200, text.encode("utf-8", "replace"), str(row.get("url", "")), manners.AGENT)
    return () if said.allowed else (Signal("robots", "opt-out", said.reason, "/robots.txt", ""),)


def _host_files(row: Row) -> Sequence[Instrument]:
    """robots.txt and the well-known files that the object carries as texts."""
    text, known = row.get("robots") or "", row.get("well_known") or {}
    if not isinstance(text, str) or not isinstance(known, dict):
        raise CallError(
            f"{row['id']}: field 'robots' must be a string, 'well_known' an object of texts; correct the line."
        )
    texts = {str(k): v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in known.items()}
    return instruments.of_texts(str(row.get("url", "")), robots=text, well_known=texts)


def _language(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    (bound,) = _bound(recipe, ["language"])
    for row in rows:
        doc = given.document(row)
        doc = apply(doc, bound.name, bound.verb, bound.call(doc))
        yield {
            "id": row["id"],
            "language": doc.label("language"),
            "hangul_share": doc.measure("hangul_share"),
            "score": doc.measure("language_score"),
        }


def _clean(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    filters = recipes.bind(tuple(s for s in recipe.stage("clean") if s.verb == "mend" and not s.survey))
    for row in rows:
        doc = _mended(given.document(row), filters)
        edits = {f"{note.by}:{note.reason}": int(note.measured or 0) for note in doc.trail}
        yield {"id": row["id"], "text": doc.text, "edits": edits}


def _mended(doc: Document, filters: Sequence[Bound]) -> Document:
    for bound in filters:
        doc = apply(doc, bound.name, bound.verb, bound.call(doc))
    return doc


def _judge(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    judged = [s for s in _steps(recipe) if not s.survey and s.filter not in ("rights", "quarantine", "redact")]
    filters = recipes.bind(tuple(judged))
    for row in rows:
        outcome = walk(given.document(row), filters)
        verdict = outcome.verdict if isinstance(outcome, Dropped) else Verdict("keep", "")
        yield {
            "id": row["id"],
            "outcome": "kept" if isinstance(outcome, Kept) else "dropped",
            "reason": f"{outcome.by}:{verdict.reason}" if isinstance(outcome, Dropped) else "",
            "measures": dict(outcome.document.measures),
        }


def _segment(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    (bound,) = _bound(recipe, ["morphology"])
    for row in rows:
        doc = given.document(row)
        found = apply(doc, bound.name, bound.verb, bound.call(doc)).morphemes
        assert found is not None
        yield {
            "id": row["id"],
            "sentences": [list(pair) for pair in zip(found.sentence_start, found.sentence_end, strict=True)],
            "morphemes": [list(m) for m in found.rows()],
        }


def _pii(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    mark, redact = _bound(recipe, ["personal_data", "redact"])
    for row in rows:
        doc = given.document(row)
        marked = apply(doc, mark.name, mark.verb, mark.call(doc))
        redacted = apply(marked, redact.name, redact.verb, redact.call(marked))
        found = [
            {
                "kind": s.kind.removeprefix("pii:"),
                "start": s.start,
                "end": s.end,
                "confidence": s.confidence,
                "why": s.why,
            }
            for s in marked.spans
        ]
        yield {"id": row["id"], "text": redacted.text, "found": found}


def _domain(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    filters = _bound(recipe, ["morphology", "register", "domain"])
    for row in rows:
        doc = given.document(row)
        for bound in filters:  # all of them, also where the recipe keeps other fields: who tunes wants the scores
            doc = apply(doc, bound.name, bound.verb, bound.call(doc))
        found = {n.removeprefix("domain:"): score for n, score in doc.measures if n.startswith("domain:")}
        ranked = sorted(found.items(), key=lambda f: (-f[1], f[0]))
        yield {"id": row["id"], "register": doc.label("register"), "domains": dict(ranked)}


def _duplicates(rows: Iterable[Row], recipe: Recipe) -> Iterator[Row]:
    from filters.duplicates.survey import SURVEY, among

    params_of = {found.name: params for found, params in recipes.surveys(tuple(_steps(recipe)))}
    threshold = params_of.get(SURVEY.name, {}).get("threshold", 0.8)
    cleaned = recipes.bind(tuple(step for step in recipe.stage("clean") if step.filter == "normalise"))
    docs = [_mended(given.document(row), cleaned) for row in rows]  # conjoining and half-width jamo, as curation does
    if twice := [id for id, n in Counter(doc.id for doc in docs).items() if n > 1]:
        raise CallError(
            f"more than one line has the id {twice[0]!r}; a cluster names its members by id. Give each its own."
        )
    sketches = pa.Table.from_pylist([SURVEY.sketch(doc) for doc in docs], schema=SURVEY.schema)
    table = {r["id"]: r for r in among(sketches, {doc.id: doc.text for doc in docs}, threshold=threshold).to_pylist()}
    for doc in docs:
        found = table.get(doc.id, {"keeper": doc.id, "similarity": 1.0})
        yield {
            "id": doc.id,
            "cluster": found["keeper"],
            "keeper": found["keeper"] == doc.id,
            "similarity": found["similarity"],
        }


def _steps(recipe: Recipe) -> list[Step]:
    return [step for _, steps in recipe.steps for step in steps]


def _bound(recipe: Recipe, names: list[str]) -> tuple[Bound, ...]:
    """The named filters with the recipe's parameters; CallError where the recipe has none."""
    steps = {step.filter: step for step in _steps(recipe)}
    missing = [name for name in names if name not in steps]
    if missing:
        raise CallError(f"recipe {recipe.name!r} has no filter {missing[0]!r}; choose another with --recipe.")
    return recipes.bind(tuple(steps[name] for name in names))


_STAGES: dict[str, Callable[[Iterable[Row], Recipe], Iterator[Row]]] = {
    "extract": _extract,
    "rights": _rights,
    "language": _language,
    "clean": _clean,
    "judge": _judge,
    "segment": _segment,
    "pii": _pii,
    "domain": _domain,
    "duplicates": _duplicates,
}
