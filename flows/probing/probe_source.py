"""Probe a source: fetch a few items into a scratch workspace, and compare them with what the source declares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crawlers import catalogue
from crawlers import collect as collecting
from crawlers.catalogue import Definition
from crawlers.extract import Extraction
from crawlers.fetch.api_key import key_of
from crawlers.rights.claims import proof_address
from crawlers.sampling import Sample
from flows import curate as curating
from flows import run as runs
from flows.collect import collect
from flows.engine import stage_runs, worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.probe import probe as check_call
from flows.probing import check_answers, check_items, probe_records
from flows.probing.check_answers import Fetched
from flows.probing.probe_records import Check, Outcome, ProbeResult
from flows.probing.read_items import LISTS, read_captures
from flows.probing.scratch_workspace import open_scratch
from flows.source_files import terms_of
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow
from malmoi.errors import CallError, HostError, MalmoiError, SourceError
from malmoi.source import CommonCrawl, Dump, OaiPmh, Source
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES, STATS

ITEMS_ASKED = 3
RECIPE = "general"  # by which the items are curated


def probe(workspace: Workspace, name: str, *, contact: str | None = None) -> ProbeResult:
    """Ask the source `name` for up to ITEMS_ASKED items, and record in the workspace what holds.

    A missing key, terms check, contact or file gives the outcome "not asked". CallError only if no such source exists,
    or its file is wrong.
    """
    definition = catalogue.load(name)
    source = definition.source
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if needs := tuple(_list_needs(workspace, name, source, contact)):
        missing: Outcome = "failed" if any(one.state == "failed" for one in needs) else "not asked"
        last = probe_records.read_last(workspace, source.name)
        seen = (last.terms, last.check) if last else ("", "")
        return _record(workspace, ProbeResult(source.name, when, missing, needs, *seen))
    with open_scratch(workspace) as home:
        fetched = _fetch(workspace, home, name, source, contact)
        said, terms = fetched.facts.get("terms") or {}, terms_of(workspace, source) or source.terms
        check = f"{terms.reviewer}, {terms.date}, {terms.url}" if terms else ""
        before = check_answers.find_terms(workspace, source, check)
        checks = (
            *check_answers.check_hosts(source, fetched),
            *check_answers.check_terms(source, said, before),
            *(claims := tuple(check_answers.check_claims(source, fetched))),
            *check_answers.check_fetched(source, fetched, is_void := any(one.state == "differs" for one in claims)),
            *_check_items(home, name, definition, fetched, is_void=is_void),
        )
    outcome = probe_records.conclude(checks)
    return _record(workspace, ProbeResult(source.name, when, outcome, checks, before or said.get("sha256", ""), check))


def _list_needs(workspace: Workspace, name: str, source: Source, contact: str | None) -> Iterator[Check]:
    """Yield what keeps a source from being asked: the operator's part, its declaration, or its hosts."""
    said = ""
    try:
        key_of(source)
    except CallError as error:
        yield Check("key", "unknown", said := str(error))
    try:
        check_call(workspace, name, contact)
    except CallError as error:
        if str(error) != said:
            yield Check("call", "unknown", str(error))
    except SourceError as error:
        yield Check("host" if isinstance(error, HostError) else "source", "failed", str(error))


def _record(workspace: Workspace, result: ProbeResult) -> ProbeResult:
    probe_records.record(workspace, result)
    return result


def _fetch(workspace: Workspace, home: Workspace, name: str, source: Source, contact: str | None) -> Fetched:
    """Collect a few items: a drawn sample where that is cheap; the first of a dump, a repository or an archive."""
    draws = not isinstance(source.access, Dump | OaiPmh | CommonCrawl)
    error = None
    try:
        collect(
            home, name, Progress(quiet=True), contact=contact, terms=terms_of(workspace, source),
            sample=Sample(ITEMS_ASKED) if draws else None, limit=None if draws else ITEMS_ASKED,
        )  # fmt: skip
    except SourceError as raised:
        error = raised
    found = sorted(path for path in home.captures(source.name).glob("[0-9]*") if path.is_dir())
    folder = found[-1] if found else home.root
    if (folder / "run.json").exists():
        run = collection.read_run(folder)
        return Fetched(folder, run.rows, run.facts, error)
    archive, stats = folder / PAGES, folder / STATS
    rows = capture.index(archive, PAGES)[0] if archive.exists() and archive.stat().st_size else []
    facts = json.loads(stats.read_text(encoding="utf-8")) if stats.exists() else {}
    return Fetched(folder, [collecting.mark_non_page(row, folder, facts) for row in rows], facts, error)


def _check_items(
    home: Workspace, name: str, definition: Definition, fetched: Fetched, *, is_void: bool
) -> Iterator[Check]:
    """Yield the checks of the items in the answers, and of what a release would keep of them.

    `is_void`: a claim of the source does not hold.
    """
    source = definition.source
    if not fetched.pages:
        return
    jobs: list[tuple[Extraction, tuple[IndexRow, ...]]]
    is_finished = (fetched.folder / "run.json").exists()
    try:
        if is_finished:
            jobs = [(job.extraction, job.rows) for job in curating.extract_jobs(home, name)]
        else:
            place = str(Path(name).absolute()) if name.endswith(".py") else name
            pages = tuple(replace(row, path=str(fetched.folder / row.path)) for row in fetched.pages)
            proved = tuple((proof_address(claim), "unproved") for claim in source.claim)  # which has a check of its own
            jobs = [(Extraction(place, proved), pages)]
        read = [one for extraction, rows in jobs for one in read_captures(extraction, rows, worker_pool.workers())]
    except SourceError as error:
        yield Check("items", "failed", str(error))
        return
    documents = [one for capture in read for one in capture.items]
    yield from check_items.check_unknown(definition, read)
    yield from check_items.check_documents(definition, read, fetched.strata)
    if fetched.strata or fetched.is_whole:
        yield from check_items.check_totals(read, fetched.strata)
    if documents and is_void:
        yield Check("licence", "differs", "the claim does not hold, so no item is granted by it")
    elif documents:
        yield from check_items.check_licences(source.rule, documents)
    if is_finished and documents and not any(one.failed for one in read):
        yield from _check_ends(home, name, source)


def _check_ends(home: Workspace, name: str, source: Source) -> Iterator[Check]:
    """Curate the items, and yield the check of what is kept of them."""
    recipe = runs.recipe_of(RECIPE)
    try:
        curated = curating.curate(home, recipe, [name], thread_mapper(worker_pool.count()), Progress(quiet=True))
    except MalmoiError as error:
        yield Check("kept", "failed", str(error))
        return
    ends = [(by, reason) for _, _, by, reason in stage_runs.read_ends(home, curated) if reason not in LISTS]
    yield from check_items.check_ends(source.rule, RECIPE, ends)
