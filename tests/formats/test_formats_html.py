"""Pages become running text, whatever they are made of."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml import html as lxml_html

from crawlers import formats
from crawlers.formats import ParsedItem
from crawlers.formats.html import html_page, page_metadata
from malmoi.source import Item
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "formats"
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


@each_row("case", cases("pages.jsonl"), ids=lambda case: case["why"])
def test_the_text_of_a_page_is_found(case: dict[str, Any]) -> None:
    found = html_page.extract(item(case["html"]))
    assert (found.outcome, found.reason) == ("kept", "")
    for words in case["contains"]:
        assert words in found.text
    for words in case["lacks"]:
        assert words not in found.text


@each_row("case", cases("metadata.jsonl"), ids=lambda case: case["why"])
def test_a_page_says_what_it_is(case: dict[str, Any]) -> None:
    found = page_metadata.read(
        lxml_html.document_fromstring(f"<html>{case['html']}<p>본문</p></html>"), "https://a.example/x/y"
    )
    for field in ("title", "date", "author", "canonical"):
        if field in case:
            assert getattr(found, field) == case[field]


def test_an_address_with_another_month_voids_a_date() -> None:
    tree = lxml_html.document_fromstring("<html><meta name=date content=2026-11-01><p>본문</p></html>")
    assert page_metadata.read(tree, "https://a.example/2026/09/x/").date == ""
    assert page_metadata.read(tree, "https://a.example/2026/11/x/").date == "2026-11-01"


MENU = "<nav><a href='/l'>알림</a></nav>"
LOGO = "<header><h1><a href='/doku.php?id=start'>공장 위키</a></h1></header>"
SITE = "<meta property=og:site_name content='가상 위키'>"
TITLES = {  # title of the tab, markup before the text → the title
    ("안전:문서009 [공장 위키]", f"{LOGO}<main><h1>첫 글</h1>"): "첫 글",
    ("첫 글 [공장 위키]", "<main><h2>첫 글</h2>"): "첫 글",
    ("memo | 안내서", "<main><h1>memo <a class=header-anchor href='#m'>\u200b</a></h1>"): "memo",
    ("첫 글 > 알림", "<h1 hidden>첫 글 > 알림</h1><article><h2>첫 글</h2>"): "첫 글",
    ("첫 글", f"{MENU}<main><h1>알림</h1>"): "첫 글",
    ("둘째 글", "<main><h1>알림</h1><h3>둘째 글</h3>"): "둘째 글",
    ("첫 글", f"{SITE}<main><h1>가상 위키</h1>"): "첫 글",
    ("첫 글", f"<main><h1>하나</h1><p>{TEXT}</p><h1>둘</h1>"): "첫 글",
    ("세로 (자리)", "<main><h1>세로</h1>"): "세로",
}


@each_row("case", TITLES, ids=lambda case: case[0])
def test_the_title_is_that_of_the_text_and_not_of_the_tab(case: tuple[str, str]) -> None:
    tab, body = case
    found = html_page.extract(item(f"<html><head><title>{tab}</title></head><body>{body}<p>{TEXT}</p></body></html>"))
    assert found.title == TITLES[case]


LISTING = "<div class=listingblock><div class=content><pre><code>$ git log {n}\n$ git show {n}</code></pre></div></div>"
WORDS = "".join(f"<div class=paragraph><p>{TEXT}</p></div>" for _ in range(3))
SECTIONS = "<h2 id=_a>말모이</h2>" + "".join(
    f"<div class=sect3><h4 id=_{n}>마디 {n}</h4><div class=paragraph><p>{n}째 마디이다. {TEXT}</p></div>"
    f"{LISTING.format(n=n)}{WORDS}</div>"
    for n in range(6)
)
FRAGMENTS = {
    "sections": SECTIONS,
    "front matter": f"---\n### made by a script\ntitle: 가\n---\n{SECTIONS}",
    "a comment": f"<!-- 머리 -->{SECTIONS}",
    "words": f"들어가는 말이다. {SECTIONS}",
    "a named note before them": f"<div class=note><div class=content>{TEXT}</div></div>{SECTIONS}",
    "sections by tag": SECTIONS.replace("<div class=sect3>", "<section>"),
    "one long named note": SECTIONS.replace(LISTING.format(n=3), f"<div class=content>{TEXT * 5}</div>"),
    "links to its neighbours": f"{SECTIONS}<div id=nav><a href=p>앞</a> | <a href=n>뒤</a></div>",
    "a stray end": f"</div>{SECTIONS}</div><h3>끝</h3><p>6째 마디이다. {TEXT}</p>",
}


@each_row("name", FRAGMENTS)
def test_a_fragment_keeps_its_last_sections(name: str) -> None:
    found = html_page.extract(item(FRAGMENTS[name])).text
    assert all(f"{n}째 마디이다" in found for n in range(6)) and "made by" not in found


def test_front_matter_that_a_page_shows_stays() -> None:
    shown = "---\nlayout: post\n---\n"
    found = html_page.extract(item(f"{shown}<article><h1>가</h1><p>{TEXT}</p><pre>\n{shown}</pre></article>")).text
    assert found.count("layout: post") == 1


@each_row("name", ODD)
def test_an_odd_page_still_gives_its_text(name: str) -> None:
    found = html_page.extract(item(ODD[name]))
    assert (found.outcome, found.reason) == ("kept", "")
    assert "말모이는 우리말을" in found.text


REFERENCES = {  # as browsers read them; a control is no character of a text
    "&#3": "", "&#3;": "", "&#3x": "x", "&#0003;": "", "&#x03": "", "&#X1b;": "", "&#27;[31m": "[31m", "&#11;": "",
    "&#x81;": "", "&#157;": "", "&#x7f;": "", "&#xFFFF;": "", "&#xfffe": "", "&#65535;": "",
    "&#0;": "\ufffd", "&#xD800;": "\ufffd", "&#xdfff;": "\ufffd", "&#x110000;": "\ufffd",
    "&#55555555555555555;": "\ufffd", "&#xFFFFFFFFFFFFFFFFF;": "\ufffd",
    "&#x;": "&#x;", "&#;": "&#;", "&#": "&#", "&#xZ;": "&#xZ;", "&#-5;": "&#-5;", "&bogus;": "&bogus;",
    "&#150;": "\u2013", "&#x80;": "\u20ac", "&#44032;": "가", "&#44032 ": "가 ", "&#xAC00g": "가g", "&#30;": "",
    "&#300;": "Ĭ", "&#8;": "", "&#88;": "X", "&#x1;": "", "&#x1F600;": "😀", "&#xD83D;&#xDE00;": "😀", "&#12;": " ",
    "&#128": "\u20ac", "\x00": "", "\x1b": "", "\x7f": "", "\x0c": " ", "\ufffe": "", "\ud800": "\ufffd",
}  # fmt: skip


@each_row("written", REFERENCES)
@each_row("tag", ["p", "pre", "td", "h2", "code"])
def test_a_bad_reference_costs_itself_and_not_the_page(written: str, tag: str) -> None:
    cell = f"<{tag}>돌{written}담</{tag}>"
    page = f"<article><p>{TEXT}</p>{f'<table><tr>{cell}<td>벽</td></tr></table>' if tag == 'td' else cell}<p>{TEXT}</p>"
    found = html_page.extract(item(page.encode("utf-8", "surrogatepass")))
    assert found.outcome == "kept"
    if tag != "code":
        assert f"돌{REFERENCES[written]}담" in found.text
    else:
        assert "담" in found.text


@each_row(
    "place", ["<title>{}말모이</title>", '<meta name="author" content="김{}말모">', "<p title='{}'>", "<!-- {} -->"]
)
@each_row("written", ["&#3", "&#27;", "\x1b", "&#x9d", "\u009b", "\x00"])
def test_what_a_page_says_of_itself_has_no_controls(place: str, written: str) -> None:
    found = formats.extract(item(f"<html><head>{place.format(written)}</head><p>{TEXT}</p></html>"))
    assert found.outcome == "kept"
    assert found.title + found.author in ("말모이", "김말모", "")


@pytest.mark.parametrize("body", EMPTY)
def test_a_page_without_text_is_a_drop_with_a_reason(body: str) -> None:
    found = html_page.extract(item(body))
    assert found.outcome == "dropped"
    assert found.reason in ("no-text", "unreadable-html", "frameset")
    assert found.text == ""


def test_what_the_item_knows_comes_before_what_the_page_says() -> None:
    page = f"<html><title>쪽</title><meta name=date content=2026-01-01><p>{TEXT}</p></html>"
    found = html_page.extract(item(page, title="항목", date="2025-12-31"))
    assert (found.title, found.date) == ("항목", "2025-12-31")


def test_a_page_is_parsed_once_and_its_tree_stays_as_it_was() -> None:
    parsed = ParsedItem(item(f"<html><nav>차림</nav><div class=board_view><h2>제목</h2><p>{TEXT}</p></div></html>"))
    page = parsed.page
    before = etree.tostring(page.tree)
    assert parsed.extraction.outcome == "kept" and parsed.page is page
    assert etree.tostring(page.tree) == before


def test_two_items_with_equal_bytes_and_other_charsets_are_two_pages() -> None:
    body = "<p>가나다</p>".encode("cp949")
    first = Item("a", "u", body, "text/html", "euc-kr", "r")
    second = Item("a", "u", body, "text/html", "cp1252", "r")
    assert html_page.parse(first) is not html_page.parse(second)


def test_a_legacy_page_is_read_by_its_own_declaration() -> None:
    page = f"<html><head><meta charset=ks_c_5601-1987></head><body><p>{TEXT}펲</p></body></html>"
    found = html_page.extract(item(page.encode("cp949")))
    assert found.encoding == "cp949"
    assert "펲" in found.text


@pytest.mark.parametrize("case", cases("links_only.jsonl"), ids=lambda case: case["why"])
def test_a_page_that_only_lists_others_is_told_from_an_empty_one(case: dict[str, Any]) -> None:
    found = html_page.extract(item(case["html"]))
    assert (found.outcome, found.reason) == (("dropped", case["reason"]) if case["reason"] else ("kept", ""))


@each_row("case", cases("bylines.jsonl"), ids=lambda case: case["why"])
def test_a_byline_is_metadata(case: dict[str, Any]) -> None:
    assert html_page.split_byline(case["text"]) == (case["rest"], case["author"], case["date"])


def test_a_byline_gives_way_to_what_the_page_states() -> None:
    view = f"<div class=view><h1>낱말</h1><div>작성자 김하나 작성일 2026.02.02</div><p>{TEXT}</p></div>"
    found = html_page.extract(item(f"<html><body>{view}</body></html>"))
    assert (found.author, found.date) == ("김하나", "2026-02-02")
    assert found.text.startswith("낱말\n말모이는")
    stated = html_page.extract(item(f"<html><head><meta name=author content=이둘></head><body>{view}</body></html>"))
    assert (stated.author, stated.date) == ("이둘", "2026-02-02")


BODY = (
    "말모이는 낱말을 하나씩 모은다. 첫째 날에는 들에서 쓰는 말을 적었다. 둘째 날에는 바닷가에서 쓰는 말을 적었다. "
    "셋째 날에는 적은 말을 가나다순으로 놓았다. 넷째 날에는 뜻을 풀어 썼다. 마지막 날에는 모두 함께 읽었다."
)
OTHER = (
    "시장은 아침에 문을 연다. 생선을 파는 집이 먼저 불을 켠다. 채소를 파는 집은 그다음이다. "
    "점심때가 되면 국수를 먹는 사람이 줄을 선다. 저녁에는 남은 것을 싸게 판다. "
    "밤이 되면 고양이가 다닌다. 그리고 조용하다."
)


def toml_cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((DATA / name).read_text(encoding="utf-8"))["case"]
    return found


@each_row("case", toml_cases("script_pages.toml"), ids=lambda case: case["why"])
def test_a_page_that_script_writes_gives_the_article_it_carries_or_says_so(case: dict[str, Any]) -> None:
    size = f"{len(f'<p>{BODY}</p>'.encode()):x}"
    found = html_page.extract(item(case["html"].replace("BYTES", size).replace("BODY", BODY).replace("OTHER", OTHER)))
    assert (found.outcome, found.reason) == (("dropped", case["reason"]) if "reason" in case else ("kept", ""))
    for words in case.get("contains", []):
        assert words in found.text
    for words in case.get("lacks", []):
        assert words not in found.text
    if "reason" not in case:
        assert "마지막 날에는 모두 함께 읽었다." in found.text


FIRST = "말모이는 낱말을 하나씩 모은다. 첫째 날에는 들에서 쓰는 말을 적었고 둘째 날에는 바닷가에서 쓰는 말을 적었다."
SECOND = "적은 말은 가나다순으로 놓고 뜻을 풀어 쓴다. 모두 모이면 함께 읽는다. 누구나 낱말을 보탤 수 있다."


@each_row("case", toml_cases("boards.toml"), ids=lambda case: case["why"])
def test_a_korean_board_page_gives_its_text_and_nothing_around_it(case: dict[str, Any]) -> None:
    def filled(text: str) -> str:
        return text.replace("BODY", FIRST).replace("MORE", SECOND)

    found = html_page.extract(item(filled(case["html"])))
    assert (found.outcome, found.reason) == ("kept", "")
    for words in case["contains"]:
        assert filled(words) in found.text
    for words in case["lacks"]:
        assert words not in found.text
    for field in ("date", "author"):
        assert getattr(found, field) == case.get(field, getattr(found, field))


def test_a_list_of_posts_and_a_sentence_about_files_stay() -> None:
    head = "<tr><th>번호</th><th>제목</th><th>작성자</th><th>등록일</th></tr>"
    row = "<tr><td>1</td><td>낱말을 모으는 날</td><td>솔방울</td><td>2026-03-02</td></tr>"
    files = (
        "<p>첨부 파일을 읽고 <a href=/f>신청서</a>를 내면 된다.</p><p>▲ 들에서 <a href=/g>낱말</a>을 줍는 사람들</p>"
    )
    found = html_page.extract(item(f"<html><body><p>{TEXT}</p><table>{head}{row}</table>{files}</body></html>")).text
    for words in ("제목", "솔방울", "첨부 파일을 읽고 신청서를 내면 된다.", "▲ 들에서"):
        assert words in found


def test_a_frameset_says_so() -> None:
    frames = "<frameset cols=20%,*><frame src=menu.html><frame src=main.html></frameset>"
    page = f"<html><head><title>누리집</title></head>{frames}</html>"
    found = html_page.extract(item(page))
    assert (found.outcome, found.reason) == ("dropped", "frameset")


def test_a_frameset_with_an_article_for_old_browsers_is_read() -> None:
    inside = f"<noframes><body><h1>낱말</h1><p>{TEXT}</p></body></noframes>"
    page = f"<html><frameset><frame src=a.html>{inside}</frameset></html>"
    assert "말모이는 우리말을" in html_page.extract(item(page)).text


def peak() -> int:
    """The most memory that this process has held since it was last asked to forget, in KiB."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


@pytest.mark.heavy
@each_row(
    "body",
    [
        "<div>" * 1_000_000 + TEXT,
        f"<p {' '.join(f'a{n}=1' for n in range(1_000_000))}>{TEXT}</p>",
        f"<p>{TEXT}</p>" + "<p " * 300_000,
        "<p>" + "가" * 350_000 + "</p>",
        "<table><tr><td>" * 100_000 + TEXT,
        "<div>가" + "<div>" * 1_500 + "<b></b>" * 30_000 + TEXT,
        "<div>" * 1_000 + "<input type=radio>가" * 50_000 + TEXT,
        "<table>" * 500 + "<tr><th>작성자<td>가<th>조회수<td>7" * 5_000 + TEXT,
        "<div id=root></div><script type='application/json'>" + '{"body":' * 50_000 + "</script>",
        "<div id=root></div><script>" + "window.__a__={" * 20_000 + "</script>",
    ],
    ids=[
        "a million boxes deep",
        "a million attributes",
        "tags that never end",
        "a megabyte without a space",
        "tables",
        "empty marks in boxes",
        "answers in boxes",
        "rows in tables",
        "data in data",
        "states that never end",
    ],
)
def test_a_page_made_for_mischief_costs_seconds_and_little_memory(body: str) -> None:
    raw = item(body)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: that of the suite may hide any growth
    before = peak()
    start = time.process_time()
    found = html_page.extract(raw)
    assert time.process_time() - start <= 30  # what grows with the square takes minutes, on any machine
    assert peak() - before <= 256 * 1024  # KiB
    assert (found.outcome == "kept") == bool(found.text)
