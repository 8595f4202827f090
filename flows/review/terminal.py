"""Output of `malmoi review` in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.plurals import count_of
from flows.release_index import open_workspace
from flows.review import decisions as reviews
from flows.review.decisions import Reviewer
from flows.review.queue import Group, read_groups
from malmoi.errors import CallError
from malmoi.licensing import review_file
from malmoi.licensing.review_decisions import Decision, find_strongest
from malmoi.printable import dump_json, escape_line

SHOWN = 5  # finds of a group
QUOTE = 160  # code points of a quote that are shown
NEXT = "The next run takes that into account."


def show_groups(root: Path, sources: Sequence[str], out: Console, *, json: bool) -> None:
    """Print the queue: each group with its number, shape, source and one example, or as JSON lines."""
    groups = read_groups(open_workspace(root), sources)
    if json:
        for number, group in enumerate(groups, 1):
            sys.stdout.write(dump_json(_describe_group(number, group)) + "\n")
        return
    for number, group in enumerate(groups, 1):
        one = _describe_group(number, group)
        example = one["example"]
        _print(out, f"{number}. {one['source']}, {count_of(one['documents'], 'document')}")
        _print(out, f"   shape: {one['shape']}")
        _print(out, f"   example: {example['id']} {example['url']}")
        _print(out, f"   {example['licence'] or 'no licence'} by {example['kind']} at {example['place'] or '?'}:")
        _print(out, f"   {example['quote']}")
    total = sum(len(group.items) for group in groups)
    _print(out, f"{count_of(total, 'document')} in {count_of(len(groups), 'group')} need a review")


def _describe_group(number: int, group: Group) -> dict[str, Any]:
    item = group.items[0]
    strongest = find_strongest(item.evidence)
    said = asdict(strongest) if strongest else {}
    example = {name: said.get(name, "")[:QUOTE] for name in ("licence", "kind", "place", "quote")}
    return {
        "number": number,
        "shape": group.shape.key,
        "source": group.shape.source,
        "documents": len(group.items),
        "example": {"id": item.id, "url": item.url, "title": item.title, **example},
    }


def decide(
    root: Path,
    named: str,
    addresses: str,
    licence: str,
    by: Reviewer,
    sources: Sequence[str],
    out: Console,
    *,
    deny: bool,
) -> None:
    """Record a decision about a shape or an item that is `named`, or about `addresses`, and print what it is about."""
    workspace = open_workspace(root)
    if bool(named) == bool(addresses) or bool(licence) == deny:
        raise CallError(
            "a decision needs one of --decide SHAPE, --decide ID and --addresses PATTERN, and one of --grant LICENCE "
            "and --deny; give these."
        )
    if addresses and len(sources) != 1:
        raise CallError("--addresses is about one source; name it with --source NAME.")
    target, source = reviews.find_target(named) if named else ("addresses", sources[0])
    made, count = reviews.decide_target(workspace, target, named or addresses, source, licence, by)
    verdict = f"{made.licence} granted" if made.verdict == "grant" else "denied"
    _print(out, f"{made.id}: {verdict}, {count_of(count, 'document')} of the queue. {NEXT}")


def show_finds(root: Path, sources: Sequence[str], out: Console, *, json: bool) -> None:
    """Print the finds that keep documents out of releases, by shape, with masked context; or as JSON lines."""
    groups = reviews.read_finds(open_workspace(root), sources)
    if json:
        for group in groups:
            sys.stdout.write(dump_json({"shape": group.key, "finds": list(group.finds)}) + "\n")
        return
    for number, group in enumerate(groups, 1):
        about = f"{count_of(group.count, 'find')} in {count_of(group.documents, 'document')}"
        by = "" if reviews.has_shape(group) else ", cleared by document only"
        by = by if any(map(reviews.can_clear, group.finds)) else ", cannot be cleared"
        _print(out, f"{number}. {group.key}: {about}{by}")
        for one in group.finds[:SHOWN]:
            _print(out, f"   {one['id']}, {one['table']}.{one['column']} × {one['count']}: {one['context']}")
        if len(group.finds) > SHOWN:
            _print(out, f"   … and {len(group.finds) - SHOWN:,} more; --json lists all")
    total = len({one["id"] for group in groups for one in group.finds})
    _print(out, f"{count_of(total, 'document')} quarantined by finds that are not cleared")


def clear(root: Path, named: str, reviewer: str, reason: str, out: Console) -> None:
    """Clear the finds of a shape or a document as false alarms."""
    made, count = reviews.clear_target(open_workspace(root), named, Reviewer(reviewer, reason))
    _print(out, f"{', '.join(one.id for one in made)}: {count_of(count, 'find')} cleared. {NEXT}")


def show_decisions(root: Path, out: Console) -> None:
    """Print all decisions."""
    found = reviews.read_decisions(open_workspace(root))
    for one in found:
        _print(out, _describe_decision(one))
    _print(out, f"{count_of(len(found), 'decision')}, {sum(not one.revoked for one in found):,} in effect")


def _describe_decision(one: Decision) -> str:
    verdict = f"grant {one.licence}" if one.verdict == "grant" else one.verdict
    revoked = f"; revoked {one.revoked} by {one.revoked_by}: {one.revoked_reason}" if one.revoked else ""
    return f"{one.id} {one.date} {verdict} {one.source}: {one.value} ({one.reviewer}: {one.reason}){revoked}"


def revoke(root: Path, id: str, reviewer: str, reason: str, out: Console) -> None:
    """Revoke a decision."""
    one = reviews.revoke(open_workspace(root), id, Reviewer(reviewer, reason))
    _print(out, f"{one.id}: revoked. {NEXT}")


def export_decisions(root: Path, file: Path, out: Console) -> None:
    """Write all decisions as JSON lines; "-" is standard output."""
    workspace = open_workspace(root)
    if str(file) == "-":
        sys.stdout.write(reviews.spell_decisions(review_file.read(workspace.reviews)))
        return
    _print(out, f"{file}: {count_of(reviews.write_decisions(workspace, file), 'decision')}")


def import_decisions(root: Path, file: Path, out: Console) -> None:
    """Add the decisions of a file, all of them or none."""
    added, known = reviews.import_decisions(open_workspace(root), file)
    _print(out, f"{count_of(added, 'decision')} added, {known:,} known before. {NEXT}")


def _print(out: Console, line: str) -> None:
    out.print(escape_line(line), markup=False)
