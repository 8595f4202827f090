"""Samples of a release that people judge: the sheets they fill in, and what a workspace keeps.

Sheets are CSV files in UTF-8, a row for each document.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from malmoi.errors import CallError

Kept = TypeVar("Kept")


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


def read_last(
    paths: Sequence[Path], parse: Callable[[Mapping[str, Any]], Kept], command: str = "read the filled sheet"
) -> Kept | None:
    """Return the last of the files that a workspace keeps, or None; CallError if it cannot be read."""
    if not paths:
        return None
    try:
        return parse(json.loads(paths[-1].read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CallError(
            f"{paths[-1]}: cannot be read ({error}); restore it, or delete it and {command} again."
        ) from error
