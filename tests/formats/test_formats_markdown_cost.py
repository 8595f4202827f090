"""Markdown and front matter that a parser would work on for minutes cost their reading and no more."""

from __future__ import annotations

import sys
import time

import pytest

from crawlers.formats import front_matter, markdown
from malmoi.limits import FRONT_MATTER_CHARS, FRONT_MATTER_DEPTH, MARKDOWN_LINES, MARKDOWN_MARKS
from malmoi.source import Item
from tests.builders.rows import each_row

SIZE = 500_000  # code points
SECONDS_PER_MB = 2.0
SLOW_MACHINE = 5.0  # times as slow as the machine on which the limits were set, and busy

SHAPES = [
    "[", "![", "[a](", "[a](b", "](", "[[a]]", "[![a](b)](c) ", "[a]: b\n", "[a]: <> (", "[a]\n", "[`", "[\\", "[^a] ",
    "`", "` a ", "``a`", "`a\n", "```\n", "~~~\na\n", "*", "* a", "**a* ", "_a ", "~~a ", "***a", "a_b_",
    "<", "<a ", "<a {", "<a {' ", "<a x='", "<>", "<a>", "<a\n", "<!--", "<!-- -- ", "{/*", "{' '}", "{",
    "> ", "> - ", "- ", "1. ", "|", "|a|\n", "&a", "\\", "#", "a\n===\n", "\t", "www.a.b ", "import a from\n", "낱말\n",
]  # fmt: skip


@pytest.mark.heavy
@each_row("shape", SHAPES)
def test_no_shape_costs_more_than_two_seconds_a_megabyte(shape: str) -> None:
    text = shape * (SIZE // len(shape))
    began = time.process_time()
    markdown.render(text)
    assert time.process_time() - began < SLOW_MACHINE * SECONDS_PER_MB * SIZE / 1_000_000


@pytest.mark.heavy
def test_back_ticks_of_every_length_cost_no_more() -> None:
    text = "".join("`" * length + "a" for length in range(1, 1_000))
    began = time.process_time()
    markdown.render(text)
    assert time.process_time() - began < SLOW_MACHINE * SECONDS_PER_MB * len(text) / 1_000_000


@pytest.mark.heavy
def test_a_table_of_two_columns_costs_no_more() -> None:
    text = "|가|나|\n|-|-|\n" + "|다|라|\n" * 80_000
    began = time.process_time()
    markdown.render(text)
    assert time.process_time() - began < SLOW_MACHINE * SECONDS_PER_MB * len(text) / 1_000_000


def _item(text: str) -> Item:
    return Item("a.md", "a.md", text.encode(), "text/markdown", "utf-8", "")


@pytest.mark.parametrize("mark", ["[낱말](a.md)\n", "`낱말`\n", "낱말 * 낱말\n", "> 낱말\n"])
def test_above_the_limit_of_marks_the_text_is_read_as_it_stands(mark: str) -> None:
    found = markdown.extract(_item(mark * (MARKDOWN_MARKS.value + 1)))
    assert (found.outcome, found.text.count("낱말") >= MARKDOWN_MARKS.value) == ("kept", True)


def test_above_the_limit_of_lines_the_text_is_read_as_it_stands() -> None:
    found = markdown.extract(_item("낱말\n" * (MARKDOWN_LINES.value + 2)))
    assert (found.outcome, found.text.count("낱말")) == ("kept", MARKDOWN_LINES.value + 2)


def test_comments_and_code_spans_are_told_as_before() -> None:
    text = "가 <!-- 나 --> 다 {/* 라 */} `<b>` ``a ` b`` 마 <!-- 바\n\n`사` ```` 아 ``"
    assert markdown.render(text)[0] == "가  다  `<b>` ``a ` b`` 마 <!-- 바\n\n`사` ```` 아 ``"


def laughs(levels: int, fan: int) -> str:
    lines = ["a0: &a0 [낱말]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * fan)}]" for n in range(1, levels)]
    return "\n".join([*lines, "title: 낱말 모음", "date: 2026-01-05", ""])


FRONTS = {
    "a billion aliases": laughs(10, 10),
    "a list that holds itself": "a: &a [*a]\ntitle: 낱말 모음\ndate: 2026-01-05\n",
    "keys that are merged": "a: &a {b: 1}\nc:\n  <<: *a\ntitle: 낱말 모음\ndate: 2026-01-05\n",
    "lists a thousand deep": f"title: 낱말 모음\ndate: 2026-01-05\na: {'[' * 1000}\n",
    "objects twenty-one deep": "title: 낱말 모음\ndate: 2026-01-05\na: "
    + "{a: " * FRONT_MATTER_DEPTH.value + "1" + "}" * FRONT_MATTER_DEPTH.value + "\n",
    "six thousand values": f"title: 낱말 모음\ndate: 2026-01-05\na: [{'1, ' * 6000}]\n",
    "longer than the limit": f"title: 낱말 모음\ndate: 2026-01-05\na: {'x' * FRONT_MATTER_CHARS.value}\n",
    "a number of five thousand digits": f"title: 낱말 모음\ndate: 2026-01-05\na: {'9' * 5000}\n",
    "a number to the base of sixty": f"title: 낱말 모음\ndate: 2026-01-05\na: 1{':59' * 10_000}\n",
    "a tag of Python": "title: 낱말 모음\ndate: 2026-01-05\na: !!python/object/apply:os.getcwd []\n",
    "a date that is none": "title: 낱말 모음\ndate: 2026-01-05\na: 2026-13-45\n",
    "a bad escape": 'title: 낱말 모음\ndate: 2026-01-05\na: "\\q"\n',
}  # fmt: skip


@each_row("why", FRONTS)
def test_front_matter_made_for_mischief_costs_its_structure_and_keeps_title_and_date(why: str) -> None:
    began = time.process_time()
    found = markdown.extract(_item(f"---\n{FRONTS[why]}---\n낱말을 모은다.\n"))
    assert (found.title, found.date, found.text) == ("낱말 모음", "2026-01-05", "낱말을 모은다.")
    assert time.process_time() - began < 5


def test_an_anchor_without_an_alias_is_read() -> None:
    assert front_matter.fields("title: &t 낱말\ntags: [하나]\n") == {"title": "낱말", "tags": ["하나"]}


def test_the_values_of_front_matter_are_counted_and_not_expanded() -> None:
    assert sys.getsizeof(str(front_matter.fields(laughs(10, 10)))) < 10_000
