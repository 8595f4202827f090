"""The rules of third_party.toml: each finds its examples at its places; no counterexample is a sign."""

from typing import Any

import pytest
from lxml import html

from crawlers.formats.html.runs import runs
from crawlers.rights import third_parties
from crawlers.rights.rule_files import load
from malmoi.document import Signal

DATA, compile_all = load("third_party.toml")
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


@pytest.mark.parametrize("row", DATA["rule"], ids=lambda row: row["id"])
def test_a_rule_finds_its_examples_and_no_rule_finds_its_counterexamples(row: dict[str, Any]) -> None:
    assert row["examples"] and row["counter"] and set(row["places"]) <= set(PLACES)
    found = {one: {id_ for place in row["places"] for id_ in find_at(place, one)} for one in row["examples"]}
    assert {one: ids for one, ids in found.items() if row["id"] not in ids} == {}
    wrong = {one: [id_ for place in row["places"] for id_ in find_at(place, one)] for one in row["counter"]}
    assert {one: ids for one, ids in wrong.items() if ids} == {}
