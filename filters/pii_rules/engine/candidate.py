"""A candidate: a value that a pattern or a shape of digit groups found, with the context that conditions read."""

from __future__ import annotations

from filters.pii_rules.text.digit_runs import Window, fold_characters
from filters.pii_rules.text.labels import NOT_NUMBERED, Label, label_of


class Candidate:
    """text[start:end] is the value; offsets are code points. The rest is computed when a condition asks for it."""

    __slots__ = ("_label", "_number_label", "end", "match_start", "start", "text", "value", "window")

    def __init__(
        self, text: str, start: int, end: int, window: Window | None = None, match_start: int | None = None
    ) -> None:
        self.text, self.start, self.end, self.window = text, start, end, window
        self.value = text[start:end]  # as written
        self._label: Label | None = None
        self._number_label: Label | None = None
        self.match_start = start if match_start is None else match_start  # of the whole match, which may have a label

    @property
    def lead(self) -> str:
        """The part of the match before the value: label and marks."""
        return self.text[self.match_start : self.start]

    @property
    def plain(self) -> str:
        """The value with ASCII digits and one kind of dash, dot and blank; same length."""
        return self.value if self.value.isascii() else fold_characters(self.value)

    @property
    def digits(self) -> str:
        """The decimal digits of the value, as ASCII."""
        if self.window is not None:
            return self.window.digits
        return "".join(c for c in self.plain if c.isdigit())

    @property
    def label(self) -> Label:
        """The heading of the table column of the value, else the nearest label before it."""
        if self._label is None:
            self._label = label_of(self.text, self.start)
        return self._label

    @property
    def number_label(self) -> Label:
        """The same without telephone words and short names of banks, which occur in any sentence."""
        if self._number_label is None:
            numbered = self.label.kind in NOT_NUMBERED
            self._number_label = label_of(self.text, self.start, numbered=True) if numbered else self.label
        return self._number_label

    def read_before(self, reach: int) -> str:
        """Return at most `reach` code points before the value."""
        return self.text[max(0, self.start - reach) : self.start]

    def read_after(self, reach: int) -> str:
        """Return at most `reach` code points after the value."""
        return self.text[self.end : self.end + reach]


def begins_word(candidate: Candidate) -> bool:
    """Whether the label begins a word or a part in capitals: serviceKey and AWS_SECRET_KEY, not mytoken."""
    before = candidate.text[candidate.match_start - 1 : candidate.match_start] if candidate.match_start else ""
    return not (before.isascii() and before.isalnum() and candidate.lead[:1].islower())
