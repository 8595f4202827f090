"""Commands about finished releases: `malmoi diff`, `malmoi publish` and `malmoi rights`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.cli.options import ContactOption, WorkspaceOption, out, parse_output
from flows.cli.options import ReleaseArgument as ReleaseFolder

rights = App(name="rights", help="Rights of a release: ask its hosts again for their policy files.")
ReleaseArgument = Annotated[str, Parameter(help="Folder of a release, or NAME/VERSION of the workspace.")]


def diff(
    before: ReleaseArgument,
    after: ReleaseArgument,
    *,
    json: Annotated[bool, Parameter("--json", negative="", help="Print JSON, with all documents.")] = False,
    html: Annotated[
        Path | None,
        Parameter("--html", converter=parse_output, help="Write a page to this file, and NAME.ko.html in Korean."),
    ] = None,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Compare two releases: documents added, removed and why, changed; licences, sources, recipe, schema, files.

    Texts are compared by their digests. Ids that the later release masks are not shown.
    """
    from flows.cli import diff as comparing

    value = comparing.compare_releases(*(comparing.find_release(one, workspace) for one in (before, after)))
    if html is not None:
        comparing.write_page(value, html)
    if json:
        sys.stdout.write(comparing.to_json(value))
    else:
        comparing.show(value, out)
        if html is not None:
            out.print(f"Page: {html}", markup=False)


def publish(
    release: ReleaseArgument,
    target: Annotated[str, Parameter(help="A folder, s3://BUCKET/PREFIX, or hf://datasets/OWNER/NAME.")],
    *,
    endpoint: Annotated[str, Parameter("--endpoint", help="Address of the S3 storage or of the hub.")] = "",
    verify: Annotated[bool, Parameter("--verify", negative="", help="Read every object of S3 storage back.")] = False,
    yes: Annotated[bool, Parameter("--yes", negative="", help="Upload to a hub; without it, print the plan.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Copy a release to a folder, to S3-compatible storage or to a dataset hub; an interrupted copy is continued.

    Credentials come from the environment. `latest` moves after the copy is complete.
    """
    from flows.cli import diff as comparing
    from flows.cli import publish as publishing

    folder = comparing.find_release(release, workspace)
    publishing.publish(folder, target, endpoint, read_back=verify, yes=yes, out=out)


@rights.command(name="recheck")
def recheck(
    release: ReleaseFolder,
    *,
    source: Annotated[
        list[str] | None,
        Parameter("--source", negative="", help="File of a source that is not shipped: its delay, its loopback hosts."),
    ] = None,
    contact: ContactOption = None,
    yes: Annotated[bool, Parameter("--yes", negative="", help="Send the requests without asking.")] = False,
    as_json: Annotated[bool, Parameter("--json", negative="", help="Print the result as JSON.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Ask the hosts of a release for robots.txt, ai.txt and tdmrep.json anew; list what was reserved since.

    Changes nothing in the release. Exit status 1: a document has been reserved.
    """
    from flows.review import policy_recheck
    from malmoi.canonical_json import canonical_json
    from malmoi.releases.verification import untrusted_files
    from malmoi.workspace import Workspace

    untrusted_files.refuse(release)
    hosts = policy_recheck.find_hosts(release)
    nets = policy_recheck.open_nets(hosts, source or (), contact=contact)
    if not yes:
        policy_recheck.ask_consent(hosts, out)
    found = policy_recheck.ask_hosts(Workspace.open(workspace), hosts, nets)
    if as_json:
        sys.stdout.write(canonical_json(found.to_values()))
    else:
        policy_recheck.show(found, out)
    policy_recheck.require_unchanged(release, found)
