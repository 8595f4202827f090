"""Parse a web page once, and take its running text out with trafilatura.

The only file that imports trafilatura. `fast=True` leaves out a second opinion that costs a fifth
more and gains nothing measurable on Korean pages; its precision mode is unsafe on them (old pages
made of tables lose nearly all text), and its metadata search costs more than the extraction.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from lxml import etree, html
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

from crawlers.formats import byline, metadata
from crawlers.formats.encodings import decode
from crawlers.formats.frame import OPENING, Frame, prepare
from malmoi.source import Extracted, Item

MAX_REPLACED = 0.001  # share of the page's characters that could not be decoded
FEW_REPLACED = 5  # characters; so many are forgiven however short the page
MIN_OWN = 0.2  # share of the text found that must stand outside links; a list of pages is not a text
SHORT_NOTE = 100  # characters outside links; beside many links less is a note, such as a licence mark
MANY_LINKS = 10
GIVEN_UP = 2_000  # characters outside links; above, trafilatura's main pass has been seen to find enough
HEAD_LINES = 3  # lines among which the heading of a page is looked for
SHORT = 200  # code points; below, the article that the page carries as JSON-LD is preferred if it is longer

# What trafilatura does to a broken tree is not ours to know; these are about the page, anything else is about us.
_ABOUT_THE_PAGE = (etree.LxmlError, RecursionError, ValueError, TypeError, AttributeError, LookupError)
_OPTIONS = Extractor(output_format="python", fast=True, comments=False, with_metadata=False)
# Characters that XML does not know: lxml would refuse to put them back into a tree.
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r")) + b"\x7f"
_CONTROL_REFERENCE = re.compile(
    rb"&#(?:[xX]0{0,6}(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[fF]{3}[eEfF])|0{0,6}(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45]));"
)
_SELF_CLOSED = re.compile(rb"(<html\b[^>]{0,400}?)\s*/>")  # libxml2 takes it for the whole page
# Of a page nested too deep, only what carries statements about it is kept as markup.
_NESTING = re.compile(
    rb"</?(?!(?:html|head|body|meta|link|title|base|script|style|a|img)\b)[A-Za-z][^<>]*>", re.IGNORECASE
)
# fmt: off
_BLOCKS = frozenset({
    "p", "div", "br", "hr", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "pre", "blockquote",
    "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer",
})
_HIDDEN = frozenset({"script", "style", "head", "noscript", "template", "button", "select", "nav"})
# fmt: on
_RULE = re.compile(r"^\|(?:-{3,}\|)+\n", re.MULTILINE)  # below the head of a table
_EMPTY = b"<html><head></head><body></body></html>"

# It reports every page without text as a warning; that is our verdict, counted elsewhere.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as text and as a tree that all readers share: do not change the tree."""

    text: str
    tree: html.HtmlElement
    encoding: str
    replaced: int  # U+FFFD in the text
    reason: str = ""  # "unreadable-html" where the tree is empty because the markup could not be parsed


_latest: tuple[tuple[Item, Page], ...] = ()


def parse(item: Item) -> Page:
    """The page of an item, decoded and parsed; never raises. The last two are remembered.

    Comments and processing instructions are not in the tree. A fragment gets an <html> and a
    <body>; an empty or unreadable page gets an empty tree.
    """
    global _latest
    for known, page in _latest:
        if known.body is item.body and known.charset == item.charset:
            return page
    page = _parse(item)
    _latest = ((item, page), *_latest[:1])
    return page


def extract(item: Item) -> Extracted:
    """The running text of a web page with what it states about itself.

    Headings, list items ("- …"), table rows ("| … |"), code and paragraphs stand on lines of their
    own. What the item already knows (title, date, author) comes before what the page says.
    A byline below the heading becomes author and date. Dropped as `undecodable`, `unreadable-html`,
    `links-only` (a page that lists others) or `no-text`.
    """
    page = parse(item)
    found = metadata.Metadata()
    text = author = date = ""
    reason = page.reason
    if page.replaced > max(FEW_REPLACED, MAX_REPLACED * len(page.text)):
        reason = "undecodable"
    elif not reason:
        try:
            found = metadata.read(page.tree, item.url)
            text, reason = _text(page)
        except _ABOUT_THE_PAGE:
            reason = "unreadable-html"
        if len(text) < SHORT and len(found.body) > len(text):
            text = _plain(found.body)  # written into the page by script; it carries the article as JSON-LD
            reason = ""
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
    )


def main_text(tree: html.HtmlElement) -> tuple[str, str]:
    """The running text of a parsed page, and "" or the reason why there is none: `links-only` or `no-text`.

    The tree is left as it is.
    """
    frame = prepare(tree)
    if frame is None:
        return "", "no-text"
    plain = _fallback(frame)
    document = bare_extraction(frame.tree, options=_OPTIONS)
    text = (getattr(document, "text", "") or "").strip()
    code = tree.iter("pre", "code", "textarea")
    if not any(element.tag != "code" or "\n" in (element.text or "") for element in code):
        # Without code, white space at the beginning of a line is how the markup was indented.
        text = "\n".join(line for raw in text.split("\n") if (line := " ".join(raw.split())))
    text = _RULE.sub("", text)
    if plain and _fused(text, plain):
        text = plain
    if _only_links(frame, len(text)):
        return "", "links-only"
    return _headed(text, frame.heading), "" if text else "no-text"


def _only_links(frame: Frame, found: int) -> bool:
    """Whether the frame lists other pages and says next to nothing itself; `found` counts code points of its text."""
    if frame.linked <= frame.own:
        return False
    return frame.own < MIN_OWN * max(found, frame.own + frame.linked) or (
        frame.own < SHORT_NOTE and frame.links >= MANY_LINKS
    )


def _fallback(frame: Frame) -> str:
    """The blocks of a short frame as lines; "" where the frame is so long that trafilatura never gives up on it."""
    return _lines_of(frame.box) if frame.own <= GIVEN_UP else ""


def _fused(text: str, plain: str) -> bool:
    """Whether the text is nothing, or one run of all words of the frame, as trafilatura gives it at its wits' end."""
    lines, blocks = text.split("\n"), plain.split("\n")
    return not text or (len(lines) <= 2 and len(lines) < len(blocks) and _longest(lines) > _longest(blocks))


def _longest(lines: list[str]) -> int:
    return max(map(len, lines))


def _headed(text: str, heading: str) -> str:
    """The text with its own heading first, where trafilatura has left that out."""
    if not text or not heading:
        return text
    for line in text.split("\n", HEAD_LINES)[:HEAD_LINES]:
        if line == heading:
            return text
        if len(line) >= OPENING:
            break
    return f"{heading}\n{text}"


def _text(page: Page) -> tuple[str, str]:
    try:
        return main_text(page.tree)
    except RecursionError:  # lists within lists, hundreds deep
        flat = _document(_NESTING.sub(b"\n", page.text.encode("utf-8", "replace")))[0]
        return main_text(flat) if flat is not None else ("", "no-text")


def strip_tags(text: str) -> str:
    """The text of a fragment of markup, with a line for each block.

    >>> strip_tags("<p>하나</p><ul><li>둘<li>셋</ul>넷<br>다섯 &amp; 여섯")
    '하나\\n둘\\n셋\\n넷\\n다섯 & 여섯'
    """
    tree = _tree(text)
    return _lines_of(tree) if tree is not None else ""


def _lines_of(tree: html.HtmlElement) -> str:
    """A line for each block; scripts and what is to be pressed are left out."""
    lines: list[str] = []
    hidden = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag
        if tag in _BLOCKS:
            lines.append("\n")
        elif tag in ("td", "th") and event == "end":
            lines.append(" ")
        if tag in _HIDDEN:
            hidden += 1 if event == "start" else -1
        if event == "start" and not hidden and element.text:
            lines.append(element.text)
        elif event == "end" and not hidden and element.tail and element is not tree and tag != "body":
            lines.append(element.tail)
    return "\n".join(line for raw in "".join(lines).split("\n") if (line := " ".join(raw.split())))


def _parse(item: Item) -> Page:
    if isinstance(item.body, str):
        text, encoding, replaced = item.body, "", item.body.count("\ufffd")
    else:
        decoded = decode(item.body, item.charset, html=True)
        text, encoding, replaced = decoded.text, decoded.encoding, decoded.replaced
    tree = _tree(text)
    reason = "" if tree is not None or not text.strip() else "unreadable-html"
    return Page(text, tree if tree is not None else _empty(), encoding, replaced, reason)


def _tree(text: str) -> html.HtmlElement | None:
    # As bytes: libxml2 refuses text that declares an encoding, and our own label then always holds.
    raw = text.encode("utf-8", "replace").translate(None, _CONTROL)
    raw = raw.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    raw = _SELF_CLOSED.sub(rb"\1>", _CONTROL_REFERENCE.sub(b"", raw), count=1)
    if not raw.strip():
        return None
    tree, whole = _document(raw)
    return tree if whole else _document(_NESTING.sub(b"\n", raw))[0]


def _document(raw: bytes) -> tuple[html.HtmlElement | None, bool]:
    """The tree, and whether the whole page is in it: libxml2 stops where elements nest 2,048 deep."""
    parser = html.HTMLParser(
        encoding="utf-8",
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,  # texts and attributes of more than 10 MB; the depth stays limited
    )
    try:
        tree = html.document_fromstring(raw, parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None, True
    return tree, all(error.type != etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log)


def _empty() -> html.HtmlElement:
    return html.document_fromstring(_EMPTY)


def _plain(text: str) -> str:
    return strip_tags(text) if "</" in text or "<br" in text else text.strip()
