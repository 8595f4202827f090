"""The rules of refusals.toml: each has sentences that it refuses, and sentences in like words that nothing refuses."""

from typing import Any

import pytest

from crawlers.rights import refusals
from crawlers.rights.rules import load, read_words
from tests.builders.rows import each_row

DATA, compile_all = load("refusals.toml")
RULES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (group, rule) for group in DATA["group"] for rule in group["rule"]
]
MOST = 300  # code points of one expression, with its words inserted


@each_row(("group", "rule"), RULES, ids=lambda one: one.get("pattern", one.get("name")))
def test_a_rule_refuses_its_examples_and_nothing_refuses_its_counterexamples(
    group: dict[str, Any], rule: dict[str, Any]
) -> None:
    (pattern,) = compile_all([rule["pattern"]])
    forbids = group.get("forbids", group["name"])
    assert rule["examples"] and rule["counter"]
    assert [one for one in rule["examples"] if not pattern.search(one)] == []
    assert {one: refusals.find_refusal(one) for one in rule["examples"]} == dict.fromkeys(rule["examples"], forbids)
    assert {one: refusals.find_refusal(one) for one in rule["counter"]} == dict.fromkeys(rule["counter"], "")


def test_expressions_are_short() -> None:
    every = [rule for group in refusals.GROUPS for rule in (*group.rules, *group.unless, *group.described)]
    every += [rule for rules in refusals.SUBJECTS.values() for rule in rules]
    assert [rule.pattern for rule in every if len(rule.pattern) > MOST] == []


def test_a_word_that_a_file_of_rules_does_not_define_stops_it() -> None:
    with pytest.raises(KeyError, match="ban"):
        read_words({"a": "금지"})(["전재 {ban}"])


def test_a_described_fact_is_a_refusal_as_soon_as_it_names_a_work() -> None:
    assert refusals.find_refusal("섬에서는 기계학습을 위한 데이터 수집이 불가능합니다.") == ""
    assert refusals.find_refusal("이 글은 기계학습을 위한 데이터 수집이 불가능합니다.") == "training"
    assert refusals.find_refusal("'무단전재 금지'라는 문구") == ""
    assert refusals.find_refusal("사진 무단 전재 금지") == ""
    assert refusals.find_refusal("글과 사진 무단 전재 금지") == "copying"


def test_values_of_fields_refuse_and_notices_are_about_works() -> None:
    assert refusals.denies("무단 전재 및 재배포 금지") and not refusals.denies("All rights reserved.")
    assert refusals.forbids("무단 전재 및 재배포 금지") and refusals.forbids("ⓒ 가나 출판사. All rights reserved.")
    assert not refusals.forbids("가나 출판사")
    assert refusals.is_about_work("이 글은 개인 용도로만 이용할 수 있습니다.")
    assert not refusals.is_about_work("연구에만 전념하는 환경")
