"""Parse a web page once, and extract its running text: the lines that the model of main content keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace

from lxml import html

from crawlers.encodings.decode import Decoded, decode
from crawlers.formats.html import broken_markup, byline, html_tree, page_kind, page_metadata, second_reader
from crawlers.formats.html.content_model.line_model import BlockModel, choose_lines, load_model
from crawlers.formats.html.heading import HEADINGS, OPENING
from crawlers.formats.html.host_template import Reading
from crawlers.formats.html.layout import GONE, strip, unwrap_tables
from crawlers.formats.html.main_content import Frame, prepare, surroundings
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.script_data import article_candidates, script_article
from crawlers.formats.html.text_lines import lines_with_marks, lines_with_places, plain_lines
from crawlers.formats.html.text_lines import strip_tags as strip_tags
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

MIN_OWN = 0.2  # minimum share of the extracted text outside links; a list of pages is not a text
SHORT_NOTE = 100  # characters outside links; less beside many links is a note, such as a licence mark
MANY_LINKS = 10
# The marks around the fields above a page in the sources of a site generator, and how far they are apart.
_FRONT_MARK = re.compile(r"^---[ \t]*\r?\n", re.MULTILINE)
MAX_FRONT = 20_000  # code points
HEAD_LINES = 3  # leading lines in which the heading of a page is searched


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
    tree = html_tree.tree_of(broken_markup.repair(_cut_front_matter(text)))
    reason = "" if tree is not None or not text.strip() else "unreadable-html"
    return Page(text, tree if tree is not None else html_tree.empty_page(), encoding, replaced, reason)


def _cut_front_matter(text: str) -> str:
    begin = _FRONT_MARK.match(text)
    end = _FRONT_MARK.search(text, begin.end(), begin.end() + MAX_FRONT) if begin else None
    return text[end.end() :] if end else text


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


def extract_with(item: Item, page: Page, model: BlockModel) -> Extracted:
    """Extract the text of an item that is already parsed with another model of main content."""
    return _extract(item, page, lambda page: _text(page, model))


def extract_by(item: Item, page: Page, reading: Reading) -> tuple[Extracted | None, str]:
    """Extract the text with the template of the host; (None, reason) if the page does not fit it."""
    try:
        with input_errors(_to_unreadable, MemoryError):
            text, miss = reading(page)
    except Unreadable:
        text, miss = "", "unreadable"
    return (None, miss) if miss else (_extract(item, page, lambda page: (text, "")), "")


def cut_names(item: Item, page: Page, extracted: Extracted, names: frozenset[str]) -> Extracted:
    """Return the extraction of a page with a title without the names of its site, given as digests.

    A title that the item states stays as it is.
    """
    if item.title or extracted.outcome != "kept" or not page_metadata.has_name(extracted.title, names):
        return extracted
    found = page_metadata.read(page.tree, item.url)
    title = page_metadata.find_title(found.title, found.heading, extracted.text, page.tree, item.url, names)
    return replace(extracted, title=title)


def _extract(item: Item, page: Page, read: Callable[[Page], tuple[str, str]]) -> Extracted:
    found = page_metadata.Metadata()
    text = title = author = date = kind = ""
    reason = page.reason
    if Decoded(page.text, page.encoding, page.replaced).is_undecodable:
        reason = "undecodable"
    elif not reason:
        try:
            with input_errors(_to_unreadable, MemoryError):
                found = page_metadata.read(page.tree, item.url)
                shown, reason = _read_shown(page, read)
                text, reason = script_article.choose(page, found, shown, reason, main_text)
                if reason == "no-text" and (text := second_reader.read_again(page.tree)):
                    shown, reason = text, ""
                kind, reason = page_kind.judge(page, found, item.url, text, reason, carried=text is not shown)
        except Unreadable as said:
            reason = said.reason
        text, author, date = byline.split(text)
        title = page_metadata.find_title(found.title, found.heading, text, page.tree, item.url)
    return Extracted(
        text=text if not reason else "",
        title=item.title or title,
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
    """Exceptions of lxml on a tree are caused by the page."""
    return Unreadable("unreadable-html")


def main_text(tree: html.HtmlElement, model: BlockModel | None = None) -> tuple[str, str]:
    """Return the running text of a parsed page, and "" or the reason for having none: `links-only` or `no-text`.

    `model` decides which lines are main content; without one, the delivered model. The tree is not changed.
    """
    frame = prepare(tree)
    if frame is None:
        return "", "no-text"
    lines = lines_with_places(frame.body)
    kept = choose_lines(lines, surroundings(frame), model or load_model())
    text = "\n".join(line.text for line, keep in zip(lines, kept, strict=True) if keep)
    said = sum(
        len(line.text) - line.linked
        for line, keep in zip(lines, kept, strict=True)
        if keep and 2 * line.linked < len(line.text) and line.owner.tag not in HEADINGS
    )
    if _is_only_links(frame, said):
        return "", "links-only"
    text = _add_byline(_add_heading(text, frame.heading), frame.byline)
    return text, "" if text else "no-text"


def read_box(box: html.HtmlElement) -> str:
    """Return all lines of an element that a source declares to be the text; `box` is not changed.

    Tables and lists are written as in Markdown, layout tables as paragraphs. The titles, scripts and styles of a page
    that was put into another are left out.

    >>> page = "<div><title>쪽</title><style>p{}</style><p>하나</p><table><tr><td>둘</table></div>"
    >>> read_box(html.fragment_fromstring(page))
    '하나\\n둘'
    """
    box = copy(box)
    box.tail = None
    for part in list(box.iter("title", "script", "style", "noscript", "template", "button", "select")):
        part.tag = GONE
    strip(box)
    unwrap_tables(box)
    return lines_with_marks(box)


def _add_byline(text: str, said: str) -> str:
    """Put a byline below the first line, where `byline.split` looks for it."""
    if not text or not said or said in text:
        return text
    first, _, rest = text.partition("\n")
    return f"{first}\n{said}\n{rest}" if rest else text


def _is_only_links(frame: Frame, said: int) -> bool:
    """Whether the page lists links; `said` is the length of its other text in code points, headings left out."""
    linked = frame.linked.get(frame.box, 0)
    if linked <= said:
        return False
    return said < MIN_OWN * (said + linked) or (said < SHORT_NOTE and frame.links >= MANY_LINKS)


def _add_heading(text: str, heading: str) -> str:
    """Prepend the heading to the text if it is not among the first lines."""
    if not text or not heading:
        return text
    for line in text.split("\n", HEAD_LINES)[:HEAD_LINES]:
        if line == heading:
            return text
        if len(line) >= OPENING:
            break
    return f"{heading}\n{text}"


def _text(page: Page, model: BlockModel | None = None) -> tuple[str, str]:
    if page.tree.find("body") is None and next(page.tree.iter("frameset"), None) is not None:
        inside = "\n".join(plain_lines(box) for box in page.tree.iter("noframes"))
        text = article_candidates.extract_prose(inside)
        return text, "" if text else "frameset"
    try:
        return main_text(page.tree, model)
    except RecursionError:  # lists nested hundreds deep
        flat = html_tree.parse_flat(page.text)
        return main_text(flat, model) if flat is not None else ("", "no-text")
