"""Plain text: decode and normalise line ends; nothing else changes."""

from __future__ import annotations

import html
import re

from crawlers.formats.encodings.decode import decode
from crawlers.formats.html.text_lines import strip_tags
from malmoi.source import Extracted, Item

HEAVY = 3  # tags that make a cell markup; one or two may be mentioned as text
_CLOSED = re.compile(  # an end tag or a <br/> is markup, unless it is quoted or called a tag
    r"(?:</(?:p|div|span|a|b|i|u|em|strong|font|li|ul|ol|td|tr|table|h[1-6]|center|blockquote)\s?>|<br\s?/>)"
    r"(?![\"'`”’]|\s?(?:태그|tag))",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|lt|gt|amp|quot|apos|nbsp|middot|hellip|[lr][sd]quo);")
_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|em|strong|font|img|ul|ol|li|table|tbody|tr|td|th|h[1-6]|hr|pre|center|blockquote)"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)


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


def plain_words(value: str) -> str:
    r"""Return the words of a cell or field. Three tags or one end tag make it markup; fewer tags are kept as text.

    >>> plain_words("세정 &lt;1차&gt;"), plain_words("세정<br/>건조"), plain_words("<br> 태그를 쓴다.")
    ('세정 <1차>', '세정\n건조', '<br> 태그를 쓴다.')
    """
    if _CLOSED.search(value) or len(_TAG.findall(value)) >= HEAVY:
        return strip_tags(value)
    return html.unescape(value) if _REFERENCE.search(value) else value


def normalise_lines(text: str) -> str:
    r"""Normalise line ends to "\n"; remove NUL and white space at both ends.

    >>> normalise_lines("\ufeff하나\r\n둘\r셋\x00\n")
    '하나\n둘\n셋'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip(" \t\n\f\v\ufeff")
