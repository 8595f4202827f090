"""Find the index files of a crawl; of remote ones, fetch only the row groups and columns that a question reads.

A columnar index has some 300 files of 1 GB a crawl. Their rows are sorted by SURT key (`kr,go,moj)/…`), roughly, so the
statistics of the row groups tell which of them can hold a host. DuckDB reads local files only: its readers for the web
are an extension that it would download while it runs.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from crawlers.fetch import payload
from crawlers.fetch.common_crawl.byte_ranges import DistantFiles, RangeError, is_plain
from crawlers.fetch.streaming_client import Refused
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.limits import VERIFY_FOOTER

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
