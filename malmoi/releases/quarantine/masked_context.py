"""Mask a find and what is around it, so that a person can judge it and the value is not written."""

from __future__ import annotations

from typing import Final

from malmoi.releases import residue
from malmoi.releases.release_inputs import Redact
from malmoi.releases.residue.digit_chains import Span

AROUND: Final = 40  # code points on each side that are shown
READ: Final = 240  # code points on each side that are redacted: no value is cut where that decides
LONGEST: Final = 60  # code points of a masked value; the number of the others is written
OPEN, CLOSE = "⟦", "⟧"  # around the masked value


def mask_context(text: str, span: Span, redact: Redact | None = None) -> str:
    """Return the text around a find, with the value masked and other personal data replaced, in one line.

    All other finds of the second detector are masked too; `redact` replaces what the filters know.

    >>> text = "설정: SDK_KEY=NHN-Sdk-KEY-2 문의 010-0000-1234"
    >>> mask_context(text, Span("key", 12, 25))
    '설정: SDK_KEY=⟦AAA-Aaa-AAA-0⟧ 문의 000-0000-0000'
    """
    before, after = text[max(0, span.start - READ) : span.start], text[span.end : span.end + READ]
    before, after = (_mask_finds(part) if redact is None else redact(_mask_finds(part)) for part in (before, after))
    value = mask_value(text[span.start : span.end])
    return _flatten(f"{before[-AROUND:]}{OPEN}{value}{CLOSE}{after[:AROUND]}")


def mask_value(value: str) -> str:
    """Return the shape of a value: letters as a and A, digits as 0, Hangul as 가, other letters as 字.

    >>> mask_value("oW7-한글_９"), mask_value("a" * 100)[-5:]
    ('aA0-가가_0', 'a…+40')
    """
    masked = "".join(map(_mask_letter, value[:LONGEST]))
    return f"{masked}…+{len(value) - LONGEST}" if len(value) > LONGEST else masked


def _mask_letter(c: str) -> str:
    if c.isdigit() or c.isnumeric():
        return "0"
    if "가" <= c <= "힣" or "ㄱ" <= c <= "ㆎ" or "ᄀ" <= c <= "ᇿ":
        return "가"
    if c.isalpha():
        return ("A" if c.isupper() else "a") if c.isascii() else "字"
    return c if c.isascii() and c.isprintable() else "·"


def _mask_finds(text: str) -> str:
    for span in residue.find_spans(text):
        text = f"{text[: span.start]}{mask_value(text[span.start : span.end])}{text[span.end :]}"
    return text


def _flatten(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
