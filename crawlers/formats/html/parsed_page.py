"""A parsed web page: the value shared by text extraction and licence detection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lxml import html

from crawlers.formats.html import runs as place
from crawlers.formats.html.runs import Run


@dataclass(frozen=True)
class Page:
    """A page as text and as a tree that all readers share: do not change the tree."""

    text: str
    tree: html.HtmlElement
    encoding: str
    replaced: int  # U+FFFD in the text
    reason: str = ""  # "unreadable-html" if the markup could not be parsed and the tree is empty

    @cached_property
    def runs(self) -> list[Run]:
        """The visible, unquoted runs in document order (`runs.runs`)."""
        return place.runs(self.tree)
