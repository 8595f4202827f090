"""Resident numbers with a part masked or missing, or with separately labelled halves: 앞자리 …, 뒷자리 …."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.numbers.resident import OTHER_REACH, is_beside_a_name, kind_of
from filters.pii_rules.text.checksums import is_birth_date
from filters.pii_rules.text.digit_runs import DIGIT, SEPARATOR, fold_characters, matches
from filters.pii_rules.text.label_separators import BETWEEN
from filters.pii_rules.text.labels import label_before, label_of, squeeze_text
from filters.pii_rules.text.match import Match

_MASKS: Final = "*＊●○■□◯Xx•※✕×#"
_MASK: Final = f"[{_MASKS}]"
# 901231-1 alone reveals birthday and sex; with the front masked, the rest still reveals sex and place.
_CUT: Final = f"{DIGIT}{{2,4}}{_MASK}{{2,4}} ?[-–] ?[1-8*＊]{_MASK}{{6}}"  # 91****-2******
MASKED: Final = (
    f"{DIGIT}{{6}}{SEPARATOR}{{0,3}}{DIGIT}{{0,6}}(?: ?{_MASK}){{1,7}}|{_MASK}{{6}} ?[-–] ?{DIGIT}{{7}}|{_CUT}"
)
_MASKED: Final = re2.compile(MASKED)
PARTIAL: Final = f"{DIGIT}{{6}} ?[-–—‐‑−－] ?[1-8１-８]"
_PARTIAL: Final = re2.compile(PARTIAL)
_BACK: Final = "(?:뒷|뒤)(?: ?(?:자리|번호)|[는은 ])"
APART: Final = (
    f"(?:앞 ?(?:자리|번호)[^0-9０-９\\n]{{0,9}})?{DIGIT}{{6}}[^0-9０-９]{{1,16}}{_BACK}[^0-9０-９]{{0,9}}{DIGIT}{{7}}|"
    f"(?:앞 ?(?:자리|번호)|{_BACK})[^0-9０-９\n]{{0,9}}{DIGIT}{{6,7}}"
)
_APART: Final = re2.compile(APART)
# After a label, any of these marks may separate the halves; elsewhere they separate two values.
ODD: Final = f"{DIGIT}{{6}}(?: ?[~:,|\tㅡ=] ?|</td> ?<td>){DIGIT}{{7}}"
_ODD: Final = re2.compile(ODD)
# OCR errors: O for 0, l and I for 1.
MISREAD: Final = "[0-9OolI]{6} ?[-–] ?[0-9OolI]{7}"
_MISREAD: Final = re2.compile(MISREAD)
# After the complete label, thirteen digits match in any grouping: 91 02 03 - 1 2 …, 910203=1…, ⑨①⓪….
_NAMED: Final = "(?:주민 ?(?:등록)? ?번호|외국인 ?(?:등록)? ?번호)"
_ANY: Final = f"[0-9０-９OolI⓪①-⑨{_MASKS}]"
_NAME: Final = re2.compile(_NAMED)
_LOOSE_REACH = 110  # code points from the label to the thirteenth digit
_LOOSE: Final = re2.compile(f"^{_NAMED}{BETWEEN}({_ANY}(?:[ ㅡ…,，·.=+~:_–—-]{{0,3}}{_ANY}){{12}})")
# 9 1 0 2 3 0 - 1 * * * * * *: spaced digits, masked or truncated after the sex digit
SPACED: Final = f"{DIGIT}(?: {DIGIT}){{5}} ?[-–] ?[1-8](?: ?{_MASK}){{0,6}}"
_SPACED: Final = re2.compile(SPACED)
_LEAST_DIGITS = 6  # of thirteen; with fewer digits left, a number reveals little
_MISREAD_GATE: Final = "[OolI][0-9OolI]{0,5} ?[-–] ?[0-9OolI]{7}|[0-9]{6} ?[-–] ?[0-9]{0,6}[OolI]"
ODD_GATES: Final = (ODD, "(?:앞|뒷|뒤) ?(?:자리|번호)|[0-9]{6}[ ,\n]{1,3}뒤[는은 ]", _MISREAD_GATE, _NAMED, SPACED)
_READ: Final = {ord("O"): "0", ord("o"): "0", ord("l"): "1", ord("I"): "1"}
_LABELS: Final = ("rrn", "frn", "birth")
_RESIDENT: Final = re2.compile("주민|민번|외국인|등본|거소")
_PAPER: Final = re2.compile("면허증|등록증|주민|외국인|신분증|보험|피부양자|세대원|세대주|등본|초본|증명서")
_PAPER_REACH = 160
_CUT_REACH = 60  # code points before 91****-2****** in which a word must say what it is
_HALVES_REACH = 24  # code points before 앞자리 and 뒷자리 in which a word must refer to resident numbers


def find_first_halves(text: str, data: bytes) -> Iterator[Match]:
    """Find the first seven digits after a label or a name."""
    for start, end in matches(_PARTIAL, text, data):
        around = text[start - 1 : start] + text[end : end + 1]
        if any(c.isdigit() or c in _MASKS + "-" or (c.isascii() and c.isalpha()) for c in around):
            continue
        label = label_before(text, start)
        digits = _extract_digits(text[start:end])
        if not is_birth_date(digits):
            continue
        if label.kind in _LABELS and label.distance <= OTHER_REACH:
            yield Match(start, end, kind_of(label.kind, digits[6]), 0.9, f"label {label.word} before; seven digits")
        elif is_beside_a_name(text, start, end, known=True):
            yield Match(start, end, kind_of("", digits[6]), 0.8, "in a cell beside a name; seven digits")


def find_odd_residents(text: str, data: bytes) -> Iterator[Match]:
    """Find numbers with unusual separators, OCR errors, or words between their halves."""
    for start, end in matches(_ODD, text, data):
        label = label_of(text, start)
        alone = not text[start - 1 : start].isdigit() and not text[end : end + 1].isdigit()
        if alone and label.kind in ("rrn", "frn") and label.distance <= OTHER_REACH:
            yield Match(
                start, end, kind_of(label.kind, fold_characters(text[end - 7])), 0.9, f"label {label.word} before"
            )
    for start, end in matches(_MISREAD, text, data):
        raw = text[start:end]
        letters = sum(c in "OolI" for c in raw)
        if not 0 < letters <= 4 or text[start - 1 : start].isalnum() or text[end : end + 1].isdigit():
            continue
        label = label_before(text, start)
        labelled = label.kind in ("rrn", "frn") and label.distance <= OTHER_REACH
        if labelled or _is_on_a_paper(text, start, raw.translate(_READ)):
            reason = f"label {label.word} before; {letters} digits misread"
            yield Match(start, end, kind_of(label.kind, raw[-7].translate(_READ)), 0.9, reason)
    for start, _ in matches(_NAME, text, data):
        found = _match_loose_number(text, start)
        if found is not None:
            yield found
    for start, end in matches(_SPACED, text, data):
        found = _match_spaced_number(text, start, end)
        if found is not None:
            yield found
    for start, end in matches(_APART, text, data):
        found = _match_separate_halves(text, start, end)
        if found is not None:
            yield found


def _is_on_a_paper(text: str, start: int, read: str) -> bool:
    """Whether `read` has a valid date and sex, and the text before names an identity document or insurance card."""
    digits = "".join(c for c in read if c.isdigit())
    return is_birth_date(digits) and _PAPER.search(squeeze_text(text[max(0, start - _PAPER_REACH) : start])) is not None


def _match_loose_number(text: str, start: int) -> Match | None:
    around = text[start : start + _LOOSE_REACH]
    dash = around.find("-", 0, 30)
    if dash > 6 and around[dash - 6 : dash].isdecimal() and around[dash + 1 : dash + 8].isdecimal():
        return None  # the usual format, which has its own rule
    match = _LOOSE.match(around.encode())
    if match is None:
        return None
    end = start + len(match.group().decode())
    after = text[end : end + 1]
    if after.isdigit() or (after in tuple(_MASKS) and after != ""):
        return None
    value = match.group(1).decode()
    digits = "".join(c for c in unicodedata.normalize("NFKC", value).translate(_READ) if c.isdigit())
    if len(digits) < _LEAST_DIGITS or not digits.strip("0"):
        return None
    sex = digits[6] if len(digits) == 13 else "1"
    return Match(end - len(value), end, kind_of("", sex), 0.85, "label before; thirteen digits, oddly grouped")


def _match_spaced_number(text: str, start: int, end: int) -> Match | None:
    digits, masks = _extract_digits(text[start:end]), sum(c in _MASKS for c in text[start:end])
    follows = text[end : end + 2].lstrip(" ")[:1]
    if (
        follows.isdigit()
        or (follows in tuple(_MASKS) and follows)
        or text[max(0, start - 2) : start].strip()[-1:].isdigit()
    ):
        return None
    label = label_before(text, start)
    labelled = label.kind in _LABELS and label.distance <= OTHER_REACH
    if masks not in (0, 6) or not (labelled or masks) or not is_birth_date(digits):
        return None
    return Match(start, end, kind_of(label.kind, digits[6]), 0.85, f"letters apart; {masks} masked")


def _match_separate_halves(text: str, start: int, end: int) -> Match | None:
    """Match both halves as one number, or the labelled second half alone; the first half alone is only a birthday."""
    digits = _extract_digits(text[start:end])
    if text[end : end + 1].isdigit():
        return None
    said = _RESIDENT.search(text[max(0, start - _HALVES_REACH) : start]) is not None
    if not said and not (len(digits) == 13 and is_birth_date(digits)):
        return None
    first = next(i for i in range(start, end) if text[i].isdigit())
    if len(digits) == 13:
        if text[first - 1 : first].isdigit():
            return None
        return Match(first, end, kind_of("", digits[6]), 0.93, "word 뒷자리 between the halves")
    if len(digits) == 7 and text[start] != "앞" and digits[0] in "12345678":
        return Match(first, end, kind_of("", digits[0]), 0.9, "word 뒷자리 before; seven digits")
    return None


def find_masked_residents(text: str, data: bytes) -> Iterator[Match]:
    """Find partly masked numbers, such as 920715-2******: birthday and sex remain readable."""
    for start, end in matches(_MASKED, text, data):
        raw = text[start:end]
        digits = _extract_digits(raw)
        masks = sum(c in _MASKS for c in raw)
        before, after = text[start - 1 : start], text[end : end + 1]
        if before.isdigit() or (before.isascii() and before.isalnum()) or (after.isdigit() and after.isascii()):
            continue
        label = label_before(text, start)
        labelled = label.kind in _LABELS
        if len(raw.replace(" ", "")) == 14 and 0 < len(digits) < 6:
            said = labelled or _RESIDENT.search(text[max(0, start - _CUT_REACH) : start]) is not None
            if said and digits[-1] in "12345678" and len(digits) > 2:
                yield Match(
                    start, end, kind_of(label.kind, digits[-1]), 0.85, "word of resident numbers before; masked"
                )
            continue
        if raw[0] in _MASKS:
            if labelled and before not in tuple(_MASKS):
                yield Match(start, end, kind_of(label.kind, digits[0]), 0.9, f"label {label.word} before; masked")
            continue
        behind = len(digits) - 6 + masks
        if behind != 7 and not (4 <= masks <= 7 and 5 <= behind <= 8):
            continue
        sex = digits[6:7]
        dated = is_birth_date(digits[:7]) if sex else is_birth_date(digits[:6] + "1") or is_birth_date(digits[:6] + "3")
        whole = sex != "" and sex in "12345678" and behind == 7 and "-" in fold_characters(raw)
        other = label.kind == "crn" or (label.kind == "other" and not whole)
        if not labelled and (not dated or behind != 7 or (other and label.distance <= 8)):
            continue
        reason = f"label {label.word} before" if labelled else "canonical form"
        facts = "possible date" if dated else "impossible date"
        kind = kind_of(label.kind, sex or "1")
        yield Match(start, end, kind, 0.95 if labelled else 0.85, f"{reason}; masked; {facts}")


def _extract_digits(text: str) -> str:
    return "".join(c for c in fold_characters(text) if c.isdigit())
