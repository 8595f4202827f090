"""Format detection (MIME sniffing): by the content first, by the declared type and name second."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from struct import error, unpack_from

from crawlers.encodings.decode import decode
from crawlers.formats.hwp.ole import Container
from crawlers.formats.registry import FORMATS
from crawlers.formats.unreadable import Unreadable

VERSION = 1  # increment when bytes get another format name or another decoding
LOOK = 8192  # bytes inspected
MAX_CONTROL = 0.02  # share of control characters in text; more is binary

MAX_NAMES = 4_000  # parts of an archive whose names are inspected

# First bytes (magic numbers) → format: supported formats, and others that are named in the refusal.
_MAGIC = (
    *((magic, kind) for kind, one in FORMATS.items() for magic in one.magic),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"SCDSA00", "drm"),  # Softcamp: an encrypted document of any format, readable inside one organisation only
    (b"\x9b DRMONE", "drm"),  # Fasoo
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"\0\0\1\0", "image"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"(\xb5/\xfd", "zstd"),
    (b"\x7fELF", "binary"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"{\\rtf", "rtf"),
    (b"%!PS", "postscript"),
    (b"PAR1", "parquet"),
    (b"SQLite format 3\0", "sqlite"),
)
_BY_NAME = {ending: kind for kind, one in FORMATS.items() for ending in one.endings}
_BY_MEDIA = {media: kind for kind, one in FORMATS.items() for media in one.media}
TABLES_DIGEST = hashlib.sha256(
    repr([sorted(_MAGIC), sorted(_BY_NAME.items()), sorted(_BY_MEDIA.items())]).encode()
).hexdigest()
_MESSAGE = re.compile(rb"\s{0,9}[A-Z][A-Za-z-]{1,40}: ?[^\r\n]{0,990}\r?\n")  # a header of an e-mail, RFC 5322
_MIME = re.compile(rb"^MIME-Version: ?1", re.IGNORECASE | re.MULTILINE)
_RELATED = re.compile(rb"^Content-Type: ?multipart/related", re.IGNORECASE | re.MULTILINE)
_START = re.compile(r"\s*(?:<\?xml[^>]{0,400}>\s*)?(?:<!--.{0,4000}?-->\s*)*", re.DOTALL)
_ELEMENT = re.compile(r"<([A-Za-z_\x80-\xff][\w:.\x80-\xff-]{0,80})(?=[\s>])")
_EXPORT = re.compile(r"<mediawiki\b")
_HWPML = re.compile(r"(?:<!DOCTYPE\s+HWPML\b|<HWPML\b)")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FRAGMENT = re.compile(r"<(?:title|meta|link|div|p|table|h[1-6]|script|style|ul|section|article)\b", re.IGNORECASE)
# SO, SI and ESC belong to ISO-2022-KR.
_CONTROL = bytes((*range(0x09), *range(0x10, 0x1B), *range(0x1C, 0x20), 0x7F))
_NAMES_OF_PARTS = re.compile(r"(?:Contents|word|xl|ppt)/[\w/]{1,40}\.(?:xml|hpf)|\[Content_Types\]\.xml")
_HWPX = re.compile(r"Contents/(?:content\.hpf|section\d{1,5}\.xml)$", re.IGNORECASE)
_JSON_START = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]])")
_JSON_LINES = re.compile(r"\s*\{[^\n]*\}\s*\n\s*\{")


def sniff(body: bytes, media: str = "", name: str = "") -> str:
    """Return the format of `body`: html, text, markdown, wikitext, csv, tsv, json, jsonl, xml, empty, or another name.

    `media` is the declared media type, `name` a file name or address. The content alone decides about formats that
    are not text, and about HTML and JSON; between other text formats the name decides,
    then the media type.

    >>> sniff(b"%PDF-1.7 ...", "text/plain", "notes.txt"), sniff(b"a,b\\n1,2\\n", "text/plain", "a.csv")
    ('pdf', 'csv')
    """
    head = body[:LOOK]
    if not head.strip(b" \t\r\n\f\v\0" + codecs.BOM_UTF8):
        return "empty" if not body.strip(b" \t\r\n\f\v\0" + codecs.BOM_UTF8) else "text"
    if kind := _sniff_magic(body, name):
        return kind
    # The patterns are ASCII in every encoding but UTF-16, and a truncated character would cost a detection.
    text = decode(head).text if b"\0" in head else head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    raw = text.encode("utf-8", "replace") if b"\0" in head else head
    if len(raw) - len(raw.translate(None, _CONTROL)) > MAX_CONTROL * len(text):
        return "binary"
    said = format_by_name(media, name)
    start = _START.match(text)
    rest = text[start.end() if start else 0 :]
    # A wiki article may begin with a tag; only wiki sources declare its media type, so that is trusted.
    if _HTML.match(rest) and _BY_MEDIA.get(media) != "wikitext":
        return "html"
    if _HWPML.match(rest):
        return "hwpml"
    if _EXPORT.match(rest):
        return "mediawiki-export"
    if said in ("json", "html", "") and _JSON_START.match(text):
        if _JSON_LINES.match(text) and not _is_json(body):
            return "jsonl"  # one object a line in a file called .json is common
        if said == "json" or _is_json(body):
            return "json"
    fragment = _FRAGMENT.match(rest)
    if said not in ("html", "wikitext", "markdown"):
        if text.lstrip().startswith("<?xml"):
            return "xml"
        # The start tag of a non-HTML element, with its end tag at the end; `rest` was decoded as Latin-1.
        element = None if fragment else _ELEMENT.match(rest)
        if element and body[-200:].rstrip().endswith(b"</" + element[1].encode("latin-1") + b">"):
            return "xml"
    return said or ("html" if fragment else "text")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(decode(body).text)
    except (ValueError, RecursionError):
        return False
    return True


def format_by_name(media: str, name: str) -> str:
    """Return the format that media type and name claim, or ""."""
    path = name.partition("?")[0].partition("#")[0]
    ending = path.rsplit("/", 1)[-1].rpartition(".")[2].lower() if "." in path.rsplit("/", 1)[-1] else ""
    declared = _BY_MEDIA.get(media.partition(";")[0].strip().lower(), "")
    named = _BY_NAME.get(ending, "")
    # A server's text/html wins for an address that ends in .md or .php, and a wiki article may be called
    # README.md; text/plain carries no information.
    return declared if declared in ("html", "wikitext") else named or declared


def _sniff_magic(body: bytes, name: str) -> str:
    kind = next((kind for magic, kind in _MAGIC if body.startswith(magic)), "")
    if body[:4] == b"RIFF":
        return "image" if body[8:12] == b"WEBP" else "audio"
    if body[:2] == b"BM" and len(body) > 14 and int.from_bytes(body[2:6], "little") == len(body):
        return "image"
    if body[4:8] == b"ftyp":
        return "video"
    if body[257:262] == b"ustar":
        return "tar"
    # Other bytes may precede the header (ISO 32000-1, annex H.3, implementation note 13).
    if not kind and b"%PDF-" in body[:1024] and (b"startxref" in body or body[:200].lstrip().startswith(b"%PDF-")):
        return "pdf"
    if not kind and _MESSAGE.match(body[:200]) and _MIME.search(body[:LOOK]):
        return "mhtml" if _RELATED.search(body[:LOOK]) else "email"
    if kind == "zip":
        return _sniff_zip(body)
    if kind == "ole":
        return _sniff_ole(body, name)
    return kind


def _sniff_ole(body: bytes, name: str) -> str:
    """Return the format of an OLE container: HWP 5, recognised by the stream of its header, or an old Office format.

    A truncated container gets the format that its bytes suggest, so that its reader reports the damage.
    """
    try:
        container = Container(body)
        if "EncryptedPackage" in container.paths:  # an Office document with a password (MS-OFFCRYPTO, section 2.3.4.4)
            return "encrypted"
        if "FileHeader" in container.paths:
            return "hwp" if container.read("FileHeader").startswith(b"HWP Document File") else "ole"
        return "ole"
    except Unreadable:
        hints = "HwpSummaryInformation".encode("utf-16-le") in body or b"HWP Document File" in body
        return "hwp" if hints or name.lower().endswith((".hwp", ".hwt")) else "ole"


def _sniff_zip(body: bytes) -> str:
    """Return the format of an archive: by the media type in its first part, or by the names of its parts."""
    head = body[:LOOK]
    stated = head[:200] if b"mimetype" in head[:60] else b""
    # A truncated file still has the names in the local headers of its parts.
    names = list(_names(body)) or _NAMES_OF_PARTS.findall(head.decode("latin-1"))
    if b"hwp+zip" in stated or any(_HWPX.match(name) for name in names):
        return "hwpx"
    if b"epub+zip" in stated:
        return "epub"
    if b"opendocument" in stated:
        return "odf"
    for folder, kind in (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")):
        inside = [name for name in names if name.startswith(folder)]
        if inside and ("[Content_Types].xml" in names or f"{folder}document.xml" in inside):
            return kind  # a folder of this name alone proves nothing
    if {"content.xml", "META-INF/manifest.xml"} <= set(names):
        return "odf"
    return "epub" if "META-INF/container.xml" in names else "zip"


def _names(body: bytes) -> Iterator[str]:
    """Yield the names in the central directory (APPNOTE.TXT, sections 4.3.12 and 4.3.16), at most MAX_NAMES."""
    end = body.rfind(b"PK\x05\x06")
    try:
        (size,) = unpack_from("<I", body, end + 12)
        at = end - size  # it ends right before its end record, whatever precedes the archive
        for _ in range(MAX_NAMES):
            if end < 0 or at < 0 or body[at : at + 4] != b"PK\x01\x02":
                return
            length, extra, comment = unpack_from("<3H", body, at + 28)
            yield body[at + 46 : at + 46 + length].decode("utf-8", "replace")
            at += 46 + length + extra + comment
    except error:
        return
