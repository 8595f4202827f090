"""The 95 % interval of a rate that people measured in a sample: Wilson 1927 (JASA 22:209). Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959964  # normal quantile of 0.975


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
