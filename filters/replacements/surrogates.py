"""Numbered surrogates: reserved values that a recipe may use in place of identifiers.

A surrogate has the format of the replaced value, so that the text remains readable. It comes from a range that is
reserved for documentation or not assigned; a kind without such a range has no surrogates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import re2

from filters.pii_rules.number_checks import has_valid_business_checksum

_GAP: Final = "[^0-9A-Za-z]{0,3}"


@dataclass(frozen=True, slots=True)
class Reserve:
    """One range: the value for each number from 1 to `size`, and a pattern for its values in a text."""

    form: Callable[[int], str]
    size: int
    written: re2._Regexp  # over NFKC text; its groups together are the digits of `form`, or its last part


def _business_number(number: int) -> str:
    """Return a number of tax office 000, which does not exist, with a check digit one too high.

    >>> _business_number(1)
    '000-00-00016'
    """
    head = f"00000{number:04d}"
    sound = next(d for d in range(10) if has_valid_business_checksum(f"{head}{d}"))
    return f"000-00-{head[5:]}{(sound + 1) % 10}"


def _ipv4(number: int) -> str:
    """Return an address from TEST-NET-1 to 3 (RFC 5737), in this order.

    >>> _ipv4(1), _ipv4(255)
    ('192.0.2.1', '198.51.100.1')
    """
    net = ("192.0.2", "198.51.100", "203.0.113")[(number - 1) // 254]
    return f"{net}.{(number - 1) % 254 + 1}"


def _reserve(form: Callable[[int], str], size: int, written: str) -> Reserve:
    return Reserve(form, size, re2.compile(f"(?i){written}"))


_RESERVES: Final[dict[str, Reserve]] = {
    # No subscriber number begins with 0 (numbering plan of Korea); the last group stays below 1000.
    "phone": _reserve(lambda n: f"010-0000-{n:04d}", 999, f"(010){_GAP}(0000){_GAP}(0[0-9]{{3}})"),
    "email": _reserve(lambda n: f"user{n}@example.com", 9999, "(user[0-9]{1,4}@example[.]com)"),  # RFC 2606
    "ip": _reserve(_ipv4, 762, "((?:192[.]0[.]2|198[.]51[.]100|203[.]0[.]113)[.][0-9]{1,3})"),
    "ipv6": _reserve(lambda n: f"2001:db8::{n:x}", 0xFFFF, "(2001:db8::[0-9a-f]{1,4})"),  # RFC 3849
    "mac": _reserve(  # RFC 7042, 2.1.2
        lambda n: f"00-00-5E-00-53-{n:02X}", 255, "(00)[-:.]?(00)[-:.]?(5E)[-:.]?(00)[-:.]?(53)[-:.]?([0-9A-F]{2})"
    ),
    # No issuer begins with 0 (ISO/IEC 7812-1).
    "card": _reserve(lambda n: f"0000-0000-{n:04d}-0000", 9999, f"(0000){_GAP}(0000){_GAP}([0-9]{{4}}){_GAP}(0000)"),
    "brn": _reserve(_business_number, 9999, f"(000){_GAP}(00){_GAP}([0-9]{{5}})"),
    # Month 00 does not exist.
    "rrn": _reserve(lambda n: f"000000-{n:07d}", 999_999, f"(000000){_GAP}(0[0-9]{{6}})"),
    "frn": _reserve(lambda n: f"000000-5{n:06d}", 999_999, f"(000000){_GAP}(5[0-9]{{6}})"),
}
KINDS: Final = tuple(kind for kind in _RESERVES if kind != "ipv6")


@dataclass(slots=True)
class Surrogates:
    """The surrogates of one text: one per value and kind, and none that already occurs in the text."""

    text: str
    _last: dict[str, int] = field(default_factory=dict)
    _given: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: dict[str, frozenset[str]] = field(default_factory=dict)
    _plain: str | None = None

    def find_surrogate(self, kind: str, value: str) -> str:
        """Return the surrogate of a canonical `value`, or "" if the range is exhausted.

        >>> Surrogates("010-0000-0001").find_surrogate("phone", "01000001234")
        '010-0000-0002'
        """
        range_ = "ipv6" if kind == "ip" and ":" in value else kind
        if (range_, value) not in self._given:
            self._given[range_, value] = self._next(range_)
        return self._given[range_, value]

    def _next(self, range_: str) -> str:
        reserve = _RESERVES[range_]
        taken = self._find_taken(range_, reserve)
        for number in range(self._last.get(range_, 0) + 1, reserve.size + 1):
            self._last[range_] = number
            if _strip_signs(found := reserve.form(number)) not in taken:
                return found
        self._last[range_] = reserve.size
        return ""

    def _find_taken(self, range_: str, reserve: Reserve) -> frozenset[str]:
        """Return the values of a range that occur in the original text."""
        if range_ not in self._taken:
            if self._plain is None:
                self._plain = unicodedata.normalize("NFKC", self.text)
            found = reserve.written.finditer(self._plain)
            self._taken[range_] = frozenset(_strip_signs("".join(match.groups())) for match in found)
        return self._taken[range_]


def _strip_signs(value: str) -> str:
    return "".join(c for c in value.casefold() if c not in "-. ")
