"""Map the jobs of a stage over task runs of Prefect: few groups of many jobs, whatever the size of the corpus.

A task run costs the server about 20 ms and a row that stays, and a terabyte of pages is 60,000 shards. So a call of the
mapper is at most GROUPS task runs, and none for a few jobs between two stages. The jobs of all groups share one pool of
threads: a slow job delays its own group only.

Task runs have no tags. For a tag, Prefect asks the server about limits of concurrency before and after the task run,
and a server that is too busy to answer fails it.
"""

from __future__ import annotations

import errno
import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from prefect import task
from prefect.logging.handlers import PrefectConsoleHandler
from prefect.states import Cancelled
from rich.console import Console

from flows.console import open_nothing
from flows.engine import worker_pool
from flows.engine.clusters import Engine, call_on, map_over
from flows.engine.executors import Mapper, ignore
from flows.engine.progress import Progress
from malmoi.errors import MalmoiError
from malmoi.storage.shuffle import find_task_name
from malmoi.workspace_layout import STAGES

GROUPS = 40  # per call of a mapper; a run makes about 40 calls, so 1,600 task runs for a corpus of any size
SMALLEST = 8  # jobs of a group, if the stage has as many: 30 seconds of work where a job is 256 captures
RETRIES = (5, 30)  # seconds before the second and the third attempt
# Errors of the operating system that may be gone at a second attempt; a full disk or a missing right stays.
PASSING = (errno.EIO, errno.EAGAIN, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.ENETUNREACH, errno.EHOSTUNREACH)


def can_pass(error: BaseException | None) -> bool:
    """Return whether a task that failed by `error` may succeed if it runs again: faults of network and storage.

    >>> can_pass(OSError(errno.EIO, "")), can_pass(ConnectionResetError()), can_pass(OSError(errno.ENOSPC, ""))
    (True, True, False)
    """
    return isinstance(error, (ConnectionError, TimeoutError)) or (isinstance(error, OSError) and error.errno in PASSING)


class Group:
    """Some jobs of a stage, the work of one task run; results in order.

    Not a dataclass: Prefect walks through dataclasses to look for futures, and here it would read each capture.
    """

    def __init__(self, name: str, call: Callable[[Any], Any], jobs: Sequence[Any], stage: Stage) -> None:
        self.name = name
        self.call = call
        self.jobs = jobs
        self.stage = stage
        self.results: dict[int, Any] = {}  # number of a finished job → its result; a retry runs the others

    def __str__(self) -> str:
        return self.name

    def run(self) -> list[Any] | None:
        """Run the jobs that are not finished; None if another group failed, so that some were left out.

        The first exception is raised, once no job of the group runs.
        """
        left = [at for at in range(len(self.jobs)) if at not in self.results]
        chunks = [left] if self.stage.engine is not None else [[at] for at in left]  # of an engine, a group is one task
        futures = [self.stage.threads.submit(self._run_jobs, chunk) for chunk in chunks if chunk]
        _, running = wait(futures, return_when=FIRST_EXCEPTION)
        for future in running:
            future.cancel()
        wait(futures)
        for future in futures:
            if not future.cancelled():
                future.result()
        if len(self.results) < len(self.jobs):
            return None
        return [self.results[at] for at in range(len(self.jobs))]

    def _run_jobs(self, chunk: Sequence[int]) -> None:
        if self.stage.failed.is_set():
            return
        jobs, engine = [self.jobs[at] for at in chunk], self.stage.engine
        results = [self.call(job) for job in jobs] if engine is None else call_on(engine, self.call, jobs)
        for at, result in zip(chunk, results, strict=True):
            self.stage.count(result)
            self.results[at] = result


class Stage:
    """State that the groups of one call share in the process of the flow."""

    def __init__(
        self, threads: Executor, done: Callable[[Any], None], engine: Engine | None = None, at_once: int = 1
    ) -> None:
        self.threads = threads
        self.engine = engine
        self.turns = threading.Semaphore(at_once)  # a group becomes a task run when it can start
        self.failed = threading.Event()  # a group has failed for good: no new job starts
        self._done = done
        self._lock = threading.Lock()

    def count(self, found: Any) -> None:
        """Report the result of a job."""
        with self._lock:
            self._done(found)


def make_mapper(progress: Progress, engine: Engine | None = None) -> Mapper:
    """Return a mapper over task runs of the running flow; their names say step, work, range and sources.

    With an engine, each task run waits for a node to run its group.

    Fewer than SMALLEST jobs of a survey or of a release run in the flow itself: they take less than their task run.
    """

    def map_as_tasks(
        call: Callable[[Any], Any], jobs: Sequence[Any], done: Callable[[Any], None] = ignore
    ) -> list[Any]:
        step, finished, says = progress.step, itertools.count(1), find_task_name(call)

        def count(found: Any) -> None:
            done(found)
            if not step.size:
                step.state = f"{says}, {next(finished):,} of {len(jobs):,}"

        if len(jobs) < (1 if step.name in STAGES else SMALLEST):
            return map_over(engine)(call, jobs, count)
        name = f"{step.name}: {says}" if step.name else says
        one: Any = task(
            name=name,
            task_run_name="{group}",
            retries=len(RETRIES),
            retry_delay_seconds=list(RETRIES),
            retry_condition_fn=lambda task, run, state: can_pass(
                state.data if isinstance(state.data, BaseException) else None
            ),
            persist_result=False,
        )(_run_group)
        at_once = worker_pool.count() + 1 if engine is None else 2 * engine.slots
        with ThreadPoolExecutor(at_once) as threads:
            stage = Stage(threads, count, engine, at_once)
            try:
                futures = []
                for group in group_jobs(name, call, jobs, stage):
                    stage.turns.acquire()
                    futures.append(one.submit(group))
                for future in futures:
                    future.wait()
                    if not future.state.is_completed():
                        stage.failed.set()
            except BaseException:
                stage.failed.set()
                raise
        # All tasks have ended, so none still writes when the workspace is unlocked.
        for future in futures:
            if not (future.state.is_completed() or future.state.is_cancelled()):
                future.result()
        return [each for future in futures for each in future.result()]

    return map_as_tasks


def group_jobs(name: str, call: Callable[[Any], Any], jobs: Sequence[Any], stage: Any = None) -> list[Group]:
    """Cut jobs into at most GROUPS groups of nearly equal size, in order, none smaller than SMALLEST but a lone one.

    >>> [str(group) for group in group_jobs("6-release: scan files", len, ["a"] * 20)]
    ['6-release: scan files 1-10 of 20', '6-release: scan files 11-20 of 20']
    """
    count = max(1, min(GROUPS, len(jobs) // SMALLEST))
    cuts = [len(jobs) * number // count for number in range(count + 1)]
    groups = []
    for start, end in itertools.pairwise(cuts):
        here = jobs[start:end]
        sources = list(dict.fromkeys(source for job in here if (source := getattr(job, "source", ""))))
        about = ", ".join(sources) if len(sources) <= 3 else f"{len(sources)} sources"
        says = f"{name} {start + 1:,}-{end:,} of {len(jobs):,}" + (f" ({about})" if about else "")
        groups.append(Group(says, call, here, stage))
    return groups


def _run_group(group: Group) -> Any:
    """Run one group, as a task; it ends as cancelled if another one has failed for good."""
    try:
        found = group.run()
    except BaseException as error:
        if not can_pass(error):
            group.stage.failed.set()
        raise
    finally:
        group.stage.turns.release()
    return Cancelled(message="another task of the stage failed; finished shards are kept") if found is None else found


class _NoTrace(logging.Filter):
    """Drop the traceback of errors whose message says what to do."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], MalmoiError):
            record.exc_info = None
        return True


def quiet_prefect() -> None:
    """Leave out the log lines that say that a task finished, and tracebacks of errors that explain themselves.

    When the pipe to a worker breaks, because it was killed, the lines go to the server only: rich would end the run.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, PrefectConsoleHandler):
            handler.console.on_broken_pipe = partial(_silence, handler.console)  # type: ignore[method-assign]
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, _NoTrace) for one in logger.filters):
            logger.addFilter(_NoTrace())
    if logger.level == logging.NOTSET:  # PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL=INFO shows them
        logger.setLevel(logging.WARNING)


def _silence(console: Console) -> None:
    console.quiet = True
    open_nothing(console.file.fileno())  # for what is still in its buffer, which would fail at the end
