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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import ngram_training
from benchmarks.ngram_training import Floats
from filters import abuse, morphology
from filters.korean.term_lists import to_search_form
from malmoi.document import Document, Provenance
from malmoi.models import Model, write_model

ROOT = Path(__file__).parents[1]
HERE = ROOT / "benchmarks" / "abuse_model"
WRITERS = ("1", "2", "3", "4", "5")  # of the comments
THRESHOLDS = (-0.5, 0.0, 0.25, 0.5, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its writer, its label (hate, offensive, none), and what the model reads."""

    writer: str
    text: str
    label: str
    features: str


def read_comments() -> tuple[Comment, ...]:
    """Read and analyse all comments, in the order of the files."""
    return tuple(make_comment(row["writer"], row["text"], row["label"]) for row in _read_rows())


def make_comment(writer: str, text: str, label: str) -> Comment:
    """Analyse one comment."""
    doc = Document("training/1", text, Provenance("training", "", "", "", ""))
    sentence = to_search_form(text)
    hits = abuse.leave_out_cited(sentence, tuple(abuse._FIND.all(sentence)))
    forms = abuse._list_forms(morphology.mark(doc), 0, len(text))
    return Comment(writer, text, label, abuse.spell_features(sentence, hits, forms))


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


def train(comments: Sequence[Comment]) -> Model:
    """Train the model of `comments`."""
    gold = _gold(comments)
    lines = [json.dumps([c.features, c.label], ensure_ascii=False) for c in comments]
    about = {
        "written_by": "python -m benchmarks.train_abuse --write",
        "texts": len(comments),
        "abusive": int(gold.sum()),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }
    return ngram_training.train([comment.features for comment in comments], gold, about)


def cross_validate(comments: Sequence[Comment]) -> Floats:
    """Return the score of each comment by a model that has seen none of its writer."""
    writers = [comment.writer for comment in comments]
    return ngram_training.cross_validate([comment.features for comment in comments], _gold(comments), writers)


def _gold(comments: Sequence[Comment]) -> Floats:
    return np.array([float(comment.label != "none") for comment in comments])


def report(comments: Sequence[Comment], scores: Floats) -> list[str]:
    """Return a line for each threshold: recall and false positives on comments by other writers, on other sentences."""
    ours = np.array([comment.writer in WRITERS for comment in comments])
    bad = _gold(comments) > 0
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
    if given.write:
        write_model(train(comments), abuse.MODEL)
        print(f"{abuse.MODEL.relative_to(ROOT)}: {abuse.MODEL.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
