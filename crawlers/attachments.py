"""Facts about an attached file, archived with it: the capture that links to it states its title, date and licence.

`follow` of a source returns `malmoi.source.Attachment`s. The crawler writes their facts into a header of the archived
answer, beside the id of the capture that states them, so that `items` and `evidence` of a file need no other capture.
A server cannot set this header: the crawler removes it from every answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from malmoi.archive.capture import Capture
from malmoi.errors import CaptureError
from malmoi.source import Attachment

HEADER = "X-Malmoi-Attachment"
MAX_HEADER = 32 * 1024  # bytes; the headers of an answer may have 256 KiB (malmoi/limits.py)


@dataclass(frozen=True, slots=True)
class Described:
    """The facts of one attached file, and the id of the capture that states them."""

    facts: Mapping[str, str]
    record: str


def write_header(attachment: Attachment, record: str) -> str:
    """Return the value of the header, in ASCII.

    Raises CaptureError if it is longer than MAX_HEADER: facts are names and dates, not texts.

    >>> write_header(Attachment("https://a.kr/file", (("종류", "별표"),)), "urn:uuid:1")
    '["urn:uuid:1",{"\\\\uc885\\\\ub958":"\\\\ubcc4\\\\ud45c"}]'
    """
    value = json.dumps([record, dict(attachment.facts)], separators=(",", ":"))
    if len(value) > MAX_HEADER:
        raise CaptureError(f"the facts of {attachment.url} have {len(value):,} bytes; at most {MAX_HEADER:,}")
    return value


def facts_of(header: str) -> dict[str, str]:
    """Return the facts of a header; {} for an empty one."""
    facts: dict[str, str] = json.loads(header)[1] if header else {}
    return facts


def read(capture: Capture) -> Described | None:
    """Return the facts that were archived with a capture; None for a page that `follow` named by its address alone.

    >>> head = write_header(Attachment("https://a.kr/file", (("종류", "별표"),)), "urn:uuid:1")
    >>> read(Capture("r", "https://a.kr/file", "", 200, ((HEADER, head),), b"")).facts["종류"]
    '별표'
    """
    value = capture.header(HEADER)
    if not value:
        return None
    return Described(facts_of(value), json.loads(value)[0])
