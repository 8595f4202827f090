"""Split the byline of a Korean page (작성자 … 작성일 …) from its text: it is metadata."""

from __future__ import annotations

import re

from crawlers.formats.html.page_metadata import iso_date

FIRST = 5  # number of leading lines searched for a byline
MAX_NAME = 20  # code points; a longer value is not a name or a department
_AUTHOR = ("작성자", "글쓴이", "등록자", "게시자", "기자명")
_PLACE = ("담당부서", "작성부서", "담당자", "담당 부서")
_DATE = (
    "작성일시", "작성일자", "등록일시", "등록일자", "작성일", "등록일", "게시일", "수정일",
    "기사입력", "최초입력", "최종수정", "입력", "승인", "수정", "등록",
)  # fmt: skip
_COUNT = ("조회수", "조회")
_LABELS = "|".join((*_AUTHOR, *_PLACE, *_DATE, *_COUNT))
_LABEL = re.compile(rf"(?:^|(?<=[\s|·,/]))({_LABELS})(?=[\s:：]|$)\s{{0,3}}([:：]?)")
_ENTRY = re.compile(r"[-·•*○ㆍ]\s{0,3}")  # an entry of a list that holds only fields
_TIME = re.compile(r"[\d.\-/:\s년월일시분초]{6,30}(?:\([월화수목금토일]\)[\d:\s]{0,10})?")
_NUMBER = re.compile(r"[\d,]{1,12}(?:회|건)?")
_SENTENCE = re.compile(r"[.!?。…「『“\"]")


def split(text: str) -> tuple[str, str, str]:
    """Return the text without its byline, and the author and ISO date in the byline ("" if it has none).

    A byline is a line among the first five that consists of labelled fields only, at
    least one of them a date or a count; a line with only a name counts if it has a colon or is beside such a line.
    The first line is never a byline.

    >>> split("주차 안내\\n작성자 안내 담당 작성일 2026.01.19\\n주차장이 좁습니다.")
    ('주차 안내\\n주차장이 좁습니다.', '안내 담당', '2026-01-19')
    >>> split("주차\\n작성자 마음대로 쓴다.")[0]
    '주차\\n작성자 마음대로 쓴다.'
    """
    lines = text.split("\n")
    head = lines[:FIRST]
    read = [_fields(line) if place else {} for place, line in enumerate(head)]
    sure = [bool(fields) and any(label in (*_DATE, *_COUNT, ":") for label in fields) for fields in read]
    gone = [
        place
        for place, fields in enumerate(read)
        if fields and (sure[place] or any(sure[near] for near in (place - 1, place + 1) if 0 < near < len(sure)))
    ]
    values = [pair for place in gone for pair in read[place].items()]
    author = next((value for label, value in values if label in _AUTHOR), "")
    date = next((found for label, value in values if label in _DATE and (found := iso_date(value))), "")
    kept = [line for place, line in enumerate(head) if place not in gone]
    return "\n".join((*kept, *lines[FIRST:])) if gone else text, author, date


def _fields(line: str) -> dict[str, str]:
    """Return the labelled fields of a line, {} if it holds anything else; key ":" is present if a colon was used."""
    if mark := _ENTRY.match(line):
        line = line[mark.end() :]
    labels = list(_LABEL.finditer(line)) if len(line) <= 200 else []
    if not labels or line[: labels[0].start()].strip(" |·"):
        return {}
    fields: dict[str, str] = {}
    ends = [*(label.start() for label in labels[1:]), len(line)]
    for label, end in zip(labels, ends, strict=True):
        name, value = label.group(1), line[label.end() : end].strip(" |·,/")
        if not _is_field_value(name, value):
            return {}
        fields[name] = value
        if label.group(2):
            fields[":"] = ""
    return fields


def _is_field_value(name: str, value: str) -> bool:
    if name in _DATE:
        return bool(iso_date(value)) and bool(_TIME.fullmatch(value))
    if name in _COUNT:
        return bool(_NUMBER.fullmatch(value))
    return 0 < len(value) <= MAX_NAME and not _SENTENCE.search(value)
