"""Pages become running text, whatever they are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml import html as lxml_html

from crawlers.formats import byline, html, metadata
from malmoi.source import Item

DATA = Path(__file__).parent / "data" / "formats"
TEXT = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. " * 4

ODD = {
    "one hundred thousand boxes": "<div>" * 100_000 + TEXT,
    "one hundred thousand bold marks": "<b>" * 100_000 + TEXT,
    "lists a thousand deep": "<ul><li>" * 1000 + "<p>" + TEXT,
    "NUL bytes": "<p>" + TEXT.replace(" ", "\0 ") + "</p>",
    "control characters": "<p>\x01\x08\x0b\x1f\x7f\ufffe\uffff" + TEXT + "</p>",
    "an attribute of 12 MB": '<p title="' + "가" * 4_000_000 + '">' + TEXT + "</p>",
    "brackets of JSON 100,000 deep": "<script type='application/ld+json'>" + "[" * 100_000 + "</script>" + TEXT,
    "no markup at all": TEXT,
}
EMPTY = ["", " \n", "<!DOCTYPE html>", "<!-- ", "<html><frameset><frame src=a></frameset></html>", "<p></p>"]


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def item(body: str | bytes, **more: str) -> Item:
    raw = body.encode() if isinstance(body, str) else body
    return Item(key="k", url="https://a.example/x/y", body=raw, media="text/html", charset="", record="r", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", cases("pages.jsonl"), ids=lambda case: case["why"])
def test_the_text_of_a_page_is_found(case: dict[str, Any]) -> None:
    found = html.extract(item(case["html"]))
    assert (found.outcome, found.reason) == ("kept", "")
    for words in case["contains"]:
        assert words in found.text
    for words in case["lacks"]:
        assert words not in found.text


@pytest.mark.parametrize("case", cases("metadata.jsonl"), ids=lambda case: case["why"])
def test_a_page_says_what_it_is(case: dict[str, Any]) -> None:
    found = metadata.read(
        lxml_html.document_fromstring(f"<html>{case['html']}<p>본문</p></html>"), "https://a.example/x/y"
    )
    for field in ("title", "date", "author", "canonical"):
        if field in case:
            assert getattr(found, field) == case[field]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_page_still_gives_its_text(name: str) -> None:
    found = html.extract(item(ODD[name]))
    assert (found.outcome, found.reason) == ("kept", "")
    assert "말모이는 우리말을" in found.text


@pytest.mark.parametrize("body", EMPTY)
def test_a_page_without_text_is_a_drop_with_a_reason(body: str) -> None:
    found = html.extract(item(body))
    assert found.outcome == "dropped"
    assert found.reason in ("no-text", "unreadable-html")
    assert found.text == ""


def test_what_the_item_knows_comes_before_what_the_page_says() -> None:
    page = f"<html><title>쪽</title><meta name=date content=2026-01-01><p>{TEXT}</p></html>"
    found = html.extract(item(page, title="항목", date="2025-12-31"))
    assert (found.title, found.date) == ("항목", "2025-12-31")


def test_a_page_is_parsed_once_and_its_tree_stays_as_it_was() -> None:
    one = item(f"<html><nav>차림</nav><div class=board_view><h2>제목</h2><p>{TEXT}</p></div></html>")
    page = html.parse(one)
    before = etree.tostring(page.tree)
    html.extract(one)
    assert html.parse(one) is page
    assert etree.tostring(page.tree) == before


def test_two_items_with_equal_bytes_and_other_charsets_are_two_pages() -> None:
    body = "<p>가나다</p>".encode("cp949")
    first = Item("a", "u", body, "text/html", "euc-kr", "r")
    second = Item("a", "u", body, "text/html", "cp1252", "r")
    assert html.parse(first) is not html.parse(second)


def test_a_legacy_page_is_read_by_its_own_declaration() -> None:
    page = f"<html><head><meta charset=ks_c_5601-1987></head><body><p>{TEXT}펲</p></body></html>"
    found = html.extract(item(page.encode("cp949")))
    assert found.encoding == "cp949"
    assert "펲" in found.text


@pytest.mark.parametrize("case", cases("links_only.jsonl"), ids=lambda case: case["why"])
def test_a_page_that_only_lists_others_is_told_from_an_empty_one(case: dict[str, Any]) -> None:
    found = html.extract(item(case["html"]))
    assert (found.outcome, found.reason) == (("dropped", case["reason"]) if case["reason"] else ("kept", ""))


@pytest.mark.parametrize("case", cases("bylines.jsonl"), ids=lambda case: case["why"])
def test_a_byline_is_metadata(case: dict[str, Any]) -> None:
    assert byline.split(case["text"]) == (case["rest"], case["author"], case["date"])


def test_a_byline_gives_way_to_what_the_page_states() -> None:
    view = f"<div class=view><h1>낱말</h1><div>작성자 김하나 작성일 2026.02.02</div><p>{TEXT}</p></div>"
    found = html.extract(item(f"<html><body>{view}</body></html>"))
    assert (found.author, found.date) == ("김하나", "2026-02-02")
    assert found.text.startswith("낱말\n말모이는")
    stated = html.extract(item(f"<html><head><meta name=author content=이둘></head><body>{view}</body></html>"))
    assert (stated.author, stated.date) == ("이둘", "2026-02-02")
