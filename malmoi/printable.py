"""Text from outside as a terminal and a report may show it."""

from __future__ import annotations

import re

# C0 and C1 controls with ESC, marks and embeddings that turn the direction of a line, lone surrogates.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_controls(text: str) -> str:
    r"""`text` with control characters, bidirectional overrides and lone surrogates as visible escapes.

    >>> escape_controls("가나 \x1b[31m\u202e\n")
    '가나 \\x1b[31m\\u202e\\x0a'
    """
    return _CONTROLS.sub(lambda found: _escape(ord(found[0])), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
