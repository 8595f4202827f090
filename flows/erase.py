"""Erase documents: tombstones, a patch release without them, and withdrawn files in the earlier versions."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from flows import release as releases
from flows import release_index
from flows.purge import find_erased, purge, read_matching
from malmoi import erasure_plan
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Matcher, Tombstone
from malmoi.erasure_plan import ErasurePlan
from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.releases import masked_ids, patch_release, segments
from malmoi.releases import version_history as histories
from malmoi.releases.manifest import Manifest
from malmoi.releases.patch_release import Erasure
from malmoi.releases.release_schema import SCHEMA_VERSION
from malmoi.releases.verification.sha256sums import NAME as SUMS
from malmoi.releases.version_history import point_latest, put_version
from malmoi.storage import shard
from malmoi.storage.on_demand import fetch_below
from malmoi.url_privacy import digest_id
from malmoi.workspace import Workspace, push

ALIKE = 0.8  # estimated Jaccard similarity from which a published document is listed as a copy


@dataclass(frozen=True, slots=True, order=True)
class Copy:
    """A recorded near-duplicate of an erased document; `where` says which record names it."""

    id: str
    of: str
    similarity: float
    where: str


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of an erasure: documents, tombstones and files."""

    name: str
    version: str  # of the patch release; "" without one
    latest: str  # the version that it patches
    documents: tuple[str, ...]  # ids in the latest version
    others: tuple[str, ...]  # ids of stages and earlier versions alone
    copies: tuple[Copy, ...]
    taken: bool  # whether the copies were erased too
    added: int  # tombstones
    files: tuple[str, ...] = ()  # with new bytes in the patch release
    withdrawn: tuple[tuple[str, int], ...] = ()  # (version, files deleted from it)
    elsewhere: tuple[str, ...] = ()  # "name version" of other releases that have one of the documents
    purged: str = ""


def find_release(workspace: Workspace, name: str) -> tuple[Path, Manifest]:
    """Find the latest version of a release by its name, `name/version` or folder.

    CallError without one, or if documents changed since the version that is named, other than by erasures.
    """
    folders = {(made.name, made.version): folder for folder, made in _list_releases(workspace)}
    by_path = {folder.resolve(): key for key, folder in folders.items()}
    head, _, version = name.partition("/")
    asked = by_path.get(Path(name).resolve(), (head, version))
    last = releases.read_history(workspace).latest(asked[0])
    if last is None or (asked[1] and asked not in folders):
        known = ", ".join(sorted({known for known, _ in folders})) or "none"
        raise CallError(f"{workspace.root} has no release {name!r}; it has: {known}. Name one of them.")
    if asked[1] and histories.is_changed(asked[1], last.version):
        raise CallError(
            f"{asked[0]} {asked[1]} is not the latest version, {last.version}. Name {asked[0]}: the patch is made of "
            "the latest version, and all earlier ones lose the documents too."
        )
    folder = folders[asked[0], last.version]
    made = manifests.read(folder)
    if made.schema_version != SCHEMA_VERSION:
        raise CallError(
            f"{folder} has schema {made.schema_version}, this version writes {SCHEMA_VERSION}. Release again with this "
            "version, then erase: the earlier versions lose the documents too."
        )
    return folder, made


def erase(
    workspace: Workspace, name: str, given: Sequence[Tombstone], key: bytes, *, copies: bool = False, dry: bool = False
) -> Erased:
    """Erase what `given` and the tombstones of the workspace cover from the release `name` and its earlier versions.

    `copies` takes the recorded near-duplicates along. `dry` finds and counts, and writes nothing. CallError if nothing
    of the workspace matches `given`: then nothing was written. A run that is stopped continues with the next call, or
    by `resume`.
    """
    plan = _plan(workspace, name, given, key, copies)
    if dry:
        return plan.done
    tombstones.list_new(workspace.withdrawals, plan.stones)  # refuses what `add` would refuse
    asked = ErasurePlan(plan.made.name, plan.made.version, copies, tuple(map(asdict, given)))
    erasure_plan.write(workspace.erasure_plan, asked)
    push(workspace.erasure_plan)
    done = replace(plan.done, added=len(tombstones.add(workspace.withdrawals, plan.stones)))
    with ThreadPoolExecutor(1) as pool:  # nothing is purged before the patch is published
        staged = pool.submit(find_erased, workspace, plan.matcher)
        if (erasure := plan.found[plan.base]) and plan.made.documents > len(erasure.documents):
            done = _publish_patch(workspace, plan.base, plan.made, erasure, done)
        else:  # a run that was killed may have published the patch, and no more
            point_latest(plan.base.parent)
        histories.write(workspace.release_history, releases.read_history(workspace))
    latest = done.version or ("" if erasure else plan.made.version)
    lost = {
        folder.name: len(patch_release.withdraw_files(folder, manifests.read(folder), one, latest, _today()))
        for folder, one in plan.found.items()
    }
    withdrawn = tuple((version, n) for version, n in lost.items() if n)
    purged = purge(workspace, plan.matcher, erased=staged.result())
    os.sync()  # else a power cut may bring back what was deleted
    push(workspace.root)
    workspace.erasure_plan.unlink()
    return replace(done, withdrawn=withdrawn, purged=purged.describe())


def resume(workspace: Workspace) -> Erased:
    """Continue the erasure that was stopped; the caller holds the lock. CallError if it cannot be continued."""
    plan = erasure_plan.read(workspace.erasure_plan)
    assert plan is not None  # the caller has found it
    fetch_below(workspace.root)  # whatever names a document is searched
    try:
        given = [Tombstone(**one) for one in plan.tombstones]  # type: ignore[arg-type]
        return erase(workspace, plan.release, given, _load_key(workspace, given), copies=plan.copies)
    except (CallError, TypeError) as error:
        raise CallError(
            f"{workspace.erasure_plan}: this erasure was stopped, and cannot be continued: {error}"
        ) from error


@dataclass(frozen=True, slots=True)
class _Plan:
    """The steps of an erasure: the latest version, the tombstones, and what each version holds."""

    base: Path
    made: Manifest
    stones: tuple[Tombstone, ...]
    matcher: Matcher
    found: dict[Path, Erasure]
    done: Erased


def _plan(workspace: Workspace, name: str, given: Sequence[Tombstone], key: bytes, copies: bool) -> _Plan:
    base, made = find_release(workspace, name)
    known, asked = tombstones.read(workspace.withdrawals), Matcher(given, key)
    # Extracted documents: their published address and text may differ.
    staged = {one.id for one in read_matching(workspace, asked, ("2-documents",)) if one.stone}
    here = {*patch_release.find_erasure(base, made, asked).ids, *staged}
    stones = [*given, *_cover(sorted(here), given)]
    alike = list_copies(workspace, base, here)
    if copies:
        stones += _cover(sorted({copy.id for copy in alike}), stones)
    matcher = Matcher([*known, *stones], key or _load_key(workspace, known))
    versions = [(folder, one) for folder, one in _list_releases(workspace) if one.name == made.name]
    found = {folder: patch_release.find_erasure(folder, one, matcher) for folder, one in versions}
    documents = tuple(sorted(found[base].ids))
    others = {*staged, *(id for one in found.values() for id in one.ids)} - set(documents)
    hidden = {id for one in found.values() for id in one.hidden}
    # CallError if no document was found, or not one that `given` names by its id.
    in_effect = {(one.kind, one.key) for one in known if not one.revoked}
    new, names = [one for one in given if (one.kind, one.key) not in in_effect], {*others, *hidden}
    names |= set(map(digest_id, names))
    if unknown := [one for one in new if not names or (one.kind == "id" and one.key not in names)]:
        raise CallError(
            f"no release of {made.name} and no stage of {workspace.root} has a document that matches "
            f"{unknown[0].describe()}; nothing was written. An id is written source/key, as in the column `id` of "
            "data/. To record what may come later, use `malmoi withdrawals import`."
        )
    ids = {one.key for one in matcher.tombstones if one.kind == "id"}
    ids |= {digest_id(id) for id in ids}
    history, elsewhere = releases.read_history(workspace), []  # other releases whose latest version names a document
    for folder, one in _list_releases(workspace):
        last = history.latest(one.name)
        is_other = one.name != made.name and last is not None and last.version == one.version
        if is_other and patch_release.list_naming(folder, one, ids):
            elsewhere.append(f"{one.name} {one.version}")
    done = Erased(
        made.name, "", made.version, documents, tuple(sorted(others)), tuple(alike), copies, 0,
        elsewhere=tuple(elsewhere),
    )  # fmt: skip
    return _Plan(base, made, tuple(stones), matcher, found, done)


def list_copies(workspace: Workspace, base: Path, ids: Collection[str]) -> list[Copy]:
    """List the near-duplicates of `ids`, by the release in `base`, the index and the tables of the workspace."""
    found: dict[str, Copy] = {}
    for row in masked_ids.select_clusters(patch_release.read_audit(base, "clusters"), ids).to_pylist():
        for id, of in ((row["member"], row["keeper"]), (row["keeper"], row["member"])):
            found.setdefault(id, Copy(id, of, row["similarity"], "audit/clusters"))
    if ids and workspace.index_names():
        for of, copies in release_index.find_copies_of_documents(workspace, sorted(ids), ALIKE).items():
            for one in copies:
                found.setdefault(one.id, Copy(one.id, of, one.similarity, f"{one.release} {one.version}"))
    for id in sorted(ids):
        for member, keeper, _, share in release_index.find_cluster_pairs(workspace, id):
            copy = member if keeper == id else keeper
            found.setdefault(copy, Copy(copy, id, share, "this workspace"))
    return sorted(one for id, one in found.items() if id not in ids and "/[withheld " not in id)


def _cover(ids: Iterable[str], stones: Sequence[Tombstone]) -> list[Tombstone]:
    """Return tombstones of the documents `ids` that have none, with the words of the first in `stones`."""
    have = {one.key for one in stones if one.kind == "id"}
    have |= {digest_id(id) for id in have}
    return [replace(stones[0], kind="id", key=id) for id in ids if id not in have and digest_id(id) not in have]


def _publish_patch(workspace: Workspace, base: Path, made: Manifest, erasure: Erasure, done: Erased) -> Erased:
    """Write, verify and publish the patch release; its index segments are written first."""
    with workspace.temporary_folder() as folder:
        patch = patch_release.write_patch(base, made, erasure, folder)
        version = histories.next_version(
            releases.read_history(workspace), made.name, manifests.merkle(patch.files),
            schema_version=made.schema_version, n_shards=made.n_shards, change="erasure",
        )  # fmt: skip
        new = patch_release.describe_patch(made, patch, version)
        (folder / manifests.NAME).write_text(new.to_json(), encoding="utf-8")
        patch_release.write_proof(folder, made, new, erasure, patch, _today())
        releases.seal_release(folder, patch.list_unchanged(), before=base)
        target = workspace.releases(made.name) / version
        if target.exists():
            raise CallError(f"{target} exists and is not a Malmoi release; move it away. Nothing was overwritten.")
        # Each index segment of the release before gets one without rows for the patch, which publishes nothing for the
        # first time: without it the patch would count as a release that the index does not know.
        before = [one for name in workspace.index_names() for one in segments.find_segments(workspace, name, None, {})]
        for one in before:
            of = (made.name, made.version, made.root)
            if one.facts and (one.facts.release, one.facts.version, one.facts.root) == of:
                facts = replace(one.facts, version=new.version, root=new.root, documents=0, replaces=())
                with workspace.temporary_folder() as born:
                    shard.write(pq.read_schema(one.folder / segments.ROWS).empty_table(), born / segments.ROWS)
                    (born / segments.FACTS).write_text(facts.to_json(), encoding="utf-8")
                    workspace.move_into_place(born, segments.folder_of(workspace, facts))
        put_version(workspace, folder, target)
    files = tuple(after.path for _, after in patch.changed if after)
    return replace(done, version=version, files=files)


def _list_releases(workspace: Workspace) -> Iterator[tuple[Path, Manifest]]:
    for folder in workspace.release_folders(SUMS):
        try:
            yield folder, manifests.read(folder)
        except DataError as error:
            raise CallError(f"{folder}: {error} Run malmoi verify on it; move it away or restore it.") from error


def _load_key(workspace: Workspace, known: Sequence[Tombstone]) -> bytes:
    """Return the key of the workspace if a tombstone in effect needs it."""
    has_values = any(one.kind == "value" and not one.revoked for one in known)
    return tombstones.read_key(workspace.erasure_key) if has_values else b""


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
