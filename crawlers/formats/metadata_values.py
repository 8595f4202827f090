"""Clean metadata values for publication: one line without control characters, a date that exists."""

from __future__ import annotations

import re

from malmoi.archive.capture_fields import is_day

# Control characters (C0, C1), bidirectional controls, line and paragraph separators: they do not belong in a
# title or name, and a terminal executes some of them.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]")


def clean_line(value: str) -> str:
    r"""Return a title or name without controls; line ends and tabs become spaces.

    >>> clean_line("낱말\x1b[31m 이야기\n둘"), clean_line("\x9b2J김말모\u202e")
    ('낱말[31m 이야기 둘', '2J김말모')
    """
    return _CONTROLS.sub("", _BREAKS.sub(" ", value)).strip() if _CONTROLS.search(value) else value


def valid_day(value: str) -> str:
    """Return `value` if it is a valid ISO 8601 year, month or day, with or without a time; else "".

    >>> [valid_day(v) for v in ("2024-02-29", "2024-02-29T09:00:00+09:00", "2024", "2023-02-29", "2024-1-5",
    ...  "<b>zz</b>")]
    ['2024-02-29', '2024-02-29T09:00:00+09:00', '2024', '', '', '']
    """
    return value if is_day(value) else ""
