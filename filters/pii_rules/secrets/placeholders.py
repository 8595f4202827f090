"""Detect placeholder values in place of keys: joined words, repeated characters, template marks.

docs/personal-data.md says the same of the second detector, which measures it in its own way.
"""

from __future__ import annotations

from typing import Final

import re2

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
    return repetition_share(low) > _MOST_IN_ROWS or _is_woven(low) or is_of_words(pieces)


def is_variable(value: str) -> bool:
    """Whether `value` is the name of a variable between percent signs: %DB_PASSWORD_1%."""
    return len(value) > 2 and value[0] == value[-1] == "%"


def _is_woven(value: str) -> bool:
    """Whether two rows take turns (a1b2c3d4e5), or the value is a shorter piece over and over."""
    half = len(value) // 2
    repeated = half > 0 and (value + value).find(value, 1, len(value) + half) > 0
    return repeated or (
        len(value) >= _LEAST_WOVEN and all(repetition_share(value[first::2]) == 1.0 for first in (0, 1))
    )


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
    return 2 * sum(map(_is_pronounceable, long)) > len(long)


def _is_pronounceable(word: str) -> bool:
    """Whether a word has vowels and never five consonants in a row."""
    parts = "".join(" " if c in _VOWELS else c for c in word).split()
    return any(c in _VOWELS for c in word) and max(map(len, parts), default=0) < 5
