"""Honour tombstones while sources are collected and extracted: what was withdrawn is neither fetched nor kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import urldefrag

from crawlers.encodings.decode import decode
from crawlers.source_errors import LABEL
from crawlers.web.addresses import canonical_url, origin
from crawlers.withdrawn_links import make_needles
from malmoi.apply import Dropped, Outcome
from malmoi.document import Provenance, Verdict
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Matcher
from malmoi.ledger import Failure
from malmoi.source import FOLDER
from malmoi.url_privacy import digest_id

REASON = tombstones.REASON
IsWithdrawn = Callable[[str], bool]  # whether the address of a capture of one source is withdrawn


def read_matcher(files: tuple[str, str] | None) -> Matcher:
    """Read the tombstones and the key of values in `files`; without files nothing is withdrawn."""
    if files is None or not (path := Path(files[0])).exists():
        return Matcher((), b"")
    return _read_matcher(path, Path(files[1]), path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_matcher(path: Path, key: Path, changed: int) -> Matcher:
    return tombstones.read_matcher(path, key)


def key_of(url: str) -> str:
    """Return the key that a document at an address has by default: the URL, or the path of a file below its folder.

    >>> key_of("https://a.kr/1#x"), key_of("folder:papers/a/1.txt")
    ('https://a.kr/1', 'a/1.txt')
    """
    return url.removeprefix(FOLDER).partition("/")[2] if url.startswith(FOLDER) else urldefrag(url).url


def find_by_address(matcher: Matcher, source: str, url: str) -> tombstones.Tombstone | None:
    """Return the tombstone of a capture of `source` at `url`: by its address, or by the id that it has by default."""
    if not matcher:
        return None
    return (
        matcher.find_by_address(_canonicalize(matcher, url))
        or matcher.find_by_id(f"{source}/{key_of(url)}")
        or matcher.find_value(url)
    )


def _canonicalize(matcher: Matcher, url: str) -> str:
    """Return the canonical URL; a URL that no tombstone can cover as it is, since this is the costly part."""
    if not matcher.reads_addresses:
        return url
    needles = _list_needles(matcher)
    if needles is not None and url.isascii() and "%" not in url:
        plain = url.lower().encode()
        if not any(needle in plain for needle in needles):
            return url
    return canonical_url(url) or url


@lru_cache(maxsize=8)
def _list_needles(matcher: Matcher) -> tuple[bytes, ...] | None:
    keys = (one.key for one in matcher.tombstones if one.kind in ("url", "url-prefix"))
    needles = make_needles(keys, absolute=True)
    return None if needles is None else tuple(needle.lower() for needle in needles)


def find_document(matcher: Matcher, id: str, url: str, text: str, about: str) -> tombstones.Tombstone | None:
    """Return the tombstone of a document; `about` are its title and author."""
    return matcher.find(id, _canonicalize(matcher, url), text) or matcher.find_value(about)


def has_value(matcher: Matcher, body: bytes, charset: str) -> bool:
    """Whether the bytes of an answer, read as text, contain a withdrawn value."""
    if not matcher.reads_texts:
        return False
    return matcher.find_value(decode(body, charset, html=True).text) is not None


def mask_address(url: str, number: int) -> str:
    """Return the site of a withdrawn address and a number, for lists that must not name it.

    >>> mask_address("https://a.kr/people/hong", 2)
    'https://a.kr/[withheld 2]'
    """
    return f"{origin(url)}/[withheld {number}]"


def drop(outcome: Outcome | Failure, matcher: Matcher) -> Outcome | Failure:
    """Drop a withdrawn document without its content: neither text, title, author, address nor id stays in the stage.

    The record stays: by it a purge finds the capture. A failed document loses its name and the words of its error.
    """
    if isinstance(outcome, Failure):
        if find_document(matcher, outcome.id, outcome.url, "", outcome.detail) is None:
            return outcome
        return Failure(digest_id(outcome.id), outcome.source, outcome.why)
    doc = outcome.document
    about = "\n".join((doc.title, doc.author, dict(doc.labels).get(LABEL, "")))
    if find_document(matcher, doc.id, doc.provenance.url, doc.text, about) is None:
        return outcome
    said = doc.provenance
    empty = Provenance(said.source, "", said.record, said.fetched, "", said.format, said.encoding)
    bare = replace(
        doc, id=digest_id(doc.id), text="", title="", date="", author="", provenance=empty,
        evidence=(), signals=(), labels=(), measures=(), spans=(), morphemes=None,
    )  # fmt: skip
    return Dropped(bare, tombstones.NAME, Verdict("drop", REASON))
