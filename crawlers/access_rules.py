"""Check the access point of a source when its file is loaded: addresses, hosts, names, bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import re2

from crawlers.web.addresses import canonical_url, covers
from crawlers.web.scope import first_of, is_in_scope
from crawlers.web.ssrf_guard import PORTS, Guard, normalise_host
from malmoi.source import (
    BUCKET,
    FOLDER,
    Api,
    CommonCrawl,
    Dump,
    Feed,
    Folder,
    Git,
    OaiPmh,
    Site,
    Sitemap,
    Source,
    Warc,
)

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


SELECTOR = "a selector or claim"
PREFIXES = ("access.scope", "access.deny", SELECTOR)  # compared with what is fetched, which the crawl guards
FORMATS = ("oai_dc", "qdc", "dim", "xoai", "marcxml")  # metadata formats that crawlers/oai/records.py reads
_ELEMENT = re.compile(r"[^\W\d][\w.-]*(?::[^\W\d][\w.-]*)?")
_FILE_FORMATS = frozenset(("lines", "json", "jsonl", "ndjson", "csv", "tsv", "xml"))  # mistaken for a record
_CRAWL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{3}")
_MEDIA = re.compile(r"[\w.+-]+/[\w.+-]+")


def find_faults(source: Source, *, reads_items: bool = False) -> Iterator[str]:
    """Yield a message about each fault of what a source declares of its access point; each names the next step.

    `reads_items`: the source has a function `items` of its own, which may read formats that ours does not. Nothing is
    resolved or requested, and no file is looked for.

    >>> next(find_faults(Source("a", "A", "B", Site(("https://a.kr/",), ("/news/",)))))
    "access.scope holds '/news/', not an address; write it in full, such as https://office.example/news/"
    """
    try:
        guard = Guard.allow_loopback(source.manners.loopback)
    except ValueError:
        yield f"manners.loopback is {source.manners.loopback!r}; it takes host:port, such as 127.0.0.1:8000"
        return
    if not source.manners.delay >= 0 or source.manners.concurrency < 1:
        yield "manners need delay >= 0 and concurrency >= 1; correct them"
    if source.expect.at_least > source.expect.at_most:
        yield f"expect has at_least={source.expect.at_least:,} above at_most={source.expect.at_most:,}; correct them"
    for field, url in _list_addresses(source):
        yield from _check_address(field, url, guard)
    yield from find_claim_faults(source)
    yield from _check_access(source, guard, reads_items)


def find_absent(source: Source) -> list[Path]:
    """Return the files and folders of the access point that do not exist on this machine."""
    match access := source.access:
        case Folder(path=path) | Dump(path=Path() as path):
            paths: tuple[object, ...] = (path,)
        case Warc(paths=given):
            paths = given
        case CommonCrawl():
            paths = (access.data, access.index)
        case _:
            paths = ()
    return [path for path in paths if isinstance(path, Path) and not path.expanduser().exists()]


def find_stray_prefixes(source: Source) -> list[str]:
    """Return the address prefixes of its selectors below which a crawl fetches nothing."""
    if not isinstance(source.access, Site | Sitemap | Feed):
        return []
    scope = source.access.scope
    prefixes = [prefix for prefix, _ in source.rule.selector if prefix]
    return [one for one in prefixes if not any(covers(one, known) or covers(known, one) for known in scope)]


def _list_addresses(source: Source) -> Iterator[tuple[str, str]]:
    """Yield (field, address) of all web addresses that a source declares."""
    access = source.access
    if not isinstance(access, Git):  # which has rules of its own
        for field in ("start", "urls", "url", "scope", "deny", "grant"):
            given = getattr(access, field, "")
            if not (isinstance(access, OaiPmh) and field == "start"):  # a day
                yield from ((f"access.{field}", one) for one in ((given,) if isinstance(given, str) else given) if one)
    if isinstance(access, CommonCrawl) and isinstance(access.data, str) and not access.data.startswith(BUCKET):
        yield "access.data", access.data
    yield from (("claim.url", claim.url) for claim in source.claim if claim.url)
    prefixes = [prefix for prefix, _ in source.rule.selector] + [one for claim in source.claim for one in claim.only]
    yield from ((SELECTOR, one) for one in prefixes if one and not one.startswith(FOLDER))


def _check_address(field: str, url: str, guard: Guard) -> Iterator[str]:
    found = canonical_url(url)
    if not found:
        yield f"{field} holds {url!r}, not an address; write it in full, such as https://office.example/news/"
    elif field not in PREFIXES and (why := guard.check_url(found)):
        if why == "guard-loopback" or (why == "guard-local-name" and _host_of(found).partition(":")[0] == "localhost"):
            yield (
                f"{field} holds {url!r}, which is this machine; if that is meant, name it: "
                f"manners=Manners(loopback=({_host_of(found)!r},))"
            )
        else:
            yield f"{field} holds {url!r}, which is not of the public web ({why}); correct it"


def _host_of(url: str) -> str:
    """Return host:port of a canonical address."""
    scheme, _, rest = url.partition("://")
    host = normalise_host(rest.partition("/")[0])
    return host if re.search(r":\d+$", host) else f"{host}:{PORTS[scheme]}"


def find_claim_faults(source: Source) -> Iterator[str]:
    """Yield a message about each claim whose proof has no place in the access point."""
    for claim in source.claim:
        if not claim.file and not claim.url:
            yield (
                f"the claim of {claim.licence} names neither a file nor a page that says so; add file=… or url=… to "
                "the LicenceClaim."
            )
        elif claim.file and claim.url:
            yield f"the claim of {claim.licence} names both file= and url=; keep the one that holds its quote"
        elif claim.file and isinstance(source.access, Site | Sitemap | Feed | Api | OaiPmh):
            yield (
                f"the claim of {claim.licence} names file={claim.file!r}, and a {type(source.access).__name__} has no "
                "files; name the page that holds its quote, url='https://…'"
            )
        elif claim.file and (PurePosixPath(claim.file).is_absolute() or ".." in PurePosixPath(claim.file).parts):
            yield f"the claim of {claim.licence} names file={claim.file!r}; write its path inside the access point"


def _check_access(source: Source, guard: Guard, reads_items: bool) -> Iterator[str]:
    match access := source.access:
        case Site() | Api():
            yield from _check_start(access)
        case OaiPmh():
            yield from _check_harvest(access, reads_items)
        case Dump():
            yield from _check_dump(access)
        case Git():
            if fault := find_git_fault(access, guard):
                yield fault
        case CommonCrawl():
            yield from _check_archive(access)
        case Folder(include=include, exclude=exclude):
            if stray := [one for one in (*include, *exclude) if not one or one.startswith("/")]:
                yield (
                    f"the glob {stray[0]!r} cannot be used (empty or absolute); it is relative to the folder, as in "
                    "**/*.hwp; correct include or exclude in the source file."
                )
    if isinstance(access, Site | Sitemap | Feed | Api | OaiPmh) and access.max_pages < 1:
        yield f"access.max_pages is {access.max_pages}; write at least 1"


def _check_start(access: Site | Api) -> Iterator[str]:
    if isinstance(access, Api) and access.key and not access.parameter:
        yield f"access names the key {access.key} but not its parameter; add parameter=…"
    stray = [url for url in first_of(access) if canonical_url(url) and not is_in_scope(canonical_url(url), access)]
    if stray and access.scope:
        yield f"the start address {stray[0]} is outside access.scope or inside access.deny; correct them"


def _check_harvest(access: OaiPmh, reads_items: bool) -> Iterator[str]:
    if not access.url or not access.formats or "?" in access.url or "#" in access.url:
        yield "an OaiPmh needs a base URL without a query, and at least one metadata prefix in formats; correct them"
    if not reads_items and (unknown := [one for one in access.formats if one not in FORMATS]):
        yield (
            f"access.formats holds {unknown[0]!r}, which is not read; write some of {', '.join(FORMATS)}, or define "
            "items() in the source file"
        )
    for name, day in (("start", access.start), ("end", access.end)):
        try:
            date.fromisoformat(day or "2000-01-01")
        except ValueError:
            yield f"{name}={day!r} of its OaiPmh is not a day like 2026-11-01; correct it"


def _check_dump(access: Dump) -> Iterator[str]:
    if bool(access.url) == (access.path is not None):
        yield "a Dump needs one of url= and path=; write one"
    if not _ELEMENT.fullmatch(access.record) or access.record.lower() in _FILE_FORMATS:
        yield (
            f"access.record is {access.record!r}; write the name of the XML element that is one record, or 'line' "
            "for a file of lines (JSON lines, CSV)"
        )


def _check_archive(access: CommonCrawl) -> Iterator[str]:
    if not _CRAWL.fullmatch(access.crawl):
        yield f"access.crawl is {access.crawl!r}, not the name of a crawl; write it like CC-MAIN-2026-34"
    for field, values, pattern, example in (
        ("hosts", access.hosts, _HOST, "www.office.example or *.office.example"),
        ("languages", access.languages, _LANGUAGE, "kor (ISO 639-3)"),
        ("media", access.media, _MEDIA, "text/html"),
    ):
        if wrong := [one for one in values if not pattern.fullmatch(one)]:
            yield f"access.{field} holds {wrong[0]!r}; write it like {example}"
