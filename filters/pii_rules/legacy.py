"""Detectors that are not yet rows of a table: their gates by automaton. Each room moves its own into its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from filters.pii_rules.contacts import at_handles, emails, emails_partial, messenger, profile_links
from filters.pii_rules.numbers import (
    phones,
    phones_partial,
    spelled_out,
)
from filters.pii_rules.people import birth_dates, names
from filters.pii_rules.places import postcodes, romanised_addresses, street_addresses
from filters.pii_rules.text import digit_runs
from filters.pii_rules.text.digit_runs import Run, Window
from filters.pii_rules.text.match import Match

_Rule: TypeAlias = Callable[[Window], Match | None]
_Detector: TypeAlias = Callable[[str, bytes], Iterator[Match]]


def _find_in_runs(text: str, data: bytes) -> Iterator[Match]:
    for run in digit_runs.find_runs(text, data):
        yield from _find_in_run(text, run)


def _find_in_run(text: str, run: Run) -> Iterator[Match]:
    """Apply the rules to each window of groups whose lengths have a known shape."""
    lengths = tuple(map(len, run.groups))
    # In a long row of groups, no rule accepts a window that a dash connects to a further group.
    row = len(lengths) > phones.LONGEST_ROW
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
    for rule, shapes in ((phones.match_phone, phones.SHAPES),):
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
        (phones_partial.GATES, phones_partial.find_partial_phones),
        ((postcodes.POSTCODE,), postcodes.find_postcodes),
        (street_addresses.GATES, street_addresses.find_addresses),
        ((street_addresses.APART_GATE,), street_addresses.find_spaced_addresses),
        ((romanised_addresses.GATE,), romanised_addresses.find_romanised_addresses),
    ),
    (
        ((spelled_out.SPELLED,), spelled_out.find_spelled_phones),
        ((spelled_out.WORDS,), spelled_out.find_worded_phones),
        ((spelled_out.DICTATED, spelled_out.IN_DIGITS), spelled_out.find_dictated_numbers),
        (messenger.GATES, messenger.find_messenger_handles),
        ((at_handles.AT,), at_handles.find_at_handles),
        ((profile_links.LINKS,), profile_links.find_profile_links),
        (emails.GATES, emails.find_emails),
        (emails_partial.GATES, emails_partial.find_partial_emails),
    ),
    (
        (birth_dates.GATES, birth_dates.find_birth_dates),
        (names.GATES, names.find_names),
    ),
)
_SHAPES: Final = _build_shapes()
_WIDEST: Final = 6  # groups; no shape has more
