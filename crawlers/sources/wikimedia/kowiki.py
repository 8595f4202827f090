"""The Korean Wikipedia, from its monthly dump."""

from crawlers.formats.mediawiki import mediawiki_export
from crawlers.platforms import wikimedia
from malmoi.source import Estimate, Expect

SOURCE = wikimedia.source(
    "kowiki",
    title="위키백과",
    publisher="위키백과 기여자",
    register="encyclopedia",
    # Blocks. 1.27 GiB packed (2026-09-01, by second hand) are some 5 GB of at most 1 MiB each; not counted.
    expect=Expect(at_least=4_000, at_most=200_000),
    estimate=Estimate(540_000_000, "600 million characters from dumps of 1.4 GiB; this dump: 1.27 GiB on 2026-09-01"),
    note="Articles only. Pages about living people hold personal data of public figures.",
)

items, text = mediawiki_export.pages, wikimedia.text
