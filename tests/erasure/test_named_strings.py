"""A name of an erased document is found in every string of a stage shard but its texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from flows.purge import has_name, purge_stages
from malmoi.document import Signal
from malmoi.workspace import Workspace
from tests.builders.small_release import document, stage

NAMES = ("ga/2", "https://ga.example.kr/2", "urn:uuid:ga-2", "https://elsewhere.example.kr/7", "글 2")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_in_columns_and_in_lists(tmp_path: Path, name: str) -> None:
    one = document("ga", 2)
    signal = Signal("noai", "note", "noai", "https://elsewhere.example.kr/7", "urn:uuid:ga-2")
    docs = [replace(one, signals=(signal,)), document("na", 3)]
    path = stage(tmp_path / "shard", "2-documents", docs, []) / "documents.parquet"
    assert has_name(path, pa.array([name, "ga/900"]))
    assert not has_name(path, pa.array(["ga/900", name + "0"]))
    assert not has_name(path, pa.array([one.text]))


def test_a_shard_without_rows_names_nothing_and_a_damaged_one_may_name_anything(tmp_path: Path) -> None:
    path = stage(tmp_path / "shard", "2-documents", [document("ga", 2)], []) / "dropped.parquet"
    assert not has_name(path, pa.array(["ga/2"]))
    path.write_bytes(path.read_bytes()[:-9])
    assert has_name(path, pa.array(["ga/900"]))


def test_a_shard_that_lost_a_file_of_its_ledger_may_have_named_anything(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    shard = stage(workspace.stage("3-clean", "") / "a", "3-clean", [document("ga", 2)], [])
    assert purge_stages(workspace, {"ga/900"}) == 0
    (shard / "documents.parquet").unlink()
    assert purge_stages(workspace, {"ga/900"}) == 1
    assert not shard.exists()
