"""Finds of the second detector that keep documents out of releases: list them by shape, and clear false alarms.

The lists of the latest releases (reports/quarantine-NAME.jsonl) are the queue. A decision that clears finds is one of
reviews.jsonl, like those about rights (flows/review/decisions.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from flows.review import decisions as reviews
from flows.review.decisions import Reviewer
from malmoi.errors import CallError
from malmoi.licensing.review_decisions import BETWEEN, CLEAR, Decision
from malmoi.releases import excluded_documents, residue
from malmoi.releases.quarantine import cleared_finds
from malmoi.workspace import Workspace

NO_SHAPE = "-"  # in place of a shape: cleared by document only


@dataclass(frozen=True, slots=True)
class FindGroup:
    """The finds of one source, kind and shape: lines of the lists, sorted by document."""

    key: str
    finds: tuple[dict[str, Any], ...]

    @property
    def documents(self) -> int:
        """Return the number of documents."""
        return len({one["id"] for one in self.finds})

    @property
    def count(self) -> int:
        """Return the number of finds."""
        return sum(one["count"] for one in self.finds)


def read_groups(workspace: Workspace, sources: Collection[str] = ()) -> list[FindGroup]:
    """Return the finds of these sources (of all, if none is named) that no decision clears, the largest group first."""
    made = cleared_finds.select_decisions(reviews.read_decisions(workspace), sources or _list_sources(workspace))
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for one in _read_finds(workspace):
        if sources and one["source"] not in sources:
            continue
        if not any(_clears(decision, one) for decision in made):
            key = cleared_finds.spell_shape(one["source"], one["kind"], one["shape"] or NO_SHAPE)
            groups.setdefault(key, {})[repr(sorted(one.items()))] = one  # the lists of two releases may have the same
    found = [FindGroup(key, tuple(sorted(ones.values(), key=_place))) for key, ones in groups.items()]
    return sorted(found, key=lambda group: (-group.documents, group.key))


def clear_target(workspace: Workspace, named: str, by: Reviewer) -> tuple[list[Decision], int]:
    """Record that finds are false alarms: of a shape, or all of a document; return the decisions and the finds.

    CallError, and nothing is written, if the lists have no such find, if it cannot be cleared, or if reviewer or reason
    have a find themselves: the release publishes them.
    """
    if kinds := sorted(set(residue.kinds(f"{by.name}\n{by.reason}"))):
        raise CallError(
            f"the second detector finds {', '.join(kinds)} in --reviewer or --reason, which releases publish; nothing "
            "was written. Describe the false alarm without the value."
        )
    target, source = reviews.find_target(named)
    found = [one for one in _read_finds(workspace) if named in _name_targets(one)]
    if not found:
        raise CallError(
            f"no find of the second detector is in {named!r}; nothing was written. Give a shape as "
            "`malmoi review finds` shows it, or the id of a document; finds without a shape (-) are cleared by the id."
        )
    if target == "item" and not all(map(can_clear, found)):
        raise CallError(
            f"a find of {named!r} is in its id, or in the host of its address, which a card may show, or it is a fault "
            "that `malmoi verify` would state; it cannot be cleared, and nothing was written. Correct the rule or the "
            "source that is wrong (docs/personal-data.md)."
        )
    digests = sorted({one["digest"] for one in found}) if target == "item" else [""]
    made = [reviews.make_decision(CLEAR, target, named, source, "", by, digest) for digest in digests]
    return reviews.append(workspace, made), sum(one["count"] for one in found)


def _name_targets(one: dict[str, Any]) -> tuple[str, ...]:
    """Return what a decision about a find may name: its document, and its shape if it has one."""
    key = cleared_finds.spell_shape(one["source"], one["kind"], one["shape"])
    return (one["id"], key) if one["shape"] and can_clear(one) else (one["id"],)


def can_clear(one: dict[str, Any]) -> bool:
    """Whether a person may clear a find: it is not where a card may show it, and no fault of its document."""
    return one["table"] not in (cleared_finds.SHOWN, excluded_documents.UNVERIFIED[0]) and one["column"] != "id"


def _clears(decision: Decision, one: dict[str, Any]) -> bool:
    return decision.value in _name_targets(one) and decision.found in ("", one["digest"]) and can_clear(one)


def _read_finds(workspace: Workspace) -> Iterator[dict[str, Any]]:
    for path in workspace.quarantines().values():
        yield from excluded_documents.read_list(path)


def _list_sources(workspace: Workspace) -> set[str]:
    return {one["source"] for one in _read_finds(workspace)}


def _place(one: dict[str, Any]) -> list[str]:
    return [one[name] for name in ("id", "table", "column", "context")]


def has_shape(group: FindGroup) -> bool:
    """Whether the finds of a group can be cleared together."""
    return group.key.rpartition(BETWEEN)[2] != NO_SHAPE
