"""Choose the title of a page among what its tab, its headings and the beginning of its text say.

The tab is written for browsers and search engines: it names the site as well, or is the file name of a wiki page. What
names the site is cut off where the page or its host shows that it does; the only heading of the main content comes
before a tab that does not hold it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from copy import copy

from lxml import etree, html

from crawlers.formats.html.class_names import classify_names
from crawlers.formats.html.page_date import leads_away

MAX_TITLE = 300  # code points; longer is not a title
FIRST_LINES = 3  # lines of a text that may be its title
_SEPARATOR = re.compile(r"\s+(?:[-|:·•–—«»<>]|::|\|\|)\s+|\s*::+\s*|:\s+|\s+(?=\[)")
_NAME = re.compile(
    r"\s+[^\w\s]{1,3}\s+|\s*(?:::+|[|»›])\s*|[:_]\s+|\s+(?=[\[(])"
)  # before or behind a name known to be one
_UNSEEN = ("\u200b", "\ufeff", "\u2060", "\u00ad")  # characters without width, as permalinks hold
_PERMALINK = re.compile(r"anchor|headerlink|hash-?link|permalink", re.IGNORECASE)
_WORD = re.compile(r"\w")


def find_title(
    stated: str, heading: str, text: str, tree: etree._Element, url: str, names: Collection[str] = ()
) -> str:
    """Return the title of a page: the part of `stated` that its heading or text repeats, or the heading, or `stated`.

    `heading` is the only heading of the main content ("" without one), `names` are the digests of what names the site
    (`digest_name`). A heading that a link to another page repeats is that of a section.
    """
    stated = _strip_names(stated, names)
    heading = "" if names and digest_name(heading) in names else heading
    first = [line for line in text.split("\n", FIRST_LINES)[:FIRST_LINES] if len(line) <= MAX_TITLE]
    lines = {fold(line) for line in first if not names or digest_name(line) not in names}
    if fold(stated) in lines or not text:
        return stated
    known = {*lines, fold(heading)} - {""}
    for part in sorted(_parts(stated), key=len, reverse=True):  # the name of a site is the shorter part
        if fold(part) in known and (stated.startswith(part) or not _is_linked(tree, part, url)):
            return part
    if fold(heading) in known & lines and not _is_headed(tree, stated) and not _is_linked(tree, heading, url):
        return heading
    return stated


def words_of_heading(heading: html.HtmlElement) -> str:
    """Return the words of a heading without its permalink (¶, #, an icon, a zero-width space).

    >>> from lxml import html
    >>> words_of_heading(html.fragment_fromstring("<h1>하나<a class=header-anchor href='#a'>\u200b</a> 둘</h1>"))
    '하나 둘'
    """
    marks = [place for place, link in enumerate(heading.iter("a")) if _is_permalink(link)]
    if marks:
        heading = copy(heading)
        links = list(heading.iter("a"))
        for place in marks:
            links[place].drop_tree()
    return collapse_spaces(_drop_unseen("".join(map(str, heading.itertext()))))


def digest_name(name: str) -> str:
    """Return the digest under which the name of a site is stored: a template of a host holds no text."""
    return hashlib.sha256(fold(name).encode("utf-8", "replace")).hexdigest()[:16]


def has_name(title: str, names: Collection[str]) -> bool:
    """Whether a title or a part of it is one of the names, given as digests."""
    return any(digest_name(part) in names for part in (title, *split_names(title)))


def split_names(title: str) -> list[str]:
    """Return the parts of a title, each of which may name the site; [] of a title with one part.

    >>> split_names("안전 수칙 [공장 위키]"), split_names("memo | 안내서")
    (['안전 수칙', '공장 위키'], ['memo', '안내서'])
    """
    parts = [_unwrap(part) for part in _NAME.split(title)]
    return parts if len(parts) > 1 else []


def is_main(heading: etree._Element) -> bool:
    """Whether a heading is neither in the frame of the site nor in navigation, a comment or a sidebar."""
    framed = False
    for above in heading.iterancestors():
        kind = above.get("role") or above.tag
        if kind in ("article", "main"):
            return True
        if above.tag == "body":
            break
        quoting, _, framing, _, _ = classify_names(f"{above.get('class') or ''} {above.get('id') or ''}")
        if kind in ("nav", "aside", "footer", "navigation", "complementary", "contentinfo", "dialog") or quoting:
            return False
        framed = framed or framing or kind in ("header", "banner")
    return not framed


def collapse_spaces(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """Return a text for comparison: without spaces and characters without width, in one case."""
    return _drop_unseen("".join(text.split())).casefold()


def _drop_unseen(text: str) -> str:
    for character in () if text.isascii() else _UNSEEN:
        text = text.replace(character, "")
    return text


def _parts(title: str) -> Iterator[str]:
    """Yield the beginnings and ends of a title at its separators."""
    for cut in _SEPARATOR.finditer(title):
        yield title[: cut.start()]
        yield _unwrap(title[cut.end() :])


def _unwrap(part: str) -> str:
    """Return a part of a title without the brackets around it."""
    part = part.strip()
    return part[1:-1].strip() if part[:1] + part[-1:] in ("[]", "()") else part


def _strip_names(title: str, names: Collection[str]) -> str:
    """Cut the names of the site from the end and the beginning of a title, if anything remains."""
    if not names:
        return title
    for cut in reversed(list(_NAME.finditer(title))):
        if digest_name(_unwrap(title[cut.end() :])) not in names or not title[: cut.start()].strip():
            break
        title = title[: cut.start()]
    while (first := _NAME.search(title)) is not None and digest_name(_unwrap(title[: first.start()])) in names:
        title = title[first.end() :]
    return title


def _is_linked(tree: etree._Element, words: str, url: str) -> bool:
    """Whether a link to another page has these words."""
    want = fold(words)
    links = (link for link in tree.iter("a") if fold("".join(map(str, link.itertext()))) == want)
    return any(not (link.get("href") or "#").startswith("#") and leads_away(link, url) for link in links)


def _is_headed(tree: etree._Element, title: str) -> bool:
    """Whether a lower heading has the words of a title or of a part of it."""
    parts = {fold(title), *map(fold, _parts(title))}
    return any(fold("".join(map(str, heading.itertext()))) in parts for heading in tree.iter("h2", "h3", "h4"))


def _is_permalink(link: etree._Element) -> bool:
    if not (link.get("href") or "#").startswith("#"):
        return False
    return bool(_PERMALINK.search(link.get("class") or "")) or not _WORD.search("".join(map(str, link.itertext())))
