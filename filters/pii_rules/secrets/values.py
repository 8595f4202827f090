"""Test values for the look of a secret: random or strong, neither a placeholder nor a name in a program."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log2
from typing import Final

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import compile_word
from filters.pii_rules.secrets.placeholders import is_placeholder, is_variable, repetition_share

_ENDS: Final = frozenset("\"'`<>,;()[]{}|\\&")
_IN_QUOTES: Final = frozenset("&;,")  # do not end a value in quotes
_QUOTES: Final = frozenset("\"'`")
_MIN_BITS = 2.6  # bits per character (Shannon); prose and code of this length are mostly below
_SHUFFLED = 12  # characters from which alternating case counts as random
_LONG = 14  # the same behind a label
_LICENCE: Final = re2.compile("^[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6})+$")  # licence key of a program, printed on its box
_CHAIN: Final = re2.compile("^[A-Za-z_]+[.][A-Za-z_]+")  # process.env.…, self.token2
_SIGNS_BETWEEN: Final = re2.compile("[_:.-]")
_COMPOUND: Final = re2.compile("(?i)^[a-z0-9]{2,12}[._-]key[^a-z가-힣]*$")  # api_key: also the name of other values
_LOWER: Final = re2.compile("[a-z]{9}")
_SIGNS: Final = frozenset("!@#$%^&*?~+=")
_TELLING: Final = compile_word("secrets/passwords", "telling")
_NAME: Final = compile_word("secrets/passwords", "algorithm_or_name")
_PLACEHOLDERS: Final = tuple(
    "example your xxxx **** changeme placeholder dummy sample sha1 sha2 sha5 base64 md5 bcrypt argon < { ...".split()
)
_TEMPLATE: Final = re2.compile(
    "^[$]|[$](?:[A-Za-z_(]|$)"
)  # the value of a variable of a shell; a digit follows in others
_BASE64: Final = re2.compile("^[A-Za-z0-9+/]{32,}={0,2}$")
_SLASHES = 12  # characters of base64 that one slash may stand among; paths have more


def trim_secret(candidate: Candidate) -> tuple[int, int] | None:
    """Cut a value of printable characters at a quote or bracket; None if a call or an index follows."""
    value = candidate.value
    quote = candidate.lead[-1:]
    ends = _ENDS - _IN_QUOTES if quote in _QUOTES and quote in value else _ENDS
    stop = next((i for i, c in enumerate(value) if c in ends or not c.isascii()), len(value))
    if value[stop : stop + 1] in ("(", "[", "{", "<") and value[stop:] and not value.startswith("</", stop):
        return None
    if quote not in _QUOTES:
        stop = len(value[:stop].rstrip(".:"))
    return candidate.start, candidate.start + stop


def trim_query(candidate: Candidate) -> tuple[int, int]:
    """Drop a full stop, or padding before it, behind a value of a query."""
    value = candidate.value
    return candidate.start, candidate.end if value[-1] != "." else candidate.start + len(value.rstrip("=."))


def is_stand_in(candidate: Candidate) -> bool:
    """Whether the value is a placeholder."""
    return is_placeholder(candidate.value)


def is_random_in_query(candidate: Candidate) -> bool:
    """Whether a value of a query looks random."""
    return is_random(candidate.value.rstrip("=."), 8)


def is_labelled_key(candidate: Candidate) -> bool:
    """Whether a value behind the label of a key looks random: twelve characters, or ten of all sorts."""
    value = candidate.value
    least = 10 if "ecret" in candidate.lead.lower() and _is_of_all_sorts(value) else 12
    dense = _COMPOUND.match(candidate.lead) is None or _is_dense(value) or _is_base64(value)
    return dense and is_random(value, least) and _is_key(value)


def is_dense_key(candidate: Candidate) -> bool:
    """Whether a value behind a word with other uses is a key."""
    return _is_dense(candidate.value) and is_labelled_key(candidate)


def is_password(candidate: Candidate) -> bool:
    """Whether the value mixes letters with digits or signs; a bare word is a variable name or prose."""
    return len(candidate.value) >= 4 and _is_password(candidate.value, quoted=candidate.lead[-1:] in _QUOTES)


def is_strong_password(candidate: Candidate) -> bool:
    """Whether the value is a password even without a mark before it.

    It has letters, digits and a sign; or letters with three digits or a sign, if it does not look like an identifier or
    a path.
    """
    value = candidate.value
    if not _is_password(value, quoted=True) or len(value) < 6:
        return False
    digits, signs = sum(c.isdigit() for c in value), sum(c in _SIGNS for c in value)
    if "/" in value or "_" in value or "=" in value.rstrip("="):
        return digits > 0 and signs > 0 and "/" not in value and "=" not in value
    return (digits > 0 and signs > 0) or (digits >= 3 and value.isalnum()) or (signs > 0 and value[0].isalpha())


def is_shuffled_word(candidate: Candidate) -> bool:
    """Whether a value of letters alone alternates between the cases as no word does."""
    return is_random(candidate.value, _SHUFFLED)


def is_random(value: str, least: int) -> bool:
    """Whether a value of at least `least` characters looks random: mixed letters and digits, few repeats.

    >>> is_random("9f2c41d07ab84e6fb1c3", 12), is_random("getVilageFcst", 12)
    (True, False)
    """
    if len(value) < least or "://" in value or is_placeholder(value):
        return False
    if not any(c.isalpha() for c in value) or _entropy(value) < _MIN_BITS:
        return False
    return any(c.isdigit() for c in value) or (len(value) >= _SHUFFLED and _is_shuffled(value))


def _is_key(value: str) -> bool:
    if _LICENCE.match(value) is not None or _CHAIN.match(value) is not None:
        return False
    return any(c.isdigit() for c in value) or len(value) >= _LONG


def _is_dense(value: str) -> bool:
    """Whether a value is neither a path nor hyphenated words: a piece of letters and digits, no long word."""
    if sum(c.isdigit() for c in value) < 2 or "/" in value.strip("/") or "." in value:
        return False
    pieces = _SIGNS_BETWEEN.split(value)
    mixed = any(len(p) >= 6 and not p.isdigit() and any(c.isdigit() for c in p) for p in pieces)
    return mixed and _LOWER.search(value) is None


def _is_base64(value: str) -> bool:
    """Whether a long value is base64 with letters of both cases and digits, and no path."""
    sparse = value.count("/") * _SLASHES <= len(value)
    return sparse and _is_of_all_sorts(value) and _BASE64.match(value) is not None and _LOWER.search(value) is None


def _is_password(value: str, quoted: bool) -> bool:
    if any(p in value.lower() for p in _PLACEHOLDERS) or "://" in value or value.startswith(("/", "-", "#")):
        return False
    if (
        _TEMPLATE.search(value) is not None
        or is_variable(value)
        or _NAME.match(value) is not None
        or repetition_share(value.lower()) == 1.0
    ):
        return False
    if _TELLING.search(value) is not None and is_placeholder(value):
        return False
    letters, digits = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    return (letters and digits) or (quoted and letters and any(c in "!@#%^&*?" for c in value))


def _is_of_all_sorts(value: str) -> bool:
    return any(c.isupper() for c in value) and any(c.islower() for c in value) and sum(c.isdigit() for c in value) > 1


def _is_shuffled(value: str) -> bool:
    """Whether upper and lower case alternate more often than in identifiers of programs."""
    changes = sum(a.isupper() != b.isupper() for a, b in pairwise(value) if a.isalpha() and b.isalpha())
    return 2 * changes >= len(value) - 1


def _entropy(value: str) -> float:
    counts = Counter(value[:128])
    total = sum(counts.values())
    return -sum(n / total * log2(n / total) for n in counts.values())
