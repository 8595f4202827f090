"""What a release is made from: finished stage folders, the tables of copies, and declared facts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from malmoi import url_privacy
from malmoi.releases.residue.outcome import Outcome, outcomes

Redact: TypeAlias = url_privacy.Redact  # for what no filter has seen; picklable


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a source declares of itself, as it stood when the release was made."""

    name: str
    title: str
    publisher: str
    access: str  # "Site", "Sitemap", "Folder", "Warc" …
    licences: tuple[str, ...]  # ids it claims; () where every item speaks for itself
    register: str = ""
    domain: str = ""
    terms: str = ""  # outcome of the terms check, in words; "" = none recorded
    attribution: str = ""  # template; {title} {author} {year} {url} {publisher} {licence}
    note: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that decides the bytes of a release; there is no clock in it."""

    name: str
    purpose: str
    recipe_name: str
    recipe_digest: str
    shards: int  # N of `shard = H(id) mod N`, within each use and licence
    stages: tuple[tuple[str, tuple[Path, ...]], ...]  # (stage, folders of its finished shards), in order
    sources: tuple[SourceFacts, ...]
    software: tuple[tuple[str, str], ...]  # (package, version)
    fetched_until: str  # latest capture time, "2026-11-24T09:00:00Z": the date of the release
    filters: tuple[tuple[str, int], ...] = ()  # (filter, version) of the recipe
    recipe_steps: tuple[tuple[str, str, str], ...] = ()  # (stage, filter, its parameters as JSON), in order
    second_look: tuple[tuple[str, Outcome], ...] = outcomes()  # what a find of each kind does
    clusters: tuple[Path, ...] = ()  # Parquet tables (id, keeper, similarity, kind)
    withdrawn: tuple[str, ...] = ()  # ids of documents that must not appear
    version: str = ""  # "1.0.0"; "" = the next one by the history given to publish
