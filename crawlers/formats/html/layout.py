"""Undo visual layout: unwrap layout tables, and separate alternatives of which a script shows one."""

from __future__ import annotations

import re
from itertools import islice

from lxml import etree, html

# Tag names for elements to remove with their content, or without it: removing one by one would copy the
# text around each, and a paragraph may hold a hundred thousand.
GONE, OPENED = "gone", "opened"
BETWEEN = " / "  # separator between alternatives of which a page shows one
_CELLS = frozenset({"td", "th"})
INLINE = ("span", "kbd", "code", "b", "strong", "em", "i")
_MARKS = frozenset((*INLINE, "a", "br", "font", "img", "mark", "small", "strike", "sub", "sup", "u", "wbr"))
_TEXT_PARTS = ("p", "div", "li", "h1", "h2", "h3", "h4", "h5", "pre", "blockquote", "br")
LONG_CELL = 300  # code points in a cell that holds several blocks; our choice
LONG_BESIDE_HEAD = 600  # the same in a table with a head cell
FEW_PARTS = 3  # blocks of such a cell
_NOT_SHOWN = re.compile(r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden", re.IGNORECASE)


def unwrap_tables(body: html.HtmlElement) -> None:
    """Replace layout tables by boxes, in place.

    Such a table holds the page (nested layout tables) or a note beside its icon; as a table, its
    paragraphs would be joined into one row. Tables with two filled cells in a row are data, if no cell holds a text of
    its own: long, of several blocks, or with a table.
    """
    parts: dict[html.HtmlElement, list[html.HtmlElement]] = {}
    for part in body.iter("caption", "thead", "tbody", "tfoot", "tr", "td", "th"):
        if (owner := _table_of(part)) is not None:
            parts.setdefault(owner, []).append(part)
    for table in reversed(list(body.iter("table"))):  # the inner before the outer
        own = parts.get(table, [])
        if _is_layout(table, own):
            for part in [table, *own]:
                _make_box(part)


def _is_layout(table: html.HtmlElement, own: list[html.HtmlElement]) -> bool:
    if table.get("role") in ("presentation", "none"):
        return True
    cells = [part for part in own if part.tag in _CELLS]
    filled = [sum(cell.tag in _CELLS and _has_words(cell) for cell in row) for row in own if row.tag == "tr"]
    if max(filled, default=0) < 2:
        return True
    if next(table.iterdescendants("table"), None) is not None:
        return True
    headed = any(part.tag == "th" for part in cells)
    if sum(map(bool, filled)) == 1 and not headed:
        return True
    limit = LONG_BESIDE_HEAD if headed else LONG_CELL
    return any(_holds_text(cell, limit) for cell in cells)


def _holds_text(cell: html.HtmlElement, limit: int) -> bool:
    """Whether a cell holds a text of its own: several blocks with more than `limit` code points."""
    if sum(1 for _ in islice(cell.iter(*_TEXT_PARTS), FEW_PARTS)) < FEW_PARTS:
        return False
    return not words_of(cell, limit) and _has_words(cell)


def part_alternatives(body: html.HtmlElement) -> None:
    """Separate adjacent hidden inline elements by a slash: a script shows one of them, the markup contains all.

    >>> page = html.fragment_fromstring("<p><span hidden>Command</span><span hidden>Ctrl</span>+F3</p>")
    >>> part_alternatives(page)
    >>> page.text_content()
    'Command / Ctrl+F3'
    """
    for inline in body.iter(*INLINE):
        follower = inline.getnext()
        if follower is None or follower.tag not in INLINE or (inline.tail or "").strip():
            continue
        if is_hidden(inline) and is_hidden(follower) and is_run(inline) and is_run(follower):
            inline.tail = BETWEEN


def strip(body: html.HtmlElement) -> None:
    """Remove the elements named GONE or OPENED, in place.

    >>> page = html.fragment_fromstring("<p>하나<gone>둘</gone>셋<opened>넷</opened></p>")
    >>> strip(page)
    >>> html.tostring(page, encoding="unicode")
    '<p>하나셋넷</p>'
    """
    etree.strip_elements(body, GONE, with_tail=False)
    etree.strip_tags(body, OPENED)


def is_hidden(element: html.HtmlElement) -> bool:
    """Whether the markup itself hides the element."""
    return element.get("hidden") is not None or bool(_NOT_SHOWN.search(element.get("style") or ""))


def words_of(element: html.HtmlElement, limit: int, between: str = "") -> str:
    """Return the words of an element, or "" if they exceed `limit` code points; reading stops there.

    >>> box = html.fragment_fromstring("<p> 낱말 <b>사전</b></p>")
    >>> words_of(box, 10), words_of(box, 3)
    ('낱말 사전', '')
    """
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        parts.append(str(part))
        size += len(parts[-1].strip())
        if size > limit:
            return ""
    return " ".join(between.join(parts).split())


def _has_words(element: html.HtmlElement) -> bool:
    return any(text.strip() for text in element.itertext())


def _table_of(part: html.HtmlElement) -> html.HtmlElement | None:
    return next(part.iterancestors("table"), None)


def _make_box(part: html.HtmlElement) -> None:
    part.tag = "p" if is_run(part) else "div"
    part.attrib.clear()


def is_run(box: html.HtmlElement) -> bool:
    """Whether the box holds only text and inline elements, as a paragraph does."""
    return all(child.tag in _MARKS for child in box) and _has_words(box)
