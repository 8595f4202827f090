"""The survey of paragraphs: the keys of each document, and the chain of tasks that joins equal keys.

    sketch of a shard   →  counts of the shard, cut by key     one task a shard
    counts of one part  →  the keys that are repeated          one task a part
    repeated keys       →  table.parquet, sorted by key        one after the other
    table, sketch       →  what each document loses            one task a shard

A task holds one shard, one partition or one row group of the table. Counts are per host within a shard, so a paragraph
in every document of a host is one row per shard. Existing files are reused.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from filters.paragraphs import losses, paragraph_counts
from filters.paragraphs.paragraph_counts import Limits
from filters.paragraphs.paragraph_keys import PLAIN_LETTERS, paragraphs, rank_of, scope_of
from malmoi.document import Document
from malmoi.storage.shuffle import Run
from malmoi.survey import Segment, Survey, Surveyed

PART = 1 << 20  # rows of one part; a task over one takes about 100 MB
MAX_PARTS = 1 << 12
SKETCH = pa.schema(
    [
        ("id", pa.string()),
        ("rank", pa.uint64()),
        ("host", pa.string()),
        ("keys", pa.list_(pa.uint64())),
        ("letters", pa.list_(pa.uint32())),
        ("lines", pa.list_(pa.uint32())),
    ]
)


def sketch(doc: Document) -> Mapping[str, Any]:
    """Return the id, its rank, the host, and each key once with the letters and the index of its paragraph.

    The keys of whole paragraphs precede those around holes, so the first key of a paragraph is that of the whole.
    """
    lines = list(paragraphs(doc))
    found: dict[int, tuple[int, int]] = {}
    for line, paragraph in enumerate(lines):
        found.setdefault(paragraph.keys[0], (paragraph.letters, line))
    for line, paragraph in enumerate(lines):
        for key in paragraph.keys[1:]:
            found.setdefault(key, (paragraph.letters, line))
    return {
        "id": doc.id,
        "rank": rank_of(doc),
        "host": scope_of(doc),
        "keys": list(found),
        "letters": [letters for letters, _ in found.values()],
        "lines": [line for _, line in found.values()],
    }


def exchange(
    shards: Sequence[Surveyed],
    segments: Sequence[Segment],
    folder: Path,
    run: Run,
    *,
    min_letters: Annotated[int, Field(ge=PLAIN_LETTERS)] = 40,
    host_documents: Annotated[int, Field(ge=2)] = 10,
    corpus_documents: Annotated[int, Field(ge=2)] = 20,
    corpus_hosts: Annotated[int, Field(ge=2)] = 5,
    plain: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 3.0,
) -> list[Path]:
    """Write `folder/table.parquet` and a file of lost paragraphs for each shard; return the files, in order.

    A paragraph about its page is repeated in a host if `host_documents` documents of it have the paragraph, and in the
    corpus if `corpus_documents` on `corpus_hosts` hosts have it. Any other paragraph needs `plain` times as many of
    each, and `min_letters` letters. Reasons in docs/filters.md.

    Table: key, scope (`host` or `corpus`), host ("" for the corpus), documents, letters, keeper (rank of the document
    that keeps the paragraph). Files: id, and the whole key of each paragraph to remove, as repeated in the `host` or
    in the `corpus`.
    """
    limits = Limits(min_letters, host_documents, corpus_documents, corpus_hosts, plain)
    distinct = {_shard_name(shard): shard for shard in shards}
    targets = {name: folder / f"about-{name}.parquet" for name in distinct}
    table, work = folder / "table.parquet", folder / "parts"
    if not table.exists():
        sketches = [distinct[name].sketch for name in sorted(distinct)]
        losses.write_table(_find_repeated(sketches, limits, work, run), sketches, table)
    if work.exists():
        shutil.rmtree(work)
    missing = [losses.LossJob(distinct[name].sketch, table, target) for name, target in targets.items()]
    list(run(losses.write_losses, [job for job in missing if not job.target.exists()]))
    return [targets[_shard_name(shard)] for shard in shards]


def _find_repeated(sketches: Sequence[Path], limits: Limits, work: Path, run: Run) -> list[Path]:
    """Return the files with the repeated keys, one for each partition, in the order of keys."""
    parts = _count_parts(sum(map(_count_paragraphs, sketches)))
    spread = [
        paragraph_counts.SpreadJob(
            path, limits.min_letters, parts, work / f"{parts}-{path.parent.name}-{path.stem}.arrow"
        )
        for path in sketches
    ]
    list(run(paragraph_counts.spread_counts, [job for job in spread if not job.target.exists()]))
    files = tuple(job.target for job in spread)
    jobs = [
        paragraph_counts.CountJob(files, part, limits, work / f"{parts}-{part}.arrow")
        for part in range(parts if files else 0)
    ]
    list(run(paragraph_counts.count_repeated, [job for job in jobs if not job.target.exists()]))
    return [job.target for job in jobs]


def _count_parts(rows: int) -> int:
    """Return the number of partitions of about PART rows: a power of two."""
    parts = 1
    while parts < MAX_PARTS and rows > PART * parts:
        parts *= 2
    return parts


def _count_paragraphs(path: Path) -> int:
    """Return the number of paragraphs in a sketch, read from the footer of its file."""
    with pq.ParquetFile(path) as file:
        at = file.schema.names.index("element", file.schema.names.index("host"))
        groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
        return sum(int(group.column(at).num_values) for group in groups)


def _shard_name(shard: Surveyed) -> str:
    return f"{shard.sketch.parent.name}-{shard.sketch.stem}"


SURVEY = Survey(
    name="paragraphs",
    version=1,
    schema=SKETCH,
    sketch=sketch,
    exchange=exchange,
    stage="judged",
    columns=("id", "source", "url", "fetched", "title", "text"),
)
