"""`python -m benchmarks.hard_pages [FOLDER …] [--peers PYTHON] [--worst N]`: extraction of Korea's hard pages.

Without a folder, `benchmarks/hard_pages/open`. PYTHON is that of an environment with
`benchmarks/peers/extract_pages.txt`.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from benchmarks.hard_pages.measures import Scores, score_text
from benchmarks.hard_pages.pages import OPEN, HardPage, read_folders, without_title
from crawlers import formats
from malmoi.source import Item

SCRIPT = Path(__file__).parents[1] / "peers" / "extract_pages.py"
PEERS = ("trafilatura", "resiliparse", "readability")
MEASURES = ("rouge", "shingle", "tables", "code", "items")
out = Console(highlight=False, width=160)


@dataclass(frozen=True, slots=True)
class Result:
    """Texts by page ("" for a dropped page), reasons of drops, and CPU seconds of all pages."""

    texts: Mapping[str, str]
    cpu: float
    reasons: Mapping[str, str]


def extract_ours(pages: Sequence[HardPage]) -> Result:
    """Return the texts as a crawl extracts them, the metadata included."""
    texts, reasons = {}, {}
    items = [Item(page.name, page.url, page.body, "text/html", "", "r") for page in pages]
    for item in items[:3]:
        formats.extract(item)  # what is loaded at the first call is no part of the work
    start = time.process_time()
    for item in items:
        found = formats.extract(item)
        texts[item.key] = found.text
        reasons[item.key] = found.reason
    return Result(texts, time.process_time() - start, reasons)


def extract_theirs(system: str, python: str, pages: Sequence[HardPage]) -> Result:
    """Return the texts of another extractor. Raises CalledProcessError if it cannot run."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as stream:
        for page in pages:
            body = base64.b64encode(page.body).decode()
            stream.write(json.dumps({"name": page.name, "url": page.url, "body": body}) + "\n")
        stream.flush()
        command = [python, str(SCRIPT), system, stream.name]
        said = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    head, *rows = map(json.loads, said.splitlines())
    return Result({row["name"]: row["text"] for row in rows}, head["cpu"], {})


def score_pages(pages: Sequence[HardPage], result: Result) -> dict[str, Scores]:
    """Return the scores of the articles by name."""
    return {
        page.name: score_text(page.gold, without_title(result.texts[page.name], page.title))
        for page in pages
        if page.is_article
    }


def mean(scores: Sequence[Scores], measure: str) -> float | None:
    """Return the mean over the pages that have the measure."""
    values = [value for one in scores if (value := getattr(one, measure)) is not None]
    return fmean(values) if values else None


def _spell(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _print_summary(pages: Sequence[HardPage], results: Mapping[str, Result]) -> None:
    articles = [page for page in pages if page.is_article]
    others = [page for page in pages if not page.is_article]
    table = Table(
        *("extractor", "ROUGE-5 F1", "shingle F1", "TEDS", "code kept", "items kept", "dropped", "kept no-text", "ms"),
        title=f"{len(articles)} articles, {len(others)} pages that are no text",
    )
    for name, result in results.items():
        scores = list(score_pages(pages, result).values())
        dropped = sum(not result.texts[page.name].strip() for page in articles)
        kept = sum(bool(result.texts[page.name].strip()) for page in others)
        row = [_spell(mean(scores, measure)) for measure in MEASURES]
        table.add_row(name, *row, f"{dropped}", f"{kept}", f"{1000 * result.cpu / len(pages):.1f}")
    out.print(table)


def _print_builders(pages: Sequence[HardPage], results: Mapping[str, Result]) -> None:
    table = Table("builder", "articles", *results, title="ROUGE-5 F1 by builder")
    scores = {name: score_pages(pages, result) for name, result in results.items()}
    builders = sorted({page.builder for page in pages if page.is_article})
    for builder in builders:
        names = [page.name for page in pages if page.is_article and page.builder == builder]
        table.add_row(builder, f"{len(names)}", *(f"{fmean(s[n].rouge for n in names):.3f}" for s in scores.values()))
    out.print(table)


def _print_worst(pages: Sequence[HardPage], result: Result, number: int) -> None:
    scores = score_pages(pages, result)
    table = Table("page", *MEASURES, "reason", title="worst pages, ours")
    for name in sorted(scores, key=lambda name: scores[name].rouge)[:number]:
        row = [_spell(getattr(scores[name], measure)) for measure in MEASURES]
        table.add_row(name, *row, result.reasons.get(name, ""))
    out.print(table)
    kept = [f"{page.name} ({page.kind})" for page in pages if not page.is_article and result.texts[page.name].strip()]
    if kept:
        out.print("kept pages that are no text:", ", ".join(kept))


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hard_pages", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[OPEN], metavar="FOLDER")
    parser.add_argument("--peers", metavar="PYTHON", help="the Python of the environment of the other extractors")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="list our N worst pages")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write our texts there")
    options = parser.parse_args()
    pages = read_folders(options.folders)
    if not pages:
        print(f"benchmarks: no pages in {', '.join(map(str, options.folders))}.", file=sys.stderr)
        return 2
    results = {"ours": extract_ours(pages)}
    for system in PEERS if options.peers else ():
        results[system] = extract_theirs(system, options.peers, pages)
    _print_builders(pages, results)
    if options.worst:
        _print_worst(pages, results["ours"], options.worst)
    _print_summary(pages, results)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        for name, text in results["ours"].texts.items():
            (options.write / f"{name}.txt").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
