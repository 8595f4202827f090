"""What grows with the input: `python -m benchmarks.scale.scaling [--pages N] [--floor]`.

An archive of N pages of web-ko and one ten times as large are run with one and with two workers. The nine
copies have addresses of their own, and the number of the copy behind every third word, so that no text is a
near duplicate of another. Both archives lie in a temporary folder and are not kept.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.measure import Usage
from benchmarks.sources import web_ko
from malmoi.archive import capture
from malmoi.source import Warc

HERE = Path(__file__).parents[1]
RECIPE = str(HERE / "recipes" / "real.toml")
SOURCE = str(HERE / "sources" / "web_ko.py")
TIMES = 10
FLAT = 0.2  # by which the peak may grow with ten times the input; issue 4
SCALES = 1.7  # how much faster two workers are than one, at least; issue 4
out = Console(highlight=False)

_WORDS = re.compile("((?:[가-힣]{1,20}[ \n]+){2}[가-힣]{1,20})(?![가-힣])")


def copied(body: bytes, copy: int) -> bytes:
    """A page with the number of the copy behind every third word; a page that is not UTF-8 stays as it is.

    >>> copied("<p>우리 말 사전을 모은 이</p>".encode(), 3).decode()
    '<p>우리 말 사전을 3 모은 이</p>'
    """
    try:
        return _WORDS.sub(rf"\1 {copy}", body.decode()).encode() if copy else body
    except UnicodeDecodeError:
        return body


def pages(archive: Path, count: int) -> Iterator[capture.Capture]:
    """The pages of an archive, spread over all of it, at most `count`."""
    found = [one[2] for one in capture.scan(archive) if not isinstance(one, capture.Torn) and one[2].status == 200]
    step = max(1, len(found) // count) if count else 1
    return islice(found, 0, None if not count else step * count, step)


def write(archive: Path, folder: Path, count: int, times: int) -> int:
    """Write `times` copies of the pages into a new archive in `folder`; how many pages it holds."""
    folder.mkdir()
    (folder / "SOURCE.txt").symlink_to(archive.parent / "SOURCE.txt")
    written = 0
    with (folder / "pages.warc.gz").open("wb") as stream:
        for page in pages(archive, count):
            for copy in range(times):
                host, path = re.fullmatch(r"(https?://[^/]+/)(.*)", page.url, re.DOTALL).groups()  # type: ignore[union-attr]
                url = f"{host}copy-{copy}/{path}" if copy else page.url
                body = copied(page.body, copy)
                stream.write(capture.warc_record(url, page.fetched, page.status, page.headers, body))
                written += 1
    return written


def run(root: Path, corpus: Path, workers: int) -> Usage:
    """One run of the corridor over a corpus, in a new workspace."""
    home, answer = root / f"{corpus.name}-{workers}", root / "answer.json"
    command = [sys.executable, "-m", "benchmarks.drive", RECIPE, SOURCE, str(home), str(workers), str(answer)]
    usage = measure.run(command, {"BENCH_CORPUS": str(corpus)}, root / "log.txt")
    if usage.status:
        raise SystemExit(f"scaling: the run ended with status {usage.status}: {(root / 'log.txt').read_text()[-2000:]}")
    return usage


def main() -> int:
    """Print the table; with --floor 1 where memory grows or two workers are too slow."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.scaling")
    parser.add_argument("--pages", type=int, default=600, help="pages of the small archive; 0: all")
    parser.add_argument("--floor", action="store_true", help="exit with 1 where issue 4 is not met")
    given = parser.parse_args()
    access = web_ko.SOURCE.access
    assert isinstance(access, Warc)
    archive = access.paths[0]
    if not archive.is_file():
        print("scaling: the corpus web-ko is not here; name an archive with BENCH_CORPUS.", file=sys.stderr)
        return 2
    table = Table("pages", "workers", "CPU ms/page", "wall s", "one : two", "peak MB", "10× : 1×")
    met = True
    small: dict[int, Usage] = {}  # workers → the run on the small archive
    with tempfile.TemporaryDirectory(prefix="malmoi-scaling-") as folder:
        root = Path(folder)
        for times in (1, TIMES):
            corpus = root / f"times-{times}"
            n = write(archive, corpus, given.pages, times)
            one = None
            for workers in (1, 2):
                used = run(root, corpus, workers)
                small.setdefault(workers, used)
                faster = one.wall / used.wall if one else 0.0
                grows = used.peak_mb / small[workers].peak_mb
                met &= abs(grows - 1) <= FLAT and (times == 1 or not one or faster >= SCALES)
                cells = [f"{1000 * used.cpu / n:.2f}", f"{used.wall:.1f}", f"{faster:.2f}×" if one else ""]
                table.add_row(
                    f"{n:,}", str(workers), *cells, f"{used.peak_mb:,.0f}", f"{grows:.2f}×" if times > 1 else ""
                )
                one = one or used
    out.print(table)
    return 0 if met or not given.floor else 1


if __name__ == "__main__":
    os.environ.pop("PREFECT_API_URL", None)
    sys.exit(main())
