"""The search for traces finds a canary in every container of a workspace; else a purge that leaves it would pass."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi.storage import shuffle
from tests.builders.small_traces import find_traces

CANARY = "카나리아 canary-7391"
TABLE = pa.table({"n": [1, 2], "deep": [[{"name": "a", "value": CANARY}], [{"name": "b", "value": "c"}]]})


def write_members(path: Path) -> None:
    path.write_bytes(gzip.compress(b"first") + gzip.compress(CANARY.encode()) + gzip.compress(b"last"))


CONTAINERS = {
    "plain": lambda path: path.write_text(f"before {CANARY} behind", encoding="utf-8"),
    "gzip-members": write_members,
    "zstd": lambda path: path.write_bytes(pa.compress(CANARY.encode() * 50, codec="zstd", asbytes=True)),
    "parquet-nested": lambda path: pq.write_table(TABLE, path, compression="zstd"),
    "parquet-dictionary": lambda path: pq.write_table(pa.table({"x": [CANARY] * 100}), path, compression="zstd"),
    "shuffled": lambda path: shuffle.write_partitions(pa.table({"x": [CANARY]}), np.array([0]), 2, path),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_canary_is_found_in_every_container(tmp_path: Path, container: str) -> None:
    (tmp_path / "other.txt").write_text("nothing", encoding="utf-8")
    CONTAINERS[container](tmp_path / "file")
    assert find_traces(tmp_path, [CANARY.encode()]) == [Path("file")]
    assert find_traces(tmp_path, [b"canary-7392"]) == []


def test_a_canary_is_found_in_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "canary-7391").mkdir()
    (tmp_path / "canary-7391" / "x").write_bytes(bz2.compress(b"x"))
    assert find_traces(tmp_path, [b"canary-7391"]) == [Path("canary-7391/x")]
