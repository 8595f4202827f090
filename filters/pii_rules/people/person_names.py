"""Names of persons that are private in their text.

The tagger says what is a name (`name_tagger`), the evidence around it whether that name is private (`name_evidence`,
`block_evidence`, weighed by `name_privacy`). The tagger reads only blocks and lines where a private name may stand.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import re2

from filters.pii_rules.people import name_context as context
from filters.pii_rules.people.block_evidence import Block, read_blocks
from filters.pii_rules.people.name_evidence import AROUND, LINE, Page, is_of_person
from filters.pii_rules.people.name_features import SPACED, SPLIT
from filters.pii_rules.people.name_privacy import PrivacyModel, load_privacy_model
from filters.pii_rules.people.name_tagger import Name, tag_names
from filters.pii_rules.text.digit_runs import contains, matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.table_columns import find_cells
from malmoi.document import Morphemes

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
_REACH: Final = 40  # code points around an identifier that the tagger reads, to the line ends
_OPEN: Final = -12  # tenths of a block from which the tagger reads it whole
LEAST: Final = -1.5  # score from which the tagger asks whether a candidate is private
_AGAIN: Final = 0.0  # least score of a private name that is searched again in the text


def find_person_names(
    text: str, found: Sequence[Match], data: bytes, morphemes: Morphemes | None = None
) -> Iterator[Match]:
    """Find the names of private persons; `found` are the identifiers in `text`, `data` is `text` in UTF-8.

    `morphemes`, an analysis of `text`, is further evidence. Takes time linear in the length of `text`.

    >>> text = "환자 홍길동 010-0000-1234"
    >>> [text[f.start : f.end] for f in find_person_names(text, [Match(7, 20, "phone", 1, "")], text.encode())]
    ['홍길동']
    """
    privacy = load_privacy_model()
    anchors = find_anchors(text, data, found)
    blocks = read_blocks(text, privacy.finder)
    weights = [privacy.weigh(block.evidence) for block in blocks]
    cells = list(_find_name_cells(text, data, anchors))
    ranges = [(b.start, b.end) for b, weight in zip(blocks, weights, strict=True) if weight >= _OPEN]
    ranges += [_extend_to_lines(text, start, end + _REACH) for start, end in matches(ROLE, text, data)]
    ranges += [_extend_to_lines(text, start, end) for start, end in cells]
    pieces = _open_lines(text, anchors, ranges)
    if not pieces:
        return
    page = Page(text, anchors, tag_names(text, morphemes, pieces, least=LEAST), cells)
    marked: list[tuple[int, int]] = []
    for name, why in _judge_names(page, privacy, blocks, weights):
        end = name.end if name.type in (SPLIT, SPACED) else context.find_end_with_hanja(text, name.end)
        if name.score >= _AGAIN:
            marked.append((name.start, end))
        yield Match(name.start, end, "name", 0.85, f"{why}; {end - name.start} characters")
    again = [text[start:end] for start, end in marked[: context.AGAIN]]
    yield from context.find_names_elsewhere(text, again, {start for start, _ in marked})


def find_anchors(text: str, data: bytes, found: Iterable[Match]) -> list[Match]:
    """Return the identifiers beside which a name may stand, masked ones included, in order."""
    anchors = [f for f in found if f.kind != "name"]
    if "*" in text:
        anchors += (Match(*at, "phone", 0.5, "masked") for at in matches(_MASKED, text, data))
    return sorted(anchors, key=lambda f: f.start)


def _judge_names(
    page: Page, privacy: PrivacyModel, blocks: Sequence[Block], weights: Sequence[int]
) -> Iterator[tuple[Name, str]]:
    """Yield the private names, each with its two weightiest reasons."""
    starts = [block.start for block in blocks]
    for i, name in enumerate(page.names):
        block = bisect_right(starts, name.start) - 1
        evidence = page.read_evidence(i)
        why = page.find_reason(name, evidence)
        if not why and privacy.weigh(evidence) + weights[block] > 0:
            reasons = sorted((*evidence, *blocks[block].evidence), key=lambda e: -privacy.weights.get(e, 0))
            why = ", ".join(reasons[:2])
        if why and not context.is_no_name(page.text, name.start, name.end):
            yield name, why


def _find_name_cells(text: str, data: bytes, anchors: Sequence[Match]) -> Iterator[tuple[int, int]]:
    """Find the cells below 성명, 예금주 … in tables with contacts or identifiers."""
    if "\n" not in text or not (anchors or _TABLE_HEAD.search(data) is not None):
        return
    starts = [a.start for a in anchors]
    for start, end in sorted(find_cells(text, data, _HEADING)):
        line = text.rfind("\n", max(0, start - LINE), start) + 1
        stop = text.find("\n", end, end + LINE)
        stop = stop if stop >= 0 else min(len(text), end + LINE)
        at = bisect_left(starts, line)
        if at < len(starts) and starts[at] <= stop + 1:
            yield start, end
    if _TABLE_HEAD.search(data) is not None:
        yield from find_cells(
            text, data, _HEADING, lambda h: contains(_TABLE_HEAD, h) and not contains(_OFFICE_HEAD, h)
        )


def _open_lines(
    text: str, anchors: Sequence[Match], others: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
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
