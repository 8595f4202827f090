"""Judgments and decisions of the courts, from the open API of law.go.kr."""

from collections.abc import Iterable
from functools import partial

from lxml import etree

from crawlers.formats import xml_records
from crawlers.platforms import law_go_kr
from malmoi.source import Estimate, Expect


def _parts(root: etree._Element) -> Iterable[str]:
    said = (
        *law_go_kr.fields_with_headings(root, "판시사항", "판결요지", "참조조문", "참조판례"),
        xml_records.prose(xml_records.field(root, "판례내용")),
    )
    return (xml_records.prose(xml_records.field(root, "사건명")), *said) if any(said) else ()


REGISTER = law_go_kr.Register(
    target="prec",
    row="prec",
    listed="판례일련번호",
    asked="ID",
    root="PrecService",
    own=("판례정보일련번호", "판례일련번호"),
    title=("사건명",),
    date=("선고일자",),
    author=("법원명",),
    page="https://www.law.go.kr/LSW/precInfoP.do?precSeq={key}",
    parts=_parts,
    stated="판결유형",
    within="PrecService",
    allowed=lambda root, words: law_go_kr.is_judgment(words, xml_records.field(root, "법원명")),
    # The list also names judgments of other registers (국세법령정보시스템), whose text is available only as a page.
    only=(("datSrcNm", "대법원"),),
    read=("판시사항", "판결요지", "참조조문", "참조판례", "판례내용"),
    ignored=("사건번호", "선고", "법원종류코드", "사건종류명", "사건종류코드", "데이터출처명", "판례상세링크"),
)

SOURCE = law_go_kr.source(
    REGISTER,
    name="law_precedents",
    title="국가법령정보 판례",
    max_pages=600_000,
    register="judicial",
    # Of the order of a hundred thousand, as is generally known; this API was not counted.
    expect=Expect(at_least=20_000, at_most=600_000),
    family="law.go.kr/prec",
    attribution="{author} 「{title}」 ({year}), {publisher}, {url}",
    unverified="That datSrcNm=대법원 leaves out what has no text in XML, and all the values of 판결유형.",
    estimate=Estimate(490_000_000, "123,000 judgments with text × 4,000 characters"),
    note="The key is that of law_statutes. Parties are named A, 甲 or ○○, with leaks; judges and counsel are named "
    "in full: the recipe must redact. The headnotes (판시사항, 판결요지) are the courts' own compilation, art. 7 "
    "(4). One request a second makes this a collection of more than a day.",
)

follow, items, evidence, text, trouble = law_go_kr.functions(REGISTER)
unknown_fields = partial(law_go_kr.unknown_fields, REGISTER)
