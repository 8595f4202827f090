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

from kiwipiepy import Kiwi

from malmoi.document import Document, Morphemes

VERSION = 1

CUTOFF = 3.0  # beam of the search, in log probability; Kiwi's default is 8
CHUNK_CHARS = 20_000  # code points given to Kiwi at once; 80,000 cost a fifth more per character
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_LINE = re.compile(r"[^\n]*\S[^\n]*")


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
    from its first morpheme to the end of its last. It ends where Kiwi says so, at an empty line,
    and at every line break unless the lines look wrapped at one width.

    >>> from malmoi.document import Provenance
    >>> found = mark(Document("x/1", "학교에 갔다.", Provenance("x", "", "", "", "")))
    >>> list(found.rows())[2:4], len(found.sentence_start)
    ([('가', 'VV', 4, 1), ('었', 'EP', 4, 1)], 1)
    """
    text = _SURROGATE.sub("\ufffd", doc.text)  # Kiwi takes UTF-8, which has no lone surrogates
    breaks = "\n\n" if is_wrapped(text) else "\n"
    starts, lengths = array("I"), array("H")
    tags: list[str] = []
    forms: list[str] = []
    sentence_starts, sentence_ends = array("I"), array("I")
    kiwi = load()
    for offset, chunk in chunks(text):
        number, end = -1, 0  # of the sentence in this chunk; where the last morpheme ended
        for token in kiwi.tokenize(chunk):
            start = offset + token.start
            tag = str(token.tag)
            if token.sent_position != number or (end and _breaks_between(text, end, start, breaks)):
                number = token.sent_position
                if end:
                    sentence_ends.append(end)
                sentence_starts.append(start)
                end = 0
            end = max(end, start + token.len)
            starts.append(start)
            lengths.append(token.len)
            tags.append(tag[:-2] if tag[-2:] in ("-I", "-R") else tag)
            forms.append(token.form)
        if end:
            sentence_ends.append(end)
    return Morphemes(starts, lengths, tuple(tags), tuple(forms), sentence_starts, sentence_ends)


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
    """Whether lines break at one width, as in plain text and PDF, and not where something ends.

    Said of at least ten lines of which half are nearly as long as the longest tenth, and those
    30 to 100 code points long; verses and turns of talk are shorter, paragraphs longer.
    """
    sizes = sorted(len(line) for line in _LINE.findall(text[:CHUNK_CHARS]))
    if len(sizes) < 10:
        return False
    width = sizes[len(sizes) * 9 // 10]
    return 30 <= width <= 100 and sum(size >= 0.75 * width for size in sizes) * 2 >= len(sizes)


def _breaks_between(text: str, end: int, start: int, breaks: str) -> bool:
    return start > end and breaks in text[end:start].replace(" ", "")
