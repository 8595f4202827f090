"""Wiki markup becomes prose; what is broken, hostile or no document says so, and soon."""

import dataclasses
import json
import time
from pathlib import Path

import pytest

from crawlers.formats.mediawiki import mediawiki_export, wikitext
from malmoi.source import Item
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data"
CASES = [json.loads(line) for line in (DATA / "formats" / "wikitext.jsonl").read_text("utf-8").splitlines()]
LIMIT = 5.0  # seconds of CPU for a hostile page of a megabyte
HOSTILE = {
    "open braces": "{" * 100_000,
    "open templates": "{{ " * 350_000,
    "open links": "[[" * 500_000,
    "open tables": "\n{|" * 330_000,
    "bars": "{{" + "|" * 1_000_000,
    "closing marks": "}}]]" * 250_000,
    "open references": "<ref>" * 200_000,
    "open tags": "<span " * 170_000,
    "open comments": "<!--" * 250_000,
    "apostrophes": "'" * 1_000_000,
    "equals signs": "=" * 1_000_000,
    "stars": "*" * 1_000_000,
    "links to the web": "[http://a" * 110_000,
    "empty templates in brackets": "({{x}} , " * 110_000,
    "templates and spaces": ("{{x}}" + " " * 8) * 75_000,
    "paragraphs in a file": "[[파일:" + "\n\n" * 500_000,
    "nested tables": "\n{|\n|" * 100_000 + "\n|}" * 100_000,
    "nested templates": "{{a|" * 200_000 + "}}" * 200_000,
    "parameters": "{{a|" + "b=c|" * 250_000 + "}}",
    "ampersands": "&" * 1_000_000,
    "lines of a cell": "{|\n|" + "a\n" * 500_000 + "|}",
}


def item(body, **more):
    return Item("k", "https://ko.example.kr/wiki/k", body, "text/x-wiki", "utf-8", "r", **more)


@each_row("case", CASES, ids=[case["name"] for case in CASES])
def test_markup_becomes_the_words_that_the_page_shows(case):
    found = wikitext.extract(item(case["wikitext"].encode()))
    assert (found.text, found.outcome, found.format) == (case["text"], "kept", "wikitext"), case["why"]


@pytest.mark.heavy
@each_row("name", HOSTILE)
def test_a_hostile_page_of_a_megabyte_ends_soon(name):
    began = time.process_time()
    wikitext.extract(item(HOSTILE[name].encode()))
    assert time.process_time() - began < LIMIT


@each_row(
    ("body", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("#넘겨주기 [[가온시]]", "redirect"),
        ("#REDIRECT:[[Gaon]]", "redirect"),
        ("'''가'''는 다음을 뜻한다.\n* [[나]]\n{{동음이의}}", "links-only"),
        ("{{동명이인}}\n* [[나]]", "links-only"),
        ("가\n{{지명 동음이의|x}}", "links-only"),
        ("가\n__DISAMBIG__", "links-only"),
        ("{{도시 정보|이름=가}}\n[[분류:가]]", "no-text"),
        ("<pages index='책.pdf' from=1 to=9 />", "no-text"),
        ("가" * (wikitext.MAX_MARKUP + 1), "too-large"),
    ],
)
def test_a_page_that_is_no_document_is_dropped_with_its_reason(body, reason):
    found = wikitext.extract(item(body.encode()))
    assert (found.outcome, found.reason, found.text) == ("dropped", reason, "")


def test_title_date_and_author_are_those_of_the_item():
    found = wikitext.extract(item("글이다.", title="가", date="2026-01-01", author="나"))
    assert (found.title, found.date, found.author) == ("가", "2026-01-01", "나")


def test_a_whole_export_is_read_as_its_pages_one_below_another():
    found = mediawiki_export.extract(item((DATA / "sources" / "kowiki.xml").read_bytes()))
    assert found.format == "mediawiki-export" and found.text.startswith("가온 산성\n\n가온 산성(영어: Gaon Fortress)은")
    assert "C 언어의 물음표?\n\n조건 연산자는" in found.text and "산성 (동음이의)" not in found.text
    nothing = mediawiki_export.extract(item(b"<mediawiki></mediawiki>"))
    assert (nothing.outcome, nothing.reason) == ("dropped", "no-text")


def test_noncharacters_of_the_page_cannot_pass_for_those_of_the_reader():
    held = "\ufdd0" + "7" + "\ufdd1" + "글\ufdd3(\ufdd2)"
    assert wikitext.text_of(f"{held}<nowiki>x</nowiki>") == "7글()x"


def test_reading_is_a_pure_function_of_the_page():
    page = item((DATA / "formats" / "wikitext.jsonl").read_bytes())
    assert dataclasses.asdict(wikitext.extract(page)) == dataclasses.asdict(wikitext.extract(page))
