"""Choose the records of a crawl in its index, and forecast what fetching them takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urldefrag

import pyarrow.parquet as pq

from crawlers.fetch.common_crawl.index_files import KEY, key_ranges, list_local
from malmoi.errors import DataError, SourceError
from malmoi.limits import ARCHIVE_MEMBER
from malmoi.source import CommonCrawl, Source
from malmoi.storage.duckdb_tables import list_columns, quote_string, select_into

VERSION = 1  # raise it when an index yields other candidates
PAGE, ROBOTS = "page", "robots"  # kinds of candidates
MEMORY = "384MB"  # of DuckDB; it spills the rest
NEEDED = ("url", "url_host_name", "fetch_time", "fetch_status", "warc_filename", "warc_record_offset")
# Answers for robots.txt that say something about the host: the file, a redirect to it, or its absence.
_ROBOTS_STATUS = "200, 301, 302, 303, 307, 308, 404, 410"
_ORIGIN = "lower(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+'))"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record that the index names."""

    kind: str  # PAGE, ROBOTS
    url: str
    origin: str
    fetched: str  # UTC, of the crawl
    path: str  # of the WARC file in the archive
    offset: int
    length: int  # bytes as stored
    digest: str  # SHA-1 of the payload in base 32, "" if the index has none


@dataclass(slots=True)
class Forecast:
    """The costs of fetching, counted in the index before the first record is fetched."""

    pages: int = 0
    robots: int = 0  # archived answers for robots.txt, one a host
    bytes: int = 0  # of the records as stored
    delay: float | None = None  # seconds between two requests; None if the records are on this machine

    def add(self, one: Candidate) -> None:
        """Count a record that will be fetched."""
        self.pages += one.kind == PAGE
        self.robots += one.kind == ROBOTS
        self.bytes += one.length

    @property
    def requests(self) -> int:
        """The number of records, each of which takes one request."""
        return self.pages + self.robots

    def describe(self) -> str:
        """Describe it in one line.

        >>> Forecast(90_000, 400, 2_500_000_000, 1.0).describe()
        '90,000 pages and 400 robots.txt, 2,500.0 MB in 90,400 requests, at least 25.1 hours at 1 s between two'
        """
        said = f"{self.pages:,} pages and {self.robots:,} robots.txt, {self.bytes / 1e6:,.1f} MB"
        if self.delay is None:
            return f"{said} of records on this machine"
        hours = self.requests * self.delay / 3600
        return f"{said} in {self.requests:,} requests, at least {hours:,.1f} hours at {self.delay:g} s between two"


def digest_of(access: CommonCrawl) -> str:
    """Return the digest of what decides the candidates: the question, and the state of local index files."""
    asked = replace(access, max_pages=0, max_bytes=0)
    files = [] if (folder := index_folder(access)) is None else sorted(_list_states(folder, access.crawl))
    return hashlib.sha256(repr((VERSION, astuple(asked), files)).encode()).hexdigest()[:16]


def index_folder(access: CommonCrawl) -> Path | None:
    """Return the folder of the index files on this machine; None if they are at a web address."""
    if access.index is not None:
        return access.index.expanduser()
    return access.data.expanduser() if isinstance(access.data, Path) else None


def forecast_local(source: Source, access: CommonCrawl) -> Forecast | None:
    """Return the forecast of a whole collection from index files on this machine; None without them.

    Raises SourceError as `select`.
    """
    folder = index_folder(access)
    tables = list_local(folder, access.crawl) if folder is not None and folder.exists() else {}
    if "warc" not in tables:
        return None
    forecast = Forecast(delay=None if isinstance(access.data, Path) else source.manners.delay)
    with TemporaryDirectory(prefix="malmoi-index-") as tmp:
        target = Path(tmp) / "candidates.parquet"
        select(source, access, tables, target)
        for one in read(target):
            forecast.add(one)
    return forecast


def _list_states(folder: Path, crawl: str) -> Iterator[tuple[str, int, int]]:
    for paths in list_local(folder, crawl).values():
        yield from ((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths)


def select(source: Source, access: CommonCrawl, tables: Mapping[str, Sequence[Path]], target: Path) -> int:
    """Write the candidates in the index files of `tables` (subset → files) to `target`; return their number.

    Pages come first, then the answers for robots.txt of their hosts, each in the order of the archive. Of several
    captures of an address the latest counts. Raises SourceError if a file lacks a column or cannot be read.
    """
    unfinished = target.with_suffix(".part")
    try:
        columns = {name: list_columns("parquet", paths) for name, paths in tables.items()}
        for name, found in columns.items():
            if missing := [one for one in (*NEEDED, "warc_record_length") if one not in found]:
                raise SourceError(
                    f"{source.name}: the index files of the subset {name} have no column {missing[0]}; name files of "
                    "the columnar index in index= or data= of the source"
                )
        if access.languages and "content_languages" not in columns["warc"]:
            raise SourceError(
                f"{source.name}: the index of {access.crawl} has no column content_languages, as those before "
                "CC-MAIN-2018-39; choose a later crawl, or write languages=() and name hosts"
            )
        count = select_into(unfinished, _question(access, columns), tables, tmp=target.parent, memory=MEMORY)
    except DataError as error:
        raise SourceError(f"{source.name}: the index cannot be read ({error}); get a new copy of its files") from error
    unfinished.replace(target)
    return count


def read(path: Path) -> Iterator[Candidate]:
    """Yield the candidates that `select` has written."""
    for batch in pq.ParquetFile(path).iter_batches():
        for row in batch.to_pylist():
            yield Candidate(**row | {"url": urldefrag(row["url"]).url})


def _question(access: CommonCrawl, columns: Mapping[str, Mapping[str, str]]) -> str:
    pages = (
        f"SELECT '{PAGE}' AS kind, {_fields(columns['warc'])} FROM warc WHERE {_conditions(access, columns['warc'])}"
    )
    parts = [f"pages AS ({pages} QUALIFY {_LATEST})"]
    found = "SELECT * FROM pages"
    if "robotstxt" in columns:
        ranges = _key_condition(access, columns["robotstxt"])
        parts.append(
            f"robots AS (SELECT '{ROBOTS}' AS kind, {_fields(columns['robotstxt'])} FROM robotstxt"
            f" WHERE regexp_matches(url, '^https?://[^/?#]+/robots[.]txt$') AND {_FITS}"
            f" AND fetch_status IN ({_ROBOTS_STATUS}){ranges} AND {_ORIGIN} IN (SELECT origin FROM pages)"
            f" QUALIFY {_LATEST})"
        )
        found += " UNION ALL SELECT * FROM robots"
    return f'WITH {", ".join(parts)} {found} ORDER BY kind, path, "offset"'


_LATEST = "row_number() OVER (PARTITION BY url ORDER BY fetched DESC, path, warc_record_offset) = 1"
_FITS = f"warc_record_length BETWEEN 1 AND {ARCHIVE_MEMBER.value} AND warc_record_offset >= 0"


def _fields(columns: Mapping[str, str]) -> str:
    zoned = "TIME ZONE" in columns["fetch_time"]  # a cast would depend on the zone of this machine
    time = "make_timestamp(epoch_us(fetch_time))" if zoned else "CAST(fetch_time AS TIMESTAMP)"
    digest = "coalesce(content_digest, '')" if "content_digest" in columns else "''"
    return (
        f"url, {_ORIGIN} AS origin, strftime({time}, '%Y-%m-%dT%H:%M:%SZ') AS fetched, warc_filename AS path,"
        f' CAST(warc_record_offset AS BIGINT) AS "offset", CAST(warc_record_length AS BIGINT) AS length,'
        f" {digest} AS digest"
    )


def _conditions(access: CommonCrawl, columns: Mapping[str, str]) -> str:
    """Return the condition for pages; columns that an older index lacks say nothing."""
    said = ["fetch_status = 200", _FITS]
    if "content_truncated" in columns:
        said.append("coalesce(content_truncated, '') = ''")
    media = [name for name in ("content_mime_detected", "content_mime_type") if name in columns]
    if access.media and media:
        said.append(f"coalesce({', '.join(media)}) IN ({_list(access.media)})")
    if access.languages:
        said.append(f"list_has_any(string_split(content_languages, ','), [{_list(access.languages)}])")
    if access.hosts:
        said.append(f"({' OR '.join(map(_host_condition, access.hosts))})")
    return " AND ".join(said) + _key_condition(access, columns)


def _host_condition(host: str) -> str:
    if host.startswith("*."):
        return f"ends_with(url_host_name, {quote_string(host[1:].lower())})"
    return f"url_host_name = {quote_string(host.lower())}"


def _key_condition(access: CommonCrawl, columns: Mapping[str, str]) -> str:
    """Return bounds of the SURT keys, by which row groups are left out unread; they select nothing by themselves."""
    ranges = key_ranges(access.hosts)
    if not ranges or KEY not in columns:
        return ""
    first, last = ranges[0][0], max(behind for _, behind in ranges)
    return f" AND {KEY} >= {quote_string(first)} AND {KEY} < {quote_string(last)}"


def _list(values: Sequence[str]) -> str:
    return ", ".join(map(quote_string, values))
