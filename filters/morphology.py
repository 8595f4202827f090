"""Morphological analysis with Kiwi: analyse a text once, into morphemes and sentences, for all filters.

The only module that calls kiwipiepy. The beam of the search is Kiwi's default, since every narrower one decides fewer
homographs (`benchmarks.homographs`, docs/morphemes.md). Without the dictionary of multi-word names (0.1 % of tokens,
no homograph) a process loads in half the time and saves 200 MB.

The unit of analysis is the line (`filters.morphology`). Lines are cached, since menus, notices and headings
recur over the pages of a site. The cache does not change results: a line is always analysed by itself.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from operator import add, attrgetter
from typing import NamedTuple, TypeAlias

from kiwipiepy import Dialect, Kiwi, Match, Token

from filters.korean.sentence_boundaries import find_sentence_starts
from filters.korean.text_views import find_unspoken
from malmoi.document import Document, Morphemes

VERSION = 4
LIBRARIES = ("kiwipiepy", "kiwipiepy_model")

KEPT_CHARS = 500  # code points of a cached line; longer ones hardly recur
KEPT_BYTES = 16_000_000  # per generation of cached lines, estimated; two are kept
_UNIT_BYTES, _MORPHEME_BYTES = 850, 100  # memory of one of them: arrays, tuples, a string for each form
_NUMBER = attrgetter("sent_position")
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_PLAIN = {tag: tag[:2] for stem in ("VV", "VA", "VX") for tag in (f"{stem}-R", f"{stem}-I")} | {
    tag: tag[:3] for tag in ("XSV-R", "XSV-I", "XSA-R", "XSA-I")
}
# Tags of signs: a full stop, a dash, a list marker. Words in other scripts (SL, SH) and digits (SN) are not signs.
_SIGNS = frozenset(("SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB", "W_EMOJI"))


# Objects that `Kiwi.tokenize` builds for each call; the defaults of 0.24.
_OPTIONS = int(Match.ALL | Match.Z_CODA | Match.OOV_CHR_MODEL)
_DEFAULTS = (False, None, False, Dialect.STANDARD, 3.0, None, 2.5, None)


# Starts, lengths, tags and forms of morphemes, and indexes of those with which Kiwi begins a sentence.
_Columns: TypeAlias = tuple[list[int], list[int], list[str], list[str], list[int]]


class Unit(NamedTuple):
    """The analysis of one unit, with offsets from 0: its morphemes and sentences by column."""

    starts: array[int]
    lengths: array[int]
    tags: tuple[str, ...]
    forms: tuple[str, ...]
    sentence_start: array[int]
    sentence_end: array[int]


@cache
def load() -> Kiwi:
    """Return the analyser of this process, ready to use: built once, with one word analysed.

    Kiwi builds its tables with the first word; a fork server that has called this shares them with each worker for
    under 10 MB.
    """
    kiwi = Kiwi(num_workers=1, load_typo_dict=False, load_multi_dict=False)
    kiwi.tokenize("말")
    return kiwi


@cache
def load_tokenizer() -> Callable[[str], list[Token]]:
    """Return a function like `load().tokenize` without the work that it repeats for each call.

    On lines of web pages that saves 5 % of the time (3 µs a call, and 15 when its code is no longer in the processor's
    cache). The arguments are those of 0.24; a test compares both.
    """
    kiwi = load()
    analyse, config = super(Kiwi, kiwi).analyze, kiwi.global_config
    return lambda text: analyse(text, 1, _OPTIONS, *_DEFAULTS, config)[0][0]


def mark(doc: Document) -> Morphemes:
    """Return the morphemes of a text by column, with the sentences they form.

    Offsets are code points of `doc.text`; contracted morphemes share a start. Tags are Kiwi's Sejong tags without the
    marks for regular (-R) and irregular (-I) verbs. A sentence runs from its first morpheme to the end of its last. It
    ends where Kiwi ends it, corrected by `filters.korean.sentence_boundaries`, and at the end of a line, unless the
    line is wrapped (`filters.morphology`). A list marker belongs to the sentence after it; a line of signs
    alone is not a sentence. Fenced code and the delimiter row of a table have no morphemes and no sentences. Neither do
    stretches without blanks after
    the first 10,000 code points of such stretches.

    >>> from malmoi.document import Provenance
    >>> found = mark(Document("x/1", "학교에 갔다.", Provenance("x", "", "", "", "")))
    >>> list(found.rows())[2:4], len(found.sentence_start)
    ([('가', 'VV', 4, 1), ('었', 'EP', 4, 1)], 1)
    """
    text = doc.text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _SURROGATE.sub("\ufffd", text)  # Kiwi cannot take lone surrogates because UTF-8 has none
    return join_units(_analyse_units(text))


Stretch: TypeAlias = tuple[int, int]

CHUNK_CHARS = 2_000  # code points per call of Kiwi; 20,000 cost 8 % more per character, 것 을 것 을 … five times
WORD_CHARS = 100  # code points without a blank that may still be a word; longer stretches are split there
ADDRESS_CHARS = 1_000  # the same for ASCII, where URLs are long; 20,000 letters cost 11 s/MB, 1,000 0.7
UNSPACED_CHARS = 10_000  # code points of such split stretches analysed per text: 6 s/MB at most

_ITEM = re.compile(r"[ \t]*(?:[-*+•·○●◦■□◆◇▶▷※]|\d{1,3}[.)]|[가-하][.)]|[①-⑳㉠-㉻])[ \t]")
_UNSPACED = re.compile(rf"\S{{{WORD_CHARS + 1},}}")
_STOPPED = (". ", "? ", "! ", ".\n", "?\n", "!\n")


def split_units(text: str, blocks: tuple[Stretch, ...] = ()) -> Iterator[list[Stretch]]:
    """Yield the units of `text` outside `blocks`, each as the pieces for Kiwi, in code points.

    Nearly every unit is one piece. A longer one is split after a sentence, else at a blank, at CHUNK_CHARS; a stretch
    without a blank that is too long for a word is split at WORD_CHARS, and skipped once the text had UNSPACED_CHARS of
    such stretches.

    >>> list(split_units(" 제목\\n글이다. "))
    [[(1, 3)], [(4, 8)]]
    """
    left = UNSPACED_CHARS
    ends = iter(line_ends(text, blocks))
    end = next(ends, len(text) + 1)
    for start, stop in _find_gaps(text, blocks):
        at = start
        while at < stop:
            while end < at:
                end = next(ends, len(text) + 1)
            close = min(end, stop)
            lean = text[at:close].lstrip()
            first = close - len(lean)
            last = first + len(lean.rstrip())
            if first < last:
                if last - first <= WORD_CHARS:
                    yield [(first, last)]
                else:
                    pieces, left = _split_unit(text, first, last, left)
                    if pieces:
                        yield pieces
            at = close + 1


def _split_unit(text: str, start: int, end: int, left: int) -> tuple[list[Stretch], int]:
    """Return the pieces of a long unit, and the rest of UNSPACED_CHARS after it."""
    found: list[Stretch] = []
    at = start
    for stretch in _UNSPACED.finditer(text, start, end):
        first, last = stretch.span()
        if last - first <= ADDRESS_CHARS and stretch[0].isascii():
            continue
        found += chunks(text, at, first)
        kept = min(last - first, left)
        found += [(i, min(i + WORD_CHARS, first + kept)) for i in range(first, first + kept, WORD_CHARS)]
        left -= kept
        at = last
    found += chunks(text, at, end)
    return found, left


def chunks(text: str, start: int, end: int, size: int = CHUNK_CHARS) -> Iterator[Stretch]:
    """Yield (start, end) of pieces of at most `size` code points: split after a sentence, at a blank, or anywhere.

    >>> list(chunks("가나. 다라 마바사", 0, 10, 5))
    [(0, 4), (4, 7), (7, 10)]
    """
    while end - start > size:
        stop = max(text.rfind(sign, start, start + size) for sign in _STOPPED) + 2
        if stop < start + size // 2:
            stop = max(text.rfind(" ", start, start + size), text.rfind("\n", start, start + size)) + 1
        if stop <= start:
            stop = start + size
        yield start, stop
        start = stop
    if start < end:
        yield start, end


def line_ends(text: str, blocks: tuple[Stretch, ...] = ()) -> list[int]:
    """Return the line breaks that end a sentence, in code points, sorted; breaks inside `blocks` are left out.

    That is every line break, unless the lines are wrapped at one width; then only one after a line that is clearly
    shorter than the others, at an empty line, and before a list item.

    >>> line_ends("제목\\n글이다.")
    [2]
    """
    prose = "\n".join(text[start:end] for start, end in _find_gaps(text, blocks)) if blocks else text
    width = wrap_width(prose)
    ends: list[int] = []
    for start, end in _find_gaps(text, blocks):
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


def _find_gaps(text: str, blocks: tuple[Stretch, ...]) -> Iterator[Stretch]:
    """Yield the stretches between the blocks."""
    done = 0
    for start, end in blocks:
        yield done, start
        done = end
    yield done, len(text)


def wrap_width(text: str) -> int:
    """Return the width at which lines are wrapped, in code points; 0 if they are not wrapped.

    Lines are wrapped if there are at least ten, half of them nearly as long as the longest tenth, and those 30 to 100
    code points long; verses and dialogue turns are shorter, paragraphs longer. Only the first 20,000 code points are
    read.
    """
    sizes = sorted(len(line) for line in text[:20_000].split("\n") if line and not line.isspace())
    if len(sizes) < 10:
        return 0
    width = sizes[len(sizes) * 9 // 10]
    return width if 30 <= width <= 100 and sum(size >= 0.75 * width for size in sizes) * 2 >= len(sizes) else 0


def _analyse_units(text: str) -> Iterable[tuple[int, Unit]]:
    """Yield each unit with its offset."""
    for pieces in split_units(text, find_unspoken(text)):
        at, end = pieces[0]
        if len(pieces) > 1 or end - at > KEPT_CHARS:
            yield at, analyse_unit(text[at : pieces[-1][1]], [(first - at, last - at) for first, last in pieces])
            continue
        line = text[at:end]
        unit = _MEMORY.get(line)
        if unit is None:
            unit = analyse_unit(line, [(0, end - at)])
            _MEMORY.put(line, unit)
        yield at, unit


def analyse_unit(unit: str, pieces: list[Stretch]) -> Unit:
    """Analyse a unit that Kiwi receives in these pieces; without a full stop a sentence continues over two pieces."""
    starts, lengths, tags, forms, said = _tokenize(unit) if len(pieces) == 1 else _tokenize_in_pieces(unit, pieces)
    bounds = [0, *find_sentence_starts(unit, tags, forms, starts, said), len(tags)] if tags else []
    return Unit(
        array("I", starts),
        array("H", lengths),
        tuple(tags),
        tuple(forms),
        *_find_sentences(unit, bounds, tags, starts, lengths),
    )


def _tokenize(text: str) -> _Columns:
    """Return Kiwi's tokens by column.

    Reading token attributes column by column is among the fastest ways (0.1 µs each; Kiwi takes 7 to 16 for a token);
    each pass over the tokens that is saved shows in the measurements.
    """
    tokens = load_tokenizer()(text)
    tags = [token.tag for token in tokens]
    last = tokens[-1].sent_position if tokens else 0
    return (
        [token.start for token in tokens],
        [token.len for token in tokens],
        list(map(_PLAIN.get, tags, tags)),
        [token.form for token in tokens],
        [bisect_left(tokens, number, key=_NUMBER) for number in range(1, last + 1)],
    )


def _tokenize_in_pieces(unit: str, pieces: list[Stretch]) -> _Columns:
    found: _Columns = ([], [], [], [], [])
    starts, lengths, tags, forms, said = found
    piece, more = "", _tokenize("")
    for first, last in pieces:
        if unit[first:last] != piece:  # a row such as ㅋㅋ. ㅋㅋ. … is analysed once
            piece = unit[first:last]
            more = _tokenize(piece)
        done = len(tags)
        if done and more[2] and tags[-1] == "SF":
            said.append(done)
        starts += [first + start for start in more[0]]
        lengths += more[1]
        tags += more[2]
        forms += more[3]
        said += [done + number for number in more[4]]
    return found


def _find_sentences(
    unit: str, bounds: list[int], tags: list[str], starts: list[int], lengths: list[int]
) -> tuple[array[int], array[int]]:
    """Return sentences between `bounds`: signs at the start of a unit join what follows, other signs what precedes."""
    begin, close = array("I"), array("I")
    waiting = -1  # start of the signs that begin this unit
    for first, last in pairwise(bounds):
        start = starts[first]
        near = max(first, last - 3)  # contracted morphemes share an offset: the last one may not reach furthest
        end = max(map(add, starts[near:last], lengths[near:last]))
        if any(  # a word or a number; words in rare scripts are tagged SW too
            tag not in _SIGNS or (tag == "SW" and unit[at].isalnum())
            for tag, at in zip(tags[first:last], starts[first:last], strict=True)
        ):
            begin.append(start if waiting < 0 else waiting)
            close.append(end)
            waiting = -1
        elif close:
            close[-1] = end
        elif waiting < 0:
            waiting = start
    return begin, close


def join_units(found: Iterable[tuple[int, Unit]]) -> Morphemes:
    """Join all units into one analysis, with offsets in the text."""
    starts, lengths, begin, close = array("I"), array("H"), array("I"), array("I")
    tags: list[str] = []
    forms: list[str] = []
    for at, unit in found:
        starts.extend([at + start for start in unit.starts])
        lengths.extend(unit.lengths)
        tags += unit.tags
        forms += unit.forms
        begin.extend([at + start for start in unit.sentence_start])
        close.extend([at + end for end in unit.sentence_end])
    return Morphemes(starts, lengths, tuple(tags), tuple(forms), begin, close)


class _Memory:
    """Cache of the lines analysed last: a young and an old generation, each of at most KEPT_BYTES."""

    def __init__(self) -> None:
        self.young: dict[str, Unit] = {}
        self.old: dict[str, Unit] = {}
        self.size = 0  # bytes of the young generation

    def get(self, line: str) -> Unit | None:
        found = self.young.get(line)
        if found is None and (found := self.old.get(line)) is not None:
            self.put(line, found)
        return found

    def put(self, line: str, found: Unit) -> None:
        size = _UNIT_BYTES + _MORPHEME_BYTES * len(found.tags)
        if self.size + size > KEPT_BYTES:
            self.old, self.young, self.size = self.young, {}, 0
        self.size += size
        self.young[line] = found


_MEMORY = _Memory()
