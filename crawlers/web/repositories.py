"""Hosts of git repositories, and the rules for what a source may declare of a repository."""

from __future__ import annotations

from urllib.parse import urlsplit

import re2

from crawlers.web.ssrf_guard import PORTS, Guard, normalise_host
from malmoi.source import Git

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
        return (
            f"{access.url!r}: {host!r} is not one of {known}. Of a host of your own, clone the repository and write a "
            "Folder, or serve it at http://127.0.0.1:<port>/ and name that in loopback of Manners"
        )
    if (why := guard.check_url(access.url)) or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        return f"{access.url!r} is not the address of a repository ({why or 'invalid parts'}); correct it"
    if not _BRANCH.fullmatch(access.branch) or ".." in access.branch or access.branch.endswith((".lock", "/", ".")):
        return f"{access.branch!r} is not the name of a branch; correct it"
    if not _COMMIT.fullmatch(access.commit):
        return f"{access.commit!r} is not a commit; give 40 hexadecimal digits in lower case"
    return ""
