"""Names after a private role or a form label, and in table columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from filters.korean.hangul import is_hangul
from filters.pii_rules.people import name_context as context
from filters.pii_rules.people import name_patterns as forms
from filters.pii_rules.people.name_values import (
    FORM,
    NO_VALUES,
    OPEN,
    drop_next_label,
    is_given_name_alone,
    is_whole,
    measure_foreign_name,
    measure_name,
    read_multiword_name,
    split_label,
)
from filters.pii_rules.text.digit_runs import contains, match_at_start, matches, starts_with
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import (
    BARE,
    GIVEN,
    LABELLED,
    STARTS,
    STOP,
    STOP_ENDS,
    is_noun,
    name_length,
    score_name,
)
from filters.pii_rules.text.table_columns import find_cells

GATES: Final = (forms.STARRED, forms.PRIVATE, forms.ASKED, forms.SAID, forms.TABLE, forms.NAMED)
_LINE: Final = 160  # code points of a line read on either side of a cell
_FIELDS: Final = ("성명", "성함")
_WRITTEN: Final = ("한글", "영문", "국문", "한자")  # 한글성명 is a field; 공동성명 is not
_SHORT: Final = 2.5  # threshold for two syllables after a word that begins other lines too (기사: …)
_SURE: Final = 6.0  # threshold for a name in a self-introduction
_ROW: Final = 20  # names in a row after one role


def find_labelled_names(text: str, data: bytes) -> Iterator[Match]:
    """Find names after a private role or 성명, with or without an identifier; linear in the length of `text`."""
    for start, end in matches(forms.PRIVATE_NAME, text, data):
        item = _match_role_name(text, start, end)
        if item is not None:
            yield item
            yield from _find_row_names(text, item.end)
    for _, end in matches(forms.ASKED_NAME, text, data):
        yield from _find_answered_names(text, end)
    for start, end in matches(forms.SAID_NAME, text, data):
        yield from _find_self_introductions(text, start, end)
    for start, end in matches(forms.NAMED_NAME, text, data):
        yield from _find_form_names(text, start, end)
    if forms.TABLE_HEAD.search(data) is not None:
        yield from _find_table_names(text, data)


def _find_row_names(text: str, end: int) -> Iterator[Match]:
    """Find names that follow a name in a private role, separated by marks: 상속인 홍길동, 홍길순, 홍길자."""
    for _ in range(_ROW):
        start = end + 1
        while text[start : start + 1] in (" ", "\n"):
            start += 1
        numbered = text[end : end + 1] in (" ", "\n") and text[start : start + 1].isdecimal()
        if numbered and text[start + 1 : start + 2] in (".", ")"):  # 청구인 1. 홍길동 2. 홍길순
            start += 3 if text[start + 2 : start + 3] == " " else 2
        elif text[end : end + 1] not in (",", "·", "ㆍ", "、", "/"):
            return
        if not is_hangul(text[start : start + 1]):
            return
        stop = start
        while stop < min(start + 12, len(text)) and is_hangul(text[stop]):
            stop += 1
        length = name_length(text[start:stop], BARE)
        if not length:
            return
        end = start + length
        yield Match(start, end, "name", 0.8, f"in a row behind a private role; {length} characters")


def _find_self_introductions(text: str, start: int, end: int) -> Iterator[Match]:
    """Find self-introductions: 제 이름은 홍길동이고요; not 그의 이름은."""
    if text[max(0, start - 2) : start].endswith(("의", "의 ")):
        return
    head = match_at_start(forms.SAID_HEAD, text[start:end]) or ""
    near = contains(forms.NUMBER, text[max(0, start - FORM) : end + FORM])
    if head[:1] == "저" and (not near or is_hangul(text[start - 1 : start])):
        return
    first = start + len(head)
    run = text[first:end].replace(" ", "") if text[first + 1 : first + 2] == " " else text[first:end].partition(" ")[0]
    length, points = score_name(run)
    if points < (BARE if near else _SURE):
        return
    spaced = text[first + 1 : first + 2] == " "
    last = first + (2 * length - 1 if spaced else length)
    yield Match(first, last, "name", 0.8, f"told by its bearer; {length} characters")


def _find_form_names(text: str, start: int, end: int) -> Iterator[Match]:
    """Find names in a form with other labels nearby: 이름: 홍길동."""
    label, value = split_label(text[start:end], forms.NAMED_HEAD)
    told = ":" not in label and "：" not in label
    if told and text[max(0, start - 2) : start].rstrip(forms.BLANKS).endswith("의"):
        return
    length = measure_name(value, _SURE if told else BARE)
    if not length or is_hangul(text[start - 1 : start]) or not is_whole(text, end, value):
        return
    near = text[max(0, start - FORM) : start] + "\n" + text[end : end + FORM]
    if contains(forms.NUMBER if told else forms.FORM, near):
        yield Match(end - len(value), end - len(value) + length, "name", 0.85, f"label {label[:2]} before, in a form")


def _find_table_names(text: str, data: bytes) -> Iterator[Match]:
    """Find cells below 성명 in a table with a column of telephone numbers, births or the like, and without offices."""
    for start, end in find_cells(text, data, forms.HEADING, _is_private_heading):
        value = text[start:end]
        length = measure_name(value, LABELLED) if starts_with(forms.VALUE, value) else 0
        if length:
            yield Match(start, start + length, "name", 0.85, f"column of names beside others; {length} characters")


def _is_private_heading(head: str) -> bool:
    return contains(forms.TABLE_HEAD, head) and not contains(forms.OFFICE_HEAD, head)


def _find_answered_names(text: str, start: int) -> Iterator[Match]:
    """Find the name in the line that answers 성함이 어떻게 되세요?"""
    line = text[start : start + 48].partition("\n")[0]
    first = start + len(match_at_start(forms.ANSWER, line) or "")
    end = first
    while end < min(first + 12, len(text)) and is_hangul(text[end]):
        end += 1
    length = name_length(text[first:end], OPEN)
    if not length and text[first : first + 1].isupper():
        length = len(match_at_start(forms.LATIN, text[first : first + 40]) or "")
    if length:
        yield Match(first, first + length, "name", 0.85, f"asked for in the line before; {length} characters")


def find_names_behind_labels(text: str, first: int, part: str, coded: bytes) -> Iterator[Match]:
    """Find names after a form label in `part`, which begins at `first` of `text`; they need an identifier nearby."""
    for start, end in matches(forms.LINKED, part, coded):
        label, value = split_label(part[start:end], forms.LINKED_HEAD)
        stop, value = drop_next_label(text, first + end, value)
        if not value or is_hangul(text[first + start - 1 : first + start]):
            continue
        if label.startswith("이름") and contains(forms.PETS, part[max(0, start - FORM) : start]):
            continue
        at, length = _read_name_behind_label(text, label, stop, value)
        if length and not context.is_public(text, at, at + length, behind_only=True):
            length = context.find_end_with_hanja(text, at + length) - at
            yield Match(at, at + length, "name", 0.85, f"label before, identifier near; {length} characters")


def _read_name_behind_label(text: str, label: str, end: int, value: str) -> tuple[int, int]:
    """Return start and length of the name that is a label's value and ends at `end`; length 0 if it is not a name."""
    at = end - len(value)
    marked = any(c in ':：=|│>"/-.\n' for c in label)
    sure = len(value) > 2 or label.startswith(forms.SURE)
    if not is_whole(text, end, value):
        return at, read_multiword_name(text, end, value)[0] if marked and sure else 0
    least = OPEN if not marked else LABELLED if sure else _SHORT
    if least == OPEN and (value.endswith(forms.TELLS) or context.score_following_words(text, end) >= OPEN):
        least = LABELLED
    length = measure_name(value, least)
    if not length and marked and sure:
        length = read_multiword_name(text, end, value)[0]
    if not length and not marked and text[end : end + 3].lstrip(" (")[:2] == "01":
        length = measure_foreign_name(value)  # 직원 왕샤오밍 010 …
    if not length and marked and text[end : end + 1] in forms.CLOSERS:
        length = measure_foreign_name(value)
    known = (
        not length and len(value) < 4 and is_given_name_alone(text, end, value, marked and label.startswith(_FIELDS))
    )
    return at, len(value) if known else length


def find_column_names(text: str, data: bytes, anchors: Sequence[Match]) -> Iterator[Match]:
    """Find cells below 성명, 예금주 …, if the same row or the next line has an identifier."""
    at = 0
    for start, end in sorted(find_cells(text, data, forms.HEADING)):
        value = text[start:end]
        while at < len(anchors) and anchors[at].end < start - _LINE:
            at += 1
        line = text.rfind("\n", max(0, start - _LINE), start) + 1
        stop = text.find("\n", end, end + _LINE)
        stop = stop if stop >= 0 else min(len(text), end + _LINE)
        near = [a for a in anchors[at : at + 12] if line <= a.start <= stop + 1]
        if not near or _is_desk(text, line, stop, near):
            continue
        length = _measure_cell_name(text, start, end, value, any(context.is_private(a, text) for a in near))
        if length:
            yield Match(start, start + length, "name", 0.85, f"column of names, identifier near; {length} characters")


def _measure_cell_name(text: str, start: int, end: int, value: str, private: bool) -> int:
    """Return how many characters of a cell below 성명 are a name; without a Korean family name it must fill the cell.

    Next to a private identifier, a common noun may be a name too: 목화, 라일락.
    """
    length = measure_name(value, LABELLED) if starts_with(forms.VALUE, value) else 0
    if length or not (2 <= len(value) <= 6 and all(map(is_hangul, value))):
        return length
    if is_noun(value) and value not in GIVEN:
        rare = value[0] in STARTS if len(value) < 4 else len(value) > 4 and value[-2:] not in STOP_ENDS
        private = private and rare and not context.is_label(value)
        if not private or value in NO_VALUES:
            return 0
    return len(value) if context.is_bounded(text, start, end) else 0


def _is_desk(text: str, line: int, stop: int, near: Sequence[Match]) -> bool:
    """Whether a row is that of an office: a title, and no private identifier."""
    return starts_with(forms.OFFICE_ROW, text[line:stop]) and not any(context.is_private(a, text) for a in near)


def _match_role_name(text: str, start: int, end: int) -> Match | None:
    """Match a name after a private role: any name of two syllables after a colon, a likely name after a blank."""
    label, value = split_label(text[start:end], forms.PRIVATE_HEAD)
    start -= 2 * (text[max(0, start - 2) : start] in _WRITTEN)
    compound = is_hangul(text[start - 1 : start])
    if compound and (label.startswith(_FIELDS) or not any(c in ":：=|│>" for c in label)):
        return None  # 공동성명, 재신청인; but 수술환자: 홍길동
    end, value = drop_next_label(text, end, value)
    if not value or not is_whole(text, end, value):
        return None
    marked = any(c in ":：=|│>-" for c in label)
    below = not marked and "\n" in label
    word = "".join(c for c in label if c not in forms.BLANKS and c not in ":：=|│>-\n()[]")
    if below and text[max(0, start - 8) : start].rstrip(forms.BLANKS)[-1:] not in ("", "\n", "|"):
        return None  # a line that ends with the word
    if word in _FIELDS and not marked and not below and not _is_complete_field(text, start, end):
        return None
    closes = text[end : end + 1] in ("(", "（") or text[end : end + 2] == " (" or word.endswith(_FIELDS)
    length = measure_name(
        value, LABELLED if marked else BARE if below else -3.0 if word.endswith(_FIELDS) else 0.0 if closes else OPEN
    )
    if not length and not marked and context.score_following_words(text, end) >= OPEN:
        length = measure_name(value, LABELLED)  # 민원인 견지오 씨
    if not length and marked and word.endswith(_FIELDS):
        length, end, value = read_multiword_name(text, end, value)
    if not length and (marked or word.endswith(_FIELDS)) and text[end : end + 1] in forms.CLOSERS:
        length = measure_foreign_name(value) if word.endswith((*_FIELDS, "예금주")) else measure_name(value, -2.0)
    if not length and len(value) < 4 and is_given_name_alone(text, end, value, marked and word.endswith(_FIELDS)):
        length = len(value)
    if not length or value[:length].replace(" ", "") in STOP:
        return None
    if not is_hangul(value[0]) and not marked and not (value.isupper() or "\u4e00" <= value[0] <= "\u9fff"):
        return None
    first = end - len(value)
    length = context.find_end_with_hanja(text, first + length) - first
    return Match(first, first + length, "name", 0.9 if marked else 0.8, f"label {word[:5]} before; {length} characters")


def _is_complete_field(text: str, start: int, end: int) -> bool:
    """Whether a label begins its line or sentence and the name ends the field, as on a form."""
    closes = text[end : end + 1] in ("", "\n", ",", ")", "|", "/", "\t", "(") or text[end : end + 2] == "  "
    before = text[max(0, start - 3) : start]
    return closes and (before.rstrip(" ") == "" or before[-1:] in "\n.-•○※ ")
