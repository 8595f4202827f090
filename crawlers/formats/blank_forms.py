r"""Measure whether a document is a blank form: more places to fill in than words.

A place to fill in is a table cell without words, or one of the signs below. One place weighs as much as WORDS code
points of text, so that a table with an empty column of remarks, and a checklist of whole sentences, are not forms.
"""

from __future__ import annotations

import re

from malmoi.source import Extracted

# WORDS, LIMIT and LEAST were set on the dev part of tests/data/formats/annexes.toml, our own and short.
WORDS = 20  # code points, white space left out, that outweigh one place to fill in
LIMIT = 0.5  # emptiness of a blank form
LEAST = 4  # places of a blank form
MOST = 3_000  # code points of its words; a longer document, such as a tender with forms at its end, has text of its own
# Signs of a place to fill in: empty brackets, a date without numbers, a signature, an addressee, a number without
# digits, leaders, a label that ends in a colon.
_PLACES = re.compile(
    r"[\[(]\s{0,9}[\])]|년\s{0,9}월\s{0,9}일|\((?:서명 또는 )?인\)|\(서명\)|귀하|제\s{1,9}호|_{3,200}|[.…·]{6,200}"
    r"|[:：][ \t]{0,9}(?=\||$)",
    re.MULTILINE,
)
_SPACE = re.compile(r"[\s|]|-{3,200}")


def measure_emptiness(found: Extracted) -> tuple[int, int, float]:
    r"""Return the number of places to fill in, the code points of its words, and the share of places (0 to 1).

    >>> measure_emptiness(Extracted("| 성명 | 주소 |\n신청인 ( ) 년 월 일 (서명 또는 인)", cells=6, blank_cells=4))
    (7, 7, 0.9524)
    """
    places = found.blank_cells + len(_PLACES.findall(found.text))
    words = len(_SPACE.sub("", _PLACES.sub("", found.text)))
    return places, words, round(places / (places + words / WORDS), 4) if places else 0.0


def is_blank_form(found: Extracted) -> bool:
    """Whether a document has at least LEAST places to fill in and at most MOST words, and the share reaches LIMIT."""
    places, words, share = measure_emptiness(found)
    return places >= LEAST and words <= MOST and share >= LIMIT
