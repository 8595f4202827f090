"""The sample site of `malmoi demo`: pages written for this project, served on loopback.

It contains every kind of mark, so no licence is claimed for the whole site; each page has its own.
Ids are the paths of the pages, whatever the port.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from crawlers import defaults
from malmoi.archive.capture import Capture
from malmoi.source import Expect, Item, LicenceRule, Manners, Site, Source

PORT = int(os.environ.get("MALMOI_SAMPLE_PORT", "8753"))
BASE = f"http://127.0.0.1:{PORT}"

SOURCE = Source(
    name="sample",
    title="말모이 견본 누리집",
    publisher="말모이 견본 누리집",
    access=Site(start=(f"{BASE}/",), scope=(f"{BASE}/",)),
    rule=LicenceRule(
        proofs=("kogl-block", "rel-license"),
        selector=((f"{BASE}/", ".kogl, .codeView01, #menuNuri, .gongBox, .ccl"),),
    ),
    expect=Expect(at_least=60, at_most=200),
    manners=Manners(delay=0.0, concurrency=4, loopback=(f"127.0.0.1:{PORT}",)),
    attribution="{publisher}, 「{title}」, {url}, {licence}",
    note="Written for the project; see docs/sample-site.md for what is planted where.",
)


def items(capture: Capture) -> Iterator[Item]:
    """Yield the page, with its path (and query) as key, so that ids do not depend on the port."""
    parts = urlsplit(capture.url)
    for item in defaults.items(capture):
        yield replace(item, key=parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else ""))
