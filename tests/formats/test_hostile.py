"""Servers that misbehave: bombs, slow senders, loops, doors to the inside. Each costs one address and has a name."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import brotli
import pytest

from crawlers.fetch import link_reading, payload
from crawlers.web.scope import links as links_in
from crawlers.web.ssrf_guard import refuse_url
from malmoi import limits
from malmoi.archive.capture import Capture
from tests.builders.hostile import SAY, Raw, crawl, drip, flood, links, order, page, raw_server

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "guard.jsonl").read_text("utf-8").splitlines()
]
PUBLIC = "93.184.216.34"  # stands for any public address; the tests lead it to loopback
SITE = 'Site(start=("{base}/",), scope=("{base}/",))'


def site_of(site: Raw) -> str:
    return "access=" + SITE.format(base=site.base)


def gz(size: int) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join([*(squeeze.compress(block) for _ in range(size >> 20)), squeeze.flush()])


def bombs() -> dict[str, tuple[str, bytes, str]]:
    """Name → (coding, body, the word for it)."""
    zeros = bytes(300 << 20)
    return {
        "gzip": ("gzip", gz(512 << 20), "decompression-bomb"),
        "deflate": ("deflate", zlib.compress(zeros, 9), "decompression-bomb"),
        "br": ("br", brotli.compress(zeros, quality=1), "decompression-bomb"),
        "zstd": ("zstd", payload.zstd.compress(zeros), "decompression-bomb"),
        "twice": ("gzip, gzip", gzip.compress(gz(256 << 20)), "decompression-bomb"),
        "cut": ("gzip", gzip.compress(b"text" * 9000)[:-20], "bad-compression"),
        "corrupt": ("gzip", gzip.compress(b"text" * 9000)[:30] + b"\xff" * 30, "bad-compression"),
        "cut-br": ("br", brotli.compress(b"text" * 9000)[:-3], "bad-compression"),
        "cut-zstd": ("zstd", payload.zstd.compress(b"text" * 9000)[:-3], "bad-compression"),
        "wrong": ("br", b"<html>plain</html>", "bad-compression"),
        "unknown": ("x-own", b"text", "unknown-coding"),
        "many": (", ".join(["gzip"] * 9), b"text", "unknown-coding"),
    }


@pytest.mark.heavy
def test_bombs_and_broken_codings_cost_one_address_each_and_have_a_name(tmp_path: Path) -> None:
    made = bombs()
    with raw_server() as site:
        site.answers["/"] = links(*made, "good-br", "good-zstd")
        for name, (coding, body, _) in made.items():
            site.answers[f"/{name}"] = page(body, Content_Encoding=coding)
        site.answers["/good-br"] = page(brotli.compress(b"<p>text</p>"), Content_Encoding="br")
        site.answers["/good-zstd"] = page(payload.zstd.compress(b"<p>text</p>"), Content_Encoding="zstd")
        calm = crawl(order(tmp_path, site_of(site), (site.port,)), memory=str(tmp_path / "m"))
    assert calm.why(site.base + "/") == {name: word for name, (_, _, word) in made.items()}
    assert calm.stats["pages"] == 3 and calm.cpu_seconds < 20
    assert int((tmp_path / "m").read_text()) < 100 + 256, "MB at the peak; a crawl of nothing takes about 90"


def test_broken_answers_cost_one_address_each(tmp_path: Path) -> None:
    broken: dict[str, Any] = {
        "short": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "cut-off"),
        "bad-length": (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx", "broken-answer"),
        "two-lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "broken-answer"),
        "no-http": (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "broken-answer"),
        "bad-status": (b"HTTP/1.1 abc OK\r\n\r\n", "broken-answer"),
        "bad-chunk": (SAY.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nxx", None),
        "nothing": (b"", "broken-answer"),
        "long-line": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n", "header-too-big"),
        "many-headers": (
            flood(b"HTTP/1.1 200 OK\r\n", b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
            "header-too-big",
        ),
        "endless": (flood(SAY.encode() + b"\r\n", b"a" * 65536), "too-big"),
        "endless-chunks": (
            flood(SAY.encode() + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"a" * 32768 + b"\r\n"),
            "too-big",
        ),
        "slow-head": (drip(b"HTTP/1.1 200 OK\r\nX: "), "timeout"),
        "slow-body": (drip(SAY.encode() + b"Content-Length: 100000\r\n\r\n"), "timeout"),
        "slow-endless": (drip(SAY.encode() + b"\r\n"), "timeout"),
    }
    with raw_server() as site:
        names = [name for pair in zip(broken, [f"fine-{n}" for n in range(len(broken))], strict=True) for name in pair]
        site.answers["/"] = links(*names)
        for name, (answer, _) in broken.items():
            site.answers[f"/{name}"] = answer
        site.answers |= {f"/fine-{n}": page("fine") for n in range(len(broken))}
        found = crawl(order(tmp_path, site_of(site), (site.port,)), timeout=1.0, tries=1)
    assert found.status == 0, found.err
    why = found.why(site.base + "/")
    assert {name: why.get(name) for name, (_, word) in broken.items() if word} == {
        name: word for name, (_, word) in broken.items() if word
    }
    assert set(why) == set(broken) and found.stats["pages"] == 1 + len(broken)
    assert found.seconds < 15


def test_a_slow_host_does_not_hold_up_the_others(tmp_path: Path) -> None:
    with raw_server() as slow, raw_server() as quick:
        source = f'access=Site(start=("{quick.base}/",), scope=("{quick.base}/", "{slow.base}/"))'
        slow.answers["/x"] = drip(SAY.encode() + b"Content-Length: 100000\r\n\r\n")
        slow.answers["/robots.txt"] = page("none", "404 Not Found")
        quick.answers["/"] = links(f"{slow.base}/x", *(f"/{n}" for n in range(40)))
        quick.answers |= {f"/{n}": page("fine") for n in range(40)}
        found = crawl(order(tmp_path, source, (slow.port, quick.port), "delay=0.02"), timeout=4.0, tries=1)
        times = sorted(at for at, said in quick.asked if said.split(" ")[1][1:].isdigit())
    assert found.stats["pages"] == 41 and found.why(slow.base) == {"/x": "timeout"}
    assert len(times) == 40 and times[-1] - times[0] < 3.0, "asked for while the slow one was waited for"


def test_redirects_that_lead_nowhere_or_to_the_inside_are_named(tmp_path: Path) -> None:
    with raw_server() as trap, raw_server() as site:
        leads = {
            "self": "/self",
            "pair-a": "/pair-b",
            "file": "file:///etc/passwd",
            "data": "data:text/html,x",
            "script": "javascript:alert(1)",
            "inside": f"http://127.0.0.1:{trap.port}/",
            "metadata": "http://169.254.169.254/latest/meta-data/",
            "away": "http://example.com/",
            "chain-0": "/chain-1",
            "empty": "http://[",
        }
        site.answers["/"] = links(*leads, "refresh")
        for name, target in leads.items():
            site.answers[f"/{name}"] = page("", "302 Found", Location=target)
        site.answers["/pair-b"] = page("", "302 Found", Location="/pair-a")
        site.answers |= {f"/chain-{n}": page("", "302 Found", Location=f"/chain-{n + 1}") for n in range(1, 10_001)}
        site.answers["/refresh"] = page(f'<meta http-equiv=refresh content="0;url=http://127.0.0.1:{trap.port}/r">')
        found = crawl(order(tmp_path, site_of(site), (site.port,)))
    blocked = [json.loads(line) for line in (tmp_path / "run" / "blocked.jsonl").read_text().splitlines()]
    assert found.why(site.base + "/") == {
        "self": "redirect-loop",
        "pair-a": "redirect-loop",
        "pair-b": "redirect-loop",
        "file": "redirect-to-nowhere",
        "data": "redirect-to-nowhere",
        "script": "redirect-to-nowhere",
        "chain-0": "too-many-redirects",
        "empty": "redirect-to-nowhere",
    }
    reasons = {row["url"].removeprefix(site.base + "/"): row["reason"] for row in blocked}
    assert {name: reasons[name] for name in ("inside", "metadata", "away")} == {
        "inside": "guard-loopback",
        "metadata": "guard-link-local",
        "away": "redirect-out-of-scope",
    }
    assert trap.connections == 0 and len([p for p in site.paths() if "chain" in p]) == 6
    assert {host for host, _ in found.dialled} == {"127.0.0.1"}


def aimed(url: str, port: int) -> str:
    """A refused address, at the port of the trap where it names none."""
    head, sep, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{head}{sep}{host}:{port}{slash}{path}" if sep and ":" not in host.rpartition("]")[2] else url


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize(
    "hostile", [{}, {"blind": True}, {"blind": True, "trusting": True}], ids=["all", "resolver", "peer"]
)
def test_no_refused_address_is_ever_connected_to(tmp_path: Path, hostile: dict[str, Any]) -> None:
    names = {
        "private.example": ["10.0.0.1"],
        "loop.example": ["127.0.0.1"],
        "cloud.example": ["169.254.169.254"],
        "zero.example": ["0.0.0.0"],
        "shared.example": ["100.64.0.1"],
    }
    with raw_server() as trap, raw_server() as site:
        refused = [case["url"] for case in CASES if case["reason"] and case["url"].lower().startswith("http")]
        targets = [aimed(url, trap.port) for url in refused if not any(sign in url for sign in "\r\n \\")]
        targets += [f"http://{name}:{trap.port}/" for name in names]
        hops = [f"/hop/{n}" for n in range(len(targets))]
        site.answers["/"] = links(*hops, *(target.replace('"', "") for target in targets))
        for hop, target in zip(hops, targets, strict=True):
            site.answers[hop] = page("", "302 Found", Location=target.encode("utf-8").decode("latin-1"))
        from crawlers.web.addresses import canonical_url, origin

        origins = sorted({origin(canonical_url(target)) for target in targets if canonical_url(target)})
        scope = ", ".join(repr(f"{one}/") for one in [site.base, *origins])
        source = f'access=Site(start=("{site.base}/",), scope=({scope}))'
        job = order(tmp_path, source, (site.port,), contact="a@b.kr", terms=TERMS)
        found = crawl(job, names=names, tries=1, timeout=5.0, settings={"DNSCACHE_ENABLED": False}, **hostile)
    assert len(targets) >= 90 and trap.asked == [], found.err
    assert found.status == 0, found.err
    if "trusting" not in hostile:  # the peer is looked at once it is there; until then only a handshake has been made
        assert trap.connections == 0
        assert set(found.dialled) == {("127.0.0.1", site.port)}
    assert found.stats["pages"] == 1, found.err
    blocked = sum(n for why, n in found.stats["blocked_by"].items() if why.startswith("guard"))
    assert blocked >= (20 if "trusting" in hostile else 60)  # there, what is not loopback is refused by the kernel


def test_a_name_that_answers_otherwise_the_second_time_leads_nowhere(tmp_path: Path) -> None:
    with raw_server() as trap, raw_server() as site:
        base = f"http://rebind.example:{trap.port}"
        site.answers |= {"/": links("/a", "/b"), "/a": page("a"), "/b": page("b")}
        source = f'access=Site(start=("{base}/",), scope=("{base}/",))'
        job = order(tmp_path, source, (site.port,), contact="a@b.kr", terms=TERMS)
        # Three questions are answered with a public address: for the pace, for robots.txt, for the terms.
        found = crawl(
            job,
            names={"rebind.example": [PUBLIC] * 6 + ["127.0.0.1"]},
            route={PUBLIC: ["127.0.0.1", site.port]},
            settings={"DNSCACHE_ENABLED": False},
            tries=1,
        )
    assert trap.connections == 0 and ("127.0.0.1", trap.port) not in found.dialled
    assert site.connections >= 1 and "guard-loopback" in json.dumps(found.stats)


TERMS = {"reviewer": "r", "date": "2026-11-24", "url": "http://terms.invalid/", "verdict": "allowed"}


def test_more_than_a_hundred_addresses_are_refused_by_their_letters() -> None:
    assert sum(case["reason"] is not None for case in CASES) >= 100
    assert all(refuse_url(case["url"]) == case["reason"] for case in CASES)


@pytest.mark.heavy
def test_pages_made_to_be_dear_are_bounded() -> None:
    import asyncio

    def of(body: bytes) -> Capture:
        return Capture("r", "http://a.kr/", "", 200, (("Content-Type", "text/html"),), body)

    def links_of(body: bytes) -> list[str]:
        return asyncio.run(link_reading.addresses_of(of(body), "page")).pages

    assert len(list(links_in(of(b"".join(b"<a href=/%d>x</a>" % n for n in range(20_000)))))) == 10_000
    deep = links_of(b"<div>" * 1_000_000 + b"<a href=/x>x</a>")
    assert deep in ([], ["http://a.kr/x"])
    attributes = b"<a " + b"".join(b"a%d=1 " % n for n in range(1_000_000)) + b"href=/y>"
    with pytest.raises(link_reading.TooCostly):
        links_of(attributes)
    large = b"<html><body>" + b"<p>text</p>" * 20_000 + "<a href='/자료'>x</a>".encode()
    assert links_of(large) == ["http://a.kr/%EC%9E%90%EB%A3%8C"]


def laughs(root: str) -> bytes:
    steps = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    return f"<!DOCTYPE l [<!ENTITY a0 'lol'>{steps}]>{root}".encode()


@pytest.mark.parametrize(
    "body",
    [
        laughs("<urlset><url><loc>&a11;</loc></url></urlset>"),
        laughs("<urlset x='&a11;'/>"),
        b"<!--" + b"x" * 9000 + b"-->" + laughs("<urlset><url><loc>&a11;</loc></url></urlset>"),
        b"<!DOCTYPE l [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>&a;</loc></url></urlset>",
        b"<html><body>not here</body></html>",
    ],
)
def test_lists_with_entities_or_of_another_kind_are_refused(body: bytes) -> None:
    for read in (link_reading.parse_sitemap, lambda given: link_reading.parse_feed(given, "http://a.kr/")):
        with pytest.raises((ValueError, SyntaxError)):
            read(body)


@pytest.mark.heavy
def test_a_list_is_read_up_to_its_bound() -> None:
    many = b"<urlset>" + b"".join(b"<url><loc>http://a.kr/%d</loc></url>" % n for n in range(60_000)) + b"</urlset>"
    assert len(link_reading.parse_sitemap(many).pages) == limits.LIST_ADDRESSES.value
    with pytest.raises(payload.TooBig):
        link_reading.parse_sitemap(gz(200 << 20))
