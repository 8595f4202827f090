"""A document that hangs or kills its worker costs that document and no other."""

import os
import signal
import time

import psutil

from malmoi.workers import Broken, Done, Workers, attempt


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
            if process.status() == psutil.STATUS_ZOMBIE:  # of another test, not waited for yet
                continue
            if "forkserver" in " ".join(process.cmdline()) and process.children() == []:
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
