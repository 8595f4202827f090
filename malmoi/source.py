"""A declared origin of text: what it is, why we may use it, and where its bytes are.

A source is one file that says `SOURCE = Source(…)` and, where the defaults of
`crawlers/defaults.py` do not serve, defines any of these pure functions:

    follow(capture)  -> addresses to fetch next
    items(capture)   -> the text-bearing things inside a capture
    evidence(parsed) -> (licence evidence, signals) of an item
    text(parsed)     -> its text with title, date and author
    trouble(capture) -> what an answer of an Api says instead of giving what was asked, or None

`parsed` is a `crawlers.formats.ParsedItem`: the item, and what was read from its bytes, which both functions share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from malmoi.document import LicenceEvidence, Scope

FOLDER = "folder:"  # scheme of the address of a file that stays where it is: folder:<source>/<path>


@dataclass(frozen=True, slots=True)
class LicenceClaim:
    """What the publisher says about the whole source, and the file or page that says it."""

    licence: str  # an id of the table in malmoi/licensing/rights_decision.py
    quote: str  # the words the claim rests on; they must stand in the archived file or page
    file: str = ""  # licence file, relative to the folder or archive; archived at collection
    url: str = ""  # licence page, fetched and archived at collection
    only: tuple[str, ...] = ()  # address prefixes the claim is about; () = the whole source


@dataclass(frozen=True, slots=True)
class LicenceRule:
    """Where the documents of a source say under which licence they are, and how far that is believed."""

    place: str = ""  # in words, for people: "the field KoglType of each item"
    expected: tuple[str, ...] = ()  # ids of licences that items are expected to carry
    widest: Scope = "source"  # a grant of wider scope than this is noted and permits nothing
    review: bool = False  # most items are not open: only one with an explicit open mark of its own passes


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
class Feed:
    """The pages that RSS or Atom feeds name; `scope` as for Site."""

    urls: tuple[str, ...]
    scope: tuple[str, ...]
    deny: tuple[str, ...] = ()
    max_pages: int = 100_000


@dataclass(frozen=True, slots=True)
class Api:
    """Answers of an interface: the first requests, and then those that `follow` names.

    The key is added to a request when it is sent and is in no address that is archived, logged or
    published. `grant` is the page that documents machine access, for an interface whose robots.txt
    disallows what its documentation grants; without it a disallow stops the source.
    """

    start: tuple[str, ...]
    scope: tuple[str, ...]
    key: str = ""  # environment variable that holds the key; "" where none is needed
    parameter: str = ""  # query parameter that carries the key
    grant: str = ""
    deny: tuple[str, ...] = ()
    max_pages: int = 100_000


@dataclass(frozen=True, slots=True)
class Dump:
    """One large file, streamed to disk with range resume and read record by record, never unpacked whole.

    `record` is the name of the XML element that is one record ("page" of a MediaWiki export), or
    "line" for a file of lines. Compression is told from the bytes: none, gzip, bzip2, xz, zstd.
    """

    url: str = ""  # where it is published
    path: Path | None = None  # a dump that is on this machine already; it stays where it is
    record: str = "page"
    grant: str = ""  # as for Api
    max_bytes: int = 20_000_000_000  # of the file as sent
    max_unpacked: int = 400_000_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Git:
    """The files of a git repository at one commit; hooks, submodules, filters and links are off.

    The address of a file is its page at the host, on the branch, so that it stays the same from commit to commit.
    """

    url: str  # https only; the host must be one of crawlers/fetch/git/collector.py
    include: tuple[str, ...] = ("**/*",)  # globs
    exclude: tuple[str, ...] = ()
    commit: str = ""  # 40 hex digits; "" = the head of `branch`, which is then recorded
    branch: str = "main"


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


Crawled: TypeAlias = Site | Sitemap | Feed | Api  # read answer by answer
AccessPoint: TypeAlias = Crawled | Dump | Git | Folder | Warc


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
    rule: LicenceRule = field(default_factory=LicenceRule)
    register: str = ""
    domain: str = ""
    expect: Expect = field(default_factory=Expect)
    manners: Manners = field(default_factory=Manners)
    terms: TermsCheck | None = None
    attribution: str = ""  # template; {title} {author} {year} {url} {publisher} {licence}
    unverified: str = ""  # what nobody has seen with their own eyes yet: an address, a field, a count
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """That an answer is none, although its status says 200.

    `again`: ask once more, it may pass (an empty answer, a busy server). `stop`: nothing more can be
    had now (quota used up, key expired or refused); the source stops with `why`.
    """

    kind: Literal["again", "stop"]
    why: str


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
    outcome: Literal["kept", "dropped", "failed"] = "kept"
    reason: str = ""  # why there is no text: "empty", "not-what-its-name-says", "binary" …
    detail: str = ""  # the limit that was passed, as InputLimit.describe() gives it
