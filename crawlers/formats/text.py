"""Plain text: decode and normalise line ends; nothing else changes."""

from __future__ import annotations

from crawlers.encodings.decode import decode
from crawlers.formats.html.text_lines import plain_words
from malmoi.source import Extracted, Item


def extract(item: Item) -> Extracted:
    """Return the text of a plain file; dropped as `empty` or `undecodable`."""
    if isinstance(item.body, str):
        return row(item)
    decoded = decode(item.body, item.charset)
    text = normalise_lines(decoded.text)
    reason = "undecodable" if decoded.is_undecodable else "" if text else "empty"
    return Extracted(
        text="" if reason else text,
        title=item.title,
        date=item.date,
        author=item.author,
        format="text",
        encoding=decoded.encoding,
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def row(item: Item) -> Extracted:
    """Return the text of a cell: strip tags if it is markup, and decode character references."""
    text = plain_words(item.body) if isinstance(item.body, str) else ""
    text = normalise_lines(text)
    return Extracted(
        text=text,
        title=item.title,
        date=item.date,
        author=item.author,
        format="row",
        outcome="kept" if text else "dropped",
        reason="" if text else "empty",
    )


def normalise_lines(text: str) -> str:
    r"""Normalise line ends to "\n"; remove NUL and white space at both ends.

    >>> normalise_lines("\ufeff하나\r\n둘\r셋\x00\n")
    '하나\n둘\n셋'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip(" \t\n\f\v\ufeff")
