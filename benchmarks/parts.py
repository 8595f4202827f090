"""What of a run is extraction, what rights and what Kiwi: `python -m benchmarks.parts SOURCE WORKSPACE OUT`.

Inside the workers none can be timed without slowing all, so a finished run is gone over again in one process: each
capture read, parsed and made a document by the templates of the run, as a worker does it; the hosts learned once
more; each document that carries morphemes through `morphology.mark`, and the same texts through bare
`Kiwi.tokenize`. Rights are what the marks and signals of a page cost once it is parsed; the walk over what it shows
serves the text too and counts as extraction. Arrow, the ledger and start-up are left to "everything else".
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

from crawlers import catalogue, defaults, host_templates
from crawlers import extract as extraction
from crawlers.formats import ParsedItem
from filters import morphology
from flows.curate import extract_jobs, learn_jobs
from flows.engine.shard_jobs import ExtractJob, make_learn_worker
from malmoi.archive.capture import IndexRow
from malmoi.document import Document, LicenceEvidence, Provenance, Signal
from malmoi.storage import shard
from malmoi.workspace import Workspace

T = TypeVar("T")


def main(source: str, workspace: str, out: str) -> None:
    """Write {"extraction": CPU seconds, "rights": …, "learning": …, "kiwi": …, "bare_kiwi": …, "analysed": texts}."""
    root = Path(workspace)
    extraction.warm()
    kiwi = morphology.load()
    home = Workspace.open(root)
    whole, rights = extracted(home, source)
    texts = list(analysed(root))
    nowhere = Provenance("", "", "", "", "")
    found = {
        "extraction": whole - rights,
        "rights": rights,
        "learning": sum(
            spent(make_learn_worker(job.extraction), iter([job.sample])) for job in learn_jobs(home, source)
        ),
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


class Timed:
    """The `evidence` of a source, with the CPU seconds that it has taken."""

    def __init__(self, evidence: catalogue.Evidence) -> None:
        self.evidence = evidence
        self.seconds = 0.0

    def __call__(self, parsed: ParsedItem) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        """What `evidence` finds."""
        began = time.process_time()
        try:
            return self.evidence(parsed)
        finally:
            self.seconds += time.process_time() - began


def extracted(home: Workspace, source: str) -> tuple[float, float]:
    """CPU seconds that making all documents takes, and how much of that is evidence of rights."""
    found = [_extracted(job) for job in extract_jobs(home, source)]
    return sum(whole for whole, _ in found), sum(rights for _, rights in found)


def _extracted(job: ExtractJob) -> tuple[float, float]:
    """What a worker does for the captures of one shard (`crawlers.extract.extractor`), but for other visits."""
    definition = catalogue.load(job.extraction.definition)
    made = defaults.evidence_for(definition.source, dict(job.extraction.archived), definition.evidence)
    rights, items = Timed(made), definition.items or defaults.items
    read = host_templates.reader(job.extraction.templates, definition.text or defaults.text)

    def extract(row: IndexRow) -> None:
        capture = replace(extraction.load_capture(row), source=definition.source.name)
        for item in items(capture):
            parsed = ParsedItem(item)
            extraction.make_document(capture, row.payload_sha256, parsed, read(parsed).extracted, rights)

    return spent(extract, iter(job.rows)), rights.seconds


def analysed(root: Path) -> Iterator[str]:
    """The texts that carry morphemes, kept or dropped."""
    for path in sorted(root.glob("5-curated/*/d[or]*.parquet")):
        table = shard.read(path, ["text", "morphemes"])
        yield from table.filter(pc.is_valid(table["morphemes"]))["text"].to_pylist()


if __name__ == "__main__":
    main(*sys.argv[1:])
