"""Sitemaps and feeds: lists of addresses that a site writes for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawlers.addresses import canonical
from crawlers.fetch.payload import inflate

MAX_ENTRIES = 50_000  # addresses of one list; sitemaps.org allows a sitemap no more
MAX_XML = 50 * 1024 * 1024  # bytes of one list in the clear; sitemaps.org allows a sitemap no more
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"

# Python's cp949 reads all of these, and more syllables than EUC-KR has (WHATWG Encoding, section 14.1).
_KOREAN = frozenset({"euc-kr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "cp949", "ms949", "windows-949", "uhc"})
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"^\s{0,99}<\?xml[^>]{0,400}\?>")
_AMPERSAND = re.compile(r"&(?!(?:[A-Za-z][A-Za-z0-9]{0,30}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")


def sitemap(body: bytes) -> tuple[list[str], list[str]]:
    """(sitemaps, pages) that a sitemap names, canonical; gzip, XML and plain text are read.

    Raises:
        ValueError: it is none of these, or declares entities; the message is the reason.
        crawlers.fetch.payload.BadCoding: its gzip goes beyond the limits or is damaged.

    >>> sitemap(b"<urlset><url><loc> http://a.kr/1 </loc></url></urlset>")
    ([], ['http://a.kr/1'])
    """
    body = _plain(body)
    if not body.startswith(b"<"):
        return [], _canonical(body.decode("utf-8", "replace").splitlines())
    root = _root(body, recover=True)
    name = _name(root)
    if name not in ("urlset", "sitemapindex"):
        raise ValueError("not-a-sitemap")
    found = _canonical((loc.text or "") for entry in root for loc in entry if _name(loc) == "loc")
    return (found, []) if name == "sitemapindex" else ([], found)


def feed(body: bytes, url: str, charset: str = "") -> list[str]:
    """The pages that the entries of a feed link to, canonical, in the order of the feed, each once.

    RSS 0.9x and 2.0 (`link`, or a `guid` that is an address), RSS 1.0 (`link`, or `rdf:about`), Atom (the
    `alternate` link, else one without a relation); `xml:base` holds. `charset` is that of the Content-Type.

    Raises:
        ValueError: it is no feed, or declares entities; the message is the reason.
        crawlers.fetch.payload.BadCoding: its gzip goes beyond the limits or is damaged.

    >>> feed(b"<rss><channel><item><link>/1?b=2&amp;a=1</link></item></channel></rss>", "http://a.kr/rss")
    ['http://a.kr/1?a=1&b=2']
    """
    text, encoding = _decoded(_plain(body), charset)
    root = _of_text(text)
    if _name(root).lower() not in ("rss", "rdf", "feed"):
        raise ValueError("not-a-feed")
    base = urljoin(url, root.get(XML_BASE) or "")
    found: dict[str, None] = {}
    for entry in root.iter():
        if _name(entry) in ("item", "entry") and len(found) < MAX_ENTRIES:
            address = canonical(_joined(urljoin(base, entry.get(XML_BASE) or ""), _link(entry)), encoding)
            if address:
                found[address] = None
    return list(found)


def _plain(body: bytes) -> bytes:
    if body.startswith(b"\x1f\x8b"):
        body = inflate(body)
    if len(body) > MAX_XML:
        raise ValueError("list-too-large")
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()


def _root(body: bytes, *, recover: bool) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=recover, remove_comments=True
    )
    root = etree.fromstring(body, parser)
    if root is None:
        raise ValueError("not-xml")
    dtd: Any = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise ValueError("xml-entities")
    return root


def _of_text(text: str) -> etree._Element:
    body = _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")
    try:
        return _root(body, recover=False)
    except etree.XMLSyntaxError:
        pass
    try:  # a bare & is the fault that feeds have most; libxml2 would drop what follows it
        return _root("".join(_repaired(text)).encode("utf-8", "replace"), recover=True)
    except etree.XMLSyntaxError as error:
        raise ValueError("not-xml") from error


def _repaired(text: str) -> Iterator[str]:
    text = _DECLARATION.sub("", text, count=1)
    at = 0
    while at < len(text):
        opens = text.find("<![CDATA[", at)
        ends = text.find("]]>", opens) if opens >= 0 else -1
        if ends < 0:
            opens = ends = len(text)
        yield _AMPERSAND.sub("&amp;", text[at:opens])
        yield text[opens:ends]
        at = ends


def _decoded(body: bytes, charset: str) -> tuple[str, str]:
    """(text, encoding): as the protocol says, then the declaration (RFC 7303, section 3), else UTF-8, else CP949."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace"), "utf-8"
    declared = _DECLARED.match(body[:512])
    said = [charset.strip("\"' "), declared[1].decode() if declared else ""]
    for name in [*(one.lower() for one in said if one), "utf-8", "cp949"]:
        encoding = "cp949" if name in _KOREAN else name
        try:
            return body.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("utf-8", "replace"), "utf-8"


def _link(entry: etree._Element) -> str:
    """What an entry links to, as written."""
    alternate = plain = guid = ""
    for child in entry:
        name, text = _name(child), (child.text or "").strip()
        if name == "link" and child.get("href"):
            if (child.get("rel") or "alternate") == "alternate":
                alternate = alternate or child.get("href") or ""
        elif name == "link":
            plain = plain or text
        elif name == "guid" and (child.get("isPermaLink") or "true").lower() == "true" and "://" in text[:12]:
            guid = guid or text
    about = next((v for k, v in entry.attrib.items() if str(k).endswith("}about")), "")
    return plain or alternate or guid or str(about)


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link.strip()) if link.strip() else ""
    except ValueError:  # "http://[": no address
        return ""


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _canonical(urls: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for url in urls:
        if len(found) >= MAX_ENTRIES:
            break
        if address := canonical(url):
            found[address] = None
    return list(found)
