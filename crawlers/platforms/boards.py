"""Bulletin boards of Korean institutions: lists of numbered articles.

The same article has many URLs on a board (they contain menu, page and search of the visitor). Here it
gets one URL, built from its number, so that it is fetched once and keeps its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers import defaults
from crawlers.web.scope import links
from malmoi.archive.capture import Capture
from malmoi.source import Item


@dataclass(frozen=True, slots=True)
class Board:
    """URL patterns that distinguish the pages of one board."""

    article: re.Pattern[str]  # searched in a URL; its one group is the number of the article
    page: str  # the one URL of an article, with {} for its number
    lists: re.Pattern[str]  # searched in a URL: a page that lists articles
    parameter: str = ""  # query parameter that counts the pages of a list from 1; "" if lists link to each other

    def number(self, url: str) -> str:
        """Return the number of the article at `url`, "" if it is not an article.

        >>> article = re.compile(r"/view\\.do\\?(?:.*&)?no=(\\d+)")
        >>> board = Board(article, "https://a.kr/view.do?no={}", re.compile("/list"))
        >>> board.number("https://a.kr/view.do?menu=3&no=41"), board.number("https://a.kr/list.do?page=2")
        ('41', '')
        """
        found = self.article.search(url)
        return found[1] if found else ""


def follow(board: Board, capture: Capture) -> Iterator[str]:
    """Yield the articles of a list, each under its one URL, and the other lists; article pages are not followed."""
    if board.number(capture.url):
        return
    found = list(links(capture))
    articles = list(dict.fromkeys(number for url in found if (number := board.number(url))))
    yield from (board.page.format(number) for number in articles)
    if board.parameter:  # lists often turn pages by script; their page numbers can be incremented
        if articles:
            parts = urlsplit(capture.url)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            page = query.get(board.parameter, "1")
            query[board.parameter] = str(int(page) + 1 if page.isascii() and page.isdigit() and len(page) < 7 else 2)
            yield urlunsplit((*parts[:3], urlencode(query), ""))
    else:
        yield from (url for url in found if board.lists.search(url) and not board.number(url))


def items(board: Board, capture: Capture) -> Iterator[Item]:
    """Yield the article of a page, with its number as key; a list is not a document."""
    number = board.number(capture.url)
    if number:
        yield from (replace(item, key=number) for item in defaults.items(capture))
