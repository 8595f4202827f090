"""Judgments and decisions of the courts, from the open interface of law.go.kr."""

import re
from collections.abc import Iterable

from lxml import etree

from crawlers.platforms import law_go_kr, xml_records
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import Expect, Extracted, Item, LicenceRule, Source, Trouble

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
)
# Copyright Act art. 7 (3): judgments, decisions, orders and rulings of a court. The field says "판결", "결정 : 확정",
# "전원합의체 판결".
COVERED = re.compile(r"(?:전원합의체\s?)?(?:판결|결정|명령|심판)(?:\s?[:：].{0,40})?")
COURT = re.compile(r"대법원|[가-힣 ]{1,20}(?:법원|고법|지법|지원|행법|가법|재판소)")
# The list also names judgments that other registers keep (국세법령정보시스템), whose text it gives only as a page.
FROM = "대법원"

SOURCE = Source(
    name="law_precedents",
    title="국가법령정보 판례",
    publisher="법제처 국가법령정보센터",
    access=law_go_kr.access(REGISTER, max_pages=600_000, datSrcNm=FROM),
    rule=LicenceRule(
        place="the fields 판결유형 and 법원명 of each judgment say what it is and whose",
        expected=(law_go_kr.ARTICLE_7,),
        widest="item",
    ),
    register="judicial",
    domain="law",
    # Of the order of a hundred thousand, as is generally known; nobody has counted this interface.
    expect=Expect(at_least=20_000, at_most=600_000),
    manners=law_go_kr.MANNERS,
    attribution="{author} 「{title}」 ({year}), {publisher}, {url}",
    unverified="No answer of the interface has been seen: addresses and elements are those that public programs "
    "read. That datSrcNm=대법원 leaves out what has no text in XML, and all the values of 판결유형.",
    note="The key is that of law_statutes. Parties are named A, 甲 or ○○, with leaks; judges and counsel are named "
    "in full: the recipe must redact. The headnotes (판시사항, 판결요지) are the courts' own compilation, art. 7 "
    "(4). One request a second makes this a collection of more than a day.",
)


def follow(capture: Capture) -> Iterable[str]:
    """The other pages of the list, and the judgments on each."""
    return law_go_kr.follow(REGISTER, capture)


def items(capture: Capture) -> Iterable[Item]:
    """One document a judgment."""
    return law_go_kr.items(REGISTER, capture)


def text(item: Item) -> Extracted:
    """The name of the case, the headnotes, what is cited, and the judgment itself."""
    return law_go_kr.text(REGISTER, item, _parts)


def evidence(item: Item) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """That the entry is a judgment or decision of a court, in its own words."""
    return law_go_kr.evidence(
        REGISTER, item, element="판결유형", kind="judgment", place="PrecService/판결유형", allowed=_is_covered
    )


def trouble(capture: Capture) -> Trouble | None:
    """What the interface says instead of an answer."""
    return law_go_kr.trouble(capture)


def _parts(root: etree._Element) -> Iterable[str]:
    said = (
        *law_go_kr.fields_with_headings(root, "판시사항", "판결요지", "참조조문", "참조판례"),
        xml_records.prose(xml_records.field(root, "판례내용")),
    )
    return (xml_records.prose(xml_records.field(root, "사건명")), *said) if any(said) else ()


def _is_covered(root: etree._Element, words: str) -> bool:
    return bool(COVERED.fullmatch(words) and COURT.fullmatch(xml_records.field(root, "법원명")))
