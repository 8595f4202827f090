"""Drop navigation pages: lists of links and labels without a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from filters.korean import text_views
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Count, Limit, Share

VERSION = 2
LIMITS = (Limit("running", "max_running", "min", "no-sentences"),)

SHORT_LINE = 20  # code points; menu labels, table cells, but also verses

# A full stop, a closing ending, or the noun forms that close a Korean sentence in offices and law.
_SENTENCE = re.compile(
    r"(?:[가-힣)\]」』”’\"'%\d][.!?…。]+|(?:다|요|까|죠|네|오|자|라|함|됨|음|임|것|군|냐|니|지|래|걸|게|어|아|해|줘|야)[~ㅋㅎㅠㅜ^]*)"
    r"[\s\"'”’」』)\]〉》*_]*(?:\([^)]*\)|\[[^\]]*\])?[\s.]*$"
)
# An eojeol that ends in a particle or a linking ending, followed by another eojeol. Endings that also close short
# nouns (결과, 도서, 회의) need two syllables before them.
_LINKED = re.compile(
    r"[가-힣](?:[을를은는에와]|에서|으로|까지|부터|처럼|보다|지만|[아어]서),?\s+\S"
    r"|[가-힣]{2}[이가의도과로고며면서만],?\s+\S"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of the lines of a text; lines without a letter and fenced code are not counted."""

    lines: int
    sentence_lines: float  # share of lines that end like a sentence
    short_lines: float  # share of lines of at most SHORT_LINE code points
    running: float  # share of characters in lines that end like a sentence or link their words


def judge(doc: Document, *, min_lines: Count = 8, max_running: Share = 0.15) -> Verdict:
    """Drop a text whose lines hold almost no running words; reason `no-sentences`.

    A text is dropped if it has at least `min_lines` lines, at most one in 50 ends like a sentence, and at most
    `max_running` of the characters are in lines that link words by particles or endings. Verses, dialogues and tables
    within prose link their words and stay; a text of few lines is left to `length` and `quality`.

    Measures `lines`, `sentence_lines`, `short_lines`, `running`.
    """
    shape = shape_of(doc.text)
    certain = shape.lines >= min_lines and shape.sentence_lines <= 0.02 and shape.running <= max_running
    return Verdict(
        "drop" if certain else "keep",
        "no-sentences" if certain else "structure",
        measured=round(shape.running, 4),
        limit=max_running,
        measures=(
            ("lines", float(shape.lines)),
            ("sentence_lines", round(shape.sentence_lines, 4)),
            ("short_lines", round(shape.short_lines, 4)),
            ("running", round(shape.running, 4)),
        ),
    )


def shape_of(text: str) -> Shape:
    """Return the shape of the lines of `text`.

    >>> shape_of("홈\\n소식\\n오늘은 비가 옵니다.").sentence_lines
    0.3333333333333333
    """
    lines = [s for s in map(str.strip, text_views.prose(text).split("\n")) if any(map(str.isalpha, s))]
    if not lines:
        return Shape(0, 0.0, 0.0, 0.0)
    sentences = short = running = 0
    for line in lines:
        short += len(line) <= SHORT_LINE
        ends = ends_sentence(line)
        sentences += ends
        if ends or links_words(line):
            running += len(line)
    return Shape(len(lines), sentences / len(lines), short / len(lines), running / sum(map(len, lines)))


def ends_sentence(line: str) -> bool:
    """Whether a stripped line that is not empty ends like a sentence."""
    tail = line[-60:]
    return _SENTENCE.search(tail) is not None and (" " in line or tail[-1] in ".!?…。")


def links_words(line: str) -> bool:
    """Whether a line of at least three words links them by particles or endings."""
    return line.count(" ") > 1 and _LINKED.search(line) is not None
