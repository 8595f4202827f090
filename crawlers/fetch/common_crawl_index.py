"""Choose the records of a crawl in its index, and forecast what fetching them takes.

A columnar index has some 300 files of 1 GB a crawl. Their rows are sorted by SURT key (`kr,go,moj)/…`), roughly, so the
statistics of the row groups tell which of them can hold a host. DuckDB reads local files only, as its readers for the
web are an extension that it would download while it runs: of remote files only the row groups and columns that a
question reads are fetched.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urldefrag

import pyarrow.parquet as pq

from crawlers.fetch import payload
from crawlers.fetch.byte_ranges import DistantFiles, RangeError, is_plain
from crawlers.fetch.streaming_client import Refused
from malmoi.boundary import input_errors
from malmoi.errors import DataError, SourceError
from malmoi.limits import ARCHIVE_MEMBER, VERIFY_FOOTER
from malmoi.source import CommonCrawl, Source
from malmoi.storage.duckdb_tables import list_columns, quote_string, select_into

TABLE = "cc-index/table/cc-main/warc"
SUBSETS = ("warc", "robotstxt")  # successful captures, and the answers for robots.txt
KEY = "url_surtkey"
# Of cc-index-schema-flat.json in the repository commoncrawl/cc-index-table; others are not read.
COLUMNS = (
    KEY, "url", "url_host_name", "fetch_time", "fetch_status", "content_digest", "content_mime_type",
    "content_mime_detected", "content_languages", "content_truncated", "warc_filename", "warc_record_offset",
    "warc_record_length",
)  # fmt: skip
TAIL = 1 << 17  # bytes of the end of a file that hold its footer
# Bytes between two column chunks that are fetched along: a request costs a second. Not below the 8 KiB of Arrow.
GAP = 1 << 20
BLOCK = 1 << 25  # bytes of one request
ROWS = 65_536
_WWW = re.compile(r"^www[0-9]*\.")
LAST = "\U0010ffff"  # sorts behind every character of a key


@dataclass(frozen=True, slots=True)
class Part:
    """A remote index file, and the row groups of it that may hold wanted rows."""

    path: str
    subset: str
    size: int  # bytes
    tail: bytes
    groups: tuple[int, ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]  # of each row group: (offset, length) of what is requested

    @property
    def bytes(self) -> int:
        """The bytes to fetch."""
        return sum(length for spans in self.spans for _, length in spans)

    @property
    def requests(self) -> int:
        """The number of requests that fetch them."""
        return sum(map(len, self.spans))


def list_local(folder: Path, crawl: str) -> dict[str, list[Path]]:
    """Return subset → index files of a crawl below a folder; a file outside folders `crawl=…/subset=…` is of `warc`."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*.parquet")):
        named = dict(part.split("=", 1) for part in path.parts if "=" in part)
        if named.get("crawl", crawl) == crawl and named.get("subset", "warc") in SUBSETS:
            found[named.get("subset", "warc")].append(path)
    return dict(found)


def list_remote(files: DistantFiles, crawl: str) -> dict[str, list[str]]:
    """Return subset → paths of the index files of a crawl. Raises SourceError if it has no list of them."""
    path = f"crawl-data/{crawl}/cc-index-table.paths.gz"
    try:
        url, body = files.address(path), files.read_whole(path)
    except RangeError as error:
        raise SourceError(f"{error}; correct crawl= or data= of the source, or run again later") from None
    with input_errors(lambda name: SourceError(f"{url}: not a list of paths ({name}); correct data= of the source")):
        raw = payload.inflate(body) if body.startswith(b"\x1f\x8b") else body
        lines = raw.decode("ascii").split()
    found: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        for subset in SUBSETS:
            if line.startswith(f"{TABLE}/crawl={crawl}/subset={subset}/") and is_plain(line):
                found[subset].append(line)
    if "warc" not in found:
        raise SourceError(f"{url}: names no index file of {crawl}; correct crawl= or data= of the source")
    return dict(found)


def key_ranges(hosts: Sequence[str]) -> list[tuple[str, str]]:
    """Return the bounds of the SURT keys of hosts; [] if all keys are wanted.

    A key leaves out a leading `www`, `www2` and so on, so the bounds of `*.office.example` begin with the office.

    >>> key_ranges(("*.go.kr", "www2.law.go.kr"))[1][0], key_ranges(())
    ('kr,go,law', [])
    """
    names = (_WWW.sub("", host.removeprefix("*.").lower()) for host in hosts)
    keys = sorted({",".join(reversed(name.split("."))) for name in names})
    return [(key, key + LAST) for key in keys]


def look_at(files: DistantFiles, path: str, subset: str, ranges: Sequence[tuple[str, str]]) -> Part:
    """Read the footer of a remote index file, and choose its row groups. Raises SourceError."""
    size, tail = files.read_tail(path, TAIL)
    needed = int.from_bytes(tail[-8:-4], "little") + 8  # the footer, its length, and the mark of Parquet
    if needed > VERIFY_FOOTER.value:
        raise SourceError(
            f"{path}: an index file that cannot be read ({VERIFY_FOOTER.describe()}); correct data= of the source"
        )
    if len(tail) < needed <= size:
        tail = files.read(path, size - needed, needed - len(tail)) + tail
    with _explain(path):
        footer = pq.ParquetFile(_RemoteFile(files, path, size, tail)).metadata
        names = [footer.schema.column(n).name for n in range(footer.num_columns)]
        groups = [n for n in range(footer.num_row_groups) if _may_hold(footer.row_group(n), names, ranges)]
        spans = tuple(tuple(_list_spans(footer.row_group(n), names, size - len(tail))) for n in groups)
    return Part(path, subset, size, tail, tuple(groups), spans)


def fetch(files: DistantFiles, part: Part, target: Path) -> None:
    """Write the chosen row groups and columns of a remote index file to `target`. Raises SourceError or RangeError."""
    remote, unfinished = _RemoteFile(files, part.path, part.size, part.tail), target.with_suffix(".part")
    with _explain(part.path):
        file = pq.ParquetFile(remote)
        names = [name for name in COLUMNS if name in file.schema_arrow.names]
        kept = file.schema_arrow.empty_table().select(names).schema
        with pq.ParquetWriter(unfinished, kept, compression="zstd") as writer:
            for group, spans in zip(part.groups, part.spans, strict=True):
                remote.hold(spans)
                for batch in file.iter_batches(ROWS, row_groups=[group], columns=names):
                    writer.write_batch(batch)
    unfinished.replace(target)


def _explain(path: str) -> AbstractContextManager[None]:
    return input_errors(
        lambda name: SourceError(f"{path}: an index file that cannot be read ({name}); run again later"),
        RangeError,
        Refused,
    )


def _may_hold(group: pq.RowGroupMetaData, names: Sequence[str], ranges: Sequence[tuple[str, str]]) -> bool:
    """Whether a row group may hold a key of one of the ranges, by its statistics; without statistics it may."""
    if not ranges or KEY not in names:
        return True
    said = group.column(names.index(KEY)).statistics
    if said is None or not said.has_min_max:
        return True
    least, most = (one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in (said.min, said.max))
    return any(least < behind and first <= most for first, behind in ranges)


def _list_spans(group: pq.RowGroupMetaData, names: Sequence[str], held: int) -> Iterator[tuple[int, int]]:
    """Yield (offset, length) of the requests that bring the column chunks of COLUMNS; near ones come together.

    What begins at the offset `held` or behind it is in the tail, which is here.
    """
    chunks = [group.column(n) for n, name in enumerate(names) if name in COLUMNS]
    firsts = (min(filter(None, (one.dictionary_page_offset, one.data_page_offset))) for one in chunks)
    spans = zip(firsts, (one.total_compressed_size for one in chunks), strict=True)
    begin = end = 0
    for offset, length in sorted(span for span in spans if span[0] < held):
        if offset > end + GAP or not end:
            yield from _cut(begin, end)
            begin = offset
        end = offset + length
    yield from _cut(begin, end)


def _cut(begin: int, end: int) -> Iterator[tuple[int, int]]:
    for at in range(begin, end, BLOCK):
        yield at, min(BLOCK, end - at)


class _RemoteFile(io.RawIOBase):
    """A remote file as Parquet readers want it; what they read beside the held ranges is requested for itself."""

    def __init__(self, files: DistantFiles, path: str, size: int, tail: bytes) -> None:
        super().__init__()
        self._files, self._path, self._size = files, path, size
        self._tail = (size - len(tail), tail)
        self._held = [self._tail]  # (offset, bytes)
        self._at = 0

    def hold(self, spans: Sequence[tuple[int, int]]) -> None:
        """Fetch these ranges, adjacent ones as one block, and forget the ones before."""
        self._held = [self._tail]
        for offset, length in spans:
            body = self._files.read(self._path, offset, length)
            begin, before = self._held[-1]
            if begin + len(before) == offset:
                self._held[-1] = (begin, before + body)
            else:
                self._held.append((offset, body))

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes. Raises RangeError."""
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        body = b""
        if end > self._at:
            held = next((one for one in self._held if one[0] <= self._at and end <= one[0] + len(one[1])), None)
            if held is None:
                held = (self._at, self._files.read(self._path, self._at, end - self._at))
            body = held[1][self._at - held[0] : end - held[0]]
        self._at += len(body)
        return body

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset, as files do."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the offset."""
        return self._at

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True


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
    tables = {} if (folder := index_folder(access)) is None else list_local(folder, access.crawl)
    states = ((path, path.stat()) for paths in tables.values() for path in paths)
    files = sorted((str(path), state.st_size, state.st_mtime_ns) for path, state in states)
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
        hosts = (host.lower() for host in access.hosts)
        names = (
            f"ends_with(url_host_name, {quote_string(host[1:])})"
            if host.startswith("*.")
            else f"url_host_name = {quote_string(host)}"
            for host in hosts
        )
        said.append(f"({' OR '.join(names)})")
    return " AND ".join(said) + _key_condition(access, columns)


def _key_condition(access: CommonCrawl, columns: Mapping[str, str]) -> str:
    """Return bounds of the SURT keys, by which row groups are left out unread; they select nothing by themselves."""
    ranges = key_ranges(access.hosts)
    if not ranges or KEY not in columns:
        return ""
    first, last = ranges[0][0], max(behind for _, behind in ranges)
    return f" AND {KEY} >= {quote_string(first)} AND {KEY} < {quote_string(last)}"


def _list(values: Sequence[str]) -> str:
    return ", ".join(map(quote_string, values))
