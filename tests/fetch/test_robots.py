"""robots.txt: what allows, what forbids, and in how many spellings a path may come."""

import asyncio
import gzip
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from crawlers.fetch import politeness
from crawlers.fetch.politeness import Throttle
from crawlers.web import robots
from tests.builders.hostile import Ended, Raw, crawl, flood, order, page, raw_server
from tests.builders.rows import each_row
from tests.count_work import count_steps

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "robots.jsonl").read_text("utf-8").splitlines()
]
AGENT = "Malmoi/0.1 (+https://example.kr/about-crawl)"


@each_row("case", CASES, ids=[case["why"] for case in CASES])
def test_robots_decide_as_the_table_says(case: dict[str, Any]) -> None:
    body = case["body"].encode(case.get("encoding", "utf-8"))
    found = robots.decide(case["status"], body, "https://example.kr" + case["path"], AGENT)
    assert found.reason == case["reason"]
    assert found.allowed == case.get("allowed", case["reason"] == "robots-allow")
    assert found.delay == case.get("delay")


def test_what_stands_behind_the_first_500_kib_is_ignored() -> None:
    body = b"User-agent: *\nDisallow: /a\n" + b"# comment\n" * 60_000 + b"Disallow: /b\n"
    assert not robots.decide(200, body, "https://example.kr/a", AGENT).allowed
    assert robots.decide(200, body, "https://example.kr/b", AGENT).allowed


def test_a_rule_cut_in_the_middle_does_not_become_a_shorter_rule() -> None:
    head = b"User-agent: *\n"
    body = head + b"#" * (robots.MAX_BYTES - len(head) - len("\nDisallow: /a")) + b"\nDisallow: /abcdef"
    assert robots.decide(200, body, "https://example.kr/axx", AGENT).allowed


def test_a_line_without_end_is_unreadable() -> None:
    assert robots.decide(200, b"a" * 600_000, "https://example.kr/", AGENT).reason == "robots-unreadable"


@pytest.mark.heavy
def test_two_hundred_thousand_rules_cost_no_more_than_those_in_the_first_500_kib_and_each_costs_the_same() -> None:
    def count(rules: int) -> int:
        body = b"User-agent: *\n" + b"".join(b"Disallow: /p/%d\n" % n for n in range(rules))
        assert not robots.decide(200, body, "https://example.kr/p/7", AGENT).allowed
        return count_steps(lambda: read(body))

    def read(body: bytes) -> None:
        robots.decide(200, body, "https://example.kr/p/7", AGENT)
        assert robots.find_forbidding_line(body, "https://example.kr/p/7", AGENT).startswith("line ")

    assert count(4_000) < 5 * count(1_000)  # where each rule meets all others it is 16
    assert count(200_000) < 1.1 * count(50_000)
    ten_megabytes = b"User-agent: *\nDisallow: /a\n" + b"# " + b"x" * 10_000_000
    assert count_steps(lambda: robots.decide(200, ten_megabytes, "https://example.kr/a", AGENT)) < count(1_000)


def crawled(folder: Path, site: Raw, **hostile: Any) -> Ended:
    source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/",))'
    return crawl(order(folder, source, (site.port,)), tries=1, timeout=0.7, **hostile)


OF_THE_NET: list[tuple[str, Any, str]] = [  # what comes, and why nothing is fetched; "" if everything is
    ("200", page("User-agent: *\nAllow: /\n", Content_Type="text/plain"), ""),
    ("204", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", ""),
    ("404", page("none", "404 Not Found"), ""),
    ("410", page("none", "410 Gone"), ""),
    ("401", page("no", "401 Unauthorized"), "robots-status-401"),
    ("403", page("no", "403 Forbidden"), "robots-status-403"),
    ("429", page("no", "429 Too Many Requests"), "robots-status-429"),
    ("500", page("no", "500 Internal Server Error"), "robots-status-500"),
    ("503", page("no", "503 Service Unavailable"), "robots-status-503"),
    ("timeout", lambda connection: time.sleep(1.5), "/robots.txt cannot be read (timeout"),
    ("html", page("<!doctype html><title>200</title>"), "/robots.txt is a page of HTML, as an application sends"),
    ("one line", page("a" * 600_000, Content_Type="text/plain"), "/robots.txt is one line of more than"),
    ("bomb", page(gzip.compress(bytes(3 << 20)), Content_Encoding="gzip"), "/robots.txt is damaged in its compression"),
    ("too big", page(b"", Content_Length=str(100 << 20)), "/robots.txt cannot be read (too-big (limit answer_bytes"),
    ("endless", flood(b"HTTP/1.1 200 OK\r\n\r\n", b"Disallow: /x\n" * 9000), "/robots.txt cannot be read (t"),
    ("to a file", page("", "301 Moved Permanently", Location="file:///etc/passwd"), "robots-status-301"),
    ("to a script", page("", "301 Moved Permanently", Location="javascript:x()"), "robots-status-301"),
    ("to itself", page("", "301 Moved Permanently", Location="/robots.txt"), "robots-status-301"),
    (
        "to the inside",
        page("", "302 Found", Location="http://169.254.169.254/robots.txt"),
        "/robots.txt cannot be read (redirect to 169.254.169.254: guard-link-local)",
    ),
    ("to be left alone", page("no", "503 Service Unavailable", Retry_After="99999"), "robots-status-503"),
]


@pytest.mark.one_case_in(5)
@pytest.mark.parametrize(("answer", "why"), [(a, b) for _, a, b in OF_THE_NET], ids=[name for name, _, _ in OF_THE_NET])
def test_what_comes_in_the_place_of_robots_decides(tmp_path: Path, answer: Any, why: str) -> None:
    with raw_server() as site:
        site.answers |= {"/robots.txt": answer, "/": page("text")}
        done = crawled(tmp_path, site)
        assert done.status == (3 if why else 0) and why in done.err, done.err
        assert ("/" in site.paths()) == (not why) and "Traceback" not in done.err
        assert "cannot be read (" not in why or done.stats["unread_robots"][f"{site.base}/robots.txt"] in done.err


@pytest.mark.heavy
@pytest.mark.parametrize(("hops", "allowed"), [(5, True), (6, False)])
def test_five_redirects_of_robots_are_followed_and_six_are_not(tmp_path: Path, hops: int, allowed: bool) -> None:
    with raw_server() as site:
        names = ["/robots.txt", *(f"/r{n}" for n in range(1, hops)), "/rules"]
        for name, following in pairwise(names):
            site.answers[name] = page("", "301 Moved Permanently", Location=following)
        site.answers |= {"/rules": page("User-agent: *\nAllow: /", Content_Type="text/plain"), "/": page("text")}
        assert (crawled(tmp_path, site).status == 0) == allowed


def test_robots_that_change_in_the_middle_of_a_crawl_hold_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    from crawlers.fetch import middlewares

    now = [datetime(2026, 11, 24, 9, tzinfo=UTC)]
    rules = ["User-agent: *\nAllow: /", "User-agent: *\nDisallow: /"]
    asked: list[str] = []
    monkeypatch.setattr(politeness, "utc_now", lambda: now[0])

    async def ask(url: str, kind: str) -> Response:
        asked.append(url)
        return Response(url, body=rules[len(asked) - 1].encode())

    context = SimpleNamespace(pace=Throttle(0.0, 1), archive=SimpleNamespace(here={}), access=None)
    crawl_of = SimpleNamespace(ask=ask, context=context, state=None)
    middleware = middlewares.RobotsMiddleware(SimpleNamespace(spider=crawl_of))

    async def days() -> None:
        page_asked = Request("https://example.kr/a", meta={"kind": "page"})
        await middleware.process_request(page_asked)
        now[0] += timedelta(hours=23, minutes=59)
        await middleware.process_request(page_asked)
        assert len(asked) == 1
        now[0] += timedelta(minutes=2)
        with pytest.raises(middlewares.Blocked, match="robots-disallow"):
            await middleware.process_request(page_asked)

    asyncio.run(days())
    assert len(asked) == 2


def test_a_replayed_robots_txt_is_as_old_as_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    from crawlers.fetch import middlewares

    now = [datetime(2026, 11, 24, 9, tzinfo=UTC)]
    monkeypatch.setattr(politeness, "utc_now", lambda: now[0])
    asked: list[str] = []

    async def ask(url: str, kind: str) -> Response:
        asked.append(url)
        return Response(url, body=b"User-agent: *\nAllow: /")

    here = {"https://example.kr/robots.txt": SimpleNamespace(fetched="2026-11-23T10:00:00Z")}
    context = SimpleNamespace(pace=Throttle(0.0, 1), archive=SimpleNamespace(here=here), access=None)
    crawl_of = SimpleNamespace(ask=ask, context=context, state=None)
    middleware = middlewares.RobotsMiddleware(SimpleNamespace(spider=crawl_of))

    async def hours() -> None:
        page_asked = Request("https://example.kr/a", meta={"kind": "page"})
        await middleware.process_request(page_asked)
        now[0] += timedelta(hours=2)
        await middleware.process_request(page_asked)

    asyncio.run(hours())
    assert len(asked) == 2


def test_the_terms_page_is_archived_and_its_absence_is_only_noted(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/": page("text"), "/terms": page("<html><body><p>이용  약관</p></body></html>")}
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/x", "{site.base}/"))'
        terms = {"reviewer": "r", "date": "2026-11-24", "url": f"{site.base}/terms", "verdict": "allowed"}
        had = crawl(order(tmp_path, source, (site.port,), terms=terms))
        gone = {**terms, "url": "http://169.254.169.254/terms"}
        missed = crawl(order(tmp_path, source, (site.port,), terms=gone, run_dir=str(tmp_path / "b")))
    digest = hashlib.sha256("이용 약관".encode()).hexdigest()
    assert had.stats["terms"] == {"url": f"{site.base}/terms", "sha256": digest, "status": 200}
    assert f"{site.base}/terms" in had.stats["not_pages"]
    assert missed.status == 0 and missed.stats["terms"]["status"] == "guard-link-local"
