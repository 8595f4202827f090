"""Read pages with their gold texts and facts, one on a line of `WRITER.jsonl`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    title: str
    body: bytes
    gold: str

    @property
    def is_article(self) -> bool:
        return self.kind == "article"


def read_folders(folders: Iterable[Path]) -> list[HardPage]:
    """Return the pages of folders that have a gold text, in order of writers and lines."""
    facts = ("name", "url", "builder", "kind", "title", "gold")
    rows = [row for row in read_rows(folders) if "gold" in row]
    return [HardPage(body=encode_page(row), **{fact: row[fact] for fact in facts}) for row in rows]


def read_rows(folders: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the lines of folders. Pages that were only written for their kind have no `charset` and no `gold`."""
    for folder in folders:
        for path in sorted(folder.glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                yield from map(json.loads, lines)


def encode_page(row: Mapping[str, Any]) -> bytes:
    """Return the body as the server sends it: a sign that the charset lacks is a reference."""
    text: str = row["html"]
    return text.encode(row.get("charset", "utf-8"), "xmlcharrefreplace")


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
