"""`python -m benchmarks.formats.formats_pdf`: what a page of a PDF costs, and how well its lines are joined."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import multiprocessing
import random
import re
import resource
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from lxml import html as lxml_html

from crawlers import formats
from crawlers.formats.pdf import pdf, pdf_lines, pdf_pages, pdf_paragraphs
from crawlers.formats.pdf.line_joining import Joint, learn
from malmoi.source import Item

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
GUIDE = CORPORA / "debian-installguide-ko"
WIDTHS = (60, 76, 90)  # columns; a syllable has two
SIZES = (1_500, 6_000, 30_000, 200_000)  # characters of a document: one page, four, twenty, 130
BOMBS = (10, 60, 100, 1_000)  # megabytes that a page unpacks to
TESTED = 200_000  # characters a cell of the table, at least three documents
# Whether a space stands there in truth, and in the answer.
NAMES = {(True, True): "hit", (True, False): "missed", (False, True): "added", (False, False): "none"}
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_UNIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z.,\-]*|.")
_MARKUP = re.compile(r"<[^<>]{1,80}>|&#?\w{1,8};")


def main() -> int:
    """Print all tables."""
    if not CORPORA.is_dir():
        print("benchmarks: the corpora are not here.", file=sys.stderr)
        return 2
    _cost()
    _gold()
    _joining()
    _bombs()
    return 0


def _item(body: bytes) -> Item:
    return Item(key="a.pdf", url="a.pdf", body=body, media="application/pdf", charset="", record="")


def _cost() -> None:
    print("CPU, ms a page: pdfium, running heads, paragraphs and joints")
    for path in sorted(CORPORA.rglob("*.pdf.gz")):
        body = gzip.decompress(path.read_bytes())
        marks = [time.process_time()]
        with pdf_pages.open_document(body) as document:
            pages = list(pdf_pages.pages(document))
        marks.append(time.process_time())
        lines = pdf.remove_running_heads(pages)
        marks.append(time.process_time())
        pdf_paragraphs.text(lines)
        marks.append(time.process_time())
        parts = [1000 * (end - start) / len(pages) for start, end in pairwise(marks)]
        print(f"  {path.name:24} {len(pages):4} pages  {'  '.join(f'{part:6.2f}' for part in parts)}")


def _gold() -> None:
    """The guide as PDF against its plain edition (runs of four letters) and its pages (words with their spaces)."""
    body = gzip.decompress((GUIDE / "install.ko.pdf.gz").read_bytes())
    text = formats.extract(_item(body)).text
    plain = gzip.decompress((GUIDE / "install.ko.txt.gz").read_bytes()).decode()
    pages = " ".join(map(_page_text, GUIDE.glob("*.html")))
    print("The guide as PDF: precision, recall, F1")
    _print_f1("4-grams of Hangul, against TXT", _grams(text), _grams(plain))
    _print_f1("words with Hangul, against HTML", _words(text), _words(pages))
    unjoined = " ".join(line.text for line in _lines(body))
    _print_f1("the same, a space at each line end", _words(unjoined), _words(pages))
    _guide_joints(body, f" {' '.join(pages.split())} ")


def _page_text(path: Path) -> str:
    page = lxml_html.fromstring(path.read_bytes())
    for block in page.iter(
        "p", "li", "td", "th", "dt", "dd", "pre", "div", "h1", "h2", "h3", "h4", "h5", "br", "title"
    ):
        block.tail = f"\n{block.tail or ''}"
    return str(page.xpath("string()"))


def _guide_joints(body: bytes, gold: str) -> None:
    """Joints whose two words stand in the pages together or apart, never both."""
    columns: list[tuple[str, str]] = []
    lines = _lines(body)
    joined = pdf_paragraphs.text(lines)
    for one, two in pairwise(lines):
        if not one.hyphen and one.page == two.page:
            columns.append((" ".join(one.text.split()[-2:]), " ".join(two.text.split()[:2])))
    counts: Counter[str] = Counter()
    for left, right in columns:
        truth = (f"{left} {right}" in gold, f"{left}{right}" in gold)
        answer = (f"{left} {right}" in joined, f"{left}{right}" in joined)
        if truth[0] != truth[1] and answer[0] != answer[1] and (_HANGUL.match(left[-1]) or _HANGUL.match(right)):
            counts[NAMES[truth[0], answer[0]]] += 1
    print(f"  joints that the HTML decides          {_rates(counts)}")


def _lines(body: bytes) -> list[pdf_lines.Line]:
    with pdf_pages.open_document(body) as document:
        return pdf.remove_running_heads(list(pdf_pages.pages(document)))


def _grams(text: str) -> Counter[str]:
    letters = "".join(_HANGUL.findall(text))
    return Counter(letters[at : at + 4] for at in range(len(letters) - 3))


def _words(text: str) -> Counter[str]:
    return Counter(word for word in text.split() if _HANGUL.search(word))


def _print_f1(name: str, found: Counter[str], gold: Counter[str]) -> None:
    both = (found & gold).total()
    precision, recall = both / found.total(), both / gold.total()
    print(f"  {name:36} {precision:.4f} {recall:.4f} {2 * precision * recall / (precision + recall):.4f}")


def _joining() -> None:
    """Real text, its lines broken anywhere and at spaces; none of it was used to fit the weights."""
    print("Joints: share that are right (precision and recall of spaces), by length of the document")
    for name, paragraphs in _texts():
        for size in SIZES:
            rng = random.Random(size)
            anywhere, at_spaces = Counter[str](), Counter[str]()
            for _ in range(max(3, min(40, TESTED // size))):
                chosen = _document(paragraphs, size, rng)
                width = rng.choice(WIDTHS)
                anywhere += _counted([_broken(paragraph, width) for paragraph in chosen])
                at_spaces += _counted([_wrapped(paragraph, width) for paragraph in chosen])
            print(f"  {name:16} {size:7}  anywhere {_rates(anywhere)}   at spaces {_rates(at_spaces)}")


def _texts() -> Iterator[tuple[str, list[str]]]:
    rulings = (CORPORA / "law-ko" / "tax_rulings.jsonl").read_text(encoding="utf-8").splitlines()
    yield "law", _paragraphs(string for line in rulings for string in _strings(json.loads(line)))
    csv.field_size_limit(10**8)
    for name in ("wikinews", "book_review01", "fairytale01"):
        with (CORPORA / "boddari" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            yield name, _paragraphs(value for row in csv.DictReader(file) for value in row.values() if value)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _paragraphs(texts: Iterable[str]) -> list[str]:
    lines = (" ".join(_MARKUP.sub(" ", line).split()) for text in texts for line in text.split("\n"))
    return [line for line in lines if len(line) > 80 and len(_HANGUL.findall(line)) > len(line) / 2]


def _document(paragraphs: list[str], size: int, rng: random.Random) -> list[str]:
    at = rng.randrange(len(paragraphs))
    chosen: list[str] = []
    while sum(map(len, chosen)) < size:
        chosen.append(paragraphs[at % len(paragraphs)])
        at += 1
    return chosen


def _broken(paragraph: str, width: int) -> list[tuple[str, bool]]:
    """Lines, and whether a space stood at their end; Latin words, numbers and closing marks are kept whole."""
    lines: list[tuple[str, bool]] = []
    line, used = "", 0
    for unit in _UNIT.findall(paragraph):
        columns = _columns(unit)
        if line and used + columns > width and unit not in ".,)!?」』”’\"' ":
            lines.append((line.rstrip(), line.endswith(" ")))
            line, used = "", 0
        line, used = line + unit, used + columns
    return [*lines, (line, False)]


def _wrapped(paragraph: str, width: int) -> list[tuple[str, bool]]:
    lines: list[tuple[str, bool]] = []
    line = ""
    for word in paragraph.split(" "):
        if line and _columns(line) + 1 + _columns(word) > width:
            lines.append((line, True))
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, (line, False)]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _counted(broken: list[list[tuple[str, bool]]]) -> Counter[str]:
    """How many of each of NAMES."""
    joints: list[Joint] = []
    truth: list[bool] = []
    for lines in broken:
        for (one, spaced), (two, _) in pairwise(lines):
            if one.split() and two.split():
                joints.append(Joint(one.split()[-1], two.split()[0]))
                truth.append(spaced)
    found = learn(joints, [line for lines in broken for line, _ in lines]).spaces
    return Counter(NAMES[gold, answer] for gold, answer in zip(truth, found, strict=True))


def _rates(counts: Counter[str]) -> str:
    right = (counts["hit"] + counts["none"]) / counts.total()
    precision = counts["hit"] / max(counts["hit"] + counts["added"], 1)
    recall = counts["hit"] / max(counts["hit"] + counts["missed"], 1)
    return f"{right:.4f} ({precision:.3f} {recall:.3f}, n = {counts.total():6})"


def _bombs() -> None:
    """A page whose content unpacks to so many megabytes, each in a process of its own."""
    print("Bombs: outcome, CPU seconds, MB above the start")
    for megabytes in BOMBS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            outcome, seconds, more = pool.apply(_explode, (megabytes,))
        print(f"  {megabytes:5} MB unpacked   {outcome:14} {seconds:6.2f} s {more:6.0f} MB")


def _explode(megabytes: int) -> tuple[str, float, float]:
    stuffed = importlib.import_module("tests.builders.documents.small_pdf").stuffed

    body = stuffed(megabytes * 1_000_000)
    formats.extract(_item(stuffed(0)))  # everything is loaded
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = formats.extract(_item(body))
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return found.reason or found.outcome, time.process_time() - start, more / 1024


if __name__ == "__main__":
    sys.exit(main())
