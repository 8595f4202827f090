"""`python -m benchmarks.person_names.train [--write]`: train the model that finds names of persons.

An averaged perceptron with a margin over hashed features, in whole numbers only: the same texts give the same bytes on
every machine. It learns from `texts.jsonl` and `private.jsonl`, whose marks are filled COPIES times with other names,
and from the open sets of personal data. These mark private names only: what a first model takes for a name there,
without a mark, is left out. Half of the copies have a morphological analysis, and a third hides the word lists.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from benchmarks.ngram_training import print_model
from benchmarks.person_names import texts
from filters import morphology
from filters.pii_rules import name_tagger
from filters.pii_rules.name_evidence import words
from filters.pii_rules.name_features import BITS, compute_features
from malmoi.document import Document, Provenance
from malmoi.models import Model

COPIES: Final = 4  # of each template, with other names
VARIED: Final = 0.5  # share of written names that another one replaces, in all copies but the first
EPOCHS: Final = 6
MARGIN: Final = 60  # of a correct score, in units of one update; a score sums about 37 weights
DOUBT: Final = -1.0  # score of the first model from which an unmarked candidate of an incomplete text is left out
SAMPLES: Final = frozenset(
    words("samples")
)  # unmarked, they say nothing: 홍길동 of a form that shows how to fill it in
SCALE: Final = 16  # of averaged weights, before they are rounded

Rows = tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]


def build_rows(corpus: Iterable[tuple[texts.Text, bool, bool]], first: Model | None = None) -> Rows:
    """Return slots and labels (1 a name, -1 not) of all candidates of texts, each with `analysed` and `with_lists`."""
    slots, labels = [], []
    for text, analysed, with_lists in corpus:
        found, rows = compute_features(text.text, _analyse(text.text) if analysed else None, with_lists=with_lists)
        marked = {(name.start, name.end) for name in text.names}
        gold = [(a, b) in marked for a, b in zip(found.start.tolist(), found.end.tolist(), strict=True)]
        label = np.where(np.array(gold, np.bool_), 1, -1).astype(np.int8)
        places = zip(found.start.tolist(), found.end.tolist(), strict=True)
        sample = np.array([text.text[a:b] in SAMPLES for a, b in places], np.bool_)
        rows, label = rows[~sample | (label > 0)], label[~sample | (label > 0)]
        if not text.complete and first is not None:
            scores = first.weights[rows].sum(axis=1, dtype=np.int64) - first.about["bias"]
            covered = np.zeros(len(text.text) + 1, np.int64)
            for start, end in marked:
                covered[start:end] = 1
            total = np.concatenate(([0], np.cumsum(covered)))
            free = (total[found.end] == total[found.start])[~sample | np.array(gold, np.bool_)]
            keep = (label > 0) | ~free | (scores < DOUBT * first.about["unit"])
            rows, label = rows[keep], label[keep]
        slots.append(rows)
        labels.append(label)
    return np.concatenate(slots), np.concatenate(labels)


def _analyse(text: str) -> Any:
    return morphology.mark(Document("training/1", text, Provenance("training", "", "", "", "")))


def fill_templates(templates: Sequence[tuple[str, str]], copies: int) -> Iterator[tuple[texts.Text, bool, bool]]:
    """Yield each template `copies` times, with other names; half analysed, a third without lists."""
    for number, (kind, template) in enumerate(templates):
        seed = hashlib.sha256(template.encode()).hexdigest()
        for copy in range(copies if "⟦" in template or "<" in template else 2):
            filled = texts.fill_template(kind, template, texts.Draw(f"{seed}/{copy}"), varied=VARIED * (copy > 0))
            yield filled, (number + copy) % 2 == 0, (number + copy) % 3 > 0


def _read_incomplete() -> Iterator[tuple[texts.Text, bool, bool]]:
    """Yield the open sets twice, with and without an analysis, and prose once."""
    for number, text in enumerate(texts.read_sets()):
        yield text, True, number % 3 > 0
        yield text, False, number % 3 < 2
    for number, text in enumerate(texts.read_prose()):
        yield text, number % 2 == 0, number % 3 > 0


@numba.njit(cache=True)
def _train(slots: Any, labels: Any, order: Any, margin: int, weights: Any, sums: Any, step: int) -> int:
    """One pass over the rows: a score on the wrong side of the margin moves its weights by one."""
    for i in order:
        score = 0
        for j in range(slots.shape[1]):
            score += weights[slots[i, j]]
        step += 1
        if score * labels[i] < margin:
            for j in range(slots.shape[1]):
                weights[slots[i, j]] += labels[i]
                sums[slots[i, j]] += labels[i] * step
    return step


def train(rows: Rows, about: dict[str, Any], epochs: int = EPOCHS) -> Model:
    """Return the averaged weights of a perceptron with a margin."""
    slots, labels = rows
    weights, sums = np.zeros(1 << BITS, np.int64), np.zeros(1 << BITS, np.int64)
    step = 0
    numbers = np.arange(len(labels), dtype=np.uint64)
    for epoch in range(epochs):
        with np.errstate(over="ignore"):
            mixed = (numbers + np.uint64(1 + epoch * 1_000_003)) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        step = int(_train(slots, labels, np.argsort(mixed, kind="stable"), MARGIN, weights, sums, step))
    averaged = (weights * (step + 1) - sums) * SCALE // (step + 1)
    about = {**about, "unit": MARGIN * SCALE, "bias": 0}
    return Model(about, np.clip(averaged, -32768, 32767).astype(np.int16))


def train_all(templates: Sequence[tuple[str, str]], *, with_sets: bool = True, copies: int = COPIES) -> Model:
    """Train on filled templates, then once more together with the open sets."""
    about: dict[str, Any] = {
        "written_by": "python -m benchmarks.person_names.train --write",
        "templates": len(templates),
    }
    rows = build_rows(fill_templates(templates, copies))
    if with_sets:
        first = train(rows, about, epochs=3)
        more = build_rows(_read_incomplete(), first)
        rows = np.concatenate((rows[0], more[0])), np.concatenate((rows[1], more[1]))
    about |= {"candidates": len(rows[1]), "names": int((rows[1] > 0).sum())}
    return train(rows, about)


def main(argv: list[str] | None = None) -> int:
    """Train, and write the model if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {name_tagger.MODEL.name}")

    parser.add_argument("--to", type=Path, default=name_tagger.MODEL)
    options = parser.parse_args(argv)
    model = train_all([*texts.read_templates(texts.NAMED), *texts.read_templates(texts.PRIVATE)])
    print_model(model, options.to if options.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
