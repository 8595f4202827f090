"""Work and output of `malmoi erase` and `malmoi withdrawals`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from crawlers.web.addresses import canonical_url
from flows.console import SafeConsole
from flows.plurals import count_of
from flows.release_index import open_workspace
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Kind, Matcher, Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.errors import CallError
from malmoi.printable import dump_json, escape_line
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.location import find_address
from malmoi.storage.on_demand import fetch_below
from malmoi.workspace import Workspace

if TYPE_CHECKING:
    from flows.erase import Erased

SHOWN = 20  # ids and copies that are listed one by one


def erase(
    root: Path,
    release: str,
    keys: Sequence[tuple[str, str]],
    values: Sequence[str] | None,
    words: tuple[str, str],
    *,
    copies: bool,
    dry: bool,
    out: SafeConsole,
) -> Erased:
    """Erase from `release` what `keys` (kind, key) and `values` name; print what was done, and return it."""
    from flows import erase as erasing  # reads releases and the index, which the other commands do not need

    workspace = open_workspace(root)
    if not keys and not values and (dry or not workspace.erasure_plan.exists()):
        raise CallError(
            "nothing to erase: name it with --id, --url, --url-prefix or --text-sha256, or give --value and write one "
            "value a line to standard input."
        )
    with workspace.lock(resume=False):
        if not dry and workspace.erasure_plan.exists():
            done = resume(workspace)
            if not keys and not values:
                _show_done(done, out)
                return done
        fetch_below(workspace.root)  # whatever names a document is searched
        key = b""
        if values:  # a dry run makes no file
            is_new = dry and not workspace.erasure_key.exists()
            key = os.urandom(tombstones.KEY_BYTES) if is_new else tombstones.load_key(workspace.erasure_key)
        given = [(kind, _make_canonical(kind, one)) for kind, one in keys]
        given += [("value", digest_value(one, key)) for one in values or ()]
        stones = [Tombstone(cast(Kind, kind), one, _today(), *words) for kind, one in dict.fromkeys(given)]
        done = erasing.erase(workspace, release, stones, key, copies=copies, dry=dry)
    _print(out, f"{done.name}: {count_of(len(done.documents), 'document')} of the latest version")
    _list(out, [f"  {id}" for id in done.documents])
    if done.others:
        _print(out, f"in stages or earlier versions only: {count_of(len(done.others), 'document')}")
        _list(out, [f"  {id}" for id in done.others])
    if done.copies:
        said = "erased too" if copies else "not erased; add --copies to take them along"
        _print(out, f"near-duplicates: {len(done.copies):,}, {said}")
        _list(out, [f"  {one.id} of {one.of} {one.similarity:.3f} ({one.where})" for one in done.copies])
    for name in done.elsewhere:
        _print(out, f"also in {name}: run `malmoi erase {name.partition(' ')[0]}` with the same options")
    if dry:
        out.print("Nothing was written (--dry-run).")
    else:
        _show_done(done, out)
        if place := find_address(workspace.root):
            _print(out, f"If the bucket keeps old versions of objects, delete them below {place} now.")
    return done


def resume(workspace: Workspace) -> Erased:
    """Continue the erasure that was stopped, and say so on standard error; the caller holds the lock."""
    from flows import erase as erasing

    done = erasing.resume(workspace)
    said = f"; {done.name} {done.version} is released" if done.version else ""
    print(f"malmoi: the erasure from {done.name} that was stopped is complete{said}", file=sys.stderr)
    return done


def count_erased(done: Erased, *, dry: bool) -> Iterator[str]:
    """Yield lines with counts of an erasure, the first a summary: the ids are what must be forgotten."""
    what = "would be erased" if dry else "erased"
    made = f"; {done.name} {done.version} is released" if done.version else ""
    yield f"{count_of(len(done.documents), 'document')} of {done.name} {done.latest} {what}{made}"
    yield f"stages and earlier versions alone: {count_of(len(done.others), 'document')}"
    yield f"near-duplicates: {len(done.copies):,}"
    if done.version:
        yield f"{done.name} {done.version}: released and verified; {len(done.files):,} files have new bytes"


def _show_done(done: Any, out: SafeConsole) -> None:
    _print(out, f"tombstones: {done.added:,} new")
    if done.version:
        _print(out, f"{done.name} {done.version}: released and verified; {len(done.files):,} files have new bytes")
    for version, files in done.withdrawn:
        _print(out, f"{done.name} {version}: {count_of(files, 'file')} withdrawn, listed in its withdrawn.json")
    for line in done.purged.splitlines():
        _print(out, line)
    _print(out, "Copies that others have downloaded stay as they are: inform those who have one.")


def show_tombstones(root: Path, out: SafeConsole) -> None:
    """Print all tombstones of a workspace."""
    found = tombstones.read(open_workspace(root).withdrawals)
    for one in found:
        asked = f", request {one.request}" if one.request else ""
        revoked = f", revoked {one.revoked}" if one.revoked else ""
        _print(out, f"{one.date} {one.kind} {one.key}: {one.reason}{asked}{revoked}")
    _print(out, f"{count_of(len(found), 'tombstone')}, {sum(not one.revoked for one in found):,} in effect")


def import_tombstones(root: Path, file: Path, out: SafeConsole) -> None:
    """Add the tombstones of a file of JSON lines, all of them or none."""
    workspace = open_workspace(root)
    given = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, str] = json.loads(line)
            kind, key = row.pop("kind"), row.pop("key")
            if kind.startswith("url") and "://" not in key:
                raise ValueError(f"{key!r} is not an address")
            given.append(Tombstone(cast(Kind, kind), _make_canonical(kind, key), **{"date": _today(), **row}))
            tombstones.refuse_incomplete(given[-1])
        except (CallError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CallError(
                f"{file}, line {number}: not a tombstone ({type(error).__name__}: {error}); nothing was written. A "
                'line is a JSON object such as {"kind": "url", "key": "https://a.kr/7", "reason": "request of the '
                'author"}.'
            ) from error
    with workspace.lock():
        if any(one.kind == "value" for one in given):
            Matcher(given, tombstones.read_key(workspace.erasure_key))  # refuses values of another key
        added = tombstones.add(workspace.withdrawals, given)
    _print(out, f"{count_of(len(added), 'tombstone')} added, {len(given) - len(added):,} known before")
    _print(out, "The next run honours them. `malmoi erase` takes what is published out of a release.")


def export_tombstones(root: Path, file: Path, out: SafeConsole) -> None:
    """Write all tombstones as JSON lines; values of use only where the key of this workspace is."""
    found = tombstones.read(open_workspace(root).withdrawals)
    text = "".join(f"{dump_json(asdict(one))}\n" for one in found)
    if str(file) == "-":
        sys.stdout.write(text)
        return
    replace_file(file, text)
    _print(out, f"{file}: {count_of(len(found), 'tombstone')}")


def revoke(root: Path, key: str, out: SafeConsole) -> None:
    """Revoke the tombstones with this key."""
    workspace = open_workspace(root)
    with workspace.lock():
        found = tombstones.revoke(workspace.withdrawals, key, _today())
    for one in found:
        _print(out, f"{one.describe()}: revoked. The next run may publish it again, if its source still has it.")


def _make_canonical(kind: str, key: str) -> str:
    return canonical_url(key) or key if kind.startswith("url") else key


def _list(out: SafeConsole, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        _print(out, line)
    if len(lines) > SHOWN:
        _print(out, f"  … and {len(lines) - SHOWN:,} more")


def _print(out: SafeConsole, line: str) -> None:
    out.print(escape_line(line))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
