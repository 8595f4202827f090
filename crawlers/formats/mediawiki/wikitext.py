"""Text extraction from MediaWiki markup: prose, headings and lists, without layout markup.

Removed: templates except those that carry words (crawlers/formats/mediawiki/wikitext_templates.py), infoboxes,
references, files, categories, interlanguage links, galleries, comments, and the sections
that list other pages (각주, 같이 보기, 외부 링크, 참고 문헌). Kept: the label of a link with the letters joined
to it, tables as rows, formulas as $…$, code unchanged. Templates are not expanded: a page that consists
of them has no text here.
"""

from __future__ import annotations

import re

from crawlers.encodings.decode import decode
from crawlers.formats.mediawiki.wikitext_lines import prose
from crawlers.formats.mediawiki.wikitext_parser import render
from crawlers.formats.mediawiki.wikitext_templates import DISAMBIGUATION
from malmoi.source import Extracted, Item

MAX_MARKUP = 8_000_000  # code points; MediaWiki saves pages of at most 2 MiB ($wgMaxArticleSize)
REDIRECT = re.compile(r"\s{0,100}#\s{0,10}(?:redirect|넘겨주기|재지정)\s{0,10}:?\s{0,10}\[\[", re.IGNORECASE)


def extract(item: Item) -> Extracted:
    """Extract a page's text; dropped as `empty`, `redirect`, `links-only` (disambiguation), `too-large`, `no-text`."""
    encoding, undecodable = "utf-8", False
    if isinstance(item.body, str):
        markup = item.body
    else:
        decoded = decode(item.body, item.charset)
        markup, encoding, undecodable = decoded.text, decoded.encoding, decoded.is_undecodable
    reason = "undecodable" if undecodable else refusal(markup)
    text = "" if reason else text_of(markup)
    reason = reason or ("" if text else "no-text")
    return Extracted(
        text=text,
        title=item.title,
        date=item.date,
        author=item.author,
        format="wikitext",
        encoding=encoding,
        outcome="dropped" if reason else "kept",
        reason=reason,
    )


def text_of(markup: str) -> str:
    """Return the prose of a page.

    >>> text_of("[[정]]의 <nowiki>[[무]]</nowiki>\\n== 각주 ==\\n{{각주}}")
    '정의 [[무]]'
    """
    page = render(markup)
    return page.restore(prose(page.text)).strip()


def refusal(markup: str) -> str:
    """Return the reason to refuse a page, or "".

    >>> refusal("#넘겨주기 [[서울]]"), refusal("{{동음이의}}"), refusal("서울은 도시이다.")
    ('redirect', 'links-only', '')
    """
    if not markup.strip():
        return "empty"
    if len(markup) > MAX_MARKUP:
        return "too-large"
    if REDIRECT.match(markup):
        return "redirect"
    return "links-only" if DISAMBIGUATION.search(markup) else ""
