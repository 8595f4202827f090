"""`python -m benchmarks.person_names.measure FILE`: precision and recall of the model on texts with marked names."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.person_names import texts
from benchmarks.person_names.train import _analyse
from filters import morphology, personal_data
from filters.pii_rules import name_tagger
from malmoi.document import Document, Provenance
from malmoi.models import Model

LEAST = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)


def read_filled(file: Path) -> list[texts.Text]:
    """Return the documents of a file, their marks filled with one seed."""
    return [
        texts.fill_template(kind, body, texts.Draw(f"measure/{i}"))
        for i, (kind, body) in enumerate(texts.read_templates(file))
    ]


def count(corpus: Iterable[texts.Text], model: Model, least: Sequence[float], *, analysed: bool) -> list[Counter[str]]:
    """Return for each threshold the counts of gold, found and right names."""
    counts: list[Counter[str]] = [Counter() for _ in least]
    for text in corpus:
        gold = {(n.start, n.end) for n in text.names}
        morphemes = _analyse(text.text) if analysed else None
        for limit, total in zip(least, counts, strict=True):
            found = {(n.start, n.end) for n in name_tagger.tag_names(text.text, morphemes, least=limit, model=model)}
            for key in ("", text.kind):
                total[f"gold {key}"] += len(gold)
                total[f"found {key}"] += len(found)
                total[f"right {key}"] += len(gold & found)
    return counts


def count_private(corpus: Iterable[texts.Text], *, analysed: bool) -> tuple[Counter[str], list[str]]:
    """Return the counts of private names, found and right ones of the whole filter, and its errors in context."""
    total: Counter[str] = Counter()
    errors: list[str] = []
    for number, text in enumerate(corpus):
        doc = Document(f"measure/{number}", text.text, Provenance("measure", "", "", "", ""))
        doc = replace(doc, morphemes=morphology.mark(doc)) if analysed else doc
        gold = {(n.start, n.end) for n in text.names if n.private}
        found = {(s.start, s.end): s.why for s in personal_data.mark(doc, kinds=("name",))}
        for key in ("", text.kind):
            total[f"gold {key}"] += len(gold)
            total[f"found {key}"] += len(found)
            total[f"right {key}"] += len(gold & set(found))
        for start, end in sorted(gold ^ set(found)):
            what = "missed" if (start, end) in gold else f"wrong ({found[start, end]})"
            before, after = text.text[max(0, start - 25) : start], text.text[end : end + 20]
            errors.append(f"{what} {text.kind}: {before}[{text.text[start:end]}]{after}".replace("\n", "⏎"))
    return total, errors


def main(argv: list[str] | None = None) -> int:
    """Print the figures by threshold and by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path, default=name_tagger.MODEL)
    parser.add_argument("--errors", action="store_true", help="print what is missed and wrong at threshold 0")
    options = parser.parse_args(argv)
    model = name_tagger.load(options.model)
    corpus = read_filled(options.file)
    for analysed in (False, True):
        begin = time.process_time()
        counts = count(corpus, model, LEAST, analysed=analysed)
        print(f"{'with' if analysed else 'without'} morphemes, {time.process_time() - begin:.1f} s CPU")
        for limit, total in zip(LEAST, counts, strict=True):
            print(f"  {limit:5.2f}  recall {_share(total, 'gold ')}  precision {_share(total, 'found ')}")
    zero = counts[LEAST.index(0.0)]
    for kind in sorted({text.kind for text in corpus}):
        print(f"  {kind:14} gold {zero['gold ' + kind]:5}  recall {_share(zero, 'gold ', kind)}  "
              f"precision {_share(zero, 'found ', kind)}")  # fmt: skip
    for analysed in (False, True):
        total, errors = count_private(corpus, analysed=analysed)
        said = "with" if analysed else "without"
        print(f"private, {said} morphemes: recall {_share(total, 'gold ')}  precision {_share(total, 'found ')}")
    for kind in sorted({text.kind for text in corpus}):
        print(f"  {kind:14} gold {total['gold ' + kind]:5}  recall {_share(total, 'gold ', kind)}  "
              f"precision {_share(total, 'found ', kind)}")  # fmt: skip
    if options.errors:
        _print_errors(corpus, model)
        print("\n".join(errors))
    return 0


def _share(total: Counter[str], of: str, kind: str = "") -> str:
    return f"{total['right ' + kind] / total[of + kind]:.3f}" if total[of + kind] else "    –"


def _print_errors(corpus: Iterable[texts.Text], model: Model) -> None:
    for text in corpus:
        gold = {(n.start, n.end) for n in text.names}
        found = {(n.start, n.end): n.score for n in name_tagger.tag_names(text.text, _analyse(text.text), model=model)}
        for start, end in sorted(gold ^ set(found)):
            what = "missed" if (start, end) in gold else f"wrong {found[start, end]:.2f}"
            around = (
                text.text[max(0, start - 20) : start] + "[" + text.text[start:end] + "]" + text.text[end : end + 15]
            )
            print(what, text.kind, repr(around))


if __name__ == "__main__":
    sys.exit(main())
