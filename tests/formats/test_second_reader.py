"""Where the line model finds no text, trafilatura reads the page."""

from __future__ import annotations

import pytest

from crawlers.formats.html import html_page, html_tree, second_reader
from malmoi.source import Item

PROSE = (
    "말모이는 낱말을 하나씩 모은다. 첫째 날에는 들에서 쓰는 말을 적었다. 둘째 날에는 바닷가에서 쓰는 말을 적었다. "
    "셋째 날에는 적은 말을 가나다순으로 놓았다. 넷째 날에는 뜻을 풀어 썼다. 마지막 날에는 모두 함께 읽었다."
)
PAGE = f"<html><body><nav><a href=/>처음</a></nav><article><p>{PROSE}</p></article></body></html>"


def extract(page: str) -> html_page.Extracted:
    return html_page.extract(Item("x", "https://a.example/1", page, "text/html", "", "r"))


def test_a_page_without_lines_of_content_is_read_by_trafilatura(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_page, "main_text", lambda *_: ("", "no-text"))
    found = extract(PAGE)
    assert (found.text, found.reason) == (PROSE, "")


def test_a_page_whose_words_are_no_prose_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_page, "main_text", lambda *_: ("", "no-text"))
    assert extract("<html><body><p>사진 12</p><p>사진 13</p></body></html>").reason == "no-text"


def test_a_page_of_very_many_elements_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = html_tree.tree_of(PAGE)
    assert tree is not None
    assert second_reader.read_again(tree) == PROSE
    monkeypatch.setattr(second_reader, "MOST_ELEMENTS", 3)
    assert second_reader.read_again(tree) == ""
