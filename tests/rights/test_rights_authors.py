"""Who wrote a text: a licence on the page of another's text, in a preview or beside a picture is no grant for it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from crawlers.formats.html.html_page import parse
from crawlers.formats.html.runs import runs
from crawlers.rights.refusals import refusal
from crawlers.rights.sentences import authorship, authorship_words
from crawlers.rights.sentences.self_reference import titles_of
from flows.cli import try_worker
from flows.run import recipe_of
from malmoi.licensing.licence_words import kogl_words
from malmoi.source import Item

DATA = Path(__file__).parents[1] / "data" / "rights"
SITES: dict[str, Any] = tomllib.loads((DATA / "sites.toml").read_text(encoding="utf-8"))


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


# Variants of each kind, and cases that were written before their rules were read. Of those, before and at first sight:
# 58 and 16 of 62 false grants, 5 and 6 of 40 true grants missed.
VARIANTS, UNSEEN = cases("authors.jsonl"), cases("authors_unseen.jsonl")
CASES = [*VARIANTS, *UNSEEN]


def page(case: dict[str, Any]) -> str:
    """The page of a case: its own markup, or the frame of a site around what it says; `mark` "" takes the mark away."""
    title, site = case.get("title", "갯벌의 하루"), case.get("site", "")
    if site:
        given = {"board": "공지사항", "crumb": "소식", "rows": "", "end": ""} | case | {"title": title}
        given["body"] = case.get("body", "{prose}").replace("{prose}", SITES["prose"])
        given["mark"] = case.get("mark", "{mark}").replace("{mark}", SITES["marks"][site])
    inside = SITES["frames"][site].format_map(given) if site else case["html"]
    head = f"<meta charset=utf-8><title>{case.get('page', title)}</title>{case.get('head', '')}"
    return f"<!DOCTYPE html><html><head>{head}</head><body>{inside}</body></html>"


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    rows = [{"id": case["id"], "url": "https://a.example.kr/1", "html": page(case)} for case in CASES]
    judge = try_worker._rights_stage(recipe_of("general"))
    return {row["id"]: judge(row) for row in rows}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_page_is_judged_by_whose_text_it_holds(case: dict[str, Any], answers: dict[str, dict[str, Any]]) -> None:
    said = answers[case["id"]]
    expected = (
        "exclude" if "missed" in case else case["use"]
    )  # a miss that is mended makes this fail, and is struck out
    assert said["use"] == expected, (case["why"], said["evidence"], said["signals"])
    assert said["licence"] == case.get("licence", said["licence"]), (case["why"], said["evidence"])


def test_the_cases_hold_true_grants_and_only_those_may_be_missed() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES) >= 260
    assert sum(case["use"] == "redistribute" for case in UNSEEN) >= len(UNSEEN) / 3
    assert all(case["use"] == "redistribute" for case in CASES if "missed" in case)
    assert sum("missed" in case for case in UNSEEN) <= 3


def texts_of(case: dict[str, Any]) -> list[str]:
    return [run.text for run in runs(html.document_fromstring(page(case)))]


def test_what_a_rule_matches_passes_the_gate_before_it() -> None:
    lines = [line for case in CASES for line in texts_of(case)]
    keeping = [
        line for line in lines if any(rule.search(line) for rule in (*authorship_words.KEEPS, authorship_words.REMAINS))
    ]
    labels = [
        line
        for line in lines
        if any(rule.fullmatch(part) for part in authorship._segments(line) for rule in authorship_words.LABELS)
    ]
    assert len(keeping) > 30 and len(labels) > 30
    assert [line for line in keeping if not authorship._may_keep(line)] == []
    assert [line for line in labels if not authorship._may_label(line)] == []


def statements(body: str, title: str = "갯벌") -> list[str]:
    markup = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    item = Item(key="1", url="https://a.example.kr/1", body=markup, media="text/html", charset="", record="r")
    tree = parse(item).tree
    return [one.quote for one in authorship.find(tree, runs(tree), ())]


def test_the_publisher_may_keep_its_rights_and_give_a_licence() -> None:
    frame = "<footer><p>ⓒ 가나군청</p></footer>"
    assert statements(f"<main><p>이 글의 저작권은 가나군에 있습니다.</p></main>{frame}") == []
    assert statements(f"<main><p>이 글의 저작권은 필자에게 있으며 CC BY 4.0에 따라 배포합니다.</p></main>{frame}") == []
    assert statements(f"<main><p>이 글의 저작권은 가나어촌계에 있습니다.</p></main>{frame}") != []


@pytest.mark.parametrize(
    "title",
    [
        "기고 원고 모집",
        "자유게시판 운영 안내",
        "공모전 수상작 발표",
        "가나군, 공모전 최우수상 수상",
        "칼럼을 읽는 밤",
        "가나군 대변인 성명",
    ],
)
def test_a_title_that_only_mentions_others_is_no_label(title: str) -> None:
    assert statements("<main><p>1</p></main>", title) == []


@pytest.mark.parametrize(
    ("words", "types"),
    [
        ("공공누리 제0유형으로 출처표시 의무 없이", ("0",)),
        ("공공누리 제0유형(출처표시 불필요)", ("0",)),
        ("공공누리 제0유형: 출처를 표시하지 않아도", ("0",)),
        ("공공누리 제0유형: 출처표시", ("0", "1")),
        ("공공누리 제1유형: 출처표시 없이 이용할 수 없습니다", ("1",)),
    ],
)
def test_type_0_asks_for_no_attribution(words: str, types: tuple[str, ...]) -> None:
    assert kogl_words(words).types == types


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("기계학습 모델은 섬에서 데이터 수집이 불가능하기도 하다.", ""),
        ("딥러닝 학습용 자료를 수집할 수 없던 때가 있었다.", ""),
        ("섬에서는 기계학습을 위한 데이터 수집이 불가능합니다.", ""),
        ("본 콘텐츠는 AI 학습에 이용이 불가능합니다.", "training"),
        ("AI 학습에 이용할 수 없습니다.", "training"),
        ("AI 학습 데이터로 이용 불가", "training"),
        ("버그 수정 없이 잘 도는 경우에만 올립니다.", ""),
        ("이 글은 수정 없이 이용하는 경우에만 허용합니다.", "limits"),
        ("연구 목적으로만 시작한 라이브러리", ""),
        ("연구 목적으로만 이용할 수 있습니다.", "limits"),
    ],
)
def test_what_cannot_be_done_is_told_from_what_is_forbidden(text: str, said: str) -> None:
    (run,) = runs(html.document_fromstring(f"<main><p>{text}</p></main>"))
    assert refusal(run) == said


def test_the_titles_of_a_page_come_without_the_name_of_its_site() -> None:
    tree = html.document_fromstring("<title>갯벌 지도 보는 법 | 가나군</title><h1>갯벌 지도 보는 법</h1><p>1</p>")
    assert set(titles_of(tree.find(".//p"))) == {"갯벌 지도 보는 법"}
