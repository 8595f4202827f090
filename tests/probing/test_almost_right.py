"""A server that answers almost right: the probe names what differs, and never says that it holds."""

import gzip
import json

import pytest

from flows.probing.probe_source import Fetched, check_fetched, probe
from flows.probing.read_items import _find_contradiction
from malmoi.archive.capture import Capture, IndexRow
from malmoi.source import Site, Source
from malmoi.workspace import Workspace
from tests.builders.small_archive import MARK, prose
from tests.builders.small_site import Answer, serve

HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
COUNT = 20
SOURCE = """
import json
from urllib.parse import urlsplit
from crawlers import tables
from crawlers.formats import xml_records
from crawlers.platforms.answer_fields import Fields
from malmoi.source import *
SOURCE = Source(
    "s", "견본", "발행처", {access}, {rights}, expect=Expect(1, 1000), attribution="{{title}}",
    manners=Manners(delay=0.0, loopback=("{host}",)),
)
{functions}
"""
CLAIM = """claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 쓴다", url="{base}/licence"),),
    rule=LicenceRule(("dump-claim",), expected=("CC-BY-4.0",))"""
KOGL = 'rule=LicenceRule(("kogl-block",), selector=(("{base}/", ".kogl"),), expected=("LicenseRef-KOGL-1",))'
FIELD = 'rule=LicenceRule(("field",), fields=("이용조건",), expected=("LicenseRef-KOGL-1",))'
SITE = 'Site(("{base}/",), ("{base}/",))'
SITEMAP = 'Sitemap(("{base}/sitemap.xml",), ("{base}/page/",))'
FEED = 'Feed(("{base}/rss",), ("{base}/page/",))'
API = 'Api(("{base}/list",), ("{base}/",))'
CSV = 'Api(("{base}/rows.csv",), ("{base}/",))'
LINES = 'Dump("{base}/dump.jsonl.gz", record="line")'
RECORDS = 'Dump("{base}/dump.xml", record="record")'
OF_API = """
FIELDS = Fields(("id", "title", "text", "이용조건", "next", "totalCount"))
def follow(capture):
    return ["{base}" + path for path in json.loads(capture.body).get("next", [])] if "/list" in capture.url else []
def items(capture):
    if "/list" in capture.url:
        return []
    return tables.rows(capture, text="text", licence="이용조건", name=urlsplit(capture.url).path)
def unknown_fields(capture):
    return FIELDS.find_unknown(json.loads(capture.body))
"""
OF_DUMP = """
def items(capture):
    for one in xml_records.parse_xml(capture.body, capture.charset).iter("record"):
        key, text = one.findtext("id"), one.findtext("text")
        yield Item(key, f"{{capture.url}}#{{key}}", text, "text/plain", "", capture.record, title="제목")
"""
FUNCTIONS = {API: OF_API, RECORDS: OF_DUMP}
RIGHTS = {API: FIELD, CSV: FIELD}
WALL = (
    f"<html><head><title>안내</title></head><body><div><p>{prose(99, 9)}</p><p>/page/{{}} 요청</p></div></body></html>"
)
XML_ERROR = b"<OpenAPI_ServiceResponse><returnAuthMsg>SERVICE_KEY</returnAuthMsg></OpenAPI_ServiceResponse>"


def page(number, mark=""):
    text = f"<article><h1>글 {number}</h1><p>{prose(number, 12)}</p></article>{mark}"
    return Answer(f"<html><head><title>글 {number}</title></head><body>{text}</body></html>".encode(), headers=HTML)


def row(number):
    return {"id": str(number), "title": f"글 {number}", "text": prose(number, 12), "이용조건": "공공누리 제1유형"}


def without(one, *names):
    return {name: value for name, value in one.items() if name not in names}


def fill(site):
    """Serve what the source declares: pages, lists of them, rows of an interface, dumps."""
    rows, urls = [row(n) for n in range(COUNT)], [f"{site.base}/page/{n}" for n in range(COUNT)]
    site.answers = {f"/page/{n}": page(n) for n in range(COUNT)}
    site.answers |= {f"/row/{n}": Answer(json.dumps([one]).encode(), headers=JSON) for n, one in enumerate(rows)}
    links = "".join(f'<a href="{url}">{url}</a>' for url in urls)
    locs = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    entries = "".join(f"<item><link>{url}</link></item>" for url in urls)
    records = "".join(f"<record><id>{one['id']}</id><text>{one['text']}</text></record>" for one in rows)
    lines = "".join(f"{json.dumps(without(one, '이용조건'))}\n" for one in rows).encode()
    cells = "".join(",".join(one.values()) + "\n" for one in rows)
    said = {
        "/": (f"<html><body>{links}</body></html>", HTML),
        "/licence": ("<p>CC BY 4.0으로 쓴다</p>", HTML),
        "/sitemap.xml": (f"<urlset>{locs}</urlset>", {"Content-Type": "application/xml"}),
        "/rss": (f"<rss><channel>{entries}</channel></rss>", {"Content-Type": "application/rss+xml"}),
        "/list": (json.dumps({"totalCount": COUNT, "next": [f"/row/{n}" for n in range(COUNT)]}), JSON),
        "/rows.csv": (f"id,title,text,이용조건\n{cells}", {"Content-Type": "text/csv"}),
        "/dump.xml": (f"<records>{records}</records>", {"Content-Type": "application/xml"}),
    }
    site.answers |= {path: Answer(text.encode(), headers=head) for path, (text, head) in said.items()}
    site.answers["/dump.jsonl.gz"] = Answer(gzip.compress(lines), headers={"Content-Type": "application/gzip"})


def pages(make):
    """Answer each page by `make(number)`."""
    return lambda site: site.answers.update({f"/page/{n}": make(n) for n in range(COUNT)})


def rows(make):
    """Answer each row by the JSON that `make` returns for it."""
    return lambda site: site.answers.update(
        {f"/row/{n}": Answer(json.dumps(make(row(n))).encode(), headers=JSON) for n in range(COUNT)}
    )


def put(path, body, head=HTML, status=200):
    return lambda site: site.answers.update({path: Answer(body, status, head)})


def edit(path, old, new):
    return lambda site: site.answers.update(
        {path: Answer(site.answers[path].body.replace(old, new), headers=site.answers[path].headers)}
    )


def ask(folder, access, rights="", change=None):
    """Probe a source at a server that answers as `change` makes it."""
    with serve() as site:
        fill(site)
        if change:
            change(site)
        code = SOURCE.replace("{access}", access).replace("{rights}", rights or RIGHTS.get(access, CLAIM))
        code = code.replace("{functions}", FUNCTIONS.get(access, "")).replace("{base}", site.base)
        path = folder / "s.py"
        path.write_text(code.replace("{host}", site.base[7:]).replace("{{", "{").replace("}}", "}"), "utf-8")
        return probe(Workspace.open(folder / "w"), str(path))


@pytest.mark.one_case_in(4)
@pytest.mark.parametrize("access", [SITE, SITEMAP, FEED, API, CSV, LINES, RECORDS])
def test_a_server_that_answers_right_holds(tmp_path, access):
    found = ask(tmp_path, access)
    assert found.outcome == "holds", found.checks


CASES = [
    # pages
    (SITE, pages(lambda n: Answer(WALL.format("").encode(), headers=HTML)), "copies", "differs", "1 of 5 texts are"),
    (SITE, pages(lambda n: Answer(WALL.format(n).encode(), headers=HTML)), "copies", "differs", "5 are alike, such as"),
    (SITE, pages(lambda n: Answer(b"", 302, {"Location": "/licence"})), "redirects", "differs", "led to one page"),
    (SITE, pages(lambda n: Answer(b"", 302, {"Location": "http://other.example/"})), "redirects", "differs", "scope"),
    (SITE, pages(lambda n: Answer(b"", 200, HTML)), "text", "differs", "empty ×5"),
    (SITE, pages(lambda n: Answer(b"no", 404, HTML)), "answers", "differs", "status-404"),
    (SITE, pages(lambda n: Answer(page(n).body, 200, {**HTML, "Content-Encoding": "gzip"})), "answers", "differs",
     "bad-compression"),
    (SITE, pages(lambda n: Answer(b'{"error": 1}', 200, JSON)), "items", "differs", "json with the fields error ×5"),
    (SITE, pages(lambda n: Answer(f"<body><p>{prose(n, 1)}</p></body>".encode(), 200, HTML)), "kept", "differs",
     "0 of 5 by the recipe general; dropped: length: too-short"),
    (SITE, put("/", page(5).body), "count", "differs", "follow() finds no address inside the scope on the start page"),
    (SITE, put("/robots.txt", b"User-agent: *\nDisallow: /page/\n", {"Content-Type": "text/plain"}), "robots.txt",
     "differs", "5 addresses may not be fetched"),
    (SITE, put("/robots.txt", page(1).body), "robots.txt", "differs", "robots-unreadable"),
    (SITEMAP, edit("/sitemap.xml", b"/page/", b"/other/"), "answers", "failed", "no address to fetch: 20 out-of-scope"),
    (SITEMAP, edit("/sitemap.xml", b"/page/1", b"/other/1"), "count", "holds", "9, 11 out-of-scope"),
    (SITEMAP, put("/sitemap.xml", page(1).body), "answers", "failed", "not-a-sitemap"),
    (SITEMAP, lambda site: site.answers.pop("/sitemap.xml"), "answers", "failed", "check that page and access.urls"),
    (FEED, put("/rss", b"<rss><channel></channel></rss>"), "answers", "failed", "it names no page"),
    # an interface
    (API, rows(lambda one: {"a": [one], "b": [one]}), "reading", "differs", "json with the fields a"),
    (API, rows(lambda one: {"response": {"body": [one]}}), "kept", "holds", "of 5 by the recipe general"),
    (API, rows(lambda one: [{**without(one, "text"), "body": one["text"]}]), "other fields", "differs", "body"),
    (API, rows(lambda one: [{**one, "text": {"ko": one["text"]}}]), "text", "differs", "empty ×5"),
    (API, rows(lambda one: [{**one, "text": int(one["id"])}]), "kept", "differs", "not-korean"),
    (API, rows(lambda one: [{**one, "text": prose(1, 12)}]), "copies", "differs", "1 of 5"),
    (API, rows(lambda one: []), "reading", "differs", "(json)"),
    (API, rows(lambda one: {"error": {"message": "quota"}}), "other fields", "differs", "unknown: message"),
    (API, rows(lambda one: [{**one, "이용조건": "1"}]), "licence", "differs", "unknown value: '1' at 이용조건 ×5"),
    (API, rows(lambda one: [{**one, "이용조건": "CC BY 4.0"}]), "licence", "differs",
     "'CC BY 4.0' at 이용조건 is CC-BY-4.0, which is not expected ×5. Expected: LicenseRef-KOGL-1"),
    (API, rows(lambda one: [{**one, "이용조건": ""}]), "licence", "differs", "이용조건 is empty ×5"),
    (API, rows(lambda one: [one, {**row(100 + int(one["id"])), "이용조건": ""}]), "licence", "partly",
     "LicenseRef-KOGL-1 ×5 in 5 of 10"),
    (API, edit("/list", b'"totalCount": 20', b'"totalCount": 9000'), "total", "differs", "states 9,000 results"),
    (API, edit("/list", b'"totalCount": 20', b'"totalCount": 0'), "total", "differs", "states 0 results"),
    (API, put("/list", b'{"totalCount": 20, "nexts": ["/row/1"]}', JSON), "items", "differs", "totalCount, nexts"),
    (API, lambda site: site.answers.update({f"/row/{n}": Answer(XML_ERROR) for n in range(COUNT)}), "reading",
     "differs", "xml with the fields returnAuthMsg"),
    (CSV, put("/rows.csv", page(1).body), "type", "differs", "html, named like csv"),
    (CSV, edit("/rows.csv", "이용조건".encode(), b"terms"), "licence", "differs", "the answer has no field 이용조건"),
    (API, rows(lambda one: [row(int(one["id"]) % 2)]), "copies", "differs", "texts are distinct"),
    (SITE, put("/ai.txt", b"User-Agent: *\nDisallow: /\n", {"Content-Type": "text/plain"}), "licence", "differs",
     "reserves the use"),
    (API, rows(lambda one: [without(one, "title")]), "title", "differs", "the attribution reads it"),
    # dumps
    (LINES, put("/dump.jsonl.gz", WALL.encode()), "answers", "failed", "it is a page of HTML, not a dump"),
    (RECORDS, put("/dump.xml", WALL.encode()), "answers", "failed", "it is a page of HTML, not a dump"),
    (RECORDS, edit("/dump.xml", b"text>", b"body>"), "reading", "differs", "xml with the fields record, id, body"),
    (RECORDS, edit("/dump.xml", b"record>", b"row>"), "answers", "failed", "no <record>"),
    (LINES, put("/dump.jsonl.gz", gzip.compress(b"x" * 9999)[:20]), "answers", "failed", "cut off"),
]  # fmt: skip


@pytest.mark.one_case_in(12)
@pytest.mark.parametrize(("access", "change", "field", "state", "words"), CASES)
def test_an_answer_that_is_almost_right_is_named(tmp_path, access, change, field, state, words):
    found = ask(tmp_path, access, change=change)
    checks = [one for one in found.checks if one.field == field]
    assert [one.state for one in checks] == [state] and words in checks[0].says, found.checks
    assert found.outcome == "holds" if state == "holds" else found.outcome in (state, "differs", "failed")


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("", "the selector '.kogl' matches nothing ×5"),
        ('<div class="kogl">공공</div>', "the selector '.kogl' matches 1 element, which proves no licence ×5"),
        (MARK.replace("Type1", "Type4").replace("type01", "type04").replace("제1유형", "제4유형"), "LicenseRef-KOGL-4"),
    ],
)
def test_the_place_of_a_mark_is_described_where_it_proves_nothing(tmp_path, mark, words):
    assert ask(tmp_path, SITE, KOGL, pages(lambda n: page(n, MARK))).outcome == "holds"
    found = ask(tmp_path, SITE, KOGL, pages(lambda n: page(n, mark)))
    licence = next(one for one in found.checks if one.field == "licence")
    assert licence.state == "differs" and words in licence.says and "Expected: LicenseRef-KOGL-1" in licence.says


WIKI = "<!doctype html><html><body><h1><span>파일</span>:<span>자료 1.hwp</span></h1></body></html>"


@pytest.mark.parametrize(
    ("path", "media", "body", "says"),
    [
        ("/wiki/%ED%8C%8C%EC%9D%BC:%EC%9E%90%EB%A3%8C_1.hwp", "text/html; charset=utf-8", WIKI, ""),
        ("/wiki/File:Report.PDF", "text/html", WIKI.replace("파일", "File").replace("자료 1.hwp", "report.pdf"), ""),
        ("/files/1.hwp", "text/html", "<!doctype html><html><body><h1>오류</h1></body></html>", "html, named like hwp"),
        ("/files/1.hwp", "application/x-hwp", WIKI.replace("자료 1.hwp", "1.hwp"), "html, named like hwp"),
        ("/files/1.hwp", "application/json", '{"error": 1}', "json, named like hwp"),
    ],
)
def test_the_page_of_a_file_in_a_wiki_is_no_error_page(path, media, body, says):
    capture = Capture("r", f"http://a.kr{path}", "", 200, (("Content-Type", media),), body.encode())
    assert _find_contradiction(capture) == says


@pytest.mark.parametrize(
    ("failed", "pages", "state"),
    [
        (["status-404"], 9, "partly"),
        (["status-404", "status-410"], 2, "differs"),
        (["status-404"], 0, "differs"),
        (["links-unread: JSONDecodeError"], 9, "differs"),
        (["status-404", "timeout"], 9, "differs"),
        ([], 9, "holds"),
    ],
)
def test_a_few_dead_links_do_not_make_a_source_differ(tmp_path, failed, pages, state):
    source = Source("a", "A", "B", Site(("http://a.kr/",), ("http://a.kr/",)))
    row = IndexRow("r", "http://a.kr/", "", 200, "text/html", "", "", 0, 1, "response")
    facts = {"failed": [{"url": "http://a.kr/x", "why": why} for why in failed]}
    checks = check_fetched(source, Fetched(tmp_path, [row] * pages, facts), is_claim=False)
    assert [one.state for one in checks if one.field == "answers"] == [state]
