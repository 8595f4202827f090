"""What one crawl works with: its job, its source, the archive, and what holds its requests back."""

from __future__ import annotations

from dataclasses import dataclass

from crawlers.catalogue import Definition
from crawlers.fetch.api_key import Key
from crawlers.fetch.archive import Archive
from crawlers.fetch.job import Job
from crawlers.fetch.ssrf_guard import Guard
from crawlers.fetch.throttle import Throttle
from crawlers.web.addresses import origin
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

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.definition.source.name

    def without_key(self, url: str) -> str:
        """An address of ours without the key that an answer may have put into it."""
        return self.key.remove_from_url(url) if self.key and self.has_key(url) else url

    def has_key(self, url: str) -> bool:
        """Whether the key belongs to the origin of an address."""
        return self.key is not None and origin(url) in self.key.origins
