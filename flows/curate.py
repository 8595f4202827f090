"""Curate: captures → documents → clean → judged → curated; each stage maps over shards and resumes."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from crawlers import catalogue, host_templates
from crawlers import extract as extraction
from crawlers.catalogue import Definition
from crawlers.formats.html.host_template import Template
from crawlers.formats.registry import HTML
from crawlers.rights import policy_files
from crawlers.source_errors import LABEL, ROWS, UNREADABLE_CAPTURE, UNREADABLE_TABLE, omit_message
from flows.engine import earlier_shards, run_surveys
from flows.engine.earlier_shards import find_latest, make_key, place_of
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.engine.run_surveys import Slice
from flows.engine.shard_jobs import (
    EntryChanges,
    ExtractJob,
    Job,
    LearnJob,
    Renamed,
    WalkJob,
    capture_key,
    extract,
    learn,
    observe_batches,
    walk_shard,
)
from flows.plurals import count_of
from malmoi import recipe as recipes
from malmoi.archive import collection
from malmoi.archive.collection import Run
from malmoi.document import Document
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Matcher
from malmoi.errors import CallError, SourceError
from malmoi.ledger import Ledger, total
from malmoi.licensing import review_file
from malmoi.licensing.review_decisions import CLEAR, Decision
from malmoi.processes.fork_server import memory_bytes
from malmoi.processes.workers import CPU_SECONDS
from malmoi.recipe import Recipe, StageName, Step, digest
from malmoi.source import Folder
from malmoi.storage import checksummed_files, shard, shard_facts
from malmoi.storage.duckdb_tables import find_repeated_ids
from malmoi.storage.shard import SCHEMA_VERSION
from malmoi.workspace import Workspace
from malmoi.workspace_layout import MATCHES, Stage

REASONS = (UNREADABLE_TABLE, UNREADABLE_CAPTURE)
MAX_SHARE = 0.5  # of the captures that hold documents; above it the source, not its captures, is at fault
LIMITS = (CPU_SECONDS, memory_bytes())  # part of every key: failed documents are tried again when they change
RIGHTS = "rights"  # the filter that takes decisions of persons
MATCHED = 4096  # documents that are Python objects at a time, while they are compared with tombstones
FOLDER_OF: dict[StageName, Stage] = {"clean": "3-clean", "judged": "4-judged", "curated": "5-curated"}


J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True)
class Curated:
    """The result of curation: the finished shards of each stage, in order, and the tables of copies."""

    stages: tuple[tuple[Stage, tuple[Ledger, ...]], ...]
    tables: tuple[Path, ...]  # of the surveys of copies
    read: tuple[tuple[str, tuple[Ledger, ...]], ...] = ()  # source as given → its shards of the first stage

    def ledgers(self, stage: Stage) -> tuple[Ledger, ...]:
        """The ledgers of one stage."""
        return dict(self.stages)[stage]

    @property
    def summary(self) -> str:
        """Return in one line how many of the extracted documents are kept."""
        extracted, kept = total(self.ledgers("2-documents"))[1], total(self.ledgers("5-curated"))[1]
        return f"{kept.total():,} of {count_of(extracted.total(), 'document')} kept"


def curate(workspace: Workspace, recipe: Recipe, sources: Sequence[str], mapper: Mapper, progress: Progress) -> Curated:
    """Bring every stage up to date with the captures of `sources`; finished shards are not touched."""
    progress.costs = workspace.costs
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


def walk_job(
    workspace: Workspace,
    stage: Stage,
    before: Stage,
    ledger: Ledger,
    steps: tuple[Step, ...],
    slices: Mapping[str, tuple[Slice, ...]],
    changes: EntryChanges,
    known: Mapping[str, Sequence[str]],
) -> WalkJob:
    """Return the job that runs the shard behind `ledger` through `stage`; its key covers all that it depends on.

    `changes` are the documents that are dropped before the first filter (`find_withdrawn`), and those that repeat the
    id of another one; `known` are the finished shards of the stage (`earlier_shards.group_shards`).
    """
    pieces = slices.get(ledger.key, ())
    seen = [[name, content_digest] for name, _, content_digest in pieces]
    code = [stage, recipes.slice_digest(steps), SCHEMA_VERSION, LIMITS]
    documents = next(file.sha256 for file in ledger.files if file.name == "documents.parquet")
    content = [documents, seen, list(changes.withdrawn), *map(list, changes.renamed)]
    key = make_key(place_of(ledger.key), code, content)
    return WalkJob(
        root=workspace.root,
        stage=stage,
        key=key,
        earlier=find_latest(workspace.stage(stage, ""), key, known),
        source="+".join(ledger.entered),
        size=sum(ledger.kept.values()),
        before=workspace.stage(before, ledger.key),
        steps=steps,
        slices=tuple((name, path) for name, path, _ in pieces),
        changes=changes,
    )


def add_decisions(steps: tuple[Step, ...], ledger: Ledger, made: Sequence[Decision]) -> tuple[Step, ...]:
    """Return the steps with those decisions of persons that are about the sources of a shard, for the rights filter.

    They enter the key of the shard: a decision that is made or revoked changes the shards of its source, and no others.
    """
    mine = (one for one in made if one.source in ledger.entered and not one.revoked and one.verdict != CLEAR)
    found = sorted(mine, key=lambda one: one.id)
    added = (("decisions", tuple(found)),) if found else ()
    return tuple(replace(step, params=(*step.params, *added)) if step.filter == RIGHTS else step for step in steps)


def find_withdrawn(workspace: Workspace, stage: Stage, ledgers: Sequence[Ledger]) -> dict[str, tuple[str, ...]]:
    """Find the withdrawn documents of each shard of `stage`: key of the ledger → ids, sorted.

    Only what matches enters the key of the next shard: other tombstones change nothing.
    """
    matcher = tombstones.read_matcher(workspace.withdrawals, workspace.erasure_key)
    found = {}
    for ledger in ledgers if matcher else ():
        may = matcher.may_match(source for source, n in ledger.kept.items() if n)
        here = recall_matching(workspace.stage(stage, ledger.key) / "documents.parquet", matcher) if may else ()
        if here:
            found[ledger.key] = here
    return found


def recall_matching(path: Path, matcher: Matcher) -> tuple[str, ...]:
    """Return what `find_matching` returns; what it found in texts is kept beside the file for the same tombstones.

    A file that is damaged or of other tombstones is written again.
    """
    if not matcher.reads_texts:
        return find_matching(path, matcher)
    found = shard_facts.recall(
        path.with_name(MATCHES), matcher.spell_keys(), lambda: list(find_matching(path, matcher))
    )
    return tuple(found)


def find_matching(path: Path, matcher: Matcher) -> tuple[str, ...]:
    """Return the ids of the documents in a stage file that match a tombstone, sorted; texts are read only if needed."""
    names = ["id", *(["url"] if matcher.reads_addresses else []), *(["text"] if matcher.reads_texts else [])]
    names += ["title", "author"] if matcher.has_values else []
    found = set[str]()
    for batch in shard.read(path, names).to_batches(MATCHED):
        for row in batch.to_pylist():
            one = matcher.find(row["id"], row.get("url", ""), row.get("text", ""))
            if one or (matcher.has_values and any(matcher.find_value(row[name]) for name in ("title", "author"))):
                found.add(row["id"])
    return tuple(sorted(found))


def rename_repeated(
    workspace: Workspace, ledgers: Sequence[Ledger], withdrawn: Mapping[str, Collection[str]], progress: Progress
) -> dict[str, Renamed]:
    """Return the new ids of the documents of stage 2-documents that repeat one: key of the ledger → rows.

    An interface whose pages move while they are read shows an entry twice: two captures then yield one key. The
    document of the latest capture keeps the id. The others are copies or revisions, which deduplication judges. Ids in
    `withdrawn` (by the same key) stay, so that all of their documents are dropped.
    """
    files = {one.key: workspace.stage("2-documents", one.key) / "documents.parquet" for one in ledgers if one.kept}
    if not files:
        return {}
    repeated = set(find_repeated_ids(list(files.values()), tmp=workspace.tmp)).difference(*withdrawn.values())
    if not repeated:
        return {}
    met: dict[str, list[tuple[str, str, str, int]]] = defaultdict(list)  # id → (fetched, record, shard, row)
    for key, file in files.items():
        table = shard.read(file, ["id", "fetched", "record"])
        rows = pc.indices_nonzero(pc.is_in(table["id"], pa.array(sorted(repeated), pa.string())))
        for row, one in zip(rows.to_pylist(), table.take(rows).to_pylist(), strict=True):
            met[one["id"]].append((one["fetched"], one["record"], key, row))
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for id, places in met.items():
        seen: Counter[str] = Counter()
        for _, record, key, row in sorted(places)[:-1]:
            mark = hashlib.sha256(record.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            seen[mark] += 1
            found[key].append((row, f"{id}#again-{mark}" + (f"-{seen[mark]}" if seen[mark] > 1 else "")))
    number = sum(map(len, met.values())) - len(met)
    progress.say(
        f"  {count_of(number, 'document')} repeat the id of another, first {min(met)}: one entry in two captures, or "
        "keys of `items` that are not unique. The latest capture keeps the id"
    )
    return {key: tuple(sorted(rows)) for key, rows in found.items()}


def ensure_shards(
    workspace: Workspace,
    stage: Stage,
    jobs: Sequence[J],
    call: Callable[[J], Ledger],
    mapper: Mapper,
    progress: Progress,
) -> tuple[Ledger, ...]:
    """Return the ledgers of all jobs, in order; run only the jobs whose shard does not exist yet."""
    standing = {job.key: ledger for job in jobs if (ledger := workspace.ledger(stage, job.key)) is not None}
    missing = list({job.key: job for job in jobs if job.key not in standing}.values())
    with progress.stage(stage, len(jobs), standing=len(jobs) - len(missing)) as step:
        step.expected = sum(job.size for job in missing)
        with observe_batches(step.count_batch):
            for ledger in mapper(call, missing, step.ledger):
                standing[ledger.key] = ledger
        ledgers = tuple(standing[job.key] for job in jobs)
        step.total(ledgers)
    return ledgers


def read_ends(workspace: Workspace, curated: Curated) -> Iterator[tuple[Document, Document, str, str]]:
    """Yield each document as extracted, as it ended, and the filter and the reason that dropped it ("" if kept).

    The filter is "failed" for a document that a stage could not process.
    """
    ended = {doc.id: (doc, by, reason) for doc, by, reason in _read_stages(workspace, curated.stages, "dropped")}
    ended |= {doc.id: (doc, "", "") for doc, _, _ in _read_stages(workspace, curated.stages[-1:], "documents")}
    for doc, _, _ in _read_stages(workspace, curated.stages[:1], "documents", "dropped"):
        yield doc, *ended.get(doc.id, (doc, "failed", ""))


def _read_stages(
    workspace: Workspace, stages: Sequence[tuple[Stage, tuple[Ledger, ...]]], *names: str
) -> Iterator[tuple[Document, str, str]]:
    """Yield the documents in the files `names` of these stages, with filter and reason of a drop, else "" and ""."""
    for stage, ledgers in stages:
        for path in (workspace.stage(stage, ledger.key) / f"{name}.parquet" for ledger in ledgers for name in names):
            table = shard.read(path)
            docs = shard.to_documents(table.select(shard.DOCUMENTS.names))
            none = [""] * table.num_rows
            columns = (table[name].to_pylist() if name in table.column_names else none for name in ("by", "reason"))
            yield from zip(docs, *columns, strict=True)
