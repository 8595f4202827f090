"""The table of copies of a release: how clusters are named and counted, and that no wrong row verifies."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi.errors import StageError
from malmoi.releases.partitioning import COPIES, clusters, h, write_sizes
from malmoi.releases.publish import publish
from malmoi.releases.verification.invariants import LAWS
from malmoi.storage.duckdb_tables import open_tables
from tests.builders.small_release import documents, inputs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    (root / "tmp").mkdir()
    publish(inputs(root / "in", documents()), root / "release", tmp=root / "tmp")
    return root / "release"


def broken(folder: Path, path: str) -> list[str]:
    """What the laws that look at the file `path` say of a release."""
    with open_tables(folder) as tables:
        return [law.says for law in LAWS if law.path == path and tables.ask(law.sql).rows]


def changed(whole: Path, tmp: Path, table: str, change: Callable[[dict], dict | None]) -> Path:
    """A copy of the release in which each row of an audit table is what `change` makes of it."""
    folder = Path(shutil.copytree(whole, tmp / "release"))
    path = folder / "audit" / f"{table}.parquet"
    found = pq.read_table(path)
    rows = [row for old in found.to_pylist() if (row := change(old)) is not None]
    pq.write_table(pa.Table.from_pylist(rows, found.schema), path)
    return folder


def test_a_chain_of_copies_is_one_cluster_named_after_its_smallest_id(tmp_path: Path) -> None:
    order = [(7919 * i) % 1000 for i in range(1000)]
    rows = [(f"x/{a:04}", f"x/{b:04}", "near", 0.9, "exact", "id", "") for a, b in pairwise(order)]
    pq.write_table(pa.table([list(c) for c in zip(*rows, strict=True)], schema=COPIES), tmp_path / "t.parquet")
    found = clusters([tmp_path / "t.parquet", tmp_path / "t.parquet"])
    assert (found.num_rows, set(found["cluster"].to_pylist())) == (999, {"x/0000"})
    written = write_sizes(found, tmp_path / "sizes", 7)
    sizes = [row for n, path in written.items() for row in pq.read_table(path).to_pylist() if h(row["id"]) % 7 == n]
    assert len(sizes) == 1000
    assert {row["n"] for row in sizes} == {1000}


def test_a_table_that_is_none_of_copies_is_refused(tmp_path: Path) -> None:
    table = COPIES.empty_table()
    pq.write_table(table.drop_columns(["measured", "reason"]), tmp_path / "t.parquet")
    with pytest.raises(StageError, match="measured, reason missing"):
        clusters([tmp_path / "t.parquet"])


def test_the_clusters_of_a_release_keep_their_laws(whole: Path) -> None:
    assert broken(whole, "audit/clusters.parquet") == []


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize(
    ("member", "wrong", "says"),
    [
        ("ga/101", {"keeper": "ga/999"}, "the keeper of a copy is neither"),
        ("na/104", {"release": ""}, "the keeper of a copy is neither"),
        ("ga/101", {"release": "sample/0.9.0"}, "is in this one"),
        ("ga/101", {"member": "ga/2"}, "a copy is in data/"),
        ("ga/101", {"member": "ga/999"}, "never entered"),
        ("ga/101", {"similarity": 0.49}, "similarity is invalid"),
        ("ga/101", {"similarity": 1.01}, "similarity is invalid"),
        ("ga/101", {"similarity": None}, "similarity is invalid"),
        ("ga/101", {"similarity": float("nan")}, "similarity is invalid"),
        ("ga/101", {"measured": "guessed"}, "similarity is invalid"),
        ("ga/101", {"kind": "alike"}, "similarity is invalid"),
        ("ga/105", {"similarity": 0.99}, "similarity is invalid"),
        ("ga/105", {"measured": "estimated"}, "similarity is invalid"),
        ("ga/101", {"similarity": 0.9}, "differs from the one for which it was dropped"),
        ("ga/106", {"similarity": 0.79}, "differs from the one for which it was dropped"),
        ("ga/101", {"reason": "taste"}, "reason for a keeper is unknown"),
        ("ga/101", {"reason": ""}, "reason for a keeper is unknown"),
        ("ga/101", {"reason": "date, surely"}, "reason for a keeper is unknown"),
        ("ga/101", {"reason": "fallen:date"}, "reason for a keeper is unknown"),
    ],
)
def test_a_wrong_row_of_the_clusters_is_found(whole: Path, tmp_path: Path, member: str, wrong: dict, says: str) -> None:
    folder = changed(whole, tmp_path, "clusters", lambda row: row | wrong if row["member"] == member else row)
    assert [found for found in broken(folder, "audit/clusters.parquet") if says in found]


@pytest.mark.parametrize("reason", ["rights", "surface", "earlier-release"])
def test_every_reason_of_the_list_is_one(whole: Path, tmp_path: Path, reason: str) -> None:
    folder = changed(whole, tmp_path, "clusters", lambda row: row | {"reason": reason})
    assert not [
        found for found in broken(folder, "audit/clusters.parquet") if "reason for a keeper is unknown" in found
    ]


def test_a_copy_whose_keeper_was_dropped_later_is_no_fault_but_one_that_vanished_is(
    whole: Path, tmp_path: Path
) -> None:
    def kept_by(keeper: str) -> Callable[[dict], dict]:
        return lambda row: row | {"keeper": keeper} if row["member"] == "ga/106" else row

    dropped_later = changed(whole, tmp_path / "a", "clusters", kept_by("na/107"))
    assert not [s for s in broken(dropped_later, "audit/clusters.parquet") if "keeper is neither" in s]
    failed = changed(whole, tmp_path / "b", "clusters", kept_by("ga/103"))
    assert not [s for s in broken(failed, "audit/clusters.parquet") if "keeper is neither" in s]
    vanished = changed(whole, tmp_path / "c", "dropped", lambda row: None if row["id"] == "ga/106" else row)
    assert [s for s in broken(vanished, "audit/clusters.parquet") if "never entered" in s]


def test_near_copies_may_stand_where_the_recipe_drops_exact_ones_only(whole: Path, tmp_path: Path) -> None:
    def exact_only(row: dict) -> dict:
        return row | {"reason": "too-short"} if row["reason"] == "near-copy" else row

    folder = changed(whole, tmp_path / "a", "dropped", exact_only)
    folder = changed(
        folder, tmp_path / "b", "clusters", lambda row: row | {"member": "ga/2"} if row["member"] == "ga/101" else row
    )
    assert not [s for s in broken(folder, "audit/clusters.parquet") if "a copy is in data/" in s]
