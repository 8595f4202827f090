"""What learned templates change: `python -m benchmarks.templates`, per host of web-ko or of the archive BENCH_CORPUS.

Each page is extracted in full and by the template of its host, in one process, rights marks and metadata included.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.sources import web_ko
from crawlers import extract as extraction
from crawlers import host_templates
from crawlers.extract import Extraction, Extractor, extractor, items_of
from crawlers.formats.html.host_template import Template
from crawlers.formats.html.host_template_learning import AGREEMENT, Lesson, agreement, count_shared, learn
from crawlers.host_templates import LABEL, MIN_PAGES, host_of
from malmoi.apply import Kept
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import Run
from malmoi.ledger import Failure
from malmoi.source import Warc

SOURCE = str(Path(__file__).parent / "sources" / "web_ko.py")
ARCHIVED = (("SOURCE.txt", "benchmark"),)  # where the claims of the source rest


@dataclass(frozen=True, slots=True)
class Read:
    """One page: its text, how it was read, CPU seconds."""

    text: str
    how: str
    spent: float


def main() -> int:
    """Print one row a host."""
    rows = _rows()
    if not rows:
        print(
            "benchmarks.templates: the corpus web-ko is not here; name an archive with BENCH_CORPUS.", file=sys.stderr
        )
        return 2
    extraction.warm()
    began = time.process_time()
    found = dict(_learned(rows))
    learning = time.process_time() - began
    plain = extractor(Extraction(SOURCE, ARCHIVED))
    taught = extractor(Extraction(SOURCE, ARCHIVED, templates=tuple(t for t, _ in found.values() if t)))
    table = Table(
        "host", "pages", "template", "not by it", "pages alike", "lines F1", "chars", "ms full", "ms template"
    )
    hosts = Counter(host_of(row.url) for row in rows)
    spent = [0.0, 0.0]
    for host, pages in hosts.most_common():
        mine = [row for row in rows if host_of(row.url) == host]
        full, by = _read(plain, mine), _read(taught, mine)
        spent = [spent[0] + sum(r.spent for r in full), spent[1] + sum(r.spent for r in by)]
        table.add_row(host, f"{pages:,}", *_compared(full, by, *found.get(host, (None, f"under {MIN_PAGES} pages"))))
    out = Console(highlight=False)
    out.print(table)
    full_ms, by_ms, learn_ms = (1000 * seconds / len(rows) for seconds in (*spent, learning))
    out.print(f"CPU a page: {full_ms:.2f} ms in full; {by_ms:.2f} ms by templates and {learn_ms:.2f} ms to learn them")
    return 0


def _rows() -> list[IndexRow]:
    access = web_ko.SOURCE.access
    paths = access.paths if isinstance(access, Warc) else ()
    files = [f for p in paths for f in (sorted(p.glob("*.warc.gz")) if p.is_dir() else [p]) if f.is_file()]
    rows = [replace(row, path=str(file)) for file in files for row in capture.index(file, file.name)[0]]
    return [row for row in rows if row.status == 200 and row.kind in ("response", "resource")]


def _learned(rows: Sequence[IndexRow]) -> list[tuple[str, tuple[Template | None, str]]]:
    items = items_of(Extraction(SOURCE, ()))

    def lessons(sampled: Sequence[IndexRow]) -> list[Lesson]:
        return [found for row in sampled for item in items(row) if (found := host_templates.lesson(item)) is not None]

    samples = host_templates.samples([Run(Path(), tuple(rows), {})])
    return [(s.host, learn(s.host, lessons(s.lessons), lessons(s.checks))) for s in samples]


def _read(one: Extractor, rows: Sequence[IndexRow]) -> list[Read]:
    found = []
    for row in rows:
        began = time.process_time()
        outcomes = [made for made in one(row) if not isinstance(made, Failure)]
        spent = time.process_time() - began
        text = "\n".join(outcome.document.text for outcome in outcomes if isinstance(outcome, Kept))
        found.append(Read(text, outcomes[0].document.label(LABEL) if outcomes else "", spent))
    return found


def _compared(full: Sequence[Read], by: Sequence[Read], template: Template | None, why: str) -> tuple[str, ...]:
    pairs = [(one, other) for one, other in zip(full, by, strict=True) if other.how == "used"]
    missed = Counter(other.how for other in by if other.how not in ("used", ""))
    sums = [sum(column) for column in zip(*(count_shared(a.text, b.text) for a, b in pairs), strict=True)] or [0, 0, 0]
    alike = sum(agreement(a.text, b.text) >= AGREEMENT for a, b in pairs)
    ms = [f"{1000 * sum(r.spent for r in read) / len(read):.2f}" for read in (full, by)]
    said = f"{template.box.tag} {template.box.attribute} {template.box.value}".strip() if template else why
    if not pairs:
        return (said, "", "", "", "", *ms)
    return (
        said,
        ", ".join(f"{name} {count}" for name, count in missed.most_common()),
        f"{alike / len(pairs):.1%}",
        f"{2 * sums[0] / max(1, sums[1] + sums[2]):.4f}",
        f"{sums[2] / max(1, sums[1]) - 1:+.2%}",
        *ms,
    )


if __name__ == "__main__":
    sys.exit(main())
