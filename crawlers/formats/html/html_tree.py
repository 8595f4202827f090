"""Parse arbitrary bytes declared as HTML into a tree, with error recovery.

Markup that would cost a parser minutes is removed before (denial of service).
"""

from __future__ import annotations

import re

from lxml import etree, html

from malmoi.boundary import input_errors

# Characters that XML forbids: lxml refuses to write them back into a tree.
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r")) + b"\x7f"
# References to them, as browsers read them: any number of zeros, with or without a semicolon (WHATWG, "numeric
# character reference end state"). libxml2 turns invalid code points into U+FFFD; it reads 0x80 to 0x9F as code page
# 1252, whose undefined codes are controls too.
# The characters before it are kept apart, lest "&#" and the rest make another reference.
_FORBIDDEN = (
    rb"&#(?:[xX]0*(?:[1-8bBeEfF]|1[0-9a-fA-F]|7[fF]|8[1dDfF]|9[0dD]|[fF]{3}[eEfF])(?![0-9a-fA-F])"
    rb"|0*(?:[1-8]|1[145-9]|2[0-9]|3[01]|127|129|141|143|144|157|6553[45])(?![0-9]));?"
)
_HAS_CONTROL_REFERENCE = re.compile(_FORBIDDEN)  # 50 times as fast: it begins with letters to search for
_CONTROL_REFERENCE = re.compile(rb"(&(?:#[xX]?[0-9a-fA-F]{0,8})?)?" + _FORBIDDEN)
_FORM_FEED = re.compile(rb"&#(?:[xX]0*[cC](?![0-9a-fA-F])|0*12(?![0-9]));?")  # white space in HTML, but not in XML
_LONE = re.compile("[\ud800-\udfff]")
_ENDS = re.compile(rb"</(?:html|body)\s{0,9}>", re.IGNORECASE)
_SURROGATES = re.compile(  # a character written as two references, a UTF-16 surrogate pair
    rb"&#(?:x(d[89ab][0-9a-f]{2})|(5[5-6]\d{3}));&#(?:x(d[c-f][0-9a-f]{2})|(5[6-7]\d{3}));", re.IGNORECASE
)
_SELF_CLOSED = re.compile(rb"(<html\b[^>]{0,400}?)\s*/>")  # libxml2 takes it for the whole page
# Of a page nested too deep, keep as markup only the elements that carry statements about it.
_NESTING = re.compile(
    rb"</?(?!(?:html|head|body|meta|link|title|base|script|style|a|img)\b)[A-Za-z][^<>]*>", re.IGNORECASE
)
_EMPTY = b"<html><head></head><body></body></html>"
# One class for every element, chosen in C: lxml's own lookup calls Python for each accessed element, to add
# methods of forms and inputs that are not used here; it took a tenth of the extraction time.
_CLASSES = etree.ElementDefaultClassLookup(
    element=html.HtmlElement,
    comment=html.HtmlComment,
    pi=html.HtmlProcessingInstruction,
    entity=html.HtmlEntity,
)
LONG_PAGE = 200_000  # bytes; a shorter page cannot hold enough attributes to take a second
LONG_TAG = 10_000  # bytes
MAX_ATTRIBUTES = 1_000  # of one tag; libxml2 compares each attribute with all earlier ones

_START = re.compile(rb"<(?:!--|[A-Za-z][A-Za-z0-9:-]{0,40})")
_PLAIN = re.compile(rb"[^\"'>]*")
_RAW = (b"<script", b"<style", b"<textarea", b"<title")  # contain raw text: < and quotes have no meaning in them


class _NoTree(Exception):
    """libxml2 gives no tree."""


def tree_of(text: str) -> html.HtmlElement | None:
    """Return the tree of a page or fragment, with <html> and <body> around it; None if it cannot be parsed."""
    raw = _clean(text)
    raw = _SELF_CLOSED.sub(rb"\1>", raw, count=1)
    raw = thin_attributes(raw)
    end = _ENDS.search(raw)
    if end and _ENDS.sub(b"", raw[end.start() :]).strip():
        raw = _ENDS.sub(b"", raw)  # libxml2 stops at the end of the first of two pages in one file
    if not raw.strip():
        return None
    tree, whole = _parse_document(raw)
    return tree if whole else _parse_document(_NESTING.sub(b"\n", raw))[0]


def _clean(text: str) -> bytes:
    """Remove characters that XML forbids, in any notation.

    Returns bytes: libxml2 refuses text that declares an encoding; with bytes, the label passed here is used.

    >>> _clean("\\x1b가&#3나&#x0081;다&#12;라")
    b'\\xea\\xb0\\x80\\xeb\\x82\\x98\\xeb\\x8b\\xa4 \\xeb\\x9d\\xbc'
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raw = _LONE.sub("\ufffd", text).encode()
    raw = raw.translate(None, _CONTROL).replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    if b"&#" in raw:
        raw = _SURROGATES.sub(_join_surrogates, raw)
        if _HAS_CONTROL_REFERENCE.search(raw):
            raw = _CONTROL_REFERENCE.sub(lambda match: match[1] + b" " if match[1] else b"", raw)
        raw = _FORM_FEED.sub(b" ", raw)
    return raw.replace(b"\f", b" ")


def _join_surrogates(match: re.Match[bytes]) -> bytes:
    high, low = (int(match[at], 16) if match[at] else int(match[at + 1]) for at in (1, 3))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00).encode()


def _parse_document(raw: bytes) -> tuple[html.HtmlElement | None, bool]:
    """Return the tree, and whether it is complete: libxml2 stops at elements nested 2,048 deep."""
    parser = html.HTMLParser(
        encoding="utf-8",
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,  # texts and attributes of more than 10 MB; the depth stays limited
    )
    parser.set_element_class_lookup(_CLASSES)
    try:
        with input_errors(_NoTree, MemoryError):
            tree = html.document_fromstring(raw, parser=parser)
    except _NoTree:
        return None, True
    return tree, all(error.type != etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log)


def parse_flat(text: str) -> html.HtmlElement | None:
    """Return the tree of a page with its boxes replaced by line ends: deep nesting is lost, words are kept."""
    return _parse_document(_NESTING.sub(b"\n", _clean(text)))[0]


def empty_page() -> html.HtmlElement:
    """Return an empty page."""
    return html.document_fromstring(_EMPTY)


def thin_attributes(raw: bytes) -> bytes:
    """Remove the attributes of every tag that has more than a thousand; single pass, over long pages only.

    >>> page = b"<p " + b"a=1 " * 60_000 + b">" + b"x" * 10
    >>> thin_attributes(page)
    b'<p>xxxxxxxxxx'
    """
    if len(raw) < LONG_PAGE:
        return raw
    parts: list[bytes] = []
    kept = at = 0
    while (match := _START.search(raw, at)) is not None:
        name = match.group().lower()
        if name == b"<!--":
            at = _find_end(raw, b"-->", match.end())
            continue
        end, attributes = _scan_tag(raw, match.end())
        if end - match.start() > LONG_TAG and attributes > MAX_ATTRIBUTES:
            parts += (raw[kept : match.end()], b">")
            kept = end
        at = end
        if name in _RAW:
            at = _find_end(raw, b"</" + name[1:], end)
    return b"".join((*parts, raw[kept:])) if parts else raw


def _scan_tag(raw: bytes, start: int) -> tuple[int, int]:
    """Return the end of the tag, and an upper bound of its number of attributes.

    Only a quote after an equals sign encloses a value; any other is a character of a name, as for a parser.
    """
    at = start
    words = 0
    while True:
        plain = _PLAIN.match(raw, at)
        end = plain.end() if plain else at
        before = raw[at:end].split() if end > at else []
        words += len(before)
        if end >= len(raw) or raw[end] == 0x3E:
            return min(end + 1, len(raw)), words
        if not before or not before[-1].endswith(b"="):
            at = end + 1
            continue
        closing = raw.find(raw[end : end + 1], end + 1)
        if closing < 0:
            return len(raw), words
        words += 1
        at = closing + 1


def _find_end(raw: bytes, mark: bytes, start: int) -> int:
    found = re.compile(re.escape(mark), re.IGNORECASE).search(raw, start)
    return found.end() if found else len(raw)
