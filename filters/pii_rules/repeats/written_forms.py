"""Written forms of a known value, as expressions over lower-case text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.contacts import emails, handles
from filters.pii_rules.numbers.phone_checks import prefix_of
from filters.pii_rules.repeats.canonical_values import LETTERS, canonical_form, fold_text

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
_O: Final = "[ \u00a0\u3000(\\[{<（［]{0,3}"
_C: Final = "[ \u00a0\u3000)\\]}>）］]{0,3}"
_SIGNS: Final = {
    "_": f"{_O}(?:_|언더바|언더스코어|언더라인|언더|밑줄|underscore){_C}",
    "-": f"{_O}(?:-|하이픈|대시|빼기|dash){_C}",
    ".": f"{_O}(?:[.·･ㆍ•]|쩜|점|닷|도트|dot){_C}",
    "@": f"(?:{_O}(?:@|ⓐ|%40|&#64;|골뱅이|골벵이|앳|엣|에트|at|a){_C}|[^a-z0-9가-힣\n\x00]{{1,3}})",
}
_SAID: Final = ("0공영", "1일", "2이", "3삼", "4사", "5오", "6육륙", "7칠", "8팔", "9구")
_NAMES: Final = {
    letter: "(?:" + "|".join(name for name, told in LETTERS.items() if told == letter) + ")"
    for letter in set(LETTERS.values())
} | {str(i): f"[{said}]" for i, said in enumerate(_SAID)}


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


def build_patterns(kind: str, value: str) -> Iterator[str]:
    """Yield expressions for a value of a kind in WORDS; nothing if it is too short to differ from prose."""
    if len(value) > _MOST:
        return
    match kind:
        case "email":
            yield from _email_patterns(emails.normalise_email(value))
        case "messenger":
            yield from _handle_patterns(canonical_form(kind, value))
        case "key" | "url_secret":
            yield from _secret_patterns(handles.to_half_width(value).casefold())
        case "mac":
            digits = canonical_form(kind, value)
            yield _add_word_bounds("[:.-]?".join(digits[i : i + 2] for i in range(0, len(digits), 2)))
        case "passport" | "vehicle":
            plain = canonical_form(kind, value)
            if len(plain) >= _LEAST_DIGITS and any(map(str.isdecimal, plain)):
                yield _add_word_bounds("[ \u00a0·-]{0,3}".join(_split_digits_and_letters(plain)))
        case "address":
            words = [re2.escape(word) for word in handles.to_half_width(value).casefold().replace(",", " ").split()]
            if len(words) > 1 and any(map(str.isdecimal, value)):
                yield _add_word_bounds("[ \u00a0\u3000\n,]{0,3}".join(words))
        case "driver_license" if any(map(str.isalpha, value)):
            yield _add_word_bounds(
                "[ ·-]{0,3}".join(_split_digits_and_letters("".join(filter(str.isalnum, fold_text(value)))))
            )
        case "name" if value.isascii():
            words = [re2.escape(word) for word in value.casefold().replace(",", " ").replace("-", " ").split()]
            if len(words) > 1 and len(value) >= _LEAST_LATIN_NAME:
                yield _add_word_bounds("[ ,-]{1,2}".join(words))
        case "postcode" | "ip":
            yield _add_word_bounds(re2.escape(fold_text(value)))


def _add_word_bounds(pattern: str) -> str:
    """Add word boundaries where `pattern` begins or ends in Latin letters or digits. Hangul may be adjacent."""
    first = "\\b" if pattern[0].isascii() and pattern[0].isalnum() else ""
    last = "\\b" if pattern[-1].isascii() and (pattern[-1].isalnum() or pattern[-1] == "]") else ""
    return f"{first}(?:{pattern}){last}"


def _split_digits_and_letters(plain: str) -> list[str]:
    """Split into alternating runs of digits and letters: 12, 가, 3456."""
    pieces: list[str] = []
    for char in plain:
        if pieces and pieces[-1][-1].isdecimal() == char.isdecimal():
            pieces[-1] += char
        else:
            pieces.append(char)
    return [re2.escape(piece) for piece in pieces]


def _escape_signs(plain: str) -> str:
    return "".join(_SIGNS.get(c) or re2.escape(c) for c in plain)


def _email_patterns(plain: str) -> Iterator[str]:
    local, sign, domain = plain.partition("@")
    if not (local and sign and "." in domain):
        return
    labels = domain.split(".")
    said = [name for name, host in emails.SAID_HOSTS.items() if host == labels[0]]
    ends = [name for name, end in emails.SAID_ENDS.items() if end == labels[-1]]
    host = "|".join([_escape_signs(labels[0]), *said])
    end = "|".join([re2.escape(labels[-1]), *ends])
    middle = "".join(_SIGNS["."] + _escape_signs(label) for label in labels[1:-1])
    whole = f"(?:{host}){middle}{_SIGNS['.']}(?:{end})"
    apart = " ".join(map(re2.escape, local))
    named = f"|{_SIGNS['@']}(?:{'|'.join(said)})" if said else ""
    yield f"{_start_bound(local)}(?:{_escape_signs(local)}|{apart})(?:{_SIGNS['@']}{whole}{named})"


def _start_bound(plain: str) -> str:
    return "\\b" if plain[0].isascii() and (plain[0].isalnum() or plain[0] == "_") else ""


def _handle_patterns(plain: str) -> Iterator[str]:
    bare = plain.replace("_", "").replace(".", "").replace("-", "").replace("#", "")
    if not bare.isalnum() or plain in handles.NO_HANDLES:
        return
    at = "(?:@|골뱅이)[ ]?"
    if plain.isdecimal():
        if len(plain) >= _LEAST_DIGITS_ALONE:
            yield f"(?:{at})?\\b{plain}\\b"
        return
    mixed = not plain.isalpha()
    signed = "".join(f"[{_SAID[int(c)]}]" if c.isdecimal() else _escape_signs(c) for c in plain)
    last = "\\b" if plain[-1].isascii() and (plain[-1].isalpha() or plain[-1] == "_") else ""
    host = "." in plain and emails.is_top_level_domain(
        plain.rpartition(".")[2]
    )  # @react.dev is a handle; in prose, react.dev is a site
    if not host and len(plain) >= (_LEAST_MIXED if mixed else _LEAST_WORD):
        yield f"(?:{at})?{_start_bound(plain)}{signed}{last}"
        yield _add_word_bounds("[ ]{1,2}".join(map(re2.escape, plain)))
        if all(c in _NAMES for c in plain):
            yield "[ ,]{1,2}".join(_NAMES[c] for c in plain)
    else:
        yield f"{at}{_start_bound(plain)}{signed}{last}"


def _secret_patterns(value: str) -> Iterator[str]:
    user, sign, word = value.partition(":")
    if sign and user and "/" not in user:  # the password of user:password@host
        yield from _secret_patterns(word)
    if len(value) >= _LEAST_SECRET and any(map(str.isdecimal, value)):
        first = "\\b" if value[0].isalnum() or value[0] == "_" else ""
        last = "\\b" if value[-1].isalnum() or value[-1] == "_" else ""
        yield f"{first}{re2.escape(value)}{last}"
