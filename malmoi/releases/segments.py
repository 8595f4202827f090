"""Deduplication index over published releases: one immutable segment a release, which later surveys read.

    surveys/index/<survey>/<release>/<version>-<root[:16]>/
        documents.parquet   a row for each document that the release is the first of its name to publish in this form:
                            the survey's columns, source, release, version; sorted by H(id), then id
        segment.json        the facts below

A segment is written before its release is published, and counts only while a release with its root exists:
a run that is killed between the two leaves a segment that is ignored. Its rows are shuffled through files, partitioned
by H(id): each task holds a few row groups, each partition a bounded number of rows, whatever the number of documents.

An erasure puts a segment without the rows in place of the segment that has them. The new folder names the old one in
`replaces`: from the moment it exists the old one does not count. A kill between the two steps leaves both; the next
purge removes the old one. Malmoi no longer merges segments, but reads those that earlier versions merged, which name
the segments that they replace in the same way.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError, StageError
from malmoi.ledger import digest_of
from malmoi.releases import manifest as manifests
from malmoi.releases.partitioning import h
from malmoi.storage import checksummed_files, shard
from malmoi.storage.shuffle import Run, name_task, read_piece, write_partitions
from malmoi.survey import Survey
from malmoi.url_privacy import is_digest_id
from malmoi.workspace import Workspace

FORMAT = 1  # of segment.json and of the folder
FACTS = "segment.json"
ROWS = "documents.parquet"
ROOT = 16  # hex digits of the root in the name of a folder
# counts · unreleased: its release does not exist · merged: another segment contains it · other: of another version of
# the survey · broken: a file is missing or damaged
State: TypeAlias = Literal["counts", "unreleased", "merged", "other", "broken"]
Roots: TypeAlias = Mapping[tuple[str, str], str]  # (name, version) → root of each existing release
AT_ONCE = 65_536  # rows of a partition, and of a task: about 40 MB of sketches with a signature
GROUP = 16_384  # rows of one row group: 9 MB, so that reading few rows stays cheap
PLAIN = ("id", "source", "release", "version")


@dataclass(frozen=True, slots=True)
class Facts:
    """The content of segment.json; names of segments are `<release>/<folder>`."""

    survey: str
    survey_version: int
    release: str
    version: str
    root: str  # Merkle root of the release
    documents: int  # rows
    inputs: str  # digest of the inputs of the survey: sketches, parameters, code
    read: tuple[str, ...]  # the segments that the survey read
    replaces: tuple[str, ...] = ()  # the segments that an earlier version of Malmoi merged into this one

    def to_json(self) -> str:
        """Return canonical JSON: equal facts give equal bytes."""
        return canonical_json({"format": FORMAT, **asdict(self)})

    @staticmethod
    def from_json(text: str) -> Facts:
        """Parse the JSON that `to_json` wrote; DataError if it is not valid."""
        try:
            value: dict[str, Any] = json.loads(text)
            if value["format"] != FORMAT:
                raise DataError(f"{FACTS} has format {value['format']}, this version reads {FORMAT}")
            given = {f.name: value[f.name] for f in fields(Facts)}
            lists = {name: tuple(given[name]) for name in ("read", "replaces")}
            return Facts(**{**given, **lists})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{FACTS} cannot be read ({type(error).__name__}: {error})") from error


@dataclass(frozen=True, slots=True)
class IndexSegment:
    """A segment on disk: its name, its facts if readable, whether it counts, and why not."""

    name: str
    folder: Path
    facts: Facts | None
    state: State = "counts"
    why: str = ""

    @property
    def readable_facts(self) -> Facts:
        """Return its facts; DataError if they cannot be read."""
        if self.facts is None:
            raise DataError(f"{self.folder}: {self.why}")
        return self.facts


def folder_of(workspace: Workspace, facts: Facts) -> Path:
    """Return the folder of the segment of a release."""
    return workspace.index(facts.survey) / facts.release / f"{facts.version}-{facts.root[:ROOT]}"


def read_release_roots(workspace: Workspace) -> Roots:
    """Return the root of each existing release; releases with an unreadable manifest are skipped."""
    roots = {}
    for folder in workspace.release_folders(manifests.NAME):
        try:
            made = manifests.read(folder)
        except DataError:
            continue
        roots[made.name, made.version] = made.root
    return roots


def find_segments(workspace: Workspace, survey: str, version: int | None, roots: Roots) -> list[IndexSegment]:
    """Return all segments of a survey, sorted by release, version, folder; `roots` are those of `read_release_roots`.

    Only those of `version`, the current version of the survey, count; None: no filter reads them any longer.
    """
    read = [_read_segment(folder, survey, version) for folder in workspace.segments(survey)]
    found = [one if one.state != "counts" else _check_release(one, roots) for one in read]
    merged = {name: one.name for one in found if one.state == "counts" for name in one.readable_facts.replaces}
    for number, one in enumerate(found):
        if one.state == "counts" and one.name in merged:
            why = f"merged into {merged[one.name]}; the next release of this name removes it"
            found[number] = replace(one, state="merged", why=why)
    return sorted(found, key=lambda one: (one.folder.parent.name, numbers(_parse_marks(one.name)[0]), one.folder.name))


def _read_segment(folder: Path, survey: str, version: int | None) -> IndexSegment:
    name = f"{folder.parent.name}/{folder.name}"
    try:
        facts = Facts.from_json((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DataError) as error:
        return IndexSegment(name, folder, None, "broken", str(error))
    for file in (FACTS, ROWS):
        try:
            checksummed_files.check(folder / file)
        except StageError:
            return IndexSegment(name, folder, facts, "broken", f"{file} is not what {checksummed_files.NAME} says")
    try:
        rows: int | None = int(pq.read_metadata(folder / ROWS).num_rows)
    except (OSError, pa.ArrowException):
        rows = None
    if rows != facts.documents:
        return IndexSegment(name, folder, facts, "broken", f"{ROWS} holds {rows} rows, {FACTS} says {facts.documents}")
    if (facts.survey, facts.release) != (survey, folder.parent.name):
        return IndexSegment(
            name, folder, facts, "broken", f"it belongs to {facts.survey} and {facts.release}, not here"
        )
    if facts.survey_version != version:
        today = f"the current version is {version}" if version else "no filter reads it"
        why = f"made by version {facts.survey_version} of the survey; {today}"
        return IndexSegment(name, folder, facts, "other", why)
    return IndexSegment(name, folder, facts)


def _check_release(one: IndexSegment, roots: Roots) -> IndexSegment:
    """Mark a segment as unreleased unless its release, or one that was merged into it, exists with the same root."""
    facts = one.readable_facts
    standing = {(version, root[:ROOT]) for (name, version), root in roots.items() if name == facts.release}
    if standing & marks(one):
        return one
    other = roots.get((facts.release, facts.version))
    why = "has another root" if other else "does not exist: its run was stopped, or its folder is gone"
    return replace(one, state="unreleased", why=f"release {facts.release} {facts.version} {why}")


def marks(one: IndexSegment) -> set[tuple[str, str]]:
    """Return version and start of the root of each release whose documents a segment holds."""
    return {_parse_marks(name) for name in one.readable_facts.replaces or (one.name,)}


def _parse_marks(name: str) -> tuple[str, str]:
    """Parse version and start of the root from the name of a segment.

    >>> _parse_marks("general/1.2.0-0123456789abcdef-aa00bb11")
    ('1.2.0', '0123456789abcdef')
    """
    version, _, rest = name.rpartition("/")[2].partition("-")
    return version, rest.partition("-")[0]


def select_counting(segments: Iterable[IndexSegment]) -> list[IndexSegment]:
    """Return the segments that count."""
    return [one for one in segments if one.state == "counts"]


def require_whole(segments: Sequence[IndexSegment]) -> Sequence[IndexSegment]:
    """Return the segments; StageError names a broken one: its documents would be published again."""
    for one in segments:
        if one.state == "broken":
            raise StageError(
                f"{one.folder}: {one.why}. Restore it from a copy; or delete the folder and continue without it: if it "
                "belongs to the latest release, the same run writes it anew."
            )
    return segments


def choose_segments(standing: Sequence[IndexSegment], release: str, earlier: str, inputs: str) -> list[IndexSegment]:
    """Return the segments that a survey reads; `standing` are those that count.

    If a release of this name was made from exactly these inputs, the survey reads the same segments again, and so
    is never compared with its own sketches. CallError for another `earlier` than same, all or none.
    """
    if earlier not in ("same", "all", "none"):
        raise CallError(f"earlier is {earlier!r}; choose one of same, all, none.")
    if earlier == "none":
        return []
    own = [one for one in standing if one.readable_facts.release == release]
    if again := [one for one in own if one.readable_facts.inputs == inputs]:
        read = resolve_names(again[-1].readable_facts.read, standing)
        if again[-1] not in read:  # else its inputs were merged with its own segment and cannot be separated
            return read
    return list(standing) if earlier == "all" else own


def resolve_names(names: Iterable[str], standing: Sequence[IndexSegment]) -> list[IndexSegment]:
    """Return the segments called `names`, or those into which they were merged."""
    wanted = set(names)
    return [one for one in standing if one.name in wanted or wanted & set(one.readable_facts.replaces)]


def find_ids(folder: Path, ids: Sequence[str]) -> tuple[str, ...]:
    """Return those of `ids` that a segment has, sorted."""
    if not ids:
        return ()
    column = shard.read(folder / ROWS, ["id"]).column("id")
    return tuple(sorted(set(column.filter(pc.is_in(column, pa.array(ids, pa.string()))).to_pylist())))


def schema_of(survey: Survey) -> pa.Schema:
    """Return the schema of documents.parquet.

    CallError if the key of the survey is not the id of a document.
    """
    if survey.key != "id":
        raise CallError(f"survey {survey.name!r}: `remembers=True` needs `key='id'`, not {survey.key!r}.")
    added = [
        pa.field(name, pa.string()) for name in ("source", "release", "version") if name not in survey.schema.names
    ]
    return pa.schema([*survey.schema, *added])


def sweep(workspace: Workspace, segments: Iterable[IndexSegment]) -> None:
    """Delete segments from the index: each is moved away atomically, then deleted."""
    for one in segments:
        with workspace.temporary_folder() as folder:
            one.folder.rename(folder / "segment")
            shutil.rmtree(folder / "segment", ignore_errors=True)


def leftovers(segments: Iterable[IndexSegment], release: str, roots: Roots) -> list[IndexSegment]:
    """Return the segments of a name that a stopped run left: merged ones, and those of a release never published.

    Such a release has a version above all existing ones, or exists with another root. One with a lower version was
    published once and its folder moved away; only the operator knows whether it comes back.
    """
    last = max((numbers(version) for name, version in roots if name == release), default=())

    def is_leftover(facts: Facts, state: State) -> bool:
        stopped = numbers(facts.version) > last or (release, facts.version) in roots
        return state == "merged" or (state == "unreleased" and stopped and not facts.replaces)

    return [one for one in segments if one.facts and one.facts.release == release and is_leftover(one.facts, one.state)]


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, for sorting; () if it is not a version."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


@dataclass(frozen=True, slots=True)
class Cut:
    """A task: some row groups of a Parquet file, and the output file, partitioned by H(id)."""

    path: Path
    groups: tuple[int, ...]
    columns: tuple[str, ...]
    parts: int
    target: Path


@name_task("partition files for the index")
def partition_file(work: Cut) -> Path:
    """Write the rows of a Cut, one record batch for each partition; return the file."""
    with pq.ParquetFile(work.path) as file:
        table = file.read_row_groups(list(work.groups), columns=list(work.columns)).select(work.columns)
    high = np.array([h(id) >> 32 for id in table.column("id").to_pylist()], dtype=np.uint64)
    # Ranges of H of equal width, so that partitions are in the order of H.
    numbers = ((high * np.uint64(work.parts)) >> np.uint64(32)).astype(np.int64)
    write_partitions(table, numbers, work.parts, work.target)
    return work.target


def write(
    folder: Path,
    survey: Survey,
    facts: Facts,
    *,
    sketches: Sequence[Path],
    data: Sequence[Path],
    earlier: Sequence[Path],
    work: Path,
    run: Run = map,
) -> None:
    """Write the segment of a release to `folder`: its documents, except those that earlier segments have unchanged.

    `sketches` are the survey's files, `data` the shards of the release, `earlier` the folders of the segments
    of the same name, oldest first: the newest row of an id counts. A document whose sketch differs from that
    row in any column is written again. StageError if a published document has no sketch.
    """
    own, schema = survey.schema, schema_of(survey)
    files = [*sketches, *(one / ROWS for one in earlier)]
    parts = 1 + sum(int(pq.read_metadata(path).num_rows) for path in files) // AT_ONCE
    public = pa.schema([("id", pa.string()), ("source", pa.string())])
    taken = _partition_files(sketches, own, parts, work / "sketches", run)
    published = _partition_files(data, public, parts, work / "published", run)
    held = [_partition_files([one / ROWS], own, parts, work / f"held-{i:04d}", run) for i, one in enumerate(earlier)]

    def select_new(part: int) -> pa.Table:
        table = _select_published(_rows(taken, part, own), _rows(published, part, public), facts)
        same = np.zeros(table.num_rows, dtype=bool)
        for one in held:
            _overrule(same, table, _rows(one, part, own))
        table = table.filter(pa.array(~same)).select(schema.names).cast(schema)
        ids = table.column("id").to_pylist()  # each once, in the order of H
        first = {id: row for row, id in reversed(list(enumerate(ids)))}.values()
        return table.take(pa.array(sorted(first, key=lambda row: (h(ids[row]), ids[row])), pa.int64()))

    # Row groups of GROUP, whatever the size of the partitions.
    total, waiting = 0, schema.empty_table()
    with _open_writer(folder, schema) as writer:
        for table in map(select_new, range(parts)):
            waiting = pa.concat_tables([waiting, table])
            total += table.num_rows
            whole = waiting.num_rows // GROUP * GROUP
            if whole:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=GROUP)
            waiting = waiting.slice(whole).combine_chunks()
        writer.write_table(waiting, row_group_size=GROUP)
    (folder / FACTS).write_text(replace(facts, documents=total).to_json(), encoding="utf-8")


def _partition_files(files: Sequence[Path], schema: pa.Schema, parts: int, work: Path, run: Run) -> list[Path]:
    cuts = []
    for number, path in enumerate(files):
        meta = pq.read_metadata(path)
        runs, rows = list[list[int]](), 0  # runs of row groups with at most AT_ONCE rows
        for group in range(meta.num_row_groups):
            size = meta.row_group(group).num_rows
            if not runs or rows + size > AT_ONCE:
                runs.append([])
                rows = 0
            runs[-1].append(group)
            rows += size
        for groups in runs:
            target = work / f"{number:06d}-{groups[0]:06d}.arrow"
            cuts.append(Cut(path, tuple(groups), tuple(schema.names), parts, target))
    return list(run(partition_file, cuts))


def _rows(files: Sequence[Path], part: int, schema: pa.Schema) -> pa.Table:
    tables = [pa.Table.from_batches([read_piece(path, part)]).cast(schema) for path in files]
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _select_published(sketches: pa.Table, published: pa.Table, facts: Facts) -> pa.Table:
    """Return the sketches of the published documents, each with its source and the release.

    A document that is published under a digest of its id is omitted: its sketch has the original id.
    """
    plain = [not is_digest_id(id) for id in published.column("id").to_pylist()]
    published = published.filter(pa.array(plain, pa.bool_()))
    missing = pc.is_null(pc.index_in(published.column("id"), sketches.column("id").unique()))
    if pc.any(missing).as_py():
        lost = published.column("id").filter(missing)
        raise StageError(
            f"release {facts.release} {facts.version}: {len(lost)} published documents have no sketch in the survey of "
            f"{facts.survey}, first {lost[0]}; no segment was written. Delete surveys/ except index/ and run again."
        )
    at = pc.index_in(sketches.column("id"), published.column("id"))
    known, at = sketches.filter(pc.is_valid(at)), at.drop_null()
    values = {
        "source": published.column("source").take(at),
        "release": pa.array([facts.release] * known.num_rows, pa.string()),
        "version": pa.array([facts.version] * known.num_rows, pa.string()),
    }
    for name, value in values.items():
        if name not in known.schema.names:
            known = known.append_column(name, value)
    return known


def _overrule(same: npt.NDArray[np.bool_], table: pa.Table, older: pa.Table) -> None:
    """Set `same` for each row whose id is in `older`: whether the two rows are equal. In place."""
    at = pc.index_in(table.column("id"), older.column("id"))
    known = np.asarray(pc.is_valid(at))
    if not known.any():
        return
    left, right = table.filter(pa.array(known)).select(older.schema.names), older.take(at.drop_null())
    equal = []
    for name in older.schema.names:
        a, b = left.column(name), right.column(name)
        equal.append(pc.or_(pc.fill_null(pc.equal(a, b), False), pc.and_(pc.is_null(a), pc.is_null(b))))
    same[known] = np.all([np.asarray(one) for one in equal], axis=0)


def _open_writer(folder: Path, schema: pa.Schema) -> pq.ParquetWriter:
    dictionary = [name for name in PLAIN if name != "id"]
    return pq.ParquetWriter(
        folder / ROWS,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=dictionary,
        write_statistics=list(PLAIN),
    )


def erase_rows(workspace: Workspace, is_erased: Callable[[str], bool]) -> tuple[int, list[str]]:
    """Erase the rows of documents from every segment, by id; return how many, and the damaged segments, which stay."""
    count, broken = 0, list[str]()
    for survey in workspace.index_names():
        found = find_segments(workspace, survey, None, read_release_roots(workspace))
        newer = {name for one in found if one.facts for name in one.facts.replaces}
        for one in found:
            if one.state == "broken":
                broken.append(f"{one.folder}: {one.why}; delete it, or restore it from a copy and erase again.")
                continue
            ids = shard.read(one.folder / ROWS, ["id"]).column("id").to_pylist()
            here = sorted(filter(is_erased, ids))
            if here and one.name not in newer:
                table = shard.read(one.folder / ROWS)
                table = table.filter(pc.invert(pc.is_in(table.column("id"), pa.array(here, pa.string()))))
                facts = one.readable_facts
                names = tuple(sorted({*facts.replaces, one.name}))
                facts = replace(facts, documents=table.num_rows, replaces=names)
                # `<version>-<root>-<digest>`, the form of the folder of a segment that replaces others
                version, _, rest = one.folder.name.partition("-")
                mark = digest_of({"facts": facts.to_json(), "of": one.folder.name})[:8]
                target = one.folder.with_name(f"{version}-{rest.partition('-')[0]}-{mark}")
                with workspace.temporary_folder() as born:
                    with _open_writer(born, table.schema.remove_metadata()) as writer:
                        writer.write_table(table.combine_chunks(), row_group_size=GROUP)
                    (born / FACTS).write_text(facts.to_json(), encoding="utf-8")
                    workspace.move_into_place(born, target)
            if here:
                sweep(workspace, [one])
                count += len(here)
    return count, broken
