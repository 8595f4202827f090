"""Read the triples of page, gold text and facts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

OPEN = Path(__file__).parent / "open"
HEAD_LINES = 3  # leading lines in which an output may repeat the title, which no gold text has
_SQUEEZE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class HardPage:
    """One page: `body` as the server sends it, `gold` its text in Markdown ("" for a page that is no text)."""

    name: str
    url: str
    builder: str
    kind: str
    charset: str
    title: str
    body: bytes
    gold: str

    @property
    def is_article(self) -> bool:
        return self.kind == "article"


def read_folders(folders: Iterable[Path]) -> list[HardPage]:
    """Return the pages of folders, by name. Raises FileNotFoundError if a page has no gold text."""
    return [_read_page(path) for folder in folders for path in sorted(folder.glob("*.toml"))]


def _read_page(path: Path) -> HardPage:
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    text = path.with_suffix(".html").read_text(encoding="utf-8")
    gold = path.with_suffix(".md").read_text(encoding="utf-8").strip()
    charset = facts["charset"]
    # A page may show a sign that its own encoding lacks; servers send it as a reference.
    body = text.encode(charset, "xmlcharrefreplace")
    return HardPage(path.stem, facts["url"], facts["builder"], facts["kind"], charset, facts["title"], body, gold)


def without_title(text: str, title: str) -> str:
    """Remove a line equal to the title from the first lines of an output.

    >>> without_title("# 낱말\\n\\n본문이다.", "낱말")
    '\\n본문이다.'
    """
    wanted = _SQUEEZE.sub("", title)
    lines = text.split("\n")
    filled = [at for at, line in enumerate(lines) if line.strip()][:HEAD_LINES]
    for at in filled:
        if wanted and _SQUEEZE.sub("", lines[at]) == wanted:
            return "\n".join((*lines[:at], *lines[at + 1 :]))
    return text
