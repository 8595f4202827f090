"""The texts in which copies are planted: of the corpora, or of files that the caller names."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import gold
from benchmarks.sources.corpora import CORPORA

MOST_CHARS = 20_000  # code points; a longer text costs the brute force more than it tells
DIALOGUE = CORPORA / "chatbot-dialogue-ko" / "ChatbotData.csv"


def chosen(
    paths: Sequence[Path], workspace: str | None, originals: int, shorts: int, seed: int
) -> list[tuple[str, str]]:
    """(id, text) in the order of hashed ids, texts of MOST_CHARS at most: those of `paths`, else of the corpora."""
    if paths:
        named = [(f"{i}/{name}", text) for i, path in enumerate(paths, 1) for name, text in read(path)]
        return sample(named, originals, seed)
    if workspace is None and not CORPORA.is_dir():
        return []
    turns = sample(list(dialogue()), shorts, seed)
    return sample(list(gold.texts_of(workspace).items()), originals, seed) + turns


def sample(texts: Sequence[tuple[str, str]], most: int, seed: int) -> list[tuple[str, str]]:
    """At most so many, by the hash of seed and id.

    >>> sample([("a", "글"), ("b", " "), ("c", "말")], 5, 1)
    [('a', '글'), ('c', '말')]
    """
    fit = [(name, text) for name, text in texts if text.strip() and len(text) <= MOST_CHARS]
    return sorted(fit, key=lambda pair: hashlib.sha256(f"{seed}:{pair[0]}".encode()).digest())[:most]


def read(path: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of a folder or a file; ValueError names a line without a text."""
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".md")):
            yield str(file.relative_to(path)), file.read_text(encoding="utf-8", errors="replace")
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row = json.loads(line)
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                raise ValueError(f"{path}:{number}: no field 'text'; give an object with `text` a line.")
            yield f"{path.name}#{number}", row["text"]


def dialogue() -> Iterator[tuple[str, str]]:
    """Question and answer of a turn, a text; nothing where the corpus is not here."""
    if not DIALOGUE.exists():
        return
    with DIALOGUE.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 1):
            yield f"dialogue/{number}", f"{row['Q']}\n{row['A']}"
