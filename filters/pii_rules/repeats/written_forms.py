"""Written forms of a known value, as expressions over lower-case text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import re2

from filters.pii_rules.contacts import emails, handles
from filters.pii_rules.numbers.phone_checks import prefix_of
from filters.pii_rules.repeats.canonical_values import DIGITS, LETTERS, SIGNS, canonical_form, fold_text

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
            yield from _build_email_forms(emails.normalise_email(value), text)
        case "messenger":
            yield from _build_handle_forms(canonical_form(kind, value), text)
        case "key" | "url_secret":
            yield from _build_secret_forms(handles.to_half_width(value).casefold(), text)
        case "mac":
            digits = canonical_form(kind, value)
            yield from _join_pieces([digits[i : i + 2] for i in range(0, len(digits), 2)], text, "[:.-]?")
        case "passport" | "vehicle":
            plain = canonical_form(kind, value)
            if len(plain) >= _LEAST_DIGITS and any(map(str.isdecimal, plain)):
                yield from _join_pieces(_split_digits_and_letters(plain), text, "[ \u00a0·-]{0,3}")
        case "address":
            words = handles.to_half_width(value).casefold().replace(",", " ").split()
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
    said = [name for name, host in emails.SAID_HOSTS.items() if host == labels[0]]
    ends = [name for name, end in emails.SAID_ENDS.items() if end == labels[-1]]
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
    if not bare.isalnum() or plain in handles.NO_HANDLES:
        return
    at = "(?:@|골뱅이)[ ]?"
    if plain.isdecimal():
        if len(plain) >= _LEAST_DIGITS_ALONE and plain in text:
            yield f"(?:{at})?\\b{plain}\\b"
        return
    # @react.dev is a handle; in prose, react.dev is a site
    site = "." in plain and emails.is_top_level_domain(plain.rpartition(".")[2])
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
