"""A stage is a few groups of many jobs: cut, run, stopped and run again without a server."""

import errno
import io
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flows import run as runs
from flows.engine import task_mapper, worker_pool
from flows.engine.clusters import run_on_node
from flows.engine.executors import ignore, thread_mapper
from flows.engine.progress import Progress
from flows.engine.task_mapper import GROUPS, SMALLEST, Group, Stage, _run_group, can_pass, group_jobs
from malmoi.errors import SourceError, StageError
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_corpus import OTHER, PROSE, ROWS, make


class Job:
    def __init__(self, source):
        self.source = source


@pytest.fixture
def stage():
    seen = []
    with ThreadPoolExecutor(3) as threads:
        made = Stage(threads, seen.append)
        made.seen = seen
        yield made


@pytest.mark.parametrize("count", [1, 7, 8, 61, 512, 513, 63_000])
def test_groups_hold_every_job_once_in_order_and_stay_few(count):
    groups = group_jobs("2-documents", len, range(count))
    assert [job for group in groups for job in group.jobs] == list(range(count))
    assert len(groups) <= GROUPS
    sizes = [len(group.jobs) for group in groups]
    assert max(sizes) - min(sizes) <= 1 and (min(sizes) >= SMALLEST or len(groups) == 1)


def test_a_terabyte_of_pages_is_less_than_two_thousand_task_runs():
    """63,000 shards through the 40 calls of a run; the corpus decides the size of groups, not their number."""
    assert 40 * len(group_jobs("", len, range(63_000))) <= 2_000


def test_the_name_of_a_task_run_says_step_work_range_and_sources():
    jobs = [Job("a")] * 9 + [Job("b")] * 8
    assert [str(group) for group in group_jobs("2-documents: extract shards", len, jobs)] == [
        "2-documents: extract shards 1-8 of 17 (a)",
        "2-documents: extract shards 9-17 of 17 (a, b)",
    ]
    many = [Job(f"s{number}") for number in range(9)]
    assert str(group_jobs("3-clean: filter shards", len, many)[0]) == "3-clean: filter shards 1-9 of 9 (9 sources)"


def test_all_work_of_a_run_has_a_name_for_people_who_watch_it(tmp_path):
    """Names of functions are for the code: `_look` and `rows` say nothing in a list of task runs."""
    source, workspace = make(tmp_path / "corpus", 6), Workspace.open(tmp_path / "w")
    recipe, progress, calls = runs.recipe_of("general"), Progress(quiet=True), {}

    def run_here(call, jobs, done=ignore):
        calls.setdefault(call, progress.step.name)
        return thread_mapper(1)(call, jobs, done)

    runs.run(workspace, recipe, [str(source)], run_here, progress)
    (source.parent / "pages" / "rows.csv").write_text(ROWS.format(a=PROSE * 8, b=OTHER * 7), encoding="utf-8")
    runs.run(workspace, recipe, [str(source)], run_here, progress)  # reads the index of the first release
    assert {"2-documents", "3-clean", "6-release"} <= {*calls.values()}
    assert len(calls) > 15
    assert not [call for call in calls if not hasattr(call, "task_name")]


def test_a_group_gives_its_results_in_order_and_counts_each_job(stage):
    assert Group("", str, [3, 1, 2], stage).run() == ["3", "1", "2"]
    assert sorted(stage.seen) == ["1", "2", "3"]


def test_a_group_that_runs_again_runs_what_is_not_finished(stage):
    tried = []

    def call(job):
        tried.append(job)
        if job == 2 and tried.count(2) == 1:
            raise OSError(errno.EIO, "Input/output error")
        return job

    group = Group("", call, [1, 2, 3], stage)
    with pytest.raises(OSError, match="Input/output"):
        _run_group(group)
    assert not stage.failed.is_set()
    assert _run_group(group) == [1, 2, 3]
    assert sorted(tried) in ([1, 2, 2, 3], [1, 2, 2, 3, 3])  # 3 may have been left out at first, never repeated
    assert tried.count(1) == 1


def test_a_failure_that_stays_stops_the_other_groups_and_they_end_as_cancelled(stage):
    def call(job):
        raise StageError("the code is at fault")

    with pytest.raises(StageError):
        _run_group(Group("", call, [1], stage))
    after = _run_group(Group("", str, [1, 2], stage))
    assert after.is_cancelled() and "another task of the stage failed" in after.message
    assert stage.seen == []


def test_a_slow_job_does_not_keep_another_group_from_running(stage):
    slow, other = threading.Event(), threading.Event()

    def call(job):
        return slow.wait(20) if job == "slow" else other.set()

    first = threading.Thread(target=Group("", call, ["slow", "quick"], stage).run)
    first.start()
    Group("", call, ["quick"] * 20, stage).run()
    assert other.is_set() and first.is_alive()
    slow.set()
    first.join(20)
    assert not first.is_alive()


class OneNode:
    """An engine of one node, which is this process."""

    name, slots, cores = "one", 1, 1

    def __init__(self):
        self.tasks = 0

    def run(self, task):
        self.tasks += 1
        return run_on_node(task, worker_pool.count(), 1)


def test_a_group_is_one_task_of_an_engine(stage):
    stage.engine = OneNode()
    assert Group("name", str, [1, 2], stage).run() == ["1", "2"]
    assert stage.engine.tasks == 1


@each_row(
    ("error", "passes"),
    [
        (OSError(errno.EIO, ""), True),
        (OSError(errno.ESTALE, ""), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (OSError(errno.ENOSPC, ""), False),
        (OSError(errno.EACCES, ""), False),
        (FileNotFoundError(errno.ENOENT, ""), False),
        (SourceError("closed"), False),
        (StageError("20 of 50 documents failed"), False),
        (KeyError("a bug"), False),
        (None, False),
    ],
)
def test_only_faults_that_can_pass_are_tried_again(error, passes):
    assert can_pass(error) is passes


def test_a_broken_pipe_to_the_worker_does_not_end_the_run(monkeypatch):
    from prefect.logging.handlers import PrefectConsoleHandler

    class Broken(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    handler = PrefectConsoleHandler(stream=Broken())
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    task_mapper.quiet_prefect()
    for _ in range(2):  # without it the first one raises SystemExit
        handler.handle(logging.makeLogRecord({"msg": "a line", "levelno": logging.INFO}))
    assert handler.console.quiet


@pytest.mark.heavy
def test_a_pipe_to_the_worker_that_breaks_before_the_flow_begins_does_not_end_the_run():
    """Prefect logs a line between the import of the flow and its call."""
    code = "import logging, flows.prefect_flows; logging.getLogger().warning('a line')"
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as broken:
        for buffered in ("", "1"):
            env = {**os.environ, "PYTHONUNBUFFERED": buffered}
            assert subprocess.run([sys.executable, "-c", code], stderr=broken, env=env, check=False).returncode == 0
