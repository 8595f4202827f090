"""How well register and domain are told: `python -m benchmarks.domain [FILE.jsonl …] [--wrong] [--model SEEN.jsonl]`.

Lines are `{"id", "text", "domains": […], "register": "…"}`; without a file, our own texts in
tests/data/domain. A text is counted for a field where its score reaches `--min-score`. Lines with a `part`
(benchmarks/labels/domain.jsonl: dev, held-out) are counted by part. Names that others give to our
fields and kinds are read as ours; a question with its answer is no kind of ours and is not counted as one.
"""

from __future__ import annotations

import argparse
import inspect
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import domain_model
from filters import domain, morphology, register
from malmoi.document import Document, Provenance

CHARS = 1_200  # code points of a usual page
OURS = Path(__file__).resolve().parents[1] / "tests/data/domain/texts.jsonl"
MIN_SCORE: float = inspect.signature(domain.judge).parameters["min_score"].default
# What others call our fields and kinds; any of several kinds is right.
FIELDS = {"it": "software", "realestate": "construction"}
KINDS = {
    "manual": ("technical",),
    "law": ("statutory", "judicial"),
    "administration": ("administrative", "press"),
    "fiction": ("literature",),
    "verse": ("literature",),
    "dialogue": ("spoken",),
    "advertisement": ("advertising",),
    "qa": (),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One text: what is said of it, and what the filters say."""

    doc: Document
    domains: frozenset[str]
    kinds: tuple[str, ...]  # each of them right; none where the line says none of ours
    scores: dict[str, float]
    judged: str
    part: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Print precision, recall and F1 of each field and register, and the time that a text takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.domain", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[OURS])
    parser.add_argument("--min-score", type=float, default=MIN_SCORE, help="score from which a field counts")
    parser.add_argument("--part", help="only the lines of this part")
    parser.add_argument("--wrong", action="store_true", help="name the ids of what is told wrongly")
    parser.add_argument("--model", type=Path, help="compare with a small model trained on the texts of this file")
    given = parser.parse_args(arguments)
    read = [row for path in given.files for row in rows(path)]
    told = [tell(row) for row in read if given.part in (None, row.get("part"))]
    for part in dict.fromkeys(t.part for t in told):
        some = [t for t in told if t.part == part]
        report(f"domain {part}", [(t.domains, named(t.scores, given.min_score)) for t in some])
        report(f"register {part}", [(_kind(t), frozenset({t.judged})) for t in some if t.kinds])
        if given.wrong:
            for t in some:
                _say_wrong(t, given.min_score)
    if given.model:
        seen = [(domain_model.words(t.doc), t.domains) for t in map(tell, rows(given.model))]
        found = domain_model.told(seen, [domain_model.words(t.doc) for t in told])
        report("domain by the model", list(zip((t.domains for t in told), found, strict=True)))
    for name, judge in (("domain", domain.judge), ("register", register.judge)):
        print(f"{name}: {microseconds(judge, [t.doc.text for t in told]):.0f} µs for {CHARS:,} code points")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def tell(row: dict[str, Any]) -> Told:
    """What the two filters say of one line."""
    doc = _analysed(str(row["id"]), row["text"])
    assert doc.morphemes is not None
    label = dict(register.judge(doc).labels)["register"]
    fields = frozenset(FIELDS.get(name, name) for name in row.get("domains", ()))
    kind = row.get("register", "")
    kinds = KINDS.get(kind, (kind,) if kind else ())
    return Told(doc, fields, kinds, domain.score_fields(doc.morphemes), label, row.get("part", ""))


def _analysed(id: str, text: str) -> Document:
    doc = Document(id, text, Provenance("benchmark", "", "", "", ""))
    return replace(doc, morphemes=morphology.mark(doc))


def named(scores: dict[str, float], least: float) -> frozenset[str]:
    """The fields whose score reaches `least`."""
    return frozenset(name for name, score in scores.items() if score >= least)


def report(title: str, pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> None:
    """A line for each label: precision, recall, F1, and how many texts have it; then all together."""
    right, said, true = (Counter[str]() for _ in range(3))
    for gold, found in pairs:
        right.update(gold & found)
        said.update(found)
        true.update(gold)
    print(f"\n{title:<22} precision  recall   F1   texts")
    for name in sorted(true | said):
        print(_line(name or "(none)", right[name], said[name], true[name]))
    print(_line("together", right.total(), said.total(), true.total()))


def _line(name: str, right: int, said: int, true: int) -> str:
    precision, recall = right / said if said else 1.0, right / true if true else 1.0
    f1 = 2 * right / (said + true) if said + true else 1.0
    return f"{name:<22} {precision:8.2f} {recall:8.2f} {f1:6.2f} {true:6d}"


def _kind(t: Told) -> frozenset[str]:
    """The one kind that is counted as right: the judged one if it is among them."""
    return frozenset({t.judged if t.judged in t.kinds else t.kinds[0]})


def _say_wrong(t: Told, least: float) -> None:
    found = named(t.scores, least)
    missed = bool(t.kinds) and t.judged not in t.kinds
    if found != t.domains or missed:
        near = {name: t.scores.get(name, 0.0) for name in sorted(t.domains ^ found)}
        says = f"{t.kinds[0]}→{t.judged}" if missed else ""
        print(f"{t.doc.id}: lacks {sorted(t.domains - found)}, has {sorted(found - t.domains)} {near} {says}")


def microseconds(judge: Any, texts: Sequence[str]) -> float:
    """CPU of a second look at a document, texts joined to about 1,200 code points each."""
    per = max(1, round(CHARS * len(texts) / max(1, sum(map(len, texts)))))
    joined = ["\n\n".join(texts[i : i + per]) for i in range(0, len(texts), per)]
    docs = [_analysed(str(i), text) for i, text in enumerate(joined)]
    for _ in range(2):
        start = time.process_time()
        for doc in docs:
            judge(doc)
        spent = time.process_time() - start
    return spent * 1e6 * CHARS / max(1, sum(map(len, joined)))


if __name__ == "__main__":
    main()
