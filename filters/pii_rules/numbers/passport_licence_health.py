"""Numbers of personal documents: passports, driving licences and health insurance cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.numbers.phone_checks import prefix_of
from filters.pii_rules.text.digit_runs import DIGIT, SLASHED, ZERO_WIDTH, Window, fold_characters, matches
from filters.pii_rules.text.labels import column_above, label_of
from filters.pii_rules.text.match import Match

LICENSE_SHAPES: Final = ((2, 2, 6, 2), (12,), (2, 10), (2, 2, 8), (2, 6, 2), (2, 8), (10,))
HEALTH_SHAPES: Final = ((1, 10), (11,))
# Issuing region of a licence: in letters until about 2016, then two digits (11 Seoul … 26 Jeju, 28 north Gyeonggi).
_REGIONS: Final = tuple("서울 부산 경기 강원 충북 충남 전북 전남 경북 경남 제주 대구 인천 광주 대전 울산".split())
_REGION_CODES: Final = frozenset(map(str, (*range(11, 27), 28)))
_OTHERS: Final = ("account", "bank", "card", "other", "brn", "crn", "phone")
_NEAR = 8  # code points in which the label of another kind overrides the format
_PARTING: Final = " -‐‑‒–—―−－·.()\u00a0\u3000"
_HEALTH_REACH = 25
_PASSPORT_REACH = 16  # for foreign formats, which look like any part number

_GAP: Final = f"[ ‐‑‒–—―−－·{ZERO_WIDTH}-]{{0,3}}"
_LETTER: Final = "[A-Za-zＡ-Ｚ]"
_D: Final = f"{DIGIT}[ {ZERO_WIDTH}]{{0,2}}"
_SINCE_2021: Final = f"{_LETTER}{_GAP}(?:{_D}){{3}}{DIGIT}"  # after three digits
_NUMBER: Final = (
    f"{_LETTER}[ {ZERO_WIDTH}]?{_LETTER}?{_GAP}(?:{_D}){{3,4}}{_GAP}(?:{_SINCE_2021}|(?:{_D}){{2,5}}{DIGIT})"
)
# The machine-readable zone (ICAO Doc 9303, part 4).
_MACHINE: Final = "P[A-Z<]KOR[A-Z<]{39}|[A-Z][0-9A-Z]{8}[0-9]KOR[0-9]{7}[MF<][0-9]{7}[0-9A-Z<]{14,16}"
PASSPORT: Final = f"여{_GAP}권|(?i:passport)|P[A-Z<]KOR|[0-9]KOR[0-9]{{7}}"
_PASSPORT: Final = re2.compile(f"{_MACHINE}|{_NUMBER}")
# In a traveller list the heading is lines above; a row contains names in capitals or foreigner numbers.
_OF_A_LIST: Final = re2.compile("^(?:[A-Z]{1,2}[0-9]{7,8}|[A-Z][0-9]{3}[A-Z][0-9]{4})$")
_TRAVELLER: Final = re2.compile("[A-Z]{2,} ?[A-Z]{2,}|[0-9]{6}-[5-8][0-9*]{6}|[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}")
_RIGHT_BEHIND: Final = re2.compile(
    "(?:여권(?: ?번호)?|(?i:passport) ?(?i:no[.]?|number))[ \t:：(（]{1,4}[A-Z][A-Z0-9]{8}"
)
_LEAST_DIGITS = 4
_EXAMPLE: Final = re2.compile("(?:예|예시|보기)[:：)\\] ]{1,3}$")
_LIST_REACH = 1500  # code points between the heading and a row
_ROW_REACH = 120
# OCR errors, the letter O for zero: a licence or a health insurance card.
_O: Final = "[0-9OoIl]"
SCANNED: Final = (
    f"(?:증{_GAP}번{_GAP}호|면허{_GAP}번{_GAP}호)[^0-9A-Za-z\n]{{0,6}}[0-9O]"
    f"(?:-?{_O}{{10}}|{_O}-{_O}{{2}}-{_O}{{6}}-{_O}{{2}})"
)
_SCANNED: Final = re2.compile(SCANNED)


def find_passports(text: str, data: bytes) -> Iterator[Match]:
    """Find passport numbers after their label or in a traveller list, and machine-readable zones."""
    yield from _find_labelled_passports(text, data)
    for start, end in matches(_PASSPORT, text, data):
        if "KOR" in text[start:end] and end - start >= 40:
            yield Match(start, end, "passport", 0.97, "lines for machines")
            continue
        whole = next((word for word in text[start:end].split() if _OF_A_LIST.match(word) is not None), "")
        if whole and text[end : end + 1].isdigit():  # M12345678 1990-…: the next number begins
            start = text.index(whole, start)
            end = start + len(whole)
        if text[start + 1] == " " and _is_word_char(text[start - 1 : start]):
            start += 2  # the last letter of the label: passport m00012345
        if _is_word_char(text[start - 1 : start]) or _is_word_char(text[end : end + 1]):
            continue
        if "12345678" in text[start:end] and _EXAMPLE.search(text[max(0, start - 8) : start]) is not None:
            continue
        label = label_of(text, start, numbered=True)
        raw = "".join(c for c in fold_characters(text[start:end]) if c.isalnum())
        here = _is_korean_passport(raw.upper())
        if label.kind == "passport" and (here or label.distance <= _PASSPORT_REACH):
            facts = "form of Korea" if here else "form of another country"
            yield Match(start, end, "passport", 0.97 if here else 0.9, f"label {label.word} before; {facts}")
            continue
        start += 2 if text[start + 1] == " " else 0  # the initial of a preceding name
        if _is_of_a_list(text, start, end, label.kind == "other" and label.distance <= _NEAR):
            yield Match(start, end, "passport", 0.85, "row of a list under the head of passports")


def _find_labelled_passports(text: str, data: bytes) -> Iterator[Match]:
    """Find nine letters and digits directly after the label: foreign formats, and O misread for zero."""
    for start, end in matches(_RIGHT_BEHIND, text, data):
        value = text[start:end].rpartition(" ")[2].lstrip(":：(（/.\t")
        if sum(c.isdigit() for c in value) >= _LEAST_DIGITS and not _is_word_char(text[end : end + 1]):
            yield Match(end - len(value), end, "passport", 0.85, "right behind its label; nine letters and digits")


def _is_of_a_list(text: str, start: int, end: int, other: bool) -> bool:
    if other or _OF_A_LIST.match(text[start:end]) is None:
        return False
    above = text[max(0, start - _LIST_REACH) : start]
    if "여권" not in above and "assport" not in above and "ASSPORT" not in above:
        return False
    row = above.rpartition("\n")[2][-_ROW_REACH:]
    return _TRAVELLER.search(row) is not None or column_above(text, start).kind == "passport"


def find_scanned_numbers(text: str, data: bytes) -> Iterator[Match]:
    """Find labelled licences and health insurance cards with O misread for zero."""
    for start, end in matches(_SCANNED, text, data):
        first = next(i for i in range(start, end) if text[i].isascii() and text[i].isalnum())
        value = text[first:end]
        if value.isascii() and any(c.isalpha() for c in value) and not _is_word_char(text[end : end + 1]):
            kind = "driver_license" if "면" in text[start:first] else "health_insurance"
            yield Match(first, end, kind, 0.9, "label before; letters for digits")


def _is_korean_passport(number: str) -> bool:
    """Whether a number has a Korean form: a type letter and eight digits; since December 2021 the 4th is a letter."""
    return len(number) == 9 and number[0] in "MSRODGTＭＳＲＯＤ" and number[1:4].isdigit() and number[5:].isdigit()


def match_driver_license(window: Window) -> Match | None:
    """Match a driving licence: region (digits or letters), year, serial number, check digits.

    With hyphens and a known region no label is needed. Ungrouped, twelve digits need one: they may be a timestamp.
    """
    lengths = tuple(map(len, window.groups))
    lettered = _find_region_start(window) if sum(lengths) == 10 else None
    start = window.start if lettered is None else lettered
    label = window.run.label(window.text, start, numbered=True)
    marks = set(window.separators)
    if window.is_continued_by("-") or not marks <= {"-", " ", ".", *SLASHED} or len(marks) > 1:
        return None
    said = label.kind == "license"
    if label.kind in _OTHERS and label.distance <= _NEAR:
        return None
    if sum(lengths) == 10:
        if lettered is None and not (said and lengths == (2, 6, 2)):
            return None
        if not said and lengths != (2, 6, 2):
            return None
        facts = "without region" if lettered is None else "region in letters"
    else:
        known = window.digits[:2] in _REGION_CODES
        if not said and not (known and lengths == (2, 2, 6, 2) and marks == {"-"}):
            return None
        if not said and _IN_A_LOG.search(window.text[max(0, window.start - 48) : window.start]) is not None:
            return None
        if len(lengths) == 1 and window.is_continued_by("."):
            return None
        facts = "known region" if known else "unknown region"
    reason = f"label {label.word} before" if said else "canonical form"
    return Match(start, window.end, "driver_license", 0.97 if said else 0.92, f"{reason}; {facts}")


# A month, a day and a time of day: backup 11-24-041710-33
_IN_A_LOG: Final = re2.compile("(?i:backup|log|dump|snapshot|백업|로그)[^가-힣\n]{0,40}$")


def _find_region_start(window: Window) -> int | None:
    """Return where the region name directly before the number begins, or None."""
    left = window.text[max(0, window.start - 6) : window.start]
    bare = left.rstrip(_PARTING + ZERO_WIDTH)
    if len(left) - len(bare) > 3 or not bare.endswith(_REGIONS):
        return None
    start = window.start - (len(left) - len(bare)) - 2
    return None if is_hangul(window.text[start - 1 : start]) and window.number_label.kind != "license" else start


def match_health_insurance(window: Window) -> Match | None:
    """Match a health insurance number: eleven digits after its label, sometimes with the first one separate."""
    if window.label.kind == "phone" and prefix_of(window.digits):
        return None
    label = window.number_label
    if label.kind != "health" or label.distance > _HEALTH_REACH or window.is_continued_by("-"):
        return None
    if not set(window.separators) <= {"-", " "}:
        return None
    return Match(window.start, window.end, "health_insurance", 0.97, f"label {label.word} before; eleven digits")


def _is_word_char(char: str) -> bool:
    return char == "_" or char.isdigit() or (char.isascii() and char.isalpha())
