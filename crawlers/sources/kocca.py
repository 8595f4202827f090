"""Reports of KOCCA on the content industries: games, animation, music, webtoons."""

import re
from collections.abc import Iterable

from crawlers.platforms import boards
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Item, LicenceRule, Manners, Site, Source

BASE = "https://www.kocca.kr/kocca/bbs"
# 연구보고서 and 정기간행물, from links on public pages.
BOARDS = (("B0000147", "204153"), ("B0000141", "204145"))
BOARD = boards.Board(
    article=re.compile(r"/kocca/bbs/view/(B\d{7}/\d{1,9})\.do(?:\?|$)"),
    page=BASE + "/view/{}.do",
    lists=re.compile(r"/kocca/bbs/list/B\d{7}\.do"),
    parameter="pageIndex",
)

SOURCE = Source(
    name="kocca",
    title="한국콘텐츠진흥원 연구보고서",
    publisher="한국콘텐츠진흥원 (KOCCA)",
    access=Site(
        start=tuple(f"{BASE}/list/{board}.do?menuNo={menu}&pageIndex=1" for board, menu in BOARDS),
        scope=tuple(f"{BASE}/{kind}/{board}" for board, _ in BOARDS for kind in ("list", "view"))
        + tuple(f"{BASE}/list/{board}.do" for board, _ in BOARDS),
    ),
    rule=LicenceRule(),  # which mark an article carries, and where, is unknown
    register="technical",
    domain="content",
    # Not counted; numbers of articles above 2,010,000 were in use in 2025.
    expect=Expect(at_least=20, at_most=20_000),
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}, {licence}",
    unverified="No page has been seen. Whether pageIndex turns the pages of a list, whether an article opens without "
    "menuNo, and which of them carry a mark.",
    note="Expected outcome: review. A public institution is not the State, so art. 24-2 does not reach it. "
    "Attached files are not fetched: a public programme reports that robots.txt forbids FileDown.do.",
)


def follow(capture: Capture) -> Iterable[str]:
    """Yield the articles of a list, and the other lists."""
    return boards.follow(BOARD, capture)


def items(capture: Capture) -> Iterable[Item]:
    """Yield one document per article; its number is the key."""
    return boards.items(BOARD, capture)
