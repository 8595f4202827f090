"""`python -m benchmarks.register_model.measure [FILE.jsonl …] [--cross] [--errors]`: how well registers are labelled.

Lines of a file are `{"id", "register", "text"}`, with `""` for a text of no register. Without a file, the held-out part
of `benchmarks/labels/domain.jsonl`. `--cross` trains without each writer in turn and asks about that writer's texts.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.register_model.corpus import Text, analyse, read_labels, read_texts
from filters import register

MIN_SCORE: Final[float] = inspect.signature(register.judge).parameters["min_score"].default
BINS: Final = 10  # of the calibration error


class Answer(NamedTuple):
    """The label of a text, the likeliest register ("" for none), its score, and the highest score of a register."""

    id: str
    gold: str
    found: str
    score: float
    best: str
    best_score: float


def ask_filter(texts: Sequence[Text]) -> list[Answer]:
    """Return the answer of the shipped model to each text."""
    answers = []
    for text in texts:
        found = register.score_kinds(text.text, analyse(text.text))
        answers.append(_answer(text, {"": 1.0 - sum(found.values()), **found}))
    return answers


def ask_without_writer() -> list[Answer]:
    """Return the answer to each text by a model that no text of its writer trained."""
    from benchmarks.ngram_training.softmax import compute_chances, find_temperature, leave_groups_out
    from benchmarks.register_model.train import LABELS, STRENGTH, build_rows

    texts = [text for text in read_texts() if text.part != "held-out"]
    rows = build_rows(texts)
    whole, sums = leave_groups_out(rows, [text.writer for text in texts], STRENGTH)
    likely = compute_chances(sums, find_temperature(sums, rows.gold[whole]))
    return [
        _answer(texts[rows.owner[row]], dict(zip(LABELS, line, strict=True)))
        for row, line in zip(whole.tolist(), likely.tolist(), strict=True)
    ]


def _answer(text: Text, scores: dict[str, float]) -> Answer:
    found = max(scores, key=lambda name: scores[name])
    best = max((name for name in scores if name), key=lambda name: scores[name], default="")
    return Answer(text.id, text.register, found, scores[found], best, scores.get(best, 0.0) if best else 0.0)


def report(title: str, answers: Sequence[Answer], min_score: float) -> None:
    """Print recall, precision and F1 of each register without abstention, then labels from `min_score` on."""
    gold, found = Counter(a.gold for a in answers), Counter(a.found for a in answers)
    right = Counter(a.gold for a in answers if a.gold == a.found)
    print(f"\n{title}: {len(answers)} texts\n{'register':<16} precision  recall   F1   texts")
    scores = []
    for name in sorted(gold):
        precision = right[name] / found[name] if found[name] else 0.0
        f1 = 2 * right[name] / (gold[name] + found[name])
        print(f"{name or '(none)':<16} {precision:9.2f} {right[name] / gold[name]:7.2f} {f1:6.2f} {gold[name]:6d}")
        if name:
            scores.append(f1)
    labelled = [a for a in answers if a.best and a.best_score >= min_score]
    kept = sum(a.gold == a.best for a in labelled)
    print(f"accuracy {right.total() / len(answers):.3f}, macro-F1 of registers {np.mean(scores):.3f}")
    print(f"calibration error {measure_calibration(answers):.3f}")
    print(f"from {min_score} on: {len(labelled)} labelled, precision {kept / max(1, len(labelled)):.3f}")


def measure_calibration(answers: Sequence[Answer]) -> float:
    """Return the expected calibration error in ten bins of equal width (Guo et al. 2017, arXiv 1706.04599)."""
    score = np.array([a.score for a in answers])
    right = np.array([a.gold == a.found for a in answers], np.float64)
    bins = np.minimum((score * BINS).astype(int), BINS - 1)
    return float(sum(abs((score - right)[bins == b].sum()) for b in range(BINS)) / len(answers))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--cross", action="store_true", help="train without each writer in turn")
    parser.add_argument("--errors", action="store_true", help="name the texts with a wrong label")
    parser.add_argument("--min-score", type=float, default=MIN_SCORE)
    options = parser.parse_args(argv)
    if options.cross:
        parts = {"all writers": ask_without_writer()}
        names = {text.id: text.writer for text in read_texts()}
        for writer in dict.fromkeys(names[a.id] for a in parts["all writers"]):
            parts[writer] = [a for a in parts["all writers"] if names[a.id] == writer]
    elif options.files:
        parts = {path.name: ask_filter(_read_file(path)) for path in options.files}
    else:
        parts = {"held-out labels": ask_filter([text for text in read_labels() if text.part == "held-out"])}
    for title, answers in parts.items():
        report(title, answers, options.min_score)
        for a in answers if options.errors else ():
            if a.gold != a.found:
                print(f"{a.id}: {a.gold or '(none)'} called {a.found or '(none)'}, {a.score:.2f}")
    return 0


def _read_file(path: Path) -> list[Text]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Text(row["id"], path.stem, row["register"], row["text"], "") for row in rows]


if __name__ == "__main__":
    sys.exit(main())
