"""python -m crawlers.fetch JOB.json — exit status 0 done, 2 the call is wrong, 3 the source failed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from crawlers.addresses import canonical
from crawlers.catalogue import Definition, load
from crawlers.fetch.archive import Archive
from crawlers.fetch.job import STATS, Job, check, finished, guard_of, has_failed, read_job, write_stats
from crawlers.fetch.manners import TIMEOUT
from malmoi.errors import CallError, MalmoiError, SourceError
from malmoi.source import Dump, Git

USAGE = "python -m crawlers.fetch JOB.json: one job as a JSON object, as crawlers/fetch/job.py tells"
MAX_SIZE = 32 * 1024 * 1024  # bytes of one answer as sent


def main(argv: list[str]) -> int:
    """Run one job; returns the exit status."""
    try:
        if len(argv) != 1:
            raise CallError(USAGE)
        job = read_job(Path(argv[0]))
        definition = load(job.source)
        access = check(job, definition)
        if finished(job) is not None:
            return 0
        if isinstance(access, Dump):
            from crawlers.fetch import dump

            dump.collect(job, definition, access)
        elif isinstance(access, Git):
            from crawlers.fetch import git

            git.collect(job, definition, access)
        else:
            collect(job, definition)
    except MalmoiError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return error.status
    return 0


def collect(job: Job, definition: Definition) -> dict[str, Any]:
    """Crawl a source into its run folder and return the stats.

    Raises:
        SourceError: nothing could be collected, or the crawl was stopped before its end.
    """
    from scrapy.crawler import AsyncCrawlerProcess

    proofs = [canonical(claim.url) for claim in definition.source.claim if claim.url]
    archive = Archive(job.run_dir, job.earlier, failed=has_failed(job), proofs=proofs)
    (job.run_dir / STATS).unlink(missing_ok=True)  # of an attempt that failed
    process = AsyncCrawlerProcess(settings(job, definition))
    from crawlers.fetch.spider import Crawl, say  # needs the reactor that the process has chosen

    crawler = process.create_crawler(Crawl)
    process.crawl(crawler, job=job, definition=definition, archive=archive, guard=guard_of(definition.source))
    process.start()
    crawl = crawler.spider
    if not isinstance(crawl, Crawl) or (not crawl.outcome and crawl.error is None):
        archive.leave()
        raise SourceError(f"{definition.source.name}: stopped before the end; run the same job again to go on")
    if crawl.error is not None and not isinstance(crawl.error, SourceError):
        archive.leave()
        raise crawl.error
    say(crawl.progress())
    archive.close()
    stats = {
        "fetched": crawl.fetched,
        "replayed": len(crawl.replayed),
        "not_modified": archive.revisits,
        "pages": crawl.pages,
        "blocked": len(crawl.blocked),
        "failed": [{"url": url, "why": why} for url, why in sorted(crawl.failed.items())],
        "bytes": archive.bytes,
        "limit": job.limit,
        "finished": "failed" if crawl.error else crawl.outcome,
        "error": str(crawl.error or ""),
    }
    write_stats(job.run_dir, stats)
    if crawl.error is not None:
        raise crawl.error
    return stats


def settings(job: Job, definition: Definition) -> dict[str, Any]:
    """Scrapy's settings; what it does by itself is off unless it stands here."""
    manners = definition.source.manners
    return {
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.fetch.middleware.GuardMiddleware": 100,
            "crawlers.fetch.middleware.RobotsMiddleware": 200,
            "crawlers.fetch.middleware.RetryMiddleware": 500,
            "crawlers.fetch.middleware.ArchiveMiddleware": 900,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {"scrapy.extensions.corestats.CoreStats": 0},
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.fetch.connect.GuardedHandler",
            "https": "crawlers.fetch.connect.GuardedHandler",
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": MAX_SIZE,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": TIMEOUT,
        "DOWNLOAD_DELAY": manners.delay,
        "DOWNLOAD_DELAY_JITTER": 0,
        "CONCURRENT_REQUESTS": 64,  # the window of the spider is what binds
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.concurrency,
        "DNS_TIMEOUT": 10,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "COOKIES_ENABLED": False,
        "LOG_FILE": str(job.run_dir / "crawl.log"),
        "LOG_LEVEL": "INFO",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
