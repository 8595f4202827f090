"""Workspaces whose index an earlier version of Malmoi compacted: segments that it merged are read as before."""

import pytest

from flows import release_index
from flows.console import SafeConsole
from tests.builders.small_index import LONG, MARKET, NEW, OLD, SNOW, World, known, merge_as_before, stub
from tests.builders.withdrawn import withdraw

LAST = OLD | {"ga/2": MARKET * 11} | NEW


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    stub(monkeypatch)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "w")
    world.publish(OLD)
    world.publish(OLD | {"ga/2": MARKET * 11})
    world.publish(LAST)
    return world


def compacted(world, **options):
    return merge_as_before(world.workspace, "small", [world.segment("1.0.0"), world.segment("1.1.0")], **options)


def test_a_merged_segment_says_what_those_said_that_it_replaces(world):
    before = known(world.workspace)
    compacted(world)
    assert known(world.workspace) == before
    assert {one.state for one in release_index.segments_by_survey(world.workspace)["copies"]} == {"counts"}


def test_a_rerun_finds_nothing_new_and_no_release_is_missed(world):
    compacted(world)
    assert world.publish(LAST) == ""
    assert release_index.releases_without_segment(world.workspace) == []


def test_a_copy_of_a_document_in_a_merged_segment_stays_out_of_the_next_release(world):
    compacted(world)
    version = world.publish(LAST | {"na/7": SNOW * 5 + LONG * 5, "na/8": SNOW * 12})
    assert [row for row in world.rows(version) if row[1] == version] == [("na/7", version)]


def test_of_segments_that_a_stopped_compaction_left_none_counts_twice_and_the_next_release_sweeps_them(world):
    before = known(world.workspace)
    merged = compacted(world, sweep=False)
    found = {one.folder.name: one for one in release_index.segments_by_survey(world.workspace)["copies"]}
    assert known(world.workspace) == before
    assert [one.state for one in found.values()].count("merged") == 2
    assert "the next release of this name removes it" in next(o.why for o in found.values() if o.state == "merged")
    assert world.publish(LAST | {"na/7": SNOW * 5 + LONG * 5})
    left = {one.folder for one in release_index.segments_by_survey(world.workspace)["copies"]}
    assert merged in left and len(left) == 3


def test_a_segment_that_was_merged_with_what_the_latest_release_left_is_read_whole(world):
    withdraw(world.workspace, ["ga/1"], "요청", "")
    before = known(world.workspace)
    merge_as_before(world.workspace, "small", [world.segment(v) for v in ("1.0.0", "1.1.0", "1.2.0")])
    assert known(world.workspace) == before
    assert world.publish(LAST | {"na/9": MARKET * 11}) == ""


def test_the_list_says_how_many_were_merged(world, capsys):
    compacted(world)
    release_index.show_segments(world.workspace.root, SafeConsole(width=160))
    assert "1.1.0 (with 2 merged)" in capsys.readouterr().out
