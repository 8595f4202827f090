"""What a document says about itself, as it may be published: one line without controls, a date that exists."""

from __future__ import annotations

import re

from malmoi.archive.capture_fields import is_day

# Controls (C0, C1), marks that turn the direction of what follows, line and paragraph separators: none belongs into a
# title or a name, and a terminal obeys some of them.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]")


def clean_line(value: str) -> str:
    r"""A title or name without controls; line ends and tabs become spaces.

    >>> clean_line("낱말\x1b[31m 이야기\n둘"), clean_line("\x9b2J김말모\u202e")
    ('낱말[31m 이야기 둘', '2J김말모')
    """
    return _CONTROLS.sub("", _BREAKS.sub(" ", value)).strip() if _CONTROLS.search(value) else value


def valid_day(value: str) -> str:
    """`value` where it is a year, month or day of ISO 8601, with or without a time; "" where the calendar has none.

    >>> [valid_day(v) for v in ("2024-02-29", "2024-02-29T09:00:00+09:00", "2024", "2023-02-29", "2024-1-5",
    ...  "<b>zz</b>")]
    ['2024-02-29', '2024-02-29T09:00:00+09:00', '2024', '', '', '']
    """
    return value if is_day(value) else ""
