"""Interpretations of statutes by the Ministry of Government Legislation, from the open interface of law.go.kr.

Art. 7 (3) of the Copyright Act frees decisions of courts, of administrative appeals "and of similar procedures".
An interpretation decides nothing between parties: it is the ministry's advice to another authority. Whether the
article reaches it is doubtful, so each is found as a work of the State (art. 24-2), which a person has to review.
"""

from collections.abc import Iterable

from lxml import etree

from crawlers.platforms import law_go_kr
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import Expect, Extracted, Item, LicenceRule, Source, Trouble

REGISTER = law_go_kr.Register(
    target="expc",
    row="expc",
    listed="법령해석례일련번호",
    asked="ID",
    root="ExpcService",
    own=("법령해석례일련번호",),
    title=("안건명",),
    date=("해석일자", "회신일자"),
    author=("해석기관명", "회신기관명"),
    page="https://www.law.go.kr/LSW/expcInfoP.do?expcSeq={key}",
)
WORK_OF_STATE = "LicenseRef-KR-CA-Art24-2"

SOURCE = Source(
    name="law_interpretations",
    title="국가법령정보 법령해석례",
    publisher="법제처 국가법령정보센터",
    access=law_go_kr.access(REGISTER, max_pages=50_000),
    rule=LicenceRule(
        place="the field 해석기관명 of each interpretation says whose work it is; a person decides on art. 24-2",
        expected=(WORK_OF_STATE,),
        widest="item",
        review=True,
    ),
    register="administrative",
    domain="law",
    # Some thousands since 2005, as is generally known; nobody has counted this interface.
    expect=Expect(at_least=1_000, at_most=40_000),
    manners=law_go_kr.MANNERS,
    attribution="{author}, 「{title}」 ({year}), {publisher}, {url}",
    unverified="No answer of the interface has been seen: addresses and elements are those that public programs read.",
    note="The key is that of law_statutes. Nothing of it is released unless a person has decided on works of the "
    "State; see the head of the file.",
)


def follow(capture: Capture) -> Iterable[str]:
    """The other pages of the list, and the interpretations on each."""
    return law_go_kr.follow(REGISTER, capture)


def items(capture: Capture) -> Iterable[Item]:
    """One document an interpretation."""
    return law_go_kr.items(REGISTER, capture)


def text(item: Item) -> Extracted:
    """What was asked, what was answered, and why."""
    return law_go_kr.text(REGISTER, item, _parts)


def evidence(item: Item) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """That the interpretation is the work of a ministry, in its own words; it grants nothing without a review."""
    return law_go_kr.evidence(
        REGISTER,
        item,
        element="해석기관명",
        kind="interpretation",
        place="ExpcService/해석기관명",
        allowed=_is_ministry,
        licence=WORK_OF_STATE,
    )


def trouble(capture: Capture) -> Trouble | None:
    """What the interface says instead of an answer."""
    return law_go_kr.trouble(capture)


def _parts(root: etree._Element) -> Iterable[str]:
    return law_go_kr.fields_with_headings(root, "질의요지", "회답", "이유")


def _is_ministry(root: etree._Element, words: str) -> bool:
    return words == "법제처"
