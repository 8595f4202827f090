"""Commands about finished releases: verify and sign them, compare them, publish them, ask them and their hosts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from flows.cli.options import ContactOption, ReleaseArgument, WorkspaceOption, find_release, out, parse_output
from flows.plurals import count_of
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError
from malmoi.printable import escape_line
from malmoi.storage.location import describe_place, find_endpoint
from malmoi.storage.on_demand import fetch_below, renew
from malmoi.workspace_layout import Layout

LISTED = 500  # findings of each check; a manifest can list any number of files that are missing
SHOWN = 5  # documents of each kind of difference in the terminal
ON_PAGE = 500  # and on the page
WHY = {
    "source-left-out": "source left out",
    "copy": "copy of a kept document",
    "dropped": "dropped by a filter",
    "failed": "could not be processed",
    "renamed": "same text, another id",
    "withheld": "withheld or page gone",
    "gone": "page gone",
}
CHANGED = {
    "text": "text",
    "licence": "licence",
    "title": "title",
    "metadata": "metadata only",
    "recaptured": "fetched again, same content",
}
SHARES = {"licences": "licence", "sources": "source", "fields": "field", "registers": "register"}
SignOption = Annotated[Path | None, Parameter("--key", help="Sign the release with this key, as `malmoi sign` does.")]
NameArgument = Annotated[str, Parameter(help="Folder of a release, or NAME/VERSION of the workspace.")]

rights = App(name="rights", help="Rights of a release: ask its hosts again for their policy files.")


def sign(
    release: ReleaseArgument,
    *,
    key: Annotated[Path, Parameter(help="Private Ed25519 key (PEM), or a public OpenSSH key whose ssh-agent signs.")],
    timestamp_url: Annotated[
        str, Parameter(help="Address of an RFC 3161 authority that stamps the signature with its time.")
    ] = "",
) -> None:
    """Verify a release, then sign it: write manifest.dsse.json."""
    from malmoi.releases.time_stamp import request_stamp
    from malmoi.releases.verification import release_statement

    signer = open_key(key, release)
    require_verified(release)
    by = _sign(release, signer, partial(request_stamp, timestamp_url) if timestamp_url else None)
    out.print(escape_line(f"{release}: signed by the key {by}"))
    if timestamp_url:
        out.print(release_statement.describe_stamp(release))


def open_key(key: Path | None, place: Path) -> Any:
    """Return the signer of `--key`, None without one: a key that cannot sign stops a run before it starts."""
    from malmoi.releases.dsse import read_signer

    return None if key is None else read_signer(key, place)


def sign_with(signer: Any, release: Path) -> None:
    """Sign a release that was verified when it was published; without a signer, nothing."""
    if signer is not None:
        out.print(f"  signed by the key {_sign(release, signer)}")


def _sign(release: Path, signer: Any, stamp: Any = None) -> str:
    from malmoi.releases.verification import release_statement
    from malmoi.workspace import push

    by = release_statement.sign(release, signer, stamp)
    push(release)
    return by


def verify(
    folder: ReleaseArgument,
    *,
    public_key: Annotated[
        Path | None, Parameter(help="Public key of the publisher (PEM or OpenSSH): it must have signed.")
    ] = None,
    timestamp_certificate: Annotated[
        Path | None,
        Parameter(help="Root certificate (PEM) of the time-stamp authority: it must have stamped the signature."),
    ] = None,
) -> None:
    """Verify a release: every file, the manifest, every number of its card, and its signature."""
    from malmoi.releases.dsse import read_public_key
    from malmoi.releases.time_stamp import read_anchors
    from malmoi.releases.verification import invariants, release_statement, sha256sums

    if timestamp_certificate:
        read_anchors(timestamp_certificate)
    require_verified(folder, None if public_key is None else read_public_key(public_key), timestamp_certificate)
    lost, agrees = sha256sums.describe_withdrawn(folder), "Every file, the manifest and every number of the card agree."
    result = f"{lost}. Every other file and the manifest agree." if lost else f"verified. {agrees}"
    out.print(escape_line(f"{describe_place(folder)}: {result}"))
    if note := invariants.describe_rights(folder):
        out.print(note)
    checked = " The signature was checked." if public_key else " Check who signed with --public-key FILE."
    signed = release_statement.describe(folder)
    out.print(escape_line(signed + (checked if signed.startswith("Signed") else "")))
    if stamped := release_statement.describe_stamp(folder):
        checked = " It was checked." if timestamp_certificate else " Check it with --timestamp-certificate FILE."
        out.print(stamped + checked)


def require_verified(folder: Path, public: bytes | None = None, anchors: Path | None = None) -> None:
    """Print the findings of a release; DataError if there are any."""
    from flows.limited_process import find_problems

    problems = find_problems(folder, public, anchors)
    if problems and renew(folder):
        problems = find_problems(folder, public, anchors)
    for check, group in groupby(problems, key=attrgetter("check")):
        findings = list(group)
        for finding in findings[:LISTED]:
            out.print(escape_line(f"{check}: {finding.path}: {finding.says}"))
        if len(findings) > LISTED:
            out.print(f"{check}: {count_of(len(findings) - LISTED, 'finding')} more")
    if problems:
        raise DataError(
            f"{describe_place(folder)}: {count_of(len(problems), 'finding')}; this is not the release as it was "
            "published. Copy it again."
        )


def check(
    folder: ReleaseArgument,
    *,
    recipe: Annotated[str, Parameter(help="A recipe with [expect]; default: the shipped one that made it.")] = "",
    review: Annotated[Path | None, Parameter(help="CSV file of judged licences; default: that of the recipe.")] = None,
) -> None:
    """Measure a release against the expectations of a recipe."""
    from flows.release import summarise_unmet
    from flows.run import recipe_of
    from malmoi import recipe as recipes
    from malmoi.releases import manifest
    from malmoi.releases.expectation_checks import measure
    from malmoi.releases.verification import untrusted_files

    if not (folder / manifest.NAME).is_file():
        raise CallError(
            f"{folder} is not a release: it has no {manifest.NAME}. Name the folder of one version, such as "
            "workspace/6-releases/general/1.0.0."
        )
    untrusted_files.refuse(folder)
    made = manifest.read(folder)
    if not recipe and made.recipe_name not in recipes.find_shipped():
        raise CallError(f"{folder} was made by the recipe {made.recipe_name!r}, which is not shipped; give --recipe.")
    if review is not None and not review.is_file():
        raise CallError(f"{review}: no such file; give the CSV file of a review, or leave --review out.")
    chosen = recipe_of(recipe or made.recipe_name)
    with untrusted_files.translate_errors(folder):
        outcomes = measure(folder, chosen.expect, review or chosen.review)
    for one in outcomes:
        out.print(f"{'met    ' if one.met else 'NOT MET'} {one.says()}")
    if unmet := [one for one in outcomes if not one.met]:
        raise DataError(
            f"{folder}: {summarise_unmet(unmet, len(outcomes))}. Correct sources or filters and release again, or "
            "correct the table [expect] of the recipe."
        )
    print(f"{folder}: {count_of(len(outcomes), 'expectation')} of the recipe {chosen.name}, all met.")


def contains(
    release: ReleaseArgument,
    *,
    url: Annotated[str, Parameter(help="Address of the work.")] = "",
    text: Annotated[Path | None, Parameter(help="File with the text of the work, in any format.")] = None,
    json: Annotated[bool, Parameter(help="Print the statement with its proof as JSON.")] = False,
    key: Annotated[Path | None, Parameter(help="Sign the statement with this key; implies --json.")] = None,
) -> None:
    """Answer whether a work is in a release, near copies included, with a proof that can be checked offline."""
    from flows.limited_process import ask_release
    from malmoi.releases import dsse

    if bool(url) == (text is not None):
        raise CallError("name the work by either --url ADDRESS or --text FILE.")
    signer = open_key(key, release)
    if text is None:
        statement, lines = ask_release(release, "url", url)
    else:
        from flows.contains import read_text

        statement, lines = ask_release(release, "text", read_text(text))
    if json or signer:
        print(dsse.sign_statement(statement, signer).to_json(), end="")
    else:
        for line in lines:
            out.print(escape_line(line))


def diff(
    before: NameArgument,
    after: NameArgument,
    *,
    json: Annotated[bool, Parameter(help="Print JSON, with all documents.")] = False,
    html: Annotated[
        Path | None, Parameter(converter=parse_output, help="Write a page to this file, and NAME.ko.html in Korean.")
    ] = None,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Compare two releases: documents added, removed and why, changed; licences, sources, recipe, schema, files.

    Texts are compared by their digests. Ids that the later release masks are not shown.
    """
    from flows.limited_process import compare_releases

    value = compare_releases(*(_find_named(one, workspace) for one in (before, after)))
    if html is not None:
        write_page(value, html)
    if json:
        sys.stdout.write(canonical_json(value))
        return
    for table in _list_tables(value):
        out.print(table)
    for line in _list_lines(value):
        out.print(escape_line(line))
    if html is not None:
        out.print(f"Page: {html}")


def _find_named(given: str, workspace: Path) -> Path:
    """Return the folder of a release, given as a path or as name/version of the workspace, such as general/latest."""
    from malmoi.erasure_plan import name_unfinished
    from malmoi.releases.manifest import NAME

    for folder in (find_release(given), Layout(workspace).releases(given)):
        if (folder / NAME).is_file():
            place = folder.resolve()
            name_unfinished(place)
            fetch_below(place)
            return place
    raise CallError(
        f"{given} is not a release: neither this folder nor {Layout(workspace).releases(given)} holds "
        f"{NAME}. Name the folder of one version, or NAME/VERSION with --workspace."
    )


def write_page(value: dict[str, Any], path: Path) -> None:
    """Write the differences as a self-contained page in English, and in Korean beside it."""
    from data_cards.reports import write_report

    write_report("diff.html", path, d=value, sizes=list(_list_sizes(value)), shown=ON_PAGE, sign=_spell_change)


def _list_tables(value: dict[str, Any]) -> Iterator[Any]:
    from rich.markup import escape
    from rich.table import Table

    one, two = (escape(_title(value[side])) for side in ("before", "after"))
    table = Table("", one, two, "change", title="size")
    for name, a, b in _list_sizes(value):
        table.add_row(name, f"{a:,}", f"{b:,}", _spell_change(b - a))
    yield table
    table = Table("documents", "what", "n", title="documents")
    table.add_row("added", "", f"{value['added']:,}")
    for why, by, reason, n in value["reasons"]:
        table.add_row("removed", escape(", ".join(filter(None, (WHY[why], by, reason)))), f"{n:,}")
    for change, n in value["changed"].items():
        if n:
            table.add_row("changed", CHANGED[change], f"{n:,}")
    yield table
    for name, title in SHARES.items():
        rows = [row for row in value["shares"].get(name, ()) if row["documents"][0] != row["documents"][1]]
        if rows:
            table = Table(title, one, two, "change", title=f"documents by {title}")
            for row in rows:
                a, b = row["documents"]
                table.add_row(escape(row["value"]) or "(none)", f"{a:,}", f"{b:,}", _spell_change(b - a))
            yield table


def _list_sizes(value: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    a, b = value["before"]["size"], value["after"]["size"]
    for key, name in (
        ("documents", "documents"), ("characters", "characters"), ("text_bytes", "bytes of text"),
        ("files", "Parquet files"), ("bytes", "bytes of files"),
    ):  # fmt: skip
        yield name, a[key], b[key]


def _list_lines(value: dict[str, Any]) -> Iterator[str]:
    files = value["files"]
    yield (
        f"files: {files['unchanged']:,} unchanged ({files['unchanged_bytes']:,} bytes), {files['changed']:,} changed, "
        f"{files['added']:,} added, {files['removed']:,} removed"
    )
    yield from (f"recipe: {line}" for line in value["recipe"])
    if value["changelog"] != "none":
        yield f"changelog of {_title(value['after'])}: it {value['changelog']}"
    for key, name in (("schema_version", "schema version"), ("n_shards", "shards")):
        if value["before"][key] != value["after"][key]:
            yield f"{name}: {value['before'][key]} → {value['after'][key]}"
    for table, column, a, b in value["schema"]:
        yield f"schema: {table}.{column}: {a or '(none)'} → {b or '(none)'}"
    for source, by, reason, n in value["masked"]:
        yield f"masked drops of {source}, which may be documents that were removed: {by}: {reason} × {n:,}"
    removed = [f"{row['id']}  {describe_removal(row)}" for row in value["removed_ids"]]
    changed = [f"{row['id']}  {', '.join(row['columns'])}" for row in value["changed_ids"]]
    for kind, n, rows in (
        ("added", value["added"], value["added_ids"]),
        ("removed", value["removed"], removed),
        ("changed", sum(value["changed"].values()), changed),
    ):
        if n:
            yield f"{kind} ({count_of(n, 'document')}):"
            yield from (f"  {row}" for row in rows[:SHOWN])
        if n > SHOWN:
            yield f"  … and {n - SHOWN:,} more: --json lists them"


def describe_removal(row: dict[str, Any]) -> str:
    """Return why a document was removed, in words.

    >>> describe_removal({"why": "copy", "by": "a/1", "reason": ""})
    'copy of a kept document: a/1'
    """
    cause = ": ".join(filter(None, (row["by"], row["reason"])))
    return f"{WHY[row['why']]}{': ' if cause else ''}{cause}"


def _title(side: dict[str, Any]) -> str:
    return f"{side['name']} {side['version']}"


def _spell_change(n: int) -> str:
    return f"{n:+,}" if n else "–"


def publish(
    release: NameArgument,
    target: Annotated[str, Parameter(help="A folder, s3://BUCKET/PREFIX, or hf://datasets/OWNER/NAME.")],
    *,
    endpoint: Annotated[str, Parameter(help="Address of the S3 storage or of the hub.")] = "",
    verify: Annotated[bool, Parameter(help="Read every object of S3 storage back.")] = False,
    yes: Annotated[bool, Parameter(help="Upload to a hub; without it, print the plan.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Copy a release to a folder, to S3-compatible storage or to a dataset hub; an interrupted copy is continued.

    Credentials come from the environment. `latest` moves after the copy is complete.
    """
    from malmoi.erasure_plan import find_unfinished
    from malmoi.releases.distribution import read_payload
    from malmoi.workspace import Workspace

    folder = _find_named(release, workspace)
    if (root := find_unfinished(folder)) is not None:
        with Workspace.open(root).lock():  # continues the erasure: nothing leaves that was to go
            pass
    payload = read_payload(folder)
    if target.startswith("hf:"):
        from malmoi.releases.distribution import hub

        if not yes:
            for line in hub.describe_upload(payload, hub.parse_address(target)):
                out.print(escape_line(line))
            return
        done = hub.publish_to_hub(payload, hub.parse_address(target), endpoint)
    elif target.startswith("s3:"):
        from malmoi.releases.distribution import s3

        done = s3.publish_to_s3(payload, s3.Storage(target, endpoint or find_endpoint()), read_back=verify)
    elif "://" in target or not target.strip():
        raise CallError(f"{target!r} is not a target; name a folder, s3://BUCKET/PREFIX or hf://datasets/OWNER/NAME.")
    else:
        from malmoi.releases.distribution import publish_to_folder

        done = publish_to_folder(payload, Path(target).absolute())
    out.print(
        f"{payload.name} {payload.version}: published at {done.place}, {count_of(done.copied, 'file')} copied, "
        f"{done.kept:,} there already\n  root {payload.root}"
    )


@rights.command
def recheck(
    release: ReleaseArgument,
    *,
    source: Annotated[
        list[str] | None, Parameter(help="File of a source that is not shipped: its delay, its loopback hosts.")
    ] = None,
    contact: ContactOption = None,
    yes: Annotated[bool, Parameter(help="Send the requests without asking.")] = False,
    as_json: Annotated[bool, Parameter("--json", help="Print the result as JSON.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Ask the hosts of a release for robots.txt, ai.txt and tdmrep.json anew; list what was reserved since.

    Changes nothing in the release. Exit status 1: a document has been reserved.
    """
    from flows import policy_recheck
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
