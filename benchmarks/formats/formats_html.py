"""Compare our extraction with trafilatura's default, and say what a page costs.

`python -m benchmarks.formats.formats_html`: the installation guide exists as web pages and as text made from the
same book, so the text says what an extractor should have found. Cost is measured on web-ko, metadata included.
"""

from __future__ import annotations

import gzip
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import trafilatura

from crawlers.formats.html import html_page
from malmoi.archive import capture
from malmoi.source import Item

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
BOOK = CORPORA / "debian-installguide-ko"
SHINGLE = 4  # words
EVERY = 4  # every fourth page of web-ko
_WORD = re.compile(r"\w+")

Extractor = Callable[[str, bytes], str]


def ours(url: str, body: bytes) -> str:
    """What `crawlers.formats.html.html_page` finds."""
    return html_page.extract(Item(key=url, url=url, body=body, media="text/html", charset="", record="r")).text


def theirs(url: str, body: bytes) -> str:
    """What trafilatura finds as it comes."""
    return trafilatura.extract(body) or ""


def shingles(texts: Iterable[str]) -> Counter[tuple[str, ...]]:
    """How often each four words stand in a row.

    >>> sorted(shingles(["하나 둘 셋 넷, 다섯"]))
    [('둘', '셋', '넷', '다섯'), ('하나', '둘', '셋', '넷')]
    """
    found: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = _WORD.findall(text)
        found.update(tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1))
    return found


def score(gold: Counter[tuple[str, ...]], found: Counter[tuple[str, ...]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of shingles, each counted as often as it stands."""
    shared = (gold & found).total()
    precision = shared / found.total() if found else 0.0
    recall = shared / gold.total() if gold else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if shared else 0.0


def main() -> int:
    """Print the two tables."""
    if not BOOK.is_dir():
        print(f"benchmarks: the corpora are not at {CORPORA}.", file=sys.stderr)
        return 2
    gold = shingles([gzip.decompress((BOOK / "install.ko.txt.gz").read_bytes()).decode("utf-8")])
    pages = [(path.name, path.read_bytes()) for path in sorted(BOOK.glob("*.html"))]
    extractors: tuple[tuple[str, Extractor], ...] = (("ours", ours), ("trafilatura", theirs))
    print(f"{len(pages)} pages against their text edition, {SHINGLE} words a shingle")
    for name, extractor in extractors:
        found = shingles(extractor(url, body) for url, body in pages)
        precision, recall, f1 = score(gold, found)
        print(f"  {name:<12} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}")
    archive = next(iter(sorted(CORPORA.glob("web-ko/*.warc*"))))
    entries = (entry for number, entry in enumerate(capture.scan(archive)) if number % EVERY == 0)
    bodies = [(entry[2].url, entry[2].body) for entry in entries if not isinstance(entry, capture.Torn)]
    print(f"{len(bodies)} pages of web-ko, {sum(len(body) for _, body in bodies) / len(bodies):,.0f} bytes each")
    for name, extractor in extractors[:1]:
        start = time.process_time()
        characters = sum(len(extractor(url, body)) for url, body in bodies)
        each = (time.process_time() - start) / len(bodies) * 1000
        print(f"  {name:<12} {each:.2f} ms CPU a page, {characters / len(bodies):,.0f} characters each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
