"""An item is parsed once, and `text` and `evidence` of a source share what was read, as a value."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from crawlers import defaults, extract
from crawlers.formats import ParsedItem
from crawlers.formats.html import html_page, html_tree, runs
from malmoi.archive.capture import Capture
from malmoi.source import Extracted, Folder, Item, LicenceClaim, LicenceRule, Source

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "말모이는 우리말을 모으는 일이다. 오늘도 낱말을 하나씩 적는다. "
KOGL_1 = '<a href="https://www.kogl.or.kr/info/licenseType1.do">공공누리 제1유형</a>'
PAGE = f"<html><title>말모이</title><body><article><p>{SENTENCE * 8}</p><p>{KOGL_1}</p></article></body></html>"
CLAIM = LicenceClaim("CC-BY-4.0", "CC BY 4.0", file="LICENCE")
SOURCE = Source("a", "가", "나", Folder(Path("x")), claim=(CLAIM,), rule=LicenceRule(("licence-file",)))
CAPTURE = Capture("r", "https://a.example/1", "2026-01-01T00:00:00Z", 200, (), b"", "a")


def item(body: str | bytes, name: str = "1.html", **more: str) -> Item:
    return Item(
        name, f"https://a.example/{name}", body.encode() if isinstance(body, str) else body, "", "", "r", **more
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was called, of parsing a page, walking over it and sniffing."""
    made: list[str] = []

    def count(module: Any, name: str) -> None:
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, **more: (made.append(name), real(*given, **more))[1])

    count(html_tree, "tree_of")
    count(runs, "runs")
    return made


def test_text_and_evidence_of_one_page_parse_it_once_and_walk_over_it_once(calls: list[str]) -> None:
    parsed = ParsedItem(item(PAGE))
    evidence = defaults.evidence_for(SOURCE, {"LICENCE": "r"})
    outcome = extract.make_document(CAPTURE, "0", parsed, defaults.text(parsed), evidence)
    assert SENTENCE.strip() in outcome.document.text
    assert {one.licence for one in outcome.document.evidence} == {"LicenseRef-KOGL-1", "CC-BY-4.0"}
    assert calls.count("tree_of") == 1 and calls.count("runs") == 1


def test_two_items_share_nothing(calls: list[str]) -> None:
    body = "<p>가나다</p>".encode("cp949")
    first, second = (Item("a", "u", body, "text/html", charset, "r") for charset in ("euc-kr", "cp1252"))
    assert ParsedItem(first).page is not ParsedItem(second).page
    assert calls.count("tree_of") == 2


def test_a_date_that_the_text_has_told_reaches_the_evidence_with_what_was_parsed() -> None:
    parsed = ParsedItem(item(PAGE))
    page = parsed.page
    dated = parsed.complete(Extracted("", date="2026-01-02"))
    assert dated.item.date == "2026-01-02" and parsed.item.date == "" and dated.page is page
    assert (
        ParsedItem(item(PAGE, date="2025-01-01")).complete(Extracted("", date="2026-01-02")).item.date == "2025-01-01"
    )


def test_what_is_read_of_an_item_is_what_its_reader_gives() -> None:
    assert ParsedItem(item(PAGE)).extraction == html_page.extract(item(PAGE))
    cell = ParsedItem(Item("a#1", "folder:a/a.csv", "세정<br/>건조", "text/plain", "", "r"))
    assert (cell.format, cell.extraction.text, cell.extraction.format) == ("row", "세정\n건조", "row")


def test_no_module_of_the_crawlers_keeps_the_last_item_in_a_global() -> None:
    keeping = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "crawlers").rglob("*.py"))
        if any(isinstance(node, ast.Global) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    assert keeping == []
