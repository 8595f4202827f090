"""Safe XML parser for untrusted input: no entities, no DTD, no network, bounded in size and depth."""

from __future__ import annotations

import re

from lxml import etree

from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors

MAX_XML = 64 * 1024 * 1024  # bytes of one document
MAX_TREE = 192 * 1024 * 1024  # bytes of memory of one tree; a worker may grow by 256 MB at most
_ELEMENT, _ATTRIBUTE = 122, 220  # bytes that lxml allocates for each, measured on elements and attributes without text
HEAD = 4096  # bytes searched for a document type declaration
_NAME = re.compile(r"[^\W\d][\w.-]*\Z")
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


def parse(body: bytes | str, *, recover: bool = False) -> etree._Element:
    """Parse a document and return its root element. With `recover`, keep the readable part of a damaged document.

    Raises Unreadable: `damaged`, `too-large`, and `xml-entities` for a document that declares entities.
    """
    raw = body.encode() if isinstance(body, str) else body
    if len(raw) > MAX_XML:
        raise Unreadable("too-large")
    if _ENTITY.search(raw[:HEAD]):
        raise Unreadable("xml-entities")
    if cost(raw) > MAX_TREE:
        raise Unreadable("too-large")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover, remove_comments=True
    )
    with input_errors(lambda _: Unreadable("damaged"), MemoryError):
        root = etree.fromstring(raw, parser)
        if root is None:
            raise Unreadable("damaged")
        # Elements with an undeclared prefix get their local name: `image:image` is then found as `image`.
        for element in root.iter() if recover else ():
            prefixed = isinstance(element.tag, str) and ":" in element.tag.rpartition("}")[2]
            if prefixed and _NAME.match(local_name(element)):
                element.tag = local_name(element)
    return root


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace or undeclared prefix; "" for a comment.

    >>> [local_name(etree.Element(name)) for name in ("a", "{urn:b}a")]
    ['a', 'a']
    """
    return element.tag.rpartition("}")[2].rpartition(":")[2] if isinstance(element.tag, str) else ""


def cost(raw: bytes) -> int:
    """Estimate the bytes of memory of a tree of this markup, upper bound; markup of 10 MB can take a gigabyte.

    >>> cost(b"<a b='c'/>")
    342
    """
    return raw.count(b"<") * _ELEMENT + raw.count(b"=") * _ATTRIBUTE
