"""Whose licence it is: what a mark stands in, below or beside; what a style sheet hides; what a page costs."""

import pytest
from lxml import html

from crawlers.formats.html.html_page import parse
from crawlers.formats.html.stylesheet import sheet
from crawlers.rights.page import licence_marks
from crawlers.rights.sentences.self_reference import is_about_itself
from malmoi.source import Item
from tests.count_work import count_steps

BY = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>'
SAYS = "<p>이 글은 CC BY 4.0 라이선스를 따릅니다.</p>"
KOGL = "본 저작물은 공공누리 제1유형 조건에 따라 이용할 수 있습니다."
STEPS = 2_000  # per tag of a page, twice what the dearest takes; where each tag meets all others it is three thousand


def licences(body: str, head: str = "") -> set[str]:
    page = f"<html><head><title>갯벌</title>{head}</head><body>{body}</body></html>"
    item = Item(key="1", url="https://a.example.kr/1", body=page, media="text/html", charset="", record="r")
    return {one.licence for one in licence_marks.find(item, parse(item))}


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        (".a { display: none }", False),
        (".b .a{display:none}", True),
        ("main > .a{visibility:hidden}", False),
        (".a{display:none} .a.on{display:block}", True),
        (".a{display:none !important} .a.on{display:block}", False),
        ("@media print { .a { display: none } }", True),
        ("@media screen { .a { display: none } }", False),
        ("/* .a{display:none} */ .c{display:none}", True),
        (".a:hover{display:none}", True),
        ("@import 'x.css'; .a{opacity:0}", False),
        ("}}} {{{ .a{display:none", True),
    ],
)
def test_what_the_style_sheet_of_a_page_hides_is_not_read(style: str, shown: bool) -> None:
    page = html.document_fromstring(f"<style>{style}</style><main><p class='a on'>1</p></main>")
    assert sheet(page).hides(page.find(".//p")) is not shown
    assert licences(f"<main><div class='a on'>{SAYS}</div></main>", f"<style>{style}</style>") == (
        {"CC-BY-4.0"} if shown else set()
    )


def test_a_title_in_the_sentence_is_held_against_the_titles_of_the_page() -> None:
    assert licences(f"<main><h1>갯벌의 하루</h1><p>「갯벌의 하루」 {KOGL[2:]}</p></main>") == {"LicenseRef-KOGL-1"}
    assert licences(f"<main><h1>갯벌의 하루</h1><p>「어촌 통계」 {KOGL[2:]}</p></main>") == {"unknown"}


def test_a_sentence_speaks_of_the_text_it_stands_in_or_of_nothing() -> None:
    page = html.document_fromstring("<title>갯벌</title><p>1</p>").find(".//p")
    own = (
        "이 글은 CC BY",
        "이 블로그의 모든 글은 CC BY",
        "All content on this site is licensed",
        "이 글과 사진은 CC BY",
    )
    others = (
        "그의 글은 CC BY",
        "이 글의 요약은 CC BY",
        "이 책은 CC BY",
        "All PLOS articles are licensed",
        "“이 글은 CC BY",
    )
    assert all(is_about_itself(words, page) for words in own)
    assert not any(is_about_itself(words, page) for words in others)


HOSTILE = {
    "list": f"<ul>{f'<li>가나 {BY}</li>' * 5_000}</ul>",
    "articles": f"<main>{f'<article>{SAYS}</article>' * 5_000}</main>",
    "nested things": f"{'<div class=gallery>' * 1_500}{f'<p>{BY}</p>' * 3_000}",
    "nested articles": f"{'<article>' * 1_500}{f'<p>{BY}</p>' * 3_000}",
    "titles": f"<p class=title>「갯벌」</p><p>「어촌 통계」 {KOGL[2:]}</p>" * 4_000,
    "a long title": f"<h1>{'가나다 ' * 200_000}</h1>{'<p>이 책은 CC BY 4.0 라이선스를 따릅니다.</p>' * 2_000}",
    "rules": f"<style>{''.join(f'.a .b{n} .c{{display:none}}' for n in range(8_000))}</style>"
    + "<p class=c>1</p>" * 8_000,
    "braces": f"<style>{'{' * 100_000}</style><style>{'.a,' * 60_000}{{display:none}}</style>{SAYS}",
    "cells": f"<table>{'<tr><td>라이선스</td><td>CC BY 4.0</td></tr>' * 6_000}</table>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_of_a_hostile_page_grows_with_its_tags(name: str) -> None:
    page = HOSTILE[name]
    assert count_steps(lambda: licences(page)) < STEPS * page.count("<")
