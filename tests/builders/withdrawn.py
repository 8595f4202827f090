"""Withdraw documents of a workspace in a test, without a look at its releases."""

from collections.abc import Sequence

from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.workspace import Workspace

DAY = "2026-11-24"


def withdraw(
    workspace: Workspace, ids: Sequence[str], reason: str = "요청", request: str = "", *, day: str = DAY
) -> list[str]:
    """Record that documents are withdrawn; the ids of those that were not before."""
    stones = [Tombstone("id", id, day, reason, request) for id in ids]
    return [one.key for one in tombstones.add(workspace.withdrawals, stones)]
