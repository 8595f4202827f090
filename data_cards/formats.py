"""Format values of a card for people."""

from __future__ import annotations

NOTHING = "–"  # shown for NULL and for an empty list


def format_value(value: object) -> str:
    """Format a value: thousands separated, NULL and empty strings as a dash.

    >>> format_value(1234567), format_value("0.50"), format_value(None)
    ('1,234,567', '0.50', '–')
    """
    if isinstance(value, int):
        return f"{value:,}"
    return str(value) if value else NOTHING
