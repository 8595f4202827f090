"""Bounds of the keyword-only parameters of filters, and the thresholds that they set.

Pydantic validates recipes against the bounds; reports and benchmarks read which measure a threshold is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

Share: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]  # a part of a whole, 0..1
Count: TypeAlias = Annotated[int, Field(ge=0)]  # a number of items
Chars: TypeAlias = Annotated[int, Field(ge=0)]  # code points
# A weighted sum without an upper bound; an infinite limit would silently turn its filter off.
Score: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


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
