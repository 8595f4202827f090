"""A dump is downloaded in as many goes as it takes, cut the same way each time, and read only where it changed."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pytest

from crawlers import catalogue
from crawlers.fetch import dump_collector, dump_download
from crawlers.fetch.dump_download import Download, Version
from crawlers.fetch.dump_records import MAX_RECORD, Cutter, NoRecords, is_block_start, line_key
from crawlers.fetch.job import Job
from crawlers.fetch.streaming_client import Net, NoAnswer, Refused
from crawlers.web.ssrf_guard import Guard
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.archive import capture, collection
from malmoi.errors import SourceError
from malmoi.workspace import Workspace

TERMS = "<html><body><p>All text of this wiki is free under CC BY-SA 4.0.</p></body></html>"
HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ko">\n  <siteinfo>\n'
    "    <base>https://ko.example.kr/wiki/a</base>\n    <generator>MediaWiki {version}</generator>\n  </siteinfo>\n"
)


def page(number, words="글"):
    """One page of an export."""
    return (
        f"  <page>\n    <title>쪽 {number}</title>\n    <ns>0</ns>\n    <id>{number}</id>\n    <revision>\n"
        f"      <id>{number + 5000}</id>\n      <timestamp>2026-08-30T04:05:06Z</timestamp>\n"
        f"      <model>wikitext</model>\n"
        f'      <text xml:space="preserve">{words} {number}이다. {"물은 아래로 흐른다. " * 20}</text>\n'
        "    </revision>\n  </page>\n"
    )


def export(numbers, *, version="1.46", changed=()):
    """A small export with these pages."""
    body = "".join(page(n, "바뀐 글" if n in changed else "글") for n in numbers)
    return (HEAD.format(version=version) + body + "</mediawiki>\n").encode()


@dataclass
class Host:
    """One file with ranges and conditions, and what was asked for it."""

    body: bytes
    etag: str = '"1"'
    modified: str = "Tue, 01 Sep 2026 00:00:00 GMT"
    robots: bytes = b"User-agent: *\nAllow: /\n"
    robots_headers: dict = field(default_factory=dict)
    ranges: bool = True
    stop_after: int | None = None  # bytes of one answer, after which the connection ends
    refuse: int = 0  # answers of 503 that come first
    pace: float = 0.0  # seconds between two pieces of the dump
    terms: str = TERMS
    base: str = ""
    sent: int = 0  # bytes of the dump
    hits: Counter = field(default_factory=Counter)
    agents: set = field(default_factory=set)
    asked: list = field(default_factory=list)  # Range headers
    moved: dict = field(default_factory=dict)  # path → Location


@contextmanager
def served(host):
    """The host on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            host.hits[self.path] += 1
            host.agents.add(self.headers.get("User-Agent"))
            small = {"/robots.txt": host.robots, "/legal.html": host.terms.encode()}
            if self.path in host.moved:
                self.answer(302, b"", Location=host.moved[self.path])
            elif self.path in small:
                more = host.robots_headers if self.path == "/robots.txt" else {}
                self.answer(200, small[self.path], **{"Content-Type": "text/html; charset=utf-8"}, **more)
            elif self.path == "/dump.xml.bz2":
                self.dump()
            else:
                self.answer(404, b"")

        def answer(self, status, body, **headers):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def dump(self):
            named = {"ETag": host.etag, "Last-Modified": host.modified}
            named = {name: value for name, value in named.items() if value}
            if host.refuse:
                host.refuse -= 1
                self.answer(503, b"", **{"Retry-After": "7"})
                return
            if host.etag and self.headers.get("If-None-Match") == host.etag:
                self.answer(304, b"", **named)
                return
            wanted = self.headers.get("Range")
            host.asked.append(wanted)
            begin = 0
            same = self.headers.get("If-Range") in (host.etag, host.modified)
            if wanted and host.ranges and same:
                begin = int(wanted.removeprefix("bytes=").rstrip("-"))
                named["Content-Range"] = f"bytes {begin}-{len(host.body) - 1}/{len(host.body)}"
            body = host.body[begin:]
            self.send_response(206 if begin else 200)
            for name, value in {"Content-Length": str(len(body)), **named}.items():
                self.send_header(name, value)
            self.end_headers()
            body = body if host.stop_after is None else body[: host.stop_after]
            for at in range(0, len(body), 4096):
                time.sleep(host.pace)
                self.wfile.write(body[at : at + 4096])
                host.sent += len(body[at : at + 4096])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    host.base = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def written(folder, host, *, access="", claim=True, limit=None):
    """The file of a source whose dump lies at `host`."""
    port = host.base.rpartition(":")[2] if host else "1"
    terms = f'LicenceClaim("CC-BY-SA-4.0", "free under CC BY-SA 4.0", url="{host.base}/legal.html")' if host else ""
    path = folder / "wiki.py"
    path.write_text(
        "from pathlib import Path\nfrom crawlers.formats.mediawiki import mediawiki_export as export\n"
        "from malmoi.source import *\n"
        f"SOURCE = Source(name='wiki', title='t', publisher='p', claim=({terms + ',' if claim and host else ''}),\n"
        "    rule=LicenceRule(('dump-claim',)),\n"
        f"    access=Dump({access or repr(host.base + '/dump.xml.bz2')}),\n"
        f"    manners=Manners(delay=0, loopback=('127.0.0.1:{port}',)))\n"
        "def items(capture):\n    return export.pages(capture)\n\n"
        "def text(parsed):\n    return export.text(parsed.item)\n",
        encoding="utf-8",
    )
    return str(path)


def collected(tmp_path, source, **more):
    """One collection into the workspace of `tmp_path`."""
    return collect(Workspace(tmp_path / "ws"), source, Progress(quiet=True), **more)


def blocks(tmp_path):
    """The blocks that stand: address → body."""
    home = Workspace(tmp_path / "ws").captures("wiki")
    rows = [row for _, found in collection.select_current(collection.runs(home)) for row in found]
    return {
        row.url: capture.read(Path(row.path), row.offset, row.record).body for row in rows if row.kind == "resource"
    }


def whole(pieces):
    return b"".join(pieces)


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, bz2.compress, lzma.compress, lambda raw: pa.compress(raw, codec="zstd", asbytes=True)],
    ids=["none", "gzip", "bzip2", "xz", "zstd"],
)
def test_every_packing_is_told_from_the_bytes_and_read_in_members(pack):
    raw = export(range(1, 200))
    twice = raw if pack is bytes else pack(raw[:5000]) + pack(raw[5000:])
    assert whole(dump_download.unpack_stream(io.BytesIO(twice), limit=1 << 30)) == raw


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, lambda raw: pa.compress(raw, codec="zstd", asbytes=True)],
    ids=["gzip", "bzip2", "xz", "zstd"],
)
def test_a_packed_file_that_is_cut_off_or_damaged_says_so(pack):
    packed = pack(os.urandom(100_000))
    with pytest.raises(dump_download.Unpackable, match=r"cut off|damaged"):
        whole(dump_download.unpack_stream(io.BytesIO(packed[:-20]), limit=1 << 30))
    with pytest.raises(dump_download.Unpackable, match="compressed twice"):
        whole(dump_download.unpack_stream(io.BytesIO(pack(pack(b"x"))), limit=1 << 30))
    if packed.startswith(b"\x28\xb5"):
        return  # a checksum is the packer's choice in zstd
    spoilt = packed[:3000] + bytes(64) + packed[3064:]
    with pytest.raises(dump_download.Unpackable, match=r"cut off|damaged"):
        whole(dump_download.unpack_stream(io.BytesIO(spoilt), limit=1 << 30))


def test_a_bomb_is_stopped_by_its_ratio_and_by_the_limit():
    bomb = bz2.compress(bytes(100 << 20))
    with pytest.raises(dump_download.Unpackable, match="times its size"):
        for _ in dump_download.unpack_stream(io.BytesIO(bomb), limit=1 << 40):
            pass
    with pytest.raises(dump_download.Unpackable, match="beyond 1,000 bytes"):
        whole(dump_download.unpack_stream(io.BytesIO(gzip.compress(b"a" * 2000)), limit=1000))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_blocks_do_not_depend_on_how_the_bytes_come(size):
    raw = export(range(1, 300))
    found = list(Cutter("page").blocks(raw[at : at + size] for at in range(0, len(raw), size)))
    assert [block.body for block in found] == [block.body for block in Cutter("page").blocks([raw])]
    assert sum(block.records for block in found) == 299 and len(found) > 2


def test_a_block_is_a_small_export_and_names_no_software():
    (first, *_) = Cutter("page").blocks([export(range(1, 100), version="1.99")])
    assert first.body.startswith(b"<mediawiki") and first.body.rstrip().endswith(b"</mediawiki>")
    assert b"<base>" in first.body and b"generator" not in first.body and first.key == "1"


def test_a_changed_page_changes_its_block_and_a_new_one_moves_no_other():
    before = {b.key: b.body for b in Cutter("page").blocks([export(range(1, 1000))])}
    after = {b.key: b.body for b in Cutter("page").blocks([export(range(1, 1002), version="2", changed=(500,))])}
    different = [key for key in after if after[key] != before.get(key)]
    assert len(different) == 2 and before.keys() <= after.keys()


def test_a_record_that_no_capture_can_hold_is_passed_over_and_named():
    raw = [export([1])[: -len("</mediawiki>\n")], b"<page><title>x</title><id>2</id><text>"]
    raw += [b"a" * (1 << 20)] * (MAX_RECORD // (1 << 20) + 2)
    cutter = Cutter("page")
    found = list(cutter.blocks([*raw, b"</text></page>", page(3).encode(), b"</mediawiki>"]))
    assert [long.key for long in cutter.too_long] == ["2"]
    assert b"<id>3</id>" in found[-1].body and cutter.records == 2


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"<html><body>Not found</body></html>", "it is a page of HTML, not a dump"),
        (b"", "holds no <page>"),
        (b"x" * 100_000, "it has no <page>"),
        (export([1, 2])[:-100], "in the middle"),
        (export([1, 2])[: -len("</mediawiki>\n")].rstrip(), "it is truncated: the last <page> is complete"),
    ],
)
def test_what_is_no_dump_or_half_of_one_is_named(raw, says):
    with pytest.raises(NoRecords, match=says):
        list(Cutter("page").blocks([raw]))


def test_lines_are_records_too_and_equal_ones_get_addresses_of_their_own(tmp_path):
    lines = "".join(json.dumps({"id": n, "text": "글"}) + "\n" for n in range(500))
    cutter = Cutter("line")
    found = list(cutter.blocks([lines.encode()]))
    assert cutter.media == "application/x-ndjson" and whole(b.body for b in found).decode() == lines
    assert {b.key for b in found} == {"0", *(str(n) for n in range(1, 500) if is_block_start(str(n)))}
    assert line_key(b"[1]") == line_key(b"[1]") != line_key(b"[2]")


def net_of(host, **more):
    port = host.base.rpartition(":")[2]
    waits = []
    return Net(
        Guard.allow_loopback((f"127.0.0.1:{port}",)), "Malmoi/0.1 (+x@y.kr)", 0.0, sleep=waits.append, **more
    ), waits


def fetched(host, folder, *, before=None, max_bytes=1 << 30):
    net, waits = net_of(host)
    download = Download(net, f"{host.base}/dump.xml.bz2", folder, before=before, max_bytes=max_bytes)
    for _ in download.pieces():
        pass
    return download, waits


def test_a_download_that_breaks_off_goes_on_where_it_stopped(tmp_path):
    body = os.urandom(3_000_000)
    with served(Host(body, stop_after=1_200_000)) as host:
        download, _ = fetched(host, tmp_path)
    assert download.part.read_bytes() == body
    assert host.asked == [None, "bytes=1200000-", "bytes=2400000-"]


def test_a_server_that_knows_no_ranges_is_asked_for_the_whole_file_again(tmp_path):
    body = os.urandom(300_000)
    with served(Host(body, ranges=False)) as host:
        (tmp_path / "dump.part").write_bytes(b"old" * 1000)
        state = Version(f"{host.base}/dump.xml.bz2", host.etag, host.modified, len(body))
        (tmp_path / "dump.json").write_text(json.dumps({name: getattr(state, name) for name in state.__slots__}))
        download, _ = fetched(host, tmp_path)
    assert download.part.read_bytes() == body


def test_a_file_that_has_changed_meanwhile_is_begun_anew(tmp_path):
    old, new = os.urandom(200_000), os.urandom(250_000)
    with served(Host(new, etag='"2"')) as host:
        (tmp_path / "dump.part").write_bytes(old[:100_000])
        state = {"url": f"{host.base}/dump.xml.bz2", "etag": '"1"', "last_modified": "", "size": len(old)}
        (tmp_path / "dump.json").write_text(json.dumps(state))
        download, _ = fetched(host, tmp_path)
    assert download.part.read_bytes() == new and download.version.etag == '"2"'


def test_the_server_says_how_long_to_wait_and_is_given_up_in_the_end(tmp_path):
    with served(Host(b"x" * 10, refuse=1)) as host:
        _, waits = fetched(host, tmp_path)
    assert waits == [7.0]
    with served(Host(b"x" * 10, refuse=9)) as host, pytest.raises(SourceError, match="run the same job again"):
        fetched(host, tmp_path / "..")
    assert host.hits["/dump.xml.bz2"] == 3


def test_a_dump_larger_than_the_source_allows_is_not_begun(tmp_path):
    with served(Host(b"x" * 2000)) as host, pytest.raises(SourceError, match="max_bytes=1,000"):
        fetched(host, tmp_path, max_bytes=1000)
    assert not (tmp_path / "dump.part").exists()


def test_the_guard_is_asked_before_a_byte_is_sent_and_at_each_hop(tmp_path):
    with served(Host(b"x")) as host:
        closed = Net(Guard(), "Malmoi/0.1", 0.0)
        with pytest.raises(Refused, match="guard-loopback"):
            closed.get(f"{host.base}/dump.xml.bz2")
        host.moved["/dump.xml.bz2"] = "http://169.254.169.254/latest"
        with pytest.raises(SourceError, match="guard-link-local"):
            fetched(host, tmp_path)
        host.moved["/dump.xml.bz2"] = "/dump.xml.bz2"
        with pytest.raises(SourceError, match="too-many-redirects"):
            fetched(host, tmp_path)
        assert host.hits["/dump.xml.bz2"] == 7  # one for the guard's hop, six for the ring


def test_a_name_that_resolves_inside_is_refused_at_the_resolver(monkeypatch):
    net = Net(Guard(), "Malmoi/0.1", 0.0, sleep=lambda _: None)
    inside = [(2, 1, 6, "", ("10.0.0.7", 80))]
    monkeypatch.setattr("crawlers.fetch.streaming_client.socket.getaddrinfo", lambda *_, **__: inside)
    with pytest.raises(Refused, match="guard-private"):
        net.get("http://dump.example.kr/")


def test_a_host_that_is_not_there_gives_no_answer():
    port = 9  # discard; nobody listens
    net = Net(Guard.allow_loopback((f"127.0.0.1:{port}",)), "Malmoi/0.1", 0.0, sleep=lambda _: None)
    with pytest.raises(NoAnswer, match="refused"):
        net.get(f"http://127.0.0.1:{port}/robots.txt")


def test_a_collection_archives_the_licence_page_and_each_block_once(tmp_path):
    with served(Host(bz2.compress(export(range(1, 600))))) as host:
        source = written(tmp_path, host)
        first = collected(tmp_path, source)
        stood = blocks(tmp_path)
        assert first.new == first.current == len(stood) > 2 and not first.gone
        assert not first.torn  # records of the dump are not records of the archive
        assert whole(stood.values()).count(b"<page>") == 599
        run = Workspace(tmp_path / "ws").captures("wiki") / "0001"
        assert not list(run.glob("dump*")) and (run / "pages.warc.gz").exists()
        again = collected(tmp_path, source)
        assert again.new == 0 and again.current == first.current and host.hits["/dump.xml.bz2"] == 2
        host.body, host.etag = bz2.compress(export(range(1, 250), version="2", changed=(7,))), '"2"'
        with pytest.raises(SourceError, match="its dump has 249 entries, and had 599 before"):
            collected(tmp_path, source)
        assert blocks(tmp_path) == stood
        host.body, host.etag = bz2.compress(export(range(1, 500), version="2", changed=(7,))), '"3"'
        third = collected(tmp_path, source)
    assert 0 < third.new <= 2 and third.gone > 0
    assert whole(blocks(tmp_path).values()).count(b"<page>") == 499
    assert all(agent.startswith("Malmoi/") for agent in host.agents)


def test_a_limit_fetches_no_more_of_the_dump_than_it_needs(tmp_path):
    with served(Host(export(range(1, 8_000)), pace=0.001)) as host:
        source = written(tmp_path, host)
        few = collected(tmp_path, source, limit=3)
        assert few.new == 3 and host.sent < len(host.body) / 2
        host.pace = 0.0
        rest = collected(tmp_path, source)
    assert rest.new > 50 and rest.current == rest.new + 3 and not rest.gone


def test_robots_txt_stops_a_dump_unless_the_source_names_a_grant(tmp_path):
    closed = b"User-agent: *\nDisallow: /dump\n"
    with served(Host(bz2.compress(export([1, 2])), robots=closed)) as host:
        with pytest.raises(SourceError, match=r"robots-disallow.*grant="):
            collected(tmp_path, written(tmp_path, host))
        assert not host.hits["/dump.xml.bz2"]
        granted = written(tmp_path, host, access=f"'{host.base}/dump.xml.bz2', grant='https://a.kr/dumps'")
        assert collected(tmp_path, granted).new == 1
    facts = json.loads((Workspace(tmp_path / "ws").captures("wiki") / "0001" / "run.json").read_text())
    assert "https://a.kr/dumps" in facts["robots"]


def test_a_robots_txt_that_has_moved_is_followed_and_one_that_fails_forbids(tmp_path):
    with served(Host(bz2.compress(export([1, 2])), moved={"/robots.txt": "/other.txt"})) as host:
        assert collected(tmp_path, written(tmp_path, host)).new == 1  # /other.txt is not there: nothing is forbidden
        host.moved = {"/robots.txt": "/robots.txt"}
        host.etag = '"2"'
        with pytest.raises(
            SourceError, match=r"robots\.txt cannot be read \(too-many-redirects: limit dump_redirects: 5\)"
        ):
            collected(tmp_path, written(tmp_path, host, access=f"'{host.base}/dump.xml.bz2', grant='https://a.kr/'"))


def test_a_licence_page_that_says_something_else_stops_before_the_download(tmp_path):
    host = Host(bz2.compress(export([1])), terms="<p>All rights reserved.</p>")
    with served(host), pytest.raises(SourceError, match="does not say"):
        collected(tmp_path, written(tmp_path, host))
    assert not host.hits["/dump.xml.bz2"]


def test_a_damaged_dump_is_named_and_fetched_anew_by_the_next_collection(tmp_path):
    good = bz2.compress(export(range(1, 200)))
    with served(Host(good[:-30])) as host:
        source = written(tmp_path, host)
        with pytest.raises(SourceError, match="cut off"):
            collected(tmp_path, source)
        host.body, host.etag = good, '"2"'
        assert collected(tmp_path, source).new > 1


def test_a_local_dump_needs_no_net_and_brings_its_licence_file(tmp_path):
    (tmp_path / "d.xml").write_bytes(export(range(1, 10)))
    (tmp_path / "LICENSE.txt").write_text("This wiki is free under CC BY-SA 4.0.")
    access = f"path=Path({str(tmp_path / 'd.xml')!r})"
    source = Path(written(tmp_path, None, access=access))
    claim = 'claim=(LicenceClaim("CC-BY-SA-4.0", "free under CC BY-SA 4.0", file="LICENSE.txt"),)'
    source.write_text(source.read_text().replace("claim=()", claim))
    assert collected(tmp_path, str(source)).new == 1
    runs = collection.runs(Workspace(tmp_path / "ws").captures("wiki"))
    assert list(collection.licence_records(runs)) == ["LICENSE.txt"]
    (tmp_path / "LICENSE.txt").write_text("Nothing is free.")
    with pytest.raises(SourceError, match="does not say"):
        collected(tmp_path, str(source))


@pytest.mark.heavy
def test_a_kill_at_any_moment_leaves_a_run_that_ends_as_if_nothing_had_happened(tmp_path):
    host = Host(export(range(1, 3000)), pace=0.002)
    with served(host):
        source = written(tmp_path, host)
        run = tmp_path / "run"
        job = tmp_path / "job.json"
        job.write_text(json.dumps({"source": source, "run_dir": str(run)}))
        command = [sys.executable, "-m", "crawlers.fetch", str(job)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until and not ((run / "dump.part").exists() and (run / "dump.part").stat().st_size):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        had = (run / "dump.part").stat().st_size
        assert 0 < had < len(host.body) and not (run / "stats.json").exists()
        host.pace = 0.0
        assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
        assert host.asked[-1] == f"bytes={had}-"
    stats = json.loads((run / "stats.json").read_text())
    assert stats["dump_records"] == 2999 and stats["sha256"] == hashlib.sha256(host.body).hexdigest()
    rows, torn = capture.index(run / "pages.warc.gz", "pages.warc.gz")
    assert not torn and sum(row.kind == "resource" for row in rows) == stats["pages"] == stats["fetched"]


def test_a_certificate_that_nobody_vouches_for_ends_the_connection(tmp_path):
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    pem += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "both.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer():
            for _ in range(3):
                peer, _ = listening.accept()
                with peer, suppress(OSError):
                    context.wrap_socket(peer, server_side=True).close()

        threading.Thread(target=answer, daemon=True).start()
        net = Net(Guard.allow_loopback((f"127.0.0.1:{port}",)), "Malmoi/0.1", 0.0, sleep=lambda _: None)
        with pytest.raises(NoAnswer, match="tls"):
            net.get(f"https://127.0.0.1:{port}/robots.txt")


class PanicException(BaseException):
    """As compiled Rust raises it."""


ODD = [LookupError, ValueError, RecursionError, AttributeError, MemoryError, UnicodeError, PanicException]


def raising(odd):
    def broken(*_, **__):
        raise odd("x")

    return broken


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("where", "pack"),
    [
        ("crawlers.fetch.dump_download.bz2.BZ2Decompressor", bz2.compress),
        ("crawlers.fetch.dump_download.zlib.decompressobj", gzip.compress),
        ("crawlers.fetch.dump_download.lzma.LZMADecompressor", lzma.compress),
        ("pyarrow.CompressedInputStream", lambda raw: pa.compress(raw, codec="zstd", asbytes=True)),
    ],
)
def test_whatever_a_decompressor_raises_is_about_the_file(monkeypatch, odd, where, pack):
    packed = pack(b"a" * 1000)
    monkeypatch.setattr(where, raising(odd))
    with pytest.raises(dump_download.Unpackable, match=rf"damaged after .* \({odd.__name__}\)"):
        whole(dump_download.unpack_stream(io.BytesIO(packed), limit=1 << 30))


@pytest.mark.parametrize("odd", ODD)
def test_a_line_that_no_parser_reads_is_named_by_its_hash(monkeypatch, odd):
    line = b'{"id": 7}'
    monkeypatch.setattr("crawlers.fetch.dump_records.json.loads", raising(odd))
    assert line_key(line) == hashlib.sha256(line).hexdigest()[:16]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("crawlers.fetch.dump_collector.robots.decide", "robots-unreadable: {odd}"),
        ("crawlers.proofs.claims.readable_text", r"legal.html, on which a claim rests, cannot be read \({odd}\)"),
    ],
)
def test_whatever_a_reader_of_evidence_raises_names_the_file_and_the_source(tmp_path, monkeypatch, odd, where, says):
    with served(Host(export([1]))) as host:
        definition = catalogue.load(written(tmp_path, host))
        job = Job(written(tmp_path, host), tmp_path / "run")
        monkeypatch.setattr(where, raising(odd))
        with pytest.raises(SourceError, match=rf"wiki: .*{says.format(odd=odd.__name__)}"):
            dump_collector.collect(job, definition, definition.source.access)
        assert not host.hits["/dump.xml.bz2"]


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_local_dump_that_is_no_file_is_named_and_not_waited_for(tmp_path, kind):
    path = tmp_path / "d.xml"
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    with pytest.raises(SourceError, match=r"the dump .*d\.xml is not a regular file; correct path="):
        collected(tmp_path, written(tmp_path, None, access=f"path=Path({str(path)!r})"))
