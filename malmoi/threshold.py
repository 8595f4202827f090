"""Thresholds of filters: which measure is compared with which parameter; read by reports and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Limit:
    """One threshold of a judge: its measure, the parameter that bounds it, on which side, and the reason of its drops.

    A filter module lists its thresholds as `LIMITS`, in the order in which `judge` checks them. A measure without a
    limit is only recorded. `scale` multiplies the parameter if that is a factor and not the threshold itself.

    >>> Limit("quality", "min_quality", "min", "no-korean-grammar").passes(0.4, 0.3)
    True
    """

    measure: str  # name of a measure of the verdict
    parameter: str  # name of a keyword-only parameter of `judge`
    side: Literal["min", "max"]  # "min": lower values are dropped; "max": higher values
    reason: str  # of the verdict that drops
    scale: float = 1.0

    def passes(self, measured: float, given: float) -> bool:
        """Whether `measured` is on the right side of the threshold that the parameter value `given` sets."""
        bound = given * self.scale
        return measured >= bound if self.side == "min" else measured <= bound
