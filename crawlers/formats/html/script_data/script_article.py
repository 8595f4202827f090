"""Choose between the text that a page shows and the article in the data that it carries for its scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import html

from crawlers.formats.html import html_tree
from crawlers.formats.html.page_metadata import Metadata
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.script_data import article_candidates, embedded_json
from crawlers.formats.html.text_lines import lines_with_marks

SHORT = 200  # code points; less in an empty frame is not an article
LITTLE = 1_500  # code points; below, the embedded data of the page is searched for an article
CLEARLY_MORE = 2  # minimum ratio to the length of the visible text
MORE = 1.2  # the same, if the article contains the visible text: its beginning is shown
LOST = 0.8  # share of the words; with less, extraction took a part of the body for something else
CONTAINED = 0.8  # share of the visible lines
ANOTHER = 0.2  # share of the lines of an `articleBody` in the visible text; with less, the page shows another text
MIN_LINE = 10  # code points; shorter lines are not compared

_SAYS = re.compile(r"[가-힣][.!?](?:[\s\"'”’)]|$)")  # the end of a sentence
_ASKS = re.compile(
    r"[^.!?\n]{0,200}(?:자바스크립트|javascript|스크립트|브라우저|불러오|로딩|잠시만|기다려)[^.!?\n]{0,200}[.!?]?", re.I
)
_CAPTION = re.compile(
    r"caption|(?:img|image|photo|pic|figure|media)[-_]?(?:desc|cap|txt|text|info|source|credit)|credit|byline|reporter"
    r"|copyright|ad[-_]?(?:slot|area|box|wrap)|related",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\$\$[A-Z][A-Z_0-9]{2,40}\$\$|\{\{?\s?(?:AD|ad)[-_\w]{0,30}\s?\}?\}|\[\[?AD[-_\w]{0,30}\]?\]")
_DROPPED = ("script", "style", "figcaption", "button", "iframe", "nav", "aside", "form", "noscript", "select")
_SPACE = re.compile(r"\s+")

Reading = Callable[[html.HtmlElement], tuple[str, str]]


def choose(page: Page, found: Metadata, text: str, reason: str, read: Reading) -> tuple[str, str]:
    """Return the article in the page's embedded data if the visible text is empty or clearly less; else the input.

    `read` extracts the text of a tree: the markup of the article goes through the same extraction as a visible page.
    A page with almost no visible text, no unambiguous article and an empty container for scripts is
    `needs-script`: its visible text is only its frame.
    """
    stated = article_candidates.strip_markup(found.body)
    another = _is_another(stated, text)
    if len(text) >= LITTLE and len(stated) <= CLEARLY_MORE * len(text) and not another:
        return text, reason
    try:
        carried = read_markup(embedded_json.article(page.tree, found.title, found.body), read)
        shell = len(text) < LITTLE and embedded_json.is_shell(page.tree)
    except RecursionError:  # maliciously deep data
        return text, reason
    if carried and (shell or another or _is_more(carried, text)):
        return carried, ""
    if len(text) < SHORT and shell and not carried and not _SAYS.search(_ASKS.sub("", text)):
        return "", "needs-script"
    return text, reason


def _is_more(carried: str, text: str) -> bool:
    if len(text) < SHORT:
        return len(carried) > len(text)
    if len(carried) > CLEARLY_MORE * len(text):
        return True
    return len(carried) > MORE * len(text) and _measure_shared(text, carried) >= CONTAINED


def _is_another(stated: str, text: str) -> bool:
    """Whether the page declares an article (`articleBody`) and shows another text of at most twice its length."""
    return len(stated) >= max(SHORT, len(text) / CLEARLY_MORE) and _measure_shared(stated, text) < ANOTHER


def _measure_shared(lines: str, text: str) -> float:
    """Return the share of the lines, by code points, that the text contains; 1 if no line is long enough."""
    whole = _SPACE.sub("", text)
    long = [_SPACE.sub("", line) for line in lines.split("\n") if len(line) >= MIN_LINE]
    return sum(len(line) for line in long if line in whole) / sum(map(len, long)) if long else 1.0


def read_markup(markup: str, read: Reading) -> str:
    """Return the text of the markup of an article; "" of an empty one.

    Captions, credits and places for advertisements are removed. Where the extraction loses words, the lines of the
    markup are returned as they are.
    """
    if not markup:
        return ""
    body = _PLACE.sub("\n", markup)
    tree = html_tree.tree_of(f"<html><body><article>{body}</article></body></html>")
    if tree is None:
        return ""
    for part in list(tree.iter(*_DROPPED)):
        if part.tag != "aside" or "quote" not in (part.get("class") or ""):
            part.drop_tree()
    for part in list(tree.iter("em", "span", "p", "div", "strong", "td", "cite", "small")):
        name = f"{part.get('id') or ''} {part.get('class') or ''}"
        if name != " " and _CAPTION.search(name) and part.getparent() is not None and len(part.text_content()) < SHORT:
            part.drop_tree()
    plain = lines_with_marks(tree)
    text, reason = read(tree)
    squeezed = len(_SPACE.sub("", text))
    return text if not reason and squeezed >= LOST * len(_SPACE.sub("", plain)) else plain
