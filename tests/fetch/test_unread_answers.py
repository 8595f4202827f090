"""A bad answer in the middle of a crawl costs what it would have led to; the crawl goes on and says so."""

import io
import json
from pathlib import Path

import pytest

from flows.collect import collect
from flows.console import SafeConsole
from flows.engine.progress import Progress
from flows.reports import crawl_report
from malmoi.errors import SourceError
from malmoi.workspace import Workspace
from tests.builders.hostile import crawl, order, page, raw_server

FOLLOW = """
import json
def follow(capture):
    if "/list" in capture.url:
        for name in json.loads(capture.body)["names"]:
            yield BASE + name
"""
TROUBLE = """
def trouble(capture):
    return Trouble("again", "empty") if json.loads(capture.body).get("empty") else None
"""
ERROR_PAGE = page("<html><p>error</p></html>")


def listing(*names: str) -> bytes:
    return page(json.dumps({"names": names}))


def api(base: str, *starts: str, more: str = "") -> str:
    first = ", ".join(f'"{base}{start}"' for start in starts)
    return f'access=Api(start=({first},), scope=("{base}/",){more})\nBASE = "{base}"{FOLLOW}'


def write(folder: Path, site_port: int, text: str) -> str:
    """Write a source; returns its path."""
    job = order(folder, text, (site_port,))
    return str(json.loads(job.read_text("utf-8"))["source"])


def gather(folder: Path, name: str) -> str:
    said = io.StringIO()
    collect(Workspace.open(folder / "w"), name, Progress(SafeConsole(file=said, width=2_000)))
    return said.getvalue()


def test_a_list_in_the_middle_that_is_an_error_page_stops_nothing_and_is_said(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/list1": listing("/a", "/list2", "/list3"), "/list2": ERROR_PAGE, "/list3": listing("/b")}
        site.answers |= {"/a": page("a"), "/b": page("b")}
        name = write(tmp_path, site.port, api(site.base, "/list1"))
        said = gather(tmp_path, name)
        url, why = f"{site.base}/list2", "links-unread: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
        assert "5 new · 5 current" in said
        assert (
            "answers whose addresses could not be read: 1," in said and f"First {url}: {why} (source.py, line " in said
        )
        (funnel,) = crawl_report.count_funnels(Workspace(tmp_path / "w"), [name])
        (answered,) = [step for step in funnel.steps if step.name == "pages answered"]
        assert (answered.count, answered.lost) == (5, (("links-unread", 1),))
        site.answers["/list2"] = listing("/c")
        site.answers["/c"] = page("c")
        said = gather(tmp_path, name)
        assert "2 new · 6 current" in said and "addresses could not be read" not in said, "the next run gets the rest"


def test_addresses_that_follow_gave_before_its_error_are_requested(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/list": page('{"names": ["/a", "/b", 3, "/c"]}'), **{f"/{n}": page(n) for n in "abc"}}
        done = crawl(order(tmp_path, api(site.base, "/list"), (site.port,)))
    assert done.status == 0 and done.stats["pages"] == 3, done.err
    assert "TypeError: can only concatenate str" in done.why(site.base)["/list"]


def test_one_start_of_several_may_be_bad(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/list1": ERROR_PAGE, "/list2": listing("/a"), "/list3": listing("/b")}
        site.answers |= {"/a": page("a"), "/b": page("b")}
        done = crawl(order(tmp_path, api(site.base, "/list1", "/list2", "/list3"), (site.port,)))
    assert done.status == 0 and done.stats["pages"] == 5 and set(done.why(site.base)) == {"/list1"}


def test_a_follow_that_fails_at_most_answers_or_at_many_in_a_row_stops_the_source(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/list1": listing(*(f"/list{n}" for n in range(2, 60)))}
        site.answers |= {f"/list{n}": ERROR_PAGE for n in range(2, 60)}
        name = write(tmp_path, site.port, api(site.base, "/list1"))
        words = (
            rf"follow\(\) fails at {site.base}/list2 \(JSONDecodeError: .*, and at 10 answers in a row; correct it in"
        )
        with pytest.raises(SourceError, match=words):
            gather(tmp_path, name)
        assert len(site.asked) < 40, "further requests would be of no use"
        site.answers["/list1"] = listing("/list2", "/list3")
        few = tmp_path / "few"
        few.mkdir()
        with pytest.raises(SourceError, match=r", and at 2 of 3 answers; correct it in .*source.py and run again"):
            gather(few, write(few, site.port, api(site.base, "/list1")))
        source = Path(name)
        ignore = 'if "/list" in capture.url and b"<html" not in capture.body'
        source.write_text(source.read_text("utf-8").replace('if "/list" in capture.url', ignore), "utf-8")
        before = len(site.asked)
        assert "59 new" in gather(tmp_path, name)
        assert len(site.asked) - before < 59, "what was collected is kept"


def test_an_answer_that_trouble_cannot_judge_is_asked_again_and_then_left(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/list1": listing("/list2", "/a"), "/list2": ERROR_PAGE, "/a": page('{"text": "a"}')}
        done = crawl(order(tmp_path, api(site.base, "/list1") + TROUBLE, (site.port,)))
        assert done.status == 0 and done.stats["pages"] == 2, done.err
        assert "trouble() fails (JSONDecodeError: " in done.why(site.base)["/list2"]
        assert sum("/list2" in text for _, text in site.asked) > 1
    assert len(done.stats["troubled"]) == 1, "the error page is not a capture"


def test_a_trouble_that_fails_at_every_answer_stops_the_source_with_its_error(tmp_path: Path) -> None:
    broken = "\ndef trouble(capture):\n    return capture.nothing\n"
    with raw_server() as site:
        site.answers |= {"/list1": listing("/a")}
        done = crawl(order(tmp_path, api(site.base, "/list1") + broken, (site.port,)))
    assert done.status != 0 and "trouble() fails (AttributeError: " in done.err


def test_a_crawl_that_ends_at_max_pages_says_so_in_the_crawl_report(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers |= {"/list": listing(*"/a /b /c /d".split()), **{f"/{n}": page(n) for n in "abcd"}}
        name = write(tmp_path, site.port, api(site.base, "/list", more=", max_pages=3"))
        said = gather(tmp_path, name)
        assert "ended at max_pages of its access point, with addresses left (2)" in said
        (funnel,) = crawl_report.count_funnels(Workspace(tmp_path / "w"), [name])
        assert funnel.steps[0].lost == (("max-pages (of the source file: 3)", 2),)
        Path(name).write_text(Path(name).read_text("utf-8").replace("max_pages=3", "max_pages=30"), "utf-8")
        assert "max_pages" not in gather(tmp_path, name)
        (funnel,) = crawl_report.count_funnels(Workspace(tmp_path / "w"), [name])
        assert funnel.steps[0].lost == ()
