"""Collect a dump: streamed to a file, cut into blocks of records."""

from __future__ import annotations

from crawlers.catalogue import Definition
from crawlers.fetch.job import Job
from malmoi.errors import SourceError
from malmoi.source import Dump


def collect(job: Job, definition: Definition, access: Dump) -> None:
    """Collect into the run folder of `job`, as crawlers/fetch/job.py tells."""
    raise SourceError(f"{definition.source.name}: not built yet")
