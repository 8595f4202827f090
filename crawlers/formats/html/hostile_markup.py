"""Remove markup that would cost a parser minutes (denial of service)."""

from __future__ import annotations

import re

LONG_PAGE = 200_000  # bytes; a shorter page cannot hold enough attributes to take a second
LONG_TAG = 10_000  # bytes
MAX_ATTRIBUTES = 1_000  # of one tag; libxml2 compares each attribute with all earlier ones

_START = re.compile(rb"<(?:!--|[A-Za-z][A-Za-z0-9:-]{0,40})")
_PLAIN = re.compile(rb"[^\"'>]*")
_RAW = (b"<script", b"<style", b"<textarea", b"<title")  # contain raw text: < and quotes have no meaning in them


def thin_attributes(raw: bytes) -> bytes:
    """Remove the attributes of every tag that has more than a thousand; single pass, over long pages only.

    >>> page = b"<p " + b"a=1 " * 60_000 + b">" + b"x" * 10
    >>> thin_attributes(page)
    b'<p>xxxxxxxxxx'
    """
    if len(raw) < LONG_PAGE:
        return raw
    parts: list[bytes] = []
    kept = at = 0
    while (match := _START.search(raw, at)) is not None:
        name = match.group().lower()
        if name == b"<!--":
            at = _find_end(raw, b"-->", match.end())
            continue
        end, attributes = _scan_tag(raw, match.end())
        if end - match.start() > LONG_TAG and attributes > MAX_ATTRIBUTES:
            parts += (raw[kept : match.end()], b">")
            kept = end
        at = end
        if name in _RAW:
            at = _find_end(raw, b"</" + name[1:], end)
    return b"".join((*parts, raw[kept:])) if parts else raw


def _scan_tag(raw: bytes, start: int) -> tuple[int, int]:
    """Return the end of the tag, and an upper bound of its number of attributes.

    Only a quote after an equals sign encloses a value; any other is a character of a name, as for a parser.
    """
    at = start
    words = 0
    while True:
        plain = _PLAIN.match(raw, at)
        end = plain.end() if plain else at
        before = raw[at:end].split() if end > at else []
        words += len(before)
        if end >= len(raw) or raw[end] == 0x3E:
            return min(end + 1, len(raw)), words
        if not before or not before[-1].endswith(b"="):
            at = end + 1
            continue
        closing = raw.find(raw[end : end + 1], end + 1)
        if closing < 0:
            return len(raw), words
        words += 1
        at = closing + 1


def _find_end(raw: bytes, mark: bytes, start: int) -> int:
    found = re.compile(re.escape(mark), re.IGNORECASE).search(raw, start)
    return found.end() if found else len(raw)
