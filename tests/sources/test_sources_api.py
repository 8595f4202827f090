"""The sources with an interface: what follows from a list, what a document is, what may be done with it."""

import gzip
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from crawlers import catalogue
from crawlers.extract import Extraction, extractor, make_document
from crawlers.formats import ParsedItem
from crawlers.platforms import law_go_kr
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import is_in_scope
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.apply import Dropped, Kept
from malmoi.archive import collection
from malmoi.archive.capture import Capture, record_id
from malmoi.errors import CallError, CaptureError
from malmoi.licensing.rights_decision import decide, terms
from malmoi.source import Api
from malmoi.workspace import Workspace
from tests.builders.documents.small_pdf import column, pdf
from tests.builders.rows import each_row
from tests.builders.small_site import Answer, serve

DATA = Path(__file__).parents[1] / "data" / "sources"
NAMES = ("assembly_minutes", "kipris", "law_interpretations", "law_precedents", "law_rules", "law_statutes")
LAWS = {
    "law_statutes": ("law_statute.xml", "target=law&ID=009901"),
    "law_rules": ("law_rule.xml", "target=admrul&LID=99801"),
    "law_precedents": ("law_precedent.xml", "target=prec&ID=990001"),
    "law_interpretations": ("law_interpretation.xml", "target=expc&ID=990101"),
}
DAY = "https://apis.data.go.kr/1371000/policyNewsService2/policyNewsList2?endDate=20301120&startDate=20301120"
MINUTES = "https://record.assembly.go.kr/assembly/viewer/minutes/download/pdf.do?id=99001"
PATENT = f"https://plus.kipris.or.kr{'/kipo-api/kipi/patUtiModInfoSearchSevice'}/"


def capture(url, body, *, fetched="2030-11-20T15:00:00Z", media="text/xml;charset=UTF-8"):
    """An answer as the archive gives it back; `body` may be the name of a file of tests/data/sources."""
    raw = body if isinstance(body, bytes) else (DATA / body).read_bytes()
    return Capture(record_id(url, raw), url, fetched, 200, (("Content-Type", media),), raw, "x")


def entry_of(name, body=None, changes=()):
    """The entry of a register as it is answered, or `body` in its place; `changes` are words and what they become."""
    file, query = LAWS[name]
    raw = (DATA / file).read_text("utf-8") if body is None else body
    for said, instead in changes:
        assert said in raw
        raw = raw.replace(said, instead)
    return capture(canonical_url(f"https://www.law.go.kr/DRF/lawService.do?{query}&type=XML"), raw.encode())


def outcomes(name, found):
    """What the corridor is given for a capture."""
    definition = catalogue.load(name)
    assert definition.items and definition.text and definition.evidence
    made = ((one, definition.text(one)) for one in map(ParsedItem, definition.items(found)))
    return [make_document(replace(found, source=name), "0", item, said, definition.evidence) for item, said in made]


def only(name, found):
    (outcome,) = outcomes(name, found)
    return outcome


def rights(outcome):
    return decide(outcome.document.evidence, outcome.document.signals)


def reasons(found):
    return {
        outcome.document.id: outcome.verdict.reason if isinstance(outcome, Dropped) else "kept" for outcome in found
    }


# What holds for each of them


@pytest.mark.parametrize("name", [*NAMES, "policy_briefing", "press_releases"])
def test_a_source_says_what_it_rests_on_and_what_nobody_has_seen(name, monkeypatch):
    monkeypatch.setenv("MALMOI_POLICY_FROM", "2030-11-20")
    definition = catalogue.load(name)
    source, access = definition.source, definition.source.access
    assert isinstance(access, Api) and access.key.startswith("MALMOI_") and access.parameter and access.grant
    assert access.start and all(is_in_scope(canonical_url(url), access) for url in access.start)
    assert all(url == canonical_url(url) for url in access.start), "one spelling from the start"
    assert not any(access.parameter in urlsplit(url).query for url in access.start)
    assert source.terms is None, "only an operator can have read the terms"
    assert source.unverified and source.note and not source.claim and set(source.rule.proofs) <= {"field", "statute"}
    assert all(terms(licence) for licence in source.rule.expected)
    assert definition.trouble is not None and source.manners.delay >= 1.0
    assert access.max_pages >= source.expect.at_least


def test_a_source_without_a_known_proof_leaves_each_document_to_a_person():
    assert {name for name in NAMES if not catalogue.load(name).source.rule.proofs} == {"kipris", "law_interpretations"}


# law.go.kr


def test_the_first_page_of_a_list_leads_to_the_others_and_to_its_entries():
    follow = catalogue.load("law_statutes").follow
    base = "https://www.law.go.kr/DRF/"
    first = catalogue.load("law_statutes").source.access.start[0]
    assert list(follow(capture(first, "law_list.xml"))) == [
        f"{base}lawSearch.do?display=100&page=2&target=law&type=XML",
        f"{base}lawSearch.do?display=100&page=3&target=law&type=XML",
        f"{base}lawService.do?ID=009901&target=law&type=XML",
        f"{base}lawService.do?ID=009902&target=law&type=XML",
    ]
    later = list(follow(capture(first.replace("page=1", "page=3"), "law_list.xml")))
    assert [url for url in later if "lawSearch" in url] == [] and len(later) == 2
    assert list(follow(entry_of("law_statutes"))) == []


def test_no_key_of_a_list_is_carried_on():
    follow = catalogue.load("law_statutes").follow
    found = capture("https://www.law.go.kr/DRF/lawSearch.do?display=100&page=1&target=law&type=XML", "law_list.xml")
    assert b"OC=secret-id" in found.body, "the register repeats the id of who asks"
    assert not any("secret" in url or "OC=" in url for url in follow(found))


@pytest.mark.parametrize(
    ("name", "element", "listed", "asked"),
    [
        ("law_rules", "admrul", "행정규칙ID", "LID=7"),
        ("law_precedents", "prec", "판례일련번호", "ID=7"),
        ("law_interpretations", "expc", "법령해석례일련번호", "ID=7"),
    ],
)
def test_each_register_asks_for_an_entry_in_its_own_way(name, element, listed, asked):
    definition = catalogue.load(name)
    start = definition.source.access.start[0]
    body = f"<L><totalCnt>1</totalCnt><{element} id='1'><{listed}>7</{listed}></{element}></L>".encode()
    (url,) = definition.follow(capture(start, body))
    assert asked in url and f"target={element}" in url and url == canonical_url(url)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<L><law/></L>", "does not state its length in totalCnt"),
        (b"<L><totalCnt>250</totalCnt></L>", "counts 250 entries and shows none"),
        (b"<L><totalCnt>1</totalCnt><law/></L>", "entry 1 has no"),
        (b"<L><totalCnt>1</to", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_a_list_that_is_none_stops_the_source(body, why):
    definition = catalogue.load("law_statutes")
    with pytest.raises(CaptureError, match=why):
        list(definition.follow(capture(definition.source.access.start[0], body)))


def test_a_statute_is_its_articles_in_order_and_then_its_supplementary_provisions():
    outcome = only("law_statutes", entry_of("law_statutes"))
    assert isinstance(outcome, Kept)
    doc = outcome.document
    assert doc.text == (
        "제1장 총칙\n\n"
        "제1조(목적) 이 법은 종이를 접는 사람들의 즐거움을 정함을 목적으로 한다. <개정 2030. 1. 5.>\n\n"
        "제2조(학의 접기)\n"
        "① 학을 접으려는 사람은 다음 각 호의 종이 가운데 하나를 고른다.\n"
        "1.  네모난 종이\n"
        "2.  다음 각 목의 색을 띤 종이\n"
        "가.  하늘색\n"
        "나.  흰색\n"
        "② 접은 학은 창가에 둔다.\n\n"
        "부칙 <제99901호,2030. 1. 5.>\n"
        "이 법은 공포 후 6개월이 경과한 날부터 시행한다."
    )
    assert (doc.id, doc.title, doc.date) == ("law_statutes/009901", "가상의 종이접기 진흥법", "2030-01-05")
    assert unquote(doc.provenance.url) == "https://www.law.go.kr/법령/가상의 종이접기 진흥법"
    (evidence,) = doc.evidence
    assert (evidence.scope, evidence.quote, evidence.record) == (
        "item",
        "법종구분 법률",
        entry_of("law_statutes").record,
    )
    assert (rights(outcome).use, rights(outcome).licence) == ("redistribute", "LicenseRef-KR-CA-Art7")


def test_a_new_version_of_a_statute_is_the_same_document():
    before = only("law_statutes", entry_of("law_statutes"))
    after = only("law_statutes", entry_of("law_statutes", changes=[("하늘색", "바다색"), ("20300105", "20310105")]))
    assert before.document.id == after.document.id and before.document.text != after.document.text


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        ("헌법", "redistribute"),
        ("대통령령", "redistribute"),
        ("산업통상부령", "redistribute"),
        ("대법원규칙", "redistribute"),
        ("조약", "redistribute"),
        ("법률안", "exclude"),  # a bill is none of what art. 7 names
        ("해설", "exclude"),
    ],
)
def test_only_the_kinds_that_article_7_names_are_free(kind, use):
    found = only("law_statutes", entry_of("law_statutes", changes=[('"A0002">법률<', f'"X">{kind}<')]))
    assert rights(found).use == use
    assert rights(found).reason == ("" if use == "redistribute" else "unknown-licence")


def test_a_statute_that_does_not_say_what_it_is_has_no_evidence():
    found = entry_of("law_statutes", changes=[('<법종구분 법종구분코드="A0002">법률</법종구분>', "")])
    assert rights(only("law_statutes", found)).reason == "no-licence"


def test_an_administrative_rule_is_read_without_its_tables():
    outcome = only("law_rules", entry_of("law_rules"))
    assert outcome.document.text == (
        "제1장 총칙\n\n"
        "제1조(목적) 이 고시는 종이의 두께를 정한다.\n\n"
        "제2조(두께) 두께는 다음과 같다.\n1. 얇은 종이: 0.1밀리미터 < 두께\n2. 두꺼운 종이\n\n"
        "부칙\n이 고시는 발령한 날부터 시행한다."
    )
    assert (outcome.document.id, outcome.document.date) == ("law_rules/99801", "2030-02-10")
    assert rights(outcome).use == "redistribute"


@each_row(
    ("rule", "body", "use"),
    [
        ("훈령", "가상청", "redistribute"),
        ("예규", "공정거래위원회", "redistribute"),
        ("고시", "가상부, 환경처", "redistribute"),
        ("고시", "금융감독원", "exclude"),  # a corporation
        ("고시", "영화진흥위원회", "exclude"),  # a corporation that is called a commission
        ("고시", "가상부, 금융감독원", "exclude"),
        ("세칙", "가상부", "exclude"),
        ("지침", "가상부", "exclude"),
    ],
)
def test_a_rule_is_free_by_its_kind_and_by_whose_it_is(rule, body, use):
    changes = [("<행정규칙종류>고시<", f"<행정규칙종류>{rule}<"), ("<소관부처명>가상부<", f"<소관부처명>{body}<")]
    assert rights(only("law_rules", entry_of("law_rules", changes=changes))).use == use


def test_a_rule_whose_text_is_in_a_file_is_dropped_as_such():
    body = """<AdmRulService><행정규칙ID>99801</행정규칙ID><행정규칙명>가</행정규칙명>
    <조문내용>첨부파일의 버튼을 이용하여 보시기 바랍니다.</조문내용></AdmRulService>"""
    assert reasons(outcomes("law_rules", entry_of("law_rules", body))) == {"law_rules/99801": "attached-only"}


def test_a_judgment_is_its_name_its_headnotes_and_itself():
    outcome = only("law_precedents", entry_of("law_precedents"))
    assert outcome.document.text == (
        "종이학반환\n\n"
        "【판시사항】\n빌린 종이학을 돌려줄 의무가 있는지 여부(적극)\n\n"
        "【판결요지】\n빌린 <종이학>은 접힌 채로 돌려준다.\n\n"
        "【참조조문】\n가상의 종이접기 진흥법 제2조\n\n"
        "【원고】 A\n【피고】 B\n【주    문】\n피고는 원고에게 종이학 하나를 돌려준다.\n【이    유】\n창가에 학이 없다."
    )
    assert outcome.document.provenance.url == "https://www.law.go.kr/LSW/precInfoP.do?precSeq=990001"
    assert (outcome.document.author, outcome.document.date) == ("가상지방법원", "2030-03-04")
    assert rights(outcome).use == "redistribute"


@pytest.mark.parametrize(
    ("words", "by", "use"),
    [
        ("전원합의체 판결", "대법원", "redistribute"),
        ("결정", "서울고법", "redistribute"),
        ("명령", "대전지방법원 천안지원", "redistribute"),
        ("판결", "가상중재원", "exclude"),  # no court
        ("평석", "대법원", "exclude"),  # no judgment
    ],
)
def test_a_judgment_is_free_by_its_kind_and_its_court(words, by, use):
    found = entry_of("law_precedents", changes=[("판결 : 확정", words), ("가상지방법원", by)])
    assert rights(only("law_precedents", found)).use == use


def test_judgments_of_the_fifties_are_dated_in_our_calendar():
    found = entry_of("law_precedents", changes=[("20300304", "42930229")])
    assert only("law_precedents", found).document.date == "1960-02-29"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ((DATA / "law_none.xml").read_text("utf-8"), "not-an-entry"),
        ("<!DOCTYPE html><html><body>점검 중<br></body></html>", "damaged"),
        ('<?xml version="1.0"?><PrecService><판례정보일련번호>990001</판례', "damaged"),
        (
            "<PrecService><판례정보일련번호>990002</판례정보일련번호><판례내용>가</판례내용></PrecService>",
            "another-entry",
        ),
        ("<PrecService><판례정보일련번호>990001</판례정보일련번호><사건명>가</사건명></PrecService>", "empty"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><PrecService><판례내용>&b;</판례내용></PrecService>', "xml-entities"),
    ],
)
def test_an_entry_that_is_none_is_one_dropped_document(body, reason):
    (outcome,) = found = outcomes("law_precedents", entry_of("law_precedents", body))
    assert reasons(found) == {"law_precedents/990001": reason} and outcome.document.evidence == ()


def test_an_entry_in_another_encoding_than_it_says_is_read_all_the_same():
    raw = (DATA / "law_precedent.xml").read_text("utf-8").encode("cp949")
    url = entry_of("law_precedents").url
    assert only("law_precedents", capture(url, raw)).document.text == (
        only("law_precedents", entry_of("law_precedents")).document.text
    )


def test_an_interpretation_waits_for_a_person():
    outcome = only("law_interpretations", entry_of("law_interpretations"))
    assert outcome.document.text == (
        "【질의요지】\n두루미도 학에 포함되는지?\n\n【회답】\n두루미도 학에 포함됩니다.\n\n"
        "【이유】\n두루미는 학의 다른 이름입니다.\n그러므로 포함된다고 볼 것입니다."
    )
    assert (rights(outcome).use, rights(outcome).reason) == ("exclude", "needs-review")


# 국회 회의록


def test_a_list_of_sittings_leads_to_each_file_once():
    definition = catalogue.load("assembly_minutes")
    start = definition.source.access.start[0]
    assert "Type=json" in start and "pIndex=1" in start and "nzbyfwhwaoanttzje" in start
    found = list(definition.follow(capture(start, "assembly_list.json", media="application/json")))
    assert found == [start.replace("pIndex=1", "pIndex=2"), start.replace("pIndex=1", "pIndex=3"), MINUTES]
    assert all(is_in_scope(canonical_url(url), definition.source.access) for url in found)
    assert list(definition.items(capture(start, "assembly_list.json"))) == []
    assert list(definition.follow(capture(start, b'{"RESULT":{"CODE":"INFO-200","MESSAGE":""}}'))) == []
    with pytest.raises(CaptureError, match="not a list of nzbyfwhwaoanttzje"):
        list(definition.follow(capture(start, "assembly_none.json")))


SITTING = [
    "제999회국회(임시회) 국회본회의회의록 제1호",
    "일 시 2031년 2월 3일(월) 오후 2시",
    "◯의장 가상인 자리를 정돈하여 주시기 바랍니다.",
    "◯가상의원 종이학에 대하여 말씀드리겠습니다.",
]


def test_a_sitting_is_one_document_whoever_speaks():
    raw = pdf([column(SITTING)])
    outcome = only("assembly_minutes", capture(MINUTES, raw, media="application/octet-stream"))
    assert isinstance(outcome, Kept), outcome
    doc = outcome.document
    assert "가상인" in doc.text and "종이학에 대하여" in doc.text and doc.author == ""
    assert (doc.id, doc.date) == ("assembly_minutes/99001", "2031-02-03")
    assert doc.title == SITTING[0]
    assert doc.provenance.url.endswith("xml.do?id=99001&type=view")
    assert rights(outcome).licence == "LicenseRef-KR-CA-Art24" and rights(outcome).use == "redistribute"


def test_a_file_that_does_not_call_itself_minutes_is_no_sitting():
    raw = pdf([column(["가상의 안내문", "2031년 2월 3일", "오늘은 쉽니다."])])
    assert rights(only("assembly_minutes", capture(MINUTES, raw))).reason == "no-licence"
    refused = capture(MINUTES, b"<html><body><p>400 Bad Request</p></body></html>", media="text/html")
    assert rights(only("assembly_minutes", refused)).reason == "no-licence"


# KIPRIS


def test_a_patent_carries_its_words_and_no_person():
    url = f"{PATENT}getBibliographyDetailInfoSearch?applicationNumber=1020309900001"
    outcome = only("kipris", capture(url, "kipris_entry.xml"))
    doc = outcome.document
    claims = ("1. 종이를 접는 팔을 포함하는 접는 장치.", "2. 제1항에 있어서,상기 팔은 둘인 접는 장치.")
    assert doc.text == "\n\n".join(("접는 장치가 개시된다.", *claims))
    assert (doc.id, doc.date, doc.author) == ("kipris/1020309900001", "2031-07-01", "")
    assert not any(word in repr(doc) for word in ("김가상", "주식회사", "특허법인", "종이로"))
    assert (rights(outcome).use, rights(outcome).reason) == ("exclude", "no-licence")


def test_a_list_of_patents_goes_on_as_far_as_the_month_reaches():
    definition = catalogue.load("kipris")
    start = definition.source.access.start[0]
    entry, further = definition.follow(capture(start, "kipris_list.xml"))
    assert entry == f"{PATENT}getBibliographyDetailInfoSearch?applicationNumber=1020309900001"
    assert further == start.replace("pageNo=1", "pageNo=2")
    assert list(definition.follow(capture(further, "kipris_list.xml"))) == [entry]


# What an answer may say instead


@each_row(
    ("name", "url", "body", "kind"),
    [
        ("policy_briefing", DAY, "policy_quota.xml", "stop"),
        ("policy_briefing", DAY, "policy_day.xml", None),
        ("press_releases", DAY, "policy_quota.xml", "stop"),
        ("press_releases", DAY, "press_day.xml", None),  # no count of items
        ("law_statutes", "list", "law_list.xml", None),
        ("law_statutes", "entry", b"", "again"),
        ("law_rules", "list", "law_refused.xml", "stop"),
        ("law_rules", "list", b"<AdmRulSearch><target>admrul</target><totalCnt>0</totalCnt></AdmRulSearch>", "stop"),
        ("law_rules", "list", b"<AdmRulSearch><totalCnt>10</totalCnt><page>0</page></AdmRulSearch>", None),
        ("law_precedents", "list", "law_none.xml", None),  # an entry that has no text in XML; one document dropped
        ("assembly_minutes", "list", "assembly_none.json", "stop"),
        ("assembly_minutes", "list", "assembly_list.json", None),
        ("assembly_minutes", MINUTES, b"%PDF-1.4", None),
        ("kipris", "list", "policy_quota.xml", "stop"),
        ("kipris", "list", "kipris_list.xml", None),
    ],
)
def test_an_answer_that_is_none_is_known_as_such(name, url, body, kind):
    definition = catalogue.load(name)
    if url == "list":
        url = definition.source.access.start[0]
    elif url == "entry":
        url = entry_of("law_statutes").url
    said = definition.trouble(capture(url, body))
    assert (said.kind if said else None) == kind


@pytest.mark.parametrize("name", ["law_rules", "policy_briefing"])
def test_two_fetches_of_the_same_things_have_the_same_ids(name):
    file, url = ("policy_day.xml", DAY) if name == "policy_briefing" else (LAWS[name][0], entry_of(name).url)
    first, second = (outcomes(name, capture(url, file, fetched=f"2031-01-0{day}T00:00:00Z")) for day in (1, 2))
    assert reasons(first) == reasons(second)
    assert not any("?" in outcome.document.id or "Key" in outcome.document.id for outcome in first)


# The whole way: asked, archived without the key, and read again

SECRET = "malmoi-test-id"
MOVED = """
import dataclasses
from crawlers.sources.law import law_statutes as it
from malmoi.source import Expect, Manners
SOURCE = dataclasses.replace(
    it.SOURCE,
    access=dataclasses.replace(
        it.SOURCE.access,
        start=tuple(url.replace(it.law_go_kr.BASE, {base!r}) for url in it.SOURCE.access.start),
        scope=tuple(url.replace(it.law_go_kr.BASE, {base!r}) for url in it.SOURCE.access.scope),
        grant="",
    ),
    manners=Manners(delay=0.0, loopback=({host!r},)),
    expect=Expect(at_least=3, at_most=3),
)
follow, items, text, evidence, trouble = it.follow, it.items, it.text, it.evidence, it.trouble
"""


def register_on(site, key):
    """Serve a register of two statutes to those who have the key."""
    statute = (DATA / "law_statute.xml").read_text("utf-8")
    decree = (
        statute.replace("009901", "009902")
        .replace('"A0002">법률<', '"A0007">대통령령<')
        .replace("진흥법]", "진흥법 시행령]")
    )
    listed = (DATA / "law_list.xml").read_text("utf-8").replace("<totalCnt>201<", "<totalCnt>2<")
    answers = {
        "/DRF/lawSearch.do?display=100&page=1&target=law&type=XML": listed.replace("secret-id", key),
        "/DRF/lawService.do?ID=009901&target=law&type=XML": statute,
        "/DRF/lawService.do?ID=009902&target=law&type=XML": decree,
    }
    media = {"Content-Type": "text/xml;charset=UTF-8"}
    site.answers = {f"{path}&OC={key}": Answer(body.encode(), headers=media) for path, body in answers.items()}


def collected(tmp_path, source):
    done = collect(Workspace(tmp_path / "w"), str(source), Progress(quiet=True))
    runs = collection.runs(tmp_path / "w" / "1-captures" / "law_statutes")
    rows = [row for _, standing in collection.select_current(runs) for row in standing]
    extract = extractor(Extraction(str(source), ()))
    return done, rows, {outcome.document.id: outcome for row in rows for outcome in extract(row)}


def test_a_register_is_collected_from_its_list_to_its_documents_and_the_key_stays_out(tmp_path, monkeypatch):
    monkeypatch.setenv(law_go_kr.KEY, SECRET)
    source = tmp_path / "moved.py"
    with serve() as site:
        register_on(site, SECRET)
        source.write_text(MOVED.format(base=site.base, host=site.base.removeprefix("http://")))
        done, rows, found = collected(tmp_path, source)
        assert (done.new, done.current, done.failed) == (3, 3, 0)
        assert sorted(found) == ["law_statutes/009901", "law_statutes/009902"]
        assert all(isinstance(outcome, Kept) and rights(outcome).use == "redistribute" for outcome in found.values())
        assert found["law_statutes/009901"].document.text.startswith("제1장 총칙")
        assert not [row.url for row in rows if SECRET in row.url or "OC=" in row.url]
        archives = list((tmp_path / "w").rglob("*.warc.gz"))
        assert archives and not any(SECRET.encode() in gzip.decompress(path.read_bytes()) for path in archives)
        again, _, same = collected(tmp_path, source)
        assert again.new == 0 and {id_: one.document.text for id_, one in same.items()} == {
            id_: one.document.text for id_, one in found.items()
        }


def test_without_its_key_a_source_asks_for_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv(law_go_kr.KEY, raising=False)
    source = tmp_path / "moved.py"
    with serve() as site:
        register_on(site, SECRET)
        source.write_text(MOVED.format(base=site.base, host=site.base.removeprefix("http://")))
        with pytest.raises(CallError, match="MALMOI_LAW_OC is not set"):
            collected(tmp_path, source)
        assert not site.hits
