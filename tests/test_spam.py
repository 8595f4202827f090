"""Advertising is dropped however it is written, and what only names its trade is kept."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from benchmarks.spam import report, scores
from filters import spam
from filters.terms import Finder, Term, load, shadow
from malmoi.document import Document, Provenance

CASES = [json.loads(line) for line in (Path(__file__).parent / "data/spam.jsonl").open(encoding="utf-8")]
NEWS = "시의회는 어제 내년 예산안을 의결했다. 도서관을 두 곳 늘리고 낡은 수도관을 바꾸는 데 돈을 쓴다.\n"
AD = "카지노사이트 추천 꽁머니 3만 지급, 첫충 30%, 가입코드 7777, 텔레그램 @sample77 문의주세요\n"


def judged(text: str) -> dict[str, object]:
    verdict = spam.judge(Document("test/1", text, Provenance("test", "", "", "", "")))
    return {"outcome": verdict.outcome, "family": dict(verdict.labels).get("spam", ""), **dict(verdict.measures)}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_advertisement_is_dropped_and_a_lookalike_is_kept(case: dict[str, str]) -> None:
    assert judged(case["text"])["outcome"] == ("drop" if case["label"] == "spam" else "keep")


def test_the_own_set_holds_as_many_lookalikes_as_advertisements() -> None:
    labels = [case["label"] for case in CASES]
    assert len(labels) >= 120 and 0.4 <= labels.count("ham") / len(labels) <= 0.6


@pytest.mark.parametrize(
    "written", ["카.지.노", "카 지 노", "카/지/노", "카ㅈl노", "ㅋr지노", "카🎰지🎰노", "카ㅈㅣ노"]
)
def test_a_disguised_word_is_read(written: str) -> None:
    assert "카지노추천" in {term.text for *_, term in spam._FIND.all(shadow(f"오늘 {written}추천 모음"))}


def test_two_words_that_meet_are_not_one() -> None:
    assert not [term for *_, term in spam._FIND.all("포토 토론 모임") if term.family == "gambling"]
    assert not [term for *_, term in spam._FIND.all("모바일 프로그램의 자동 완성 기능") if term.kind == "strong"]


def test_one_word_never_decides() -> None:
    for term in spam.TERMS:
        if term.kind == "strong":
            assert judged(f"{term.text} 이라는 말을 들었다.")["outcome"] == "keep", term.text


def test_one_advertisement_does_not_cost_an_article() -> None:
    found = judged(NEWS * 20 + AD + NEWS * 20)
    assert found["outcome"] == "keep" and 0 < float(str(found["spam_share"])) < 0.2


def test_a_text_that_mostly_advertises_is_dropped_with_its_family() -> None:
    found = judged(NEWS * 2 + AD * 12)
    assert (found["outcome"], found["family"]) == ("drop", "gambling") and float(str(found["spam_share"])) > 0.5


def test_reporting_outweighs_the_words_it_reports() -> None:
    terms = "온라인카지노 꽁머니 첫충 카카오톡"
    assert judged(f"경찰은 {terms} 광고를 올린 일당을 도박 혐의로 검거했다고 밝혔다.")["outcome"] == "keep"


def test_lists_of_places_alone_are_no_advertisement() -> None:
    courts = "서울 지방법원, 부산 지방법원, 대구 지방법원, 인천 지방법원, 광주 지방법원의 관할을 적는다."
    assert judged(courts)["outcome"] == "keep"


def test_a_syllable_beside_a_bound_term_hides_it(tmp_path: Path) -> None:
    listed = tmp_path / "terms.txt"
    listed.write_text("# terms\n|오피| adult strong\n급_전 loan core\n", encoding="utf-8")
    terms = load(listed)
    assert terms == (Term("오피", "adult", "strong", (True, True)), Term("급 전", "loan", "core"))
    find = Finder(terms, lambda text: text)
    assert [term.text for *_, term in find.all("오피 오피스 카오피 오피")] == ["오피", "오피"]


def test_every_term_stands_once_and_has_a_known_weight() -> None:
    assert len({term.text for term in spam.TERMS}) == len(spam.TERMS)
    assert {term.kind for term in spam.TERMS} == {"strong", "core", "weak", "call", "report", "doubt", "none"}


def test_no_text_takes_long() -> None:
    dice = random.Random(4)
    terms = [term.text for term in spam.TERMS]
    for text in (
        "가" * 10**6,
        "\n" * 10**6,
        "강남출장 " * 200_000,
        "".join(dice.choice(terms) for _ in range(250_000)),
    ):
        began = time.process_time()
        judged(text)
        assert time.process_time() - began < 2  # seconds for about 3 MB; measured 0.4


def test_the_benchmark_counts_what_was_found() -> None:
    assert scores([True, True, False], [True, False, True]) == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert report("spam", CASES[:3])["kinds"] == {"spam/gambling": {"found": 3}}
