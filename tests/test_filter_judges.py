"""What the judging filters keep and drop, and the measures they take."""

from __future__ import annotations

import dataclasses
import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import language, quality, repetition, spam, structure
from malmoi.document import Document, Provenance
from malmoi.errors import CallError

CASES = [json.loads(line) for line in (Path(__file__).parent / "data/filters/judged.jsonl").open(encoding="utf-8")]
CHEAP = ("language", "length", "repetition", "structure", "spam")


def document(text: str) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""))


def read(name: str, text: str) -> Document:
    doc = document(text)
    if name == "quality":
        return dataclasses.replace(doc, morphemes=import_module("filters.morphology").mark(doc))
    return doc


@pytest.mark.parametrize("case", CASES, ids=[f"{c['filter']}: {c['why']}" for c in CASES])
def test_a_text_is_judged_as_expected(case: dict[str, Any]) -> None:
    judge = import_module(f"filters.{case['filter']}").judge
    doc = read(case["filter"], case["text"] * case.get("repeat", 1))
    verdict = judge(doc, **case.get("params", {}))
    assert verdict.outcome == case["outcome"]
    assert verdict.reason == case.get("reason", verdict.reason)
    assert dict(verdict.labels).items() >= case.get("labels", {}).items()


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
    shares = [repetition.repeated_ngrams(ids, np.ones(20, dtype=np.int64), n) for n in range(2, 9)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 7 / 20


@given(words=st.lists(st.sampled_from(["가", "나다", "라마바"]), max_size=30))
def test_the_quick_looks_at_words_say_what_the_counts_say(words: list[str]) -> None:
    sizes = np.array([len(word) for word in words], dtype=np.int64)
    ids = repetition._ids(words)
    assert repetition._top_pair(words) == pytest.approx(repetition.top_ngram(ids, sizes, 2))
    assert repetition._repeats(words, 5) or repetition.repeated_ngrams(ids, sizes, 5) == 0.0


def test_every_spam_term_has_one_family() -> None:
    terms = [term.text for term in spam.TERMS]
    assert len(terms) == len(set(terms))


def test_quality_says_how_hard_a_text_is_to_read_and_decides_nothing_by_it() -> None:
    doc = read("quality", "비가 온다. 바람이 분다. 나는 문을 닫고 등불을 켠 뒤에 오래된 편지를 한 통 꺼내어 읽는다.")
    measures = dict(quality.judge(doc).measures)
    assert (measures["eojeol_per_sentence"], measures["list_share"], measures["complete_sentences"]) == (5.33, 0.0, 1.0)
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
