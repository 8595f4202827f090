"""A document, its provenance, and the findings that filters make about it.

All classes are frozen values built on the standard library. Offsets count Unicode code
points of `Document.text`. Only `malmoi.apply.apply` combines a document and a finding into a
new document.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["item", "site", "source"]
Use: TypeAlias = Literal["redistribute", "train-only", "exclude"]
Field: TypeAlias = Literal["text", "title", "author", "url"]  # of a document, that a `mend` may change


@dataclass(frozen=True, slots=True)
class LicenceEvidence:
    """One archived licence statement for an item: the licence, its place, and the words."""

    licence: str  # an id of the table in malmoi/licensing/rights_decision.py, or "none" for an explicit refusal
    kind: str  # a proof (malmoi/licensing/proofs.py), "refusal-…", or how a candidate was found: link, image, sentence
    scope: Scope  # item overrides site, site overrides source
    quote: str  # the words or the address verbatim, at most 300 code points
    place: str  # where: a path of elements, a column, a file name
    record: str  # id of the capture that holds it


@dataclass(frozen=True, slots=True)
class Signal:
    """A machine- or human-readable statement about use, such as an opt-out; `review`: a person must look first."""

    name: str  # robots-ai, tdm-reservation, content-signal, content-usage, rsl, noai, ai-txt, sentence
    effect: Literal[
        "opt-out", "inferred-opt-out", "review", "granted", "note"
    ]  # granted: of a protocol; decides nothing
    quote: str
    place: str
    record: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """The source, address and archived record that a document comes from."""

    source: str
    url: str
    record: str  # id of the capture
    fetched: str  # UTC, ISO 8601 to the second, "2026-11-24T09:00:00Z"
    payload_sha256: str
    format: str = ""  # html, text, markdown, csv, json …
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The finding of a `judge`: keep or drop, with reason, measured number and limit."""

    outcome: Literal["keep", "drop"]
    reason: str  # lower-case, hyphenated: "too-short"
    measured: float | None = None
    limit: float | None = None
    labels: tuple[tuple[str, str], ...] = ()  # labels to set on the document: language, use …
    measures: tuple[tuple[str, float], ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()  # to add to the document; only a filter that reads all columns adds any


@dataclass(frozen=True, slots=True)
class Span:
    """The finding of a `mark`: a stretch of text and what it is. `end` is exclusive."""

    start: int
    end: int
    kind: str
    value: str | None = None  # removed from the document as soon as an edit touches the span
    confidence: float = 1.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """The finding of a `mend`: replace text[start:end] by `text`, for `reason`; or the same in another field."""

    start: int
    end: int
    text: str
    reason: str
    field: Field = "text"


@dataclass(frozen=True, slots=True)
class Morphemes:
    """One analysis of a text, by column; contracted morphemes share a start (갔 = 가 + 었).

    `start` and `length` count code points of the text, `form` is the dictionary form and `tag`
    the Sejong tag. `sentence_start` and `sentence_end` bound the sentences. An object for each
    morpheme would cost 288 bytes; a row of these columns costs about 20.
    """

    start: array[int]  # 'I'
    length: array[int]  # 'H'
    tag: tuple[str, ...]
    form: tuple[str, ...]
    sentence_start: array[int] = field(default_factory=lambda: array("I"))
    sentence_end: array[int] = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.form)

    def rows(self) -> Iterator[tuple[str, str, int, int]]:
        """Return each morpheme as (form, tag, start, length)."""
        return zip(self.form, self.tag, self.start, self.length, strict=True)


Spans: TypeAlias = tuple[Span, ...]
Edits: TypeAlias = tuple[Edit, ...]
Finding: TypeAlias = Verdict | Spans | Morphemes | Edits


@dataclass(frozen=True, slots=True)
class Note:
    """One filter's finding about a document, kept with it: the trail that `malmoi why` reads."""

    by: str
    verb: Literal["judge", "mark", "mend"]
    outcome: str  # keep, drop, or how many spans or edits
    reason: str
    measured: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its id, its provenance and all findings about it."""

    id: str  # "<source>/<the source's own key or canonical address>"
    text: str
    provenance: Provenance
    title: str = ""
    date: str = ""  # ISO 8601 date of publication, "" if unknown
    author: str = ""
    evidence: tuple[LicenceEvidence, ...] = ()
    signals: tuple[Signal, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    measures: tuple[tuple[str, float], ...] = ()
    spans: Spans = ()
    morphemes: Morphemes | None = None
    trail: tuple[Note, ...] = ()

    def label(self, name: str, default: str = "") -> str:
        """Return the label `name`, e.g. `doc.label("language")`."""
        return dict(self.labels).get(name, default)

    def measure(self, name: str) -> float | None:
        """Return the measure `name`, or None if no filter has set it."""
        return dict(self.measures).get(name)
