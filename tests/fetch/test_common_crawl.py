"""Records of an open archive are chosen in its index, forecast, fetched by byte range, each once, and lose nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawlers import catalogue, defaults
from crawlers.collect import describe_access, finish_crawl
from crawlers.fetch import common_crawl_collector, common_crawl_index, politeness
from crawlers.fetch.byte_ranges import LocalFiles, RangeError, RemoteFiles, is_plain
from crawlers.fetch.job import Job, check
from crawlers.fetch.streaming_client import Net
from crawlers.formats import ParsedItem
from crawlers.rights import policy_files
from crawlers.web.ssrf_guard import Guard
from flows.collect import collect, describe_collection
from flows.engine.progress import Progress
from malmoi.archive import capture, collection
from malmoi.archive.capture import Torn, read_range
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.erasure.value_digests import digest_value
from malmoi.errors import CallError, HostError, SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.workspace import Workspace
from tests.fetch import small_crawl
from tests.fetch.small_crawl import CRAWL, LIST, TABLE, Host, Page, page, robots, served, source, write

OPEN = '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">'


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No test waits between two tries."""
    monkeypatch.setattr(politeness, "FIRST_WAIT", 0.0)


def archive(folder: Path) -> Path:
    """Forty Korean pages of offices among pages that a question leaves out."""
    wanted = [page(n, f"www{n % 3 or ''}.moj.go.kr") for n in range(40)]
    others = [
        page(100, "www.shop.co.kr"),
        page(101, "evilgo.kr"),
        page(102, "go.kr.example.com"),
        page(103, languages="eng"),
        page(104, media="application/pdf"),
        page(105, truncated="length"),
        page(106, languages=None),
        Page("https://www.moj.go.kr/gone", b"", status=404, subset="crawldiagnostics"),
    ]
    files = [robots("www.moj.go.kr"), robots("www1.moj.go.kr", "User-agent: GPTBot\nDisallow: /\n"), robots("a.co.kr")]
    return write(folder / "archive", [*wanted, *others, *files])


def urls() -> set[str]:
    return {one.url for one in (page(n, f"www{n % 3 or ''}.moj.go.kr") for n in range(40))}


def run(tmp_path: Path, file: str, **more) -> dict:
    """One job in this process; its stats."""
    definition = catalogue.load(file)
    job = Job(file, tmp_path / "run", **more)
    common_crawl_collector.collect(job, definition, check(job, definition))
    return json.loads((tmp_path / "run" / "stats.json").read_text())


def gather(tmp_path: Path, file: str, **more) -> dict:
    """One collection of a workspace in this process; its counts."""
    home = Workspace(tmp_path / "ws").captures("crawl")
    earlier, folder = collection.runs(home), collection.open_run(home)
    definition = catalogue.load(file)
    job = Job(file, folder, tuple(one.folder for one in earlier), **more)
    common_crawl_collector.collect(job, definition, check(job, definition))
    return finish_crawl(definition.source, folder, earlier)


def current(tmp_path: Path) -> dict[str, capture.IndexRow]:
    home = Workspace(tmp_path / "ws").captures("crawl")
    return {row.url: row for _, rows in collection.select_current(collection.runs(home)) for row in rows}


def archived(tmp_path: Path) -> dict[str, capture.IndexRow]:
    rows, torn = capture.index(tmp_path / "run" / "pages.warc.gz", "pages.warc.gz")
    assert not torn
    return {row.url: row for row in rows}


def test_the_pages_of_a_question_become_captures_with_their_dates_and_origins(tmp_path):
    folder = archive(tmp_path)
    with served(Host(folder)) as host:
        found = collect(Workspace(tmp_path / "ws"), source(tmp_path, host.base), Progress(quiet=True))
    assert (found.new, found.current, found.failed, found.torn) == (40, 40, 0, 0)
    rows = current(tmp_path)
    assert rows.keys() == urls() and {row.fetched for row in rows.values()} == {"2026-08-10T01:02:03Z"}
    one = rows["https://www.moj.go.kr/board/0.html"]
    assert capture.read(Path(one.path), one.offset, one.record).body == page(0).body
    raw = small_crawl.gzip.decompress(Path(one.path).read_bytes()).decode()
    place = f"{host.base}crawl-data/{CRAWL}/segments/1.1/warc/CC-MAIN-00000.warc.gz"
    head = next(part for part in raw.split("WARC/1.1\r\n") if "/board/0.html\r\n" in part)
    assert f"WARC-Source-URI: {place}\r\n" in head and "WARC-Source-Range: bytes=0-" in head
    assert f"WARC-Source-Digest: sha1:{small_crawl.sha1(page(0).body)}\r\n" in head
    assert host.agents == {"Malmoi/0.1"} and host.records().most_common(1)[0][1] == 1
    assert not list((tmp_path / "ws" / "1-captures").rglob("*candidates*"))  # it names addresses


@pytest.mark.parametrize(("tail", "requests"), [(common_crawl_index.TAIL, 2), (1 << 16, 3)])
def test_a_remote_index_is_read_in_parts_and_other_hosts_are_left_where_they_are(tmp_path, monkeypatch, tail, requests):
    monkeypatch.setattr(common_crawl_index, "TAIL", tail)
    pages = [page(n, f"www.shop{n:04d}.{end}") for n in range(900) for end in ("com", "net")]
    folder = write(tmp_path / "archive", [*pages, page(1), page(2)], group=100)
    with served(Host(folder)) as host:
        stats = run(tmp_path, source(tmp_path, host.base))
        index = [span for path, span in host.asked if path.endswith(".parquet")]
        net = Net(Guard.allow_loopback((host.base.split("/")[2],)), "Malmoi/0.1", 0.0)
        ranges = common_crawl_index.key_ranges(("*.go.kr",))
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
        parts = [common_crawl_index.look_at(RemoteFiles(net, host.base), name, "warc", ranges) for name in names]
    assert stats["fetched"] == 2 and all(index)
    assert [len(part.groups) for part in parts] == [1, 1]  # of 10 in each file
    assert len(index) == sum(part.requests + 1 for part in parts) == requests
    assert sum(part.bytes for part in parts) < sum((folder / name).stat().st_size for name in names) / 10


FAULTS = ("whole", "truncated", "503", "reset", "wrong-range", "503 503", "reset truncated")


def test_faults_of_the_host_lose_no_record_and_fetch_none_twice(tmp_path):
    folder = archive(tmp_path)
    rows = [
        row
        for name in ("warc", "robotstxt")
        for file in sorted((folder / TABLE / f"subset={name}").glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]
    spans = [
        (row["warc_filename"], f"bytes={o}-{o + row['warc_record_length'] - 1}")
        for row in rows
        for o in [row["warc_record_offset"]]
    ]
    faults = {span: FAULTS[n % len(FAULTS)].split() for n, span in enumerate(spans) if n % 2}
    faults |= {spans[0]: ["503"] * 4, LIST: ["503"]}  # longer than one round of tries
    faults |= {name.relative_to(folder).as_posix(): ["reset"] for name in folder.rglob("part-00000*.parquet")}
    with served(Host(folder, faults)) as host:
        stats = run(tmp_path, source(tmp_path, host.base))
    assert not stats["failed"] and stats["finished"] == "finished"
    assert urls() <= archived(tmp_path).keys()
    assert set(host.records().values()) == {1} and len(host.records()) == 42  # with two robots.txt


@pytest.mark.heavy
def test_a_kill_and_a_resume_fetch_each_record_once(tmp_path):
    folder = archive(tmp_path)
    with served(Host(folder)) as host:
        job = tmp_path / "job.json"
        job.write_text(json.dumps({"source": source(tmp_path, host.base), "run_dir": str(tmp_path / "run")}))
        command = [sys.executable, "-m", "crawlers.fetch", str(job)]
        for after in (7, 20, 33):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            host.after, host.halt = after, lambda p=process: os.kill(p.pid, signal.SIGKILL)
            assert process.wait(60) == -signal.SIGKILL
        host.halt = None
        assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert urls() <= archived(tmp_path).keys()
    times = host.records()
    assert len(times) == 42 and sum(n - 1 for n in times.values()) <= 3  # the one in flight at each kill
    assert sum(path.endswith(".parquet") for path, _ in host.asked) <= 8  # the index once


def test_index_files_that_came_before_the_host_went_away_are_not_requested_again(tmp_path, monkeypatch):
    monkeypatch.setattr(common_crawl_index, "TAIL", 64)
    folder, last = archive(tmp_path), f"{TABLE}/subset=warc/part-00001-x.c000.gz.parquet"
    with served(Host(folder, {last: ["", "", "", "403"]})) as host:
        with pytest.raises(HostError, match=r"part-00001.*cannot be read \(status-403\); run again later"):
            run(tmp_path, source(tmp_path, host.base))
        host.asked.clear()
        assert run(tmp_path, source(tmp_path, host.base))["fetched"] == 42
        assert f"{TABLE}/subset=warc/part-00000-x.c000.gz.parquet" not in {path for path, _ in host.asked}
    assert not list((tmp_path / "run").glob("index-*"))


@pytest.mark.parametrize("how", [{"coerce_timestamps": "us"}, {"use_deprecated_int96_timestamps": True}])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_the_date_of_a_capture_does_not_depend_on_the_zone_of_the_machine(tmp_path, monkeypatch, how, zone):
    folder = write(tmp_path / "archive", [page(1), page(2)])
    for file in folder.rglob("*.parquet"):
        table = pq.read_table(file)
        number = table.schema.get_field_index("fetch_time")
        times = table["fetch_time"].cast(pa.timestamp("ns", zone))
        pq.write_table(table.set_column(number, "fetch_time", times), file, **how)
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        for data in ("folder", "host"):
            with served(Host(folder)) as host:
                stats = run(tmp_path / data, source(tmp_path, host.base if data == "host" else str(folder)))
            assert stats["fetched"] == 2 and not stats["failed"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_second_collection_of_a_crawl_asks_nothing_of_its_index(tmp_path):
    folder = archive(tmp_path)
    with served(Host(folder)) as host:
        file = source(tmp_path, host.base)
        gather(tmp_path, file)
        host.asked.clear()
        assert gather(tmp_path, file)["new"] == 0
    assert current(tmp_path).keys() == urls()
    assert {path for path, _ in host.asked} <= {"robots.txt", ".well-known/tdmrep.json", "ai.txt"}


def test_a_record_that_was_lost_comes_with_the_next_collection_alone(tmp_path):
    folder = archive(tmp_path)
    row = pq.read_table(next((folder / TABLE / "subset=warc").glob("part-00000*"))).to_pylist()[20]
    span = (
        row["warc_filename"],
        f"bytes={row['warc_record_offset']}-{row['warc_record_offset'] + row['warc_record_length'] - 1}",
    )
    with served(Host(folder, {span: ["damaged"]})) as host:
        file = source(tmp_path, host.base)
        first = gather(tmp_path, file)
        host.whole.clear()
        second = gather(tmp_path, file)
    assert (first["new"], first["failed"], second["new"], second["failed"]) == (39, 1, 1, 0)
    assert current(tmp_path).keys() == urls()
    assert host.records() == {span: 1}


def test_a_folder_works_as_a_host_does_and_an_index_may_lie_elsewhere(tmp_path):
    folder = archive(tmp_path)
    (folder / "cc-index").rename(tmp_path / "index")
    file = source(tmp_path, str(folder), f"hosts=('*.moj.go.kr',), index=Path({str(tmp_path / 'index')!r})")
    assert gather(tmp_path, file)["new"] == 40 and current(tmp_path).keys() == urls()
    with served(Host(folder)) as host:
        file = source(tmp_path, host.base, f"hosts=('www.moj.go.kr',), index=Path({str(tmp_path / 'index')!r})")
        stats = run(tmp_path, file)
    assert stats["fetched"] == 15 and not any(path.endswith(".parquet") for path, _ in host.asked)


def test_the_forecast_comes_before_the_first_record_and_a_bound_stops_there(tmp_path, capsys):
    folder = archive(tmp_path)
    size = sum(path.stat().st_size for path in folder.rglob("*.warc.gz"))
    with served(Host(folder)) as host:
        file = source(tmp_path, host.base, "hosts=('*.go.kr',), max_pages=39")
        with pytest.raises(SourceError, match=r"the index names 40 pages and 2 robots.txt, .* in 42 requests.*--limit"):
            run(tmp_path, file)
        assert not host.records() and not (tmp_path / "run" / "stats.json").exists()
        indexed = len(host.asked)
        with pytest.raises(SourceError, match="max_bytes=500"):
            run(tmp_path, source(tmp_path, host.base, "hosts=('*.go.kr',), max_bytes=500"))
        stats = run(tmp_path, source(tmp_path, host.base, "hosts=('*.go.kr',), max_pages=40"))
        assert stats["fetched"] == 42 and 0 < stats["bytes"] < 20 * size
        assert not any(path.endswith(".parquet") for path, _ in host.asked[indexed:])  # a bound is no other question
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(line.get("forecast", "").startswith("40 pages and 2 robots.txt") for line in said)


def test_a_large_index_is_not_fetched_beyond_the_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(common_crawl_index, "TAIL", 64)
    folder = archive(tmp_path)
    with (
        served(Host(folder)) as host,
        pytest.raises(SourceError, match=r"index: .* MB of 4 files .*max_bytes=10\. Name hosts"),
    ):
        run(tmp_path, source(tmp_path, host.base, "max_bytes=10"))


def test_a_dry_run_foretells_what_a_local_index_names(tmp_path):
    folder = archive(tmp_path)
    said = describe_collection(Workspace(tmp_path / "ws"), source(tmp_path, str(folder)))
    assert f"for kor pages of {CRAWL} at *.go.kr; 40 pages and 2 robots.txt" in said and "0 current" in said
    with served(Host(folder)) as host:
        said = describe_access(catalogue.load(source(tmp_path, host.base)).source)
        assert "its forecast comes with the collection" in said and not host.asked


def test_a_forecast_is_printed_as_a_line_that_stays(tmp_path, capsys):
    collect(Workspace(tmp_path / "ws"), source(tmp_path, str(archive(tmp_path))), Progress())
    assert "collect crawl: 40 pages and 2 robots.txt" in capsys.readouterr().err


def test_a_limit_takes_some_pages_and_the_robots_txt_of_their_hosts(tmp_path):
    folder = write(
        tmp_path / "archive",
        [*(page(n, f"www.a{n}.go.kr") for n in range(9)), *(robots(f"www.a{n}.go.kr") for n in range(9))],
    )
    file = source(tmp_path, str(folder))
    assert gather(tmp_path, file, limit=4)["new"] == 4
    (one,) = collection.runs(Workspace(tmp_path / "ws").captures("crawl"))
    hosts = {row.url.split("/")[2] for row in one.rows}
    assert len(hosts) == 4 and sum(row.url.endswith("/robots.txt") for row in one.rows) == 4
    assert gather(tmp_path, file)["new"] == 5 and len(current(tmp_path)) == 9


def test_the_latest_capture_of_an_address_counts_and_an_older_crawl_replaces_none(tmp_path):
    old, new = page(1, fetched="2026-06-01T00:00:00Z"), page(1, head="<title>새</title>")
    folder = write(tmp_path / "archive", [new, old, page(2)])
    gather(tmp_path, source(tmp_path, str(folder)))
    assert current(tmp_path)[new.url].fetched == new.fetched
    earlier = write(tmp_path / "earlier", [old, page(3, fetched="2026-06-01T00:00:00Z")])
    found = gather(tmp_path, source(tmp_path, str(earlier)))
    assert found["new"] == 1 and found["gone"] == 0 and current(tmp_path)[new.url].fetched == new.fetched


def decided(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """Address → use and reason of each archived page, with the policy files of its host."""
    runs = collection.runs(Workspace(tmp_path / "ws").captures("crawl"))
    files = policy_files.read_latest(runs)
    definition = catalogue.load(str(tmp_path / "crawl.py"))
    evidence = defaults.evidence_for(definition.source, {}, None)
    out = {}
    for url, row in current(tmp_path).items():
        found = capture.read(Path(row.path), row.offset, row.record)
        (item,) = defaults.items(found)
        marks, signals = evidence(ParsedItem(item))
        verdict = decide(marks, (*signals, *policy_files.find(url, files)))
        out[url] = (verdict.use, verdict.reason, tuple(mark.kind for mark in marks))
    return out


def test_a_page_of_the_archive_is_one_of_the_open_web_and_an_open_mark_alone_grants_nothing(tmp_path):
    folder = write(tmp_path / "archive", [page(1), page(2, head=OPEN)])
    gather(tmp_path, source(tmp_path, str(folder)))
    found = decided(tmp_path)
    assert found[page(1).url] == ("exclude", "no-licence", ())
    use, reason, kinds = found[page(2).url]
    assert (use, reason) == ("exclude", "needs-review") and "web:rel-license" in kinds


def test_the_archived_robots_txt_of_a_host_speaks_for_its_pages(tmp_path):
    gather(tmp_path, source(tmp_path, str(archive(tmp_path))))
    runs = collection.runs(Workspace(tmp_path / "ws").captures("crawl"))
    asked = {site: said for site, kind, said, *_ in policy_files.list_answers(runs) if kind == "robots"}
    assert asked == {"https://www.moj.go.kr": "read", "https://www1.moj.go.kr": "read"}  # www2: not asked
    files = policy_files.read_latest(runs)
    assert [s.name for s in policy_files.find("https://www1.moj.go.kr/board/1.html", files)] == ["robots-ai"]


def test_the_example_of_the_docs_collects_the_pages_of_its_office(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "add-a-source.md").read_text(encoding="utf-8")
    code = next(code for code in re.findall(r"```python\n(.*?)```", text, re.S) if "access=CommonCrawl(" in code)
    mark = (
        '<div class="kogl"><a href="https://www.kogl.or.kr/info/licenseType1.do"><img src="/opentype01.png"></a></div>'
    )
    held = page(1, "www.office.example").body.replace(b"</article>", f"{mark}</article>".encode())
    pages = [page(n, "www.office.example") for n in (1, 2)]
    pages[0].body = held.replace(b"<main>", b'<main class="view">')
    folder = write(tmp_path / "archive", [*pages, page(3, "office.example"), page(4, "www.shop.example")])
    file = tmp_path / "crawl.py"
    file.write_text(code.replace("/data/commoncrawl", str(folder)).replace('"office_pages"', '"crawl"'), "utf-8")
    assert gather(tmp_path, str(file))["new"] == 3
    found = {url: said[:1] for url, said in decided(tmp_path).items()}
    assert found.pop(pages[0].url) == ("redistribute",) and set(found.values()) == {("exclude",)}


def test_a_claim_cannot_speak_for_pages_of_many_publishers(tmp_path):
    path = Path(source(tmp_path, str(tmp_path)))
    claim = "claim=(LicenceClaim('MIT', 'MIT', url='https://a.kr/'),), rule=LicenceRule(('dump-claim',))"
    path.write_text(path.read_text().replace("rule=LicenceRule()", claim), encoding="utf-8")
    with pytest.raises(CallError, match="a claim cannot speak for the pages of an open archive"):
        catalogue.load(str(path))


def test_hosts_of_the_denylist_are_refused_when_named_and_left_out_when_met(tmp_path):
    for host in ("*.namu.wiki", "namu.wiki"):
        with pytest.raises(CallError, match="denylist"):
            catalogue.load(source(tmp_path, str(tmp_path), f"hosts=({host!r},)"))
    folder = write(tmp_path / "archive", [page(1), page(2, "www.namu.wiki"), robots("www.namu.wiki")])
    stats = run(tmp_path, source(tmp_path, str(folder), "hosts=()"))
    assert stats["blocked_by"] == {"denylist: namuwiki: CC-BY-NC-SA-2.0-KR: no commercial use": 1}
    assert archived(tmp_path).keys() == {page(1).url}


def test_robots_txt_of_the_archive_itself_is_obeyed(tmp_path):
    folder = archive(tmp_path)
    closed = Host(folder, robots=b"User-agent: *\nDisallow: /crawl-data/\n")
    with served(closed) as host, pytest.raises(SourceError, match=r"robots-disallow.*data= of the source"):
        run(tmp_path, source(tmp_path, host.base))
    assert not host.records() and LIST not in [path for path, _ in host.asked]


@pytest.mark.parametrize(
    ("target", "why"),
    [("http://127.0.0.1:1/a.warc.gz", "guard-loopback"), ("http://169.254.169.254/latest", "guard-link-local")],
)
def test_a_redirect_leads_to_no_address_that_the_guard_refuses(tmp_path, target, why):
    folder = archive(tmp_path)
    name = next(folder.rglob("CC-MAIN-00000.warc.gz")).relative_to(folder).as_posix()
    with served(Host(folder, {name: [f"to:{target}"] * 9})) as host, pytest.raises(SourceError, match=why):
        run(tmp_path, source(tmp_path, host.base))


def test_a_host_that_is_gone_stops_the_source_and_keeps_what_came(tmp_path):
    folder = archive(tmp_path)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.warc.gz")]
    with served(Host(folder, dict.fromkeys(names[:4], ["403"] * 99))) as host:
        with pytest.raises(HostError, match=r"10 records in a row could not be read.*status-403"):
            run(tmp_path, source(tmp_path, host.base))
        assert not (tmp_path / "run" / "stats.json").exists()
        host.faults.clear()
        assert run(tmp_path, source(tmp_path, host.base))["failed"] == []
    assert set(host.records().values()) == {1}


def test_a_host_that_asks_for_a_long_pause_is_left_alone(tmp_path, monkeypatch):
    folder = archive(tmp_path)
    monkeypatch.setattr(politeness, "backoff_seconds", lambda *_: 3600.0)
    with (
        served(Host(folder, {LIST: [], f"{TABLE}/subset=warc/part-00000-x.c000.gz.parquet": ["503"]})) as host,
        pytest.raises(HostError, match=r"asks-to-be-left-alone.*run again later"),
    ):
        run(tmp_path, source(tmp_path, host.base))


def test_the_open_web_needs_a_contact_and_a_check_of_the_terms(tmp_path):
    definition = catalogue.load(source(tmp_path, "https://data.example.org:443/"))
    with pytest.raises(CallError, match="needs an operator"):
        check(Job(str(tmp_path / "crawl.py"), tmp_path / "run"), definition)


@pytest.mark.parametrize("path", ["../secret.warc.gz", "/etc/passwd", "a//b", "http://a.kr/x", "a/../../b", "", "a\nb"])
def test_an_index_cannot_lead_out_of_the_archive(tmp_path, path):
    (tmp_path / "secret.warc.gz").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    assert not is_plain(path)
    with pytest.raises(RangeError, match="path-outside"):
        LocalFiles(tmp_path / "in").read(path, 0, 3)


def test_a_link_does_not_lead_out_of_the_archive_either(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.warc.gz").symlink_to(tmp_path / "secret")
    with pytest.raises(RangeError, match="path-outside"):
        LocalFiles(tmp_path / "in").read("a.warc.gz", 0, 3)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"url": "https://www.moj.go.kr/other"}, "another-record"),
        ({"content_digest": "A" * 32}, "another-digest"),
        ({"warc_record_offset": 3}, "unreadable"),
        ({"warc_record_length": 20}, "unreadable"),
        ({"warc_filename": "crawl-data/none.warc.gz"}, "unreadable: No such file"),
        ({"warc_filename": "../archive.warc.gz"}, "path-outside"),
    ],
)
def test_a_record_that_is_not_what_its_index_names_is_not_archived(tmp_path, row, why):
    folder = write(tmp_path / "archive", [page(1, row=row), page(2)], files=1)
    stats = run(tmp_path, source(tmp_path, str(folder)))
    assert [one["why"][: len(why)] for one in stats["failed"]] == [why]
    assert archived(tmp_path).keys() == {page(2).url}


def test_a_record_of_another_archive_keeps_its_payload_without_its_codings(tmp_path):
    body = page(7).body
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2026-08-10T01:02:03Z\r\n"
        f"WARC-Target-URI: {page(7).url}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    ).encode()
    for raw in (head + block + b"\r\n\r\n", small_crawl.gzip.compress(head + block + b"\r\n\r\n")):
        found, digests = read_range(raw, "a.warc", 0)
        assert found.body == body and digests == {small_crawl.sha1(body), small_crawl.sha1(chunked)}
    assert isinstance(read_range(b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n", "a", 0), Torn)


def test_an_older_index_lacks_columns_and_a_question_that_needs_them_says_so(tmp_path):
    folder = write(tmp_path / "archive", [page(1), page(2, truncated="length")])
    for file in folder.rglob("*.parquet"):
        table = pq.read_table(file)
        pq.write_table(table.drop_columns(["content_languages", "content_truncated", "content_mime_detected"]), file)
    with pytest.raises(SourceError, match=r"no column content_languages.*languages=\(\)"):
        run(tmp_path, source(tmp_path, str(folder)))
    assert run(tmp_path, source(tmp_path, str(folder), "languages=()"))["fetched"] == 2
    for file in folder.rglob("*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["warc_filename"]), file)
    with pytest.raises(SourceError, match="have no column warc_filename"):
        run(tmp_path, source(tmp_path, str(folder), "languages=()"))


def test_index_files_that_are_missing_or_damaged_are_named(tmp_path):
    folder = archive(tmp_path)
    with pytest.raises(SourceError, match="no index file of CC-MAIN-2026-34 below"):
        run(tmp_path, source(tmp_path, str(tmp_path / "nowhere"), ""))
    file = folder / f"{TABLE}/subset=warc/part-00000-x.c000.gz.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-50] + bytes(50))
    with pytest.raises(SourceError, match="the index cannot be read"):
        run(tmp_path, source(tmp_path, str(folder)))
    with served(Host(folder)) as host, pytest.raises(SourceError, match=r"part-00000.*cannot be read"):
        run(tmp_path, source(tmp_path, host.base))
    (folder / LIST).write_bytes(b"\x1f\x8b not gzip")
    with served(Host(folder)) as host, pytest.raises(SourceError, match="not a list of paths"):
        run(tmp_path, source(tmp_path, host.base))
    (folder / LIST).unlink()
    with served(Host(folder)) as host, pytest.raises(SourceError, match="status-404; correct crawl= or data="):
        run(tmp_path, source(tmp_path, host.base))


def gather_again(workspace: Workspace, file: str) -> set[str]:
    """The new addresses of another collection, which honours the tombstones of the workspace."""
    collect(workspace, file, Progress(quiet=True))
    return {row.url for row in collection.runs(workspace.captures("crawl"))[-1].rows}


def test_what_is_withdrawn_is_neither_fetched_nor_named(tmp_path):
    workspace, file = Workspace(tmp_path / "ws"), source(tmp_path, str(archive(tmp_path)))
    workspace.root.mkdir()
    gone, key = page(1, "www1.moj.go.kr").url, tombstones.load_key(workspace.erasure_key)
    asked = [("url", gone), ("value", digest_value("33번째 글이다.", key))]
    tombstones.add(workspace.withdrawals, [Tombstone(*one, "2026-11-24", "요청") for one in asked])
    assert collect(workspace, file, Progress(quiet=True)).blocked == 2
    assert current(tmp_path).keys() == urls() - {gone, page(33).url}
    tombstones.revoke(workspace.withdrawals, gone, "2026-11-25")  # then the same question is asked again
    assert gather_again(workspace, file) == {gone}
    one = workspace.captures("crawl") / "0001"
    assert (
        gone not in "".join(path.read_text() for path in one.glob("*.json*"))
        and "[withheld 2]" in (one / "blocked.jsonl").read_text()
    )


def test_a_question_names_its_candidates_once_whatever_its_bounds(tmp_path):
    folder = archive(tmp_path)
    one, other = (catalogue.load(source(tmp_path, str(folder), f"max_pages={n}")).source.access for n in (1, 2))
    assert common_crawl_index.digest_of(one) == common_crawl_index.digest_of(other)
    os.utime(next(folder.rglob("part-00000*.parquet")), (1, 1))
    assert common_crawl_index.digest_of(one) != common_crawl_index.digest_of(
        catalogue.load(source(tmp_path, str(folder))).source.access
    )
