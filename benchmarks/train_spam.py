"""`python -m benchmarks.train_spam [--write]`: train the model that `spam` asks beside its terms.

Logistic regression over hashed character n-grams (`benchmarks.ngram_training`). It learns from texts of this repository
only, and prints what five-fold cross-validation finds; `--write` writes the model into `filters/lexicons`. A text
belongs to a fold by the digest of its own letters.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import ngram_training
from benchmarks.ngram_training import Example, Floats, cross_validate, digest_rows, print_model
from filters.korean.term_lists import MOST_CHARS, to_search_form
from malmoi.models import Model

ROOT = Path(__file__).parents[1]
WRITTEN = ROOT / "filters" / "lexicons" / "spam.model"
FOLDS = 5
LIMITS = (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0)  # shown in the table


def read_texts() -> dict[str, str]:
    """Return the kind of each text to learn from, sorted: spam, ham (written to look like it), human.

    `written.jsonl` with both its halves: they have been seen, so they measure nothing any more. Texts of
    machines are left out: some of them advertise too.
    """
    kinds: dict[str, str] = {}
    for name in ("benchmarks/labels/written.jsonl", "benchmarks/labels/training.jsonl", "tests/data/spam.jsonl",
                 "benchmarks/labels/domain.jsonl"):  # fmt: skip
        for line in (ROOT / name).open(encoding="utf-8"):
            row = json.loads(line)
            kind = "human" if "domains" in row else row["kind"] if "keep" in row else row["label"]
            if kind in ("spam", "ham", "human"):
                kinds[row["text"]] = kind
    return dict(sorted(kinds.items()))


def make_examples(kinds: Mapping[str, str]) -> list[Example]:
    """Return texts as the model reads them, with their folds."""
    return [
        Example(
            str(hashlib.sha256(text.encode()).digest()[0] % FOLDS),
            kind,
            to_search_form(text[:MOST_CHARS]),
            kind == "spam",
        )
        for text, kind in kinds.items()
    ]


def train(kinds: Mapping[str, str]) -> Model:
    """Train the model of texts by their kind."""
    digest = digest_rows((text, kind == "spam") for text, kind in kinds.items())
    return ngram_training.train(make_examples(kinds), "benchmarks.train_spam", "spam", digest)


def report(examples: Sequence[Example], scores: Floats) -> list[str]:
    """Return a line for each limit: recall, and the other texts above it."""
    spam, ham, human = (np.array([example.label == kind for example in examples]) for kind in ("spam", "ham", "human"))
    lines = [f"{spam.sum()} advertisements, {ham.sum()} lookalikes, {human.sum()} other texts"]
    for limit in LIMITS:
        over = scores > limit
        lines.append(
            f"above {limit:5.2f}: recall {(over & spam).sum() / max(1, spam.sum()):.3f}, "
            f"lookalikes {(over & ham).sum()}, others {(over & human).sum()}"
        )
    return lines


def main(arguments: list[str]) -> int:
    """Print the cross-validated figures; write the weights if asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks.train_spam", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {WRITTEN.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    kinds = read_texts()
    examples = make_examples(kinds)
    print(*report(examples, cross_validate(examples)), sep="\n")
    print_model(train(kinds), WRITTEN if options.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
