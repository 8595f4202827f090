"""Recognise and refuse HWP 3 documents (1996–1999); they are not read."""

from __future__ import annotations

from crawlers.formats.unreadable import Unreadable
from malmoi.source import Extracted, Item

_LOCKED = 126  # offset of the word that is not 0 in a file with a password: 96 bytes after the signature of 30


def extract(item: Item) -> Extracted:
    """Always raises Unreadable: `encrypted`, `damaged` for a file that ends in its header, else
    `unsupported-version:hwp3`.

    Its characters have a code of their own (composed Hangul, and tables of symbols and old letters), and no document
    with a known text was available to verify a reader; a wrong text is worse than none.
    """
    assert isinstance(item.body, bytes)
    if len(item.body) < _LOCKED + 2:
        raise Unreadable("damaged")
    raise Unreadable("encrypted" if any(item.body[_LOCKED : _LOCKED + 2]) else "unsupported-version:hwp3")
