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


def test_every_spam_term_has_one_family() -> None:
    terms = [t for f in spam.FAMILIES for t in (*f.strong, *f.weak)] + [*spam.CALLS, *spam.REPORTS]
    assert len(terms) == len(set(terms))


def test_a_long_text_may_hold_one_advertising_line() -> None:
    prose = "이 책은 확률을 쉽게 설명한다. 주사위와 동전에서 시작해 보험의 셈까지 다룬다. " * 40
    assert spam.judge(document(prose + "토토사이트 꽁머니 가입코드")).outcome == "keep"


def test_a_text_without_lines_has_no_shape() -> None:
    assert structure.shape_of("\n 12 \n") == structure.Shape(0, 0.0, 0.0, 0.0)
