"""Minutes of the council of Geoje (거제시의회)."""

from crawlers.platforms import council_minutes

COUNCIL = council_minutes.Council("거제시의회", "https://www.gjcl.go.kr", council_minutes.VIEWER)
SOURCE = council_minutes.source(COUNCIL, name="council_geoje")
follow, items, evidence, text = council_minutes.functions(COUNCIL)
