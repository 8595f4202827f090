"""`make bench`: what a page costs, stage by stage, on web-ko or the archive that BENCH_CORPUS names."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.measure import Usage
from benchmarks.sources import web_ko
from malmoi import capture
from malmoi.source import Warc

HERE = Path(__file__).parent
RECIPE = str(HERE / "recipes" / "real.toml")
SOURCE = str(HERE / "sources" / "web_ko.py")
RESULTS = HERE / "results.json"
NEW_SHARE = 0.01  # of the pages, for the rerun
out = Console(highlight=False)


def main() -> int:
    """Run everything, print the tables, write results.json."""
    archive = _archive()
    if archive is None:
        print("benchmarks: the corpus web-ko is not here; name an archive with BENCH_CORPUS.", file=sys.stderr)
        return 2
    pages, size = _pages(archive)
    with tempfile.TemporaryDirectory(prefix="malmoi-bench-") as folder:
        root = Path(folder)
        corpus = root / "corpus"
        corpus.mkdir()
        (corpus / archive.name).symlink_to(archive)
        (corpus / "SOURCE.txt").symlink_to(archive.parent / "SOURCE.txt")
        one, stages_one = _run(root, "one", 1, corpus)
        two, stages = _run(root, "two", 2, corpus)
        idle, _ = _run(root, "two", 2, corpus)
        _add(archive, corpus / "new.warc.gz", max(1, round(pages * NEW_SHARE)))
        more, more_stages = _run(root, "two", 2, corpus)
        kept = _kept(Path(stages["folder"]))
    _print(pages, size, one, stages_one["stages"], two, stages["stages"], idle, more, more_stages["stages"], kept)
    corpus_row = {
        "pages": pages,
        "cpu_ms_per_page": 1000 * two.cpu / pages,
        "pages_per_s_per_core": pages / two.cpu,
        "peak_mb": two.peak_mb,
        "stages": stages["stages"],
        **kept,
    }
    RESULTS.write_text(json.dumps({"corpus": corpus_row, "peers": {}}, indent=1) + "\n", encoding="utf-8")
    return 0


def _archive() -> Path | None:
    """The archive of the source, or the largest of its folder."""
    access = web_ko.SOURCE.access
    assert isinstance(access, Warc)
    path = access.paths[0]
    found = [path] if path.is_file() else sorted(path.glob("*.warc*"), key=lambda p: p.stat().st_size)
    return found[-1] if found else None


def _pages(archive: Path) -> tuple[int, int]:
    rows, _ = capture.index(archive, archive.name)
    best = {row.url: row.size for row in rows if row.status == 200 and row.kind == "response"}
    return len(best), sum(best.values())


def _run(root: Path, name: str, workers: int, corpus: Path) -> tuple[Usage, dict[str, Any]]:
    answer = root / "answer.json"
    command = [sys.executable, "-m", "benchmarks.drive", RECIPE, SOURCE, str(root / name), str(workers), str(answer)]
    usage = measure.run(command, {"BENCH_CORPUS": str(corpus)})
    if usage.status:
        raise SystemExit(f"benchmarks: the run with {workers} workers ended with status {usage.status}")
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return usage, found


def _add(archive: Path, target: Path, count: int) -> None:
    """An archive of `count` pages that were not there: real ones, under new addresses, with a new first paragraph."""
    with target.open("wb") as stream:
        for number, (_, _, page) in enumerate(_spread(archive, count)):
            note = f"<p>새로 들어온 쪽 {number}: 앞의 글과 다른 문장이 여기에 하나 더 있습니다.</p>".encode()
            body = page.body.replace(b"<body>", b"<body>" + note, 1)
            stream.write(capture.warc_record(f"{page.url}?new={number}", page.fetched, 200, page.headers, body))


def _spread(archive: Path, count: int) -> Iterator[tuple[int, str, capture.Capture]]:
    entries = [e for e in capture.scan(archive) if not isinstance(e, capture.Torn) and e[2].status == 200]
    yield from entries[:: max(1, len(entries) // count)][:count]


def _kept(release: Path) -> dict[str, int]:
    lines: set[int] = set()
    documents = characters = distinct = 0
    for batch in ds.dataset(sorted(release.glob("data/**/*.parquet"))).to_batches(columns=["text"]):
        for text in batch.column("text").to_pylist():
            documents += 1
            characters += len(text)
            for line in text.split("\n"):
                if (key := hash(line)) not in lines:
                    lines.add(key)
                    distinct += len(line)
    return {"kept": documents, "kept_chars": characters, "kept_distinct_chars": distinct}


def _print(
    pages: int,
    size: int,
    one: Usage,
    stages_one: dict[str, float],
    two: Usage,
    stages: dict[str, float],
    idle: Usage,
    more: Usage,
    more_stages: dict[str, float],
    kept: dict[str, int],
) -> None:
    table = Table("stage", "CPU s", "CPU s / 1,000 pages", "share", title=f"{pages:,} pages, two workers")
    for name, seconds in stages.items():
        table.add_row(name, f"{seconds:.2f}", f"{1000 * seconds / pages:.2f}", f"{seconds / two.cpu:.0%}")
    rest = two.cpu - sum(stages.values())
    table.add_row("start, end", f"{rest:.2f}", f"{1000 * rest / pages:.2f}", f"{rest / two.cpu:.0%}")
    table.add_row("all", f"{two.cpu:.2f}", f"{1000 * two.cpu / pages:.2f}", "100%")
    out.print(table)
    out.print(
        f"CPU a page                 {1000 * two.cpu / pages:.1f} ms (one worker {1000 * one.cpu / pages:.1f} ms)"
    )
    out.print(f"pages/s/core               {pages / two.cpu:.1f}")
    out.print(f"payload MB/s/core          {size / 1e6 / two.cpu:.2f}")
    out.print(f"wall, one / two workers    {one.wall:.1f} s / {two.wall:.1f} s = {one.wall / two.wall:.2f}×")

    out.print(f"peak memory (sum of PSS)   {two.peak_mb:,.0f} MB with two workers, {one.peak_mb:,.0f} MB with one")
    out.print(f"rerun, nothing new         {idle.cpu:.2f} s CPU = {idle.cpu / two.cpu:.1%} of the full run")
    out.print(f"rerun, 1 % new pages       {more.cpu:.2f} s CPU = {more.cpu / two.cpu:.1%} of the full run")
    work, full = sum(more_stages.values()), sum(stages.values())
    out.print(f"  the stages alone         {work:.2f} s CPU = {work / full:.1%} of the full run's stages")
    out.print(f"kept                       {kept['kept']:,} documents, {kept['kept_chars']:,} characters")
    _ = stages_one


if __name__ == "__main__":
    os.environ.pop("PREFECT_API_URL", None)
    sys.exit(main())
