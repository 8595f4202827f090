"""Probe a source: fetch a few items into a scratch workspace, and compare them with what the source declares.

Checks: hosts, terms, claims, fetched answers, items, licences, and what a release would keep.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from crawlers import catalogue, proofs
from crawlers import collect as collecting
from crawlers.catalogue import Definition
from crawlers.extract import Extraction
from crawlers.fetch.api_key import key_of
from crawlers.rights.claims import proof_address
from crawlers.web.addresses import canonical_url
from filters.duplicates.sketch import U32, jaccard, shingle_hashes
from filters.korean.hangul import is_hangul
from flows import curate as curating
from flows import run as runs
from flows.collect import collect
from flows.console import SafeConsole
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.plurals import count_of, tally
from flows.probing import probe_records
from flows.probing.probe_records import Check, Outcome, ProbeResult, State
from flows.probing.read_items import LISTS, MAX_WORDS, ReadCapture, ReadDocument, read_captures
from flows.source_files import probe as check_call
from flows.source_files import terms_of
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS
from malmoi.document import Document, LicenceEvidence
from malmoi.errors import CallError, DataError, HostError, MalmoiError, SourceError
from malmoi.licensing import rights_decision
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.rights_decision import UNKNOWN, Rights, decide
from malmoi.source import Api, CommonCrawl, Dump, Folder, LicenceRule, OaiPmh, Site, Source, Warc
from malmoi.statistics import Sample, Stratum, read_strata
from malmoi.workspace import Workspace
from malmoi.workspace_layout import BLOCKED, PAGES, STATS

ITEMS_ASKED = 3
RECIPE = "general"  # by which the items are curated
# Field of an attribution template → the field of a document from which it is filled.
NAMED = {"title": "title", "year": "date", "author": "author"}
WALLS = ("error", "login", "shell", "frame")  # kinds of pages (crawlers/formats/html/page_kind.py) without content
COMPARED = 50  # texts that are compared with each other
ALIKE = 0.8  # Jaccard similarity of shingles; the threshold of near-duplicates in the recipe `general`
UNEXPECTED = "unexpected-licence"  # signal of crawlers/rights/page_proofs.py
DEAD = ("status-404", "status-410")  # failures of a link to a page that does not exist


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
        before = find_terms(workspace, source, check)
        checks = (
            *check_hosts(source, fetched),
            *check_terms(source, said, before),
            *(claims := tuple(check_claims(source, fetched))),
            *check_fetched(source, fetched, is_void := any(one.state == "differs" for one in claims)),
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
    yield from check_unknown(definition, read)
    yield from check_documents(definition, read, fetched.strata)
    if fetched.strata or fetched.is_whole:
        yield from check_totals(read, fetched.strata)
    if documents and is_void:
        yield Check("licence", "differs", "the claim does not hold, so no item is granted by it")
    elif documents:
        yield from check_licences(source.rule, documents)
    if is_finished and documents and not any(one.failed for one in read):
        recipe = runs.recipe_of(RECIPE)
        try:
            curated = curating.curate(home, recipe, [name], thread_mapper(worker_pool.count()), Progress(quiet=True))
        except MalmoiError as error:
            yield Check("kept", "failed", str(error))
            return
        ends = [(by, reason) for _, _, by, reason in curating.read_ends(home, curated) if reason not in LISTS]
        yield from check_ends(source.rule, RECIPE, ends)


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

    @property
    def strata(self) -> list[Stratum]:
        """Return the strata that the sample was drawn from; [] if the first captures were taken."""
        return read_strata(self.facts)[1]

    @property
    def is_whole(self) -> bool:
        """Whether the first captures were taken, and no others exist."""
        return not self.strata and self.error is None and self.facts.get("finished") == "finished"


def check_hosts(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Yield the checks of robots.txt and of the page that documents machine access."""
    files = {row.url: row for row in fetched.rows if row.url.endswith("/robots.txt")}
    blocked = fetched.folder / BLOCKED
    lines = [json.loads(one) for one in blocked.read_text("utf-8").splitlines()] if blocked.exists() else []
    if closed := [one for one in lines if one["reason"].startswith("robots")]:
        first = closed[0]
        says = f"{count_of(len(closed), 'address')} may not be fetched, first {first['url']} ({first['reason']})"
        state = grade_share(len(closed), len(fetched.pages))
        yield Check("robots.txt", state, f"{says}; ask the publisher, or narrow the scope")
    elif granted := fetched.facts.get("granted"):
        yield Check("robots.txt", "holds", f"forbids, and {granted} permits")
    elif files:
        # A page of HTML in the place of robots.txt has no rules.
        if pages := sorted(url for url, row in files.items() if row.status == 200 and "html" in row.media):
            says = f"{pages[0]} answers 200 with a page of HTML, which has no rules; look at it"
            yield Check("robots.txt", "partly", says)
        else:
            statuses = ", ".join(f"{url} {row.status}" for url, row in sorted(files.items()))
            yield Check("robots.txt", "holds", f"allows what was asked ({statuses})")
    # Some redirects lead out of the source, or several to one page.
    ends = Counter(url for one in fetched.strata for url in one.chosen).most_common(1)
    if strays := [one for one in lines if one["reason"].startswith(("redirect", "guard"))]:
        says = f"{count_of(len(strays), 'address')} led to a place that is not fetched, first {strays[0]['url']}"
        state = grade_share(len(strays), len(fetched.pages))
        yield Check("redirects", state, f"{says} ({strays[0]['reason']}); correct the addresses or the scope")
    elif ends and ends[0][1] > 1:
        says = f"{count_of(ends[0][1], 'address')} led to one page, {ends[0][0]}"
        yield Check("redirects", "differs", f"{says}: a wall, or a page in place of those that are gone")
    if isinstance(source.access, Api | Dump | OaiPmh) and source.access.grant:
        url = canonical_url(source.access.grant)
        status = {row.url: row.status for row in fetched.rows}.get(url)
        if status is None:
            yield Check("grant", "unknown", f"{url} was not asked for")
        else:
            yield Check("grant", "holds" if status == 200 else "differs", f"{url} answers {status}")


def grade_share(bad: int, good: int) -> State:
    """Return the state if `bad` addresses gave nothing and `good` ones did: a few dead links are on any site.

    >>> grade_share(1, 9), grade_share(5, 5)
    ('partly', 'differs')
    """
    return "differs" if bad >= good else "partly"


def find_terms(workspace: Workspace, source: Source, check: str) -> str:
    """Return the sha256 of the page of the terms that a probe or collection under this terms check has seen; or ""."""
    last = probe_records.read_last(workspace, source.name)
    if last is not None and last.check:
        return last.terms if last.check == check else ""
    runs = (run.facts.get("terms") or {} for run in reversed(collection.runs(workspace.captures(source.name))))
    return next((one["sha256"] for one in runs if one.get("sha256")), "") if last is None or last.terms else ""


def check_terms(source: Source, said: Mapping[str, Any], before: str) -> Iterator[Check]:
    """Yield the check of the page of the terms: it is the page that a person has read, as far as that was seen.

    A page that has changed differs until a person has recorded a check of it.
    """
    if not said:
        return
    url, now = said.get("url", ""), said.get("sha256", "")
    if not now:
        says = f"{url} answers {said.get('status')}; look for the page, and record its address"
        yield Check("terms", "differs", says)
    elif before and before != now:
        says = f"{url} has changed since it was seen last; read it, then `malmoi sources terms {source.name} …`"
        yield Check("terms", "differs", says)
    else:
        yield Check("terms", "holds", f"{url} {'is unchanged' if before else 'was seen for the first time'}")


def check_claims(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Yield a check for each claim: its page or file is there and holds the quoted words."""
    for claim in source.claim:
        where = claim.file or claim.url
        if fetched.error is not None and not fetched.rows and proofs.find_base(source) is None:
            yield Check("claim", "unknown", f"{claim.licence}: the collection ended before {where} could be compared")
            continue
        try:
            part = replace(source, claim=(claim,))
            if fetched.error is None:
                pass  # the collection has proved all of them
            elif proofs.find_base(source) is not None:
                list(proofs.read_licence_files(part))
            else:
                proofs.prove_claims(part, fetched.rows, fetched.folder, (), {"failed": [], **fetched.facts})
        except SourceError as error:
            yield Check("claim", "differs", str(error))
        else:
            yield Check("claim", "holds", f"{claim.licence}: {where} holds the quoted words")


def check_fetched(source: Source, fetched: Fetched, is_claim: bool) -> Iterator[Check]:
    """Yield the checks of the answers as such, and of the number of captures.

    With `is_claim` a claim has lost its proof, which has a check of its own: a collection ends in that error as well.
    """
    failed = list(fetched.facts.get("failed", ()))
    torn = fetched.facts.get("torn_records", ())
    media = sorted({row.media.partition(";")[0] for row in fetched.pages})
    if fetched.error is not None and is_claim and not fetched.pages and proofs.find_base(source) is not None:
        return  # the claim was checked first, and nothing was read
    if fetched.error is not None and not (is_claim and fetched.pages):
        yield Check("answers", "failed", str(fetched.error))
    elif failed:
        first, asked = failed[0], len(failed) + len(fetched.pages)
        says = f"{len(failed):,} of {count_of(asked, 'address')} failed, first {first['url']}: {first['why']}"
        is_dead = all(one["why"] in DEAD for one in failed)  # a list that could not be read hides what it names
        yield Check("answers", grade_share(len(failed), len(fetched.pages)) if is_dead else "differs", says)
    elif torn:
        yield Check("answers", "differs", f"{count_of(len(torn), 'record')} cannot be read, first {torn[0]}")
    elif not fetched.pages:
        advice = (
            "compare the question of the source (addresses, hosts, sets, languages) with what its access point offers"
        )
        advice = "look at the files" if isinstance(source.access, Folder | Warc | Dump) else advice
        yield Check("answers", "differs", f"none holds an item{_describe_left(fetched)}; {advice}")
    else:
        yield Check("answers", "holds", f"{len(fetched.pages):,}, of {', '.join(media) or 'no type'}")
    if fetched.error is None or is_claim:
        yield from _check_count(source, fetched)


def check_licences(rule: LicenceRule, read: Sequence[ReadDocument]) -> Iterator[Check]:
    """Yield the check of licences: a source with proofs must prove one, and name none that it does not expect."""
    decided = [(one, decide(one.document.evidence, one.document.signals)) for one in read]
    granted = [rights.licence for _, rights in decided if _is_granted(rule, rights)]
    others = [explain(one, rights) for one, rights in decided if not _is_granted(rule, rights)]
    says = f"{tally(granted)} in {len(granted):,} of {len(read):,}; not granted" if granted else "no item is granted"
    says = f"{says}: {tally(others, '; ')}" if others else says.removesuffix("; not granted")
    if not rule.proofs:
        yield Check("licence", "unknown", f"the source declares no proof: each item needs a review; {says}")
        return
    if others:
        says += f". Expected: {', '.join(rule.expected) or 'any licence of docs/rights.md'}"
    unknown = any(proof.licence == UNKNOWN and proof.kind in PROOFS for one in read for proof in one.document.evidence)
    unexpected = any(signal.name == UNEXPECTED for one in read for signal in one.document.signals)
    state: State = "differs" if unknown or unexpected or not granted else "partly" if others else "holds"
    yield Check("licence", state, says)


def _is_granted(rule: LicenceRule, rights: Rights) -> bool:
    """Whether the use is open, or the one that the source expects, such as training alone."""
    return rights.use == "redistribute" or (rights.use == "train-only" and rights.licence in rule.expected)


def explain(one: ReadDocument, rights: Rights) -> str:
    """Explain why a document is not granted: the value that was found, or that its place is empty."""
    doc = one.document
    proofs = [found for found in doc.evidence if found.kind in PROOFS]
    if unknown := [found for found in proofs if found.licence == UNKNOWN]:
        return f"unknown value: {_quote(unknown[0])}"
    if signal := next((signal for signal in doc.signals if signal.name == UNEXPECTED), None):
        return f"{_quote(proofs[0])} is {signal.quote}, which is not expected"
    said = rights_decision.explain(rights)
    if named := proofs or doc.evidence:
        said += f" ({_quote(named[0])})"
    return "; ".join(filter(None, (said, one.place)))


def _quote(found: LicenceEvidence) -> str:
    return f"{found.quote[:MAX_WORDS]!r} at {found.place}" if found.quote else f"at {found.place}"


def check_documents(
    definition: Definition, captures: Sequence[ReadCapture], strata: Sequence[Stratum]
) -> Iterator[Check]:
    """Yield a check for each field of the documents: keys, text, the fields of the attribution."""
    read = [one for capture in captures for one in capture.items]
    if failed := [f"{one.failed} ({one.form})" if one.form else one.failed for one in captures if one.failed]:
        yield Check("reading", "differs", f"{count_of(len(failed), 'answer')} could not be read: {tally(failed, '; ')}")
    if not read:
        lists = sum(bool(one.documents) for one in captures)
        forms = tally([one.form for one in captures if one.form] + ["a page of links"] * lists)
        says = f"none in {count_of(len(captures), 'answer')}{f' ({forms})' if forms else ''}"
        yield Check("items", "differs", f"{says}; correct items() of the source")
        return
    # Captures without documents count in a stratum where others have some; the rest are lists.
    holding = {one.url for one in captures if one.items}
    mixed = {url for one in strata if holding & set(one.chosen) for url in one.chosen}
    empty = [one for one in captures if not one.documents and not one.failed and one.url in mixed]
    says = f"{len(read):,} in {count_of(sum(bool(one.items) for one in captures), 'answer')}"
    if empty:
        says += f"; none in {count_of(len(empty), 'other')} of the same kind ({tally([one.form for one in empty])})"
    yield Check("items", "partly" if empty else "holds", says)
    bad = sum(count > 1 for count in Counter(one.document.id for one in read).values())
    yield Check("key", *(("differs", f"{bad:,} repeated; ids need a unique key") if bad else ("holds", "unique")))
    yield from _check_text(read)
    contradictions = [one.contradiction for one in captures if one.contradiction]
    strange = [one.dropped for one in read if one.dropped.startswith("unsupported-format")]
    kinds = [kind for one in read if (kind := one.document.label("page_kind", "")) in WALLS and not one.dropped]
    if contradictions:
        state = grade_share(len(contradictions), len(captures) - len(contradictions))
        yield Check("type", state, f"{tally(contradictions)}; look whether it is an error page")
    elif strange:
        yield Check("type", "differs", tally(strange))
    elif kinds:
        says = f"{tally(kinds)} among {count_of(len(read), 'page')}, by their words and structure; look at them"
        yield Check("type", "differs" if 2 * len(kinds) >= len(read) else "partly", says)
    elif formats := [one.document.provenance.format or "none" for one in read if not one.dropped]:
        yield Check("type", "holds", tally(formats))
    yield from _check_copies([one.document for one in read if not one.dropped])
    yield from _check_named(definition, [one.document for one in read if not one.dropped])


def check_unknown(definition: Definition, captures: Sequence[ReadCapture]) -> Iterator[Check]:
    """Yield the check of the fields that the source neither reads nor leaves out by name, if it declares them."""
    if definition.unknown_fields is None:
        return
    names = sorted({name for one in captures for name in one.unknown_fields})
    yield Check(
        "other fields",
        "differs" if names else "holds",
        f"unknown: {', '.join(names)}; look at them, and add each to the fields of the source" if names else "none",
    )


def check_totals(captures: Sequence[ReadCapture], strata: Sequence[Stratum]) -> Iterator[Check]:
    """Yield the check of the number of results that answers state: it is not far above what the source finds.

    A list states its own number, so a number below that of the source proves nothing, except 0.
    """
    totals = [total for one in captures for total in one.totals]
    holding = [one for one in captures if one.items]
    if not totals or not holding or any(one.counted == "at least" for one in strata):
        return
    urls = {one.url for one in holding}
    units = sum(one.units for one in strata if urls & set(one.chosen)) if strata else len(holding)
    found = units * sum(len(one.items) for one in holding) / len(holding)
    says = f"an answer states {max(totals):,} results; the source finds {found:,.0f}"
    if not max(totals) or max(totals) > 2 * found:
        yield Check("total", "differs", f"{says}; look at the parameters of the request, and at follow()")
    else:
        yield Check("total", "holds", says)


def check_ends(rule: LicenceRule, recipe: str, ends: Sequence[tuple[str, str]]) -> Iterator[Check]:
    """Yield the check of what a recipe keeps: `ends` are the filter and the reason that dropped each document.

    Without a proof in its rule a source releases nothing until a person has decided.
    """
    kept = sum(not by for by, _ in ends)
    dropped = tally([f"{by}: {reason}" if reason else by for by, reason in ends if by])
    state: State = "holds" if 2 * kept >= len(ends) else "partly" if kept else "differs" if rule.proofs else "unknown"
    says = f"{kept:,} of {len(ends):,} by the recipe {recipe}"
    yield Check("kept", state, f"{says}; dropped: {dropped}" if dropped else says)


def grade(count: int, total: int) -> State:
    """Return the state of a field that `count` of `total` documents have.

    >>> grade(3, 3), grade(1, 3), grade(0, 3)
    ('holds', 'partly', 'differs')
    """
    return "holds" if count == total else "partly" if count else "differs"


def _check_text(read: Sequence[ReadDocument]) -> Iterator[Check]:
    why = [one.dropped or ("" if one.document.text.strip() else "empty") for one in read]
    texts = [one for one, reason in zip(read, why, strict=True) if not reason]
    why = [reason for reason in why if reason]
    rest = f"; without text: {tally(why)}" if why else ""
    if not texts:
        yield Check("text", "differs", f"none{rest}; correct text() of the source, or its `include`")
        return
    lengths = sorted(len(one.document.text) for one in texts)
    hangul = sum(is_hangul(char) for one in texts for char in one.document.text) / max(1, sum(lengths))
    size = f"{lengths[0]:,} to {lengths[-1]:,} characters, {hangul:.0%} Hangul"
    yield Check("text", grade(len(texts), len(read)), f"in {len(texts):,} of {len(read):,}: {size}{rest}")


def _check_copies(documents: Sequence[Document]) -> Iterator[Check]:
    """Yield the check that the texts differ: equal ones are an error page, a wall, or a wrong field."""
    few = documents[:COMPARED]
    if len(few) < 2:
        return
    groups: list[tuple[U32, list[str]]] = []  # shingles of the first, URLs
    for one in few:
        made = shingle_hashes(one.text)
        urls = next((urls for other, urls in groups if jaccard(made, other) >= ALIKE), None)
        if urls is None:
            groups.append((made, [one.provenance.url]))
        else:
            urls.append(one.provenance.url)
    most = max((urls for _, urls in groups), key=len)
    says = f"{len(groups):,} of {len(few):,} texts are distinct"
    if len(most) > 1:
        says += f"; {len(most):,} are alike, such as {most[0]} and {most[1]}: an error page, or a wrong element"
    is_half = 2 * max(len(most), len(few) - len(groups)) >= len(few)
    state: State = "holds" if len(most) == 1 else "differs" if is_half else "partly"
    yield Check("copies", state, says)


def _check_named(definition: Definition, documents: Sequence[Document]) -> Iterator[Check]:
    """Yield a check of the titles, and of each field that the attribution of the source, or its rule, reads."""
    source = definition.source
    wanted = {column: "the attribution" for name, column in NAMED.items() if f"{{{name}}}" in source.attribution}
    wanted |= {"author": "the rule"} if source.rule.author and "author" not in wanted else {}
    for column in dict.fromkeys(("title", *wanted)) if documents else ():
        count, reader = sum(bool(getattr(one, column)) for one in documents), wanted.get(column, "")
        says = f"in {count:,} of {len(documents):,}"
        if not count:
            says += f"; {reader} reads it" if reader else "; correct items() or text() if the answers have titles"
            says += ", and it is absent or not a day" if column == "date" else ""
        yield Check(column, grade(count, len(documents)) if reader else "holds" if count else "unknown", says)


def _describe_left(fetched: Fetched) -> str:
    left: Mapping[str, int] = fetched.facts.get("left_out", {})
    return "".join(f", {count:,} {reason}" for reason, count in left.items() if count)


def _check_count(source: Source, fetched: Fetched) -> Iterator[Check]:
    """Compare the number of captures, as far as the lists are read, with the bounds of the source."""
    low, high = source.expect.at_least, source.expect.at_most
    bounds = f"the source expects {low:,} to {high:,}"
    kinds = {one.counted for one in fetched.strata}
    units = sum(one.units for one in fetched.strata) if kinds else len(fetched.pages)
    if isinstance(source.access, Site) and kinds == {"counted"} and units <= len(source.access.start) < high:
        says = f"{units:,.0f}: follow() finds no address inside the scope on the start page{_describe_left(fetched)}"
        says += f"; correct the patterns of follow(), or the scope; {bounds}"
        yield Check("count", "differs", says)
    elif (kinds and "at least" not in kinds) or fetched.is_whole:
        state: State = "holds" if low <= units <= high else "differs"
        about = "about " if "estimated" in kinds else ""
        yield Check("count", state, f"{about}{units:,.0f}{_describe_left(fetched)}; {bounds}")
    elif kinds:
        yield Check("count", "differs" if units > high else "unknown", f"at least {units:,.0f}; {bounds}")
    elif fetched.pages:
        yield Check("count", "unknown", "only the first captures were read; `malmoi sources forecast` counts them")
