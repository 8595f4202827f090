"""Collect a git repository at one commit."""

from __future__ import annotations

from crawlers.catalogue import Definition
from crawlers.fetch.job import Job
from malmoi.errors import SourceError
from malmoi.source import Git


def collect(job: Job, definition: Definition, access: Git) -> None:
    """Collect into the run folder of `job`, as crawlers/fetch/job.py tells."""
    raise SourceError(f"{definition.source.name}: not built yet")
