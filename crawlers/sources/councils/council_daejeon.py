"""Minutes of the council of Daejeon (대전광역시의회)."""

from crawlers.platforms import council_minutes

COUNCIL = council_minutes.Council("대전광역시의회", "https://council.daejeon.go.kr", council_minutes.MNTS)
SOURCE = council_minutes.source(
    COUNCIL,
    name="council_daejeon",
    unverified="The address of its list is that of the same system in Gyeonggi. Of that system the beginnings of five "
    "minutes of Gyeonggi, 1997 to 2025, were read in simpler markup (sky0ish/grilu, gri/audit).",
)
follow, items, evidence, text = council_minutes.functions(COUNCIL)
