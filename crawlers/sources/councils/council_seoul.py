"""Minutes of the council of Seoul (서울특별시의회)."""

from crawlers.platforms import council_minutes

COUNCIL = council_minutes.Council("서울특별시의회", "https://ms.smc.seoul.kr", council_minutes.RECORD)
SOURCE = council_minutes.source(
    COUNCIL,
    name="council_seoul",
    unverified="Whether pageNum turns the pages of this list; whether a key stays the same.",
)
follow, items, evidence, text = council_minutes.functions(COUNCIL)
