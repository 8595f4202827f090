"""Repeated paragraphs: what the survey costs as a corpus grows, and which holes of a template it sees through.

    python -m benchmarks.paragraphs [DOCUMENTS …]        (default: 100000 1000000)

The sketches of that many documents with 20 paragraphs each are drawn: hosts of very different sizes, each with two
notices on most of its pages, five notices that go from host to host, the rest unique. The survey over them runs
in a process of its own. Holes are tried on templates written for this: twelve pages of each, which differ as it says.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from filters.paragraphs.paragraph_survey import SURVEY
from flows.engine.executors import thread_mapper
from malmoi.document import Document, Provenance
from malmoi.survey import Surveyed

SHARD = 5_000  # documents
PARAGRAPHS = 20
HOSTS = 20_000
NAMES = ("가람", "나루", "다솔", "마루", "바름", "새솔", "아라", "한울", "해든", "누리", "샛별", "돌담")
out = Console(highlight=False)

# Kind of hole → a template and what fills it on page n.
HOLES: dict[str, tuple[str, Callable[[int], tuple[Any, ...]]]] = {
    "none": ("이 글의 저작권은 가람신문에 있으며 무단 전재를 금합니다.", lambda n: ()),
    "date": ("이 글은 {}년 {}월 {}일에 작성되었습니다.", lambda n: (2000 + n, n % 12 + 1, n + 3)),
    "count": ("조회수 {}회, 댓글 {}개, 공감 {}개가 달린 글입니다.", lambda n: (n * 37, n, n * 3)),
    "time": ("입력 {}.03.{:02} 오{} {}:15, 마지막 수정 어제", lambda n: (2010 + n, n + 1, "전후"[n % 2], n % 12 + 1)),
    "address": ("여러분의 제보는 desk{}@garam.example로 보내 주십시오.", lambda n: (n,)),
    "reporter": ("{}{} 기자의 다른 기사를 보시려면 이름을 눌러 주십시오.", lambda n: ("김이박"[n % 3], NAMES[n])),
    "quoted name": ("『{}의 {}』을 구매하신 분께는 책갈피를 드립니다.", lambda n: (NAMES[n], NAMES[n - 1])),
    "title of the page": ("{}마을의 봄 페이지에 오류가 있으면 편집실에 알려 주십시오.", lambda n: (NAMES[n],)),
    "a free word": ("{} 밥솥을 구매하신 고객께는 이틀 안에 기사가 전화를 드립니다.", lambda n: (NAMES[n],)),
    "one or two free words": (
        "행사에 참여하신 분께는 {} 기념품을 드리며 선착순으로 끝납니다.",
        lambda n: (NAMES[n] if n % 2 else f"{NAMES[n]} {NAMES[n - 1]}",),
    ),
    "a free word and a date": (
        "{}관 행사는 {}월 {}일까지 누리집에서 신청해 주십시오.",
        lambda n: (NAMES[n], n + 1, n + 2),
    ),
    "two free words apart": (
        "{} 밥솥을 구매하신 고객께는 이틀 안에 {} 기사가 전화를 드립니다.",
        lambda n: (NAMES[n], NAMES[n - 1]),
    ),
}


def sketches(folder: Path, documents: int) -> Iterator[Surveyed]:
    """Draw the sketches of `documents` documents, shard by shard."""
    draw = np.random.default_rng(5)
    notices = draw.integers(0, 1 << 63, (HOSTS, 2), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    common = draw.integers(0, 1 << 63, 5, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    for at in range(0, documents, SHARD):
        n = min(SHARD, documents - at)
        host = (HOSTS * draw.random(n) ** 4).astype(np.int64)  # the first has a page in twelve
        keys = draw.integers(0, 1 << 63, (n, PARAGRAPHS), dtype=np.uint64) * np.uint64(2)
        has = draw.random((n, 3)) < [0.8, 0.5, 0.1]
        for column in range(2):
            keys[:, column] = np.where(has[:, column], notices[host, column], keys[:, column])
        keys[:, 2] = np.where(has[:, 2], common[draw.integers(0, 5, n)], keys[:, 2])
        lists = {
            "keys": keys.ravel(),
            "letters": draw.integers(40, 400, n * PARAGRAPHS, dtype=np.uint32),
            "lines": np.tile(np.arange(PARAGRAPHS, dtype=np.uint32), n),
        }
        offsets = pa.array(np.arange(0, n * PARAGRAPHS + 1, PARAGRAPHS, dtype=np.int32))
        table = pa.table(
            {
                "id": [f"s/{i}" for i in range(at, at + n)],
                "rank": draw.integers(0, 1 << 32, n, dtype=np.uint64) | np.uint64(at << 32),
                "host": [f"h{i}.example" for i in host],
                **{name: pa.ListArray.from_arrays(offsets, pa.array(flat)) for name, flat in lists.items()},
            },
            schema=SURVEY.schema,
        )
        target = folder / f"sketch-{at // SHARD:05}" / "sketch.parquet"
        target.parent.mkdir(parents=True)
        pq.write_table(table, target)
        yield Surveyed(target.with_name("documents.parquet"), target)


def survey(folder: Path) -> None:
    """Take the survey over the sketches in `folder`: what the measured process does."""
    found = [Surveyed(path.with_name("documents.parquet"), path) for path in sorted(folder.glob("sketch-*/*.parquet"))]
    SURVEY.carrier(found, (), folder / "found", thread_mapper(1))


def grown(counts: Sequence[int]) -> Table:
    """What the survey costs over so many documents."""
    table = Table("documents", "documents/s", "CPU s", "peak MB", "repeated", "lose something")
    for count in counts:
        folder = Path(tempfile.mkdtemp(prefix="paragraphs-"))
        try:
            list(sketches(folder, count))
            used = measure.run([sys.executable, "-m", "benchmarks.paragraphs", "--survey", str(folder)])
            if used.status:
                raise SystemExit(f"the survey of {count} documents failed")
            repeated = pq.ParquetFile(folder / "found" / "table.parquet").metadata.num_rows
            losing = sum(pq.ParquetFile(p).metadata.num_rows for p in (folder / "found").glob("about-*.parquet"))
        finally:
            shutil.rmtree(folder)
        speed = f"{count / used.wall:,.0f}"
        table.add_row(f"{count:,}", speed, f"{used.cpu:.1f}", f"{used.peak_mb:.0f}", f"{repeated:,}", f"{losing:,}")
    return table


def seen_through() -> Table:
    """For each kind of hole in how many of twelve pages the template goes; eleven is all but the one that keeps it."""
    table = Table("hole", "goes from, of 12")
    for kind, (template, fill) in HOLES.items():
        docs = [
            Document(
                f"s/{n}",
                f"{NAMES[n]}마을의 봄\n{template.format(*fill(n))}",
                Provenance("s", f"https://h.example/{n}", "", "", ""),
                title=f"{NAMES[n]}마을의 봄",
            )
            for n in range(len(NAMES))
        ]
        with tempfile.TemporaryDirectory() as folder:
            sketch = Path(folder) / "sketch.parquet"
            pq.write_table(pa.Table.from_pylist([SURVEY.sketch(doc) for doc in docs], schema=SURVEY.schema), sketch)
            (rows,) = SURVEY.carrier([Surveyed(sketch, sketch)], (), Path(folder) / "found", map)
            table.add_row(kind, str(pq.read_table(rows).num_rows))
    return table


def main(arguments: Sequence[str]) -> None:
    """Print both tables, or take the survey over a folder."""
    if arguments[:1] == ["--survey"]:
        survey(Path(arguments[1]))
        return
    out.print(seen_through())
    out.print(grown([int(count) for count in arguments] or [100_000, 1_000_000]))


if __name__ == "__main__":
    main(sys.argv[1:])
