"""What is looked for, and what a find does: decided by its kind alone.

    quarantines  the document in which it stands is left out of the release, and counted
    reports      the find is counted on the card
    kept         the recipe lets values of this kind stand; the find is counted on the card

Why so, docs/decisions/0010-the-second-detector-quarantines-documents.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, TypeAlias

Outcome: TypeAlias = Literal["quarantines", "reports", "kept"]
KINDS: Final = (  # of those in docs/personal-data.md
    "rrn", "frn", "passport", "driver_license", "health_insurance", "birth_date", "phone", "email", "address",
    "card", "account", "brn", "vehicle", "ip", "mac", "url_secret", "key",
)  # fmt: skip
# Numbers that stand for a person before the law, lead to money, or are a secret: nobody may publish one.
QUARANTINED: Final = ("rrn", "frn", "passport", "driver_license", "card", "account", "key")


def outcomes(replaced: Collection[str] = KINDS, *, strict: bool = False) -> tuple[tuple[str, Outcome], ...]:
    """What a find of each kind does where the recipe replaces the kinds `replaced`, by kind; `strict`: all quarantine.

    >>> some = dict(outcomes(("rrn", "phone")))
    >>> some["rrn"], some["phone"], some["card"]
    ('quarantines', 'reports', 'kept')
    """

    def outcome(kind: str) -> Outcome:
        if kind not in replaced:
            return "kept"
        return "quarantines" if strict or kind in QUARANTINED else "reports"

    return tuple((kind, outcome(kind)) for kind in sorted(KINDS))
