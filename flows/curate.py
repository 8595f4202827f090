"""Curate: captures → documents → clean → judged → curated; each stage maps over shards and resumes."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from crawlers import catalogue, host_templates
from crawlers import extract as extraction
from crawlers.catalogue import Definition
from crawlers.formats.html.host_template import Template
from crawlers.formats.registry import HTML
from crawlers.rights.host import policy_files
from crawlers.source_errors import LABEL, ROWS, UNREADABLE_CAPTURE, UNREADABLE_TABLE, omit_message
from flows.engine import earlier_shards, run_surveys
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.engine.shard_jobs import EntryChanges, ExtractJob, LearnJob, capture_key, extract, learn, walk_shard
from flows.engine.stage_runs import FOLDER_OF as FOLDER_OF
from flows.engine.stage_runs import LIMITS, add_decisions, ensure_shards, find_withdrawn, rename_repeated, walk_job
from flows.engine.stage_runs import Curated as Curated
from flows.plurals import count_of
from malmoi import recipe as recipes
from malmoi.archive import collection
from malmoi.archive.collection import Run
from malmoi.erasure import tombstones
from malmoi.errors import CallError, SourceError
from malmoi.ledger import Ledger, total
from malmoi.licensing import review_file
from malmoi.recipe import Recipe, digest
from malmoi.source import Folder
from malmoi.storage import checksummed_files, shard
from malmoi.storage.shard import SCHEMA_VERSION
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

REASONS = (UNREADABLE_TABLE, UNREADABLE_CAPTURE)
MAX_SHARE = 0.5  # of the captures that hold documents; above it the source, not its captures, is at fault


def curate(workspace: Workspace, recipe: Recipe, sources: Sequence[str], mapper: Mapper, progress: Progress) -> Curated:
    """Bring every stage up to date with the captures of `sources`; finished shards are not touched."""
    read = _extract_sources(workspace, sources, mapper, progress)
    ledgers = tuple(ledger for found in read.values() for ledger in found)
    done: list[tuple[Stage, tuple[Ledger, ...]]] = [("2-documents", ledgers)]
    before: Stage = "2-documents"
    decisions = review_file.read(workspace.reviews)  # once: one that is made during the run waits for the next
    tables: list[Path] = []
    for name in recipes.STAGES:
        steps = recipe.stage(name)
        slices: dict[str, tuple[run_surveys.Slice, ...]] = {}
        for step, params, lookups in run_surveys.list_surveys(steps):
            table, found = run_surveys.survey(
                workspace, step, params, before, ledgers, mapper, progress,
                release=recipe.name, lookups=lookups, known=slices,
            )  # fmt: skip
            if recipes.load_filter(step.filter).SURVEY.names_keepers:
                tables.append(table)
            for key, piece in found.items():
                slices[key] = (*slices.get(key, ()), piece)
        # Before the first filter, whatever the recipe: withdrawn documents cost no work, and no recipe can skip this.
        gone = find_withdrawn(workspace, before, ledgers) if before == "2-documents" else {}
        repeated = rename_repeated(workspace, ledgers, gone, progress) if before == "2-documents" else {}
        stood = earlier_shards.group_shards(workspace.shards(FOLDER_OF[name]))
        walks = [
            walk_job(workspace, FOLDER_OF[name], before, ledger, taken, slices, changes, stood)
            for ledger in ledgers
            for taken in (add_decisions(steps, ledger, decisions),)
            for changes in (EntryChanges(gone.get(ledger.key, ()), repeated.get(ledger.key, ())),)
        ]
        ledgers = ensure_shards(workspace, FOLDER_OF[name], walks, walk_shard, mapper, progress)
        before = FOLDER_OF[name]
        done.append((before, ledgers))
    return Curated(tuple(done), tuple(tables), tuple(read.items()))


def _extract_sources(
    workspace: Workspace, sources: Sequence[str], mapper: Mapper, progress: Progress
) -> dict[str, tuple[Ledger, ...]]:
    """Extract each source; one that fails stops only itself, but nothing goes on without it."""
    runs_of = {name: collection.runs(workspace.captures(catalogue.load(name).source.name)) for name in sources}
    # The templates of hosts with enough pages are learned first, if that has not been done yet.
    lessons = {name: learn_jobs(workspace, name, runs_of[name]) for name in sources}
    learned = [job for name in sources for job in lessons[name]]
    missing = list({job.key: job for job in learned if not job.target.exists()}.values())
    if learned:
        with progress.stage("templates", len(learned), standing=len(learned) - len(missing), unit="host") as step:
            mapper(learn, missing, lambda _: step.advance())
    planned = {name: list(_plan_extraction(workspace, name, runs_of[name], lessons[name])) for name in sources}
    faults: dict[str, None] = {}
    try:
        jobs = [job for name in sources for job in planned[name]]
        done = iter(ensure_shards(workspace, "2-documents", jobs, extract, mapper, progress))
        found = {name: tuple(islice(done, len(planned[name]))) for name in sources}
    except SourceError as first:
        if len(sources) == 1:
            raise
        faults, found = {str(first): None}, {}
        for name in sources:
            try:
                found[name] = ensure_shards(workspace, "2-documents", planned[name], extract, mapper, progress)
            except SourceError as error:
                faults[str(error)] = None
    for name, ledgers in found.items():
        if (unread := find_unread(workspace, ledgers)) is not None:
            definition = catalogue.load(name)
            says = f"{definition.source.name}: {unread.describe(catalogue.find_file(name).name, workspace)}"
            if is_refused(unread, definition):
                faults[says] = None
            else:
                progress.say(f"  {says}")
    if faults:
        raise SourceError("\n".join(faults))
    return found


def learn_jobs(workspace: Workspace, name: str, runs: Sequence[Run] | None = None) -> list[LearnJob]:
    """Return one job for each host of a source with many pages; none for a source that has its own `text`.

    `runs` are the collection runs of the source, read from the workspace if they are not given.
    """
    definition = catalogue.load(name)
    if definition.text is not None:
        return []
    if runs is None:
        runs = collection.runs(workspace.captures(definition.source.name))
    code = [_code_digest(name), extraction.reader_versions()[HTML.name]]
    jobs = []
    for sample in host_templates.samples(runs):
        content = [
            [[row.record, row.payload_sha256, row.url] for row in rows] for rows in (sample.lessons, sample.checks)
        ]
        key = digest(["template", *code, sample.host, content, LIMITS])[:32]
        learned = extraction.Extraction(_locate_definition(name), ())
        jobs.append(LearnJob(root=workspace.root, stage=None, key=key, extraction=learned, sample=sample))
    return jobs


def _code_digest(name: str) -> str:
    """Digest of all inputs of the extraction of a source, except the capture and the readers of its formats."""
    return digest([shard.sha256_of(catalogue.find_file(name)), extraction.versions(), SCHEMA_VERSION])


def extract_jobs(workspace: Workspace, name: str) -> Iterator[ExtractJob]:
    """Return one job for each shard of captures of a source; CallError if nothing has been collected."""
    runs = collection.runs(workspace.captures(catalogue.load(name).source.name))
    return _plan_extraction(workspace, name, runs, learn_jobs(workspace, name, runs))


def _plan_extraction(
    workspace: Workspace, name: str, runs: Sequence[Run], lessons: Sequence[LearnJob]
) -> Iterator[ExtractJob]:
    definition = catalogue.load(name)
    source = definition.source
    if not runs:
        command = f"malmoi collect {shlex.quote(name)} --workspace {shlex.quote(str(workspace.root))}"
        raise CallError(f"{source.name}: nothing collected yet; run `{command}` first.")
    archived = tuple(sorted((file, row.record) for file, row in collection.licence_records(runs).items()))
    host_files = policy_files.read_latest(runs)
    code = _code_digest(name)
    # Host → its template, or the key of the job if it was not learned yet, so that no shard counts as finished.
    learned: dict[str, Template | str] = {}
    for lesson in lessons:
        try:
            text = checksummed_files.check(lesson.target).read_text(encoding="utf-8")
        except FileNotFoundError:
            learned[lesson.sample.host] = lesson.key
        else:
            if "none" not in json.loads(text):
                learned[lesson.sample.host] = Template.from_json(text)
    torn: tuple[str, ...] = tuple(runs[-1].facts.get("torn_records", ()))
    past = collection.history(runs)
    stood = earlier_shards.group_shards(workspace.shards("2-documents"))
    stones = (str(workspace.withdrawals), str(workspace.erasure_key))
    # Shards that were made under a tombstone are without its documents, so they are made again once it is revoked.
    revoked = [[one.kind, one.key, one.revoked] for one in tombstones.read(workspace.withdrawals) if one.revoked]
    for place, chunk in collection.cut_shards(runs):
        here = policy_files.select_for_hosts(host_files, (extraction.policy_url(source, row.url) for row in chunk))
        visits = tuple((row.url, past[row.url]) for row in chunk if row.url in past)
        hosts = sorted({host_templates.host_of(row.url) for row in chunk} & learned.keys()) if learned else []
        known = tuple(found for host in hosts if isinstance(found := learned[host], Template))
        job = extraction.Extraction(_locate_definition(name), archived, here, visits, known, stones)
        said = [[one.origin, one.kind, one.record] for one in here]
        digests = [f.digest if isinstance(f := learned[host], Template) else f for host in hosts]
        versions = extraction.reader_versions(digests)
        key = earlier_shards.make_key(
            digest([source.name, place])[:12],
            ["2-documents", code, archived, said, LIMITS, *([revoked] if revoked else [])],
            [[capture_key(row, past.get(row.url)) for row in chunk], torn],
            versions,
        )
        key, before = earlier_shards.find_extracted(workspace, key, versions, stood)
        yield ExtractJob(
            root=workspace.root,
            stage="2-documents",
            key=key,
            earlier=before,
            source=source.name,
            size=len(chunk),
            extraction=job,
            rows=tuple(chunk),
            torn=torn,
            readers=tuple(versions.items()),
        )
        torn = ()


def _locate_definition(name: str) -> str:
    """Return the name of a source of the catalogue, or the absolute path of a file: nodes work in other folders."""
    return str(Path(name).absolute()) if name.endswith(".py") else name


@dataclass(slots=True)
class Unread:
    """Documents of one source that could not be read, and the captures that they are of."""

    documents: int  # of the source, read or not
    reasons: Counter[str]
    captures: int = 0  # that hold documents
    lost: int = 0  # of those, captures that gave no document for this reason
    rows: int = 0  # of tables that were lost beyond one for each document in their place
    first: str = ""  # id of such a document
    said: list[str] = field(default_factory=list)  # the error of the first

    def describe(self, file: str, workspace: Workspace) -> str:
        """Say how many documents were lost and why, with the first error and the next step."""
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.reasons.most_common())
        number = f"{self.reasons.total():,} of {count_of(self.documents, 'document')}"
        why = ": ".join((self.first, *self.said)).removesuffix(".") + "."
        look = f" See it with `malmoi why {shlex.quote(str(workspace.root))} {shlex.quote(self.first)}`."
        look = "" if workspace.is_temporary else look
        return (
            f"{number} could not be read ({reasons}), first {why}{look} Repair the data or correct the functions of "
            f"{file}, and run again; error pages of an interface are for its trouble()."
        )


def find_unread(workspace: Workspace, ledgers: Sequence[Ledger]) -> Unread | None:
    """Return what of a source could not be read, from its shards of the first stage; None if all could."""
    entered, _, dropped, failed = total(ledgers)
    reasons = Counter({reason: count for (_, _, reason), count in dropped.items() if reason in REASONS and count})
    reasons.update(one.why for one in failed)
    if not reasons:
        return None
    found = Unread(entered.total(), reasons)
    for ledger in ledgers:
        folder = workspace.stage("2-documents", ledger.key)
        inputs = shard.read(folder / earlier_shards.NAME, ["input", "kept", "dropped"]).to_pylist()
        found.captures += sum(one["input"] is None or one["kept"] + one["dropped"] > 0 for one in inputs)
        has_lost = any(count and reason in REASONS for (_, _, reason), count in ledger.dropped.items())
        if not (has_lost or ledger.failed):
            continue
        rows = shard.read(folder / "dropped.parquet", ["id", "reason", "labels"]).to_pylist()
        lost = [row for row in rows if row["reason"] in REASONS]
        drops = iter(rows)
        for one in inputs:
            causes = [row["reason"] for row in islice(drops, one["dropped"])]
            is_lost = one["input"] is None or any(reason in REASONS for reason in causes)
            found.lost += is_lost and not one["kept"]
        for row in lost:
            more = next((int(one["value"]) - 1 for one in row["labels"] if one["name"] == ROWS), 0)
            found.rows += more
            found.documents += more
            found.reasons[row["reason"]] += more
        if lost and not found.first:
            found.first = lost[0]["id"]
            found.said = [one["value"] for one in lost[0]["labels"] if one["name"] == LABEL]
        elif ledger.failed and not found.first:
            found.first = ledger.failed[0].id
            found.said = [omit_message(ledger.failed[0].detail) or ledger.failed[0].why]
    return found


def is_refused(found: Unread, definition: Definition) -> bool:
    """Whether a source must stop: its own functions, or a folder, promise that its captures can be read.

    A site or an archive may hold anything; without functions of its own it promises nothing.
    """
    promises = (
        definition.items or definition.text or definition.evidence or isinstance(definition.source.access, Folder)
    )
    rows = found.rows > 0 and found.reasons.total() > MAX_SHARE * found.documents
    return bool(promises) and (rows or found.lost > MAX_SHARE * found.captures)
