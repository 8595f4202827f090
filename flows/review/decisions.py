"""Record, list, revoke, export and import decisions; the terminal and the page call the same functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.review.queue import Group, read_groups
from malmoi.errors import CallError
from malmoi.licensing import review_file
from malmoi.licensing.review_decisions import BETWEEN, Decision, Target, Verdict, covers
from malmoi.printable import dump_json
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.location import find_address
from malmoi.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides, and why."""

    name: str
    reason: str


def decide_target(
    workspace: Workspace,
    target: Target,
    value: str,
    source: str,
    licence: str,
    by: Reviewer,
    groups: Sequence[Group] | None = None,
) -> tuple[Decision, int]:
    """Record a decision and return it with the number of documents of the queue that it takes out.

    `licence` is what is granted; "" denies. `groups` is the queue, read anew if it is not given. CallError, and nothing
    is written, if the decision is not valid, or if no document of the queue is one that it grants or has its shape. A
    decision that is repeated is the one that was made before.
    """
    decision = make_decision("grant" if licence else "deny", target, value, source, licence, by)
    queue = read_groups(workspace, [source]) if groups is None else groups
    count = count_targeted(queue, target, value, source)
    is_known = review_file.find_repeated(review_file.read(workspace.reviews), decision) is not None
    if not count and not is_known and (licence or target == "shape"):
        raise CallError(
            f"no document of source {source!r} that needs a review is covered by {value!r}; nothing was written. "
            "`malmoi review --list` shows what can be decided; an item or addresses can be denied without that."
        )
    return append(workspace, [decision])[0], count


def make_decision(
    verdict: Verdict, target: Target, value: str, source: str, licence: str, by: Reviewer, found: str = ""
) -> Decision:
    """Return a new decision of today; CallError if it is not valid."""
    made = review_file.make_id(target)
    words = (by.name.strip(), _today(), by.reason.strip(), found)
    decision = Decision(made, verdict, target, value, source, licence, *words)
    review_file.refuse_incomplete(decision)
    return decision


def append(workspace: Workspace, made: Sequence[Decision]) -> list[Decision]:
    """Record decisions, all or none, and return them as they are held: one that is repeated as it was made before."""
    with _hold(workspace):
        review_file.append(workspace.reviews, made)
        held = review_file.read(workspace.reviews)
    return [review_file.find_repeated(held, one) or one for one in made]


def count_targeted(groups: Sequence[Group], target: Target, value: str, source: str) -> int:
    """Count the documents of a queue that a decision about this target would be about."""
    mine = [group for group in groups if group.shape.source == source]
    if target == "shape":
        return sum(len(group.items) for group in mine if group.shape.key == value)
    items = [item for group in mine for item in group.items]
    return sum(item.id == value if target == "item" else covers(value, item.url) for item in items)


def find_target(given: str) -> tuple[Target, str]:
    """Return target and source of what a person names: the key of a shape, or the id of a document.

    >>> find_target("kocca | no-proof | link | footer > a | CC-BY-4.0"), find_target("kocca/7 | a")
    (('shape', 'kocca'), ('item', 'kocca'))
    """
    source, slash, _ = given.partition("/")
    before, bar, _ = given.partition(BETWEEN)
    return ("shape", before) if bar and not (slash and len(source) < len(before)) else ("item", source)


def revoke(workspace: Workspace, id: str, by: Reviewer) -> Decision:
    """Revoke the decision with this id; CallError if none in effect has it."""
    with _hold(workspace):
        return review_file.revoke(workspace.reviews, id, _today(), by.name.strip(), by.reason.strip())


def read_decisions(workspace: Workspace, sources: Collection[str] = ()) -> tuple[Decision, ...]:
    """Return the decisions about these sources (about all, if none is named), revoked ones too, the oldest first."""
    return tuple(one for one in review_file.read(workspace.reviews) if not sources or one.source in sources)


def write_decisions(workspace: Workspace, file: Path) -> int:
    """Write all decisions to a file of JSON lines, each in its present state; return how many."""
    found = review_file.read(workspace.reviews)
    replace_file(file, spell_decisions(found))
    return len(found)


def spell_decisions(found: Sequence[Decision]) -> str:
    """Return decisions as JSON lines."""
    return "".join(f"{dump_json(asdict(one))}\n" for one in found)


def import_decisions(workspace: Workspace, file: Path) -> tuple[int, int]:
    """Add the decisions and revocations of a file of JSON lines, all or none; return (added, known before).

    CallError names the first line that is not a decision, or the id of another decision here.
    """
    given = review_file.parse_lines(file, file.read_bytes())
    with _hold(workspace):
        added = review_file.append(workspace.reviews, given)
    return len(added), len(given) - len(added)


def _hold(workspace: Workspace) -> AbstractContextManager[None]:
    """Lock a workspace in a bucket, which gets the file at the end; in a folder, only the file is locked.

    A run has read the decisions at its start, so it does not matter that one is made while it works.
    """
    return workspace.lock() if find_address(workspace.root) else nullcontext()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
