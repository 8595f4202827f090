"""Held-out sets of domains that the inputs do not have: JSON lines made of the corpora.

dialogue: short turns (chatbot-dialogue-ko), ten exchanges a document. law: tax rulings (law-ko, so it may not be
a source of the inputs). prose: blogs, tweets and encyclopedia (kiwi-sentence-split). Running text only: on the
fragments of the PDF manuals of law-ko a model that read shuffled words was better (docs/ablate.md). Not the guides of
debian-installguide-ko: web-ko has earlier versions of them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.sources.corpora import CORPORA

SHORTEST = 80  # code points of a document
EXCHANGES = 10


def write_held_out(folder: Path) -> list[str]:
    """Write one file for each set into `folder`; return their names."""
    sets = {"dialogue": _read_dialogues(), "law": _read_rulings(), "prose": _read_prose()}
    for name, texts in sets.items():
        rows = ({"text": text} for text in texts if len(text) >= SHORTEST)
        write_rows(folder / f"{name}.jsonl", rows)
    return list(sets)


def write_rows(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _read_dialogues() -> Iterator[str]:
    with (CORPORA / "chatbot-dialogue-ko" / "ChatbotData.csv").open(encoding="utf-8", newline="") as stream:
        turns = [f"{row['Q']}\n{row['A']}" for row in csv.DictReader(stream)]
    for at in range(0, len(turns), EXCHANGES):
        yield "\n".join(turns[at : at + EXCHANGES])


def _read_rulings() -> Iterator[str]:
    for line in (CORPORA / "law-ko" / "tax_rulings.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield "\n".join(row[key] or "" for key in ("사건명", "재결요지", "주문")).strip()


def _read_prose() -> Iterator[str]:
    for path in sorted((CORPORA / "kiwi-sentence-split" / "testset").glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("\n\n"):
            yield " ".join(part.split())  # a line is a sentence, followed by a blank that no text has before a line end
