"""Analyse a text once with Kiwi: morphemes and sentences, for every filter that needs them.

The one owner of kiwipiepy. Measured on 120 news, review and tale texts and 102 technical pages,
one core, kiwipiepy 0.24.1: the default search 140 and 385 kchar/s; a cut-off of 3 instead of 8
gives 185 and 505 kchar/s and the same token for 99.7 % of them, a cut-off of 2 only for 99.3 %.
Without the dictionary of multi-word names (0.07 % of tokens) a process loads in half the time
and saves 200 MB. Both together keep 99.6 and 99.7 % of tokens.

A text is analysed line by line (`filters.units`); short lines are remembered, since menus, notices and
headings come again and again over the pages of a site. That cannot be seen in what is found: a line is
always given to Kiwi by itself, remembered or not.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from functools import cache
from itertools import pairwise
from operator import add, attrgetter
from typing import NamedTuple

from kiwipiepy import Kiwi

from filters.fences import fences
from filters.sentences import begins
from filters.units import Stretch, units
from malmoi.document import Document, Morphemes

VERSION = 3
LIBRARIES = ("kiwipiepy", "kiwipiepy_model")

CUTOFF = 3.0  # beam of the search, in log probability; Kiwi's default is 8
KEPT_CHARS = 200  # code points of a line that is remembered; longer ones hardly come again
KEPT_LINES = 4_096  # lines of a generation; two are kept, a few megabytes each
_NUMBER = attrgetter("sent_position")
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_PLAIN = {tag: tag[:2] for stem in ("VV", "VA", "VX") for tag in (f"{stem}-R", f"{stem}-I")} | {
    tag: tag[:3] for tag in ("XSV-R", "XSV-I", "XSA-R", "XSA-I")
}
# Tags of signs: a full stop, a dash, the mark of a list item. Words in other scripts (SL, SH) and digits (SN) are none.
_SIGNS = frozenset(("SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB", "W_EMOJI"))


class Line(NamedTuple):
    """A short line that was analysed: its morphemes by column and its sentences, as they stood in a text at `at`."""

    at: int
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    tags: tuple[str, ...]
    forms: tuple[str, ...]
    sentences: tuple[Stretch, ...]


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
    from its first morpheme to the end of its last. It ends where Kiwi says so, corrected by
    `filters.sentences`, and where a line ends, unless the line is wrapped (`filters.units`). The mark of a list
    item belongs to the sentence behind it; a line of signs alone is none. Fenced code has neither
    morphemes nor sentences, nor has a stretch without blanks behind the first 10,000 code points of
    such stretches.

    >>> from malmoi.document import Provenance
    >>> found = mark(Document("x/1", "학교에 갔다.", Provenance("x", "", "", "", "")))
    >>> list(found.rows())[2:4], len(found.sentence_start)
    ([('가', 'VV', 4, 1), ('었', 'EP', 4, 1)], 1)
    """
    text = _SURROGATE.sub("\ufffd", doc.text)  # Kiwi takes UTF-8, which has no lone surrogates
    found = _Columns()
    for pieces in units(text, fences(text)):
        at, end = pieces[0]
        if len(pieces) > 1 or end - at > KEPT_CHARS:
            found.analyse(text, pieces)
            continue
        line = text[at:end]
        known = _MEMORY.get(line)
        if known is not None:
            found.repeat(known, at)
        else:
            first, sentence = len(found.tags), len(found.sentence_start)
            found.analyse(text, pieces)
            _MEMORY.put(line, found.line(at, first, sentence))
    return found.morphemes()


class _Memory:
    """The short lines that were analysed last: a young and an old generation, each of KEPT_LINES at most."""

    def __init__(self) -> None:
        self.young: dict[str, Line] = {}
        self.old: dict[str, Line] = {}

    def get(self, line: str) -> Line | None:
        found = self.young.get(line)
        if found is None and (found := self.old.get(line)) is not None:
            self.put(line, found)
        return found

    def put(self, line: str, found: Line) -> None:
        if len(self.young) >= KEPT_LINES:
            self.old, self.young = self.young, {}
        self.young[line] = found


_MEMORY = _Memory()


class _Columns:
    """The morphemes and sentences of a text while they are gathered."""

    def __init__(self) -> None:
        self.starts, self.lengths = array("I"), array("H")
        self.tags: list[str] = []
        self.forms: list[str] = []
        self.sentence_start, self.sentence_end = array("I"), array("I")

    def analyse(self, text: str, pieces: list[Stretch]) -> None:
        """Add one unit, which stands in `text` in these pieces; without a full stop a sentence runs on into the next.

        Attributes of tokens are read column by column: of all ways to read them that is the fastest (0.3 µs
        a token, where Kiwi takes 7 to 16); each pass over the tokens that is spared shows in the figures.
        """
        starts: list[int] = []
        lengths: list[int] = []
        tags: list[str] = []
        forms: list[str] = []
        said: list[int] = []  # morphemes with which Kiwi begins a sentence
        for first, last in pieces:
            tokens = load().tokenize(text[first:last])
            if not tokens:
                continue
            done = len(tags)
            if done and tags[-1] == "SF":
                said.append(done)
            said += [done + bisect_left(tokens, n, key=_NUMBER) for n in range(1, tokens[-1].sent_position + 1)]
            starts += [first + token.start for token in tokens]
            lengths += [token.len for token in tokens]
            tags += [token.tag for token in tokens]
            forms += [token.form for token in tokens]
        if not tags:
            return
        if not _PLAIN.keys().isdisjoint(tags):
            tags = [_PLAIN.get(tag, tag) for tag in tags]
        self._sentences(text, [0, *begins(text, tags, forms, starts, said), len(tags)], tags, starts, lengths)
        self.starts.extend(starts)
        self.lengths.extend(lengths)
        self.tags += tags
        self.forms += forms

    def _sentences(self, text: str, bounds: list[int], tags: list[str], starts: list[int], lengths: list[int]) -> None:
        """Add what stands between `bounds`: signs that begin the unit join what follows, others what stands before."""
        waiting, fresh = -1, True  # start of the signs that begin this unit; whether it has no sentence yet
        for first, last in pairwise(bounds):
            start = starts[first]
            near = max(first, last - 3)  # contracted morphemes share a place: the last one need not reach furthest
            end = max(map(add, starts[near:last], lengths[near:last]))
            if tags[first] not in _SIGNS or any(_says(text, tags[i], starts[i]) for i in range(first, last)):
                self.sentence_start.append(start if waiting < 0 else waiting)
                self.sentence_end.append(end)
                waiting, fresh = -1, False
            elif not fresh:
                self.sentence_end[-1] = end
            elif waiting < 0:
                waiting = start

    def line(self, at: int, first: int, sentence: int) -> Line:
        """What has been added from morpheme `first` and sentence `sentence` on."""
        return Line(
            at,
            tuple(self.starts[first:]),
            tuple(self.lengths[first:]),
            tuple(self.tags[first:]),
            tuple(self.forms[first:]),
            tuple(zip(self.sentence_start[sentence:], self.sentence_end[sentence:], strict=True)),
        )

    def repeat(self, line: Line, at: int) -> None:
        """Add a line that is known, as it stands at `at`."""
        shift = at - line.at
        self.starts.extend([shift + start for start in line.starts])
        self.lengths.extend(line.lengths)
        self.tags += line.tags
        self.forms += line.forms
        for start, end in line.sentences:
            self.sentence_start.append(shift + start)
            self.sentence_end.append(shift + end)

    def morphemes(self) -> Morphemes:
        """All of it, frozen."""
        return Morphemes(
            self.starts, self.lengths, tuple(self.tags), tuple(self.forms), self.sentence_start, self.sentence_end
        )


def _says(text: str, tag: str, start: int) -> bool:
    """Whether a morpheme is a word or a number; words in rare scripts are tagged SW too."""
    return tag not in _SIGNS or (tag == "SW" and text[start].isalnum())
