"""Handle the secret key of an API: add it to the outgoing request, redact it everywhere else.

The URL of a request is stored without its key. The key is added where the request leaves
(crawlers/fetch/connections.py). It is redacted from answers, headers, log lines and error texts before
any other code reads them.
"""

from __future__ import annotations

import binascii
import logging
import os
import re
import sys
import traceback
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import html5
from types import TracebackType
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from crawlers.web.addresses import ESCAPED, canonical_url, origin
from malmoi.errors import CallError
from malmoi.source import Api, Source

REMOVED = "MALMOI-KEY-REMOVED"
REMOVED_HEADER = "X-Malmoi-Key-Removed"
# A shorter key may be an ordinary word (the account name that law.go.kr asks for), so it is redacted only
# after the name of its parameter.
MIN_SECRET = 8  # characters
MAX_KEY = 4096  # characters
_BETWEEN = rb"""["'\s=:>\\]{1,8}"""  # what may separate a parameter from its value: OC=x, "OC": "x", <OC>x


@dataclass(frozen=True, slots=True)
class Key:
    """A key added to the query of requests to `origins` as `parameter`; its value is hidden from repr."""

    parameter: str
    value: str = field(repr=False)
    origins: frozenset[str] = frozenset()  # scheme, host, port of the first requests: the key is sent nowhere else

    def add_to_url(self, url: str) -> str:
        """Return the URL with the key, as it is sent.

        >>> Key("serviceKey", "a+b/c==").add_to_url("https://a.kr/list?page=1")
        'https://a.kr/list?page=1&serviceKey=a%2Bb%2Fc%3D%3D'
        """
        # Portals issue keys both percent-encoded and plain; both become the same query.
        joined = f"{quote(self.parameter, safe='')}={quote(unquote(self.value), safe='')}"
        parts = urlsplit(self.remove_from_url(url))
        query = f"{parts.query}&{joined}" if parts.query else joined
        return urlunsplit(parts._replace(query=query))

    def remove_from_url(self, url: str) -> str:
        """Return the URL without the parameter of the key; an answer may contain URLs that carry it.

        >>> Key("KEY", "secret-value").remove_from_url("https://a.kr/list?KEY=secret-value&page=2")
        'https://a.kr/list?page=2'
        """
        parts = urlsplit(url)
        kept = [one for one in parts.query.split("&") if unquote(one.partition("=")[0]) != self.parameter]
        return urlunsplit(parts._replace(query="&".join(kept)))

    def redact_bytes(self, raw: bytes) -> bytes:
        """Replace the key in `raw` with a fixed word, however it is written: see `_compile` and `_spell`.

        >>> Key("KEY", "secret/value").redact_bytes(b'{"next": "?KEY=secret%2Fvalue", "you": "c2VjcmV0L3ZhbHVl"}')
        b'{"next": "?KEY=MALMOI-KEY-REMOVED", "you": "MALMOI-KEY-REMOVED"}'
        """
        plain = unquote(self.value)
        if len(plain) < MIN_SECRET:
            return _compile_named(self.parameter, plain).sub(rb"\g<1>" + REMOVED.encode(), raw)
        forms = tuple(dict.fromkeys((plain, quote(plain, safe=""), self.value)))  # it is sent percent-encoded
        found, nested = _compile(forms)
        lower = raw.lower()
        # Most answers have neither the longest run of letters of the key nor an escaped letter.
        if any(word in lower for word in _list_needles(forms)) or ESCAPED.search(raw) is not None:
            raw = found.sub(REMOVED.encode(), raw)
        raw = nested.sub(lambda run: REMOVED.encode() if _hides(run[0], found) else run[0], raw)
        for step in (2, 4) if b"\0" in raw else ():  # UTF-16 and UTF-32, of either byte order
            for start in range(step):
                raw = _redact_wide(raw, found, start, step)
        return raw

    def redact_text(self, text: str) -> str:
        """Redact the key from a line of a log or of an error."""
        return self.redact_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


@lru_cache(maxsize=4)
def _compile(forms: tuple[str, ...]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return the pattern of every spelling of a key, and that of runs which may hold one encoded once more.

    Each form of it is spelt as it is, reversed, hexadecimal, and in Base64 from each of three places. In Base64 a key
    begins at the first, second or third byte of a group, as after the name in `user:key`; the letters that it shares
    with its neighbours are left out. Lines of Base64 and digits may be separated.
    """
    words: list[bytes] = []
    for form in forms:
        words += [b"".join(map(_spell, word)) for word in (form, form[::-1])]
        pairs = [f"{ord(char):02x}" for char in form]
        digits = (rb"(?:0x|\\{1,4}x)?%b%b" % (_fold(one[0]), _fold(one[1])) for one in pairs)
        words.append(rb"(?:[\s:,-]|\\{1,4}[rn]){0,3}".join(digits))
        for core in _list_base64(form):
            # The alphabet for URLs has other letters.
            letters = (
                rb"(?:%b|%b)" % (_spell(char), {"+": rb"\-", "/": b"_"}[char]) if char in "+/" else char.encode()
                for char in core
            )
            words.append(rb"(?:[\s:,]|\\{1,4}[rn]){0,3}".join(letters) + b"={0,2}")
    found = re.compile(b"|".join(words))
    shortest = min(map(len, forms)) * 16 // 9  # Base64 of Base64
    return found, re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % shortest)


@lru_cache(maxsize=4)
def _list_needles(forms: tuple[str, ...]) -> tuple[bytes, ...]:
    found = set[str]()
    for form in forms:
        run = max(re.findall("[0-9a-z]*", form.lower()), key=len)
        digits = [f"{ord(char):02x}" for char in form]
        apart = (mark.join(digits[:4]) for mark in ("", " ", ":", "-", ",", ", ", " 0x", ",0x", ", 0x"))
        found |= {run, run[::-1], *apart, *(core[:6].lower() for core in _list_base64(form))}
    return tuple(word.encode() for word in sorted(found))


@lru_cache(maxsize=4)
def _compile_named(parameter: str, plain: str) -> re.Pattern[bytes]:
    value = b"".join(map(_spell, plain))
    return re.compile(rb"((?i:\b%b)%b)%b(?![\w-])" % (re.escape(parameter.encode()), _BETWEEN, value))


def _list_base64(plain: str) -> list[str]:
    """Return the letters of Base64 that hold bits of the key alone, also of the key in UTF-16 and reversed."""
    cores = []
    for raw in (plain.encode(), plain[::-1].encode(), plain.encode("utf-16-le")):
        for shift in range(3):
            whole = b64encode(bytes(shift) + raw).decode().rstrip("=")
            end = len(whole) - (1 if (shift + len(raw)) % 3 else 0)  # the last letter may hold bits of what follows
            cores.append(whole[(0, 2, 3)[shift] : end])
    return [*cores, *(core[::-1] for core in cores)]


def _fold(char: str) -> bytes:
    both = {char.lower(), char.upper()}
    return b"[%b]" % "".join(sorted(both)).encode() if len(both) > 1 else re.escape(char).encode()


def _spell(char: str) -> bytes:
    """Return a pattern of the ways to write an ASCII character: in URLs, JSON, scripts and HTML."""
    code = ord(char)
    two = b"".join(map(_fold, f"{code:02x}"))
    names = sorted(name for name, text in html5.items() if text == char and name.endswith(";"))
    named = "".join(f"|{re.escape(name)}" for name in names).encode()
    literal = _fold(char) if char.isalnum() else rb"\\{0,8}" + re.escape(char.encode())
    return (
        rb"(?:%b|%%(?:25){0,3}%b|\\{1,8}(?:[xX]%b|[uU]0{2,6}%b|u\{0{0,6}%b\}|%03o)"
        rb"|&(?:amp;){0,3}(?:#0{0,7}%d;?|#[xX]0{0,7}%b;?%b))"
    ) % (literal, two, two, two, two, code, code, b"".join(map(_fold, f"{code:x}")), named)


def _hides(run: bytes, found: re.Pattern[bytes], depth: int = 2) -> bool:
    """Whether a run of letters is Base64 or hexadecimal of what holds the key, up to `depth` times."""
    inner = []
    with suppress(binascii.Error):
        inner.append(urlsafe_b64decode(run.translate(bytes.maketrans(b"+/", b"-_")) + b"=" * (-len(run) % 4)))
    for digits in (run, run[1:]):
        with suppress(binascii.Error):
            inner.append(binascii.unhexlify(digits[: len(digits) // 2 * 2]))
    return any(found.search(one) or (depth > 1 and _hides(one, found, depth - 1)) for one in inner if one)


def _redact_wide(raw: bytes, found: re.Pattern[bytes], start: int, step: int) -> bytes:
    """Redact what every `step`-th byte from `start` spells."""
    word = (bytes(step - 1)).join(bytes([code]) for code in REMOVED.encode())
    pieces, at = [], 0
    for one in found.finditer(raw[start::step]):
        pieces += [raw[at : start + one.start() * step], word]
        at = start + (one.end() - 1) * step + 1
    return b"".join((*pieces, raw[at:]))


def key_of(source: Source) -> Key | None:
    """Read the key of a source from its environment variable; None if the source needs no key.

    Raises:
        CallError: the variable is not set, or its value cannot be a key.
    """
    access = source.access
    if not isinstance(access, Api) or not access.key:
        return None
    value = os.environ.get(access.key, "").strip()
    if not value:
        about = f" ({source.note})" if source.note else ""
        raise CallError(
            f"{source.name}: the environment variable {access.key} is not set; it holds the key of {source.title}. "
            f"Ask {source.publisher} for one{about}, then set {access.key} and run again"
        )
    if not value.isascii() or not value.isprintable() or re.search(r"\s", value) or len(value) > MAX_KEY:
        raise CallError(f"{source.name}: the value of {access.key} cannot be a key; set it to the key alone")
    return Key(access.parameter, value, frozenset(origin(canonical_url(url)) for url in access.start))


class _Hiding(logging.Formatter):
    def __init__(self, inner: logging.Formatter | None, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._inner, self._hide = inner or logging.Formatter(), hide

    def format(self, record: logging.LogRecord) -> str:
        return self._hide(self._inner.format(record))


def hide_in_logs(key: Key) -> None:
    """Redact the key from every log line that this process writes and from its final traceback."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, _Hiding):
            handler.setFormatter(_Hiding(handler.formatter, key.redact_text))

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        print(key.redact_text("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)

    sys.excepthook = show
