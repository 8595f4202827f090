"""Probe a source: fetch a few items into a scratch workspace, and compare them with what the source declares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawlers import catalogue, proofs
from crawlers import collect as collecting
from crawlers.catalogue import Definition
from crawlers.extract import Extraction
from crawlers.fetch.api_key import key_of
from crawlers.rights.claims import proof_address
from crawlers.sampling.drawn import Sample, Stratum, read_strata
from crawlers.web.addresses import canonical_url
from flows import curate as curating
from flows.collect import collect
from flows.engine import worker_pool
from flows.engine.progress import Progress
from flows.plurals import count_of
from flows.probe import probe as check_call
from flows.probing import check_items, probe_records
from flows.probing.probe_records import Check, Outcome, ProbeResult
from flows.probing.read_items import read_captures
from flows.probing.scratch_workspace import open_scratch
from flows.source_files import terms_of
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS
from malmoi.errors import CallError, HostError, SourceError
from malmoi.source import Api, CommonCrawl, Dump, Folder, OaiPmh, Source, Warc
from malmoi.workspace import Workspace
from malmoi.workspace_layout import BLOCKED, PAGES, STATS

ITEMS_ASKED = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows and facts of a collection of a few items, also of one that ended in an error."""

    folder: Path
    rows: Sequence[IndexRow] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: SourceError | None = None

    @property
    def pages(self) -> list[IndexRow]:
        """Return the rows that may hold items."""
        return [row for row in self.rows if row.kind in ITEMS and row.status == 200]


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
        return _record(workspace, ProbeResult(source.name, when, missing, needs))
    with open_scratch(workspace) as home:
        fetched = _fetch(workspace, home, name, source, contact)
        said = fetched.facts.get("terms") or {}
        checks = (
            *_check_hosts(source, fetched),
            *_check_terms(workspace, source, said),
            *(claims := tuple(_check_claims(source, fetched))),
            *_check_answers(source, fetched, any(one.state == "differs" for one in claims)),
            *_check_items(home, name, definition, fetched),
        )
    outcome = probe_records.conclude(checks)
    return _record(workspace, ProbeResult(source.name, when, outcome, checks, said.get("sha256", "")))


def _list_needs(workspace: Workspace, name: str, source: Source, contact: str | None) -> Iterator[Check]:
    """Yield what keeps a source from being asked: the operator's part, its declaration, or its hosts."""
    try:
        key_of(source)
    except CallError as error:
        yield Check("key", "unknown", str(error))
    try:
        check_call(workspace, name, contact)
    except CallError as error:
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
    runs = sorted(path for path in home.captures(source.name).glob("[0-9]*") if path.is_dir())
    folder = runs[-1] if runs else home.root
    if (folder / "run.json").exists():
        run = collection.read_run(folder)
        return Fetched(folder, run.rows, run.facts, error)
    archive, stats = folder / PAGES, folder / STATS
    rows = capture.index(archive, PAGES)[0] if archive.exists() and archive.stat().st_size else []
    facts = json.loads(stats.read_text(encoding="utf-8")) if stats.exists() else {}
    return Fetched(folder, [collecting.mark_non_page(row, folder, facts) for row in rows], facts, error)


def _check_hosts(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Yield the checks of robots.txt and of the page that documents machine access."""
    files = {row.url: row.status for row in fetched.rows if row.url.endswith("/robots.txt")}
    blocked = fetched.folder / BLOCKED
    lines = [json.loads(one) for one in blocked.read_text("utf-8").splitlines()] if blocked.exists() else []
    closed = [one for one in lines if one["reason"].startswith("robots")]
    if closed:
        first = closed[0]
        says = f"{count_of(len(closed), 'address')} may not be fetched, first {first['url']} ({first['reason']})"
        yield Check("robots.txt", "differs", f"{says}; ask the publisher, or narrow the scope")
    elif granted := fetched.facts.get("granted"):
        yield Check("robots.txt", "holds", f"forbids, and {granted} permits")
    elif files:
        statuses = ", ".join(f"{url} {status}" for url, status in sorted(files.items()))
        yield Check("robots.txt", "holds", f"allows what was asked ({statuses})")
    if isinstance(source.access, Api | Dump) and source.access.grant:
        url = canonical_url(source.access.grant)
        status = {row.url: row.status for row in fetched.rows}.get(url)
        if status is None:
            yield Check("grant", "unknown", f"{url} was not asked for")
        else:
            yield Check("grant", "holds" if status == 200 else "differs", f"{url} answers {status}")


def _check_terms(workspace: Workspace, source: Source, said: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the check of the page of the terms: it is the page that was seen last."""
    if not said:
        return
    url, now = said.get("url", ""), said.get("sha256", "")
    if not now:
        yield Check(
            "terms", "differs", f"{url} answers {said.get('status')}; look for the page, and record its address"
        )
        return
    last = probe_records.read_last(workspace, source.name)
    runs = [one for one in (run.facts.get("terms") for run in collection.runs(workspace.captures(source.name))) if one]
    before = (last.terms if last else "") or next((one["sha256"] for one in reversed(runs) if one["sha256"]), "")
    if before and before != now:
        yield Check(
            "terms", "differs",
            f"{url} has changed since it was seen last; read it, then `malmoi sources terms {source.name} …`",
        )  # fmt: skip
    else:
        yield Check("terms", "holds", f"{url} {'is unchanged' if before else 'was seen for the first time'}")


def _check_claims(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Yield a check for each claim: its page or file is there and holds the quoted words."""
    for claim in source.claim:
        where = claim.file or claim.url
        try:
            if fetched.error is not None:  # else the collection has proved all of them
                _prove(replace(source, claim=(claim,)), fetched)
        except SourceError as error:
            yield Check("claim", "differs", str(error))
        else:
            yield Check("claim", "holds", f"{claim.licence}: {where} holds the quoted words")


def _prove(source: Source, fetched: Fetched) -> None:
    if isinstance(source.access, Folder | Warc):
        collecting.list_licence_files(source)
    else:
        proofs.prove_claims(source, fetched.rows, fetched.folder, (), {"failed": [], **fetched.facts})


def _check_answers(source: Source, fetched: Fetched, is_claim: bool) -> Iterator[Check]:
    """Yield the checks of the answers as such, and of the number of captures.

    With `is_claim` a claim has lost its proof, which has a check of its own: a collection ends in that error as well.
    """
    failed = list(fetched.facts.get("failed", ()))
    media = sorted({row.media.partition(";")[0] for row in fetched.pages})
    if fetched.error is not None and not (is_claim and (fetched.pages or isinstance(source.access, Folder | Warc))):
        yield Check("answers", "failed", str(fetched.error))
    elif failed:
        first = failed[0]
        says = f"{count_of(len(failed), 'address')} failed, first {first['url']}: {first['why']}"
        yield Check("answers", "differs", says)
    else:
        yield Check("answers", "holds", f"{len(fetched.pages):,}, of {', '.join(media) or 'no type'}")
    _, strata = read_strata(fetched.facts)
    if strata:
        yield _check_count(source, strata)
    elif fetched.pages:
        yield Check("count", "unknown", "only the first captures were read; `malmoi sources forecast` counts them")


def _check_count(source: Source, strata: Sequence[Stratum]) -> Check:
    """Compare the number of captures, as far as the lists are read, with the bounds of the source."""
    units, kinds = sum(one.units for one in strata), {one.counted for one in strata}
    low, high = source.expect.at_least, source.expect.at_most
    bounds = f"the source expects {low:,} to {high:,}"
    if "at least" in kinds:
        state, how = ("differs" if units > high else "unknown"), "at least "
    else:
        state, how = ("holds" if low <= units <= high else "differs"), "about " if "estimated" in kinds else ""
    return Check("count", state, f"{how}{units:,.0f}; {bounds}")  # type: ignore[arg-type]


def _check_items(home: Workspace, name: str, definition: Definition, fetched: Fetched) -> Iterator[Check]:
    """Yield the checks of the items in the answers."""
    source = definition.source
    if not fetched.pages:
        return
    jobs: list[tuple[Extraction, tuple[IndexRow, ...]]]
    try:
        if (fetched.folder / "run.json").exists():
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
    yield from check_items.check_unknown(definition, read)
    yield from check_items.check_documents(definition, _leave_out_lists(read))


def _leave_out_lists(read: Sequence[Any]) -> list[Any]:
    """Return the captures that hold documents; all of them if none does."""
    return [one for one in read if one.documents or one.failed] or list(read)
