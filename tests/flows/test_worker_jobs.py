"""A job of a release runs in a worker process, and ends as it would in the flow itself."""

import errno
import os
import pickle
import signal
from pathlib import Path

import pyarrow as pa
import pytest

from flows.engine import worker_pool
from flows.engine.clusters import FEW, bind_to_worker, make_runner
from flows.engine.executors import thread_mapper
from malmoi.errors import DataError, StageError
from malmoi.storage.shuffle import find_task_name, name_task


@pytest.fixture
def pool():
    worker_pool.configure(1)
    yield
    worker_pool.configure(None)


@name_task("name processes")
def name_process(_: object) -> int:
    return os.getpid()


def fail(how: str) -> None:
    raise DataError("data/a.parquet: bad") if how == "data" else OSError(errno.ENOSPC, "No space left on device", "a")


def end_once(flag: Path) -> str:
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def _end_always(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def name_allocator(_: object) -> str:
    return str(pa.default_memory_pool().backend_name)


def test_a_job_runs_in_a_worker_under_the_name_of_its_function(pool):
    call = pickle.loads(pickle.dumps(bind_to_worker(name_process)))
    assert find_task_name(call) == "name processes"
    assert call(0) not in (0, os.getpid())


def test_errors_come_through_as_they_were_raised(pool):
    with pytest.raises(DataError, match="bad"):
        bind_to_worker(fail)("data")
    with pytest.raises(OSError, match="No space left") as full:
        bind_to_worker(fail)("disk")
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, "a")


def test_a_job_whose_worker_is_killed_runs_again(pool, tmp_path):
    assert bind_to_worker(end_once)(tmp_path / "flag") == "done"


def test_a_job_that_ends_every_worker_is_named(pool):
    with pytest.raises(StageError, match=r"^end always: the worker process ended each time \(killed\)"):
        bind_to_worker(_end_always)(0)


def test_few_jobs_do_not_start_the_pool_and_many_do(pool):
    run = make_runner(thread_mapper(1))
    assert set(run(name_process, [0] * FEW)) == {os.getpid()}
    assert not worker_pool.is_started()
    assert os.getpid() not in run(name_process, [0] * (FEW + 1))
    assert os.getpid() not in run(name_process, [0])  # it costs nothing now


def test_workers_return_freed_tables_to_the_system(pool):
    assert bind_to_worker(name_allocator)(0) == "system"
