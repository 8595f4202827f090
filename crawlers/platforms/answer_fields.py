"""Name the fields of an answer that a source neither reads nor leaves out on purpose.

A source declares the fields of its interface in two lists. A field in neither list is new, or was never looked at:
`malmoi sources probe` lists it, and a collection warns of it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from lxml import etree

from crawlers.formats import xml_records
from crawlers.formats.unreadable import Unreadable
from malmoi.archive.capture import Capture

Answer: TypeAlias = etree._Element | dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class Fields:
    """The known fields of an interface: names of XML elements, or keys of JSON objects.

    A known field covers everything inside it, so a container that is left out needs one name.
    """

    used: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    def find_unknown(self, answer: Answer) -> tuple[str, ...]:
        """Return the names of the unknown fields of an answer that hold a value, sorted; empty fields are left out.

        >>> Fields(("title",), ("id",)).find_unknown({"row": [{"id": 1, "title": "a", "note": "", "licence": "BY"}]})
        ('licence',)
        """
        known = {*self.used, *self.ignored}
        found: set[str] = set()
        waiting: list[tuple[str, Any]] = [("", answer)]
        while waiting:  # a list instead of a recursion: an answer may be nested deeply
            name, value = waiting.pop()
            if name in known:
                continue
            inner = list(_list_fields(name, value))
            waiting += inner
            if name and not inner and _holds_value(value):
                found.add(name)
        return tuple(sorted(found))

    def find_in_xml(self, capture: Capture) -> tuple[str, ...]:
        """Return the unknown fields of an answer in XML; () for an unreadable one, which `items` reports."""
        try:
            return self.find_unknown(xml_records.parse_xml(capture.body, capture.charset))
        except Unreadable:
            return ()


def _list_fields(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields inside a value; the entries of a list are fields of the same name."""
    if isinstance(value, etree._Element):
        yield from ((inner.tag, inner) for inner in value if isinstance(inner.tag, str))
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((name, inner) for inner in value)


def _holds_value(value: Any) -> bool:
    if isinstance(value, etree._Element):
        return bool((value.text or "").strip())
    return bool(value.strip()) if isinstance(value, str) else value is not None and value != [] and value != {}
