"""Personal names: after a private role or a form label, and next to another identifier.

Names of officials with a title, authors, bylines and public figures are kept: a name alone is not personal data for
this filter. It becomes personal data in a private role (피해자 …) or linked to an identifier: in the same row or line,
or next to it. Each candidate has one score, the sum of its form (name_model.py) and its context (name_context.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from filters.pii_rules.people import foreign_names as others
from filters.pii_rules.people import name_context as context
from filters.pii_rules.people import name_labels as labels
from filters.pii_rules.people import name_patterns as forms
from filters.pii_rules.people import name_values as values
from filters.pii_rules.people.neighbourhood import QUARTERS, REACH, Page, score_adjacency, stretches
from filters.pii_rules.text.digit_runs import contains, matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import CALLED, GIVEN, LABELLED, STARTS, score_name
from malmoi.document import Morphemes

GATES: Final = labels.GATES
_LEAST: Final = 6.0  # threshold for name and context together
_HOPELESS: Final = -4.0
_ROLE: Final = 3.0
_FIELD: Final = 2.0  # of three syllables and more; two are as often an ordinary word
_SHORT_FIELD: Final = 1.0
_RANK: Final = 3.0
_MOBILE: Final = 1.0  # a mobile number after a blank, if a role or the bounds of a field indicate a name
_TIGHT: Final = 3.0  # minimum link score from which a rare name is considered further
_TOLD: Final = 7.0  # score at which a private identifier in the line is enough
_BEFORE: Final = 2_000  # code points before a name in which its office may have been mentioned
_IN_LINE: Final = "in the line of an identifier"
_NEARLY: Final = "in a row of names"
_PLACES: Final = frozenset(("address", "postcode"))
_FIRMS: Final = ("(주)", "㈜", "(유)", "(사)", "(재)", "회사 ")


class _Candidate(NamedTuple):
    start: int
    end: int
    points: float  # of the run alone
    why: str  # "" if not a name so far, _NEARLY if it is one only among others


def find_names(text: str, data: bytes) -> Iterator[Match]:
    """Find names after a private role or a form label, with or without an identifier; skips filled-in samples."""
    return (one for one in labels.find_labelled_names(text, data) if not values.is_sample(text, one.start, one.end))


def find_linked_names(
    text: str, found: Sequence[Match], data: bytes | None = None, morphemes: Morphemes | None = None
) -> Iterator[Match]:
    """Find names next to an identifier; `found` are the identifiers in `text` and the names of `find_names`.

    Reads at most 320 code points around each identifier, overlapping ranges once. `morphemes`, an analysis of `text`,
    is
    optional further evidence for names without a label.

    >>> text = "홍길동 010-0000-1234"
    >>> [text[f.start : f.end] for f in find_linked_names(text, [Match(4, 17, "phone", 1, "")])]
    ['홍길동']
    """
    data = text.encode("utf-8", "replace") if data is None else data
    beside = [f for f in _find_names_beside(text, found, data, morphemes) if not values.is_sample(text, f.start, f.end)]
    yield from beside
    if beside or any(f.kind != "name" for f in found):
        named = [*(f for f in found if f.kind == "name"), *beside]
        yield from (f for f in others.find_repeated_names(text, named) if not values.is_sample(text, f.start, f.end))


def _find_names_beside(text: str, found: Sequence[Match], data: bytes, morphemes: Morphemes | None) -> Iterator[Match]:
    anchors = [f for f in found if f.kind != "name"]
    if "*" in text:
        anchors += (Match(*at, "phone", 0.5, "masked") for at in matches(forms.MASKED_CONTACT, text, data))
    if not anchors:
        return
    anchors.sort(key=lambda f: f.start)
    yield from labels.find_column_names(text, data, anchors)
    page = Page(text, anchors, [a.start for a in anchors], morphemes)
    for first, last in stretches(text, anchors):
        part = text[first:last]
        coded = part.encode()
        yield from labels.find_names_behind_labels(text, first, part, coded)
        for one in _add_neighbours(text, [*_find_candidates(page, first, part)]):
            yield from others.find_names_in_same_column(page, one.start, one.end)
            end = context.find_end_with_hanja(text, one.end)
            yield Match(one.start, end, "name", 0.8, f"{one.why}; {end - one.start} characters")
        yield from others.find_names_in_other_scripts(page, first, part, coded)
    yield from others.find_foreigner_names(page)


def _find_candidates(page: Page, at: int, part: str) -> Iterator[_Candidate]:
    text = page.text
    words = f" {part.translate(_WORDS)} "
    last = 0
    for word in [word for word in words.split() if word[0] in STARTS]:
        length, points = score_name(word)
        if not length or points < _HOPELESS:
            continue
        place = words.index(f" {word} ", last)
        last = place + len(word)
        start, end = at + place, at + place + length
        if text[start - 1 : start].isdecimal() or (text[end - 1] == "동" and text[end : end + 1].isdecimal()):
            continue  # 제2호서식, 금호동1가
        if text[max(0, start - 3) : start].endswith(_FIRMS):
            continue  # (주)여울담
        if text[start:end] in context.ROLES:
            continue  # 양도자: 010 …
        if length == 3 and text[end - 1] == "이" and text[start : end - 1] in GIVEN:
            points -= 2.0  # 은솔이: a given name as a form of address
        if points < LABELLED:
            if length < 3 or text[end : end + 2].lstrip()[:1] != "씨":
                continue
            points = CALLED  # 고시목 씨: never said of an ordinary word
        why = _explain_name(page, start, end, points)
        if why or points >= _ROLE:
            yield _Candidate(start, end, points, why)


def _explain_name(page: Page, start: int, end: int, points: float) -> str:
    """Return why text[start:end] is a name, or "" if the evidence is too weak."""
    at = bisect_left(page.starts, end)
    near = page.anchors[max(0, at - 4) : at + 4]
    why = _weigh_context(page, start, end, points, near, at)
    if not why or context.has_verb_ending_behind(page.text, end) or context.is_public(page.text, start, end):
        return ""
    if context.has_office_before(page.text, start) and not any(
        context.is_private(a, page.text) for a in page.anchors[at : at + 1]
    ):
        return ""
    if why == _IN_LINE:  # a person introduced as public needs more evidence than a number in the line
        first = page.text.find(page.text[start:end], max(0, start - _BEFORE), start)
        if first >= 0 and context.is_public(page.text, first, first + end - start):
            return ""
    ranked = context.has_rank_behind(page.text, end) or context.has_rank_before(page.text, start)
    named = why.startswith("role") and "이름" in page.text[max(0, start - 5) : start]
    if named and contains(forms.PETS, page.text[max(0, start - REACH) : start]):
        return ""
    return "" if ranked and not any(_is_personal_identifier(a, page.text) for a in near) else why


def _weigh_context(page: Page, start: int, end: int, points: float, near: Sequence[Match], at: int) -> str:
    """Add up the evidence around a candidate, cheapest checks first; return the reason or ""."""
    text = page.text
    link = score_adjacency(page, start, end, at)
    bare = points - (end - start < 3)
    if page.morphemes is not None and points < _LEAST and not context.is_bounded(text, start, end):
        bare += score_morphemes(page.morphemes, start, end)
    if link and bare + link >= _LEAST:
        return "beside an identifier"
    behind = context.score_following_words(text, end)
    role = _ROLE if context.has_role_before(text, start) else 0.0
    if points < CALLED and not behind and not role and link < _TIGHT:
        return ""
    next_one = page.anchors[at] if at < len(page.anchors) else None
    gap = text[end : min(next_one.start, end + context.NEAR)] if next_one else ""
    follows = next_one is not None and (next_one.start - end < 3 or (link > 0 and gap != "" and context.is_linked(gap)))
    field = _FIELD if end - start > 2 else _SHORT_FIELD
    bounded = context.is_bounded(text, start, end, closed=follows)
    lacks = _LEAST - link - (field if bounded else 0.0)
    if next_one is not None and (bounded or role) and gap.isspace() and next_one.kind == "phone":
        lacks -= _MOBILE * context.is_private(next_one, text)
    bare += context.score_signature(text, start, end)
    if behind + role and points + behind + role >= lacks:
        return "form of address behind, identifier near" if behind else "role before, identifier near"
    if link and bare >= lacks:
        return "beside an identifier"
    behind_it, before_it = context.has_rank_behind(text, end), context.has_rank_before(text, start)
    if (behind_it or (link and before_it)) and bare + _RANK >= lacks:
        return "rank beside, identifier near"
    if link and bare + 1 >= lacks and not any(a.kind in _PLACES for a in near):
        return _NEARLY
    if (
        bare < _TOLD
        or (text[end - 1] in QUARTERS and text[start - 1 : start] == "(")
        or before_it
        or context.is_credit(text, end)
    ):
        return ""
    lines = context.is_bounded(text, start, end)  # a name that fills its field may belong to the previous or next line
    return _IN_LINE if any(_is_near_private_identifier(a, text, start, end, lines) for a in near) else ""


def _is_personal_identifier(anchor: Match, text: str) -> bool:
    return anchor.kind == "email" or context.is_private(anchor, text)


def _is_near_private_identifier(anchor: Match, text: str, start: int, end: int, lines: int) -> bool:
    """Whether a private identifier is in the line of a name and within reach."""
    if (
        not context.is_private(anchor, text)
        or anchor.kind in ("birth_date", "vehicle")
        or anchor.start - end > REACH
        or start - anchor.end > REACH
    ):
        return False
    return text.count("\n", min(anchor.end, end), max(anchor.start, start)) <= lines


def _add_neighbours(text: str, candidates: list[_Candidate]) -> list[_Candidate]:
    """Return the candidates with a reason, and those in a row with them: 홍길동·김철수 010-0000-1234."""
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


def score_morphemes(morphemes: Morphemes, start: int, end: int) -> float:
    """Return the score of the morphological analysis of text[start:end]: a proper noun, or a word and its parts.

    Used only if neither the given name nor the field decides: the analysis splits rare names too.
    """
    at = bisect_left(morphemes.start, start)
    if at == len(morphemes) or morphemes.start[at] != start:
        return 0.0
    tag, length = morphemes.tag[at], morphemes.length[at]
    if tag == "NNP":
        return 1.0 if length == end - start else 0.0
    if length == end - start:
        return -3.0  # one word that is not a name: 부동산
    return -2.0 if tag in _NO_NAMES else 0.0


_NO_NAMES: Final = frozenset("VV VA VX MAG MAJ VV-I VV-R VA-I VA-R XR".split())


# Keep Hangul, blank all other characters of the first two planes. A list is faster to index than a dict.
_WORDS: Final[list[int | str]] = [code if ord("가") <= code <= ord("힣") else " " for code in range(0x20000)]
