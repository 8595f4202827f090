"""Map jobs over the tasks of a running Prefect flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prefect import task
from prefect.futures import wait

AT_ONCE = 200  # task runs submitted together; the server records about 47 a second


def map_as_tasks(
    call: Callable[[Any], Any], jobs: Sequence[Any], done: Callable[[Any], None] = lambda _: None
) -> list[Any]:
    """Run each job as a task of the running flow; a task that fails is retried once."""
    one: Any = task(name=call.__name__, retries=1, persist_result=False)(call)
    results = []
    for at in range(0, len(jobs), AT_ONCE):
        futures = list(one.map(list(jobs[at : at + AT_ONCE])))
        wait(futures)  # wait for all, so that none still writes when one has failed and the lock is released
        for future in futures:
            results.append(future.result())
            done(results[-1])
    return results
