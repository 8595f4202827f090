"""A declared source of text: what it is, why its use is permitted, and where its bytes are.

A source is one file that assigns `SOURCE = Source(…)` and, if the defaults of
`crawlers/defaults.py` do not fit, defines any of these pure functions:

    follow(capture)  -> addresses to fetch next, and attachments
    items(capture)   -> the text-bearing things inside a capture
    evidence(parsed) -> (licence evidence, signals) of an item
    text(parsed)     -> its text with title, date and author
    trouble(capture) -> the error that an Api answers instead of the requested data, or None
    unknown_fields(capture) -> fields of an answer that the source neither reads nor leaves out on purpose

`parsed` is a `crawlers.formats.ParsedItem`: the item with its parsed content, which `evidence` and `text` share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from malmoi.document import LicenceEvidence

BUCKET = "s3://"
FOLDER = "folder:"  # scheme of the address of a file that is not copied: folder:<source>/<path>


@dataclass(frozen=True, slots=True)
class LicenceClaim:
    """A licence statement of the publisher about the whole source, and the file or page that contains it."""

    licence: str  # an id of the table in malmoi/licensing/rights_decision.py
    quote: str  # the words that grant the licence; they must occur in the archived file or page
    file: str = ""  # licence file, relative to the folder or archive; archived at collection
    url: str = ""  # licence page, fetched and archived at collection
    only: tuple[str, ...] = ()  # address prefixes that the claim applies to; () = the whole source


@dataclass(frozen=True, slots=True)
class LicenceRule:
    """Which proofs of a source are accepted, and where; a document outside what is declared here needs a review.

    A source without `proofs` permits nothing by itself: what its pages say is left to the recipe (`trust`) or a person.
    """

    proofs: tuple[str, ...] = ()  # names of malmoi/licensing/proofs.py
    selector: tuple[tuple[str, str], ...] = ()  # (address prefix, CSS selector); the first prefix that fits decides
    fields: tuple[str, ...] = ()  # names of fields, columns or labels that hold the licence
    boards: tuple[str, ...] = ()  # regular expressions; the address of what the publisher itself writes matches one
    author: str = ""  # regular expression for the author of a document; "" = any author
    expected: tuple[str, ...] = ()  # ids of licences; a proof of another one needs a review. () = every licence


@dataclass(frozen=True, slots=True)
class Expect:
    """Expected number of documents of a full collection; outside the bounds the source stops."""

    at_least: int = 1
    at_most: int = 100_000_000


@dataclass(frozen=True, slots=True)
class TermsCheck:
    """Record that a person has read the terms: who, when (ISO date), which page, and the outcome."""

    reviewer: str
    date: str
    url: str
    verdict: Literal["allowed", "forbidden"]


@dataclass(frozen=True, slots=True)
class Site:
    """Pages reached by links from `start`, restricted to the address prefixes in `scope`."""

    start: tuple[str, ...]
    scope: tuple[str, ...]
    deny: tuple[str, ...] = ()  # address prefixes that are never fetched
    max_pages: int = 100_000


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The pages that sitemaps list; sitemap indexes are followed; `scope` as for Site."""

    urls: tuple[str, ...]
    scope: tuple[str, ...]
    deny: tuple[str, ...] = ()
    max_pages: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Feed:
    """The pages that RSS or Atom feeds list; `scope` as for Site."""

    urls: tuple[str, ...]
    scope: tuple[str, ...]
    deny: tuple[str, ...] = ()
    max_pages: int = 100_000


@dataclass(frozen=True, slots=True)
class Api:
    """Answers of a web API: the first requests, then the addresses that `follow` returns.

    The crawler adds the key when it sends a request; archived, logged and published addresses do not
    contain it. `grant` is the page that documents machine access, for an API whose robots.txt
    disallows what its documentation grants; without it a disallow stops the source.
    """

    start: tuple[str, ...]
    scope: tuple[str, ...]
    key: str = ""  # environment variable that holds the key; "" if none is needed
    parameter: str = ""  # query parameter that carries the key
    grant: str = ""
    deny: tuple[str, ...] = ()
    max_pages: int = 100_000


@dataclass(frozen=True, slots=True)
class OaiPmh:
    """The records of a repository that speaks OAI-PMH 2.0, and the files that licensed records link to.

    Each record is a capture of its own, at the address of its GetRecord request. `scope` are address prefixes of
    full-text files; a file is fetched if the licence of its record permits a use, () fetches none.
    """

    url: str  # the base URL, without a query
    formats: tuple[str, ...] = (
        "oai_dc",
    )  # metadata prefixes, best first; the first that the repository offers is used
    sets: tuple[str, ...] = ()  # setSpecs; () = all records
    scope: tuple[str, ...] = ()
    start: str = ""  # earliest datestamp, an ISO date in UTC, inclusive; "" = no bound
    end: str = ""  # latest datestamp, as `start`
    by_identifier: bool = False  # ListIdentifiers and GetRecord, for a repository whose ListRecords fails
    cap: int = 0  # records at which this repository cuts a list off without a resumption token; 0 = it does not
    grant: str = ""  # as for Api, for the base URL
    deny: tuple[str, ...] = ()  # address prefixes of files that are never fetched
    max_pages: int = 1_000_000  # records, and files


@dataclass(frozen=True, slots=True)
class Dump:
    """One large file, streamed to disk with range resume and read record by record, never decompressed as a whole.

    `record` is the name of the XML element that is one record ("page" of a MediaWiki export), or
    "line" for a file of lines. Compression is detected from the bytes: none, gzip, bzip2, xz, zstd.
    """

    url: str = ""  # address of publication
    path: Path | None = None  # a dump that is already on this machine; it is not copied
    record: str = "page"
    grant: str = ""  # as for Api
    max_bytes: int = 20_000_000_000  # of the file as sent
    max_unpacked: int = 400_000_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Git:
    """The files of a git repository at one commit; hooks, submodules, filters and links are disabled.

    The address of a file is its page at the host, on the branch, so that it is the same for every commit. With
    `named_by` it holds the file's own identifier instead of its path, so that it survives a renamed file too.
    """

    url: str  # https only; the host must be one of crawlers/fetch/git_collector.py
    include: tuple[str, ...] = ("**/*",)  # globs
    exclude: tuple[str, ...] = ()
    commit: str = ""  # 40 hex digits; "" = the head of `branch`, which is then recorded
    branch: str = "main"
    named_by: tuple[str, ...] = ()  # fields of the front matter; the first with a value identifies the file


@dataclass(frozen=True, slots=True)
class Folder:
    """Files on this machine; they are read in place and never copied."""

    path: Path
    include: tuple[str, ...] = ("**/*",)  # globs below path
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warc:
    """Existing archives: WARC files or folders of them; they are read in place."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class CommonCrawl:
    """Pages of one crawl of Common Crawl, or of an archive with the same layout, chosen in its columnar index.

    The index (Parquet, `cc-index/table/cc-main/warc/crawl=…/subset=…`) is read first; the records that it names are
    then read from the WARC files by byte range. A page of such an archive is a page of the open web: no claim of the
    source speaks for it. A collection larger than `max_pages` or `max_bytes` stops before the first record.
    """

    crawl: str  # "CC-MAIN-2026-34"
    hosts: tuple[str, ...] = ()  # "www.office.example", or "*.office.example" with all hosts below it; () = every host
    languages: tuple[str, ...] = ("kor",)  # ISO 639-3; a page is taken if its index names one of them. () = any
    media: tuple[str, ...] = ("text/html", "application/xhtml+xml")  # media types, as detected from the content
    # Web address, s3://BUCKET/PREFIX or folder below which all paths of the archive lie.
    data: str | Path = "https://data.commoncrawl.org/"
    index: Path | None = None  # folder of the index files on this machine; None = they lie below `data`
    max_pages: int = 100_000
    max_bytes: int = 20_000_000_000  # of records as stored, and of index files that are fetched


Crawled: TypeAlias = Site | Sitemap | Feed | Api | OaiPmh  # read answer by answer
AccessPoint: TypeAlias = Crawled | Dump | Git | Folder | Warc | CommonCrawl


@dataclass(frozen=True, slots=True)
class Manners:
    """Crawler politeness towards a host of this source (throttle)."""

    delay: float = 1.0  # seconds between requests to one host
    concurrency: int = 1  # requests in flight to one host
    loopback: tuple[str, ...] = ()  # "host:port" that may be a loopback address; tests, in-house sites


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much text a whole collection of a source would give, as long as no collection has counted it."""

    characters: int  # code points of extracted text
    origin: str  # the arithmetic, or where the number was read


@dataclass(frozen=True, slots=True)
class Source:
    """One declared source."""

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
    family: str = ""  # sources of one family give access to the same works, under the same keys; "" = none
    attribution: str = ""  # template; {title} {author} {year} {url} {publisher} {licence}
    unverified: str = ""  # what no person has verified yet: an address, a field, a count
    estimate: Estimate | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error in an answer whose status is 200.

    `again`: retry, the error may be temporary (an empty answer, a busy server). `stop`: no further data is
    available now (quota used up, key expired or refused); the source stops with `why`.
    """

    kind: Literal["again", "stop"]
    why: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """An address that `follow` returns together with the facts that the capture states about the file there.

    The facts are archived with the file; `crawlers.attachments.read(capture)` returns them to `items`.
    """

    url: str
    facts: tuple[tuple[str, str], ...]  # (name, words of the capture)


@dataclass(frozen=True, slots=True)
class Item:
    """One text-bearing thing inside a capture: a page, a row, a file."""

    key: str  # the source's own key, or the canonical address; unique within the source
    url: str
    body: bytes | str  # bytes as sent, or the text of a cell or field
    media: str  # media type as declared or found, e.g. "text/html"
    charset: str  # declared by the protocol, "" if not declared
    record: str
    headers: tuple[tuple[str, str], ...] = ()
    title: str = ""
    date: str = ""
    author: str = ""
    evidence: tuple[LicenceEvidence, ...] = ()  # a claim that the item itself makes, e.g. a column


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text extracted from an item's bytes, and its metadata."""

    text: str
    title: str = ""
    date: str = ""
    author: str = ""
    format: str = ""
    encoding: str = ""
    canonical: str = ""  # the address that the page declares as canonical
    outcome: Literal["kept", "dropped", "failed"] = "kept"
    reason: str = ""  # why there is no text: "empty", "not-what-its-name-says", "binary" …
    detail: str = ""  # the limit that was exceeded, as InputLimit.describe() formats it
    cells: int = 0  # of its tables; 0 for a format whose reader counts none
    blank_cells: int = 0  # those of them without words
    page_kind: str = ""  # of a web page: article, index, error … (crawlers/formats/html/page_kind.py)
