"""Paths of a release: data/, morphemes/ with the same paths below, audit/<table>.parquet, documents for others."""

from __future__ import annotations

from pathlib import Path

_DATA, _MORPHEMES = "data/", "morphemes/"
# Renderings of card and manifest in formats of others: docs/documents-of-a-release.md.
CROISSANT = "croissant.json"
CATALOGUE = "documents/dcat-ap.jsonld"
PROVENANCE = "documents/data-provenance-standards.json"
TRAINING_SUMMARY = "documents/eu-training-content-summary.md"
CHECKLIST = "documents/personal-data-checklist.ko.md"
DOCUMENTS = (CROISSANT, CATALOGUE, PROVENANCE, TRAINING_SUMMARY, CHECKLIST)


def data_files(release: Path) -> list[Path]:
    """Return the files with the published documents, sorted."""
    return sorted(release.glob(f"{_DATA}**/*.parquet"))


def is_data_file(path: str) -> bool:
    """Whether `path`, relative to a release, is a file with published documents."""
    return path.startswith(_DATA)


def is_morpheme_file(path: str) -> bool:
    """Whether `path`, relative to a release, is a file with the morphemes of published documents."""
    return path.startswith(_MORPHEMES)


def morpheme_path(data: str) -> str:
    """Return the path of the morphemes of the data file `data`, both relative to the release.

    >>> morpheme_path("data/redistribute/MIT/law/train-00000-of-00004.parquet")
    'morphemes/redistribute/MIT/law/train-00000-of-00004.parquet'
    """
    return _MORPHEMES + data.removeprefix(_DATA)


def audit_file(release: Path, table: str) -> Path:
    """Return the path of one audit table."""
    return release / "audit" / f"{table}.parquet"


def audit_files(release: Path) -> list[Path]:
    """Return the files of all audit tables of the release, sorted."""
    return sorted(release.glob("audit/*.parquet"))
