"""Find what is the name of a person: an averaged perceptron over the features of candidates.

The model says that a range of characters is a name. It does not say that the name is personal data: that is for the
rules in `person_names`. `docs/person-name-model.md` describes training and limits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from filters.pii_rules.name_features import BITS, MARGIN, Excerpt, Piece, compute_batch
from malmoi.document import Morphemes
from malmoi.models import Model, load_model

MODEL: Final = Path(__file__).with_name("people") / "names.model"


class Name(NamedTuple):
    """A range of the text, in code points, and how surely it is a name: a score of 0 or more is more likely so."""

    start: int
    end: int
    score: float
    type: int  # of the candidate: `name_features.RUN` …


def load(path: Path = MODEL) -> Model:
    """Return the model, read once per process; its header says the `unit` of a score, in weights, and their `bias`."""
    return load_model(path, (1 << BITS,), "<i2")


def tag_names(
    text: str,
    morphemes: Morphemes | None = None,
    pieces: Sequence[Piece] = (),
    *,
    least: float = 0.0,
    model: Model | None = None,
) -> list[Name]:
    """Return the names in `text` with a score of at least `least`, without overlap, in text order.

    Reads only the ranges `pieces`, in order and without overlap, if there are any. `morphemes` is the analysis of
    `text`; names are found without it, too. Of overlapping candidates the highest score wins. Takes time linear in the
    length of `text`.

    >>> text = "환자 홍길동 님의 보호자께 알립니다."
    >>> [text[n.start : n.end] for n in tag_names(text)]
    ['홍길동']
    """
    return tag_batch([Excerpt(text, pieces or ((0, len(text)),), morphemes)], least=least, model=model)[0]


def tag_batch(excerpts: Sequence[Excerpt], *, least: float = 0.0, model: Model | None = None) -> list[list[Name]]:
    """Return the names of each excerpt, as `tag_names` does for it alone; faster than one call for each.

    Memory is in proportion to all excerpts together.
    """
    model = load() if model is None else model
    names: list[list[Name]] = [[] for _ in excerpts]
    if not excerpts:
        return names
    found, slots = compute_batch(excerpts)
    scores, unit = model.weights[slots].sum(axis=1, dtype=np.int64) - model.about["bias"], model.about["unit"]
    order = np.flatnonzero(scores >= least * unit)
    order = order[np.argsort(-scores[order], kind="stable")]
    places, owners, shifts = (
        list[int](),
        list[int](),
        list[int](),
    )  # of pieces: begin in the batch, excerpt, to the text
    at = MARGIN
    for owner, excerpt in enumerate(excerpts):
        for start, end in excerpt.pieces:
            places.append(at)
            owners.append(owner)
            shifts.append(start - at)
            at += end - start + 1
        at += 2 * MARGIN - 1
    taken = bytearray(at)
    columns = (found.start[order], found.end[order], scores[order], found.type[order])
    for start, end, score, kind in zip(*(column.tolist() for column in columns), strict=True):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            piece = bisect_right(places, start) - 1
            shift = shifts[piece]
            names[owners[piece]].append(Name(start + shift, end + shift, score / unit, kind))
    return [sorted(found) for found in names]
