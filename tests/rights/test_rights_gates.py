"""A gate shuts out only what no rule behind it matches, and the walk only what is not shown."""

import re
from types import ModuleType

import pytest
from lxml import html

from crawlers.formats.html.runs import runs
from crawlers.rights import candidates, kogl_block, refusals
from crawlers.rights.rules import MAX_SHORT, gate, may_match_any
from tests.builders.rows import each_row
from tests.rights import rights_cases

TRAPS = rights_cases.read_cases("traps.jsonl")
LINES = [
    line
    for trap in TRAPS
    for line in (
        [run.text for run in runs(html.document_fromstring(trap["html"]))]
        if trap.get("html", "").strip()
        else trap.get("text", "").splitlines()
    )
]
RULES = [
    (module, name)
    for module, names in (
        (candidates, "NAMED OPEN"),
        (kogl_block, "NAME"),
    )
    for name in names.split()
]


@pytest.mark.parametrize(("module", "name"), RULES, ids=lambda one: one if isinstance(one, str) else "")
def test_every_line_of_a_trap_that_a_rule_matches_passes_its_gate(module: ModuleType, name: str) -> None:
    rule = getattr(module, name)
    may = gate(rule)
    matched = [line for line in LINES if rule.search(line)]
    assert matched, "the traps say nothing that this rule is for"
    assert [line for line in matched if not may(line)] == []
    assert not may("바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다")


def test_what_a_rule_of_refusals_matches_passes_the_gates_that_stand_before_them() -> None:
    rules = [rule for group in refusals.GROUPS for rule in group.rules]
    matched = [line for line in LINES if any(rule.search(line) for rule in rules)]
    assert len(matched) > 80
    assert [line for line in matched if not refusals._may_refuse(line)] == []


def test_a_page_passes_where_one_of_its_runs_does_and_no_match_goes_from_run_to_run() -> None:
    may = gate(re.compile(r"무단[^.]{0,9}금지"))
    assert may_match_any(may, ["앞의 글", "무단 전재 금지", "뒤의 글"])
    assert not may_match_any(may, ["무단", "금지"])


@each_row(
    ("rule", "text"),
    [
        (r"\bonly\b", "only"),
        (r"\bonly\b", "이 글은 only 가나"),
        (r"a\sb", "a\u3000b"),
        (r"a\w+b", "a가나b"),
        (r"\d{4}", "２０２４"),
        (r"licence", "LİCENCE"),
        (r"licence", "lıcence"),
        (r"[a-z]{2}", "ıı"),
        (r"work", "wor\u212a"),
        (r"reserved", "re\u017ferved"),
        (r"^가(?=나).{2,9}$", "가나다"),
        (r"(?<![가-힣])펌", "펌 금지"),
        (r"[^가\s]금지", "나금지"),
        (r"[^\w]금지", ".금지"),
        (r"(?:하나|둘){2,4}?셋", "하나둘하나셋"),
        (r"가{5}", "가가가가가"),
        (r"금지", "\ud800금지"),
        (r"가.나", "가\ud800나"),
    ],
)
def test_a_loosened_rule_matches_wherever_the_rule_does(rule: str, text: str) -> None:
    assert re.search(rule, text, re.IGNORECASE)
    assert gate(re.compile(rule, re.IGNORECASE))(text)


def test_of_a_rule_that_cannot_be_loosened_no_gate_is_made() -> None:
    with pytest.raises(ValueError, match="GROUPREF"):
        gate(re.compile(r"(가)\1"))


def test_a_long_text_is_asked_but_not_remembered() -> None:
    may = gate(re.compile("금지"))
    assert may("가" * MAX_SHORT + "금지")
    assert not may("가" * MAX_SHORT * 2)


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<dialog><p>무단 전재 금지</p></dialog>", False),
        ("<dialog data-n=1><p>무단 전재 금지</p></dialog>", False),
        ("<dialog open><p>무단 전재 금지</p></dialog>", True),
        ("<p id=a hidden>무단 전재 금지</p>", False),
        ("<p id=a>무단 전재 금지</p>", True),
    ],
)
def test_what_is_not_shown_is_not_walked_into(markup: str, shown: bool) -> None:
    tree = html.document_fromstring(f"<html><body><main><p>글</p>{markup}</main></body></html>")
    assert [run.text for run in runs(tree)] == ["글", *(["무단 전재 금지"] if shown else [])]
