"""Draw a simple random sample of the documents of a release, with their texts and labels.

The seed alone decides the sample and its order: the documents with the smallest sha256 of seed, line feed and id. So
the first documents of a sample are the sample of the same seed and a smaller size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from malmoi.releases.sampling.strata import digest_sql
from malmoi.storage.duckdb_tables import open_tables

LABELS = ("register", "domain", "page_kind")  # columns of data/, shown where the release has them
MEASURES = ("quality",)  # shares 0–1, the same
_FACTS = ("id", "source", "license", "url", "title", "text", "date")


@dataclass(frozen=True, slots=True)
class DrawnText:
    """One document of a sample."""

    id: str
    source: str
    licence: str
    url: str
    title: str
    text: str
    date: str  # "" = unknown
    labels: tuple[tuple[str, str], ...]  # (column, value) of LABELS and MEASURES, without empty ones


def draw_texts(release: Path, seed: str, size: int) -> tuple[list[DrawnText], int]:
    """Return a random sample of `size` documents of the release in its order, and the number of all documents."""
    with open_tables(release) as tables:
        known = tables.ask("SELECT * FROM data LIMIT 0").columns
        labels = [name for name in LABELS if name in known]
        measures = [name for name in MEASURES if name in known]
        shown = [f'"{name}"' for name in (*_FACTS, *labels)]
        shown += [f'CAST(CAST("{name}" AS DECIMAL(4, 2)) AS VARCHAR)' for name in measures]
        rows = tables.ask(f"SELECT {', '.join(shown)} FROM data ORDER BY {digest_sql(seed)}, id LIMIT {size}").rows
        count = int(tables.ask("SELECT count(*) FROM data").rows[0][0] or 0)
    names, n = (*labels, *measures), len(_FACTS)
    found = []
    for row in rows:
        cells = [str(value or "") for value in row]
        said = tuple((name, value) for name, value in zip(names, cells[n:], strict=True) if value)
        id, source, licence, url, title, text, date = cells[:n]
        found.append(DrawnText(id, source, licence, url, title, text, date, said))
    return found, count
