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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.ngram_training import Floats, cross_validate, train
from filters.korean.term_lists import MOST_CHARS, to_search_form
from malmoi.models import Model, write_model

ROOT = Path(__file__).parents[1]
WRITTEN = ROOT / "filters" / "lexicons" / "spam.model"
FOLDS = 5
LIMITS = (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0)  # shown in the table


@dataclass(frozen=True, slots=True)
class Shown:
    """A text to learn from: whether it advertises, and whether it was written to look as if it did."""

    text: str
    spam: bool
    lookalike: bool


def shown() -> tuple[Shown, ...]:
    """Every text to learn from, sorted: advertisements, lookalikes, and what people write otherwise.

    `written.jsonl` with both its halves: they have been seen, so they measure nothing any more. Texts of
    machines are left out: some of them advertise too.
    """
    texts: dict[str, Shown] = {}
    for name in ("benchmarks/labels/written.jsonl", "benchmarks/labels/training.jsonl", "tests/data/spam.jsonl",
                 "benchmarks/labels/domain.jsonl"):  # fmt: skip
        for line in (ROOT / name).open(encoding="utf-8"):
            row = json.loads(line)
            kind = "human" if "domains" in row else row["kind"] if "keep" in row else row["label"]
            if kind in ("spam", "ham", "human"):
                texts[row["text"]] = Shown(row["text"], kind == "spam", kind == "ham")
    return tuple(texts[text] for text in sorted(texts))


def digest(texts: Sequence[Shown]) -> str:
    """SHA-256 over the texts and what they are."""
    lines = (json.dumps([t.text, t.spam], ensure_ascii=False) for t in texts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def trained(texts: Sequence[Shown]) -> Model:
    """The model of `texts`."""
    gold = _gold(texts)
    about = {
        "written_by": "python -m benchmarks.train_spam --write",
        "texts": len(texts),
        "spam": int(gold.sum()),
        "sha256": digest(texts),
    }
    return train(_features(texts), gold, about)


def crossed(texts: Sequence[Shown]) -> Floats:
    """The score of each text by a model that has not seen its fold."""
    folds = [hashlib.sha256(text.text.encode()).digest()[0] % FOLDS for text in texts]
    return cross_validate(_features(texts), _gold(texts), folds)


def _gold(texts: Sequence[Shown]) -> Floats:
    return np.array([float(text.spam) for text in texts])


def _features(texts: Sequence[Shown]) -> list[str]:
    return [to_search_form(text.text[:MOST_CHARS]) for text in texts]


def report(texts: Sequence[Shown], found: Floats) -> list[str]:
    """Lines that say what is found above each limit."""
    spam = np.array([text.spam for text in texts])
    alike = np.array([text.lookalike for text in texts])
    lines = [f"{spam.sum()} advertisements, {alike.sum()} lookalikes, {(~spam & ~alike).sum()} other texts"]
    for limit in LIMITS:
        over = found > limit
        lines.append(
            f"above {limit:5.2f}: recall {(over & spam).sum() / max(1, spam.sum()):.3f}, "
            f"lookalikes {(over & alike).sum()}, others {(over & ~spam & ~alike).sum()}"
        )
    return lines


def main(arguments: list[str]) -> int:
    """Print the cross-validated figures; write the weights if asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks.train_spam", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {WRITTEN.relative_to(ROOT)}")
    given = parser.parse_args(arguments)
    texts = shown()
    print(*report(texts, crossed(texts)), sep="\n")
    if given.write:
        write_model(trained(texts), WRITTEN)
        print(f"{WRITTEN.relative_to(ROOT)}: {WRITTEN.stat().st_size:,} bytes from {digest(texts)[:12]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
