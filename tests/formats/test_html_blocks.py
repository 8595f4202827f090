"""Blocks of a web page become lines: code, tables and lists in the form of Markdown."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from crawlers.formats.html import host_template, html_page
from crawlers.formats.html.line_model import BlockModel, choose_lines, load_model, smooth_odds
from crawlers.formats.html.main_content import prepare
from crawlers.formats.html.text_lines import lines_with_marks, lines_with_places, split_lines
from malmoi.source import Item
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "formats"
CASES: list[dict[str, Any]] = tomllib.loads((DATA / "html_blocks.toml").read_text(encoding="utf-8"))["case"]
SENTENCE = "말모이는 우리말을 모으는 일이며 오늘도 낱말을 하나씩 적어 상자에 모은다. "


def parse(body: str) -> html_page.Page:
    return html_page.parse(Item("k", "https://a.example/x", body.encode(), "text/html", "", "r"))


@each_row("case", CASES, ids=lambda case: case["why"])
def test_blocks_are_written_as_in_markdown(case: dict[str, Any]) -> None:
    html = case["html"].replace("\\n", "\n")
    frame = prepare(parse(f"<html><body><div>{html}</div></body></html>").tree)
    assert frame is not None
    assert lines_with_marks(frame.body) == case["text"]


@each_row("case", CASES, ids=lambda case: case["why"])
def test_a_template_writes_blocks_as_full_extraction_does(case: dict[str, Any]) -> None:
    html = case["html"].replace("\\n", "\n")
    body = parse(f"<html><body><div>{html}</div></body></html>").tree.find("body")
    assert body is not None
    assert lines_with_marks(host_template.copy_visible(body)) == case["text"]


def test_lines_are_split_as_they_are_written() -> None:
    page = parse("<p>하나</p><pre><code>a\n\n```\nb</code></pre><table><tr><th>가<th>나<tr><td>1<td>2</table><p>둘</p>")
    frame = prepare(page.tree)
    assert frame is not None
    lines = [line.text for line in lines_with_places(frame.body)]
    joined = split_lines("\n".join(lines))
    assert joined[:2] == lines[:2] and joined[-1] == "둘"


def test_a_table_is_kept_or_left_out_whole_with_its_caption() -> None:
    rows = "".join(f"<tr><td>{n}<td>낱말 {n}" for n in range(9))
    frame = prepare(
        parse(
            f"<article><p>{SENTENCE * 3}</p><table><caption>낱말 표</caption><tr><th>번호<th>말{rows}</table>"
            f"<p>{SENTENCE * 3}</p></article>"
        ).tree
    )
    assert frame is not None
    lines = lines_with_places(frame.body)
    kept = choose_lines(lines, frame, load_model())
    assert len({keep for line, keep in zip(lines, kept, strict=True) if line.text[0] == "|"}) == 1
    assert all(kept)


def test_lines_of_a_short_page_are_kept_with_lower_odds() -> None:
    frame = prepare(parse("<div><h1>알림</h1><p>오늘은 쉽니다.</p></div>").tree)
    assert frame is not None
    lines = lines_with_places(frame.body)
    assert choose_lines(lines, frame, BlockModel({"bias": -0.2}, 0.5)) == [True, True]
    assert choose_lines(lines, frame, BlockModel({"bias": -2.0}, 0.5)) == [False, False]


def test_one_doubtful_line_between_sure_ones_follows_them() -> None:
    assert smooth_odds([3.0, -0.4, 3.0], 0.5) == [True, True, True]
    assert smooth_odds([3.0, -4.0, 3.0], 0.5) == [True, False, True]
    assert smooth_odds([], 0.5) == []
