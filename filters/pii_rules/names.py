"""Names of people: behind a private role or the label of a form, and beside another identifier.

Officials with a title, authors, bylines and public figures stay: a name alone is no personal data
of this filter. It becomes one in a private role (피해자 …) or linked to an identifier: same row,
same line, or next to it. Every candidate has points for what it is made of (surnames.py) and for
what stands around it (name_context.py); one sum decides.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import re2

from filters.pii_rules import name_context as context
from filters.pii_rules import name_forms as forms
from filters.pii_rules import name_labels as labels
from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import contains, matches
from filters.pii_rules.surnames import CALLED, GIVEN, LABELLED, STARTS, is_noun, judged
from filters.pii_rules.tables import neighbours
from malmoi.document import Morphemes

GATES: Final = labels.GATES
found = labels.found
_REACH: Final = 40  # code points between a name and the identifier it is linked to
_LABEL: Final = 12  # code points of a label before a name that is in reach
_LINE: Final = 160  # code points of the line of an identifier that are read on either side
_LEAST: Final = 6.0  # points that make a name, together with what stands around it
_HOPELESS: Final = -4.0
_LINK: Final = 2.0
_TIGHT: Final = 3.0  # nothing but marks between
_OWN: Final = 4.0  # before a number that only a person has
_MAILBOX: Final = 5.0  # 홍길동 <hong@example.kr>
_HOLDER: Final = 3.0  # behind an account mostly stands whose it is
_ROLE: Final = 3.0
_FIELD: Final = 2.0  # of three syllables and more; two are a word as often
_SHORT_FIELD: Final = 1.0
_RANK: Final = 3.0
_TOLD: Final = 7.0  # points of a name that needs no more than a private identifier in its line
_NEARLY: Final = "in a row of names"
_MARKS: Final = frozenset(("(", "/", ",", "|", "=", ":", "[", "\t", "·", "-", '","', "','"))
_OF_PERSONS: Final = frozenset(("rrn", "frn", "passport", "driver_license", "health_insurance"))
_PAPERS: Final = frozenset(("passport", "frn"))
_PLACES: Final = frozenset(("address", "postcode"))
_MACHINES: Final = frozenset(("ip", "mac"))  # they call for a label, a name next to them may be a host
_FIRMS: Final = ("(주)", "㈜", "(유)", "(사)", "(재)", "회사 ")
_QUARTERS: Final = ("동", "읍", "면", "리", "가")


class _Page(NamedTuple):
    """A text with its identifiers in order, and its analysis if there is one."""

    text: str
    anchors: Sequence[Found]
    starts: list[int]  # of the anchors
    morphemes: Morphemes | None


class _Candidate(NamedTuple):
    start: int
    end: int
    points: float  # of the run alone
    why: str  # "" where it is no name so far, _NEARLY where it is one among others


def linked(
    text: str, found: Sequence[Found], data: bytes | None = None, morphemes: Morphemes | None = None
) -> Iterator[Found]:
    """Names that stand beside one of `found`, the identifiers of other kinds in `text`.

    Reads only around the identifiers: at most 320 code points each, overlapping stretches once.
    `morphemes`, where there is an analysis of `text`, is further evidence for names that no label
    calls one; without it the findings stand on their own.

    >>> text = "홍길동 010-0000-1234"
    >>> [text[f.start : f.end] for f in linked(text, [Found(4, 17, "phone", 1, "")])]
    ['홍길동']
    """
    data = text.encode("utf-8", "replace") if data is None else data
    anchors = [f for f in found if f.kind != "name"]
    if "*" in text:
        anchors += (Found(*at, "phone", 0.5, "masked") for at in matches(forms.MASKED_CONTACT, text, data))
    if not anchors:
        return
    anchors.sort(key=lambda f: f.start)
    yield from labels.in_columns(text, data, anchors)
    page = _Page(text, anchors, [a.start for a in anchors], morphemes)
    for first, last in _stretches(text, anchors):
        part = text[first:last]
        coded = part.encode()
        yield from labels.labelled(text, first, part, coded)
        for one in _with_neighbours(text, [*_candidates(page, first, part)]):
            yield from _in_same_column(page, one.start, one.end)
            end = context.with_characters(text, one.end)
            yield Found(one.start, end, "name", 0.8, f"{one.why}; {end - one.start} characters")
        yield from _written_otherwise(page, first, part, coded)
    yield from _foreigners(page)


def _stretches(text: str, anchors: Sequence[Found]) -> Iterator[tuple[int, int]]:
    """The lines of the identifiers and 40 code points around them, each code point once, in whole words."""
    start = stop = 0
    for anchor in anchors:
        line = text.rfind("\n", max(0, anchor.start - _LINE), anchor.start) + 1
        first = min(line or max(0, anchor.start - _LINE), max(0, anchor.start - _REACH))
        first = max(first, anchor.start - _LINE)
        label = text.rfind("\n", max(0, first - _LABEL), first) + 1  # of a value that begins within reach
        first = label or first
        end = text.find("\n", anchor.end, anchor.end + _LINE)
        last = max(end if end >= 0 else anchor.end + _LINE, anchor.end + _REACH)
        if first > stop:
            if stop > start:
                yield _whole(text, start, stop)
            start = first
        stop = max(stop, last)
    yield _whole(text, start, min(stop, len(text)))


def _whole(text: str, start: int, stop: int) -> tuple[int, int]:
    """The stretch without the rest of a word at its start, and with the rest of the word at its end."""
    while 0 < start < stop and _is_hangul(text[start - 1]) and _is_hangul(text[start]):
        start += 1
    limit = min(len(text), stop + 12)
    while 0 < stop < limit and _is_hangul(text[stop - 1]) and _is_hangul(text[stop]):
        stop += 1
    return start, stop


def _candidates(page: _Page, at: int, part: str) -> Iterator[_Candidate]:
    text = page.text
    words = f" {part.translate(_WORDS)} "
    last = 0
    for word in [word for word in words.split() if word[0] in STARTS]:
        length, points = judged(word)
        if not length or points < _HOPELESS:
            continue
        place = words.index(f" {word} ", last)
        last = place + len(word)
        start, end = at + place, at + place + length
        if text[start - 1 : start].isdecimal() or text[max(0, start - 3) : start].endswith(_FIRMS):
            continue  # 제2호서식, (주)여울담
        if points < LABELLED:
            if length < 3 or text[end : end + 2].lstrip()[:1] != "씨":
                continue
            points = CALLED  # 고시목 씨: nobody calls a word so
        why = _reason(page, start, end, points)
        if why or points >= _ROLE:
            yield _Candidate(start, end, points, why)


def _reason(page: _Page, start: int, end: int, points: float) -> str:
    """Why text[start:end] is a name, "" if too little speaks for it."""
    at = bisect_left(page.starts, end)
    near = page.anchors[max(0, at - 4) : at + 4]
    why = _said(page, start, end, points, near, at)
    if not why or context.is_verb(page.text, end) or context.is_public(page.text, start, end):
        return ""
    if context.office_before(page.text, start) and not any(
        context.is_private(a, page.text) for a in page.anchors[at : at + 1]
    ):
        return ""
    ranked = context.rank_behind(page.text, end) or context.rank_before(page.text, start)
    named = why.startswith("role") and "이름" in page.text[max(0, start - 5) : start]
    if named and contains(forms.PETS, page.text[max(0, start - _REACH) : start]):
        return ""
    return "" if ranked and not any(_shows_person(a, page.text) for a in near) else why


def _said(page: _Page, start: int, end: int, points: float, near: Sequence[Found], at: int) -> str:
    """The sum of what stands around a candidate, what costs least first."""
    text = page.text
    link = _is_next(page, start, end, at)
    bare = points - (end - start < 3)
    if page.morphemes is not None and points < _LEAST and not context.bounded(text, start, end):
        bare += read(page.morphemes, start, end)
    if link and bare + link >= _LEAST:
        return "beside an identifier"
    behind = context.behind(text, end)
    role = _ROLE if context.role(text, start) else 0.0
    if points < CALLED and not behind and not role:
        return ""
    follows = at < len(page.anchors) and page.anchors[at].start - end < 3
    field = _FIELD if end - start > 2 else _SHORT_FIELD
    lacks = _LEAST - link - (field if context.bounded(text, start, end, closed=follows) else 0.0)
    if behind + role and points + behind + role >= lacks:
        return "form of address behind, identifier near" if behind else "role before, identifier near"
    if link and bare >= lacks:
        return "beside an identifier"
    behind_it, before_it = context.rank_behind(text, end), context.rank_before(text, start)
    if (behind_it or (link and before_it)) and bare + _RANK >= lacks:
        return "rank beside, identifier near"
    if link and bare + 1 >= lacks and not any(a.kind in _PLACES for a in near):
        return _NEARLY
    if (
        bare < _TOLD
        or (text[end - 1] in _QUARTERS and text[start - 1 : start] == "(")
        or before_it
        or context.is_credit(text, end)
    ):
        return ""
    lines = context.bounded(text, start, end)  # what fills its field may stand in the line before or behind
    return "in the line of an identifier" if any(_is_told(a, text, start, end, lines) for a in near) else ""


def _shows_person(anchor: Found, text: str) -> bool:
    return anchor.kind == "email" or context.is_private(anchor, text)


def _is_told(anchor: Found, text: str, start: int, end: int, lines: int) -> bool:
    """Whether a private identifier stands in the line of a name, not far from it."""
    if (
        not context.is_private(anchor, text)
        or anchor.kind in ("birth_date", "vehicle")
        or anchor.start - end > _REACH
        or start - anchor.end > _REACH
    ):
        return False
    return text.count("\n", min(anchor.end, end), max(anchor.start, start)) <= lines


def _is_next(page: _Page, start: int, end: int, at: int) -> float:
    """Points where nothing but marks and labels stands between a name and the identifier before or behind it."""
    text, anchors = page.text, page.anchors
    if at and anchors[at - 1].kind == "address" and start - anchors[at - 1].end < 3 and text[end - 1] in _QUARTERS:
        return 0.0  # 대학로 291 (구성동)
    if at < len(anchors):
        first = anchors[at].start
        between = text[end:first]
        if len(between) <= context.NEAR and anchors[at].kind not in _MACHINES and context.is_linked(between):
            if anchors[at].kind == "email" and between.strip() in ("<", "[", "[mailto:", "<mailto:"):
                return _MAILBOX
            if anchors[at].kind in _OF_PERSONS:
                return _OWN
            return _TIGHT if between.strip() in _MARKS and between else _LINK
    if at == 0:
        return 0.0
    before = anchors[at - 1]
    far = not 0 < start - before.end <= context.NEAR
    if far or before.kind in _MACHINES or (before.kind == "address" and text[end - 1] in _QUARTERS):
        return 0.0
    if not context.is_linked(text[before.end : start]):
        return 0.0
    return _HOLDER if before.kind == "account" else _LINK


def _with_neighbours(text: str, candidates: list[_Candidate]) -> list[_Candidate]:
    """Those with a reason, and those that stand in one row with them: 홍길동·김철수 010-0000-1234."""
    if sum(one.why != _NEARLY for one in candidates if one.why) < 2:
        candidates = [one._replace(why="") if one.why == _NEARLY else one for one in candidates]
    for order in (range(len(candidates)), range(len(candidates) - 1, -1, -1)):
        last: _Candidate | None = None
        for i in order:
            one = candidates[i]
            if not one.why and last is not None and _is_in_row(text, last, one):
                one = candidates[i] = one._replace(why="beside another name")
            last = one if one.why else last
    return [one for one in candidates if one.why]


def _is_in_row(text: str, last: _Candidate, one: _Candidate) -> bool:
    between = text[min(last.end, one.end) : max(last.start, one.start)]
    return len(between) < 5 and between.strip() in forms.AND


def _in_same_column(page: _Page, start: int, end: int) -> Iterator[Found]:
    """The cell above and below a name in a table without headings, where its row has an identifier too."""
    text = page.text
    for first, stop in neighbours(text, start, end):
        value = text[first:stop]
        known = 2 <= len(value) <= 4 and value.isalpha() and all(map(_is_hangul, value))
        if not known or (is_noun(value) and value not in GIVEN):
            continue
        line, last = text.rfind("\n", 0, first) + 1, text.find("\n", stop)
        at = bisect_left(page.starts, line)
        if at < len(page.starts) and (last < 0 or page.starts[at] < last):
            yield Found(first, stop, "name", 0.75, f"in the column of a name; {stop - first} characters")


def _written_otherwise(page: _Page, first: int, part: str, coded: bytes) -> Iterator[Found]:
    """Names in Latin letters, in Chinese, and with blanks between their syllables, next to an identifier."""
    text = page.text
    for start, end in matches(forms.OTHERWISE, part, coded):
        start += not (part[start].isupper() or _is_hangul(part[start]) or part[start] in forms.HAN)
        value = part[start:end]
        start, end = first + start, first + end
        if labels.is_spaced(value):
            if len(value.split()) > 3 or len(value.split()[0]) > 1:  # 부 홍 길 동
                cut = len(value) - len(value.split(maxsplit=1)[1])
                start, value = start + cut, value[cut:]
            fits = labels.spaced_points(value) >= _ROLE and labels.is_whole(text, end, value)
        elif value[0] in forms.HAN:
            fits = not any("\u4e00" <= c <= "\u9fff" for c in (text[start - 1 : start], text[end : end + 1]))
        else:
            words = value.replace("-", " ").split()
            fits = any(w.upper() in forms.ROMANIZED for w in (words[0], words[-1]))
        at = bisect_left(page.starts, end)
        if not fits and value.isupper() and not forms.ON_PASSPORTS.intersection(value.split()):
            fits = any(a.kind in _PAPERS for a in page.anchors[max(0, at - 1) : at + 1])
        if not fits or context.is_public(text, start, end):
            continue
        if _is_next(page, start, end, at):
            yield Found(start, end, "name", 0.8, f"beside an identifier; {end - start} characters")


def _foreigners(page: _Page) -> Iterator[Found]:
    """Whose registration or passport it is: one or two words that are none of a form, before its number and label."""
    for i, anchor in enumerate(page.anchors):
        if anchor.kind != "frn":
            continue
        first = max(page.anchors[i - 1].end if i else 0, anchor.start - _REACH)
        line = page.text[first : anchor.start].rpartition("\n")[2]
        words = _FOREIGN.search(line.encode())
        if words is None:
            continue
        value = words.group(1).decode()
        if any(is_noun(word) or word[-1] in _NO_NAME_LAST or context.is_label(word) for word in value.split()):
            continue
        start = anchor.start - len(line) + len(line.encode()[: words.start(1)].decode())
        yield Found(
            start, start + len(value), "name", 0.75, f"before the papers of a foreigner; {len(value)} characters"
        )


_NO_NAME_LAST: Final = frozenset("은는을를의에신한된할")
_FOREIGN: Final = re2.compile(
    "(?:^|[|,;:(\t/.]|국적|[가-힣](?:인|자)|  )[ 0-9.]*([가-힣]{2,7}(?: [가-힣]{2,7})?)"
    "[ ,/|(\t:]*(?:(?:외국인)?등록번호|여권(?:번호)?|거소신고번호)?[ :(|,]*$"
)


def read(morphemes: Morphemes, start: int, end: int) -> float:
    """Points of what the analysis of the sentence says of text[start:end]: a proper noun, or a word and its parts.

    It is asked only where neither the given name nor the field decides: rare names are cut up by it as well.
    """
    at = bisect_left(morphemes.start, start)
    if at == len(morphemes) or morphemes.start[at] != start:
        return 0.0
    tag, length = morphemes.tag[at], morphemes.length[at]
    if tag == "NNP":
        return 1.0 if length == end - start else 0.0
    if length == end - start:
        return -3.0  # one word that is no name: 부동산
    return -2.0 if tag in _NO_NAMES else 0.0


_NO_NAMES: Final = frozenset("VV VA VX MAG MAJ VV-I VV-R VA-I VA-R XR".split())


# Hangul stays, every other character of the first two planes becomes a blank; a list is looked up faster than a dict.
_WORDS: Final[list[int | str]] = [code if ord("가") <= code <= ord("힣") else " " for code in range(0x20000)]


def _is_hangul(char: str) -> bool:
    return "가" <= char <= "힣"
