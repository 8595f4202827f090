"""Briefs and analyses of KISTI on science and technology."""

import re
from collections.abc import Iterable

from crawlers.platforms import boards
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Item, LicenceRule, Manners, Site, Source

BASE = "https://www.kisti.re.kr/post"
SERIES = ("issuebrief", "data-insight", "asti-insight", "analysis-report", "stdata")
BOARD = boards.Board(
    article=re.compile(r"/post/([a-z-]{1,30}/\d{1,9})(?:\?|$)"),
    page=BASE + "/{}",
    lists=re.compile(r"/post/[a-z-]{1,30}(?:\?|$)"),
)

SOURCE = Source(
    name="kisti",
    title="KISTI 이슈브리프·분석보고서",
    publisher="한국과학기술정보연구원 (KISTI)",
    access=Site(
        start=tuple(f"{BASE}/{series}" for series in SERIES), scope=tuple(f"{BASE}/{series}" for series in SERIES)
    ),
    rule=LicenceRule(),  # which mark an article carries, and where, is unknown
    register="technical",
    domain="science",
    # Not counted.
    expect=Expect(at_least=10, at_most=20_000),
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}, {licence}",
    unverified="No page has been seen: the lists are addresses that public programs read; that an article lies below "
    "its list as /post/<series>/<number> is how they follow it, and which articles carry a mark.",
    note="Expected outcome: review. A public institution is not the State, so art. 24-2 does not reach it. "
    "Papers of ScienceON belong to their authors and are not part of this source.",
)


def follow(capture: Capture) -> Iterable[str]:
    """Yield the articles of a list, and the other lists."""
    return boards.follow(BOARD, capture)


def items(capture: Capture) -> Iterable[Item]:
    """Yield one document per article; its number is the key."""
    return boards.items(BOARD, capture)
