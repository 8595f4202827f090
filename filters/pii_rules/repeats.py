"""Search a document for repeats of detected values, in any written form and of every kind.

A known value needs neither a label nor a fixed format, so one search serves all kinds; it runs after the rules.
Short values and values that are also ordinary words match only as separate words. `canonical_form` is equal for equal
values of a kind; `build_forms` yields the written forms of a value, as expressions over lower-case text.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules import contact_checks, name_evidence, phone_checks
from filters.pii_rules.candidate import Match, resolve_overlaps
from filters.pii_rules.date_checks import DAY
from filters.pii_rules.digit_runs import ZERO_WIDTH, matches
from filters.pii_rules.phone_checks import prefix_of
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
    known: dict[str, dict[str, str]] = {}  # by kind: the first written form of each canonical form
    for kind, value in dict.fromkeys(values):
        known.setdefault(kind, {}).setdefault(canonical_form(kind, value), value)
    if not known:
        return []
    page = _build_page(text, taken)
    hits = [*_find_numbers(page, known)]
    days = {day for day in known.get("birth_date", ()) if day[:2].isdecimal()}
    for start, end in matches(DAY, page.text, page.data) if days else ():
        if canonical_form("birth_date", page.text[start:end]) in days and _is_standalone(page.text, start, end):
            hits.append(_make_match(start, end, "birth_date"))
    if names := [name.partition("(")[0] for name in known.get("name", ())][: name_evidence.AGAIN]:
        hits += name_evidence.find_names_elsewhere(page.text, names, frozenset())
    words = {kind: list(by_form.values())[:MOST] for kind, by_form in known.items() if kind in WORDS}
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
    found += name_evidence.find_names_elsewhere(phrase, names[: name_evidence.AGAIN], (), officials=True)
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
    text = contact_checks.to_half_width(text)
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
            for form in list_number_forms(kind, digits):
                whole.setdefault(form, kind)
            if kind == "phone" and (tail := drop_prefix(digits)):
                local[tail] = kind
    sizes = sorted({*map(len, whole), *map(len, local)}, reverse=True)
    for places, digits in phone_checks.find_digit_rows(page.text, page.data) if sizes else ():
        at = 0
        while at < len(digits):
            step = 1
            start = places[at][0]  # adjacent decimal digits belong to one number
            inside = page.text[start - 1 : start].isdecimal() and page.text[start].isdecimal()
            for size in sizes if not inside else ():
                number = digits[at : at + size]
                if (number in whole or number in local) and len(number) == size:
                    stretch = places[at : at + size]
                    if _is_number(page.text, stretch, local=number not in whole):
                        start = stretch[0][0] - page.text.startswith("+", max(0, stretch[0][0] - 1))
                        yield _make_match(start, stretch[-1][1], whole.get(number, "phone"))
                        step = size
                        break
            at += step


def _is_number(text: str, places: phone_checks.Places, *, local: bool) -> bool:
    """Whether the digits at `places` form a complete number; `local`: a telephone number without its prefix."""
    start, end = places[0][0], places[-1][1]
    before, after = text[start - 1 : start], text[end : end + 2]
    if text[end - 1].isdecimal() and after[:1].isdecimal():
        return False
    if any(b[0] - a[1] > _MAX_GAP for a, b in pairwise(places)):
        return False
    if local:
        tied = (before in tuple(")-.") and before) or (after[:1] in tuple("-.") and after[1:].isdecimal())
        return LOCAL.match(text[start:end]) is not None and not tied
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


def _find_words(page: _Page, words: Mapping[str, Sequence[str]]) -> Iterator[Match]:
    data = page.data.lower()
    text = data.decode()
    options = re2.Options()
    options.max_mem = _BYTES
    options.longest_match = True
    for kind, values in words.items():
        patterns = [form for value in values for form in build_forms(kind, value, text)]
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


MASKS: Final = frozenset("*x●○■")
LENGTHS: Final = {  # number of digits of a complete value
    "rrn": (13,),
    "frn": (13,),
    "crn": (13,),
    "brn": (10,),
    "phone": range(7, 13),
    "account": range(7, 17),
    "card": range(14, 20),
    "driver_license": (10, 12),
    "health_insurance": (11,),
}
_SEPARATORS: Final = dict.fromkeys(map(ord, " -.()/_+,"))  # of most numbers
_AFTER_SIGN: Final = "[ \u00a0\u3000)\\]}>）］]{0,3}"
_UNSEEN: Final = dict.fromkeys(map(ord, ZERO_WIDTH))
_DATE: Final = re2.compile("^['’]?([0-9]{4}|[0-9]{2})[^0-9]+([0-9]{1,2})[^0-9]+([0-9]{1,2})[^0-9]*$")
_DIGITS: Final = re2.compile("^(?:[0-9]{2})?([0-9]{2})([0-9]{2})([0-9]{2})[^0-9]*$")
_DAY_FIRST: Final = re2.compile("^([0-9]{1,2})[./-]([0-9]{1,2})[./-]((?:19|20)[0-9]{2})[^0-9]*$")
_SPELLINGS: Final = tomllib.loads((Path(__file__).with_name("text") / "spellings.toml").read_text(encoding="utf-8"))
LETTERS: Final[dict[str, list[str]]] = _SPELLINGS["letters"]
DIGITS: Final[list[str]] = _SPELLINGS["digits"]
SIGNS: Final = {  # a sign or its name, also in brackets and between blanks
    sign: f"[ \u00a0\u3000(\\[{{<（［]{{0,3}}(?:{spellings}){_AFTER_SIGN}"
    for sign, spellings in _SPELLINGS["signs"].items()
}
_SIGNS: Final = [(sign, re2.compile(SIGNS[sign])) for sign in "_-."]
_SAID: Final = {name: str(i) for i, spellings in enumerate(DIGITS) for name in spellings}
_SPELLED: Final = _SAID | {name: letter for letter, spellings in LETTERS.items() for name in spellings}
_LETTER: Final = re2.compile("|".join(sorted(_SPELLED, key=len, reverse=True)))


@lru_cache(maxsize=1024)  # each value is compared in text, title, author and address
def canonical_form(kind: str, value: str) -> str:
    """Return the canonical form of `value`, used for comparison only and never written to output.

    >>> canonical_form("phone", "+82 10-0000-1234") == canonical_form("phone", "공일공 0000 일이삼사")
    True
    >>> canonical_form("messenger", "@Maru_7"), canonical_form("messenger", "maru 언더바 7")
    ('maru_7', 'maru_7')
    >>> canonical_form("email", "HONG 골뱅이 example 점 kr"), canonical_form("birth_date", "1991년 2월 30일")
    ('hongexample.kr', '91-02-30')
    """
    if kind in LENGTHS:
        return _canonical_number(kind, value)
    if kind == "email":  # without the at sign, which has many substitutes
        return "".join(c for c in contact_checks.normalise_email(value) if c.isalnum() or c in "._+-")
    if kind == "messenger":
        return _canonical_handle(value)
    folded = fold_text(value)
    if kind == "birth_date":
        if last := _DAY_FIRST.match(folded):
            day, month, year = last.groups()
        elif match := _DATE.match(folded) or _DIGITS.match(folded):
            year, month, day = match.groups()
        else:
            return folded
        return f"{year[-2:]}-{int(month):02d}-{int(day):02d}"
    if kind in ("vehicle", "passport", "mac"):
        return "".join(filter(str.isalnum, folded))
    if kind == "address":
        return folded.replace(",", "").replace("(", "").replace(")", "")
    return folded


def fold_text(value: str) -> str:
    """Return `value` NFKC-normalised and case-folded, without white space and invisible characters."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return "".join(c for c in folded if c.isprintable() and not c.isspace())


def _canonical_number(kind: str, value: str) -> str:
    folded = unicodedata.normalize("NFKC", value).casefold().partition("~")[0]
    plain = folded.translate(_SEPARATORS)
    if not plain.isdecimal():
        plain = "".join(c for c in folded if c.isdecimal() or c in MASKS)
        if any(c.isalnum() and not c.isdecimal() and c not in MASKS for c in folded):
            read = phone_checks.read_digits(value)
            if _normalise_national(kind, read) and (len(plain) < len(read) or len(plain) not in LENGTHS[kind]):
                plain = read
    return (_normalise_national(kind, plain) or plain) if kind == "phone" else plain


def _normalise_national(kind: str, digits: str) -> str:
    """Return the digits of a complete value, or "". Telephone numbers lose their country code."""
    if kind != "phone":
        return digits if len(digits) in LENGTHS[kind] else ""
    short = digits.removeprefix("00") if digits.startswith("0082") else digits
    short = "0" + short[2:].lstrip("0") if short.startswith("82") else short
    if not prefix_of(short) and prefix_of("0" + short):
        return "0" + short  # restore a leading zero that a table dropped
    return short if prefix_of(short) else ""


def _canonical_handle(value: str) -> str:
    narrow = contact_checks.to_half_width(value.translate(_UNSEEN)).casefold().strip()
    if "/" in narrow:  # a profile link ends in the handle
        narrow = narrow.rstrip("/").rpartition("/")[2]
    narrow = narrow.removeprefix("골뱅이").strip().lstrip("@").strip()
    spellings = _LETTER.findall(narrow)
    if len(spellings) > 3 and "".join(spellings) == narrow.replace(" ", "").replace(",", ""):
        return "".join(map(_SPELLED.__getitem__, spellings))
    for sign, words in _SIGNS:
        narrow = words.sub(sign, narrow)
    return "".join(_SAID.get(c, c) for c in narrow if not c.isspace())


WORDS: Final = frozenset(
    "email messenger key url_secret ip mac passport vehicle address postcode driver_license name".split()
)
LOCAL: Final = re2.compile("^[0-9]{3,4}[-.][0-9]{4}$")
_YEARS: Final = re2.compile("^(?:19|20)[0-9]{2}(?:19|20)[0-9]{2}$")
_LEAST_DIGITS: Final = 7
_LEAST_SECRET: Final = 6  # characters
_LEAST_WORD: Final = 5  # letters in a handle without digits; shorter ones match only after an at sign
_LEAST_MIXED: Final = 4
_LEAST_DIGITS_ALONE: Final = 6  # digits in an all-digit handle or password
_LEAST_LATIN_NAME: Final = 7
_MOST: Final = 400  # code points of a value that is searched
_NO_SIGNS: Final = dict.fromkeys(map(ord, "_.-#"))
_AT: Final = f"(?:{SIGNS['@']}|[^a-z0-9가-힣\n\x00]{{1,3}})"
_NAMES: Final = LETTERS | {names[0]: list(names) for names in DIGITS}
_LETTERS: Final = re2.compile("[a-z가-힣]+")
_ALPHANUMERIC: Final = re2.compile("[a-z0-9가-힣]+")


def list_number_forms(kind: str, digits: str) -> Iterator[str]:
    """Yield the digits of each written form of a number; nothing if it is masked or too short to identify anybody."""
    if not digits.isdecimal() or len(digits) < _LEAST_DIGITS or not digits.strip("0"):
        return
    yield digits
    if kind == "phone" and prefix_of(digits):
        yield from ("82" + digits[1:], "82" + digits, "0082" + digits[1:])
        if digits.startswith("01"):
            yield digits[1:]


def drop_prefix(digits: str) -> str:
    """Return a telephone number without its prefix, or "" if the rest may be two years."""
    tail = digits[len(prefix_of(digits)) :] if prefix_of(digits) else ""
    return "" if _YEARS.match(tail) is not None else tail


def build_forms(kind: str, value: str, text: str) -> Iterator[str]:
    """Yield an expression for each written form of a value of a kind in WORDS that `text`, in lower case, may hold.

    Nothing if the value is too short to differ from prose.
    """
    if len(value) > _MOST:
        return
    match kind:
        case "email":
            yield from _build_email_forms(contact_checks.normalise_email(value), text)
        case "messenger":
            yield from _build_handle_forms(canonical_form(kind, value), text)
        case "key" | "url_secret":
            yield from _build_secret_forms(contact_checks.to_half_width(value).casefold(), text)
        case "mac":
            digits = canonical_form(kind, value)
            yield from _join_pieces([digits[i : i + 2] for i in range(0, len(digits), 2)], text, "[:.-]?")
        case "passport" | "vehicle":
            plain = canonical_form(kind, value)
            if len(plain) >= _LEAST_DIGITS and any(map(str.isdecimal, plain)):
                yield from _join_pieces(_split_digits_and_letters(plain), text, "[ \u00a0·-]{0,3}")
        case "address":
            words = contact_checks.to_half_width(value).casefold().replace(",", " ").split()
            if len(words) > 1 and any(map(str.isdecimal, value)):
                yield from _join_pieces(words, text, "[ \u00a0\u3000\n,]{0,3}")
        case "driver_license" if any(map(str.isalpha, value)):
            plain = "".join(filter(str.isalnum, fold_text(value)))
            yield from _join_pieces(_split_digits_and_letters(plain), text, "[ ·-]{0,3}")
        case "name" if value.isascii():
            words = value.casefold().replace(",", " ").replace("-", " ").split()
            if len(words) > 1 and len(value) >= _LEAST_LATIN_NAME:
                yield from _join_pieces(words, text, "[ ,-]{1,2}")
        case "postcode" | "ip":
            yield from _join_pieces([fold_text(value)], text)


def _join_pieces(pieces: Sequence[str], text: str, between: str = "") -> Iterator[str]:
    if all(piece in text for piece in pieces):
        yield _add_word_bounds(between.join(map(re2.escape, pieces)))


def _add_word_bounds(pattern: str) -> str:
    """Add word boundaries where `pattern` begins or ends in Latin letters or digits. Hangul may be adjacent."""
    first = "\\b" if pattern[0].isascii() and pattern[0].isalnum() else ""
    last = "\\b" if pattern[-1].isascii() and (pattern[-1].isalnum() or pattern[-1] == "]") else ""
    return f"{first}(?:{pattern}){last}"


def _split_digits_and_letters(plain: str) -> list[str]:
    """Split into alternating runs of digits and letters: 12, 가, 3456."""
    return ["".join(run) for _, run in groupby(plain, str.isdecimal)]


def _escape_signs(plain: str) -> str:
    return "".join(SIGNS.get(c) or re2.escape(c) for c in plain)


def _has_core(text: str, plain: str, expression: re2._Regexp) -> bool:
    """Whether `text` has the longest run of characters that every notation of `plain` keeps."""
    return max(expression.findall(plain), key=len, default="") in text


def _build_email_forms(plain: str, text: str) -> Iterator[str]:
    local, sign, domain = plain.partition("@")
    whole, apart = _has_core(text, local, _ALPHANUMERIC), f"{local[:1]} " in text
    if not (local and sign and "." in domain and (whole or apart)):
        return
    labels = domain.split(".")
    said = [name for name, host in contact_checks.SAID_HOSTS.items() if host == labels[0]]
    ends = [name for name, end in contact_checks.SAID_ENDS.items() if end == labels[-1]]
    host = "|".join([_escape_signs(labels[0]), *said])
    end = "|".join([re2.escape(labels[-1]), *ends])
    middle = "".join(SIGNS["."] + _escape_signs(label) for label in labels[1:-1])
    named = f"|{_AT}(?:{'|'.join(said)})" if said else ""
    behind = f"(?:{_AT}(?:{host}){middle}{SIGNS['.']}(?:{end}){named})"
    if whole:
        yield f"{_start_bound(local)}{_escape_signs(local)}{behind}"
    if apart:
        yield f"{_start_bound(local)}{' '.join(map(re2.escape, local))}{behind}"


def _start_bound(plain: str) -> str:
    return "\\b" if plain[0].isascii() and (plain[0].isalnum() or plain[0] == "_") else ""


def _build_handle_forms(plain: str, text: str) -> Iterator[str]:
    bare = plain.translate(_NO_SIGNS)
    if not bare.isalnum() or plain in contact_checks.NO_HANDLES:
        return
    at = "(?:@|골뱅이)[ ]?"
    if plain.isdecimal():
        if len(plain) >= _LEAST_DIGITS_ALONE and plain in text:
            yield f"(?:{at})?\\b{plain}\\b"
        return
    # @react.dev is a handle; in prose, react.dev is a site
    site = "." in plain and contact_checks.is_top_level_domain(plain.rpartition(".")[2])
    alone = not site and len(plain) >= (_LEAST_WORD if plain.isalpha() else _LEAST_MIXED)
    if _has_core(text, plain, _LETTERS):
        signed = "".join(f"[{DIGITS[int(c)]}]" if c.isdecimal() else _escape_signs(c) for c in plain)
        last = "\\b" if plain[-1].isascii() and (plain[-1].isalpha() or plain[-1] == "_") else ""
        yield f"(?:{at}){'?' if alone else ''}{_start_bound(plain)}{signed}{last}"
    if alone and f"{plain[0]} " in text:
        yield _add_word_bounds("[ ]{1,2}".join(map(re2.escape, plain)))
    if alone and all(any(name in text for name in _NAMES.get(c, ())) for c in plain):
        yield "[ ,]{1,2}".join(f"(?:{'|'.join(_NAMES[c])})" for c in plain)


def _build_secret_forms(value: str, text: str) -> Iterator[str]:
    user, sign, word = value.partition(":")
    if sign and user and "/" not in user:  # the password of user:password@host
        yield from _build_secret_forms(word, text)
    if len(value) >= _LEAST_SECRET and any(map(str.isdecimal, value)) and value in text:
        first = "\\b" if value[0].isalnum() or value[0] == "_" else ""
        last = "\\b" if value[-1].isalnum() or value[-1] == "_" else ""
        yield f"{first}{re2.escape(value)}{last}"
