"""Requests of a page that are refused, and the checks that its sessions share."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not carried out; `status` is that of the HTTP answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def unknown_address() -> Refusal:
    """Return the refusal of a path that a session does not have."""
    return Refusal(404, "the server does not know this address.")


def parse_count(text: str) -> int:
    """Return a number of a query, 0 or more, of at most nine digits."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(400, f"{text[:20]!r} is not a number.")
    return int(text)
