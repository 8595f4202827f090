"""The client for dumps against hosts that name no version, change their mind, talk slowly or never end."""

import os
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from crawlers.fetch import politeness
from crawlers.fetch.dump_download import Download
from crawlers.fetch.streaming_client import Bounds, Net, NoAnswer, redirect_target
from crawlers.web.ssrf_guard import Guard
from malmoi import limits
from malmoi.errors import SourceError, StageError
from tests.builders.hostile import crawl, links, order, raw_server
from tests.fetch.test_dump import Host, collected, export, served, written

BODY = bytes(range(256)) * 8000  # 2 MB
STRONG, WEAK = 'ETag: "1"', 'ETag: W/"1"'
DATED = "Last-Modified: Tue, 01 Sep 2026 00:00:00 GMT"
QUICK = Bounds(
    head_seconds=replace(limits.DUMP_HEAD_SECONDS, value=1),
    slow_seconds=replace(limits.DUMP_SLOW_SECONDS, value=1),
    slow_bytes=replace(limits.DUMP_SLOW_BYTES, value=1000),
    page_seconds=replace(limits.DUMP_PAGE_SECONDS, value=1),
)


class Peer:
    """A host on loopback that answers each request with the next of its scripts, and then with the last again."""

    def __init__(self, *scripts, context=None):
        self.scripts, self.context, self.asked, self.over = scripts, context, [], False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}/dump"

    def serve(self):
        while not self.over:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    def talk(self, peer):
        with peer, suppress(OSError):
            peer.settimeout(5)
            if self.context:
                peer = self.context.wrap_socket(peer, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := peer.recv(65536)):
                    return
                head += more
            self.asked.append(head.decode())
            for piece in self.scripts[min(len(self.asked), len(self.scripts)) - 1](self):
                peer.sendall(piece)
            peer.close()


@contextmanager
def peer_of(*scripts, context=None):
    peer = Peer(*scripts, context=context)
    threading.Thread(target=peer.serve, daemon=True).start()
    try:
        yield peer
    finally:
        peer.over = True
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", peer.port), 1).close()
        peer.listening.close()


def answer(*headers, body=BODY, status="200 OK", length=True, keep=None):
    """A script: one answer; `keep` bytes of its body are sent before the connection ends."""
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else []), "Connection: close"]
    return lambda peer: [("\r\n".join(lines) + "\r\n\r\n").encode(), body[:keep]]


def part(begin, *headers, body=BODY, size=None, keep=None):
    """A script: the rest of a file from `begin` on."""
    said = f"Content-Range: bytes {begin}-{len(body) - 1}/{len(body) if size is None else size}"
    return answer(said, *headers, body=body[begin:], status="206 Partial Content", keep=keep)


def chunked(*headers, body=BODY, end=b"0\r\n\r\n"):
    head = ["HTTP/1.1 200 OK", *headers, "Transfer-Encoding: chunked", "Connection: close"]
    return lambda peer: [("\r\n".join(head) + f"\r\n\r\n{len(body):x}\r\n").encode() + body + b"\r\n" + end]


def net_of(peer, bounds=QUICK):
    return Net(
        Guard.allow_loopback((f"127.0.0.1:{peer.port}",)), "Malmoi/0.1", 0.0, sleep=lambda _: None, bounds=bounds
    )


def download_of(peer, folder, *, max_bytes=1 << 30):
    download = Download(net_of(peer), peer.url, folder, before=None, max_bytes=max_bytes)
    for _ in download.pieces():
        pass
    return download.part.read_bytes()


HALF = len(BODY) // 2


@pytest.mark.parametrize(
    ("scripts", "requests"),
    [
        ([answer()], 1),
        ([answer(length=False)], 1),
        ([chunked()], 1),
        ([answer(WEAK)], 1),
        ([answer(DATED)], 1),
        ([answer(keep=HALF), answer()], 2),
        ([answer(WEAK, keep=HALF), answer(WEAK)], 2),
        ([chunked(end=b""), chunked()], 2),
        ([answer(DATED, keep=HALF), part(HALF, DATED)], 2),
        ([answer(STRONG, keep=HALF), part(HALF, STRONG, size="*")], 2),
        ([answer(STRONG, keep=HALF), answer(STRONG)], 2),  # ranges are ignored
        ([answer(body=b"old" * 9, keep=5), answer()], 2),  # changed meanwhile, and nothing says so
        ([answer(STRONG, body=b"old" * 9, keep=5), answer('ETag: "2"')], 2),
        ([answer(STRONG, keep=HALF), part(HALF + 7, STRONG), answer(STRONG)], 3),  # not the range that was asked for
        ([answer(STRONG, keep=HALF), part(HALF, 'ETag: "2"'), answer('ETag: "2"')], 3),  # of another file
        ([answer(DATED, keep=HALF), part(HALF, "Last-Modified: Wed, 02 Sep 2026 00:00:00 GMT"), answer()], 3),
        ([answer(STRONG, keep=HALF), part(HALF, STRONG, body=BODY + b"more"), answer(STRONG)], 3),  # of another size
        ([answer(STRONG, keep=HALF), answer(status="416 Range Not Satisfiable", body=b""), answer()], 3),
    ],
)  # fmt: skip
def test_a_whole_body_is_a_whole_file_whatever_the_host_says_of_its_version(tmp_path, scripts, requests):
    with peer_of(*scripts) as peer:
        assert download_of(peer, tmp_path) == BODY
    assert len(peer.asked) == requests


def test_without_a_version_no_part_is_asked_for(tmp_path):
    with peer_of(answer(keep=HALF), answer()) as peer:
        download_of(peer, tmp_path)
    assert not [head for head in peer.asked if "Range:" in head or "If-Range" in head]


def test_a_dump_without_a_version_is_collected_end_to_end(tmp_path):
    with served(Host(export(range(1, 300)), etag="", modified="")) as host:
        first = collected(tmp_path, written(tmp_path, host))
        again = collected(tmp_path, written(tmp_path, host))
    assert first.new > 1 and again.new == 0 and host.hits["/dump.xml.bz2"] == 2


def test_a_file_that_never_comes_whole_says_that_each_try_begins_anew_and_the_remedy_works(tmp_path):
    with (
        peer_of(answer(keep=HALF)) as peer,
        pytest.raises(SourceError, match=r"stopped at 1,024,000 bytes \(cut-off\)"),
    ):
        download_of(peer, tmp_path)
    assert len(peer.asked) == politeness.MAX_TRIES
    with peer_of(answer(keep=HALF)) as peer, pytest.raises(SourceError, match=r"starts over.* path= of the Dump"):
        download_of(peer, tmp_path)
    with peer_of(answer(), answer(keep=HALF)) as peer:  # "run the same job again later"
        assert download_of(peer, tmp_path) == BODY


def test_a_host_that_brings_much_and_then_takes_it_back_is_given_up(tmp_path):
    most = BODY[: len(BODY) - 9]
    turns = [answer(STRONG, keep=len(most)), part(7, STRONG)] * 20
    with peer_of(*turns) as peer, pytest.raises(SourceError, match="run the same job again later"):
        download_of(peer, tmp_path)
    assert len(peer.asked) <= 2 * politeness.MAX_TRIES + 1


def test_a_full_disk_is_no_failure_of_the_net(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crawlers.fetch.dump_download.os.fsync", full)
    monkeypatch.setattr("crawlers.fetch.dump_download.SYNC_EVERY", 1)
    with peer_of(answer()) as peer, pytest.raises(StageError, match=r"No space left on device\); free disk space"):
        download_of(peer, tmp_path)
    assert len(peer.asked) == 1


def drip(data, pause=0.02):
    for byte in data:
        time.sleep(pause)
        yield bytes([byte])


def after(head, body):
    yield head
    yield from body


def endless(begin, more):
    yield begin
    until = time.monotonic() + 20
    while time.monotonic() < until:
        yield more


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"
SLOW = {
    "a head byte by byte": (lambda _: drip(HEAD + BODY[:900], 0.05), "timeout: limit {head}: 1 seconds"),
    "no head at all": (lambda _: drip(b"", time.sleep(5) or 0), "timeout: limit {head}: 1 seconds"),
    "headers without end": (lambda _: endless(HEAD[:-2], b"X-A: %s\r\n" % (b"a" * 9000)), "header-too-big: limit"),
    "a header without end": (lambda _: endless(HEAD[:-2], b"a" * 9000), "broken-answer"),
    "interim answers without end": (lambda _: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), "header-too-big"),
}
SLOW_BODY = {
    "a body byte by byte": (lambda _: after(HEAD, drip(BODY[:900])), "too-slow: limit dump_slow_bytes"),
    "a body that stops": (lambda _: after(HEAD + BODY[:500], drip(b"ab", 4)), "too-slow: limit"),
}
TRAILERS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"


@pytest.mark.parametrize("name", [*SLOW, *SLOW_BODY])
def test_a_dump_that_comes_too_slowly_or_never_ends_is_given_up(tmp_path, name):
    script, says = (SLOW | SLOW_BODY)[name]
    began = time.monotonic()
    with peer_of(script) as peer, pytest.raises(SourceError) as raised:
        download_of(peer, tmp_path)
    assert says.format(head="dump_head_seconds") in str(raised.value)
    assert len(peer.asked) == (politeness.MAX_TRIES if says == "broken-answer" else 2) and time.monotonic() - began < 12


@pytest.mark.parametrize("name", [*SLOW, "a body byte by byte"])
def test_a_small_file_has_one_time_for_all_of_it(name):
    script, says = (SLOW | SLOW_BODY)[name]
    began = time.monotonic()
    with peer_of(script) as peer, pytest.raises(NoAnswer) as raised:
        net_of(peer).get(peer.url)
    expected = "timeout: limit dump_page_seconds" if "body" in name else says.format(head="dump_page_seconds")
    assert expected in str(raised.value) and time.monotonic() - began < 6


def test_hops_that_each_come_slowly_share_one_time():
    hop = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
    began = time.monotonic()
    with peer_of(lambda _: drip(hop, 0.01)) as peer, pytest.raises(NoAnswer, match="dump_page_seconds"):
        net_of(peer).get(peer.url)
    assert time.monotonic() - began < 4


def test_trailers_without_end_are_no_body(tmp_path):
    trailer = b"X-T: %s\r\n" % (b"a" * 9000)
    with peer_of(lambda _: endless(TRAILERS, trailer)) as peer, pytest.raises(SourceError, match="broken-answer"):
        download_of(peer, tmp_path)


@pytest.mark.heavy
def test_a_dump_may_take_longer_than_any_limit_if_it_keeps_its_pace(tmp_path):
    pieces = (BODY[at : at + 100_000] for at in range(0, 2_000_000, 100_000))
    with peer_of(lambda _: after(HEAD, (time.sleep(0.15) or piece for piece in pieces))) as peer:
        assert download_of(peer, tmp_path) == BODY[:2_000_000]


def test_a_redirect_never_leaves_tls(monkeypatch, tmp_path):
    with pytest.raises(NoAnswer, match="redirect-downgrade"):
        redirect_target("https://a.example/x", 302, "http://a.example/x")
    assert redirect_target("http://a.example/x", 302, "https://a.example/x") == "https://a.example/x"
    context = self_signed(tmp_path)
    trusting = ssl._create_unverified_context()
    monkeypatch.setattr("crawlers.fetch.streaming_client.ssl.create_default_context", lambda: trusting)
    with peer_of(answer()) as plain:
        moved = answer(f"Location: {plain.url}", status="302 Found", body=b"")
        with peer_of(moved, context=context) as peer:
            for ask in (lambda: net_of(peer).get(peer.url), lambda: download_of(peer, tmp_path)):
                with pytest.raises((NoAnswer, SourceError), match="redirect-downgrade"):
                    ask()
        assert not plain.asked


@pytest.mark.parametrize(
    ("body", "coding", "says"),
    [
        (b"\x1f\x8b broken", "gzip", "bad-compression"),
        (b"\x1f\x8b", "x-gzip", "bad-compression"),
        (b"User-agent: *", "zstd", "bad-compression"),
        (b"User-agent: *", "br", "bad-compression"),
        (b"User-agent: *", "rot13", "unknown-coding"),
        (b"User-agent: *", "gzip, gzip, gzip", "unknown-coding"),
    ],
)
def test_a_small_file_whose_coding_cannot_be_undone_is_no_answer(body, coding, says):
    with peer_of(answer(f"Content-Encoding: {coding}", body=body)) as peer, pytest.raises(NoAnswer, match=says):
        net_of(peer).get(peer.url)


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
HEADS = {  # head, body; whether the crawler and the client for dumps take it
    "one length": (["Content-Length: 5"], b"hello", True),
    "a repeated length": (["Content-Length: 5", "Content-Length: 5"], b"hello", True),
    "two lengths": (["Content-Length: 5", "Content-Length: 6"], b"hello!", False),
    "two lengths in a line": (["Content-Length: 5, 6"], b"hello!", False),
    "a length with a sign": (["Content-Length: +5"], b"hello", False),
    "a length that is no number": (["Content-Length: no number"], b"hello", False),
    "an empty length": (["Content-Length:"], b"hello", False),
    "a blank before the colon": (["Content-Length : 5"], b"hello", False),
    "chunks": (["Transfer-Encoding: chunked"], CHUNKS, True),
    "chunks outweigh a length": (["Content-Length: 9", "Transfer-Encoding: Chunked"], CHUNKS, True),
    "chunked twice": (["Transfer-Encoding: chunked"] * 2, CHUNKS, False),
    "chunked, then not": (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], CHUNKS, False),
    "another transfer coding": (["Transfer-Encoding: gzip, chunked"], CHUNKS, False),
    "a chunk in another notation": (["Transfer-Encoding: chunked"], CHUNKS.replace(b"5", b"0x5"), False),
    "a chunk with a blank": (["Transfer-Encoding: chunked"], CHUNKS.replace(b"5", b"5 "), False),
    "an unknown coding": (["Content-Encoding: aws-chunked", "Content-Length: 5"], b"hello", False),
}


def test_the_client_for_dumps_and_the_crawler_refuse_the_same_heads(tmp_path, monkeypatch):
    monkeypatch.setattr(politeness, "MAX_TRIES", 1)
    raw = {
        f"/{number}": "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body
        for number, (lines, body, _) in enumerate(HEADS.values())
    }
    with raw_server() as site:
        site.answers |= {"/": links(*raw)} | raw
        why = crawl(order(tmp_path, f'access=Site(("{site.base}/",), ("{site.base}/",))', (site.port,)), tries=1).why(
            site.base
        )
    words = ("broken-answer", "cut-off", "unknown-coding")  # the crawler calls a broken chunk cut off
    for (name, (_, _, is_taken)), path in zip(HEADS.items(), raw, strict=True):
        assert why.get(path, "") in (("",) if is_taken else words), name
        with peer_of(lambda _, path=path: [raw[path]]) as peer:
            for ask in (lambda: net_of(peer).get(peer.url)[-1].body, lambda: download_of(peer, tmp_path)):
                if is_taken:
                    assert ask() == b"hello", name
                else:
                    with pytest.raises((NoAnswer, SourceError), match=r"broken-answer|unknown-coding"):
                        ask()


@pytest.mark.parametrize(
    ("coding", "is_taken"),
    [
        *((coding, True) for coding in ("", "identity", "GZip", "x-gzip")),
        *((coding, False) for coding in ("br", "zstd", "deflate", "gzip, br", "gzip, gzip")),
        ("gzip\r\nContent-Encoding: br", False),
    ],
)
def test_a_file_in_a_coding_that_was_not_requested_is_refused(tmp_path, coding, is_taken):
    with peer_of(answer(f"Content-Encoding: {coding}", body=b"x")) as peer:
        if is_taken:
            assert download_of(peer, tmp_path) == b"x"
        else:
            with pytest.raises(SourceError, match=r"unknown-coding: .* was not requested"):
                download_of(peer, tmp_path)
    assert len(peer.asked) == 1


def test_a_robots_txt_that_cannot_be_read_forbids_and_is_named(tmp_path):
    with served(Host(export([1]), robots=b"\x1f\x8b broken", robots_headers={"Content-Encoding": "gzip"})) as host:
        with pytest.raises(SourceError, match=r"robots\.txt cannot be read \(bad-compression\); check that address"):
            collected(tmp_path, written(tmp_path, host))
        assert not host.hits["/dump.xml.bz2"]
        host.robots, host.robots_headers = (
            b"User-agent: *\nAllow: /\n",
            {},
        )  # "check that address and the network, then run again"
        assert collected(tmp_path, written(tmp_path, host)).new == 1


def test_a_certificate_that_is_not_trusted_is_named(tmp_path):
    with peer_of(answer(body=b"x"), context=self_signed(tmp_path)) as peer:
        with pytest.raises(NoAnswer, match="tls: self-signed certificate"):
            net_of(peer).get(peer.url)
        base = peer.url.removesuffix("dump")
        done = crawl(order(tmp_path, f'access=Site(("{base}",), ("{base}",))', (peer.port,)), tries=1)
    assert "/robots.txt cannot be read (tls: certificate verify failed); ask the publisher to repair" in done.err
    assert "its certificate, then run again" in done.err


class PanicException(BaseException):
    """As compiled Rust raises it."""


ODD = [LookupError, ValueError, RecursionError, AttributeError, MemoryError, UnicodeError, PanicException]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "where",
    ["http.client.HTTPConnection.getresponse", "http.client.HTTPResponse.read", "crawlers.fetch.payload.decode_body"],
)
def test_whatever_a_library_raises_about_an_answer_is_about_that_answer(tmp_path, monkeypatch, odd, where):
    def broken(*_, **__):
        raise odd("x")

    monkeypatch.setattr(where, broken)
    with peer_of(answer(body=b"x" * 10)) as peer:
        with pytest.raises(NoAnswer, match=r"broken-answer|bad-compression"):
            net_of(peer).get(peer.url)
        if "payload" not in where:
            with pytest.raises(SourceError, match="broken-answer"):
                download_of(peer, tmp_path)


def self_signed(folder):
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    plain = serialization.NoEncryption()
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{os.urandom(4).hex()}.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(next(folder.glob("*.pem")))
    return context
