"""Candidates for names in texts and their features, as arrays: one row for each candidate.

A candidate is a range that has the form of a name: the first syllables of a Hangul run, spaced syllables, words of a
foreign name, capitalised Latin words, Chinese characters. A feature is a slot of a table of weights. All features
are hashes of integers, so that equal texts have equal slots on every machine.

Many short texts are read as one array, which shares the fixed costs of some 150 calls of NumPy. The slots of a text do
not depend on the texts beside it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import re2

from filters.pii_rules.name_model import FAMILY, FAMILY_OF_TWO, read_words
from malmoi.document import Morphemes

Ints: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.bool_]

BITS: Final = 18
RUN, GIVEN, SPLIT, SPACED, WORDS, LATIN, HAN = range(7)  # types of candidates
MARGIN: Final = 8  # line ends on either side of a text
_BASE: Final = 0x5DEECE66D | 1  # of the polynomial hash; odd, so that it has an inverse modulo 2**64
_INVERSE: Final = pow(_BASE, -1, 1 << 64)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_STIR: Final = np.uint64(0xBF58476D1CE4E5B9)
_WORDS_MAX: Final = 4  # words of a foreign name
_GAP: Final = 4  # code points between a candidate and a word next to it that count
_LATIN: Final = re2.compile(
    "[A-Z]{2,16}/[A-Z]{2,20}(?: (?:MR|MS|MRS|MISS|MSTR))?|"
    "[A-Z][A-Za-zÀ-ž'-]{1,20}(?:,? [A-ZÀ-Ž][A-Za-zÀ-ž'-]{1,20}){1,3}"
)
_LATIN_FIELD: Final = re2.compile(
    "(?:[Ss]urname|SURNAME|[Nn]ames?|NAME|이름|영문)[\"': /]{1,4}([A-Z]{2,16})(?:[^A-Za-z ]|$)"
)
_LATIN_LABELS: Final = ("Name ", "NAME ", "Names ", "Surname ", "From ", "Passenger ", "Guest ")
_NO_LATIN: Final = frozenset(  # words of forms and headings that no name contains
    "NAME NAMES NO ID TEL FAX PHONE CARD PASSPORT DATE BIRTH NATIONALITY BOOKING TYPE CODE MESSAGE THE OF AND FOR API "
    "HTML SERVER FREE SOFTWARE GNU PC USER TEAM MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY REPUBLIC "
    "KOREA SEOUL BUSAN RESIDENT REGISTRATION NUMBER PARENT ADDRESS EMAIL LESSON START PLAY NEW VIEW STORY "
    "IBAN BIC SWIFT GMBH LTD INC HOTEL".split()
)
_HAN_FAMILY: Final = (
    "金李朴崔鄭姜趙尹張林韓吳徐申權黃安宋全洪柳高文梁孫裵裴白許劉南沈盧河郭成車朱禹具羅田閔陳池嚴元蔡千方孔康玄咸"
    "卞廉楊邊呂秋魯都石蘇愼馬薛吉延魏表明奇房潘王琴玉陸印孟諸卓魚牟皇"
)
_HAN: Final = re2.compile(f"[{_HAN_FAMILY}][\u4e00-\u9fff]{{1,3}}")


Piece: TypeAlias = tuple[int, int]
"""A range of a text, in code points."""


class Excerpt(NamedTuple):
    """Ranges of a text, one or more, in order and without overlap; and the analysis of the whole text."""

    text: str
    pieces: Sequence[Piece]
    morphemes: Morphemes | None = None

    def join(self) -> str:
        """Return the ranges, with a line end between them."""
        return "\n".join(self.text[start:end] for start, end in self.pieces)


class Candidates(NamedTuple):
    """Candidates: start and end in code points, and the type."""

    start: Ints
    end: Ints
    type: Ints


class _Codes(NamedTuple):
    """Texts as arrays, one after the other, each with `MARGIN` line ends before and behind it.

    The first and the last of these line ends are a text's outermost words, so that nothing beyond is read.
    """

    codes: Ints
    prefix: Hashes  # prefix[i] is the scaled hash of all code points before i
    native: Ints  # native[i] is the sum of how Korean given names favour all syllables before i over nouns
    foreign: Ints  # likewise for names of other languages
    hangul: Flags
    run_end: Ints  # of the run of characters of the same class that contains a position
    run_start: Ints
    word_before: Ints  # last position before this one that belongs to a word
    word_after: Ints  # first position from this one on that belongs to a word
    stops: Ints  # of the texts, exclusive


@cache
def _hash_list(name: str) -> Hashes:
    return np.unique(np.array([_hash_word(word) for word in read_words(name)], np.uint64))


def _hash_word(word: str) -> int:
    """Return the hash that `_hash_ranges` gives to the same characters."""
    value = 0
    for i, char in enumerate(word):
        value += (ord(char) + 1) * pow(_BASE, i, 1 << 64)
    return value % (1 << 64)


_powers: list[Hashes] = [np.ones(1, np.uint64), np.ones(1, np.uint64)]  # of _BASE and of its inverse


def _last_true(flags: Flags) -> Ints:
    """Return for each position the last one up to it where `flags` is true, or 0."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags)), 0))


def _next_true(flags: Flags) -> Ints:
    """Return for each position the first one from it on where `flags` is true, or the last position."""
    at = np.where(flags, np.arange(len(flags)), len(flags) - 1)
    return np.minimum.accumulate(at[::-1])[::-1]


def _encode(padded: str, sizes: Sequence[int]) -> _Codes:
    """Encode joined texts; `sizes` are their code points with both margins."""
    codes = np.frombuffer(padded.encode("utf-32-le", "replace"), np.uint32).astype(np.int64)
    digit = (codes >= 0x30) & (codes <= 0x39)
    codes = np.where(digit, 0x30, codes)
    hangul = (codes >= 0xAC00) & (codes <= 0xD7A3)
    latin = ((codes | 0x20) >= 0x61) & ((codes | 0x20) <= 0x7A)
    han = (codes >= 0x4E00) & (codes <= 0x9FFF)
    kind = hangul + 2 * latin + 3 * digit + 4 * han
    stops = np.cumsum(sizes)
    starts = np.concatenate(([0], stops[:-1]))
    change = np.ones(len(codes) + 1, np.bool_)
    change[1:-1] = kind[1:] != kind[:-1]
    change[starts] = True
    word = kind > 0
    word[starts] = word[stops - 1] = True
    start = _last_true(change[:-1])
    end = _next_true(change[1:]) + 1
    if len(_powers[0]) <= len(codes):
        for i, base in enumerate((_BASE, _INVERSE)):
            row = np.full(max(len(codes) + 1, 4096), base, np.uint64)
            row[0] = 1
            _powers[i] = np.cumprod(row, dtype=np.uint64)
    powers = _powers[0]
    prefix = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum((codes + 1).astype(np.uint64) * powers[: len(codes)], out=prefix[1:])
    before = np.concatenate(([0], _last_true(word)[:-1]))
    native, foreign = (np.concatenate(([0], np.cumsum(table[np.minimum(codes, _BMP)]))) for table in _favours())
    before[starts] = starts
    return _Codes(codes, prefix, native, foreign, hangul, end, start, before, _next_true(word), stops)


def _hash_ranges(text: _Codes, start: Ints, end: Ints) -> Hashes:
    """Return a hash of the code points of each range that does not depend on where the range lies."""
    inverse = _powers[1]
    hashed: Hashes = (text.prefix[end] - text.prefix[start]) * inverse[start]
    return hashed


def _is_in(values: Hashes, name: str) -> Flags:
    known = _hash_list(name)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: Flags = known[at] == values
    return found


@cache
def _double_families() -> Hashes:
    return np.unique(np.array([_hash_word(name) for name in FAMILY_OF_TWO], np.uint64))


def _is_double_family(text: _Codes, start: Ints) -> Flags:
    known = _double_families()
    values = _hash_ranges(text, start, start + 2)
    found: Flags = known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
    return found


_OPENING: Final = np.array(sorted(map(ord, "\n\t|│,;:：=(（[<\"'/·>-*")), np.int64)
_COLUMNS: Final = np.union1d(_OPENING, [0x20])
_BLANKS: Final = np.array(sorted(map(ord, " \u00a0\u3000\t\u200b")), np.int64)


def _is_among(codes: Ints, sorted_codes: Ints) -> Flags:
    at = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    found: Flags = sorted_codes[at] == codes
    return found


def _blank_gap(text: _Codes, end: Ints) -> tuple[Ints, Flags]:
    """Return where the next word begins and whether one to three blanks and no other mark separate it."""
    last = len(text.codes) - 1
    after = text.word_after[np.minimum(end, last)]
    gap = after - end
    fits = (gap >= 1) & (gap <= 3) & text.hangul[after]
    for i in range(3):
        fits &= (gap <= i) | _is_among(text.codes[np.minimum(end + i, last)], _BLANKS)
    return after, fits


def find_candidates(text: _Codes) -> Candidates:
    """Return the candidates in Hangul, in padded positions, sorted by start and end."""
    first = np.flatnonzero(text.hangul & (text.run_start == np.arange(len(text.codes))))
    length = text.run_end[first] - first
    family = _syllable_classes()[0][np.minimum(text.codes[first], _BMP)] > 0
    double = (length >= 2) & _is_double_family(text, first)
    blank = text.codes[first - 1] == 0x20  # two blanks separate columns
    opened = _is_among(text.codes[first - 1], _OPENING) | (blank & _is_among(text.codes[first - 2], _COLUMNS))
    rows: list[tuple[Ints, Ints, int]] = []
    for size in (2, 3, 4):
        fits = (length >= size) & ((family & ((size < 4) | (length <= 7))) | double)
        rows.append((first[fits], first[fits] + size, RUN))
        fits = (length >= size) & ~family & ~double & (size < 4)
        given = fits & _is_in(_hash_ranges(text, first, first + np.minimum(length, size)), "given_names")
        given |= fits & ((opened & (length == size)) | ((size == 3) & (length <= 4)))
        rows.append((first[given], first[given] + size, GIVEN))
    fits = double & (length >= 5)
    rows.append((first[fits], first[fits] + 5, RUN))
    fits = (length >= 4) & (length <= 7) & opened & ~(family & (length == 4))
    rows.append((first[fits], text.run_end[first[fits]], WORDS))
    rows += _find_spaced(text, first[(family & (length == 1)) | (double & (length == 2))])
    rows += _find_foreign(text, first[length <= 7])
    start, end = np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows])
    kind = np.concatenate([np.full(len(r[0]), r[2], np.int64) for r in rows])
    order = np.lexsort((kind, end, start))
    start, end, kind = start[order], end[order], kind[order]
    fresh = np.ones(len(start), np.bool_)
    fresh[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    return Candidates(start[fresh], end[fresh], kind[fresh])


def _find_spaced(text: _Codes, first: Ints) -> list[tuple[Ints, Ints, int]]:
    """Find a family name apart from the given name, and names with blanks between all syllables."""
    rows: list[tuple[Ints, Ints, int]] = []
    second, fits = _blank_gap(text, text.run_end[first])
    first, second = first[fits], second[fits]
    length = text.run_end[second] - second
    for size in (1, 2, 3):
        fits = (length >= size) & ((size > 1) | (length == 1))
        rows.append((first[fits], second[fits] + size, SPLIT))
    alone = length == 1
    for _ in range(2):
        first, second = first[alone], second[alone]
        third, fits = _blank_gap(text, second + 1)
        first, second = first[fits], third[fits]
        rows.append((first, second + 1, SPACED))
        alone = text.run_end[second] - second == 1
    return rows


def _find_foreign(text: _Codes, first: Ints) -> list[tuple[Ints, Ints, int]]:
    """Find two to four whole words of Hangul in a field."""
    rows: list[tuple[Ints, Ints, int]] = []
    last = first
    for _ in range(_WORDS_MAX - 1):
        after, fits = _blank_gap(text, text.run_end[last])
        fits &= text.run_end[after] - after <= 7
        first, last = first[fits], after[fits]
        end = text.run_end[last]
        long = end - first >= 6
        rows.append((first[long], end[long], WORDS))
    return rows


def _find_other_scripts(padded: str) -> list[tuple[int, int, int]]:
    """Find capitalised Latin words and Chinese characters, in code points of `padded`."""
    data = padded.encode("utf-8", "replace")
    rows: list[tuple[int, int, int]] = []
    for pattern, kind in ((_LATIN, LATIN), (_HAN, HAN)):
        at = byte = 0
        for match in pattern.finditer(data):
            at += len(data[byte : match.start()].decode("utf-8", "replace"))
            found = match.group().decode("utf-8", "replace")
            stop = end = at + len(found)
            if padded[end : end + 1].isdecimal():  # HONG GILDONG PA0000000
                end -= len(found) - found.rfind(" ") if " " in found else 0
            first = at + len(found.partition(" ")[0]) + 1 if found.startswith(_LATIN_LABELS) else at
            if kind == HAN or _NO_LATIN.isdisjoint(padded[first:end].upper().replace("/", " ").split()):
                rows.append((first, end, kind))
            at, byte = stop, match.end()
    at = byte = 0
    for match in _LATIN_FIELD.finditer(data):
        at += len(data[byte : match.start(1)].decode("utf-8", "replace"))
        byte = match.start(1)
        if match.group(1).decode() not in _NO_LATIN:
            rows.append((at, at + match.end(1) - byte, LATIN))
    return rows


def _tag_positions(size: int, excerpts: Sequence[Excerpt]) -> tuple[Ints, Ints, Ints]:
    """Return for each padded position the tag of the morpheme that covers it, and where it starts and ends.

    Of morphemes at one position the last one counts. Tag 0: not analysed.
    """
    tags = np.zeros(size, np.int64)
    start = np.full(size, -1, np.int64)
    end = np.full(size, -1, np.int64)
    rows: list[tuple[Ints, Ints, Ints, Sequence[str]]] = []  # padded starts and ends, the end of the text, tags
    place = MARGIN
    for _, pieces, morphemes in excerpts:
        last_place = place + sum(last - first + 1 for first, last in pieces) - 1 + MARGIN
        if morphemes is not None:
            for at, last in pieces:
                some = slice(bisect_left(morphemes.start, at), bisect_left(morphemes.start, last))
                begin = np.asarray(morphemes.start[some], np.int64) + (place - at)
                close = begin + np.asarray(morphemes.length[some], np.int64)
                rows.append((begin, close, np.full(len(begin), last_place), morphemes.tag[some]))
                place += last - at + 1
        place = last_place + MARGIN
    if not rows:
        return tags, start, end
    begin, close, stop = (np.concatenate([row[i] for row in rows]) for i in range(3))
    found = np.array([_TAGS.get(tag, 1) for row in rows for tag in row[3]], np.int64)
    length = np.minimum(close, stop) - begin
    each = np.repeat(np.arange(len(begin)), length)
    covered = np.arange(len(each)) + (begin - np.cumsum(length) + length)[each]
    tags[covered], start[covered], end[covered] = found[each], begin[each], close[each]
    return tags, start, end


_TAGS: Final = {
    tag: i
    for i, tag in enumerate(
        "NNG NNP NNB NR NP VV VA VX VCP VCN MM MAG MAJ IC JKS JKC JKG JKO JKB JKV JKQ JX JC EP EF EC ETN ETM XPN XSN "
        "XSV XSA XSM XR SF SP SS SE SO SW SL SH SN SB UN W_ Z_".split(),
        2,
    )
}


def compute_features(
    text: str, morphemes: Morphemes | None = None, *, with_lists: bool = True
) -> tuple[Candidates, npt.NDArray[np.int32]]:
    """Return the candidates of `text`, in its code points, and their slots (candidates × features).

    `with_lists=False` hides the word lists, which makes training learn from context too.
    """
    found, slots = compute_batch([Excerpt(text, ((0, len(text)),), morphemes)], with_lists=with_lists)
    return Candidates(found.start - MARGIN, found.end - MARGIN, found.type), slots


def compute_batch(excerpts: Sequence[Excerpt], *, with_lists: bool = True) -> tuple[Candidates, npt.NDArray[np.int32]]:
    """Return the candidates of `excerpts`, one at least, and their slots (candidates × features).

    Their places are code points in all joined excerpts one after the other, each with `MARGIN` line ends before and
    behind it. Of one excerpt, candidates and slots are the same in any batch.
    """
    joined = [excerpt.join() for excerpt in excerpts]
    margin = "\n" * MARGIN
    padded = margin + (margin + margin).join(joined) + margin
    coded = _encode(padded, [len(text) + 2 * MARGIN for text in joined])
    found = find_candidates(coded)
    if others := _find_other_scripts(padded):
        more = np.array(others, np.int64).T
        found = Candidates(*(np.concatenate((old, new)) for old, new in zip(found, more, strict=True)))
    with np.errstate(over="ignore"):
        analysis = _tag_positions(len(padded), excerpts)
        parts = [
            _compute_slots(coded, Candidates(*(column[i : i + _CHUNK] for column in found)), analysis, with_lists)
            for i in range(0, len(found.start), _CHUNK)
        ]
    return found, np.concatenate(parts) if parts else np.zeros((0, len(_FEATURES)), np.int32)


_CHUNK: Final = 8_192  # candidates whose features are computed at once; bounds the memory
# Each feature is a hash of its values, and of type and length of the candidate if it begins with *. The values are
# those of `_compute_slots`.
_FEATURES: Final = tuple(
    line.split()
    for line in """
*
* first
* second
* last
before_last last
* first second
* second third
given
* whole
* lists
* lists family double
* given_first given_last family_lists
* given_first given_last
* given_last ends
* rest
* rest lists
* left right
* left left_left
* right right_right
* gap_before ends
* word_before
word_before gap_before
word_before rest
* tail_before gap_before
word_second word_before
word_second
* gap_after rest
word_after gap_after
* word_after ends
* head_after gap_after ends
word_after word_third
* gap_before gap_after ends
tail_before head_after
tail_before rest gap_after
* gap_before gap_after lists
* native
* foreign
* native foreign
foreign gap_before ends
* tag tag_fits
* tag tag_last tag_fits
* tag_lists tag tag_fits
* tag_behind tag_fits
* tag_before tag
""".strip().splitlines()
)
_Values: TypeAlias = dict[str, npt.NDArray[np.generic]]


def _compute_slots(
    text: _Codes, found: Candidates, analysis: tuple[Ints, Ints, Ints], with_lists: bool
) -> npt.NDArray[np.int32]:
    values: _Values = {"*": found.type * 8 + np.minimum(found.end - found.start, 7) + 1}
    _read_form(values, text, found, with_lists)
    _read_context(values, text, found)
    tags, first, stop = analysis  # all equal without an analysis
    start, end, _ = found
    known = tags[start] > 0
    values |= {
        "tag": tags[start],
        "tag_last": tags[end - 1],
        "tag_fits": (first[start] == start) * 2 + (stop[end - 1] == end) + 4 * (stop[start] == end),
        "tag_lists": np.where(known, values["lists"], 99),
        "tag_behind": np.where(known, tags[end], 99),
        "tag_before": np.where(known, tags[start - 1], 99),
    }
    names = ["", *values]
    table = np.zeros((len(names), len(found.start)), np.uint64)
    for i, value in enumerate(values.values(), 1):
        table[i] = value
    rows = np.array([[names.index(n) for n in f] + [0] * (4 - len(f)) for f in _FEATURES])
    mixed = np.repeat(np.arange(1, len(_FEATURES) + 1, dtype=np.uint64)[:, None] * _STIR, len(found.start), axis=1)
    for column in rows.T:
        mixed ^= table[column]
        mixed *= _MIX
        mixed ^= mixed >> np.uint64(29)
    return ((mixed * _STIR) >> np.uint64(64 - BITS)).astype(np.int32).T


def _read_form(values: _Values, text: _Codes, found: Candidates, with_lists: bool) -> None:
    """Add the candidate itself: its characters, and whether lists know its parts."""
    start, end, kind = found
    codes = text.codes
    run = (kind == RUN) | (kind == GIVEN)
    double = run & _is_double_family(text, start)
    given_start = np.minimum(np.where(double, start + 2, start + (kind != GIVEN)), end)
    given, whole = _hash_ranges(text, given_start, end), _hash_ranges(text, start, end)
    lists = np.zeros(len(start), np.int64)
    if with_lists:
        head = _hash_ranges(text, start, np.minimum(start + 2, end))
        of_run = _hash_ranges(text, start, text.run_end[start])
        known = (
            run & _is_in(given, "given_names"),
            run & _is_in(head, "nouns"),
            _is_in(whole, "no_names") | _is_in(of_run, "no_names"),
            _is_in(whole, "districts") | _is_in(of_run, "districts"),
        )
        lists += 1
        for i, flag in enumerate(known):
            lists += flag.astype(np.int64) << i
    classes = _syllable_classes()
    family = classes[0][np.minimum(codes[start], _BMP)]
    values |= {
        "first": codes[start],
        "second": codes[start + 1],
        "third": np.where(end - start > 2, codes[start + 2], 0),
        "before_last": codes[end - 2],
        "last": codes[end - 1],
        "given": given,
        "native": _favour(text.native, given_start, end),
        "foreign": _favour(text.foreign, start, end),
        "whole": whole,
        "lists": lists,
        "family": family,
        "double": double,
        "family_lists": family * 32 + lists,
        "given_first": classes[1][np.minimum(codes[given_start], _BMP)],
        "given_last": classes[2][np.minimum(codes[end - 1], _BMP)],
        "ends": text.run_end[end - 1] == end,
    }


def _read_context(values: _Values, text: _Codes, found: Candidates) -> None:
    """Add the characters and words before and after the candidate."""
    start, end, _ = found
    codes, last = text.codes, text.stops[np.searchsorted(text.stops, start, side="right")] - 1
    run_end = text.run_end[end - 1]
    before = text.word_before[start]
    before_start = np.maximum(text.run_start[before], before - 7)
    second = text.word_before[before_start]
    after = text.word_after[np.minimum(run_end, last)]
    after_end = np.minimum(text.run_end[after], after + 8)
    third = text.word_after[np.minimum(after_end, last)]
    values |= {
        "left": codes[start - 1],
        "left_left": codes[start - 2],
        "right": codes[end],
        "right_right": codes[end + 1],
        "rest": _hash_ranges(text, end, np.maximum(run_end, end)),
        "word_before": _hash_ranges(text, before_start, before + 1),
        "tail_before": _hash_ranges(text, np.maximum(before - 1, before_start), before + 1),
        "gap_before": _hash_ranges(text, np.maximum(before + 1, start - _GAP), start),
        "word_second": _hash_ranges(text, np.maximum(text.run_start[second], second - 7), second + 1),
        "gap_after": _hash_ranges(text, run_end, np.minimum(after, run_end + _GAP)),
        "word_after": _hash_ranges(text, after, after_end),
        "head_after": _hash_ranges(text, after, np.minimum(after + 2, after_end)),
        "word_third": _hash_ranges(text, third, np.minimum(text.run_end[third], third + 4)),
    }


def _favour(sums: Ints, start: Ints, end: Ints) -> Ints:
    """Return the mean of what the syllables of each range are favoured by, in halves, from -4 to 4."""
    mean: Ints = np.clip((sums[end] - sums[start]) * 2 // np.maximum(end - start, 1), -4, 4)
    return mean


@cache
def _favours() -> tuple[Ints, Ints]:
    """Return for each syllable the logarithm of its share in names to that in nouns: given names, foreign names."""
    nouns = _count_syllables("nouns") + _count_syllables("no_names")
    tables = []
    for name in ("given_names", "foreign_names"):
        counts = _count_syllables(name)
        share = (counts + 0.5) * nouns.sum() / ((nouns + 0.5) * counts.sum())
        tables.append(np.rint(np.log2(share)).clip(-4, 4).astype(np.int64) * ((counts + nouns) > 0))
    return tables[0], tables[1]


def _count_syllables(name: str) -> Ints:
    codes = np.frombuffer("".join(read_words(name)).encode("utf-32-le"), np.uint32)
    return np.bincount(codes, minlength=_BMP + 1)[: _BMP + 1].astype(np.int64)


_BMP: Final = 0xFFFF
_SURE: Final = "김박최윤권곽홍황허송손백임"  # family names that begin few words
_COMMON: Final = "이정강조장오서신한안류유전고문양배남심노하성차주우구민나진엄채원천방공현함변염"


@cache
def _syllable_classes() -> tuple[Ints, Ints, Ints]:
    """Return classes of syllables: as a family name 0 to 3, at the start and the end of listed given names 0 to 4."""
    family = np.zeros(_BMP + 1, np.int64)
    for level, names in enumerate((FAMILY, _COMMON, _SURE), 1):
        family[[ord(c) for c in names]] = level
    tables = [family]
    for place in (0, -1):
        counts = np.zeros(_BMP + 1, np.int64)
        for name in read_words("given_names"):
            counts[ord(name[place])] += len(name) > 1
        tables.append(np.searchsorted((1, 4, 12, 30), counts, side="right"))
    return tables[0], tables[1], tables[2]
