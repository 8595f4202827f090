"""Canonical form of identifier values: `canonical_form` returns equal strings for equal values of a kind."""

from __future__ import annotations

import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final

import re2

from filters.pii_rules.contacts import emails, handles
from filters.pii_rules.numbers import spelled_out
from filters.pii_rules.numbers.phone_checks import prefix_of
from filters.pii_rules.text.digit_runs import ZERO_WIDTH

MASKS: Final = frozenset("*x●○■")
LENGTHS: Final = {  # number of digits of a complete value
    "rrn": (13,),
    "frn": (13,),
    "crn": (13,),
    "brn": (10,),
    "phone": range(7, 13),
    "account": range(7, 17),
    "card": range(14, 20),
    "driver_license": (10, 12),
    "health_insurance": (11,),
}
_SEPARATORS: Final = dict.fromkeys(map(ord, " -.()/_+,"))  # of most numbers
_AFTER_SIGN: Final = "[ \u00a0\u3000)\\]}>）］]{0,3}"
_UNSEEN: Final = dict.fromkeys(map(ord, ZERO_WIDTH))
_DATE: Final = re2.compile("^['’]?([0-9]{4}|[0-9]{2})[^0-9]+([0-9]{1,2})[^0-9]+([0-9]{1,2})[^0-9]*$")
_DIGITS: Final = re2.compile("^(?:[0-9]{2})?([0-9]{2})([0-9]{2})([0-9]{2})[^0-9]*$")
_DAY_FIRST: Final = re2.compile("^([0-9]{1,2})[./-]([0-9]{1,2})[./-]((?:19|20)[0-9]{2})[^0-9]*$")
_SPELLINGS: Final = tomllib.loads(Path(__file__).with_name("spellings.toml").read_text(encoding="utf-8"))
LETTERS: Final[dict[str, list[str]]] = _SPELLINGS["letters"]
DIGITS: Final[list[str]] = _SPELLINGS["digits"]
SIGNS: Final = {  # a sign or its name, also in brackets and between blanks
    sign: f"[ \u00a0\u3000(\\[{{<（［]{{0,3}}(?:{names}){_AFTER_SIGN}" for sign, names in _SPELLINGS["signs"].items()
}
_SIGNS: Final = [(sign, re2.compile(SIGNS[sign])) for sign in "_-."]
_SAID: Final = {name: str(i) for i, names in enumerate(DIGITS) for name in names}
_SPELLED: Final = _SAID | {name: letter for letter, names in LETTERS.items() for name in names}
_LETTER: Final = re2.compile("|".join(sorted(_SPELLED, key=len, reverse=True)))


@lru_cache(maxsize=1024)  # each value is compared in text, title, author and address
def canonical_form(kind: str, value: str) -> str:
    """Return the canonical form of `value`, used for comparison only and never written to output.

    >>> canonical_form("phone", "+82 10-0000-1234") == canonical_form("phone", "공일공 0000 일이삼사")
    True
    >>> canonical_form("messenger", "@Maru_7"), canonical_form("messenger", "maru 언더바 7")
    ('maru_7', 'maru_7')
    >>> canonical_form("email", "HONG 골뱅이 example 점 kr"), canonical_form("birth_date", "1991년 2월 30일")
    ('hongexample.kr', '91-02-30')
    """
    if kind in LENGTHS:
        return _canonical_number(kind, value)
    if kind == "email":  # without the at sign, which has many substitutes
        return "".join(c for c in emails.normalise_email(value) if c.isalnum() or c in "._+-")
    if kind == "messenger":
        return _canonical_handle(value)
    folded = fold_text(value)
    if kind == "birth_date":
        return _canonical_date(folded) or folded
    if kind in ("vehicle", "passport", "mac"):
        return "".join(filter(str.isalnum, folded))
    if kind == "address":
        return folded.replace(",", "").replace("(", "").replace(")", "")
    return folded


def fold_text(value: str) -> str:
    """Return `value` NFKC-normalised and case-folded, without white space and invisible characters."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return "".join(c for c in folded if c.isprintable() and not c.isspace())


def _canonical_number(kind: str, value: str) -> str:
    folded = unicodedata.normalize("NFKC", value).casefold().partition("~")[0]
    plain = folded.translate(_SEPARATORS)
    if not plain.isdecimal():
        plain = "".join(c for c in folded if c.isdecimal() or c in MASKS)
        if any(c.isalnum() and not c.isdecimal() and c not in MASKS for c in folded):
            read = spelled_out.read_digits(value)
            if _normalise_national(kind, read) and (len(plain) < len(read) or len(plain) not in LENGTHS[kind]):
                plain = read
    return (_normalise_national(kind, plain) or plain) if kind == "phone" else plain


def _normalise_national(kind: str, digits: str) -> str:
    """Return the digits of a complete value, or "". Telephone numbers lose their country code."""
    if kind != "phone":
        return digits if len(digits) in LENGTHS[kind] else ""
    short = digits.removeprefix("00") if digits.startswith("0082") else digits
    short = "0" + short[2:].lstrip("0") if short.startswith("82") else short
    if not prefix_of(short) and prefix_of("0" + short):
        return "0" + short  # restore a leading zero that a table dropped
    return short if prefix_of(short) else ""


def _canonical_handle(value: str) -> str:
    narrow = handles.to_half_width(value.translate(_UNSEEN)).casefold().strip()
    if "/" in narrow:  # a profile link ends in the handle
        narrow = narrow.rstrip("/").rpartition("/")[2]
    narrow = narrow.removeprefix("골뱅이").strip().lstrip("@").strip()
    names = _LETTER.findall(narrow)
    if len(names) > 3 and "".join(names) == narrow.replace(" ", "").replace(",", ""):
        return "".join(map(_SPELLED.__getitem__, names))
    for sign, words in _SIGNS:
        narrow = words.sub(sign, narrow)
    return "".join(_SAID.get(c, c) for c in narrow if not c.isspace())


def _canonical_date(folded: str) -> str:
    """Return two-digit year, month and day as YY-MM-DD, or "" if `folded` is not a date."""
    last = _DAY_FIRST.match(folded)
    match = _DATE.match(folded) or _DIGITS.match(folded)
    if last is None and match is None:
        return ""
    day, month, year = last.groups() if last is not None else reversed(match.groups())
    return f"{year[-2:]}-{int(month):02d}-{int(day):02d}"
