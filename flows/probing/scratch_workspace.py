"""A workspace that exists while a sample is looked at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from malmoi.workspace import Workspace


@contextmanager
def open_scratch(workspace: Workspace) -> Iterator[Workspace]:
    """Open an empty workspace inside `workspace`, with its tombstones and decisions; it is deleted at the end."""
    with workspace.temporary_folder() as folder:
        home = Workspace.open(folder / "scratch")
        files = (
            (workspace.withdrawals, home.withdrawals),
            (workspace.erasure_key, home.erasure_key),
            (workspace.reviews, home.reviews),
        )
        for path, copy in files:
            if path.exists():
                shutil.copy(path, copy)
        yield home
