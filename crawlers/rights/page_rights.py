"""Read the rights of a page: proofs and candidates, refusals, and signs of third parties.

Markdown, plain text and rows become a page, so that licence marks are read as on web pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt

from crawlers.encodings.decode import decode
from crawlers.formats import text as plain
from crawlers.formats.html.html_page import parse
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import MAX_QUOTE, Run, path, quote, scope
from crawlers.formats.markdown import split_front
from crawlers.rights import licence_fields, page_proofs, third_parties
from crawlers.rights.refusals import is_about_work, may_refuse, refusal
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.rights_decision import NONE
from malmoi.source import Item, Source

_NOTICE = re.compile(r"all\s?rights?\s?reserved|copyright|\(c\)|©", re.I)  # by habit, also beside a licence
MAX_END = 20_000  # code points that are read at the beginning and at the end of a text, where marks are
MAX_LAST = 2_000  # code points at the end of a long Markdown text that are also read as plain lines
_COMMENT = re.compile(r"\{/\*.{0,4000}?\*/\}", re.DOTALL)
_MARKUP = re.compile(r"</?(?:a|p|br|div|span|table|td|tr|li|ul|h[1-6]|img|footer|article)(?:\s[^<>]{0,2000})?/?>", re.I)
# Elements whose content is not read; an unclosed one would hide the rest of the text.
_HIDING = re.compile(
    r"<(/?)(script|style|template|noscript|head|select|option|datalist|textarea|iframe|object|svg|pre|code|samp|kbd"
    r"|blockquote|q|figure|figcaption|label|button|del|s|strike|dialog|title|xmp|plaintext)(?=[\s>/])[^>]{0,2000}>",
    re.I,
)


def read(item: Item, page: Page, source: Source) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals) of `page`, the page of `item` or the page made from its text."""
    found = page_proofs.find(item, page, source.rule, source.publisher)
    refused = _find_refusals(page.runs, item.record, any(one.scope == "item" for one in found), bool(found))
    evidence = (*found, *refused)
    if not (found or item.evidence or source.claim or source.rule.fields):
        return evidence, ()
    signs = third_parties.find(page.runs, page.tree, source.publisher)
    return evidence, (
        *(replace(one, record=item.record) for one in signs),
        *third_parties.find_excerpts(page, item.url, item.record),
        *third_parties.find_notices(item, page, source, found),
    )


def _find_refusals(shown: Sequence[Run], record: str, granted: bool, licensed: bool) -> Iterator[LicenceEvidence]:
    """Yield the refusals of a page: `licensed` pages have reserving notices that are part of their licence."""
    paged = any(run.state.part == "item" for run in shown)
    for run in shown if may_refuse(shown) else ():
        forbidden = refusal(run)
        notice = licensed and bool(_NOTICE.search(run.text))
        if forbidden == "reserved" and (granted or notice or run.state.part == "site"):
            continue
        if forbidden == "limits" and not licensed and not is_about_work(run.text):
            continue
        if forbidden and forbidden != "training":
            kind, words = f"refusal-{forbidden}", quote(run.text[:MAX_QUOTE])
            yield LicenceEvidence(NONE, kind, scope(run.state, paged), words, path(run.owner), record)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The page made from an item, and the statements of its front matter."""

    page: Page
    stated: tuple[LicenceEvidence, ...] = ()


def page_from_item(item: Item, kind: str) -> Rendered:
    """Return the page made from an item of format `kind`: Markdown ("markdown"), plain text, or a cell or field.

    A line of text becomes a paragraph of the item; a cell that contains markup keeps it. Of a long text the first
    and last MAX_END code points are read.
    """
    if isinstance(item.body, str):
        body = _ends(plain.normalise_lines(item.body))
        inside = _balance_tags(_drop_open_comment(body)) if _MARKUP.search(body) else _lines(body)
        return Rendered(_page(item, f"{inside}{_lines(item.title) if item.title else ''}"))
    text = plain.normalise_lines(decode(item.body, item.charset).text)
    front, body = split_front(text)
    stated = licence_fields.find(front, item.record, strict=True)
    if kind != "markdown":
        return Rendered(_page(item, _lines(_ends(text))), stated)
    ends = _ends(body)
    # A code fence that the cut leaves open would turn the rest into code, so the last lines are also read as text.
    last = _lines(body[-MAX_LAST:]) if len(ends) < len(body) else ""
    markup = _balance_tags(_parser().render(_drop_open_comment(_COMMENT.sub(" ", ends))))
    return Rendered(_page(item, markup + last), stated)


def page_from_text(item: Item, text: str) -> Page:
    """Return the page made from the text that was extracted from a document, read as plain text."""
    return _page(item, _lines(_ends(text)))


def _ends(text: str) -> str:
    if len(text) <= 2 * MAX_END:
        return text
    return f"{text[:MAX_END]}\n\n{text[-MAX_END:].partition(chr(10))[2] or text[-MAX_END:]}"


def _lines(text: str) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in text.split("\n") if line.strip())


def _drop_open_comment(text: str) -> str:
    """Return `text` without the beginning of an unclosed comment, which would hide what follows it."""
    at = text.rfind("<!--")
    return f"{text[:at]}{text[at + 4 :]}" if at >= 0 and text.find("-->", at) < 0 else text


def _balance_tags(markup: str) -> str:
    """Return `markup` without the tags of hiding elements that are not closed as often as they are opened."""
    opened: Counter[str] = Counter()
    for close, name in _HIDING.findall(markup):
        opened[name.lower()] += -1 if close else 1
    torn = {name for name, count in opened.items() if count}
    return _HIDING.sub(lambda tag: " " if tag[2].lower() in torn else tag[0], markup) if torn else markup


def _page(item: Item, inside: str) -> Page:
    markup = f"<html><body><article>{inside}</article></body></html>"
    return parse(replace(item, body=markup, media="text/html", charset=""))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Indented code is off: in MDX, indented text is inside a tag; elsewhere it may be a notice.
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("code")
