"""Names of persons that are private in their text.

The tagger (`name_tagger`) recognises names. The evidence around a name (`name_evidence`, `block_evidence`, weighed by
`name_privacy`) decides whether it is private. The tagger reads only blocks and lines that may contain a private name.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import re2

from filters.pii_rules.people import name_context as context
from filters.pii_rules.people.name_evidence import AROUND, LINE, PUBLIC, Page, is_of_person
from filters.pii_rules.people.name_features import SPACED, SPLIT, Excerpt, Piece
from filters.pii_rules.people.name_privacy import Block, PrivacyModel, load_privacy_model
from filters.pii_rules.people.name_tagger import Name, tag_batch
from filters.pii_rules.text.digit_runs import contains, matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.table_columns import find_cells
from malmoi.document import Morphemes
from malmoi.prefilter import build_set

# A masked number or address no longer identifies a person itself, but still identifies the name next to it.
_MASKED: Final = re2.compile(
    "01[016789][ .-]?(?:[0-9]{1,4}[*]|[0-9]{3,4}[ .-]?[0-9]{0,3}[*]|[*]{2,4}[ .-]?[0-9]{2})[0-9*-]*|"
    "[A-Za-z0-9._-]+[*]{2,}[A-Za-z0-9*]*@[A-Za-z0-9*.-]+"
)
_BLANK: Final = f"[{context.BLANKS}]"
_ROLES: Final = "|".join(f"{_BLANK}*".join(word) for word in sorted(context.PRIVATE_ROLES | context.FIELDS))
# A role or a field, and a name behind it: 신 청 인 : 홍길동.
ROLE: Final = re2.compile(
    f"(?:{_ROLES}|실종된)(?:명|{_BLANK}?(?:성명|이름|성함|인적사항))?[은는이가]?"
    f"(?:{_BLANK}?[(（][가-힣\u4e00-\u9fff]{{2,6}}[)）])?(?:</?[a-z]{{1,6}}>|[^가-힣A-Za-z\u4e00-\u9fff]){{1,8}}"
    "[가-힣A-Z\u4e00-\u9fff]"
)
_CONTACTS: Final = (
    "연락처|전화|휴대|핸드폰|생년월일|주민|계좌|주소|이메일|차량|여권|면허|카드|[Pp]hone|[Ee]-?mail|tel|TEL"
)
_NAMES: Final = "성명|이름|성함|예금주|세대주|[Nn]ame|NAME|회원명|고객명|환자명|신청인|받는 ?(?:이|분|사람)"
_TABLE_HEAD: Final = re2.compile(
    f"(?:{_NAMES})[\"']?{_BLANK}?[|,;\t][^\n]*(?:{_CONTACTS})|(?:{_CONTACTS})[^\n]*[|,;\t]{_BLANK}?[\"']?(?:{_NAMES})"
)
_OFFICE_HEAD: Final = re2.compile("직위|직급|직책|직함|보직|부서")
_HEADING: Final = re2.compile(
    "(?:" + "|".join(sorted(context.ROLES | context.FIELDS | context.FORM_LABELS)) + "|받는 ?분|영문 ?성?명)명?"
)
_GATE_BYTES: Final = 16 << 20  # memory for the states of the automaton of `ROLE` and `_TABLE_HEAD`
_BATCH: Final = 1 << 16  # code points that the tagger reads at once; bounds the memory
_REACH: Final = 40  # code points around an identifier that the tagger reads, to the line ends
_OPEN: Final = -30  # tenths of a block from which the tagger reads it whole
LEAST: Final = -1.5  # score from which the tagger asks whether a candidate is private
_NOTHING: Final = -1_000  # tenths: against all evidence
_SURE: Final = 20  # tenths of evidence of a private name that is searched again in the text
_AGAIN: Final = 0.0  # least score of a private name that is searched again in the text


class Text(NamedTuple):
    """A text, its UTF-8 form, the identifiers in it, and an analysis of it, which is further evidence.

    `document` is false for a title, an author or an address, in which only roles, fields and identifiers are reasons.
    """

    text: str
    data: bytes
    found: Sequence[Match]
    morphemes: Morphemes | None = None
    document: bool = True


class _Opened(NamedTuple):
    """Evidence in a text that is collected before the tagger reads `pieces` of it."""

    anchors: Sequence[Match]
    blocks: Sequence[Block]
    cells: Sequence[tuple[int, int]]
    pieces: Sequence[Piece]


def find_person_names(texts: Sequence[Text]) -> list[list[Match]]:
    """Find the names of private persons in each text, in no order. The texts beside a text change nothing.

    Takes time linear in the length of the texts.

    >>> text = "환자 홍길동 010-0000-1234"
    >>> (found,) = find_person_names([Text(text, text.encode(), [Match(7, 20, "phone", 1, "")])])
    >>> [text[f.start : f.end] for f in found]
    ['홍길동']
    """
    opened = [_open_text(*one[:3]) for one in texts]
    read = [i for i, one in enumerate(opened) if one.pieces]
    found: list[list[Match]] = [[] for _ in texts]
    for batch in _split_batch(read, opened):
        excerpts = [Excerpt(texts[i].text, opened[i].pieces, texts[i].morphemes) for i in batch]
        for i, names in zip(batch, tag_batch(excerpts, least=LEAST), strict=True):
            found[i] = list(_find_private(texts[i], opened[i], names))
    return found


def _split_batch(read: Sequence[int], opened: Sequence[_Opened]) -> Iterator[list[int]]:
    """Yield the texts to read in batches of bounded size; a longer text is a batch of its own."""
    batch, size = list[int](), 0
    for i in read:
        more = sum(end - start for start, end in opened[i].pieces)
        if batch and size + more > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(i)
        size += more
    if batch:
        yield batch


def _open_text(text: str, data: bytes, found: Sequence[Match]) -> _Opened:
    privacy = load_privacy_model()
    anchors = find_anchors(text, data, found)
    blocks = privacy.read_blocks(text)
    hits = _build_gate().Match(data) or ()
    cells = list(_find_name_cells(text, data, anchors, contacts=1 in hits))
    ranges = [(block.start, block.end) for block in blocks if block.opening >= _OPEN]
    ranges += [_extend_to_lines(text, start, end) for start, end in cells]
    if 0 in hits:
        ranges += [_extend_to_lines(text, start, end + _REACH) for start, end in matches(ROLE, text, data)]
    return _Opened(anchors, blocks, cells, _open_lines(text, anchors, ranges))


@cache
def _build_gate() -> re2.Set:
    """Build the set that says whether `ROLE` or a heading of names and contacts occurs in a text."""
    return build_set([ROLE.pattern, _TABLE_HEAD.pattern], _GATE_BYTES)


def _find_private(one: Text, opened: _Opened, names: Sequence[Name]) -> Iterator[Match]:
    """Yield the private names, and further occurrences of those with three syllables and more."""
    text, privacy, starts = one.text, load_privacy_model(), [block.start for block in opened.blocks]
    page = Page(text, opened.anchors, names, opened.cells)
    judged: list[_Judged] = []
    for i, name in enumerate(names):
        block = opened.blocks[bisect_right(starts, name.start) - 1]
        judged.append(_judge_name(page, i, privacy, block.weight if one.document else _NOTHING))
    marked: list[tuple[int, int]] = []
    for name, (why, weight, _) in zip(names, _vote_in_rows(page, judged), strict=True):
        if (why or weight > 0) and not context.is_no_name(text, name.start, name.end):
            end = name.end if name.type in (SPLIT, SPACED) else context.find_end_with_hanja(text, name.end)
            if name.score >= _AGAIN and (why or weight >= _SURE):
                marked.append((name.start, end))
            why = why or f"evidence sums to {weight / 10}"
            yield Match(name.start, end, "name", 0.85, f"{why}; {end - name.start} characters")
    again = [text[start:end] for start, end in marked[: context.AGAIN]]
    yield from context.find_names_elsewhere(text, again, {start for start, _ in marked})


class _Judged(NamedTuple):
    """The reason for a name being private that suffices, the weight of its evidence, and whether it may vote."""

    why: str
    weight: int
    votes: bool


def _judge_name(page: Page, i: int, privacy: PrivacyModel, block: int) -> _Judged:
    name, evidence = page.names[i], page.read_evidence(i)
    if not PUBLIC.isdisjoint(evidence) or page.is_short_name(i):
        return _Judged("", _NOTHING, votes=False)
    why = page.find_reason(name, evidence)
    apart = name.type in (SPLIT, SPACED)
    if not why and apart and context.is_in_heading(page.text, name.start, name.end):
        return _Judged("", _NOTHING, votes=False)
    return _Judged(why, privacy.weigh(evidence) + block, name.score >= _AGAIN)


def _vote_in_rows(page: Page, judged: list[_Judged]) -> list[_Judged]:
    """Give the names of a row one judgement: a reason of one of them, or else the mean of their weights."""
    for first, last in _find_rows(page, judged):
        row = judged[first:last]
        why = "beside another name" if any(one.why for one in row) else ""
        weight = sum(one.weight for one in row) // len(row)
        judged[first:last] = [_Judged(one.why or why, weight, votes=True) for one in row]
    return judged


def _find_rows(page: Page, judged: Sequence[_Judged]) -> Iterator[tuple[int, int]]:
    """Yield first and last (exclusive) of the names that only marks and conjunctions separate."""
    first = 0
    for i in range(1, len(judged) + 1):
        together = i < len(judged) and judged[i - 1].votes and judged[i].votes
        if not (together and page.is_in_row(page.names[i - 1], page.names[i])):
            if i - first > 1:
                yield first, i
            first = i


def find_anchors(text: str, data: bytes, found: Iterable[Match]) -> list[Match]:
    """Return the identifiers that may belong to a name, masked ones included, in order."""
    anchors = [f for f in found if f.kind != "name"]
    if "*" in text:
        anchors += (Match(*at, "phone", 0.5, "masked") for at in matches(_MASKED, text, data))
    return sorted(anchors, key=lambda f: f.start)


def _find_name_cells(text: str, data: bytes, anchors: Sequence[Match], *, contacts: bool) -> Iterator[tuple[int, int]]:
    """Find the cells below 성명, 예금주 … in tables with identifiers, or with a heading of `contacts`."""
    if "\n" not in text or not (anchors or contacts):
        return
    starts = [a.start for a in anchors]
    for start, end in sorted(find_cells(text, data, _HEADING)):
        line = text.rfind("\n", max(0, start - LINE), start) + 1
        stop = text.find("\n", end, end + LINE)
        stop = stop if stop >= 0 else min(len(text), end + LINE)
        at = bisect_left(starts, line)
        if at < len(starts) and starts[at] <= stop + 1:
            yield start, end
    if contacts:
        yield from find_cells(
            text, data, _HEADING, lambda h: contains(_TABLE_HEAD, h) and not contains(_OFFICE_HEAD, h)
        )


def _open_lines(text: str, anchors: Sequence[Match], others: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges that the tagger reads: the lines of identifiers, and `others`."""
    ranges = list(others)
    for anchor in anchors:
        reach = AROUND if is_of_person(anchor, text) else _REACH
        ranges.append(_extend_to_lines(text, anchor.start - reach, anchor.end + reach))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _extend_to_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend a range to whole lines, or by 160 code points to the end of a word."""
    start, end = max(0, start), min(len(text), end)
    first = text.rfind("\n", max(0, start - LINE), start) + 1
    if not first and start > LINE:
        first = text.find(" ", start - LINE, start) + 1 or start
    last = text.find("\n", end, end + LINE)
    if last < 0:
        last = len(text) if end + LINE >= len(text) else max(end, text.rfind(" ", end, end + LINE))
    return first, last
