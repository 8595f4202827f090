"""Checks for addresses of machines."""

from __future__ import annotations

import ipaddress
from typing import Final

from filters.pii_rules.engine.candidate import Candidate

_RESOLVERS: Final = frozenset(("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "168.126.63.1", "168.126.63.2"))


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
