"""`python -m benchmarks.quality_model.train [--write] [--held]`: train the model that `quality_model` asks.

Ridge regression on the points of the rubric, solved exactly on the products of the texts: no chance, no order, the
same bytes each time. Prints what cross-validation finds over ten folds of groups, and over sources: each source is
scored by a model that has seen none of its texts. `--write` writes the model; `--held` measures it on the part that no
training and no choice has seen.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.ngram_training import print_model, quantise, stack_features
from benchmarks.quality_model.texts import Labelled, read_labelled
from filters import morphology, quality_model
from filters.korean import ngram_model
from filters.quality_model import CHARACTERS, MEASURES, Features, read_features, weight_of
from malmoi.document import Document, Provenance
from malmoi.models import Features as NGrams
from malmoi.models import Model

Floats = npt.NDArray[np.float64]
FOLDS = 10
RIDGE = 0.2  # strength of the regularisation; 0.1 to 0.5 were tried, Spearman changes by 0.006
FORM = 0.1  # weight of all measures together beside one family of n-grams; 0.05 to 0.5 were tried


@dataclass(frozen=True, slots=True)
class Data:
    """Features of labelled texts: n-grams by row (unit weight for each family), and the measures as they are."""

    texts: tuple[Labelled, ...]
    ngrams: Any  # sparse, a column for each slot
    measures: Floats

    @property
    def scores(self) -> Floats:
        """The labels, 0 to 5."""
        return np.array([text.score for text in self.texts], np.float64)

    def choose(self, rows: npt.NDArray[np.intp]) -> Data:
        """Return the texts at `rows`."""
        return Data(tuple(self.texts[i] for i in rows), self.ngrams[rows], self.measures[rows])


def read_data(texts: Sequence[Labelled]) -> Data:
    """Analyse the texts."""
    rows, measures = [], []
    for text in texts:
        features = features_of(text.text)
        windows = [(w, weight_of(len(w)) / len(f)) for f in (features.characters, features.grammar) for w in f]
        slots = np.concatenate([window for window, _ in windows]).astype(np.uint32)
        values = np.concatenate([np.full(len(window), value, np.float32) for window, value in windows])
        rows.append(NGrams(slots, values))
        measures.append(features.measures)
    ngrams = stack_features(rows, ngram_model.SIZE)
    ngrams.sum_duplicates()
    return Data(tuple(texts), ngrams, np.array(measures))


def features_of(text: str) -> Features:
    """Analyse one text."""
    doc = Document("x/1", text, Provenance("x", "", "", "", ""))
    return read_features(text, morphology.mark(doc))


def train(data: Data) -> Model:
    """Return the model of `data`, its weights rounded as in the file."""
    centre, spread = data.measures.mean(0), data.measures.std(0) + 1e-6
    form = _standardise(data.measures, centre, spread)
    mean = float(data.scores.mean())
    products = (data.ngrams @ data.ngrams.T).toarray() + form @ form.T * FORM / len(MEASURES)
    dual = np.linalg.solve(products + RIDGE * np.eye(len(data.texts)), data.scores - mean)
    weights = form.T @ dual * FORM / len(MEASURES)
    measures = {
        name: [round(float(value), 6) for value in values]
        for name, *values in zip(MEASURES, centre, spread, weights, strict=True)
    }
    about = {
        "written_by": "python -m benchmarks.quality_model.train --write",
        "texts": len(data.texts),
        "sha256": digest(data.texts),
        "lengths": CHARACTERS,
        "measures": measures,
        "start": round(mean, 6),
    }
    return quantise(data.ngrams.T @ dual, about)


def score(model: Model, data: Data) -> Floats:
    """Return the points that a model gives to each text, unbounded."""
    centre, spread, weights = np.array([model.about["measures"][name] for name in MEASURES]).T
    form = _standardise(data.measures, centre, spread) @ weights
    ngrams = model.about["step"] * (data.ngrams @ model.weights.astype(np.float64))
    return np.asarray(model.about["start"] + form + ngrams, np.float64)


def _standardise(measures: Floats, centre: Floats, spread: Floats) -> Floats:
    most = quality_model.MOST_SPREAD
    return np.asarray(np.clip((measures - centre) / spread, -most, most), np.float64)


def cross(data: Data, parts: Sequence[str]) -> Floats:
    """Return the points of each text by a model that has seen no text of the same part."""
    found = np.zeros(len(parts))
    names = np.array(parts)
    for part in sorted(set(parts)):
        rows = np.flatnonzero(names == part)
        found[rows] = score(train(data.choose(np.flatnonzero(names != part))), data.choose(rows))
    return found


def fold_of(text: Labelled) -> str:
    """Return the fold of a text, by the digest of its group."""
    return str(hashlib.sha256(f"fold {text.group}".encode()).digest()[0] % FOLDS)


def source_of(text: Labelled) -> str:
    """Return the source of a text: the file that holds it, of pages also whether they are raw."""
    return text.id.partition("-")[0] if "pages" in text.file else text.file


def rank(values: Floats) -> Floats:
    """Return the ranks of values; equal values share their mean rank."""
    _, place, number = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(number) - (number - 1) / 2)[place], np.float64)


def correlate(one: Floats, other: Floats, without: Floats | None = None) -> float:
    """Return Spearman's correlation; with `without`, the partial one, from which its part is taken out."""
    ranks = [rank(one), rank(other)]
    if without is not None:
        line = rank(without)
        ranks = [values - np.polyval(np.polyfit(line, values, 1), line) for values in ranks]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def separate(found: Floats, gold: Floats) -> float:
    """Return the area under the curve: how often a text of 3 or more scores above one of 1 or less."""
    high, low = found[gold >= 3], found[gold <= 1]
    return float(((high[:, None] > low).mean() + (high[:, None] >= low).mean()) / 2)


def agree(one: Sequence[int], other: Sequence[int]) -> tuple[float, float, float]:
    """Return kappa with quadratic weights, the share of equal scores, and that of scores within one point."""
    table = np.zeros((6, 6))
    np.add.at(table, (np.array(one), np.array(other)), 1)
    far = np.subtract.outer(np.arange(6), np.arange(6))
    chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
    kappa = 1 - (far**2 * table).sum() / (far**2 * chance).sum()
    return float(kappa), float(np.trace(table) / table.sum()), float(table[abs(far) <= 1].sum() / table.sum())


def report(name: str, data: Data, found: Floats) -> str:
    """Return one line of figures."""
    gold, size = data.scores, np.log([len(text.text) for text in data.texts])
    error = abs(found - gold).mean()
    return (
        f"{name}: {len(gold)} texts, Spearman {correlate(found, gold):.3f}, without length "
        f"{correlate(found, gold, size):.3f}, AUC {separate(found, gold):.3f}, mean error {error:.2f}; "
        f"Spearman with length: score {correlate(found, size):.2f}, label {correlate(gold, size):.2f}"
    )


def digest(texts: Sequence[Labelled]) -> str:
    """Return SHA-256 over the texts and their labels."""
    return hashlib.sha256("\n".join(f"{text.score} {text.text}" for text in texts).encode()).hexdigest()


def print_held(data: Data, model: Model) -> None:
    """Print the figures of the held part, and the mean score of each label."""
    found = score(model, data)
    print(report("held", data, found))
    for label in range(6):
        some = found[data.scores == label]
        print(f"label {label}: {len(some)} texts, mean {some.mean():.2f}, from {some.min():.2f} to {some.max():.2f}")
    for low in np.arange(0.0, 5.0, 1.0):
        some = (found >= low) & (found < low + 1)
        if some.any():
            print(f"scores {low:.0f} to {low + 1:.0f}: {some.sum()} texts, mean label {data.scores[some].mean():.2f}")


def main(arguments: list[str]) -> int:
    """Print the cross-validated figures; write the model or measure the held part if asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks.quality_model.train", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the model into filters/lexicons")
    parser.add_argument("--held", action="store_true", help="measure the held part instead of cross-validating")
    given = parser.parse_args(arguments)
    texts = read_labelled()
    twice = [text for text in texts if text.second is not None]
    kappa, same, near = agree([t.first for t in twice], [t.second or 0 for t in twice])
    print(f"second pass: {len(twice)} texts, kappa {kappa:.3f}, equal {same:.3f}, within one {near:.3f}")
    data = read_data([text for text in texts if not text.held])
    if given.held:
        print_held(read_data([text for text in texts if text.held]), train(data))
        return 0
    print(report("folds", data, cross(data, [fold_of(text) for text in data.texts])))
    found = cross(data, [source_of(text) for text in data.texts])
    print(report("sources", data, found))
    for source in sorted(set(map(source_of, data.texts))):
        rows = np.flatnonzero([source_of(text) == source for text in data.texts])
        print("  " + report(source, data.choose(rows), found[rows]))
    print_model(train(data), quality_model.PATH if given.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
