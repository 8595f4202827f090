"""Deduplication index over published releases: one immutable segment a release, which later surveys read.

    surveys/index/<survey>/<release>/<version>-<root[:16]>/
        documents.parquet   a row for each document that the release is the first of its name to publish in this form:
                            the survey's columns, source, release, version; sorted by H(id), then id
        segment.json        the facts below

A segment is written before its release is published, and counts only while a release with its root exists:
a run that is killed between the two leaves a segment that is ignored. Malmoi no longer merges segments, but
reads those that earlier versions merged: such a segment names the segments that it replaces, which do not
count while it exists.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError, StageError
from malmoi.releases import manifest as manifests
from malmoi.storage import checksummed_files, shard
from malmoi.survey import Survey
from malmoi.workspace import Workspace

FORMAT = 1  # of segment.json and of the folder
FACTS = "segment.json"
ROWS = "documents.parquet"
ROOT = 16  # hex digits of the root in the name of a folder

# counts · unreleased: its release does not exist · merged: another segment contains it · other: of another version of
# the survey · broken: a file is missing or damaged
State: TypeAlias = Literal["counts", "unreleased", "merged", "other", "broken"]
Roots: TypeAlias = Mapping[tuple[str, str], str]  # (name, version) → root of each existing release


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
    told = [one if one.state != "counts" else _check_release(one, roots) for one in read]
    merged = {name: one.name for one in told if one.state == "counts" for name in one.readable_facts.replaces}
    told = [_mark_merged(one, merged) for one in told]
    return sorted(told, key=lambda one: (one.folder.parent.name, numbers(_parse_marks(one.name)[0]), one.folder.name))


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
    if (rows := _count(folder / ROWS)) != facts.documents:
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


def _count(path: Path) -> int | None:
    """Return the row count of a Parquet file from its footer, or None if it is missing or damaged."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _check_release(one: IndexSegment, roots: Roots) -> IndexSegment:
    """Mark a segment as unreleased unless its release, or one that was merged into it, exists with the same root."""
    facts = one.readable_facts
    standing = {(version, root[:ROOT]) for (name, version), root in roots.items() if name == facts.release}
    if standing & marks(one):
        return one
    other = roots.get((facts.release, facts.version))
    why = "has another root" if other else "does not exist: its run was stopped, or its folder is gone"
    return replace(one, state="unreleased", why=f"release {facts.release} {facts.version} {why}")


def _mark_merged(one: IndexSegment, merged: Mapping[str, str]) -> IndexSegment:
    if one.name not in merged or one.state != "counts":
        return one
    return replace(one, state="merged", why=f"merged into {merged[one.name]}; the next release of this name removes it")


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
        raise CallError(f"survey {survey.name!r} remembers, but its key is {survey.key!r}; a segment is keyed by id.")
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
