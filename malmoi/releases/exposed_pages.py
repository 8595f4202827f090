"""Hide the source of published documents whose page still shows a replaced value: neither id nor URL leads there.

A page that prints an account, a card or a key shows it to everybody who finds the page; the kinds that were replaced
reveal which page is worth finding. The text stays, under an id that is a digest, with the URL of its site only
(docs/decisions/0011-pages-that-still-show-a-value.md).
"""

from __future__ import annotations

from collections.abc import Iterable

from malmoi.page_ids import digest_id as digest_id
from malmoi.page_ids import is_digest_id as is_digest_id
from malmoi.releases import residue


def is_harmful(kinds: Iterable[str], replaced: Iterable[str]) -> bool:
    """Whether values of `kinds` (replaced in the text), or values in the texts `replaced` elsewhere, are harmful."""
    found = {*kinds, *(kind for words in replaced for kind in residue.kinds(words))}
    return not found.isdisjoint(residue.QUARANTINED)


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
