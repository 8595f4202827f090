"""Take away the lines with which the pages of a host begin and end: what stands at the edge of many is no text.

A survey learns them. From each document it takes the lines at the head and at the tail; of a host it
keeps those that stand there on a large share of a sample of its pages. A page loses such a line only
where it is contiguous with the edge: from the first line on while lines are known, and from the last
one back. So an inner heading (구문, 예제), a formula of law in the middle and a refrain stay, however
often they recur.

The sample are the pages with the smallest hash of their id, so that it does not depend on order and
1 % of new pages change 1 % of it; a line's share then moves by less than one point, and only a host
with a line that near the threshold gets another table. Memory is bounded by the sample.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from hashlib import blake2b
from itertools import takewhile
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from filters.fences import fences
from filters.params import Share
from malmoi.document import Document, Edit, Edits
from malmoi.survey import Rows, Survey

VERSION = 1
LIBRARIES = ("numpy",)

EDGE = 10  # written lines looked at from each end; our choice: menus longer than that are left by no extractor
MAX_LINE = 120  # code points; a longer line is text, as in `furniture`
SENTENCE_SHARE = (
    0.8  # a line that ends like a sentence must stand on so many; a notice of the host does, a formula rarely
)

_SKETCH = pa.schema(
    [("host", pa.string()), ("page", pa.uint64()), ("head", pa.list_(pa.uint64())), ("tail", pa.list_(pa.uint64()))]
)
_TABLE = pa.schema([("host", pa.string()), ("head", pa.list_(pa.uint64())), ("tail", pa.list_(pa.uint64()))])

_HOST = re.compile(r"https?://(?:[^/@?#\\]*@)?(\[[^\]/]*\]|[^/:?#\\]+)", re.I)
# A line without a word is a cell of a table or a rule.
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2}")
_STOP = re.compile(r"(?:[.?!。…]|[다요죠까])[\"'”’)\]」』]*\Z")
# Words of sentences that speak of the page and not of the world.
_PAGE = re.compile(
    "제보|구독|기사|문의|누리집|홈페이지|사이트|페이지|클릭|댓글|회원|로그인|무단|저작권|공유|뉴스레터|만족|쿠키|서비스|앱|(?i:javascript|browser|cookie|copyright|reserved)"
)


def host_of(doc: Document) -> str:
    """The host of a document's address, or the name of its source where the address has none.

    >>> from malmoi.document import Provenance
    >>> host_of(Document("x/1", "", Provenance("x", "https://News.example:8080/1", "", "", "")))
    'news.example'
    """
    found = _HOST.match(doc.provenance.url)
    return found[1].lower() if found else doc.provenance.source


def sketch(doc: Document) -> Mapping[str, Any]:
    """The host, the hash of the id, and the keys of the first and last lines, each from the edge inwards."""
    lines = [line for line in doc.text.split("\n") if line and not line.isspace()]
    head = [_key(line) for line in lines[:EDGE]]
    tail = [_key(line) for line in lines[: -EDGE - 1 : -1]]
    return {"host": host_of(doc), "page": _hash(doc.id), "head": head, "tail": tail}


def reduce(
    sketches: pa.Table,
    *,
    min_share: Share = 0.3,
    min_pages: Annotated[int, Field(ge=3)] = 8,
    sample: Annotated[int, Field(ge=8, le=10_000)] = 400,
) -> pa.Table:
    """Per host the lines that stand at an edge of `min_share` of its sampled pages, and of `min_pages` at least.

    Three tenths is our choice: the sections of a host have furniture of their own. On the real corpora
    nothing goes down to 0.2; at 0.05 the titles of manuals would. A line that ends like a sentence must
    speak of the page and needs SENTENCE_SHARE. No host is learned from fewer than `min_pages` pages.
    """
    hosts = sketches.column("host").combine_chunks().dictionary_encode()
    codes = hosts.indices.to_numpy(zero_copy_only=False)
    order = np.lexsort((sketches.column("page").to_numpy(), codes))
    rows = []
    for group in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        chosen = group[:sample]
        if len(chosen) < min_pages:
            continue
        few = sketches.take(pa.array(chosen))
        head, tail = (_frequent(few.column(edge).to_pylist(), min_share, min_pages) for edge in ("head", "tail"))
        if head or tail:
            rows.append({"host": str(few.column("host")[0]), "head": head, "tail": tail})
    rows.sort(key=lambda row: str(row["host"]))
    return pa.Table.from_pylist(rows, schema=_TABLE)


SURVEY = Survey(name="furniture", version=1, schema=_SKETCH, sketch=sketch, reduce=reduce, stage="clean")


def mend(doc: Document, *, survey: Rows, max_removed: Share = 0.8) -> Edits:
    """Edits that remove the lines of the host from the head and the tail of a page; reason `host-head` or `host-tail`.

    A page of which more than `max_removed` of the written characters would go is left whole: its text
    is not what the other pages have around theirs. Fenced code stays.
    """
    row = survey.get(host_of(doc))
    if row is None:
        return ()
    text = doc.text
    head_end = _head(text, row["head"])
    tail_start = _tail(text, row["tail"], head_end)
    written = sum(map(len, text.split()))
    gone = sum(map(len, text[:head_end].split())) + sum(map(len, text[tail_start:].split()))
    if not gone or gone > max_removed * written:
        return ()
    if any(start < head_end or end > tail_start for start, end in fences(text)):
        return ()
    edits = []
    if head_end:
        edits.append(Edit(0, head_end, "", "host-head"))
    if tail_start < len(text):
        edits.append(Edit(tail_start, len(text), "", "host-tail"))
    return tuple(edits)


def _head(text: str, known: Collection[int]) -> int:
    """Where the text begins behind the known lines that it opens with; 0 where it opens with none."""
    end = at = 0
    while at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        line = text[at:stop]
        if line and not line.isspace():
            if not _stands_in(line, known):
                return at if end else 0
            end = stop
        at = stop + 1
    return len(text) if end else 0


def _tail(text: str, known: Collection[int], floor: int) -> int:
    """Where the text ends before the known lines that it closes with; its length where it closes with none."""
    start = stop = len(text)
    while stop > floor:
        at = max(text.rfind("\n", 0, stop) + 1, floor)
        line = text[at:stop]
        if line and not line.isspace():
            if not _stands_in(line, known):
                return stop if start < len(text) else start
            start = at
        stop = at - 1
    return floor if start < len(text) else start


def _stands_in(line: str, known: Collection[int]) -> bool:
    return bool(known) and (key := _key(line)) != 0 and key in known


def _key(line: str) -> int:
    """64 bits of a line without blanks and with its figures as one; 0 for one that is never furniture.

    The lowest bit says that it ends like a sentence: then it must also speak of the page. 이 법은 공포한
    날부터 시행한다 closes most laws of a host and is their text.
    """
    if len(line) > 2 * MAX_LINE:
        return 0
    bare = "".join(line.split())
    if len(bare) > MAX_LINE or _WORD.search(bare) is None:
        return 0
    if not bare.isascii():
        bare = unicodedata.normalize("NFC", bare)
    if _STOP.search(bare, max(0, len(bare) - 8)) is None:
        return _hash(_DIGITS.sub("0", bare)) & ~1
    return _hash(_DIGITS.sub("0", bare)) | 1 if _PAGE.search(bare) else 0


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _frequent(edges: list[list[int]], min_share: float, min_pages: int) -> list[int]:
    """The keys that stand in the run of known lines at the edge on enough of the pages, sorted.

    A first guess are those that stand near the edge on enough pages. A heading that stands there because
    pages are short is in no run, as unknown lines stand before it; without it the other runs are looked at again.
    """
    shares = (min_share, max(min_share, SENTENCE_SHARE))
    runs = edges
    while True:
        counts = Counter(key for run in runs for key in set(run))
        known = {key for key, n in counts.items() if key and n >= max(min_pages, shares[key & 1] * len(edges))}
        shorter = [list(takewhile(known.__contains__, run)) for run in runs]
        if shorter == runs:
            return sorted(known)
        runs = shorter
