"""Count how well `spam` and `abuse` judge labelled texts: precision, recall and F1, by kind.

`python -m benchmarks.spam (spam|abuse) FILE [--show]`: lines of {id, text, label, kind}.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from filters import morphology
from malmoi.document import Document, Provenance

NOTHING = ("ham", "none", "clean", "keep", "")  # labels of a text that is neither advertising nor abuse
NOWHERE = Provenance("benchmark", "", "", "", "")


def said(name: str, text: str) -> str:
    """What the filter `name` says of `text`: the label it sets, or ""."""
    doc = Document("benchmark/1", text, NOWHERE)
    verdict = import_module(f"filters.{name}").judge(replace(doc, morphemes=morphology.mark(doc)))
    return str(dict(verdict.labels).get(name, ""))


def scores(gold: list[bool], found: list[bool]) -> dict[str, float]:
    """Precision, recall and F1 of `found` against `gold`.

    >>> scores([True, True, False], [True, False, False])
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6667}
    """
    right = sum(g and f for g, f in zip(gold, found, strict=True))
    precision = right / sum(found) if any(found) else 1.0
    recall = right / sum(gold) if any(gold) else 1.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def report(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of `name` over `rows`, and how many of each kind it found."""
    found = [said(name, row["text"]) for row in rows]
    gold = [str(row["label"]) for row in rows]
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for row, label in zip(rows, found, strict=True):
        kinds[f"{row['label']}/{row.get('kind') or '-'}"]["found" if label else "left"] += 1
    figures: dict[str, Any] = {
        "texts": len(rows),
        "all": scores([g not in NOTHING for g in gold], [bool(f) for f in found]),
        "kinds": {kind: dict(kinds[kind]) for kind in sorted(kinds)},
    }
    if "hate" in gold:
        figures["hate"] = scores([g == "hate" for g in gold], [f == "hate" for f in found])
    figures["wrong"] = [
        (row["id"], g, f)
        for row, g, f in zip(rows, gold, found, strict=True)
        if (g in NOTHING) != (not f) or (name == "abuse" and "hate" in (g, f) and g != f)
    ]
    return figures


def main(arguments: list[str]) -> int:
    """Print the figures of one filter over one file."""
    parser = argparse.ArgumentParser(prog="benchmarks.spam", description=__doc__)
    parser.add_argument("filter", choices=("spam", "abuse"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--first", type=float, default=1.0, help="only this share of the lines, from the top")
    parser.add_argument("--last", type=float, default=1.0, help="only this share of the lines, from the end")
    parser.add_argument("--show", action="store_true", help="list the ids that were judged wrongly")
    given = parser.parse_args(arguments)
    rows = [json.loads(line) for line in given.file.open(encoding="utf-8")]
    whole = len(rows)
    rows = rows[: round(whole * given.first)][round(whole * (1 - given.last)) if given.last < 1 else 0 :]
    figures = report(given.filter, rows)
    wrong = figures.pop("wrong")
    print(json.dumps(figures, ensure_ascii=False, indent=1))
    if given.show:
        for row in wrong:
            print(*row, sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
