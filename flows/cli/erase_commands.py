"""`malmoi erase` and `malmoi withdrawals`: take documents out of releases; list what must not come back."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.cli.options import DryOption, WaitOption, WorkspaceOption, out, parse_output, wait_for_lock

withdrawals = App(name="withdrawals", help="Tombstones: what must not appear again. List, import, export, revoke.")


@Parameter(name="*")
@dataclass(frozen=True)
class Selectors:
    """Options that name what must go."""

    id: Annotated[list[str] | None, Parameter("--id", negative="", help="Id of a document, as in data/.")] = None
    url: Annotated[list[str] | None, Parameter("--url", negative="", help="Address of a page.")] = None
    url_prefix: Annotated[
        list[str] | None, Parameter("--url-prefix", negative="", help="Address; covers all pages below it.")
    ] = None
    text_sha256: Annotated[
        list[str] | None, Parameter("--text-sha256", negative="", help="sha256 (hex) of a published text.")
    ] = None
    value: Annotated[
        bool, Parameter("--value", negative="", help="Read values from standard input, one a line; stored keyed only.")
    ] = False


def erase(
    release: Annotated[str, Parameter(help="Name, name/version or folder of a release of the workspace.")],
    *,
    what: Selectors = Selectors(),  # frozen
    reason: Annotated[str, Parameter("--reason", help="Reason of the erasure; needed to name what must go.")] = "",
    request: Annotated[str, Parameter("--request", help="Who asked for it, or the number of the request.")] = "",
    copies: Annotated[bool, Parameter("--copies", negative="", help="Erase the recorded near-duplicates too.")] = False,
    wait: WaitOption = None,
    dry_run: DryOption = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Erase documents from a release: a patch version without them; they do not come back.

    Without a name of what must go, an erasure that was stopped is continued.
    """
    from flows import withdrawals as withdrawing

    texts = [digest.lower() for digest in what.text_sha256 or ()]
    keys = {"id": what.id, "url": what.url, "url-prefix": what.url_prefix, "text-sha256": texts}
    found = [(kind, key) for kind, given in keys.items() for key in given or ()]
    values = [line.rstrip("\r\n") for line in sys.stdin if line.strip()] if what.value else None
    with wait_for_lock("erase", wait):
        withdrawing.erase(workspace, release, found, values, (reason, request), copies=copies, dry=dry_run, out=out)


@withdrawals.default
def list_(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """List all tombstones, revoked ones too; a value is shown as its keyed digest."""
    from flows import withdrawals as withdrawing

    withdrawing.show_tombstones(workspace, out)


withdrawals.command(list_, name="list")


@withdrawals.command(name="import")
def import_(file: Path, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Add the tombstones of a file of JSON lines: kind, key, reason, and optionally date and request."""
    from flows import withdrawals as withdrawing

    withdrawing.import_tombstones(workspace, file, out)


@withdrawals.command(name="export")
def export(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True, converter=parse_output)],
    *,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Write all tombstones to a file of JSON lines; - is standard output."""
    from flows import withdrawals as withdrawing

    withdrawing.export_tombstones(workspace, file, out)


@withdrawals.command(name="revoke")
def revoke(key: str, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Revoke the tombstones with this key: an id, an address or a digest, as `malmoi withdrawals` lists it."""
    from flows import withdrawals as withdrawing

    withdrawing.revoke(workspace, key, out)
