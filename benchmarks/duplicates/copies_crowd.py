"""`python -m benchmarks.duplicates.copies_crowd`: crowds of texts whose similarity is near the threshold.

Forms, listings and texts made by a template stand together in hundreds with a Jaccard of 0.7 to 0.85: every band
brings all of them together, and the estimate from signatures errs for many pairs at once. Words are drawn by lot;
recall and precision are those of `benchmarks.duplicates.copies_score`, against exact Jaccard of all pairs.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.duplicates import copies_peers, copies_score, copies_truth
from benchmarks.duplicates.copies_plant import Text
from benchmarks.duplicates.copies_score import Answer

SIZE = 150  # words of three syllables a text: 450 letters
_SYLLABLES = ("가나다라마바사아자차카타파하", "거너더러머버서어저처커터퍼허", "고노도로모보소오조초코토포호")
WORDS = [a + b + c for a in _SYLLABLES[0] for b in _SYLLABLES[1] for c in _SYLLABLES[2]]
out = Console(highlight=False, soft_wrap=True)


def drawn(seed: str, count: int) -> list[str]:
    """So many words, by lot."""
    dice = random.Random(seed)
    return [dice.choice(WORDS) for _ in range(count)]


def filled(count: int, least: int, most: int) -> list[str]:
    """A template of which each text has `least` to `most` words in a row of its own, wherever they stand."""
    made = []
    for number in range(count):
        dice = random.Random(f"filled {number}")
        own, words = dice.randint(least, most), drawn("template", SIZE)
        at = dice.randrange(SIZE - own)
        words[at : at + own] = drawn(f"own {number}", own)
        made.append(" ".join(words))
    return made


def same_end(count: int, own: int) -> list[str]:
    """A template with `own` words of each text's own at its end."""
    return [" ".join(drawn("template", SIZE - own) + drawn(f"end {number}", own)) for number in range(count)]


def with_blank_form(count: int, own: int) -> list[str]:
    """The same and the form that nobody filled in: it is alike to all of them, they are not to each other."""
    return [" ".join(drawn("template", SIZE - own)), *same_end(count, own)]


def chain(count: int, step: int) -> list[str]:
    """A window over one long text that moves by `step` words: neighbours are alike, ends are not."""
    words = drawn("chain", count * step + SIZE)
    return [" ".join(words[at : at + SIZE]) for at in range(0, count * step, step)]


def one_word_each(count: int) -> list[str]:
    """Copies with another word exchanged in each: one cluster, however many."""
    made = []
    for number in range(count):
        words = drawn("template", SIZE)
        words[number % SIZE] = drawn(f"word {number}", 1)[0]
        made.append(" ".join(words))
    return made


CROWDS: dict[str, Callable[[int], list[str]]] = {
    "one word exchanged in each": one_word_each,
    "template, 5 to 40 words its own": lambda count: filled(count, 5, 40),
    "template, 15 to 30 words its own": lambda count: filled(count, 15, 30),
    "template, 16 words at its end": lambda count: same_end(count, 16),
    "template, 17 words at its end": lambda count: same_end(count, 17),
    "template, 26 words, and the blank form": lambda count: with_blank_form(count, 26),
    "a window that moves by 4 words": lambda count: chain(count, 4),
    "a window that moves by 10 words": lambda count: chain(count, 10),
}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates.copies_crowd")
    parser.add_argument("--texts", type=int, default=1500, help="of each crowd")
    count = parser.parse_args().texts
    columns = ("median Jaccard", "copies", "recall", "survive", "dropped", "precise", "≥ .75", "seconds", "any order")
    table = Table("crowd", *columns, title=f"{count:,} texts each")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, make in CROWDS.items():
        table.add_row(name, *row([Text(f"crowd/{i}", text) for i, text in enumerate(make(count))]))
    out.print(table)
    return 0


def row(texts: list[Text]) -> list[str]:
    """The figures of one crowd; it is given to the door twice, the second time backwards."""
    truth = copies_truth.between([text.text for text in texts])
    with tempfile.TemporaryDirectory(prefix="malmoi-crowd-") as folder:
        lines = Path(folder) / "texts.jsonl"
        copies_peers.write(texts, lines)
        found = copies_peers.ours(lines)
        copies_peers.write(texts[::-1], lines)
        backwards = copies_peers.ours(lines)
    answer = Answer.of(texts, found.keepers)
    pairs, gone = copies_score.pairs(truth, answer, truth.copies()), copies_score.dropped(truth, answer)
    alike = sorted(truth.jaccard.tolist())
    return [
        f"{alike[len(alike) // 2]:.3f}" if alike else "-",
        f"{pairs.pairs:,}",
        f"{pairs.recalled / pairs.pairs:.4f}" if pairs.pairs else "-",
        f"{pairs.survive:,}",
        f"{gone.dropped:,}",
        f"{gone.precise / gone.dropped:.4f}" if gone.dropped else "-",
        f"{gone.nearly / gone.dropped:.4f}" if gone.dropped else "-",
        f"{found.seconds:.1f}",
        "same" if found.keepers == backwards.keepers else "DIFFERS",
    ]


if __name__ == "__main__":
    sys.exit(main())
