"""Held-out sets: documents that overlap with no input, by the index that decontaminates releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from filters.evaluation.item_index import FEWEST, build
from filters.evaluation.items import Item
from malmoi.errors import CallError

PIECE = 300  # code points; each piece of a document is searched for by itself
RUN = 12  # letters in a row that count as the same, the default of the filter benchmark_overlap
SHARE = 0.5  # of the letters of a piece; the filter's default, for questions, is 0.7
FEW = 30  # documents; a set with fewer gives wide intervals


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The documents of a set that are measured, and how many were left out, and why."""

    name: str
    documents: tuple[str, ...]
    overlapping: int  # found in an input
    unsearched: int  # copies of another held-out document, or fewer than FEWEST letters of their own


def select_held_out(sets: Mapping[str, Sequence[str]], inputs: Mapping[str, Sequence[str]], most: int) -> list[HeldOut]:
    """Return of each set the documents that occur in no text of an input, up to `most` code points.

    A document overlaps if SHARE of the letters of one of its pieces of PIECE code points occurs in a text near each
    other. A document without a piece that can be searched for is left out too. CallError if nothing is left of a set.
    """
    documents = [(name, text) for name, texts in sets.items() for text in texts]
    items = [
        Item(name, "", number, (text[at : at + PIECE],))
        for number, (name, text) in enumerate(documents)
        for at in range(0, max(1, len(text) - FEWEST), PIECE)
    ]
    index = build(items, RUN)
    searched = {items[at].number for at in np.unique(index.owners)}
    found: dict[int, str] = {}
    for name, texts in inputs.items():
        for text in texts:
            for hit in index.search(text, SHARE).items:
                found.setdefault(int(hit.name.rpartition(":")[2]), name)
    return [_select(name, documents, searched, found, most) for name in sets]


def _select(
    name: str, documents: Sequence[tuple[str, str]], searched: set[int], found: Mapping[int, str], most: int
) -> HeldOut:
    own = [number for number, (set_name, _) in enumerate(documents) if set_name == name]
    overlapping = [number for number in own if number in found]
    left = [number for number in own if number in searched and number not in found]
    if not left:
        sources = ", ".join(sorted({found[number] for number in overlapping})) or "none"
        raise CallError(
            f"held-out set {name}: none of its {len(own)} documents is left: {len(overlapping)} occur in an input "
            f"({sources}), the others are copies or have fewer than {FEWEST} letters of their own. Name other texts."
        )
    kept, size = [], 0
    for number in left:
        kept.append(documents[number][1])
        size += len(documents[number][1])
        if size >= most:
            break
    return HeldOut(name, tuple(kept), len(overlapping), len(own) - len(overlapping) - len(left))
