"""Test values for the look of a secret: random or strong, neither a placeholder nor a name in a program.

A placeholder is joined words, repeated characters or a template mark in place of a key; docs/personal-data.md says the
same of the second detector, which measures it in its own way. Also: addresses of machines.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from itertools import pairwise
from math import log2
from typing import Final

import re2

from filters.pii_rules.candidate import Candidate
from filters.pii_rules.rule_table import compile_word

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
_STRONG_SIGNS: Final = frozenset("!@#$%^&*?~+=")
_TELLING_WORD: Final = compile_word("secrets/passwords", "telling")
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
    if _COMPOUND.match(candidate.lead) is not None and not _is_dense(value):
        path = value.count("/") * _SLASHES > len(value)
        if path or not _is_of_all_sorts(value) or _BASE64.match(value) is None or _LOWER.search(value) is not None:
            return False
    if not is_random(value, least) or _LICENCE.match(value) is not None or _CHAIN.match(value) is not None:
        return False
    return any(c.isdigit() for c in value) or len(value) >= _LONG


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
    digits, signs = sum(c.isdigit() for c in value), sum(c in _STRONG_SIGNS for c in value)
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
    counts = Counter(value[:128])
    total = sum(counts.values())
    if not any(c.isalpha() for c in value) or -sum(n / total * log2(n / total) for n in counts.values()) < _MIN_BITS:
        return False
    if any(c.isdigit() for c in value):
        return True
    # Upper and lower case alternate more often than in identifiers of programs.
    changes = sum(a.isupper() != b.isupper() for a, b in pairwise(value) if a.isalpha() and b.isalpha())
    return len(value) >= _SHUFFLED and 2 * changes >= len(value) - 1


def _is_dense(value: str) -> bool:
    """Whether a value is neither a path nor hyphenated words: a piece of letters and digits, no long word."""
    if sum(c.isdigit() for c in value) < 2 or "/" in value.strip("/") or "." in value:
        return False
    pieces = _SIGNS_BETWEEN.split(value)
    mixed = any(len(p) >= 6 and not p.isdigit() and any(c.isdigit() for c in p) for p in pieces)
    return mixed and _LOWER.search(value) is None


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
    if _TELLING_WORD.search(value) is not None and is_placeholder(value):
        return False
    letters, digits = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    return (letters and digits) or (quoted and letters and any(c in "!@#%^&*?" for c in value))


def _is_of_all_sorts(value: str) -> bool:
    return any(c.isupper() for c in value) and any(c.islower() for c in value) and sum(c.isdigit() for c in value) > 1


_MARKS: Final = ("<", "{", "$", "...", "****", "[", "%(")
_TELLING: Final = tuple("example your changeme placeholder dummy sample replace insert redacted".split())
_IN_CAPITALS: Final = "EXAMPLE"  # within a key, as in vendor manuals: AKIAIOSFODNN7EXAMPLE
_EQUAL, _STEPS = 4, 5  # minimum characters of a row of equal characters, and of a row of consecutive ones
_MOST_IN_ROWS: Final = 0.5  # share of a value
_WORD: Final = 4  # letters of a word that must be pronounceable
_SIGNS: Final = re2.compile("[-_.: ]+")
_PIECE: Final = re2.compile("^(?:[A-Z]+|[A-Z]?[a-z]+)?[0-9]{0,4}$")
# An algorithm, not a value: PBKDF2WithHmacSHA256, AES/GCM/NoPadding.
_ALGORITHM: Final = re2.compile(
    "(?i)^(?:pbkdf2|hmac|sha[0-9]*|md5|aes|rsa|des|ec?dsa|bcrypt|scrypt|argon2(?:id|i|d)?|hs|rs|es|gcm|cbc|ecb|"
    "with|and|no|pkcs[0-9]*|padding|[0-9]{1,4}|[-_/])+$"
)
_HEAD_OF_TOKEN: Final = ("eyJhbGci", "eyJ0eXAi")  # {"alg" and {"typ" in base64: says how a token is signed
_LEAST_WOVEN: Final = 10  # characters of two rows in turn: a1b2c3…
_VOWELS: Final = frozenset("aeiouy")


def is_placeholder(value: str) -> bool:
    """Whether `value` is a placeholder instead of a key; never true of random text.

    >>> [is_placeholder(v) for v in ("AWS-S3-SECRET-KEY-FOR-NOTEBOOK-SYNC", "oW7XXXXXXXXXXXX", "abcdef123456")]
    [True, True, True]
    >>> names = ("%DB_KEY_1%", "PBKDF2WithHmacSHA256", "a1b2c3d4e5f6", "test12test12", "/run/keys/v1")
    >>> [is_placeholder(v) for v in names]
    [True, True, True, True, True]
    >>> is_placeholder("9f2c41d07ab84e6fb1c3"), is_placeholder("wJalrXUtnFEMIK7MDENGbPxRfiCYz")
    (False, False)
    """
    low = value.lower()
    path = value.startswith(("/", "./", "../", "~/"))
    pieces = [piece for piece in _SIGNS.split(value.replace("/", " ") if path else value) if piece]
    if any(mark in low for mark in _MARKS) or any(piece.lower().startswith(_TELLING) for piece in pieces):
        return True
    if _IN_CAPITALS in value:
        return True
    if is_variable(value) or _ALGORITHM.match(value) or (value.startswith(_HEAD_OF_TOKEN) and "." not in value):
        return True
    if repetition_share(low) > _MOST_IN_ROWS or (low + low).find(low, 1, len(low) + len(low) // 2) > 0:
        return True  # the second: a shorter piece over and over
    woven = len(low) >= _LEAST_WOVEN and all(repetition_share(low[first::2]) == 1.0 for first in (0, 1))
    return woven or is_of_words(pieces)


def is_variable(value: str) -> bool:
    """Whether `value` is the name of a variable between percent signs: %DB_PASSWORD_1%."""
    return len(value) > 2 and value[0] == value[-1] == "%"


def repetition_share(value: str) -> float:
    """Return the share of `value` in rows of equal characters, or of consecutive ones in either direction.

    >>> repetition_share("aaaa"), repetition_share("12345xyz"), repetition_share("a7k2")
    (1.0, 0.625, 0.0)
    """
    total, at = 0, 0
    while at < len(value):
        equal, steps = _row_length(value, at, 0), max(_row_length(value, at, 1), _row_length(value, at, -1))
        found = max(equal if equal >= _EQUAL else 0, steps if steps >= _STEPS else 0)
        total += found
        at += found or 1
    return total / len(value) if value else 0.0


def _row_length(value: str, at: int, step: int) -> int:
    """Return how many characters from `at` on differ by `step` from the previous one; 0 follows 9."""
    end = at + 1
    turns = {1: "90", -1: "09"}.get(step)
    while end < len(value) and (ord(value[end]) - ord(value[end - 1]) == step or value[end - 1 : end + 1] == turns):
        end += 1
    return end - at


def is_of_words(pieces: list[str]) -> bool:
    """Whether the pieces between signs are only words and short numbers, with at least one word of four letters.

    >>> is_of_words(["notebook", "sync", "2024"]), is_of_words(["notebook"]), is_of_words(["9f2c", "41d0"])
    (True, False, False)
    """
    words = [piece.rstrip("0123456789").lower() for piece in pieces]
    long = [word for word in words if len(word) >= _WORD]
    if len(pieces) < 2 or not long or not all(map(_PIECE.match, pieces)):
        return False
    pronounceable = 0  # words with vowels, and never five consonants in a row
    for word in long:
        parts = "".join(" " if c in _VOWELS else c for c in word).split()
        pronounceable += any(c in _VOWELS for c in word) and max(map(len, parts), default=0) < 5
    return 2 * pronounceable > len(long)


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
