"""Recognise files about a site among its captures: policy files, files of /.well-known/, sitemaps."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.boundary import input_errors

INSTRUMENT = "instrument"  # kind of an index row that holds no text of its source
POLICY_PATHS = frozenset(("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"))

# The root element decides: a page may contain "<urlset" as text.
_SITEMAP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^>]{0,500}>\s*|<!--(?:[^-]|-(?!->)){0,1500}-->\s*|<!DOCTYPE[^>\[]{0,500}>\s*){0,8}"
    rb"<(?:[\w-]{1,40}:)?(?:urlset|sitemapindex)[\s>/]",
    re.I,
)


def is_instrument(url: str, body: bytes) -> bool:
    """Whether a capture is a machine-readable file about a site rather than text of it: a policy file or a sitemap.

    >>> is_instrument("https://a.kr/ai.txt", b""), is_instrument("https://a.kr/m.xml", b"<urlset>")
    (True, True)
    """
    path = urlsplit(url).path
    if path in POLICY_PATHS or path.startswith("/.well-known/"):
        return True
    head = body[:2_048]
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(31).decompress(body[:4096], 2_048)
        except zlib.error:
            return False
    return bool(_SITEMAP.match(head))


class _Odd(Exception):
    """An unexpected error about one answer."""


def mark_policy_file(row: IndexRow, archive: Path) -> IndexRow:
    """Give a row the kind INSTRUMENT if its answer is robots.txt, an opt-out file or a sitemap."""
    body = b""
    if row.status == 200 and ("xml" in row.media or "gzip" in row.media):
        body = capture.read(archive, row.offset, row.record, row.payload_sha256).body
    try:
        with input_errors(_Odd):
            return replace(row, kind=INSTRUMENT) if is_instrument(row.url, body) else row
    except _Odd:  # extraction will report it
        return row
