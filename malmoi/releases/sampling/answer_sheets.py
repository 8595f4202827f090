"""Sheets that people fill in: CSV files in UTF-8, a row for each document."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from malmoi.errors import CallError


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a sheet with their line numbers. CallError if it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CallError(f"{path}: not readable as a review ({error}); it is a CSV file in UTF-8.") from error
    yield from enumerate(rows, 2)


def is_day(text: str) -> bool:
    """Return True for a day as 2026-11-24."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
