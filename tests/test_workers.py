"""A document that hangs or kills its worker costs that document and no other."""

import os
import signal

from malmoi.workers import Broken, Done, Workers


def make(shared: int):
    def call(item: int) -> int:
        if item == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == 7:
            while True:
                pass
        if item == 9:
            raise KeyError("the text of a page")
        return item * shared

    return call


def test_a_killed_a_hanging_and_a_failing_item_are_broken_and_the_rest_is_done():
    with Workers(2, cpu_seconds=0.3) as workers:
        answers = list(workers.map(make, 10, range(40)))
    assert answers[3] == Broken("killed")
    assert answers[7] == Broken("cpu-limit")
    assert answers[9] == Broken("error:KeyError")
    assert [a for i, a in enumerate(answers) if i not in (3, 7, 9)] == [
        Done(i * 10) for i in range(40) if i not in (3, 7, 9)
    ]


def test_no_worker_process_gives_the_same_answers():
    with Workers(0) as workers:
        assert list(workers.map(make, 2, [1, 9, 2])) == [Done(2), Broken("error:KeyError"), Done(4)]
