"""공유마당: works whose protection has expired, that were donated, or that carry an open mark, each with its own."""

import re
from collections.abc import Iterable
from dataclasses import replace

from lxml import html

from crawlers import defaults
from crawlers.formats import ParsedItem
from crawlers.platforms import boards
from crawlers.rights import response_signals
from malmoi.archive.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import Expect, Extracted, Item, LicenceRule, Manners, Site, Source

BASE = "https://gongu.copyright.or.kr/gongu/wrt"
# Lists of literary works by licence code: 97 expired, 98 donated for free use, 21 CC BY, 23 CC BY-SA, 01 KOGL type 1.
CODES = ("97", "98", "21", "23", "01")
BOARD = boards.Board(
    article=re.compile(r"/wrt/wrt/view\.do\?(?:.*&)?wrtSn=(\d{1,12})(?:&|$)"),
    page=BASE + "/wrt/view.do?wrtSn={}&menuNo=200019",
    lists=re.compile(r"/wrtCl/listWrtText\.do\?"),
    parameter="pageIndex",
)
# The mark of a work is an image img_licenseNN.png in the field 이용조건, with the licence in words as its alternative.
# A licence is accepted if number and words agree; the versions of CC that the site uses are 2.0 Korea's.
MARKS = {
    "97": ("LicenseRef-KR-PD-expired", re.compile("만료")),
    "01": ("LicenseRef-KOGL-1", re.compile(r"제?\s?1\s?유형")),
    "02": ("LicenseRef-KOGL-2", re.compile(r"제?\s?2\s?유형")),
    "03": ("LicenseRef-KOGL-3", re.compile(r"제?\s?3\s?유형")),
    "04": ("LicenseRef-KOGL-4", re.compile(r"제?\s?4\s?유형")),
}
_IMAGE = re.compile(r"(?:^|/)img_license(\d{2})\.(?:png|gif|jpg)(?:$|[?#])")
_CONDITION = re.compile(r"이용\s?조건")

SOURCE = Source(
    name="gongu",
    title="공유마당 어문저작물",
    publisher="한국저작권위원회 공유마당",
    access=Site(
        start=tuple(f"{BASE}/wrtCl/listWrtText.do?menuNo=200019&licenseCd={code}&pageIndex=1" for code in CODES),
        scope=(f"{BASE}/wrtCl/listWrtText.do", f"{BASE}/wrt/view.do"),
    ),
    # The cell holds an image and words, which must name the same licence.
    rule=LicenceRule(
        proofs=("field",), fields=("이용조건",), expected=("LicenseRef-KR-PD-expired", "LicenseRef-KOGL-1")
    ),
    register="literature",
    domain="culture",
    # A public survey of 2026-07-20 counted 52,110 expired literary works in the list of code 97.
    expect=Expect(at_least=1_000, at_most=200_000),
    manners=Manners(delay=2.0),
    attribution="{author}, 「{title}」, {publisher}, {url}, {licence}",
    unverified="No page has been seen: addresses, licence codes and image names are those that public programs read. "
    "Whether the page of a work shows its whole text or only describes it, and what donated works (98) permit.",
    note="The terms of the site have a clause of their own against redistribution beside the marks of the works: "
    "whoever checks the terms must weigh that. Files behind a work are not fetched, as they carry no mark.",
)


def follow(capture: Capture) -> Iterable[str]:
    """Yield the works of a list, and its next page."""
    return boards.follow(BOARD, capture)


def items(capture: Capture) -> Iterable[Item]:
    """Yield the page of a work; its number is the key."""
    return boards.items(BOARD, capture)


def text(parsed: ParsedItem) -> Extracted:
    """Return the text of the page, with the author from its field."""
    found = defaults.text(parsed)
    author = _field(parsed.page.tree, re.compile(r"저작\(?권?\)?자(?:명)?"))
    return replace(found, author=" ".join(author.text_content().split())[:200]) if author is not None else found


def evidence(parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return the mark in the field 이용조건; its licence is unknown if image and words disagree."""
    item = parsed.item
    field = _field(parsed.page.tree, _CONDITION)
    said, marks = "" if field is None else field.text_content(), []
    for image in () if field is None else field.iter("img"):
        number = _IMAGE.search(image.get("src") or "")
        if number is None:
            continue
        words = " ".join(f"{image.get('alt') or ''} {said}".split())[:300]
        licence, agrees = MARKS.get(number[1], ("unknown", re.compile("")))
        known, quote = licence if agrees.search(words) else "unknown", f"{number[0].lstrip('/')} {words}"
        marks.append(LicenceEvidence(known, "field", "item", quote, "이용조건", item.record))
    return (*item.evidence, *marks), response_signals.find(item, parsed.page)


def _field(tree: html.HtmlElement, label: re.Pattern[str]) -> html.HtmlElement | None:
    """Return the value beside a label, in a definition list or a table."""
    for name in tree.iter("dt", "th"):
        if label.fullmatch(" ".join(name.text_content().split())):
            value = name.getnext()
            return value if value is not None and value.tag in ("dd", "td") else None
    return None
