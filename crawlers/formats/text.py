"""Plain text: decoded, line ends made one, nothing else."""

from __future__ import annotations

from crawlers.encodings.decode import decode
from crawlers.formats.html.cell_markup import plain_words
from malmoi.source import Extracted, Item


def extract(item: Item) -> Extracted:
    """The text of a plain file; dropped as `empty` or `undecodable`."""
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
    """The text of a cell; a cell that is markup loses its tags, and character references become characters."""
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
    r"""The text with "\n" at line ends, no NUL, no white space at its beginning and end.

    >>> normalise_lines("\ufeff하나\r\n둘\r셋\x00\n")
    '하나\n둘\n셋'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip(" \t\n\f\v\ufeff")
