"""Minutes of the council of Uiwang (의왕시의회)."""

from crawlers.platforms import council_minutes

COUNCIL = council_minutes.Council("의왕시의회", "https://council.uiwang.go.kr", council_minutes.RECORD)
SOURCE = council_minutes.source(
    COUNCIL,
    name="council_uiwang",
    unverified="The address of its list is that of the same system in Seoul; whether a key stays the same.",
)
follow, items, evidence, text = council_minutes.functions(COUNCIL)
