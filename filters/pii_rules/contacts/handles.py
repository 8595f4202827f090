"""Check the value of a handle: not a URL, a file, a version, a product or a word of the services themselves."""

from __future__ import annotations

import unicodedata
from typing import Final

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import compile_word, read_word_set

NO_HANDLES: Final = read_word_set("contacts/handles", "no_handle")
_NO_ENDS: Final = tuple(read_word_set("contacts/handles", "no_handle_end"))
_TECHNICAL: Final = read_word_set("contacts/handles", "technical_part")
_NO_STARTS: Final = ("010", "02-", "http", "www.", "com.", "org.")
_CALL: Final = re2.compile("[ (-][+]?(?:01[016789]|02|0[3-6][1-5]|070|050[0-9]|82)[-. ·)]{1,3}[0-9]{3,4}")
_PRODUCT: Final = compile_word("contacts/handles", "product")
_CONVERTER: Final = compile_word("contacts/handles", "converter")
_NARROW: Final = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFF01, 0xFF5F), *range(0x24B6, 0x24EA), *range(0x1D400, 0x1D800))
}


def to_half_width(value: str) -> str:
    """Return the same letters, digits and signs at half width."""
    return value.translate(_NARROW)


def trim_handle(candidate: Candidate) -> tuple[int, int]:
    """Cut a handle before a telephone number: maru_7 - 010-…"""
    call = _CALL.search(candidate.value)
    value = candidate.value if call is None else candidate.value[: call.start()].rstrip(" -(")
    return candidate.start, candidate.start + len(value)


def trim_to_bracket(candidate: Candidate) -> tuple[int, int]:
    """Return the place within the brackets of a cell such as 마루(maru_2), else the whole cell."""
    name, bracket, handle = candidate.value.rstrip(")）").replace("（", "(").partition("(")
    if not bracket:
        return candidate.start, candidate.end
    return candidate.start + len(name) + 1, candidate.start + len(name) + 1 + len(handle)


def is_handle(candidate: Candidate) -> bool:
    """Whether the value may be a handle: neither a URL, a file, a number, inline code nor a word such as login."""
    if "`" in (candidate.read_before(1), candidate.read_after(1)):
        return False
    plain = to_half_width(candidate.value).removeprefix("골뱅이").lstrip(" @")
    low = plain.lower()
    if not _TECHNICAL.isdisjoint(low.replace(".", "_").replace("-", "_").split("_")):
        return False
    if _CONVERTER.match(low) is not None or low in NO_HANDLES or low.partition(" ")[0] in NO_HANDLES or len(plain) < 3:
        return False
    return any(c.isalpha() for c in plain) and not low.startswith(_NO_STARTS) and not low.endswith(_NO_ENDS)


def is_mixed(candidate: Candidate) -> bool:
    """Whether the value has an at sign, or three letters and a digit, underscore or dot, or two hyphens in a long word.

    Ordinary words and versions (v1.2) do not.
    """
    plain = to_half_width(candidate.value)
    if plain.startswith("@") or " " in plain or any("가" <= c <= "힣" for c in plain):
        return True  # also in words or with letters apart
    signed = any(c in "_.#" or c.isdigit() for c in plain)
    hyphens = plain.count("-") >= 2 and plain.islower() and len(plain) >= 8
    return sum(c.isalpha() for c in plain) >= 3 and (signed or hyphens)


def is_product(candidate: Candidate) -> bool:
    """Whether the value is a product or a program with its version: iphone15, python3.11."""
    return _PRODUCT.match(candidate.value.lstrip("@")) is not None


def is_attribute(candidate: Candidate) -> bool:
    """Whether a Latin label assigns a value without digits, as programs do: kakao_id = channel."""
    lead = candidate.lead.strip()
    return lead[:1].isascii() and "=" in lead and not any(c.isdigit() for c in candidate.value)
