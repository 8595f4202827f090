"""A document that hangs or kills its worker costs that document and no other."""

import contextlib
import faulthandler
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest

from malmoi.errors import CallError, StageError
from malmoi.processes import fork_server
from malmoi.processes.import_path import COLLECT_AFTER
from malmoi.processes.workers import Broken, Done, Workers, attempt, require_memory


def make(shared: int):
    def one(item: int) -> int:
        if item == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == 7:
            while True:
                pass
        if item == 9:
            raise KeyError("the text of a page")
        return item * shared

    return lambda batch: [attempt(one, item) for item in batch]


def batches(count: int, size: int = 8) -> list[list[int]]:
    return [list(range(at, min(at + size, count))) for at in range(0, count, size)]


def single(batch: list[int]) -> list[list[int]]:
    return [[item] for item in batch]


def test_a_killed_a_hanging_and_a_failing_item_are_broken_and_the_rest_is_done():
    found: dict[int, object] = {}
    with Workers(2, cpu_seconds=0.3) as workers:
        for batch, answer in workers.map(make, 10, batches(40), single):
            if isinstance(answer, Broken):
                assert len(batch) == 1
                found[batch[0]] = answer
            else:
                found |= dict(zip(batch, answer.value, strict=True))
    assert list(found) == list(range(40))
    assert (found[3], found[7], found[9]) == (Broken("killed"), Broken("cpu-limit"), Broken("error:KeyError"))
    assert all(found[i] == Done(i * 10) for i in found if i not in (3, 7, 9))


def test_a_pool_whose_workers_are_killed_from_outside_is_made_anew():
    with Workers(2, cpu_seconds=5) as workers:
        answers = workers.map(slow, 0, batches(64, 4), single)
        found = [next(answers)]
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "fork_server" in command_of(process) and process.children() == []:
                    process.kill()
        found += answers
    items = [item for batch, _ in found for item in batch]
    assert items == list(range(64))


def slow(shared: int):
    return lambda batch: [time.sleep(0.01) or item for item in batch]


def test_no_worker_process_gives_the_same_answers():
    with Workers(0) as workers:
        ((_, answer),) = workers.map(make, 2, [[1, 9, 2]], single)
    assert answer == Done([Done(2), Broken("error:KeyError"), Done(4)])


# What happens to the pool from outside. Every test is bounded: a wait that has no bound would hang here.

ROUNDS, SEED = 4, 20261127
KILLED = ("worker", "workers", "fork server", "both", "all")


def command_of(process: psutil.Process) -> str:
    """How a process was started; "" of one that ended, also while it is asked, or that another test left behind."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.Error:
        return ""


def servers() -> list[psutil.Process]:
    return [process for process in psutil.Process().children() if "fork_server" in command_of(process)]


def kill(what: str, dice: random.Random) -> None:
    for server in servers():
        with contextlib.suppress(psutil.Error):
            workers = server.children()
            count = {"fork server": 0, "worker": 1, "both": 1}.get(what, len(workers))
            for process in dice.sample(workers, min(count, len(workers))):
                process.kill()
            if what in ("fork server", "both", "all"):
                server.kill()


def bounded(seconds: float, call):
    """What `call` returns in a thread of its own; fails where it takes longer than `seconds`."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(call)
        try:
            return future.result(timeout=seconds)
        except TimeoutError:
            faulthandler.dump_traceback(all_threads=True)
            os._exit(99)  # the thread would be waited for: that is the hang


def disturbed(what: str, moments: list[float], dice: random.Random) -> list[list[int]]:
    """Three threads map over one pool while another kills at the moments; the items that each got back."""
    with Workers(2, cpu_seconds=5) as workers:

        def items(size: int) -> list[int]:
            found = workers.map(large, 0, batches(64, size), single)
            return [item for _, answer in found for item, _ in answer.value]

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(items, size) for size in (2, 4, 8)]
            began = time.monotonic()
            for moment in moments:
                time.sleep(max(0.0, began + moment - time.monotonic()))
                kill(what, dice)
            return [future.result() for future in futures]


def large(shared: int):
    """Answers above what a pipe holds: a worker is killed in the middle of one, too."""
    return lambda batch: [time.sleep(0.003) or (item, bytes(40_000)) for item in batch]


def killed_in_rounds(rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(rounds):
        what = KILLED[number % len(KILLED)]
        moments = sorted(dice.uniform(0, 0.6) for _ in range(dice.choice([1, 1, 2])))
        found = bounded(60, partial(disturbed, what, moments, dice))
        assert found == [list(range(64))] * 3, (number, what, moments)


@pytest.mark.heavy
def test_a_pool_that_is_killed_at_random_moments_answers_all():
    killed_in_rounds(ROUNDS, SEED)


@pytest.mark.soak
def test_a_pool_that_is_killed_in_hundreds_of_rounds_answers_all():
    killed_in_rounds(int(os.environ.get("MALMOI_SOAK_ROUNDS", "300")), SEED + 1)


def answers(workers: Workers, count: int = 16) -> list[int]:
    return [item for _, answer in workers.map(large, 0, batches(count, 4), single) for item, _ in answer.value]


@pytest.mark.heavy
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT, signal.SIGSTOP])
def test_a_fork_server_that_ends_or_stops_before_the_first_fork_is_replaced(sent, monkeypatch):
    monkeypatch.setattr(fork_server, "START_SECONDS", 2.0)
    with Workers(2) as workers:
        workers.warm()
        for server in servers():
            server.send_signal(sent)
        assert bounded(60, lambda: answers(workers)) == list(range(16))


@pytest.mark.heavy
@pytest.mark.parametrize("warm", [False, True])
def test_a_fork_server_that_somebody_else_has_waited_for_is_replaced(warm):
    with Workers(2) as workers:
        assert answers(workers) == list(range(16))
        for server in servers():
            for process in (*server.children(), server):
                process.kill()
            os.waitpid(server.pid, 0)
        if warm:
            workers.warm()
        assert bounded(60, lambda: answers(workers)) == list(range(16))


def test_a_pool_is_a_fork_server_and_its_workers_and_nothing_else():
    before = set(psutil.Process().children(recursive=True))
    with Workers(2, preload=("json",)) as workers:  # a fork server of its own
        assert answers(workers) == list(range(16))
        started = set(psutil.Process().children(recursive=True)) - before
        assert all("fork_server" in command_of(process) for process in started) and 2 <= len(started) <= 3


def name_folder(shared: int):
    return lambda batch: str(Path.cwd())


def test_a_worker_has_the_working_directory_of_the_process_that_starts_it(tmp_path, monkeypatch):
    for name in ("first", "second"):  # of one fork server
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with Workers(1) as workers:
            assert list(workers.map(name_folder, 0, [[0]], single)) == [([0], Done(str(tmp_path / name)))]


def test_a_worker_that_outlives_the_socket_of_its_fork_server_prints_nothing():
    """After a kill -9 of a run its workers end while the fork server does; it had printed a traceback."""
    ours, theirs = socket.socketpair()
    code = (
        f"import os, signal; from malmoi.processes.fork_server import serve_forks; serve_forks({theirs.fileno()}, ()); "
        "os.kill(os.getpid(), signal.SIGCHLD)"
    )
    with theirs:
        server = subprocess.Popen([sys.executable, "-c", code], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
    ours.close()
    assert (server.communicate(timeout=60)[1], server.returncode) == (b"", 0)


def test_a_daemonic_process_may_have_a_pool():
    """As a worker of Dask is; multiprocessing forbids it children."""
    code = (
        "import multiprocessing, sys; sys.path.insert(0, sys.argv[1]); import test_workers as t\n"
        "def run():\n"
        "    with t.Workers(1) as workers: print(t.answers(workers) == list(range(16)), flush=True)\n"
        "child = multiprocessing.get_context('fork').Process(target=run, daemon=True)\n"
        "child.start(); child.join()"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["True"], done.stderr


@pytest.mark.parametrize("raised", [OSError(24, "Too many open files"), BrokenPipeError(), EOFError(), TimeoutError()])
def test_whatever_the_start_of_a_worker_meets_is_tried_again_or_said(raised, monkeypatch):
    monkeypatch.setattr("malmoi.processes.workers.PAUSE_SECONDS", 0.01)
    met = iter([raised, raised])
    fork = fork_server.ForkServer.fork

    def sometimes(self, pipe):
        if error := next(met, None):
            raise error
        return fork(self, pipe)

    monkeypatch.setattr(fork_server.ForkServer, "fork", sometimes)
    with Workers(1) as workers:
        assert bounded(60, lambda: answers(workers)) == list(range(16))
    met = iter([raised] * 5)
    with Workers(1) as workers, pytest.raises(StageError, match=f"5 times.*{type(raised).__name__}"):
        bounded(60, lambda: answers(workers))


def test_a_fork_server_that_cannot_live_ends_the_run_with_advice(monkeypatch):
    monkeypatch.setattr("malmoi.processes.workers.PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "builders"))
    for server in servers():
        server.kill()
    with Workers(2, preload=("dies_when_imported",)) as workers, pytest.raises(StageError) as raised:
        bounded(60, lambda: answers(workers))
    assert "could not be started 5 times" in str(raised.value) and "ulimit -a" in str(raised.value)
    with Workers(1) as workers:
        assert bounded(60, lambda: answers(workers)) == list(range(16))


def test_a_worker_that_stops_answering_is_killed_at_the_wall_limit(monkeypatch):
    monkeypatch.setattr("malmoi.processes.workers.WALL_SECONDS", 3.0)
    monkeypatch.setattr("malmoi.processes.workers.WALL_PER_CPU", 0.0)
    with Workers(2) as workers:
        found = bounded(60, lambda: list(workers.map(stops, 0, batches(8, 4), single)))
    assert [batch for batch, answer in found if answer == Broken("wall-limit")] == [[5]]
    assert sum(isinstance(answer, Done) for _, answer in found) == 4  # the other batch, and three alone


def stops(shared: int):
    return lambda batch: [os.kill(os.getpid(), signal.SIGSTOP) if item == 5 else item for item in batch]


@pytest.mark.heavy
def test_a_fork_server_that_stops_with_its_workers_does_not_hold_up_the_end():
    with Workers(2) as workers:
        assert answers(workers) == list(range(16))
        for server in servers():
            for process in (*server.children(), server):
                process.suspend()
        began = time.monotonic()
    assert time.monotonic() - began < 30
    with Workers(2) as workers:
        assert bounded(60, lambda: answers(workers)) == list(range(16))


def test_closing_ends_what_is_under_way():
    workers = Workers(2)
    found = workers.map(slowly, 0, batches(8, 4), single)
    threading.Timer(1.0, workers.close).start()
    with pytest.raises(StageError, match="were stopped"):
        bounded(30, lambda: list(found))


def slowly(shared: int):
    return lambda batch: time.sleep(600)


class PanicException(BaseException):
    """As pyo3 raises it: derived from BaseException, in a module that nobody can import."""

    __module__ = "pyo3_runtime"


def panics(item: int) -> int:
    if item == 1:
        raise PanicException("index out of bounds")
    if item == 2:
        raise OSError("of a library, without a number")
    return item


def test_a_panic_of_compiled_code_costs_one_item():
    with Workers(2) as workers:
        ((_, answer),) = workers.map(panicking, 0, [[0, 1, 2, 3]], single)
    assert answer == Done([Done(0), Broken("error:PanicException"), Broken("error:OSError"), Done(3)])


def panicking(shared: int):
    return lambda batch: [attempt(panics, item) for item in batch]


def raising(shared: str):
    def batch(items: list[int]) -> list[int]:
        if shared == "panic":
            raise PanicException("a text")
        if shared == "strange":
            raise Strange("a", "text")
        if shared == "exit":
            raise SystemExit(3)
        raise FileNotFoundError(2, "No such file", "gone.parquet")

    return batch


class Strange(Exception):
    """Cannot be unpickled: its constructor takes two arguments and hands one on."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


@pytest.mark.parametrize(
    ("shared", "kind", "says"),
    [
        ("panic", StageError, "a worker process failed with PanicException in test_workers.py:"),
        ("strange", StageError, "a worker process failed with Strange in test_workers.py:"),
        ("machine", FileNotFoundError, "gone.parquet"),
        ("exit", SystemExit, "3"),
    ],
)
def test_what_a_call_raises_is_raised_here_or_explained(shared, kind, says):
    with Workers(1) as workers, pytest.raises(kind) as raised:
        bounded(60, lambda: list(workers.map(raising, shared, [[1]], single)))
    assert says in str(raised.value) and "a text" not in str(raised.value)


@pytest.mark.parametrize("gigabytes", [1, 4, 5])
def test_a_lower_memory_limit_of_the_shell_holds_for_the_workers(gigabytes):
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); import test_workers as t\n"
        "if __name__ == '__main__':\n"
        f"    resource.setrlimit(resource.RLIMIT_AS, ({gigabytes} << 30,) * 2)\n"
        "    with t.Workers(2) as workers: ((_, found),) = workers.map(t.limits, 0, [[1]], t.single)\n"
        "    print(found.value[0])"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == [str(gigabytes << 30)], done.stderr


def limits(shared: int):
    return lambda batch: [resource.getrlimit(resource.RLIMIT_AS)[0]]


def test_less_address_space_than_a_run_needs_is_said_before_it_starts(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2500 << 20, 2500 << 20))
    with pytest.raises(CallError, match=r"2,500 MiB \(`ulimit -v`\); a run needs 4 GiB.*`ulimit -v unlimited`"):
        require_memory()


def test_a_script_without_a_guard_of_its_main_module_works(tmp_path):
    script = tmp_path / "unguarded.py"  # a worker does not run it again
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1]); import test_workers as t\n"
        "with t.Workers(1) as workers: ((_, found),) = workers.map(t.large, 0, [[1]], t.single)\n"
        "print(found.value[0][0])"
    )
    command = [sys.executable, str(script), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["1"], done.stderr


def read_collector(shared: int):
    import gc

    huge = os.environ["GLIBC_TUNABLES"]
    return lambda batch: [(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count() > shared, huge) for _ in batch]


def test_workers_collect_seldom_leave_out_what_the_fork_server_imported_and_get_huge_pages():
    with Workers(1) as workers:
        ((_, answer),) = workers.map(read_collector, 10_000, [[0]], single)
    assert answer == Done([(True, COLLECT_AFTER, True, fork_server.HUGE_PAGES)])
