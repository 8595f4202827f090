"""Network addresses: globally routable IPv4 and IPv6 addresses, and MAC addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match

_OCTET: Final = "[0-9]{1,3}"
IPV4: Final = f"{_OCTET}[.]{_OCTET}[.]{_OCTET}[.][0-9]"
IPV6: Final = "[23][0-9A-Fa-f]{3}:[0-9A-Fa-f]{0,4}:"
_H: Final = "[0-9A-Fa-f]"
_PAIR: Final = f"{_H}{{2}}"
MAC: Final = (
    f"{_PAIR}:{_PAIR}:{_PAIR}:{_PAIR}:|{_PAIR}-{_PAIR}-{_PAIR}-{_PAIR}-|{_H}{{4}}[.]{_H}{{4}}[.]{_H}{{4}}|(?i:mac)"
)
_IPV4: Final = re2.compile(f"{_OCTET}(?:[.]{_OCTET}){{3,}}")
_IPV6: Final = re2.compile(f"[23]{_H}{{3}}(?::{_H}{{0,4}}){{2,8}}")
_MAC: Final = re2.compile(
    f"{_PAIR}(?::{_PAIR}){{5,}}|{_PAIR}(?:-{_PAIR}){{5,}}|{_H}{{4}}[.]{_H}{{4}}[.]{_H}{{4}}|"
    # The end of the label may look like a pair too: MAC:00:…
    f"(?i:mac)[^0-9A-Za-z]{{0,3}}(?:주소|address|addr)?[^0-9A-Za-z]{{0,3}}(?:{_H}{{12}}|{_PAIR}(?::{_PAIR}){{5}}|{_PAIR}(?:-{_PAIR}){{5}})"
)
_VALUE: Final = re2.compile(f"(?:{_H}{{12}}|{_PAIR}(?::{_PAIR}){{5}}|{_PAIR}(?:-{_PAIR}){{5}})$")
_NET: Final = re2.compile(
    "(?i:ip|host|addr|client|remote|from|proxy|dns|서버|아이피|주소|접속|로그인|토론|포트|단말|기기)"
)
_VERSIONS: Final = re2.compile(
    "(?i:버전|버젼|version|ver|릴리[스즈]|release|build|빌드|펌웨어|드라이버|판|[^a-z]v|조|항|절|장|제|별표|oid|==|>=|<=|~=|[@^~<]|[^A-Za-z\"'/]>|[A-Za-z]/)"
    "[은는이가을를]?[ :=\"'.]{0,3}$"
)
_CLAUSE: Final = ("조", "항", "절", "호", "장", "목", "판", "버전")
_MAC_WORD: Final = re2.compile(
    "(?i:mac|물리적|단말|기기|ether|hwaddr|wi-?fi|블루투스|랜카드|무선|wlan|[^a-z]sta[^a-z]|eth[0-9]|dhcp|bssid|arp)"
)
_RESOLVERS: Final = frozenset(("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "168.126.63.1", "168.126.63.2"))
_NEAR = 120  # code points between addresses of one list
_UNASSIGNED: Final = ("000000000000", "ffffffffffff", "aabbccddeeff")  # the last one is a format example
_DOCUMENTATION: Final = "00005e0053"  # RFC 7042, 2.1.2


def find_ip_addresses(text: str, data: bytes) -> Iterator[Match]:
    """Find public IP addresses; skips versions, clauses, private ranges and documentation ranges (RFC 5737, 3849)."""
    for start, end in matches(_IPV4, text, data):
        if _is_address(text, start, end):
            yield Match(start, end, "ip", 0.9, "four octets; reached from the whole net")
    for start, end in matches(_IPV6, text, data) if b":" in data else ():
        while end > start and text[end - 1] == ":" and text[end - 2] != ":":
            end -= 1
        if _is_glued(text, start, end, ":") or not _is_global(text[start:end]):
            continue
        yield Match(start, end, "ip", 0.95, "IPv6; reached from the whole net")


def _is_address(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    if value.count(".") != 3 or _is_glued(text, start, end, ".") or not _is_global(value):
        return False
    before, after = text[max(0, start - 24) : start], text[end : end + 3]
    if value in _RESOLVERS or (after[:1] == "/" and after[1:2].isdigit() and value.endswith(".0")):
        return False  # a public resolver; a whole network
    port = after[:1] == ":" and after[1:2].isdigit()
    if after.lstrip(" 의").startswith(_CLAUSE) or (_VERSIONS.search(before) and not port):
        return False
    if any(len(part) > 1 and part[0] == "0" for part in value.split(".")):
        return False
    # Versions and chapters count in small steps; an address of small numbers needs a network term nearby.
    small = max(map(int, value.split("."))) < 100
    if small and text[start - 1 : start] in ("", "\n") and after.startswith(". "):
        return False  # 6.3.6.2. at the start of a line is a section number, whatever precedes it
    return not small or bool(_NET.search(text[max(0, start - 40) : start])) or after.startswith(" - -")


def find_mac_addresses(text: str, data: bytes) -> Iterator[Match]:
    """Find MAC addresses in pairs or in fours; skips fingerprints, multicast addresses and documentation ranges."""
    last = -_NEAR - 1
    for start, end in matches(_MAC, text, data):
        head = max(0, start - 2)
        if text[start : start + 3].lower() == "mac":
            value_at = _VALUE.search(text[start:end])
            head = start = start + (value_at.start() if value_at is not None else 0)
        value = text[start:end]
        bare = value.replace(":", "").replace("-", "").replace(".", "").lower()
        if len(bare) != 12 or int(bare[1], 16) % 2 or bare in _UNASSIGNED or bare.startswith(_DOCUMENTATION):
            continue
        if _is_glued(text[head : end + 2], start - head, end - head, ":-."):
            continue
        said = bool(_MAC_WORD.search(text[max(0, start - 40) : start]))
        if not said and bare.isdigit() and start - last > _NEAR:
            continue
        last = end
        yield Match(start, end, "mac", 0.97 if said else 0.9, "word of network cards before" if said else "six pairs")


def _is_global(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def _is_glued(text: str, start: int, end: int, marks: str) -> bool:
    """Whether text[start:end] is part of a longer word or number; `marks` may connect it to one."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before and ((before in marks and text[start - 2 : start - 1].isalnum()) or before == "_"):
        return True
    if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()) or after == "_":
        return True
    return bool(after) and after in marks and text[end + 1 : end + 2].isalnum() and text[end + 1 : end + 2].isascii()
