"""Crawls on loopback, each a process of its own: what is archived, what is not, and what a kill costs."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator

from crawlers import catalogue
from crawlers.fetch.archive import CLOSED, OPEN, Archive, entries, read_body
from crawlers.fetch.job import read_job
from crawlers.fetch.payload import Damaged, TooBig, decode_body, inflate
from crawlers.web.scope import links
from malmoi.archive.capture import Capture
from malmoi.errors import CallError
from tests.builders.forked_process import ForkedCrawler, run_fork
from tests.builders.small_site import ODD, PAGES, Site, serve

ROOT = Path(__file__).parents[2]
SITE = 'Site(start=("{base}/",), scope=("{base}/",), deny=("{base}/other/",))'


def order(folder: Path, site: Site, access: str = SITE, extra: str = "", delay: float = 0.0, **job: Any) -> Path:
    """Write a source and a job; returns the job's file."""
    source = folder / "source.py"
    host = site.base.removeprefix("http://")
    source.write_text(
        "from malmoi.source import *\n"
        f'SOURCE = Source(name="small", title="t", publisher="p", access={access.format(base=site.base)},\n'
        f'    manners=Manners(delay={delay}, loopback=("{host}",)))\n' + extra.format(base=site.base)
    )
    path = folder / f"{len(list(folder.glob('*.json')))}.json"
    path.write_text(json.dumps({"source": str(source), "run_dir": str(folder / "run"), **job}))
    return path


def start(job: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "crawlers.fetch", str(job)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(job: Path, status: int = 0) -> tuple[dict[str, Any], str, str]:
    """Run a job to its end; returns stats, standard output, standard error."""
    done = run_fork(ForkedCrawler, job)
    assert done.returncode == status, done.stderr
    stats = Path(json.loads(job.read_text())["run_dir"]) / "stats.json"
    return json.loads(stats.read_text()) if stats.exists() else {}, done.stdout, done.stderr


def archived(run_dir: Path) -> dict[str, tuple[int, str]]:
    """Address → status and digest of the last answer."""
    return {entry.url: (entry.status, entry.digest) for entry, _ in entries(run_dir / CLOSED)}


def expected(base: str) -> set[str]:
    return {f"{base}/page/{n}" for n in range(1, PAGES + 1)} | {base + path for path in ODD}


def test_a_crawl_archives_the_pages_of_the_scope_and_nothing_else(tmp_path: Path) -> None:
    with serve() as site:
        stats, out, _ = run(order(tmp_path, site, contact="corpus@example.kr"))
    found = archived(tmp_path / "run")
    assert {url for url, (status, _) in found.items() if status == 200} - {f"{site.base}/robots.txt"} == expected(
        site.base
    )
    assert stats["finished"] == "finished" and stats["pages"] == PAGES + len(ODD)
    assert {(f["url"].removeprefix(site.base), f["why"]) for f in stats["failed"]} == {
        ("/missing", "status-404"),
        ("/loop", "too-many-redirects"),
    }
    assert found[f"{site.base}/missing"][0] == 404 and found[f"{site.base}/moved"][0] == 301
    assert not any("/nofollow" in path or "/other/" in path or "/private" in path for path in site.hits)
    assert site.agents == {"Malmoi/0.1 (+corpus@example.kr)"}
    said = json.loads(out.splitlines()[-1])
    assert (said["fetched"], said["queued"], said["pages"]) == (stats["fetched"], 0, stats["pages"])
    assert (said["failed"], said["blocked"], said["bytes"]) == (2, stats["blocked"], stats["bytes"])
    assert stats["failed_by"] == {"status-404": 1, "too-many-redirects": 1}
    assert sum(stats["blocked_by"].values()) == stats["blocked"] and stats["status"]["200"] == len(expected("")) + 1
    own = stats["by_host"][site.base.removeprefix("http://")]
    assert (own["failed"], own["bytes"]) == (2, stats["bytes"] - len(b"later")) and stats["began"] <= stats["ended"]


def test_blocked_addresses_are_listed_with_their_reason(tmp_path: Path) -> None:
    with serve() as site:
        run(order(tmp_path, site))
    rows = [json.loads(line) for line in (tmp_path / "run" / "blocked.jsonl").read_text().splitlines()]
    assert {row["url"].removeprefix(site.base): row["reason"] for row in rows} == {
        "/private/1": "robots-disallow",
        "/%BA%F1%B9%D0/1": "robots-disallow",
        "/inside": "guard-link-local",
        "http://169.254.169.254/latest/meta-data/": "guard-link-local",
        "/away": "redirect-out-of-scope",
        "http://external.example/x": "redirect-out-of-scope",
    }


def test_the_archive_holds_decoded_bodies_and_headers_that_fit(tmp_path: Path) -> None:
    with serve() as site:
        run(order(tmp_path, site))
    by_path = {entry.url.removeprefix(site.base): entry for entry, _ in entries(tmp_path / "run" / CLOSED)}
    for path in ("/gzip", "/chunked"):
        entry = by_path[path]
        assert read_body(entry).startswith(b"<!doctype html>")
        assert entry.header("content-length") == str(entry.size)
        assert not entry.header("content-encoding") and not entry.header("transfer-encoding")
    with (tmp_path / "run" / CLOSED).open("rb") as file:
        assert sum(1 for _ in ArchiveIterator(file)) == sum(1 for _ in entries(tmp_path / "run" / CLOSED))
    assert [e.status for e, _ in entries(tmp_path / "run" / CLOSED) if e.url.endswith("/outage")] == [503, 200]


def test_pages_are_read_breadth_first_and_the_limit_holds(tmp_path: Path) -> None:
    access = 'Site(start=("{base}/page/1",), scope=("{base}/page/",))'
    with serve() as site:
        stats, _, _ = run(order(tmp_path, site, access, limit=7))
    urls = [entry.url for entry, _ in entries(tmp_path / "run" / CLOSED) if "/page/" in entry.url]
    assert urls == [f"{site.base}/page/{n}" for n in range(1, 8)]
    assert stats["finished"] == "limit" and stats["pages"] == 7


@pytest.mark.parametrize(
    "moments",
    [
        (1, 10, 40),
        pytest.param((5, 30, 55), marks=pytest.mark.heavy),
        *(pytest.param(one, marks=pytest.mark.soak) for one in ((1, 2, 3), (5, 15, 25), (10, 11, 40))),
    ],
)
def test_a_killed_crawl_goes_on_and_ends_with_the_same_archive(tmp_path: Path, moments: tuple[int, ...]) -> None:
    with serve(pause=0.01) as site:
        whole = tmp_path / "whole"
        whole.mkdir()
        run(order(whole, site))
        once = Counter(site.hits)
        site.answers["/outage"].failures = 1
        site.hits.clear()
        job = order(tmp_path, site)
        for moment in moments:
            process = start(job)
            while sum(site.hits.values()) < moment and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert (tmp_path / "run" / OPEN).exists() or moments[0] < 3
        stats, _, _ = run(job)
    assert archived(tmp_path / "run") == archived(whole / "run")
    records = [entry.record for entry, _ in entries(tmp_path / "run" / CLOSED)]
    assert len(records) == len(set(records))
    assert sum((site.hits - once).values()) <= len(moments), "only what was in flight is asked again"
    assert stats["fetched"] + stats["replayed"] >= len(records) - 1
    assert not (tmp_path / "run" / OPEN).exists()


def test_a_torn_tail_is_cut_off(tmp_path: Path) -> None:
    first = Archive(tmp_path)
    for n in range(5):
        first.add(f"http://a.kr/{n}", "2026-11-24T09:00:00Z", 200, (("Content-Type", "text/html"),), b"x" * 1000)
    first.leave()
    whole = (tmp_path / OPEN).read_bytes()
    ends = [end for _, end in entries(tmp_path / OPEN)]
    for cut in range(1, len(whole), 7):
        (tmp_path / OPEN).write_bytes(whole[:cut])
        again = Archive(tmp_path)
        again.leave()
        assert (tmp_path / OPEN).stat().st_size == max([0, *(end for end in ends if end <= cut)])


def test_a_second_run_archives_only_what_is_new(tmp_path: Path) -> None:
    with serve() as site:
        run(order(tmp_path, site))
        site.answers["/page/7"].body += b"<!-- new -->"
        site.answers["/page/7"].headers["ETag"] = '"new"'
        site.answers["/page/40"].body += b'<a href="/page/41">new</a>'
        site.answers["/page/40"].headers["ETag"] = '"new too"'
        site.answers["/page/41"] = site.answers["/gzip"]
        stats, _, _ = run(order(tmp_path, site, run_dir=str(tmp_path / "second"), earlier=[str(tmp_path / "run")]))
        third, _, _ = run(
            order(
                tmp_path,
                site,
                run_dir=str(tmp_path / "third"),
                earlier=[str(tmp_path / "run"), str(tmp_path / "second")],
            )
        )
    answers = [entry for entry, _ in entries(tmp_path / "second" / CLOSED) if not entry.refers_to]
    assert {entry.url.removeprefix(site.base) for entry in answers} == {"/page/7", "/page/40", "/page/41"}
    first = {entry.record for entry, _ in entries(tmp_path / "run" / CLOSED)}
    assert all(e.refers_to in first for e, _ in entries(tmp_path / "second" / CLOSED) if e.refers_to)
    assert stats["pages"] == PAGES + len(ODD) + 1 and stats["not_modified"] == stats["fetched"] - 3
    assert third["not_modified"] == third["fetched"] and third["bytes"] == 0


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    with serve() as site:
        job = order(tmp_path, site)
        run(job)
        before = sum(site.hits.values())
        run(job)
        assert sum(site.hits.values()) == before


@pytest.mark.heavy
def test_a_run_that_was_closed_but_not_declared_done_asks_for_nothing_twice(tmp_path: Path) -> None:
    with serve() as site:
        job = order(tmp_path, site)
        run(job)
        data = (tmp_path / "run" / CLOSED).read_bytes()
        (tmp_path / "run" / "stats.json").unlink()
        before = sum(site.hits.values())
        stats, _, _ = run(job)
    assert sum(site.hits.values()) == before and stats["fetched"] == 0
    assert (tmp_path / "run" / CLOSED).read_bytes() == data


def test_sitemaps_are_followed_through_an_index_and_gzip(tmp_path: Path) -> None:
    import gzip

    access = 'Sitemap(urls=("{base}/index.xml",), scope=("{base}/page/",), deny=("{base}/page/3",))'
    with serve() as site:
        answer = type(site.answers["/"])
        locs = "".join(f"<url><loc>{site.base}/page/{n}</loc></url>" for n in (1, 2, 3, 4))
        site.answers["/index.xml"] = answer(
            f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc>{site.base}/a.xml.gz"
            "</loc></sitemap><sitemap><loc>http://external.example/b.xml</loc></sitemap></sitemapindex>".encode()
        )
        site.answers["/a.xml.gz"] = answer(gzip.compress(f"<urlset>{locs}</urlset>".encode(), mtime=0))
        stats, _, _ = run(order(tmp_path, site, access))
    pages = [url.removeprefix(site.base) for url in archived(tmp_path / "run") if "/page/" in url]
    assert pages == ["/page/1", "/page/2", "/page/4"] and stats["pages"] == 3


def test_a_source_may_choose_its_own_links_and_its_licence_page_is_archived(tmp_path: Path) -> None:
    extra = (
        "import dataclasses\n"
        'SOURCE = dataclasses.replace(SOURCE, claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", url="{base}/gzip"),),\n'
        '    rule=LicenceRule(("dump-claim",)))\n'
        'def follow(capture):\n    return ["{base}/page/9"] if capture.url.endswith("/page/1") else []\n'
    )
    access = 'Site(start=("{base}/page/1",), scope=("{base}/page/",))'
    with serve() as site:
        stats, _, _ = run(order(tmp_path, site, access, extra))
    paths = [url.removeprefix(site.base) for url in archived(tmp_path / "run")]
    assert paths[:2] == ["/robots.txt", "/gzip"] and [p for p in paths if "/page/" in p] == ["/page/1", "/page/9"]
    assert stats["pages"] == 2


def test_robots_that_cannot_be_had_stop_the_source(tmp_path: Path) -> None:
    with serve() as site:
        site.answers["/robots.txt"].failures = 100
        stats, _, err = run(order(tmp_path, site), status=3)
    assert stats["finished"] == "failed" and "/robots.txt answers with status 503" in err and "run again later" in err
    assert len(err.splitlines()) == 1
    assert set(site.hits) == {"/robots.txt"}


def test_a_start_address_that_does_not_answer_stops_the_source(tmp_path: Path) -> None:
    with serve() as site:
        site.answers["/"] = type(site.answers["/"])(b"", 410)
        _, _, err = run(order(tmp_path, site), status=3)
        assert "status-410" in err and len(err.splitlines()) == 1
        site.answers["/"] = site.answers["/page/1"]
        run(order(tmp_path, site))  # the same folder, once the site is repaired


@pytest.mark.real_time
def test_the_delay_of_robots_holds_between_any_two_requests(tmp_path: Path) -> None:
    access = 'Site(start=("{base}/page/1",), scope=("{base}/page/",))'
    with serve() as site:
        site.answers["/robots.txt"].body += b"Crawl-delay: 0.4\n"
        run(order(tmp_path, site, access, limit=4))
    gaps = [later - sooner for sooner, later in zip(site.times, site.times[1:], strict=False)]
    assert len(gaps) == 6 and min(gaps) > 0.37


def test_the_open_web_needs_a_contact_and_a_terms_check(tmp_path: Path) -> None:
    source = tmp_path / "s.py"
    job = tmp_path / "job.json"

    def said(terms: str, contact: str | None) -> str:
        source.write_text(
            "from malmoi.source import *\n"
            'SOURCE = Source("open", "t", "p", Site(("https://site.example/",), ("https://site.example/",)), '
            f"terms={terms})\n"
        )
        job.write_text(json.dumps({"source": str(source), "run_dir": str(tmp_path / "run"), "contact": contact}))
        return run(job, status=2)[2]

    assert "contact" in said("None", None)
    assert "terms" in said("None", "a@b.kr")
    assert "forbid" in said('TermsCheck("r", "2026-11-24", "u", "forbidden")', "a@b.kr")
    assert not (tmp_path / "run").exists()


def test_a_job_is_read_strictly(tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    for wrong in (
        "[]",
        "{",
        '{"source": "x"}',
        '{"source": "x", "run_dir": "y", "speed": 1}',
        '{"source": "x", "run_dir": "y", "limit": 0}',
        '{"source": "x", "run_dir": "y", "limit": true}',
        '{"source": "x", "run_dir": "y", "contact": "a\\r\\nb"}',
        '{"source": "x", "run_dir": "y", "earlier": ["/nowhere"]}',
    ):
        job.write_text(wrong)
        with pytest.raises(CallError):
            read_job(job)


def test_the_catalogue_says_what_is_wrong_with_a_source(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    for text, words in (("x = 1", "no SOURCE"), ("1 / 0", "ZeroDivisionError")):
        path.write_text(text)
        with pytest.raises(CallError, match=words):
            catalogue.load(str(path))
    for name in ("no-such-source", "../secrets", str(tmp_path / "missing.py")):
        with pytest.raises(CallError):
            catalogue.load(name)


def test_compression_has_limits() -> None:
    import gzip

    assert decode_body(gzip.compress(b"text"), "gzip") == b"text"
    assert inflate(gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    with pytest.raises(TooBig, match="after decompression"):
        inflate(gzip.compress(bytes(200_000_000), 1))
    with pytest.raises(Damaged, match="middle"):
        inflate(gzip.compress(b"x" * 5000)[:-9])
    with pytest.raises(Damaged, match="not compressed"):
        decode_body(b"plain text", "gzip")


def test_a_host_that_does_not_answer_stops_the_source(tmp_path: Path) -> None:
    with serve() as site:
        job = order(tmp_path, site)
    _, _, err = run(job, status=3)  # the server is gone
    assert "/robots.txt cannot be read (refused); check that address" in err and len(err.splitlines()) == 1


@pytest.mark.soak
def test_many_kills_at_any_moment_lose_nothing(tmp_path: Path) -> None:
    pick = random.Random(1)
    with serve(pause=0.08) as site:
        whole = tmp_path / "whole"
        whole.mkdir()
        run(order(whole, site))
        once = Counter(site.hits)
        site.answers["/outage"].failures = 1
        site.hits.clear()
        job = order(tmp_path, site)
        kills = 0
        for _ in range(40):
            before, process = sum(site.hits.values()), start(job)
            while process.poll() is None and sum(site.hits.values()) == before:
                time.sleep(0.005)
            time.sleep(pick.uniform(0.0, 0.2))
            kills += process.poll() is None
            process.kill()
            process.communicate()
        run(job)
    assert archived(tmp_path / "run") == archived(whole / "run")
    assert sum((site.hits - once).values()) <= kills
    assert kills >= 20


def test_a_link_is_the_same_for_every_visitor() -> None:
    body = b"<html><a href='/list.do;jsessionid=0A1B2C3D.node2?no=1'>1</a><a href='/a;v=1;JSESSIONID=0A/b'>2</a></html>"
    page = Capture("r", "https://a.kr/", "", 200, (("Content-Type", "text/html"),), body)
    assert list(links(page)) == ["https://a.kr/list.do?no=1", "https://a.kr/a;v=1/b"]
