"""Minutes of the council of Geoje (거제시의회)."""

from crawlers.platforms import council_minutes

COUNCIL = council_minutes.Council("거제시의회", "https://www.gjcl.go.kr", council_minutes.VIEWER)
SOURCE = council_minutes.source(
    COUNCIL,
    name="council_geoje",
    sittings=4_440,  # 444 pages of its list in August 2026
    unverified="Provisional minutes say noindex, and a script of theirs forbids copying: a person decides.",
)
follow, items, evidence, text = council_minutes.functions(COUNCIL)
