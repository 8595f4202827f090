"""Kept documents → a release: data, audit tables, licences and manifest, in that order."""

from __future__ import annotations

import uuid
from dataclasses import replace
from itertools import chain
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import links, shard
from malmoi.errors import StageError
from malmoi.exchange import Run
from malmoi.ledger import File, describe_losses
from malmoi.releases import audit, copies, licences, second_look, withheld
from malmoi.releases import manifest as manifests
from malmoi.releases.assemble import Assembly, assemble, gather
from malmoi.releases.history import History, next_version
from malmoi.releases.inputs import Inputs, Redact, SourceFacts
from malmoi.releases.manifest import Manifest, ReleaseFile, merkle
from malmoi.releases.schema import AUDIT, SCHEMA_VERSION
from malmoi.releases.split import Parted, Refused, Split, refused, split
from malmoi.releases.spread import Partition
from malmoi.releases.withheld import Names
from malmoi.tables import repeated


def publish(
    inputs: Inputs,
    folder: Path,
    *,
    tmp: Path,
    run: Run = map,
    redact: Redact | None = None,
    history: History | None = None,
) -> Manifest:
    """Write data/, audit/, LICENSE.md, LICENSES/ and manifest.json into the new folder `folder`.

    The bytes depend on the documents and the declared facts alone, not on the order or the grouping
    of the stage shards. `run` carries out the tasks; functions and their arguments are picklable.
    `redact` takes personal data out of all that no filter has seen: titles, authors, addresses, quotes and
    places, what sources declare of themselves, and the ids of documents that are not published. Where
    the inputs name no version, `history` gives it.

    StageError where a shard is not finished, an id appears twice or carries personal data, a document
    has no proof of its licence, or nothing is left to publish; DataError where the second look finds
    what may not stand.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StageError(f"{folder} is not empty; a release is never edited. Publish into a new folder.")
    counted = audit.ledgers(inputs)
    inputs = _treated(inputs, redact)
    work = tmp / f"publish-{uuid.uuid4().hex}"
    work.mkdir(parents=True)
    try:
        last = inputs.stages[-1][1] if inputs.stages else ()
        jobs = [
            Split(path, work / f"split-{i:06d}", inputs.shards, inputs.sources, redact)
            for i, path in enumerate(sorted(last))
        ]
        parted = list(run(split, jobs))
        _refuse_repeated(parted, work)
        pairs = copies.clusters(inputs.clusters)
        sizes = copies.write_sizes(pairs, work / "sizes", inputs.shards)
        partitions = gather(parted)
        if not partitions:
            losses = describe_losses(ledger for _, ledgers in counted for ledger in ledgers)
            raise StageError(f"{inputs.name}: no document is left to publish ({losses or 'none came in'}).")
        shards = [Assembly(p, parts, sizes.get(p.shard), folder / p.path()) for p, parts in partitions.items()]
        files = [_data_file(p, f) for p, f in zip(partitions, run(assemble, shards), strict=True)]
        stages = [one for _, folders in inputs.stages for one in audit.taken_back(folders)]
        hidden = list(run(withheld.search, [withheld.Search(path, redact) for path, _ in stages]))
        names = _withheld(hidden, counted, pairs, redact)
        drops = [
            Refused(path, work / "refused" / f"{i:06d}.parquet", redact, back, {id: names[id] for id in hidden[i]})
            for i, (path, back) in enumerate(stages)
        ]
        signals = list(run(refused, drops))
        files += audit.write(inputs, counted, parted, signals, withheld.copies(pairs, names), names, folder, work)
        files.append(second_look.write(folder, files, inputs.second_look, run))
    finally:
        rmtree(work, ignore_errors=True)
    licences.write(folder, (p.licence for p in partitions))
    made = _manifest(inputs, tuple(sorted(files)), history)
    (folder / manifests.NAME).write_text(made.to_json(), encoding="utf-8")
    return made


def _treated(inputs: Inputs, redact: Redact | None) -> Inputs:
    """The inputs with what people wrote of recipe and sources as it may be published."""

    def source(facts: SourceFacts) -> SourceFacts:
        words = ("title", "publisher", "terms", "attribution", "note")
        told: dict[str, Any] = {name: links.treated(getattr(facts, name), redact) for name in words}
        return replace(facts, **told)

    return replace(inputs, purpose=links.treated(inputs.purpose, redact), sources=tuple(map(source, inputs.sources)))


def _withheld(dropped: list[tuple[str, ...]], counted: audit.Ledgers, pairs: pa.Table, redact: Redact | None) -> Names:
    """The names of all ids that carry personal data, whether dropped, failed or in a table of copies."""
    failed = [f.id for _, ledgers in counted for ledger in ledgers for f in ledger.failed]
    # All other ids in the tables of copies are published or were dropped.
    earlier = pairs.filter(pc.not_equal(pairs["release"], ""))["keeper"].unique().to_pylist()
    return withheld.names([*chain.from_iterable(dropped), *withheld.among([*failed, *earlier], redact)])


def _manifest(inputs: Inputs, files: tuple[ReleaseFile, ...], history: History | None) -> Manifest:
    version = inputs.version or next_version(
        history or History(), inputs.name, merkle(files), schema_version=SCHEMA_VERSION, n_shards=inputs.shards
    )
    return Manifest(
        name=inputs.name,
        version=version,
        date=inputs.fetched_until,
        schema_version=SCHEMA_VERSION,
        purpose=inputs.purpose,
        recipe_name=inputs.recipe_name,
        recipe_digest=inputs.recipe_digest,
        recipe_filters=tuple(sorted(inputs.filters)),
        n_shards=inputs.shards,
        documents=sum(f.rows for f in files if f.path.startswith("data/")),
        sources=tuple(sorted(inputs.sources, key=lambda s: s.name)),
        software=tuple(sorted(inputs.software)),
        files=files,
    )


def _refuse_repeated(parted: list[Parted], tmp: Path) -> None:
    paths = [p.target / "attribution.parquet" for p in parted]
    twice = _twice(paths, tmp)
    if twice:
        raise StageError(
            f"the inputs hold more than one document with the id {', '.join(twice)}; ids are unique within a release. "
            "Two captures or items of a source have one key: mend `items` in its file, so that each has its own."
        )


def _twice(paths: list[Path], tmp: Path) -> list[str]:
    """Ids that stand more than once: counted in Arrow where they are few, else by DuckDB, which spills."""
    if sum(path.stat().st_size for path in paths) > audit.SMALL:
        return repeated("id", paths, tmp=tmp)
    ids = [shard.read(path, ["id"]) for path in paths]
    counts = (
        pa.concat_tables([AUDIT["attribution"].empty_table().select(["id"]), *ids])
        .group_by("id")
        .aggregate([([], "count_all")])
    )
    return sorted(counts.filter(pc.greater(counts["count_all"], 1))["id"].to_pylist())[:3]


def _data_file(partition: Partition, file: File) -> ReleaseFile:
    return ReleaseFile(partition.path(), file.sha256, file.bytes, file.rows)
