"""The daily interfaces of korea.kr: days, revisions, embargoes, deletions, and a licence of each item."""

import pytest

from crawlers import catalogue
from malmoi.errors import CallError, CaptureError
from tests.builders.rows import each_row
from tests.sources.test_sources_api import DATA, DAY, capture, outcomes, reasons, rights

PRESS = "https://apis.data.go.kr/1371000/pressReleaseService/pressReleaseList?endDate=20301120&startDate=20301120"


def policy(monkeypatch, first="", last=""):
    """The source as it is loaded with a range in the environment."""
    monkeypatch.setenv("MALMOI_POLICY_FROM", first)
    monkeypatch.setenv("MALMOI_POLICY_TO", last)
    return catalogue.load("policy_briefing")


def test_the_days_of_a_range_are_addresses_of_their_own(monkeypatch):
    access = policy(monkeypatch, "2030-11-19", "2030-11-20").source.access
    assert access.start == (DAY.replace("20301120", "20301119"), DAY)
    assert policy(monkeypatch, "2030-11-20").source.access.start == (DAY,)
    assert policy(monkeypatch).source.access.start == (), "no range, no request"


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2030-13-01", "", "must be days like"),
        ("2030-11-20", "20301121x", "must be days like"),
        ("2030-11-20", "2030-11-19", "are 0 days"),
        ("2020-01-01", "2030-01-01", "are 3654 days"),
    ],
)
def test_a_range_that_is_none_is_an_error_of_the_call(monkeypatch, first, last, why):
    with pytest.raises(CallError, match=why):
        policy(monkeypatch, first, last)


def test_a_day_gives_the_items_that_were_approved_on_it_in_their_latest_revision():
    found = outcomes("policy_briefing", capture(DAY, "policy_day.xml"))
    assert reasons(found) == {
        "policy_briefing/990000001": "kept",
        "policy_briefing/990000002": "kept",
        "policy_briefing/990000003": "embargoed",
        "policy_briefing/990000004": "deleted-at-source",
    }
    assert [outcome.document.text for outcome in found] == [
        "창가에 두기로\n가상부는 종이학을 접는다고 밝혔다.\n문의: 가상과",
        "작은 제목\n고쳐 쓴 글이다.\n두 줄이다.",
        "",
        "",
    ]
    first = found[0].document
    assert (first.title, first.date, first.author) == ("종이학 '천 마리' 접기 올해도", "2030-11-20", "가상부")
    assert first.provenance.url == "https://www.korea.kr/news/policyNewsView.do?newsId=990000001"
    assert [rights(outcome).licence for outcome in found[:2]] == ["LicenseRef-KOGL-1", "LicenseRef-KOGL-4"]
    assert [rights(outcome).use for outcome in found[:2]] == ["redistribute", "exclude"]


def test_an_embargo_ends_with_its_hour_in_korea():
    before = capture(DAY, "policy_day.xml", fetched="2030-11-21T20:59:59Z")
    after = capture(DAY, "policy_day.xml", fetched="2030-11-21T21:00:00Z")
    found = [reasons(outcomes("policy_briefing", one))["policy_briefing/990000003"] for one in (before, after)]
    assert found == ["embargoed", "kept"]


FOOTER = (
    "<p>정책브리핑의 정책뉴스자료는 「공공누리 제1유형:출처표시」의 조건에 따라 자유롭게 이용이 가능합니다. "
    "다만, 사진의 경우 제3자에게 저작권이 있으므로 사용할 수 없습니다.</p>"
)


@each_row(
    ("kogl", "more", "reason"),
    [
        ("1", "", ""),
        ("1", FOOTER, ""),
        ("", "", "no-licence"),
        ("", FOOTER, "no-licence"),  # the footer stands below every article
        ("0", "", "unknown-licence"),
        ("5", "", "unknown-licence"),
        ("2", "", "restricted-licence"),
        ("3", "", "restricted-licence"),
        ("4", FOOTER, "restricted-licence"),
        ("1", "<p>이 글은 무단 전재 및 재배포를 금지합니다.</p>", "refused"),
    ],
)
def test_the_type_of_an_item_is_its_field_and_its_text_can_only_take_away(kogl, more, reason):
    raw = (DATA / "policy_day.xml").read_text("utf-8")
    raw = raw.replace("<KoglType>1</KoglType>", f"<KoglType>{kogl}</KoglType>", 1).replace(
        "<p>문의: 가상과</p>", more, 1
    )
    first = outcomes("policy_briefing", capture(DAY, raw.encode()))[0]
    assert rights(first).reason == reason
    assert rights(first).use == ("exclude" if reason else "redistribute")


def test_a_day_that_counts_more_than_it_holds_stops_the_source():
    raw = (DATA / "policy_day.xml").read_bytes().replace(b"<totalCount>6<", b"<totalCount>60<")
    with pytest.raises(CaptureError, match="counts 60 items and holds 6"):
        list(catalogue.load("policy_briefing").follow(capture(DAY, raw)))
    assert list(catalogue.load("policy_briefing").follow(capture(DAY, "policy_day.xml"))) == []


def test_a_day_that_was_cut_off_is_one_dropped_document():
    raw = (DATA / "policy_day.xml").read_bytes()[:3000]
    assert reasons(outcomes("policy_briefing", capture(DAY, raw))) == {"policy_briefing/day/20301120": "damaged"}
    raw = (DATA / "policy_day.xml").read_bytes().replace("밝혔".encode(), b"\x0b\x02")
    assert len(outcomes("policy_briefing", capture(DAY, raw))) == 4, "control characters cost nothing else"


# Press releases


def test_both_sources_share_the_days_and_ask_other_interfaces(monkeypatch):
    policy(monkeypatch, "2030-11-20")
    assert catalogue.load("press_releases").source.access.start == (PRESS,)
    with pytest.raises(CallError, match="press_releases: from 2030-11-20 to 2030-11-19 are 0 days"):
        monkeypatch.setenv("MALMOI_POLICY_TO", "2030-11-19")
        catalogue.load("press_releases")


def test_a_page_of_html_inside_an_answer_becomes_lines_without_its_title_and_scripts():
    found = outcomes("press_releases", capture(PRESS, "press_day.xml"))
    assert reasons(found) == {
        "press_releases/990100001": "kept",
        "press_releases/990100002": "kept",
        "press_releases/990100003": "deleted-at-source",
        "press_releases/990100004": "empty",
    }
    first = found[0].document
    assert first.text == (
        "- 바람이 부는 날 -\n□ 가상부는 연 날리기 대회를 연다고 밝혔다.\n"
        "| 때 | 곳 |\n| --- | --- |\n| 3월 | 가상 들판 |\n담당 부서 가상과"
    )
    assert first.title == "연 날리기 대회 · 봄에 연다"
    assert first.provenance.url == "https://www.korea.kr/briefing/pressReleaseView.do?newsId=990100001"
    assert found[1].document.provenance.url.endswith("pressReleaseView.do?newsId=990100002"), "none is named"


def test_a_release_without_a_type_is_not_granted():
    found = outcomes("press_releases", capture(PRESS, "press_day.xml"))
    assert [(rights(one).use, rights(one).reason) for one in found[:2]] == [
        ("redistribute", ""),
        ("exclude", "no-licence"),
    ]


@each_row("kogl", ["0", "5", "01", "AI", "1,4", "제1유형", "KOGL1", "공공누리", "Y", "null", "1 "])
def test_only_a_type_of_the_closed_list_is_a_type(kogl):
    raw = (DATA / "press_day.xml").read_text("utf-8").replace("<KoglType>1<", f"<KoglType>{kogl}<", 1)
    found = rights(outcomes("press_releases", capture(PRESS, raw.encode()))[0])
    assert found.use == ("redistribute" if kogl.strip() == "1" else "exclude")
    assert (found.reason == "") is (found.use == "redistribute")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("I", "kept"), ("U", "kept"), ("", "kept"), ("d", "deleted-at-source"), ("X", "unknown-status")],
)
def test_an_item_in_a_state_that_nobody_knows_is_not_published(status, reason):
    raw = (DATA / "press_day.xml").read_text("utf-8")
    raw = raw.replace("<ContentsStatus>U<", f"<ContentsStatus>{status}<", 1)
    assert reasons(outcomes("press_releases", capture(PRESS, raw.encode())))["press_releases/990100001"] == reason


def test_an_item_that_was_deleted_later_is_withdrawn_with_the_next_answer_of_its_day():
    day = (DATA / "press_day.xml").read_text("utf-8")
    first = day.replace(
        "<ContentsStatus>D</ContentsStatus><ModifyId>2<", "<ContentsStatus>I</ContentsStatus><ModifyId>0<"
    )
    found = [reasons(outcomes("press_releases", capture(PRESS, raw.encode()))) for raw in (first, day)]
    assert [one["press_releases/990100003"] for one in found] == ["kept", "deleted-at-source"]
