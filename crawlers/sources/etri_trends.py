"""전자통신동향분석 of ETRI: reviews of semiconductors, communications and artificial intelligence, in full text."""

import re
from collections.abc import Iterable

from crawlers.platforms import boards
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Item, LicenceRule, Manners, Site, Source

BASE = "https://ettrends.etri.re.kr/ettrends/"
BOARD = boards.Board(
    article=re.compile(r"/ettrends/(\d{1,4}/\d{8,12})/?$"),
    page=BASE + "{}/",
    lists=re.compile(r"/ettrends/(?:\d{1,4}/?)?$"),
)

SOURCE = Source(
    name="etri_trends",
    title="전자통신동향분석",
    publisher="한국전자통신연구원 (ETRI)",
    access=Site(start=(BASE,), scope=(BASE,)),
    rule=LicenceRule(),  # which mark an article carries, and where, is unknown
    register="technical",
    domain="semiconductor",
    # Issue 213 was of 2025; an issue has about ten articles.
    expect=Expect(at_least=50, at_most=20_000),
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}, {licence}",
    unverified="No page has been seen by us beyond the text of one article. Whether the first page lists all issues, "
    "whether articles carry a mark, and what robots.txt says.",
    note="Expected outcome: review. A public institution is not the State, so art. 24-2 does not reach it, and "
    "many reports of such institutes are under type 4 or reserve all rights. The PDF of an article "
    "repeats its page and is not fetched.",
)


def follow(capture: Capture) -> Iterable[str]:
    """Yield the articles of a list, and the other lists."""
    return boards.follow(BOARD, capture)


def items(capture: Capture) -> Iterable[Item]:
    """Yield one document per article; issue and number are the key."""
    return boards.items(BOARD, capture)
