"""Progress and statistics of a crawl: one line per second while it runs, and the stats at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from crawlers.fetch.archive import CLOSED, Archive, read_body
from crawlers.fetch.archive_middleware import page_of
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import LIMITS, MAX_PAGES
from crawlers.fetch.links import link_extraction
from crawlers.fetch.state import CrawlState
from malmoi.printable import escape_controls

MAX_HOSTS = 20  # most hosts in a line of progress: those with most URLs waiting


def host_of(url: str) -> str:
    """Return host and port of a URL, as counted.

    >>> host_of("http://a.kr:8000/x")
    'a.kr:8000'
    """
    return urlsplit(url).netloc


def progress(context: CrawlContext, state: CrawlState, waiting: Counter[str]) -> dict[str, Any]:
    """Return the counts that the caller shows; `waiting` is the number of queued URLs of each host."""
    return {
        "fetched": state.fetched + len(state.replayed),
        "queued": waiting.total(),
        "pages": state.pages + state.records,
        "bytes": context.archive.bytes,
        "blocked": len(state.blocked),
        "failed": len(state.failed),
        "not_modified": context.archive.revisits,
        "replayed": len(state.replayed),
        "hosts": {
            host: {
                "waiting": count,
                "delay": context.pace.delay_of(name),
                "resting": round(context.pace.rest_seconds(name), 1),
            }
            for host, count in waiting.most_common(MAX_HOSTS)
            if (name := urlsplit(f"//{host}").hostname or "") and count
        },
    }


def stats(context: CrawlContext, state: CrawlState, ended: str) -> dict[str, Any]:
    """Return the stats of a run for stats.json; counts of hosts and statuses cover all attempts at the run."""
    archive = context.archive
    answers = archive.here.values()
    began = min([state.began, *(entry.fetched for entry in answers)])
    return {
        "fetched": state.fetched,
        "replayed": len(state.replayed),
        "not_modified": archive.revisits,
        "pages": state.pages + state.records,
        "blocked": len(state.blocked),
        "failed": [{"url": url, "why": why} for url, why in sorted(state.failed.items())],
        "bytes": archive.bytes,
        "limit": context.job.limit,
        "finished": "failed" if state.error else state.outcome,
        "error": escape_controls(str(state.error or "")),
        "began": began,
        "ended": ended,
        "by_host": _count_by_host(context.archive, state),
        "blocked_by": dict(sorted(Counter(state.blocked.values()).items())),
        "failed_by": dict(sorted(Counter(why.partition(":")[0] for why in state.failed.values()).items())),
        "limits": _limits(context, state),
        "records": archive.records,
        "status": dict(sorted(Counter(str(entry.status) for entry in answers).items())),
        "left_out": dict(sorted(state.left_out.items())),
        "not_pages": sorted(state.others - state.page_urls),
        "troubled": _find_troubled(context, state),
        "gone": list(state.unnamed),
        "granted": state.granted,
        "unread_robots": state.robots,
        "terms": state.terms,
        **({"gone": sorted(state.gone)} if state.gone else {}),
        **({"oai": state.harvested} if state.harvested else {}),
        **({"listed": state.listed} if state.listed is not None else {}),
    }


def _limits(context: CrawlContext, state: CrawlState) -> dict[str, str]:
    """Return failure word → its limits, for the failures of this run and the addresses that it left out."""
    bounds = {MAX_PAGES: f"of the source file: {context.access.max_pages:,}"} if state.left_out[MAX_PAGES] else {}
    met = sorted({*(why.partition(":")[0] for why in state.failed.values()), *state.left_out})
    return bounds | {word: ", ".join(limit.describe() for limit in LIMITS[word]) for word in met if word in LIMITS}


def _count_by_host(archive: Archive, state: CrawlState) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}

    def count(urls: Iterable[str], what: str, sizes: Iterable[int]) -> None:
        for url, size in zip(urls, sizes, strict=True):
            host = found.setdefault(host_of(url), {"fetched": 0, "bytes": 0, "blocked": 0, "failed": 0})
            host[what] += size

    here = archive.here
    count(here, "fetched", (1 for _ in here))
    count(here, "bytes", (entry.size for entry in here.values()))
    count(state.blocked, "blocked", (1 for _ in state.blocked))
    count(state.failed, "failed", (1 for _ in state.failed))
    return dict(sorted(found.items()))


def _find_troubled(context: CrawlContext, state: CrawlState) -> list[str]:
    """Return the records of this run that the source calls no valid answer, those of killed attempts included."""
    archive = context.archive
    found = set(state.troubled)
    if context.definition.trouble is not None:
        mine = {archive.path, archive.path.with_name(CLOSED)}
        for entry in archive.known.values():
            asked = entry.path in mine and entry.status == 200 and entry.url in state.page_urls
            if asked and entry.record not in found:
                page = page_of(entry, entry, read_body(entry), context.name)
                if link_extraction.ask_trouble(context, page):
                    found.add(entry.record)
    return sorted(found)
