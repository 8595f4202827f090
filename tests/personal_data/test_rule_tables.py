"""Every example of a rule table is a test: what the rule finds, and what it leaves alone."""

from __future__ import annotations

import pytest

from benchmarks.personal_data import rule_page
from filters.pii_rules.candidate import Match
from filters.pii_rules.rule_table import ROOT, Row, Rule, Table, WordList, compile_rule, insert_words, read_tables
from filters.pii_rules.search import find_matches, read_example, read_rules, run_rule
from tests.builders.rows import each_row

RULES = [rule for rule, _ in read_rules()]
ROW = {"id": "a", "kind": "phone", "about": "a", "pattern": "[0-9]+", "confidence": 0.9, "found": ["⟦1⟧"]}


def name_case(value: Rule | str) -> str:
    return value if isinstance(value, str) else value.row.id


def find_places(found: list[Match]) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in found]


@each_row(
    ("rule", "example"),
    [(r, e) for r in RULES for e in r.row.found],
    ids=name_case,
)
def test_a_rule_finds_its_examples_alone_and_among_all(rule: Rule, example: str) -> None:
    text, places = read_example(example)
    assert find_places(run_rule(rule, text)) == places
    among_all = {(one.start, one.end, one.kind) for one in find_matches(text, text.encode())}
    assert {(one.start, one.end, one.kind) for one in run_rule(rule, text)} - among_all == set()


@each_row(
    ("rule", "example"),
    [(r, e) for r in RULES for e in r.row.left_alone],
    ids=name_case,
)
def test_a_rule_leaves_its_counter_examples_alone(rule: Rule, example: str) -> None:
    assert run_rule(rule, example) == []


def test_identifiers_of_rules_are_unique() -> None:
    names = [rule.row.id for rule in RULES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pattern": None}, "exactly one of `pattern`, `groups`, `row`, `heading` and `detector`"),
        ({"kind": "shoe-size"}, "'shoe-size' is not a kind"),
        ({"found": ["1"]}, "marks its values"),
        ({"patern": "a"}, "Extra inputs are not permitted"),
        ({"pattern": "a" * 301}, "at most 300 characters"),
    ],
)
def test_a_faulty_row_is_refused_with_its_reason(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Table.model_validate({"automaton": "numbers", "rule": [{**ROW, **changes}]})


def test_no_word_is_longer_than_an_expression_may_be_and_all_are_used() -> None:
    code = " ".join(path.read_text("utf-8") for path in ROOT.rglob("*.py"))
    for name, table in read_tables().items():
        rows = " ".join(row.model_dump_json() for row in table.rule) + " ".join(table.words.values())
        unused = {word for word in table.words if "{" + word + "}" not in rows}
        assert [word for word in unused if f'("{name}", "{word}")' not in code] == [], name
        assert [word for word, pattern in table.words.items() if len(pattern) > 300] == [], name


def test_words_are_inserted_into_words() -> None:
    assert insert_words("{a}{2}", {"a": "{b}|c", "b": "d"}) == "(?:(?:d)|c){2}"


def find_in(text: str, **changes: object) -> list[tuple[str, str, float]]:
    row = Row.model_validate({**ROW, "pattern": None, **changes})
    found = run_rule(compile_rule(row, {}), text)
    return [(text[one.start : one.end], one.kind, one.confidence) for one in found]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("00-00-000000", ["00-00-000000"]),
        ("00 00 000000, 0000-000000", ["00 00 000000", "0000-000000"]),
        ("00-000000-0000000", []),  # too many digits
        ("00-00-000000 0000.000000", ["00-00-000000", "0000.000000"]),
        ("00-00 000000", ["00-00 000000"]),  # separators mix, but no part is long enough
        ("0-0-0-0-000000", ["0-0-0-0-000000"]),
        ("0-0-0-0-0-00000", []),  # six groups
    ],
)
def test_a_rule_reads_whole_rows_of_digits(text: str, values: list[str]) -> None:
    assert [value for value, _, _ in find_in(text, row=[10, 12])] == values


def test_a_gate_of_a_rule_for_digits_is_asked_of_the_whole_text() -> None:
    assert find_in("0000000000", row=[10, 12], gate=["bank"]) == []
    assert find_in("0000000000, a bank", row=[10, 12], gate=["bank"]) == [("0000000000", "phone", 0.9)]


def test_evidence_raises_the_confidence_and_a_function_chooses_the_kind() -> None:
    changes = {
        "groups": [[6, 7]],
        "kind_by": "number_checks.read_kind",
        "evidence": {"check": "number_checks.has_possible_date", "confidence": 0.95},
    }
    assert find_in("391203-4000000", **changes) == [("391203-4000000", "rrn", 0.95)]
    assert find_in("391332-6000000", **changes) == [("391332-6000000", "frn", 0.9)]


def test_the_page_of_kinds_is_that_of_the_tables() -> None:
    page = rule_page.PAGE.read_text(encoding="utf-8")
    assert rule_page.render_page(page) == page, "run: python -m benchmarks.personal_data.rule_page"


def test_a_page_without_a_place_for_a_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="add both under the heading of the kind"):
        rule_page.render_page("# Kinds\n")


def test_every_field_of_a_row_is_documented() -> None:
    page = (rule_page.PAGE.parent / "personal-data-rules.md").read_text(encoding="utf-8")
    assert [name for name in Row.model_fields if f"`{name}`" not in page and f"\n{name} =" not in page] == []


def build_rule(words: dict[str, str] | None = None, **fields: object) -> Rule:
    return compile_rule(
        Table.model_validate({"automaton": "numbers", "rule": [{**ROW, **fields}]}).rule[0], words or {}
    )


def test_a_pattern_with_a_start_is_tried_only_there_and_not_inside_a_match() -> None:
    rule = build_rule(start="[ab]", pattern="[ab]+(?P<value>[0-9]+)")
    assert find_places(run_rule(rule, "ab12 c3 b4")) == [(2, 4), (9, 10)]
    assert rule.gates == ("[ab]",)


def test_a_value_is_extended_by_what_follows_but_not_into_a_longer_number() -> None:
    extend = {"patterns": [",[0-9]{2}", ",[a-z]"], "stop": ",z", "cut": "[0-9][0-9]", "most": 3}
    rule = build_rule(pattern="[0-9]+", extend=extend)
    text = "1,22,a,b,c 1,223 1,z 가1,a"
    assert [text[a:b] for a, b in find_places(run_rule(rule, text))] == ["1,22,a,b", "1", "223", "1", "1,a"]


def test_a_list_of_words_comes_from_a_file_longest_first() -> None:
    listed = WordList(file="districts.txt").build_pattern().split("|")
    cut = WordList(file="districts.txt", drop=1).build_pattern().split("|")
    assert "해운대구" in listed and listed == sorted(listed, key=lambda word: (-len(word), word))
    assert "해운대" in cut and "동" not in cut
