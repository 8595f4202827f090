"""Leaves of the tree of members: salted digests of the address and of the text of each document.

    leaf = sha256(0x00 ‖ salt ‖ kind ‖ 0x00 ‖ key)     kind is `url` or `text`

The key of an address is its normal form below; the key of a text is the sha256 (hex) of its UTF-8, `text_sha256`.
docs/check_statement.py computes the same leaf.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from typing import Literal, TypeAlias
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

Kind: TypeAlias = Literal["url", "text"]
_SESSION = re.compile(r";jsessionid=[^/;]*", re.I)
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")  # stays as it is: quoting takes long
_PLAIN_PART = re.compile(r"[A-Za-z0-9_.~/=-]*")  # of a query
_DEFAULT_PORT = re.compile(r":(80|443)?$")


def normalise_address(url: str) -> str:
    """Return the normal form of an address: spellings of one page have one key.

    Scheme, user, `www.`, default port, fragment, session id and last slash are removed; the host is lower case, what is
    escaped is the same in all spellings, and the parts of the query are sorted. Other schemes stay as they are.

    >>> normalise_address("HTTPS://www.A.kr:443/%ea%b0%80/?z=1&a=2#top")
    'a.kr/%EA%B0%80?a=2&z=1'
    >>> normalise_address("http://a.kr/가?a=2&z=1"), normalise_address("folder:a/x.csv#1")
    ('a.kr/%EA%B0%80?a=2&z=1', 'folder:a/x.csv#1')
    """
    scheme, mark, rest = normalize("NFC", url.strip()).partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        return scheme + mark + rest
    place, _, query = rest.partition("#")[0].partition("?")
    host, _, path = place.partition("/")
    host = _DEFAULT_PORT.sub("", host.rpartition("@")[2].lower()).removeprefix("www.")
    with suppress(UnicodeError):
        host = host if host.isascii() else host.encode("idna").decode()
    if not _PLAIN.fullmatch(path):
        path = quote(unquote_to_bytes(_SESSION.sub("", path)))
    path = path.rstrip("/")
    query = "&".join(sorted(_quote_part(part) for part in query.split("&") if part))
    return f"{host}/{path}?{query}".rstrip("/?")


def _quote_part(part: str) -> str:
    return part if _PLAIN_PART.fullmatch(part) else quote(unquote_to_bytes(part), safe="/=")


def make_leaf(salt: bytes, kind: Kind, key: str) -> bytes:
    """Return the leaf (32 bytes) of a key."""
    return hashlib.sha256(b"\x00" + salt + kind.encode() + b"\x00" + key.encode()).digest()


def make_salt(data_root: str) -> bytes:
    """Return the salt (32 bytes) of a release from the Merkle root (hex) over its files in data/.

    It differs between releases and is the same for equal data, so that equal releases have equal bytes.
    """
    return hashlib.sha256(b"malmoi members\n" + bytes.fromhex(data_root)).digest()
