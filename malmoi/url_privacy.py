"""Find and redact personal data in URLs and ids, with percent-escapes decoded; ids of pages that must stay hidden."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias
from unicodedata import normalize
from urllib.parse import unquote_to_bytes

Redact: TypeAlias = Callable[[str], str]  # redacts personal data in a text; None if it may stay
_ENDING = 5  # characters of a file extension: jsonl
_LAYERS = 3  # %2540 is %40 is @; deeper escaping does not occur
_MARK = "/page-"  # between the source and the digest of an id


def decode_escapes(text: str) -> str:
    """Decode percent-escapes as UTF-8, else as Korean code page 949; also double escapes. Compose Hangul (NFC).

    >>> (decode_escapes("/q?mail=hong%40example.kr&name=%C8%AB%B1%E6"), decode_escapes("%EA%B0%80"),
    ...  decode_escapes("hong%2540example.kr"))
    ('/q?mail=hong@example.kr&name=홍길', '가', 'hong@example.kr')
    """
    for _ in range(_LAYERS):
        if "%" not in text or (decoded := _decode_layer(text)) == text:
            break
        text = decoded
    return normalize("NFC", text)


def _decode_layer(text: str) -> str:
    raw = unquote_to_bytes(text.encode("utf-8", "replace"))
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def redact_text(text: str, redact: Redact | None) -> str:
    """Return `text` after `redact`, which is also applied to the text with percent-escapes decoded.

    If `redact` finds something in the decoded text, the result is decoded; otherwise the escapes stay unchanged.

    >>> hide = lambda text: text.replace("hong@example.kr", "[이메일1]")
    >>> redact_text("/u/hong%40example.kr/%41", hide), redact_text("/u/%41", hide)
    ('/u/[이메일1]/A', '/u/%41')
    """
    if redact is None or not text:
        return text
    found = redact(text)
    for read in (decode_escapes, _decode_plus):
        reading = read(found)
        if reading != found and (hidden := redact(reading)) != reading:
            found = hidden
    stem, dot, ending = found.rpartition(
        "."
    )  # hong@example.kr.md is a file named after a person, not a Moldovan address
    if dot and len(ending) <= _ENDING and ending.isalnum() and (hidden := redact(stem)) != stem:
        found = f"{hidden}.{ending}"
    return found


def _decode_plus(text: str) -> str:
    """Decode escapes, and read plus signs in a query as blanks."""
    decoded = decode_escapes(text)
    return decoded.replace("+", " ") if "?" in decoded else decoded


def redact_url(url: str, redact: Redact | None) -> str:
    """Redact a URL: remove user and password, keep a numeric host, apply `redact_text` to the rest.

    >>> hide = lambda text: text.replace("010-0000-1234", "[전화번호1]")
    >>> redact_url("https://user:word@a.kr/p?tel=010%2D0000%2D1234#x", hide)
    'https://a.kr/p?tel=[전화번호1]#x'
    """
    scheme, mark, rest = url.partition("://")
    if redact is None or not mark or not scheme.isascii():
        return redact_text(url, redact)
    end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
    host = rest[:end].rpartition("@")[2]
    if any(c.isalpha() for c in host) and not host.startswith("["):  # otherwise a server's IP address, not a person
        host = redact_text(host, redact)
    return f"{scheme}://{host}{redact_text(rest[end:], redact)}"


def has_personal_data(id: str, redact: Redact | None) -> bool:
    """Whether `redact` would change the key of an id `<source>/<key>`.

    >>> hide = lambda text: text.replace("hong@example.kr", "[이메일1]")
    >>> has_personal_data("a/u/hong%40example.kr", hide), has_personal_data("a/u/1", hide)
    (True, False)
    """
    key = id.partition("/")[2]
    return redact_url(key, redact) != key


def digest_id(id: str) -> str:
    """Return the id, in all releases, of a document whose page must stay hidden: the same for the same document.

    Erasure finds such a document by either id.

    >>> digest_id("a/notices/refund.html")
    'a/page-7239f87f1946ad19ebc4fc21'
    """
    return f"{id.partition('/')[0]}{_MARK}{hashlib.sha256(id.encode()).hexdigest()[:24]}"


def is_digest_id(id: str) -> bool:
    """Whether `digest_id` made the id."""
    source, mark, digest = id.partition(_MARK)
    return bool(mark) and "/" not in source and len(digest) == 24 and set(digest) <= set("0123456789abcdef")
