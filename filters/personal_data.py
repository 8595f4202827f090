"""Mark personal data: identifiers of people in Korea, by label, format, check digit and context.

docs/personal-data.md describes what each kind covers, leaves alone and is known to miss.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from filters.pii_rules import institutions
from filters.pii_rules.engine.search import find_matches
from filters.pii_rules.institutions import Official
from filters.pii_rules.people import person_names
from filters.pii_rules.repeats import repeat_search
from filters.pii_rules.repeats.canonical_values import canonical_form
from filters.pii_rules.text.match import Match, resolve_overlaps, spans
from malmoi import url_privacy
from malmoi.document import Document, Morphemes, Spans

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
    found = find_matches(text, data)
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
