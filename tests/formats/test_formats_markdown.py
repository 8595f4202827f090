"""Markdown and MDX become prose: the words stay, the marks go."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crawlers.formats import markdown
from malmoi.source import Item
from tests.builders.rows import each_row

CASES = tomllib.loads((Path(__file__).parents[1] / "data" / "formats" / "markdown.toml").read_text(encoding="utf-8"))[
    "case"
]


def item(body: str) -> Item:
    return Item(key="a.md", url="a.md", body=body.encode(), media="text/markdown", charset="", record="r")


@each_row("case", CASES, ids=lambda case: case["why"])
def test_the_words_stay_and_the_marks_go(case: dict[str, Any]) -> None:
    found = markdown.extract(item(case["source"]))
    assert found.text == case["text"]
    for field in ("title", "date", "author"):
        if field in case:
            assert getattr(found, field) == case[field]


def test_a_file_of_marks_alone_is_empty() -> None:
    found = markdown.extract(item("---\ntitle: 가\n---\n<Intro />\n"))
    assert (found.outcome, found.reason) == ("dropped", "empty")


@given(st.text(alphabet="가 \n#*-`~<>{}/|\"'()[]!:1.ab", max_size=120))
def test_no_text_makes_it_fail(text: str) -> None:
    markdown.extract(item(text))
