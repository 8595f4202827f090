"""The fixed parts of one crawl: its job, source, archive, guard and throttle."""

from __future__ import annotations

from dataclasses import dataclass, field

from crawlers.catalogue import Definition
from crawlers.fetch.api_key import Key
from crawlers.fetch.archive import Archive
from crawlers.fetch.job import Job
from crawlers.fetch.throttle import Throttle
from crawlers.web.addresses import origin
from crawlers.web.ssrf_guard import Guard
from crawlers.withdrawn import find_by_address
from malmoi.erasure.tombstones import Matcher
from malmoi.source import Crawled


@dataclass(frozen=True, slots=True)
class CrawlContext:
    """The fixed parts of a crawl: none is replaced after its first request."""

    job: Job
    definition: Definition
    access: Crawled
    archive: Archive
    guard: Guard
    pace: Throttle
    key: Key | None = None
    matcher: Matcher = field(default_factory=lambda: Matcher((), b""))

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.definition.source.name

    def is_withdrawn(self, url: str) -> bool:
        """Whether nothing may be requested from `url`, because what it shows was withdrawn."""
        return find_by_address(self.matcher, self.name, url) is not None

    def remove_key(self, url: str) -> str:
        """Remove the key that an answer may have put into a URL of the source."""
        return self.key.remove_from_url(url) if self.key and self.has_key(url) else url

    def has_key(self, url: str) -> bool:
        """Whether the key belongs to the origin of a URL."""
        return self.key is not None and origin(url) in self.key.origins
