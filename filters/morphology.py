"""Analyse a text once with Kiwi: morphemes and sentences, for every filter that needs them.

The one owner of kiwipiepy. Measured on 120 news, review and tale texts and 102 technical pages,
one core, kiwipiepy 0.24.1: the default search 140 and 385 kchar/s; a cut-off of 3 instead of 8
gives 185 and 505 kchar/s and the same token for 99.7 % of them, a cut-off of 2 only for 99.3 %.
Without the dictionary of multi-word names (0.07 % of tokens) a process loads in half the time
and saves 200 MB. Both together keep 99.6 and 99.7 % of tokens; sentence ends are found as well
as by the default (F1 0.890 and 0.885 on the 1,223 gold sentences of Kiwi's benchmark).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

from kiwipiepy import Kiwi

from filters.fences import fences
from malmoi.document import Document, Morphemes

VERSION = 2
LIBRARIES = ("kiwipiepy", "kiwipiepy_model")

CUTOFF = 3.0  # beam of the search, in log probability; Kiwi's default is 8
CHUNK_CHARS = 20_000  # code points given to Kiwi at once; 80,000 cost a fifth more per character
Piece: TypeAlias = tuple[int, int, bool, bool]  # start, end, has a word or number, begins a line
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_LINE = re.compile(r"[^\n]*\S[^\n]*")
_ITEM = re.compile(r"[ \t]*(?:[-*+•·○●◦■□◆◇▶▷※]|\d{1,3}[.)]|[가-하][.)]|[①-⑳㉠-㉻])[ \t]")
# Tags of signs: a full stop, a dash, the mark of a list item. Words in other scripts (SL, SH) and digits (SN) are none.
_SIGNS = frozenset(("SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB", "W_EMOJI"))


@cache
def load() -> Kiwi:
    """The analyser of this process, ready to work: built once, and one word analysed.

    Kiwi builds its tables with the first word; a fork server that has called this gives each
    worker all of it for under 10 MB.
    """
    kiwi = Kiwi(num_workers=1, load_typo_dict=False, load_multi_dict=False)
    kiwi.global_config.cutoff_threshold = CUTOFF
    kiwi.tokenize("말")
    return kiwi


def mark(doc: Document) -> Morphemes:
    """The morphemes of a text by column, with the sentences they form.

    Offsets are code points of `doc.text`; contracted morphemes share a start. Tags are Kiwi's
    Sejong tags without the marks for regular (-R) and irregular (-I) verbs. A sentence runs
    from its first morpheme to the end of its last. It ends where Kiwi says so and where a line
    ends, unless the line is wrapped (`line_ends`). The mark of a list item belongs to the
    sentence behind it; a line of signs alone is none. Fenced code has neither morphemes nor
    sentences.

    >>> from malmoi.document import Provenance
    >>> found = mark(Document("x/1", "학교에 갔다.", Provenance("x", "", "", "", "")))
    >>> list(found.rows())[2:4], len(found.sentence_start)
    ([('가', 'VV', 4, 1), ('었', 'EP', 4, 1)], 1)
    """
    text = _SURROGATE.sub("\ufffd", doc.text)  # Kiwi takes UTF-8, which has no lone surrogates
    blocks = fences(text)
    ends = iter([*line_ends(text, blocks), len(text) + 1])
    line_end = -1
    starts, lengths = array("I"), array("H")
    tags: list[str] = []
    forms: list[str] = []
    pieces: list[Piece] = []
    kiwi = load()
    for offset, chunk in _prose(text, blocks):
        number, first, end, says, fresh = -1, -1, 0, False, False
        for token in kiwi.tokenize(chunk):
            start, length = offset + token.start, token.len
            tag = str(token.tag)
            if token.sent_position != number or start > line_end:
                if first >= 0:
                    pieces.append((first, end, says, fresh))
                number, first, end, says, fresh = token.sent_position, start, 0, False, start > line_end
                while start > line_end:
                    line_end = next(ends)
            end = max(end, start + length)
            says = says or tag not in _SIGNS or (tag == "SW" and text[start].isalnum())  # rare scripts are SW too
            starts.append(start)
            lengths.append(length)
            tags.append(tag[:-2] if tag[-2:] in ("-I", "-R") else tag)
            forms.append(token.form)
        if first >= 0:
            pieces.append((first, end, says, fresh))
    sentences = _joined(pieces)
    return Morphemes(
        starts,
        lengths,
        tuple(tags),
        tuple(forms),
        array("I", [start for start, _ in sentences]),
        array("I", [end for _, end in sentences]),
    )


def _joined(pieces: list[Piece]) -> list[tuple[int, int]]:
    """Pieces as sentences: signs that begin a line join what follows on it, other signs what stands before."""
    sentences: list[tuple[int, int]] = []
    waiting = -1  # start of the signs that begin this line
    for start, end, says, fresh in pieces:
        if fresh:
            waiting = -1
        if says:
            sentences.append((start if waiting < 0 else waiting, end))
            waiting = -1
        elif waiting >= 0:
            continue
        elif fresh or not sentences:
            waiting = start
        else:
            sentences[-1] = (sentences[-1][0], end)
    return sentences


def line_ends(text: str, blocks: tuple[tuple[int, int], ...] = ()) -> list[int]:
    """Where a line break ends a sentence, in code points, sorted; breaks inside `blocks` are left out.

    That is everywhere, unless the lines are wrapped at one width; then behind a line that is
    clearly shorter than the others, at an empty line, and before an item of a list.

    >>> line_ends("제목\\n글이다.")
    [2]
    """
    prose = "\n".join(text[start:end] for start, end in _gaps(text, blocks)) if blocks else text
    width = wrapped_width(prose)
    ends: list[int] = []
    for start, end in _gaps(text, blocks):
        at = start
        while (stop := text.find("\n", at, end)) >= 0:
            if (
                stop - at < 0.75 * width
                or not width
                or text[stop + 1 : stop + 2] == "\n"
                or _ITEM.match(text, stop + 1)
            ):
                ends.append(stop)
            at = stop + 1
        ends.append(end)
    return ends[:-1]


def _gaps(text: str, blocks: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    """What stands between the blocks."""
    done = 0
    for start, end in blocks:
        yield done, start
        done = end
    yield done, len(text)


def _prose(text: str, blocks: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, str]]:
    for start, end in _gaps(text, blocks):
        yield from ((start + offset, piece) for offset, piece in chunks(text[start:end]))


def chunks(text: str, size: int = CHUNK_CHARS) -> Iterator[tuple[int, str]]:
    """(offset, piece) of at most `size` code points: cut behind a line, else a blank, else anywhere.

    >>> list(chunks("가나\\n다라 마바사", 4))
    [(0, '가나\\n'), (3, '다라 '), (6, '마바사')]
    """
    start = 0
    while len(text) - start > size:
        stop = text.rfind("\n", start, start + size) + 1 or text.rfind(" ", start, start + size) + 1 or start + size
        yield start, text[start:stop]
        start = stop
    if start < len(text):
        yield start, text[start:]


def is_wrapped(text: str) -> bool:
    """Whether lines break at one width, as in plain text and PDF, and not where something ends."""
    return wrapped_width(text) > 0


def wrapped_width(text: str) -> int:
    """The width at which lines are wrapped, in code points; 0 where they end where something ends.

    Wrapped are at least ten lines of which half are nearly as long as the longest tenth, and those
    30 to 100 code points long; verses and turns of talk are shorter, paragraphs longer.
    """
    sizes = sorted(len(line) for line in _LINE.findall(text[:CHUNK_CHARS]))
    if len(sizes) < 10:
        return 0
    width = sizes[len(sizes) * 9 // 10]
    return width if 30 <= width <= 100 and sum(size >= 0.75 * width for size in sizes) * 2 >= len(sizes) else 0
