"""A parsed web page: the one value that the readers of text and the readers of rights share."""

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
    reason: str = ""  # "unreadable-html" where the tree is empty because the markup could not be parsed

    @cached_property
    def runs(self) -> list[Run]:
        """The visible, unquoted runs in document order, as `place.runs` finds them."""
        return place.runs(self.tree)
