"""Collect, curate and release the papers in a workspace, in this process or as one of its own."""

from __future__ import annotations

import sys

from flows import run as runs
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from malmoi.errors import MalmoiError
from malmoi.storage import lease, placeholders
from malmoi.storage.location import locate
from malmoi.workspace import Workspace

RENEW, EXPIRES = 0.3, 2.0  # seconds


def publish(source: str, recipe: str, workspace: str) -> str:
    """Return the root of the release."""
    worker_pool.configure(0)
    home, chosen = Workspace.open(locate(workspace)), runs.recipe_of(recipe)
    with home.lock():
        return runs.run(home, chosen, (source,), executors.thread_mapper(1), Progress(quiet=True)).root


if __name__ == "__main__":
    lease.RENEW, lease.EXPIRES, placeholders.LARGE = RENEW, EXPIRES, 1
    try:
        print(publish(*sys.argv[1:]))
    except MalmoiError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.status) from None
