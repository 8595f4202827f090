"""Shares of code, lists and Hangul."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from filters import composition
from filters.composition import is_code
from malmoi.document import Document, Provenance
from tests.builders.rows import each_row

LINES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data/filters/code_lines.jsonl").open(encoding="utf-8")
]
PROSE = "오늘은 아침부터 비가 내려서 우산을 들고 집을 나섰다. 버스가 늦게 와서 정류장에서 한참을 기다렸다."
CODE = '```\nfor i in range(3):\n    print("가나다라마바사아자차카타파하", i)\n```'
LIST = "\n".join(["- 사과 두 개", "- 우유 한 병", "1. 양파", "준비물"] * 6)


def make(text: str) -> Document:
    return Document("test/1", text, Provenance("test", "", "", "", ""))


@each_row("case", LINES, ids=lambda case: case["line"])
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


def test_pages_that_may_be_no_article_are_dropped_if_a_recipe_asks_for_articles() -> None:
    for kind, outcome in (("index", "drop"), ("article", "keep"), ("", "keep")):
        doc = replace(make(PROSE), labels=(("page_kind", kind),) if kind else ())
        assert composition.judge(doc, only_articles=True).outcome == outcome
        assert composition.judge(doc).outcome == "keep"
