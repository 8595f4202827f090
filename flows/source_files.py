"""Files of an operator's sources: recorded terms checks, and skeletons of new sources."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from crawlers import access_rules, catalogue
from crawlers import collect as sources
from crawlers.fetch.api_key import key_of
from crawlers.fetch.job import Job, check, guard_of
from crawlers.web.addresses import canonical_url
from crawlers.web.ssrf_guard import PORTS, Guard
from flows.console import SafeConsole
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, HostError
from malmoi.source import Folder, Source, TermsCheck, Warc
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace, push

PATIENCE = 10.0  # seconds for a connection to one address


def probe(workspace: Workspace, name: str, contact: str | None) -> None:
    """Return if the source can be collected; nothing is requested from it and nothing is written.

    Raises:
        CallError: a contact, a terms check, a key or a file is missing.
        HostError: no connection to one of its hosts.
    """
    source = catalogue.load(name).source
    sources.check_licences(source)
    check_paths(source)
    if isinstance(source.access, Folder | Warc):
        return
    job = Job(name, workspace.root, contact=contact, terms=terms_of(workspace, source))
    check(job, catalogue.load(name))
    key_of(source)
    guard = guard_of(source)
    parts = map(urlsplit, catalogue.addresses(source))
    for host, port in sorted({(one.hostname or "", one.port or PORTS.get(one.scheme, 0)) for one in parts}):
        _connect(source.name, host, port, guard)


def check_paths(source: Source) -> None:
    """Raise CallError if a file or folder of the access point does not exist."""
    if missing := access_rules.find_absent(source):
        raise CallError(f"{source.name}: {missing[0]} does not exist; correct the path in its file.")


def _connect(source: str, host: str, port: int, guard: Guard) -> None:
    """Open a connection and close it; the SSRF guard judges each address first."""
    why: object = "no address is permitted"
    try:
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if guard.check_resolved(host, port, str(address[0])) is None:
                try:
                    socket.create_connection((str(address[0]), port), PATIENCE).close()
                    return
                except OSError as error:
                    why = error.strerror or error
    except OSError as error:
        why = error.strerror or error
    raise HostError(f"{source}: {host}:{port} does not answer ({why}). Run again once the site works.")


VERDICTS = ("allowed", "forbidden")
SKELETONS = {"site": "skeleton.py.txt", "dspace": "skeleton_dspace.py.txt"}


def terms_of(workspace: Workspace, source: Source) -> TermsCheck | None:
    """Return the operator's terms check of a source, as recorded by `malmoi sources terms`.

    CallError if the file cannot be read: a check is a promise, so it is not guessed.
    """
    said = _read_checks(workspace).get(source.name)
    return TermsCheck(said["reviewer"], said["date"], said["url"], _parse_verdict(said["verdict"])) if said else None


def record_terms(root: Path, name: str, *, reviewer: str, page: str, verdict: str, day: str, out: SafeConsole) -> str:
    """Record in the workspace at `root` that a person has read the terms of a source; return the name of the source."""
    source = catalogue.load(name).source
    today = datetime.now(UTC).date()
    reviewer = " ".join(reviewer.split())
    if not reviewer or not reviewer.isprintable():
        raise CallError("--reviewer is empty; say who has read the terms.")
    if not canonical_url(page):
        raise CallError(f"--page {page!r} is not an http or https address; give the page that was read.")
    if verdict not in VERDICTS:
        raise CallError(f"--verdict is {verdict!r}; it must be {' or '.join(VERDICTS)}.")
    try:
        read = date.fromisoformat(day) if day else today
    except ValueError as error:
        raise CallError(f"--date is {day!r}; write it as 2026-11-24.") from error
    if read > today:
        raise CallError(f"--date {day} is in the future; a check is recorded after it was made.")
    workspace = Workspace.open(root)
    check = TermsCheck(reviewer, read.isoformat(), page, _parse_verdict(verdict))
    known = _read_checks(workspace) | {source.name: asdict(check)}
    replace_file(workspace.terms, canonical_json(known))
    push(workspace.terms)
    out.print(f"{source.name}: {verdict}, says {reviewer} on {check.date} ({page})")
    return source.name


def licences(source: Source) -> str:
    """Return the licences that the documents of a source are expected to carry, in one line.

    >>> from malmoi.source import LicenceClaim, LicenceRule, Warc
    >>> licences(Source("a", "A", "B", Warc(()), (LicenceClaim("MIT", "q"),), LicenceRule(("licence-file",))))
    'MIT'
    >>> licences(Source("a", "A", "B", Warc(()), rule=LicenceRule(("field",), expected=("LicenseRef-KOGL-1",))))
    'KOGL-1'
    >>> licences(Source("a", "A", "B", Warc(())))
    'by item, review'
    """
    said = [*dict.fromkeys((*(claim.licence for claim in source.claim), *source.rule.expected))]
    words = [licence.removeprefix("LicenseRef-") for licence in said] or ["by item"]
    return ", ".join([*words, *([] if source.rule.proofs else ["review"])])


def write_skeleton(name: str, folder: Path, out: SafeConsole, template: str = "site") -> None:
    """Write a commented skeleton of a source, `NAME.py`, into `folder`; `template` is a key of SKELETONS."""
    if not catalogue.NAME.fullmatch(name):
        raise CallError(f"{name!r} cannot be the name of a source; use lower-case letters, digits, - and _.")
    if name in catalogue.names():
        raise CallError(f"{name} is already in the catalogue; choose another name.")
    path = folder / f"{name}.py"
    text = (Path(__file__).parent / SKELETONS[template]).read_text(encoding="utf-8").replace("NAME", name)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise CallError(
            f"{path} already exists and was not overwritten; move it away, or choose another name."
        ) from error
    out.print(f"{path}: fill it in, then check it with `malmoi sources {path}`.")


def _parse_verdict(said: str) -> Literal["allowed", "forbidden"]:
    return "allowed" if said == "allowed" else "forbidden"


def _read_checks(workspace: Workspace) -> dict[str, dict[str, str]]:
    path = workspace.terms
    if not path.exists():
        return {}
    keys = {"reviewer", "date", "url", "verdict"}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        fits = isinstance(said, dict) and all(
            isinstance(row, dict) and row.keys() == keys and row["verdict"] in VERDICTS for row in said.values()
        )
    except (OSError, ValueError) as error:
        raise CallError(
            f"{path}: cannot be read ({error}); restore it, or delete it and record the checks again."
        ) from error
    if not fits:
        raise CallError(
            f"{path}: must hold one object per source with {', '.join(sorted(keys))}; correct or delete it."
        )
    return dict(said)
