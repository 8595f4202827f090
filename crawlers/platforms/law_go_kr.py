"""Shared code of the registers of law.go.kr: lists that link to entries, and the text of an entry.

The API (DRF) has two URLs: lawSearch.do lists entries, lawService.do returns one. Identifiers and elements
have other names in each register; a `Register` holds these names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import re2
from lxml import etree

from crawlers.catalogue import Evidence, Follow, Items, Text, TroubleOf
from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.html.runs import quote as words_of
from crawlers.formats.unreadable import Unreadable
from crawlers.platforms import api_errors
from crawlers.platforms.answer_fields import Fields
from crawlers.rights import response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CaptureError
from malmoi.licensing.rights_decision import UNKNOWN
from malmoi.source import Api, Extracted, Item, LicenceRule, Manners, Source, Trouble

BASE = "https://www.law.go.kr"
GRANT = "https://open.law.go.kr/LSO/openApi/guideList.do"  # the API's own documentation
LIST, ENTRY = "/DRF/lawSearch.do", "/DRF/lawService.do"
KEY, PARAMETER = "MALMOI_LAW_OC", "OC"  # the operator's id; it works for registered IP addresses
PER_PAGE = 100  # entries of a list page; the maximum of the API
MAX_PAGES = 5_000  # of one list
DANGI = 2333  # years between the calendar in which judgments before 1962 are dated and ours
UNVERIFIED = "No answer of the interface has been seen: addresses and elements are those that public programs read."
ARTICLE_7 = "LicenseRef-KR-CA-Art7"
STATUTE = "statute"  # the proof, malmoi/licensing/proofs.py
# Elements of a list around its entries, as public programs and the guide of the interface name them.
LIST_HEAD = ("target", "키워드", "section", "page", "numOfRows", "resultCode", "resultMsg")
_REFUSED = re.compile(rb"<Response>\s{0,100}<result>")
_EMPTY = re.compile(rb"<totalCnt>\s{0,20}0{1,9}\s{0,20}</totalCnt>")
_DANGI = re.compile(r"(4[23][0-9]{2})(?=[0-9.-])")


@dataclass(frozen=True, slots=True)
class Register:
    """One register: how its list names an entry, and how its entries are requested and read."""

    target: str  # the register's name in a URL
    row: str  # element of one entry in a list
    listed: str  # element of such an entry that names it
    asked: str  # parameter that takes this name
    root: str  # root element of an entry
    own: tuple[str, ...]  # elements of an entry that name it again
    title: tuple[str, ...]
    date: tuple[str, ...]
    author: tuple[str, ...]
    page: str  # URL for people; {title} and {key} are filled in
    parts: Callable[[etree._Element], Iterable[str]]  # the text of an entry, part by part
    stated: str  # element that states what an entry is
    within: str  # elements that contain it, for the evidence: "PrecService"
    allowed: Callable[[etree._Element, str], bool]  # whether this statement gives the licence
    licence: str = ARTICLE_7  # for another one a person decides
    only: tuple[tuple[str, str], ...] = ()  # further parameters of its list
    read: tuple[str, ...] = ()  # elements that `parts` and `allowed` read
    ignored: tuple[str, ...] = ()  # elements of lists and entries that are left out on purpose

    @property
    def fields(self) -> Fields:
        """The elements of lists and entries that are known."""
        used = (self.listed, *self.own, *self.title, *self.date, *self.author, self.stated, *self.read, "totalCnt")
        return Fields(used, (*LIST_HEAD, *self.ignored))


def source(register: Register, /, *, max_pages: int, unverified: str = "", **facts: Any) -> Source:
    """Return the source of a register: `facts` are those fields of Source in which the registers differ."""
    return Source(
        **facts,
        publisher="법제처 국가법령정보센터",
        access=make_access(register.target, (LIST, ENTRY), max_pages, register.only),
        rule=LicenceRule((STATUTE,) if register.licence == ARTICLE_7 else (), expected=(register.licence,)),
        domain="law",
        manners=Manners(delay=1.0),
        unverified=f"{UNVERIFIED} {unverified}".strip(),
    )


def functions(register: Register) -> tuple[Follow, Items, Evidence, Text, TroubleOf]:
    """Return the functions that a source of the register defines: follow, items, evidence, text, trouble."""
    return (
        partial(follow, register),
        partial(items, register),
        partial(evidence, register),
        partial(text, register),
        trouble,
    )


def unknown_fields(register: Register, capture: Capture) -> tuple[str, ...]:
    """Return the elements of a list or an entry that the register does not know."""
    return register.fields.find_in_xml(capture)


def make_access(target: str, paths: tuple[str, ...], max_pages: int, only: tuple[tuple[str, str], ...] = ()) -> Api:
    """Return the API of a list, from its first page; `paths` are those that the source may request."""
    asked = {"target": target, "type": "XML", "display": str(PER_PAGE), "page": "1", **dict(only)}
    return Api(
        start=(f"{BASE}{LIST}?{urlencode(sorted(asked.items()))}",),
        scope=tuple(BASE + path for path in paths),
        key=KEY,
        parameter=PARAMETER,
        grant=GRANT,
        max_pages=max_pages,
    )


def is_list(capture: Capture) -> bool:
    """Whether a capture is a page of a list, not an entry."""
    return urlsplit(capture.url).path.endswith(LIST)


def follow(register: Register, capture: Capture) -> Iterator[str]:
    """Yield from the first page of a list the other pages, from each page its entries.

    Raises CaptureError if a list does not state its length, or an entry of it has no name.
    """
    if not is_list(capture):
        return
    pages, shown = read_list(register.row, capture)
    yield from pages
    for place, row in enumerate(shown, 1):
        key = xml_records.field(row, register.listed)
        if not key:
            raise CaptureError(
                f"{capture.url}: entry {place} has no {register.listed}; check the answer, "
                "and correct the register in the source file if the API has changed."
            )
        query = {"target": register.target, "type": "XML", register.asked: key}
        yield f"{xml_records.rewrite_url(capture.url, path=ENTRY).partition('?')[0]}?{urlencode(sorted(query.items()))}"


def read_list(row: str, capture: Capture) -> tuple[list[str], list[etree._Element]]:
    """Return the addresses of the other pages of a list (from its first page only), and the elements `row` of this one.

    Raises CaptureError if the list cannot be read, does not state its length, or shows no entry of those it counts.
    """
    try:
        root = xml_records.parse_xml(capture.body, capture.charset)
    except Unreadable as said:
        raise CaptureError(
            f"{capture.url}: the list cannot be read ({said.reason}); collect again, then check the answer."
        ) from said
    total = xml_records.parse_number(xml_records.field(root, "totalCnt"))
    if total is None:
        raise CaptureError(
            f"{capture.url}: the list does not state its length in totalCnt; check the answer, "
            "and correct crawlers/platforms/law_go_kr.py if the API has changed."
        )
    shown = list(root.iter(row))
    page = xml_records.parse_number(xml_records.parameter(capture.url, "page")) or 1
    if not shown and total > (page - 1) * PER_PAGE:
        raise CaptureError(
            f"{capture.url}: the list counts {total:,} entries and shows none on this page; collect again, "
            "and correct the register in the source file if the API has changed."
        )
    further = range(2, min(-(-total // PER_PAGE), MAX_PAGES) + 1) if page == 1 else ()
    return [xml_records.rewrite_url(capture.url, page=number) for number in further], shown


def items(register: Register, capture: Capture) -> Iterator[Item]:
    """Yield the one document of an entry, under the name used in its request; a list has none."""
    if is_list(capture):
        return
    item = Item(
        key=xml_records.parameter(capture.url, register.asked),
        url=capture.url,
        body=capture.body,
        media="application/xml",
        charset=capture.charset,
        record=capture.record,
        headers=capture.headers,
    )
    try:
        root = entry(register, ParsedItem(item))
    except Unreadable:
        yield item  # `text` reports why
        return
    title = " ".join(xml_records.prose(xml_records.field(root, *register.title)).split())
    yield replace(
        item,
        url=register.page.format(title=quote(title), key=quote(item.key)) if title else item.url,
        title=title,
        date=parse_date(xml_records.field(root, *register.date)),
        author=xml_records.prose(xml_records.field(root, *register.author)),
    )


def entry(register: Register, parsed: ParsedItem) -> etree._Element:
    """Return the root element of the entry in `parsed`.

    Raises Unreadable: `damaged`, `not-an-entry` for an answer of another kind (a message, a page), and
    `another-entry` if its name differs from the requested one.
    """
    root = parsed.xml
    if root.tag != register.root:
        raise Unreadable("not-an-entry")
    said = xml_records.field(root, *register.own)
    if said and said.lstrip("0") != parsed.item.key.lstrip("0"):
        raise Unreadable("another-entry")
    return root


def text(register: Register, parsed: ParsedItem) -> Extracted:
    """Extract the parts of an entry, separated by empty lines; dropped as `empty` if it has no part."""
    item = parsed.item
    try:
        found = "\n\n".join(part for part in register.parts(entry(register, parsed)) if part)
    except Unreadable as said:
        return drop_entry(item, said.reason)
    if not found:
        return drop_entry(item, "empty")
    return Extracted(found, title=item.title, date=item.date, author=item.author, format="xml", encoding="utf-8")


def drop_entry(item: Item, reason: str, format: str = "xml") -> Extracted:
    """Return the result for an entry without text, with the reason."""
    return Extracted(
        "", title=item.title, date=item.date, author=item.author, format=format, outcome="dropped", reason=reason
    )


def articles(root: etree._Element) -> tuple[str, ...]:
    """Return the articles of a statute in their order, each a block with its 항, 호 and 목 on lines of their own."""
    content = ("조문내용", "항내용", "호내용", "목내용")
    return tuple("\n".join(filter(None, map(_prose, unit.iter(*content)))) for unit in root.iter("조문단위"))


def paragraphs(root: etree._Element, name: str) -> tuple[str, ...]:
    """Return each element called `name` as a block."""
    return tuple(map(_prose, root.iter(name)))


def fields_with_headings(root: etree._Element, *names: str) -> tuple[str, ...]:
    """Return the non-empty fields called `names`, each below its name: 【판시사항】."""
    found = ((name, xml_records.prose(xml_records.field(root, name))) for name in names)
    return tuple(f"【{name}】\n{words}" for name, words in found if words)


def evidence(register: Register, parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return what an entry says it is: `register.licence` if that is allowed, or an unknown licence, with the words.

    An unreadable entry, or one that does not say what it is, gives no evidence.
    """
    said = response_signals.find(parsed.item, None)
    try:
        root = entry(register, parsed)
    except Unreadable:
        return (), said
    words = xml_records.field(root, register.stated)
    if not words:
        return (), said
    covered = register.allowed(root, words)
    found = LicenceEvidence(
        licence=register.licence if covered else UNKNOWN,
        kind="cell" if covered and register.licence != ARTICLE_7 else STATUTE,
        scope="item",
        quote=words_of(register.stated, words),
        place=f"{register.within}/{register.stated}",
        record=parsed.item.record,
    )
    return (found,), said


def trouble(capture: Capture) -> Trouble | None:
    """Return the error that the API sends instead of an answer; a refusal may be well-formed XML of its own kind.

    No register is empty: the API is reported to answer a list of 0 entries to machines that it does not serve
    (NomaDamas/k-skill, issue 404).
    """
    if _REFUSED.search(capture.body[:1000]):
        return Trouble("stop", "the id or this machine's address is not registered; see open.law.go.kr")
    if is_list(capture) and _EMPTY.search(capture.body[: api_errors.HEAD]):
        return Trouble(
            "stop",
            "the list counts 0 entries (totalCnt), as the API answers to machines that it does not serve, such as "
            "those of clouds; collect from an address that is registered at open.law.go.kr",
        )
    return api_errors.law_go_kr(capture)


def parse_date(value: str) -> str:
    """Return a date of the register in ISO 8601; judgments before 1962 are dated in the Dangi calendar.

    >>> (parse_date("20260219"), parse_date("2023.05.10"), parse_date("42930229"), parse_date("4289.05.25"),
    ...  parse_date("4289-05-25"), parse_date("0"))
    ('2026-02-19', '2023-05-10', '1960-02-29', '1956-05-25', '1956-05-25', '')
    """
    year = _DANGI.match(value)
    return iso_date(f"{int(year[1]) - DANGI}{value[4:]}" if year else value)


def _prose(element: etree._Element) -> str:
    return xml_records.prose(xml_records.words(element))


# The closed lists of what article 7 of the Copyright Act covers, by the words with which law.go.kr names a text. A name
# outside the lists permits nothing: a person decides. A register also lists texts of bodies that are not a part of the
# State, such as corporations of a city that call their house rules 조례.

# (1) The Constitution, Acts, treaties, orders, ordinances and rules. Orders are named after their issuer (대통령령,
# 국토교통부령), and so are the rules of the other constitutional bodies (대법원규칙).
_STATUTE = re2.compile(r"헌법|법률|조약|조례|[가-힣·ㆍ ]{0,30}(?:령|규칙)")

# (2) Notifications, public notices, instructions of the State or a local government "and the like". 예규 are
# instructions under another name; 지침, 세칙 and the rest are left for a person to judge.
_RULES = frozenset(("고시", "공고", "훈령", "예규", "대통령훈령", "국무총리훈령"))
# Bodies of the State: ministries, agencies and offices by the end of their names, which corporations do not share;
# commissions and other bodies one by one, because corporations have such names too (영화진흥위원회, 금융감독원).
# The last line are offices of ministries that issue rules of their own; the decree on the organisation of each ministry
# (직제) names them.
_STATE = re2.compile(
    r"[가-힣]{1,20}(?:부|처|청)|대통령|국무총리|감사원|국가정보원|국무조정실|국무총리비서실|대통령비서실|대통령경호처|국가안보실"
    r"|(?:국가인권|공정거래|금융|국민권익|원자력안전|개인정보보호|방송통신|방송미디어통신|중앙선거관리|국가교육|중앙노동)위원회"
    r"|국립전파연구원|중앙전파관리소|국가재난안전교육원|국립재난안전연구원|국립농산물품질관리원"
)

# (3) Judgments, decisions, orders and rulings of a court: "판결", "결정 : 확정", "전원합의체 판결".
_JUDGMENT = re2.compile(r"(?:전원합의체\s?)?(?:판결|결정|명령|심판)(?:\s?[:：].{0,40})?")
_COURT = re2.compile(r"대법원|[가-힣 ]{1,20}(?:법원|고법|지법|지원|행법|가법|재판소)(?:\([가-힣]{1,6}\))?")

# (1) and (2) of local governments, their offices of education and their councils, as law.go.kr names the issuer:
# 서울특별시, 강원특별자치도 동해시, 경기도교육청. "(구)" is before the name of a body that was merged.
_ORDINANCES = frozenset(("조례", "규칙", "훈령", "예규", "고시", "의회규칙"))
_LOCAL = re2.compile(
    r"(?:\(구\)\s?)?"
    r"(?:서울특별시|(?:부산|대구|인천|광주|대전|울산)(?:광역|직할)시|세종특별자치시|전남광주통합특별시|충청광역연합"
    r"|경기도|강원도|충청북도|충청남도|전라북도|전라남도|경상북도|경상남도|제주도|(?:강원|전북|제주)특별자치도)"
    r"(?:\s[가-힣]{1,6}[시군구])?\s?(?:교육청|교육감|의회)?"
)


def is_statute(kind: str) -> bool:
    """Whether a text of this kind (법종구분, 법령구분) is an Act, an order or a rule.

    >>> is_statute("법률"), is_statute("국토교통부령"), is_statute("정관")
    (True, True, False)
    """
    return bool(_STATUTE.fullmatch(kind))


def is_rule(kind: str, bodies: str) -> bool:
    """Whether a rule of this kind is one of bodies of the State; several, separated by commas, may issue one together.

    >>> is_rule("고시", "기획재정부,국토교통부"), is_rule("세칙", "금융위원회"), is_rule("고시", "금융감독원")
    (True, False, False)
    >>> is_rule("대통령훈령", "대통령"), is_rule("고시", "국립전파연구원"), is_rule("고시", "한국전파진흥협회")
    (True, True, False)
    """
    return kind in _RULES and all(_STATE.fullmatch(name.strip()) for name in bodies.split(","))


def is_judgment(kind: str, court: str) -> bool:
    """Whether a text of this kind (판결유형) was given by a court.

    >>> is_judgment("판결 : 확정", "서울고등법원"), is_judgment("재결", "국민권익위원회")
    (True, False)
    """
    return bool(_JUDGMENT.fullmatch(kind)) and is_court(court)


def is_court(name: str) -> bool:
    """Whether this is the name of a court."""
    return bool(_COURT.fullmatch(name))


def is_ordinance(kind: str, body: str) -> bool:
    """Whether an ordinance or rule of this kind is one of a local government, its office of education or its council.

    >>> is_ordinance("조례", "강원특별자치도 동해시"), is_ordinance("규칙", "(구)전라남도교육청")
    (True, True)
    >>> is_ordinance("조례", "대구공공시설관리공단"), is_ordinance("기타", "서울특별시")
    (False, False)
    """
    return kind in _ORDINANCES and bool(_LOCAL.fullmatch(body))
