"""Validate address and date of captures and documents before they are published.

Both appear in releases and cards. Anyone can write an archive, so an invalid field makes the record a failed one;
nothing is repaired.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from urllib.parse import urlsplit

from malmoi.limits import ARCHIVE_ADDRESS
from malmoi.printable import escape_line

SCHEMES = ("http", "https")
BLOCK = "dump:"  # scheme of the address of a block of a dump: dump:<source>/<key of its first record>
WEB_YEAR = 1990  # the first web server; an HTTP answer cannot be older
FIRST_DATED = 1000  # year; programs write 0001-01-01 for an unknown date
FILE_YEAR = 1970  # a file may be older than the web; Unix time begins here
# Granularities of WARC/1.1, section 5.4 (W3C note on dates); always UTC.
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?Z)?)?)?")
# Categories Cc, Cs, Zl and Zp of Unicode, and marks of direction.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9:.]{4,15}(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?")
_BEGIN_OF = "2000-01-01T00:00:00"  # completes a coarser date
_HOST = re.compile(r"[\w.-]+(?::[0-9]{0,5})?")
_LITERAL = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{0,5})?")


def find_fault(url: str, fetched: str, kind: str, own: str = "") -> str:
    """Return why a record of WARC type `kind` cannot be a capture: invalid-address, invalid-date, or "".

    `own` is a scheme that only this program writes: `dump:` for the blocks of a dump.

    >>> find_fault("https://a.kr/", "2026-01-02T03:04:05Z", "response")
    ''
    >>> find_fault("javascript:x()", "2026-01-02T03:04:05Z", "response"), find_fault("https://a.kr/", "x", "response")
    ('invalid-address', 'invalid-date')
    """
    if not is_address(url) and not (own and url.startswith(own) and not has_controls(url)):
        return "invalid-address"
    return "" if is_date(fetched, WEB_YEAR if kind == "response" else FILE_YEAR) else "invalid-date"


def is_address(url: str) -> bool:
    """Whether `url` is a valid web address: it has a host, no user name and no control character.

    >>> is_address("http://[::1]:8000/"), is_address("http://[x](y)/"), is_address("http://a.kr:99999/")
    (True, False, False)
    """
    if len(url) > ARCHIVE_ADDRESS.value or has_controls(url):
        return False
    try:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname or (parts.port or 0) > 65535:
            return False
        if literal := _LITERAL.fullmatch(parts.netloc):
            return bool(ipaddress.IPv6Address(literal[1]))
    except ValueError:
        return False
    return _HOST.fullmatch(parts.netloc) is not None


def is_date(fetched: str, first_year: int = WEB_YEAR) -> bool:
    """Whether `fetched` is a UTC time as WARC writes it, not before `first_year`.

    >>> is_date("2026-01-02T03:04:05.678Z"), is_date("2026-02-30T00:00:00Z"), is_date("0001-01-01T00:00:00Z")
    (True, False, False)
    """
    if not _DATE.fullmatch(fetched) or int(fetched[:4]) < first_year:
        return False
    try:
        datetime.fromisoformat(to_second(fetched)[:19])
    except ValueError:
        return False
    return True


def is_day(date: str) -> bool:
    """Whether `date` is a year, month or day of ISO 8601, with or without a time; valid for documents.

    >>> is_day("1948-07-17"), is_day("2026"), is_day("2026-02-30"), is_day("0001-01-01"), is_day("<b>zz</b>")
    (True, True, False, False, False)
    """
    if not _DAY.fullmatch(date):
        return False
    try:
        return datetime.fromisoformat(date[:10] + _BEGIN_OF[len(date[:10]) :]).year >= FIRST_DATED
    except ValueError:
        return False


def to_second(fetched: str) -> str:
    """Return a coarser WARC date as its first second, as releases have it; fractions of a second are kept.

    >>> to_second("2026"), to_second("2026-03-04T05:06Z"), to_second("2026-03-04T05:06:07.8Z")
    ('2026-01-01T00:00:00Z', '2026-03-04T05:06:00Z', '2026-03-04T05:06:07.8Z')
    """
    said = fetched.removesuffix("Z")
    return f"{said}{_BEGIN_OF[len(said) :]}Z" if _DATE.fullmatch(fetched) and len(said) < len(_BEGIN_OF) else fetched


def has_controls(text: str) -> bool:
    """Whether `text` contains terminal control characters, line breaks, direction changes or lone surrogates.

    >>> has_controls("a\\x1b[2J"), has_controls("b\\u202etxt"), has_controls("한글\\u3000이름 1.txt")
    (True, True, False)
    """
    return _CONTROL.search(text) is not None


def show(text: str) -> str:
    """Return an unusable name or address for a message: at most 500 code points, escaped."""
    return escape_line(text[:500])
