"""Feeds: the pages that their entries name, in order, whatever the dialect, the encoding and the faults."""

import gzip
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawlers.fetch.archive import CLOSED, entries
from crawlers.fetch.link_reading import parse_feed
from tests.builders.hostile import crawl, order, page, raw_server
from tests.builders.rows import each_row

ITEMS = "".join(f"<item><title>글 {n}</title><link>http://a.kr/{n}</link></item>" for n in (3, 1, 2))
THREE = ["http://a.kr/3", "http://a.kr/1", "http://a.kr/2"]
CASES = {
    "rss 2.0": (f"<rss version='2.0'><channel><link>http://a.kr/</link>{ITEMS}</channel></rss>".encode(), THREE),
    "rss 1.0": (
        f"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
        f"<channel rdf:about='x'/>{ITEMS}<item rdf:about='http://a.kr/4'/></rdf:RDF>".encode(),
        [*THREE, "http://a.kr/4"],
    ),
    "atom": (
        b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://a.kr/b/'><link href='/self'/>"
        b"<entry><link rel='self' href='/no'/><link rel='alternate' href='1'/></entry>"
        b"<entry xml:base='c/'><link href='2'/></entry><entry><link rel='enclosure' href='/no'/></entry></feed>",
        ["http://a.kr/b/1", "http://a.kr/b/c/2"],
    ),
    "cp949": (
        f"<?xml version='1.0' encoding='euc-kr'?><rss><channel><title>뷁</title>{ITEMS}</channel></rss>".encode(
            "cp949"
        ),
        THREE,
    ),
    "cp949 that nobody declares": (f"<rss><channel>{ITEMS}</channel></rss>".encode("cp949"), THREE),
    "utf-16": (f"<?xml version='1.0' encoding='utf-16'?><rss><channel>{ITEMS}</channel></rss>".encode("utf-16"), THREE),
    "gzip": (gzip.compress(f"<rss><channel>{ITEMS}</channel></rss>".encode()), THREE),
    "byte order mark and blank lines": (
        b"\xef\xbb\xbf\n\n<rss><channel><item><link>/x</link></item></channel></rss>",
        ["http://a.kr/x"],
    ),
    "guid": (b"<rss><channel><item><guid>http://a.kr/7</guid></item></channel></rss>", ["http://a.kr/7"]),
    "guid that is none": (
        b"<rss><channel><item><guid isPermaLink='false'>http://a.kr/7</guid></item></channel></rss>",
        [],
    ),
    "bare ampersand": (
        b"<rss><channel><item><link>http://a.kr/v?a=1&b=2</link></item></channel></rss>",
        ["http://a.kr/v?a=1&b=2"],
    ),
    "bare ampersand beside cdata": (
        b"<rss><channel><title>A & B</title><item><link><![CDATA[http://a.kr/v?a=1&b=2]]></link></item></channel></rss>",
        ["http://a.kr/v?a=1&b=2"],
    ),
    "cut off": (b"<rss><channel><item><link>http://a.kr/1</link></item><item><li", ["http://a.kr/1"]),
    "the same twice": (b"<rss><item><link>/1</link></item><item><link>/1#c</link></item></rss>", ["http://a.kr/1"]),
    "no address": (b"<rss><item><link>http://[</link></item><item><link>javascript:x()</link></item></rss>", []),
    "empty": (b"<rss><channel/></rss>", []),
}


@each_row("name", CASES)
def test_the_entries_of_a_feed_are_its_pages(name: str) -> None:
    body, expected = CASES[name]
    assert parse_feed(body, "http://a.kr/feed").pages == expected


@pytest.mark.parametrize("body", [b"", b"<html><body/></html>", b"{}", b"<urlset/>", b"\x1f\x8b\x08"])
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(Exception, match=r"not-|Document is empty|compress"):
        parse_feed(body, "http://a.kr/feed")


@pytest.mark.heavy
def test_a_feed_is_crawled_and_survives_a_kill(tmp_path: Path) -> None:
    with raw_server() as site:
        links = [f"{site.base}/page/{n}" for n in (5, 4, 3, 2, 1)]
        items = "".join(f"<item><link>{link}</link></item>" for link in [*links, "http://external.example/"])
        site.answers["/rss"] = page(
            f"<rss><channel>{items}</channel></rss>".encode("cp949"), Content_Type="text/xml; charset=euc-kr"
        )
        site.answers["/none"] = page("<html>no feed here</html>")

        def slow(connection) -> None:
            time.sleep(0.05)
            connection.sendall(page("<a href='/page/9'>a page of a feed is no hub</a>"))

        site.answers |= {f"/page/{n}": slow for n in range(1, 6)}
        source = f'access=Feed(urls=("{site.base}/rss", "{site.base}/none"), scope=("{site.base}/page/",))'
        job = order(tmp_path, source, (site.port,))
        process = subprocess.Popen([sys.executable, "-m", "crawlers.fetch", str(job)], cwd=Path(__file__).parents[2])
        while len(site.asked) < 7 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = crawl(job)
    assert done.status == 0 and done.why(site.base) == {"/none": "not-a-feed"}
    held = [e.url for e, _ in entries(tmp_path / "run" / CLOSED)]
    assert [url for url in held if "/page/" in url] == links and done.stats["pages"] == 5
    assert len(site.asked) <= 3 + 2 + 5 + 1 and done.stats["left_out"] == {"out-of-scope": 1}
    assert {f"{site.base}/rss", f"{site.base}/none", f"{site.base}/robots.txt"} <= set(done.stats["not_pages"])
