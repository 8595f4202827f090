"""The exception for a file without usable text: raised by readers, turned into a drop by `formats.extract`."""

from __future__ import annotations

from malmoi.limits import InputLimit


class Unreadable(Exception):
    """No text can be extracted from a document; `reason` is the reason of the verdict.

    Reasons in use: `encrypted`, `drm`, `damaged`, `too-large`, `archive-bomb`, `no-text` (the document holds no text:
    pictures, shapes), `scanned` (a PDF of pictures of pages), `no-unicode-text` (a PDF without a mapping from glyphs
    to characters), `xml-entities` (XML that declares entities), `needs-script`, `frameset`,
    `unsupported-version:<which>`. `limit` is the exceeded limit, if it is one of malmoi/limits.py.
    """

    def __init__(self, reason: str, limit: InputLimit | None = None) -> None:
        super().__init__(reason, limit)
        self.reason = reason
        self.limit = limit
