"""Measure how often the language filter is right: documents, cuts of ten characters, and texts written for it.

`python -m benchmarks.language`: Korean of every register and what is not Korean, from the corpora beside
the project, and tests/data/language.jsonl. A cut begins at a word; one with fewer than three Hangul
letters (a name, a command) belongs to no language and is left out of the Korean ones.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from filters import language
from malmoi.document import Document, Provenance

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"
WRITTEN = ROOT / "tests" / "data" / "language.jsonl"
SEED = 20261124
CUT = 10  # code points, white space at the ends left out
CUTS = 4  # of each document
MIN_CHARS = 40  # code points of a document; of a turn of dialogue there is no minimum
_TAGS = re.compile(r"<[^<>]{1,500}>")
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e가-힣]")

Case = tuple[str, str, bool]  # kind, text, whether it is Korean


def korean_documents(corpora: Path) -> Iterator[tuple[str, str]]:
    """(register, text) of what is Korean throughout."""
    csv.field_size_limit(10_000_000)
    for path in sorted((corpora / "boddari").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as rows:
            for row in csv.reader(rows):
                if row and len(text := max(row, key=_hangul)) >= MIN_CHARS:
                    yield f"boddari/{path.stem}", text
    with (corpora / "chatbot-dialogue-ko" / "ChatbotData.csv").open(encoding="utf-8", newline="") as rows:
        for row in list(csv.reader(rows))[1::4]:
            yield "dialogue turn", row[0]
    with (corpora / "law-ko" / "tax_rulings.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            texts = [value for value in json.loads(line).values() if isinstance(value, str)]
            if len(text := max(texts, key=_hangul, default="")) >= MIN_CHARS and _HANGUL.search(text):
                yield "law/ruling", text
    for path in sorted((corpora / "ko-react-dev" / "learn").rglob("*.md")):
        yield "technical (React)", path.read_text(encoding="utf-8")
    for path in sorted((corpora / "kiwi-sentence-split" / "testset").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if len(line) >= MIN_CHARS and _hangul(line):
                yield "sentence set", line


def _hangul(text: str) -> int:
    return len(_HANGUL.findall(text))


def foreign_documents(corpora: Path) -> Iterator[tuple[str, str]]:
    """(kind, text) of what is not Korean: licences, notes, and paragraphs nobody has translated."""
    licences = [*sorted(corpora.rglob("LICENSE*")), *sorted((ROOT / "malmoi" / "releases" / "texts").glob("*.txt"))]
    for path in licences:
        for paragraph in path.read_text(encoding="utf-8", errors="replace").split("\n\n"):
            if len(paragraph.strip()) >= MIN_CHARS and not _HANGUL.search(paragraph):
                yield "licence paragraph (en)", paragraph.strip()
    for path in sorted((corpora / "debian-faq-ko" / "ko").glob("*.html")):
        page = path.read_text(encoding="utf-8", errors="replace")
        for paragraph in re.findall(r"<p>(.{1,5000}?)</p>", page, re.S):
            text = " ".join(_TAGS.sub(" ", paragraph).split())
            if len(text) >= MIN_CHARS and not _HANGUL.search(text):
                yield "untranslated paragraph (en)", text
    for name in ("NormalizationTest.txt", "HangulSyllableType.txt"):
        head = (corpora / "unicode-normalization-gold" / name).read_text(encoding="utf-8").splitlines()[:20]
        yield "unicode data (en)", "\n".join(line for line in head if line.startswith("#") and not _HANGUL.search(line))


def written() -> Iterator[Case]:
    """The cases of tests/data/language.jsonl."""
    with WRITTEN.open(encoding="utf-8") as lines:
        for case in map(json.loads, lines):
            yield f"written: {case['kind']}", case["text"], case["korean"]


def cuts(text: str, dice: random.Random) -> Iterator[str]:
    """Stretches of CUT code points that begin at a word, without line breaks."""
    starts = [found.start() for found in re.finditer(r"(?<!\S)\S", text)]
    for start in dice.sample(starts, min(CUTS, len(starts))):
        if len(cut := text[start : start + CUT].strip()) >= CUT - 1 and "\n" not in cut:
            yield cut


def cases(corpora: Path = CORPORA) -> Iterator[Case]:
    """The whole exam."""
    dice = random.Random(SEED)
    for kind, text in korean_documents(corpora):
        yield f"document: {kind}", text, True
        for cut in cuts(text, dice):
            if _hangul(cut) >= 3:
                yield "ten characters: Korean", cut, True
    for kind, text in foreign_documents(corpora):
        yield f"document: {kind}", text, False
        for cut in cuts(text, dice):
            yield "ten characters: not Korean", cut, False
    yield from written()


def right(text: str, korean: bool) -> bool:
    """Whether the filter keeps what is Korean and drops what is not."""
    doc = Document("exam/1", text, Provenance("exam", "", "", "", ""))
    return (language.judge(doc).outcome == "keep") is korean


def main() -> int:
    """Print accuracy by kind, and the CPU of the filter."""
    if not CORPORA.is_dir():
        print(f"{CORPORA}: not there; this measurement needs the corpora beside the project")
        return 2
    seen: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    exam = list(cases())
    begun = time.process_time()
    for kind, text, korean in exam:
        seen[kind][0] += 1
        seen[kind][1] += right(text, korean)
    spent = time.process_time() - begun
    for kind, (number, good) in seen.items():
        print(f"{kind:45} {number:7,} {good / number:9.3%}")
    print(f"{len(exam):,} texts, {spent / len(exam) * 1e6:.0f} µs each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
