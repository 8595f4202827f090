"""`python -m benchmarks.domain_model [--cross] [--write]`: train the model that labels the domain of a text.

Solved as `benchmarks.ngram_training.softmax` says; temperature comes from scores of texts whose writer did not train. A
text of several domains counts for each of them by an equal share. `--cross` prints what models say of the texts of the
writer who did not train them, beside what the lists of terms alone say of the same texts.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.ngram_training import print_model, stack_features
from benchmarks.ngram_training.softmax import (
    Array,
    Rows,
    compute_chances,
    find_temperature,
    leave_groups_out,
    quantise,
    solve,
)
from benchmarks.register_model.corpus import LABELS, OURS, TEXTS, analyse, read_rows
from filters.domain import DOMAINS, MODEL, SLOTS, compute_features, score_terms
from malmoi.models import NONE, Model

NAMES: Final = (NONE, *DOMAINS)
STRENGTH: Final = 30.0  # inverse of the L2 penalty; by leaving one writer out
FIELDS: Final = {"it": "software", "realestate": "construction"}  # names of `benchmarks/labels/domain.jsonl`


class Text(NamedTuple):
    """One text of one writer, and the domains that it is about."""

    id: str
    writer: str
    domains: frozenset[str]
    text: str


def read_texts() -> Iterator[Text]:
    """Yield the texts that train."""
    for path in sorted(TEXTS.glob("*.jsonl")):
        for row in read_rows(path):
            yield Text(row["id"], path.stem, frozenset({row["domain"]} - {NONE}), row["text"])
    for path in OURS:
        for row in read_rows(path):
            yield Text(row["id"], "ours", frozenset(row["domains"]), row["text"])
    for row in read_rows(LABELS):
        if row["part"] == "dev":
            yield Text(row["id"], "labels", frozenset(FIELDS.get(name, name) for name in row["domains"]), row["text"])


def build_rows(texts: Sequence[Text]) -> Rows:
    """Analyse texts."""
    gold = np.array([mark_domains(text.domains) for text in texts])
    features = [compute_features(analyse(text.text)) for text in texts]
    return Rows(stack_features(features, SLOTS), gold, np.ones(len(texts)), np.arange(len(texts)))


def mark_domains(domains: frozenset[str]) -> list[float]:
    """Return a number for each of `NAMES`; they add up to 1."""
    return [float(name in (domains or {NONE})) / max(1, len(domains)) for name in NAMES]


def train() -> Model:
    """Train on all texts."""
    texts = list(read_texts())
    rows = build_rows(texts)
    about = {
        "written_by": "python -m benchmarks.domain_model --write",
        "texts": len(texts),
        "writers": dict(Counter(text.writer for text in texts)),
    }
    return quantise(solve(rows, STRENGTH), NAMES, find_temperature(leave_writers_out(texts, rows), rows.gold), about)


def leave_writers_out(texts: Sequence[Text], rows: Rows) -> Array:
    """Return the sums of each text by a model that no text of its writer trained."""
    return leave_groups_out(rows, [text.writer for text in texts], STRENGTH)[1]


def cross_validate() -> None:
    """Print macro-F1 and accuracy of models and of lists, for all writers and for each."""
    texts = list(read_texts())
    rows = build_rows(texts)
    sums = leave_writers_out(texts, rows)
    likely = compute_chances(sums, find_temperature(sums, rows.gold))
    listed = np.array([list_terms(text.text) for text in texts])
    writers = np.array([text.writer for text in texts])
    print("writer     texts   model: macro-F1, accuracy, calibration error   lists: macro-F1, accuracy")
    for name in ("all", *dict.fromkeys(writers.tolist())):
        some = (writers == name) | (name == "all")
        model, lists = (describe_choices(rows.gold[some], scores[some]) for scores in (likely, listed))
        print(
            f"{name:10} {some.sum():5}   {model[0]:.3f} {model[1]:.3f} {model[2]:.3f}   {lists[0]:.3f} {lists[1]:.3f}"
        )


def list_terms(text: str) -> list[float]:
    """Return the score of each of `NAMES` by the lists of terms alone; none of them where no score reaches 0.2."""
    return [0.2, *map(score_terms(analyse(text)).get, DOMAINS, [0.0] * len(DOMAINS))]


def describe_choices(gold: Array, scores: Array) -> tuple[float, float, float]:
    """Return macro-F1 of the domains, accuracy, and the expected calibration error in ten bins, of the highest score.

    Any of the domains of a text is right.
    """
    found = scores.argmax(axis=1)
    right = gold[np.arange(len(found)), found] > 0
    true = np.where(right, found, gold.argmax(axis=1))
    hits, said, asked = (np.bincount(column, minlength=len(NAMES)) for column in (found[right], found, true))
    asked_for = np.flatnonzero(asked[1:]) + 1
    f1 = (2 * hits / np.maximum(1, said + asked))[asked_for].mean()
    best = scores.max(axis=1)
    bins = np.minimum((best * 10).astype(int), 9)
    error = sum(abs((best - right)[bins == b].sum()) for b in range(10)) / len(best)
    return float(f1), float(right.mean()), float(error)


def main(argv: list[str] | None = None) -> int:
    """Train, and write the model if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cross", action="store_true", help="measure on each writer without their texts")
    parser.add_argument("--write", action="store_true", help=f"write {MODEL.name}")
    parser.add_argument("--to", type=Path, default=MODEL)
    options = parser.parse_args(argv)
    if options.cross:
        cross_validate()
        return 0
    print_model(train(), options.to if options.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
