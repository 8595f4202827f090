"""A DOCX becomes its text, whatever a word processor has put around it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawlers import formats
from crawlers.formats import docx as reader
from crawlers.formats.unreadable import Unreadable
from malmoi.source import Item
from tests.builders.documents.small_docx import STRICT, docx, p, r, table, zipped
from tests.builders.rows import each_row

CASES = tomllib.loads((Path(__file__).parents[1] / "data/formats/docx.toml").read_text(encoding="utf-8"))["case"]
MEDIA = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SAID = (
    "<dc:title>말모이 원고</dc:title><dc:creator>조선 광문회</dc:creator>"
    "<dcterms:created>2014-03-01T09:00:00Z</dcterms:created><dcterms:modified>2020-01-01T00:00:00Z</dcterms:modified>"
)


def item(body: bytes, **more: Any) -> Item:
    return Item(key="a.docx", url="https://a.example/a.docx", body=body, media=MEDIA, charset="", record="r", **more)


def text(body: bytes) -> str:
    return reader.extract(item(body)).text


def reason(body: bytes) -> str:
    with pytest.raises(Unreadable) as said:
        reader.extract(item(body))
    return said.value.reason


@each_row("case", CASES, ids=[case["why"] for case in CASES])
def test_a_body_is_its_text(case: dict[str, str]):
    assert text(docx(case["body"])) == case["text"]


def test_the_strict_form_of_the_standard_says_the_same():
    for case in CASES:
        assert text(docx(case["body"], namespace=STRICT)) == case["text"], case["why"]


def test_a_note_stands_behind_the_paragraph_that_names_it_and_only_once():
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    notes = f'<w:footnote w:id="0" w:type="separator">{p("줄")}</w:footnote>'
    notes += f'<w:footnote w:id="2">{p("각주다")}</w:footnote>'
    body = p("첫 문장", reference, "이다.") + p("둘째", reference)
    assert text(docx(body, footnotes=notes)) == "첫 문장이다.\n각주다\n둘째"


def test_an_endnote_in_a_cell_stands_below_its_row():
    body = table(["왼쪽", p("오른쪽", '<w:r><w:endnoteReference w:id="1"/></w:r>')])
    found = text(docx(body, endnotes=f'<w:endnote w:id="1">{p("미주")}</w:endnote>'))
    assert found.startswith("| 왼쪽 | 오른쪽") and found.count("미주") == 1


def test_text_of_a_hidden_style_is_hidden():
    styles = '<w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
    body = p("보임") + p("숨음", properties='<w:pStyle w:val="Secret"/>')
    body += p(r("숨음", '<w:rStyle w:val="Secret"/>'), "끝")
    assert text(docx(body, styles=styles)) == "보임\n끝"


def test_headers_footers_and_comments_are_no_text():
    beside = {"header1": p("머리"), "footer1": p("꼬리"), "comments": f'<w:comment w:id="1">{p("댓글")}</w:comment>'}
    assert text(docx(p("본문"), **beside)) == "본문"


def test_the_document_says_its_title_author_and_date():
    found = reader.extract(item(docx(p("본문"), core=SAID)))
    assert (found.title, found.author, found.date, found.format) == ("말모이 원고", "조선 광문회", "2014-03-01", "docx")


def test_what_the_source_knows_goes_before_what_the_document_says():
    found = reader.extract(item(docx(p("본문"), core=SAID), title="사전", date="1911-01-01", author="주시경"))
    assert (found.title, found.author, found.date) == ("사전", "주시경", "1911-01-01")


def test_the_main_part_may_lie_elsewhere():
    assert text(docx(p("본문"), main="word/document2.xml")) == "본문"


def test_the_dispatcher_reads_a_docx_by_its_bytes():
    found = formats.extract(item(docx(p("본문"))))
    assert (found.text, found.outcome) == ("본문", "kept")


def test_a_document_of_pictures_has_no_text():
    assert reason(docx("<w:p><w:r><w:drawing/></w:r></w:p>")) == "no-text"


def test_damage_is_named_so():
    whole = docx(p("본문"))
    assert reason(whole[: len(whole) // 2]) == "damaged"
    assert reason(b"") == "damaged"
    assert reason(zipped({"mimetype": "text/plain"})) == "damaged"
    assert reason(docx("", whole="<w:document><w:body>")) == "damaged"
    assert reason(docx("", whole="<document/>")) == "damaged"


def test_a_damaged_side_part_costs_nothing():
    files = docx(p("본문"), styles="<w:style>")  # an element that is not closed
    assert text(files) == "본문"


def test_entities_are_refused_before_they_grow():
    laughs = '<!DOCTYPE w [<!ENTITY a "가가"><!ENTITY b "&a;&a;">]>'
    assert reason(docx("", whole=f"{laughs}<w><body>&b;</body></w>")) == "xml-entities"


def test_a_part_that_unpacks_without_end_is_a_bomb():
    assert reason(docx("", whole="<a>" + " " * 80_000_000)) == "archive-bomb"


@pytest.mark.parametrize("name", ["w:sdt", "w:p", "w:r", "w:tbl", "w:txbxContent"])
def test_a_hundred_thousand_levels_are_damage(name: str):
    assert reason(docx(f"<{name}>" * 100_000 + f"</{name}>" * 100_000, packed=False)) == "damaged"


def test_tables_in_tables_are_read_as_far_as_people_make_them():
    def nest(levels: int) -> bytes:
        inner = p("속")
        for _ in range(levels):
            inner = table([inner + p("겉")])
        return docx(inner)

    assert text(nest(20)).count("겉") == 20
    assert reason(nest(70)) == "damaged"


def test_a_paragraph_of_very_many_alternatives_takes_no_square_time():
    one = "<mc:AlternateContent><mc:Choice><w:r><w:t>가</w:t></w:r></mc:Choice></mc:AlternateContent>"
    assert text(docx(p(one * 30_000), packed=False)) == "가" * 30_000
