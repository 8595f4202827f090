"""python -m crawlers.fetch JOB.json: exit status 0 done, 2 wrong job, 3 the source failed, 4 its host is away."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

from crawlers.catalogue import Definition, load
from crawlers.fetch.api_key import key_of
from crawlers.fetch.archive import Archive
from crawlers.fetch.job import (
    Job,
    check,
    guard_of,
    has_failed,
    is_asked_again,
    read_finished,
    read_job,
    say,
    write_stats,
)
from crawlers.fetch.politeness import TIMEOUT
from crawlers.web.addresses import canonical_url
from malmoi import limits
from malmoi.errors import CallError, HostError, MalmoiError, SourceError, StageError, name_remedy
from malmoi.printable import escape_controls
from malmoi.source import Api, CommonCrawl, Dump, Git, OaiPmh
from malmoi.workspace_layout import STATS

USAGE = "python -m crawlers.fetch JOB.json: one job as a JSON object; see crawlers/fetch/job.py"
FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})  # errors of a full disk


def main(argv: list[str]) -> int:
    """Run one job and return the exit status."""
    try:
        if len(argv) != 1:
            raise CallError(USAGE)
        job = read_job(Path(argv[0]))
        definition = load(job.source)
        access = check(job, definition)
        if read_finished(job) is not None:
            return 0
        if isinstance(access, Dump):
            from crawlers.fetch import dump_collector

            dump_collector.collect(job, definition, access)
        elif isinstance(access, Git):
            from crawlers.fetch import git_collector

            git_collector.collect(job, definition, access)
        elif isinstance(access, CommonCrawl):
            from crawlers.fetch import common_crawl_collector

            common_crawl_collector.collect(job, definition, access)
        else:
            collect(job, definition)
    except MalmoiError as error:
        print(escape_controls(" ".join(str(error).split())), file=sys.stderr)
        return error.crawler_status if isinstance(error, HostError) else error.status
    return 0


def collect(job: Job, definition: Definition) -> dict[str, Any]:
    """Crawl a source into its run folder and return the stats.

    Raises:
        CallError: the key of the source is not set.
        SourceError: nothing could be collected, or the crawl was stopped before its end.
        StageError: the disk is full.
    """
    from scrapy.crawler import AsyncCrawlerProcess

    key = key_of(definition.source)
    failed, again = has_failed(job), is_asked_again(job)
    # Fetched again after a failed run: the pages of the licences, and of the permission for access.
    access = definition.source.access
    grant = [access.grant] if isinstance(access, Api | OaiPmh) and access.grant else []
    proofs = [canonical_url(url) for url in (*(claim.url for claim in definition.source.claim if claim.url), *grant)]
    archive = Archive(job.run_dir, job.earlier, failed=failed, again=again, proofs=proofs)
    (job.run_dir / STATS).unlink(missing_ok=True)  # of an attempt that failed
    process = AsyncCrawlerProcess(settings(job, definition))
    from crawlers.fetch.crawl_state import progress, stats
    from crawlers.fetch.oai_spider import HarvestCrawl
    from crawlers.fetch.spider import Crawl  # needs the reactor that the process has chosen

    crawler = process.create_crawler(HarvestCrawl if isinstance(access, OaiPmh) else Crawl)
    process.crawl(crawler, job=job, definition=definition, archive=archive, guard=guard_of(definition.source), key=key)
    before = sum(os.times()[:4])
    process.start()
    crawl = crawler.spider
    if not isinstance(crawl, Crawl) or (not crawl.state.outcome and crawl.state.error is None):
        archive.leave()
        raise SourceError(f"{definition.source.name}: stopped before the end; run the same job again to resume")
    if crawl.state.error is not None and not isinstance(crawl.state.error, SourceError):
        archive.leave()
        error = crawl.state.error
        if isinstance(error, OSError) and error.errno in FULL:
            raise StageError(f"{job.run_dir}: {error.strerror}; {name_remedy(error)} and run the job again")
        raise crawl.state.error
    say(progress(crawl.context, crawl.state, crawl.queue.waiting))
    archive.close()
    facts = stats(crawl.context, crawl.state) | crawl.describe_sample(sum(os.times()[:4]) - before)
    write_stats(job.run_dir, facts)
    if crawl.state.error is not None:
        raise crawl.state.error
    return facts


def settings(job: Job, definition: Definition) -> dict[str, Any]:
    """Return Scrapy's settings; its own components are off unless listed here."""
    manners = definition.source.manners
    return {
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.fetch.middlewares.GuardMiddleware": 100,
            "crawlers.fetch.middlewares.RobotsMiddleware": 200,
            "crawlers.fetch.middlewares.RetryMiddleware": 500,
            "crawlers.fetch.middlewares.TroubleMiddleware": 700,
            "crawlers.fetch.middlewares.ArchiveMiddleware": 900,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {"scrapy.extensions.corestats.CoreStats": 0},
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.fetch.connections.GuardedHandler",
            "https": "crawlers.fetch.connections.GuardedHandler",
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": limits.ANSWER_BYTES.value,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": TIMEOUT,
        "DOWNLOAD_DELAY": 0,  # crawlers/fetch/politeness.py waits instead, also for Retry-After
        "DOWNLOAD_DELAY_JITTER": 0,
        "CONCURRENT_REQUESTS": 0,  # the spider requests only what it can hold
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
