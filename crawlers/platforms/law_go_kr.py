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
        access=_access(register, max_pages),
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


def _access(register: Register, max_pages: int) -> Api:
    """Return the API of a register, from the first page of its list."""
    return make_access(register.target, (LIST, ENTRY), max_pages, register.only)


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
    root = _parse_root(capture)
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


def drop_entry(item: Item, reason: str) -> Extracted:
    """Return the result for an entry without text, with the reason."""
    return Extracted(
        "", title=item.title, date=item.date, author=item.author, format="xml", outcome="dropped", reason=reason
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


def _parse_root(capture: Capture) -> etree._Element:
    try:
        return xml_records.parse_xml(capture.body, capture.charset)
    except Unreadable as said:
        raise CaptureError(
            f"{capture.url}: the list cannot be read ({said.reason}); collect again, then check the answer."
        ) from said
