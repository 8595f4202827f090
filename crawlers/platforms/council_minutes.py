"""Minutes of local councils (지방의회 회의록), from the board systems that many councils share.

Art. 24 of the Copyright Act lets anybody use what is said publicly in a local council, "except for compiling and
using the statements of one author". So a sitting stays one document without a speaker field, and nothing of these
sources may be sorted by speaker.

A turn of a speaker is a line that begins with the mark and the words that the minutes print, and a colon:
`○의장 가나다: …`, `○라마바 의원: …`. Agenda, times and decisions are lines of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from lxml import html

from crawlers.catalogue import Evidence, Follow, Items, Text
from crawlers.formats import ParsedItem, xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.html.runs import quote
from crawlers.platforms import boards
from crawlers.rights import response_signals
from crawlers.web.scope import links
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import Estimate, Expect, Extracted, Item, LicenceRule, Manners, Site, Source

LICENCE = "LicenseRef-KR-CA-Art24"
HEAD = 2_000  # code points at the beginning of minutes that contain their heading
MEAN = 33_600  # characters of a sitting: 178 of September 2026 had 5,988,191 (the report that clik_minutes names)
MAX_LABEL = 60  # code points of the words that name a speaker
UNVERIFIED = (
    "No page has been fetched by us: addresses and elements are those that public programs read and stored pages show. "
    "A page of minutes and one of the list of Geoje were read whole (okyoungcheol-arch/Geoje_City_Council), and the "
    "beginnings of seventeen stored pages without markup, one each of Daejeon, Seoul and Uiwang. "
    "Whether robots.txt lets machines in; how far back the list goes."
)
# Minutes before the middle of the nineties are written in hanja.
SITTING = re.compile(
    r"[제第]\s?\d{1,4}\s?[회回]|\d{4}\s?년도\s?(?:[가-힣]{1,12}의회\s)?행\s?정\s?사\s?무\s?[감조]\s?사"
)
MINUTES = re.compile(r"회\s?의\s?록|會\s?議\s?錄")
# 제3일차 of an audit; the opening ceremony of a session has no number.
NUMBER = re.compile(r"[제第]\s?\d{1,4}\s?(?:[호차號次]|일차?\b)|^\s{0,9}(?:개\s?회|개\s?원|폐\s?회)\s?식$")
COUNCIL = re.compile(r"[시도군구]\s?의\s?회|[市道郡區]\s?議\s?會")  # 본회의회의록 holds 의회, too
DATE = re.compile(r"(\d{4})\s?[년年]\s?(\d{1,2})\s?[월月]\s?(\d{1,2})\s?[일日]")
_LABEL = re.compile(r"[○◯〇]\s?\w")
_COLON = " \t\r\n\xa0:："  # around a colon that some councils print themselves
_FRAME = re.compile(  # lines of the viewer inside the element of the minutes
    r"top Scroll|발언 저장|발언 인쇄|회의록을 불러오는 중입니다\.?"
    r"|\[?본 회의록은 [^\[\]]{0,60}임시회의록[^\[\]]{0,60}\]?"
)
_BLOCKS = frozenset(("br", "p", "div", "table", "ul", "ol", "hr"))


@dataclass(frozen=True, slots=True)
class System:
    """A board system: the addresses and the element that all councils with it share."""

    article: str  # regular expression, searched in a URL; its one group is the number of the minutes
    page: str  # path of minutes, with {} for their number
    lists: str  # path of the list of the latest minutes
    parameter: str  # query parameter that counts its pages from 1
    box: str  # id or class of the element that holds the minutes


# Seen: pages of Geoje and Yongsan; councils of Daegu, Yongin and Gangbuk have the same addresses.
VIEWER = System(
    article=r"/viewer/minutes\.do\?(?:.*&)?uid=(\d{1,9})(?:&|$)",
    page="/viewer/minutes.do?uid={}",
    lists="/kr/minutes/late.do",
    parameter="page",
    box="minutes",
)
# Seen: pages of Uiwang; councils of Seoul, Seongnam, Nowon and Gwangju Seo-gu have the same addresses.
RECORD = System(
    article=r"/record/recordView\.do\?(?:.*&)?key=([0-9A-Za-z]{8,200})(?:&|$)",
    page="/record/recordView.do?key={}",
    lists="/kr/assembly/late.do",
    parameter="pageNum",
    box="canvas",
)
# Seen: pages of Daejeon and Uijeongbu; councils of Gyeonggi and Gangwon have the same addresses.
MNTS = System(
    article=r"/cms/mntsViewer\.do\?(?:.*&)?mntsId=(\d{1,9})(?:&|$)",
    page="/cms/mntsViewer.do?mntsId={}",
    lists="/svc/cms/mnts/MntsLatelyList.do",
    parameter="pageNo",
    box="mntshtmlviewer",
)


SYSTEMS = (VIEWER, RECORD, MNTS)


@dataclass(frozen=True, slots=True)
class Council:
    """One council: its name, the origin of its minutes, and its system."""

    name: str
    base: str  # "https://council.example", without a path
    system: System

    @property
    def board(self) -> boards.Board:
        """Its minutes as a board."""
        return boards.Board(
            article=re.compile(self.system.article),
            page=self.base + self.system.page,
            lists=re.compile(re.escape(self.system.lists)),
            parameter=self.system.parameter,
        )


def source(council: Council, /, *, name: str, sittings: int = 0, unverified: str = "", **facts: Any) -> Source:
    """Return the source of a council; `facts` are fields of Source that differ from those of other councils.

    `sittings` are those that its list counts, if its pages were counted.
    """
    system = council.system
    counted = (
        f"{sittings:,} sittings of its list × {MEAN:,} characters, as of 178 sittings of 52 councils in clik_minutes"
    )
    guessed = Estimate(45_000_000, "100 days a year × 30,000 characters × 15 years, as for any council")
    default: dict[str, Any] = {
        "title": f"{council.name} 회의록",
        # Some hundred sittings a year, as is generally known; no list was counted.
        "expect": Expect(at_least=50, at_most=100_000),
        "estimate": Estimate(sittings * MEAN, counted) if sittings else guessed,
        "manners": Manners(delay=2.0),
        "note": "Whole sittings only, never by speaker (art. 24). Members are public persons, officials and witnesses "
        "may not be: the recipe must redact. Provisional minutes (임시회의록) are collected, and replaced when the "
        "final ones appear under their address. Appendices are files, and are not fetched.",
    }
    return Source(
        name=name,
        publisher=council.name,
        access=Site(
            start=(council.base + system.lists,),
            scope=(council.base + system.lists, council.base + system.page.partition("?")[0]),
        ),
        # The heading of each page says that it is the minutes of a sitting.
        rule=LicenceRule(proofs=("statute",), boards=(system.article,), expected=(LICENCE,)),
        register="spoken",
        domain="politics",
        attribution="{publisher}, 「{title}」 ({year}), {url}",
        unverified=f"{UNVERIFIED} {unverified}".strip(),
        **default | facts,
    )


def functions(council: Council) -> tuple[Follow, Items, Evidence, Text]:
    """Return the functions of its source file: follow, items, evidence, text."""
    return partial(follow, council), partial(items, council), partial(evidence, council), partial(text, council)


def follow(council: Council, capture: Capture) -> Iterator[str]:
    """Yield the minutes of a list, and the next page of the list.

    Behind their last page these systems show it again, so that a list without an end would be read; a page whose own
    number is above all numbers that it links to is the last one.
    """
    board, parameter = council.board, council.system.parameter
    lists = council.base + council.system.lists
    named = (xml_records.parameter(url, parameter) for url in links(capture) if url.partition("?")[0] == lists)
    numbers = [number for words in named if (number := xml_records.parse_number(words)) is not None]
    page = xml_records.parse_number(xml_records.parameter(capture.url, parameter)) or 1
    beyond = bool(numbers) and page > max(numbers)
    yield from (url for url in boards.follow(board, capture) if board.number(url) or not beyond)


def items(council: Council, capture: Capture) -> Iterator[Item]:
    """Yield the minutes of a page, under their number; a list is not a document."""
    return boards.items(council.board, capture)


def text(council: Council, parsed: ParsedItem) -> Extracted:
    """Return the whole sitting; its number and day are parsed from its heading.

    Dropped as `not-minutes` if the page lacks the element of the system, as `no-text` if it is empty.
    """
    item, page = parsed.item, parsed.page
    box = find_box(page.tree, council.system.box)
    found = "" if box is None else read_minutes(box)
    title, date, _ = heading(found)
    reason = "not-minutes" if box is None else "" if found else "no-text"
    return Extracted(
        text=found,
        title=title or item.title,
        date=date,
        format="html",
        encoding=page.encoding,
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def evidence(council: Council, parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return as evidence the words in which a page calls itself the minutes of a sitting of the council."""
    item, page = parsed.item, parsed.page
    box = find_box(page.tree, council.system.box)
    words = "" if box is None else heading(read_minutes(box))[2]
    found = LicenceEvidence(LICENCE, "statute", "item", quote(words), "heading of the minutes", item.record)
    return ((found,) if words else ()), response_signals.find(item, page)


def find_box(tree: html.HtmlElement, *names: str) -> html.HtmlElement | None:
    """Return the first element whose id or class is one of `names`; None if a page has none."""
    return next(
        (one for one in tree.iter() if {one.get("id"), *(one.get("class") or "").split()}.intersection(names)), None
    )


def read_minutes(box: html.HtmlElement) -> str:
    """Return the lines of minutes, each turn of a speaker as `○<words of the minutes>: <speech>`.

    The words that name a speaker are bold and begin with a circle. `box` is not changed.

    >>> page = "<div><b>○의장 가나다</b>&nbsp; 개의합니다.<br>(웃음)<p><b>○5분 자유발언</b></p><li>1. 회기의 건</div>"
    >>> print(read_minutes(html.fragment_fromstring(page)))
    ○의장 가나다: 개의합니다.
    (웃음)
    ○5분 자유발언
    1. 회기의 건
    """
    from crawlers.formats.html.html_page import read_box

    box = copy(box)
    for part in list(box.iter("ol", "ul", "li")):
        part.tag = "div"  # minutes number their items themselves
    for part in box.iter("strong", "b", "span"):
        if "attend-member" in (part.get("class") or "").split():  # names that only their style keeps apart
            part.tail = f" {part.tail or ''}"
        elif _is_label(part):  # one colon behind the words that name a speaker
            if len(part):
                part[-1].tail = (part[-1].tail or "").rstrip(_COLON)
            else:
                part.text = (part.text or "").rstrip(_COLON)
            part.tail = f": {(part.tail or '').lstrip(_COLON)}"
    return "\n".join(line for line in read_box(box).split("\n") if not _FRAME.fullmatch(line))


def _is_label(part: html.HtmlElement) -> bool:
    """Whether an element names the speaker of the words behind it on its line; a heading has none behind it."""
    names = (part.get("class") or "").split()
    if (part.tag == "span" and "bold" not in names) or "item-in-contents" in names:
        return False
    words = " ".join(part.text_content().split())
    if len(words) > MAX_LABEL or not _LABEL.match(words):
        return False
    if (part.tail or "").strip():
        return True
    behind = part.getnext()
    return behind is not None and behind.tag not in _BLOCKS and bool(behind.text_content().strip())


def heading(minutes: str) -> tuple[str, str, str]:
    """Return (title, date, the words of the heading) of minutes; all "" if a text does not begin like minutes.

    The heading is what precedes the day of the sitting. It names a council, a sitting and minutes.

    >>> heading("제999회 가상시의회(임시회)\\n본회의회의록\\n제2호\\n가상시의회사무국\\n2031년 2월 3일(월) 10시")
    ('제999회 가상시의회(임시회) 본회의회의록 제2호', '2031-02-03', '제999회 가상시의회(임시회) 본회의회의록 제2호')
    """
    head = minutes[:HEAD]
    day = DATE.search(head)
    before = head[: day.start()] if day else ""
    lines = [line for line in before.split("\n") if any(one.search(line) for one in (SITTING, MINUTES, NUMBER))]
    words = " ".join(lines)
    if day is None or not (SITTING.search(words) and MINUTES.search(words) and COUNCIL.search(before)):
        return "", "", ""
    return words[:200], iso_date("-".join(day.groups())), words
