"""What a filter measures, and which parameter decides over it: said once, read by reports and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Limit:
    """One threshold of a judge: its measure, the parameter that bounds it, on which side, and the reason it drops for.

    A filter module names its limits as `LIMITS`, in the order in which `judge` asks them. A measure that
    stands in no limit is only recorded. `scale` multiplies the parameter where it is a factor and not the bound itself.

    >>> Limit("quality", "min_quality", "min", "no-korean-grammar").passes(0.4, 0.3)
    True
    """

    measure: str  # name of a measure of the verdict
    parameter: str  # name of a keyword-only parameter of `judge`
    side: Literal["min", "max"]  # "min": what lies below is dropped; "max": what lies above
    reason: str  # of the verdict that drops
    scale: float = 1.0

    def passes(self, measured: float, given: float) -> bool:
        """Whether `measured` stays on the right side of the parameter's value `given`."""
        bound = given * self.scale
        return measured >= bound if self.side == "min" else measured <= bound
