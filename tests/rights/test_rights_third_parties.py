"""The rules of third_party.toml: each finds its examples at its places; no counterexample is a sign."""

import json
from pathlib import Path
from typing import Any

from lxml import html

from crawlers.formats.html.runs import runs
from crawlers.rights import third_parties
from crawlers.rights.rules import is_publisher, load
from malmoi.document import Signal
from tests.builders.rows import each_row

DATA, compile_all = load("third_party.toml")
# Written before the rules that find them. At first 68 of 110 signs were found, then 52 of the next 87; of 102 sentences
# of the publisher, one was taken for a sign.
# Of statements of origin in two later sets, 13 of 30 and 9 of 20 were found at first; of their 50 sentences of the
# publisher, one was taken for a sign.
FILE = Path(__file__).parents[1] / "data" / "rights" / "third_party_variants.jsonl"
MOST = 300  # code points of one expression, with its words inserted
PROSE = "<p>바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. 아이들은 갯벌에 나가 조개를 캐고 물때를 배운다.</p>"
PLACES = {
    "title": "<h1>{0}</h1>{1}",
    "label": "<p>바다</p>{1}<p>{0}</p>",
    "line": "{1}<p>{0}</p>",
    "sentence": "{1}<p>{0}</p>",
}


def find(body: str, publisher: str = "가나시", title: str = "갯벌") -> list[Signal]:
    tree = html.document_fromstring(f"<html><head><title>{title}</title></head><body><main>{body}</main></body></html>")
    return list(third_parties.find(runs(tree), tree, publisher))


def find_at(place: str, words: str) -> list[str]:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return [one.place.partition(":")[0] for one in find(PLACES[place].format(escaped, PROSE))]


@each_row("row", DATA["rule"], ids=lambda row: row["id"])
def test_a_rule_finds_its_examples_and_no_rule_finds_its_counterexamples(row: dict[str, Any]) -> None:
    assert row["examples"] and row["counter"] and set(row["places"]) <= set(PLACES)
    found = {one: {id_ for place in row["places"] for id_ in find_at(place, one)} for one in row["examples"]}
    assert {one: ids for one, ids in found.items() if row["id"] not in ids} == {}
    wrong = {one: [id_ for place in row["places"] for id_ in find_at(place, one)] for one in row["counter"]}
    assert {one: ids for one, ids in wrong.items() if ids} == {}


def test_expressions_are_short_and_need_fixed_words() -> None:
    rules = third_parties.read_rules()
    assert len({rule.id for rule in rules}) == len(rules)
    assert [
        rule.id for rule in rules if len(rule.pattern.pattern) > MOST or (rule.label and len(rule.label.pattern) > MOST)
    ] == []
    assert [rule.id for rule in rules if not rule.needs() or "" in rule.needs() or " " in rule.needs()] == []


BADGE = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">{0}</a>'
GIVEN = "<p>This work is licensed under a " + BADGE.format("Creative Commons Attribution 4.0 International License")


@each_row(
    ("block", "signs"),
    [
        ("<div><h2>라이선스</h2><p>Copyright (c) 2024 김한솔</p>" + BADGE.format("<img>") + GIVEN + ".</p></div>", 0),
        ("<div><p>Copyright (c) 2024 김한솔, 이두리</p>" + BADGE.format("<img>") + "</div>", 0),
        ("<div>저작권 (c) 2024 김한솔<br>" + BADGE.format("<img>") + "</div>", 0),
        ("<p>© 2024 김한솔 " + BADGE.format("CC BY 4.0") + "</p>", 0),
        ("<p>ⓒ 김한솔</p>" + GIVEN + "</p>", 1),  # beside the text, not in a block of its own
        ("<div><p>ⓒ 다라일보</p>" + BADGE.format("CC BY 4.0") + "</div>", 1),
        ("<div><p>ⓒ 다라전자(주)</p>" + BADGE.format("CC BY 4.0") + "</div>", 1),
        ("<p>© 2024 Theme by Gildong Hong " + BADGE.format("CC BY 4.0") + "</p>", 1),
        ("<div><p>ⓒ 김한솔</p><p>모든 권리를 지킵니다.</p>" + BADGE.format("CC BY 4.0") + "</div>", 1),
        ("<div><p>ⓒ 김한솔</p></div>", 1),
    ],
)
def test_a_notice_of_an_author_in_a_block_with_a_licence_is_the_licensors(block: str, signs: int) -> None:
    assert len([one for one in find(PROSE + block) if one.place.startswith("sign-line")]) == signs


@each_row(
    ("holder", "publisher", "same"),
    [
        ("가나시청 홍보담당관", "가나시", True),
        ("가나 시청", "가나시청", True),
        ("가나시(문화과)", "가나시", True),
        ("문화관광과", "가나시", True),
        ("우리 시", "", True),
        ("우리 지역 시민단체", "", False),
        ("본 사이트", "", True),
        ("가나시 다라협회", "가나시", False),
        ("가나시민연대", "가나시", False),
        ("다라일보", "가나시", False),
        ("다라일보", "", False),
        ("The Dara Foundation", "The Dara Foundation; Gana", True),
        ("Gana", "The Dara Foundation; Gana", True),
    ],
)
def test_the_publisher_and_its_departments_are_known_by_name(holder: str, publisher: str, same: bool) -> None:
    assert is_publisher(holder, publisher) is same


def test_a_source_that_declares_no_publisher_has_a_sign_for_each_named_source() -> None:
    body = f"{PROSE}<p>출처: 가나시</p>"
    assert find(body) == [] and {one.name for one in find(body, publisher="")} == {"third-party"}


def test_a_sign_names_its_rule_its_element_and_its_words() -> None:
    (sign,) = find(f"{PROSE}<dl><dt>이미지 이용조건</dt><dd>제1유형</dd></dl>")[:1]
    assert (sign.name, sign.effect, sign.record) == ("part", "review", "")
    assert sign.place.startswith("part-label: html > body > main") and sign.quote.startswith("이미지 이용조건")


def test_menus_quotations_and_the_middle_of_the_text_are_no_signs() -> None:
    assert find(f"<nav><a href='/1'>자유게시판</a></nav>{PROSE}<footer><p>출처: 다라일보</p></footer>") == []
    assert find(f"{PROSE}<blockquote><p>저작권은 필자에게 있습니다.</p></blockquote>") == []
    assert find(f"{PROSE}<table><tr><td>1</td></tr></table><p>자료: 다라통계원</p>{PROSE}") == []
    assert find("<p></p>", title="") == []


def test_boards_and_the_end_of_a_long_run_are_read() -> None:
    assert find(f"<div class='path'>홈 &gt; 참여 &gt; 자유게시판</div>{PROSE}")
    assert find(f"<table><tr><th>게시판</th><td>주민 참여</td></tr></table>{PROSE}")
    assert find(f"<p><span class='board-name'>시민 게시판</span><span>작성자: 구름이</span></p>{PROSE}")
    assert find(PROSE, title="갯벌 | 자유게시판 | 가나시")
    assert find(f"<p>{'물때는 달이 정한다. ' * 40}이 글의 저작권은 글쓴이에게 있습니다.</p>")
    assert find(f"<p>{'물때는 달이 정한다. ' * 40}[출처: ㈜다라]</p>")


def words_of(case: dict[str, Any]) -> str:
    return f"<h2>{case['words']}</h2>{PROSE}" if case["place"] == "title" else f"{PROSE}<p>{case['words']}</p>"


VARIANTS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@each_row("case", VARIANTS, ids=lambda case: case["words"])
def test_variants_of_each_class_give_a_sign_and_words_of_the_publisher_none(case: dict[str, Any]) -> None:
    assert bool(find(words_of(case))) is (case["sign"] and "missed" not in case)
