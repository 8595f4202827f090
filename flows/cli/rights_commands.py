"""`malmoi rights`: what the hosts of a release say of the use of their texts now."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from flows.cli.options import ContactOption, ReleaseArgument, SourceOption, WorkspaceOption, out
from flows.plurals import count_of
from malmoi.errors import CallError, DataError, HostError

rights = App(name="rights", help="Rights of a release: ask its hosts again for their policy files.")


@rights.command(name="recheck")
def recheck(
    release: ReleaseArgument,
    *,
    source: SourceOption = None,
    contact: ContactOption = None,
    yes: Annotated[bool, Parameter("--yes", negative="", help="Send the requests without asking.")] = False,
    as_json: Annotated[bool, Parameter("--json", negative="", help="Print the result as JSON.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Ask the hosts of a release for robots.txt, ai.txt and tdmrep.json anew; list what was reserved since.

    Changes nothing in the release. Exit status 1: a document has been reserved.
    """
    from flows.review import policy_recheck
    from malmoi.releases.verification import untrusted_files
    from malmoi.workspace import Workspace

    untrusted_files.refuse(release)
    hosts = policy_recheck.find_hosts(release)
    nets = policy_recheck.open_nets(hosts, source or (), contact=contact)
    if not yes:
        _ask_consent(list(policy_recheck.describe_requests(hosts)))
    found = policy_recheck.ask_hosts(Workspace.open(workspace), hosts, nets)
    if as_json:
        print(json.dumps(found.to_values(), ensure_ascii=False, indent=1))
    else:
        _show(found)
    if found.reserved:
        documents = count_of(len({one.id for one in found.reserved}), "document")
        raise DataError(
            f"{release}: {documents} reserved since. Take them out with `malmoi erase` (--id, or --url-prefix for a "
            "host), or collect and release again."
        )
    if all(one.why for one in found.asked):
        raise HostError(f"{release}: no host has answered. That reserves nothing; run again once they answer.")


def _ask_consent(lines: list[str]) -> None:
    for line in lines:
        out.print(line, markup=False)
    if not sys.stdin.isatty():
        raise CallError("nothing was requested: give --yes to send these requests.")
    if input("Send these requests? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CallError("nothing was requested: answer y, or give --yes to send these requests.")


def _show(found: Any) -> None:
    for one in found.asked:
        if one.why:
            out.print(f"no answer  {one.url} ({one.why}); no opt-out by itself", markup=False)
    by = Counter((one.source, one.protocol, one.effect, one.place, one.quote) for one in found.reserved)
    for (source, protocol, effect, place, quote), n in sorted(by.items()):
        what = f"{count_of(n, 'document')}, {protocol} ({effect})"
        out.print(f"reserved   {source}: {what}, {place}: {quote}", markup=False)
    answered = sum(not one.why for one in found.asked)
    out.print(f"{answered} of {count_of(len(found.asked), 'file')} answered; evidence: {found.folder}", markup=False)
