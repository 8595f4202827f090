"""Which texts are Korean: short, long, mixed with hanja, code and other languages."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import language as exam
from filters import language
from malmoi.document import Document, Provenance, Verdict
from tests.builders.rows import each_row

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data/language.jsonl").open(encoding="utf-8")]
NAMED = ("en", "ja", "zh", "vi", "ru")


def judged(text: str, **params: Any) -> Verdict:
    return language.judge(Document("test/1", text, Provenance("test", "", "", "", "")), **params)


@each_row("case", CASES, ids=[f"{c['kind']}: {c['text'][:20]}" for c in CASES])
def test_a_text_is_kept_exactly_if_it_is_korean(case: dict[str, Any]) -> None:
    assert (judged(case["text"]).outcome == "keep") is case["korean"]


def test_there_are_enough_cases_of_both_kinds() -> None:
    korean = sum(case["korean"] for case in CASES)
    assert len(CASES) >= 150
    assert min(korean, len(CASES) - korean) >= 60


@each_row("case", [c for c in CASES if c["kind"] in NAMED and len(c["text"]) > 40], ids=str)
def test_another_language_is_named(case: dict[str, Any]) -> None:
    assert dict(judged(case["text"]).labels)["language"] == case["kind"]


def test_the_language_beside_korean_is_named_where_it_runs() -> None:
    korean = "창을 열고 색을 고릅니다. 고른 색은 다음에 그리는 도형부터 쓰입니다.\n"
    english = "You can also pick a colour from the palette on the right side of the window.\n"
    assert ("second_language", "en") in judged((korean + english) * 5).labels
    assert "second_language" not in dict(judged(korean * 10 + english).labels)


def test_code_is_no_second_language() -> None:
    korean = "버튼을 누르면 숫자가 하나 커집니다. 값은 다시 그릴 때까지 그대로 남습니다.\n"
    code = "```js\nconst [count, setCount] = useState(initial);\nreturn <button>{count}</button>;\n```\n"
    assert dict(judged((korean + code) * 5).labels) == {"language": "ko"}


def test_hanja_that_hangul_runs_through_are_no_chinese() -> None:
    assert dict(judged("憲法은 國家의 最高 法規이며 모든 法律은 憲法에 違背되어서는 아니 된다." * 4).labels) == {
        "language": "ko"
    }


def test_the_score_is_the_number_that_the_limit_bounds() -> None:
    (limit,) = language.LIMITS
    for case in CASES:
        verdict = judged(case["text"])
        if dict(verdict.measures)["hangul_share"]:
            assert limit.passes(dict(verdict.measures)[limit.measure], 0.3) is (verdict.outcome == "keep")


def test_a_heading_of_korean_does_not_carry_a_page_of_english() -> None:
    english = "The command stores a copy of the document under another name in the same folder.\n"
    assert judged("다른 이름으로 저장\n" + english * 6 + "참고\n" + english * 3).outcome == "drop"


def test_no_shape_of_text_makes_the_filter_slow() -> None:
    inflected = ("a은 ", "a은", "pool이 a한 것이다. ", "pool이 a한 것이다.\n", "다.")
    for piece in ("a", "ㅋ", "\u1112\u1161", "\n", "](", "<a ", "`a", "가 a\n", "漢", *inflected):
        text = (piece * 1_000_000)[:1_000_000]
        begun = time.process_time()
        judged(text)
        assert time.process_time() - begun < 2.0, piece


def test_real_documents_and_their_cuts_are_told_apart() -> None:
    if not exam.CORPORA.is_dir():
        pytest.skip("the corpora beside the project are not there")
    dice = random.Random(1)
    documents = [(text, True) for _, text in list(exam.korean_documents(exam.CORPORA))[::10]]
    documents += [(text, False) for _, text in list(exam.foreign_documents(exam.CORPORA))[::3]]
    assert all(exam.right(text, korean) for text, korean in documents)
    cuts = [(cut, korean) for text, korean in documents for cut in exam.cuts(text, dice)]
    cuts = [(cut, korean) for cut, korean in cuts if not korean or language.count_letters(cut).hangul >= 3]
    assert len(cuts) > 1_000
    assert sum(exam.right(cut, korean) for cut, korean in cuts) >= 0.995 * len(cuts)
