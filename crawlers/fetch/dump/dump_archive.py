"""State and archive of one collection of a dump; crawlers/fetch/dump/collector.py does the collecting."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawlers.fetch.archive import CLOSED
from crawlers.fetch.crawl_stats import say
from crawlers.fetch.job import Job
from malmoi.archive.capture_fields import BLOCK
from malmoi.errors import CallError
from malmoi.source import Source
from malmoi.storage.atomic_files import sync

OPEN = "dump.warc.gz.open"
SCHEME = BLOCK
PROGRESS_EVERY = 1.0  # seconds


@dataclass(slots=True)
class State:
    """The counts and results of one run so far."""

    source: Source
    job: Job
    known: Mapping[str, str]  # URL → record id of the current captures
    is_withheld: Callable[[bytes, str], bool] | None = None  # whether a block of one record is withdrawn
    withheld: int = 0  # records left out because they are
    seen: set[str] = field(default_factory=set)  # URLs of the blocks of this dump
    new: int = 0  # blocks written
    bytes: int = 0  # of these, decompressed
    records: int = 0
    blocked: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)
    outcome: str = "finished"
    whole: bool = False  # whether the dump was read to its end; only then are missing blocks gone
    digest: str = ""  # sha256 of the dump as sent
    sample: dict[str, Any] = field(default_factory=dict)  # the fact about the sample, if one was drawn
    said: float = float("-inf")

    def say(self, *, now: bool = False, **more: int | None) -> None:
        """Print one JSON line of progress for the caller, at most every PROGRESS_EVERY seconds."""
        if not now and time.monotonic() - self.said < PROGRESS_EVERY:
            return
        self.said = time.monotonic()
        counts = {"fetched": self.new, "pages": len(self.seen), "queued": 0, "blocked": self.blocked, **more}
        say({name: count for name, count in counts.items() if count is not None})

    def stats(self) -> dict[str, Any]:
        """Return the content of stats.json."""
        begin = f"{SCHEME}{self.source.name}/"
        gone = [url for url in self.known if url.startswith(begin) and url not in self.seen] if self.whole else []
        return {
            "fetched": self.new,
            "replayed": 0,
            "not_modified": sum(1 for url in self.seen if url in self.known) - self._count_changed(),
            "pages": len(self.seen),
            "blocked": self.blocked,
            "failed": self.failed,
            "bytes": self.bytes,
            "limit": self.job.limit,
            "finished": self.outcome,
            "error": "",
            "gone": sorted(gone),
            "dump_records": self.records,
            **({"listed": self.records} if self.whole else {}),
            **({"withdrawn": self.withheld} if self.withheld else {}),
            "sha256": self.digest,
            **self.sample,
        }

    def _count_changed(self) -> int:
        return self.new - sum(1 for url in self.seen if url not in self.known)


class BlockArchive:
    """The growing archive of a run; this process holds its lock."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / OPEN
        self._closed = run_dir / CLOSED
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise CallError(f"{run_dir}: another process collects into this folder; wait for it or stop it") from error
        self._file.truncate(0)

    def __enter__(self) -> BlockArchive:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, raw: bytes) -> None:
        """Append a record."""
        self._file.write(raw)

    def close(self) -> None:
        """Close the archive under its final name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._path.replace(self._closed)
        sync(self._closed.parent)
