"""Parse and check the job of one crawl; list the files that a run writes.

The run folder, when the process has ended:

    pages.warc.gz        every answer of this run: one gzip member per record; closed by renaming
    pages.warc.gz.open   the same while the run is not over; after a kill it is continued
    blocked.jsonl        {"url", "reason"}: URLs that were not fetched, and which rule forbade it
    resting.txt          URLs where a host asked for a long pause, one per line; only if a host did
    crawl.log            Scrapy's log; URLs and counts, no text
    stats.json           written last: if it exists, the run is over; it says how (crawlers/fetch/crawl_state.py);
                         "not_pages": URLs requested as robots.txt, evidence, sitemap or feed;
                         "troubled": ids of records that the source says are not valid answers

None of them holds the key of an API.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawlers.catalogue import Definition
from crawlers.catalogue import addresses as addresses_of
from crawlers.fetch.archive import CLOSED
from crawlers.fetch.politeness import utc_now
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import first_of
from crawlers.web.ssrf_guard import Guard, refuse_url
from crawlers.withdrawn import read_matcher
from malmoi.archive import collection
from malmoi.archive.collection import Run
from malmoi.canonical_json import canonical_json
from malmoi.erasure.tombstones import Matcher
from malmoi.errors import CallError
from malmoi.printable import escape_controls
from malmoi.source import (
    Api,
    CommonCrawl,
    Crawled,
    Dump,
    Feed,
    Folder,
    Git,
    Site,
    Sitemap,
    Source,
    TermsCheck,
    Warc,
)
from malmoi.statistics import Sample
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace_layout import BLOCKED, STATS

ASK_AGAIN = "ask_again"  # in the stats of a failed run: its lists were not believed, so none of its answers is reused
KEYS = frozenset("source run_dir earlier limit sample contact user_agent_suffix terms withdrawals erasure_key".split())


@dataclass(frozen=True, slots=True)
class Job:
    """What to collect, where to write it, and who answers for it."""

    source: str  # name in the catalogue, or path of a .py file
    run_dir: Path
    earlier: tuple[Path, ...] = ()  # run folders, oldest first
    limit: int | None = None  # pages
    sample: Sample | None = None  # draw a sample instead of collecting everything
    contact: str | None = None  # mail address or page of the operator
    user_agent_suffix: str | None = None
    terms: TermsCheck | None = None  # recorded by the operator for a source that ships unreviewed
    tombstones: tuple[str, str] | None = None  # the file of tombstones, and the key of values

    @property
    def matcher(self) -> Matcher:
        """The tombstones that this run honours."""
        return read_matcher(self.tombstones)


@dataclass(slots=True)
class Statistics:
    """What every collector counts in a run; a crawl by addresses also has the time at which it began."""

    job: Job
    began: str = ""
    fetched: int = 0  # answers or records that were archived
    replayed: int = 0  # answers of this run that were archived before it was killed
    not_modified: int = 0  # answers or records that an earlier run holds
    pages: int = 0
    bytes: int = 0  # of payload
    records: int = 0  # of the archive of a crawl by addresses
    blocked: Counter[str] = field(default_factory=Counter)  # reason → addresses
    failed: list[dict[str, str]] = field(default_factory=list)  # address and why
    left_out: Counter[str] = field(default_factory=Counter)  # reason → entries of a list that were not requested

    def block(self, row: Mapping[str, str]) -> None:
        """Count an address that a rule forbids, and write its row, url and reason, to the run folder."""
        self.blocked[row["reason"]] += 1
        append_blocked(self.job.run_dir, row)

    def report(self, **more: Any) -> None:
        """Print one line of progress for the caller."""
        say({"fetched": self.fetched, "queued": 0, "blocked": self.blocked.total(), **more})

    def facts(self, finished: str, error: str = "") -> dict[str, Any]:
        """Return the part of stats.json that all collectors share; `finished` is finished, limit or failed."""
        facts = {
            "fetched": self.fetched,
            "replayed": self.replayed,
            "not_modified": self.not_modified,
            "pages": self.pages,
            "blocked": self.blocked.total(),
            "failed": self.failed,
            "bytes": self.bytes,
            "limit": self.job.limit,
            "finished": finished,
            "error": escape_controls(error),
        }
        if self.began:
            failed_by = Counter(row["why"].partition(":")[0] for row in self.failed)
            facts |= {
                "began": self.began,
                "ended": f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
                "blocked_by": dict(sorted(self.blocked.items())),
                "failed_by": dict(sorted(failed_by.items())),
                "records": self.records,
            }
        return facts


def append_blocked(run_dir: Path, row: Mapping[str, str]) -> None:
    """Append the row of an address that a rule forbids, with its keys in the order of `row`."""
    with (run_dir / BLOCKED).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def list_failed(failed: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rows of failed addresses (address → why), by address."""
    return [{"url": url, "why": escape_controls(why)} for url, why in sorted(failed.items())]


def read_job(path: Path) -> Job:
    """Read the job in a JSON file.

    Raises:
        CallError: the file is missing, is not such a JSON object, or names a missing run.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CallError(f"{path}: cannot be read as JSON ({error}); write one job as a JSON object") from error
    if not isinstance(said, dict) or not {"source", "run_dir"} <= said.keys() <= KEYS:
        raise CallError(f"{path}: a job has source and run_dir, and may have {', '.join(sorted(KEYS))}; no other key")
    for key in ("source", "run_dir", "limit", "contact", "user_agent_suffix", "withdrawals", "erasure_key"):
        value, kind = said.get(key), int if key == "limit" else str
        is_absent = value is None and key not in ("source", "run_dir")
        if not is_absent and (isinstance(value, bool) or not isinstance(value, kind)):
            what = "a whole number" if key == "limit" else "text"
            raise CallError(f"{path}: {key} is {value!r}; it must be {what}")
    earlier = said.get("earlier") or []
    if not isinstance(earlier, list) or not all(isinstance(folder, str) for folder in earlier):
        raise CallError(f"{path}: earlier must be a list of run folders")
    for folder in earlier:
        if not (Path(folder) / CLOSED).is_file():
            raise CallError(f"{path}: the earlier run {folder} has no {CLOSED}; leave out runs that are not over")
    if said.get("limit") is not None and said["limit"] < 1:
        raise CallError(f"{path}: limit is {said['limit']}; give at least 1, or null for all pages")
    for key in ("contact", "user_agent_suffix"):
        if not (said.get(key) or "").isprintable() or not (said.get(key) or "").isascii():
            raise CallError(f"{path}: {key} must be printable ASCII, because it becomes a header")
    return Job(
        said["source"],
        Path(said["run_dir"]),
        tuple(Path(folder) for folder in earlier),
        said.get("limit"),
        _parse_sample(path, said.get("sample")),
        said.get("contact"),
        said.get("user_agent_suffix"),
        _parse_terms(path, said.get("terms")),
        (said["withdrawals"], said.get("erasure_key") or "") if said.get("withdrawals") else None,
    )


def check(job: Job, definition: Definition) -> Crawled | Dump | Git | CommonCrawl:
    """Return the access point of a source that may be collected; called before anything is fetched.

    Raises:
        CallError: the source is not on the network, names no address to begin with, or has no operator who answers
            for the crawl.
    """
    source = definition.source
    access = source.access
    if isinstance(access, Folder | Warc):
        raise CallError(f"{source.name}: a {type(access).__name__} is not fetched; it is read from disk")
    if isinstance(access, Site | Sitemap | Feed | Api) and not (first_of(access) and access.scope):
        known = f" Note of its file: {source.note}" if source.note else ""
        raise CallError(f"{source.name}: declares no start address or no scope; add both to {job.source}.{known}")
    if needs_permission(source):
        if not job.contact or not ("@" in job.contact or "://" in job.contact):
            raise CallError(
                f"{source.name}: a crawl of the open web needs an operator who answers for it; "
                "give a contact, a mail address or the address of a page about this crawl"
            )
        terms = job.terms or source.terms
        own = job.source.endswith(".py")  # a source that ships with the catalogue has no operator
        if terms is None:
            raise CallError(
                f"{source.name}: no check of its terms is recorded; read the terms of {source.publisher}, then say "
                f"`malmoi sources terms {job.source} --reviewer … --page … --verdict allowed|forbidden`"
                + (f", or add terms=TermsCheck(reviewer, date, url, verdict) to {job.source}" if own else "")
            )
        if terms.verdict != "allowed":
            raise CallError(
                f"{source.name}: its terms forbid collecting, according to {terms.reviewer} on {terms.date} "
                f"({terms.url}); ask {source.publisher} for permission or leave the source out"
            )
    return access


def needs_permission(source: Source) -> bool:
    """Whether a collection asks a host that the source does not declare as a loopback exception.

    It then needs an operator who answers for it, and a check of the terms.
    """
    if isinstance(source.access, Folder | Warc):
        return False
    guard = guard_of(source)
    asked = [*addresses_of(source), *(claim.url for claim in source.claim if claim.url)]
    return not all(is_loopback(canonical_url(url), guard) for url in asked)


def guard_of(source: Source) -> Guard:
    """Return the guard with the loopback exceptions of a source."""
    return Guard.allow_loopback(source.manners.loopback)


def read_finished(job: Job) -> dict[str, Any] | None:
    """Return the stats of a finished run with nothing left to fetch, or None."""
    stats = _stats(job)
    done = stats.get("finished") == "finished" or (stats.get("finished") == "limit" and stats["limit"] == job.limit)
    return stats if done and (job.run_dir / CLOSED).exists() else None


def has_failed(job: Job) -> bool:
    """Whether the run ended because the source could not be collected."""
    return _stats(job).get("finished") == "failed"


def is_asked_again(job: Job) -> bool:
    """Whether the run failed without a page, or because of its lists: its answers, with status 200, are of no use."""
    stats = _stats(job)
    return has_failed(job) and (not stats.get("pages") or bool(stats.get(ASK_AGAIN)))


def earlier_runs(job: Job) -> list[Run]:
    """Return the finished runs that the job names, oldest first."""
    wanted = {folder.resolve() for folder in job.earlier}
    homes = sorted({folder.parent for folder in wanted})
    return [run for home in homes for run in collection.runs(home) if run.folder.resolve() in wanted]


def write_stats(run_dir: Path, stats: dict[str, Any]) -> None:
    """Write stats.json atomically."""
    replace_file(run_dir / STATS, canonical_json(stats))


def say(line: dict[str, Any]) -> None:
    """Print one JSON line for the caller, which may have closed its end of the pipe."""
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:  # otherwise the interpreter complains again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stats(job: Job) -> dict[str, Any]:
    try:
        stats: dict[str, Any] = json.loads((job.run_dir / STATS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stats


def is_loopback(url: str, guard: Guard) -> bool:
    """Whether the guard permits a URL only because its source declares the address as a loopback exception."""
    return guard.check_url(url) is None and refuse_url(url) is not None


def _parse_terms(path: Path, said: Any) -> TermsCheck | None:
    if said is None:
        return None
    keys = {"reviewer", "date", "url", "verdict"}
    if not isinstance(said, dict) or said.keys() != keys or not all(isinstance(v, str) and v for v in said.values()):
        raise CallError(f"{path}: terms must be an object of texts with {', '.join(sorted(keys))}")
    if said["verdict"] not in ("allowed", "forbidden"):
        raise CallError(f"{path}: the verdict of terms is {said['verdict']!r}; it must be allowed or forbidden")
    return TermsCheck(said["reviewer"], said["date"], said["url"], said["verdict"])


def _parse_sample(path: Path, said: Any) -> Sample | None:
    if said is None:
        return None
    if not isinstance(said, dict) or said.keys() != {"size", "seed"} or not isinstance(said["seed"], str):
        raise CallError(f"{path}: sample must be an object with size, a number, and seed, a text")
    if not isinstance(said["size"], int) or said["size"] < 1:
        raise CallError(f"{path}: the size of sample is {said['size']!r}; it must be at least 1")
    return Sample(said["size"], said["seed"])
