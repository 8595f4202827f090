"""Markup in cells and fields: tell it from text about tags, and reduce it to its words."""

from __future__ import annotations

import html
import re

from crawlers.formats.html.text_lines import strip_tags

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


def plain_words(value: str) -> str:
    r"""Return the words of a cell or field. Three tags or one end tag make it markup; fewer tags are kept as text.

    >>> plain_words("세정 &lt;1차&gt;"), plain_words("세정<br/>건조"), plain_words("<br> 태그를 쓴다.")
    ('세정 <1차>', '세정\n건조', '<br> 태그를 쓴다.')
    """
    if _CLOSED.search(value) or len(_TAG.findall(value)) >= HEAVY:
        return strip_tags(value)
    return html.unescape(value) if _REFERENCE.search(value) else value
