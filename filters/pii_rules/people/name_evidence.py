"""Evidence for a name being private: the name itself, its label, its line, the identifiers and names beside it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from filters.korean.hangul import is_hangul
from filters.pii_rules.people import name_context as context
from filters.pii_rules.people.name_context import NEAR, is_linked, is_private, read_label
from filters.pii_rules.people.name_tagger import Name
from filters.pii_rules.text.match import Match

LINE: Final = 160  # code points of a line read on either side of a name
AROUND: Final = 400  # code points around a name in which an identifier of a private person counts
_TAIL: Final = 8  # code points behind a name that are read
_SHORT: Final = 12  # code points between two names of a row
_SECOND: Final = 4  # code points of a baptismal name
_SURE: Final = 0.5  # score of a name that counts as a neighbour
_OF_PERSONS: Final = frozenset(
    ("rrn", "frn", "passport", "driver_license", "health_insurance", "account", "birth_date")
)
_MACHINES: Final = frozenset(("ip", "mac"))
_MARKS: Final = {":": ":", "\n": "line", " ": "blank", "": "mark"}
_STARTS: Final = ("", "\n", "|")  # before a label that begins its line
_ENDS: Final = frozenset("다요까죠음임함")  # of a sentence


class Page:
    """A text with the identifiers and names that were found in it."""

    def __init__(
        self, text: str, anchors: Sequence[Match], names: Sequence[Name], cells: Iterable[tuple[int, int]] = ()
    ) -> None:
        self.text, self.anchors, self.names, self.cells = text, anchors, names, dict(cells)
        self.anchor_starts = [anchor.start for anchor in anchors]
        self.name_starts = [name.start for name in names]
        self.sure = [name.start for name in names if name.score >= _SURE]

    def read_evidence(self, i: int) -> list[str]:
        """Return the evidence for name `i`, without that of its block."""
        name = self.names[i]
        official = _find_titles(self.text, name)
        office = "official" if not _OFFICIAL.isdisjoint(official) else "plain"
        score = max(-3, min(4, int(name.score // 0.5)))
        evidence = ["", *official, *_read_form(name, score)]
        evidence += _read_label(self.text, name, score)
        evidence += self._read_links(name, office, score)
        evidence += self._read_line(name, office)
        evidence += self._read_neighbours(i)
        return evidence

    def find_reason(self, name: Name, evidence: Collection[str]) -> str:
        """Return a reason that needs no further evidence, or "": a private role, a field, a private identifier."""
        signed = "title behind" in evidence and "lines private official" in evidence
        if signed and name.score >= _SIGNED:  # 홍길동 과장, and a mobile number in the next line
            return "signature with a private number"
        if not _OFFICES.isdisjoint(evidence):
            return ""
        if "rank" not in evidence:
            for reason, least in _REASONS.items():
                if reason in evidence and name.score >= least:
                    return reason
            if self.cells.get(name.start, -1) == name.end and name.score >= _IN_CELL:
                return "column of names"
        linked = "link 1 private plain", "link 2 private plain", "link 2 private official"
        return "beside an identifier" if name.score >= _LINKED and not set(linked).isdisjoint(evidence) else ""

    def _read_links(self, name: Name, office: str, score: int) -> Iterator[str]:
        """Yield the identifiers beside a name, in its line, in the lines around, and further away."""
        at = bisect_left(self.anchor_starts, name.end)
        link, kinds = self._measure_link(name, at)
        if link:
            private = any(is_private(a, self.text) for a in self.anchors[max(0, at - 1) : at + 1])
            yield from (f"link {link}", f"link {link} score {score}", f"link {link} type {name.type}")
            yield from (f"link {link} length {name.end - name.start}", f"link {link} {kinds}")
            yield f"link {link} {'private' if private else 'other'} {office}"
        first, last = _find_line(self.text, name)
        for where, reach in (("line", 0), ("lines", 60)):
            near = [
                a for a in self.anchors[max(0, at - 6) : at + 6] if a.start < last + reach and a.end > first - reach
            ]
            if near:
                private = any(is_private(a, self.text) for a in near)
                yield f"{where} {'private' if private else 'other'} {office}"
                yield f"{where} {'private' if private else 'other'} score {score}"
                yield from sorted({f"{where} {a.kind}" for a in near})
        around = slice(
            bisect_left(self.anchor_starts, name.start - AROUND), bisect_left(self.anchor_starts, name.end + AROUND)
        )
        if any(is_of_person(a, self.text) for a in self.anchors[around]):
            yield from (f"near {office}", f"near score {score}")

    def _measure_link(self, name: Name, at: int) -> tuple[int, str]:
        """Return 2 if only marks or a private identifier make a link, 1 for other links, 0 for none; and its kinds."""
        best, kinds = 0, []
        if at < len(self.anchors) and self.anchors[at].kind not in _MACHINES:
            behind = self.anchors[at]
            between = self.text[context.find_end_with_hanja(self.text, name.end) : behind.start]
            if len(between) <= NEAR and is_linked(between):
                tight = not between.strip(" (<[/,|=:\t·-\"'") or behind.kind in _OF_PERSONS
                best, kinds = 1 + tight, [behind.kind]
        if at and self.anchors[at - 1].kind not in _MACHINES:
            before = self.anchors[at - 1]
            between = self.text[before.end : name.start]
            if 0 < len(between) <= NEAR and is_linked(between):
                best, kinds = max(best, 1 + (before.kind == "account")), [before.kind, *kinds]
        return best, " ".join(kinds)

    def _read_line(self, name: Name, office: str) -> Iterator[str]:
        """Yield the shape of the line: what surrounds the name, how many names it has, whether it is a sentence."""
        first, last = _find_line(self.text, name)
        line = self.text[first:last]
        before = self.text[first : name.start].strip(" \t-*·•0123456789.)(|▲△○●ㅇ□■")
        behind = self.text[_find_run_end(self.text, name.end) : last].strip(" \t|.,)")
        shape = ("in" if before else "first") + (" in" if behind else " last")
        names = self.names[bisect_left(self.name_starts, first) : bisect_left(self.name_starts, last)]
        prose = "prose" if line.rstrip(" .!?…~\"'”’)")[-1:] in _ENDS else "list"
        yield from (f"{shape} names {min(4, sum(n.score >= 0 for n in names))}", f"{shape} {prose}")
        yield f"{prose} {office}"
        yield f"{prose} length {min(6, len(line) // 20)}"

    def _read_neighbours(self, i: int) -> Iterator[str]:
        """Yield the number of names around, whether they are in a row with this one, and how often it occurs."""
        name = self.names[i]
        near = bisect_left(self.sure, name.start + 500) - bisect_left(self.sure, name.start - 500)
        yield f"names {min(6, near)}"
        row = (i > 0 and self.is_in_row(self.names[i - 1], name)) + (
            i + 1 < len(self.names) and self.is_in_row(name, self.names[i + 1])
        )
        yield f"row {row}"
        yield f"occurs {min(4, self.text.count(self.text[name.start : name.end]))}"

    def is_short_name(self, i: int) -> bool:
        """Whether name `i` is a nickname before a colon, or a second name in brackets: 길동: …, 홍길동(요셉)."""
        start, end = self.names[i].start, self.names[i].end
        if end - start < 3 and self.text[end : end + 1] in (":", "：", ">"):
            return self.text[start - 1 : start] in (" ", "\n", "]", "")
        behind = i > 0 and self.names[i - 1].end == start - 1 and end - start <= _SECOND
        return behind and self.text[start - 1] in "(（" and self.text[end : end + 1] in (")", "）")

    def is_in_row(self, left: Name, right: Name) -> bool:
        """Whether only a mark, a number or a conjunction separates two names."""
        between = self.text[left.end : right.start]
        return len(between) < _SHORT and between.strip(" \n0123456789.)") in _AND and "\n\n" not in between


_AND: Final = frozenset(
    ("·", ",", "/", "、", "ㆍ", "와", "과", "및", "・", "-", "&", "", "이랑", "하고", "→", "♥", "♡", "|")
)
PUBLIC: Final = frozenset(("office", "rank before"))  # 시장 홍길동, 건설과장 홍길동: never private
_OFFICES: Final = frozenset(("official rank", "credit"))
# Scores of the tagger from which a label is reason enough: the value of a field of names is a name.
_REASONS: Final = {
    "field :": -1.5,
    "private role :": -0.7,
    "field line": -1.0,
    "private role line": -1.0,
    "field blank": -0.5,
    "private role blank": -0.5,
}
_IN_CELL, _LINKED, _SIGNED = -1.0, 0.0, 1.0  # likewise for a cell below 성명, beside an identifier, in a signature
_OFFICIAL: Final = frozenset(("office", "official rank", "rank", "rank before"))


def is_of_person(anchor: Match, text: str) -> bool:
    """Whether an identifier shows that a text is about private persons: a mobile, an account, a resident number …"""
    return anchor.kind in _OF_PERSONS or (anchor.kind == "phone" and is_private(anchor, text))


def _find_titles(text: str, name: Name) -> list[str]:
    start, end = name.start, name.end
    found = {
        "called": context.has_call_behind(text, end),
        "title behind": context.has_title_behind(text, end),
        "office": context.is_public(text, start, end),
        "official rank": context.has_official_rank(text, start, end),
        "rank": context.has_rank(text, start, end),
        "rank before": context.has_office_before(text, start),
        "credit": context.is_credit(text, end),
    }
    return [word for word, holds in found.items() if holds]


def _read_form(name: Name, score: int) -> Iterator[str]:
    """Yield the tagger's score, the type and length of the name."""
    yield from (
        f"score {max(-6, min(8, int(name.score // 0.25)))}",
        f"type {name.type}",
        f"type {name.type} score {score}",
        f"type {name.type} length {min(5, name.end - name.start)}",
    )


def _read_label(text: str, name: Name, score: int) -> Iterator[str]:
    """Yield the label before a name, and what kind of label it is."""
    label = read_label(text, name.start)
    word = label.word
    if word in context.FIELDS:
        kind = "field"
    elif context.is_role_label(text, label):
        kind = "private role"
    elif word in context.FORM_LABELS or word.lower() in context.FORM_LABELS:
        kind = "form label"
    elif word in context.ROLES or context.strip_named(word) in context.ROLES:
        kind = "role"
    else:
        kind = "word"
    below = (
        label.mark == "\n" and text[max(0, label.start - 8) : label.start].rstrip(context.BLANKS)[-1:] not in _STARTS
    )
    mark = "far line" if below else _MARKS[label.mark]
    if mark == "blank" and "\t" in text[label.start : name.start]:
        mark = "cell"
    yield from (f"{kind} {mark}", f"{kind} {mark} score {score}")


def _find_line(text: str, name: Name) -> tuple[int, int]:
    first = text.rfind("\n", max(0, name.start - LINE), name.start) + 1 or max(0, name.start - LINE)
    last = text.find("\n", name.end, name.end + LINE)
    return first, last if last >= 0 else min(len(text), name.end + LINE)


def _find_run_end(text: str, end: int) -> int:
    stop = end
    while stop < end + _TAIL and is_hangul(text[stop : stop + 1]):
        stop += 1
    return stop
