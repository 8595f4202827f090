"""SSRF guard: refuse URLs and IP addresses that do not lead to the public web.

The same rule is applied three times: to the URL as written, to every IP address that the resolver
finds, and to the peer of an open connection before a byte is sent to it.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

Address: TypeAlias = IPv4Address | IPv6Address

PORTS = {"http": 80, "https": 443}
LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion")
# Public by number, but answered inside the cloud: Azure's wire server; 192.88.99/24 was the 6to4 relay.
INSIDE = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.88.99.0/24"))
# IPv6 outside of the space that IANA allocates for global unicast (RFC 4291) is refused as a whole.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Blocks of the registries of special-purpose addresses (RFC 6890) that `is_global` does not know in each version of
# Python: protocol assignments of IPv4 and of IPv6, documentation (RFC 9637).
SPECIAL = tuple(ipaddress.ip_network(net) for net in ("192.0.0.0/24", "2001::/23", "3fff::/20"))
# Addresses that embed an IPv4 address: 6to4, Teredo, NAT64 (RFC 6052, RFC 8215), IPv4-compatible, IPv4-translated.
TUNNELS = tuple(
    ipaddress.ip_network(net)
    for net in ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)


@dataclass(slots=True)
class Guard:
    """The rule with its loopback exceptions, and a record of what it refused."""

    loopback: frozenset[tuple[str, int]] = frozenset()  # (host, port) that may be a loopback address
    refused: dict[str, str] = field(default_factory=dict)  # host or IP address → reason

    @classmethod
    def allow_loopback(cls, loopback: tuple[str, ...]) -> Guard:
        """Return a guard that allows the "host:port" of `Manners.loopback` to be loopback addresses."""
        pairs = (entry.rpartition(":") for entry in loopback)
        return cls(frozenset((host.strip("[]").lower(), int(port)) for host, _, port in pairs))

    def check_url(self, url: str) -> str | None:
        """Return why `url` must not be fetched, judged by its text alone; None if it may."""
        return refuse_url(url, self.loopback)

    def check_resolved(self, host: str, port: int, address: str) -> str | None:
        """Return why `address`, found for `host`, must not be connected to."""
        number = ipaddress.ip_address(address.partition("%")[0])
        if number.is_loopback and (host.lower(), port) in self.loopback:
            return None
        return self._remember(host, refuse_address(number))

    def check_peer(self, address: str, port: int) -> str | None:
        """Return why nothing may be sent to the peer of an open connection."""
        number = ipaddress.ip_address(address.partition("%")[0])
        if number.is_loopback and any(port == allowed for _, allowed in self.loopback):
            return None
        return self._remember(address, refuse_address(number))

    def _remember(self, host: str, reason: str | None) -> str | None:
        if reason:
            self.refused[host.lower()] = reason
        return reason


def refuse_url(url: str, loopback: frozenset[tuple[str, int]] = frozenset()) -> str | None:
    """Return why `url` must not be fetched, or None. Host names are not resolved here.

    >>> refuse_url("http://2130706433/"), refuse_url("https://example.kr/")
    ('guard-loopback', None)
    >>> refuse_url("http://localhost:8000/", frozenset({("localhost", 8000)})) is None
    True
    """
    if re.search(r"[\x00-\x20\x7f\\]", url):
        return "guard-malformed"
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return "guard-malformed"
    if parts.scheme not in PORTS:
        return "guard-scheme"
    if "@" in parts.netloc:
        return "guard-userinfo"
    host = normalise_host(parts.hostname or "")
    if not host:
        return "guard-malformed"
    if (host, port) in loopback:
        return None
    return refuse_host(host)


def refuse_host(host: str) -> str | None:
    """Return why a host, as `normalise_host` returns it, is refused: a local name, or a refused IP address."""
    if ":" in host:
        try:
            return refuse_address(IPv6Address(host)) if "%" not in host else "guard-zone"
        except ValueError:
            return "guard-malformed"
    last = host.rpartition(".")[2]
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):  # WHATWG URL: then the whole host is an IPv4 number
        number = ipv4_number(host)
        return refuse_address(number) if number is not None else "guard-malformed"
    if last in LOCAL_NAMES or "." not in host:
        return "guard-local-name"
    return None


def normalise_host(host: str) -> str:
    """Return a host as the resolver would see it: escapes, full-width characters and the last dot undone.

    >>> normalise_host("１２７。0.0.%31.")
    '127.0.0.1'
    """
    wide = unicodedata.normalize("NFKC", unquote(host)).replace("。", ".")
    return wide.lower().removesuffix(".")


def ipv4_number(host: str) -> IPv4Address | None:
    """Parse one to four numbers, decimal, octal or hexadecimal, as an IPv4 address (as inet_aton).

    >>> ipv4_number("0x7f.1"), ipv4_number("0177.0.0.01"), ipv4_number("1.2.3.4.5")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), None)
    """
    numbers = []
    for part in host.split("."):
        if not re.fullmatch(r"0x[0-9a-f]*|0[0-7]*|[1-9][0-9]*", part):
            return None
        base = 16 if part.startswith("0x") else 8 if part.startswith("0") else 10
        numbers.append(int(part.removeprefix("0x") or "0", base))
    *heads, tail = numbers
    if len(numbers) > 4 or any(head > 255 for head in heads) or tail >= 256 ** (5 - len(numbers)):
        return None
    return IPv4Address(sum(head << 8 * (3 - place) for place, head in enumerate(heads)) + tail)


def refuse_address(address: Address) -> str | None:
    """Return why no connection may be made to `address`: it is not a public unicast address.

    >>> refuse_address(ipaddress.ip_address("::ffff:10.0.0.1")), refuse_address(ipaddress.ip_address("1.1.1.1"))
    ('guard-private', None)
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return refuse_address(address.ipv4_mapped) or "guard-mapped"
        if address.is_loopback:
            return "guard-loopback"
        if any(address in net for net in TUNNELS):
            return "guard-mapped"
    if address.is_loopback:
        return "guard-loopback"
    if address.is_link_local:
        return "guard-link-local"
    if address.is_multicast:
        return "guard-multicast"
    if any(address in net for net in INSIDE):
        return "guard-metadata"
    is_public = address.is_global and (address.version == 4 or address in GLOBAL_UNICAST)
    return None if is_public and not any(address in net for net in SPECIAL) else "guard-private"
