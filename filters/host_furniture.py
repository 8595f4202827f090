"""Remove boilerplate that many pages of a host share: the lines with which they begin and end.

A survey learns these lines. It takes the lines at the head and the tail of each document, and keeps for each host
those that occur there on a large share of a sample of its pages, letter for letter: a line that differs (제23회, 4월
5일) is text of its page. The filter removes such lines only contiguously from the edge: from the first line on while
lines are known, and from the last one back; and only if one of them is about the page (구독, 대표전화, 저작권). So an
inner heading (구문, 예제), a heading that opens every page of a host (주문, 재료, 제1조(목적)) and a refrain stay,
however often they recur.

The sample is the pages with the smallest hash of their id. So it does not depend on order, and 1 % of new pages change
1 % of it; the share of a line then moves by less than one point, and the table changes only for hosts with a line that
close to the threshold. The sample bounds the memory.
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

from filters.korean.text_views import find_fences
from malmoi.document import Document, Edit, Edits
from malmoi.parameter_bounds import Share
from malmoi.survey import Rows, Survey

VERSION = 2
LIBRARIES = ("numpy",)

EDGE = 10  # non-empty lines read from each end; our choice: extractors do not leave menus longer than that
MAX_LINE = 120  # code points; a longer line is text, as in `furniture`
# Required share for a sentence, and for a line that is not about the page: a notice and the name of the host reach it,
# headings of a section rarely. Our choice.
HIGH_SHARE = 0.8

_SKETCH = pa.schema(
    [("host", pa.string()), ("page", pa.uint64()), ("head", pa.list_(pa.uint64())), ("tail", pa.list_(pa.uint64()))]
)
_TABLE = pa.schema([("host", pa.string()), ("head", pa.list_(pa.uint64())), ("tail", pa.list_(pa.uint64()))])

_HOST = re.compile(r"https?://(?:[^/@?#\\]*@)?(\[[^\]/]*\]|[^/:?#\\]+)", re.I)
# A line without a word is a cell of a table or a rule.
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2}")
_STOP = re.compile(r"(?:[.?!。…]|[다요죠까])[\"'”’)\]」』]*\Z")
# Words of sentences that are about the page and not about the world.
_PAGE = re.compile(
    "제보|구독|기사|문의|누리집|홈페이지|사이트|페이지|클릭|댓글|회원|로그인|무단|저작[권물]|라이[선센]스|커먼즈|공공누리|공유|"
    "뉴스레터|만족|쿠키|서비스|앱|(?i:javascript|browser|cookie|copyright|reserved|commons)"
)
# The same for lines that are not sentences, without blanks. Narrower: 문의, 기사, 서비스 and 쿠키 are headings too.
_SPEAKS = re.compile(
    "기사제보|제보하기|제보(?:및|·)|구독|(?:관련|다른|인기|최신|많이본)기사|(?:광고|제휴)문의|문의(?:는|처?:|하기)|누리집|홈페이지|"
    "사이트맵|바로가기|건너뛰기|맨위로|이전글|다음글|전체메뉴|댓글(?:쓰기|등록|\\d)|회원가입|로그인|무단전재|재배포|저작권자|공유하기|"
    "뉴스레터|공공누리|크리에이티브커먼즈|개인정보처리방침|이용약관|대표전화|등록번호|발행인|편집인|ⓒ|©|"
    "(?i:javascript|copyright|reserved|creativecommons)"
)
# A field (장소: 본회의장) is information of its page, even if most pages say the same.
_FIELD = re.compile(r"[^\W\d_]{1,8}[:：]")
# A counter or a stamp of the page: it begins with one of these words and holds only them, figures and signs.
_COUNTS = (
    r"(?:조회|댓글|추천|반대|좋아요|공감|스크랩|구독자|기사입력|최종|최초|입력|수정|등록|작성|게시|승인|송고|업데이트)"
)
_COUNTER = re.compile(
    rf"(?=\D*\d)[^\w\s]*+{_COUNTS}(?:{_COUNTS}(?:수|일시|일자|일|시간)?|수|오전|오후|[년월일시회건개명]|\d|[^\w\s])++\Z"
)
# The two lowest bits of a key: the kind of its line.
_PLAIN, _SPEAKING, _SENTENCE, _COUNTED = range(4)


def host_of(doc: Document) -> str:
    """Return the host of a document's web address; "" if it has none, and then nothing is learned or removed.

    >>> from malmoi.document import Provenance
    >>> host_of(Document("x/1", "", Provenance("x", "https://News.example:8080/1", "", "", "")))
    'news.example'
    """
    found = _HOST.match(doc.provenance.url)
    return found[1].lower() if found else ""


def sketch(doc: Document) -> Mapping[str, Any]:
    """Return the host, the hash of the id, and the keys of the first and last lines, each from the edge inwards."""
    host = host_of(doc)
    lines = [line for line in doc.text.split("\n") if line and not line.isspace()] if host else []
    head = [_key(line) for line in lines[:EDGE]]
    tail = [_key(line) for line in lines[: -EDGE - 1 : -1]]
    return {"host": host, "page": _hash(doc.id), "head": head, "tail": tail}


def reduce(
    sketches: pa.Table,
    *,
    min_share: Share = 0.3,
    min_pages: Annotated[int, Field(ge=3)] = 30,
    sample: Annotated[int, Field(ge=8, le=10_000)] = 400,
) -> pa.Table:
    """Find per host the lines at an edge of at least `min_share` of its sampled pages and of at least `min_pages`.

    The threshold of three tenths is our choice: sections of a host have boilerplate of their own. It applies to lines
    about the page and to counters; all others need HIGH_SHARE, and a sentence must also be about the page. Nothing is
    learned from fewer than `min_pages` pages: a dozen minutes, letters or songs share their form. Thirty is our
    choice.
    """
    sketches = sketches.combine_chunks()  # `take` of lists in many chunks costs forty times as much
    hosts = sketches.column("host").combine_chunks().dictionary_encode()
    codes = hosts.indices.to_numpy(zero_copy_only=False)
    order = np.lexsort((sketches.column("page").to_numpy(), codes))
    rows = []
    for group in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        chosen = group[:sample]
        few = sketches.take(pa.array(chosen))
        if len(chosen) < min_pages or not few.column("host")[0].as_py():
            continue
        head, tail = (_find_frequent(few.column(edge).to_pylist(), min_share, min_pages) for edge in ("head", "tail"))
        if head or tail:
            rows.append({"host": str(few.column("host")[0]), "head": head, "tail": tail})
    rows.sort(key=lambda row: str(row["host"]))
    return pa.Table.from_pylist(rows, schema=_TABLE)


SURVEY = Survey(
    name="furniture",
    version=2,
    schema=_SKETCH,
    sketch=sketch,
    reduce=reduce,
    stage="clean",
    columns=("id", "source", "url", "text"),
)


def mend(doc: Document, *, survey: Rows, max_removed: Share = 0.8) -> Edits:
    """Remove the boilerplate of the host from the head and the tail of a page; reason `host-head` or `host-tail`.

    One of the removed lines must be about the page. A page that would lose more than `max_removed` of its characters,
    white space left out, is left whole: its text is not the boilerplate of other pages. Fenced code stays.
    """
    host = host_of(doc)
    row = survey.get(host) if host else None
    if row is None:
        return ()
    text = doc.text
    head_end = _find_head_end(text, row["head"])
    tail_start = _find_tail_start(text, row["tail"], head_end)
    written = sum(map(len, text.split()))
    gone = sum(map(len, text[:head_end].split())) + sum(map(len, text[tail_start:].split()))
    if not gone or gone > max_removed * written:
        return ()
    if any(start < head_end or end > tail_start for start, end in find_fences(text)):
        return ()
    edits = []
    if head_end:
        edits.append(Edit(0, head_end, "", "host-head"))
    if tail_start < len(text):
        edits.append(Edit(tail_start, len(text), "", "host-tail"))
    return tuple(edits)


def _find_head_end(text: str, known: Collection[int]) -> int:
    """Return where the text begins behind its opening known lines; 0 if none of them is about the page."""
    end = at = 0
    speaks = False
    while known and at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        line = text[at:stop]
        if line and not line.isspace():
            key = _key(line)
            if key not in known:
                return at if speaks else 0
            speaks = speaks or _is_about_page(key)
            end = stop
        at = stop + 1
    return len(text) if end and speaks else 0


def _find_tail_start(text: str, known: Collection[int], floor: int) -> int:
    """Return where the text ends before its closing known lines; its length if none of them is about the page."""
    start = stop = len(text)
    speaks = False
    while known and stop > floor:
        at = max(text.rfind("\n", 0, stop) + 1, floor)
        line = text[at:stop]
        if line and not line.isspace():
            key = _key(line)
            if key not in known:
                return stop if speaks else len(text)
            speaks = speaks or _is_about_page(key)
            start = at
        stop = at - 1
    return floor if start < len(text) and speaks else len(text)


def _key(line: str) -> int:
    """Hash a line without blanks to 64 bits; 0 if the line is never boilerplate.

    The two lowest bits give the kind of line. A sentence must be about the page: 이 법은 공포한 날부터 시행한다 closes
    most laws of a host and is their text. Only counters and stamps are identified by their words alone, whatever their
    figures.
    """
    if len(line) > 2 * MAX_LINE:
        return 0
    bare = "".join(line.split())
    if len(bare) > MAX_LINE or _WORD.search(bare) is None:
        return 0
    if not bare.isascii():
        bare = unicodedata.normalize("NFC", bare)
    if _STOP.search(bare, max(0, len(bare) - 8)) is not None:
        return _hash(bare) & ~3 | _SENTENCE if _PAGE.search(bare) else 0
    if _SPEAKS.search(bare):
        return _hash(bare) & ~3 | _SPEAKING
    if _COUNTER.match(bare):
        return _hash(_DIGITS.sub("0", bare)) & ~3 | _COUNTED
    return 0 if _FIELD.match(bare) else _hash(bare) & ~3 | _PLAIN


def _is_about_page(key: int) -> bool:
    return key & 3 in (_SPEAKING, _SENTENCE)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _find_frequent(edges: list[list[int]], min_share: float, min_pages: int) -> list[int]:
    """Return the sorted keys that occur in the run of known lines at the edge on enough pages.

    The first candidates are the keys near the edge of enough pages. A heading that is there only because pages are
    short is in no run, since unknown lines precede it; the loop computes the runs again without it.
    """
    high = max(min_share, HIGH_SHARE)
    shares = {_PLAIN: high, _SPEAKING: min_share, _SENTENCE: high, _COUNTED: min_share}
    runs = edges
    while True:
        counts = Counter(key for run in runs for key in set(run))
        known = {key for key, n in counts.items() if key and n >= max(min_pages, shares[key & 3] * len(edges))}
        shorter = [list(takewhile(known.__contains__, run)) for run in runs]
        if shorter == runs:
            return sorted(known) if any(map(_is_about_page, known)) else []
        runs = shorter
