"""What was withdrawn stays out: of every recipe, from now on, and no table of a release leads to it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_cards import render_card
from flows.release import copies_of_withdrawn
from malmoi.archive import collection
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.errors import CallError
from malmoi.releases.verification.verify import verify
from tests.builders.small_papers import PAPERS, audit, data, numbers, run, written
from tests.builders.withdrawn import withdraw
from tests.releases.test_left_out import everything

CALM = {name: PAPERS[name] for name in ("02", "03", "13", "31", "32")}  # 31 stands for 32, all others for themselves


def shards(workspace: Path, stage: str) -> set[str]:
    return {p.parent.name for p in (workspace / stage).glob("*/ledger.json")}


def test_a_withdrawn_document_is_in_no_later_release_and_that_verifies(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, CALM)
    home, _, _, first = run(source, recipe, tmp_path / "w")
    assert numbers(data(first.folder)["id"].to_pylist()) == {"02", "03", "13", "31"}
    withdraw(home, ["papers/13.txt"], "요청", "")
    *_, second = run(source, recipe, tmp_path / "w")
    assert second.new and verify(second.folder, render=render_card) == []
    assert numbers(data(second.folder)["id"].to_pylist()) == {"02", "03", "31"}
    said = [
        (row["id"], row["stage"], row["filter"])
        for row in audit(second.folder, "dropped")
        if row["reason"] == "withdrawn"
    ]
    assert said == [("papers/[withheld 1]", "3-clean", "withdrawals")]
    assert "papers/13.txt" not in everything(second.folder)
    card = json.loads((second.folder / "card.json").read_text("utf-8"))
    assert card["numbers"]["withdrawn"]["value"] == 1
    (funnel,) = [row for row in card["tables"]["funnel"]["rows"] if row[0] == "3-clean"]
    assert funnel[1] == funnel[2] + funnel[3] + funnel[4]
    *_, third = run(source, recipe, tmp_path / "w")
    assert (third.new, third.root) == (False, second.root)


@pytest.mark.heavy
def test_no_recipe_can_forget_a_withdrawal(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, CALM)
    home, _, _, _ = run(source, recipe, tmp_path / "w")
    withdraw(home, ["papers/02.txt"], "요청", "")
    other = tmp_path / "other.toml"
    steps = '[[clean]]\nfilter = "rights"\n'
    other.write_text(f'name = "other"\npurpose = "P."\nunredacted = "시험"\n{steps}', encoding="utf-8")
    *_, made = run(source, str(other), tmp_path / "w")
    assert numbers(data(made.folder)["id"].to_pylist()) == {"03", "13", "31", "32"}
    assert "papers/02.txt" not in everything(made.folder)


@pytest.mark.heavy
def test_only_the_shards_that_a_withdrawal_touches_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(collection, "MAX_ROWS", 1)
    source, recipe = written(tmp_path, CALM)
    home, _, _, _ = run(source, recipe, tmp_path / "w")
    before = shards(tmp_path / "w", "3-clean")
    withdraw(home, ["papers/13.txt"], "요청", "")
    tombstones.add(home.withdrawals, [Tombstone("id", "elsewhere/1", "2026-11-24", "요청")])
    run(source, recipe, tmp_path / "w")
    after = shards(tmp_path / "w", "3-clean")
    assert before < after and len(after - before) == 1
    tombstones.add(home.withdrawals, [Tombstone("id", "papers/none.txt", "2026-11-24", "요청")])
    run(source, recipe, tmp_path / "w")
    assert shards(tmp_path / "w", "3-clean") == after


@pytest.mark.heavy
def test_the_copy_that_comes_in_for_a_withdrawn_keeper_is_named(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, CALM)
    home, _, _, first = run(source, recipe, tmp_path / "w")
    assert first.notes == ()
    withdraw(home, ["papers/31.txt"], "요청", "")
    *_, second = run(source, recipe, tmp_path / "w")
    assert numbers(data(second.folder)["id"].to_pylist()) == {"02", "03", "13", "32"}
    ((copy, id, similarity),) = copies_of_withdrawn(home, second.folder)
    assert (copy, id) == ("papers/32.txt", "papers/31.txt") and similarity >= 0.8
    (note,) = second.notes
    assert note.startswith("contains a near-duplicate of a withdrawn document: papers/32.txt")
    assert "papers/31.txt" in note
    *_, again = run(source, recipe, tmp_path / "w")
    assert again.notes == second.notes and note in again.says()
    withdraw(home, ["papers/32.txt"], "요청", "")
    *_, last = run(source, recipe, tmp_path / "w")
    assert last.notes == () and numbers(data(last.folder)["id"].to_pylist()) == {"02", "03", "13"}


@pytest.mark.heavy
def test_a_copy_that_never_was_published_can_be_withdrawn_with_its_keeper(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, CALM)
    home, _, _, first = run(source, recipe, tmp_path / "w")
    assert numbers(data(first.folder)["id"].to_pylist()) == {"02", "03", "13", "31"}
    withdraw(home, ["papers/31.txt", "papers/32.txt"], "요청", "")
    *_, second = run(source, recipe, tmp_path / "w")
    assert numbers(data(second.folder)["id"].to_pylist()) == {"02", "03", "13"} and second.notes == ()


def test_a_withdrawal_that_leaves_nothing_is_said(tmp_path: Path) -> None:
    source, recipe = written(tmp_path, {"31": PAPERS["31"]})
    home, _, _, _ = run(source, recipe, tmp_path / "w")
    withdraw(home, ["papers/31.txt"], "요청", "")
    with pytest.raises(Exception, match="no document is left to publish"):
        run(source, recipe, tmp_path / "w")


def test_withdrawals_that_were_damaged_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "withdrawals.parquet"
    tombstones.add(path, [Tombstone("id", f"a/{n}", "2026-11-24", "요청") for n in range(50)])
    good, known = path.read_bytes(), tombstones.read(path)
    for at in range(0, len(good), 7):
        bad = bytearray(good)
        bad[at] ^= 1 << (at % 8)
        path.write_bytes(bad)
        try:
            assert tombstones.read(path) == known, at
        except CallError as error:
            assert "restore it from a copy" in str(error)


def test_withdrawals_of_an_older_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "withdrawals.parquet"
    tombstones.add(path, [Tombstone("id", "a/1", "2026-11-24", "요청")])
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    assert tombstones.read_ids(path) == ["a/1"]
