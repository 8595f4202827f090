"""Inputs of a release: finished stage folders, the tables of copies, and declared facts of the sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from malmoi.ablation import Ablation
from malmoi.licensing.review_decisions import Decision
from malmoi.publisher import UNNAMED, Publisher
from malmoi.releases.kept_parts import Kept
from malmoi.releases.partitioning import Shares
from malmoi.releases.residue import Outcome, outcomes
from malmoi.releases.sampling.inspection import Inspection
from malmoi.releases.sampling.wrong_grants import Sample


class Redact(Protocol):
    """Redaction of strings that no filter has processed; picklable."""

    def __call__(self, text: str, /, *, phrase: bool = False, shown: str = "") -> str:
        """Return `text` without personal data, but for what `shown`, the published text of its document, has as well.

        `phrase`: a title, an author, an address or an id. Names stay: in it they look like other words.
        """


def bind_phrases(redact: Redact | None) -> Callable[[str], str] | None:
    """Return the redaction of titles, authors, addresses and ids."""
    return None if redact is None else partial(redact, phrase=True)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The declaration of a source at the time of the release."""

    name: str
    title: str
    publisher: str
    access: str  # "Site", "Sitemap", "Folder", "Warc" …
    licences: tuple[str, ...]  # licence ids that it claims; () if each item has its own
    register: str = ""
    domain: str = ""
    terms: str = ""  # outcome of the terms check, in words; "" = none recorded
    attribution: str = ""  # template; {title} {author} {year} {url} {publisher} {licence}
    note: str = ""


@dataclass(frozen=True, slots=True, order=True)
class PolicyAnswer:
    """The answer of a host for one of its policy files."""

    source: str
    site: str  # "https://a.kr": scheme, host, port
    file: str  # robots, ai-txt, tdmrep
    outcome: str  # read, absent
    record: str  # id of the archived answer
    asked_at: str  # UTC, ISO 8601; a repeated answer keeps record and time of the first


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides the bytes of a release; no clock."""

    name: str
    purpose: str
    recipe_name: str
    recipe_digest: str
    shards: int  # most shards of a use, licence, field and split
    stages: tuple[tuple[str, tuple[Path, ...]], ...]  # (stage, folders of its finished shards), in order
    sources: tuple[SourceFacts, ...]
    software: tuple[tuple[str, str], ...]  # (package, version)
    fetched_until: str  # latest capture time, "2026-11-24T09:00:00Z": the date of the release
    filters: tuple[tuple[str, int], ...] = ()  # (filter, version) of the recipe
    recipe_steps: tuple[tuple[str, str, str], ...] = ()  # (stage, filter, its parameters as JSON), in order
    second_look: tuple[tuple[str, Outcome], ...] = outcomes()  # outcome of a find of each kind
    clusters: tuple[Path, ...] = ()  # Parquet tables (id, keeper, similarity, kind)
    cleared: tuple[Decision, ...] = ()  # decisions in effect that clear finds (cleared_finds.py)
    withdrawn: tuple[str, ...] = ()  # ids of documents that must not appear
    policies: tuple[PolicyAnswer, ...] = ()
    splits: Shares = ()  # share of each split beside train
    publisher: Publisher = UNNAMED
    sample: Sample | None = None  # of grants, that people have judged: of the last version that was sampled
    inspection: Inspection | None = None  # of texts, by people: of the last version that was inspected
    ablation: Ablation | None = None  # of the last version that was measured
    # Folder of the previous version, whose documents keep their split. It is not part of the digest of the inputs: a
    # release made from its own version and the same inputs is equal.
    previous: Path | None = field(default=None, repr=False)
    # What the release before computed for the shards, to be reused (malmoi/releases/kept_parts.py). It changes no byte.
    kept: Kept | None = field(default=None, repr=False)
    shard_bytes: int = 8 * 1024 * 1024  # of text (UTF-8) that a shard has at least, if there is more than one
    version: str = ""  # "1.0.0"; "" = the next one by the history given to publish
