"""Bulletin boards, as Korean institutions publish on them: lists of numbered articles.

The same article has many addresses on a board (menu, page and search of the visitor stand in them). Here it
has one, made of its number, so that it is fetched once and keeps its id.
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
    """How to tell the pages of one board apart, by their addresses."""

    article: re.Pattern[str]  # searched in an address; its one group is the number of the article
    page: str  # the one address of an article, with {} for its number
    lists: re.Pattern[str]  # searched in an address: a page that lists articles
    parameter: str = ""  # query parameter that counts the pages of a list from 1; "" where lists link to each other

    def number(self, url: str) -> str:
        """The number of the article at `url`, "" where it is none.

        >>> article = re.compile(r"/view\\.do\\?(?:.*&)?no=(\\d+)")
        >>> board = Board(article, "https://a.kr/view.do?no={}", re.compile("/list"))
        >>> board.number("https://a.kr/view.do?menu=3&no=41"), board.number("https://a.kr/list.do?page=2")
        ('41', '')
        """
        found = self.article.search(url)
        return found[1] if found else ""


def follow(board: Board, capture: Capture) -> Iterator[str]:
    """The articles that a list names, each under its one address, and the other lists; articles lead nowhere."""
    if board.number(capture.url):
        return
    found = list(links(capture))
    articles = list(dict.fromkeys(number for url in found if (number := board.number(url))))
    yield from (board.page.format(number) for number in articles)
    if board.parameter:  # pages of a list are often turned by script, and count on
        if articles:
            yield _next_page(capture.url, board.parameter)
    else:
        yield from (url for url in found if board.lists.search(url) and not board.number(url))


def items(board: Board, capture: Capture) -> Iterator[Item]:
    """The article of a page, its number as key; a list is no document."""
    number = board.number(capture.url)
    if number:
        yield from (replace(item, key=number) for item in defaults.items(capture))


def _next_page(url: str, parameter: str) -> str:
    """The address of the next page of a list; counting starts at 1."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    at = query.get(parameter, "1")
    query[parameter] = str(int(at) + 1 if at.isascii() and at.isdigit() and len(at) < 7 else 2)
    return urlunsplit((*parts[:3], urlencode(query), ""))
