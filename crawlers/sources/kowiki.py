"""The Korean Wikipedia, from its monthly dump."""

from collections.abc import Iterator

from crawlers.formats.mediawiki import mediawiki_export
from crawlers.platforms import wikimedia
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Extracted, Item, LicenceRule, Source

SOURCE = Source(
    name="kowiki",
    title="위키백과",
    publisher="위키백과 기여자",
    access=wikimedia.dump("kowiki"),
    claim=(wikimedia.SHARE_ALIKE,),
    rule=LicenceRule(place="legal.html of the dumps", expected=("CC-BY-SA-4.0",), widest="source"),
    register="encyclopedia",
    domain="general",
    # Blocks. 1.27 GiB packed (2026-09-01, by second hand) are some 5 GB of at most 1 MiB each; nobody has counted them.
    expect=Expect(at_least=4_000, at_most=200_000),
    manners=wikimedia.MANNERS,
    attribution=wikimedia.ATTRIBUTION,
    unverified=f"{wikimedia.UNVERIFIED} How many blocks the dump comes to.",
    note="Articles only. Pages about living people hold personal data of public figures.",
)


def items(capture: Capture) -> Iterator[Item]:
    """The articles of a block."""
    return mediawiki_export.pages(capture)


def text(item: Item) -> Extracted:
    """The prose of an article."""
    return mediawiki_export.text(item)
