"""Hide the source of published documents whose page still shows a replaced value: neither id nor URL leads there.

A page that prints an account, a card or a key shows it to everybody who finds the page; the kinds that were replaced
reveal which page is worth finding. The text stays, under an id that is a digest, with the URL of its site only
(docs/decisions/0011-pages-that-still-show-a-value.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from malmoi.releases import residue

_MARK = "/page-"  # between the source and the digest of an id


def is_harmful(kinds: Iterable[str], replaced: Iterable[str]) -> bool:
    """Whether values of `kinds` (replaced in the text), or values in the texts `replaced` elsewhere, are harmful."""
    found = {*kinds, *(kind for words in replaced for kind in residue.kinds(words))}
    return not found.isdisjoint(residue.QUARANTINED)


def digest_id(id: str) -> str:
    """Return the id of such a document in all releases: the same for the same document, and not a URL.

    >>> digest_id("a/notices/refund.html")
    'a/page-7239f87f1946ad19ebc4fc21'
    """
    return f"{id.partition('/')[0]}{_MARK}{hashlib.sha256(id.encode()).hexdigest()[:24]}"


def is_digest_id(id: str) -> bool:
    """Whether `digest_id` made the id."""
    source, mark, digest = id.partition(_MARK)
    return bool(mark) and "/" not in source and len(digest) == 24 and set(digest) <= set("0123456789abcdef")


def site(url: str) -> str:
    """Return scheme and host of a URL.

    >>> site("https://a.kr/notices/refund.html?x=1"), site("folder:papers/02.txt")
    ('https://a.kr/', 'folder:')
    """
    scheme, mark, rest = url.partition("://")
    if mark:
        end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
        return f"{scheme}://{rest[:end]}/"
    head, colon, _ = url.partition(":")
    return head + colon if colon else ""
