"""Mark personal data: identifiers of people in Korea, by label, form, check digit and what stands around them.

What each kind covers, leaves alone and is known to miss stands in docs/personal-data.md.
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
from filters.pii_rules.people import birth_dates, names
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

VERSION = 8
LIBRARIES = ("google-re2",)

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
    """Spans of kind `pii:<kind>` in text order, never overlapping, in code points of `doc.text`.

    `keep_official` names what of institutions stays unmarked: `desk-line`, `role-mailbox`,
    `company-number`, `office-address`; none by default, and then `why` says which of these it is.

    `value` is the matched text and goes when it is redacted; `why` names label, form and sums,
    never the text. Takes time linear in the length of the text, whatever stands in it.

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
    """What the rules say of `text`, in order; `named` where names are wanted as well."""
    detectors: list[_Detector] = []
    for gate, owners in _GATES:
        if hits := gate.Match(data):
            detectors.extend(dict.fromkeys(owners[i] for i in sorted(hits)))
    if not detectors:
        return []
    found = resolve_overlaps(item for detector in detectors for item in detector(text, data))
    if named:  # a name is personal beside an identifier, so the identifiers come first
        linked = list(names.find_linked_names(text, found, data, morphemes))
        found = resolve_overlaps(found + linked) if linked else found
    return found


def _add_repeats(
    doc: Document, text: str, every: list[Match], kept: list[Match], kinds: tuple[Kind, ...], keep: tuple[Official, ...]
) -> list[Match]:
    """`kept` and the other places of its values, and of those that stand in the title, author or address of `doc`.

    What `keep` lets stand in one place is not sought in others.
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
    """The text and its UTF-8 form; half of a surrogate pair becomes "?" in both, which is one code point too."""
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
    """What the rules say of each stretch of groups whose lengths have a known shape."""
    lengths = tuple(map(len, run.groups))
    # In a long row of groups no rule takes a window that a dash ties to a further group.
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
    """The rules for windows whose groups have these lengths, and the shapes with one group more by its length."""

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
    """One pass over the bytes tells which detectors have anything to do: the set, and the detector of each pattern."""
    owned = [(pattern, detector) for patterns, detector in detectors for pattern in patterns]
    return build_set([pattern for pattern, _ in owned], _GATE_BYTES), tuple(detector for _, detector in owned)


_GATE_BYTES = 64 << 20  # for the states of the automaton, which are built as text needs them
# Patterns multiply the states of an automaton they share, and each state is built when text first needs it. So numbers,
# words and people have one each.
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
    (
        (birth_dates.GATES, birth_dates.find_birth_dates),
        (names.GATES, names.find_names),
    ),
)
_SHAPES: Final = _build_shapes()
_WIDEST: Final = 6  # groups; no shape has more
_GATES: Final = tuple(map(_build_gate, _DETECTORS))
