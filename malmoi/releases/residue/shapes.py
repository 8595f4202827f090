"""Shapes of false alarms: a closed list of classes of values, none of which can be a drawn key or a number of a person.

A person may clear all finds of one shape in a source (docs/review.md). So a shape is decided by this code alone and
never by a pattern that somebody writes, and only keys and secrets of URLs have one: a number is cleared by document.

    capitals    words in capitals, one of which names what belongs there: `NHN-KCP-SDK-KEY-2`
    identifier  the same in any case, as in programs and configuration: `k8sSecretKeyV1`, `oauth2-client-secret`
    hidden      at least SIX times X or another mask in a row, which hide that much of the key: `oW7XXXXXXq9kZ2pLr`
"""

from __future__ import annotations

import string
from itertools import groupby
from typing import Final

from malmoi.releases.residue.random_words import NAMES, split_humps

SHAPES: Final = ("capitals", "identifier", "hidden")
KINDS: Final = ("key", "url_secret")  # that have shapes
SIX: Final = 6
MASKS: Final = "x*#?"
MOST_DIGITS: Final = 4  # of an identifier: `S3`, `V2`, `2024`
_LETTERS: Final = frozenset(string.ascii_letters + string.digits + "-_.:/")
# Words of names of settings. They make half of the letters of an identifier, so neither a key in groups of letters nor
# a password of words is one.
VOCABULARY: Final = NAMES | frozenset(
    "access account admin api app application auth aws azure backend base64 bearer bot bucket build callback cert "
    "change client cloud code config console credentials database db default demo deploy dev docker env example "
    "file firebase for from frontend gcp generated github gitlab google here host http https iam id insert instance "
    "issuer jwt k8s kakao kms kubernetes local localhost login master mongo my mysql name namespace naver notebook "
    "oauth of openai oracle output path payment postgres private prod production project property public redis "
    "refresh region registry release role root s3 sample sdk server service session settings shared sign sql ssh "
    "ssl stage storage string sync system template temp test the this tls to url user username value var vault "
    "variable version web webhook with write your".split()
)


def find_shape(kind: str, value: str) -> str:
    """Return the shape of a value, or "" if it has none.

    >>> [find_shape("key", v) for v in ("NHN-KCP-SDK-KEY-2", "k8sSecretKeyV1", "oW7XXXXXXq9kZ2pLr")]
    ['capitals', 'identifier', 'hidden']
    >>> find_shape("key", "9f2c41d07ab84e6fb1c3"), find_shape("key", "correct-horse-battery7"), find_shape("rrn", "KEY")
    ('', '', '')
    """
    if kind not in KINDS or not value.isascii():
        return ""
    if any(mask in MASKS and sum(1 for _ in row) >= SIX for mask, row in groupby(value.casefold())):
        return "hidden"
    if not _is_identifier(value):
        return ""
    return "capitals" if value.isupper() else "identifier"


def _is_identifier(value: str) -> bool:
    """Whether a value consists of words of settings and few digits, and a word names what belongs in its place."""
    if not set(value) <= _LETTERS or sum(map(str.isdigit, value)) > MOST_DIGITS:
        return False
    stems = "".join(c if c.isalpha() else " " for c in value).split()
    words = [hump.casefold() for stem in stems for hump in split_humps(stem)]
    known = sum(len(word) for word in words if word in VOCABULARY)
    return len(words) > 1 and known * 2 >= sum(map(len, words)) and not NAMES.isdisjoint(words)
