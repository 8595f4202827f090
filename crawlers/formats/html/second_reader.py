"""Read a page again with trafilatura, where the line model finds no text.

The only file that imports trafilatura. `fast=True` skips its fallback extractors; its metadata search costs more than
the extraction and is skipped too. Its import takes longer than a hundred pages, so only the first page that needs it
waits for it.
"""

from __future__ import annotations

import logging
from copy import deepcopy

from lxml import html

from crawlers.formats.html.script_data.article_candidates import extract_prose

MOST_ELEMENTS = 20_000  # of a page; trafilatura takes time by the square of nested ones


def read_again(tree: html.HtmlElement) -> str:
    """Return the text that trafilatura finds in a page, if it reads as Korean prose; else ""."""
    if sum(1 for _ in tree.iter()) > MOST_ELEMENTS:
        return ""
    from trafilatura import bare_extraction
    from trafilatura.settings import Extractor

    # It reports every page without text as a warning; that is our verdict, counted elsewhere.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    options = Extractor(output_format="python", fast=True, comments=False, with_metadata=False)
    found = bare_extraction(deepcopy(tree), options=options)
    lines = (getattr(found, "text", "") or "").split("\n")
    return extract_prose("\n".join(line for raw in lines if (line := " ".join(raw.split()))))
