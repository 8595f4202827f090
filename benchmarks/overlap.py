"""Evaluation sets: what is found of planted items, what by chance, and at what speed: `python -m benchmarks.overlap`.

Items are made of sentences of one source and planted in pages of the others, so that what is found
without a plant is chance. `--sets FOLDER` looks for sets of your own in the corpora instead.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks import gold
from filters.benchmark_overlap import load_index
from filters.duplicates.sketch import letters_of
from filters.evaluation import search_kernels
from filters.evaluation.item_files import Item
from filters.evaluation.item_index import Index, build
from malmoi.recipe_files import resolve_files

RUN, MIN_SHARE = 12, 0.7  # the defaults of the filter
SOURCES = ("web-ko", "law-ko", "boddari", "ko-react-dev")  # without the book that web-ko holds too
SENTENCES = 3000  # of each source, of which the first letters are looked up elsewhere
ITEMS = 500  # that are planted
Texts: TypeAlias = dict[str, list[str]]
Plant: TypeAlias = Callable[[Item, str, random.Random], str]
_HEADING = "\n\n## 함께 보기\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", help="a workspace with the corpora extracted; else it is made and thrown away")
    parser.add_argument("--sets", type=Path, help="a folder of evaluation sets to look for in the corpora")
    parser.add_argument("--items", type=int, default=200_000, help="how many are loaded while speed is measured")
    args = parser.parse_args()
    texts: Texts = {name: [] for name in SOURCES}
    for id, text in sorted(gold.texts_of(args.workspace).items()):
        texts.get(id.split("/")[0], []).append(text)
    if args.sets:
        _of_sets(args.sets, texts)
        return
    _chance(texts)
    _planted(texts)
    _speed(texts, args.items)


def _of_sets(folder: Path, texts: Texts) -> None:
    """How many texts of each source hold an item of the sets in a folder."""
    found = load_index(resolve_files(folder.parent, "sets", [folder.name]), RUN)
    print(f"{sum(found.items.values())} items, {sum(found.unsearched.values())} not looked for")
    for name, some in texts.items():
        hits = [found.search(text, MIN_SHARE) for text in some]
        near = max((hit.near for hit in hits), default=0.0)
        print(f"{name}: {sum(bool(h.items) for h in hits)} of {len(some)} texts, next {near:.2f}")


def _chance(texts: Texts) -> None:
    """How often the first letters of a sentence stand in another source, by how many they are."""
    print("\n| letters | sentences | in another source |\n|---|---|---|")
    rng = random.Random(1)
    some = {name: rng.sample(list(_sentences(of)), SENTENCES) for name, of in texts.items()}
    for size in (8, 12, 16, 20, 24, 32):
        held = {name: np.unique(np.concatenate([_runs(text, size) for text in of])) for name, of in texts.items()}
        asked = found = 0
        for name, sentences in some.items():
            first = np.array([runs[0] for s in sentences if (runs := _runs(s, size)).size], np.uint64)
            there = np.zeros(first.size, bool)
            for other in held:
                there |= np.isin(first, held[other]) & (other != name)
            asked, found = asked + first.size, found + int(there.sum())
        print(f"| {size} | {asked:,} | {100 * found / asked:.2f} % |")


def _runs(text: str, size: int) -> search_kernels.U64:
    letters = letters_of(text).astype(np.uint16)
    out = np.empty(letters.size + 1, np.uint64)
    return out[: search_kernels.hash_runs(letters, 0, letters.size, size, out)]


def _sentences(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield from (s.strip() for s in re.split(r"(?<=[.!?])\s+|\n+", text) if 30 <= len(s.strip()) <= 200)


def _planted(texts: Texts) -> None:
    """Recall by kind of plant, and what is found of what is no leak; items of one source in pages of another."""
    rng = random.Random(2)
    pool = list(dict.fromkeys(_sentences(texts["boddari"])))
    rng.shuffle(pool)
    items = [_exam(n, pool[4 * n : 4 * n + 4]) for n in range(1, ITEMS + 1)]
    pages = [text for text in texts["web-ko"] if 500 < len(text) < 8000][:ITEMS]
    found = build(items, RUN)
    print(f"\n| {len(items)} items planted | found |\n|---|---|")
    for name, plant in _PLANTS.items():
        hits = [found.search(plant(item, page, rng), MIN_SHARE).items for item, page in zip(items, pages, strict=False)]
        right = sum(any(hit.name == item.name for hit in some) for some, item in zip(hits, items, strict=True))
        others = sum(len(some) for some in hits) - right
        print(f"| {name} | {100 * right / len(items):.1f} %{f' (and {others} others)' if others else ''} |")


def _exam(number: int, sentences: list[str]) -> Item:
    """A question, and three choices cut from other sentences."""
    return Item("exam", "exam.jsonl", number, (sentences[0],), tuple(s[: len(s) // 2] for s in sentences[1:]))


def _in(page: str, text: str) -> str:
    middle = page.find("\n", len(page) // 2)
    return page[:middle] + "\n" + text + "\n" + page[middle:]


def _sheet(item: Item) -> str:
    return item.question[0] + "\n" + "\n".join(f"{'①②③④⑤'[i]} {choice}" for i, choice in enumerate(item.choices))


def _respaced(text: str, rng: random.Random) -> str:
    """One blank in five goes, and one letter in ten gets one."""
    return "".join("" if c == " " and rng.random() < 0.2 else c + " " * (rng.random() < 0.1) for c in text)


def _broken(text: str) -> str:
    middle = len(text) // 2
    return text[:middle] + _HEADING + text[middle:]


def _replaced(text: str, every: int) -> str:
    return " ".join("무엇이" if i % every == every - 1 else word for i, word in enumerate(text.split()))


def _shuffled(item: Item, rng: random.Random) -> Item:
    return Item(item.set, item.file, item.number, item.question, tuple(rng.sample(item.choices, len(item.choices))))


def _line(item: Item) -> str:
    return json.dumps({"question": item.question[0], "answer": 1, "choices": item.choices}, ensure_ascii=False)


_PLANTS: dict[str, Plant] = {
    "whole item": lambda item, page, rng: _in(page, _sheet(item)),
    "as a line of JSON": lambda item, page, rng: _in(page, _line(item)),
    "spaced anew": lambda item, page, rng: _in(page, _respaced(_sheet(item), rng)),
    "other signs, capitals": lambda item, page, rng: _in(page, re.sub(r"[.,?!]", " … ", _sheet(item)).upper()),
    "question only": lambda item, page, rng: _in(page, item.question[0]),
    "choices in another order": lambda item, page, rng: _in(page, _sheet(_shuffled(item, rng))),
    "in a page of 200,000 characters": lambda item, page, rng: _in((page * 400)[:200_000], _sheet(item)),
    "question split by a heading": lambda item, page, rng: _in(page, _broken(item.question[0])),
    "question without its last fifth": lambda item, page, rng: _in(
        page, item.question[0][: len(item.question[0]) * 4 // 5]
    ),
    "half the question": lambda item, page, rng: _in(page, item.question[0][: len(item.question[0]) // 2]),
    "no leak: choices without the question": lambda item, page, rng: _in(page, "\n".join(item.choices)),
    "no leak: question with every third word another": lambda item, page, rng: _in(
        page, _replaced(item.question[0], 3)
    ),
    "no leak: the page alone": lambda item, page, rng: page,
}


def _speed(texts: Texts, count: int) -> None:
    """Megabytes a second and core with `count` items loaded, memory, and texts made to be slow."""
    rng = random.Random(3)
    words = [some for of in texts.values() for s in _sentences(of) if len(some := re.findall(r"[가-힣]{1,9}", s)) > 5]

    def phrase(pieces: int) -> str:
        """Three words each from other sentences: it sounds like the corpora and is in none."""
        starts = ((some, rng.randrange(max(1, len(some) - 3))) for some in rng.choices(words, k=pieces))
        return " ".join(" ".join(some[at : at + 3]) for some, at in starts)

    items = [Item("made", "a", n, (phrase(4),), tuple(phrase(1) for _ in range(4))) for n in range(1, count + 1)]
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = build(items, RUN)
    built = time.process_time() - began
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    print(f"\n{count:,} items: {built:.1f} s to load, {found.nbytes >> 20} MB held, {peak} MB more at the peak")
    docs = [text for of in texts.values() for text in of]
    dump = "\n".join(_sheet(item) for item in items[:5000])
    print("\n| texts | MB/s and core | found |\n|---|---|---|")
    for name, some in {
        "the corpora": docs,
        "the sets themselves, in one text": [dump],
        "the same sentence over and over": [items[0].question[0][:30] * 30_000],
        "one letter": ["가" * 1_000_000],
        "the first words of every question": ["".join(item.question[0][:14] for item in items[:70_000])],
    }.items():
        print(f"| {name} | {_rate(found, some)} |")


def _rate(found: Index, texts: list[str]) -> str:
    found.search(texts[0], MIN_SHARE)
    began = time.process_time()
    hits = sum(len(found.search(text, MIN_SHARE).items) for text in texts)
    return f"{sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - began):.0f} | {hits:,}"


if __name__ == "__main__":
    main()
