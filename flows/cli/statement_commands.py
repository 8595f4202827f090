"""`malmoi sign`, `verify` and `contains`: sign a release, verify it, ask whether it holds a work."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from flows.cli.options import ReleaseArgument, out
from flows.plurals import count_of
from malmoi.errors import CallError, DataError
from malmoi.printable import escape_line
from malmoi.storage.location import describe_place
from malmoi.storage.on_demand import renew

SHOWN = 500  # findings of each check; a manifest can list any number of files that are missing
KeyOption = Annotated[
    Path,
    Parameter("--key", help="Private Ed25519 key (PEM), or a public OpenSSH key whose ssh-agent signs."),
]
PublicKeyOption = Annotated[
    Path | None, Parameter("--public-key", help="Public key of the publisher (PEM or OpenSSH): it must have signed.")
]
TimestampUrlOption = Annotated[
    str, Parameter("--timestamp-url", help="Address of an RFC 3161 authority that stamps the signature with its time.")
]
CertificateOption = Annotated[
    Path | None,
    Parameter(
        "--timestamp-certificate",
        help="Root certificate (PEM) of the time-stamp authority: it must have stamped the signature.",
    ),
]
SignOption = Annotated[Path | None, Parameter("--key", help="Sign the release with this key, as `malmoi sign` does.")]


def sign(release: ReleaseArgument, *, key: KeyOption, timestamp_url: TimestampUrlOption = "") -> None:
    """Verify a release, then sign it: write manifest.dsse.json."""
    from malmoi.releases.statements.keys import read_signer
    from malmoi.releases.statements.time_authority import request_stamp
    from malmoi.releases.verification import release_statement

    signer = read_signer(key, release)
    check(release)
    stamp = partial(request_stamp, timestamp_url) if timestamp_url else None
    by = _sign(release, signer, stamp)
    out.print(escape_line(f"{release}: signed by the key {by}"), markup=False)
    if timestamp_url:
        out.print(release_statement.describe_stamp(release), markup=False)


def open_key(key: Path | None, workspace: Path) -> Any:
    """Return the signer of `--key`, None without one: a key that cannot sign stops a run before it starts."""
    from malmoi.releases.statements.keys import read_signer

    return None if key is None else read_signer(key, workspace)


def sign_with(signer: Any, release: Path) -> None:
    """Sign a release that was verified when it was published; without a signer, nothing."""
    if signer is not None:
        out.print(f"  signed by the key {_sign(release, signer)}", markup=False)


def _sign(release: Path, signer: Any, stamp: Any = None) -> str:
    from malmoi.releases.verification import release_statement
    from malmoi.workspace import push

    by = release_statement.sign(release, signer, stamp)
    push(release)
    return by


def verify(
    folder: ReleaseArgument, *, public_key: PublicKeyOption = None, timestamp_certificate: CertificateOption = None
) -> None:
    """Verify a release: every file, the manifest, every number of its card, and its signature."""
    from malmoi.releases.statements.keys import read_public_key
    from malmoi.releases.statements.time_stamp import read_anchors
    from malmoi.releases.verification import release_statement, rights_rules, withdrawn_list

    if timestamp_certificate:
        read_anchors(timestamp_certificate)
    check(folder, None if public_key is None else read_public_key(public_key), timestamp_certificate)
    lost, agrees = withdrawn_list.describe(folder), "Every file, the manifest and every number of the card agree."
    said = f"{lost}. Every other file and the manifest agree." if lost else f"verified. {agrees}"
    out.print(escape_line(f"{describe_place(folder)}: {said}"), markup=False)
    if note := rights_rules.describe(folder):
        out.print(note, markup=False)
    checked = " The signature was checked." if public_key else " Check who signed with --public-key FILE."
    said = release_statement.describe(folder)
    out.print(escape_line(said + (checked if said.startswith("Signed") else "")), markup=False)
    if said := release_statement.describe_stamp(folder):
        checked = " It was checked." if timestamp_certificate else " Check it with --timestamp-certificate FILE."
        out.print(said + checked, markup=False)


def check(folder: Path, public: bytes | None = None, anchors: Path | None = None) -> None:
    """Print the findings of a release; DataError if there are any."""
    from flows.engine.verify_process import find_problems

    found = find_problems(folder, public, anchors)
    if found and renew(folder):
        found = find_problems(folder, public, anchors)
    for check, findings in groupby(found, key=attrgetter("check")):
        listed = list(findings)
        for finding in listed[:SHOWN]:
            out.print(escape_line(f"{check}: {finding.path}: {finding.says}"), markup=False)
        if len(listed) > SHOWN:
            out.print(f"{check}: {count_of(len(listed) - SHOWN, 'finding')} more", markup=False)
    if found:
        raise DataError(
            f"{describe_place(folder)}: {count_of(len(found), 'finding')}; this is not the release as it was "
            "published. Copy it again."
        )


def contains(
    release: ReleaseArgument,
    *,
    url: Annotated[str, Parameter("--url", help="Address of the work.")] = "",
    text: Annotated[Path | None, Parameter("--text", help="File with the text of the work, in any format.")] = None,
    json: Annotated[bool, Parameter("--json", negative="", help="Print the statement with its proof as JSON.")] = False,
    key: Annotated[Path | None, Parameter("--key", help="Sign the statement with this key; implies --json.")] = None,
) -> None:
    """Answer whether a work is in a release, near copies included, with a proof that can be checked offline."""
    from flows.cli.contains_worker import ask
    from malmoi.releases.statements import dsse
    from malmoi.releases.statements.keys import read_signer

    if bool(url) == (text is not None):
        raise CallError("name the work by either --url ADDRESS or --text FILE.")
    signer = read_signer(key, release) if key else None
    said, lines = ask(release, "url", url) if text is None else ask(release, "text", _read_text(text))
    if json or signer:
        print(dsse.sign_statement(said, signer).to_json(), end="")
    else:
        for line in lines:
            out.print(escape_line(line), markup=False)


def _read_text(path: Path) -> str:
    from flows.contains import read_text

    return read_text(path)
