"""What of a run is extraction and what Kiwi: `python -m benchmarks.parts SOURCE WORKSPACE OUT`.

Inside the workers neither can be timed without slowing both, so a finished run is gone over again
in one process: each page through `text`, each document that carries morphemes through
`morphology.mark`, and the same texts through bare `Kiwi.tokenize`. Only CPU inside these calls
counts; the archive, rights, Arrow and start-up are left to "everything else".
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pyarrow.compute as pc

from crawlers import catalogue, defaults
from crawlers import extract as extraction
from filters import morphology
from flows.curate import extract_jobs
from malmoi import shard
from malmoi.document import Document, Provenance
from malmoi.source import Item
from malmoi.workspace import Workspace

T = TypeVar("T")


def main(source: str, workspace: str, out: str) -> None:
    """Write {"extraction": CPU seconds, "kiwi": …, "bare_kiwi": …, "analysed": documents}."""
    root = Path(workspace)
    extraction.warm()
    kiwi = morphology.load()
    read = catalogue.load(source).text or defaults.text
    texts = list(analysed(root))
    nowhere = Provenance("", "", "", "", "")
    found = {
        "extraction": spent(read, items(Workspace.open(root), source)),
        "kiwi": spent(morphology.mark, (Document("", text, nowhere) for text in texts)),
        "bare_kiwi": spent(kiwi.tokenize, iter(texts)),
        "analysed": len(texts),
    }
    Path(out).write_text(json.dumps(found), encoding="utf-8")


def spent(call: Callable[[T], object], values: Iterator[T]) -> float:
    """CPU seconds inside `call`; making the values is not counted.

    >>> spent(len, iter(["가", "나"])) < 1
    True
    """
    total = 0.0
    for value in values:
        began = time.process_time()
        call(value)
        total += time.process_time() - began
    return total


def items(home: Workspace, source: str) -> Iterator[Item]:
    """Every item that the run has extracted."""
    definition = catalogue.load(source)
    for job in extract_jobs(home, source):
        for row in job.rows:
            yield from (definition.items or defaults.items)(
                replace(extraction.load(row), source=definition.source.name)
            )


def analysed(root: Path) -> Iterator[str]:
    """The texts that carry morphemes, kept or dropped."""
    for path in sorted(root.glob("5-curated/*/*.parquet")):
        table = shard.read(path, ["text", "morphemes"])
        yield from table.filter(pc.is_valid(table["morphemes"]))["text"].to_pylist()


if __name__ == "__main__":
    main(*sys.argv[1:])
