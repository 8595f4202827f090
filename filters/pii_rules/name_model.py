"""The form of a Korean name: family names, listed given names, and words that only begin like a name.

For cells and fields beside a number; in a text `name_tagger.py` decides.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

FAMILY: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민나진지엄채원천방공현함변염여추"
    "도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예경봉사부가복태목형피두감음빈동온호범좌팽승간상시갈"
    "단견당류량려뢰리련림빙계화궉내대돈뇌묵만미옹탄초필엽곡춘척둔종흥순풍판"
)
FAMILY_OF_TWO: Final = frozenset("남궁 황보 제갈 사공 선우 서문 독고 동방 망절 어금 소봉 장곡 강전".split())


@cache
def read_words(name: str) -> tuple[str, ...]:
    """Return the words of a list in this folder, e.g. "given_names"; lines of # describe it."""
    lines = (Path(__file__).with_name("text") / f"{name}.txt").read_text("utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _ordinary_words() -> frozenset[str]:
    return frozenset((*read_words("no_names"), *read_words("districts"), *read_words("nouns")))


def name_length(run: str) -> int:
    """Return the length of a run of Hangul that has the form of a name and is not a listed word, or 0.

    >>> name_length("홍길동"), name_length("남궁서율"), name_length("전화번호"), name_length("신한은행")
    (3, 4, 0, 0)
    """
    double = run[:2] in FAMILY_OF_TWO
    fits = 2 + double <= len(run) <= 3 + double and (double or run[:1] in FAMILY)
    return len(run) if fits and _ordinary_words().isdisjoint((run, run[:2], run[:3])) else 0
