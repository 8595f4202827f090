"""Samples of a release that people judge: the sheets they fill in, what a workspace keeps, and the 95 % interval.

Sheets are CSV files in UTF-8, a row for each document. The interval of a rate is that of Wilson 1927 (JASA 22:209).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from malmoi.errors import CallError

Z = 1.959964  # normal quantile of 0.975
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


@dataclass(frozen=True, slots=True)
class Rate:
    """Shares 0–1: a rate among the documents that a sample represents, and its 95 % interval."""

    rate: float
    low: float
    high: float


def estimate_rate(rate: float, n: float) -> Rate:
    """Return the rate with Wilson's interval for a sample of `n` documents; `n` > 0. Rounded to four decimals.

    >>> estimate_rate(0.06, 50)
    Rate(rate=0.06, low=0.0206, high=0.1622)
    """
    middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(max(0.0, rate * (1 - rate)) / n + Z**2 / (4 * n * n))
    return Rate(round(rate, 4), max(0.0, round(middle - half, 4)), min(1.0, round(middle + half, 4)))
