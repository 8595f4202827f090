"""Checks for addresses of machines."""

from __future__ import annotations

import ipaddress
from typing import Final

from filters.pii_rules.engine.candidate import Candidate

_RESOLVERS: Final = frozenset(("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "168.126.63.1", "168.126.63.2"))
_UNASSIGNED: Final = ("000000000000", "ffffffffffff", "aabbccddeeff")  # the last one is a format example
_DOCUMENTATION: Final = "00005e0053"  # RFC 7042, 2.1.2


def is_public_address(candidate: Candidate) -> bool:
    """Whether the value is a globally routable unicast address; documentation ranges are not (RFC 5737, 3849)."""
    try:
        address = ipaddress.ip_address(candidate.value)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def is_public_ipv4(candidate: Candidate) -> bool:
    """Whether the value is the public address of one machine, without leading zeros; not a public resolver."""
    after = candidate.read_after(2)
    network = after[:1] == "/" and after[1:].isdigit() and candidate.value.endswith(".0")
    return not network and candidate.value not in _RESOLVERS and is_public_address(candidate)


def is_mac_address(candidate: Candidate) -> bool:
    """Whether twelve hexadecimal digits are the address of one card: unicast, assigned, not for documentation."""
    bare = "".join(c for c in candidate.value if c.isalnum()).lower()
    assigned = bare not in _UNASSIGNED and not bare.startswith(_DOCUMENTATION)
    return len(bare) == 12 and not int(bare[1], 16) % 2 and assigned
