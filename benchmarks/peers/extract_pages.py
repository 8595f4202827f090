"""Texts as other extractors find them: `extract_pages.py SYSTEM PAGES.jsonl`, where `extract_pages.txt` is installed.

Reads {name, url, body (base64)} a line; prints {cpu: seconds}, then {name, text} a line. Each system gets the bytes of
the page; readability and resiliparse get text that resiliparse's own detection decoded.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import base64
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

Extract = Callable[[bytes], str]


def use_trafilatura() -> Extract:
    """Markdown with tables, its defaults else."""
    import trafilatura

    return lambda body: trafilatura.extract(body, output_format="markdown", include_tables=True) or ""


def use_resiliparse() -> Extract:
    """Its main content extraction as plain text with lists."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import detect_encoding
    from resiliparse.parse.html import HTMLTree

    def extract(body: bytes) -> str:
        tree = HTMLTree.parse_from_bytes(body, detect_encoding(body, html5_compatible=True))
        return str(extract_plain_text(tree, main_content=True, list_bullets=True, preserve_formatting=True))

    return extract


def use_readability() -> Extract:
    """readability-lxml, its HTML written as Markdown by markdownify."""
    from markdownify import markdownify
    from readability import Document
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    def extract(body: bytes) -> str:
        text = bytes_to_str(body, detect_encoding(body, html5_compatible=True))
        return str(markdownify(Document(text).summary(html_partial=True), heading_style="ATX"))

    return extract


SYSTEMS = {"trafilatura": use_trafilatura, "resiliparse": use_resiliparse, "readability": use_readability}


def extract_safely(extract: Extract, body: bytes) -> str:
    """Return the text, "" after an exception: a page that an extractor cannot read is part of the comparison."""
    try:
        return extract(body)
    except Exception:
        return ""


def main(system: str, source: Path) -> None:
    """Texts of one system to standard output."""
    logging.disable(logging.CRITICAL)
    extract = SYSTEMS[system]()
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    bodies = [base64.b64decode(row["body"]) for row in rows]
    texts = []
    for body in bodies[:3]:
        extract_safely(extract, body)  # what is loaded at the first call is no part of the work
    start = time.process_time()
    for body in bodies:
        texts.append(extract_safely(extract, body))
    print(json.dumps({"cpu": time.process_time() - start}))
    for row, text in zip(rows, texts, strict=True):
        print(json.dumps({"name": row["name"], "text": text}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
