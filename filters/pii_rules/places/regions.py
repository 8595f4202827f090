"""Names of Korean provinces and districts as they begin an address: new and old, long and short."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import ZERO_WIDTH

GAP: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
BLANKS: Final = f"{GAP}{{0,3}}"
FOLD: Final = f"{BLANKS}\n?{BLANKS}"  # table cells wrap between words and before the number
_LONG: Final = (
    "서울특별시|서울시|서울|(?:부산|대구|인천|광주|대전|울산)(?:광역시|직할시|시)?|경기도|강원특별자치도|강원도|"
    "충청[남북]도|전라[남북]도|전북특별자치도|경상[남북]도|제주특별자치도|제주도"
)
_SHORT: Final = "세종(?:특별자치시|시)?|경기|강원|충[남북]|전[남북]|경[남북]|제주"
PROVINCES: Final = f"(?:{_LONG}|{_SHORT})"
DISTRICTS: Final = frozenset(
    word
    for line in (Path(__file__).parents[1] / "text" / "districts.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)
# 경기 성남 분당: after a province, cities and districts may lack their last syllable.
STEMS: Final = frozenset(word[:-1] for word in DISTRICTS if len(word) > 2)
_DISTRICT: Final = "[가-힣]{1,8}(?:시|군|구)"
# Matches the form of a region; `find_region_start` checks the names, which would make the automaton large.
REGION: Final = (
    f"(?:{PROVINCES}{FOLD}(?:(?:{_DISTRICT}{FOLD}|[가-힣]{{2,4}}{GAP}{{1,2}}){{1,2}})?|(?:{_DISTRICT}{FOLD}){{1,3}})"
)
_PROVINCE: Final = re2.compile(f"^{PROVINCES}")
_LONG_PROVINCE: Final = re2.compile(f"^(?:{_LONG})$")


def find_region_start(words: str) -> int:
    """Return the offset in `words` of the region at their end, or -1.

    >>> (find_region_start("다시 경기도 없는시 "), find_region_start("다시 시작하시 "),
    ...  find_region_start("성남시분당구 "))
    (3, -1, 0)
    """
    at = 0
    for word in words.split():
        at = words.index(word, at)
        if is_region(word):
            return at
        at += len(word)
    return -1


def is_region(word: str) -> bool:
    """Whether a word is a province, a listed district, or several of them written as one word."""
    if word in DISTRICTS:
        return True
    match = _PROVINCE.match(word)
    rest = word[len(match.group()) :] if match is not None else word
    if not rest or rest in DISTRICTS:
        return True
    if match is not None and (rest in STEMS or (len(match.group()) > 2 and rest[-1] in "시군구")):
        return True
    return any(rest[:i] in DISTRICTS and rest[i:] in DISTRICTS for i in range(2, len(rest) - 1))


def has_district(region: str) -> bool:
    """Whether a region includes a district, or its province has no districts."""
    first, *more = region.split()
    match = _PROVINCE.match(first)
    if match is None or first in DISTRICTS or first.startswith("세종"):
        return True
    if match.group() != first:
        return True
    word = more[0] if more else ""
    return (
        word in DISTRICTS or word in STEMS or (_LONG_PROVINCE.match(first) is not None and word[-1:] in tuple("시군구"))
    )
