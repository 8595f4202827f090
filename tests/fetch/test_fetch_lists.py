"""Sitemaps and feeds with the faults they have: what can be read is taken, what cannot is said, and nothing blocks."""

import asyncio
import gzip
import json
import time
from pathlib import Path

import pytest

from crawlers.fetch import link_reading
from crawlers.fetch.payload import BadCoding
from malmoi import limits
from malmoi.archive.capture import Capture
from tests.builders.hostile import crawl, order, page, raw_server
from tests.builders.rows import each_row

FILE = Path(__file__).parents[1] / "data" / "lists.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "gzip")


def read(kind: str, body: bytes) -> link_reading.Listed:
    return link_reading.parse_feed(body, "http://a.kr/feed") if kind == "feed" else link_reading.parse_sitemap(body)


def written(text: str, encoding: str) -> bytes:
    return gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding)


@each_row("encoding", ENCODINGS)
@each_row("case", CASES, ids=[f"{case['kind']}: {case['why']}" for case in CASES])
def test_what_can_be_read_of_a_list_is_taken(case: dict, encoding: str) -> None:
    body = written(case["body"], encoding)
    if "refused" in case:
        with pytest.raises(link_reading.NotAList, match=case["refused"]):
            read(case["kind"], body)
        return
    found = read(case["kind"], body)
    assert found.pages == [f"http://a.kr{path}" for path in case["pages"]]
    assert found.maps == [f"http://a.kr{path}" for path in case.get("maps", ())]
    assert case["lost"] in "; ".join(found.lost) if "lost" in case else not found.lost


def lines(count: int) -> bytes:
    return b"".join(b"http://a.kr/%d\n" % n for n in range(count))


def tags(*addresses: str) -> bytes:
    return b"<urlset>" + b"".join(b"<url><loc>%s</loc></url>" % one.encode() for one in addresses) + b"</urlset>"


BOUNDED = {
    "one long address": (tags("http://a.kr/" + "a" * 4_800_000, "http://a.kr/1"), 1, limits.ADDRESS_BYTES),
    "one long address, packed": (
        gzip.compress(tags("http://a.kr/" + "0123456789abcdef" * 300_000, "http://a.kr/1") + bytes(range(256)) * 99, 1),
        1,
        limits.ADDRESS_BYTES,
    ),
    "a line of megabytes": (b"http://a.kr/1\nhttp://a.kr/" + b"b" * 9_000_000, 1, limits.ADDRESS_BYTES),
    "many lines": (lines(300_000), 50_000, limits.LIST_ADDRESSES),
    "many elements": (tags(*(f"http://a.kr/{n}" for n in range(60_000))), 50_000, limits.LIST_ADDRESSES),
    "many bytes": (tags("http://a.kr/1")[:-9] + b" " * (51 << 20) + b"</urlset>", 1, limits.LIST_BYTES),
    "a bomb behind an address": (gzip.compress(tags("http://a.kr/1") + bytes(30 << 20)), 1, limits.ANSWER_RATIO),
}


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize("name", BOUNDED)
def test_a_list_is_used_up_to_its_limit_and_the_limit_is_named(name: str) -> None:
    body, pages, limit = BOUNDED[name]
    found = link_reading.parse_sitemap(body)
    assert len(found.pages) == pages and limit.describe() in "; ".join(found.lost)


def test_gzip_that_is_damaged_costs_what_follows_the_damage() -> None:
    whole = gzip.compress(b"".join(b"http://a.kr/%032x\n" % (n * 7919**8) for n in range(30_000)))
    for body in (whole[: len(whole) // 2], whole[: len(whole) // 2] + b"\xff" * 99):
        found = link_reading.parse_sitemap(body)
        assert 1_000 < len(found.pages) < 30_000 and "gzip" in found.lost[0]
        assert {len(url) for url in found.pages} == {len("http://a.kr/") + 32}, "no line is cut off"
    with pytest.raises(BadCoding):
        link_reading.parse_sitemap(b"\x1f\x8b\x08")
    with pytest.raises(BadCoding, match=limits.ANSWER_MEMBERS.describe()):
        link_reading.parse_sitemap(gzip.compress(b"") * 20_000)


@pytest.mark.heavy
def test_a_large_list_does_not_hold_up_the_crawl() -> None:
    capture = Capture("r", "http://a.kr/s.xml", "", 200, (), b"a\n" * 600_000 + lines(10_000))
    waited: list[float] = []

    async def ticking() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.05)
            waited.append(time.monotonic() - began)

    async def reading() -> link_reading.Listed:
        ticker = asyncio.ensure_future(ticking())
        try:
            return await link_reading.addresses_of(capture, "sitemap")
        finally:
            ticker.cancel()

    found = asyncio.run(reading())
    assert len(found.pages) == 10_000 or limits.LIST_SECONDS.describe() in "; ".join(found.lost)
    assert max(waited) < 2.0, "seconds in which nothing else could happen"


def test_a_list_that_cannot_be_read_whole_is_counted_as_failed(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/map.xml"] = page(
            f"<urlset><url><loc>{site.base}/1</loc><image:image/></url><url><loc>{site.base}/2</loc></url>"
            f"<url><loc>{site.base}/{'x' * 9_000}</loc></url><url><loc>{site.base}/3",
            Content_Type="application/xml; charset=hex",
        )
        site.answers |= {"/1": page("one"), "/2": page("two")}
        source = f'access=Sitemap(urls=("{site.base}/map.xml",), scope=("{site.base}/",))'
        done = crawl(order(tmp_path, source, (site.port,)))
    assert done.status == 0 and done.stats["pages"] == 2, done.err
    assert done.stats["failed_by"] == {"list-incomplete": 1}
    why = done.why(site.base)["/map.xml"]
    assert "without </urlset>" in why and limits.ADDRESS_BYTES.describe() in why


@pytest.mark.heavy
def test_a_list_that_was_empty_is_asked_for_again(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/map.xml": page("<urlset></urlset>"), "/1": page("one")}
        job = order(tmp_path, f'access=Sitemap(("{site.base}/map.xml",), ("{site.base}/",))', (site.port,))
        empty = crawl(job)
        site.answers["/map.xml"] = page(f"<urlset><url><loc>{site.base}/1</loc></url></urlset>")
        full = crawl(job)
    assert "it names no page" in empty.err
    assert (full.status, full.stats["pages"], full.stats["listed"]) == (0, 1, 1), full.err
