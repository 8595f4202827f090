"""That a file has no text for us, and why: raised by a reader, turned into a dropped outcome by `formats.extract`."""

from __future__ import annotations

from malmoi.limits import InputLimit


class Unreadable(Exception):
    """No text can be had from the bytes of a document; `reason` is the word of the verdict.

    Words in use: `encrypted`, `drm`, `damaged`, `too-large`, `archive-bomb`, `no-text` (the format was read and
    holds no text: pictures, shapes), `no-unicode-text` (a PDF whose letters nobody can name), `xml-entities`
    (XML that declares entities), `needs-script`, `frameset`, `unsupported-version:<which>`. `limit` is the limit
    that was passed, where one of malmoi/limits.py was.
    """

    def __init__(self, reason: str, limit: InputLimit | None = None) -> None:
        super().__init__(reason, limit)
        self.reason = reason
        self.limit = limit
