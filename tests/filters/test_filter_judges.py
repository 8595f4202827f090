"""What the judging filters keep and drop, and the measures they take."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections import Counter
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import language, quality, repetition, spam, structure
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from tests.builders.rows import each_row

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data/filters/judged.jsonl").open(encoding="utf-8")]
CHEAP = ("language", "length", "repetition", "structure", "spam")


def document(text: str) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""))


def read(name: str, text: str) -> Document:
    doc = document(text)
    if name == "quality":
        return dataclasses.replace(doc, morphemes=import_module("filters.morphology").mark(doc))
    return doc


@each_row("case", CASES, ids=[f"{c['filter']}: {c['why']}" for c in CASES])
def test_a_text_is_judged_as_expected(case: dict[str, Any]) -> None:
    judge = import_module(f"filters.{case['filter']}").judge
    doc = read(case["filter"], case["text"] * case.get("repeat", 1))
    verdict = judge(doc, **case.get("params", {}))
    assert verdict.outcome == case["outcome"]
    assert verdict.reason == case.get("reason", verdict.reason)
    assert dict(verdict.labels).items() >= case.get("labels", {}).items()


@pytest.mark.heavy
@pytest.mark.parametrize("name", CHEAP)
@given(text=st.text(max_size=200))
def test_any_text_gets_a_verdict_with_its_number_and_limit(name: str, text: str) -> None:
    verdict = import_module(f"filters.{name}").judge(document(text))
    assert verdict.measured is not None
    assert verdict.limit is not None
    assert verdict.measures


@pytest.mark.parametrize("name", [*CHEAP, "quality"])
def test_a_judge_has_a_version_and_keyword_only_parameters_with_defaults(name: str) -> None:
    module = import_module(f"filters.{name}")
    parameters = list(inspect.signature(module.judge).parameters.values())
    assert isinstance(module.VERSION, int)
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[1:])


def test_quality_without_morphemes_names_what_must_stand_before_it() -> None:
    with pytest.raises(CallError, match="'morphology' before 'quality'"):
        quality.judge(document("글이다."))


def test_hangul_share_is_hangul_among_letters() -> None:
    assert dict(language.judge(document("한글 ab 12")).measures)["hangul_share"] == 0.5


def test_letters_beyond_the_basic_plane_are_read() -> None:
    assert language.count_letters("\U00020000가😀").han == 1


def test_shares_fall_as_ngrams_grow() -> None:
    ids = np.array([*range(7), *range(7), *range(7, 13)])
    shares = [repetition.measure_repeated_ngrams(ids, np.ones(20, dtype=np.int64), n) for n in range(2, 9)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 7 / 20


@given(words=st.lists(st.sampled_from(["가", "나다", "라마바"]), max_size=30))
def test_the_quick_looks_at_words_say_what_the_counts_say(words: list[str]) -> None:
    sizes = np.array([len(word) for word in words], dtype=np.int64)
    ids, pairs = repetition._ids(words), Counter(pairwise(words))
    assert repetition._top_pair(words, pairs) == pytest.approx(repetition.top_ngram(ids, sizes, 2))
    repeats = repetition._may_repeat(words, pairs) and repetition._has_repeated_ngram(words, 5)
    assert repeats or repetition.measure_repeated_ngrams(ids, sizes, 5) == 0.0


def test_every_spam_term_has_one_family() -> None:
    terms = [term.text for term in spam.TERMS]
    assert len(terms) == len(set(terms))


def test_quality_says_how_hard_a_text_is_to_read_and_decides_nothing_by_it() -> None:
    doc = read("quality", "비가 온다. 바람이 분다. 나는 문을 닫고 등불을 켠 뒤에 오래된 편지를 한 통 꺼내어 읽는다.")
    measures = dict(quality.judge(doc).measures)
    assert (measures["eojeol_per_sentence"], measures["complete_sentences"]) == (5.33, 1.0)
    assert 2.0 < measures["chars_per_eojeol"] < 3.5


def test_notes_without_verbs_are_kept_and_a_list_of_words_is_not() -> None:
    notes = "평가위원회의 구성과 운영: 위원장을 포함한 7명. 평가의 대상과 기준은 다음과 같음. 서면과 발표의 병행. "
    words = "가방 구두 모자 장갑 양말 우산 지갑 시계 안경 목걸이 반지 귀걸이 허리띠 머플러 손수건 셔츠 바지 치마 외투 "
    assert quality.judge(read("quality", notes)).outcome == "keep"
    assert quality.judge(read("quality", words * 2)).reason == "no-korean-grammar"


def test_a_long_text_may_hold_one_advertising_line() -> None:
    prose = "이 책은 확률을 쉽게 설명한다. 주사위와 동전에서 시작해 보험의 셈까지 다룬다. " * 40
    assert spam.judge(document(prose + "토토사이트 꽁머니 가입코드")).outcome == "keep"


def test_a_text_without_lines_has_no_shape() -> None:
    assert structure.shape_of("\n 12 \n") == structure.Shape(0, 0.0, 0.0, 0.0)


REPORTS = {
    "circles": "○ (현황) 관내 낡은 도서관 9곳, 이용자 매년 감소 추세\n○ (문제점) 열람석 부족, 승강기 없음, 안전 우려\n"
    "○ (개선 방안) 예산 확보 후 단계별 정비 추진\n○ (추진 일정) 3월 실태 조사, 6월 설계 착수\n"
    "○ (소요 예산) 12억 원(국비 50%)\n"
    "○ (기대 효과) 주민 독서 환경 개선",
    "numbers": "1. 추진 배경\n- 농촌 고령 인구 증가에 따른 이동 수단 확보 필요\n- 마을버스 노선 축소로 주민 불편 심화\n"
    "2. 주요 내용\n"
    "- 수요 응답형 버스 6대 시범 운영(평일)\n- 전화 예약 창구 설치 및 안내원 배치\n3. 향후 계획\n- 9월 노선 조정 협의\n"
    "- 12월 성과 평가 실시",
}
LISTS = {
    "menu": "- 회사 소개\n- 고객 지원\n- 사업 계획\n- 자료 제출\n- 오시는 길\n- 채용 안내\n"
    "- 공지 사항\n- 연구 개발\n- 회원 관리",
    "keywords": "- 제주 렌트카 가격 비교\n- 제주 렌트카 추천 순위\n- 제주 렌트카 보험\n- 제주 렌트카 후기\n"
    "- 제주 렌트카 셔틀 버스",
    "goods": "- 가죽 구두 검정 270\n- 면 양말 흰색 세 켤레\n- 털 장갑 회색 중간\n- 우산 자동 남색 큰 것\n"
    "- 지갑 갈색 소가죽",
}


@pytest.mark.parametrize("text", REPORTS.values(), ids=REPORTS)
def test_a_report_in_the_noun_style_of_offices_is_kept_though_its_grammar_is_thin(text: str) -> None:
    verdict = quality.judge(read("quality", text))
    assert verdict.outcome == "keep"
    assert quality.is_report(text)


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
def test_a_list_with_marks_before_its_lines_is_no_report(text: str) -> None:
    assert not quality.is_report(text)
    assert quality.judge(read("quality", text)).reason == "no-korean-grammar"
