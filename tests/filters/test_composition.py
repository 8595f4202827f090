"""Shares of code, lists and Hangul, and the label of translated texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import train_translation
from filters import composition, morphology
from filters.korean import ngram_model, translation_model
from filters.views.line_kinds import is_code
from malmoi.document import Document, Provenance
from malmoi.errors import CallError

LINES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data/filters/code_lines.jsonl").open(encoding="utf-8")
]
PROSE = "오늘은 아침부터 비가 내려서 우산을 들고 집을 나섰다. 버스가 늦게 와서 정류장에서 한참을 기다렸다."
CODE = '```\nfor i in range(3):\n    print("가나다라마바사아자차카타파하", i)\n```'
LIST = "\n".join(["- 사과 두 개", "- 우유 한 병", "1. 양파", "준비물"] * 6)


def make(text: str) -> Document:
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    return replace(doc, morphemes=morphology.mark(doc))


@pytest.mark.parametrize("case", LINES, ids=lambda case: case["line"])
def test_a_line_is_code_by_its_signs(case: dict[str, object]) -> None:
    assert is_code(str(case["line"])) is case["code"]


def test_fenced_code_and_lines_of_code_count_alike() -> None:
    bare = CODE.replace("```\n", "").replace("\n```", "")
    assert composition.measure_shares(bare).code == 1.0
    assert composition.measure_shares(f"{PROSE}\n\n{CODE}").code > 0.3
    assert composition.measure_shares(PROSE).code == 0.0


def test_items_and_bare_lines_are_lists_and_tables_are_not() -> None:
    table = "| 이름 | 값 |\n|---|---|\n| 가 | 1 |\n| 나 | 2 |"
    assert composition.measure_shares(LIST).lists == 1.0
    assert composition.measure_shares(table).lists == 0.0
    assert composition.measure_shares(PROSE).lists == 0.0


def test_nothing_is_dropped_by_default() -> None:
    for text in (PROSE, CODE, LIST, "", "English only, and no other letters."):
        assert composition.judge(make(text)).outcome == "keep"


@pytest.mark.parametrize(
    ("text", "limit", "reason"),
    [
        (CODE, {"max_code": 0.5}, "mostly-code"),
        (LIST, {"max_lists": 0.5}, "mostly-lists"),
        ("Half of this line is 한국어입니다.", {"min_hangul": 0.6}, "little-hangul"),
    ],
)
def test_a_recipe_drops_by_its_thresholds(text: str, limit: dict[str, float], reason: str) -> None:
    found = composition.judge(make(text), **limit)
    assert (found.outcome, found.reason) == ("drop", reason)


def test_a_text_without_analysis_is_refused() -> None:
    with pytest.raises(CallError, match="put 'morphology' before 'composition'"):
        composition.judge(Document("test/1", PROSE, Provenance("test", "", "", "", "")))


def test_translations_are_told_from_native_texts_and_short_texts_are_left_open() -> None:
    raw = (
        "이 가이드에서, 우리는 어떻게 당신의 첫 번째 정원을 만드는지를 당신에게 보여줄 것입니다. 당신이 시작하기 "
        "전에, 당신은 당신의 흙을 검사하는 것이 필요합니다. 만약 그것이 너무 건조하다면, 당신은 그것에 물을 추가할 수 "
        "있습니다. 그것은 "
        "당신의 식물들이 자라는 것을 허용할 것입니다. 우리는 당신이 그것을 즐기기를 바랍니다."
    )
    assert dict(composition.judge(make(raw)).labels)["translated"] == "yes"
    native = (
        "텃밭 삼 년 차인데 올해도 고추는 반타작이다. 비 온 다음 날 약을 쳤어야 했는데 귀찮아서 하루 미뤘더니 탄저가 "
        "왔다. 옆 밭 아주머니는 새벽 다섯 시에 나오신다. 나는 그 시간에 잔다. 그러니 할 말이 없지. 그래도 상추는 "
        "실컷 먹었고 호박은 아직도 달린다. 내년엔 고추 대신 들깨나 심을까 싶다."
    )
    assert dict(composition.judge(make(native)).labels)["translated"] != "yes"
    assert dict(composition.judge(make("당신의 그것.")).labels)["translated"] == ""


@pytest.mark.soak  # 60 s
def test_the_model_of_translations_is_the_one_that_the_texts_give() -> None:
    texts = train_translation.read_texts()
    assert ngram_model.dump(train_translation.train(texts)) == train_translation.WRITTEN.read_bytes()
    assert translation_model.MODEL.about["texts"] == len(texts)
