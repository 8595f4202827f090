"""Damage of the markup costs the words around it, never the page."""

from __future__ import annotations

import random
import time

import pytest

from benchmarks.formats.formats_encodings import damage, hangul, right
from crawlers.formats.html import html_page
from crawlers.formats.html.broken_markup import repair
from malmoi.source import Item
from tests.builders.rows import each_row

SENTENCE = "마을 도서관은 지난봄부터 낡은 낱말 카드를 다시 읽고 있다. 카드 한 장에는 말 하나와 들은 곳이 적혀 있다. "
MENU = "".join(f'<li><a href="/m{n}">차림표 {n}</a></li>' for n in range(12))
BOXES = "".join(f'<div class="box"><p class="para">{n}. {SENTENCE}</p></div>' for n in range(12))
PAGE = f"""<!DOCTYPE html><html><head><title>낱말 카드</title><script>var a = "<div>";</script>
<style>p {{ margin: 0 }}</style></head><body><!-- 머리 --><div id="wrap"><div class="gnb"><ul>
{MENU}</ul></div>
<div class="view"><h1>낱말 카드</h1>{BOXES}
<table><tr><td>온돌</td><td>구들을 데우는 방</td></tr></table></div><!-- 꼬리 -->
<div class="foot"><p>어느 도서관</p></div>
</div></body></html>"""


def text(body: str | bytes) -> str:
    raw = body.encode() if isinstance(body, str) else body
    return html_page.extract(Item("k", "https://a.example/1", raw, "text/html", "", "")).text


@each_row(
    ("broken", "mended"),
    [
        ("<div>가</d\ufffdiv><div>나</div>", "<div>가</div><div>나</div>"),
        ("<div>가</dv><div>나</div>", "<div>가</div><div>나</div>"),
        ("<dib>가</div>", "<div>가</div>"),
        ("<header>가</h\ucebbder>", "<header>가</header>"),
        ("<div>가/div><div>나</div>", "<div>가</div><div>나</div>"),
        ("<div>가</div<div>나</div>", "<div>가</div><div>나</div>"),
        ('<p class="a>가</p><p class="b">나</p>', '<p class="a">가</p><p class="b">나</p>'),
        ("<!-- 가 --<p>나</p><!-- 다 -->", "<!-- 가 --><p>나</p><!-- 다 -->"),
        ("<script>a</scr\ufffdpt><p>나</p><script>b</script>", "<script>a</script><p>나</p><script>b</script>"),
        ("<title>가<title><p>나</p>", "<title>가</title><p>나</p>"),
    ],
)
def test_a_damaged_tag_is_repaired(broken: str, mended: str) -> None:
    assert repair(broken) == mended


@each_row(
    "markup",
    [
        PAGE,
        "<p>가<p>나<o:p></o:p><my-box>다</my-box><unknown>라</unknown>",
        "<!--[if !IE]><!--><p>가</p><!--<![endif]-->",
        '<div title="a > b" data-x=\'{"a":"<p>"}\'>가</div>',
        "<script>if (a<b && c>d) { x = '<dvi>'; }</script><p>가 < 나</p>",
        "<ul><li>가<li>나</ul><table><tr><td>다<td>라</table>",
        "<p>a/b> 1/2</p>",
        '<script src="data:;base64,Cg=="></script>\n<meta name="viewport" content="a=1" /><a href="?b=">가</a> "나"다',
        "<a href='?b='>가</a><p class='c'>'나'다</p>",
        '<script>$("<script>").appendTo(h); s = "<style>";</script><p>가</p>',
    ],
)
def test_an_intact_page_stays_as_it_is(markup: str) -> None:
    assert repair(markup) == markup


DATA = "data:application/octet-stream;base64," + "Q" * 90_000
FILES = {
    "R Markdown": f'<script src="{DATA}Cg=="></script>\n<meta name="viewport" content="width=device-width" />\n' * 3,
    "one equals sign": f'<link href="{DATA}Zm8=" rel="stylesheet"><script src="{DATA}Zm8="></script><meta name="a">\n'
    * 3,
    "single quotes": f"<script src='{DATA}Cg=='></script>\n<meta name='viewport' content='width=device-width' />\n" * 3,
    "a quote too many": f'<script src="{DATA}" "></script><meta name="viewport" content="a b" />' * 3,
    "a script that writes one": f'<script>{"x=1;" * 60_000} i = $("<script>").prop({{}});</script>',
}


@pytest.mark.parametrize("name", FILES)
def test_a_page_that_holds_its_files_keeps_its_text(name: str) -> None:
    paragraphs = "".join(f'<p class="a" id="p{n}" title="{n}">{n}. {SENTENCE * 3}</p>\n' for n in range(400))
    head = f"<!DOCTYPE html><html><head><title>낱말</title>{FILES[name]}</head>"
    found = text(f"{head}<body><h1>낱말</h1>{paragraphs}</body></html>")
    assert all(f"{n}. 마을" in found for n in (0, 200, 399)) and "x=1;" not in found


@pytest.mark.parametrize("name", ["utf-8", "cp949", "johab", "iso2022_kr"])
def test_one_damaged_byte_in_a_thousand_costs_one_character_in_a_hundred_at_most(name: str) -> None:
    want = hangul(text(PAGE.encode(name)))
    good = 0
    for seed in range(40):
        raw = PAGE.encode(name)
        good += right(want, hangul(text(damage(raw, max(1, len(raw) // 1000), random.Random(seed)))))
    assert good >= 0.99 * 40 * len(want)


@each_row("bad", ["&#3", "&#3;", "&&#3#3;", "&#&#3;3;", "&#&#&#3;3;3;", "&#x&#3;3", "&#0;", "&#xFFFF;"])
def test_a_bad_reference_never_costs_the_page(bad: str) -> None:
    assert SENTENCE.strip() in text(f"<article><p>{SENTENCE}</p><pre>a {bad} b\n c</pre><p>{SENTENCE}</p></article>")


@pytest.mark.heavy
@each_row(
    "part",
    [
        '<p x="=">',
        "<p a='<p b=\"",
        "<!--",
        "<script>",
        "</d\ufffdv>",
        '<p a="',
        '="a>',
        '<div "" ',
        "<p가",
        "<title>",
        "\ufffd",
    ],
)
def test_repair_takes_linear_time(part: str) -> None:
    start = time.process_time()
    repair(part * 100_000)
    assert time.process_time() - start < 10
