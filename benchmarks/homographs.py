"""`python -m benchmarks.homographs [WORKSPACE]`: homographs decided by Kiwi at several beams, and what a beam costs.

The sentences are our own (`benchmarks/labels/homographs.jsonl`); each has one word whose lemma or part of speech
depends on its context: 하늘을 나는 (날/VV), 땀이 나는 (나/VV). A word counts as right if the gold form and tag are
among the morphemes that start where it starts, without the marks for regular and irregular verbs. Groups: contracted
verbs (`irregular`), verb or adjective (`verb_adjective`), nouns (`nouns`), deciding word far away (`distant`).

Agreement (share of the default's morphemes) and CPU are taken on the texts that 4-judged of a workspace kept, else on
the sentences; all beams take turns on each line, so that a busy machine slows all.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TypedDict

from kiwipiepy import Kiwi
from rich.console import Console
from rich.table import Table

from filters.korean.text_views import remove_fences
from malmoi.storage import shard

SENTENCES = Path(__file__).parent / "labels" / "homographs.jsonl"
BEAMS = (3.0, 4.0, 5.0, 6.0, 8.0, 12.0)  # log probability; Kiwi's default is 8
DEFAULT = 8.0
LINES = 4_000  # of texts, for agreement and CPU
Morpheme = tuple[int, str, str]  # start in code points, form, tag


class Homograph(TypedDict):
    """A sentence with the span of its ambiguous word, in code points, and the morpheme that is right there."""

    group: str
    text: str
    start: int
    end: int
    form: str
    tag: str


def read_homographs() -> list[Homograph]:
    """Read the sentences, in the order of the file."""
    return [json.loads(line) for line in SENTENCES.open(encoding="utf-8")]


def is_decided(row: Homograph, morphemes: set[Morpheme]) -> bool:
    """Whether the right morpheme is among those found."""
    return (row["start"], row["form"], row["tag"]) in morphemes


def main(arguments: list[str]) -> int:
    """Print one row a beam."""
    rows = read_homographs()
    lines = list(islice(_read_lines(Path(arguments[0])), LINES)) if arguments else [row["text"] for row in rows]
    beams = {beam: _load(beam) for beam in BEAMS}
    spent, same, total = defaultdict[float, float](float), defaultdict[float, int](int), 0
    for line in lines:
        found = {}
        for beam, kiwi in beams.items():
            start = time.process_time()
            tokens = kiwi.tokenize(line)
            spent[beam] += time.process_time() - start
            found[beam] = {(t.start, t.form, t.tag.split("-")[0]) for t in tokens}
        total += len(found[DEFAULT])
        for beam, some in found.items():
            same[beam] += len(some & found[DEFAULT])
    groups = sorted({row["group"] for row in rows})
    table = Table("beam", *groups, "all", "morphemes as by default", "CPU, default = 1")
    for beam, kiwi in beams.items():
        right = defaultdict[str, list[bool]](list)
        for row in rows:
            tokens = kiwi.tokenize(row["text"])
            hit = is_decided(row, {(t.start, t.form, t.tag.split("-")[0]) for t in tokens})
            right[row["group"]].append(hit)
            right["all"].append(hit)
        table.add_row(
            f"{beam:g}",
            *(f"{sum(right[g]) / len(right[g]):.3f}" for g in (*groups, "all")),
            f"{same[beam] / total:.4f}",
            f"{spent[beam] / spent[DEFAULT]:.2f}",
        )
    Console(highlight=False).print(table)
    return 0


def _load(beam: float) -> Kiwi:
    kiwi = Kiwi(num_workers=1, load_typo_dict=False, load_multi_dict=False)
    kiwi.global_config.cutoff_threshold = beam
    kiwi.tokenize("말")
    return kiwi


def _read_lines(workspace: Path) -> Iterator[str]:
    for path in sorted(workspace.glob("4-judged/*/documents.parquet")):
        for text in shard.read(path, ["text"])["text"].to_pylist():
            prose = remove_fences(text).encode("utf-8", "replace").decode()
            yield from (line for line in prose.split("\n") if line.strip())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
