"""Ids of documents whose page must stay hidden: a digest in place of the key.

Used by releases (malmoi/releases/published_rows.py) and by erasure, which finds such a document by either id.
"""

from __future__ import annotations

import hashlib

_MARK = "/page-"  # between the source and the digest of an id


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
