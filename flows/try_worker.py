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
from malmoi.apply import Bound, Dropped, apply, walk, walk_batch
from malmoi.boundary import input_errors
from malmoi.document import Document, Signal
from malmoi.errors import CallError
from malmoi.licensing import rights_decision
from malmoi.processes.workers import Broken, Done, attempt
from malmoi.recipe import Recipe, Step

Stage: TypeAlias = Callable[[Row], Row]
BatchStage: TypeAlias = Callable[[Sequence[Row]], list[Row]]
Shared: TypeAlias = tuple[str, str, int]  # stage, recipe, and modification time of the recipe's file
FILTERS = {"language": ["language"], "segment": ["morphology"], "domain": ["morphology", "register", "domain"]}
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
    name, recipe = shared[0], recipe_of(shared[1])
    match name:
        case "extract":
            fields = ("format", "encoding", "title", "date", "author", "text", "outcome", "reason")

            def extract(row: Row) -> Row:
                found = formats.extract(input_files.to_item(row))
                detail = {"detail": found.detail} if found.detail else {}
                return {"id": row["id"], **{name: getattr(found, name) for name in fields}, **detail}

            return extract, None
        case "rights":
            return decide_rights, None
        case "pii":
            several = _bind_pii(recipe)
            return lambda row: several([row])[0], several
        case "duplicates":
            return _bind_sketch(recipe), None
        case "judge":
            steps = [s for s in _steps(recipe) if not s.survey and s.filter not in ("rights", "quarantine", "redact")]
            judged = recipes.bind(tuple(steps))
            recipes.load_filter("morphology").load()

            def judge(row: Row) -> Row:
                outcome = walk(input_files.to_document(row), judged)
                dropped = f"{outcome.by}:{outcome.verdict.reason}" if isinstance(outcome, Dropped) else ""
                ends = {"outcome": "dropped" if dropped else "kept", "reason": dropped}
                return {"id": row["id"], **ends, "measures": dict(outcome.document.measures)}

            return judge, None
        case "clean":
            filters = recipes.bind(tuple(s for s in recipe.stage("clean") if s.verb == "mend" and not s.survey))
        case _:  # all of the named ones, also if the recipe keeps other fields: tuning needs the scores
            filters = _bind_named(recipe, FILTERS[name])
            if "morphology" in FILTERS[name]:
                recipes.load_filter("morphology").load()
    return lambda row: {"id": row["id"], **_describe(name, _apply(input_files.to_document(row), filters))}, None


def decide_rights(row: Row) -> Row:
    """Return the decision of `rights` about the object of a page, with what robots.txt beside it says."""
    text, files = row.get("robots") or "", row.get("well_known") or {}
    if not isinstance(text, str) or not isinstance(files, dict):
        raise CallError(
            f"{row['id']}: field 'robots' must be a string, 'well_known' an object of texts; correct the line."
        )
    known = {str(k): v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in files.items()}
    source = read_source(row.get("source"), row["id"])
    trust = read_trust(row.get("trust"), row["id"])
    item = input_files.to_item(row)
    decided = rights_engine.decide_item(item, source, robots=text, well_known=known, trust=trust)
    if text.strip():
        page = robots.decide(200, text.encode("utf-8", "replace"), str(row.get("url", "")), politeness.AGENT)
        if not page.allowed:  # it would never be collected
            signal = Signal("robots", "opt-out", page.reason, "/robots.txt", "")
            decided = rights_decision.decide(decided.evidence, (signal, *decided.signals))
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


def _describe(stage: str, doc: Document) -> Row:
    """Return the answer of a stage whose filters a document has passed."""
    match stage:
        case "language":
            hangul, score = doc.measure("hangul_share"), doc.measure("language_score")
            return {"language": doc.label("language"), "hangul_share": hangul, "score": score}
        case "clean":
            return {"text": doc.text, "edits": {f"{n.by}:{n.reason}": int(n.measured or 0) for n in doc.trail}}
        case "segment":
            assert doc.morphemes is not None
            bounds = zip(doc.morphemes.sentence_start, doc.morphemes.sentence_end, strict=True)
            return {"sentences": [list(pair) for pair in bounds], "morphemes": [list(m) for m in doc.morphemes.rows()]}
    scores = {n.removeprefix("domain:"): score for n, score in doc.measures if n.startswith("domain:")}
    ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    return {"register": doc.label("register"), "domains": dict(ranked)}


def _apply(doc: Document, filters: Sequence[Bound]) -> Document:
    for bound in filters:
        doc = apply(doc, bound.name, bound.verb, bound.call(doc))
    return doc


def _bind_pii(recipe: Recipe) -> BatchStage:
    mark, redact = _bind_named(recipe, ["personal_data", "redact"])

    def several(rows: Sequence[Row]) -> list[Row]:
        answers = []
        walked = walk_batch([*map(input_files.to_document, rows)], (mark,))
        for row, marked in zip(rows, (one.document for one in walked), strict=True):
            finds = [
                {"kind": s.kind.removeprefix("pii:"), "start": s.start, "end": s.end,
                 "confidence": s.confidence, "why": s.why}
                for s in marked.spans
            ]  # fmt: skip
            answers.append({"id": row["id"], "text": _apply(marked, (redact,)).text, "found": finds})
        return answers

    return several


def _bind_sketch(recipe: Recipe) -> Stage:
    """The part of `duplicates` that handles one text; `cluster` compares the sketches."""
    from filters.duplicates import sketch
    from filters.duplicates.duplicate_survey import SURVEY

    cleaned = recipes.bind(tuple(step for step in recipe.stage("clean") if step.filter == "normalise"))
    sketch.warm()

    def one(row: Row) -> Row:
        doc = _apply(input_files.to_document(row), cleaned)  # jamo are normalised as in curation
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
