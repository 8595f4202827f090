"""The index: what each published release leaves to later surveys, as one immutable segment.

    surveys/index/<survey>/<release>/<version>-<root[:16]>/
        documents.parquet   a row for each document that the release is the first of its name to publish so:
                            the survey's columns, source, release, version; sorted by H(id), then id
        segment.json        the facts below

A segment is written before its release stands, and counts only while a release with its root stands:
a run that is killed between the two leaves a segment that nobody sees. Malmoi merges no segments any more,
but reads those that an earlier version of it merged: such a segment names those that it replaces, which stop
counting while it stands.
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

from malmoi.errors import CallError, DataError, StageError
from malmoi.releases import manifest as manifests
from malmoi.storage import checksummed_files, shard
from malmoi.storage.canonical_json import canonical_json
from malmoi.survey import Survey
from malmoi.workspace import Workspace

FORMAT = 1  # of segment.json and of the folder
FACTS = "segment.json"
ROWS = "documents.parquet"
ROOT = 16  # hex digits of the root in the name of a folder

# counts · unreleased: its release does not stand · merged: another segment holds it · other: of another version of the
# survey · broken: a file is missing or says something else
State: TypeAlias = Literal["counts", "unreleased", "merged", "other", "broken"]
Roots: TypeAlias = Mapping[tuple[str, str], str]  # (name, version) → root of each release that stands


@dataclass(frozen=True, slots=True)
class Facts:
    """What segment.json says; names of segments are `<release>/<folder>`."""

    survey: str
    survey_version: int
    release: str
    version: str
    root: str  # Merkle root of the release
    documents: int  # rows
    inputs: str  # digest of what the survey was taken of: sketches, parameters, code
    read: tuple[str, ...]  # the segments that the survey read
    replaces: tuple[str, ...] = ()  # the segments that an earlier version of Malmoi merged into this one

    def to_json(self) -> str:
        """Canonical JSON: equal facts give equal bytes."""
        return canonical_json({"format": FORMAT, **asdict(self)})

    @staticmethod
    def from_json(text: str) -> Facts:
        """The facts that `to_json` wrote; DataError where they are none."""
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
    """A segment on disk: its name, its facts where they can be read, whether it counts, and why not."""

    name: str
    folder: Path
    facts: Facts | None
    state: State = "counts"
    why: str = ""

    @property
    def readable_facts(self) -> Facts:
        """Its facts; DataError where they cannot be read."""
        if self.facts is None:
            raise DataError(f"{self.folder}: {self.why}")
        return self.facts


def folder_of(workspace: Workspace, facts: Facts) -> Path:
    """Where the segment of a release stands."""
    return workspace.index(facts.survey) / facts.release / f"{facts.version}-{facts.root[:ROOT]}"


def read_release_roots(workspace: Workspace) -> Roots:
    """The root of each release that stands; one whose manifest cannot be read does not."""
    roots = {}
    for folder in workspace.release_folders(manifests.NAME):
        try:
            made = manifests.read(folder)
        except DataError:
            continue
        roots[made.name, made.version] = made.root
    return roots


def find_segments(workspace: Workspace, survey: str, version: int | None, roots: Roots) -> list[IndexSegment]:
    """All segments of a survey, sorted by release, version, folder; `roots` are those of `read_release_roots`.

    Only those of `version`, the survey's of today, count; where it is None no filter reads them any more.
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
            name, folder, facts, "broken", f"it is of {facts.survey} and {facts.release}: not its place"
        )
    if facts.survey_version != version:
        today = f"that of today is {version}" if version else "no filter of today reads it"
        why = f"made by version {facts.survey_version} of the survey; {today}"
        return IndexSegment(name, folder, facts, "other", why)
    return IndexSegment(name, folder, facts)


def _count(path: Path) -> int | None:
    """The rows of a Parquet file by its footer; None where it is missing or torn."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _check_release(one: IndexSegment, roots: Roots) -> IndexSegment:
    """Whether the release of a segment, or of one that was merged into it, stands with the root in its name."""
    facts = one.readable_facts
    standing = {(version, root[:ROOT]) for (name, version), root in roots.items() if name == facts.release}
    if standing & marks(one):
        return one
    other = roots.get((facts.release, facts.version))
    why = "stands with another root" if other else "does not stand: its run was stopped, or its folder is gone"
    return replace(one, state="unreleased", why=f"release {facts.release} {facts.version} {why}")


def _mark_merged(one: IndexSegment, merged: Mapping[str, str]) -> IndexSegment:
    if one.name not in merged or one.state != "counts":
        return one
    return replace(one, state="merged", why=f"merged into {merged[one.name]}; the next release of this name removes it")


def marks(one: IndexSegment) -> set[tuple[str, str]]:
    """Version and start of the root of each release whose documents a segment holds."""
    return {_parse_marks(name) for name in one.readable_facts.replaces or (one.name,)}


def _parse_marks(name: str) -> tuple[str, str]:
    """Version and start of the root, off the name of a segment.

    >>> _parse_marks("general/1.2.0-0123456789abcdef-aa00bb11")
    ('1.2.0', '0123456789abcdef')
    """
    version, _, rest = name.rpartition("/")[2].partition("-")
    return version, rest.partition("-")[0]


def select_counting(segments: Iterable[IndexSegment]) -> list[IndexSegment]:
    """Those that count."""
    return [one for one in segments if one.state == "counts"]


def require_whole(segments: Sequence[IndexSegment]) -> Sequence[IndexSegment]:
    """The segments, if none of them is broken; StageError names one that is: what it held would come in again."""
    for one in segments:
        if one.state == "broken":
            raise StageError(
                f"{one.folder}: {one.why}. Restore it from a copy; or delete the folder and go on without it: if it is "
                "that of the latest release, the same run leaves it anew."
            )
    return segments


def choose_segments(standing: Sequence[IndexSegment], release: str, earlier: str, inputs: str) -> list[IndexSegment]:
    """The segments that a survey reads; `standing` are those that count.

    Where a release of this name was made from just these inputs, it reads what that one read, and so
    never meets its own sketches. CallError for another `earlier` than same, all or none.
    """
    if earlier not in ("same", "all", "none"):
        raise CallError(f"earlier is {earlier!r}; choose one of same, all, none.")
    if earlier == "none":
        return []
    own = [one for one in standing if one.readable_facts.release == release]
    if again := [one for one in own if one.readable_facts.inputs == inputs]:
        read = resolve_names(again[-1].readable_facts.read, standing)
        if again[-1] not in read:  # else what it read was merged with what it left, and nothing tells them apart
            return read
    return list(standing) if earlier == "all" else own


def resolve_names(names: Iterable[str], standing: Sequence[IndexSegment]) -> list[IndexSegment]:
    """The segments that hold what `names` held: themselves, or what they were merged into."""
    wanted = set(names)
    return [one for one in standing if one.name in wanted or wanted & set(one.readable_facts.replaces)]


def find_ids(folder: Path, ids: Sequence[str]) -> tuple[str, ...]:
    """Which of `ids` a segment has a row of, sorted."""
    if not ids:
        return ()
    column = shard.read(folder / ROWS, ["id"]).column("id")
    return tuple(sorted(set(column.filter(pc.is_in(column, pa.array(ids, pa.string()))).to_pylist())))


def schema_of(survey: Survey) -> pa.Schema:
    """The columns of documents.parquet.

    CallError where the survey is not keyed by the id of a document.
    """
    if survey.key != "id":
        raise CallError(f"survey {survey.name!r} remembers, but its key is {survey.key!r}; a segment is keyed by id.")
    added = [
        pa.field(name, pa.string()) for name in ("source", "release", "version") if name not in survey.schema.names
    ]
    return pa.schema([*survey.schema, *added])


def sweep(workspace: Workspace, segments: Iterable[IndexSegment]) -> None:
    """Take segments out of the index: moved away at once, then deleted."""
    for one in segments:
        with workspace.temporary_folder() as folder:
            one.folder.rename(folder / "segment")
            shutil.rmtree(folder / "segment", ignore_errors=True)


def leftovers(segments: Iterable[IndexSegment], release: str, roots: Roots) -> list[IndexSegment]:
    """The segments of a name that a stopped run left: merged ones, and those of a release that never stood.

    Such a release would be above all that stand, or stands with another root. One below was published once and its
    folder moved away; only a person knows whether it comes back.
    """
    last = max((numbers(version) for name, version in roots if name == release), default=())

    def is_leftover(facts: Facts, state: State) -> bool:
        stopped = numbers(facts.version) > last or (release, facts.version) in roots
        return state == "merged" or (state == "unreleased" and stopped and not facts.replaces)

    return [one for one in segments if one.facts and one.facts.release == release and is_leftover(one.facts, one.state)]


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to be put in order; () where it is none."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
