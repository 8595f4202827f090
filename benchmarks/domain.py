"""How well domains are labelled: `python -m benchmarks.domain [FILE.jsonl …] [--lists] [--wrong] [--part held-out]`.

Lines are `{"id", "text", "domains": […]}` (or one `"domain"`); without a file, our own texts in tests/data/domain. A
text is counted for a domain where its score reaches `--min-score`; `--lists` asks the lists of terms alone. Lines with
a `part` (benchmarks/labels/domain.jsonl: dev, held-out) are counted by part.
"""

from __future__ import annotations

import argparse
import inspect
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.domain_model import FIELDS, NAMES, describe_choices, list_terms, mark_domains
from benchmarks.register_model.corpus import OURS, analyse, read_rows
from filters import domain
from filters.domain import score_terms
from malmoi.models import NONE

CHARS = 1_200  # code points of a usual page
MIN_SCORE: float = inspect.signature(domain.judge).parameters["min_score"].default


class Answer(NamedTuple):
    """One text: its domains, and the score of each domain and of none ("")."""

    id: str
    domains: frozenset[str]
    scores: dict[str, float]
    part: str
    text: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Print precision, recall and F1 of each domain, the choice of the main one, and the time that a text takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.domain", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[OURS[0]])
    parser.add_argument("--min-score", type=float, default=MIN_SCORE, help="score from which a domain counts")
    parser.add_argument("--part", help="only the lines of this part")
    parser.add_argument("--lists", action="store_true", help="ask the lists of terms alone")
    parser.add_argument("--wrong", action="store_true", help="name the ids of what is labelled wrongly")
    given = parser.parse_args(arguments)
    read = [row for path in given.files for row in read_rows(path)]
    answers = [ask(row, lists=given.lists) for row in read if given.part in (None, row.get("part"))]
    for part in dict.fromkeys(a.part for a in answers):
        report(part, [a for a in answers if a.part == part], given.min_score, wrong=given.wrong)
    lists, both = microseconds([a.text for a in answers])
    print(f"\n{both:.0f} µs for {CHARS:,} code points, of which the lists {lists:.0f}")


def ask(row: dict[str, Any], *, lists: bool = False) -> Answer:
    """Return the answer of the filter to one line, or that of the lists of terms alone."""
    named = row["domains"] if "domains" in row else [row["domain"]] * bool(row["domain"])
    gold = frozenset(FIELDS.get(name, name) for name in named)
    if lists:
        scores = dict(zip(NAMES, list_terms(row["text"]), strict=True))
    else:
        found = domain.score_domains(analyse(row["text"]))
        scores = {NONE: 1.0 - sum(found.values()), **found}
    return Answer(str(row["id"]), gold, scores, row.get("part", ""), row["text"])


def name_domains(answer: Answer, least: float) -> frozenset[str]:
    """Return the domains whose score reaches `least`."""
    return frozenset(name for name, score in answer.scores.items() if name and score >= least)


def report(title: str, answers: Sequence[Answer], least: float, *, wrong: bool) -> None:
    """Print a line for each domain, all together, and how often the highest score is right."""
    right, said, true = (Counter[str]() for _ in range(3))
    for answer in answers:
        found = name_domains(answer, least)
        right.update(answer.domains & found)
        said.update(found)
        true.update(answer.domains)
        if wrong and found != answer.domains:
            near = {name: answer.scores.get(name, 0.0) for name in sorted(answer.domains ^ found)}
            lacks, has = sorted(answer.domains - found), sorted(found - answer.domains)
            print(f"{answer.id}: lacks {lacks}, has {has} {near}")
    print(f"\n{title:<22} precision  recall   F1   texts")
    for name in sorted(true | said):
        print(_line(name, right[name], said[name], true[name]))
    print(_line("together", right.total(), said.total(), true.total()))
    gold = np.array([mark_domains(a.domains) for a in answers])
    scores = np.array([[a.scores[name] for name in NAMES] for a in answers])
    f1, accuracy, error = describe_choices(gold, scores)
    print(f"highest score: macro-F1 {f1:.3f}, accuracy {accuracy:.3f}, calibration error {error:.3f}")


def _line(name: str, right: int, said: int, true: int) -> str:
    precision, recall = right / said if said else 1.0, right / true if true else 1.0
    f1 = 2 * right / (said + true) if said + true else 1.0
    return f"{name:<22} {precision:8.2f} {recall:8.2f} {f1:6.2f} {true:6d}"


def microseconds(texts: Sequence[str]) -> tuple[float, float]:
    """Return the CPU of a second look at a document by lists and by the filter, texts joined to about a page each."""
    per = max(1, round(CHARS * len(texts) / max(1, sum(map(len, texts)))))
    joined = ["\n\n".join(texts[i : i + per]) for i in range(0, len(texts), per)]
    found = [analyse(text) for text in joined]
    spent = {}
    for name, look in (("lists", score_terms), ("both", domain.score_domains)) * 2:
        start = time.process_time()
        for one in found:
            look(one)
        spent[name] = time.process_time() - start
    page = 1e6 * CHARS / max(1, sum(map(len, joined)))
    return spent["lists"] * page, spent["both"] * page


if __name__ == "__main__":
    main()
