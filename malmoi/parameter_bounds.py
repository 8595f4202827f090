"""Bounds of the keyword-only parameters that filters share; pydantic validates recipes against them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

Share: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]  # a part of a whole, 0..1
Count: TypeAlias = Annotated[int, Field(ge=0)]  # a number of items
Chars: TypeAlias = Annotated[int, Field(ge=0)]  # code points
# A weighted sum without an upper bound; an infinite limit would silently turn its filter off.
Score: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
