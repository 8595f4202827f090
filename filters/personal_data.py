"""Mark personal data: identifiers of people in Korea, by label, format, check digit and context.

docs/personal-data.md describes what each kind covers, leaves alone and is known to miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from filters.pii_rules import institutions, person_names, repeats
from filters.pii_rules.candidate import Match, resolve_overlaps, spans
from filters.pii_rules.institutions import Official
from filters.pii_rules.repeats import canonical_form
from filters.pii_rules.search import find_matches
from malmoi import url_privacy
from malmoi.document import Document, Morphemes, Spans

VERSION = 12
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
_SURE: Final = 0.9  # confidence of a handle behind the name of a service and a word for a handle
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
    return mark_batch([doc], kinds=kinds, keep_official=keep_official)[0]


def mark_batch(
    docs: Sequence[Document], *, kinds: tuple[Kind, ...] = DEFAULT_KINDS, keep_official: tuple[Official, ...] = ()
) -> list[Spans]:
    """Return what `mark` returns for each document. Faster for short texts: names are tagged in all texts at once."""
    texts = [_read_texts(doc, "name" in kinds, bool(keep_official)) for doc in docs]
    flat = [text for of_document in texts for text in of_document]
    found = [find_matches(one.text, one.data) for one in flat]
    # identifiers first: a name is personal data next to an identifier; it has gates of its own
    named = [i for i, one in enumerate(flat) if one.named]
    excerpts = [
        person_names.Text(flat[i].text, flat[i].data, found[i], flat[i].morphemes, flat[i].document) for i in named
    ]
    for i, names in zip(named, person_names.find_person_names(excerpts), strict=True):
        found[i] = resolve_overlaps(found[i] + names) if names else found[i]
    every = iter(found)
    read = [[(text.text, next(every)) for text in of_document] for of_document in texts]
    return [spans(_select(one, kinds, keep_official), doc.text) for doc, one in zip(docs, read, strict=True)]


def has_personal_data(phrase: str) -> bool:
    """Whether an id, a title or an address contains an identifier; its names need a text (`repeats.find_masked`).

    >>> has_personal_data("환자 홍길동"), has_personal_data("홍길동 010-0000-1234")
    (False, True)
    """
    return bool(find_matches(*_encode_text(phrase)))


class _Text(NamedTuple):
    text: str
    data: bytes  # `text` in UTF-8
    named: bool  # whether names are searched
    morphemes: Morphemes | None = None
    document: bool = False  # not a title, an author or an address


def _read_texts(doc: Document, named: bool, kept: bool) -> list[_Text]:
    """Return the text of a document, and its title, author and URL; `kept` needs the names of the text in any case.

    Names are not searched in a URL, whose words have no context.
    """
    text = _Text(*_encode_text(doc.text), named or kept, doc.morphemes, document=True)
    beside = ((doc.title, named), (doc.author, named), (url_privacy.decode_escapes(doc.provenance.url), False))
    return [text, *(_Text(*_encode_text(part), names) for part, names in beside if part)]


def _select(
    found: Sequence[tuple[str, list[Match]]], kinds: tuple[Kind, ...], keep: tuple[Official, ...]
) -> list[Match]:
    """Return what to mark in the text of a document; `found` are the matches in it, and then in those beside it."""
    (text, every), *beside = found
    kept = [f for f in institutions.filter_official(text, every, keep) if f.kind in kinds]
    values = _list_values(text, kept)
    for part, matches in beside:
        values += _list_values(part, [f for f in institutions.filter_official(part, matches, keep) if f.kind in kinds])
    if len(kept) < len(every):  # what was left unmarked in one place is not searched
        marked = {f.start for f in kept}
        stays = {
            canonical_form(f.kind, text[f.start : f.end]) for f in every if f.kind in kinds and f.start not in marked
        }
        values = [(kind, value) for kind, value in values if canonical_form(kind, value) not in stays]
    again = repeats.find_repeats(text, values, every) if values else []
    return sorted((*kept, *again), key=lambda f: f.start) if again else kept


def _list_values(text: str, found: Sequence[Match]) -> list[tuple[str, str]]:
    """Return kind and writing of the matches that are searched elsewhere in the document.

    A handle of letters alone may be an ordinary word: it counts only if words for a handle introduce it.
    """
    values = ((f, text[f.start : f.end]) for f in found)
    return [
        (f.kind, value)
        for f, value in values
        if f.kind != "messenger" or f.confidence >= _SURE or not value.lstrip("@＠ ").isalpha()
    ]


def _encode_text(text: str) -> tuple[str, bytes]:
    """Return the text and its UTF-8 form; a lone surrogate becomes "?" in both, which is also one code point."""
    try:
        return text, text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
        return data.decode(), data
