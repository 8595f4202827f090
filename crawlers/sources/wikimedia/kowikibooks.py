"""The Korean Wikibooks (위키책), from its monthly dump."""

from crawlers.formats.mediawiki import mediawiki_export
from crawlers.platforms import wikimedia
from malmoi.source import Estimate, Expect

SOURCE = wikimedia.source(
    "kowikibooks",
    title="위키책",
    publisher="위키책 기여자",
    register="textbook",
    # Blocks. 4.9 MB packed (2026-09-01, by second hand) are some 20 MB of at most 1 MiB each; not counted.
    expect=Expect(at_least=15, at_most=5_000),
    estimate=Estimate(2_000_000, "600 million characters from dumps of 1.4 GiB; this dump: 4.9 MB on 2026-09-01"),
    note="A chapter is a page, and a document. Books for children (위키키즈) and cook books are pages like others.",
)

items, text = mediawiki_export.pages, wikimedia.text
