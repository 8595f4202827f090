"""What cannot be read back and what was not asked for are counted and said; no text steers a terminal."""

import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers.collect import _advise_on_bound
from crawlers.fetch.failures import advise_on_missed
from flows import release
from flows.collect import collect
from flows.console import SafeConsole
from flows.curate import Curated
from flows.engine.progress import Progress
from flows.reports import crawl_report
from malmoi import limits
from malmoi.errors import SourceError
from malmoi.ledger import Ledger
from malmoi.printable import escape_controls
from malmoi.source import Site
from malmoi.workspace import Workspace
from tests.builders.hostile import links, page, raw_server

SOURCE = """
from malmoi.source import *
SOURCE = Source(name="small", title="견본", publisher="발행처", register="r", domain="d",
    access=Site(start=("{base}/",), scope=("{base}/",)),
    manners=Manners(delay=0.0, loopback=("127.0.0.1:{port}",)))
"""


def test_answers_that_cannot_be_read_back_are_in_the_summary_the_facts_and_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(limits.ARCHIVE_HEAD, value=2048)  # of the reader alone, as if it were an older one
    monkeypatch.setattr("malmoi.archive.capture.ARCHIVE_HEAD", small)
    said = io.StringIO()
    with raw_server() as site:
        large = {f"X-{n}": "a" * 500 for n in range(9)}
        site.answers["/"] = links("/a", "/b", "/c", f"/{'x' * 2_500}")
        site.answers |= {"/a": page("a"), "/b": page("b", **large), "/c": page("c", **large)}
        path = tmp_path / "small.py"
        path.write_text(SOURCE.format(base=site.base, port=site.port), encoding="utf-8")
        workspace = Workspace(tmp_path / "w")
        done = collect(workspace, str(path), Progress(SafeConsole(file=said)))
    assert (done.torn, done.current) == (2, 2)
    assert "2 archived but unreadable" in said.getvalue()
    facts = json.loads(next((tmp_path / "w").rglob("run.json")).read_text(encoding="utf-8"))
    assert facts["lost"] == 2 and len(facts["torn_records"]) == 2
    assert facts["records"] - facts["lost"] == len(crawl_report.collection.runs(workspace.captures("small"))[0].rows)
    asked, _, standing = crawl_report.count_funnels(workspace, [str(path)])[0].steps[:3]
    assert asked.lost == ((f"too-long ({limits.ADDRESS_BYTES.describe()})", 1),)
    assert ("archived but unreadable", 2) in standing.lost


def test_a_licence_page_that_no_library_can_read_stops_its_source_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise LookupError("unknown encoding: x")

    monkeypatch.setattr("crawlers.rights.claims.readable_text", fail)
    with raw_server() as site:
        site.answers |= {"/": page("start"), "/licence": page("CC BY 4.0")}
        path = tmp_path / "small.py"
        claim = f'claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", url="{site.base}/licence"),), access='
        claim = f'rule=LicenceRule(("dump-claim",)), {claim}'
        text = SOURCE.format(base=site.base, port=site.port).replace("access=", claim)
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SourceError, match=r"/licence, on which a claim rests, cannot be read \(LookupError\)"):
            collect(Workspace(tmp_path / "w"), str(path), Progress(quiet=True))


STEERING = {
    "\x1b[31mred": "\\x1b[31mred",
    "a\rb\x00c\x7f\x9b": "a\\x0db\\x00c\\x7f\\x9b",
    "\u202eexe.txt\u2066\u200f": "\\u202eexe.txt\\u2066\\u200f",
    "\ud800\udfff": "\\ud800\\udfff",
    "가나다 漢字 ㅋㅋ 👨‍👩‍👧 é": "가나다 漢字 ㅋㅋ 👨‍👩‍👧 é",
}


@pytest.mark.parametrize("text", STEERING, ids=ascii)
def test_text_from_outside_cannot_steer_a_terminal(text: str) -> None:
    assert escape_controls(text) == STEERING[text]
    said = io.StringIO()
    Progress(SafeConsole(file=said, width=200)).say(f"first {text}\nsecond")
    assert said.getvalue() == f"first {STEERING[text]}\nsecond\n"


def test_the_words_of_a_source_are_escaped_in_the_facts_and_the_report(tmp_path: Path) -> None:
    said = io.StringIO()
    with raw_server() as site:
        site.answers |= {"/": links("/a"), "/a": page("a")}
        path = tmp_path / "small.py"
        trouble = (
            'def trouble(capture):\n    return Trouble("again", "\\x1b[2J\\u202e\\ud800") '
            'if capture.url.endswith("/a") else None\n'
        )
        path.write_text(SOURCE.format(base=site.base, port=site.port) + trouble, encoding="utf-8")
        collect(Workspace(tmp_path / "w"), str(path), Progress(SafeConsole(file=said)))
    found = crawl_report.count_funnels(Workspace(tmp_path / "w"), [str(path)])
    html = crawl_report.write(Workspace(tmp_path / "w"), found).read_text(encoding="utf-8")
    facts = next((tmp_path / "w").rglob("run.json")).read_text(encoding="utf-8")
    for text in (said.getvalue(), html, facts):
        assert escape_controls(text.replace("\n", "")) == text.replace("\n", "")
    assert "\\\\x1b[2J\\\\u202e\\\\ud800" in facts


def test_a_collection_that_ends_at_the_bound_of_its_source_says_so(tmp_path: Path) -> None:
    said, whole = io.StringIO(), io.StringIO()
    with raw_server() as site:
        site.answers["/"] = links("/a", "/b", "/c")
        site.answers |= {f"/{name}": page(name) for name in "abc"}
        path = tmp_path / "small.py"
        text = SOURCE.format(base=site.base, port=site.port)
        path.write_text(text.replace('/",)),', '/",), max_pages=2),'), encoding="utf-8")
        assert collect(Workspace(tmp_path / "w"), str(path), Progress(SafeConsole(file=said))).current == 2
        path.write_text(text, encoding="utf-8")
        assert collect(Workspace(tmp_path / "v"), str(path), Progress(SafeConsole(file=whole))).current == 4
    assert "ended at max_pages" in " ".join(said.getvalue().split()) and "max_pages" not in whole.getvalue()


@pytest.mark.parametrize(
    ("urls", "says"),
    [
        (["/", "/a", *(f"/cal/2026/{n}" for n in range(9))], "9 of 11 captures .* form http://a.kr/cal/*/*: .*deny=('"),
        (
            [f"/cal.php?y={n}&m=1" for n in range(9)],
            "form http://a.kr/cal.php?y=*&m=*: .*deny=('http://a.kr/cal.php',)",
        ),
        ([f"/{n}" for n in range(9)], "form http://a.kr/*: .* narrow the scope"),
        (["/", "/a", "/b", "/c/1"], "Raise max_pages in the source file"),
        ([], "Raise max_pages"),
    ],
)
def test_a_crawl_that_met_one_form_of_addresses_is_advised_to_deny_it(urls: list[str], says: str) -> None:
    site = Site(("http://a.kr/",), ("http://a.kr/",))
    said = _advise_on_bound(site, [f"http://a.kr{url}" for url in urls])
    assert all(part in said for part in says.split(" .*") for part in part.split(": .*")), said


def test_a_collection_most_of_whose_addresses_are_dead_says_so_and_so_does_the_release(tmp_path: Path) -> None:
    said = io.StringIO()
    with raw_server() as site:
        site.answers["/"] = links(*(f"/{n}" for n in range(9)))
        path = tmp_path / "small.py"
        path.write_text(SOURCE.format(base=site.base, port=site.port), encoding="utf-8")
        collect(Workspace.open(tmp_path / "w"), str(path), Progress(SafeConsole(file=said, width=2_000)))
    found = f"most addresses gave no page: 9 of 10 (status-404 9); open the first, {site.base}/0. Correct the addresses"
    assert found in said.getvalue()
    ledger = Ledger("2-documents", "k", {"small": 1}, {"small": 1}, {})
    curated = Curated((("2-documents", (ledger,)),), (), ((str(path), (ledger,)),))
    told = release.describe_nothing_left(Workspace(tmp_path / "w"), "general", curated)
    assert "most addresses gave no page when they were collected" in told and "status-404 9). Correct" in told


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ({"status-500": 8, "status-404": 2}, "collect again later"),
        ({"timeout (limit request_seconds: 30 seconds)": 8}, "collect again later"),
        ({"status-404": 8, "robots-disallow": 2}, "Correct the addresses"),
        ({"guard-loopback": 8}, "Correct the addresses"),
        ({"robots-disallow": 8, "status-500": 2}, "ask the publisher, or narrow access.scope"),
    ],
)
def test_the_advice_on_lost_addresses_is_that_of_the_reason_that_cost_most(reasons: dict[str, int], says: str) -> None:
    assert says in advise_on_missed(Counter(reasons))


def test_a_collection_most_of_whose_addresses_robots_forbids_is_not_told_to_correct_them(tmp_path: Path) -> None:
    said = io.StringIO()
    with raw_server() as site:
        site.answers["/robots.txt"] = page("User-agent: *\nDisallow: /news/", Content_Type="text/plain")
        site.answers["/"] = links(*(f"/news/{n}" for n in range(9)))
        path = tmp_path / "small.py"
        path.write_text(SOURCE.format(base=site.base, port=site.port), encoding="utf-8")
        collect(Workspace.open(tmp_path / "w"), str(path), Progress(SafeConsole(file=said, width=2_000)))
    assert "9 of 10 (robots-disallow 9). robots.txt forbids them: ask the publisher" in said.getvalue()
