"""`python -m benchmarks.person_names.train_privacy [--write]`: weigh the evidence for a name being private.

A logistic regression over the evidence of `name_evidence` and `block_evidence`, from texts whose private names are
marked. The names come from two models of names, each trained on one half of the texts and asked about the other, so
that scores are as unsure as those of new texts. The weights are written in tenths, as a list that people can read.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from benchmarks.person_names import texts
from benchmarks.person_names.train import SAMPLES, _analyse, train_all
from filters.pii_rules.engine.search import find_matches
from filters.pii_rules.people import name_privacy, person_names
from filters.pii_rules.people.block_evidence import WordFinder, read_blocks
from filters.pii_rules.people.name_evidence import Page
from filters.pii_rules.people.name_tagger import Model, tag_names
from filters.pii_rules.text.name_model import read_words

FEWEST: Final = 5  # documents that contain a word of documents
RARE: Final = 4  # names that have some evidence, at least
STRENGTH: Final = 15.0  # of the pull towards no weight
SETS: Final = 0.5  # weight of a name of the open sets, whose writers know no kinds of documents
PROSE: Final = 0.3  # weight of a name of prose without private names
SHIFT: Final = 0.5  # added to the start, so that precision and recall are about equal
SMALLEST: Final = 1  # tenths: weights below are left out
Floats = npt.NDArray[np.float64]


class Row(NamedTuple):
    """The evidence of a name, whether it is private, and its weight in training."""

    evidence: list[str]
    private: bool
    share: float


def read_all() -> Iterator[tuple[texts.Text, float]]:
    """Yield the texts whose private names are marked or that have no names, with the weight of a name in training."""
    for number, (kind, body) in enumerate(texts.read_templates(texts.PRIVATE)):
        yield texts.fill_template(kind, body, texts.Draw(f"private/{number}")), 1.0
    for number, (kind, body) in enumerate(texts.read_templates(texts.NAMED)):
        if "⟦" not in body:
            yield texts.fill_template(kind, body, texts.Draw(f"named/{number}")), 1.0
    for text in texts.read_sets():
        yield text, SETS
    for text in texts.read_prose():
        yield text, PROSE


def mine_words(corpus: Iterable[texts.Text]) -> list[str]:
    """Return beginnings and ends of words that several documents contain, without given names."""
    counts: Counter[str] = Counter()
    for text in corpus:
        found = set()
        for word in re.findall("[가-힣]+[.!?]?", text.text):
            plain = word.rstrip(".!?")
            found |= {plain[:size] for size in range(2, min(len(plain), 4) + 1)}
            found |= {word[-3:], word[-4:]} if word != plain and len(plain) > 1 else set()
        counts.update(found)
    given = frozenset(read_words("given_names"))
    return sorted(word for word, count in counts.items() if count >= FEWEST and word not in given)


def read_rows(corpus: Iterable[tuple[texts.Text, float]], model: Model, finder: WordFinder) -> Iterator[Row]:
    """Yield the evidence of every name that `model` finds; half of the texts are analysed."""
    for text, share in corpus:
        data = text.text.encode()
        marked = sorted((name.start, name.end) for name in text.names if name.private)
        morphemes = _analyse(text.text) if _pick_half(text.text + "analysed") else None
        anchors = person_names.find_anchors(text.text, data, find_matches(text.text, data))
        names = tag_names(text.text, morphemes, least=person_names.LEAST, model=model) if text.text else []
        page = Page(text.text, anchors, names)
        blocks = read_blocks(text.text, finder)
        starts = [block.start for block in blocks]
        for i, name in enumerate(names):
            private = any(start < name.end and name.start < end for start, end in marked)
            if text.text[name.start : name.end] in SAMPLES and not private:
                continue
            block = blocks[bisect_right(starts, name.start) - 1]
            yield Row([*page.read_evidence(i), *block.evidence], private, share)


def _pick_half(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % 2


def train() -> dict[str, int]:
    """Return the weights of evidence in tenths."""
    corpus = list(read_all())
    finder = WordFinder(mine_words(text for text, _ in corpus))
    templates = [*texts.read_templates(texts.NAMED), *texts.read_templates(texts.PRIVATE)]
    rows: list[Row] = []
    for half in (0, 1):
        model = train_all([one for one in templates if _pick_half(one[1]) != half])
        rows += read_rows([one for one in corpus if _pick_half(one[0].text) == half], model, finder)
    return weigh(rows)


def weigh(rows: Sequence[Row]) -> dict[str, int]:
    """Return the weights of a logistic regression, in tenths."""
    counts = Counter(evidence for row in rows for evidence in set(row.evidence))
    known = {evidence: i for i, evidence in enumerate(sorted(e for e, n in counts.items() if n >= RARE))}
    found = [sorted({known[e] for e in row.evidence if e in known}) for row in rows]
    bounds = np.concatenate(([0], np.cumsum([len(one) for one in found])))
    columns = np.concatenate([np.array(one, np.int64) for one in found])
    matrix = csr_matrix((np.ones(len(columns)), columns, bounds), (len(rows), len(known)))
    solved = _solve(matrix, np.array([float(r.private) for r in rows]), np.array([r.share for r in rows]))
    solved[known[""]] += SHIFT
    tenths = {evidence: round(10 * float(solved[i])) for evidence, i in known.items()}
    return {evidence: weight for evidence, weight in tenths.items() if abs(weight) >= SMALLEST}


def _solve(matrix: csr_matrix, gold: Floats, share: Floats) -> Floats:
    transposed = matrix.T.tocsr()

    def measure(weights: Floats) -> tuple[float, Floats]:
        score = matrix @ weights
        loss = float((share * (np.logaddexp(0, score) - gold * score)).sum() + STRENGTH / 2 * (weights @ weights))
        return loss, transposed @ (share * (1 / (1 + np.exp(-score)) - gold)) + STRENGTH * weights

    solved: Floats = minimize(measure, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B").x
    return solved


def spell(weights: dict[str, int]) -> str:
    """Return the file of the weights."""
    lines = [
        "# Evidence for a name being private, by its weight in tenths: for (positive) or against (negative).",
        "# Written by `python -m benchmarks.person_names.train_privacy --write`. A name with a sum above 0 is private.",
        "# `word=` is a word of the document, `kind=` counts words of a kind of document.",
        "",
        "[weights]",
    ]
    for tenths in sorted(set(weights.values()), reverse=True):
        rows = sorted(evidence for evidence, weight in weights.items() if weight == tenths)
        lines += [f"{tenths} = '''", *rows, "'''"]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Train, and write the list if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {name_privacy.WEIGHTS.name}")
    options = parser.parse_args(argv)
    weights = train()
    print(f"{len(weights)} weights, start {weights.get('', 0)} tenths")
    if options.write:
        name_privacy.WEIGHTS.write_text(spell(weights), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
