"""Tell words that are random, as keys are, from placeholders for a key, and name the shapes of false alarms.

docs/personal-data-kinds.md defines placeholders for both detectors; this one measures them by differences of code
points and shares no code with the filter. The cases of both are tests/data/pii/placeholders.jsonl.

Shapes are a closed list of classes of values, none of which can be a drawn key or a number of a person. A person may
clear all finds of one shape in a source (docs/review.md). So a shape is decided by this code alone and never by a
pattern in a file, and only keys and secrets of URLs have one: a number is cleared by document.

    capitals    the name of a setting in capitals: `NHNKCP-PG-KEY-2`
    identifier  the same in any case: `nhnkcp-pg-key-2`, `nhnkcp.pgKeyV2`
    hidden      at least SIX times X or another mask in a row, which hide that much of the key: `oW7XXXXXXq9kZ2pLr`
"""

from __future__ import annotations

import string
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

MOST_DIGITS: Final = 4  # of a name: `S3`, `V2`, `2024`
# Words that name what belongs in their place: they distinguish a placeholder from a password of words.
NAMES: Final = frozenset("password passwd pass pwd pw passphrase secret key token credential credentials".split())
VOCABULARY: Final = NAMES | frozenset(
    "access account admin api app application auth aws azure backend base64 bearer bot bucket build callback cert "
    "change client cloud code config console credentials database db default demo deploy dev docker env example "
    "file firebase for from frontend gcp generated github gitlab google here host http https iam id insert instance "
    "issuer jwt k8s kakao kms kubernetes local localhost login master mongo my mysql name namespace naver notebook "
    "oauth of openai oracle output path payment postgres private prod production project property public redis "
    "refresh region registry release role root s3 sample sdk server service session settings shared sign sql ssh "
    "ssl stage storage string sync system template temp test the this tls to url user username value var vault "
    "variable version web webhook v with write your".split()
)
SHAPES: Final = ("capitals", "identifier", "hidden")
SHAPED: Final = ("key", "url_secret")  # that have shapes
JOINING: Final = "-_./"
_LETTERS: Final = frozenset(string.ascii_letters + string.digits + JOINING)
SIX: Final = 6
HIDING: Final = "x*#?"
# Letters outside of words of settings, and words that they form: too few for a drawn key.
MOST_UNKNOWN, MOST_OTHERS = 8, 2
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
_APART: Final = str.maketrans(dict.fromkeys("-_.:#% ", " "))


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
    rest = folded
    for name in ALGORITHMS:
        rest = rest.replace(name, "")
    if (rest != folded and not any(map(str.isalpha, rest))) or (is_name(word) and not is_password):
        return True
    words = [hump.casefold() for part in parts for hump in split_humps(part.rstrip(string.digits))]
    if is_password:
        is_row = "xxxx" in folded or count_regular(folded) == len(folded)
        return is_row or (not NAMES.isdisjoint(words) and _is_made_of_words(parts, words))
    in_rows = count_regular(folded) * 2 > len(folded)  # or every second letter, or a short piece is repeated
    in_rows = in_rows or all(count_regular(half) == len(half) > ALIKE for half in (folded[::2], folded[1::2]))
    is_repeated = 1 < len(folded) // 2 >= (folded + folded).find(folded, 1) <= LONGEST_PIECE
    return in_rows or is_repeated or _is_made_of_words(parts, words)


def is_shuffled(word: str) -> bool:
    """Whether the letters of a long word change case as those of random text do.

    >>> is_shuffled("iIQjflzQGNbYFJfFwMDJMnTrEoiRzRMK"), is_shuffled("getSecretKeyFromEnvironment")
    (True, False)
    """
    return len(word) >= LEAST_SHUFFLED and len(word) < LEAST_HUMP * len(split_humps(word))


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


def find_shape(kind: str, value: str) -> str:
    """Return the shape of a value, or "" if it has none.

    >>> [find_shape("key", v) for v in ("NHNKCP-PG-KEY-2", "nhnkcp.pgKeyV2", "oW7XXXXXXq9kZ2pLr")]
    ['capitals', 'identifier', 'hidden']
    >>> [find_shape("key", v) for v in ("9f2c41d07ab84e6fb1c3", "correct-horse-battery7", "adminPass1234")]
    ['', '', '']
    """
    if kind not in SHAPED:
        return ""
    if any(mask in HIDING and sum(1 for _ in row) >= SIX for mask, row in groupby(value.casefold())):
        return "hidden"
    name = (
        read_name(value) if any(sign in value.strip(JOINING) for sign in JOINING) else None
    )  # else it may be a password
    if name is None or name.unknown > MOST_UNKNOWN or name.others > MOST_OTHERS:
        return ""
    return "capitals" if value.isupper() else "identifier"


class Name(NamedTuple):
    """The letters of a name of a setting, in words that settings have and in others, and the number of the others."""

    known: int
    unknown: int
    others: int


def read_name(value: str) -> Name | None:
    """Return the letters of a value that may be the name of a setting; None if it has no such form.

    It has two or more words, one of NAMES among them, and at most MOST_DIGITS digits.

    >>> read_name("NHN-KCP-SDK-KEY-2"), read_name("jwtKeyV1"), read_name("9f2c41d07ab84e6fb1c3")
    (Name(known=6, unknown=6, others=2), Name(known=7, unknown=0, others=0), None)
    """
    if not set(value) <= _LETTERS or sum(map(str.isdigit, value)) > MOST_DIGITS:
        return None
    stems = "".join(c if c.isalpha() else " " for c in value).split()
    words = [hump.casefold() for stem in stems for hump in split_humps(stem)]
    if len(words) < 2 or not any(word in NAMES and len(word) > 2 for word in words):
        return None
    others = [word for word in words if word not in VOCABULARY]
    unknown = sum(map(len, others))
    return Name(sum(map(len, words)) - unknown, unknown, len(others))


def is_name(value: str) -> bool:
    """Whether at least half of the letters of a value are those of a setting.

    >>> is_name("AWS-KMS-KEY-1"), is_name("k8sSecretKeyV1"), is_name("NHNKCP-PG-KEY-2")
    (True, True, False)
    """
    name = read_name(value)
    return name is not None and name.known >= name.unknown


def split_humps(stem: str) -> list[str]:
    """Split a word in camel case.

    >>> split_humps("getAPIKey"), split_humps("BuildConfig"), split_humps("KEY")
    (['get', 'API', 'Key'], ['Build', 'Config'], ['KEY'])
    """
    cuts = [
        i
        for i in range(1, len(stem))
        if stem[i].isupper() and (not stem[i - 1].isupper() or (i + 1 < len(stem) and stem[i + 1].islower()))
    ]
    return [stem[start:end] for start, end in zip([0, *cuts], [*cuts, len(stem)], strict=True) if start < end]
