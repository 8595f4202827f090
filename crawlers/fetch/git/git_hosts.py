"""Check where a repository may be fetched from: known hosts, and guarded IP addresses that git is pinned to."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import re2

from crawlers.fetch.ssrf_guard import PORTS, Guard, normalise_host
from malmoi.errors import CallError, SourceError
from malmoi.source import Git, Source

# Host → URL pattern of the page of a file. Each serves git over https and names files of a branch this way.
HOSTS = {
    "github.com": "{repository}/blob/{branch}/{path}",
    "gitlab.com": "{repository}/-/blob/{branch}/{path}",
    "salsa.debian.org": "{repository}/-/blob/{branch}/{path}",
    "invent.kde.org": "{repository}/-/blob/{branch}/{path}",
    "gitlab.gnome.org": "{repository}/-/blob/{branch}/{path}",
    "codeberg.org": "{repository}/src/branch/{branch}/{path}",
}
_PATH = re2.compile(r"(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+/?")
_BRANCH = re2.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}")
_COMMIT = re2.compile(r"(?:[0-9a-f]{40})?")


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


def find_git_fault(access: Git, guard: Guard) -> str:
    """Return a message about the first fault in what a Git declares; "" if it has none. Nothing is resolved.

    >>> find_git_fault(Git("file:///srv/law.git"), Guard())
    "'file:///srv/law.git' is not https; a repository is fetched over https only; for files here write a Folder"
    """
    try:
        parts = urlsplit(access.url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return f"{access.url!r} is not the address of a repository (guard-malformed); correct it"
    host = normalise_host(parts.hostname or "")
    loopback = (host, port) in guard.loopback
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        return f"{access.url!r} is not https; a repository is fetched over https only; for files here write a Folder"
    if host not in HOSTS and not loopback:
        known = ", ".join(HOSTS)
        return f"{access.url!r}: {host!r} is not in {known}; choose one, or add it to crawlers/fetch/git/git_hosts.py"
    if (why := guard.check_url(access.url)) or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        return f"{access.url!r} is not the address of a repository ({why or 'invalid parts'}); correct it"
    if not _BRANCH.fullmatch(access.branch) or ".." in access.branch or access.branch.endswith((".lock", "/", ".")):
        return f"{access.branch!r} is not the name of a branch; correct it"
    if not _COMMIT.fullmatch(access.commit):
        return f"{access.commit!r} is not a commit; give 40 hexadecimal digits in lower case"
    return ""


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
