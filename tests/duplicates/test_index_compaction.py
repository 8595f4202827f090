"""Compaction of the index: many segments become few, and nothing of what is known changes."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows import release_index
from malmoi.errors import CallError
from malmoi.releases.index import segments
from malmoi.workspace import Workspace
from tests.builders.small_index import LONG, MARKET, NEW, OLD, SNOW, World, known, stub


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    stub(monkeypatch)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "w")


class TestCompaction:
    """Many segments become few, and nothing of what is known changes."""

    @pytest.fixture
    def grown(self, world):
        world.publish(OLD)
        world.publish(OLD | {"ga/2": MARKET * 11})
        world.publish(OLD | {"ga/2": MARKET * 11} | NEW)
        return world

    def test_segments_that_the_latest_release_read_become_one_with_the_newest_row_of_each_id(self, grown):
        before = known(grown.workspace)
        release_index.compact(grown.workspace, "small")
        assert known(grown.workspace) == before
        (merged,) = grown.workspace.index("copies").glob("small/1.1.0-*")
        rows = pq.read_table(merged / "documents.parquet")
        assert sorted(zip(rows["id"].to_pylist(), rows["version"].to_pylist(), strict=True)) == [
            ("ga/1", "1.0.0"),
            ("ga/2", "1.1.0"),
            ("ga/3", "1.0.0"),
        ]
        assert len(list(grown.workspace.index("copies").glob("small/*"))) == 2

    def test_a_rerun_after_a_compaction_finds_nothing_new(self, grown):
        release_index.compact(grown.workspace, "small")
        assert grown.publish(OLD | {"ga/2": MARKET * 11} | NEW) == ""
        assert release_index.releases_without_segment(grown.workspace) == []

    def test_withdrawn_documents_leave_also_what_the_latest_release_left(self, grown):
        release_index.withdraw(grown.workspace, ["ga/1", "na/2"], "요청", "")
        before = known(grown.workspace)
        release_index.compact(grown.workspace, "small")
        assert known(grown.workspace) == before
        held = [one.masked for one in release_index.list_entries(grown.workspace)]
        assert held == [0, 0]
        assert grown.publish(OLD | {"ga/2": MARKET * 11, "na/1": NEW["na/1"], "na/2": NEW["na/2"]}) == ""

    def test_a_second_compaction_has_nothing_to_do_and_a_later_one_goes_on(self, grown):
        assert len(release_index.compact(grown.workspace, "small")) == 1
        assert release_index.compact(grown.workspace, "small") == []
        grown.publish(OLD | NEW | {"na/7": SNOW * 5 + LONG * 5})
        before = known(grown.workspace)
        assert len(release_index.compact(grown.workspace, "small")) == 1
        assert known(grown.workspace) == before

    def test_what_another_release_read_by_itself_stays_apart_so_that_its_rerun_finds_nothing_new(self, tmp_path):
        first, second = World(tmp_path / "w", "first"), World(tmp_path / "w", "second", "all")
        first.publish(OLD)
        second.publish(NEW)
        first.publish(OLD | {"ga/5": NEW["na/2"]})
        first.publish(OLD | {"ga/5": NEW["na/2"], "ga/6": SNOW * 7 + LONG * 7})
        release_index.compact(first.workspace, "first")
        assert second.publish(NEW) == ""
        assert first.publish(OLD | {"ga/5": NEW["na/2"], "ga/6": SNOW * 7 + LONG * 7}) == ""
        assert len(list(first.workspace.index("copies").glob("first/*"))) == 3

    def test_killed_anywhere_it_changes_nothing_of_what_is_known(self, grown, monkeypatch):
        release_index.withdraw(grown.workspace, ["ga/1"], "요청", "")
        before = known(grown.workspace)
        for moment in range(20):
            calls = iter(range(moment))

            def dies(call, calls=calls):
                def wrapped(*args, **kwargs):
                    if next(calls, None) is None:
                        raise KeyboardInterrupt
                    result = call(*args, **kwargs)
                    assert known(grown.workspace) == before
                    return result

                return wrapped

            with monkeypatch.context() as patch:
                patch.setattr(Workspace, "move_into_place", dies(Workspace.move_into_place))
                patch.setattr(segments, "sweep", dies(segments.sweep))
                patch.setattr(Path, "rename", dies(Path.rename))
                try:
                    release_index.compact(grown.workspace, "small")
                    done = True
                except KeyboardInterrupt:
                    done = False
            assert known(grown.workspace) == before
            if done:
                break
        assert done
        assert moment > 2
        assert {one.state for one in release_index.segments_by_survey(grown.workspace)["copies"]} == {"counts"}

    def test_a_name_without_a_segment_is_refused(self, grown):
        with pytest.raises(CallError, match="no segment of 'other'"):
            release_index.compact(grown.workspace, "other")
