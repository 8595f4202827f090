"""Registry of supported formats: a new format is a file with its reader, and a row here.

`version` is kept here and not in the reader, because the process that plans a run needs it and must not load
lxml or PDFium. It decides which stored documents are extracted again (`crawlers/extract.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Where to search for the licence marks of a format: in the parsed page, in a page made of its source text, in a page
# made of the extracted text, or only in the statements of the item and its headers.
Marks: TypeAlias = Literal["page", "source", "extracted", ""]


@dataclass(frozen=True, slots=True)
class Family:
    """Formats whose readers share code, and the versions that determine their text besides the bytes."""

    name: str
    version: int  # increment when a reader of the family, or a module that it imports, yields another text or date
    libraries: tuple[str, ...] = ()  # distributions that only these readers use; for all formats: crawlers/extract.py


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its reader, and how it is recognised if the bytes are ambiguous (crawlers/formats/sniffing.py)."""

    family: Family
    reader: str  # module of this package whose `extract(item)` returns the text; "" for tables (crawlers/tables.py)
    marks: Marks = ""
    magic: tuple[bytes, ...] = ()  # first bytes
    endings: tuple[str, ...] = ()  # of a file name; decide between text formats
    media: tuple[str, ...] = ()  # media types; decide like `endings`


HTML = Family("html", 3, ("google-re2", "trafilatura"))
MARKDOWN = Family("markdown", 1)
TEXT = Family("text", 1)
HWP = Family("hwp", 3, ("cryptography",))
DOCX = Family("docx", 3)
PDF = Family("pdf", 2, ("pypdfium2",))
MEDIAWIKI = Family("mediawiki", 2)
XML = Family("xml", 1)
TABLE = Family("table", 1)

FORMATS = {
    "html": Format(
        HTML,
        "html.html_page",
        "page",
        endings=("html", "htm", "xhtml", "shtml", "php", "jsp", "do", "asp", "aspx"),
        media=("text/html", "application/xhtml+xml"),
    ),
    "mhtml": Format(HTML, "html.mhtml"),
    "markdown": Format(MARKDOWN, "markdown", "source", endings=("md", "mdx", "markdown"), media=("text/markdown",)),
    "text": Format(TEXT, "text", "source", endings=("txt", "text")),
    "row": Format(TEXT, "text", "source"),  # a cell or field: an item whose body is already text
    "hwp": Format(HWP, "hwp.hwp5", "extracted"),
    "hwp3": Format(HWP, "hwp.hwp5", "extracted", magic=(b"HWP Document File",)),  # HWP 5 has it in its container
    "hwpx": Format(HWP, "hwp.hwpx", "extracted"),
    "hwpml": Format(HWP, "hwp.hwpx", "extracted"),
    "docx": Format(DOCX, "docx", "extracted"),
    "pdf": Format(PDF, "pdf.pdf", "extracted", magic=(b"%PDF-",)),
    "wikitext": Format(
        MEDIAWIKI, "mediawiki.wikitext", endings=("wiki", "mediawiki", "wikitext"), media=("text/x-wiki",)
    ),
    "mediawiki-export": Format(MEDIAWIKI, "mediawiki.mediawiki_export"),
    "xml": Format(
        XML,
        "xml",
        endings=("xml", "rss", "atom"),
        media=("application/xml", "text/xml", "application/rss+xml", "application/atom+xml"),
    ),
    "csv": Format(TABLE, "", endings=("csv",), media=("text/csv",)),
    "tsv": Format(TABLE, "", endings=("tsv", "tab"), media=("text/tab-separated-values",)),
    "json": Format(TABLE, "", endings=("json",), media=("application/json",)),
    "jsonl": Format(TABLE, "", endings=("jsonl", "ndjson"), media=("application/jsonl", "application/x-ndjson")),
}
TABLES = frozenset(name for name, one in FORMATS.items() if one.family is TABLE)
FAMILIES = tuple(dict.fromkeys(one.family for one in FORMATS.values()))
