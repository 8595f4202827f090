"""Score what a detector of personal data found against gold spans: recall, leak, exact spans, precision.

A gold row is {id, text, how, spans: [{kind, start, end, form, optional?}]}, an answer {id, text?, found: [{kind, start,
end}]}; offsets are code points of the row's text. An optional span is neither asked for nor held against who finds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

LEAK: Final = 1 / 3  # of the letters and digits of a value: more than this left over, and it is not redacted
TELLING: Final = 6  # letters and digits from which on a value that stands elsewhere in the answer is no accident
Row = Mapping[str, Any]
Span = Mapping[str, Any]


@dataclass(slots=True)
class Score:
    """Counts over gold spans and over finds; the shares are None where there is nothing to divide by."""

    gold: int = 0
    covered: int = 0  # wholly, by finds of whatever kind: what redaction needs
    leaked: int = 0
    exact: int = 0  # a find with the same kind, start and end
    found: int = 0  # finds that count: those that touch an optional span do not
    right: int = 0  # finds that touch a gold span of their kind

    def __iadd__(self, other: Score) -> Score:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    @property
    def recall(self) -> float | None:
        return self.covered / self.gold if self.gold else None

    @property
    def leak(self) -> float | None:
        return self.leaked / self.gold if self.gold else None

    @property
    def precision(self) -> float | None:
        return self.right / self.found if self.found else None

    @property
    def f1(self) -> float | None:
        """F1 of exact spans with the exact kind."""
        return 2 * self.exact / (self.gold + self.found) if self.gold + self.found else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A miss, or a false find, with its surroundings: for the eyes of who tunes on rows that may be read."""

    what: str  # "missed" or "false"
    kind: str
    form: str
    id: str
    how: str
    share: float  # of the letters and digits of the value that are left over; 1.0 for a false find
    value: str
    around: str


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores by (kind, form, how), finds by (kind, "", how), and everything that went wrong."""

    cells: dict[tuple[str, str, str], Score]
    failures: list[Failure]

    def total(self, wanted: Callable[[str, str, str], bool] = lambda *_: True) -> Score:
        """The sum of the cells whose (kind, form, how) is wanted."""
        total = Score()
        for key, cell in self.cells.items():
            if wanted(*key):
                total += cell
        return total


def score(rows: Sequence[Row], answers: Mapping[str, Row]) -> Scores:
    """Every row against the answer of the same id; KeyError where a row has none.

    >>> row = {"id": "a", "text": "전화 010-0000-1234", "spans": [{"kind": "phone", "start": 3, "end": 16}]}
    >>> found = {"kind": "phone", "start": 3, "end": 16}
    >>> total = score([row], {"a": {"found": [found]}}).total()
    >>> total.recall, total.leak, total.precision, total.f1
    (1.0, 0.0, 1.0, 1.0)
    """
    cells: dict[tuple[str, str, str], Score] = defaultdict(Score)
    failures: list[Failure] = []
    for row in rows:
        how, found = str(row.get("how", "")), list(answers[row["id"]]["found"])
        covered = _covered(len(row["text"]), found)
        for span in row["spans"]:
            if not span.get("optional"):
                cell = cells[span["kind"], str(span.get("form", "")), how]
                failures.extend(_gold(cell, row, span, found, covered, answers[row["id"]].get("text")))
        for one in found:
            failures.extend(_find(cells[one["kind"], "", how], row, one))
    return Scores(dict(cells), failures)


def _gold(
    cell: Score, row: Row, span: Span, found: Iterable[Span], covered: bytearray, after: str | None
) -> Iterator[Failure]:
    value = row["text"][span["start"] : span["end"]]
    told = [i for i, c in enumerate(value, span["start"]) if c.isalnum()]
    left = sum(not covered[i] for i in told) / len(told) if told else 0.0
    survives = after is not None and len(told) >= TELLING and value in after
    cell.gold += 1
    whole = all(covered[span["start"] : span["end"]])
    cell.covered += whole
    cell.leaked += left > LEAK or survives
    cell.exact += any(_key(one) == _key(span) for one in found)
    if not whole or survives:
        yield Failure("missed", span["kind"], str(span.get("form", "")), row["id"], str(row.get("how", "")),
                      1.0 if survives else left, value, _around(row["text"], span))  # fmt: skip


def _find(cell: Score, row: Row, found: Span) -> Iterator[Failure]:
    touched = [s for s in row["spans"] if s["start"] < found["end"] and found["start"] < s["end"]]
    right = any(s["kind"] == found["kind"] and not s.get("optional") for s in touched)
    if not right and any(s.get("optional") for s in touched):
        return
    cell.found += 1
    cell.right += right
    if not right:
        form = f"is {touched[0]['kind']}" if touched else ""
        value = row["text"][found["start"] : found["end"]]
        yield Failure("false", found["kind"], form, row["id"], str(row.get("how", "")), 1.0, value,
                      _around(row["text"], found))  # fmt: skip


def _covered(length: int, found: Iterable[Span]) -> bytearray:
    """1 for each code point that a find covers."""
    covered = bytearray(length)
    for one in found:
        start, end = max(0, one["start"]), min(length, one["end"])
        covered[start:end] = b"\1" * max(0, end - start)
    return covered


def _key(span: Span) -> tuple[str, int, int]:
    return span["kind"], span["start"], span["end"]


def _around(text: str, span: Span, width: int = 24) -> str:
    start, end = max(0, span["start"] - width), span["end"] + width
    return text[start:end].replace("\n", "⏎")


def worst(failures: Iterable[Failure], n: int) -> list[Failure]:
    """The `n` worst misses (what leaks most first) and the `n` first false finds, at most three of a kind and form."""
    kept: list[Failure] = []
    for what in ("missed", "false"):
        seen: dict[tuple[str, str], int] = defaultdict(int)
        chosen: list[Failure] = []
        for one in sorted((f for f in failures if f.what == what), key=lambda f: (-f.share, f.kind, f.form, f.id)):
            seen[one.kind, one.form] += 1
            if seen[one.kind, one.form] <= 3:
                chosen.append(one)
        kept += chosen[:n]
    return kept
