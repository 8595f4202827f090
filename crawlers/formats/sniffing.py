"""Tell the format of bytes: by what they are first, by what they are called second."""

from __future__ import annotations

import codecs
import json
import re

from crawlers.formats.encodings import decode

LOOK = 8192  # bytes looked at
MAX_CONTROL = 0.02  # share of control characters in text that is not binary

READABLE = frozenset({"html", "text", "markdown", "csv", "tsv", "json", "jsonl", "xml"})
_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"HWP Document File", "hwp"),
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
_NAMES = {
    "html": ("html", "htm", "xhtml", "shtml", "php", "jsp", "do", "asp", "aspx"),
    "markdown": ("md", "mdx", "markdown"),
    "csv": ("csv",),
    "tsv": ("tsv", "tab"),
    "jsonl": ("jsonl", "ndjson"),
    "json": ("json",),
    "xml": ("xml", "rss", "atom"),
    "text": ("txt", "text"),
}
_BY_NAME = {ending: kind for kind, endings in _NAMES.items() for ending in endings}
_BY_MEDIA = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
}
_START = re.compile(r"\s*(?:<\?xml[^>]{0,400}>\s*)?(?:<!--.{0,4000}?-->\s*)*", re.DOTALL)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FRAGMENT = re.compile(r"<(?:title|meta|link|div|p|table|h[1-6]|script|style|ul|section|article)\b", re.IGNORECASE)
# SO, SI and ESC belong to ISO-2022-KR.
_CONTROL = re.compile(r"[\x00-\x08\x10-\x1a\x1c-\x1f\x7f]")
_JSON_START = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]])")
_JSON_LINES = re.compile(r"\s*\{[^\n]*\}\s*\n\s*\{")


def sniff(body: bytes, media: str = "", name: str = "") -> str:
    """The format of `body`: html, text, markdown, csv, tsv, json, jsonl, xml, empty, or what it is instead.

    `media` is the declared media type, `name` a file name or address. Content decides what is not
    text, and what is HTML or JSON whatever it is called; between kinds of text the name decides,
    then the media type.

    >>> sniff(b"%PDF-1.7 ...", "text/plain", "notes.txt"), sniff(b"a,b\\n1,2\\n", "text/plain", "a.csv")
    ('pdf', 'csv')
    """
    head = body[:LOOK]
    if not head.strip(b" \t\r\n\f\v\0" + codecs.BOM_UTF8):
        return "empty" if not body.strip(b" \t\r\n\f\v\0" + codecs.BOM_UTF8) else "text"
    if kind := _magic(body, name):
        return kind
    # What is looked for is ASCII in every encoding but UTF-16, and a cut character would cost a detection.
    text = decode(head).text if b"\0" in head else head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    if len(_CONTROL.findall(text)) > MAX_CONTROL * len(text):
        return "binary"
    said = _said(media, name)
    start = _START.match(text)
    rest = text[start.end() if start else 0 :]
    if _HTML.match(rest):
        return "html"
    if said in ("json", "html", "") and _JSON_START.match(text):
        if _JSON_LINES.match(text) and not _is_json(body):
            return "jsonl"  # one object a line, in a file called .json, is common
        if said == "json" or _is_json(body):
            return "json"
    if text.lstrip().startswith("<?xml") and said != "html":
        return "xml"
    return said or ("html" if _FRAGMENT.match(rest) else "text")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(decode(body).text)
    except (ValueError, RecursionError):
        return False
    return True


def called(media: str, name: str) -> str:
    """The format that media type and name claim, "" where they claim none."""
    return _said(media, name)


def _said(media: str, name: str) -> str:
    path = name.partition("?")[0].partition("#")[0]
    ending = path.rsplit("/", 1)[-1].rpartition(".")[2].lower() if "." in path.rsplit("/", 1)[-1] else ""
    declared = _BY_MEDIA.get(media.partition(";")[0].strip().lower(), "")
    named = _BY_NAME.get(ending, "")
    # A server's text/html holds for an address that ends in .md or .php; text/plain says nothing.
    return declared if declared == "html" else named or declared


def _magic(body: bytes, name: str) -> str:
    kind = next((kind for magic, kind in _MAGIC if body.startswith(magic)), "")
    if body[:4] == b"RIFF":
        return "image" if body[8:12] == b"WEBP" else "audio"
    if body[:2] == b"BM" and len(body) > 14 and int.from_bytes(body[2:6], "little") == len(body):
        return "image"
    if body[4:8] == b"ftyp":
        return "video"
    if b"%PDF-" in body[:1024] and body[:200].lstrip().startswith(b"%PDF-"):
        return "pdf"
    if kind == "zip":
        return _zipped(body[:LOOK])
    if kind == "ole":  # HWP 5 and the old Office formats share a container
        is_hwp = "HwpSummaryInformation".encode("utf-16-le") in body or name.lower().endswith(".hwp")
        return "hwp" if is_hwp else "ole"
    return kind


def _zipped(head: bytes) -> str:
    if b"hwp+zip" in head or b"Contents/section0.xml" in head:
        return "hwpx"
    for mark, kind in ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"), (b"epub+zip", "epub")):
        if mark in head:
            return kind
    return "odf" if b"opendocument" in head else "zip"
