"""The table of the formats that are read: a new format is a file with its reader, and a row here.

`version` stands here and not in the reader, because the process that plans a run needs it and must not load
trafilatura or PDFium. It decides which stored documents are extracted anew (`crawlers/extract.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Where the licence marks of a format are looked for: in the parsed page, in a page made of its source text, in a page
# made of the text that was extracted, or nowhere but in what the item and its headers state.
Marks: TypeAlias = Literal["page", "source", "extracted", ""]


@dataclass(frozen=True, slots=True)
class Family:
    """Formats whose readers share code, and what decides their text besides the bytes."""

    name: str
    version: int  # raise it when a reader of the family, or a module that it imports, yields another text or date
    libraries: tuple[str, ...] = ()  # distributions of these readers alone; those of all formats: crawlers/extract.py


@dataclass(frozen=True, slots=True)
class Format:
    """One format: who reads it, and how it is recognised where the bytes do not tell (crawlers/formats/sniffing.py)."""

    family: Family
    reader: str  # module of this package whose `extract(item)` gives the text; of tables, whose `rows` gives items
    marks: Marks = ""
    magic: tuple[bytes, ...] = ()  # first bytes
    endings: tuple[str, ...] = ()  # of a file name; believed between kinds of text
    media: tuple[str, ...] = ()  # media types; believed as `endings` are


HTML = Family("html", 1, ("trafilatura",))
MARKDOWN = Family("markdown", 1)
TEXT = Family("text", 1)
HWP = Family("hwp", 1, ("cryptography",))
DOCX = Family("docx", 1)
PDF = Family("pdf", 1, ("pypdfium2",))
MEDIAWIKI = Family("mediawiki", 1)
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
    "row": Format(TEXT, "text", "source"),  # a cell or field: an item whose body is text already
    "hwp": Format(HWP, "hwp.hwp5", "extracted"),
    "hwp3": Format(HWP, "hwp.hwp3", "extracted", magic=(b"HWP Document File",)),  # HWP 5 has them inside its container
    "hwpx": Format(HWP, "hwp.hwpx", "extracted"),
    "hwpml": Format(HWP, "hwp.hwpml", "extracted"),
    "docx": Format(DOCX, "docx.docx", "extracted"),
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
    "csv": Format(TABLE, "tables", endings=("csv",), media=("text/csv",)),
    "tsv": Format(TABLE, "tables", endings=("tsv", "tab"), media=("text/tab-separated-values",)),
    "json": Format(TABLE, "tables", endings=("json",), media=("application/json",)),
    "jsonl": Format(TABLE, "tables", endings=("jsonl", "ndjson"), media=("application/jsonl", "application/x-ndjson")),
}
TABLES = frozenset(name for name, one in FORMATS.items() if one.family is TABLE)
FAMILIES = tuple(dict.fromkeys(one.family for one in FORMATS.values()))
