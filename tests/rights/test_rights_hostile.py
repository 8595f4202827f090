"""Style sheets that hide marks, and pages that are built to cost much."""

from collections.abc import Callable

import pytest
from lxml import html

from crawlers.formats.html.html_page import parse
from crawlers.formats.html.stylesheet import sheet
from crawlers.rights import page_rights
from crawlers.rights_engine import make_source
from malmoi.source import Item, LicenceRule
from tests.builders.rows import each_row
from tests.count_work import count_steps

BY = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>'
SAYS = "<p>이 글은 CC BY 4.0 라이선스를 따릅니다.</p>"
KOGL = "본 저작물은 공공누리 제1유형 조건에 따라 이용할 수 있습니다."
DECLARED = LicenceRule(
    proofs=("kogl-block", "rel-license", "json-ld", "field"), selector=(("", "p, li, .kogl"),), fields=("라이선스",)
)
HIDDEN = "<p class=c>1"
STEPS = 2_000  # per tag of a page
SCRIPT = '<script type="application/ld+json">{"@type":"Article","license":"https://creativecommons.org/licenses/by/4.0/"}</script>'


def licences(body: str, head: str = "", rule: LicenceRule = LicenceRule()) -> set[str]:  # noqa: B008
    page = f"<html><head><title>갯벌</title>{head}</head><body>{body}</body></html>"
    item = Item(key="1", url="https://a.example.kr/1", body=page, media="text/html", charset="", record="r")
    return {one.licence for one in page_rights.read(item, parse(item), make_source(rule))[0]}


@each_row(
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


HOSTILE: dict[str, Callable[[int], str]] = {
    "list": lambda n: f"<ul>{f'<li>가나 {BY}</li>' * n}</ul>",
    "articles": lambda n: f"<main>{f'<article>{SAYS}</article>' * n}</main>",
    "nested things": lambda n: f"{'<div class=gallery>' * n}{f'<p>{BY}</p>' * n}",
    "nested articles": lambda n: f"{'<article>' * n}{f'<p>{BY}</p>' * n}",
    "titles": lambda n: f"<p class=title>「갯벌」</p><p>「어촌 통계」 {KOGL[2:]}</p>" * n,
    "a long title": lambda n: f"<h1>{'가나다 ' * 100 * n}</h1>{'<p>이 책은 CC BY 4.0 라이선스를 따릅니다.</p>' * n}",
    "links": lambda n: f"<main>{f'<p>{BY}</p>' * n}</main>",
    "links in one line": lambda n: f"<main><p>{BY * n}</p></main>",
    "marks": lambda n: f"<main>{f'<div class=kogl><img src=/img_opentype01.png><p>{KOGL}</p></div>' * n}</main>",
    "rules": lambda n: f"<style>{''.join(f'.a .b{k} .c{{display:none}}' for k in range(n))}</style>{HIDDEN * n}",
    "braces": lambda n: f"<style>{'{' * n}</style><style>{'.a,' * n}{{display:none}}</style>{SAYS * n}",
    "cells": lambda n: f"<table>{'<tr><td>라이선스</td><td>CC BY 4.0</td></tr>' * n}</table>",
    "json-ld": lambda n: f"{SCRIPT * n}<main>{SAYS * n}</main>",
}


@pytest.mark.heavy
@each_row("rule", [LicenceRule(), DECLARED], ids=["no source", "declared"])
@each_row("name", HOSTILE)
def test_the_work_of_a_hostile_page_grows_with_its_tags(name: str, rule: LicenceRule) -> None:
    small, large = (HOSTILE[name](size) for size in (150, 300))
    licences(small, rule=rule)  # compiles what is compiled once
    few, many = (count_steps(lambda page=page: licences(page, rule=rule)) for page in (small, large))
    # Twice the page is twice the work; four times is what it takes if each tag meets all others.
    assert many < 3 * few and many < STEPS * large.count("<")
