"""`python -m benchmarks.train_abuse [--write] [--held]`: train the model of `abuse`, and measure it.

Texts: comments of our own in five voices (`benchmarks/abuse_model/texts`, data for moderation), the cases of
`tests/data/abuse.jsonl`, and an eighth of the sentences that people wrote in `benchmarks/labels`. Logistic regression
(`benchmarks.ngram_training`). Prints what leave-one-writer-out finds at several thresholds; `--write` writes the file;
`--held` judges `benchmarks/abuse_model/held.jsonl`, which only measures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ngram_training
from benchmarks.ngram_training import Example, Floats, cross_validate, digest_rows, label_examples, print_model
from filters import abuse, morphology
from filters.korean.term_lists import to_search_form
from malmoi.document import Document, Provenance
from malmoi.models import Model

ROOT = Path(__file__).parents[1]
HERE = ROOT / "benchmarks" / "abuse_model"
WRITERS = ("1", "2", "3", "4", "5")  # of the comments
THRESHOLDS = (-0.5, 0.0, 0.25, 0.5, 1.0, 1.5)


def read_comments() -> tuple[Example, ...]:
    """Read and analyse all comments, in the order of the files."""
    return tuple(make_comment(row["writer"], row["text"], row["label"]) for row in _read_rows())


def make_comment(writer: str, text: str, label: str) -> Example:
    """Analyse one comment."""
    doc = Document("training/1", text, Provenance("training", "", "", "", ""))
    sentence = to_search_form(text)
    hits = abuse.leave_out_cited(sentence, tuple(abuse._FIND.all(sentence)))
    forms = abuse._list_forms(morphology.mark(doc), 0, len(text))
    return Example(writer, label, abuse.spell_features(sentence, hits, forms), label != "none")


def _read_rows() -> Iterator[dict[str, str]]:
    for line in (HERE / "texts" / "comments.jsonl").open(encoding="utf-8"):
        yield json.loads(line)
    for line in (ROOT / "tests/data/abuse.jsonl").open(encoding="utf-8"):
        yield {**json.loads(line), "writer": "cases"}
    for name in ("training", "domain", "written"):
        for line in (ROOT / f"benchmarks/labels/{name}.jsonl").open(encoding="utf-8"):
            row = json.loads(line)
            if row.get("label", row.get("kind", "human")) != "human":
                continue
            for sentence in map(str.strip, re.split(r"(?<=[.!?])\s|\n", row["text"])):
                if 8 <= len(sentence) <= 120 and hashlib.sha256(sentence.encode()).digest()[0] % 8 == 0:
                    yield {"writer": name, "text": sentence, "label": "none"}


def train(comments: Sequence[Example]) -> Model:
    """Train the model of `comments`."""
    digest = digest_rows((comment.features, comment.label) for comment in comments)
    return ngram_training.train(comments, "benchmarks.train_abuse", "abusive", digest)


def report(comments: Sequence[Example], scores: Floats) -> list[str]:
    """Return a line for each threshold: recall and false positives on comments by other writers, on other sentences."""
    ours = np.array([comment.writer in WRITERS for comment in comments])
    bad = label_examples(comments) > 0
    lines = [f"{(ours & bad).sum()} abusive and {(ours & ~bad).sum()} clean comments, {(~ours & ~bad).sum()} others"]
    for limit in THRESHOLDS:
        over = scores > limit
        lines.append(
            f"above {limit:5.2f}: recall {over[ours & bad].mean():.3f}, clean comments {over[ours & ~bad].mean():.3f}, "
            f"others {over[~ours & ~bad].mean():.4f}"
        )
    return lines


def judge_held() -> list[str]:
    """Return the figures of the filter on the set that only measures."""
    found: dict[str, list[str]] = {"none": [], "offensive": [], "hate": []}
    for line in (HERE / "held.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        doc = Document("held/1", row["text"], Provenance("held", "", "", "", ""))
        verdict = abuse.judge(replace(doc, morphemes=morphology.mark(doc)))
        found[row["label"]].append(dict(verdict.labels)["abuse"] or "none")
    return [f"{gold}: {len(of)} comments, " + ", ".join(f"{said} {of.count(said)}" for said in found)
            for gold, of in found.items()]  # fmt: skip


def main(arguments: list[str]) -> int:
    """Print the cross-validated figures; write the weights, or judge the held-out set, if asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks.train_abuse", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {abuse.MODEL.relative_to(ROOT)}")
    parser.add_argument("--held", action="store_true", help="judge the set that only measures")
    given = parser.parse_args(arguments)
    if given.held:
        print(*judge_held(), sep="\n")
        return 0
    comments = read_comments()
    print(*report(comments, cross_validate(comments)), sep="\n")
    print_model(train(comments), abuse.MODEL if given.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
