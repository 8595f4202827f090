"""The Korean Wikibooks (위키책), from its monthly dump."""

from collections.abc import Iterator

from crawlers.formats.mediawiki import mediawiki_export
from crawlers.platforms import wikimedia
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Extracted, Item, LicenceRule, Source

SOURCE = Source(
    name="kowikibooks",
    title="위키책",
    publisher="위키책 기여자",
    access=wikimedia.dump("kowikibooks"),
    claim=(wikimedia.SHARE_ALIKE,),
    rule=LicenceRule(place="legal.html of the dumps", expected=("CC-BY-SA-4.0",), widest="source"),
    register="textbook",
    domain="general",
    # Blocks. 4.9 MB packed (2026-09-01, by second hand) are some 20 MB of at most 1 MiB each; nobody has counted them.
    expect=Expect(at_least=15, at_most=5_000),
    manners=wikimedia.MANNERS,
    attribution=wikimedia.ATTRIBUTION,
    unverified=f"{wikimedia.UNVERIFIED} How many blocks the dump comes to.",
    note="A chapter is a page, and a document. Books for children (위키키즈) and cook books are pages like others.",
)


def items(capture: Capture) -> Iterator[Item]:
    """The chapters of a block."""
    return mediawiki_export.pages(capture)


def text(item: Item) -> Extracted:
    """The prose of a chapter."""
    return mediawiki_export.text(item)
