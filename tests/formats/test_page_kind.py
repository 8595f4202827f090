"""Pages that are no text are told from articles, and say what they are."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawlers import formats
from crawlers.formats.html import html_page, page_kind
from malmoi.source import Item
from tests.builders.rows import each_row

CASES = tomllib.loads((Path(__file__).parents[1] / "data" / "formats" / "page_kinds.toml").read_text("utf-8"))["case"]
SENTENCES = (
    "마을 도서관은 지난봄부터 낡은 낱말 카드를 다시 읽고 있다.",
    "카드 한 장에는 말 하나와 그 말을 들은 곳이 적혀 있다.",
    "사서는 카드를 상자에서 꺼내 햇볕에 말린 뒤 한 글자씩 옮긴다.",
    "옮긴 글은 저녁마다 이웃이 돌려 읽고 틀린 데를 고친다.",
)
PARTS = {
    "MENU": "<ul id=gnb>" + "".join(f"<li><a href=/m{n}>차림표 {n}</a></li>" for n in range(12)) + "</ul>",
    "PROSE": "".join(f"<p>{' '.join(SENTENCES[n % 4 :])} {SENTENCES[0]}</p>" for n in range(9)),
    "TEASERS": "".join(
        f"<article><h2><a href=/{n}>{SENTENCES[n % 4][:18]} {n}</a></h2><div>2026-11-{n + 10}</div>"
        f"<p>{SENTENCES[(n + 1) % 4]} {SENTENCES[(n + 2) % 4][:14]}…</p><a href=/{n}>더 보기</a></article>"
        for n in range(10)
    ),
    "PICTURES": "".join(
        f"<li><a href=/g{n}><img src={n}.jpg alt='낱말 잔치 {n}'></a><span>낱말 잔치 사진 {n}</span></li>"
        for n in range(16)
    ),
}


def item(markup: str, url: str = "https://a.example/view?no=3") -> Item:
    for name, value in PARTS.items():
        markup = markup.replace(name, value)
    return Item(key="k", url=url, body=markup.encode(), media="text/html", charset="utf-8", record="r")


@each_row("case", CASES, ids=lambda case: case["why"])
def test_a_page_says_what_kind_it_is(case: dict[str, Any]) -> None:
    found = html_page.extract(item(case["html"]))
    assert found.reason == case.get("reason", "")
    assert not case["kind"] or found.page_kind == case["kind"]


def test_the_article_in_the_data_of_a_page_makes_it_an_article() -> None:
    data = '{"post":{"title":"낱말","body":"' + " ".join(SENTENCES * 3) + '"}}'
    found = html_page.extract(item(f"<body><div id=root></div><script type=application/json>{data}</script></body>"))
    assert (found.outcome, found.page_kind) == ("kept", "article")


def test_other_formats_have_no_kind_of_page() -> None:
    found = formats.extract(Item("k", "https://a.example/a.md", " ".join(SENTENCES).encode(), "text/markdown", "", ""))
    assert (found.outcome, found.page_kind) == ("kept", "")


def test_the_model_has_a_weight_for_each_feature() -> None:
    page = html_page.parse(item("<p>가</p>"))
    values = page_kind.measure(page_kind.look(page, "가"), page, page_kind.Metadata(), "https://a.example/", "가")
    assert {len(row) for _, row in page_kind._load().values()} == {len(values)}


def test_every_kind_with_a_reason_is_a_kind() -> None:
    assert set(page_kind.REASONS) < set(page_kind.KINDS)


@pytest.mark.parametrize(
    ("chances", "stated", "brief", "decided"),
    [
        ({"article": 0.35, "index": 0.65}, (), True, ("index", False)),  # likely, not sure
        ({"article": 0.25, "index": 0.75}, (), True, ("index", True)),
        ({"article": 0.25, "index": 0.75}, (), False, ("index", False)),  # prose needs more to be dropped
        ({"article": 0.05, "login": 0.95}, (), True, ("stub", True)),  # nothing asks to sign in
        ({"article": 0.05, "login": 0.95}, ("login",), True, ("login", True)),
        ({"article": 0.05, "login": 0.95}, (), False, ("article", False)),
        ({"article": 0.55, "index": 0.45}, (), True, ("article", False)),
    ],
)
def test_a_page_with_little_prose_is_dropped_sooner(
    chances: dict[str, float], stated: tuple[str, ...], brief: bool, decided: tuple[str, bool]
) -> None:
    assert page_kind.decide(chances, lambda: frozenset(stated), little_prose=brief) == decided


def test_a_very_short_text_is_left_to_the_recipe() -> None:
    lengths = (page_kind.BRIEF - 1, page_kind.BRIEF)
    assert [page_kind.has_little_prose(length, 0) for length in lengths] == [False, True]
    assert not page_kind.has_little_prose(500, page_kind.BRIEF)
