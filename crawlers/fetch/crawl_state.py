"""One crawl: its fixed parts, its changing state, the outcome of a URL, and the progress and stats made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from scrapy.http import Response

from crawlers import catalogue, withdrawn
from crawlers.catalogue import Definition
from crawlers.fetch.api_key import Key
from crawlers.fetch.archive import CLOSED, Archive, page_of, read_body
from crawlers.fetch.failures import LIMITS, MAX_PAGES, TROUBLE_FAILS
from crawlers.fetch.job import Job, Statistics, append_blocked, list_failed
from crawlers.fetch.payload import REDIRECTS
from crawlers.fetch.politeness import Throttle, utc_now
from crawlers.source_errors import Fault, catch_faults
from crawlers.web.addresses import canonical_url, join_url, origin
from crawlers.web.ssrf_guard import Guard
from malmoi.archive.capture import Capture
from malmoi.erasure.tombstones import Matcher
from malmoi.printable import escape_controls
from malmoi.source import Crawled, Trouble
from malmoi.workspace_layout import BLOCKED

MAX_HOSTS = 20  # most hosts in a line of progress: those with most URLs waiting

# Of a harvest by OAI-PMH: a list, a list that must come from the network (again), and one record.
Kind: TypeAlias = Literal["page", "sitemap", "feed", "evidence", "robots", "list", "again", "record"]
HARVEST: tuple[Kind, ...] = ("list", "again", "record")


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
        return withdrawn.find_by_address(self.matcher, self.name, url) is not None

    def remove_key(self, url: str) -> str:
        """Remove the key that an answer may have put into a URL of the source."""
        return self.key.remove_from_url(url) if self.key and self.has_key(url) else url

    def has_key(self, url: str) -> bool:
        """Whether the key belongs to the origin of a URL."""
        return self.key is not None and origin(url) in self.key.origins

    def ask_trouble(self, capture: Capture) -> Trouble | None:
        """Return the source's complaint about an answer; an answer at which trouble() fails is requested again."""
        faults: list[Fault] = []
        assert self.definition.trouble is not None
        trouble: Trouble | None = None
        with catch_faults(catalogue.find_file(self.job.source), faults.append):
            trouble = self.definition.trouble(capture)
        return Trouble("again", f"{TROUBLE_FAILS} ({faults[0].detail})") if faults else trouble


@dataclass(frozen=True, slots=True)
class Visit:
    """The outcome of one queued URL."""

    url: str  # after redirects
    response: Response | None = None
    failed: str = ""
    blocked: str = ""

    @property
    def has_page(self) -> bool:
        """Whether there is a page to read."""
        return self.response is not None and 200 <= self.response.status < 300


def redirect_target(response: Response) -> str | None:
    """Return the canonical target of a redirect; None if the response is not one, "" if the target is not a web URL."""
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or location is None:
        return None
    return canonical_url(join_url(response.url, location.decode("utf-8", "replace").strip()))


def is_downgrade(url: str, target: str) -> bool:
    """Whether a redirect leaves TLS: anybody on the network path could forge what follows.

    >>> is_downgrade("https://a.kr/", "http://a.kr/"), is_downgrade("http://a.kr/", "https://a.kr/")
    (True, False)
    """
    return url.startswith("https:") and target.startswith("http:")


def find_loops(moved: Mapping[str, str]) -> list[str]:
    """Return the URLs of `moved` (URL → redirect target) that lead back to themselves; sorted.

    >>> find_loops({"a": "b", "b": "a", "c": "a", "d": "e"})
    ['a', 'b']
    """
    loops: set[str] = set()
    done: set[str] = set()
    for start in moved:
        path: dict[str, None] = {}
        url: str | None = start
        while url is not None and url not in path and url not in done:
            path[url] = None
            url = moved.get(url)
        if url is not None and url in path:
            walked = list(path)
            loops.update(walked[walked.index(url) :])
        done |= path.keys()
    return sorted(loops)


def find_end(url: str, moved: Mapping[str, str]) -> str:
    """Return the URL to which redirects lead from `url`; a loop ends where it began."""
    seen = {url}
    while (target := moved.get(url, "")) and target not in seen:
        seen.add(target)
        url = target
    return url


@dataclass(slots=True)
class Followed:
    """Answers whose addresses follow() of the source named, and those at which it failed."""

    read: int = 0
    failed: int = 0
    in_row: int = 0  # failed, since the last that was read
    first: str = ""  # the first failure


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

    def note(self, url: str, outcome: Visit) -> None:
        """Record why a URL gave nothing; a refused one also in the file."""
        if outcome.failed:
            self.fail(url, outcome.failed)
        for place in dict.fromkeys((url, outcome.url)) if outcome.blocked else ():
            name = place
            if outcome.blocked == withdrawn.REASON:
                name = self.withheld.setdefault(place, withdrawn.mask_address(place, len(self.withheld) + 1))
            if name not in self.blocked:
                self.blocked[name] = outcome.blocked
                append_blocked(self.run_dir, {"url": name, "reason": outcome.blocked})


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


def stats(context: CrawlContext, state: CrawlState) -> dict[str, Any]:
    """Return the stats of a run for stats.json; counts of hosts and statuses cover all attempts at the run."""
    archive, left_out = context.archive, state.left_out
    facts = Statistics(
        context.job,
        began=min([state.began, *(entry.fetched for entry in archive.here.values())]),
        fetched=state.fetched,
        replayed=len(state.replayed),
        not_modified=archive.revisits,
        pages=state.pages + state.records,
        bytes=archive.bytes,
        records=archive.records,
        blocked=Counter(state.blocked.values()),
        failed=list_failed(state.failed),
    ).facts("failed" if state.error else state.outcome, str(state.error or ""))
    # Failure word → its limits, for the failures of this run and the addresses that it left out.
    bounds = {MAX_PAGES: f"of the source file: {context.access.max_pages:,}"} if left_out[MAX_PAGES] else {}
    for word in sorted({*facts["failed_by"], *left_out} & LIMITS.keys()):
        bounds[word] = ", ".join(limit.describe() for limit in LIMITS[word])
    hosts: dict[str, dict[str, int]] = {}

    def count(urls: Iterable[str], what: str) -> None:
        for url in urls:
            host = hosts.setdefault(host_of(url), {"fetched": 0, "bytes": 0, "blocked": 0, "failed": 0})
            host[what] += 1

    count(archive.here, "fetched")
    for url, entry in archive.here.items():
        hosts[host_of(url)]["bytes"] += entry.size
    count(state.blocked, "blocked")
    count(state.failed, "failed")
    return {
        **facts,
        "by_host": dict(sorted(hosts.items())),
        "limits": bounds,
        "status": dict(sorted(Counter(str(entry.status) for entry in archive.here.values()).items())),
        "left_out": dict(sorted(left_out.items())),
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


def _find_troubled(context: CrawlContext, state: CrawlState) -> list[str]:
    """Return the records of this run that the source calls no valid answer, those of killed attempts included."""
    archive = context.archive
    troubled = set(state.troubled)
    if context.definition.trouble is not None:
        mine = {archive.path, archive.path.with_name(CLOSED)}
        for entry in archive.known.values():
            asked = entry.status == 200 and entry.url in state.page_urls and entry.record not in troubled
            if (
                entry.path in mine
                and asked
                and context.ask_trouble(page_of(entry, entry, read_body(entry), context.name))
            ):
                troubled.add(entry.record)
    return sorted(troubled)
