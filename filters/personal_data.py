"""Mark personal data: identifiers of people in Korea, by label, format, check digit and context.

docs/personal-data.md describes what each kind covers, leaves alone and is known to miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

import re2

from filters.pii_rules import institutions
from filters.pii_rules.contacts import at_handles, emails, emails_partial, messenger, profile_links
from filters.pii_rules.institutions import Official
from filters.pii_rules.numbers import (
    card_account_business,
    partial,
    passport_licence_health,
    phones,
    phones_partial,
    resident,
    resident_partial,
    spelled_out,
    vehicles,
)
from filters.pii_rules.people import birth_dates, person_names
from filters.pii_rules.places import postcodes, romanised_addresses, street_addresses
from filters.pii_rules.repeats import repeat_search
from filters.pii_rules.repeats.canonical_values import canonical_form
from filters.pii_rules.secrets import network, passwords, tokens
from filters.pii_rules.text import digit_runs
from filters.pii_rules.text.digit_runs import Run, Window
from filters.pii_rules.text.match import Match, resolve_overlaps, spans
from malmoi import url_privacy
from malmoi.document import Document, Morphemes, Spans
from malmoi.prefilter import build_set

VERSION = 9
LIBRARIES = ("google-re2", "numpy", "ahocorasick_rs")

Kind: TypeAlias = Literal[
    "rrn",
    "frn",
    "passport",
    "driver_license",
    "phone",
    "email",
    "messenger",
    "brn",
    "crn",
    "account",
    "card",
    "health_insurance",
    "vehicle",
    "address",
    "postcode",
    "birth_date",
    "name",
    "ip",
    "mac",
    "url_secret",
    "key",
]
DEFAULT_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_Rule: TypeAlias = Callable[[Window], Match | None]
_Detector: TypeAlias = Callable[[str, bytes], Iterator[Match]]


def mark(doc: Document, *, kinds: tuple[Kind, ...] = DEFAULT_KINDS, keep_official: tuple[Official, ...] = ()) -> Spans:
    """Return spans of kind `pii:<kind>` in text order, without overlap, in code points of `doc.text`.

    `keep_official` names the contact data of institutions that stay unmarked: `desk-line`, `role-mailbox`,
    `company-number`, `office-address`; by default none, and `why` says which of these a span is.

    `value` is the matched text, which redaction removes; `why` names label, format and checksums, never the text. Takes
    time linear in the length of any text.

    >>> from malmoi.document import Provenance
    >>> doc = Document("a/1", "문의 010-0000-1234입니다", Provenance("a", "", "", "", ""))
    >>> [(s.kind, s.value) for s in mark(doc)]
    [('pii:phone', '010-0000-1234')]
    """
    text, data = _encode_text(doc.text)
    every = _find_all(text, data, "name" in kinds or bool(keep_official), doc.morphemes)
    kept = [f for f in institutions.filter_official(text, every, keep_official) if f.kind in kinds]
    return spans(_add_repeats(doc, text, every, kept, kinds, keep_official), doc.text)


def _find_all(text: str, data: bytes, named: bool, morphemes: Morphemes | None = None) -> list[Match]:
    """Return the matches of all rules in `text`, in order; `named`: also names."""
    detectors: list[_Detector] = []
    for gate, owners in _GATES:
        if hits := gate.Match(data):
            detectors.extend(dict.fromkeys(owners[i] for i in sorted(hits)))
    found = resolve_overlaps(item for detector in detectors for item in detector(text, data))
    if named:  # identifiers first: a name is personal data next to an identifier; it has gates of its own
        names = list(person_names.find_person_names(text, found, data, morphemes))
        found = resolve_overlaps(found + names) if names else found
    return found


def _add_repeats(
    doc: Document, text: str, every: list[Match], kept: list[Match], kinds: tuple[Kind, ...], keep: tuple[Official, ...]
) -> list[Match]:
    """Add repeats to `kept`: of its values, and of values found in the title, author or URL of `doc`.

    A value that `keep` keeps in one place is not searched in others.
    """
    values = [(f.kind, text[f.start : f.end]) for f in kept]
    for part in filter(None, (doc.title, doc.author, url_privacy.decode_escapes(doc.provenance.url))):
        part, data = _encode_text(part)
        found = institutions.filter_official(part, _find_all(part, data, "name" in kinds), keep)
        values += [(f.kind, part[f.start : f.end]) for f in found if f.kind in kinds]
    if len(kept) < len(every):
        marked = {f.start for f in kept}
        stays = {
            canonical_form(f.kind, text[f.start : f.end]) for f in every if f.kind in kinds and f.start not in marked
        }
        values = [(kind, value) for kind, value in values if canonical_form(kind, value) not in stays]
    again = repeat_search.find_repeats(text, values, every) if values else []
    return sorted((*kept, *again), key=lambda f: f.start) if again else kept


def _encode_text(text: str) -> tuple[str, bytes]:
    """Return the text and its UTF-8 form; a lone surrogate becomes "?" in both, which is also one code point."""
    try:
        return text, text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
        return data.decode(), data


def _find_in_runs(text: str, data: bytes) -> Iterator[Match]:
    for run in digit_runs.find_runs(text, data):
        found = list(_find_in_run(text, run))
        yield from found
        yield from card_account_business.find_accounts(text, run, found)


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
    for rule, shapes in (
        (resident.match_resident, resident.SHAPES),
        (resident.match_corporation_number, resident.SHAPES),
        (phones.match_phone, phones.SHAPES),
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


def _build_gate(detectors: Sequence[tuple[tuple[str, ...], _Detector]]) -> tuple[re2.Set, tuple[_Detector, ...]]:
    """Build the prefilter: one pass over the bytes finds the detectors to run.

    Returns the expression set, and the detector of each pattern.
    """
    owned = [(pattern, detector) for patterns, detector in detectors for pattern in patterns]
    return build_set([pattern for pattern, _ in owned], _GATE_BYTES), tuple(detector for _, detector in owned)


_GATE_BYTES = 64 << 20  # memory for the states of the automaton, which are built on demand
# Patterns multiply the states of a shared automaton, and each state is built when a text first needs it. So there is
# one automaton each for numbers, words and people.
_DETECTORS: Final[tuple[tuple[tuple[tuple[str, ...], _Detector], ...], ...]] = (
    (
        ((digit_runs.RUN,), _find_in_runs),
        ((resident_partial.MASKED,), resident_partial.find_masked_residents),
        ((resident_partial.PARTIAL,), resident_partial.find_first_halves),
        (resident_partial.ODD_GATES, resident_partial.find_odd_residents),
        ((passport_licence_health.PASSPORT,), passport_licence_health.find_passports),
        ((passport_licence_health.SCANNED,), passport_licence_health.find_scanned_numbers),
        ((vehicles.VEHICLE,), vehicles.find_plates),
        (phones_partial.GATES, phones_partial.find_partial_phones),
        (partial.GATES, partial.find_partial_numbers),
        ((postcodes.POSTCODE,), postcodes.find_postcodes),
        ((network.IPV4, network.IPV6), network.find_ip_addresses),
        ((network.MAC,), network.find_mac_addresses),
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
        (tokens.GATES, tokens.find_secrets),
        (passwords.GATES, passwords.find_passwords),
        (emails.GATES, emails.find_emails),
        (emails_partial.GATES, emails_partial.find_partial_emails),
    ),
    ((birth_dates.GATES, birth_dates.find_birth_dates),),
)
_SHAPES: Final = _build_shapes()
_WIDEST: Final = 6  # groups; no shape has more
_GATES: Final = tuple(map(_build_gate, _DETECTORS))
