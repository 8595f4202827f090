"""Read a page as a visitor does: its language, its words without code and data, its links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

_VOID = {"meta", "br", "input", "link", "img", "rect", "line", "path"}
_HIDDEN = {"style", "script"}


@dataclass
class Page(HTMLParser):
    """A parsed page; words inside code, `class="code"` or another `lang` are data."""

    language: str = ""
    text: str = ""  # all words
    own: str = ""  # words of the page itself
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if tag == "html":
            self.language = given.get("lang") or ""
        if tag == "a":
            self.links.append(given.get("href") or "")
        if "id" in given:
            self.ids.add(given["id"] or "")
        self.own += f" {given.get('aria-label') or ''} "
        foreign = given.get("lang") not in (None, self.language)
        data = foreign or tag in ("code", "pre", *_HIDDEN) or "code" in (given.get("class") or "").split()
        if tag not in _VOID:
            self._open.append((tag, data))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if any(tag in _HIDDEN for tag, _ in self._open):
            return
        self.text += data
        if not any(data for _, data in self._open):
            self.own += data

    def has_hangul(self) -> bool:
        """Whether the page's own words have a Hangul letter."""
        return bool(re.search("[가-힣]", self.own))

    def has_english_sentence(self) -> bool:
        """Whether four English words of the page itself follow one another."""
        own = re.sub(r"Creative Commons|MIT License|Merkle", "", self.own)
        return bool(re.search(r"(?:\b[A-Za-z]+,? ){3}[A-Za-z]+", own))


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page
