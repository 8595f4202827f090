"""`python -m benchmarks.duplicates.copies`: copies planted in real text: recall against exact Jaccard.

    python -m benchmarks.duplicates.copies [--texts PATH …] [--workspace W] [--originals N] [--shorts N] [--seed N]
                                [--failures FILE]

Without --texts the texts are those of the corpora beside the project, extracted as a run extracts them
(or read from WORKSPACE, where a run left them), and short turns of dialogue. PATH is a folder of .txt and
.md files, a text each, or JSON lines with `text` and perhaps `id`; texts of any length and language go.
--failures writes every pair of copies that both stay, to be looked at. Figures of time hold only on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.duplicates import copies_peers, copies_score, copies_texts, copies_truth
from benchmarks.duplicates.copies_peers import Found
from benchmarks.duplicates.copies_plant import Text, planted
from benchmarks.duplicates.copies_score import Answer, Mask
from benchmarks.duplicates.copies_truth import Truth

out = Console(highlight=False, soft_wrap=True)
RECALL = PRECISION = 0.99  # what is asked for at 0.8 and above


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, count, find, compare; status 1 where ours is below RECALL or PRECISION, 2 without texts."""
    args = _arguments(arguments)
    found = copies_texts.chosen(args.texts, args.workspace, args.originals, args.shorts, args.seed)
    if not found:
        print("benchmarks: no texts; name some with --texts, or put the corpora in their place.", file=sys.stderr)
        return 2
    begin = time.perf_counter()
    texts = planted(found, args.seed)
    truth = copies_truth.between([text.text for text in texts])
    copies = truth.copies()
    out.print(
        f"{len(found):,} texts, {len(texts) - len(found):,} planted copies, {int(truth.letters.sum()):,} letters; all "
        f"{len(texts) * (len(texts) - 1) // 2:,} pairs compared exactly in {time.perf_counter() - begin:.0f} s: "
        f"{len(copies):,} of Jaccard 0.5 and more, {int(copies.sum()):,} are copies "
        f"(0.8; 0.9 where one is under {copies_truth.SHORT} letters)."
    )
    with tempfile.TemporaryDirectory(prefix="malmoi-copies-") as folder:
        lines = Path(folder) / "texts.jsonl"
        copies_peers.write(texts, lines)
        try:
            ours = copies_peers.ours(lines)
        except copies_peers.FinderError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1
        answer = Answer.of(texts, ours.keepers)
        for title, rows in (("long", ~truth.short()), ("short: one has under 300 letters", truth.short())):
            out.print(banded(f"Malmoi by exact Jaccard, {title}", truth, answer, copies_score.bands(truth), rows))
        out.print(banded("Malmoi by kind of copy", truth, answer, copies_score.kinds(truth, texts), copies))
        out.print(compared(texts, truth, {"Malmoi": ours, **_others(lines)}))
    if args.failures:
        _failures(args.failures, texts, truth, answer)
    return _verdict(truth, answer)


def banded(title: str, truth: Truth, answer: Answer, groups: Sequence[tuple[str, Mask]], among: Mask) -> Table:
    """A row for each group of pairs, of those that lie in `among`; recall only over pairs that are copies."""
    table = _table(title, "pairs", "copies", "one cluster", "recall", "survive", "mean Jaccard")
    for name, group in groups:
        rows = group & among
        if not rows.any():
            continue
        same = copies_score.pairs(truth, answer, rows & truth.copies())
        all_of_them = copies_score.pairs(truth, answer, rows)
        table.add_row(
            name,
            f"{all_of_them.pairs:,}",
            f"{same.pairs:,}",
            _share(*((same.one_cluster, same.pairs) if same.pairs else (all_of_them.one_cluster, all_of_them.pairs))),
            _share(same.recalled, same.pairs),
            f"{same.survive:,}" if same.pairs else "-",
            f"{float(truth.jaccard[rows].mean()):.3f}",
        )
    return table


def compared(texts: Sequence[Text], truth: Truth, found: dict[str, Found]) -> Table:
    """All finders over the same texts."""
    columns = ("seconds", "kept", "recall", "one cluster", "survive", "short", "dropped", "precise", "≥ .8", "≥ .75")
    table = _table("Everybody over the same texts", *columns)
    copies, short = truth.copies(), truth.short()
    for name, answers in found.items():
        answer = Answer.of(texts, answers.keepers)
        long_ones = copies_score.pairs(truth, answer, copies & ~short)
        shorts = copies_score.pairs(truth, answer, copies & short)
        gone = copies_score.dropped(truth, answer)
        table.add_row(
            name,
            f"{answers.seconds:.1f}",
            f"{int(answer.kept.sum()):,}",
            _share(long_ones.recalled, long_ones.pairs),
            _share(long_ones.one_cluster, long_ones.pairs),
            f"{long_ones.survive + shorts.survive:,}",
            _share(shorts.recalled, shorts.pairs),
            f"{gone.dropped:,}",
            _share(gone.precise, gone.dropped),
            _share(gone.alike, gone.dropped),
            _share(gone.nearly, gone.dropped),
        )
    return table


def _others(lines: Path) -> dict[str, Found]:
    interpreter = copies_peers.python()
    if interpreter is None:
        out.print(f"Others are left out: no environment. Make it with\n  {copies_peers.MAKE}\nor name one: BENCH_PEER.")
        return {}
    found = {}
    for system, label in copies_peers.PEERS.items():
        try:
            found[label] = copies_peers.theirs(interpreter, system, lines)
        except copies_peers.FinderError as error:
            out.print(f"left out: {error}", markup=False)
    return found


def _verdict(truth: Truth, answer: Answer) -> int:
    made = copies_score.pairs(truth, answer, truth.copies())
    gone = copies_score.dropped(truth, answer)
    reached = made.recalled >= RECALL * made.pairs and gone.precise >= PRECISION * gone.dropped
    said = f"recall {_share(made.recalled, made.pairs)}, precision {_share(gone.precise, gone.dropped)}"
    out.print(f"{'reached' if reached else 'NOT reached'}: {said}; asked for: {RECALL}, {PRECISION}")
    return 0 if reached else 1


def _failures(path: Path, texts: Sequence[Text], truth: Truth, answer: Answer) -> None:
    alike = dict(zip(zip(truth.left.tolist(), truth.right.tolist(), strict=True), truth.jaccard.tolist(), strict=True))
    with path.open("w", encoding="utf-8") as stream:
        for one, two in copies_score.wrong(truth, answer):
            row = {"jaccard": alike[one, two], "left": texts[one].id, "right": texts[two].id}
            row |= {"left_text": texts[one].text, "right_text": texts[two].text}
            stream.write(json.dumps(row) + "\n")


def _table(title: str, *columns: str) -> Table:
    table = Table("", *columns, title=title)
    for column in table.columns:
        column.no_wrap, column.justify = True, "right" if column.header else "left"
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4f}" if whole else "-"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.duplicates.copies", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--texts", type=Path, nargs="+", default=[], help="folders of .txt and .md, or JSON lines")
    parser.add_argument("--workspace", help="of a run of benchmarks/recipes/real.toml, spares the extraction")
    parser.add_argument("--originals", type=int, default=3000, help="at most so many texts, by the hash of the id")
    parser.add_argument("--shorts", type=int, default=1000, help="at most so many turns of dialogue")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--failures", type=Path, help="write the pairs of copies that both stay")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    np.seterr(all="raise")
    sys.exit(main())
