"""Annexes of rules: each file is a document under the id of its rule, with the rights that the list states."""

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers import attachments, catalogue, defaults
from crawlers.extract import Extraction, extractor, make_document
from crawlers.formats import ParsedItem
from crawlers.platforms import law_annexes, law_go_kr
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import is_in_scope
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.apply import Dropped, Kept
from malmoi.archive import collection
from malmoi.archive.capture import Capture, record_id
from malmoi.errors import CaptureError
from malmoi.licensing.rights_decision import decide
from malmoi.source import Api, Attachment
from malmoi.workspace import Workspace
from tests.builders.documents import small_annex
from tests.builders.documents.small_hwp import read
from tests.builders.rows import each_row
from tests.builders.small_site import Answer, serve

DATA = Path(__file__).parents[1] / "data" / "sources"
NAMES = ("law_rule_annexes", "law_statute_annexes", "law_ordinance_annexes")
ANNEXES = {annex.name: annex for annex in small_annex.load()}
FILE = "https://www.law.go.kr/LSW/flDownload.do?flSeq="


def capture(url, body, *, media="text/xml;charset=UTF-8", facts=""):
    headers = (("Content-Type", media), *(((attachments.HEADER, facts),) if facts else ()))
    return Capture(record_id(url, body), url, "2030-11-20T15:00:00Z", 200, headers, body, "x")


def listed(name, **changes):
    """The first page of a list; `changes` are words and what they become."""
    text = (DATA / f"{name}.xml").read_text("utf-8")
    for said, instead in changes.items():
        assert f"<{said}>" in text
        text = text.replace(f"<{said}>", f"<{instead}>")
    return capture(catalogue.load(name).source.access.start[0], text.encode())


def found_at(name, body, number=0, page=None):
    """The capture of the file that the `number`-th attachment of a list names."""
    page = page or listed(name)
    links = [one for one in catalogue.load(name).follow(page) if isinstance(one, Attachment)]
    facts = attachments.write_header(links[number], page.record)
    return capture(canonical_url(links[number].url), body, media="application/octet-stream", facts=facts)


def outcomes(name, found):
    definition = catalogue.load(name)
    made = ((one, definition.text(one)) for one in map(ParsedItem, definition.items(found)))
    return [make_document(replace(found, source=name), "0", item, text, definition.evidence) for item, text in made]


def only(name, found):
    (outcome,) = outcomes(name, found)
    return outcome


def rights(outcome):
    return decide(outcome.document.evidence, outcome.document.signals)


@pytest.mark.parametrize("name", NAMES)
def test_a_list_leads_to_its_other_pages_and_to_its_files_within_the_scope(name):
    source = catalogue.load(name).source
    assert isinstance(source.access, Api) and source.access.key == law_go_kr.KEY
    named = list(catalogue.load(name).follow(listed(name)))
    files = [one for one in named if isinstance(one, Attachment)]
    assert files and all(is_in_scope(canonical_url(one.url), source.access) for one in files)
    assert [one for one in named if isinstance(one, str)] == (
        [source.access.start[0].replace("page=1", f"page={n}") for n in (2, 3)] if name == "law_statute_annexes" else []
    )
    assert not any("secret" in repr(one) for one in named), "the list repeats the id of who asks"
    assert list(catalogue.load(name).follow(found_at(name, b"x"))) == []


def test_the_hwp_of_an_annex_is_requested_and_its_pdf_only_without_one():
    statutes = catalogue.load("law_statute_annexes").follow(listed("law_statute_annexes"))
    assert [one.url for one in statutes if isinstance(one, Attachment)] == [f"{FILE}8001", f"{FILE}8004"]


@pytest.mark.parametrize("called", ["삭제", "삭제 &lt;2030. 1. 2.&gt;", "[별지 제6호서식]으로 이동"])
def test_a_row_that_says_that_its_annex_is_gone_is_not_requested(called):
    name = "law_rule_annexes"
    said = listed(name)
    words = "<![CDATA[포장용 골판지의 압축강도 시험방법(제4조제2항 관련)]]>"
    page = replace(said, body=said.body.decode().replace(words, called).encode())
    files = [one.url for one in catalogue.load(name).follow(page) if isinstance(one, Attachment)]
    assert f"{FILE}9001" not in files and f"{FILE}9003" in files
    reasons = {one.document.id: one.verdict.reason for one in outcomes(name, page)}
    assert reasons["law_rule_annexes/99801/990001"] == "removed"


def test_an_annex_is_a_document_under_the_id_of_its_rule():
    outcome = only("law_rule_annexes", found_at("law_rule_annexes", small_annex.hwp(ANNEXES["종이_강도_시험방법"])))
    assert isinstance(outcome, Kept)
    doc = outcome.document
    assert (doc.id, doc.date, doc.author) == ("law_rule_annexes/99801/990001", "2030-02-10", "가상부")
    assert doc.title == "가상의 종이 두께 기준 [별표 1] 포장용 골판지의 압축강도 시험방법(제4조제2항 관련)"
    assert "| 소형 상자 | 200 | 150 | 100 | 10 | 골의 방향을 높이에 맞춘다 |" in doc.text.split("\n")
    assert doc.provenance.url == f"{FILE}9001" and doc.provenance.format == "hwp"
    assert rights(outcome).use == "redistribute" and rights(outcome).licence == "LicenseRef-KR-CA-Art7"
    (mark,) = doc.evidence
    assert mark.quote == "행정규칙종류 고시 소관부처명 가상부"
    assert mark.record == doc.provenance.record, "its headers repeat the words"
    assert mark.place == f"{listed('law_rule_annexes').record}/admrulbyl/행정규칙종류"


def test_the_rule_of_an_annex_has_the_same_id_among_the_rules():
    """관련법령ID of the list is 행정규칙ID of an entry, so that the id leads from the annex to its rule."""
    entry = (DATA / "law_rule.xml").read_text("utf-8")
    assert "<행정규칙ID>99801</행정규칙ID>" in entry
    assert "<관련법령ID>99801</관련법령ID>" in (DATA / "law_rule_annexes.xml").read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "office", "use"),
    [
        ("고시", "가상부", "redistribute"),
        ("훈령", "가상청", "redistribute"),
        ("세칙", "가상부", "exclude"),
        ("고시", "금융감독원", "exclude"),
        ("고시", "가상부, 금융감독원", "exclude"),
        ("", "가상부", "exclude"),
        ("고시", "", "exclude"),
    ],
)
def test_an_annex_is_free_if_its_rule_is(kind, office, use):
    text = (DATA / "law_rule_annexes.xml").read_text("utf-8")
    text = text.replace("<행정규칙종류>고시<", f"<행정규칙종류>{kind}<")
    text = text.replace("<소관부처명>가상부<", f"<소관부처명>{office}<")
    page = capture(catalogue.load("law_rule_annexes").source.access.start[0], text.encode())
    body = small_annex.hwp(ANNEXES["종이_강도_시험방법"])
    assert rights(only("law_rule_annexes", found_at("law_rule_annexes", body, page=page))).use == use


def test_a_file_without_the_words_of_its_list_has_no_rights():
    body = small_annex.hwp(ANNEXES["종이_강도_시험방법"])
    outcome = only("law_rule_annexes", capture(f"{FILE}9001", body, media="application/octet-stream"))
    assert rights(outcome).reason == "no-licence"


@pytest.mark.parametrize(("number", "use"), [(0, "redistribute"), (1, "exclude")])
def test_an_annex_of_a_local_government_is_free_if_the_name_says_ordinance_or_rule(number, use):
    body = small_annex.hwp(ANNEXES["시설기준_문장"])
    outcome = only("law_ordinance_annexes", found_at("law_ordinance_annexes", body, number))
    assert rights(outcome).use == use
    assert outcome.document.title == (
        "가상시 야영장 조례 [별표 1]야영장의 시설기준" if number == 0 else "가상시 도로 관리 지침 [별표] 점용료"
    )


@pytest.mark.parametrize(
    ("kind", "use"), [("대통령령", "redistribute"), ("가상부령", "redistribute"), ("해설", "exclude")]
)
def test_an_annex_of_a_statute_is_free_by_the_kind_of_the_statute(kind, use):
    page = listed("law_statute_annexes")
    page = replace(page, body=page.body.replace("<법령종류>대통령령<".encode(), f"<법령종류>{kind}<".encode()))
    body = small_annex.pdf(ANNEXES["수수료표"])
    outcome = only("law_statute_annexes", found_at("law_statute_annexes", body, 1, page))
    assert rights(outcome).use == use and outcome.document.id == "law_statute_annexes/009902/980002"
    assert "| 가. 기기 형식승인 신청 | 120,000원 | |" in outcome.document.text


def test_a_corporation_that_calls_its_house_rules_an_ordinance_has_no_rights():
    page = listed("law_ordinance_annexes")
    page = replace(page, body=page.body.replace("경기도 가상시".encode(), "가상시 시설관리공단".encode()))
    body = small_annex.hwp(ANNEXES["시설기준_문장"])
    assert rights(only("law_ordinance_annexes", found_at("law_ordinance_annexes", body, page=page))).use == "exclude"


def test_rows_whose_files_are_not_requested_are_dropped_by_name():
    found = outcomes("law_rule_annexes", listed("law_rule_annexes"))
    assert {one.document.id: one.verdict.reason for one in found} == {
        "law_rule_annexes/99801/990002": "declared-form",
        "law_rule_annexes/99802/990004": "no-file",
    }
    assert found[0].document.title == "가상의 종이 두께 기준 [서식 1] 두께 신고서"


@each_row("form", [name for name, annex in ANNEXES.items() if annex.form])
def test_a_blank_form_is_dropped_whatever_the_list_calls_it(form):
    body = small_annex.hwpx(ANNEXES[form])
    outcome = only("law_rule_annexes", found_at("law_rule_annexes", body, 1))
    assert outcome.document.id == "law_rule_annexes/99801/990003" and "[별지 3의2]" in outcome.document.title
    assert isinstance(outcome, Dropped) and outcome.verdict.reason == "blank-form"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html><body><p>not found</p></body></html>", "no-document"),
        ("파일이 없습니다".encode(), "no-document"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "unsupported-format:image"),
        (b"%PDF-1.4 broken", "damaged"),
    ],
)
def test_an_answer_that_is_not_a_document_is_dropped_by_name(body, reason):
    outcome = only("law_rule_annexes", found_at("law_rule_annexes", body))
    assert isinstance(outcome, Dropped) and outcome.verdict.reason == reason


def test_the_author_that_a_file_names_is_left_out():
    """An HWP stores the name of who typed it; the list names the office."""
    annex = ANNEXES["수수료표"]
    body = small_annex.small_hwp.hwpx(
        "".join(small_annex._owpml_block(annex, block) for block in annex.blocks), author="김가상", title="딴 제목"
    )
    text = (DATA / "law_rule_annexes.xml").read_text("utf-8").replace("<소관부처명>가상부<", "<소관부처명><")
    page = capture(catalogue.load("law_rule_annexes").source.access.start[0], text.encode())
    doc = only("law_rule_annexes", found_at("law_rule_annexes", body, page=page)).document
    assert doc.author == "" and doc.title.startswith("가상의 종이 두께 기준")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("<totalCnt>5", "<totalCnt>x"), "does not state its length"),
        (("admrulbyl", "annex"), "counts 5 entries and shows none"),
        (("별표일련번호", "일련번호"), "a row has no 별표일련번호"),
    ],
)
def test_a_list_that_has_changed_stops_the_source(change, why):
    page = listed("law_rule_annexes")
    page = replace(page, body=page.body.decode().replace(*change).encode())
    with pytest.raises(CaptureError, match=why):
        list(catalogue.load("law_rule_annexes").follow(page))


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        ("list", (DATA / "law_rule_annexes.xml").read_bytes(), None),
        ("list", (DATA / "law_refused.xml").read_bytes(), "stop"),
        ("list", b"<licBylSearch><totalCnt> 0 </totalCnt></licBylSearch>", "stop"),
        ("list", b"", "again"),
        (f"{FILE}9001", b"", "again"),
        (f"{FILE}9001", b"\xd0\xcf\x11\xe0", None),
    ],
)
def test_an_answer_that_is_none_is_known_as_such(url, body, kind):
    definition = catalogue.load("law_rule_annexes")
    said = definition.trouble(capture(definition.source.access.start[0] if url == "list" else url, body))
    assert (said.kind if said else None) == kind


# Recovery and forms, on all three formats


@each_row("kind", small_annex.WRITERS)
@each_row("name", ANNEXES)
def test_annexes_are_recovered_whole_and_forms_are_told_apart(kind, name):
    annex = ANNEXES[name]
    found = read(small_annex.WRITERS[kind](annex), f"a.{kind}")
    assert law_annexes.is_blank_form(found) == annex.form
    if not annex.form:
        assert small_annex.missing_units(annex, found.text) == []


def test_a_long_document_with_forms_behind_it_is_not_a_blank_form():
    annex = ANNEXES["관리대장"]
    blank = read(small_annex.hwp(annex))
    long = replace(blank, text=f"{'가' * law_annexes.MOST}\n{blank.text}", cells=2_000, blank_cells=1_900)
    assert law_annexes.measure_emptiness(long)[2] > law_annexes.LIMIT and not law_annexes.is_blank_form(long)


# The whole way: a list and its files from a server, archived without the key, and read again

SECRET = "malmoi-test-id"
MOVED = """
import dataclasses
from crawlers.sources.law import law_rule_annexes as it
from malmoi.source import Expect, Manners
BASE = "https://www.law.go.kr"
SOURCE = dataclasses.replace(
    it.SOURCE,
    access=dataclasses.replace(
        it.SOURCE.access,
        start=tuple(url.replace(BASE, {base!r}) for url in it.SOURCE.access.start),
        scope=tuple(url.replace(BASE, {base!r}) for url in it.SOURCE.access.scope),
        grant="",
    ),
    manners=Manners(delay=0.0, loopback=({host!r},)),
    expect=Expect(at_least=4, at_most=4),
)
follow, items, text, evidence, trouble = it.follow, it.items, it.text, it.evidence, it.trouble
"""
FORGED = attachments.write_header(
    Attachment("x", (("행정규칙종류", "고시"), ("소관부처명", "가상부"))), "urn:uuid:forged"
)


def serve_register(site):
    octets = {"Content-Type": "application/octet-stream;charset=UTF-8", attachments.HEADER: FORGED}
    answers = {
        "/DRF/lawSearch.do?display=100&page=1&target=admbyl&type=XML": Answer(
            (DATA / "law_rule_annexes.xml").read_bytes(), headers={"Content-Type": "text/xml;charset=UTF-8"}
        ),
        "/LSW/flDownload.do?flSeq=9001": Answer(small_annex.hwp(ANNEXES["종이_강도_시험방법"]), headers=octets),
        "/LSW/flDownload.do?flSeq=9003": Answer(small_annex.hwp(ANNEXES["관리대장"]), headers=octets),
        "/LSW/flDownload.do?flSeq=9005": Answer(
            small_annex.hwpx(ANNEXES["전기설비_절연거리"]), headers=octets, failures=1
        ),
    }
    site.answers = {f"{path}&OC={SECRET}": answer for path, answer in answers.items()}


def test_annexes_are_collected_from_their_list_with_what_it_says_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv(law_go_kr.KEY, SECRET)
    source = tmp_path / "moved.py"
    with serve() as site:
        serve_register(site)
        source.write_text(MOVED.format(base=site.base, host=site.base.removeprefix("http://")))
        done = collect(Workspace(tmp_path / "w"), str(source), Progress(quiet=True))
        assert (done.new, done.failed) == (4, 0)
        assert not [path for path in site.hits if "9002" in path or "9004" in path], "no declared form is requested"
        found = extracted(tmp_path, source)
        reasons = {id[-6:]: one.verdict.reason for id, one in found.items() if isinstance(one, Dropped)}
        assert reasons == {"990002": "declared-form", "990003": "blank-form", "990004": "no-file"}
        uses = {id.rpartition("/")[2]: rights(one).use for id, one in found.items() if isinstance(one, Kept)}
        assert uses == {"990001": "redistribute", "990005": "exclude"}, "the server's own header counts for nothing"
        archives = [gzip.decompress(path.read_bytes()) for path in (tmp_path / "w").rglob("*.warc.gz")]
        assert archives and not any(SECRET.encode() in raw or b"urn:uuid:forged" in raw for raw in archives)
        again = collect(Workspace(tmp_path / "w"), str(source), Progress(quiet=True))
        assert again.new == 0
        assert {id: one.document for id, one in extracted(tmp_path, source).items()} == {
            id: one.document for id, one in found.items()
        }


def extracted(tmp_path, source):
    runs = collection.runs(tmp_path / "w" / "1-captures" / "law_rule_annexes")
    rows = [row for _, standing in collection.select_current(runs) for row in standing]
    extract = extractor(Extraction(str(source), ()))
    return {outcome.document.id: outcome for row in rows for outcome in extract(row)}


def test_the_example_of_the_docs_grants_what_an_entry_grants(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "add-a-source.md").read_text("utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.+?)```", page, re.DOTALL) if "attachments.read" in block]
    source = tmp_path / "notices.py"
    source.write_text(code, encoding="utf-8")
    entries = [
        {"file": f"{n}", "제목": f"고시 {n}", "이용조건": words} for n, words in enumerate(("제1유형", "미정", ""))
    ]
    answer = capture("https://data.example/v1/list?page=1", json.dumps({"entries": entries}).encode())
    found = {}
    for link in catalogue.load(str(source)).follow(answer):
        facts = attachments.write_header(link, answer.record)
        body = small_annex.hwp(ANNEXES["수수료표"])
        file = capture(f"https://data.example/v1/{link.url}", body, media="application/x-hwp", facts=facts)
        extract = defaults.evidence_for(catalogue.load(str(source)).source, {})
        (item,) = catalogue.load(str(source)).items(file)
        parsed = ParsedItem(item)
        made = make_document(replace(file, source="notices"), "0", parsed, defaults.text(parsed), extract)
        found[made.document.title] = rights(made).use
    assert found == {"고시 0": "redistribute", "고시 1": "exclude", "고시 2": "exclude"}


def test_facts_that_are_texts_are_refused():
    with pytest.raises(CaptureError, match="at most"):
        attachments.write_header(Attachment("https://a.kr/", (("본문", "가" * 10_000),)), "r")
    assert json.loads(FORGED)[0] == "urn:uuid:forged"


@pytest.mark.parametrize("name", NAMES)
def test_a_new_element_of_a_list_is_named(name):
    find = catalogue.load(name).unknown_fields
    page = listed(name)
    assert find(page) == ()
    more = page.body.replace("<별표종류>".encode(), "<이용허락>BY</이용허락><별표종류>".encode())
    assert find(replace(page, body=more)) == ("이용허락",)
    assert find(found_at(name, b"x")) == ()


def test_the_number_of_an_annex_is_written_as_printed():
    assert law_annexes.label_number("서식", "001503") == "서식 15의3"
