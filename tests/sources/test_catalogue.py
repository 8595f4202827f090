"""The catalogue: each source says all it must, nothing denied gets in, and a new source really is one file."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len

from crawlers import catalogue, denylist
from flows import catalogue_page, source_files
from flows.collect import collect
from flows.console import SafeConsole
from flows.engine.progress import Progress
from flows.probing import probe_records
from flows.probing.probe_records import Check, ProbeResult
from malmoi.errors import CallError
from malmoi.releases.published_rows import sentence
from malmoi.releases.release_inputs import SourceFacts
from malmoi.source import Folder, LicenceRule, Source, TermsCheck
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_corpus import malmoi_in_process
from tests.builders.small_site import PAGES, serve

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "data" / "sources"
# The site of the demo, served by ourselves on loopback: each page speaks for itself, and all of it is seen.
SHIPPED = [name for name in catalogue.names() if name != "sample"]


def console(width: int) -> tuple[SafeConsole, StringIO]:
    written = StringIO()
    return SafeConsole(file=written, width=width, highlight=False, soft_wrap=True), written


@each_row("name", catalogue.names())
def test_a_source_is_called_as_its_file(name):
    assert catalogue.load(name).source.name == name


def test_a_source_file_that_was_edited_within_the_same_second_is_loaded_as_it_is_now(tmp_path):
    path = tmp_path / "own.py"
    for title in ("하나", "둘이", "셋이"):
        path.write_text(
            "from pathlib import Path\nfrom malmoi.source import Folder, Source\n"
            f"SOURCE = Source('own', {title!r}, '시험', access=Folder(Path('.')), claim=())\n", encoding="utf-8"
        )  # fmt: skip
        assert catalogue.load(str(path)).source.title == title
    assert list(tmp_path.iterdir()) == [path], "nothing is written beside it"


@each_row("name", SHIPPED)
def test_a_source_of_the_catalogue_says_all_it_must(name):
    assert not catalogue.find_missing(catalogue.load(name).source)


@each_row("name", catalogue.names())
def test_an_attribution_can_be_written_from_the_template(name):
    source = catalogue.load(name).source
    facts = SourceFacts(name, source.title, source.publisher, "Site", (), attribution=source.attribution)
    assert sentence(facts, title="제목", author="", date="2026-01-02", url="https://a.kr/", licence="MIT")


def test_the_fields_of_a_template_are_those_that_a_release_knows():
    facts = SourceFacts("a", "A", "B", "Site", (), attribution="".join(f"{{{name}}}" for name in catalogue.FIELDS))
    assert "{" not in sentence(facts, title="t", author="a", date="2026", url="u", licence="l")


@each_row("name", SHIPPED)
def test_a_source_has_tests_of_its_own_that_use_a_fixture(name):
    fixtures = {path.name for path in FIXTURES.glob("*")}
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if path.name != Path(__file__).name]
    tests = [path.read_text(encoding="utf-8") for path in files]
    about = [text for text in tests if re.search(rf"\b{name}\b", text)]
    assert about, f"no file of tests names {name}"
    assert any(fixture in text for text in about for fixture in fixtures) or any(
        fixture.startswith(name) for fixture in fixtures
    )


@each_row("name", catalogue.names())
def test_nobody_has_reviewed_what_ships(name):
    assert catalogue.load(name).source.terms is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": ""}, "title"),
        ({"rule": LicenceRule(("json-ld",))}, "expected is empty"),
        ({"rule": LicenceRule(("json-ld",), expected=("MIT", "Licence-X"))}, "Licence-X is not in"),
        ({"rule": LicenceRule(("kogl-block",), (("https://a.kr/", "b"),), expected=("MIT",))}, "https://a.kr/ covers"),
        ({"attribution": ""}, "names the origin"),
        ({"attribution": "{publisher} {autor}"}, "only title, author"),
        ({"register": ""}, "register"),
        ({"domain": ""}, "domain"),
        ({"expect": catalogue.Expect()}, "how many"),
        ({"expect": catalogue.Expect(9, 3)}, "at_least is above"),
        ({"unverified": ""}, "by a person"),
        ({"terms": TermsCheck("a", "2026-01-01", "https://a.kr", "allowed")}, "ships unreviewed"),
    ],
)
def test_what_a_source_does_not_say_is_missed(tmp_path, change, says):
    whole = skeleton(tmp_path)
    assert not catalogue.find_missing(whole)
    assert [found for found in catalogue.find_missing(replace(whole, **change)) if says in found]


def skeleton(folder: Path) -> Source:
    source_files.write_skeleton("handbook", folder, console(100)[0])
    return catalogue.load(str(folder / "handbook.py")).source


def test_a_new_source_really_is_one_file(tmp_path):
    skeleton(tmp_path)
    path = tmp_path / "handbook.py"
    with serve() as site:
        code = path.read_text(encoding="utf-8").replace("https://handbook.example/", f"{site.base}/page/1", 1)
        code = code.replace("https://handbook.example/", f"{site.base}/page/", 1)
        loopback = f'manners=Manners(delay=0.0, loopback=("{site.base.removeprefix("http://")}",))'
        path.write_text(code.replace("manners=Manners(delay=1.0, concurrency=1)", loopback), encoding="utf-8")
        done = collect(Workspace.open(tmp_path / "w"), str(path), Progress())
    assert (done.new, done.current) == (PAGES, PAGES)


def test_a_skeleton_is_not_written_over_anything_or_into_the_catalogue(tmp_path):
    skeleton(tmp_path)
    for name, says in (("handbook", "not overwritten"), ("sample", "already in the catalogue"), ("../x", "cannot be")):
        with pytest.raises(CallError, match=says):
            source_files.write_skeleton(name, tmp_path, console(100)[0])


@each_row(
    ("url", "entry"),
    [
        ("https://www.aihub.or.kr/aihubdata/data/view.do", "ai-hub"),
        ("https://kli.korean.go.kr/corpus/main.do", "nikl-corpora"),
        ("https://www.donga.com/news/", "press"),
        ("https://n.news.naver.com/", "press"),
        ("https://namu.wiki/w/a", "namuwiki"),
        ("https://a.tistory.com/1", "blogs"),
        ("https://gall.dcinside.com./board", "forums"),
        ("https://www.ebsi.co.kr/", "schoolbooks"),
        ("https://www.semi.org/ko", "industry-reports"),
        ("https://KOREAN.go.kr/", ""),
        ("https://www.korea.kr/", ""),
        ("https://evilnamu.wiki/", ""),
        ("https://namu.wiki.example.kr/", ""),
        ("not an address", ""),
        ("https://[", ""),
    ],
)
def test_a_host_of_the_denylist_is_known_with_all_hosts_below_it(url, entry):
    assert denylist.reason(url).partition(":")[0] == entry


ACCESS = {
    "Site": "Site(('{0}',), ('{0}',))",
    "Site.scope": "Site(('https://a.example/',), ('https://a.example/', '{0}'))",
    "Sitemap": "Sitemap(('{0}',), ('https://a.example/',))",
    "Feed": "Feed(('{0}',), ('https://a.example/',))",
    "Api": "Api(('{0}',), ('{0}',))",
    "OaiPmh": "OaiPmh('{0}')",
    "OaiPmh.scope": "OaiPmh('https://a.example/oai', scope=('{0}',))",
    "Dump": "Dump('{0}')",
    "Git": "Git('{0}')",
    "CommonCrawl": "CommonCrawl('CC-MAIN-2026-34', data='{0}')",
}


def write(folder: Path, access: str, more: str = "") -> str:
    path = folder / "bad.py"
    path.write_text(
        f"from malmoi.source import *\nSOURCE = Source('bad', 't', 'p', {access}{more})\n", encoding="utf-8"
    )
    return str(path)


@pytest.mark.parametrize("access", ACCESS.values(), ids=ACCESS)
def test_a_source_that_leads_to_a_denied_host_is_refused_with_the_reason(tmp_path, access):
    with pytest.raises(CallError, match=r"bad.py: https://namu.wiki/x is on the denylist \(namuwiki: CC-BY-NC-SA"):
        catalogue.load(write(tmp_path, access.format("https://namu.wiki/x")))


def test_a_blog_passes_where_each_item_must_carry_an_open_mark_and_a_forum_does_not(tmp_path):
    marked = ", rule=LicenceRule(('rel-license',), (('https://a.tistory.com/', '.postbtn_ccl'),))"
    blog, forum = (ACCESS["Site"].format(url) for url in ("https://a.tistory.com/", "https://dcinside.com/"))
    assert catalogue.load(write(tmp_path, blog, marked)).source.rule.proofs
    for access, more in ((blog, ""), (forum, marked)):
        with pytest.raises(CallError, match="denylist"):
            catalogue.load(write(tmp_path, access, more))


def test_the_collection_of_a_denied_source_is_a_wrong_call(tmp_path):
    path = write(tmp_path, ACCESS["Site"].format("https://namu.wiki/"))
    done = malmoi_in_process("collect", path, "--workspace", tmp_path / "w", "--contact", "a@example.kr")
    assert done.returncode == 2 and "namuwiki" in done.stderr and "Traceback" not in done.stderr


def test_each_row_of_the_denylist_says_why_and_what_that_rests_on():
    assert len({row.id for row in denylist.DENIED}) == len(denylist.DENIED)
    hosts = [host for row in denylist.DENIED for host in row.hosts]
    assert len(set(hosts)) == len(hosts)
    for row in denylist.DENIED:
        assert row.title and row.reason and row.basis and re.fullmatch(r"[a-z0-9-]+", row.id)
        assert all(re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", host) for host in row.hosts)


@pytest.mark.parametrize("width", [100, 120, 160])
def test_the_table_fits_its_terminal_and_shows_each_source(tmp_path, width):
    out, written = console(width)
    catalogue_page.show_table(tmp_path, out)
    lines = written.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert [line.split(" ")[0] for line in lines[1:] if line[:1].strip() and line[0] != "`"][
        -len(catalogue.names()) :
    ] == (catalogue.names())


def test_the_wide_table_has_one_line_a_source(tmp_path):
    out, written = console(100)
    catalogue_page.show_table(tmp_path, out, wide=True)
    lines = written.getvalue().splitlines()
    assert [line.split(" ")[0] for line in lines[1 : 1 + len(catalogue.names())]] == catalogue.names()
    assert "publisher" in lines[0] and "last run" in lines[0]


@pytest.mark.parametrize("name", catalogue.names())
def test_one_source_is_shown_in_full(tmp_path, name):
    out, written = console(100)
    catalogue_page.show_source(tmp_path, name, out)
    shown, source = " ".join(written.getvalue().split()), catalogue.load(name).source
    assert source.title.split()[0] in shown and f"{source.expect.at_least:,} to {source.expect.at_most:,}" in shown
    needed = not (isinstance(source.access, Folder) or source.manners.loopback)
    assert ("terms check open" if needed else "terms check not needed") in shown
    assert all(claim.licence in shown for claim in source.claim)


def test_what_names_the_files_of_a_repository_and_the_works_of_a_family_is_shown(tmp_path):
    out, written = console(200)
    catalogue_page.show_source(tmp_path, "law_git_rules", out)
    shown = " ".join(written.getvalue().split())
    assert "named by 행정규칙ID or 행정규칙일련번호" in shown and "family law.go.kr/admrul" in shown


def test_a_key_is_shown_by_its_name_and_never_by_its_value(tmp_path, monkeypatch):
    keyed = [n for n in SHIPPED if getattr(catalogue.load(n).source.access, "key", "")]
    assert keyed
    variable = catalogue.load(keyed[0]).source.access.key
    monkeypatch.setenv(variable, "geheim123")
    for show in (
        lambda out: catalogue_page.show_table(tmp_path, out),
        lambda out: catalogue_page.show_source(tmp_path, keyed[0], out),
    ):
        out, written = console(160)
        show(out)
        assert "set" in written.getvalue() and "geheim123" not in written.getvalue()
    assert f"{variable} (set)" in written.getvalue()


def test_a_recorded_check_is_read_back_shown_and_replaced(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    source = catalogue.load("sample").source
    assert source_files.terms_of(workspace, source) is None
    for verdict in ("allowed", "forbidden"):
        done = malmoi_in_process(
            "sources", "terms", "sample", "--reviewer", "김 아무개", "--page", "https://a.kr/t", "--date", "2026-01-02",
            "--verdict", verdict, "--workspace", workspace.root,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert source_files.terms_of(workspace, source) == TermsCheck(
            "김 아무개", "2026-01-02", "https://a.kr/t", verdict
        )
    held = json.loads((workspace.root / "terms.json").read_text(encoding="utf-8"))
    assert held.keys() == {"sample"} and held["sample"].keys() == {"reviewer", "date", "url", "verdict"}
    out, written = console(120)
    catalogue_page.show_table(workspace.root, out)
    assert "forbidden 2026-01-02" in " ".join(written.getvalue().split())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--reviewer": " "}, "--reviewer is empty"),
        ({"--page": "terms.html"}, "not an http or https address"),
        ({"--verdict": "maybe"}, "allowed or forbidden"),
        ({"--date": "24.11.2026"}, "write it as"),
        ({"--date": "9999-01-01"}, "in the future"),
    ],
)
def test_a_check_that_says_too_little_is_not_recorded(tmp_path, change, says):
    words = {"--reviewer": "a", "--page": "https://a.kr/", "--verdict": "allowed"} | change
    done = malmoi_in_process(
        "sources", "terms", "sample", *(w for pair in words.items() for w in pair), "--workspace", tmp_path / "w"
    )
    assert done.returncode == 2 and says in done.stderr and not (tmp_path / "w" / "terms.json").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"sample": {}}', '{"sample": {"reviewer": 1}}'])
def test_a_file_of_checks_that_is_none_is_not_guessed_at(tmp_path, text):
    workspace = Workspace.open(tmp_path / "w")
    (workspace.root / "terms.json").write_text(text, encoding="utf-8")
    with pytest.raises(CallError, match=r"terms\.json"):
        source_files.terms_of(workspace, catalogue.load("sample").source)


def test_the_commands_of_the_catalogue_answer(tmp_path):
    listed = malmoi_in_process("sources", "--workspace", tmp_path / "w")
    shown = malmoi_in_process("sources", "sample", "--workspace", tmp_path / "w")
    found = malmoi_in_process("sources", "denied", "나무위키")
    none = malmoi_in_process("sources", "denied", "없는말")
    unknown = malmoi_in_process("sources", "nowhere")
    assert [done.returncode for done in (listed, shown, found, none, unknown)] == [0, 0, 0, 2, 2]
    assert "sample" in listed.stdout and "말모이 견본 누리집" in shown.stdout and "CC-BY-NC-SA" in found.stdout
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(("language", "page"), [("en", "sources.md"), ("ko", "sources.ko.md")])
def test_the_page_of_the_docs_is_the_catalogue(language, page):
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == catalogue_page.render(language), (
        f"write it anew: python -m flows.catalogue_page {language} > docs/{page}"
    )


def test_a_page_of_a_workspace_says_when_a_source_was_probed(tmp_path):
    workspace = Workspace.open(tmp_path / "w")
    result = ProbeResult("react_ko", "2026-11-30T00:00:00Z", "differs", (Check("licence", "differs", "none"),))
    probe_records.record(workspace, result)
    lines = catalogue_page.render("en", tmp_path / "w").splitlines()
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    assert "| probed on 2026-11-30: differs |" in rows["react_ko"] and "| never seen |" in rows["kowiki"]


def test_the_page_says_what_a_person_must_do_first_and_which_recipe_collects_by_itself():
    rows = {line.split("`")[1]: line for line in catalogue_page.render("en").splitlines() if line.startswith("| `")}
    assert "| terms check, key `MALMOI_LAW_OC` |" in rows["law_rules"] and "| the files |" in rows["history_db"]
    assert rows["kiet"].endswith("| manufacturing |") and rows["mdn_ko"].endswith("| — |")


def test_an_estimate_names_its_arithmetic():
    for name in catalogue.names():
        estimate = catalogue.load(name).source.estimate
        assert estimate is None or (estimate.characters > 0 and re.search(r"\d", estimate.origin)), name


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ('access=Folder("/data")', r"SOURCE\.access\.path is '/data', which is str; write Path\('/data'\)"),
        (
            'access=Site(start="http://a.kr/", scope=("http://a.kr/",))',
            r"access\.start is 'http://a.kr/', which is str",
        ),
        ("access=Warc((1,))", r"access\.paths holds 1, which is int"),
        ('access=Folder(Path("/data")), claim=LicenceClaim("CC-BY-4.0", "x")', r"SOURCE\.claim is LicenceClaim"),
        (
            'access=Folder(Path("/data")), rule=LicenceRule(("json-ld",), ("https://a.kr/", "p"))',
            r"SOURCE\.rule\.selector holds 'https://a.kr/', which is str; it takes pairs",
        ),
        ('access=Folder(Path("/data")), manners=Manners(delay="1")', r"SOURCE\.manners\.delay is '1', which is str"),
    ],
)
def test_a_field_of_another_kind_is_named_with_what_to_write(tmp_path, declared, says):
    file = tmp_path / "s.py"
    file.write_text(
        "from pathlib import Path\nfrom malmoi.source import *\n"
        f'SOURCE = Source(name="s", title="t", publisher="p", {declared})\n'
    )
    with pytest.raises(CallError, match=says):
        catalogue.load(str(file))
