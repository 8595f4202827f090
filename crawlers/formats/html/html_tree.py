"""Bytes that call themselves HTML become a tree, whatever is wrong with them."""

from __future__ import annotations

import re

from lxml import etree, html

from crawlers.formats.html.hostile_markup import thin_attributes
from malmoi.boundary import input_errors

# Characters that XML does not know: lxml would refuse to put them back into a tree.
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r")) + b"\x7f"
# References to them, as browsers read one: any number of zeros, with or without a semicolon (WHATWG, "numeric character
# reference end state"). What is no character at all, libxml2 makes U+FFFD; 0x80 to 0x9F it reads as code page 1252,
# and what that leaves open is a control too.
_CONTROL_REFERENCE = re.compile(
    rb"&#(?:[xX]0*(?:[1-8bBeEfF]|1[0-9a-fA-F]|7[fF]|8[1dDfF]|9[0dD]|[fF]{3}[eEfF])(?![0-9a-fA-F])"
    rb"|0*(?:[1-8]|1[145-9]|2[0-9]|3[01]|127|129|141|143|144|157|6553[45])(?![0-9]));?"
)
_FORM_FEED = re.compile(rb"\f|&#(?:[xX]0*[cC](?![0-9a-fA-F])|0*12(?![0-9]));?")  # white space in HTML, and not in XML
_LONE = re.compile("[\ud800-\udfff]")
_ENDS = re.compile(rb"</(?:html|body)\s{0,9}>", re.IGNORECASE)
_SURROGATES = re.compile(  # a character of two references, as UTF-16 has it
    rb"&#(?:x(d[89ab][0-9a-f]{2})|(5[5-6]\d{3}));&#(?:x(d[c-f][0-9a-f]{2})|(5[6-7]\d{3}));", re.IGNORECASE
)
_SELF_CLOSED = re.compile(rb"(<html\b[^>]{0,400}?)\s*/>")  # libxml2 takes it for the whole page
# Of a page nested too deep, only what carries statements about it is kept as markup.
_NESTING = re.compile(
    rb"</?(?!(?:html|head|body|meta|link|title|base|script|style|a|img)\b)[A-Za-z][^<>]*>", re.IGNORECASE
)
_EMPTY = b"<html><head></head><body></body></html>"
# One class for every element, chosen in C: lxml's own lookup asks Python for each element that is touched, to give
# forms and inputs methods that nobody here calls, and that was a tenth of all extraction.
_CLASSES = etree.ElementDefaultClassLookup(
    element=html.HtmlElement,
    comment=html.HtmlComment,
    pi=html.HtmlProcessingInstruction,
    entity=html.HtmlEntity,
)


class _NoTree(Exception):
    """libxml2 gives no tree."""


def tree_of(text: str) -> html.HtmlElement | None:
    """The tree of a page or fragment, with <html> and <body> around it; None where there is none to be had."""
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
    """The markup without characters that XML does not know, however they are written.

    As bytes: libxml2 refuses text that declares an encoding, and our own label then always holds.

    >>> _clean("\\x1b가&#3나&#x0081;다&#12;라")
    b'\\xea\\xb0\\x80\\xeb\\x82\\x98\\xeb\\x8b\\xa4 \\xeb\\x9d\\xbc'
    """
    raw = _LONE.sub("\ufffd", text).encode().translate(None, _CONTROL)
    raw = raw.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    raw = _SURROGATES.sub(_join_surrogates, raw)
    return _FORM_FEED.sub(b" ", _CONTROL_REFERENCE.sub(b"", raw))


def _join_surrogates(match: re.Match[bytes]) -> bytes:
    high, low = (int(match[at], 16) if match[at] else int(match[at + 1]) for at in (1, 3))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00).encode()


def _parse_document(raw: bytes) -> tuple[html.HtmlElement | None, bool]:
    """The tree, and whether the whole page is in it: libxml2 stops where elements nest 2,048 deep."""
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
    """The tree of a page whose boxes are taken for line ends: what nests hundreds deep is lost, its words are not."""
    return _parse_document(_NESTING.sub(b"\n", _clean(text)))[0]


def empty_page() -> html.HtmlElement:
    """A page without anything in it."""
    return html.document_fromstring(_EMPTY)
