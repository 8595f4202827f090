"""Check sum of international bank account numbers."""

from __future__ import annotations

from filters.pii_rules.engine.candidate import Candidate


def has_valid_iban_checksum(candidate: Candidate) -> bool:
    """Whether the check digits of an IBAN are valid: the rearranged number modulo 97 is 1 (ISO 13616-1)."""
    plain = "".join(c for c in candidate.value if c.isalnum())
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1
