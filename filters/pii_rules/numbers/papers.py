"""Checks for passports, driving licences and health insurance cards."""

from __future__ import annotations

from typing import Final

from filters.pii_rules.engine.candidate import Candidate

# Issuing region of a licence in two digits: 11 Seoul … 26 Jeju, 28 north Gyeonggi.
_REGIONS: Final = frozenset(map(str, (*range(11, 27), 28)))


def has_known_region(candidate: Candidate) -> str | None:
    """Whether a driving licence begins with the number of a region."""
    return "known region" if candidate.digits[:2] in _REGIONS else None


def is_labelled_phone(candidate: Candidate) -> bool:
    """Whether the nearest label is one of telephones and the digits begin as a telephone number does."""
    return candidate.label.kind == "phone" and candidate.digits.startswith("0")
