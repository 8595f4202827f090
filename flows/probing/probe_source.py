"""Probe a source: fetch a few items into a scratch workspace, and compare them with what the source declares."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from rich.text import Text

from crawlers import catalogue
from crawlers import collect as collecting
from crawlers.catalogue import Definition
from crawlers.extract import Extraction
from crawlers.fetch.api_key import key_of
from crawlers.rights.claims import proof_address
from flows import curate as curating
from flows import run as runs
from flows.collect import collect
from flows.console import SafeConsole
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.probing import check_answers, probe_records
from flows.probing.check_answers import Fetched
from flows.probing.probe_records import Check, Outcome, ProbeResult
from flows.probing.read_items import LISTS, read_captures
from flows.source_files import probe as check_call
from flows.source_files import terms_of
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow
from malmoi.errors import CallError, DataError, HostError, MalmoiError, SourceError
from malmoi.source import CommonCrawl, Dump, OaiPmh, Source
from malmoi.statistics import Sample
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
        return probe_records.record(workspace, ProbeResult(source.name, when, missing, needs, *seen))
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
    states = {one.state for one in checks}
    worst: tuple[Outcome, ...] = ("failed", "differs", "partly")
    outcome: Outcome = next((state for state in worst if state in states), "holds")
    result = ProbeResult(source.name, when, outcome, checks, before or said.get("sha256", ""), check)
    return probe_records.record(workspace, result)


@contextmanager
def open_scratch(workspace: Workspace) -> Iterator[Workspace]:
    """Open an empty workspace inside `workspace`, with its tombstones and decisions; it is deleted at the end."""
    with workspace.temporary_folder() as folder:
        home = Workspace.open(folder / "scratch")
        for name in ("withdrawals", "erasure_key", "reviews"):
            if (path := getattr(workspace, name)).exists():
                shutil.copy(path, getattr(home, name))
        yield home


def choose(names: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """Return the sources to probe: those named, or with `every` those of the catalogue."""
    if every and names:
        raise CallError("--all probes every source of the catalogue; leave out the names, or leave out --all.")
    if not every and not names:
        raise CallError("name the sources to probe, or pass --all; `malmoi sources` lists the catalogue.")
    return tuple(catalogue.names()) if every else tuple(names)


def probe_all(
    workspace: Workspace, names: Sequence[str], contact: str | None, out: SafeConsole, *, as_json: bool, every: bool
) -> None:
    """Probe the sources and print each result.

    Raises SourceError if one failed, DataError if one is not what it declares, CallError if one could not be asked.
    With `every` those that could not be asked, for want of a key, do not count, unless none could.
    """
    found = []
    for name in names:
        found.append(result := probe(workspace, name, contact=contact))
        if as_json:
            continue
        out.print(Text(f"{result.source}: {result.outcome}", style="bold"), soft_wrap=False)
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for check in result.checks:
            table.add_row(Text(check.field), Text(check.state), Text(check.says))
        out.print(table, soft_wrap=False)
    if as_json:
        out.print(json.dumps([one.to_json() for one in found], ensure_ascii=False, indent=1))
    by_outcome: dict[Outcome, list[str]] = {}
    for one in found:
        by_outcome.setdefault(one.outcome, []).append(one.source)
    if failed := by_outcome.get("failed"):
        raise SourceError(
            f"could not be probed: {', '.join(failed)}. Read the checks that failed above, then probe again once the "
            "host works or the source file is corrected."
        )
    if differ := by_outcome.get("differs"):
        raise DataError(
            f"not what the source declares: {', '.join(differ)}. Compare the checks that differ with an answer, and "
            "correct the source file; a changed licence or page of terms is read by a person first."
        )
    asked = len(found) - len(by_outcome.get("not asked", ()))
    if (missing := by_outcome.get("not asked")) and not (every and asked):
        raise CallError(f"not asked: {', '.join(missing)}. Supply what is named above, and probe again.")


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
    yield from check_answers.check_unknown(definition, read)
    yield from check_answers.check_documents(definition, read, fetched.strata)
    if fetched.strata or fetched.is_whole:
        yield from check_answers.check_totals(read, fetched.strata)
    if documents and is_void:
        yield Check("licence", "differs", "the claim does not hold, so no item is granted by it")
    elif documents:
        yield from check_answers.check_licences(source.rule, documents)
    if is_finished and documents and not any(one.failed for one in read):
        recipe = runs.recipe_of(RECIPE)
        try:
            curated = curating.curate(home, recipe, [name], thread_mapper(worker_pool.count()), Progress(quiet=True))
        except MalmoiError as error:
            yield Check("kept", "failed", str(error))
            return
        ends = [(by, reason) for _, _, by, reason in curating.read_ends(home, curated) if reason not in LISTS]
        yield from check_answers.check_ends(source.rule, RECIPE, ends)
