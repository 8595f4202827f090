"""Whether a word is random, as keys are, or a placeholder for a key: words, rows, references, names of algorithms.

docs/personal-data-kinds.md defines placeholders for both detectors; this one measures them by differences of code
points and shares no code with the filter. The cases of both are tests/data/pii/placeholders.jsonl.
"""

from __future__ import annotations

import string
from itertools import groupby
from typing import Final

import numpy as np

from malmoi.releases.residue.settings import NAMES, is_name, split_humps

SIGNS: Final = "-_.:#% "
PATHS: Final = ("/", "./", "../")  # beginnings of a path; elsewhere a slash may be a letter of base 64
TEMPLATES: Final = ("<", "{", "$", "...", "****", "[", "%(")
STANDS_FOR: Final = (
    "example", "your", "changeme", "placeholder", "dummy", "sample", "replace", "insert", "redacted",
)  # fmt: skip
IN_CAPITALS: Final = "EXAMPLE"  # vendors write it into sample keys in manuals
# Names of algorithms and their modes, the longest first: `AES-256-GCM`, `PBKDF2WithHmacSHA256`.
ALGORITHMS: Final = (
    "chacha20", "poly1305", "nopadding", "padding", "ed25519", "argon2", "bcrypt", "pbkdf2", "scrypt", "ecdsa", "pkcs",
    "hmac", "with", "aes", "cbc", "ccm", "ctr", "ecb", "gcm", "md5", "rsa", "sha",
)  # fmt: skip
ALIKE, CLIMBING = 4, 5  # minimum letters of a row of equal letters, and of a row of consecutive letters
LONGEST_CLUSTER: Final = 4  # consecutive consonants within a word
LONGEST_PIECE: Final = 8  # letters that repeat: a longer piece may be a key by itself
LEAST_HUMP: Final = 3  # letters of a word in camel case: random text changes case more often
LEAST_SHUFFLED: Final = 20  # letters of a key without digits
_APART: Final = str.maketrans(dict.fromkeys(SIGNS, " "))


def is_stand_in(word: str, *, is_password: bool = False) -> bool:
    """Whether `word` describes a key or its length, and is not a key.

    A password may be made of words, or have a row of digits: it is a placeholder only if one of its words names what
    belongs there, or if all of it is in rows.

    >>> [is_stand_in(w) for w in ("AWS-S3-SECRET-KEY-FOR-NOTEBOOK-SYNC", "oW7XXXXXX", "1234567890abcdef", "your-key")]
    [True, True, True, True]
    >>> is_stand_in("9f2c41d07ab84e6fb1c3")
    False
    >>> [is_stand_in(w, is_password=True) for w in ("MY-DB-PASSWORD-1", "correct-horse-battery7", "adminPass1234")]
    [True, False, False]
    """
    folded = word.casefold()
    parts = (word.replace("/", " ") if word.startswith(PATHS) else word).translate(_APART).split()
    if IN_CAPITALS in word or any(sign in folded for sign in TEMPLATES):
        return True
    if any(part.casefold().startswith(telling) for part in parts for telling in STANDS_FOR):
        return True
    if _is_algorithm(folded) or (is_name(word) and not is_password):
        return True
    words = _split_words(parts)
    if is_password:
        is_row = "xxxx" in folded or count_regular(folded) == len(folded)
        return is_row or (not NAMES.isdisjoint(words) and _is_made_of_words(parts, words))
    return _is_regular(folded) or _is_made_of_words(parts, words)


def is_shuffled(word: str) -> bool:
    """Whether the letters of a long word change case as those of random text do.

    >>> is_shuffled("iIQjflzQGNbYFJfFwMDJMnTrEoiRzRMK"), is_shuffled("getSecretKeyFromEnvironment")
    (True, False)
    """
    return len(word) >= LEAST_SHUFFLED and len(word) < LEAST_HUMP * len(split_humps(word))


def _is_regular(word: str) -> bool:
    """Whether most of a word is in rows, every second letter is in a row, or a short piece is repeated."""
    if count_regular(word) * 2 > len(word):
        return True
    if all(count_regular(half) == len(half) > ALIKE for half in (word[::2], word[1::2])):
        return True
    return 1 < len(word) // 2 >= (word + word).find(word, 1) <= LONGEST_PIECE


def count_regular(word: str) -> int:
    """Return how many letters of `word` are in a row of equal or of consecutive letters."""
    if len(word) < ALIKE:
        return 0
    codes = np.frombuffer(word.encode("utf-32-le", "replace"), np.uint32).astype(np.int64)
    steps = np.diff(codes)
    steps = np.where((codes[:-1] == ord("9")) & (codes[1:] == ord("0")), 1, steps)
    steps = np.where((codes[:-1] == ord("0")) & (codes[1:] == ord("9")), -1, steps)
    total, free = 0, 1  # a letter between two rows belongs to one of them
    for step, row in groupby(steps.tolist()):
        n = sum(1 for _ in row)
        if abs(step) <= 1 and n + 1 >= (CLIMBING if step else ALIKE):
            total += n + free
            free = 0
        else:
            free = 1
    return total


def _is_algorithm(folded: str) -> bool:
    rest = folded
    for name in ALGORITHMS:
        rest = rest.replace(name, "")
    return rest != folded and not any(map(str.isalpha, rest))


def _split_words(parts: list[str]) -> list[str]:
    """Return the words of all parts without digits at their ends, those in camel case split, in lower case."""
    return [hump.casefold() for part in parts for hump in split_humps(part.rstrip(string.digits))]


def _is_made_of_words(parts: list[str], words: list[str]) -> bool:
    """Whether two or more parts are each a word in one case or in camel case, a short number, or both."""
    stems = [part.rstrip(string.digits) for part in parts]
    tails = [len(part) - len(stem) for part, stem in zip(parts, stems, strict=True)]
    long = [word for word in words if len(word) >= 4]
    if len(parts) < 2 or not all(map(_is_word, stems)) or max(tails) > 4 or not long:
        return False
    return sum(map(_is_pronounceable, long)) * 2 > len(long)


def _is_word(stem: str) -> bool:
    """Whether a part has letters only, and few changes of case: `a`, `KEY`, `Key`, `getProperty`; or is empty."""
    if len(stem) < 2 or stem.isupper() or stem[1:].islower():
        return not stem or stem.isalpha()
    humps = split_humps(stem.removesuffix("V"))  # of a version: `apiKeyV2`
    return stem.isalpha() and all(
        len(hump) >= LEAST_HUMP and hump[1:].islower() and _is_pronounceable(hump.casefold()) for hump in humps
    )


def _is_pronounceable(word: str) -> bool:
    clusters = [(vowel, sum(1 for _ in row)) for vowel, row in groupby(word, key=lambda c: c in "aeiouy")]
    return any(vowel for vowel, _ in clusters) and all(vowel or n <= LONGEST_CLUSTER for vowel, n in clusters)
