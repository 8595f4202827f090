"""Undo what a page does to its text for the eye alone: tables that only place it, alternatives that script chooses among."""

from __future__ import annotations

import re

from lxml import html

BETWEEN = " / "  # stands between alternatives of which a page shows one
_CELLS = frozenset({"td", "th"})
_INLINE = ("span", "kbd", "code", "b", "strong", "em", "i")
_NOT_SHOWN = re.compile(r"display\s{0,5}:\s{0,5}none", re.IGNORECASE)


def unwrap_tables(body: html.HtmlElement) -> None:
    """Turn tables that have one filled column into boxes, in place.

    Such a table holds the page (nested layout tables) or a note beside its icon; as a table its
    paragraphs would be run together into one row. A table in which a row has two filled cells is data.
    """
    for table in reversed(list(body.iter("table"))):  # the inner before the outer
        rows = [row for row in table.iter("tr") if _table_of(row) is table]
        filled = [[cell for cell in row if cell.tag in _CELLS and _says(cell)] for row in rows]
        if any(len(cells) > 1 for cells in filled):
            continue
        for part in list(table.iter("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th")):
            if part is table or _table_of(part) is table:
                _box(part)


def part_alternatives(body: html.HtmlElement) -> None:
    """Put a stroke between hidden marked words that follow each other: script shows one of them, the markup all.

    >>> page = html.fragment_fromstring("<p><span hidden>Command</span><span hidden>Ctrl</span>+F3</p>")
    >>> part_alternatives(page)
    >>> page.text_content()
    'Command / Ctrl+F3'
    """
    for inline in body.iter(*_INLINE):
        follower = inline.getnext()
        if follower is None or follower.tag not in _INLINE or (inline.tail or "").strip():
            continue
        if _hidden(inline) and _hidden(follower) and _says(inline) and _says(follower):
            inline.tail = BETWEEN


def _hidden(element: html.HtmlElement) -> bool:
    return element.get("hidden") is not None or bool(_NOT_SHOWN.search(element.get("style") or ""))


def _says(element: html.HtmlElement) -> bool:
    return any(text.strip() for text in element.itertext())


def _table_of(part: html.HtmlElement) -> html.HtmlElement | None:
    return next(part.iterancestors("table"), None)


def _box(part: html.HtmlElement) -> None:
    part.tag = "div"
    part.attrib.clear()
