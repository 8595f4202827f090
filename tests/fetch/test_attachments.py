"""Facts that a page states about a file are archived with the file, over redirects, retries and a kill."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers import attachments
from crawlers.collect import _check_list
from crawlers.extract import load_capture
from crawlers.fetch import frontier
from crawlers.fetch.frontier import Frontier
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.archive import capture, collection
from malmoi.archive.collection import Run
from malmoi.errors import SourceError
from malmoi.source import Expect, Feed, Sitemap, Source
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES
from tests.builders.hostile import crawl, order, page, raw_server

FOLLOW = """
from malmoi.source import Attachment


def follow(capture):
    if capture.url.endswith("/list"):
        files = [Attachment(f"{BASE}/file?no={n}", (("이름", f"별표 {n}"),)) for n in range(3)]
        return [f"{BASE}/page", *files, Attachment(f"{BASE}/file?no=0", (("이름", "같은 파일"),))]
    return []
"""


def described(folder: Path) -> dict[str, tuple[str, dict[str, str]] | None]:
    """Address → the record and the facts that were archived with its answer."""
    found = {}
    for entry in capture.scan(folder / PAGES):
        assert isinstance(entry, tuple)
        said = attachments.read(entry[2])
        found[entry[2].url.rpartition("/")[2]] = (said.record, dict(said.facts)) if said else None
    return found


@pytest.mark.parametrize("held", [2, 7, 100])
def test_the_facts_of_a_place_wait_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(frontier, "HELD", held)
    queue = Frontier(tmp_path)
    for n in range(20):
        queue.append(f"https://a.kr/{n}", "page", json.dumps([f"별표 {n} 의 글", ""]) if n % 2 else "")
    places = [queue.popleft() for _ in range(20)]
    assert [place.url for place in places] == [f"https://a.kr/{n}" for n in range(20)]
    assert [place.facts for place in places] == [
        json.dumps([f"별표 {n} 의 글", ""]) if n % 2 else "" for n in range(20)
    ]


@pytest.mark.heavy
def test_facts_come_with_the_file_whatever_happens_on_the_way(tmp_path: Path) -> None:
    forged = {attachments.HEADER: '["urn:uuid:forged",{}]'}
    with raw_server() as site:
        site.answers |= {
            "/list": page("list", **forged),
            "/page": page("page", **forged),
            "/file?no=0": page("zero", **forged),
            "/file?no=1": page("", "302 Found", Location="/moved"),
            "/moved": page("one"),
            "/file?no=2": page("two"),
        }
        source = f'access=Api(start=("{site.base}/list",), scope=("{site.base}/",))\nBASE = "{site.base}"{FOLLOW}'
        job = order(tmp_path, source, (site.port,))
        done = crawl(job)
        assert done.status == 0 and done.stats["pages"] == 5, done.err
        whole = described(tmp_path / "run")
        listed = capture.record_id(f"{site.base}/list", b"list")
        assert whole["list"] is None and whole["page"] is None, "only the crawler writes this header"
        assert whole["file?no=0"] == (listed, {"이름": "별표 0"})
        assert whole["moved"] == (listed, {"이름": "별표 1"})
        assert whole["file?no=2"] == (listed, {"이름": "별표 2"})
        archive = tmp_path / "run" / PAGES
        size = archive.stat().st_size
        for part in (0.3, 0.6, 0.9):  # the run was killed when so much of it was written
            (tmp_path / "run" / "stats.json").unlink()
            with archive.open("r+b") as file:
                file.truncate(int(part * size))
            assert crawl(job).status == 0
            assert described(tmp_path / "run") == whole


def test_facts_that_are_texts_stop_the_source_by_name(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/list"] = page("list")
        source = f'access=Api(start=("{site.base}/list",), scope=("{site.base}/",))\nBASE = "{site.base}"{FOLLOW}'
        job = order(tmp_path, source.replace('f"별표 {n}"', '"글" * 9_000'), (site.port,))
        done = crawl(job)
    assert done.status != 0 and "follow() fails" in done.stats["error"] and "at most 32,768" in done.stats["error"]


def test_a_file_that_no_entry_names_any_more_is_gone_and_may_come_back(tmp_path: Path) -> None:
    with raw_server() as site:
        base = site.base
        site.answers |= {"/list": page("3"), "/page": page("page")}
        site.answers |= {f"/file?no={n}": page(f"text {n}", ETag=f'"{n}"') for n in range(3)}
        source = f'access=Api(start=("{base}/list",), scope=("{base}/",))\nBASE = "{base}"{FOLLOW}'
        source = source.replace("range(3)", "range(int(capture.body))")
        names = order(tmp_path, source, (site.port,)).parent / "source.py"
        space = Workspace(tmp_path / "w")

        def current() -> list[str]:
            collect(space, str(names), Progress(quiet=True))
            runs = collection.runs(space.captures("small"))
            return [row.url.rpartition("/")[2] for _, rows in collection.select_current(runs) for row in rows]

        files = ["file?no=0", "file?no=1", "file?no=2"]
        assert current() == [*files, "list", "page"]
        site.answers["/list"] = page("2")
        assert sorted(current()) == ["file?no=0", "file?no=1", "list", "page"]
        site.answers |= {"/list": page("1"), "/page": page("", "404 Not Found")}
        assert set(current()) >= set(files[:2]), "a page failed that may have named them"
        site.answers |= {"/list": page("3"), "/page": page("page")}
        assert sorted(current()) == [*files, "list", "page"]


def test_a_list_that_lost_its_entries_stops_the_source_until_it_is_repaired_or_accepted(tmp_path: Path) -> None:
    with raw_server() as site:
        base = site.base
        site.answers |= {f"/file?no={n}": page(f"text {n}", ETag=f'"{n}"') for n in range(6)}
        source = f'access=Api(start=("{base}/list",), scope=("{base}/",))\nBASE = "{base}"{FOLLOW}'
        source = source.replace("range(3)", "range(int(capture.body))").replace(
            """[f"{BASE}/page", *files, Attachment(f"{BASE}/file?no=0", (("이름", "같은 파일"),))]""", "files"
        )
        file = order(tmp_path, source, (site.port,)).parent / "source.py"
        space = Workspace(tmp_path / "w")

        def count(length: str) -> int:
            site.answers["/list"] = page(length)
            collect(space, str(file), Progress(quiet=True))
            runs = collection.runs(space.captures("small"))
            rows = [row for _, rows in collection.select_current(runs) for row in rows]
            return sum("/file" in row.url for row in rows)

        assert count("6") == 6
        with pytest.raises(SourceError, match=r"its list has 0 entries, and had 6 before, so no entry counts as gone"):
            count("0")
        assert count("4") == 4, "the list is asked for again, and two entries less are no fault"
        with pytest.raises(SourceError, match=r"at_least=0"):
            count("1")
        file.write_text(file.read_text().replace("manners=", "expect=Expect(at_least=0), manners="))
        assert count("1") == 1, "a person has accepted it"


def test_an_interface_that_answers_no_rows_stops_the_source(tmp_path: Path) -> None:
    def answer(count: int) -> bytes:
        return page(json.dumps({"totalCnt": count, "rows": [{"본문": "글"}] * count, "facets": [{"name": "x"}]}))

    with raw_server() as site:
        site.answers["/list"] = answer(30)
        source = f'access=Api(start=("{site.base}/list",), scope=("{site.base}/",))'
        file = order(tmp_path, source, (site.port,)).parent / "source.py"
        space = Workspace(tmp_path / "w")
        collect(space, str(file), Progress(quiet=True))
        site.answers["/list"] = page(json.dumps({"totalCnt": 0, "rows": []}))
        with pytest.raises(SourceError, match="its list has 0 entries, and had 30 before"):
            collect(space, str(file), Progress(quiet=True))
        ((run, rows),) = collection.select_current(collection.runs(space.captures("small")))
        assert run.facts["listed"] == 30 and len(rows) == 1


@pytest.mark.parametrize(
    ("before", "now", "visited", "stops"),
    [
        (250, 0, 0, True),
        (1, 0, 0, True),
        (250, 199, 0, True),
        (250, 200, 0, False),  # 20 %
        (250, 199, 51, False),  # pages of a sitemap that were asked, and answered 404
        (250, 300, 0, False),
        (4, 2, 0, False),  # two of a short list
        (5, 2, 0, True),
        (3, 0, 3, False),
        (0, 0, 0, False),
    ],
)
def test_how_much_a_list_may_lose(tmp_path: Path, before: int, now: int, visited: int, stops: bool) -> None:
    source = Source("a", "A", "B", Sitemap(("https://a.kr/sitemap.xml",), ("https://a.kr/",)))
    earlier = [Run(tmp_path, (), {"listed": before, "question": "q"}), Run(tmp_path, (), {"finished": "limit"})]
    with pytest.raises(SourceError) if stops else nullcontext():
        _check_list(source, "q", {"listed": now}, earlier, visited)
    _check_list(source, "another question", {"listed": now}, earlier, visited)
    _check_list(source, "q", {}, earlier, visited)
    _check_list(replace(source, expect=Expect(at_least=0)), "q", {"listed": now}, earlier, visited)
    window = replace(source, access=Feed(("https://a.kr/rss",), ("https://a.kr/",)))
    with pytest.raises(SourceError) if stops and not now else nullcontext():
        _check_list(window, "q", {"listed": now}, earlier, visited)


def test_a_file_is_archived_again_when_its_entry_says_something_else(tmp_path: Path) -> None:
    with raw_server() as site:
        base = site.base
        site.answers |= {"/list": page("list"), "/page": page("page"), "/file?no=1": page("one", ETag='"1"')}
        site.answers |= {f"/file?no={n}": page("text", ETag='"x"') for n in (0, 2)}
        source = f'access=Api(start=("{base}/list",), scope=("{base}/",))\nBASE = "{base}"{FOLLOW}'
        file = order(tmp_path, source, (site.port,)).parent / "source.py"
        space = Workspace(tmp_path / "w")
        assert collect(space, str(file), Progress(quiet=True)).new == 5
        assert collect(space, str(file), Progress(quiet=True)).new == 0
        code = file.read_text().replace('f"별표 {n}"', '"새 이름" if n == 1 else f"별표 {n}"')
        file.write_text(code)
        assert collect(space, str(file), Progress(quiet=True)).new == 1
        runs = collection.runs(space.captures("small"))
        rows = {row.url.rpartition("/")[2]: row for _, rows in collection.select_current(runs) for row in rows}
        names = {}
        for name in ("file?no=0", "file?no=1"):
            said = attachments.read(load_capture(rows[name]))
            assert said is not None
            names[name] = said.facts["이름"]
        assert names == {"file?no=0": "별표 0", "file?no=1": "새 이름"}
