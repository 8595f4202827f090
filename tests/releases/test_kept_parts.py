"""A release that reuses the parts of the version before has the bytes of one that is made from nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.duplicates.index_lookup import sketch_texts
from flows import purge
from malmoi.apply import Dropped
from malmoi.document import Document, Verdict
from malmoi.releases import kept_parts, masked_ids, residue
from malmoi.releases import split as splitting
from malmoi.releases.kept_parts import Kept
from malmoi.releases.partitioning import COPIES
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.residue import KINDS, outcomes
from malmoi.workspace import Workspace
from tests.builders.small_release import document, inputs, stage

STEPS = 5  # versions in a sequence
RESIDENT = "주민등록번호는 860824-1655068이다."  # the second detector quarantines the document
PHONE = "010-2345-6789"  # it reports this one


def hide(text: str, **_: Any) -> str:
    """Replace the only number that the recipe of this test redacts."""
    return text.replace("010-9999-0000", "[전화번호1]")


@dataclass
class World:
    """What decides a release, and how it changes at random."""

    root: Path
    draw: random.Random
    shards: list[list[Document]] = field(default_factory=list)
    drops: list[list[Dropped]] = field(default_factory=list)
    pairs: list[tuple[Any, ...]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def add(self) -> None:
        numbers = range(self.count + 1, self.count + 1 + self.draw.randrange(1, 9))
        self.count = numbers[-1]
        self.shards.append([document(self.draw.choice(("ga", "na")), n) for n in numbers])
        gone = document("ga", 10_000 + self.count)
        self.drops.append([Dropped(gone, "length", Verdict("drop", "too-short", 12.0, 200.0))])

    def remove(self) -> None:
        shard = self.draw.choice(self.shards)
        if len(self.shards) > 1 and shard and self.shards[0] is not shard:
            shard.pop(self.draw.randrange(len(shard)))

    def change(self) -> None:
        shard = self.draw.choice([one for one in self.shards if one])
        at = self.draw.randrange(len(shard))
        said = self.draw.choice((RESIDENT, PHONE, "010-9999-0000", "다른 글이다."))
        shard[at] = replace(shard[at], **{self.draw.choice(("text", "title")): f"{shard[at].title} {said}"})

    def copy(self) -> None:
        ids = [doc.id for shard in self.shards for doc in shard]
        one, other = self.draw.choice(ids), self.draw.choice(ids)
        if one != other and one not in {row[0] for row in self.pairs}:
            self.pairs.append((one, other, "near", 0.875, "estimated", "date", ""))

    def withdraw(self) -> None:
        ids = [doc.id for shard in self.shards for doc in shard]
        self.more["withdrawn"] = (*self.more.get("withdrawn", ()), self.draw.choice(ids))

    def reconfigure(self) -> None:
        name, values = self.draw.choice(
            [
                ("shards", (1, 2, 4)),
                ("splits", ((), (("test", 0.3),))),
                ("filters", ((("redact", 1),), (("redact", 2),))),
                ("second_look", (outcomes(), outcomes(KINDS, "quarantine"), outcomes(()))),
            ]
        )
        self.more[name] = self.draw.choice(values)

    def build(self, number: int) -> Inputs:
        root, stages = self.root / f"in-{number}", []
        for name in ("2-documents", "3-clean", "4-judged", "5-curated"):
            made = []
            for i, (docs, drops) in enumerate(zip(self.shards, self.drops, strict=True)):
                kept = [*docs, *(one.document for one in drops)] if name == "2-documents" else docs
                made.append(stage(root / name / f"shard{i:03d}", name, kept, drops if name == "3-clean" else []))
            stages.append((name, tuple(made)))
        pq.write_table(
            pa.table(list(map(list, zip(*self.pairs, strict=True))) or [[]] * len(COPIES), schema=COPIES), root / "c"
        )
        base = inputs(root / "base", [document("ga", 1)])
        return replace(base, stages=tuple(stages), clusters=(root / "c",), **self.more)


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(given: Inputs, folder: Path, kept: Kept | None) -> dict[str, bytes]:
    (folder.parent / "tmp").mkdir(exist_ok=True)
    publish(replace(given, kept=kept), folder, tmp=folder.parent / "tmp", redact=hide, sketch=sketch_texts)
    return read(folder)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in range(1, 6))])
def test_any_sequence_of_changes_ends_with_the_bytes_of_a_release_made_from_nothing(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, random.Random(seed))
    kept, previous = Kept(tmp_path / "parts", "code"), None
    for _ in range(3):
        world.add()
    for number in range(STEPS):
        for _ in range(3):
            world.draw.choice(
                (world.add, world.remove, world.change, world.change, world.copy, world.withdraw, world.reconfigure)
            )()
        given = replace(world.build(number), previous=previous)
        reused = make(given, tmp_path / f"reused-{number}", kept)
        assert reused == make(given, tmp_path / f"anew-{number}", None), f"seed {seed}, version {number}"
        previous = tmp_path / f"reused-{number}"
        _refuse_other_counts(previous)


def _refuse_other_counts(folder: Path) -> None:
    """The counts that are added up are those of a scan of the files."""
    table = pq.read_table(folder / "audit/residue.parquet").to_pylist()
    held = {(row["path"], row["field"], row["outcome"], row["kind"]): row["n"] for row in table if row["path"]}
    for name in {key[0] for key in held}:
        for look in residue.look(folder, name):
            found = {("values", ""): look.values, ("characters", ""): look.characters}
            found |= {("found", kind): n for kind, n in look.found}
            assert {key[2:]: n for key, n in held.items() if key[:2] == (name, look.column)} == found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The work of a release: one entry for each shard that is split, or searched for ids to mask."""
    done: list[str] = []

    def count(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            done.append(name)
            return call(*args)

        return run

    monkeypatch.setattr(splitting, "_write", count("split", splitting._write))
    monkeypatch.setattr(masked_ids, "search", count("search", masked_ids.search))
    yield done


@pytest.mark.heavy
def test_only_new_shards_are_split_and_searched(tmp_path: Path, calls: list[str]) -> None:
    world, kept = World(tmp_path, random.Random(0)), Kept(tmp_path / "parts", "code")
    for _ in range(4):
        world.add()
    make(world.build(0), tmp_path / "0", kept)
    first = calls.copy()
    world.add()
    calls.clear()
    make(world.build(1), tmp_path / "1", kept)
    assert first.count("split") == 4 and calls.count("split") == 1
    assert 0 < calls.count("search") < first.count("search")
    calls.clear()
    make(world.build(2), tmp_path / "2", replace(kept, code="other code"))
    assert calls.count("split") == 5


def test_a_damaged_part_is_made_again_and_unused_parts_are_deleted(tmp_path: Path, calls: list[str]) -> None:
    world, kept = World(tmp_path, random.Random(1)), Kept(tmp_path / "parts", "code")
    world.add()
    world.add()
    whole = make(world.build(0), tmp_path / "0", kept)
    parts = sorted(path for path in kept.folder.iterdir() if path.is_dir())
    (parts[0] / "documents.arrow").write_bytes(b"ARROW1")
    (parts[1] / kept_parts.RESULT).write_text("[]", encoding="utf-8")
    (kept.folder / "searches.json").write_text('{"values": {}, "digest": ""}', encoding="utf-8")
    (kept.folder / "left").mkdir()
    calls.clear()
    assert make(world.build(1), tmp_path / "1", kept) == whole
    assert calls.count("split") == 2
    assert sorted(path for path in kept.folder.iterdir() if path.is_dir()) == parts


def test_a_purge_deletes_all_parts(tmp_path: Path) -> None:
    home = Workspace.open(tmp_path / "w")
    (home.release_parts("general") / "0a").mkdir(parents=True)
    purge.sweep_temporary(home)
    assert not home.release_parts("general").exists()
