"""A page that changes its mark, moves, goes or is closed to robots is recorded, and the recipe says what follows."""

import json
from pathlib import Path

import pytest

from crawlers import revisions
from filters.rights import judge
from flows.collect import collect
from flows.curate import extract_jobs
from flows.engine.progress import Progress
from malmoi.apply import Outcome
from malmoi.workspace import Workspace
from tests.builders.small_site import Answer, Site, serve
from tests.fetch.test_fetch import order

HTML = {"Content-Type": "text/html"}
PROSE = "말모이는 우리말을 모으는 일이다. 한 사람이 다 모을 수 없어서 여럿이 나누어 모으고, 모은 말은 함께 고른다. "
KOGL = (
    '<a href="https://www.kogl.or.kr/info/licenseType{0}.do">'
    '<img src="/new_img_opentype0{0}.png" alt="공공누리 제{0}유형"></a>'
)
RULE = """
from dataclasses import replace
SOURCE = replace(SOURCE, rule=LicenceRule(("kogl-block",), (("{base}/", ".kogl"),)))
"""


def page(mark: str = "", *links: str) -> Answer:
    anchors = "".join(f'<a href="{link}">다음 글</a> ' for link in links)
    body = f"<article><h1>글</h1><p>{PROSE * 8}</p><p class=kogl>{mark}</p></article><nav>{anchors}</nav>"
    return Answer(f"<!doctype html><meta charset=utf-8><body>{body}".encode(), headers=HTML)


def visit(folder: Path, site: Site) -> None:
    """Collect the site, as an operator would, into the workspace of `folder`."""
    source = json.loads(order(folder, site, extra=RULE).read_text())["source"]
    collect(Workspace.open(folder / "w"), source, Progress(quiet=True))


def outcomes(folder: Path) -> dict[str, Outcome]:
    from crawlers.extract import extractor

    made: dict[str, Outcome] = {}
    for job in extract_jobs(Workspace.open(folder / "w"), str(folder / "source.py")):
        one = extractor(job.extraction)
        for row in job.rows:
            made |= {outcome.document.provenance.url.rpartition("/")[2]: outcome for outcome in one(row)}
    return made


@pytest.fixture
def twice(tmp_path):
    """Two visits; in between one page changes its mark, one is removed, one moves, one is closed to robots."""
    with serve() as site:
        names = ("stays", "marked", "removed", "moved", "closed", "edited")
        site.answers = {"/robots.txt": Answer(b"User-agent: *\nDisallow:\n"), "/": page("", *names)}
        site.answers |= {f"/{name}": page(KOGL.format(1)) for name in names}
        visit(tmp_path, site)
        site.answers["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /closed\n")
        site.answers["/marked"] = page(KOGL.format(4))
        site.answers["/edited"] = page(KOGL.format(1) + "<b>새로 고쳤다</b>")
        site.answers["/moved"] = Answer(b"", 301, {"Location": "/elsewhere"})
        site.answers["/elsewhere"] = page(KOGL.format(1))
        del site.answers["/removed"]
        visit(tmp_path, site)
    return tmp_path


def said(outcome: Outcome, name: str) -> list[str]:
    return [signal.quote for signal in outcome.document.signals if signal.name == name]


def test_a_mark_that_changed_is_noted_with_both_licences(twice):
    made = outcomes(twice)
    (words,) = said(made["marked"], revisions.RELICENSED)
    assert words.startswith("LicenseRef-KOGL-1 on ") and ", LicenseRef-KOGL-4 on " in words
    assert not said(made["edited"], revisions.RELICENSED) and not said(made["stays"], revisions.RELICENSED)


@pytest.mark.parametrize(("name", "met"), [("removed", "not found"), ("moved", "moved"), ("closed", "disallowed")])
def test_a_page_that_is_there_no_more_is_noted_with_what_was_met(twice, name, met):
    made = outcomes(twice)
    (words,) = said(made[name], revisions.GONE)
    assert words.startswith(f"{met} on ")
    assert not said(made["stays"], revisions.GONE)


def test_the_recipe_says_what_follows(twice):
    made = outcomes(twice)
    assert judge(made["removed"].document).reason == "gone"
    assert judge(made["removed"].document, gone="keep").outcome == "keep"
    assert judge(made["marked"].document).outcome == "drop"  # type 4 is not open
    assert judge(made["marked"].document, uses=("redistribute", "train-only"), relicensed="drop").reason == "relicensed"
    assert judge(made["edited"].document, relicensed="drop").outcome == "keep"


def test_a_page_that_comes_back_stands_again(tmp_path):
    with serve() as site:
        site.answers = {"/": page("", "here"), "/here": page(KOGL.format(1))}
        visit(tmp_path, site)
        back = site.answers.pop("/here")
        visit(tmp_path, site)
        assert said(outcomes(tmp_path)["here"], revisions.GONE)
        site.answers["/here"] = back
        visit(tmp_path, site)
    assert not outcomes(tmp_path)["here"].document.signals


def test_a_visit_that_finds_nothing_new_gives_no_shard_a_new_key(tmp_path):
    with serve() as site:
        site.answers = {"/": page("", *map(str, range(40)))} | {f"/{n}": page(KOGL.format(1)) for n in range(40)}
        visit(tmp_path, site)
        home, source = Workspace.open(tmp_path / "w"), str(tmp_path / "source.py")
        before = [job.key for job in extract_jobs(home, source)]
        visit(tmp_path, site)
        assert [job.key for job in extract_jobs(home, source)] == before
