"""Parse the attributes and text of tags tolerantly."""

from __future__ import annotations

import re

_ATTRIBUTE = re.compile(r"([\w.:-]{1,60})\s{0,99}=\s{0,99}(?:\"([^\"<>]{0,9999})\"|'([^'<>]{0,9999})')")
_REFERENCE = re.compile(r"&(amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def parse_attributes(written: str) -> dict[str, str]:
    """Return lower-case name → value."""
    return {one[1].lower(): resolve(one[2] or one[3] or "") for one in _ATTRIBUTE.finditer(written)}


def resolve(written: str) -> str:
    """Resolve the references in a text; an ampersand that begins no reference is kept."""
    return _REFERENCE.sub(lambda found: _NAMED.get(found[1]) or _char(found[1][1:]), written).strip()


def _char(number: str) -> str:
    code = int(number[1:], 16) if number[0] in "xX" else int(number)
    return chr(code) if 0x20 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
