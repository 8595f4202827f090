"""The daily interfaces of korea.kr (정책브리핑) on data.go.kr: policy news, press releases.

Each interface answers a window of days with items that carry a page of HTML and their licence. The operator chooses
the days to collect with two environment variables, for all sources of this platform:

    MALMOI_POLICY_FROM=2026-11-01   the first day of approval, in Korea
    MALMOI_POLICY_TO=2026-11-30     the last one; the first if it is not set

Without them a source has no start URL, and a collection stops before it requests anything: a range relative
to the clock would make two runs of one workspace differ. The interfaces accept windows of up to three days;
here a window is one day, so that the URL of a day is the same whatever the range.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from crawlers.catalogue import Evidence, Follow, Items, Text, TroubleOf
from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.unreadable import Unreadable
from crawlers.platforms import api_errors
from crawlers.platforms.answer_fields import Fields
from crawlers.rights import licence_fields, page_rights, response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.errors import CallError, CaptureError
from malmoi.licensing.rights_decision import NONE, UNKNOWN, terms
from malmoi.source import Api, Expect, Extracted, Item, LicenceRule, Manners, Source

FROM, TO = "MALMOI_POLICY_FROM", "MALMOI_POLICY_TO"  # environment variables
KEY = "MALMOI_DATA_GO_KR_KEY"
PUBLISHER = "문화체육관광부 정책브리핑"
MAX_DAYS = 900  # of one range; a key has 1,000 calls a day
KOREA = timezone(timedelta(hours=9))
DATES = re.compile(r"(\d{2})/(\d{2})/(\d{4})(?: (\d{2}):(\d{2})(?::(\d{2}))?)?$")  # 11/20/2026 09:00:00, in Korea
FIELDS = Fields(
    used=(
        "NewsItemId", "ContentsStatus", "ModifyId", "ApproveDate", "EmbargoDate", "Title", "SubTitle1", "SubTitle2",
        "SubTitle3", "ContentsType", "DataContents", "MinisterCode", "OriginalUrl", "KoglType", "totalCount",
    ),
    ignored=(
        "resultCode", "resultMsg", "ModifyDate", "ApproverName", "GroupingCode", "ThumbnailUrl", "OriginalimgUrl",
        "FileName", "FileUrl",
    ),
)  # fmt: skip
TYPES = frozenset("1234")  # values of KoglType that name a type; 0 could mean type 0, or none
# Media types of items that `text` drops; the rest after this prefix is the reason.
DROPPED = "application/x-"
EMBARGOED, DELETED, DAMAGED, UNKNOWN_STATUS = (
    DROPPED + why for why in ("embargoed", "deleted-at-source", "damaged", "unknown-status")
)
PUBLISHED = frozenset(("", "I", "U"))  # values of ContentsStatus: inserted, updated


@dataclass(frozen=True, slots=True)
class Service:
    """One daily interface."""

    name: str  # of the source
    url: str  # of the answer of a window of days, without its parameters
    guide: str  # the page of data.go.kr that documents it
    page: str  # the page of an item for people, with {} for its number; used if the item names none


def source(service: Service, /, **facts: Any) -> Source:
    """Return the source of an interface; `facts` are the fields of Source that are its own.

    Raises CallError if the environment variables name no range of days.
    """
    first, last = os.environ.get(FROM, ""), os.environ.get(TO, "")
    return Source(
        name=service.name,
        publisher=PUBLISHER,
        access=Api(
            start=days(service, first, last),
            scope=(service.url,),
            key=KEY,
            parameter="serviceKey",
            grant=service.guide,
            max_pages=10_000,
        ),
        # An empty KoglType names nothing.
        rule=LicenceRule(proofs=("field",), fields=("KoglType",), expected=("LicenseRef-KOGL-1",)),
        register="press",
        domain="administration",
        expect=Expect(at_least=1, at_most=10_000),  # days, as many as the operator has requested in all
        manners=Manners(delay=1.0),
        attribution="본 저작물은 '{author}'에서 '{year}년' 작성하여 공공누리 제1유형으로 개방한 '{title}'을 "
        "이용하였으며, 해당 저작물은 '{publisher}, {url}'에서 무료로 다운받으실 수 있습니다.",
        **facts,
    )


def functions(service: Service, its: Source) -> tuple[Follow, Items, Evidence, Text, TroubleOf]:
    """Return the functions of its source file: follow, items, evidence, text, trouble."""
    return (
        partial(follow, service),
        partial(items, service),
        partial(evidence, its),
        text,
        api_errors.data_go_kr,
    )


def unknown_fields(capture: Capture) -> Iterable[str]:
    """Return the elements of a day that are in neither list of FIELDS."""
    return FIELDS.find_in_xml(capture)


def days(service: Service, first: str, last: str) -> tuple[str, ...]:
    """Return the URLs of the days from `first` to `last` (ISO 8601); () without a first day.

    Raises CallError if these are not days, are in the wrong order, or are too many for one key.

    >>> news = Service("news", "https://a.kr/list", "", "")
    >>> days(news, "2026-11-30", "2026-12-01")[1], days(news, "", "")
    ('https://a.kr/list?endDate=20261201&startDate=20261201', ())
    """
    if not first:
        return ()
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        raise CallError(f"{service.name}: {FROM}={first!r} and {TO}={last!r} must be days like 2026-11-01") from error
    count = (end - begin).days + 1
    if not 1 <= count <= MAX_DAYS:
        raise CallError(
            f"{service.name}: from {begin} to {end} are {count} days; give 1 to {MAX_DAYS}, the earlier day first"
        )
    found = (f"{begin + timedelta(days=n):%Y%m%d}" for n in range(count))
    return tuple(f"{service.url}?endDate={day}&startDate={day}" for day in found)


def follow(service: Service, capture: Capture) -> Iterable[str]:
    """Return no URL: a day is one answer. Raises CaptureError if it counts more items than it holds."""
    try:
        root = xml_records.parse_xml(capture.body, capture.charset)
    except Unreadable:
        return ()  # `items` reports it
    total, held = xml_records.parse_number(xml_records.field(root, "totalCount")), sum(1 for _ in root.iter("NewsItem"))
    if total is not None and total > held:
        raise CaptureError(
            f"{capture.url}: the day counts {total} items and holds {held}; the API now returns pages, "
            "which follow() of crawlers/platforms/korea_kr.py must request."
        )
    return ()


def items(service: Service, capture: Capture) -> Iterator[Item]:
    """Yield the items approved on the requested day, each in its latest revision.

    An item approved at midnight is also in the answer of the day before, but belongs to its own day.
    """
    first, last = (xml_records.parameter(capture.url, name) for name in ("startDate", "endDate"))
    try:
        root = xml_records.parse_xml(capture.body, capture.charset)
    except Unreadable:
        yield Item(f"day/{first}", capture.url, "", DAMAGED, "", capture.record, capture.headers)
        return
    latest: dict[str, etree._Element] = {}
    for news in root.iter("NewsItem"):
        key, approved = xml_records.field(news, "NewsItemId"), moment(xml_records.field(news, "ApproveDate"))
        if not key:
            raise CaptureError(
                f"{capture.url}: an item has no NewsItemId; check the answer, "
                "and correct crawlers/platforms/korea_kr.py if the API has changed."
            )
        if approved and not first <= f"{approved:%Y%m%d}" <= last:
            continue
        if key not in latest or _revision(news) >= _revision(latest[key]):
            latest[key] = news
    for key, news in latest.items():
        yield _item(service, key, news, capture)


def evidence(source: Source, parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return the licence type of the item, the refusals in its own text, and signs that others wrote it.

    Every article has the same footer, whatever its type: a grant in the body is not evidence.
    """
    item = parsed.item
    if not isinstance(item.body, bytes):
        return item.evidence, response_signals.find(item, None)
    page = parsed.page
    said, signs = page_rights.read(item, page, source)
    against = []
    for one in said:
        closed = terms(one.licence)
        if one.licence == NONE or (closed is not None and closed.use != "redistribute"):
            against.append(replace(one, scope="item"))
    return (*item.evidence, *against), (*response_signals.find(item, page), *signs)


def text(parsed: ParsedItem) -> Extracted:
    """Extract subtitles and body, a line for each block; or return why the item is dropped."""
    item = parsed.item
    if item.media.startswith(DROPPED):
        return Extracted("", outcome="dropped", reason=item.media.removeprefix(DROPPED), format="xml")
    if not isinstance(item.body, bytes):
        return parsed.extraction
    from crawlers.formats.html.html_page import read_box

    found = read_box(parsed.page.tree)
    return Extracted(
        text=found,
        title=item.title,
        date=item.date,
        author=item.author,
        format="html",
        encoding="utf-8",
        outcome="kept" if found else "dropped",
        reason="" if found else "empty",
    )


def moment(value: str) -> datetime | None:
    """Parse a time in Korean time; None if it is unreadable.

    >>> moment("11/20/2026 09:00:00").isoformat(), moment("11/20/2026").isoformat(), moment("2026-11-20")
    ('2026-11-20T09:00:00+09:00', '2026-11-20T00:00:00+09:00', None)
    """
    match = DATES.match(value.strip())
    if match is None:
        return None
    month, day, year, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=KOREA)
    except ValueError:
        return None


def _item(service: Service, key: str, news: etree._Element, capture: Capture) -> Item:
    approved, embargo = (moment(xml_records.field(news, name)) for name in ("ApproveDate", "EmbargoDate"))
    address = xml_records.field(news, "OriginalUrl")
    of_publisher = f".{urlsplit(address).hostname or ''}".endswith(".korea.kr")
    # The page for people, without the referral parameter.
    url = xml_records.rewrite_url(address, without=("call_from",)) if of_publisher else service.page.format(key)
    said = xml_records.field(news, "KoglType")
    licences = licence_fields.find({"KoglType": said}, capture.record)
    item = Item(
        key=key,
        url=url,
        body="",
        media="text/plain",
        charset="",
        record=capture.record,
        headers=capture.headers,
        title=" ".join(xml_records.prose(xml_records.field(news, "Title")).split()),
        date=f"{approved:%Y-%m-%d}" if approved else "",
        author=xml_records.field(news, "MinisterCode"),
        evidence=tuple(one if said in TYPES else replace(one, licence=UNKNOWN) for one in licences),
    )
    if embargo and embargo > datetime.fromisoformat(capture.fetched):
        return replace(item, media=EMBARGOED)
    status = xml_records.field(news, "ContentsStatus").upper()
    if status not in PUBLISHED:
        return replace(item, media=DELETED if status == "D" else UNKNOWN_STATUS)
    subtitles = [xml_records.field(news, f"SubTitle{n}") for n in (1, 2, 3)]
    body = xml_records.field(news, "DataContents")
    if xml_records.field(news, "ContentsType").upper() == "T":
        return replace(item, body="\n".join(filter(None, (*map(xml_records.prose, subtitles), body))))
    above = "".join(f"<p>{words}</p>" for words in subtitles if words)
    # The charset declaration prevents guessing: the answer is already decoded.
    page = f'<html><head><meta charset="utf-8"></head><body><article>{above}{body}</article></body></html>'
    return replace(item, body=page.encode("utf-8", "replace"), media="text/html", charset="utf-8")


def _revision(news: etree._Element) -> int:
    return xml_records.parse_number(xml_records.field(news, "ModifyId")) or 0
