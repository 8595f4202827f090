"""Leaves are sorted in bounded memory: the parts in which they are sorted leave no trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from malmoi.release_files import audit_file
from malmoi.releases import manifest as manifests
from malmoi.releases import membership
from malmoi.releases.membership import BLOCK, make_rows, sort_leaves
from tests.builders.small_release import sealed


def draw_rows(count: int) -> list[np.ndarray]:
    chance = np.random.default_rng(3)
    leaves = chance.integers(0, 256, (count, 32), dtype=np.uint8)
    leaves[: count // 4] = leaves[0]  # one text in many documents
    numbers = chance.permutation(count)
    cuts = range(0, count, 5000)
    return [make_rows(leaves[at : at + 5000].tobytes(), numbers[at : at + 5000].astype(np.int64)) for at in cuts]


@pytest.mark.heavy
@pytest.mark.parametrize("part", [1 << 20, 1 << 15, 1 << 10])
def test_the_parts_leave_no_trace(monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(membership, "PART", part)
    parts = draw_rows(150_000)
    blocks = list(sort_leaves(parts, 150_000))
    assert [len(block) for block in blocks] == [BLOCK, BLOCK, 150_000 - 2 * BLOCK]
    said = [(bytes(row["leaf"]), int(row["document"])) for row in np.concatenate(blocks)]
    assert said == sorted((bytes(row["leaf"]), int(row["document"])) for row in np.concatenate(parts))


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("case", ["a row more", "two row groups", "another document", "no row"])
def test_a_table_that_is_not_sorted_in_blocks_is_a_finding(tmp_path: Path, case: str) -> None:
    release = sealed(tmp_path)
    path = audit_file(release, "members")
    table = pq.read_table(path)
    assert list(membership.find_faults(release, manifests.read(release))) == []
    group = table.num_rows
    match case:
        case "a row more":
            table = pa.concat_tables([table, table.slice(table.num_rows - 1)])
        case "another document":
            table = table.set_column(1, "document", pa.array(table["document"].to_pylist()[::-1], pa.int32()))
        case "two row groups":
            group = table.num_rows // 2
        case _:
            table = table.slice(0, 0)
    pq.write_table(table, path, row_group_size=max(group, 1) if case == "two row groups" else BLOCK)
    found = list(membership.find_faults(release, manifests.read(release)))
    assert ("audit/members.parquet", "its leaves are not those of the addresses and texts in data/") in found
