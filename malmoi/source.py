"""A declared origin of text: what it is, why we may use it, and where its bytes are.

A source is one file that says `SOURCE = Source(…)` and, where the defaults of
`crawlers/defaults.py` do not serve, defines any of these pure functions:

    follow(capture)  -> addresses to fetch next
    items(capture)   -> the text-bearing things inside a capture
    evidence(item)   -> (licence evidence, signals)
    text(item)       -> the text with title, date and author
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from malmoi.document import LicenceEvidence

FOLDER = "folder:"  # scheme of the address of a file that stays where it is: folder:<source>/<path>


@dataclass(frozen=True, slots=True)
class LicenceClaim:
    """What the publisher says about the whole source, and the file or page that says it."""

    licence: str  # an id of the table in malmoi/rights.py
    quote: str  # the words the claim rests on; they must stand in the archived file or page
    file: str = ""  # licence file, relative to the folder or archive; archived at collection
    url: str = ""  # licence page, fetched and archived at collection
    only: tuple[str, ...] = ()  # address prefixes the claim is about; () = the whole source


@dataclass(frozen=True, slots=True)
class Expect:
    """How many documents a full collection yields; outside the bounds the source stops."""

    at_least: int = 1
    at_most: int = 100_000_000


@dataclass(frozen=True, slots=True)
class TermsCheck:
    """That a person has read the terms: who, when (ISO date), which page, and the outcome."""

    reviewer: str
    date: str
    url: str
    verdict: Literal["allowed", "forbidden"]


@dataclass(frozen=True, slots=True)
class Site:
    """Pages reached by links from `start`, never outside the address prefixes of `scope`."""

    start: tuple[str, ...]
    scope: tuple[str, ...]
    deny: tuple[str, ...] = ()  # address prefixes that are never fetched
    max_pages: int = 100_000


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The pages that sitemaps name; a sitemap index is followed; `scope` as for Site."""

    urls: tuple[str, ...]
    scope: tuple[str, ...]
    deny: tuple[str, ...] = ()
    max_pages: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Folder:
    """Files on this machine; they stay where they are and are never copied."""

    path: Path
    include: tuple[str, ...] = ("**/*",)  # globs below path
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warc:
    """Existing archives: WARC files or folders of them; they stay where they are."""

    paths: tuple[Path, ...]


AccessPoint: TypeAlias = Site | Sitemap | Folder | Warc


@dataclass(frozen=True, slots=True)
class Manners:
    """How the crawler behaves towards a host of this source."""

    delay: float = 1.0  # seconds between requests to one host
    concurrency: int = 1  # requests in flight to one host
    loopback: tuple[str, ...] = ()  # "host:port" that may be a loopback address; tests, in-house sites


@dataclass(frozen=True, slots=True)
class Source:
    """One declared origin."""

    name: str
    title: str
    publisher: str
    access: AccessPoint
    claim: tuple[LicenceClaim, ...] = ()
    register: str = ""
    domain: str = ""
    expect: Expect = field(default_factory=Expect)
    manners: Manners = field(default_factory=Manners)
    terms: TermsCheck | None = None
    attribution: str = ""  # template; {title} {author} {year} {url} {publisher} {licence}
    note: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One text-bearing thing inside a capture: a page, a row, a file."""

    key: str  # the source's own key, or the canonical address; unique within the source
    url: str
    body: bytes | str  # bytes as sent, or the text of a cell or field
    media: str  # media type as declared or found, e.g. "text/html"
    charset: str  # declared by the protocol, "" where it was not
    record: str
    headers: tuple[tuple[str, str], ...] = ()
    title: str = ""
    date: str = ""
    author: str = ""
    evidence: tuple[LicenceEvidence, ...] = ()  # a claim that the item itself makes, e.g. a column


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came out of an item's bytes."""

    text: str
    title: str = ""
    date: str = ""
    author: str = ""
    format: str = ""
    encoding: str = ""
    canonical: str = ""  # the address the page itself calls canonical
    outcome: Literal["kept", "dropped"] = "kept"
    reason: str = ""  # why there is no text: "empty", "not-what-its-name-says", "binary" …
