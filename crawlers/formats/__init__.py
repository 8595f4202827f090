"""Text extraction from bytes: each format has a reader (a file of this package) and a row in `registry.py`."""

from __future__ import annotations

from crawlers.formats.parsed import ParsedItem, name_of
from crawlers.formats.sniffing import sniff
from malmoi.source import Extracted, Item

__all__ = ["ParsedItem", "extract", "name_of", "sniff"]


def extract(item: Item) -> Extracted:
    """Return the text of an item, or the reason for having none.

    A body that is already text is a row. Reasons of a drop: `empty`, `binary`, `undecodable`,
    `no-text`, `links-only` (a page that lists others), `unreadable-html`,
    `not-what-its-name-says` (declared as text, but is something else; `format` says what),
    `unsupported-format:<format>`, `table-without-rows` for a table that the source did not
    split with `crawlers.tables.rows`, and the reasons of the readers of binary formats
    (crawlers/formats/unreadable.py). Any other exception of a reader or its library makes the document
    `failed`: `error:<exception>` or `memory-limit`. Errors of the machine (OSError with a number) are raised.
    """
    return ParsedItem(item).extraction
