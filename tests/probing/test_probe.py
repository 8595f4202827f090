"""A probe names field by field what a source no longer is, and a missing key is a state with a name."""

import json
from pathlib import Path

import pytest

from crawlers import catalogue
from flows.collect import collect
from flows.engine.progress import Progress
from flows.probing.probe_records import SourceState, find_state
from flows.probing.probe_source import probe
from malmoi.archive import capture
from malmoi.erasure import tombstones
from malmoi.source import TermsCheck
from malmoi.workspace import Workspace
from tests.builders.small_archive import prose
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_site import Answer, serve

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
API = """
import json
from urllib.parse import urlsplit
from crawlers import tables
from crawlers.platforms import api_errors
from crawlers.platforms.answer_fields import Fields
from malmoi.source import Api, Expect, LicenceRule, Manners, Source
FIELDS = Fields(("id", "title", "date", "text", "이용조건", "next", "rows"))
SOURCE = Source(
    "rows", "견본", "발행처",
    Api(("{base}/list?page=1",), ("{base}/",), key="SMALL_KEY", parameter="k", grant="{base}/guide"),
    rule=LicenceRule(("field",), fields=("이용조건",), expected=("LicenseRef-KOGL-1",)),
    attribution="{{publisher}}, {{title}} ({{year}})",
    expect=Expect(10, 40),
    manners=Manners(delay=0.0, loopback=("{host}",)),
)
def follow(capture):
    return ["{base}" + path for path in json.loads(capture.body)["next"]] if "/list" in capture.url else []
def items(capture):
    if "/list" in capture.url:
        return []
    return tables.rows(capture, licence="이용조건", name=urlsplit(capture.url).path)
def unknown_fields(capture):
    return FIELDS.find_unknown(json.loads(capture.body))
def trouble(capture):
    return api_errors.data_go_kr(capture)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SMALL_KEY", "a-long-secret")
    return Workspace.open(tmp_path / "w")


def states(result):
    return {one.field: one.state for one in result.checks}


def says(result, field):
    return next(one.says for one in result.checks if one.field == field)


def serve_rows(site, change=None):
    """A list of thirty rows, each an answer of its own; `change` changes a row."""
    answers = {"/guide": Answer(b"<p>machines may ask</p>", headers=HTML)}
    answers["/list?page=1"] = Answer(
        json.dumps({"rows": 30, "next": [f"/row/{n}" for n in range(30)]}).encode(), headers=JSON
    )
    for n in range(30):
        row = {
            "id": str(n),
            "title": f"종이학 {n}",
            "date": "2030-01-02",
            "text": prose(n, 12),
            "이용조건": "공공누리 제1유형",
        }
        body = json.dumps([(change or dict)(row)]).encode()
        answers[f"/row/{n}"] = Answer(body, headers=JSON)
    key = "k=a-long-secret"
    site.answers = answers | {
        f"{path}{'&' if '?' in path else '?'}{key}": answer for path, answer in answers.items()
    }  # fmt: skip


def write_api(folder, site):
    path = folder / "rows.py"
    path.write_text(API.format(base=site.base, host=site.base.removeprefix("http://")), "utf-8")
    return str(path)


def test_an_interface_that_is_what_it_says_holds_field_by_field(home, tmp_path):
    with serve() as site:
        serve_rows(site)
        found = probe(home, write_api(tmp_path, site))
    assert found.outcome == "holds", found.checks
    assert set(states(found)) == {
        "robots.txt", "grant", "answers", "count", "other fields", "items", "key", "text", "type", "copies", "title",
        "date", "licence", "kept",
    }  # fmt: skip
    assert says(found, "count") == "31; the source expects 10 to 40"
    assert "LicenseRef-KOGL-1 ×5 in 5 of 5" in says(found, "licence")
    assert sum(site.hits.values()) < 14, "a few requests: robots, guide, opt-outs, one list, some rows"


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (lambda row: {**row, "이용조건": "누리 제9유형"}, "licence", "unknown value: '누리 제9유형' at 이용조건 ×5"),
        (lambda row: {**row, "이용조건": ""}, "licence", "no item is granted"),
        (lambda row: {**row, "이용조건": "공공누리 제4유형"}, "licence", "no item is granted"),
        (lambda row: {**row, "정정문": "바로잡는다"}, "other fields", "unknown: 정정문"),
        (lambda row: {**row, "date": ""}, "date", "in 0 of 5; the attribution reads it"),
        (lambda row: {**row, "title": ""}, "title", "in 0 of 5; the attribution reads it"),
        (lambda row: {**row, "text": ""}, "text", "none; without text: empty ×5"),
        (lambda row: {name: value for name, value in row.items() if name != "text"}, "reading", "could not be read"),
    ],
)  # fmt: skip
def test_what_an_interface_no_longer_gives_is_named(home, tmp_path, change, field, words):
    with serve() as site:
        serve_rows(site, change)
        found = probe(home, write_api(tmp_path, site))
    assert found.outcome == "differs" and states(found)[field] == "differs", found.checks
    assert words in says(found, field)


def test_a_count_outside_the_bounds_differs(home, tmp_path):
    with serve() as site:
        serve_rows(site)
        path = Path(write_api(tmp_path, site))
        path.write_text(path.read_text("utf-8").replace("Expect(10, 40)", "Expect(100, 400)"), "utf-8")
        found = probe(home, str(path))
    assert (found.outcome, states(found)["count"]) == ("differs", "differs")


def test_a_refused_key_and_a_forbidding_robots_txt_fail(home, tmp_path):
    said = b"<cmmMsgHeader><returnReasonCode>30</returnReasonCode></cmmMsgHeader>"
    quota = b"<OpenAPI_ServiceResponse>" + said + b"</OpenAPI_ServiceResponse>"
    with serve() as site:
        source = write_api(tmp_path, site)
        serve_rows(site)
        site.answers["/list?page=1&k=a-long-secret"] = Answer(quota, headers={"Content-Type": "text/xml"})
        refused = probe(home, source)
        serve_rows(site)
        site.answers["/robots.txt"] = Answer(
            b"User-agent: *\nDisallow: /list\n", headers={"Content-Type": "text/plain"}
        )
        site.answers["/guide"] = Answer(b"gone", 410)
        closed = probe(home, source)
    assert refused.outcome == closed.outcome == "failed"
    assert "code 30" in says(refused, "answers") and "robots.txt" in says(closed, "answers")
    assert states(closed)["grant"] == "differs" and "410" in says(closed, "grant")
    down = probe(home, source)
    assert (down.outcome, states(down)) == ("failed", {"host": "failed"})


def test_a_missing_key_is_a_state_with_a_name(home, tmp_path, monkeypatch):
    monkeypatch.delenv("SMALL_KEY")
    with serve() as site:
        found = probe(home, write_api(tmp_path, site))
        assert not site.hits
    assert found.outcome == "not asked" and "SMALL_KEY" in says(found, "key")
    assert [one.field for one in found.checks] == ["key"], "once"


@pytest.mark.parametrize("name", catalogue.names())
def test_every_source_of_the_catalogue_can_be_probed_and_says_what_it_needs(home, name, monkeypatch):
    monkeypatch.setenv("MALMOI_SAMPLE_PORT", "1")
    found = probe(home, name)
    assert found.outcome == ("failed" if name == "sample" else "not asked") and all(one.says for one in found.checks)


PAGES = """
from malmoi.source import Expect, LicenceClaim, LicenceRule, Manners, Site, Source
SOURCE = Source(
    "pages", "견본", "발행처", Site(("{base}/",), ("{base}/",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 쓴다", url="{base}/licence"),),
    rule=LicenceRule(("dump-claim",), expected=("CC-BY-4.0",)),
    expect=Expect(1, 1000), manners=Manners(delay=0.0, loopback=("{host}",)), {terms}
)
"""


def serve_pages(site, licence="CC BY 4.0으로 쓴다"):
    links = "".join(f'<a href="/page/{n}">{n}</a>' for n in range(20)).encode()
    site.answers = {"/": Answer(b"<html><body>" + links + b"</body></html>", headers=HTML)}
    site.answers["/licence"] = Answer(f"<p>{licence}</p>".encode(), headers=HTML)
    site.answers["/terms"] = Answer("<p>약관 첫째 판</p>".encode(), headers=HTML)
    for n in range(20):
        page = f"<html><head><title>{n}</title></head><body><article><p>{prose(n, 12)}</p></article></body></html>"
        site.answers[f"/page/{n}"] = Answer(page.encode(), headers=HTML)


def write_pages(folder, site, terms=""):
    path = folder / "pages.py"
    path.write_text(PAGES.format(base=site.base, host=site.base.removeprefix("http://"), terms=terms), "utf-8")
    return str(path)


def test_a_claim_without_its_words_differs_and_the_pages_are_read_all_the_same(home, tmp_path):
    with serve() as site:
        serve_pages(site)
        source = write_pages(tmp_path, site)
        holds = probe(home, source)
        serve_pages(site, "모든 권리를 가진다")
        changed = probe(home, source)
    assert holds.outcome == "holds", holds.checks
    assert (changed.outcome, states(changed)["claim"], states(changed)["text"]) == ("differs", "differs", "holds")


def test_changed_terms_are_noticed_against_the_last_probe_or_collection(home, tmp_path):
    with serve() as site:
        serve_pages(site)
        check = TermsCheck("가", "2030-01-01", f"{site.base}/terms", "allowed")
        source = write_pages(tmp_path, site, "terms=__import__('malmoi.source').source." + repr(check))
        collect(home, source, Progress(quiet=True))
        same = probe(home, source)
        site.answers["/terms"] = Answer("<p>약관 둘째 판</p>".encode(), headers=HTML)
        changed = probe(home, source)
        again = probe(home, source)
        terms = ("--reviewer", "가", "--page", f"{site.base}/terms", "--verdict", "allowed")
        said = malmoi_in_process("sources", "terms", source, *terms, "--workspace", str(home.root))
        read = probe(home, source)
        unchanged = probe(home, source)
    assert states(same)["terms"] == "holds" and "unchanged" in says(same, "terms")
    assert (changed.outcome, states(changed)["terms"]) == ("differs", "differs")
    assert states(again)["terms"] == "differs", "until a person has recorded a check of the page as it is now"
    assert said.returncode == 0 and "first time" in says(read, "terms") and "unchanged" in says(unchanged, "terms")


FILES = """
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source, Warc
SOURCE = Source("files", "견본", "발행처", {access},
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE"),), rule=LicenceRule(("licence-file",)))
"""


@pytest.mark.parametrize("kind", ["Folder", "Warc"])
def test_files_and_archives_are_probed_in_their_place(home, tmp_path, kind):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "LICENCE").write_text("CC BY 4.0")
    for n in range(9):
        (folder / f"{n}.txt").write_text(prose(n, 12), "utf-8")
    with (folder / "a.warc").open("wb") as stream:
        for n in range(9):
            body = f"<html><body><article><p>{prose(n, 12)}</p></article></body></html>".encode()
            stream.write(
                capture.warc_record(f"https://a.kr/{n}", "2030-01-01T00:00:00Z", 200, tuple(HTML.items()), body)
            )
    access = (
        f"Folder(Path({str(folder)!r}), include=('*.txt',))" if kind == "Folder" else f"Warc((Path({str(folder)!r}),))"
    )
    source = tmp_path / "files.py"
    source.write_text(FILES.format(access=access), "utf-8")
    found = probe(home, str(source))
    assert found.outcome == "holds" and says(found, "count").startswith("9;"), found.checks
    assert states(found)["title"] == "unknown", "the answers have no titles, and nothing reads one"
    (folder / "LICENCE").write_text("all rights reserved")
    changed = probe(home, str(source))
    assert (changed.outcome, states(changed)) == ("differs", {"claim": "differs"})
    source.write_text(FILES.format(access=access.replace("data", "none")), "utf-8")
    gone = probe(home, str(source))
    assert gone.outcome == "not asked" and "does not exist" in says(gone, "call")


def test_the_state_of_a_source_is_known_to_the_workspace(home, tmp_path):
    source, folder = tmp_path / "files.py", tmp_path / "data"
    folder.mkdir()
    (folder / "LICENCE").write_text("CC BY 4.0")
    (folder / "a.txt").write_text(prose(1, 12), "utf-8")
    source.write_text(FILES.format(access=f"Folder(Path({str(folder)!r}), include=('*.txt',))"), "utf-8")
    assert (
        find_state(home.root, "files").describe() == find_state(tmp_path / "none", "files").describe() == "never seen"
    )
    found = probe(home, str(source))
    assert find_state(home.root, "files") == SourceState("", found.when[:10], "holds")
    collect(home, str(source), Progress(quiet=True))
    assert find_state(home.root, "files").describe().startswith("collected on 2")
    home.probe("files").write_text("{}")
    assert find_state(home.root, "files").probed == "", "an unreadable record is as none"


def test_the_command_prints_json_and_ends_with_the_worst_outcome(home, tmp_path):
    source, folder = tmp_path / "files.py", tmp_path / "data"
    folder.mkdir()
    (folder / "LICENCE").write_text("CC BY 4.0")
    (folder / "a.txt").write_text(prose(1, 12), "utf-8")
    source.write_text(FILES.format(access=f"Folder(Path({str(folder)!r}), include=('*.txt',))"), "utf-8")
    done = malmoi_in_process("sources", "probe", str(source), "--json", "--workspace", str(home.root))
    assert done.returncode == 0 and [one["outcome"] for one in json.loads(done.stdout)] == ["holds"]
    (folder / "LICENCE").write_text("no")
    assert malmoi_in_process("sources", "probe", str(source), "--workspace", str(home.root)).returncode == 1
    needs = malmoi_in_process("sources", "probe", str(source), "kipris", "--workspace", str(home.root))
    assert needs.returncode == 1 and "not asked" in needs.stdout
    assert malmoi_in_process("sources", "probe", "kipris", "--workspace", str(home.root)).returncode == 2
    assert malmoi_in_process("sources", "probe", "--workspace", str(home.root)).returncode == 2
    assert not list(home.tmp.iterdir()), "nothing of a probe stays but its result"


def test_a_withdrawn_page_is_not_asked_for_by_a_probe(home, tmp_path):
    with serve() as site:
        serve_pages(site)
        source = write_pages(tmp_path, site)
        stones = [tombstones.Tombstone("url", f"{site.base}/page/{n}", "2030-01-01", "asked") for n in range(20)]
        tombstones.add(home.withdrawals, stones)
        probe(home, source)
        assert not [path for path in site.hits if path.startswith("/page/")]
