"""Undo what a page does for the eye: tables that only place text, alternatives that script chooses among."""

from __future__ import annotations

import re

from lxml import html

BETWEEN = " / "  # stands between alternatives of which a page shows one
_CELLS = frozenset({"td", "th"})
_INLINE = ("span", "kbd", "code", "b", "strong", "em", "i")
_MARKS = frozenset((*_INLINE, "a", "br", "font", "img", "mark", "small", "strike", "sub", "sup", "u", "wbr"))
_NOT_SHOWN = re.compile(r"display\s{0,5}:\s{0,5}none", re.IGNORECASE)


def unwrap_tables(body: html.HtmlElement) -> None:
    """Turn tables that have one filled column into boxes, in place.

    Such a table holds the page (nested layout tables) or a note beside its icon; as a table its
    paragraphs would be run together into one row. A table in which a row has two filled cells is data.
    """
    parts: dict[html.HtmlElement, list[html.HtmlElement]] = {}
    for part in body.iter("caption", "thead", "tbody", "tfoot", "tr", "td", "th"):
        if (owner := _table_of(part)) is not None:
            parts.setdefault(owner, []).append(part)
    for table in reversed(list(body.iter("table"))):  # the inner before the outer
        own = parts.get(table, [])
        filled = [[cell for cell in row if cell.tag in _CELLS and _says(cell)] for row in own if row.tag == "tr"]
        if any(len(cells) > 1 for cells in filled):
            continue
        for part in [table, *own]:
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
        if _hidden(inline) and _hidden(follower) and is_run(inline) and is_run(follower):
            inline.tail = BETWEEN


def wrap_runs(box: html.HtmlElement) -> None:
    """Put words that stand between the blocks of a box into paragraphs, in place: they are passed over else.

    >>> page = html.fragment_fromstring("<div>하나 <b>둘</b><ul><li>셋</li></ul>넷</div>")
    >>> wrap_runs(page)
    >>> html.tostring(page, encoding="unicode")
    '<div><p>하나 <b>둘</b></p><ul><li>셋</li></ul><p>넷</p></div>'
    """
    parts: list[html.HtmlElement] = []
    run = box.makeelement("p")
    run.text, box.text = box.text, None
    for child in list(box):
        if child.tag in _MARKS:
            run.append(child)  # with the words behind it
            continue
        parts += (run, child) if _says(run) else (child,)
        run = box.makeelement("p")
        run.text, child.tail = child.tail, None
    box[:] = [*parts, run] if _says(run) else parts


def _hidden(element: html.HtmlElement) -> bool:
    return element.get("hidden") is not None or bool(_NOT_SHOWN.search(element.get("style") or ""))


def _says(element: html.HtmlElement) -> bool:
    return any(text.strip() for text in element.itertext())


def _table_of(part: html.HtmlElement) -> html.HtmlElement | None:
    return next(part.iterancestors("table"), None)


def _box(part: html.HtmlElement) -> None:
    part.tag = "p" if is_run(part) else "div"
    part.attrib.clear()


def is_run(box: html.HtmlElement) -> bool:
    """Whether the box holds words and marked words only, as a paragraph does."""
    return all(child.tag in _MARKS for child in box) and _says(box)
