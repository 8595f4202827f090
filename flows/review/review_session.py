"""Answer the review page: groups, items with their snippets, decisions. Each decision names what the page showed.

Values for the page are plain dictionaries; control characters in texts are escaped, ids, keys and digests are exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from threading import Lock
from typing import Any, cast

from flows.review import decisions as deciding
from flows.review.decisions import STAGE, Group, Item, Reviewer, read_groups
from flows.review.server import Refusal, parse_count, unknown_address
from flows.review.snippets import Records, Snippet, find_snippets
from malmoi.canonical_json import spell_on_one_line
from malmoi.document import Document, Provenance
from malmoi.licensing import review_file
from malmoi.licensing.licences import LICENCES
from malmoi.licensing.review_decisions import TARGETS, Decision, Target, covers, evidence_of
from malmoi.printable import escape_controls, escape_line
from malmoi.workspace import Workspace

PAGE = 200  # items of one answer
MAX_TEXT = 20_000  # code points of an item's text that the page shows
MAX_WORDS = 200  # code points of a reviewer's name
MAX_REASON = 240  # code points; the number of items that were read is added to it
STALE = 409
FILES = {  # path → file of the page
    "/": "page.html",
    "/page.js": "page.js",
    "/client.js": "client.js",
    "/views.js": "views.js",
    "/words.js": "words.js",
    "/page.css": "page.css",
}


class WorkspaceQueue:
    """The queue of some sources of a workspace, or of all."""

    def __init__(self, workspace: Workspace, sources: Collection[str] = ()) -> None:
        self._workspace, self._sources = workspace, sources
        self._shards: object = None  # what the shards were when they were read
        self._reviews: object = None  # the decisions that were in effect for `_open`
        self._waiting: list[Group] = []  # all documents that need a review, decided ones too
        self._open: Sequence[Group] = ()
        self._records = Records(workspace, {})

    def read_groups(self) -> Sequence[Group]:
        """Return the groups of undecided items as they are now; the same object if nothing has changed."""
        shards = {folder.name: folder.stat().st_mtime_ns for folder in self._workspace.shards(STAGE)}
        if shards != self._shards:
            self._waiting = read_groups(self._workspace, self._sources, ())
            self._shards, self._reviews = shards, None
            records: dict[str, set[str]] = {}
            for group in self._waiting:
                marks = (one.record for item in group.items for one in item.evidence)
                records.setdefault(group.shape.source, set()).update(marks)
            self._records = Records(self._workspace, records)
        if (reviews := self.read_decisions()) != self._reviews:
            undecided = []  # groups with the items that no decision in effect is about
            for group in self._waiting:
                source = group.shape.source
                mine = [one for one in reviews if one.source == source and not one.revoked]
                docs = (
                    Document(
                        item.id, "", Provenance(source, item.url, "", "", ""),
                        title=item.title, evidence=item.evidence, signals=item.signals,
                    )
                    for item in group.items
                )  # fmt: skip
                items = [item for item, doc in zip(group.items, docs, strict=True) if not evidence_of(mine, doc)]
                undecided += [replace(group, items=tuple(items))] if items else []
            self._open = sorted(undecided, key=lambda group: (-len(group.items), group.shape.key))  # the largest first
            self._reviews = reviews
        return self._open

    def find_snippets(self, source: str, item: Item) -> Sequence[Snippet]:
        """Return the marks of an item in their archived records."""
        return find_snippets(self._records, source, item.evidence)

    def decide(self, target: Target, value: str, source: str, licence: str, by: Reviewer) -> Decision:
        """Write a decision, a denial if `licence` is "", and return it. CallError if it is not valid."""
        return deciding.decide_target(self._workspace, target, value, source, licence, by, self.read_groups())[0]

    def revoke(self, id: str, by: Reviewer) -> Decision:
        """Revoke a decision. CallError if none in effect has this id."""
        return deciding.revoke(self._workspace, id, by)

    def read_decisions(self) -> tuple[Decision, ...]:
        """Return all decisions, revoked ones too, the oldest first."""
        return review_file.read(self._workspace.reviews)


@dataclass(slots=True)
class _View:
    """The groups as read, each with its digest, its items in the order of the page."""

    groups: Sequence[Group]
    by_key: dict[str, Group]
    digests: dict[str, str] = field(default_factory=dict)
    orders: dict[str, list[Item]] = field(default_factory=dict)


class ReviewSession:
    """The state of one run of the page: which items it has shown. Thread-safe."""

    files: Mapping[str, str] = FILES

    def __init__(self, queue: WorkspaceQueue) -> None:
        self._queue, self.lock = queue, Lock()
        self._read: dict[str, set[str]] = {}  # key of a group → ids of the items shown
        self._view = _View((), {})

    def get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return what the page asks for."""
        key = asked.get("group", "")
        match path:
            case "/api/groups":
                return self.list_groups()
            case "/api/items":
                return self.list_items(key, parse_count(asked.get("start", "0")))
            case "/api/item":
                return self.show_item(key, asked.get("id", ""))
            case "/api/addresses":
                return self.count_addresses(key, asked.get("prefix", ""))
            case "/api/decisions":
                return self.list_decisions()
        raise unknown_address()

    def post(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Write a decision, or revoke one."""
        match path:
            case "/api/decide":
                return self.decide(asked)
            case "/api/revoke":
                return self.revoke(asked)
        raise unknown_address()

    def list_groups(self) -> dict[str, Any]:
        """Return the groups with their sizes, and the licences that can be granted."""
        with self.lock:
            view = self._refresh()
            groups = [self._describe(view, group) for group in view.groups]
        licences = sorted(id for id, one in LICENCES.items() if one.use != "exclude")
        return {"groups": groups, "licences": licences}

    def list_items(self, key: str, start: int) -> dict[str, Any]:
        """Return PAGE items of a group from number `start`, in a fixed order that depends on their ids only by hash.

        So the first items are a random sample of the group, whatever the order of the addresses.
        """
        with self.lock:
            view = self._refresh()
            group = self._find(view, key)
            if key not in view.orders:
                view.orders[key] = sorted(group.items, key=lambda one: hashlib.sha256(one.id.encode()).digest())
            items, read = view.orders[key], self._read.get(key, set())
            rows = [{"id": one.id, **_name(one), "read": one.id in read} for one in items[start : start + PAGE]]
            return {"group": self._describe(view, group), "start": start, "items": rows}

    def show_item(self, key: str, id: str) -> dict[str, Any]:
        """Return an item with its text and the snippets of its marks; from now on it counts as read."""
        with self.lock:
            view = self._refresh()
            item = self._find_item(self._find(view, key), id)
            snippets = self._queue.find_snippets(view.by_key[key].shape.source, item)
            self._read.setdefault(key, set()).add(id)
            digest = digest_items([item])
            read = self._count_read(view, key)
        rows = []
        for one in snippets:
            words = {name: escape_line(value) for name, value in asdict(one.evidence).items()}
            passages = [{name: escape_controls(text) for name, text in asdict(part).items()} for part in one.passages]
            rows.append(words | {"outcome": one.outcome, "detail": escape_line(one.detail), "passages": passages})
        return {
            "id": item.id,
            **_name(item),
            "text": escape_controls(item.text[:MAX_TEXT]),
            "cut": max(0, len(item.text) - MAX_TEXT),
            "digest": digest,
            "read": read,
            "licences": sorted({e.licence for e in item.evidence if _can_grant(e.licence)}),
            "snippets": rows,
            "signals": [{name: escape_line(value) for name, value in asdict(one).items()} for one in item.signals],
        }

    def count_addresses(self, key: str, prefix: str) -> dict[str, Any]:
        """Return number and digest of the items of the group's source whose addresses are below `prefix`."""
        with self.lock:
            view = self._refresh()
            items = self._match(view, self._find(view, key).shape.source, prefix)
            some = [escape_line(one.url) for one in items[:5]]
            return {"count": len(items), "digest": digest_items(items), "some": some}

    def decide(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Write the decision that a person has confirmed; its count and digest must be those of the items now.

        Raises:
            Refusal: a field is missing or wrong (400), or the items have changed since they were shown (409).
        """
        verdict = _choice(asked, "verdict", "grant", "deny")
        target = cast(Target, _choice(asked, "target", *TARGETS))
        key, value = _text(asked, "group", 2000), _text(asked, "value", 2000)
        reviewer, reason = _text(asked, "reviewer", MAX_WORDS), _text(asked, "reason", MAX_REASON)
        licence = _text(asked, "licence", MAX_WORDS) if verdict == "grant" else ""
        if licence and not _can_grant(licence):
            says = f"{escape_line(licence)} is not in the table, or permits no use. Choose one of the list."
            raise Refusal(400, says)
        with self.lock:
            view = self._refresh()
            group = self._find(view, key)
            if target == "shape":
                items: Sequence[Item] = group.items
                value = key
                if licence and licence != group.shape.licence:
                    named = escape_line(group.shape.licence)
                    raise Refusal(400, f"this shape names {named}. Decide items, or addresses.")
            elif target == "item":
                items = [self._find_item(group, value)]
            else:
                items = self._match(view, group.shape.source, value)
            if not items or asked.get("count") != len(items) or asked.get("digest") != digest_items(items):
                raise Refusal(STALE, "the items have changed since they were shown. Nothing was decided; look again.")
            shown = set().union(*self._read.values())
            read = sum(one.id in shown for one in items)
            noted = reason if target == "item" else f"{reason} ({read} of {len(items)} items read)"
            made = self._queue.decide(target, value, group.shape.source, licence, Reviewer(reviewer, noted))
            return {"id": made.id, "count": len(items), "read": read}

    def revoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Revoke a decision by its id."""
        id, reviewer, reason = (_text(asked, name, MAX_REASON) for name in ("id", "reviewer", "reason"))
        with self.lock:
            self._queue.revoke(id, Reviewer(reviewer, reason))
        return {"id": id}

    def list_decisions(self) -> dict[str, Any]:
        """Return all decisions of the workspace, latest first."""
        with self.lock:
            found = self._queue.read_decisions()
        rows = ({name: escape_line(value) for name, value in asdict(one).items()} for one in reversed(found))
        return {"decisions": list(rows)}

    def _refresh(self) -> _View:
        groups = self._queue.read_groups()
        if groups is not self._view.groups:
            self._view = _View(groups, {group.shape.key: group for group in groups})
        return self._view

    def _describe(self, view: _View, group: Group) -> dict[str, Any]:
        shape, licence = group.shape, LICENCES.get(group.shape.licence)
        terms = (("attribution", licence.attribution), ("share-alike", licence.share_alike)) if licence else ()
        if shape.key not in view.digests:
            view.digests[shape.key] = digest_items(group.items)
        return {
            "key": shape.key,
            "source": escape_line(shape.source),
            "reasons": [escape_line(one) for one in shape.reasons],
            "kind": escape_line(shape.kind),
            "place": escape_line(shape.place),
            "licence": escape_line(shape.licence),
            "grantable": _can_grant(shape.licence),
            "name": licence.name if licence else "",
            "use": licence.use if licence else "exclude",
            "terms": [term for term, applies in terms if applies],
            "count": len(group.items),
            "read": self._count_read(view, shape.key),
            "digest": view.digests[shape.key],
        }

    def _count_read(self, view: _View, key: str) -> int:
        read = self._read.get(key)
        return sum(one.id in read for one in view.by_key[key].items) if read else 0

    def _find(self, view: _View, key: str) -> Group:
        if (found := view.by_key.get(key)) is None:
            raise Refusal(STALE, "this group is no longer in the queue: it was decided, or a run has changed it.")
        return found

    def _find_item(self, group: Group, id: str) -> Item:
        found = next((one for one in group.items if one.id == id), None)
        if found is None:
            raise Refusal(STALE, "this item is no longer in the queue: it was decided, or a run has changed it.")
        return found

    def _match(self, view: _View, source: str, prefix: str) -> list[Item]:
        items = (one for group in view.groups if group.shape.source == source for one in group.items)
        try:
            return [one for one in items if prefix and covers(prefix, one.url)]
        except ValueError as error:
            raise Refusal(400, f"not a regular expression ({error}). Correct it, or give a prefix.") from error


def digest_items(items: Sequence[Item]) -> str:
    """Return a digest of all that a person may have seen of the items; their order does not matter."""
    parts = []
    for one in items:
        marks = ([asdict(mark) for mark in marks] for marks in (one.evidence, one.signals))
        parts.append(spell_on_one_line([one.id, one.url, one.title, one.text, *marks]))
    parts.sort()
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _name(item: Item) -> dict[str, str]:
    return {"title": escape_line(item.title or item.id), "url": escape_line(item.url)}


def _can_grant(licence: str) -> bool:
    return licence in LICENCES and LICENCES[licence].use != "exclude"


def _choice(asked: dict[str, Any], name: str, *known: str) -> str:
    value = asked.get(name)
    if value not in known:
        raise Refusal(400, f"{name} must be one of {', '.join(known)}.")
    return str(value)


def _text(asked: dict[str, Any], name: str, most: int) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise Refusal(400, f"{name} is missing or longer than {most} characters.")
    if name in ("reviewer", "reason", "licence") and value != escape_line(value):
        raise Refusal(400, f"{name} has control characters. Type it again.")
    return value if name in ("value", "group", "id") else value.strip()
