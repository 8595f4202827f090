"""Probe a source: can it be collected now? Its declaration, the operator's part, and whether its hosts answer."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from crawlers import access_rules, catalogue
from crawlers import collect as sources
from crawlers.fetch.api_key import key_of
from crawlers.fetch.job import Job, check, guard_of
from crawlers.web.ssrf_guard import PORTS, Guard
from flows.source_files import terms_of
from malmoi.errors import CallError, HostError
from malmoi.source import Folder, Source, Warc
from malmoi.workspace import Workspace

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
