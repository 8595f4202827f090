"""Search a document for repeats of detected values, in any written form and of every kind.

A known value needs neither a label nor a fixed format, so one search serves all kinds; it runs after the rules.
Short values and values that are also ordinary words match only as separate words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.contacts import handles
from filters.pii_rules.dates.checks import DAY
from filters.pii_rules.numbers import spelled_out
from filters.pii_rules.people import name_context
from filters.pii_rules.repeats import written_forms as forms
from filters.pii_rules.repeats.canonical_values import LENGTHS, canonical_form, fold_text
from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match, resolve_overlaps
from malmoi.document import Document

MOST: Final = 1_024  # values of a kind searched as words; the count of numbers is not limited
_AT_ONCE: Final = 64  # values per expression
_BYTES: Final = 64 << 20  # memory limit of the expression's automaton
_MAX_GAP: Final = 5  # code points between two digits
_SHORT: Final = 9  # a number with fewer digits may be a quantity
_GONE: Final = "\x00"  # replaces existing matches: neither a letter nor a digit nor a separator
_BLANKS: Final = str.maketrans("_-+", "   ")  # in an address
_CONFIDENCE: Final = 0.75
_UNUSUAL: Final = re2.compile(f"[{ZERO_WIDTH}！-～ⓐ-ⓩⒶ-Ⓩ\U0001d400-\U0001d7ff]")
_UNITS: Final = frozenset("원명개건년월일회쪽권층점위억만천조톤배%㎡")
Value = tuple[str, str]  # kind, written form


def find_repeats(text: str, values: Iterable[Value], taken: Sequence[Match] = ()) -> list[Match]:
    """Find repeats of `values` in `text`: in text order, without overlap with `taken`. Linear in the length of `text`.

    >>> text = "T02-000-1234, 0２ 000 1234"
    >>> [text[f.start : f.end] for f in find_repeats(text, [("phone", "02)000-1234")])]
    ['02-000-1234', '0２ 000 1234']
    """
    known = _group_values(values)
    if not known:
        return []
    page = _build_page(text, taken)
    hits = [*_find_numbers(page, known), *_find_dates(page, known), *_find_names(page, known)]
    words = {kind: list(by_form.values())[:MOST] for kind, by_form in known.items() if kind in forms.WORDS}
    hits += _find_words(page, words) if words else ()
    return resolve_overlaps(page.map_to_text(hit) for hit in hits)


def find_masked(phrase: str, doc: Document, stay: Collection[str] = ()) -> list[Match]:
    """Find values in the title, author, URL or id of `doc` that are marked in its text, but for the kinds `stay`.

    A name needs the context of a text, so the decision made there counts. A value that the text shows in another place
    is not returned: masking it beside the text would protect nothing. `_`, `-` and `+` are read as they are, and as
    blanks.

    >>> from dataclasses import replace
    >>> from malmoi.document import Provenance, Span
    >>> name = Span(4, 7, "pii:name", "홍길동")
    >>> doc = Document("a/1", "신청인 홍길동", Provenance("a", "", "", "", ""), spans=(name,))
    >>> [(found.start, found.end) for found in find_masked("/2026/홍길동-민원", doc)]
    [(6, 9)]
    >>> find_masked("/2026/홍길동-민원", replace(doc, text="신청인 홍길동, 저자 홍길동"))
    []
    """
    marked = [(span, span.kind.removeprefix("pii:")) for span in doc.spans if span.kind.startswith("pii:")]
    marked = [(span, kind) for span, kind in marked if kind not in stay]
    values = [(kind, span.value) for span, kind in marked if span.value and kind != "name"]
    names = [fold_text(span.value.partition("(")[0]) for span, kind in marked if span.value and kind == "name"]
    if not (phrase and marked):
        return []
    found = [*find_repeats(phrase, values)]
    if (plain := phrase.translate(_BLANKS)) != phrase:
        found += find_repeats(plain, values)
    found += name_context.find_names_elsewhere(phrase, names[: name_context.AGAIN], (), officials=True)
    if not found:
        return []
    rest, at = "", 0
    for span, _ in marked:
        rest, at = f"{rest}{doc.text[at : span.start]}{_GONE}", max(at, span.end)
    rest += doc.text[at:]
    return [one for one in resolve_overlaps(found) if not is_shown(one.kind, phrase[one.start : one.end], rest)]


def is_shown(kind: str, value: str, text: str) -> bool:
    """Whether `value` is in `text`, in any written form.

    >>> is_shown("phone", "02-000-1234", "전화 02)000-1234"), is_shown("name", "홍길동", "[이름1]은 새홍길동에")
    (True, False)
    """
    last = "(?:$|[^0-9A-Za-z])" if value[-1:].isascii() else ""
    literal = f"(?:^|[^0-9A-Za-z가-힣]){re2.escape(value)}{last}"
    return re2.search(literal, text) is not None or bool(find_repeats(text, [(kind, value)]))


def _group_values(values: Iterable[Value]) -> dict[str, dict[str, str]]:
    """Group values by kind; map each canonical form to the first written form."""
    known: dict[str, dict[str, str]] = {}
    for kind, value in dict.fromkeys(values):
        known.setdefault(kind, {}).setdefault(canonical_form(kind, value), value)
    return known


@dataclass(frozen=True, slots=True)
class _Page:
    """The text to search: existing matches blanked, letters at half width, zero-width characters removed."""

    text: str
    data: bytes
    places: Sequence[int] | None  # offset in the original text of each code point; None if offsets are equal

    def map_to_text(self, hit: Match) -> Match:
        if self.places is None:
            return hit
        start, end = self.places[hit.start], self.places[hit.end - 1] + 1
        return Match(start, end, hit.kind, hit.confidence, hit.why)


def _build_page(text: str, taken: Sequence[Match]) -> _Page:
    parts, at = [], 0
    for one in taken:
        parts += [text[at : one.start], _GONE * (one.end - one.start)]
        at = one.end
    text = "".join((*parts, text[at:]))
    data = text.encode("utf-8", "replace")
    if len(data) == len(text) or _UNUSUAL.search(data) is None:
        return _Page(text, data, None)
    text = handles.to_half_width(text)
    places = [i for i, c in enumerate(text) if c not in ZERO_WIDTH]
    text = "".join(text[i] for i in places)
    return _Page(text, text.encode("utf-8", "replace"), places)


def _make_match(start: int, end: int, kind: str) -> Match:
    return Match(start, end, kind, _CONFIDENCE, "told elsewhere in the document")


def _find_numbers(page: _Page, known: Mapping[str, Mapping[str, str]]) -> Iterator[Match]:
    whole: dict[str, str] = {}
    local: dict[str, str] = {}
    for kind in sorted(known.keys() & LENGTHS.keys()):
        for digits in known[kind]:
            for form in forms.list_number_forms(kind, digits):
                whole.setdefault(form, kind)
            if kind == "phone" and (tail := forms.drop_prefix(digits)):
                local[tail] = kind
    sizes = sorted({*map(len, whole), *map(len, local)}, reverse=True)
    for places, digits in spelled_out.find_digit_rows(page.text, page.data) if sizes else ():
        at = 0
        while at < len(digits):
            step = 1
            for size in sizes if _is_number_start(page.text, places[at][0]) else ():
                number = digits[at : at + size]
                if (number in whole or number in local) and len(number) == size:
                    stretch = places[at : at + size]
                    if _is_number(page.text, stretch, local=number not in whole):
                        start = stretch[0][0] - page.text.startswith("+", max(0, stretch[0][0] - 1))
                        yield _make_match(start, stretch[-1][1], whole.get(number, "phone"))
                        step = size
                        break
            at += step


def _is_number_start(text: str, start: int) -> bool:
    """Whether a number may begin at this digit: adjacent decimal digits belong to one number."""
    return not (text[start - 1 : start].isdecimal() and text[start].isdecimal())


def _is_number(text: str, places: spelled_out.Places, *, local: bool) -> bool:
    """Whether the digits at `places` form a complete number; `local`: a telephone number without its prefix."""
    start, end = places[0][0], places[-1][1]
    before, after = text[start - 1 : start], text[end : end + 2]
    if text[end - 1].isdecimal() and after[:1].isdecimal():
        return False
    if any(b[0] - a[1] > _MAX_GAP for a, b in pairwise(places)):
        return False
    if local:
        tied = (before in tuple(")-.") and before) or (after[:1] in tuple("-.") and after[1:].isdecimal())
        return forms.LOCAL.match(text[start:end]) is not None and not tied
    return len(places) >= _SHORT or ("," not in text[start:end] and _is_standalone(text, start, end))


def _is_standalone(text: str, start: int, end: int) -> bool:
    """Whether the digits are separate: not part of a longer number or word, not followed by a unit."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before[-1:].isalnum() and before[-1:].isascii():
        return False
    if before[-1:] in tuple(".,-/:") and before and before[:-1].isdecimal():
        return False
    if after[:1] in _UNITS or (after[:1].isalnum() and after[:1].isascii()):
        return False
    return not (after[:1] in tuple(".,-/:") and after[1:].isdecimal())


def _find_dates(page: _Page, known: Mapping[str, Mapping[str, str]]) -> Iterator[Match]:
    days = {day for day in known.get("birth_date", ()) if day[:2].isdecimal()}
    for start, end in matches(DAY, page.text, page.data) if days else ():
        if canonical_form("birth_date", page.text[start:end]) in days and _is_standalone(page.text, start, end):
            yield _make_match(start, end, "birth_date")


def _find_names(page: _Page, known: Mapping[str, Mapping[str, str]]) -> Iterator[Match]:
    names = [name.partition("(")[0] for name in known.get("name", ())]
    yield from name_context.find_names_elsewhere(page.text, names[: name_context.AGAIN], frozenset()) if names else ()


def _find_words(page: _Page, words: Mapping[str, Sequence[str]]) -> Iterator[Match]:
    data = page.data.lower()
    text = data.decode()
    options = re2.Options()
    options.max_mem = _BYTES
    options.longest_match = True
    for kind, values in words.items():
        patterns = [form for value in values for form in forms.build_forms(kind, value, text)]
        for first in range(0, len(patterns), _AT_ONCE):
            expression = re2.compile("|".join(patterns[first : first + _AT_ONCE]), options)
            for start, end in matches(expression, page.text, data):
                if _is_whole_word(page.text, start, end, kind):
                    yield _make_match(start, end, kind)


def _is_whole_word(text: str, start: int, end: int, kind: str) -> bool:
    """Whether text[start:end] is a separate word; a particle may follow."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    value = text[start:end]
    if is_hangul(before[-1:]) and is_hangul(value[:1]):
        return False
    if value.isdecimal():
        return _is_standalone(text, start, end)
    if (_is_word_char(before[-1:]) and _is_word_char(value[:1])) or (
        _is_word_char(after[:1]) and _is_word_char(value[-1:])
    ):
        return False
    if kind == "key" or kind == "url_secret":
        return True
    if before[-1:] in tuple(".-") and before and _is_latin(before[:-1]) and _is_latin(value[:1]):
        return False
    if after[:1] in tuple(".-@") and after and _is_latin(after[1:]):
        return False
    prose = kind == "messenger" and value.isascii() and value.isalpha()
    return not (prose and (before[-1:] in tuple("/.-:") or after[:1] in tuple("/-=(")) and before + after)


def _is_word_char(char: str) -> bool:
    return char == "_" or _is_latin(char)


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
