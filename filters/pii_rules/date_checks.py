"""Read and test dates: the year, the day of the calendar, the name before a date."""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.candidate import Candidate
from filters.pii_rules.digit_runs import fold_characters
from filters.pii_rules.name_tagger import tag_names
from filters.pii_rules.rule_table import compile_word

DAY: Final = compile_word("dates/birth_dates", "day")
_YEARS: Final = range(1900, 2040)  # earlier births: the dead have no personal data (PIPA art. 2)
_ADULT_YEARS: Final = range(1920, 2006)  # a later date behind a name is often the date of a signature or a post
_LAST_BIRTH = 2025
_SAMPLES: Final = (("1900", 1, 1), ("1970", 1, 1), ("2000", 1, 1))  # defaults of forms and programs
_NUMBER: Final = re2.compile("[0-9]+")
_BARE, _ROLE = 1.3, 0.0  # thresholds of the tagger: for a word alone, and behind a role or label
_HANGUL: Final = re2.compile("[가-힣]+")
_LINE = 60  # code points of the line before a name that the tagger reads
_TITLE: Final = compile_word("dates/birth_dates", "title")
_AGE: Final = re2.compile("([0-9]{1,3})세?[)）]?[^0-9세]{0,4}$|^[^0-9]{0,6}([0-9]{1,3})세")
_THIS_YEAR: Final = range(1990, 2041)  # in which a document may have been written
_LISTED: Final = compile_word("dates/birth_dates", "listed")
_LIKE: Final = compile_word("dates/birth_dates", "child")
_LIKE_REACH = 120  # code points on either side, in which another line of the same shape stands
_NEIGHBOURHOOD = 60  # code points to the next name of a list
_MASKED: Final = re2.compile("[가-힣][○◯〇●*＊OＯ]{1,3}")  # 김○○, 홍*동


def read_date(value: str) -> tuple[str, int, int] | None:
    """Return year (two or four digits), month and day as written; None without three numbers, as for words.

    >>> read_date("'91. 2. 30."), read_date("1 9 9 1 . 0 2 . 3 0"), read_date("30/02/1991"), read_date("910230")
    (('91', 2, 30), ('1991', 2, 30), ('1991', 2, 30), ('91', 2, 30))
    """
    folded = fold_characters(value).replace("\u200b", "")
    parts = _NUMBER.findall(folded.replace(" ", ""))
    if len(parts) == 1 and " " in folded:  # 1991 02 30
        parts = folded.split()
    if len(parts) == 1:
        parts = [parts[0][:-4], parts[0][-4:-2], parts[0][-2:]]
    if len(parts) < 3:
        return None
    year, month, day = reversed(parts[:3]) if len(parts[2]) == 4 else parts[:3]
    return year, int(month), int(day)


def is_plausible(candidate: Candidate) -> bool:
    """Whether the year is 1900 to 2039 or has two digits, and bare digits are a day of the calendar."""
    date = read_date(candidate.value)
    if date is None:
        return True
    year, month, day = date
    if len(year) == 4 and int(year) not in _YEARS:
        return False
    return not candidate.value.isdigit() or (1 <= month <= 12 and 1 <= day <= 31)


def is_adult(candidate: Candidate) -> bool:
    """Whether the year is one in which an adult was born, which a date without a label needs."""
    date = read_date(candidate.value)
    if date is None or not is_plausible(candidate):
        return False
    year = int(date[0])
    return year in _ADULT_YEARS if len(date[0]) == 4 else year >= 30


def fits_age(candidate: Candidate) -> bool:
    """Whether the year and the age beside the date name a year in which documents are written."""
    date = read_date(candidate.value)
    found = _AGE.search(candidate.lead) or _AGE.search(candidate.read_after(12))
    if date is None or found is None:
        return False
    age, year = int(found.group(1) or found.group(2)), int(date[0])
    years = (year,) if len(date[0]) == 4 else (1900 + year, 2000 + year)
    return any(one + age in _THIS_YEAR for one in years)


def is_sample(candidate: Candidate) -> bool:
    """Whether the date is a sample or the default of a form: 1900. 0. 0., 0000-00-00, 1970-01-01."""
    date = read_date(candidate.value)
    return date is not None and ((date[1] == 0 and date[2] == 0) or date in _SAMPLES)


def follows_name(candidate: Candidate) -> bool:
    """Whether a name that needs no label is before the date, or before its bracket: 용덕수 (…, 용덕수 님 (남, …"""
    lead = candidate.lead
    return _has_name(candidate, len(lead[:1] + lead[1:].replace("（", "(").partition("(")[0]), _BARE)


def follows_labelled_name(candidate: Candidate) -> bool:
    """Whether a name is between the role or label and the date."""
    return _has_name(candidate, len(candidate.lead), _ROLE)


def _has_name(candidate: Candidate, length: int, least: float) -> bool:
    """Whether the first `length` code points of the match hold a name, perhaps with a title or masked syllables."""
    text, first = candidate.text, candidate.match_start
    if _MASKED.search(text[first : first + length]) is not None:
        return True
    line = text.rfind("\n", max(0, first - _LINE), first) + 1 or max(0, first - _LINE)
    for name in tag_names(text, pieces=((line, candidate.end),), least=least):
        tail = _HANGUL.match(text[name.end : first + length])
        if first <= name.start < first + length and (tail is None or _TITLE.fullmatch(tail.group()) is not None):
            return True
    return False


def is_in_list_of_births(candidate: Candidate) -> bool:
    """Whether another name with a date in brackets is near, which needs no label itself."""
    before = candidate.text[max(0, candidate.match_start - _NEIGHBOURHOOD) : candidate.match_start + 1]
    after = candidate.read_after(_NEIGHBOURHOOD)
    for side in (before, after):
        listed = {match.span(1) for match in _LISTED.finditer(side)}
        if listed and any((name.start, name.end) in listed for name in tag_names(side, least=_BARE)):
            return True
    return False


def is_beside_like_line(candidate: Candidate) -> bool:
    """Whether another line near holds a name with a date in brackets, and the date is no later than 2025."""
    date = read_date(candidate.value)
    if date is None or (len(date[0]) == 4 and int(date[0]) > _LAST_BIRTH):
        return False
    before = candidate.text[max(0, candidate.start - _LIKE_REACH) : candidate.start].rpartition("\n")[0]
    after = candidate.read_after(_LIKE_REACH).partition("\n")[2]
    return _LIKE.search(before) is not None or _LIKE.search(after) is not None


def find_in_cell(candidate: Candidate) -> tuple[int, int] | None:
    """Return the place of the date in a cell, behind which 생, a sex or an age may follow."""
    match = DAY.search(candidate.value)
    return None if match is None else (candidate.start + match.start(), candidate.start + match.end())


def drop_full_stop(candidate: Candidate) -> tuple[int, int]:
    """Drop the full stop of a sentence: from 1991. 3. 2. only at the end of the text, from 1991.03.02. in prose too."""
    value, end = candidate.value, candidate.end
    if value[-1] not in ".．":
        return candidate.start, end
    spaced = any(value[i] in ".．" and value[i + 1] in " \u00a0\u3000" for i in range(len(value) - 1))
    closed = candidate.read_after(1) in ("\n", ")", "）", ",", "/", "|")
    kept = end < len(candidate.text) and (spaced or closed)
    return candidate.start, end if kept else end - 1


def is_row_birth(candidate: Candidate) -> bool:
    """Whether a date in a row is one of an adult, or six digits that are a day."""
    return is_adult(candidate) or (len(candidate.value) == 6 and is_plausible(candidate))
