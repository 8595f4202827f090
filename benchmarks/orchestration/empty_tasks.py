"""Run a flow whose tasks do nothing, GROUPS task runs a call: python -m benchmarks.orchestration.empty_tasks CALLS"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import sys

from prefect import flow

from flows.engine.progress import Progress
from flows.engine.task_mapper import GROUPS, SMALLEST, make_mapper, quiet_prefect
from flows.prefect_flows import RUNNER


def pass_on(job: int) -> int:
    """Return the job."""
    return job


@flow(name="empty", task_runner=RUNNER)
def empty(calls: int) -> None:
    """Call the mapper of the flows `calls` times."""
    quiet_prefect()
    progress = Progress(quiet=True)
    mapper = make_mapper(progress)
    for _ in range(calls):
        with progress.stage("2-documents", GROUPS * SMALLEST) as step:
            mapper(pass_on, range(GROUPS * SMALLEST), lambda _: step.advance())


if __name__ == "__main__":
    empty(int(sys.argv[1]))
