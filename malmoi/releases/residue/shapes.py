"""Shapes of false alarms: a closed list of classes of values, none of which can be a drawn key or a number of a person.

A person may clear all finds of one shape in a source (docs/review.md). So a shape is decided by this code alone and
never by a pattern in a file, and only keys and secrets of URLs have one: a number is cleared by document.

    capitals    the name of a setting in capitals: `NHNKCP-PG-KEY-2`
    identifier  the same in any case: `nhnkcp-pg-key-2`, `nhnkcp.pgKeyV2`
    hidden      at least SIX times X or another mask in a row, which hide that much of the key: `oW7XXXXXXq9kZ2pLr`
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from malmoi.releases.residue.settings import read_name

SHAPES: Final = ("capitals", "identifier", "hidden")
KINDS: Final = ("key", "url_secret")  # that have shapes
SIGNS: Final = "-_./"
SIX: Final = 6
MASKS: Final = "x*#?"
# Letters outside of words of settings, and words that they form: too few for a drawn key.
MOST_UNKNOWN, MOST_OTHERS = 8, 2


def find_shape(kind: str, value: str) -> str:
    """Return the shape of a value, or "" if it has none.

    >>> [find_shape("key", v) for v in ("NHNKCP-PG-KEY-2", "nhnkcp.pgKeyV2", "oW7XXXXXXq9kZ2pLr")]
    ['capitals', 'identifier', 'hidden']
    >>> [find_shape("key", v) for v in ("9f2c41d07ab84e6fb1c3", "correct-horse-battery7", "adminPass1234")]
    ['', '', '']
    """
    if kind not in KINDS:
        return ""
    if any(mask in MASKS and sum(1 for _ in row) >= SIX for mask, row in groupby(value.casefold())):
        return "hidden"
    name = read_name(value) if any(sign in value.strip(SIGNS) for sign in SIGNS) else None  # else it may be a password
    if name is None or name.unknown > MOST_UNKNOWN or name.others > MOST_OTHERS:
        return ""
    return "capitals" if value.isupper() else "identifier"
