"""Changelog of a release: changes.json has the facts of all its versions, CHANGELOG.md is rendered from it.

The newest facts come from a comparison with the version before; those of earlier versions are carried along. Both files
hold counts only: an id would lead to what was removed. The first version of a name has neither file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from malmoi.canonical_json import canonical_json
from malmoi.errors import DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.compare import CHANGES, WHYS, Comparison, compare
from malmoi.releases.manifest import Manifest
from malmoi.storage.duckdb_tables import Tables, open_tables

FACTS: Final = "changes.json"
TEXT: Final = "CHANGELOG.md"
FORMAT: Final = 1
_WHY: Final = {
    "source-left-out": "their source was left out",
    "copy": "copies of kept documents",
    "dropped": "dropped",
    "failed": "could not be processed",
    "renamed": "published under another id",
    "withheld": "withheld, or no longer found",
    "gone": "no longer found",
}
_CHANGE: Final = {
    "text": "text",
    "licence": "licence or use",
    "title": "title",
    "metadata": "metadata only",
    "recaptured": "fetched again with the same content",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One version; without `compared`, the version before was not complete, or does not exist."""

    version: str
    date: str
    root: str
    documents: int
    characters: int  # 0 where its data was no longer complete
    before: str = ""  # the version before
    compared: bool = False
    added: int = 0
    removed: int = 0
    changed: dict[str, int] = field(default_factory=dict)  # documents by `Change`
    reasons: tuple[tuple[str, str, str, int], ...] = ()  # why, filter, reason, documents
    masked: tuple[tuple[str, str, str, int], ...] = ()  # masked drops of sources with `withheld` documents
    licences: tuple[tuple[str, int, int], ...] = ()  # value, documents before and after, where they differ
    sources: tuple[tuple[str, int, int], ...] = ()
    filters: tuple[tuple[str, int, int], ...] = ()  # filter, its version before and after; 0 = not in the recipe
    schema: tuple[tuple[str, str, str, str], ...] = ()  # table, column, type before and after
    files: tuple[int, int] = (0, 0)  # Parquet files with the bytes of before, of all

    @staticmethod
    def from_value(value: dict[str, Any]) -> Entry:
        """Return the entry of a JSON object; KeyError or TypeError if it is not one."""
        given = {f.name: value[f.name] for f in fields(Entry)}
        for name in ("reasons", "masked", "licences", "sources", "filters", "schema"):
            given[name] = tuple(map(tuple, given[name]))
        return Entry(**{**given, "files": tuple(given["files"])})


def write(folder: Path, before: Path) -> dict[str, Any]:
    """Write changes.json and CHANGELOG.md into the release `folder`; return the line that its card shows.

    `before` is the release before it, of the same name. The same two releases give the same bytes.
    """
    entries = read(before) or [_describe_alone(manifests.read(before), before)]
    entry = _describe(folder, before)
    entries.append(entry)
    (folder / FACTS).write_text(_spell(manifests.read(folder).name, entries), encoding="utf-8")
    (folder / TEXT).write_text(render(manifests.read(folder).name, entries), encoding="utf-8")
    return summarise(entry)


def read(folder: Path) -> list[Entry]:
    """Return the entries of the release in `folder`, oldest first; [] if it has no changelog.

    DataError if changes.json is not readable as one.
    """
    if not (folder / FACTS).exists():
        return []
    try:
        value = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise DataError(f"{folder / FACTS}: format {value['format']}, this version reads {FORMAT}.")
        return [Entry.from_value(one) for one in value["entries"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{folder / FACTS}: not readable as a changelog ({type(error).__name__}: {error}). Restore the release "
            "from a copy, and run again."
        ) from error


def summarise(entry: Entry) -> dict[str, Any]:
    """Return what the card says about the version before."""
    changed = sum(entry.changed.values())
    return {"version": entry.before, "compared": entry.compared, "added": entry.added, "removed": entry.removed,
            "changed": changed}  # fmt: skip


def describe_last(folder: Path) -> str:
    """Describe in one line what the release in `folder` changed since the version before; "" for a first version."""
    entries = read(folder)
    return next(_render_entry(entries[-1])).partition(". ")[2] if entries else ""


def check_against(folder: Path, found: Comparison) -> str:
    """Return whether the changelog of the later release `agrees` or `differs`; `none` if it has no such entry."""
    entries = read(folder)
    if [entry.root for entry in entries[-2:]] != [found.before.root, found.after.root] or not entries[-1].compared:
        return "none"
    last = entries[-1]
    said = (last.added, last.removed, last.changed, last.reasons)
    return "agrees" if said == (found.added, found.removed, found.changed, found.reasons) else "differs"


def _spell(name: str, entries: list[Entry]) -> str:
    return canonical_json({"format": FORMAT, "name": name, "entries": [asdict(entry) for entry in entries]})


def _describe_alone(made: Manifest, folder: Path, before: str = "") -> Entry:
    try:
        with open_tables(folder) as tables:
            characters = _count(tables, "SELECT coalesce(sum(n_chars), 0)::BIGINT FROM data")
    except DataError:  # its files were taken away: the manifest still says how many documents it had
        characters = 0
    return Entry(made.version, made.date, made.root, made.documents, characters, before)


def _describe(folder: Path, before: Path) -> Entry:
    """Compare the release with the one before; if that is not complete any longer, say the totals only."""
    made, old = manifests.read(folder), manifests.read(before)
    try:
        found = compare(before, folder)
    except DataError:
        return _describe_alone(made, folder, old.version)
    if found.before.size.documents != old.documents:
        return _describe_alone(made, folder, old.version)
    return Entry(
        version=made.version,
        date=made.date,
        root=made.root,
        documents=found.after.size.documents,
        characters=found.after.size.characters,
        before=old.version,
        compared=True,
        added=found.added,
        removed=found.removed,
        changed=found.changed,
        reasons=found.reasons,
        masked=found.masked,
        licences=_list_shares(found, "licences"),
        sources=_list_shares(found, "sources"),
        filters=found.filters,
        schema=found.schema,
        files=(found.files.unchanged, found.after.size.files),
    )


def _list_shares(found: Comparison, name: str) -> tuple[tuple[str, int, int], ...]:
    shares = found.shares.get(name, ())
    return tuple((one.value, *one.documents) for one in shares if one.documents[0] != one.documents[1])


def render(name: str, entries: list[Entry]) -> str:
    """Render CHANGELOG.md, newest version first."""
    lines = [
        f"# Versions of {name}",
        "",
        f"Rendered from `{FACTS}`, which `malmoi verify` checks. `malmoi diff` compares two versions in full.",
    ]
    for entry in reversed(entries):
        lines += ["", f"## {entry.version} · {entry.date[:10]}", "", *_render_entry(entry)]
    return "\n".join(lines) + "\n"


def _render_entry(entry: Entry) -> Iterator[str]:
    size = _say(entry.documents, "document")
    size += f", {_say(entry.characters, 'code point')}" if entry.characters else ""
    if not entry.before:
        yield f"{size}. The first version."
    elif not entry.compared:
        yield f"{size}. Not compared with {entry.before}, which is not complete or has another schema."
    else:
        changed = sum(entry.changed.values())
        yield f"{size}. Since {entry.before}: {entry.added:,} added, {entry.removed:,} removed, {changed:,} changed."
    found = [
        (
            "Removed",
            [f"{n:,} {_WHY[why]}{f' (`{by}`: {reason})' if by else ''}" for why, by, reason, n in entry.reasons],
        ),
        (
            "Masked drops, of which some may be removed documents",
            [f"{n:,} of `{source}` (`{by}`: {reason})" for source, by, reason, n in entry.masked],
        ),
        ("Changed", [f"{_CHANGE[one]} {n:,}" for one in CHANGES if (n := entry.changed.get(one, 0))]),
        ("Licences", [f"`{value}` {a:,} → {b:,}" for value, a, b in entry.licences]),
        ("Sources", [f"`{value}` {a:,} → {b:,}" for value, a, b in entry.sources]),
        ("Filters", [f"`{one}` {_render_version(a)} → {_render_version(b)}" for one, a, b in entry.filters]),
        ("Schema", [f"`{table}.{column}` {a or 'none'} → {b or 'none'}" for table, column, a, b in entry.schema]),
        ("Files", [f"{entry.files[0]:,} of {entry.files[1]:,} keep their bytes"] if entry.compared else []),
    ]
    yield from ([""] if any(said for _, said in found) else [])
    yield from (f"- {title}: {'; '.join(said)}." for title, said in found if said)


def _render_version(version: int) -> str:
    return str(version) if version else "none"


def _say(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def find_faults(folder: Path, tables: Tables, card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (file, fault): the changelog is the rendering of its facts, and these agree with the release itself.

    The numbers of documents added, removed and changed need the version before: `malmoi diff` counts them again.
    """
    if not (folder / FACTS).exists() and not (folder / TEXT).exists():
        if "previous" in card:
            yield FACTS, "missing: the card compares with a version before"
        return
    entries, made = read(folder), manifests.read(folder)
    if not entries:
        yield FACTS, "missing, or it has no entry"
        return
    if (folder / FACTS).read_text(encoding="utf-8") != _spell(made.name, entries):
        yield FACTS, "not canonical JSON, of another release, or it has unknown keys"
    if not (folder / TEXT).exists() or (folder / TEXT).read_text(encoding="utf-8") != render(made.name, entries):
        yield TEXT, f"not the rendering of {FACTS}; it is rendered, never edited"
    if card.get("previous") != summarise(entries[-1]):
        yield "card.json", f"the version before is not that of {FACTS}"
    yield from ((FACTS, fault) for fault in (*_find_false_totals(entries[-1], made, tables), *_find_breaks(entries)))


def _find_false_totals(entry: Entry, made: Manifest, tables: Tables) -> Iterator[str]:
    if (entry.version, entry.date, entry.root) != (made.version, made.date, made.root):
        yield f"its last entry is {entry.version}, not that of the manifest"
    documents, characters = (
        _count(tables, sql)
        for sql in ("SELECT count(*) FROM data", "SELECT coalesce(sum(n_chars), 0)::BIGINT FROM data")
    )
    if (entry.documents, entry.characters) != (documents, characters):
        yield f"it says {entry.documents:,} documents; the data hold {documents:,}, or the code points differ"
    for column, said in (("concat_ws(' · ', license, use)", entry.licences), ("source", entry.sources)):
        held = {str(value): n for value, n in tables.ask(f"SELECT {column}, count(*) FROM data GROUP BY 1").rows}
        for value, _, n in said:
            if held.get(value, 0) != n:
                yield f"{value}: it says {n:,} documents, the data hold {held.get(value, 0)}"
    masked = tables.ask(
        "SELECT source, filter, reason, count(*) FROM dropped WHERE contains(id, '/[withheld ') GROUP BY ALL"
    )
    if {*entry.masked} - {*masked.rows}:
        yield "its masked drops are not those of audit/dropped.parquet"
    filters = dict(made.recipe_filters)
    if any(filters.get(name, 0) != version for name, _, version in entry.filters):
        yield "its filters are not those of the manifest"
    if entry.compared and entry.files[1] != len(made.files):
        yield f"it says {entry.files[1]:,} files, the manifest lists {len(made.files):,}"


def _find_breaks(entries: list[Entry]) -> Iterator[str]:
    """Yield where the entries do not follow from each other."""
    for last, entry in zip([None, *entries[:-1]], entries, strict=True):
        if entry.before != (last.version if last else ""):
            yield f"{entry.version}: the version before is not {entry.before or 'missing'}"
        elif last and entry.compared and last.documents + entry.added - entry.removed != entry.documents:
            yield f"{entry.version}: documents = those of {last.version} + added − removed does not hold"
        if entry.removed != sum(n for *_, n in entry.reasons) or {one[0] for one in entry.reasons} - {*WHYS}:
            yield f"{entry.version}: the reasons do not add up to the removed documents"


def _count(tables: Tables, sql: str) -> int:
    return int(tables.ask(sql).rows[0][0] or 0)
