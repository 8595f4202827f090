"""Detectors that are not yet rows of a table: their gates by automaton. Each room moves its own into its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from filters.pii_rules.numbers import (
    card_account_business,
    partial,
    passport_licence_health,
    resident,
    resident_partial,
    vehicles,
)
from filters.pii_rules.people import names
from filters.pii_rules.text import digit_runs
from filters.pii_rules.text.digit_runs import Run, Window
from filters.pii_rules.text.match import Match

_Rule: TypeAlias = Callable[[Window], Match | None]
_Detector: TypeAlias = Callable[[str, bytes], Iterator[Match]]


def _find_in_runs(text: str, data: bytes) -> Iterator[Match]:
    for run in digit_runs.find_runs(text, data):
        found = list(_find_in_run(text, run))
        yield from found
        yield from card_account_business.find_accounts(text, run, found)


def _find_in_run(text: str, run: Run) -> Iterator[Match]:
    """Apply the rules to each window of groups whose lengths have a known shape."""
    lengths = tuple(map(len, run.groups))
    # In a long row of groups, no rule accepts a window that a dash connects to a further group.
    row = len(lengths) > _LONGEST_ROW
    for first in range(len(lengths)):
        if row and run.separators[first] == "-":
            continue
        shape = _SHAPES
        for last, length in enumerate(lengths[first : first + _WIDEST], first + 1):
            if length not in shape.longer:
                break
            shape = shape.longer[length]
            if shape.rules and not (row and run.separators[last] == "-"):
                window = Window(text, run, first, last)
                yield from (found for rule in shape.rules if (found := rule(window)) is not None)


@dataclass(slots=True)
class _Shape:
    """The rules for windows with these group lengths, and the shapes with one more group, by its length."""

    rules: tuple[_Rule, ...] = ()
    longer: dict[int, _Shape] = field(default_factory=dict)


def _build_shapes() -> _Shape:
    root = _Shape()
    for rule, shapes in (
        (resident.match_resident, resident.SHAPES),
        (resident.match_corporation_number, resident.SHAPES),
        (card_account_business.match_card, card_account_business.CARD_SHAPES),
        (card_account_business.match_business_number, card_account_business.BUSINESS_SHAPES),
        (passport_licence_health.match_driver_license, passport_licence_health.LICENSE_SHAPES),
        (passport_licence_health.match_health_insurance, passport_licence_health.HEALTH_SHAPES),
    ):
        for lengths in shapes:
            shape = root
            for length in lengths:
                shape = shape.longer.setdefault(length, _Shape())
            shape.rules = (*shape.rules, rule)
    return root


# Patterns multiply the states of a shared automaton, and each state is built when a text first needs it. So there is
# one automaton each for numbers, words and people.
DETECTORS: Final[tuple[tuple[tuple[tuple[str, ...], _Detector], ...], ...]] = (
    (
        ((digit_runs.RUN,), _find_in_runs),
        ((resident_partial.MASKED,), resident_partial.find_masked_residents),
        ((resident_partial.PARTIAL,), resident_partial.find_first_halves),
        (resident_partial.ODD_GATES, resident_partial.find_odd_residents),
        ((passport_licence_health.PASSPORT,), passport_licence_health.find_passports),
        ((passport_licence_health.SCANNED,), passport_licence_health.find_scanned_numbers),
        ((vehicles.VEHICLE,), vehicles.find_plates),
        (partial.GATES, partial.find_partial_numbers),
    ),
    (),
    ((names.GATES, names.find_names),),
)
_SHAPES: Final = _build_shapes()
_LONGEST_ROW: Final = 30  # groups; bounds the work for each group
_WIDEST: Final = 6  # groups; no shape has more
