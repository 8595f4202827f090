"""Keys of paragraphs: hashes of their letters, with the parts that differ from page to page masked.

A paragraph is a line of the text outside fenced code: Malmoi's texts have one paragraph per line. White space, signs
and case never count. The key of a paragraph about its page (cues.py) leaves out figures, names and quoted words
(masks.py), and if it is clearly about the page, further keys leave out a hole of a word or two. Every other paragraph
is compared letter for letter, figures included: if 인구는 1,234명이다 differs, it is information of the page, and a
removed paragraph must occur elsewhere unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import NamedTuple

import re2

from filters.host_furniture import host_of
from filters.paragraphs.cues import CLOSES, CODE, CUES, NO_PROSE, POINTS, RECURS
from filters.paragraphs.masks import leave_words_out, mask_page_words, names_of
from filters.views.code_fences import find_fences
from malmoi.document import Document

# Letters and digits. Shorter lines are buttons, headings, items and refrains, which recur in any text; 10 is 무단 전재
# 및 재배포 금지. 20 is the minimum that a recipe may set for other lines.
SPEAKING_LETTERS = 10
PLAIN_LETTERS = 20
MASKED_LETTERS = 5  # of the rest of a masked line about its page: 최종 수정일

_REST = re.compile(r"[\W_]+")
_CODE = re2.compile(CODE)
_RECURS = re2.compile("|".join(RECURS.values()))
_SPEAKS = re2.compile("|".join(CUES.values()))
_POINTS = re2.compile(POINTS)
_NO_PROSE = re2.compile(NO_PROSE)
_CLOSES = re.compile(CLOSES)  # applied to the last signs only; `re` is faster for one search


class Paragraph(NamedTuple):
    """One line: its bounds in code points, its keys (odd if about its page), and its count of letters and digits."""

    start: int
    end: int
    keys: tuple[int, ...]
    letters: int


def paragraphs(doc: Document) -> Iterator[Paragraph]:
    """Yield the paragraphs of a document that are counted, in text order.

    >>> from malmoi.document import Provenance
    >>> doc = Document("x/1", "서울의 봄\\n이 글은 2024년 3월 5일에 작성되었습니다.", Provenance("x", "", "", "", ""))
    >>> [(found.start, found.end, found.letters) for found in paragraphs(doc)]
    [(6, 32, 20)]
    """
    names = names_of(doc) if _has_page_pointer(doc.text) or _is_about_page(doc.text) else None
    code = iter(find_fences(doc.text))
    start, stop = next(code, (0, 0))
    at = 0
    for line in doc.text.split("\n"):
        end = at + len(line)
        while stop and stop <= at:
            start, stop = next(code, (0, 0))
        if len(line) >= SPEAKING_LETTERS and not start <= at < stop:
            keys = keys_of(line, names)
            if keys:
                yield Paragraph(at, end, keys, len(_REST.sub("", line)))
        at = end + 1


def keys_of(line: str, names: Sequence[str] | None = ()) -> tuple[int, ...]:
    """Return the keys of a line, 64 bits each: first the key of all its letters; () if the line is not counted.

    `names` are those of the page, as their letters; None if nothing in the page is about itself. Keys of lines about
    the page are odd.

    >>> keys_of("이 글은 2024년 3월 5일에 작성되었습니다.") == keys_of("이 글은 2023년 12월 25일에 작성되었습니다")
    True
    >>> counted = "그해 이 고을의 인구는 {}명이고 호수는 {}호였다."
    >>> keys_of(counted.format(1234, 301)) == keys_of(counted.format(987, 222))
    False
    """
    plainly = names is not None and _is_about_page(line)
    if names is not None and (plainly or _has_page_pointer(line)):
        if len(_REST.sub("", line)) < SPEAKING_LETTERS or _is_formulaic(line) or _CODE.search(line):
            return ()
        words = mask_page_words(line, names)
        whole = "".join(words)
        if len(whole) < MASKED_LETTERS:
            return ()
        # 이 글에서는 … 을 살펴봅니다 refers to the page and to its subject: no word of it may differ.
        return tuple(_hash(found) | 1 for found in dict.fromkeys([whole, *(leave_words_out(words) if plainly else ())]))
    if len(line) < PLAIN_LETTERS or not _is_closed_sentence(line) or _NO_PROSE.search(line) or _is_formulaic(line):
        return ()
    bare = _REST.sub("", line.lower())
    return (_hash(bare) & ~1,) if len(bare) >= PLAIN_LETTERS else ()


def scope_of(doc: Document) -> str:
    """Return the host of a document; if it has no web address, its source."""
    return host_of(doc) or doc.provenance.source


def rank_of(doc: Document) -> int:
    """Return the rank of a document among those that share a paragraph: fetch time in seconds, then bits of H(id).

    The lowest rank is the keeper of the paragraph. So later pages do not change earlier ones; with the hash alone each
    later page could be the smallest. H is sha256; a document without a time ranks first.

    >>> from malmoi.document import Provenance
    >>> early, late = (Document("x/1", "", Provenance("x", "", "", f"202{n}-05-01T00:00:00Z", "")) for n in (4, 6))
    >>> rank_of(early) < rank_of(late)
    True
    """
    bits = int.from_bytes(sha256(doc.id.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    return _to_seconds(doc.provenance.fetched) << 32 | bits


def _to_seconds(time: str) -> int:
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return 0
    since = found.replace(tzinfo=found.tzinfo or UTC).timestamp()
    return min(max(int(since), 0), (1 << 32) - 1)


def _is_about_page(text: str) -> bool:
    return bool(_SPEAKS.search(_remove_blanks(text)))


def _has_page_pointer(text: str) -> bool:
    return bool(_POINTS.search(text))


def _is_formulaic(line: str) -> bool:
    return bool(_RECURS.search(_remove_blanks(line)))


def _is_closed_sentence(line: str) -> bool:
    return bool(_CLOSES.search(line, max(0, len(line) - 8)))


def _remove_blanks(text: str) -> str:
    return "".join(text.lower().split())


def _hash(letters: str) -> int:
    return int.from_bytes(blake2b(letters.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
