"""Advertising is dropped however it is written, and what only names its trade is kept."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import train_spam
from benchmarks.ngram_training import round_numbers
from benchmarks.spam import report, scores
from filters import spam
from filters.korean import ngram_model, term_lists
from filters.korean.term_lists import Finder, Term, load, to_search_form
from malmoi.document import Document, Provenance
from malmoi.models import dump_model, write_model
from tests.builders.rows import each_row

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data/spam.jsonl").open(encoding="utf-8")]
NEWS = "시의회는 어제 내년 예산안을 의결했다. 도서관을 두 곳 늘리고 낡은 수도관을 바꾸는 데 돈을 쓴다.\n"
AD = "카지노사이트 추천 꽁머니 3만 지급, 첫충 30%, 가입코드 7777, 텔레그램 @sample77 문의주세요\n"


def judged(text: str) -> dict[str, object]:
    verdict = spam.judge(Document("test/1", text, Provenance("test", "", "", "", "")))
    return {"outcome": verdict.outcome, "family": dict(verdict.labels).get("spam", ""), **dict(verdict.measures)}


@each_row("case", CASES, ids=[case["id"] for case in CASES])
def test_an_advertisement_is_dropped_and_a_lookalike_is_kept(case: dict[str, str]) -> None:
    assert judged(case["text"])["outcome"] == ("drop" if case["label"] == "spam" else "keep")


def test_the_own_set_holds_as_many_lookalikes_as_advertisements() -> None:
    labels = [case["label"] for case in CASES]
    assert len(labels) >= 120 and 0.4 <= labels.count("ham") / len(labels) <= 0.6


@pytest.mark.parametrize(
    "written", ["카.지.노", "카 지 노", "카/지/노", "카ㅈl노", "ㅋr지노", "카🎰지🎰노", "카ㅈㅣ노"]
)
def test_a_disguised_word_is_read(written: str) -> None:
    assert "카지노추천" in {term.text for *_, term in spam._FIND.all(to_search_form(f"오늘 {written}추천 모음"))}


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


def test_only_the_terms_that_a_line_may_hold_are_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[int] = []
    made = term_lists._compile_patterns
    monkeypatch.setattr(
        term_lists, "_compile_patterns", lambda patterns: compiled.append(len(patterns)) or made(patterns)
    )
    assert spam._GATE.any(f"{NEWS}어제는 카.지.노에 갔다.\n{NEWS}")
    assert not spam._GATE.any(NEWS)
    assert compiled and max(compiled) < 10


def test_a_term_is_found_in_a_line_as_in_the_whole_list() -> None:
    text = "\n".join([AD, NEWS, *(case["text"] for case in CASES)])
    found = list(spam._FIND.all(to_search_form(text)))
    whole = Finder(spam.TERMS, term_lists.syllable_pattern)
    assert len(found) > 500 and found == [
        hit for line, at in _lines(to_search_form(text)) for hit in _all(whole, line, at)
    ]


def _lines(text: str) -> list[tuple[str, int]]:
    starts = [0, *(at + 1 for at, sign in enumerate(text) if sign == "\n")]
    return list(zip(text.split("\n"), starts, strict=True))


def _all(whole: Finder, line: str, at: int) -> list[tuple[int, int, Term]]:
    return [(at + start, at + end, term) for start, end, term in whole._find_in_line(whole._full_pattern, line)]


WARNINGS = {
    "a plan of the state": "정부가 신용이 낮은 사람에게 소액 대출을 해 준다. 당일 심사를 거쳐 최대 백만 원을 빌려주고, "
    "금리는 해마다 낮아진다. "
    "금융감독원은 '무직자 대출', '당일 대출'을 내건 사채 광고는 불법이라며 속지 말라고 당부했다.",
    "help with debts": "빚을 빚으로 갚고 있다면 지금 바로 상담하세요. 신용회복위원회가 이자를 줄이고 "
    "나누어 갚게 도와줍니다. "
    "당일 대출, 무직자 대출, 누구나 승인을 말하는 문자는 거의 다 불법입니다. 상담 전화는 1600-5500입니다.",
    "news of the market": "코스피가 외국인 매수에 올랐고 몇몇 종목은 상한가였다. "
    "전문가들은 '수익 보장'을 말하는 리딩방과 급등주 추천 문자를 믿고 투자했다가 원금을 잃은 사례가 늘었다고 한다. "
    "금감원은 불법 리딩방을 적발했다.",
}
SOFT = (
    "믿을 수 있는 온라인 게임 공간에 초대합니다. 라이브 딜러와 즐기는 테이블, 날마다 터지는 잭팟, "
    "신규 회원 가입 즉시 3만 지급, 첫 충전 30%, 입출금 제한 없음. 도메인 주소 play-2424.example 코드 go77. "
    "24시간 고객 센터가 함께합니다."
)
UNLISTED = "논문이랑 자소서 대신 써 드려요~ 빠르고 저렴하게! 편하게 카톡 주세요 ^^ 후기 많아요!!"


@pytest.mark.parametrize("text", WARNINGS.values(), ids=list(WARNINGS))
def test_a_warning_that_quotes_advertising_is_kept(text: str) -> None:
    assert judged(text)["outcome"] == "keep"


def test_a_term_in_quotation_marks_counts_half() -> None:
    bare, quoted = (
        spam.measure(f"{a}무직자 대출{b} {a}당일 대출{b} 문의 환영, 지금 바로 010-1234-5678") for a, b in ("  ", "''")
    )
    assert 0 < quoted.score < bare.score


def test_words_of_a_reporter_do_not_save_who_gives_a_messenger() -> None:
    text = WARNINGS["help with debts"] + " 텔레그램 @fastcash77 로 문의 주세요."
    assert spam.measure(WARNINGS["help with debts"]).reported and not spam.measure(text).reported


def test_everyday_words_of_gambling_beside_calls_and_contacts_decide() -> None:
    found = judged(SOFT)
    assert (found["outcome"], found["family"]) == ("drop", "gambling") and float(str(found["spam_share"])) > 0.5


def test_wording_alone_decides_where_no_list_names_the_trade() -> None:
    found = judged(UNLISTED)
    assert (found["outcome"], found["family"], found["spam_share"]) == ("drop", "wording", 0.0)
    verdict = spam.judge(Document("test/1", UNLISTED, Provenance("test", "", "", "", "")), max_model=100)
    assert verdict.outcome == "keep"


def test_wording_of_less_than_half_of_a_page_does_not_decide() -> None:
    page = "\n".join([UNLISTED] * 12)
    news = NEWS * (2 * len(page) // len(NEWS))
    assert ngram_model.score(spam.MODEL, page, windows=True) > spam.MAX_MODEL
    assert ngram_model.score(spam.MODEL, page + news, windows=True) < spam.MAX_MODEL
    assert judged(page + news)["outcome"] == judged(news + page)["outcome"] == "keep"


@pytest.mark.heavy
def test_the_weights_are_those_of_the_texts_in_the_repository() -> None:
    model = train_spam.train(train_spam.read_texts())
    assert dump_model(model) == dump_model(round_numbers(spam.MODEL)), "texts changed: benchmarks.train_spam --write"


@pytest.mark.heavy
def test_the_limit_of_the_model_is_that_of_the_cross_validation() -> None:
    examples = train_spam.make_examples(train_spam.read_texts())
    over = train_spam.cross_validate(examples) > spam.MAX_MODEL
    found, kinds = (Counter(e.label for e, o in zip(examples, over, strict=True) if o or every) for every in (0, 1))
    assert found["spam"] >= 0.8 * kinds["spam"] and found["ham"] <= 1 and not found["human"]


def test_a_model_is_trained_without_chance_and_read_as_it_was_written(tmp_path: Path) -> None:
    kinds = {AD: "spam", UNLISTED: "spam", NEWS: "human"}
    model = train_spam.train(kinds)
    write_model(model, tmp_path / "spam.model")
    read = ngram_model.load(tmp_path / "spam.model")
    assert dump_model(read) == dump_model(train_spam.train(kinds))
    assert ngram_model.score(read, AD) > 0 > ngram_model.score(read, NEWS)


def test_a_text_without_letters_has_a_score() -> None:
    for text in ("", " ", "\n" * 5_000, "7" * 5_000, "\ud800", "가"):
        assert ngram_model.score(spam.MODEL, text, windows=True) < spam.MAX_MODEL
