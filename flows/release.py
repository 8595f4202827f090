"""Release: publish curated documents as an immutable folder with manifest and card, after verifying it."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as installed
from itertools import chain
from pathlib import Path
from shutil import rmtree

import pyarrow as pa
import pyarrow.compute as pc

import data_cards
from crawlers import catalogue
from crawlers.rights import policy_files
from filters.duplicates.index_lookup import sketch_texts
from filters.redact import make_redactor
from flows import release_index
from flows.curate import Curated, recall_matching
from flows.engine import costs, run_surveys
from flows.engine.clusters import make_runner, read_software
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.plurals import count_of
from flows.reports.side_by_side import make_visible
from malmoi import __version__
from malmoi.ablation import parse_result
from malmoi.archive import collection
from malmoi.canonical_json import canonical_json
from malmoi.erasure import tombstones
from malmoi.errors import CallError, DataError, StageError
from malmoi.ledger import Ledger, describe_losses, total
from malmoi.licensing import review_file
from malmoi.publisher import Publisher
from malmoi.recipe import Recipe, digest
from malmoi.release_files import data_files
from malmoi.releases import changelog, excluded_documents
from malmoi.releases import manifest as manifests
from malmoi.releases import version_history as histories
from malmoi.releases.cleared_finds import select_decisions
from malmoi.releases.expectation_checks import Outcome, measure
from malmoi.releases.kept_parts import Kept
from malmoi.releases.patch_release import is_repeated
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs, PolicyAnswer, SourceFacts
from malmoi.releases.release_schema import SCHEMA_VERSION
from malmoi.releases.residual_pii import refuse_texts
from malmoi.releases.residue import DETECTOR, outcomes
from malmoi.releases.sampling import read_last
from malmoi.releases.sampling.inspection import read_inspection
from malmoi.releases.sampling.wrong_grants import read_sample
from malmoi.releases.verification.sha256sums import NAME as SUMS
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import CARD, find_damage, verify
from malmoi.releases.version_history import Entry, History, point_latest, put_version
from malmoi.storage import shard
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.location import describe_place
from malmoi.storage.on_demand import fetch_below, renew
from malmoi.storage.shard import sha256_of
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Layout, Stage

VERSION = r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}"  # to be matched in full
# Packages whose version changes the bytes of a release; the manifest names them.
SOFTWARE = ("pyarrow", "trafilatura", "lxml", "kiwipiepy", "kiwipiepy_model", "datasketch", "numpy", "pygal")
CHECK, RELEASE = "check.json", "release"  # in the folder of a release that was rejected
# Values of institutions that a recipe may keep, and the kinds of personal data that they belong to.
OFFICIAL = {
    "desk-line": ("phone",),
    "role-mailbox": ("email",),
    "company-number": ("brn", "crn"),
    "office-address": ("address", "postcode"),
}
ALIKE = 0.8  # estimated Jaccard similarity from which a document is listed as a near-duplicate of a withdrawn one
QUARANTINED = "quarantined: "  # how the note about quarantined documents begins
SHOWN = 10  # near-duplicates listed


@dataclass(frozen=True, slots=True)
class Released:
    """A published release."""

    name: str
    version: str
    folder: Path
    root: str
    documents: int
    new: bool  # False: the same data was released before, and nothing was written
    notes: tuple[str, ...] = ()  # what was left out, and what to check
    changes: str = ""  # since the version before, of a new version that is not the first

    @property
    def summary(self) -> str:
        """Return in one line what was released, what changed and how much is quarantined, or that nothing is new."""
        left = (note.partition("\n")[0] for note in self.notes if note.startswith(QUARANTINED))
        return " · ".join(filter(None, (self._head, self.changes, *left, f"root {self.root}")))

    def says(self) -> str:
        """Return a few lines for the operator."""
        return "\n  ".join(filter(None, (self._head, self.changes, str(self.folder), f"root {self.root}", *self.notes)))

    @property
    def _head(self) -> str:
        what = "released and verified" if self.new else "nothing new; this release is current"
        return f"{self.name} {self.version}: {what}, {count_of(self.documents, 'document')}"


def release(
    workspace: Workspace,
    recipe: Recipe,
    sources: Sequence[str],
    curated: Curated,
    mapper: Mapper,
    progress: Progress,
    *,
    version: str = "",
) -> Released:
    """Publish the kept documents: an atomic write, so the folder appears complete and verified, or not at all.

    Raises CallError if `version` is not higher than all releases, StageError if no document is left to publish,
    DataError if the release fails an expectation of the recipe: then it is kept aside.
    """
    history = read_history(workspace)
    refuse_version(recipe.name, version, history)
    if not total(curated.ledgers("5-curated"))[1]:
        raise StageError(describe_nothing_left(workspace, recipe.name, curated))
    last = history.latest(recipe.name)
    inputs = replace(
        _gather_inputs(workspace, recipe, sources, curated, version),
        previous=workspace.releases(recipe.name) / last.version if last else None,
    )
    if inputs.previous is not None:
        fetch_below(inputs.previous)
        if (damage := find_damage(inputs.previous)) and renew(inputs.previous):
            damage = find_damage(inputs.previous)
        if damage:
            raise DataError(
                f"{describe_place(inputs.previous)}: {damage[0].path}: {damage[0].says} "
                f"({count_of(len(damage), 'finding')}). The release is damaged. Restore its files from a copy of it, "
                "such as a place to which it was published; or move the folder (of a bucket: its objects) away and run "
                "again: the version is made anew, with what was collected since."
            )
    noted = _read_release_inputs(workspace)
    if last and not version and noted.get(recipe.name) == [last.version, _inputs_digest(inputs)]:  # it would repeat it
        folder = workspace.releases(recipe.name) / last.version
        run_surveys.write_segments(workspace, recipe, curated.stages, folder, make_runner(mapper))
        point_latest(folder.parent)
        documents, notes = manifests.read(folder).documents, list_notes(workspace, recipe.name, folder)
        return Released(recipe.name, last.version, folder, last.root, documents, new=False, notes=notes)
    inputs = replace(inputs, kept=Kept(workspace.release_parts(recipe.name), digest(read_software())))
    progress.costs = workspace.costs
    with progress.stage("6-release", 0) as step, workspace.temporary_folder() as folder:
        manifest = publish(
            inputs,
            folder,
            tmp=workspace.tmp,
            run=make_runner(mapper),
            redact=make_redactor(recipe),
            history=history,
            quarantine=workspace.quarantine(recipe.name),
            sketch=sketch_texts,
        )
        new = bool(version) or inputs.previous is None or not is_repeated(folder, inputs.previous)
        number, root = (manifest.version, manifest.root) if new or last is None else (last.version, last.root)
        target = workspace.releases(recipe.name) / number
        if new:
            seal_release(folder, before=inputs.previous)
            require_expectations(workspace, recipe, folder, number)
            if target.exists():
                raise CallError(f"{target} exists and is not a Malmoi release; move it away. Nothing was overwritten.")
        run_surveys.write_segments(workspace, recipe, curated.stages, folder if new else target, make_runner(mapper))
        if new:  # after its segment: a segment without a release is inactive, a release without one is missing there
            put_version(workspace, folder, target)
        else:
            point_latest(target.parent)
        step.says = f"{count_of(manifest.documents, 'document')} · {recipe.name} {number}"
    histories.write(workspace.release_history, read_history(workspace))
    noted = {**_read_release_inputs(workspace), recipe.name: [number, _inputs_digest(inputs)]}
    replace_file(workspace.inputs_record, canonical_json(noted))
    notes = list_notes(workspace, recipe.name, target)
    changes = changelog.describe_last(target) if new else ""
    if new:
        size = json.loads((target / CARD).read_text(encoding="utf-8"))["numbers"]["characters"]["value"]
        told = {"name": recipe.name, "version": number, "root": root, "characters": int(size)}
        costs.write(workspace, told, curated.stages)
    return Released(recipe.name, number, target, root, manifest.documents, new, notes, changes)


def list_notes(workspace: Workspace, name: str, folder: Path) -> tuple[str, ...]:
    """List what to check in the release `name` in `folder`, one line each."""
    notes = list(note_publisher(manifests.read(folder).publisher))
    if note := describe_quarantine(workspace, name):
        notes.append(
            f"{note}\n"
            f"    {workspace.quarantine(name)} lists why, with every value masked;\n"
            f"    `malmoi review finds --workspace {workspace.root}` shows it, `malmoi why {workspace.root} ID` the\n"
            f"    history of a document. If what {DETECTOR}, the second detector, finds is personal data, correct the\n"
            "    rule that missed it, in filters/pii_rules; if not, clear it with `malmoi review clear`; run again.\n"
            "    Of an `unverified` document `malmoi verify` would state a fault: correct its source, or report it."
        )
    copies = copies_of_withdrawn(workspace, folder)
    for copy, id, similarity in copies[:SHOWN]:
        notes.append(
            f"contains a near-duplicate of a withdrawn document: {copy}, similarity {similarity:.3f} to {id}. "
            "If it has the withdrawn content, withdraw it too."
        )
    if len(copies) > SHOWN:
        notes.append(f"… and {len(copies) - SHOWN:,} more near-duplicates of withdrawn documents")
    return tuple(notes)


def note_publisher(publisher: Publisher) -> Iterator[str]:
    """Yield a note if the recipe leaves name or contact of the publisher out.

    >>> list(note_publisher(Publisher(name="A", contact="a@example.org")))
    []
    """
    missing = [key for key in ("name", "contact") if not getattr(publisher, key)]
    if missing:
        what = f"{missing[0]} of the publisher" if len(missing) == 1 else "publisher"
        yield (
            f"the recipe has no {what}; the card says so to readers and rights holders.\n"
            "    Add [publisher] with name and contact to a recipe of your own (docs/recipes.md), for the next version."
        )


def describe_quarantine(layout: Layout, name: str) -> str:
    """Return in a line how many documents the latest attempt at the release `name` quarantined, and why; "" if none."""
    n, kinds = excluded_documents.summarise_list(layout.quarantine(name))
    found = ", ".join(f"{kind} in {documents:,}" for kind, documents in kinds.items())
    return f"{QUARANTINED}{count_of(n, 'document')} ({found}), not in the release; its card counts them" if n else ""


def copies_of_withdrawn(workspace: Workspace, folder: Path) -> list[tuple[str, str, float]]:
    """Return (document of the release in `folder`, withdrawn document, similarity) of near-duplicates in the index."""
    if not (ids := tombstones.read_ids(workspace.withdrawals)):
        return []
    found = release_index.find_copies_of_documents(workspace, ids, ALIKE)
    alike = pa.array(sorted({copy.id for copies in found.values() for copy in copies}), pa.string())
    here: set[str] = set()
    for path in data_files(folder) if len(alike) else ():
        column = shard.read(path, ["id"]).column("id")
        here.update(column.filter(pc.is_in(column, alike)).to_pylist())
    return sorted({(c.id, id, c.similarity) for id, copies in found.items() for c in copies if c.id in here})


def describe_nothing_left(workspace: Workspace, name: str, curated: Curated) -> str:
    """Describe why a release would be empty: the reasons of all stages with counts, and what to do next."""
    ledgers = list(chain.from_iterable(found for _, found in curated.stages))
    probed = " ".join(shlex.quote(source) for source, _ in curated.read)
    entered = total(curated.ledgers("2-documents"))[0].total()
    if not entered:
        captures = ", ".join(source for source, _ in curated.read)
        return (
            f"recipe {name}: no document is left to publish, because extraction gave none ({captures}). "
            f"`malmoi sources probe {probed}` says why, and `malmoi status --workspace "
            f"{shlex.quote(str(workspace.root))}` what was collected."
        )
    says = f"recipe {name}: no document is left to publish of {entered:,}: {describe_losses(ledgers)}."
    missed: dict[str, Counter[str]] = {}  # source → reason → addresses of its last collection without a page
    for source, _ in curated.read:
        runs = collection.list_runs(workspace.captures(catalogue.load(source).source.name))
        facts = collection.read_facts(runs[-1]) if runs else {}
        lost = Counter(facts.get("failed_by", {})) + Counter(facts.get("blocked_by", {}))
        lost.pop("links-unread", None)  # a page that came
        if lost:
            missed[source] = lost
    if sum(lost.total() for lost in missed.values()) > entered:  # then the stages are not the main cause
        from crawlers.fetch.failures import advise_on_missed  # it imports Scrapy

        whole = ", ".join(
            f"{source} {', '.join(f'{reason} {count:,}' for reason, count in lost.most_common())}"
            for source, lost in missed.items()
        )
        says = (
            f"recipe {name}: no document is left to publish, because most addresses gave no page when they were "
            f"collected ({whole}). {advise_on_missed(sum(missed.values(), Counter()))} Of the {entered:,} collected: "
            f"{describe_losses(ledgers)}."
        )
    if any(by == "rights" for ledger in ledgers for _, by, _ in ledger.dropped):
        says += f" `malmoi sources probe {probed}` says why a licence is not granted."
    return f"{says} {look}" if (look := suggest_next_look(workspace, curated.stages)) else says


def suggest_next_look(workspace: Workspace, stages: Iterable[tuple[Stage, Sequence[Ledger]]]) -> str:
    """Return the command that shows a dropped document of the stage that dropped most; "" if none was dropped."""
    most = max(
        ((sum(ledger.dropped.values()), stage, ledger) for stage, ledgers in stages for ledger in ledgers),
        key=lambda row: row[0],
        default=None,
    )
    if most is None or most[0] <= 0:
        return ""
    _, stage, ledger = most
    ids = shard.read(workspace.stage(stage, ledger.key) / "dropped.parquet", ["id"])["id"]
    command = f"malmoi why {shlex.quote(str(workspace.root))} {shlex.quote(make_visible(ids[0].as_py()))}"
    return f"See how one of them was dropped: {command}"


def require_expectations(workspace: Workspace, recipe: Recipe, folder: Path, version: str) -> None:
    """Return if the sealed release in `folder` fulfils the expectations of `recipe`; else move it aside.

    DataError says which expectation is not met and where the release is kept. A release that was rejected before with
    the same data is replaced.
    """
    outcomes = measure(folder, recipe.expect, recipe.review)
    if not (unmet := [one for one in outcomes if not one.met]):
        return
    root = manifests.read(folder).root
    target = workspace.rejections(recipe.name) / f"{version}-{root[:16]}"
    with workspace.temporary_folder() as whole:
        folder.rename(whole / RELEASE)
        expectations = [asdict(one) for one in outcomes]
        check = {"recipe": recipe.name, "version": version, "root": root, "met": False, "expectations": expectations}
        (whole / CHECK).write_text(canonical_json(check), encoding="utf-8")
        if target.exists():
            rmtree(target)
        workspace.move_into_place(whole, target)
    raise DataError(
        f"{recipe.name} {version} was not published: {summarise_unmet(unmet, len(outcomes))}. It is kept in "
        f"{target / RELEASE}, and {CHECK} beside it lists every measure. Correct sources or filters, or the table "
        "[expect] of the recipe, and run again."
    )


def summarise_unmet(unmet: Sequence[Outcome], n: int) -> str:
    """Return how many of `n` expectations are not met, and what was measured."""
    verb = "is" if len(unmet) == 1 else "are"
    return f"{len(unmet)} of {count_of(n, 'expectation')} {verb} not met ({'; '.join(one.says() for one in unmet)})"


def _read_release_inputs(workspace: Workspace) -> dict[str, list[str]]:
    """Read the latest version of each name and the digest of its inputs; it only saves work, so it may be missing."""
    try:
        found = json.loads(workspace.inputs_record.read_text(encoding="utf-8"))
        return {name: [str(version), str(inputs)] for name, (version, inputs) in found.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _inputs_digest(inputs: Inputs) -> str:
    """Return the digest of all that decides the release; the keys of stage folders and tables are part of it."""
    places = [[stage, sorted(folder.name for folder in folders)] for stage, folders in inputs.stages]
    tables = sorted(path.parent.name for path in inputs.clusters)
    facts = replace(inputs, stages=(), clusters=(), version="")
    return digest([str(facts), places, tables, data_cards.FACTS_VERSION, SCHEMA_VERSION, DETECTOR])


def seal_release(folder: Path, unchanged: Mapping[str, str] | None = None, *, before: Path | None = None) -> None:
    """Write changelog, card and checksums, and verify the release before it is visible.

    `before` is the release before, if there is one. `unchanged` maps files that are those of that release to their
    sha256; only queries read them again.
    """
    data_cards.write(folder, changelog.write(folder, before) if before else None)
    refuse_texts(folder)
    seal(folder, unchanged)
    # Card and residual check were made from these files just before.
    if found := verify(folder, again=False, unchanged=unchanged or ()):
        first = f"{found[0].check}, {found[0].path}: {found[0].says}"
        raise DataError(
            f"the new release does not verify ({first}); nothing was published. Run the same command again; "
            "if it says the same, report this line as a fault of Malmoi."
        )


def refuse_version(name: str, version: str, history: History) -> None:
    """Raise CallError if the requested version is not MAJOR.MINOR.PATCH, or not higher than all releases."""
    last = history.latest(name)
    if not version:
        return
    if not re.fullmatch(VERSION, version):
        raise CallError(f"version {version!r} is not MAJOR.MINOR.PATCH; write three numbers, such as 1.0.0.")
    if last is not None and _parse_version(version) <= _parse_version(last.version):
        raise CallError(
            f"version {version} cannot be made: {name} {last.version} is released, and a release is never edited. "
            "Leave --version out, or raise it."
        )


def describe_replaced(workspace: Workspace, name: str, sources: Sequence[str]) -> str:
    """Return how many documents of the latest version belong to sources that a call does not name; "" if none does."""
    if (last := read_history(workspace).latest(name)) is None:
        return ""
    folder = workspace.releases(name) / last.version
    named = {catalogue.load(given).source.name for given in sources}
    if {one.name for one in manifests.read(folder).sources} <= named:
        return ""
    try:
        table = json.loads((folder / CARD).read_text(encoding="utf-8"))["tables"]["by_source"]
        rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        counts = {row["name"]: int(row["documents"]) for row in rows if row["documents"] and row["name"] not in named}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CallError(f"{folder}: {error} Run malmoi verify on it; move it away or restore it.") from error
    if not counts:
        return ""
    of = ", ".join(f"{source} {count:,}" for source, count in sorted(counts.items()))
    return (
        f"{name} {last.version} holds {count_of(sum(counts.values()), 'document')} of sources that this call does not "
        f"name ({of}); the next version would be without them"
    )


def refuse_replacement(workspace: Workspace, name: str, sources: Sequence[str], *, replace: bool) -> None:
    """Raise CallError if the next version would lose the documents of sources that a call does not name."""
    if not replace and (lost := describe_replaced(workspace, name, sources)):
        raise CallError(
            f"{lost}. Nothing was started. Name these sources too, or publish without them: set `replace` (--replace)."
        )


def _parse_version(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def read_history(workspace: Workspace) -> History:
    """Read the history of all releases from their folders, which are written atomically."""
    history = History()
    for folder in workspace.release_folders(SUMS):
        try:
            made = manifests.read(folder)
            entry = Entry(made.version, made.root, sha256_of(folder / SUMS), made.schema_version, made.n_shards)
        except DataError as error:
            raise DataError(f"{folder}: {error} Run malmoi verify on it; move it away or restore it.") from error
        history = history.add(made.name, entry)
    return history


def _kinds_to_replace(recipe: Recipe) -> frozenset[str]:
    """Return the kinds of personal data that the recipe replaces everywhere.

    Empty if it does not redact. Kinds that it does not mark, that it keeps, or that institutions may keep, are
    excluded. The reserved values that redaction inserts are not findings of the second detector.
    """
    steps = {step.filter: dict(step.params) for _, found in recipe.steps for step in found}
    if not {"personal_data", "redact"} <= steps.keys():
        return frozenset()
    stay = {kind for kind, action in steps["redact"].get("actions", ()) if action == "keep"}
    stay.update(*(OFFICIAL[name] for name in steps["personal_data"].get("keep_official", ())))
    return frozenset(steps["personal_data"]["kinds"]) - stay


def _gather_inputs(
    workspace: Workspace, recipe: Recipe, sources: Sequence[str], curated: Curated, version: str
) -> Inputs:
    facts, policies, fetched = [], list[PolicyAnswer](), ""
    for name in sources:
        source = catalogue.load(name).source
        facts.append(
            SourceFacts(
                name=source.name,
                title=source.title,
                publisher=source.publisher,
                access=type(source.access).__name__,
                licences=tuple(sorted({c.licence for c in source.claim})),
                register=source.register,
                domain=source.domain,
                terms=f"{source.terms.verdict} ({source.terms.date}, {source.terms.url})" if source.terms else "",
                attribution=source.attribution,
                note=source.note,
            )
        )
        answers = policy_files.list_answers(collection.runs(workspace.captures(source.name)))
        policies += [PolicyAnswer(source.name, *answer) for answer in answers]
        fetched = max(fetched, collection.summarise(workspace.captures(source.name)).fetched)
    # Ids that a release must not contain: as recorded, and of curated documents that match a tombstone otherwise.
    withdrawn = set(tombstones.read_ids(workspace.withdrawals))
    matcher = tombstones.read_matcher(workspace.withdrawals, workspace.erasure_key)
    for ledger in curated.ledgers("5-curated") if matcher else ():
        if matcher.may_match(source for source, n in ledger.kept.items() if n):
            withdrawn.update(recall_matching(workspace.stage("5-curated", ledger.key) / "documents.parquet", matcher))
    return Inputs(
        name=recipe.name,
        version=version,
        purpose=recipe.purpose,
        recipe_name=recipe.name,
        recipe_digest=recipe.digest(),
        shards=recipe.shards,
        splits=recipe.splits,
        publisher=recipe.publisher,
        sample=read_sample(workspace, recipe.name),
        inspection=read_inspection(workspace, recipe.name),
        ablation=read_last(workspace.ablations(recipe.name), parse_result, "run malmoi ablate"),
        stages=tuple(
            (stage, tuple(workspace.stage(stage, ledger.key) for ledger in ledgers))
            for stage, ledgers in curated.stages
        ),
        clusters=curated.tables,
        filters=tuple((step.filter, step.version) for _, steps in recipe.steps for step in steps),
        recipe_steps=recipe.spell_steps(),
        second_look=outcomes(_kinds_to_replace(recipe), recipe.residue),
        cleared=select_decisions(review_file.read(workspace.reviews), {one.name for one in facts}),
        withdrawn=tuple(sorted(withdrawn)),
        sources=tuple(facts),
        policies=tuple(policies),
        software=(("malmoi", __version__), *((package, installed(package)) for package in SOFTWARE)),
        fetched_until=fetched,
    )
