"""What lies on disk is indexed where it lies; what changed or went is known; what did not is not touched."""

import json
import os
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest

from crawlers import collect as collecting
from crawlers import extract, local_files
from crawlers.rights import policy_files
from flows.collect import Collected
from flows.collect import collect as gather
from flows.engine.progress import Progress
from malmoi.apply import Kept
from malmoi.archive import capture, collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import MAX_ROWS, chunks
from malmoi.errors import CaptureError, SourceError
from malmoi.source import Folder, LicenceClaim, Source, Warc
from malmoi.workspace import Workspace
from tests.builders.small_site import Answer, Site, serve
from tests.fetch.test_fetch import order


class PanicException(BaseException):
    """As compiled Rust raises it."""


WHEN = "2026-01-02T03:04:05Z"


def source(access, **fields) -> Source:
    return Source("here", "여기", "시험", access, **fields)


def collect(where: Source, home: Path) -> dict[str, int]:
    return collecting.collect_local(where, collection.open_run(home), collection.runs(home))


def standing(home: Path) -> list[str]:
    return [row.url for _, rows in collection.select_current(collection.runs(home)) for row in rows]


def test_a_second_collection_of_the_same_folder_writes_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").write_text("하나")
    where = source(Folder(tmp_path / "a"))
    assert collect(where, tmp_path / "c")["new"] == 1
    assert collect(where, tmp_path / "c")["new"] == 0
    assert len(collection.runs(tmp_path / "c")) == 1


def test_a_changed_file_supersedes_and_a_lost_one_is_gone(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    for name in ("one.txt", "two.txt", "three.txt"):
        (folder / name).write_text(name)
    where = source(Folder(folder))
    collect(where, tmp_path / "c")
    (folder / "two.txt").write_text("다른 글")
    (folder / "three.txt").unlink()
    counts = collect(where, tmp_path / "c")
    assert (counts["new"], counts["gone"]) == (1, 1)
    assert standing(tmp_path / "c") == ["folder:here/one.txt", "folder:here/two.txt"]
    first, second = collection.select_current(collection.runs(tmp_path / "c"))
    assert ([r.url for r in first[1]], [r.url for r in second[1]]) == (["folder:here/one.txt"], ["folder:here/two.txt"])


def test_a_file_changed_since_it_was_collected_stops_its_source(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").write_text("하나")
    collect(source(Folder(tmp_path / "a")), tmp_path / "c")
    ((_, (row,)),) = collection.select_current(collection.runs(tmp_path / "c"))
    (tmp_path / "a" / "one.txt").write_text("둘")
    with pytest.raises(CaptureError, match="changed since it was collected; run collect again"):
        extract.load_capture(row)
    collect(source(Folder(tmp_path / "a")), tmp_path / "c")
    ((_, (row,)),) = [pair for pair in collection.select_current(collection.runs(tmp_path / "c")) if pair[1]]
    assert extract.load_capture(row).body.decode() == "둘"
    (tmp_path / "a" / "two.txt").write_text("셋")
    (tmp_path / "a" / "one.txt").unlink()
    with pytest.raises(CaptureError, match="was deleted after it was collected; run collect again"):
        extract.load_capture(row)
    collect(source(Folder(tmp_path / "a")), tmp_path / "c")
    assert standing(tmp_path / "c") == ["folder:here/two.txt"]


def test_of_several_captures_of_an_address_the_latest_stands_whatever_the_order(tmp_path):
    def record(when: str, body: bytes) -> bytes:
        return capture.warc_record("https://a.example/", when, 200, (("Content-Type", "text/html"),), body)

    old, new = record("2026-01-01T00:00:00Z", b"old"), record("2026-01-03T00:00:00Z", b"new")
    for written in ((old, new), (new, old)):
        home = tmp_path / str(len(list(tmp_path.iterdir())))
        archive = tmp_path / "a.warc.gz"
        archive.write_bytes(b"".join(written))
        collect(source(Warc((archive,))), home)
        ((_, (row,)),) = collection.select_current(collection.runs(home))
        assert extract.load_capture(row).body == b"new"


def test_an_error_page_is_no_document(tmp_path):
    archive = tmp_path / "a.warc.gz"
    good = capture.warc_record("https://a.example/1", WHEN, 200, (), b"<p>good</p>")
    archive.write_bytes(good + capture.warc_record("https://a.example/2", WHEN, 404, (), b"<p>no</p>"))
    collect(source(Warc((archive,))), tmp_path / "c")
    assert standing(tmp_path / "c") == ["https://a.example/1"]


@pytest.mark.parametrize(
    ("access", "says"),
    [
        (Folder(Path("nowhere")), "does not exist; correct the path"),
        (Warc((Path("nowhere.warc.gz"),)), "does not exist; correct `paths`"),
    ],
)
def test_what_is_not_there_is_said_with_what_to_do(tmp_path, access, says):
    with pytest.raises(SourceError, match=says):
        collect(source(access), tmp_path / "c")


def test_a_folder_in_which_nothing_matches_is_said(tmp_path):
    with pytest.raises(SourceError, match=r"no file in .* matches"):
        collect(source(Folder(tmp_path, include=("*.hwp",))), tmp_path / "c")


def test_a_claim_needs_its_file_and_its_words(tmp_path):
    (tmp_path / "one.txt").write_text("하나")
    claim = (LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),)
    where = source(Folder(tmp_path, include=("*.txt",)), claim=claim)
    with pytest.raises(SourceError, match="a claim needs its proof"):
        collect(where, tmp_path / "c")
    (tmp_path / "LICENCE").write_text("All rights reserved")
    with pytest.raises(SourceError, match=r"CC BY 4\.0"):
        collect(where, tmp_path / "c")
    (tmp_path / "LICENCE").write_text("Texts are under CC BY 4.0.")
    collect(where, tmp_path / "c")
    (row,) = collection.licence_records(collection.runs(tmp_path / "c")).values()
    assert extract.load_capture(row).body == b"Texts are under CC BY 4.0."


def test_extraction_gives_text_provenance_and_the_claim_as_evidence(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "one.html").write_text("<html><body><p>" + "글이 여기에 있다. " * 30 + "</p></body></html>")
    (folder / "LICENCE").write_text("CC BY 4.0")
    definition = tmp_path / "here.py"
    definition.write_text(
        "from pathlib import Path\nfrom malmoi.source import Folder, LicenceClaim, LicenceRule, Source\n"
        f"SOURCE = Source('here', '', '', Folder(Path({str(folder)!r}), include=('*.html',)),"
        " claim=(LicenceClaim('CC-BY-4.0', 'CC BY 4.0', file='LICENCE'),), rule=LicenceRule(('licence-file',)))\n"
    )
    where = source(Folder(folder, include=("*.html",)), claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),))
    collect(where, tmp_path / "c")
    found = collection.runs(tmp_path / "c")
    archived = tuple((name, row.record) for name, row in collection.licence_records(found).items())
    ((_, (row,)),) = collection.select_current(found)
    (outcome,) = extract.extractor(extract.Extraction(str(definition), archived))(row)
    assert isinstance(outcome, Kept)
    document = outcome.document
    assert document.id == "here/one.html" and document.text.startswith("글이 여기에 있다.")
    assert [(e.licence, e.kind, e.record) for e in document.evidence] == [("CC-BY-4.0", "licence-file", archived[0][1])]


def test_a_new_address_moves_no_other_cut():
    def row(number: int) -> IndexRow:
        return IndexRow("r", f"https://a.example/{number:05d}", WHEN, 200, "", "", "", 0, 0, "response")

    rows = [row(i) for i in range(4000)]
    before = {tuple(r.url for r in c) for c in chunks(rows)}
    after = {tuple(r.url for r in c) for c in chunks([*rows[:1777], row(99_999), *rows[1777:]])}
    assert len(before - after) <= 1
    assert max(map(len, before)) <= MAX_ROWS and len(before) > 4


def test_times_are_utc_whatever_the_zone(tmp_path, monkeypatch):
    import time

    (tmp_path / "one.txt").write_text("하나")
    os.utime(tmp_path / "one.txt", (0, 86_400))
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    collect(source(Folder(tmp_path, include=("*.txt",))), tmp_path / "c")
    ((_, (row,)),) = collection.select_current(collection.runs(tmp_path / "c"))
    assert row.fetched == "1970-01-02T00:00:00Z"


def test_a_run_taken_away_in_the_middle_is_not_written_over(tmp_path):
    home = tmp_path / "c"
    for name in ("0001", "0003"):
        (home / name).mkdir(parents=True)
        collection.finish(home / name, [], {})
    assert collection.open_run(home).name == "0004"


LICENSED = (
    "import dataclasses\nSOURCE = dataclasses.replace(SOURCE, claim=(LicenceClaim({!r}, {!r}, url={!r}),),\n"
    "    rule=LicenceRule(('dump-claim',)))\n"
)


def crawled(tmp_path: Path, site: Site, words: str) -> Collected:
    """Collect the small site, whose claim rests on `words` of a page that the claim spells in its own way."""
    licence = f"LicenseRef-KOGL-{words[-3]}"
    address = site.base.replace("http://", "HTTP://") + "/licence#terms"
    job = order(
        tmp_path,
        site,
        'Site(start=("{base}/page/1",), scope=("{base}/page/",))',
        LICENSED.format(licence, words, address),
    )
    return gather(Workspace(tmp_path / "w"), json.loads(job.read_text())["source"], Progress(quiet=True), limit=3)


def test_a_licence_page_proves_its_claim_anew_in_every_run(tmp_path):
    with serve() as site:
        page = "<html><meta charset=euc-kr><p>공공누리 <b>제1유형</b></p></html>".encode("cp949")
        site.answers["/licence"] = Answer(page, headers={"Content-Type": "text/html", "ETag": '"1"'})
        site.answers["/ai.txt"] = Answer(b"User-agent: *\nDisallow: *.txt\n", headers={"Content-Type": "text/plain"})
        with pytest.raises(SourceError, match=r"does not say .* next collect fetches this page again"):
            crawled(tmp_path, site, "공공누리 제4유형")
        asked = dict(site.hits)
        assert crawled(tmp_path, site, "공공누리 제1유형").current == 3
        assert site.hits["/licence"] == asked["/licence"] + 1 and site.hits["/page/1"] == asked["/page/1"]
        crawled(tmp_path, site, "공공누리 제1유형")  # answers 304 now; the earlier answer is the proof
        home = tmp_path / "w" / "1-captures" / "small"
        runs = collection.runs(home)
        (row,) = collection.licence_records(runs).values()
        assert len(runs) == 2 and (row.url, extract.load_capture(row).body) == (f"{site.base}/licence", page)
        assert [(one.kind, one.record != "") for one in policy_files.read_latest(runs)] == [
            ("ai-txt", True),
            ("robots", True),
        ]
        site.answers["/licence"] = Answer(b"gone", 404)
        with pytest.raises(SourceError, match=r"could not be fetched in this run \(status 404\)"):
            crawled(tmp_path, site, "공공누리 제1유형")
        site.answers["/licence"] = Answer(page, headers={"Content-Type": "text/html", "ETag": '"2"'})
        assert crawled(tmp_path, site, "공공누리 제1유형").current == 3


def test_addresses_that_differ_only_in_the_fragment_are_one_and_the_latest_stands(tmp_path):
    def record(url: str, when: str, body: bytes) -> bytes:
        return capture.warc_record(url, when, 200, (("Content-Type", "text/html"),), body)

    old = record("https://a.example/1#top", "2026-01-01T00:00:00Z", b"old")
    new = record("https://a.example/1#end", "2026-01-03T00:00:00Z", b"new")
    (tmp_path / "a.warc.gz").write_bytes(new + old)
    where = source(Warc((tmp_path / "a.warc.gz",)))
    assert collect(where, tmp_path / "c")["found"] == 1
    ((_, (row,)),) = collection.select_current(collection.runs(tmp_path / "c"))
    assert (row.url, extract.load_capture(row).body) == ("https://a.example/1", b"new")
    assert collect(where, tmp_path / "c")["new"] == 0


def test_a_file_with_an_odd_name_or_of_an_odd_kind_is_left_out_with_a_reason(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "good.txt").write_text("하나")
    (folder / f"{'x' * 251}.txt").write_text("둘")
    (folder / "한글\u3000이름.txt").write_text("셋")
    odd = {
        b"\xff\xfe.txt": "name-not-utf-8",
        b"\xb1\xdb.txt": "name-not-utf-8",  # CP949
        b"line\nbreak.txt": "control-character-in-name",
        b"escape\x1b[2J.txt": "control-character-in-name",
        "turned\u202etxt.txt".encode(): "control-character-in-name",
    }
    for name in odd:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("글")
    os.mkfifo(folder / "pipe.txt")
    (folder / "ring.txt").symlink_to("ring.txt")
    (folder / "device.txt").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "socket.txt"))
        counts = collect(source(Folder(folder, include=("*.txt",))), tmp_path / "c")
    (run,) = collection.runs(tmp_path / "c")
    assert len(run.rows) == 3 and counts["left out"] == len(odd) + 4
    reasons = Counter(why for _, why in run.facts["not_taken"])
    links = {"no-regular-file": 2, "broken-link": 1, "link-out-of-the-folder": 1}
    assert reasons == Counter(odd.values()) + Counter(links)
    assert all(name.isprintable() for name, _ in run.facts["not_taken"])


@pytest.mark.parametrize(
    "odd",
    [LookupError, ValueError, RecursionError, AttributeError, MemoryError, UnicodeError, PanicException,
     PermissionError(13, "Permission denied"), FileNotFoundError(2, "gone"), OSError(5, "Input/output error")],
)  # fmt: skip
@pytest.mark.parametrize(
    "where", ["crawlers.local_files.sha256_of", "crawlers.local_files.format_utc", "crawlers.local_files.has_controls"]
)
def test_a_file_about_which_anything_is_raised_is_left_out_with_a_reason(tmp_path, monkeypatch, odd, where):
    folder = tmp_path / "a"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.txt").write_text(name)
    module, _, name = where.rpartition(".")
    inner, calls = getattr(sys.modules[module], name), []

    def broken(*given):
        calls.append(1)
        if len(calls) == 2:
            raise odd
        return inner(*given)

    monkeypatch.setattr(where, broken)
    assert collect(source(Folder(folder)), tmp_path / "c")["left out"] == 1
    assert standing(tmp_path / "c") == ["folder:here/a.txt", "folder:here/c.txt"]
    ((name, why),) = collection.runs(tmp_path / "c")[0].facts["not_taken"]
    assert name == "b.txt" and why.startswith("unreadable: ")


def test_a_date_of_a_file_that_no_calendar_has_leaves_it_out(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("하나")
    monkeypatch.setattr(local_files, "format_utc", lambda _: local_files.datetime.fromtimestamp(1e15).isoformat())
    with pytest.raises(SourceError, match=r"1 left out: a.txt, unreadable: .*correct `include`, or remove what keeps"):
        collect(source(Folder(tmp_path, include=("*.txt",))), tmp_path / "c")


def test_of_several_archives_one_that_is_none_stops_no_other(tmp_path):
    good = capture.warc_record("https://a.example/1", WHEN, 200, (), b"<p>good</p>")
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "1.warc.gz").write_bytes(b"%PDF-1.7 and so on")
    (folder / "2.warc.gz").write_bytes(good)
    (folder / "3.warc.gz").write_bytes(b"")
    counts = collect(source(Warc((folder,))), tmp_path / "c")
    assert (counts["found"], counts["torn"]) == (1, 2)
    said = collection.runs(tmp_path / "c")[0].facts["torn_records"]
    assert "not a WARC file" in said[0] and "holds no record; get a new copy of the archive, or remove it" in said[1]
    for name in ("1.warc.gz", "3.warc.gz"):
        (folder / name).unlink()
    assert collect(source(Warc((folder,))), tmp_path / "d")["torn"] == 0


def test_links_that_lead_out_of_the_folder_are_counted_and_not_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "ab").mkdir()
    for name in ("a/one.txt", "ab/secret.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "a" / "out.txt").symlink_to(tmp_path / "ab" / "secret.txt")
    (tmp_path / "a" / "in.txt").symlink_to("one.txt")
    (tmp_path / "a" / "dir").symlink_to(tmp_path / "ab")
    counts = collect(source(Folder(tmp_path / "a", include=("*.txt", "dir/*.txt"))), tmp_path / "c")
    assert (counts["found"], counts["outside"]) == (2, 2)
    assert standing(tmp_path / "c") == ["folder:here/in.txt", "folder:here/one.txt"]


def test_a_summary_counts_what_is_current_and_is_made_again_when_a_run_changes(tmp_path):
    def row(url, fetched, kind="response", status=200):
        return IndexRow(f"r-{url}-{fetched}", url, fetched, status, "text/html", fetched, "a.warc", 0, 1, kind)

    home = tmp_path / "c"
    assert collection.summarise(home) == collection.Summary()
    first = [row("a", "2026-01-01T00:00:00Z"), row("b", "2026-01-02T00:00:00Z")]
    (home / "0001").mkdir(parents=True)
    collection.finish(home / "0001", first, {})
    assert collection.summarise(home) == collection.Summary(2, "2026-01-02T00:00:00Z")
    (home / "0002").mkdir()
    later = [row("a", "2026-01-03T00:00:00Z"), row("b", "2026-01-03T00:00:00Z", collection.GONE, 404)]
    collection.finish(home / "0002", later, {})
    assert collection.summarise(home) == collection.Summary(1, "2026-01-03T00:00:00Z", ((404, 1),))
    for damage in ("", "[", "{}", '{"key": "", "current": 9, "fetched": "", "gone": [], "digest": ""}'):
        (home / collection.SUMMARY).write_text(damage, encoding="utf-8")
        assert collection.summarise(home).current == 1
    (home / "0002" / "index.parquet").unlink()
    with pytest.raises(CaptureError, match="cannot be read"):
        collection.summarise(home)


def test_rows_of_an_index_share_the_strings_that_repeat():
    rows = [
        IndexRow(
            f"r{n}",
            f"https://a.kr/{n}",
            "2026-01-01T00:00:00Z",
            200,
            "text/html",
            f"{n:064}",
            "a.warc.gz",
            n,
            1,
            "response",
        )
        for n in range(3)
    ]
    one, *others = collection.to_rows(collection.to_table(rows))
    assert [one, *others] == rows
    for name in ("fetched", "media", "path", "kind"):
        assert all(getattr(other, name) is getattr(one, name) for other in others)
    assert collection.to_rows(collection.to_table([])) == []


def make_run(home: Path, number: int, rows: list[tuple[str, int, str, str]], **facts: object) -> None:
    """A finished crawl; rows are (url, status, kind, path)."""
    folder = home / f"{number:04d}"
    folder.mkdir(parents=True)
    made = [
        IndexRow(f"r-{url}", url, WHEN, status, "text/html", "", path, 0, 1, kind) for url, status, kind, path in rows
    ]
    collection.finish(folder, made, {"finished": "finished", "limit": None, **facts})


CONFIRMED = [("a", 304, "revisit", "p"), ("robots", 304, "instrument", "p"), ("l", 200, "licence", "../0001/p")]
NEWS = [("a", 200, "response", "p"), ("robots", 200, "instrument", "p"), ("l", 200, "licence", "p")]


@pytest.mark.parametrize(
    ("second", "third", "facts", "superseded"),
    [
        (CONFIRMED, CONFIRMED, {}, ["0002"]),
        (CONFIRMED, [*CONFIRMED, ("b", 200, "response", "p")], {}, ["0002"]),
        (CONFIRMED, CONFIRMED, {"limit": 2}, []),
        (CONFIRMED, CONFIRMED, {"finished": "limit"}, []),
        (CONFIRMED, CONFIRMED[1:], {}, []),  # one address was not visited again
        (CONFIRMED, [("a", 503, "instrument", "p"), *CONFIRMED[1:]], {}, []),  # nor is it with this answer
        (CONFIRMED, [("a", 404, "gone", ""), *CONFIRMED[1:]], {}, ["0002"]),
        ([*CONFIRMED, ("b", 200, "response", "p")], [*CONFIRMED, ("b", 304, "revisit", "p")], {}, []),
        ([("a", 404, "gone", ""), *CONFIRMED[1:]], CONFIRMED, {}, []),
        ([*CONFIRMED[:2], NEWS[2]], CONFIRMED, {}, ["0002"]),
        (
            [*CONFIRMED[:2], NEWS[2]],
            [*CONFIRMED[:2], ("l", 200, "licence", "../0002/p")],
            {},
            [],
        ),  # read there
        ([*CONFIRMED[:2], NEWS[2]], CONFIRMED[:2], {}, []),
    ],
)
def test_a_crawl_without_news_is_superseded_when_a_later_one_has_visited_all_of_it(
    second, third, facts, superseded, tmp_path
):
    make_run(tmp_path, 1, NEWS)
    make_run(tmp_path, 2, second)
    make_run(tmp_path, 3, third, **facts)
    assert [run.folder.name for run in collection.find_superseded(collection.runs(tmp_path))] == superseded


@pytest.mark.heavy
def test_crawls_of_an_unchanged_site_do_not_pile_up(tmp_path):
    home, quiet = Workspace.open(tmp_path / "w"), Progress(quiet=True)
    with serve() as site:
        definition = json.loads(order(tmp_path, site).read_text())["source"]
        done = [gather(home, definition, quiet) for _ in range(4)]
        assert [run.name for run in collection.list_runs(home.captures("small"))] == ["0001", "0004"]
        site.answers["/page/7"].body += b"<!-- new -->"
        site.answers["/page/7"].headers["ETag"] = '"new"'
        done.append(gather(home, definition, quiet))
    assert [run.name for run in collection.list_runs(home.captures("small"))] == ["0001", "0005"]
    assert [one.new for one in done] == [done[0].new, 0, 0, 0, 1] and len({one.current for one in done}) == 1
    assert not list(home.tmp.iterdir())
