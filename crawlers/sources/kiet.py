"""Reports and briefs of KIET on the industries of Korea: manufacturing, materials, semiconductors."""

import re
from collections.abc import Iterable

from crawlers.platforms import boards
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Item, LicenceRule, Manners, Site, Source

BASE = "https://www.kiet.re.kr"
BOARD = boards.Board(
    article=re.compile(r"/((?:research|trends)/[a-zA-Z]{1,40}View\?(?:.*&)?[a-z_]{1,20}_?no=\d{1,9})(?:&|$)"),
    page=BASE + "/{}",
    lists=re.compile(r"/(?:research|trends)/[a-zA-Z]{1,40}List(?:\?|$)"),
)

SOURCE = Source(
    name="kiet",
    title="산업연구원 연구자료",
    publisher="산업연구원 (KIET)",
    access=Site(
        start=(
            f"{BASE}/research/issueList",
            f"{BASE}/research/reportList",
            f"{BASE}/research/economyDetailList?detail_gubun=C",
            f"{BASE}/trends/indbriefList",
        ),
        scope=(f"{BASE}/research/", f"{BASE}/trends/"),
    ),
    rule=LicenceRule(),  # which mark an article carries, and where, is unknown
    register="technical",
    domain="manufacturing",
    # Not counted; several series with some hundreds of reports each.
    expect=Expect(at_least=20, at_most=50_000),
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}, {licence}",
    unverified="No page has been seen: the lists and economyDetailView?detail_no=… are addresses that public pages "
    "link to. The addresses of the other series, whether abstracts or full texts stand on the pages, and which of "
    "them carry a mark.",
    note="Expected outcome: review. A public institution is not the State, so art. 24-2 does not reach it. "
    "Reports are PDF; only their pages are read here.",
)


def follow(capture: Capture) -> Iterable[str]:
    """Yield the articles of a list, and the other lists."""
    return boards.follow(BOARD, capture)


def items(capture: Capture) -> Iterable[Item]:
    """Yield one document per article; its number is the key."""
    return boards.items(BOARD, capture)
