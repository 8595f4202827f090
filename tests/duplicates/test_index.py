"""The index that lasts: what releases leave, which of it a run reads, what a kill leaves, and what is masked."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from filters import near_duplicates
from flows import release as releases
from flows import release_index
from flows import run as runs
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from malmoi.erasure import tombstones
from malmoi.errors import StageError
from malmoi.releases.partitioning import h
from malmoi.storage import checksummed_files
from malmoi.workspace import Workspace
from tests.builders.small_corpus import make
from tests.builders.small_index import (
    LONG,
    MARKET,
    NEW,
    OLD,
    SNOW,
    SURVEY,
    World,
    bytes_of,
    known,
    merge_as_before,
    stub,
)
from tests.builders.withdrawn import withdraw

SHORT = """
name = "short"
purpose = "시험"
unredacted = "시험을 위하여 지은 글이다."
[[clean]]
filter = "rights"
[[curated]]
filter = "near_duplicates"
"""


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    stub(monkeypatch)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "w")


def test_a_release_leaves_one_segment_with_a_row_for_each_of_its_documents(world):
    assert world.publish(OLD) == "1.0.0"
    table = pq.read_table(world.segment("1.0.0") / "documents.parquet")
    assert table.schema.names == [*SURVEY.schema.names, "source", "release", "version"]
    assert table["id"].to_pylist() == sorted(OLD, key=lambda id: (h(id), id))
    assert set(table["source"].to_pylist()) == {"ga"}
    facts = json.loads((world.segment("1.0.0") / "segment.json").read_text(encoding="utf-8"))
    assert (facts["release"], facts["version"], facts["documents"], facts["read"]) == ("small", "1.0.0", 3, [])
    assert world.segment("1.0.0").name == f"1.0.0-{facts['root'][:16]}"


def test_a_rerun_with_nothing_new_reads_what_the_release_read_and_never_meets_its_own_sketches(world):
    world.publish(OLD)
    first = world.survey(world.ledgers(OLD))
    assert world.publish(OLD) == ""
    assert world.survey(world.ledgers(OLD)) == first
    assert world.publish(OLD | NEW) == "1.1.0"
    again = world.survey(world.ledgers(OLD | NEW))
    assert [name for name, _ in world.read(again)] == [world.segment("1.0.0").name]
    assert world.publish(OLD | NEW) == ""
    assert world.survey(world.ledgers(OLD | NEW)) == again


def test_a_new_document_is_a_copy_of_one_that_an_earlier_release_published(world):
    world.publish(OLD)
    assert world.publish(NEW) == "1.1.0"
    assert world.rows("1.1.0") == [("na/2", "1.1.0")]


def test_only_what_is_new_or_changed_stands_in_the_next_segment(world):
    world.publish(OLD)
    world.publish(OLD | {"ga/2": MARKET * 11, "na/2": NEW["na/2"]})
    assert sorted(world.rows("1.1.0")) == [("ga/2", "1.1.0"), ("na/2", "1.1.0")]


def test_a_text_that_changes_back_stands_a_third_time(world):
    world.publish(OLD)
    world.publish(OLD | {"ga/2": MARKET * 11, "na/2": NEW["na/2"]})
    world.publish(OLD | {"na/3": SNOW * 3 + LONG * 4})
    assert sorted(world.rows("1.2.0")) == [("ga/2", "1.2.0"), ("na/3", "1.2.0")]


def test_a_release_that_only_lost_documents_leaves_an_empty_segment(world):
    world.publish(OLD)
    assert world.publish({"ga/1": OLD["ga/1"]}) == "1.1.0"
    assert world.rows("1.1.0") == []
    assert world.publish({"ga/1": OLD["ga/1"]}) == ""


def test_neither_the_order_of_shards_nor_the_number_of_partitions_changes_a_byte(tmp_path, monkeypatch):
    worlds = [World(tmp_path / name) for name in ("a", "b", "c")]
    worlds[0].publish(OLD | NEW)
    worlds[1].publish(dict(reversed((OLD | NEW).items())), cut=2)
    monkeypatch.setattr("malmoi.releases.segments.AT_ONCE", 1)
    worlds[2].publish(OLD | NEW, cut=1)
    rows = [bytes_of(world.segment("1.0.0"))["documents.parquet"] for world in worlds]
    assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize("stop", ["segment", "release"])
def test_a_run_that_is_killed_leaves_what_an_undisturbed_one_leaves(tmp_path, stop):
    calm, killed = World(tmp_path / "calm"), World(tmp_path / "killed")
    for world in (calm, killed):
        world.publish(OLD)
    calm.publish(OLD | NEW)
    assert killed.publish(OLD | NEW, stop=stop) == ""
    before = known(killed.workspace)
    assert set(before) == set(OLD), "a segment without its release is seen by nobody"
    assert killed.publish(OLD | NEW) == "1.1.0"
    assert killed.publish(OLD | NEW) == ""
    assert bytes_of(killed.segment("1.1.0")) == bytes_of(calm.segment("1.1.0"))
    assert known(killed.workspace) == known(calm.workspace)


def test_what_a_killed_run_left_goes_with_the_next_release_even_if_that_is_another(world):
    world.publish(OLD)
    world.publish(OLD | NEW, stop="release")
    left = world.segment("1.1.0")
    assert [one.state for one in release_index.segments_by_survey(world.workspace)["copies"]] == [
        "counts",
        "unreleased",
    ]
    world.publish(OLD | {"na/9": SNOW * 4 + MARKET * 4})
    assert not left.exists()
    assert world.rows("1.1.0") == [("na/9", "1.1.0")]


def test_a_segment_whose_release_was_moved_away_does_not_count_and_is_not_deleted(world):
    world.publish(OLD)
    world.publish(OLD | NEW)
    shutil.rmtree(world.workspace.releases("small") / "1.0.0")
    (line,) = [one for one in release_index.list_entries(world.workspace) if one.segment.state != "counts"]
    assert "small 1.0.0 does not exist" in line.segment.why
    world.publish(OLD | NEW | {"na/9": SNOW * 4 + MARKET * 4})
    assert world.segment("1.0.0").exists()
    assert {id for id, _ in world.rows("1.2.0")} == {"ga/1", "ga/2", "ga/3", "na/9"}


def test_a_release_whose_segment_was_deleted_is_named_and_gets_it_back_by_a_run_with_nothing_new(world):
    world.publish(OLD)
    whole = bytes_of(world.segment("1.0.0"))
    shutil.rmtree(world.segment("1.0.0"))
    assert release_index.releases_without_segment(world.workspace) == ["small 1.0.0"]
    assert world.publish(OLD) == ""
    assert release_index.releases_without_segment(world.workspace) == []
    assert bytes_of(world.segment("1.0.0")) == whole


@pytest.mark.parametrize(("earlier", "kept"), [("same", 2), ("all", 1), ("none", 2)])
def test_a_recipe_says_whose_releases_it_reads(tmp_path, earlier, kept):
    World(tmp_path / "w", "first").publish(OLD)
    second = World(tmp_path / "w", "second", earlier)
    second.publish(NEW)
    assert len(second.rows("1.0.0")) == kept


def test_a_masked_document_stands_for_nothing_and_the_mask_is_part_of_the_key(world):
    world.publish(OLD)
    before = world.survey(world.ledgers(NEW))
    withdraw(world.workspace, ["ga/1"], "저작권자의 요청", "2026-7")
    after = world.survey(world.ledgers(NEW))
    assert before != after
    assert world.read(after) == [[world.segment("1.0.0").name, ["ga/1"]]]
    world.publish(NEW)
    assert {id for id, _ in world.rows("1.1.0")} == {"na/1", "na/2"}


def test_a_mask_that_no_segment_holds_changes_no_key(world):
    world.publish(OLD)
    before = world.survey(world.ledgers(NEW))
    tombstones.add(world.workspace.withdrawals, [tombstones.Tombstone("id", "xx/1", "2026-11-24", "요청")])
    assert world.survey(world.ledgers(NEW)) == before


def test_a_segment_of_another_version_of_the_survey_does_not_count_and_says_so(world):
    world.publish(OLD)
    facts = world.segment("1.0.0") / "segment.json"
    facts.write_text(facts.read_text(encoding="utf-8").replace('"survey_version": 7', '"survey_version": 6'))
    checksummed_files.write(facts.parent)
    (found,) = release_index.segments_by_survey(world.workspace)["copies"]
    assert (found.state, found.why) == ("other", "made by version 6 of the survey; the current version is 7")
    world.publish(OLD)
    (found,) = release_index.segments_by_survey(world.workspace)["copies"]
    assert found.state == "counts", "a run over the same inputs writes it anew"


def test_a_published_document_without_a_sketch_stops_the_release(world, monkeypatch):
    ledgers = world.ledgers(OLD)
    monkeypatch.setattr(world, "ledgers", lambda texts, cut: ledgers[:0])
    with pytest.raises(StageError, match=r"3 published documents have no sketch .*first ga/"):
        world.publish(OLD)


def test_the_survey_of_near_copies_reads_what_releases_left(tmp_path, monkeypatch):
    world = World(tmp_path / "w", reader="near_duplicates")
    monkeypatch.setattr(release_index, "list_index_surveys", lambda: {"copies": near_duplicates.SURVEY})
    world.publish(OLD)
    copied = NEW | {"na/3": (SNOW * 12).replace(" ", "") + "끝."}
    rows = {row["id"]: row for row in pq.read_table(world.survey(world.ledgers(copied)) / "table.parquet").to_pylist()}
    assert {id: (row["keeper"], row["release"]) for id, row in rows.items()} == {
        "na/1": ("ga/1", "small/1.0.0"),
        "na/3": ("ga/3", "small/1.0.0"),
    }
    world.publish(copied)
    withdraw(world.workspace, ["ga/1"], "요청", "")
    merge_as_before(world.workspace, "small", [world.segment("1.0.0"), world.segment("1.1.0")])
    table = pq.read_table(world.survey(world.ledgers(copied | {"na/4": MARKET * 12 + "끝."})) / "table.parquet")
    assert dict(zip(table["id"].to_pylist(), table["keeper"].to_pylist(), strict=True)) == {
        "na/3": "ga/3",
        "na/4": "ga/2",
    }


@pytest.mark.heavy
def test_a_release_that_is_killed_around_its_segment_ends_as_if_undisturbed(tmp_path, monkeypatch):
    (tmp_path / "short.toml").write_text(SHORT, encoding="utf-8")
    source, recipe = str(make(tmp_path, pages=4)), runs.recipe_of(str(tmp_path / "short.toml"))
    calm, killed = Workspace.open(tmp_path / "calm"), Workspace.open(tmp_path / "killed")

    def run(workspace: Workspace) -> bool:
        with workspace.lock():
            return runs.run(workspace, recipe, [source], thread_mapper(1), Progress(quiet=True)).new

    def dies(call, place):
        def wrapped(*args):
            if place in map(str, args[-1].parts if isinstance(args[-1], Path) else ("note",)):
                raise KeyboardInterrupt
            return call(*args)

        return wrapped

    assert run(calm)
    for place, standing in (("index", 0), ("6-releases", 0), ("note", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(Workspace, "move_into_place", dies(Workspace.move_into_place, place))
            patch.setattr(releases, "replace_file", dies(releases.replace_file, place))
            with pytest.raises(KeyboardInterrupt):
                run(killed)
        assert len(list(killed.root.glob("6-releases/short/*.*.*"))) == standing
        assert len(list(killed.index("copies").glob("*/*"))) == (place != "index")
    assert not run(killed), "it stands already"
    for place in ("6-releases/short/1.0.0", "surveys/index/copies/short"):
        (here, there) = (sorted((w.root / place).rglob("*.json")) for w in (calm, killed))
        assert [p.relative_to(calm.root) for p in here] == [p.relative_to(killed.root) for p in there]
        assert [p.read_bytes() for p in here] == [p.read_bytes() for p in there]


def test_a_torn_segment_stops_the_survey_and_is_named(world):
    world.publish(OLD)
    rows = world.segment("1.0.0") / "documents.parquet"
    rows.write_bytes(rows.read_bytes()[:-9])
    (line,) = release_index.list_entries(world.workspace)
    assert (line.segment.state, line.masked) == ("broken", 0)
    with pytest.raises(StageError, match=r"1\.0\.0-.*documents\.parquet is not what sums\.json says\. Restore it"):
        world.survey(world.ledgers(NEW))
    shutil.rmtree(world.segment("1.0.0"))
    assert world.publish(OLD) == ""
    assert len(world.rows("1.0.0")) == 3
