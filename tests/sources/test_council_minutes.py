"""Minutes of local councils: three board systems, a council in ten lines, turns of speakers, no navigation."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers import catalogue
from crawlers.extract import Extraction, extractor, make_document
from crawlers.formats import ParsedItem
from crawlers.platforms import council_minutes
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import is_in_scope
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.apply import Dropped, Kept
from malmoi.archive import collection
from malmoi.archive.capture import Capture, record_id
from malmoi.errors import CallError, CaptureError
from malmoi.licensing.rights_decision import decide
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_site import Answer, serve

DATA = Path(__file__).parents[1] / "data" / "sources"
KEY = "0a1b2c3d4e5f"
COUNCILS = {  # source: (fixture, an address of minutes as a list gives it, the one address, key)
    "council_geoje": ("viewer", "/viewer/minutes.do?uid=5242&mem_sch=1", "/viewer/minutes.do?uid=5242", "5242"),
    "council_daejeon": ("mnts", "/cms/mntsViewer.do?mntsId=15577", "/cms/mntsViewer.do?mntsId=15577", "15577"),
    "council_uiwang": ("record", f"/record/recordView.do?keyword=&key={KEY}", f"/record/recordView.do?key={KEY}", KEY),
    "council_seoul": ("record", f"/record/recordView.do?key={KEY}&keyword=", f"/record/recordView.do?key={KEY}", KEY),
}
TEXTS = {
    "viewer": """제999회 가상시의회(임시회)
본회의회의록
제2호
가상시의회사무국
일 시 : 2031년 2월 3일(월) 10시
의사일정(제2차 본회의)
1. 종이학 접기 지원 조례안
2. 휴회의 건
부의된 안건
○5분 자유발언(라마바 의원)
1. 종이학 접기 지원 조례안(라마바 의원 외 3인 발의)
(10시 02분 개의)
○의장 가나다: 자리를 정돈하여 주시기 바랍니다.
제2차 본회의를 개의하겠습니다.
○5분 자유발언(라마바 의원)
○라마바 의원: 종이학은 천 마리를 접습니다.
(“예” 하는 의원 있음)
이상입니다.
○사무국장 직무대리 사아자: 보고드리겠습니다.
| 구분 | 매수 |
| --- | --- |
| 색종이 | 1,000 |
(10시 40분 산회)
○출석의원(2인)
가나다 라마바""",
    "record": """제998회 가상시의회(정례회)
기획행정위원회회의록
제1차
가상시의회사무과
2030년 11월 20일(수) 10:00~10:25
의사일정(제1차 위원회)
1. 연 날리기 대회의 건
(10시00분 개의)
○위원장 차카타: 의석을 정돈하여 주시기 바랍니다.
제1차 회의를 개의합니다.
○파하거 위원: 연은 언제 날립니까?
○기획예산과장 너더러
봄에 날립니다.
(10시25분 산회)""",
    "mnts": """2030년도 행정사무감사
문화위원회회의록
제1차
가상도의회사무처
일 시 : 2030년 11월 10일(월) 오전 10시
장 소 : 가상 회의실
(10시03분 감사개시)
○위원장 머버서: 감사를 시작하겠습니다.
관장님, 자료를 설명해 주십시오.
○ 가상관장 어저처: 네, 설명드리겠습니다.
○ 증인 선서
○議長 커터퍼 자리를 整頓하여 주시기 바랍니다.""",
}
HEADINGS = {
    "viewer": ("제999회 가상시의회(임시회) 본회의회의록 제2호", "2031-02-03"),
    "record": ("제998회 가상시의회(정례회) 기획행정위원회회의록 제1차", "2030-11-20"),
    "mnts": ("2030년도 행정사무감사 문화위원회회의록 제1차", "2030-11-10"),
}


def capture(url, body, media="text/html;charset=UTF-8"):
    raw = body if isinstance(body, bytes) else (DATA / body).read_bytes()
    return Capture(record_id(url, raw), url, "2031-03-01T00:00:00Z", 200, (("Content-Type", media),), raw, "x")


def only(name, found):
    """What the corridor is given for the page of one sitting."""
    definition = catalogue.load(name)
    (item,) = definition.items(found)
    parsed = ParsedItem(item)
    return make_document(replace(found, source=name), "0", parsed, definition.text(parsed), definition.evidence)


def minutes_of(name, change=lambda raw: raw):
    fixture, _, address, _ = COUNCILS[name]
    url = base_of(name) + address
    raw = (DATA / f"council_{fixture}.html").read_text("utf-8")
    return only(name, capture(url, change(raw).encode()))


def base_of(name):
    return catalogue.load(name).source.access.start[0].split("/kr/")[0].split("/svc/")[0]


def rights(outcome):
    return decide(outcome.document.evidence, outcome.document.signals)


@pytest.mark.parametrize("name", COUNCILS)
def test_a_council_is_ten_lines(name):
    lines = catalogue.find_file(name).read_text("utf-8").splitlines()
    assert len([line for line in lines if line]) <= 10
    source = catalogue.load(name).source
    assert source.rule.proofs == ("statute",) and source.rule.boards and source.unverified.startswith("No page has")


@pytest.mark.parametrize("name", COUNCILS)
def test_a_list_leads_to_minutes_under_their_one_address(name):
    fixture, listed, address, key = COUNCILS[name]
    definition, base = catalogue.load(name), base_of(name)
    start = definition.source.access.start[0]
    found = list(definition.follow(capture(start, f"council_{fixture}_list.html")))
    assert found[0] == base + address
    assert found[-1] == f"{start}?{definition.follow.args[0].system.parameter}=2"
    assert all(is_in_scope(canonical_url(url), definition.source.access) for url in (start, *found))
    page = capture(base + listed, f"council_{fixture}.html")
    assert [item.key for item in definition.items(page)] == [key]
    assert list(definition.follow(page)) == [], "minutes lead nowhere"
    assert list(definition.items(capture(start, f"council_{fixture}_list.html"))) == [], "a list is no document"


def test_the_last_page_of_a_list_that_repeats_itself_is_the_end():
    definition = catalogue.load("council_geoje")
    start = definition.source.access.start[0]
    nexts = [
        list(definition.follow(capture(f"{start}?page={page}", "council_viewer_list.html")))[-1] for page in (2, 3)
    ]
    assert nexts == [f"{start}?page=3", f"{start}?page=4"]
    behind = list(definition.follow(capture(f"{start}?page=4", "council_viewer_list.html")))
    assert len(behind) == 2 and not [url for url in behind if "late.do" in url]


@pytest.mark.parametrize("name", COUNCILS)
def test_a_sitting_is_its_agenda_and_its_turns_and_no_navigation(name):
    outcome = minutes_of(name)
    assert isinstance(outcome, Kept), outcome
    fixture, _, address, key = COUNCILS[name]
    doc = outcome.document
    assert doc.text == TEXTS[fixture]
    assert (doc.title, doc.date) == HEADINGS[fixture]
    assert (doc.id, doc.author, doc.provenance.url) == (f"{name}/{key}", "", base_of(name) + address)
    assert (rights(outcome).use, rights(outcome).licence) == ("redistribute", council_minutes.LICENCE)


def test_a_title_tells_the_sittings_of_a_session_apart():
    minutes = "제999회 가상시의회(임시회)\n본회의 회의록\n{}\n가상시의회사무국\n일 시 : 2031년 2월 3일(월)"
    for number in ("제2호", "제 1 차", "제3일차", "제1일", "개회식", "개 회 식"):
        assert (
            council_minutes.heading(minutes.format(number))[0] == f"제999회 가상시의회(임시회) 본회의 회의록 {number}"
        )
    assert council_minutes.heading(minutes.format("제1일반산업단지"))[0].endswith("회의록")


def test_the_heading_of_an_audit_may_name_the_council():
    minutes = "2030년도 {}행정사무감사\n문화위원회 회의록\n가상도의회사무처\n일 시: 2030년 11월 10일(월)"
    for council in ("", "가상도의회 "):
        assert council_minutes.heading(minutes.format(council))[1] == "2030-11-10"
    assert council_minutes.heading(minutes.format("가상공사 ")) == ("", "", "")


@pytest.mark.parametrize("printed", ["</strong> :&nbsp;", " : </strong>", "：</strong>\n"])
def test_a_colon_that_the_minutes_print_is_not_doubled(printed):
    outcome = minutes_of(
        "council_geoje", lambda raw: raw.replace("직무대리 사아자</strong>&nbsp;&nbsp;", "직무대리 사아자" + printed)
    )
    assert outcome.document.text == TEXTS["viewer"]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace("회의록", "안내문"),
        lambda raw: raw.replace("2031년  2월  3일", "2월  3일"),
        lambda raw: raw.replace("제999회", "봄"),
        lambda raw: raw.replace("가상시의회", "가상시청"),
    ],
    ids=["no-minutes", "no-day", "no-sitting", "no-council"],
)
def test_a_page_that_does_not_call_itself_the_minutes_of_a_sitting_is_not_granted(change):
    assert rights(minutes_of("council_geoje", change)).reason == "no-licence"


def test_a_page_without_the_element_of_the_system_is_dropped():
    refused = capture(
        f"{base_of('council_daejeon')}{COUNCILS['council_daejeon'][2]}", "<p>접근이 차단되었습니다.</p>".encode()
    )
    outcome = only("council_daejeon", refused)
    assert isinstance(outcome, Dropped) and outcome.verdict.reason == "not-minutes"
    assert rights(outcome).use == "exclude"
    empty = minutes_of("council_geoje", lambda raw: raw.split('<div id="minutes">')[0] + '<div id="minutes"></div>')
    assert isinstance(empty, Dropped) and empty.verdict.reason == "no-text"


def test_a_page_that_reserves_training_is_not_granted():
    outcome = minutes_of(
        "council_geoje", lambda raw: raw.replace("<title>", '<meta name="tdm-reservation" content="1"><title>')
    )
    assert rights(outcome).use == "exclude"


MOVED = '''"""Minutes of the council of Gasang (가상시의회)."""

from crawlers.platforms import council_minutes
from malmoi.source import Expect, Manners

COUNCIL = council_minutes.Council("가상시의회", "{base}", council_minutes.VIEWER)
LOCAL = {{"expect": Expect(1, 9), "manners": Manners(delay=0.0, loopback=("{host}",))}}
SOURCE = council_minutes.source(COUNCIL, name="council_gasang", **LOCAL)
follow, items, evidence, text = council_minutes.functions(COUNCIL)
'''


def test_another_council_of_a_known_system_is_collected_from_its_list_to_its_documents(tmp_path):
    """Three pages of a list, the last of which comes again for any higher number; one sitting is gone."""
    path, media = tmp_path / "council_gasang.py", {"Content-Type": "text/html;charset=UTF-8"}
    minutes = (DATA / "council_viewer.html").read_text("utf-8")
    listed = (DATA / "council_viewer_list.html").read_text("utf-8")

    def page(first):
        return Answer(listed.replace("5242", str(first)).replace("5236", str(first + 1)).encode(), headers=media)

    with serve() as site:
        path.write_text(MOVED.format(base=site.base, host=site.base.removeprefix("http://")), encoding="utf-8")
        site.answers = {"/kr/minutes/late.do": page(10)}
        site.answers |= {f"/kr/minutes/late.do?page={n}": page(10 + 10 * min(n - 1, 2)) for n in range(2, 9)}
        for number in (10, 11, 20, 21, 30):
            body = minutes.replace("제2호", f"제{number}호").encode()
            site.answers[f"/viewer/minutes.do?uid={number}"] = Answer(body, headers=media)
        done = collect(Workspace(tmp_path / "w"), str(path), Progress(quiet=True))
        assert done.new == 4 + 5, "lists 1 to 4, of which the fourth is the third again, and the sittings"
        assert "/kr/minutes/late.do?page=5" not in site.hits
    runs = collection.runs(tmp_path / "w" / "1-captures" / "council_gasang")
    rows = [row for _, standing in collection.select_current(runs) for row in standing]
    extract = extractor(Extraction(str(path), ()))
    found = {outcome.document.id: outcome for row in rows for outcome in extract(row)}
    assert sorted(found) == [f"council_gasang/{number}" for number in (10, 11, 20, 21, 30)]
    assert all(isinstance(outcome, Kept) and rights(outcome).use == "redistribute" for outcome in found.values())
    assert found["council_gasang/30"].document.title.endswith("제30호")


# The portal of all councils


PORTAL = "https://clik.nanet.go.kr/openapi/minutes.do"
LIST = (
    f"{PORTAL}?displayType=list&listCount=100&rasmblyId=099001&searchType=ALL&sort=MTG_DE%2FDESC&startCount=0&type=json"
)
ENTRY = f"{PORTAL}?displayType=detail&docid=CLIKC9900000000001&type=json"
FIELDS = {
    "SERVICE": "minutes",
    "RESULT_CODE": "SUCCESS",
    "DOCID": "CLIKC9900000000001",
    "RASMBLY_ID": "099001",
    "RASMBLY_NM": "가상도 가상시의회",
    "RASMBLY_NUMPR": "9",
    "RASMBLY_SESN": "999",
    "MINTS_ODR": "2",
    "MTGNM": "본회의\n[임시]",
    "MTG_DE": "20310203",
    "MTR_SJ": "1. 종이학 접기 지원 조례안",
    "ORGINL_FILE_URL": "",
}


def entry(minutes, **changes):
    """An entry of the portal as the corridor gets it."""
    answer = [{**FIELDS, "MINTS_HTML": minutes, **changes}]
    return only("clik_minutes", capture(ENTRY, json.dumps(answer, ensure_ascii=False).encode(), "application/json"))


def test_the_councils_of_the_portal_are_chosen_by_the_operator(monkeypatch):
    monkeypatch.delenv("MALMOI_CLIK_COUNCILS", raising=False)
    assert catalogue.load("clik_minutes").source.access.start == (), "no council, no request"
    monkeypatch.setenv("MALMOI_CLIK_COUNCILS", "099001, 099002,099001")
    source = catalogue.load("clik_minutes").source
    assert source.access.start == (LIST, LIST.replace("099001", "099002"))
    assert all(url == canonical_url(url) and is_in_scope(url, source.access) for url in (*source.access.start, ENTRY))
    monkeypatch.setenv("MALMOI_CLIK_COUNCILS", "가상시의회")
    with pytest.raises(CallError, match="give numbers of six digits"):
        catalogue.load("clik_minutes")


def test_a_list_of_the_portal_leads_to_its_other_pages_and_to_each_sitting_once():
    follow = catalogue.load("clik_minutes").follow
    assert list(follow(capture(LIST, "clik_list.json"))) == [
        LIST.replace("startCount=0", "startCount=100"),
        LIST.replace("startCount=0", "startCount=200"),
        ENTRY,
        ENTRY.replace("0001&", "0003&"),
    ]
    assert len(list(follow(capture(LIST.replace("startCount=0", "startCount=100"), "clik_list.json")))) == 2
    assert list(follow(capture(ENTRY, "clik_list.json"))) == []
    with pytest.raises(CaptureError, match="not a list of minutes"):
        list(follow(capture(LIST, b'[{"SERVICE":"minutes","RESULT_CODE":"SUCCESS"}]')))


@pytest.mark.parametrize("fixture", TEXTS)
def test_a_whole_page_of_a_known_system_inside_an_entry_is_read_as_that_system(fixture):
    outcome = entry((DATA / f"council_{fixture}.html").read_text("utf-8"))
    assert isinstance(outcome, Kept) and outcome.document.text == TEXTS[fixture]
    doc = outcome.document
    assert (doc.title, doc.date) == ("가상도 가상시의회 제999회 본회의 [임시] 제2차", "2031-02-03")
    assert (doc.id, doc.author) == ("clik_minutes/CLIKC9900000000001", "")
    assert (rights(outcome).use, rights(outcome).licence) == ("redistribute", council_minutes.LICENCE)


TURN = "<div><b>○의장 가나다</b>&nbsp; 개의합니다.</div>"


@each_row(
    ("minutes", "changes", "outcome"),
    [
        (TURN, {}, "redistribute"),
        ("<nav><a>처음</a></nav>" + TURN, {}, "not-minutes"),
        ("", {}, "no-text"),
        (None, {}, "no-text"),
        ("<p>비공개 회의입니다.</p>", {}, "no-licence"),
        (TURN, {"RASMBLY_NM": "가상시청"}, "no-licence"),
        (TURN, {"MTG_DE": ""}, "no-licence"),
        (TURN, {"MTGNM": None}, "no-licence"),
    ],
)
def test_an_entry_is_granted_by_its_fields_and_its_turns(minutes, changes, outcome):
    found = entry(minutes, **changes)
    if isinstance(found, Dropped):
        assert found.verdict.reason == outcome and rights(found).use == "exclude"
    else:
        assert outcome in (rights(found).use, rights(found).reason)
        assert (outcome == "redistribute") is (rights(found).use == "redistribute")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "again"),
        (b"<html><body>502</body></html>", "again"),
        (b'{"RESULT_CODE":"ERROR11","RESULT_MESSAGE":""}', "again"),
        (b'{"RESULT_CODE":"ERROR09","RESULT_MESSAGE":""}', "stop"),
        (b'{"RESULT_CODE":"ERROR01","RESULT_MESSAGE":""}', "stop"),
        (b'{"RESULT_CODE":"ERROR05","RESULT_MESSAGE":""}', "stop"),
        (b'[{"SERVICE":"minutes","RESULT_CODE":"SUCCESS"}]', None),
    ],
)
def test_an_error_of_the_portal_is_known_as_such(body, kind):
    said = catalogue.load("clik_minutes").trouble(capture(LIST, body))
    assert (said.kind if said else None) == kind
