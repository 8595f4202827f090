"""Mutable state of a crawl: URLs requested, refused and failed, and records that are not pages."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawlers import withdrawn
from crawlers.fetch.page_requests import Visit
from crawlers.fetch.politeness import utc_now
from malmoi.printable import escape_controls
from malmoi.workspace_layout import BLOCKED


@dataclass(slots=True)
class Followed:
    """Answers whose addresses follow() of the source named, and those at which it failed."""

    read: int = 0
    failed: int = 0
    in_row: int = 0  # failed, since the last that was read
    first: str = ""  # the first failure

    def count_read(self) -> None:
        """Count an answer that follow() read to its end."""
        self.read += 1
        self.in_row = 0

    def count_failed(self, why: str) -> None:
        """Count an answer at which follow() failed."""
        self.failed += 1
        self.in_row += 1
        self.first = self.first or why


@dataclass(slots=True)
class CrawlState:
    """The changing parts of a crawl. `run_dir` gets a line in `blocked.jsonl` for each refused URL."""

    run_dir: Path
    began: str = field(default_factory=lambda: utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    fetched: int = 0  # answers of the network
    replayed: set[str] = field(default_factory=set)
    pages: int = 0  # read
    records: int = 0  # of a harvest: live records that its lists named
    page_urls: set[str] = field(default_factory=set)  # requested as pages
    others: set[str] = field(default_factory=set)  # requested as robots.txt, evidence, sitemap or feed
    moved: dict[str, str] = field(default_factory=dict)  # URL → its redirect target
    blocked: dict[str, str] = field(default_factory=dict)
    robots: dict[str, str] = field(default_factory=dict)  # robots.txt that could not be read → why
    withheld: dict[str, str] = field(default_factory=dict)  # withdrawn URL → how lists name it
    failed: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)  # reason → URLs that were not even queued
    troubled: set[str] = field(default_factory=set)  # records whose answer gives no page
    gone: set[str] = field(default_factory=set)  # URLs of earlier runs that a repository no longer has or permits
    harvested: dict[str, Any] = field(default_factory=dict)  # what the next harvest must know
    granted: str = ""  # the page that permits what robots.txt forbids, if one was needed
    grant_status: int | str = ""
    terms: dict[str, Any] | None = None
    followed: Followed = field(default_factory=Followed)
    unnamed: tuple[str, ...] = ()  # attachments of earlier runs that no entry of this run names
    listed: int | None = None  # entries that the lists of a whole run name
    outcome: str = ""  # finished, limit
    error: BaseException | None = None

    def __post_init__(self) -> None:
        (self.run_dir / BLOCKED).write_bytes(b"")

    def fail(self, url: str, why: str) -> None:
        """Record why a URL, or the file it names, could not be fetched or read."""
        self.failed[url] = escape_controls(why)

    def note(self, url: str, found: Visit) -> None:
        """Record why a URL gave nothing; a refused one also in the file."""
        if found.failed:
            self.fail(url, found.failed)
        for place in dict.fromkeys((url, found.url)) if found.blocked else ():
            name = place
            if found.blocked == withdrawn.REASON:
                name = self.withheld.setdefault(place, withdrawn.mask_address(place, len(self.withheld) + 1))
            if name not in self.blocked:
                self.blocked[name] = found.blocked
                line = json.dumps({"url": name, "reason": found.blocked}, ensure_ascii=False)
                with (self.run_dir / BLOCKED).open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
