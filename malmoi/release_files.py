"""Paths of the Parquet files of a release: data/<use>/<licence>/part-….parquet and audit/<table>.parquet."""

from __future__ import annotations

from pathlib import Path


def data_files(release: Path) -> list[Path]:
    """Return the files with the published documents, sorted."""
    return sorted(release.glob("data/*/*/*.parquet"))


def audit_file(release: Path, table: str) -> Path:
    """Return the path of one audit table."""
    return release / "audit" / f"{table}.parquet"


def audit_files(release: Path) -> list[Path]:
    """Return the files of all audit tables of the release, sorted."""
    return sorted(release.glob("audit/*.parquet"))
