"""Detectors that are not yet rows of a table: their gates by automaton. Each room moves its own into its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from filters.pii_rules.people import names
from filters.pii_rules.text.match import Match

_Detector: TypeAlias = Callable[[str, bytes], Iterator[Match]]
DETECTORS: Final[tuple[tuple[tuple[tuple[str, ...], _Detector], ...], ...]] = (
    (),
    (),
    ((names.GATES, names.find_names),),
)
