"""Report documents of a source that could not be read, and refuse a source most of whose captures could not."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from crawlers.catalogue import Definition
from crawlers.source_errors import LABEL, ROWS, UNREADABLE_CAPTURE, UNREADABLE_TABLE, omit_message
from flows.engine import earlier_shards
from flows.plurals import count_of
from malmoi.ledger import Ledger, total
from malmoi.source import Folder
from malmoi.storage import shard
from malmoi.workspace import Workspace

REASONS = (UNREADABLE_TABLE, UNREADABLE_CAPTURE)
MAX_SHARE = 0.5  # of the captures that hold documents; above it the source, not its captures, is at fault


@dataclass(slots=True)
class Unread:
    """Documents of one source that could not be read, and the captures that they are of."""

    documents: int  # of the source, read or not
    reasons: Counter[str]
    captures: int = 0  # that hold documents
    lost: int = 0  # of those, captures that gave no document for this reason
    rows: int = 0  # of tables that were lost beyond one for each document in their place
    first: str = ""  # id of such a document
    said: list[str] = field(default_factory=list)  # the error of the first

    def describe(self, file: str, workspace: Workspace) -> str:
        """Say how many documents were lost and why, with the first error and the next step."""
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.reasons.most_common())
        number = f"{self.reasons.total():,} of {count_of(self.documents, 'document')}"
        why = ": ".join((self.first, *self.said)).removesuffix(".") + "."
        look = f" See it with `malmoi why {shlex.quote(str(workspace.root))} {shlex.quote(self.first)}`."
        look = "" if workspace.is_temporary else look
        return (
            f"{number} could not be read ({reasons}), first {why}{look} Repair the data or correct the functions of "
            f"{file}, and run again; error pages of an interface are for its trouble()."
        )


def find_unread(workspace: Workspace, ledgers: Sequence[Ledger]) -> Unread | None:
    """Return what of a source could not be read, from its shards of the first stage; None if all could."""
    entered, _, dropped, failed = total(ledgers)
    reasons = Counter({reason: count for (_, _, reason), count in dropped.items() if reason in REASONS and count})
    reasons.update(one.why for one in failed)
    if not reasons:
        return None
    found = Unread(entered.total(), reasons)
    for ledger in ledgers:
        _add_shard(found, workspace, ledger)
    return found


def is_refused(found: Unread, definition: Definition) -> bool:
    """Whether a source must stop: its own functions, or a folder, promise that its captures can be read.

    A site or an archive may hold anything; without functions of its own it promises nothing.
    """
    promises = (
        definition.items or definition.text or definition.evidence or isinstance(definition.source.access, Folder)
    )
    rows = found.rows > 0 and found.reasons.total() > MAX_SHARE * found.documents
    return bool(promises) and (rows or found.lost > MAX_SHARE * found.captures)


def _add_shard(found: Unread, workspace: Workspace, ledger: Ledger) -> None:
    folder = workspace.stage("2-documents", ledger.key)
    inputs = shard.read(folder / earlier_shards.NAME, ["input", "kept", "dropped"]).to_pylist()
    found.captures += sum(one["input"] is None or one["kept"] + one["dropped"] > 0 for one in inputs)
    is_refused = any(count and reason in REASONS for (_, _, reason), count in ledger.dropped.items())
    if not (is_refused or ledger.failed):
        return
    rows = shard.read(folder / "dropped.parquet", ["id", "reason", "labels"]).to_pylist()
    lost = [row for row in rows if row["reason"] in REASONS]
    dropped = iter(rows)
    for one in inputs:
        reasons = [row["reason"] for row in islice(dropped, one["dropped"])]
        is_lost = one["input"] is None or any(reason in REASONS for reason in reasons)
        found.lost += is_lost and not one["kept"]
    for row in lost:
        more = next((int(one["value"]) - 1 for one in row["labels"] if one["name"] == ROWS), 0)
        found.rows += more
        found.documents += more
        found.reasons[row["reason"]] += more
    if lost and not found.first:
        found.first = lost[0]["id"]
        found.said = [one["value"] for one in lost[0]["labels"] if one["name"] == LABEL]
    elif ledger.failed and not found.first:
        found.first = ledger.failed[0].id
        found.said = [omit_message(ledger.failed[0].detail) or ledger.failed[0].why]
