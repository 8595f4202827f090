"""Show a licence mark in the archived response that holds it: the text around it, as text, never as HTML."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crawlers.extract import load_capture
from crawlers.rights.claims import readable_text
from malmoi.archive import collection
from malmoi.archive.capture import Capture, IndexRow
from malmoi.document import LicenceEvidence
from malmoi.errors import MalmoiError
from malmoi.licensing.licence_words import fold
from malmoi.workspace_layout import Layout

AROUND = 500  # code points on each side of the mark, in the visible text
AROUND_MARKUP = 160  # the same in the source of the page
MAX_PARTS = 5  # of one mark; a quote in more parts is not verbatim
MAX_MARKS = 8  # of one item; a page that repeats its mark more often shows nothing new

TEXT = "text"  # outcomes: the mark is in the visible text,
MARKUP = "markup"  # in the source of the page only,
PARTS = "parts"  # its parts are, in one or the other,
HIDDEN = "hidden"  # not all of it is there: its format hides it,
MISSING = "missing"  # the record is not in this workspace,
UNREADABLE = "unreadable"  # or it cannot be read


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an archived response with the mark in it."""

    before: str
    mark: str
    after: str
    view: str = TEXT  # or MARKUP: what the stretch is cut from


@dataclass(frozen=True, slots=True)
class Snippet:
    """Where the words of one piece of evidence are in its record, and the passages that hold them."""

    evidence: LicenceEvidence
    outcome: str
    passages: tuple[Passage, ...] = ()
    detail: str = ""  # why the record cannot be read


class Records:
    """Archived records by their ids. The index of a source is read once, and only the wanted rows are kept."""

    def __init__(self, layout: Layout, wanted: Mapping[str, Collection[str]]) -> None:
        """`wanted` maps each source to the ids of the records that may be looked up."""
        self._layout, self._wanted = layout, wanted
        self._rows: dict[str, dict[str, IndexRow]] = {}

    def find(self, source: str, record: str) -> IndexRow | None:
        """Return the row of a record of a source, or None. Raises MalmoiError if the index cannot be read."""
        if source not in self._rows:
            runs, wanted = collection.runs(self._layout.captures(source)), self._wanted.get(source, ())
            rows = ((row.record, collection.resolve_row(run, row)) for run in runs for row in run.rows)
            self._rows[source] = {record: row for record, row in rows if record in wanted}
        return self._rows[source].get(record)


def find_snippets(records: Records, source: str, evidence: Sequence[LicenceEvidence]) -> list[Snippet]:
    """Return one snippet for each of the first MAX_MARKS pieces of evidence of an item; an error is an outcome."""
    loaded: dict[str, Capture | Snippet] = {}
    found = []
    for one in evidence[:MAX_MARKS]:
        if one.record not in loaded:
            try:
                row = records.find(source, one.record)
                loaded[one.record] = load_capture(row) if row else Snippet(one, MISSING)
            except (MalmoiError, OSError, LookupError) as error:
                words = (Path(word).name if word.startswith("/") else word for word in str(error).split())
                loaded[one.record] = Snippet(one, UNREADABLE, detail=" ".join(words))
        capture = loaded[one.record]
        found.append(find_mark(one, capture) if isinstance(capture, Capture) else replace(capture, evidence=one))
    return found


def find_mark(evidence: LicenceEvidence, capture: Capture) -> Snippet:
    """Find the quote of `evidence` in an archived response: whole in its visible text or its source, else part by part.

    >>> page = "<p>이 글은 <b>공공누리 제1유형</b>으로 개방한다.".encode()
    >>> capture = Capture("r", "https://a.kr/", "", 200, (("Content-Type", "text/html; charset=utf-8"),), page)
    >>> mark = LicenceEvidence("LicenseRef-KOGL-1", "sentence", "item", "공공누리 제1유형", "p", "r")
    >>> found = find_mark(mark, capture)
    >>> found.outcome, found.passages
    ('text', (Passage(before='이 글은 ', mark='공공누리 제1유형', after='으로 개방한다.', view='text'),))
    """
    quote = fold(evidence.quote)
    text = fold(readable_text(capture.body, capture.header("Content-Type"), capture.charset, capture.url))
    if quote and quote in text:
        return Snippet(evidence, TEXT, (_cut(text, quote),))
    try:
        source = fold(capture.body.decode(capture.charset or "utf-8", "replace"))
    except LookupError:  # a charset that Python lacks
        source = fold(capture.body.decode("utf-8", "replace"))
    if quote and quote in source:
        return Snippet(evidence, MARKUP, (_cut_markup(source, quote),))
    passages, missing = _find_parts(quote.split(), text, source)
    return Snippet(evidence, HIDDEN if missing or not passages else PARTS, passages)


def _find_parts(words: Sequence[str], text: str, source: str) -> tuple[tuple[Passage, ...], int]:
    """Return the passages of the longest runs of `words`, at most MAX_PARTS, and how many words are left.

    Passages of the visible text come first. A block of a licence is quoted as its sentence, its address, its image and
    the text of the image, one after another.
    """
    passages: list[Passage] = []
    missing = at = 0
    while at < len(words):
        in_text = _find_run(words[at:], text)
        in_source = _find_run([one.replace("&", "&amp;") for one in words[at:]], source)
        if not (in_text or in_source) or len(passages) == MAX_PARTS:
            missing, at = missing + 1, at + 1
            continue
        shown = " ".join(words[at : at + max(in_text, in_source)])
        passages.append(_cut(text, shown) if in_text >= in_source else _cut_markup(source, shown.replace("&", "&amp;")))
        at += max(in_text, in_source)
    return tuple(sorted(passages, key=lambda one: one.view != TEXT)), missing


def _find_run(words: Sequence[str], text: str) -> int:
    """Return the largest number of the first words that are in `text` one after another."""
    run = 0
    while run < len(words) and " ".join(words[: run + 1]) in text:
        run += 1
    return run


def _cut(text: str, mark: str, around: int = AROUND) -> Passage:
    at = text.index(mark)
    end = at + len(mark)
    before, after = text[max(0, at - around) : at], text[end : end + around]
    return Passage(f"…{before}" if at > around else before, mark, f"{after}…" if len(text) > end + around else after)


def _cut_markup(source: str, mark: str) -> Passage:
    return replace(_cut(source, mark, AROUND_MARKUP), view=MARKUP)
