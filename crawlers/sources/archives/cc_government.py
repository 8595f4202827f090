"""Pages of Korean government offices in one crawl of Common Crawl.

Whose pages they are, and under which licence, only each page says: the source declares no proof, so a page counts only
with a proof of the open web that the recipe trusts by name (docs/rights.md, Pages that no source declares).
"""

from malmoi.source import CommonCrawl, Expect, LicenceRule, Manners, Source

SOURCE = Source(
    name="cc_government",
    title="정부 기관 누리집 (Common Crawl)",
    publisher="여러 정부 기관",
    access=CommonCrawl(
        crawl="CC-MAIN-2026-34",
        hosts=("*.go.kr", "www.korea.kr"),
        max_pages=1_000_000,  # 12 days of requests
        max_bytes=60_000_000_000,
    ),
    rule=LicenceRule(),
    register="administrative",
    domain="administration",
    expect=Expect(at_least=1_000, at_most=1_000_000),
    manners=Manners(delay=1.0),  # status.commoncrawl.org calls one retry a second polite
    attribution="{publisher}, '{title}', {year}, {url} (Common Crawl 보존본)",
    unverified="No file of the archive has been fetched by this project: layout and columns are those of the "
    "repository commoncrawl/cc-index-table and of public programs. That CC-MAIN-2026-34 has 300 index "
    "files of pages is by second hand. How many pages the hosts have, how many of them carry a mark, the "
    "terms of use of Common Crawl, and the robots.txt of data.commoncrawl.org.",
    note="The terms of Common Crawl bind who fetches, those of each office bind who uses a page. `malmoi "
    "collect` reads some hundred footers of the index, prints a forecast, and stops before the first page "
    "if it is beyond the bounds; --limit 1000 is a first look. For another crawl, or hosts of your own, "
    "copy the file. Copies of pages that other sources collect are near-duplicates, not the same "
    "documents.",
)
