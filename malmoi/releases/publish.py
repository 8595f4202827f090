"""Publish a release: write data, audit tables, licences and manifest from kept documents, in that order."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import url_privacy
from malmoi.errors import StageError
from malmoi.ledger import describe_losses, find_sha256
from malmoi.licensing.review_decisions import Decision
from malmoi.licensing.rights_decision import RULES_VERSION
from malmoi.recipe import digest
from malmoi.release_files import data_files, is_data_file, morpheme_path
from malmoi.releases import (
    audit,
    cleared_finds,
    excluded_documents,
    kept_parts,
    licence_files,
    masked_ids,
    membership,
    partitioning,
    residual_pii,
)
from malmoi.releases import manifest as manifests
from malmoi.releases.audit import Refused, write_dropped_signals
from malmoi.releases.excluded_documents import ExclusionRules, LeftOut
from malmoi.releases.manifest import Manifest, ReleaseFile, merkle
from malmoi.releases.membership import Sketch
from malmoi.releases.partitioning import Partition, limit_shards
from malmoi.releases.published_rows import SIDES
from malmoi.releases.release_inputs import Inputs, Redact, SourceFacts, bind_phrases
from malmoi.releases.release_schema import DATA, MORPHEME_DATA, SCHEMA_VERSION
from malmoi.releases.residue import Look
from malmoi.releases.split import Assembly, Split, SplitResult, assemble, gather, split
from malmoi.releases.verification.row_checks import list_surrogates
from malmoi.releases.version_history import History, next_version
from malmoi.storage.duckdb_tables import find_repeated_ids
from malmoi.storage.shuffle import Run, name_task


def publish(
    inputs: Inputs,
    folder: Path,
    *,
    tmp: Path,
    run: Run = map,
    redact: Redact | None = None,
    history: History | None = None,
    quarantine: Path | None = None,
    sketch: Sketch | None = None,
) -> Manifest:
    """Write data/, morphemes/, audit/, LICENSE.md, LICENSES/ and manifest.json into the new folder `folder`.

    The bytes depend only on the documents and the declared facts, not on the order or the grouping
    of the stage shards. `run` executes the tasks; functions and their arguments are picklable.
    `redact` replaces personal data in strings that no filter has processed: titles, authors, URLs, quotes and
    places, declarations of sources, and the ids of unpublished documents. If the inputs have no version,
    `history` gives the next one. Documents that are withdrawn, that must not be published (such as with another licence
    than their evidence gives, or personal data in the id), in which the second detector finds personal data, or of
    which `verify` would state a fault, are excluded and counted; the list of finds and faults is written to
    `quarantine`. Finds that `inputs.cleared` clears exclude nothing.
    Documents keep the split that they have in the previous version. `sketch` sketches texts for the search of near
    copies; without it the release has no such sketches. Parts that `inputs.kept` has are reused: the bytes are the
    same.

    StageError if a shard is not finished, an id appears twice, or no document is left; DataError if the second
    detector finds such personal data in a text that belongs to no document, or in a document if the recipe asks to
    stop then.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StageError(f"{folder} is not empty; a release is never edited. Publish into a new folder.")
    counted = audit.ledgers(inputs)
    (inputs,) = run(_redact_inputs, [(inputs, redact)])
    residual_pii.refuse_facts(inputs)
    sought = excluded_documents.exclusion_rules(inputs.second_look, inputs.withdrawn)
    work = tmp / f"publish-{uuid.uuid4().hex}"
    work.mkdir(parents=True)
    try:
        last = inputs.stages[-1][1] if inputs.stages else ()
        copies, most = partitioning.clusters(inputs.clusters), limit_shards(inputs.shards)
        earlier = data_files(inputs.previous) if inputs.previous else []
        other = partitioning.write_exceptions(copies, sorted(last), earlier, inputs.splits, work / "splits.parquet")
        jobs = _list_splits(inputs, counted, work, other, redact, sought, sketch)
        parted = list(run(split, jobs))
        out = _collect_left_out(parted, quarantine)
        residual_pii.refuse_finds(inputs.second_look, out, quarantine)
        twice = find_repeated_ids([part.target / "attribution.parquet" for part in parted], tmp=work)[:3]
        if twice:
            raise StageError(
                f"the inputs hold more than one document with the id {', '.join(twice)}; ids are unique within a "
                "release. Two captures or items of a source have one key: correct `items` in its file, so that each "
                "has its own."
            )
        renamed = dict(chain.from_iterable(one.renamed for one in parted))
        pairs = masked_ids.rename_copies(copies, renamed)
        sizes = partitioning.write_sizes(pairs, work / "sizes", most)
        partitions = gather(parted, inputs.shard_bytes)
        if not partitions:
            ledgers = [*chain.from_iterable(found for _, found in counted), excluded_documents.ledger({}, out)]
            says = f"{inputs.name}: no document is left to publish ({describe_losses(ledgers) or 'none came in'})."
            if quarantine is not None and any(one.finds for one in out):
                says += f" {quarantine} lists what was found in which document."
            raise StageError(says)
        shards = [
            Assembly(p, parts, tuple(sizes[i] for i in range(p.shard, most, p.of) if i in sizes), folder)
            for p, parts in partitions.items()
        ]
        assembled = list(run(assemble, shards))
        files = [file for one in assembled for file in one.files]
        published = sum((Counter(dict(part.kept)) for part in parted), Counter[str]())
        counted = [*counted, (excluded_documents.STAGE, [excluded_documents.ledger(published, out)])]
        audits = _audit(inputs, counted, parted, pairs, redact, run, folder, work)
        sketches = {one.files[0].path: one.sketches for one in assembled} if sketch else None
        members, commitment = membership.write(folder, files, None, run, made=sketches)
        files += [*audits, *members]
        files.append(residual_pii.write(folder, files, inputs.second_look, run, _list_looks(parted, partitions)))
        if inputs.kept is not None:
            kept_parts.sweep(inputs.kept.folder, {part.target.name for part in parted})
    finally:
        rmtree(work, ignore_errors=True)
    licence_files.write(folder, (p.licence for p in partitions), inputs.publisher)
    files.sort()
    made = Manifest(
        name=inputs.name,
        version=inputs.version
        or next_version(
            history or History(), inputs.name, merkle(files), schema_version=SCHEMA_VERSION, n_shards=inputs.shards
        ),
        date=inputs.fetched_until,
        schema_version=SCHEMA_VERSION,
        purpose=inputs.purpose,
        recipe_name=inputs.recipe_name,
        recipe_digest=inputs.recipe_digest,
        recipe_filters=tuple(sorted(inputs.filters)),
        recipe_steps=inputs.recipe_steps,
        n_shards=inputs.shards,
        splits=inputs.splits,
        publisher=inputs.publisher,
        documents=sum(file.rows for file in files if is_data_file(file.path)),
        sources=tuple(sorted(inputs.sources, key=lambda source: source.name)),
        software=tuple(sorted(inputs.software)),
        files=tuple(files),
        rights_version=RULES_VERSION,
        members=commitment,
    )
    (folder / manifests.NAME).write_text(made.to_json(), encoding="utf-8")
    return made


def _list_splits(
    inputs: Inputs,
    counted: audit.Ledgers,
    work: Path,
    other: Path,
    redact: Redact | None,
    sought: ExclusionRules,
    sketch: Sketch | None,
) -> list[Split]:
    """Return the split of each shard of the last stage; its key has all that decides it beside the documents."""
    most = limit_shards(inputs.shards)
    key = _digest_rules(inputs, sought, [inputs.sources, inputs.splits, most, sketch is not None])
    folders, ledgers = sorted(inputs.stages[-1][1]) if inputs.stages else [], counted[-1][1] if counted else []
    surrogates = list_surrogates(inputs.recipe_steps)
    common = (most, inputs.sources, redact, sought, inputs.cleared, inputs.splits, other, sketch, key)
    jobs = []
    for number, (folder, ledger) in enumerate(zip(folders, ledgers, strict=True)):
        target = work / f"split-{number:06d}" if inputs.kept is None else inputs.kept.folder
        jobs.append(Split(folder, target, *common, find_sha256(ledger, "documents.parquet"), surrogates))
    return jobs


def _digest_rules(inputs: Inputs, sought: ExclusionRules, more: object) -> str:
    """Return the digest of what decides a result beside the files of its shard; "" if nothing is kept."""
    rules = [sorted(sought.kinds), sorted(sought.shown)]
    return "" if inputs.kept is None else digest([inputs.kept.code, inputs.recipe_steps, inputs.filters, rules, more])


def _list_looks(
    parted: list[SplitResult], partitions: Mapping[Partition, Sequence[tuple[Path, int]]]
) -> dict[str, list[Look]]:
    """Return the scans of all rows of the files in data/, morphemes/ and audit/ that hold the rows of the parts."""
    by_target = {part.target / "documents.arrow": part.looks for part in parted}
    found: dict[str, list[Look]] = {}
    for partition, parts in partitions.items():
        path = partition.path()
        looks = [look for file, i in parts for look in by_target[file][i]]
        found[path] = [look for look in looks if look.column.split(".")[0] in DATA.names]
        found[morpheme_path(path)] = [look for look in looks if look.column.split(".")[0] in MORPHEME_DATA.names]
    for name in audit.WITHOUT_DROPS:
        found[f"audit/{name}.parquet"] = [look for part in parted for look in dict(part.side_looks)[name]]
    return found


def _audit(
    inputs: Inputs,
    counted: audit.Ledgers,
    parted: list[SplitResult],
    pairs: pa.Table,
    redact: Redact | None,
    run: Run,
    folder: Path,
    work: Path,
) -> list[ReleaseFile]:
    """Write the audit tables except `residue`, with masked ids in all of them."""
    sought = excluded_documents.exclusion_rules(inputs.second_look, inputs.withdrawn)
    out = _collect_left_out(parted, None)
    stages = [folder for _, folders in inputs.stages for folder in sorted(folders)]
    shards = [ledger for _, ledgers in counted[: len(inputs.stages)] for ledger in ledgers]
    rules = _digest_rules(inputs, sought, sorted(sought.withdrawn))
    searches = [
        masked_ids.Search(path, redact, sought, digest([rules, sha256]) if rules and sha256 else "")
        for path, one in zip(stages, shards, strict=True)
        for sha256 in [find_sha256(one, "dropped.parquet")]
    ]
    dropped = masked_ids.search_all(
        searches, run, None if inputs.kept is None else inputs.kept.folder / "searches.json"
    )
    pages = {*chain.from_iterable(one.pages for one in dropped)}
    pages.update(one.id for one in out if one.why[1] in masked_ids.PAGES)
    hidden = {*chain.from_iterable(one.ids for one in dropped), *pages}
    hidden.update(one.id for one in out if one.why[1] in masked_ids.PERSONAL)
    failed = [f.id for _, ledgers in counted for ledger in ledgers for f in ledger.failed]
    # All other ids in the tables of copies are published or were dropped.
    earlier = pairs.filter(pc.not_equal(pairs["release"], ""))["keeper"].unique().to_pylist()
    hidden.update(masked_ids.find_withheld([*failed, *earlier], redact, sought))
    hidden.update(masked_ids.find_cluster_copies(pages, pairs, [p.target / "attribution.parquet" for p in parted]))
    names = masked_ids.mask_ids(hidden)
    drops = [
        Refused(folder, work / "refused" / f"{i:06d}.parquet", redact, names, sought.kinds)
        for i, (folder, one) in enumerate(zip(stages, dropped, strict=True))
        if one.has_signals
    ]
    left, said = excluded_documents.write(out, names, work / "left-out")
    sides = {name: [part.target / f"{name}.parquet" for part in parted] for name in SIDES}
    sides["signals"] += [*run(write_dropped_signals, drops), said]
    cleared = cleared_finds.make_table(chain.from_iterable(one.cleared for one in parted))
    copies = masked_ids.rename_copies(pairs, names)
    return audit.write(inputs, counted, sides, left, cleared, copies, names, folder, work)


def _collect_left_out(parted: list[SplitResult], quarantine: Path | None) -> list[LeftOut]:
    """Return all excluded documents, sorted by id, and write the quarantine list for the operator."""
    out = sorted((one for part in parted for one in part.out), key=lambda one: one.id)
    if quarantine is not None:
        excluded_documents.write_list(out, quarantine)
    return out


@name_task("redact declarations")
def _redact_inputs(work: tuple[Inputs, Redact | None]) -> Inputs:
    """Return the inputs with personal data replaced in the texts about recipe, sources and decisions."""
    inputs, redact = work

    def source(facts: SourceFacts) -> SourceFacts:
        by_name = dict.fromkeys(("title", "publisher"), bind_phrases(redact))
        by_name |= dict.fromkeys(("terms", "attribution", "note"), redact)
        told: dict[str, Any] = {name: url_privacy.redact_text(getattr(facts, name), by) for name, by in by_name.items()}
        return replace(facts, **told)

    def decision(made: Decision) -> Decision:
        reviewer, reason = (url_privacy.redact_text(words, redact) for words in (made.reviewer, made.reason))
        return replace(made, reviewer=reviewer, reason=reason)

    return replace(
        inputs,
        purpose=url_privacy.redact_text(inputs.purpose, redact),
        sources=tuple(map(source, inputs.sources)),
        cleared=tuple(map(decision, inputs.cleared)),
    )
