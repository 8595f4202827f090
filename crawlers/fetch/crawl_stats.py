"""What a crawl says of itself: a line a second while it runs, and the facts at its end."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawlers.fetch.archive import CLOSED, read_body
from crawlers.fetch.archive_middleware import page_of
from crawlers.fetch.failures import LIMITS
from crawlers.fetch.links import link_extraction
from malmoi.printable import escape_controls

if TYPE_CHECKING:
    from crawlers.fetch.archive import Archive
    from crawlers.fetch.spider import Crawl

MAX_HOSTS = 20  # that a line of progress names: those with most addresses waiting


def host_of(url: str) -> str:
    """Host and port of an address, as it is counted.

    >>> host_of("http://a.kr:8000/x")
    'a.kr:8000'
    """
    return urlsplit(url).netloc


def progress(crawl: Crawl) -> dict[str, Any]:
    """The counts that the caller shows."""
    return {
        "fetched": crawl.fetched + len(crawl.replayed),
        "queued": len(crawl.queue),
        "pages": crawl.pages,
        "bytes": crawl.archive.bytes,
        "blocked": len(crawl.blocked),
        "failed": len(crawl.failed),
        "not_modified": crawl.archive.revisits,
        "replayed": len(crawl.replayed),
        "hosts": {
            host: {
                "waiting": count,
                "delay": crawl.pace.delay_of(name),
                "resting": round(crawl.pace.rest_seconds(name), 1),
            }
            for host, count in crawl.queue.waiting.most_common(MAX_HOSTS)
            if (name := urlsplit(f"//{host}").hostname or "") and count
        },
    }


def stats(crawl: Crawl, ended: str) -> dict[str, Any]:
    """The facts of a run for stats.json; what is said of hosts and statuses covers all attempts at the run."""
    archive = crawl.archive
    answers = archive.here.values()
    began = min([crawl.began, *(entry.fetched for entry in answers)])
    return {
        "fetched": crawl.fetched,
        "replayed": len(crawl.replayed),
        "not_modified": archive.revisits,
        "pages": crawl.pages,
        "blocked": len(crawl.blocked),
        "failed": [{"url": url, "why": why} for url, why in sorted(crawl.failed.items())],
        "bytes": archive.bytes,
        "limit": crawl.job.limit,
        "finished": "failed" if crawl.error else crawl.outcome,
        "error": escape_controls(str(crawl.error or "")),
        "began": began,
        "ended": ended,
        "by_host": _count_by_host(crawl),
        "blocked_by": dict(sorted(Counter(crawl.blocked.values()).items())),
        "failed_by": dict(sorted(Counter(why.partition(":")[0] for why in crawl.failed.values()).items())),
        "limits": _limits(crawl),
        "records": archive.records,
        "status": dict(sorted(Counter(str(entry.status) for entry in answers).items())),
        "left_out": dict(sorted(crawl.left_out.items())),
        "not_pages": sorted(crawl.others - crawl.page_urls),
        "troubled": _find_troubled(crawl, archive),
        "granted": crawl.granted,
        "terms": crawl.terms,
    }


def _limits(crawl: Crawl) -> dict[str, str]:
    """The word of a failure → the limits behind it, of those that this run met."""
    met = sorted({*(why.partition(":")[0] for why in crawl.failed.values()), *crawl.left_out})
    return {word: ", ".join(limit.describe() for limit in LIMITS[word]) for word in met if word in LIMITS}


def _count_by_host(crawl: Crawl) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}

    def count(urls: Iterable[str], what: str, sizes: Iterable[int]) -> None:
        for url, size in zip(urls, sizes, strict=True):
            host = found.setdefault(host_of(url), {"fetched": 0, "bytes": 0, "blocked": 0, "failed": 0})
            host[what] += size

    here = crawl.archive.here
    count(here, "fetched", (1 for _ in here))
    count(here, "bytes", (entry.size for entry in here.values()))
    count(crawl.blocked, "blocked", (1 for _ in crawl.blocked))
    count(crawl.failed, "failed", (1 for _ in crawl.failed))
    return dict(sorted(found.items()))


def _find_troubled(crawl: Crawl, archive: Archive) -> list[str]:
    """The records of this run that are no answers by the word of the source, those of killed attempts included."""
    trouble = crawl.definition.trouble
    found = set(crawl.troubled)
    if trouble is not None:
        name = crawl.definition.source.name
        mine = {archive.path, archive.path.with_name(CLOSED)}
        for entry in archive.known.values():
            asked = entry.path in mine and entry.status == 200 and entry.url in crawl.page_urls
            if asked and entry.record not in found:
                page = page_of(entry, entry, read_body(entry), name)
                if link_extraction.call_source(crawl, "trouble", entry.url, lambda page=page: trouble(page)):  # type: ignore[misc]
                    found.add(entry.record)
    return sorted(found)


def say(line: dict[str, Any]) -> None:
    """One JSON line for the caller, who may have stopped listening."""
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:  # else the interpreter complains once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
