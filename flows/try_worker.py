"""Stages of `malmoi try` in a worker process: bound once for a recipe, then one document per call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from typing import TypeAlias

import pyarrow as pa

from crawlers import formats, rights_engine
from crawlers.extract import failure
from crawlers.fetch import politeness
from crawlers.source_object import read_source, read_trust
from crawlers.web import robots
from flows import input_files
from flows.input_files import RawInput, Row
from flows.run import recipe_of
from malmoi import recipe as recipes
from malmoi.apply import Bound, Dropped, Kept, apply, walk, walk_batch
from malmoi.boundary import input_errors
from malmoi.document import Document, Signal, Verdict
from malmoi.errors import CallError
from malmoi.licensing import rights_decision
from malmoi.processes.workers import Broken, Done, attempt
from malmoi.recipe import Recipe, Step

Stage: TypeAlias = Callable[[Row], Row]
BatchStage: TypeAlias = Callable[[Sequence[Row]], list[Row]]
Shared: TypeAlias = tuple[str, str, int]  # stage, recipe, and modification time of the recipe's file
TOGETHER = 1 << 18  # bytes of inputs that a stage with a batch form answers at once


def make_stage_worker(shared: Shared) -> Callable[[tuple[RawInput, ...]], list[Row | CallError]]:
    """Return the worker function that answers raw inputs in order; a wrong call ends the batch with its error."""
    one, several = _bind(shared)

    def answer(found: RawInput) -> Row:
        if found.reason:
            return input_files.failure_row(found, found.reason)
        with input_errors(failure, MemoryError):
            return one(input_files.to_row(found))

    def answer_together(givens: tuple[RawInput, ...]) -> list[Row]:
        assert several is not None
        with input_errors(failure, MemoryError):
            return several([input_files.to_row(each) for each in givens])

    def batch(givens: tuple[RawInput, ...]) -> list[Row | CallError]:
        short = not any(each.reason for each in givens) and sum(len(each.body) for each in givens) <= TOGETHER
        if several is not None and len(givens) > 1 and short:
            with suppress(CallError):  # if there is an error, each input is answered alone, those before it too
                match attempt(answer_together, givens):
                    case Done(rows):
                        return [*rows]
        answers: list[Row | CallError] = []
        for each in givens:
            try:
                match attempt(answer, each):
                    case Done(found):
                        answers.append(found)
                    case Broken(why):
                        answers.append(input_files.failure_row(each, why))
            except CallError as error:
                return [*answers, error]
        return answers

    return batch


@lru_cache(maxsize=4)
def _bind(shared: Shared) -> tuple[Stage, BatchStage | None]:
    """Bind the stage for a recipe and load its models, so that no document spends its CPU budget on loading."""
    name, recipe, _ = shared
    if name != "pii":
        return _STAGES[name](recipe_of(recipe)), None
    several = _pii_stage(recipe_of(recipe))
    return lambda row: several([row])[0], several


def _extract_stage(_: Recipe) -> Stage:
    fields = ("format", "encoding", "title", "date", "author", "text", "outcome", "reason")

    def one(row: Row) -> Row:
        found = formats.extract(input_files.to_item(row))
        said = {"detail": found.detail} if found.detail else {}
        return {"id": row["id"], **{name: getattr(found, name) for name in fields}, **said}

    return one


def _rights_stage(_: Recipe) -> Stage:
    def one(row: Row) -> Row:
        robots_txt, known = _host_files(row)
        source = read_source(row.get("source"), row["id"])
        trust = read_trust(row.get("trust"), row["id"])
        item = input_files.to_item(row)
        decided = rights_engine.decide_item(item, source, robots=robots_txt, well_known=known, trust=trust)
        if disallowed := _robots_signals(row):
            decided = rights_decision.decide(decided.evidence, (*disallowed, *decided.signals))
        return {
            "id": row["id"],
            "use": decided.use,
            "licence": decided.licence,
            "reason": decided.reason,
            "attribution": decided.attribution,
            "evidence": [asdict(e) for e in decided.evidence],
            "signals": [asdict(s) for s in decided.signals],
            "conflicts": list(decided.conflicts),
        }

    return one


def _robots_signals(row: Row) -> tuple[Signal, ...]:
    """Return a signal if the robots.txt in the object disallows the page: it would never be collected."""
    text = row.get("robots") or ""
    if not isinstance(text, str) or not text.strip():
        return ()
    said = robots.decide(200, text.encode("utf-8", "replace"), str(row.get("url", "")), politeness.AGENT)
    return () if said.allowed else (Signal("robots", "opt-out", said.reason, "/robots.txt", ""),)


def _host_files(row: Row) -> tuple[str, dict[str, str]]:
    """Return the texts of robots.txt and of the well-known files that the object carries."""
    text, known = row.get("robots") or "", row.get("well_known") or {}
    if not isinstance(text, str) or not isinstance(known, dict):
        raise CallError(
            f"{row['id']}: field 'robots' must be a string, 'well_known' an object of texts; correct the line."
        )
    return text, {str(k): v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in known.items()}


def _language_stage(recipe: Recipe) -> Stage:
    (bound,) = _bind_named(recipe, ["language"])

    def one(row: Row) -> Row:
        doc = input_files.to_document(row)
        doc = apply(doc, bound.name, bound.verb, bound.call(doc))
        return {
            "id": row["id"],
            "language": doc.label("language"),
            "hangul_share": doc.measure("hangul_share"),
            "score": doc.measure("language_score"),
        }

    return one


def _clean_stage(recipe: Recipe) -> Stage:
    filters = recipes.bind(tuple(s for s in recipe.stage("clean") if s.verb == "mend" and not s.survey))

    def one(row: Row) -> Row:
        doc = _apply_filters(input_files.to_document(row), filters)
        edits = {f"{note.by}:{note.reason}": int(note.measured or 0) for note in doc.trail}
        return {"id": row["id"], "text": doc.text, "edits": edits}

    return one


def _apply_filters(doc: Document, filters: Sequence[Bound]) -> Document:
    for bound in filters:
        doc = apply(doc, bound.name, bound.verb, bound.call(doc))
    return doc


def _judge_stage(recipe: Recipe) -> Stage:
    judged = [s for s in _steps(recipe) if not s.survey and s.filter not in ("rights", "quarantine", "redact")]
    filters = recipes.bind(tuple(judged))
    recipes.load_filter("morphology").load()

    def one(row: Row) -> Row:
        outcome = walk(input_files.to_document(row), filters)
        verdict = outcome.verdict if isinstance(outcome, Dropped) else Verdict("keep", "")
        return {
            "id": row["id"],
            "outcome": "kept" if isinstance(outcome, Kept) else "dropped",
            "reason": f"{outcome.by}:{verdict.reason}" if isinstance(outcome, Dropped) else "",
            "measures": dict(outcome.document.measures),
        }

    return one


def _segment_stage(recipe: Recipe) -> Stage:
    (bound,) = _bind_named(recipe, ["morphology"])
    recipes.load_filter("morphology").load()

    def one(row: Row) -> Row:
        doc = input_files.to_document(row)
        found = apply(doc, bound.name, bound.verb, bound.call(doc)).morphemes
        assert found is not None
        return {
            "id": row["id"],
            "sentences": [list(pair) for pair in zip(found.sentence_start, found.sentence_end, strict=True)],
            "morphemes": [list(m) for m in found.rows()],
        }

    return one


def _pii_stage(recipe: Recipe) -> BatchStage:
    mark, redact = _bind_named(recipe, ["personal_data", "redact"])

    def answer(row: Row, marked: Document) -> Row:
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
        return {"id": row["id"], "text": redacted.text, "found": found}

    def several(rows: Sequence[Row]) -> list[Row]:
        marked = walk_batch([*map(input_files.to_document, rows)], (mark,))
        return [answer(row, one.document) for row, one in zip(rows, marked, strict=True)]

    return several


def _domain_stage(recipe: Recipe) -> Stage:
    filters = _bind_named(recipe, ["morphology", "register", "domain"])
    recipes.load_filter("morphology").load()

    def one(row: Row) -> Row:
        doc = input_files.to_document(row)
        for bound in filters:  # all of them, also if the recipe keeps other fields: tuning needs the scores
            doc = apply(doc, bound.name, bound.verb, bound.call(doc))
        found = {n.removeprefix("domain:"): score for n, score in doc.measures if n.startswith("domain:")}
        ranked = sorted(found.items(), key=lambda f: (-f[1], f[0]))
        return {"id": row["id"], "register": doc.label("register"), "domains": dict(ranked)}

    return one


def _sketch_stage(recipe: Recipe) -> Stage:
    """The part of `duplicates` that handles one text; `cluster` compares the sketches."""
    from filters.duplicates.duplicate_survey import SURVEY
    from filters.duplicates.minhash import sketch

    cleaned = recipes.bind(tuple(step for step in recipe.stage("clean") if step.filter == "normalise"))
    sketch.warm()

    def one(row: Row) -> Row:
        doc = _apply_filters(input_files.to_document(row), cleaned)  # jamo are normalised as in curation
        return {"id": doc.id, "text": doc.text, "sketch": SURVEY.sketch(doc)}

    return one


def cluster(sketched: Sequence[Row], recipe_name: str) -> Iterator[Row]:
    """Yield the answers of `duplicates` to all texts together; a row without a sketch keeps its answer."""
    from filters.duplicates.duplicate_survey import SURVEY, compare_documents

    recipe = recipe_of(recipe_name)
    docs = [row for row in sketched if "sketch" in row]
    params_of = {found.name: params for found, params in recipes.surveys(tuple(_steps(recipe)))}
    threshold = params_of.get(SURVEY.name, {}).get("threshold", 0.8)
    if twice := [id for id, n in Counter(doc["id"] for doc in docs).items() if n > 1]:
        raise CallError(
            f"more than one line has the id {twice[0]!r}; a cluster names its members by id. Give each its own."
        )
    sketches = pa.Table.from_pylist([doc["sketch"] for doc in docs], schema=SURVEY.schema)
    texts = {doc["id"]: doc["text"] for doc in docs}
    table = {r["id"]: r for r in compare_documents(sketches, texts, threshold=threshold).to_pylist()}
    for row in sketched:
        if "sketch" not in row:
            yield row
            continue
        found = table.get(row["id"], {"keeper": row["id"], "similarity": 1.0})
        yield {
            "id": row["id"],
            "cluster": found["keeper"],
            "keeper": found["keeper"] == row["id"],
            "similarity": found["similarity"],
        }


def _steps(recipe: Recipe) -> list[Step]:
    return [step for _, steps in recipe.steps for step in steps]


def _bind_named(recipe: Recipe, names: list[str]) -> tuple[Bound, ...]:
    """Bind the named filters with the recipe's parameters; CallError if the recipe lacks one."""
    steps = {step.filter: step for step in _steps(recipe)}
    missing = [name for name in names if name not in steps]
    if missing:
        raise CallError(f"recipe {recipe.name!r} has no filter {missing[0]!r}; choose another with --recipe.")
    return recipes.bind(tuple(steps[name] for name in names))


_STAGES: dict[str, Callable[[Recipe], Stage]] = {
    "extract": _extract_stage,
    "rights": _rights_stage,
    "language": _language_stage,
    "clean": _clean_stage,
    "judge": _judge_stage,
    "segment": _segment_stage,
    "domain": _domain_stage,
    "duplicates": _sketch_stage,
}
