"""Check where a repository may be fetched from: known hosts, and guarded IP addresses that git is pinned to."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawlers.web.repositories import HOSTS, find_git_fault
from crawlers.web.ssrf_guard import PORTS, Guard, normalise_host
from malmoi.errors import CallError, SourceError
from malmoi.source import Git, Source


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that may be fetched: its URL, its pinned IP addresses, and the URL pattern of its files."""

    url: str
    protocol: str
    pins: tuple[str, ...]  # host:port:address,…
    page: str  # with {path}


def place_of(source: Source, access: Git, guard: Guard) -> Place:
    """Check a repository; resolve, guard and pin every IP address of its host.

    Raises:
        CallError: URL, branch or commit are declared wrongly, or the host is not in HOSTS.
        SourceError: the host has no IP address, or one that is not on the public web.
    """
    if fault := find_git_fault(access, guard):
        raise CallError(f"{source.name}: {fault}")
    parts = urlsplit(access.url)
    host, port = normalise_host(parts.hostname or ""), parts.port or PORTS.get(parts.scheme, 0)
    page = HOSTS.get(host, "{repository}/blob/{branch}/{path}").replace(
        "{repository}", access.url.rstrip("/").removesuffix(".git")
    )
    return Place(access.url, parts.scheme, _pins(source, host, port, guard), page.replace("{branch}", access.branch))


def _pins(source: Source, host: str, port: int, guard: Guard) -> tuple[str, ...]:
    """Return the IP addresses of a host for git, so that git connects only to addresses that the guard has checked."""
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        raise SourceError(f"{source.name}: {host} has no address ({error.strerror}); check the network") from error
    for address in found:
        if why := guard.check_resolved(host, port, address):
            raise SourceError(f"{source.name}: {host} leads to {address}, which is not of the public web ({why})")
    if host in found:  # the host is an IP address
        return ()
    return (f"{host}:{port}:{','.join(f'[{a}]' if ':' in a else a for a in found)}",)
