"""Names of people: behind a private role or the label of a form, and beside another identifier.

Officials with a title, authors, bylines and public figures stay: a name alone is no personal data
of this filter. It becomes one in a private role (피해자 …) or linked to an identifier: same row,
same line, or next to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import re2

from filters.pii_rules import name_forms as forms
from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import begins, contains, leading, matches
from filters.pii_rules.surnames import STOP, is_noun, is_particle, name_length
from filters.pii_rules.tables import cells

GATES: Final = (forms.PRIVATE,)
_REACH = 40  # code points between a name and the identifier it is linked to
_LINE = 160  # code points of the line of an identifier that are read on either side
_BESIDE = 36  # code points before or behind an identifier in which a name without label stands


def found(text: str, data: bytes) -> Iterator[Found]:
    """Names behind a private role or 성명, linked or not; linear in the length of `text`."""
    for start, end in matches(forms.PRIVATE_NAME, text, data):
        item = _in_role(text, start, end)
        if item is not None:
            yield item


def linked(text: str, found: Sequence[Found], data: bytes | None = None) -> Iterator[Found]:
    """Names that stand beside one of `found`, the identifiers of other kinds in `text`.

    Reads only around the identifiers: at most 320 code points each, overlapping stretches once.

    >>> text = "홍길동 010-0000-1234"
    >>> [text[f.start : f.end] for f in linked(text, [Found(4, 17, "phone", 1, "")])]
    ['홍길동']
    """
    anchors = sorted((f for f in found if f.kind not in ("name", "ip", "mac")), key=lambda f: f.start)
    if not anchors:
        return
    yield from _in_columns(text, text.encode("utf-8", "replace") if data is None else data, anchors)
    for first, last in _stretches(text, anchors):
        part = text[first:last]
        coded = part.encode()
        yield from _labelled(text, first, part, coded)
        yield from _called(text, first, part, coded)
    for anchor in anchors:
        yield from _beside(text, anchor)


def _in_role(text: str, start: int, end: int) -> Found | None:
    """Behind a colon any name of two syllables and more; behind a blank only what looks like a name throughout."""
    if _is_hangul(text[start - 1 : start]):
        return None  # 공동성명, 재신청인
    label, value = _split(text[start:end], forms.PRIVATE_HEAD)
    marked = any(c in ":：=|│>-" for c in label) or "\n" in label
    word = "".join(c for c in label if _is_hangul(c))
    if word in ("성명", "성함") and not marked and not _closes(text, start, end):
        return None
    length = _length(value, strict=True, alone=not marked)
    if not length and marked and (text[end : end + 1] in forms.CLOSERS or len(value) > 3):
        length = _length(value, strict=False, short=True)
    if not length or not _ends(text, end, value) or value[:length].replace(" ", "") in STOP:
        return None
    if not _is_hangul(value[0]) and not marked and not (value.isupper() or "\u4e00" <= value[0] <= "\u9fff"):
        return None
    first = end - len(value)
    return Found(first, first + length, "name", 0.9 if marked else 0.8, f"label {word[:5]} before; {length} characters")


def _ends(text: str, end: int, value: str) -> bool:
    """Whether `value` is whole: behind syllables that are spaced apart, and Latin, a particle may follow."""
    after = text[end : end + 1]
    if not _is_hangul(value[0]) and (after == "_" or (after.isascii() and after.isalnum())):
        return False
    if _is_spaced(value) and begins(forms.LOOSE, text[end : end + 6]):
        return False  # 위 반 일  시: more syllables of a heading
    if not _is_hangul(after):
        return True
    if _is_hangul(value[0]) and not _is_spaced(value):
        return False  # twelve syllables and more are a sentence
    stop = end
    while stop < min(end + 6, len(text)) and _is_hangul(text[stop]):
        stop += 1
    return is_particle(text[end:stop])


def _is_spaced(value: str) -> bool:
    return _is_hangul(value[:1]) and not all(map(_is_hangul, value))


def _closes(text: str, start: int, end: int) -> bool:
    """Whether a label opens its line or sentence and the name closes the field, as on a form."""
    closes = text[end : end + 1] in ("", "\n", ",", ")", "|", "/", "\t", "(") or text[end : end + 2] == "  "
    before = text[max(0, start - 3) : start]
    return closes and (before.rstrip(" ") == "" or before[-1:] in "\n.-•○※ ")


def _split(whole: str, head: re2._Regexp) -> tuple[str, str]:
    """Label and value; the value is empty where the label takes part of it."""
    label = leading(head, whole)
    if label is None:
        return whole, ""
    value = whole[len(label) :]
    return label, value if begins(forms.VALUE, value) else ""


def _length(value: str, *, strict: bool, short: bool = False, alone: bool = False) -> int:
    """Characters of `value` that are a name; 0 if it is none."""
    if not value:
        return 0
    if not _is_hangul(value[0]):
        return len(value)
    if _is_spaced(value):
        plain = "".join(c for c in value if _is_hangul(c))
        fits = name_length(plain, strict=strict) == len(plain) and not (strict and is_noun(plain))
        return len(value) if fits else 0
    return name_length(value, strict=strict, short=short, alone=alone)


def _stretches(text: str, anchors: Sequence[Found]) -> Iterator[tuple[int, int]]:
    """The lines of the identifiers and 40 code points around them, each code point once."""
    start = stop = 0
    for anchor in anchors:
        line = text.rfind("\n", max(0, anchor.start - _LINE), anchor.start) + 1
        first = min(line or max(0, anchor.start - _LINE), max(0, anchor.start - _REACH))
        first = max(first, anchor.start - _LINE)
        end = text.find("\n", anchor.end, anchor.end + _LINE)
        last = max(end if end >= 0 else anchor.end + _LINE, anchor.end + _REACH)
        if first > stop:
            if stop > start:
                yield start, stop
            start = first
        stop = max(stop, last)
    yield start, min(stop, len(text))


def _labelled(text: str, first: int, part: str, coded: bytes) -> Iterator[Found]:
    for start, end in matches(forms.LINKED, part, coded):
        label, value = _split(part[start:end], forms.LINKED_HEAD)
        if not value or _is_hangul(text[first + start - 1 : first + start]) or not _ends(text, first + end, value):
            continue
        marked = any(c in ':：=|│>"/-\n' for c in label)
        length = _length(value, strict=True, alone=not marked)
        if not length and marked and len(value) > 2:
            length = _length(value, strict=False)
        at = first + end - len(value)
        if length and not _is_titled(text, at, at + length, behind_only=True):
            yield Found(at, at + length, "name", 0.85, f"label before, identifier near; {length} characters")


def _called(text: str, first: int, part: str, coded: bytes) -> Iterator[Found]:
    for start, end in matches(forms.CALLED, part, coded):
        whole = part[start:end]
        call = forms.CALL.search(whole)
        value = whole[: len(whole) - len(call.group())] if call is not None else ""
        at = first + start
        if not value or _is_hangul(text[at - 1 : at]):
            continue
        length = _length(value, strict=True, alone=call is not None and call.group()[:2] in ("입니", "이에"))
        if length == len(value) and not _is_titled(text, at, at + length):
            yield Found(at, at + length, "name", 0.8, f"form of address behind, identifier near; {length} characters")


def _beside(text: str, anchor: Found) -> Iterator[Found]:
    if text[anchor.start - 1 : anchor.start] in forms.BETWEEN and _may_be_name(text, anchor.start, -1):
        left = max(0, anchor.start - _BESIDE)
        before = text[left : anchor.start].encode()
        match = forms.BEFORE.search(before)
        if match is not None:
            at = left + len(before[: match.start(1)].decode())
            if at == left or not _is_hangul(text[at - 1]):
                yield from _next_to(text, at, match.group(1).decode(), anchor)
    if text[anchor.end : anchor.end + 1] in forms.MAY_FOLLOW and _may_be_name(text, anchor.end, 1):
        behind = text[anchor.end : anchor.end + _BESIDE].encode()
        match = forms.BEHIND.match(behind)
        if match is not None:
            value = match.group(1).decode()
            at = anchor.end + len(behind[: match.start(1)].decode())
            if _ends(text, at + len(value), value):
                yield from _next_to(text, at, value, anchor)


def _may_be_name(text: str, at: int, step: int) -> bool:
    """Whether the nearest word is worth the expressions: a look at some code points that spares most of them."""
    near = text[at : at + 16] if step > 0 else text[max(0, at - 16) : at][::-1]
    if not near:
        return False
    first = 0
    while not "가" <= near[first : first + 1] <= "힣":
        char = near[first : first + 1]
        if char.isalnum():
            if step > 0 or not char.isalpha():
                return False
            return any(c.isupper() for c in text[max(0, at - first - 13) : at - first])
        first += 1
        if first == min(8, len(near)):
            return False
    last = first + 1
    while last < first + 8 and "가" <= near[last : last + 1] <= "힣":
        last += 1
    run = near[first:last] if step > 0 else near[first:last][::-1]
    return len(run) < 2 or name_length(run, alone=True) > 0 or _is_label(run)


@lru_cache(maxsize=1024)  # the words beside identifiers are few
def _is_label(run: str) -> bool:
    return begins(forms.LABELS, run)


def _next_to(text: str, at: int, value: str, anchor: Found) -> Iterator[Found]:
    if not _is_hangul(value[0]):
        words = value.split()
        if not any(w.upper() in forms.ROMANIZED for w in (words[0], words[-1])):
            return
        length = len(value)
    else:
        length = _length(value, strict=True, alone=True)
    if anchor.kind == "address" and value[length - 1 : length] in tuple("동읍면리가"):
        return  # 대학로 291 (구성동)
    if length and not _is_titled(text, at, at + length):
        yield Found(at, at + length, "name", 0.8, f"beside {anchor.kind}; {length} characters")


def _in_columns(text: str, data: bytes, anchors: Sequence[Found]) -> Iterator[Found]:
    """Cells below 성명, 예금주 …, where an identifier stands in the same row or the next line."""
    at = 0
    for start, end in sorted(cells(text, data, forms.HEADING)):
        value = text[start:end]
        while at < len(anchors) and anchors[at].end < start - _LINE:
            at += 1
        line = text.rfind("\n", max(0, start - _LINE), start) + 1
        stop = text.find("\n", end, end + _LINE)
        stop = stop if stop >= 0 else end + _LINE
        near = range(at, min(at + 12, len(anchors)))
        if not any(line <= anchors[i].start <= stop + 1 for i in near):
            continue
        length = _length(value, strict=False, short=True) if begins(forms.VALUE, value) else 0
        if length == len(value) or (2 <= len(value) <= 6 and all(map(_is_hangul, value)) and not is_noun(value)):
            yield Found(start, end, "name", 0.85, f"column of names, identifier in the row; {len(value)} characters")


def _is_titled(text: str, start: int, end: int, *, behind_only: bool = False) -> bool:
    """Whether an office or profession stands beside the name: the name is public then."""
    if _may_be_title(text[end : end + 1]) and begins(forms.TITLE_BEHIND, text[end : end + 8]):
        return True
    if behind_only or not _may_be_title(text[start - 1 : start]):
        return False
    return contains(forms.TITLE_BEFORE, text[max(0, start - 8) : start])


def _may_be_title(char: str) -> bool:
    """Whether a title may stand on that side of a name: it does right beside it or behind blanks."""
    return _is_hangul(char) or char in forms.BLANKS


def _is_hangul(char: str) -> bool:
    return "가" <= char <= "힣"
