"""A small archive with the layout of Common Crawl: WARC files, index files, and a host that serves them with faults."""

import base64
import gzip
import hashlib
import re
import socket
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

CRAWL = "CC-MAIN-2026-34"
TABLE = f"cc-index/table/cc-main/warc/crawl={CRAWL}"
LIST = f"crawl-data/{CRAWL}/cc-index-table.paths.gz"
# The columns of cc-index-schema-flat.json that an index file holds; crawl and subset are folders.
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (
            "url_surtkey", "url", "url_host_name", "url_host_tld", "url_host_2nd_last_part", "url_host_3rd_last_part",
            "url_host_4th_last_part", "url_host_5th_last_part", "url_host_registry_suffix",
            "url_host_registered_domain", "url_host_private_suffix", "url_host_private_domain",
            "url_host_name_reversed", "url_protocol",
        )),
        ("url_port", pa.int32()), ("url_path", pa.string()), ("url_query", pa.string()),
        ("fetch_time", pa.timestamp("ms", tz="UTC")), ("fetch_status", pa.int16()),
        *((name, pa.string()) for name in (
            "fetch_redirect", "content_digest", "content_mime_type", "content_mime_detected", "content_charset",
            "content_languages", "content_truncated", "warc_filename",
        )),
        ("warc_record_offset", pa.int32()), ("warc_record_length", pa.int32()), ("warc_segment", pa.string()),
    ]
)  # fmt: skip
HTML = "<html><head>{head}</head><body><main><article><h1>{title}</h1>{text}</article></main></body></html>"
SENTENCE = "물은 아래로 흐르고 사람은 그 곁에 마을을 이룬다. "


@dataclass
class Page:
    """One record of the archive."""

    url: str
    body: bytes = b""
    fetched: str = "2026-08-10T01:02:03Z"
    status: int = 200
    languages: str | None = "kor"
    media: str = "text/html"
    truncated: str | None = None
    subset: str = "warc"
    row: dict = field(default_factory=dict)  # what the index says instead


def page(number: int, host: str = "www.moj.go.kr", *, head: str = "", **more) -> Page:
    """A Korean page of an office."""
    text = f"<p>{number}번째 글이다. {SENTENCE * 12}</p>"
    body = HTML.format(head=head, title=f"공지 {number}", text=text).encode()
    return Page(f"https://{host}/board/{number}.html", body, **more)


def robots(host: str, text: str = "User-agent: *\nAllow: /\n", **more) -> Page:
    """The answer of a host for robots.txt."""
    return Page(
        f"https://{host}/robots.txt", text.encode(), media="text/plain", languages=None, subset="robotstxt", **more
    )


def sha1(body: bytes) -> str:
    return base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def record(one: Page) -> bytes:
    """A response record as Common Crawl writes it: WARC/1.0, payload without codings."""
    head = (
        f"HTTP/1.1 {one.status} OK\r\nContent-Type: {one.media}; charset=utf-8\r\n"
        f"X-Crawl-Content-Encoding: gzip\r\nContent-Length: {len(one.body)}\r\n\r\n"
    )
    block = head.encode() + one.body
    fields = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: {one.fetched}\r\n"
        f"WARC-Record-ID: <urn:uuid:{hashlib.md5(one.url.encode(), usedforsecurity=False).hexdigest()}>\r\n"
        f"Content-Length: {len(block)}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"WARC-Target-URI: {one.url}\r\nWARC-Payload-Digest: sha1:{sha1(one.body)}\r\n"
        f"WARC-Block-Digest: sha1:{sha1(block)}\r\n\r\n"
    )
    return gzip.compress(fields.encode() + block + b"\r\n\r\n", mtime=0)


def surt(url: str) -> str:
    parts = urlsplit(url)
    host = re.sub(r"^www\d*\.", "", parts.hostname)
    return f"{','.join(reversed(host.split('.')))}){parts.path}".lower()


def write(folder: Path, pages: list[Page], *, group: int = 5, files: int = 3, crawl: str = CRAWL) -> Path:
    """Write WARC files, index files with row groups of `group` rows, and their list; return the folder."""
    offsets, rows = Counter(), []
    for number, one in enumerate(pages):
        name = f"crawl-data/{crawl}/segments/1.1/{one.subset}/CC-MAIN-0000{number % files}.warc.gz"
        raw, path = record(one), folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(raw)
        rows.append((one, row_of(one, name, offsets[name], len(raw))))
        offsets[name] += len(raw)
    paths = []
    for subset in ("crawldiagnostics", "robotstxt", "warc"):
        mine = sorted((row for one, row in rows if one.subset == subset), key=lambda row: row["url_surtkey"])
        for number in range(2 if mine else 0):
            name = f"cc-index/table/cc-main/warc/crawl={crawl}/subset={subset}/part-0000{number}-x.c000.gz.parquet"
            half = mine[number * (len(mine) // 2) : None if number else len(mine) // 2]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(half, SCHEMA), folder / name, row_group_size=group, compression="gzip")
            paths.append(name)
    listing = folder / f"crawl-data/{crawl}/cc-index-table.paths.gz"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_bytes(gzip.compress("\n".join(paths).encode() + b"\n"))
    return folder


def row_of(one: Page, name: str, offset: int, length: int) -> dict:
    """The row of the index about a record."""
    parts = urlsplit(one.url)
    return {
        "url_surtkey": surt(one.url),
        "url": one.url,
        "url_host_name": parts.hostname,
        "url_host_tld": parts.hostname.rpartition(".")[2],
        "url_protocol": parts.scheme,
        "url_path": parts.path,
        "fetch_time": datetime.fromisoformat(one.fetched),
        "fetch_status": one.status,
        "content_digest": sha1(one.body),
        "content_mime_type": one.media,
        "content_mime_detected": one.media,
        "content_languages": one.languages,
        "content_truncated": one.truncated,
        "warc_filename": name,
        "warc_record_offset": offset,
        "warc_record_length": length,
        "warc_segment": "1.1",
    } | one.row


@dataclass
class Host:
    """A host that serves a folder; `faults` maps a path and a range to what its next answers are instead."""

    folder: Path
    faults: Any = field(default_factory=dict)
    robots: bytes | None = None
    base: str = ""
    asked: list = field(default_factory=list)  # (path, Range header)
    whole: Counter = field(default_factory=Counter)  # (path, Range header) → answers that were sent whole
    agents: set = field(default_factory=set)
    bytes: Counter = field(default_factory=Counter)  # path → bytes sent
    after: int | None = None  # answers, after which `halt` is called
    halt: object = None

    def sent(self, ending: str) -> int:
        """The bytes of files whose name ends so."""
        return sum(count for path, count in self.bytes.items() if path.endswith(ending))

    def records(self) -> Counter:
        """The ranges of WARC files that were sent whole."""
        return Counter({key: n for key, n in self.whole.items() if key[0].endswith(".warc.gz") and key[1]})


class _Handler(BaseHTTPRequestHandler):
    """Answers for a Host, which is that of the server."""

    def do_GET(self):
        host = self.server.host
        path, span = self.path.lstrip("/"), self.headers.get("Range", "")
        host.asked.append((path, span))
        host.agents.add(self.headers.get("User-Agent"))
        fault = host.faults.get((path, span)) or host.faults.get(path)
        fault = fault.pop(0) if fault else ""
        place = host.folder / path
        if path == "robots.txt":
            self.send(200 if host.robots else 404, host.robots or b"")
        elif fault == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.startswith("to:"):
            self.send(302, b"", Location=fault.removeprefix("to:"))
        elif fault.isdigit():
            self.send(int(fault), b"", **({"Retry-After": "0"} if fault == "503" else {}))
        elif not place.is_file():
            self.send(404, b"")
        else:
            self.file(place.read_bytes(), path, span, fault)

    def file(self, body, path, span, fault):
        host = self.server.host
        if not span or fault == "whole":
            self.send(200, body)
            return
        first, _, last = span.removeprefix("bytes=").partition("-")
        begin = int(first) if first else max(0, len(body) - int(last))
        end = min(int(last) + 1 if first else len(body), len(body))
        begin += fault == "wrong-range"
        part = body[begin:end]
        named = {"Content-Range": f"bytes {begin}-{end - 1}/{len(body)}"}
        if fault == "damaged":
            part = bytes(len(part))
        self.send(206, part, cut=fault == "truncated", **named)
        host.bytes[path] += len(part)
        if not fault:
            host.whole[path, span] += 1
            if host.halt and host.records().total() == host.after:
                host.halt()

    def send(self, status, body, cut=False, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


@contextmanager
def served(host: Host):
    """The host on a free port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.host = host
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    host.base = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def source(folder: Path, data: str, more: str = "hosts=('*.go.kr',)", rule: str = "LicenceRule()") -> str:
    """The file of a source over an archive: the address of a host, or a folder."""
    access = repr(data) if "://" in data else f"Path({data!r})"
    loopback = f"'{urlsplit(data).netloc}'," if "://" in data else ""
    path = folder / "crawl.py"
    path.write_text(
        "from pathlib import Path\nfrom malmoi.source import *\n"
        f"SOURCE = Source('crawl', '누리집', '여러 기관', CommonCrawl({CRAWL!r}, data={access}, {more}),\n"
        f"    rule={rule}, manners=Manners(delay=0, loopback=({loopback})))\n",
        encoding="utf-8",
    )
    return str(path)
