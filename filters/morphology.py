"""Morphological analysis with Kiwi: analyse a text once, into morphemes and sentences, for all filters.

The only module that calls kiwipiepy. The beam of the search is Kiwi's default, since every narrower one decides fewer
homographs (`benchmarks.homographs`, docs/morphemes.md). Without the dictionary of multi-word names (0.1 % of tokens,
no homograph) a process loads in half the time and saves 200 MB.

The unit of analysis is the line (`filters.korean.analysis_units`). Lines are cached, since menus, notices and headings
recur over the pages of a site. The cache does not change results: a line is always analysed by itself.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from operator import add, attrgetter
from typing import NamedTuple, TypeAlias

from kiwipiepy import Dialect, Kiwi, Match, Token

from filters.korean.analysis_units import Stretch, split_units
from filters.korean.sentence_boundaries import find_sentence_starts
from filters.views.code_fences import find_unspoken
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
    line is wrapped (`filters.korean.analysis_units`). A list marker belongs to the sentence after it; a line of signs
    alone is not a sentence. Fenced code and the delimiter row of a table have no morphemes and no sentences. Neither do
    stretches without blanks after
    the first 10,000 code points of such stretches.

    >>> from malmoi.document import Provenance
    >>> found = mark(Document("x/1", "학교에 갔다.", Provenance("x", "", "", "", "")))
    >>> list(found.rows())[2:4], len(found.sentence_start)
    ([('가', 'VV', 4, 1), ('었', 'EP', 4, 1)], 1)
    """
    text = _replace_surrogates(doc.text)
    return join_units(_analyse_units(text))


def _replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which Kiwi cannot take because UTF-8 has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


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
        if tags[first] not in _SIGNS or any(_is_word(unit, tags[i], starts[i]) for i in range(first, last)):
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


def _is_word(text: str, tag: str, start: int) -> bool:
    """Whether a morpheme is a word or a number; words in rare scripts are tagged SW too."""
    return tag not in _SIGNS or (tag == "SW" and text[start].isalnum())
