"""Extract the page in an MHTML file (RFC 2557), the "save as one file" format of browsers."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from crawlers.formats.html import html_page
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

MAX_FILE = 64 * 1024 * 1024  # bytes, including the pictures of the page
MAX_PARTS = 2_000  # of one file
MAX_HEADER = 4_000  # bytes of one header; the library parses parameters in superlinear time
_HEADER = re.compile(rb"^content-[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
PAGE = ("text/html", "application/xhtml+xml")


def extract(item: Item) -> Extracted:
    """Extract the text of the first page in the file, like any other page; other frames and pictures are left out.

    Raises Unreadable: `too-large`, `damaged`, `no-text` if it contains no page.
    """
    body = item.body if isinstance(item.body, bytes) else item.body.encode()
    if len(body) > MAX_FILE or body.count(b"\n--") > MAX_PARTS:
        raise Unreadable("too-large")
    if any(len(header) > MAX_HEADER for header in _HEADER.findall(body)):
        raise Unreadable("damaged")
    with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
        parts = BytesParser(policy=default).parsebytes(body).walk()
        page = next((part for part in parts if part.get_content_type() in PAGE), None)
        if not isinstance(page, EmailMessage):
            raise Unreadable("no-text")
        inside = page.get_payload(decode=True)
        charset = page.get_content_charset("")
    if not isinstance(inside, bytes) or not inside.strip():
        raise Unreadable("no-text")
    found = html_page.extract(replace(item, body=inside, media="text/html", charset=charset))
    return replace(found, format="mhtml")
