"""Parse a web page once, and extract its running text with trafilatura.

The only file that imports trafilatura. `fast=True` skips its fallback extractors, which cost a fifth
more and gain nothing measurable on Korean pages; its precision mode is unsafe on them (old pages
made of tables lose nearly all text), and its metadata search costs more than the extraction.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from lxml import html
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

from crawlers.encodings.decode import Decoded, decode
from crawlers.formats.html import broken_markup, byline, html_tree, page_kind, page_metadata
from crawlers.formats.html.heading import OPENING
from crawlers.formats.html.host_template import Reading
from crawlers.formats.html.main_content import Frame, prepare
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.script_data import article_candidates, script_article
from crawlers.formats.html.text_lines import lines_with_marks, plain_lines
from crawlers.formats.html.text_lines import strip_tags as strip_tags
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

MIN_OWN = 0.2  # minimum share of the extracted text outside links; a list of pages is not a text
SHORT_NOTE = 100  # characters outside links; less beside many links is a note, such as a licence mark
MANY_LINKS = 10
GUESSED = 250  # code points; with less, trafilatura assumes that it has failed, and gathers words one by one
GIVEN_UP = 2_000  # characters outside links; above, trafilatura's main pass was observed to find enough
HEAD_LINES = 3  # leading lines in which the heading of a page is searched

_OPTIONS = Extractor(output_format="python", fast=True, comments=False, with_metadata=False)
_RULE = re.compile(r"^\|(?:-{3,}\|)+(?:\n|\Z)", re.MULTILINE)  # below the head of a table

# It reports every page without text as a warning; that is our verdict, counted elsewhere.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def parse(item: Item) -> Page:
    """Decode and parse the page of an item; never raises.

    The tree has no comments or processing instructions. A fragment gets an <html> and a
    <body>; an empty or unreadable page gets an empty tree.
    """
    if isinstance(item.body, str):
        text, encoding, replaced = item.body, "", item.body.count("\ufffd")
    else:
        decoded = decode(item.body, item.charset, html=True)
        text, encoding, replaced = decoded.text, decoded.encoding, decoded.replaced
    tree = html_tree.tree_of(broken_markup.repair(text))
    reason = "" if tree is not None or not text.strip() else "unreadable-html"
    return Page(text, tree if tree is not None else html_tree.empty_page(), encoding, replaced, reason)


def extract(item: Item) -> Extracted:
    """Extract the running text of a web page, and its metadata.

    Headings, list items ("- …"), table rows ("| … |"), code and paragraphs are separate lines.
    Title, date and author of the item take precedence over those of the page.
    A byline below the heading becomes author and date. Dropped as `undecodable`, `unreadable-html`,
    `links-only` (a page that lists others), `needs-script` (an empty frame that a script fills), `frameset` or
    `no-text`. An article in embedded data only (JSON-LD, framework states, <noscript>) is read
    from there (`script_article`); scripts are not executed.
    """
    return extract_page(item, parse(item))


def extract_page(item: Item, page: Page) -> Extracted:
    """Extract the text of an item that is already parsed."""
    return _extract(item, page, _text)


def extract_by(item: Item, page: Page, reading: Reading) -> tuple[Extracted | None, str]:
    """Extract the text with the template of the host; (None, reason) if the page does not fit it."""
    try:
        with input_errors(_to_unreadable, MemoryError):
            text, miss = reading(page)
    except Unreadable:
        text, miss = "", "unreadable"
    return (None, miss) if miss else (_extract(item, page, lambda page: (text, "")), "")


def _extract(item: Item, page: Page, read: Callable[[Page], tuple[str, str]]) -> Extracted:
    found = page_metadata.Metadata()
    text = author = date = kind = ""
    reason = page.reason
    if Decoded(page.text, page.encoding, page.replaced).is_undecodable:
        reason = "undecodable"
    elif not reason:
        try:
            with input_errors(_to_unreadable, MemoryError):
                found = page_metadata.read(page.tree, item.url)
                shown, reason = _read_shown(page, read)
                text, reason = script_article.choose(page, found, shown, reason, main_text)
                kind, reason = page_kind.judge(page, found, item.url, text, reason, carried=text is not shown)
        except Unreadable as said:
            reason = said.reason
        text, author, date = byline.split(text)
    return Extracted(
        text=text if not reason else "",
        title=item.title or found.title,
        date=item.date or found.date or date,
        author=item.author or found.author or author,
        format="html",
        encoding=page.encoding,
        canonical=found.canonical,
        outcome="dropped" if reason else "kept",
        reason=reason,
        page_kind=kind,
    )


def _read_shown(page: Page, read: Callable[[Page], tuple[str, str]]) -> tuple[str, str]:
    """Return the visible text; of markup that the extraction cannot read, all words of the page if they are prose."""
    try:
        with input_errors(_to_unreadable, MemoryError):
            return read(page)
    except Unreadable:
        text = article_candidates.extract_prose(plain_lines(page.tree))
        if not text:
            raise
        return text, ""


def _to_unreadable(_: str) -> Unreadable:
    """Exceptions of lxml or trafilatura on a tree are caused by the page."""
    return Unreadable("unreadable-html")


def main_text(tree: html.HtmlElement) -> tuple[str, str]:
    """Return the running text of a parsed page, and "" or the reason for having none: `links-only` or `no-text`.

    The tree is not changed.
    """
    frame = prepare(tree)
    if frame is None:
        return "", "no-text"
    plain = lines_with_marks(frame.box, frame.aside.__contains__) if frame.own <= GIVEN_UP or frame.many else ""
    document = bare_extraction(frame.tree, options=_OPTIONS) if not frame.many else None
    text = (getattr(document, "text", "") or "").strip()
    code = tree.iter("pre", "code", "textarea")
    if not any(element.tag != "code" or "\n" in (element.text or "") for element in code):
        # Outside code, white space at the beginning of a line is indentation of the markup.
        text = "\n".join(line for raw in text.split("\n") if (line := " ".join(raw.split())))
    text = _RULE.sub("", text)
    if plain and ((frame.alone and len(text) < GUESSED) or _is_fused(text, plain)):
        text = plain
    if _is_only_links(frame, len(text)):
        return "", "links-only"
    text = _add_heading(text, frame.heading)
    if text and frame.byline and frame.byline not in text:
        first, _, rest = text.partition("\n")
        text = f"{first}\n{frame.byline}\n{rest}" if rest else text
    return text, "" if text else "no-text"


def _is_only_links(frame: Frame, found: int) -> bool:
    """Whether the frame is a list of links with little text of its own; `found` is its text length in code points."""
    if frame.linked <= frame.own:
        return False
    return frame.own < MIN_OWN * max(found, frame.own + frame.linked) or (
        frame.own < SHORT_NOTE and frame.links >= MANY_LINKS
    )


def _is_fused(text: str, plain: str) -> bool:
    """Whether the text is empty, or all words of the frame in one line (trafilatura's last fallback)."""
    lines, blocks = text.split("\n"), plain.split("\n")
    return not text or (len(lines) <= 2 and len(lines) < len(blocks) and _longest_line(lines) > _longest_line(blocks))


def _longest_line(lines: list[str]) -> int:
    return max(map(len, lines))


def _add_heading(text: str, heading: str) -> str:
    """Prepend the heading to the text if trafilatura left it out."""
    if not text or not heading:
        return text
    for line in text.split("\n", HEAD_LINES)[:HEAD_LINES]:
        if line == heading:
            return text
        if len(line) >= OPENING:
            break
    return f"{heading}\n{text}"


def _text(page: Page) -> tuple[str, str]:
    if page.tree.find("body") is None and next(page.tree.iter("frameset"), None) is not None:
        inside = "\n".join(plain_lines(box) for box in page.tree.iter("noframes"))
        text = article_candidates.extract_prose(inside)
        return text, "" if text else "frameset"
    try:
        return main_text(page.tree)
    except RecursionError:  # lists nested hundreds deep
        flat = html_tree.parse_flat(page.text)
        return main_text(flat) if flat is not None else ("", "no-text")
