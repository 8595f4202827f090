"""XML gives its prose: laws, rulings, news and feeds by their shape, anything else element by element."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import formats
from crawlers.formats import xml
from crawlers.formats.unreadable import Unreadable
from malmoi.source import Item
from tests.builders.rows import each_row

CASES = tomllib.loads((Path(__file__).parents[1] / "data" / "formats" / "xml.toml").read_text(encoding="utf-8"))["case"]
SENTENCE = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다."


def item(body: str | bytes, **more: str) -> Item:
    raw = body.encode() if isinstance(body, str) else body
    return Item(key="a.xml", url="https://a.example/a.xml", body=raw, media="text/xml", charset="", record="r", **more)  # type: ignore[arg-type]


@each_row("case", CASES, ids=lambda case: case["why"])
def test_the_text_of_a_document_is_read(case: dict[str, Any]) -> None:
    found = xml.extract(item(case["xml"]))
    assert found.text == case["text"]
    assert (found.title, found.date) == (case.get("title", ""), case.get("date", ""))
    assert (found.outcome, found.format) == ("kept", "xml")


@pytest.mark.parametrize(
    ("says", "is_in"), [("euc-kr", "cp949"), ("utf-8", "cp949"), ("euc-kr", "utf-8"), ("utf-8", "johab")]
)
def test_the_encoding_is_what_the_bytes_are(says: str, is_in: str) -> None:
    raw = f'<?xml version="1.0" encoding="{says}"?><글><본문>{SENTENCE}</본문></글>'.encode(is_in)
    found = xml.extract(item(raw))
    assert (found.text, found.encoding) == (SENTENCE, is_in)


def test_a_document_that_is_slightly_broken_is_read() -> None:
    assert xml.extract(item(f"<글><제목>하나 & 둘</제목><본문>{SENTENCE}</본문></글>")).text.endswith(SENTENCE)


def test_a_document_of_which_much_is_lost_is_damaged() -> None:
    body = f"<글><제목>하나</제목></글><글>{SENTENCE * 20}</글>"
    found = formats.extract(item(body))
    assert (found.outcome, found.reason) == ("dropped", "damaged")


def test_entities_are_refused() -> None:
    body = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "하나">]><a>&b;&b;</a>'
    with pytest.raises(Unreadable, match="xml-entities"):
        xml.extract(item(body))


def test_numbers_and_addresses_alone_are_no_text() -> None:
    found = xml.extract(item("<a><n>12</n><u>https://a.example/b?c=1</u><d>2026-03-02</d></a>"))
    assert (found.outcome, found.reason) == ("dropped", "no-text")


def test_elements_deep_within_each_other_cost_little() -> None:
    start = time.process_time()
    found = formats.extract(item("<a>" * 100_000 + SENTENCE + "</a>" * 100_000))
    assert found.outcome == "dropped"
    assert time.process_time() - start < 2


def test_a_field_that_is_missing_is_empty() -> None:
    root, _ = xml.read("<a><b>하나</b></a>")
    assert (xml.field(root, "b"), xml.field(root, "b/c"), xml.field(root, "d")) == ("하나", "", "")


@given(st.text(max_size=60), st.booleans())
def test_no_text_between_tags_makes_extraction_fail(text: str, whole: bool) -> None:
    found = formats.extract(item(f"<?xml version='1.0'?><a>{text}{'</a>' if whole else ''}".encode("utf-8", "replace")))
    assert bool(found.reason) == (found.outcome == "dropped")


UNDECLARED = {
    "a picture in a feed": "<rss><channel><item><title>낱말</title><image:image><image:loc>a</image:loc></image:image>"
    "<description>낱말을 모으는 일은 오래 걸린다.</description></item></channel></rss>",
    "Dublin Core": "<rss><channel><item><dc:title>곁</dc:title><title>낱말</title><dc:date>2026-01-05</dc:date>"
    "<content:encoded>낱말을 모으는 일은 오래 걸린다.</content:encoded></item></channel></rss>",
    "the root": "<x:doc><x:title>낱말</x:title><x:p>낱말을 모으는 일은 오래 걸린다.</x:p></x:doc>",
    "an attribute": "<doc><p xlink:href='a'>낱말을 모으는 일은 오래 걸린다.</p></doc>",
    "two colons": "<doc><a:b:p>낱말을 모으는 일은 오래 걸린다.</a:b:p></doc>",
    "declared once and not again": "<doc><a xmlns:n='urn:n'><n:b>낱말을</n:b></a>"
    "<n:b>모으는 일은 오래 걸린다.</n:b></doc>",
    "a name of digits": "<doc><a:1>낱말</a:1><p>낱말을 모으는 일은 오래 걸린다. 그래서 여럿이 맡았다.</p></doc>",
}


@pytest.mark.parametrize("why", UNDECLARED)
def test_a_prefix_that_nothing_declares_costs_its_prefix(why: str) -> None:
    found = formats.extract(item(UNDECLARED[why]))
    assert found.outcome == "kept"
    assert "모으는 일은 오래 걸린다" in found.text


def test_elements_are_found_by_their_name_without_the_undeclared_prefix() -> None:
    found = formats.extract(item(UNDECLARED["Dublin Core"]))
    assert found.date == "2026-01-05"
