"""Host templates: choose the pages that a template is learned from, and read a page by its template.

A host with many pages gets a template (docs/templates.md). Every 100th page, chosen by the hash of its URL, is read
both ways, to measure how far a template agrees with the full extraction; if they disagree, the full one is used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from crawlers.formats import ParsedItem
from crawlers.formats.html.host_template import NO_BOX, Reading, Template, make_reader
from crawlers.formats.html.host_template_learning import AGREEMENT, Lesson, agreement
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ARCHIVED, Run, select_current
from malmoi.source import Extracted, Item

MIN_PAGES = 40  # of a host; with fewer, learning costs more than a template saves
SHARE = 8  # one in this many pages is learned from, and one in this many checked against
LEAST, MOST_LESSONS, MOST_CHECKS = 8, 32, 16  # pages
MAX_LESSON = 400_000  # bytes of a page that is learned from; the trees of all pages are in memory at once
BOTH = 100  # one in this many pages is read both ways, at the cost of a full extraction
_PLAIN = re.compile(r"https?://([a-z0-9.:-]+)(?:[/?#]|\Z)")  # URLs that need no parser, which takes ten times as long
LABEL = "template"  # "used", or why a page of a host with a template was read in full
MEASURE = "template_agreement"  # of a page that was read both ways


@dataclass(frozen=True, slots=True)
class Sample:
    """The captures of a host that its template is learned from, and those that it is checked on."""

    host: str
    lessons: tuple[IndexRow, ...]
    checks: tuple[IndexRow, ...]


@dataclass(frozen=True, slots=True)
class ReadText:
    """The extracted text, with label and measure of the document; () if the host has no template."""

    extracted: Extracted
    labels: tuple[tuple[str, str], ...] = ()
    measures: tuple[tuple[str, float], ...] = ()


def samples(runs: Sequence[Run]) -> list[Sample]:
    """Choose the pages to learn from, for each host with enough pages, by the hash of their URLs.

    A host is learned once it has enough pages, from the runs up to that point: later runs do not change its template.
    """
    seen: dict[str, set[str]] = {}
    enough: dict[str, int] = {}  # host → number of runs needed
    for number, run in enumerate(runs, 1):
        for row in run.rows:
            if _may_be_page(row) and (host := host_of(row.url)) and host not in enough:
                seen.setdefault(host, set()).add(row.url)
                if len(seen[host]) >= MIN_PAGES:
                    enough[host] = number
    found = []
    for number in sorted(set(enough.values())):
        pages: dict[str, list[IndexRow]] = {host: [] for host, least in enough.items() if least == number}
        for _, rows in select_current(runs[:number]):
            for row in rows:
                if _may_be_page(row) and (host := host_of(row.url)) in pages:
                    pages[host].append(row)
        found += [_sample(host, rows) for host, rows in pages.items()]
    return sorted(found, key=lambda sample: sample.host)


def _may_be_page(row: IndexRow) -> bool:
    return row.kind in ARCHIVED and row.status == 200 and "html" in row.media


def host_of(url: str) -> str:
    """Return host and port of a web URL, "" for any other.

    >>> host_of("https://A.kr:8080/b"), host_of("file:///a")
    ('a.kr:8080', '')
    """
    if plain := _PLAIN.match(url):
        return plain[1]
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].lower() if parts.scheme in ("http", "https") else ""


def is_read_twice(url: str) -> bool:
    """Whether a page is one of those that are read both ways."""
    return int.from_bytes(_hash(url)[:4]) % BOTH == 0


def lesson(item: Item) -> Lesson | None:
    """Make a lesson from an item; None if it is not a web page, is very large or has no text."""
    parsed = ParsedItem(item)
    if len(item.body) > MAX_LESSON or parsed.format != "html":
        return None
    found = parsed.extraction
    return Lesson(parsed.page, found.text) if found.outcome == "kept" else None


def reader(templates: Sequence[Template], full: Callable[[ParsedItem], Extracted]) -> Callable[[ParsedItem], ReadText]:
    """Return a function that reads an item by its host's template if the page fits it, or else by `full`."""
    readers = {template.host: make_reader(template) for template in templates if template.box != NO_BOX}
    names = {template.host: frozenset(template.names) for template in templates if template.names}

    def read(parsed: ParsedItem) -> ReadText:
        host = host_of(parsed.item.url)
        if parsed.format != "html" or (host not in readers and host not in names):
            return ReadText(full(parsed))
        said = _read_item(parsed, readers[host], full) if host in readers else ReadText(full(parsed))
        return _cut_names(parsed, said, names[host]) if host in names else said

    return read


def _cut_names(parsed: ParsedItem, said: ReadText, names: frozenset[str]) -> ReadText:
    from crawlers.formats.html import html_page  # see _read_item

    return replace(said, extracted=html_page.cut_names(parsed.item, parsed.page, said.extracted, names))


def _read_item(parsed: ParsedItem, by_template: Reading, full: Callable[[ParsedItem], Extracted]) -> ReadText:
    from crawlers.formats.html import html_page  # imports lxml; the process that only plans does not need it

    found, miss = html_page.extract_by(parsed.item, parsed.page, by_template)
    if miss or found is None:
        return ReadText(full(parsed), ((LABEL, miss),))
    if not is_read_twice(parsed.item.url):
        return ReadText(found, ((LABEL, "used"),))
    whole = full(parsed)
    same = agreement(found.text, whole.text)
    agrees = whole.outcome == "kept" and same >= AGREEMENT
    return ReadText(
        found if agrees else whole, ((LABEL, "used" if agrees else "disagrees"),), ((MEASURE, round(same, 4)),)
    )


def _sample(host: str, rows: Sequence[IndexRow]) -> Sample:
    ordered = sorted(rows, key=lambda row: _hash(row.url))
    share = max(LEAST, len(rows) // SHARE)
    lessons, checks = min(share, MOST_LESSONS), min(share, MOST_CHECKS)
    return Sample(host, tuple(ordered[:lessons]), tuple(ordered[lessons : lessons + checks]))


def _hash(url: str) -> bytes:
    return hashlib.sha256(url.encode()).digest()
