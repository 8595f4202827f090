"""Layout for trainers: splits that no cluster crosses, and shards whose number follows the size of a field."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi.document import Document
from malmoi.releases.partitioning import COPIES, PART, Shares, split_by_hash
from malmoi.releases.publish import publish
from malmoi.releases.verification.verify import verify
from tests.builders.small_release import document, documents, inputs
from tests.releases.test_verify import edited, remade

HALVES: Shares = (("test", 0.25), ("validation", 0.25))


def published(
    tmp: Path, docs: list[Document], *copies: tuple[str, str], shares: Shares = HALVES, previous: Path | None = None
) -> Path:
    """A release of `docs` in which each pair of `copies` is a copy and its keeper, both published."""
    (tmp / "tmp").mkdir(parents=True)
    rows = [(id, keeper, "near", 0.9, "estimated", "id", "") for id, keeper in copies]
    columns = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in COPIES]
    pq.write_table(pa.table(columns, schema=COPIES), tmp / "copies.parquet")
    given = replace(inputs(tmp / "in", docs), clusters=(tmp / "copies.parquet",), splits=shares, previous=previous)
    publish(given, tmp / "r", tmp=tmp / "tmp")
    return tmp / "r"


def plain(*numbers: int) -> list[Document]:
    """Documents whose texts overlap with no evaluation set."""
    found = (document("ga", number) for number in numbers)
    return [replace(d, labels=(*d.labels[:3], ("benchmarks", ""))) for d in found]


def splits(release: Path) -> dict[str, str]:
    tables = [pq.read_table(p, columns=["id", "split"], partitioning=None) for p in release.glob("data/**/*.parquet")]
    return {row["id"]: row["split"] for table in tables for row in table.to_pylist()}


def find(split: str, start: int = 1) -> int:
    """The first number whose document has this split by its own hash."""
    return next(n for n in range(start, start + 99) if split_by_hash(f"ga/{n}", HALVES) == split)


def test_the_hash_of_an_id_decides_and_the_shares_are_kept(tmp_path: Path) -> None:
    docs = plain(*range(1, 81))
    found = splits(published(tmp_path, docs))
    assert found == {d.id: split_by_hash(d.id, HALVES) for d in docs}
    assert all(10 <= n <= 50 for n in Counter(found.values()).values())
    assert set(splits(published(tmp_path / "none", docs, shares=())).values()) == {"train"}
    many = Counter(split_by_hash(f"a/{i}", (("test", 0.01), ("validation", 0.01))) for i in range(20_000))
    assert 150 < many["test"] < 250 and 150 < many["validation"] < 250


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize("own", ["train", "validation", "test"])
def test_all_members_of_a_cluster_are_in_the_split_of_its_smallest_id(tmp_path: Path, own: str) -> None:
    ids = sorted(f"ga/{n}" for n in {find("train"), find("validation"), find("test"), find(own, 60)})
    chain = list(zip(ids[1:], ids, strict=False))
    docs = plain(*(int(id.split("/")[1]) for id in ids))
    release = published(tmp_path, docs, *chain)
    assert splits(release) == dict.fromkeys(ids, split_by_hash(ids[0], HALVES))
    assert not [f for f in verify(release) if f.check in ("rows", "manifest", "schema") or "split" in f.says]


def test_a_text_that_overlaps_with_an_evaluation_set_takes_its_cluster_out_of_test(tmp_path: Path) -> None:
    one, two, alone = find("test"), find("validation"), find("test", 60)
    marked = [replace(d, labels=(*d.labels[:3], ("benchmarks", "klue-mrc"))) for d in plain(two, alone)]
    first, second = sorted([f"ga/{one}", f"ga/{two}"])
    found = splits(published(tmp_path, [*plain(one), *marked], (second, first)))
    assert found[f"ga/{alone}"] == "train"
    assert found[first] == found[second] != "test"


def test_a_published_document_keeps_its_split_when_shares_and_cluster_change(tmp_path: Path) -> None:
    docs = plain(*range(1, 41))
    before = published(tmp_path / "a", docs)
    old = splits(before)
    held = next(id for id, split in old.items() if split == "validation")
    new = plain(*range(41, 61))
    after = published(tmp_path / "b", [*docs, *new], ("ga/50", held), shares=(("test", 0.4),), previous=before)
    found = splits(after)
    assert {id: found[id] for id in old} == old
    assert found["ga/50"] == "validation"
    assert {found[d.id] for d in new if d.id != "ga/50"} == {"train", "test"}


def test_a_cluster_that_joins_two_splits_goes_to_train(tmp_path: Path) -> None:
    one, two, third = find("test"), find("validation"), find("test", 60)
    before = published(tmp_path / "a", plain(one, two))
    assert set(splits(before).values()) == {"test", "validation"}
    copies = [(f"ga/{third}", f"ga/{one}"), (f"ga/{third}", f"ga/{two}")]
    after = published(tmp_path / "b", plain(one, two, third), *copies, previous=before)
    assert set(splits(after).values()) == {"train"}
    again = published(tmp_path / "c", plain(one, two, third), *copies, previous=after)
    assert splits(again) == splits(after)


def shard_names(tmp: Path, shard_bytes: int, shards: int) -> dict[str, set[str]]:
    (tmp / "tmp").mkdir(parents=True)
    given = replace(inputs(tmp / "in", documents(60), shards=shards), shard_bytes=shard_bytes)
    publish(given, tmp / "r", tmp=tmp / "tmp")
    assert not [f for f in verify(tmp / "r") if f.check in ("rows", "laws", "manifest", "schema")]
    found: dict[str, set[str]] = {}
    for path in (tmp / "r").glob("data/**/*.parquet"):
        found.setdefault(path.parent.relative_to(tmp / "r/data").as_posix(), set()).add(path.name)
    return found


@pytest.mark.heavy
def test_the_number_of_shards_follows_the_size_of_a_field(tmp_path: Path) -> None:
    small = shard_names(tmp_path / "a", 1 << 20, 8)
    assert set(map(tuple, small.values())) == {("train-00000-of-00001.parquet",)}
    some = shard_names(tmp_path / "b", 1_000, 8)
    counts = {place: {int(PART.fullmatch(name)[3]) for name in names} for place, names in some.items()}  # type: ignore[index]
    assert all(len(n) == 1 for n in counts.values())
    assert {min(n) for n in counts.values()} == {1, 2, 4}
    odd = shard_names(tmp_path / "c", 1, 6)
    assert {int(PART.fullmatch(name)[3]) for names in odd.values() for name in names} == {4}  # type: ignore[index]


def test_a_cluster_across_splits_is_found_even_when_everything_else_is_made_anew(tmp_path: Path) -> None:
    one, two = find("test"), find("test", 60)
    release = published(tmp_path, plain(one, two, find("train")), (f"ga/{two}", f"ga/{one}"))
    _move(release, f"ga/{two}", "train")
    assert any("more than one split" in f.says for f in verify(release))


def test_an_evaluation_set_in_test_is_found_even_when_everything_else_is_made_anew(tmp_path: Path) -> None:
    release = published(tmp_path, plain(find("test"), find("train")))
    path = next(release.glob("data/**/test-*.parquet"))
    edited(path, lambda rows: [row | {"benchmarks": ["klue-mrc"]} for row in rows])
    remade(release)
    assert any("overlaps with an evaluation set" in f.says for f in verify(release))


def test_files_of_one_split_cut_into_different_numbers_of_shards_are_found(tmp_path: Path) -> None:
    release = published(tmp_path, plain(*range(1, 30)), shares=())
    for top in ("data", "morphemes"):
        path = next(release.glob(f"{top}/**/train-00000-of-00002.parquet"))
        edited(path, lambda rows: [])
        path.rename(path.with_name("train-00000-of-00001.parquet"))
    remade(release)
    assert any("another file of its split says" in f.says for f in verify(release))


def _move(release: Path, id: str, split: str) -> None:
    """Move a document and its morphemes into a shard of their own in another split."""
    for path in (p for top in ("data", "morphemes") for p in sorted(release.glob(f"{top}/**/test-*.parquet"))):
        table = pq.read_table(path, partitioning=None)
        rows = [row for row in table.to_pylist() if row["id"] == id]
        if rows:
            edited(path, lambda rows: [row for row in rows if row["id"] != id])
            moved = [row | {"split": split} if "split" in row else row for row in rows]
            target = path.with_name(path.name.replace("test-", f"{split}-"))
            old = pq.read_table(target, partitioning=None).to_pylist() if target.exists() else []
            pq.write_table(pa.Table.from_pylist([*moved, *old], table.schema), target)
    remade(release)
