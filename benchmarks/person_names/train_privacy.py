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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from benchmarks.person_names import texts
from benchmarks.person_names.train import SAMPLES, _analyse, train_all
from filters.pii_rules import person_names
from filters.pii_rules.name_evidence import Page
from filters.pii_rules.name_model import read_words
from filters.pii_rules.name_tagger import tag_names
from filters.pii_rules.person_names import START, WORD, WordFinder, rate_opening, split_blocks
from filters.pii_rules.search import find_matches
from malmoi.models import Model

FEWEST: Final = 5  # documents that contain a word of documents
RARE: Final = 4  # names that have some evidence, at least
STRENGTH, BLOCK_STRENGTH = 40.0, 5.0  # of the pull towards no weight
SETS: Final = 0.5  # weight of a name of the open sets, whose writers know no kinds of documents
PROSE: Final = 0.3  # weight of a name of prose without private names
SMALLEST: Final = 0.15  # weight of a word: the rest is left out
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


def read_rows(
    corpus: Iterable[tuple[texts.Text, float]], model: Model, finder: WordFinder, weights: Mapping[str, int]
) -> Iterator[Row]:
    """Yield the evidence of every name that `model` finds; half of the texts are analysed.

    `weights` are those of blocks.
    """
    for text, share in corpus:
        data = text.text.encode()
        marked = sorted((name.start, name.end) for name in text.names if name.private)
        morphemes = _analyse(text.text) if _pick_half(text.text + "analysed") else None
        anchors = person_names.find_anchors(text.text, data, find_matches(text.text, data))
        names = tag_names(text.text, morphemes, least=person_names.LEAST, model=model) if text.text else []
        page = Page(text.text, anchors, names)
        blocks = [(start, finder.read_evidence(text.text[start:end])) for start, end in split_blocks(text.text)]
        for i, name in enumerate(names):
            private = any(start < name.end and name.start < end for start, end in marked)
            if text.text[name.start : name.end] in SAMPLES and not private:
                continue
            block = bisect_right(blocks, name.start, key=lambda one: one[0]) - 1
            evidence = blocks[block][1]
            opening = sum(weights.get(one, 0) for one in (START, *evidence))
            yield Row([*page.read_evidence(i), *evidence, rate_opening(opening)], private, share)


def read_whole_blocks(corpus: Iterable[tuple[texts.Text, float]], finder: WordFinder) -> Iterator[Row]:
    """Yield the evidence of every block, and whether it has a private name."""
    for text, share in corpus:
        for start, end in split_blocks(text.text):
            private = any(name.private and start <= name.start < end for name in text.names)
            yield Row([START, *finder.read_evidence(text.text[start:end])], private, share)


def _pick_half(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % 2


def train() -> tuple[dict[str, int], dict[str, int]]:
    """Return the weights of evidence in tenths: for names, and for blocks."""
    corpus = list(read_all())
    finder = WordFinder(mine_words(text for text, _ in corpus))
    templates = [*texts.read_templates(texts.NAMED), *texts.read_templates(texts.PRIVATE)]
    rows: list[Row] = []
    for half in (0, 1):
        model = train_all([one for one in templates if _pick_half(one[1]) != half])
        other = [one for one in corpus if _pick_half(one[0].text) != half]
        weights = weigh(list(read_whole_blocks(other, finder)), BLOCK_STRENGTH)
        rows += read_rows([one for one in corpus if _pick_half(one[0].text) == half], model, finder, weights)
    return weigh(rows, STRENGTH), weigh(list(read_whole_blocks(corpus, finder)), BLOCK_STRENGTH)


def weigh(rows: Sequence[Row], strength: float) -> dict[str, int]:
    """Return the weights of a logistic regression, in tenths; `strength` pulls them towards 0.

    Words of documents with a small weight are left out, and what remains is weighed again.
    """
    counts = Counter(evidence for row in rows for evidence in set(row.evidence))
    kept = sorted(evidence for evidence, count in counts.items() if count >= RARE)
    first = _fit(rows, kept, strength)
    kept = [one for one in kept if not one.startswith(WORD) or abs(first[one]) >= SMALLEST]
    tenths = {evidence: round(10 * weight) for evidence, weight in _fit(rows, kept, strength).items()}
    return {evidence: weight for evidence, weight in tenths.items() if weight}


def _fit(rows: Sequence[Row], kept: Sequence[str], strength: float) -> dict[str, float]:
    """Return the weight of each kept piece of evidence."""
    known = {evidence: i for i, evidence in enumerate(kept)}
    found = [sorted({known[e] for e in row.evidence if e in known}) for row in rows]
    bounds = np.concatenate(([0], np.cumsum([len(one) for one in found])))
    columns = np.concatenate([np.array(one, np.int64) for one in found])
    matrix = csr_matrix((np.ones(len(columns)), columns, bounds), (len(rows), len(known)))
    private, share = np.array([float(row.private) for row in rows]), np.array([row.share for row in rows])
    return dict(zip(kept, _solve(matrix, private, share, strength).tolist(), strict=True))


def _solve(matrix: csr_matrix, gold: Floats, share: Floats, strength: float) -> Floats:
    transposed = matrix.T.tocsr()

    def measure(weights: Floats) -> tuple[float, Floats]:
        score = matrix @ weights
        loss = float((share * (np.logaddexp(0, score) - gold * score)).sum() + strength / 2 * (weights @ weights))
        return loss, transposed @ (share * (1 / (1 + np.exp(-score)) - gold)) + strength * weights

    solved: Floats = minimize(measure, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B").x
    return solved


def spell(names: Mapping[str, int], blocks: Mapping[str, int]) -> str:
    """Return the file of the weights."""
    lines = [
        "# Evidence for a name being private, and for a block having a private name, by its weight in tenths.",
        "# Written by `python -m benchmarks.person_names.train_privacy --write`. A name with a sum above 0 is private.",
        "# `word=` is a word of the document, `kind=` counts words of a kind of document.",
    ]
    for table, weights in (("names", names), ("blocks", blocks)):
        lines += ["", f"[{table}]"]
        for tenths in sorted(set(weights.values()), reverse=True):
            rows = sorted(evidence for evidence, weight in weights.items() if weight == tenths)
            lines += [f"{tenths} = '''", *rows, "'''"]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Train, and write the list if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {person_names.WEIGHTS.name}")
    options = parser.parse_args(argv)
    names, blocks = train()
    print(f"{len(names)} weights for names, {len(blocks)} for blocks")
    if options.write:
        person_names.WEIGHTS.write_text(spell(names, blocks), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
