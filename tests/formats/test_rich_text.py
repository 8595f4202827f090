"""Bodies of articles in data become markup, whatever editor stored them."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawlers.formats.html.script_data import rich_nodes, rich_text
from crawlers.formats.html.script_data.js_values import read_values
from tests.builders.rows import each_row

CASES = tomllib.loads((Path(__file__).parents[1] / "data" / "formats" / "rich_text.toml").read_text("utf-8"))["case"]


@each_row("case", CASES, ids=lambda case: case["why"])
def test_the_body_of_an_editor_becomes_markup(case: dict[str, Any]) -> None:
    assert rich_text.to_markup(json.loads(case["data"], strict=False)) == case["markup"].replace("\\n", "\n")


@each_row("case", CASES[:-3], ids=lambda case: case["why"])
def test_the_body_of_an_editor_is_told_from_a_list_of_articles(case: dict[str, Any]) -> None:
    assert rich_nodes.is_rich(json.loads(case["data"], strict=False))


def test_a_list_of_articles_is_not_a_body() -> None:
    assert not rich_nodes.is_rich(
        [{"title": "하나", "body": "둘", "url": "/1"}, {"title": "셋", "body": "넷", "url": "/2"}]
    )
    assert not rich_nodes.is_rich({"articles": [{"title": "하나", "body": "둘"}], "page": 1})


def test_nodes_a_thousand_deep_and_a_hundred_thousand_wide_end() -> None:
    deep: Any = {"type": "paragraph", "text": "끝"}
    for _ in range(900):
        deep = {"type": "blockquote", "children": [deep]}
    assert isinstance(rich_text.to_markup(deep), str)
    start = time.process_time()
    rich_text.to_markup([{"type": "paragraph", "children": [{"text": "가"}]}] * 100_000)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('window.__A__={"a":"가"};', {"a": "가"}),
        ("var a = {b: '가', 'c': [1, void 0, !0], d: function(x){return '}'}, e() {}, f: new Date(1)};",
         {"b": "가", "c": [1, None, True], "d": None, "e": None, "f": 1}),
        ('self.x = self.x || JSON.parse("{\\"a\\":\\"\\uac00\\"}")', {"a": "가"}),
        ("x = JSON.parse(decodeURIComponent('%7B%22a%22%3A1%7D'))", {"a": 1}),
        ('window.__NUXT__=(function(a,b,c){c.t=a;return {d:[{x:a,y:b,z:c}]}}("가",null,{}));',
         {"d": [{"x": "가", "y": None, "z": {"t": "가"}}]}),
        ("p = (() => ({a: `가\n나`}))()", {"a": "가\n나"}),
        ("kit.start(app, element, {data: [null, {a: 1}]})", {"data": [None, {"a": 1}]}),
    ],
)  # fmt: skip
def test_the_literal_of_a_script_is_read(source: str, value: Any) -> None:
    assert value in list(read_values(source))


@pytest.mark.heavy
@each_row("source", ["({", "=[{", "={a:", "=(/*", "=(`", "=(function(a,", '="\\', "=(" * 3, "={a:function(){"])
def test_literals_that_never_end_cost_linear_time(source: str) -> None:
    start = time.process_time()
    assert list(read_values(source * 40_000)) is not None
    assert time.process_time() - start < 10
