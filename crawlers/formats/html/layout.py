"""Reduce a page tree to its visible text.

Hidden elements are dropped, layout tables unwrapped, alternatives of which a script shows one are separated; formulas
and marks of footnotes become text.
"""

from __future__ import annotations

import re
from functools import lru_cache
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
FOLDED = 0.5  # share of a page's words; if more is hidden, a script reveals it: tabs, a streamed page
SPOKEN = 40  # code points of words for a screen reader; a longer text is content with such a style
CAPTION = 300  # code points of a caption that are inspected
FEW = 20  # elements of a mark or a cell that are inspected
FORMULA = 2_000  # elements or code points of a formula
_BLIND = frozenset(
    "blind sr-only sr_only screen_out screen-out screen-reader-text visually-hidden visuallyhidden a11y-hidden"
    " txt_blind sound_only offscreen ir_desc".split()
)
# Elements that MediaWiki, Sphinx, Docusaurus, Jupyter and similar programs insert between the words.
_INSERTED = frozenset(
    "mw-editsection headerlink hash-link navbox noprint jump-to-nav printfooter katex-html"
    " input_prompt output_prompt jp-InputPrompt jp-OutputPrompt".split()
)
_MARK_IDS = frozenset({"siteSub", "contentSub", "jump-to-nav", "catlinks"})
# Hidden until requested, but part of the text.
_UNFOLDS = re.compile(r"tab|collaps|accordion|faq|answer|panel|toggle|fold|more|cont", re.IGNORECASE)
# A footnote mark that only its height distinguishes from the word before; one in brackets is readable.
_NOTE = re.compile(r"\d{1,3}\)?|[*†‡]{1,3}")
_BACK = frozenset("¶ # § ↑ ↩ ⏎ ⤴ ^ 🔗 ↵".split())
# A caption for screen readers only: "노선, 첫차로 구성된 표입니다".
_TOLD = re.compile(r"으?로 (?:구성|이루어|나뉘)|정보를? (?:제공|안내|확인)|(?:표|목록)입니다")
_SWITCHES = frozenset({"aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle", "data-target"})
_SET_AS_BLOCK = re.compile(r"display\s{0,5}:\s{0,5}block", re.IGNORECASE)
_TEX = ("application/x-tex", "TeX")


def unwrap_tables(body: html.HtmlElement) -> None:
    """Replace layout tables by boxes, in place.

    Such a table holds the page (nested layout tables) or a note beside its icon; as a table, its
    paragraphs would be joined into one row. Tables with two filled cells in a row are data, if no cell holds a text of
    its own: long, of several blocks, or with a table.
    """
    parts: dict[html.HtmlElement, list[html.HtmlElement]] = {}
    for part in body.iter("caption", "thead", "tbody", "tfoot", "tr", "td", "th"):
        if (owner := next(part.iterancestors("table"), None)) is not None:
            parts.setdefault(owner, []).append(part)
    for table in reversed(list(body.iter("table"))):  # the inner before the outer
        own = parts.get(table, [])
        if _is_layout(table, own):
            for part in [table, *own]:
                part.tag = "p" if is_run(part) else "div"
                part.attrib.clear()


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
    return any(  # a cell holds a text of its own: several long blocks
        sum(1 for _ in islice(cell.iter(*_TEXT_PARTS), FEW_PARTS)) == FEW_PARTS
        and not words_of(cell, limit)
        and _has_words(cell)
        for cell in cells
    )


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


def is_run(box: html.HtmlElement) -> bool:
    """Whether the box holds only text and inline elements, as a paragraph does."""
    return all(child.tag in _MARKS for child in box) and _has_words(box)


def show(body: html.HtmlElement) -> None:
    """Reduce the tree to its visible text, in place.

    >>> page = html.fragment_fromstring("<div>낱말<sup><a href='#n1'>1</a></sup>은 <label>말</label>이다.</div>")
    >>> show(page)
    >>> html.tostring(page, encoding="unicode")
    '<div>낱말<sup>[1]</sup>은 말이다.</div>'
    """
    hidden: list[html.HtmlElement] = []
    inside: set[html.HtmlElement] = set()  # elements inside those of `hidden`
    for element in list(body.iterdescendants()):
        if inside and element.getparent() in inside:
            inside.add(element)
        if said := element.items():
            names = dict(said)
            kind = _kind(names["class"]) if "class" in names else 0
            if kind == 2 or (kind and words_of(element, SPOKEN)) or names.get("id") in _MARK_IDS:
                _drop(element)
                continue
            may_hide = "hidden" in names or "style" in names
            if may_hide and element not in inside and is_hidden(element) and not _is_unfolding(element):
                hidden.append(element)
                inside.add(element)
        if (change := _CHANGES.get(element.tag)) is not None and element.getparent() is not None:
            change(element)
    if hidden and sum(map(_size, hidden)) <= FOLDED * _size(body):
        for element in hidden:
            _drop(element)
    strip(body)


def _size(element: html.HtmlElement) -> int:
    return sum(len(part.strip()) for part in map(str, element.itertext()))


@lru_cache(maxsize=10_000)
def _kind(names: str) -> int:
    """Classify class names: 2 for a mark inserted by a program, 1 for words for a screen reader, else 0."""
    tokens = names.split()
    return 2 if not _INSERTED.isdisjoint(tokens) else int(not _BLIND.isdisjoint(tokens))


def _is_unfolding(element: html.HtmlElement) -> bool:
    """Whether it is an answer, a tab, or one of several alternatives of which a script shows one."""
    before, after = element.getprevious(), element.getnext()
    if element.tag in INLINE:
        return any(other is not None and other.tag in INLINE and is_hidden(other) for other in (before, after))
    name = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('role') or ''}"
    if element.tag == "dd" or _UNFOLDS.search(name):
        return True
    if before is not None and not _SWITCHES.isdisjoint(before.keys()):
        return True  # below a button that unfolds it
    kind = (element.get("class") or "").split()[:1]
    return bool(kind) and any(
        other is not None and other.tag == element.tag and (other.get("class") or "").split()[:1] == kind
        for other in (before, after)
    )


def _mark_note(sup: html.HtmlElement) -> None:
    """Write the mark of a footnote in brackets: "낱말[1]", not "낱말1"; keep exponents."""
    linked = any((part.get("href") or "").startswith("#") for part in islice(sup.iter(), FEW))
    if linked and _NOTE.fullmatch(words := words_of(sup, 10)):
        sup[:] = []
        sup.text = f"[{words.rstrip(')')}]"


def _drop_back_link(anchor: html.HtmlElement) -> None:
    """Remove a back link and a permalink of a heading; write the mark of a note in brackets."""
    href = anchor.get("href") or ""
    if "#" not in href:
        return
    words = words_of(anchor, 10).strip("\ufe0e\ufe0f\u200b")
    if words in _BACK:
        _drop(anchor)
    elif (
        href.startswith("#")
        and _NOTE.fullmatch(words)
        and any(part.tag == "sup" for part in islice(anchor.iter(), FEW))
    ):
        anchor[:] = []
        anchor.text = f"[{words.rstrip(')')}]"


def _move_caption(caption: html.HtmlElement) -> None:
    """Move a caption above its table: inside, it would become a row of it."""
    table = caption.getparent()
    if _TOLD.search(words_of(caption, CAPTION)):
        _drop(caption)
    elif table is not None and table.tag == "table" and table.getparent() is not None:
        caption.tail = None
        table.addprevious(caption)


def _write_formula(math: html.HtmlElement) -> None:
    """Replace a formula by its TeX source, else by its characters."""
    source = next((note for note in islice(math.iter(), FORMULA) if note.get("encoding") in _TEX), None)
    words = (source.text or "").strip() if source is not None else (math.get("alttext") or "").strip()
    words = f"${words}$" if words else words_of(math, FORMULA).replace(" ", "")
    if words:
        math[:] = []
        math.text = words
    math.tag = OPENED


def _unfold_box(box: html.HtmlElement) -> None:
    box.tag = "div" if box.tag == "details" or not is_run(box) else "p"


def _wrap_stray_entry(entry: html.HtmlElement) -> None:
    """Wrap a list item outside a list (common on old pages) in a list."""
    parent = entry.getparent()
    if parent is None or parent.tag in ("ul", "ol", "menu", "dir"):
        return
    before = entry.getprevious()
    if before is not None and before.get("data-made") and not (before.tail or "").strip():
        before.tail, entry.tail = entry.tail, None
        before.append(entry)
        return
    made = entry.makeelement("ul", {"data-made": "1"})
    entry.addprevious(made)
    made.tail, entry.tail = entry.tail, None
    made.append(entry)


def _unwrap(element: html.HtmlElement) -> None:
    element.tag = OPENED


def _bracket_reading(reading: html.HtmlElement) -> None:
    """Put a ruby reading in brackets after its characters, like browsers without ruby support."""
    before = reading.getprevious()
    if before is None or before.tag != "rp":
        reading.text = f"({reading.text or ''}"
        if len(reading):
            reading[-1].tail = f"{reading[-1].tail or ''})"
        else:
            reading.text += ")"
    reading.tag = OPENED


def _make_block(inline: html.HtmlElement) -> None:
    """Turn an inline element that is styled as a block into a block."""
    if _SET_AS_BLOCK.search(inline.get("style") or ""):
        inline.tag = "div"


_CHANGES = {
    "sup": _mark_note, "a": _drop_back_link, "caption": _move_caption, "math": _write_formula,
    "details": _unfold_box, "summary": _unfold_box, "address": _unfold_box, "label": _unwrap, "li": _wrap_stray_entry,
    "ruby": _unwrap, "rb": _unwrap, "rt": _bracket_reading, "span": _make_block,
}  # fmt: skip


def _drop(element: html.HtmlElement) -> None:
    element.tag = GONE
