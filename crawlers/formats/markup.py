"""Parse XML that somebody else wrote: no entities, no DTD, no network, bounded in size and depth."""

from __future__ import annotations

import re

from lxml import etree

from crawlers.formats.unreadable import Unreadable

MAX_XML = 64 * 1024 * 1024  # bytes of one document
MAX_TREE = 192 * 1024 * 1024  # bytes of memory of one tree; a worker may grow by 256 MB at most
_ELEMENT, _ATTRIBUTE = 122, 220  # bytes that lxml takes for each, measured on elements and attributes without text
HEAD = 4096  # bytes in which a document type declaration is looked for
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


def parse(body: bytes | str, *, recover: bool = False) -> etree._Element:
    """The root element. With `recover` a damaged document gives what can be read of it.

    Raises Unreadable: `damaged`, `too-large`, and `xml-entities` for one that declares entities.
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
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("damaged") from error
    if root is None:
        raise Unreadable("damaged")
    return root


def cost(raw: bytes) -> int:
    """Bytes of memory that a tree of this markup takes at most; markup of 10 MB can take a gigabyte.

    >>> cost(b"<a b='c'/>")
    342
    """
    return raw.count(b"<") * _ELEMENT + raw.count(b"=") * _ATTRIBUTE
