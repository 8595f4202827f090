"""Read title, author and date of an HWP 5 document from its property set, if they are plausible.

Layout: [MS-OLEPS] section 2; property ids: Hancom, "한글 문서 파일 형식 5.0" revision 1.3, "문서 요약".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from struct import error, unpack_from

STREAM = "\x05HwpSummaryInformation"
MAX_TITLE = 200  # code points; a longer title is the beginning of the text
MAX_AUTHOR = 50  # code points
_TITLE, _AUTHOR, _SAVED, _DATE = 2, 4, 13, 20
_WIDE, _TIME = 0x1F, 0x40  # VT_LPWSTR, VT_FILETIME
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # of a FILETIME, in steps of 100 ns
_KOREA = timezone(timedelta(hours=9))
_YEARS = range(1989, 2100)  # the first 한글 was sold in 1989
_WRITTEN = re.compile(r"((?:19|20)\d\d)년 (\d{1,2})월 (\d{1,2})일")
# Names of machines and placeholders: they do not identify the author of the text.
_NOBODY = re.compile(
    r"(?:user|users|owner|admin|administrator|hancom|hnc|hwp|microsoft|windows|windows user|pc|my ?com|com|computer|"
    r"home|samsung|lg|test|사용자|관리자|한글과컴퓨터|한컴|[\W\d_]*|.)\d*",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"(?:제목 ?없음|무제|빈 문서|문서|새 ?문서|untitled|document|noname)?[\W\d]*|"
    r".{0,400}\.(?:hwpx?|hwt|hml|docx?|pdf|txt)|[a-z]:\\.{0,400}|/.{0,400}",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Metadata of a document; "" for a missing or implausible value."""

    title: str = ""
    author: str = ""
    date: str = ""  # ISO


def read(raw: bytes) -> Summary:
    """Read the summary in a property set; unreadable ones are empty, because the text does not depend on them.

    The date is that of the last save: a document is often created from one that is years older.
    """
    try:
        properties = _read_properties(raw)
    except error:
        return Summary()
    saved = properties.get(_SAVED)
    date = plausible_date(saved) if isinstance(saved, datetime) else ""
    written = _WRITTEN.match(str(properties.get(_DATE, "")))
    return Summary(
        title=plausible_title(str(properties.get(_TITLE, ""))),
        author=plausible_author(str(properties.get(_AUTHOR, ""))),
        date=date or ("{}-{:0>2}-{:0>2}".format(*written.groups()) if written else ""),
    )


def plausible_title(value: str) -> str:
    """Return the title in one line, or "" for a file name, a placeholder, or the beginning of the text.

    >>> plausible_title("말뭉치 구축 계획 "), plausible_title("보고서(최종).hwp"), plausible_title("제목 없음")
    ('말뭉치 구축 계획', '', '')
    """
    title = " ".join(value.replace("\0", " ").split())
    return "" if len(title) > MAX_TITLE or _NO_TITLE.fullmatch(title) else title


def plausible_author(value: str) -> str:
    """Return the author, or "" for the name of a machine or a placeholder.

    >>> plausible_author("주시경"), plausible_author("user"), plausible_author("PC01")
    ('주시경', '', '')
    """
    author = " ".join(value.replace("\0", " ").split())
    return "" if len(author) > MAX_AUTHOR or _NOBODY.fullmatch(author) else author


def plausible_date(moment: datetime) -> str:
    """Return the day in Korea in ISO format, or "" outside the years of the file format.

    >>> plausible_date(datetime(2024, 1, 5, tzinfo=UTC)), plausible_date(datetime(1601, 1, 1, tzinfo=UTC))
    ('2024-01-05', '')
    """
    return moment.astimezone(_KOREA).date().isoformat() if moment.year in _YEARS else ""


def headline(title: str, text: str) -> str:
    """Return the title, or "" if it is only a proper prefix of the first line: Hancom fills it in from there.

    >>> headline("말모이는 우리말을", "말모이는 우리말을 모은 사전이다."), headline("말모이", "말모이\\n둘째 줄")
    ('', '말모이')
    """
    first = text.partition("\n")[0]
    return "" if first != title and first.startswith(title) else title


def _read_properties(raw: bytes) -> dict[int, str | datetime]:
    (start,) = unpack_from("<I", raw, 44)
    (count,) = unpack_from("<I", raw, start + 4)
    properties: dict[int, str | datetime] = {}
    for number in range(min(count, 100)):
        name, offset = unpack_from("<II", raw, start + 8 + 8 * number)
        if name not in (_TITLE, _AUTHOR, _SAVED, _DATE):
            continue
        place = start + offset
        kind, size = unpack_from("<II", raw, place)
        if kind == _WIDE:
            text = raw[place + 8 : place + 8 + 2 * size].decode("utf-16-le", "replace")
            properties[name] = text.partition("\0")[0]
        elif kind == _TIME and (ticks := int(unpack_from("<Q", raw, place + 4)[0])) < 2**61:
            properties[name] = _EPOCH + timedelta(microseconds=ticks // 10)
    return properties
