"""Escape control characters in text from data before it reaches a terminal, a log or a page."""

from __future__ import annotations

import json
import re
from typing import Any

# C0 without tab and line feed, DEL and C1; marks that reorder text (Unicode TR 9); halves of surrogate pairs.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_controls(text: str) -> str:
    r"""Replace each control character, bidirectional mark and lone surrogate of `text` by a visible `\xNN` or `\uNNNN`.

    Line feeds, tabs and all other text, Korean included, stay.

    >>> escape_controls("가\x1b[31m나\u202e다\ud83d")
    '가\\x1b[31m나\\u202e다\\ud83d'
    """
    return _STEERING.sub(_escape, text)


def escape_line(text: str) -> str:
    r"""Like `escape_controls`, but escape line feeds and tabs too: for a name that must stay on one line.

    >>> escape_line("a\nb.parquet")
    'a\\x0ab.parquet'
    """
    return escape_controls(text).replace("\n", "\\x0a").replace("\t", "\\x09")


def dump_json(value: Any) -> str:
    r"""Return one line of JSON with readable Korean, in which control characters are JSON escapes.

    >>> dump_json({"text": "가\x9b31m"})
    '{"text": "가\\u009b31m"}'
    """
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
