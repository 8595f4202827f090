"""Extract links within limits of time and memory; a large answer is parsed in a separate process.

libxml2 compares each attribute of a tag with all before it: a page of a megabyte that is one tag
takes hours. No cheap check of the text separates such a page safely from a harmless one, so the size decides.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from typing import Literal, TypeAlias

from crawlers.encodings.charset_labels import charset_of
from crawlers.fetch.links import sitemaps
from crawlers.fetch.links.sitemaps import Listed
from crawlers.web.scope import is_html, links
from malmoi import limits
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.limits import InputLimit
from malmoi.processes.import_path import PYTHON
from malmoi.processes.rlimits import lower_limit

Kind: TypeAlias = Literal["page", "sitemap", "feed"]

SMALL = 128 * 1024  # bytes; an answer up to this size costs two seconds at worst
WALL = 120.0  # seconds; on a busy machine CPU time advances slowly
HEADERS = ("Content-Type", "X-Robots-Tag")  # the headers that parsing uses


class Unread(Exception):
    """The URLs of an answer cannot be read; `reason` is the failure word, with the limit or the exception."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooCostly(Unread):
    """An answer that exceeds the limits of parsing."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"too-costly: {_seconds(kind).describe()}, {limits.PARSE_MEMORY_BYTES.describe()}")


async def links_of(capture: Capture) -> list[str]:
    """Return the links of a page, as `crawlers.web.scope.links` does. Raises Unread."""
    return (await addresses_of(capture, "page")).pages


async def addresses_of(capture: Capture, kind: Kind) -> Listed:
    """Return the URLs in a page, a sitemap or a feed.

    Raises:
        Unread: nothing could be read.
    """
    if not capture.body.startswith(sitemaps.GZIP) and (
        len(capture.body) <= SMALL or (kind == "page" and not is_html(capture))
    ):
        return _read(capture, kind)
    return await asyncio.to_thread(_read_in_process, capture, kind)


def _seconds(kind: Kind) -> InputLimit:
    return limits.PARSE_SECONDS if kind == "page" else limits.LIST_SECONDS


def _read(capture: Capture, kind: Kind) -> Listed:
    """Parse an answer; raise Unread for any error of a library."""
    with input_errors(lambda name: Unread(f"unreadable: {name}"), Unread):
        try:
            if kind == "page":
                return Listed([], list(links(capture)), [])
            charset = charset_of(capture.header("content-type"))
            if kind == "feed":
                return sitemaps.parse_feed(capture.body, capture.url, charset)
            return sitemaps.parse_sitemap(capture.body, charset)
        except sitemaps.NotAList as error:
            raise Unread(str(error)) from error
        except sitemaps.BadCoding as error:
            raise Unread(error.reason) from error


def _read_in_process(capture: Capture, kind: Kind) -> Listed:
    head = [kind, capture.url, *(capture.header(name) for name in HEADERS)]
    try:
        done = subprocess.run(
            [*PYTHON, "-m", "crawlers.fetch.links.link_process"],
            input=json.dumps(head).encode() + b"\n" + capture.body,
            capture_output=True,
            timeout=WALL,
            check=True,
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise TooCostly(kind) from error
    if "unread" in answer:
        raise Unread(answer["unread"])
    return Listed(**answer)


def main() -> None:
    """Read kind, URL and headers as a line of JSON, then the answer; print the result as JSON."""
    lower_limit(resource.RLIMIT_AS, limits.PARSE_MEMORY_BYTES.value)
    lower_limit(resource.RLIMIT_CORE, 0)
    kind, url, *values = json.loads(sys.stdin.buffer.readline())
    # Parsing a list checks the clock itself and returns what it has read by then; parsing a page cannot.
    seconds = _seconds(kind).value * (1 if kind == "page" else 2)
    lower_limit(resource.RLIMIT_CPU, seconds)
    headers = tuple(zip(HEADERS, values, strict=True))
    try:
        found = _read(Capture("", url, "", 200, headers, sys.stdin.buffer.read()), kind)._asdict()
    except Unread as error:
        found = {"unread": error.reason}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
