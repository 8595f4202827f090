"""주간기술동향 of IITP: weekly reviews of information and communication technology."""

import re
from collections.abc import Iterable

from crawlers.platforms import boards
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Item, LicenceRule, Manners, Site, Source

BASE = "https://www.itfind.or.kr/trend/weekly/"
BOARD = boards.Board(
    article=re.compile(r"/trend/weekly/weeklyDetail\.do\?(?:.*&)?id=(\d{1,9})(?:&|$)"),
    page=BASE + "weeklyDetail.do?id={}",
    lists=re.compile(r"/trend/weekly/(?:list|latestWeekly)\.do"),
)

SOURCE = Source(
    name="iitp",
    title="주간기술동향",
    publisher="정보통신기획평가원 (IITP)",
    access=Site(start=(BASE + "list.do", BASE + "latestWeekly.do"), scope=(BASE,)),
    rule=LicenceRule(),  # which mark an article carries, and where, is unknown
    register="technical",
    domain="software",
    # Issue 1388 was in use in 2026.
    expect=Expect(at_least=1, at_most=20_000),
    manners=Manners(delay=2.0),
    attribution="{publisher}, 「{title}」 ({year}), {url}, {licence}",
    unverified="No page has been seen. A public programme reads the series as type 2 of the Korea Open Government "
    "Licence, which is excluded; where a page states it, and whether it shows more than abstracts.",
    note="Expected outcome: review. A public institution is not the State, so art. 24-2 does not reach it. The "
    "full issues are PDF behind a viewer that works by script, and are not fetched.",
)


def follow(capture: Capture) -> Iterable[str]:
    """Yield the articles of a list, and the other lists."""
    return boards.follow(BOARD, capture)


def items(capture: Capture) -> Iterable[Item]:
    """Yield one document per article; its number is the key."""
    return boards.items(BOARD, capture)
