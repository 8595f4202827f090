"""Reports as pages: English and Korean apart, codes with words, no script, nothing that a phone breaks."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import data_cards
from data_cards.reports import write_report
from data_cards.words import load_words
from flows.cli.releases import CHANGED, WHY
from flows.reports.crawl_report import BEYOND, Funnel, Stretch, write
from malmoi.workspace import Workspace
from tests.builders.small_page import Page, read_page

STEPS = (
    Stretch("pages answered", "응답한 페이지", "pages", 1200, (("status-404", 3), ("too-long (max_url 2048)", 1))),
    Stretch("read as text", "본문을 추출한 문서", "documents", 7, (("unsupported-format:image", 2), ("unheard-of", 1))),
)
FUNNEL = Funnel(
    "one", "가상 소스", "가상 기관", "2026-01-02", 2, STEPS, (("CC-BY-4.0", "redistribute", 5), ("none", "exclude", 2)),
    (("a.example", 9, 900, 1, 0),), missing=1,
)  # fmt: skip
SAMPLE = {"id": "one/글", "value": "3", "reason": "too-short", "text": "짧은 글"}
SPREAD = {
    "filter": "length", "measure": "chars", "parameter": "min_chars", "side": "min", "reason": "too-short",
    "bound": "90", "total": 2, "dropped": 1, "bars": [[10.0, 20.0, 30.0]], "at": 50.0, "ticks": ["0", "1"],
    "others": [("1.0%", "50")], "passing": [], "failing": [SAMPLE],
}  # fmt: skip
STAGE = {
    "name": "3-clean",
    "steps": [{"filter": "host_furniture", "in": 3, "out": 2, "dropped": [("too-short", 1)], "edits": [("nfc", 2)]}],
    "spreads": [SPREAD, SPREAD | {"filter": "spam", "side": "max", "total": 0}],
}


def crawl_pages(root: Path) -> tuple[Page, Page]:
    place = write(Workspace.open(root), [FUNNEL])
    return read_page(place), read_page(place.with_suffix(".ko.html"))


def curation_pages(root: Path) -> tuple[Page, Page]:
    write_report("curation.html", root / "c.html", recipe=SimpleNamespace(name="own"), stages=[STAGE], costs=[])
    return read_page(root / "c.html"), read_page(root / "c.ko.html")


@pytest.mark.parametrize("pages", [crawl_pages, curation_pages])
def test_each_page_is_in_one_language_and_leads_to_the_other(tmp_path: Path, pages: Any) -> None:
    english, korean = pages(tmp_path)
    assert (english.language, korean.language) == ("en", "ko")
    assert english.links[0].endswith(".ko.html") and "ko" not in korean.links[0]
    assert not english.has_hangul() and not korean.has_english_sentence()
    assert not (english.tags | korean.tags) & {"script", "img", "link", "iframe"}


def test_a_loss_stands_in_words_with_its_code_and_its_limit(tmp_path: Path) -> None:
    english, korean = crawl_pages(tmp_path)
    for words in (
        "HTTP 404 not found status-404 3",
        "too long too-long (max_url 2048) 1",
        "format not supported (image)",
    ):
        assert words in re.sub(r"\s+", " ", english.text), words
    for words in ("HTTP 404 없음", "너무 김", "지원하지 않는 형식", "unheard-of", "이용 불가", "없음"):
        assert words in korean.text, words
    assert "malmoi curate" in english.text and "1,200" in korean.text


def test_a_threshold_says_which_side_is_dropped(tmp_path: Path) -> None:
    english, korean = curation_pages(tmp_path)
    assert "a document with less is dropped (too short too-short)" in english.text
    assert "작으면 제외" in korean.text and "이 값을 측정한 문서가 없습니다" in korean.text
    assert "짧은 글" in english.text and "비공개" in korean.text


def test_names_of_filters_are_not_cut_within_a_word(tmp_path: Path) -> None:
    """`overflow-wrap: anywhere` lets a narrow table cut a name after any letter; cells must not have it."""
    curation_pages(tmp_path)
    style = (tmp_path / "c.html").read_text(encoding="utf-8").partition("</style>")[0]
    assert "td .code { overflow-wrap:normal }" in style
    assert "overflow-wrap:anywhere" not in style.partition("body {")[2].partition("}")[0]


def test_every_code_of_the_comparison_and_the_crawl_has_words_in_both_languages() -> None:
    for language in ("en", "ko"):
        words = load_words(language)
        assert not [code for code in WHY if words.label("removal", code) == code]
        assert set(CHANGED) <= words.tables["change"].keys()
        assert not [code for code in BEYOND if words.label("reason", code) == code]
    english, korean = load_words("en").tables, load_words("ko").tables
    assert not [pair for pair in english["say"].items() if re.search("[가-힣]", pair[1]) and pair[0] != "switch"]
    for kind in ("removal", "change", "share", "size"):
        assert english[kind].keys() == korean[kind].keys()


def test_the_two_files_of_words_share_no_key() -> None:
    import tomllib

    one, two = (
        tomllib.loads((Path(data_cards.__file__).parent / name).read_text(encoding="utf-8"))
        for name in ("words.toml", "report_words.toml")
    )
    assert not {(kind, key) for kind in one for key in one[kind]} & {(kind, key) for kind in two for key in two[kind]}
