"""Kinds of personal data that the second detector reports, and the outcome of a find of each kind.

    stops        nothing is published until the find is cleared or mended
    quarantines  the document with the find is left out of the release, and counted
    reports      the find is counted on the card
    kept         the recipe keeps values of this kind; the find is counted on the card

For the reasons see docs/decisions/0010-the-second-detector-quarantines-documents.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, TypeAlias

Outcome: TypeAlias = Literal["stops", "quarantines", "reports", "kept"]
ResidueChoice: TypeAlias = Literal["report", "quarantine", "stop"]  # what a recipe asks for
KINDS: Final = (  # of those in docs/personal-data.md
    "rrn", "frn", "passport", "driver_license", "health_insurance", "birth_date", "phone", "email", "address",
    "card", "account", "brn", "vehicle", "ip", "mac", "url_secret", "key",
)  # fmt: skip
# Legal identifiers, access to money, and secrets: they must not be published.
QUARANTINED: Final = ("rrn", "frn", "passport", "driver_license", "card", "account", "key")


def outcomes(replaced: Collection[str] = KINDS, choice: ResidueChoice = "report") -> tuple[tuple[str, Outcome], ...]:
    """Return the outcome of a find by kind, for a recipe that replaces the kinds `replaced`.

    `choice` is that of the recipe: "report" quarantines for the kinds QUARANTINED, "quarantine" for all, "stop" stops.

    >>> some = dict(outcomes(("rrn", "phone")))
    >>> some["rrn"], some["phone"], some["card"]
    ('quarantines', 'reports', 'kept')
    >>> dict(outcomes(("rrn", "phone"), "stop"))["phone"]
    'stops'
    """
    of_all: dict[ResidueChoice, Outcome] = {"quarantine": "quarantines", "stop": "stops"}

    def outcome(kind: str) -> Outcome:
        if kind not in replaced:
            return "kept"
        return of_all.get(choice) or ("quarantines" if kind in QUARANTINED else "reports")

    return tuple((kind, outcome(kind)) for kind in sorted(KINDS))
