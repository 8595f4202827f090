"""The links of a page within bounds of time and memory; a large page is read by a process that may be ended.

libxml2 compares each attribute of a tag with all before it: a page of a megabyte that is one tag
takes hours. Nothing in its letters tells such a page safely from an honest one, so its size does.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys

from crawlers.fetch.scope import is_html, links
from malmoi.capture import Capture
from malmoi.import_path import PYTHON

SMALL = 128 * 1024  # bytes; what fits in here costs two seconds at the very worst
MAX_SECONDS = 4  # of CPU for a large page; an honest one of 16 MB takes half a second
MAX_MEMORY = 2 * 1024 * 1024 * 1024  # bytes of address space


class TooCostly(Exception):
    """A page whose links cannot be had within the bounds."""


async def links_of(capture: Capture) -> list[str]:
    """The links of a page, as `crawlers.fetch.scope.links` tells.

    Raises:
        TooCostly: the page takes more than MAX_SECONDS or MAX_MEMORY to read.
    """
    if len(capture.body) <= SMALL or not is_html(capture):
        return list(links(capture))
    head = "\n".join(" ".join(one.split()) for one in _head(capture))
    command = [*PYTHON, "-m", "crawlers.fetch.linking"]
    try:
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            input=f"{head}\n".encode("utf-8", "surrogateescape") + capture.body,
            capture_output=True,
            timeout=MAX_SECONDS * 3,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise TooCostly(capture.url) from error
    return str(done.stdout, "utf-8", "surrogateescape").split()


def _head(capture: Capture) -> tuple[str, str, str]:
    return capture.url, capture.header("content-type"), capture.header("x-robots-tag")


def main() -> None:
    """Read address, content type, robots tag and the page from standard input; print a link a line."""
    for kind, most in ((resource.RLIMIT_CPU, MAX_SECONDS), (resource.RLIMIT_AS, MAX_MEMORY), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]  # a shell may allow less, and then nobody may raise it
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))
    url, media, tag, body = sys.stdin.buffer.read().split(b"\n", 3)
    said = tuple((k, v.decode("utf-8", "surrogateescape")) for k, v in (("Content-Type", media), ("X-Robots-Tag", tag)))
    for link in links(Capture("", url.decode("utf-8", "surrogateescape"), "", 200, said, body)):
        sys.stdout.buffer.write(f"{link}\n".encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main()
