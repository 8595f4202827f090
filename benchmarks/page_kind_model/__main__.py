"""`python -m benchmarks.page_kind_model [--write]`: train the model of page kinds, and say what it gets right.

Softmax regression on standardised features of built pages (`build_pages.py`), of pages of the corpora with a streak of
prose (articles), of the open half of the hard pages, and of pages written for their kind (`hard_pages/kinds`). No
chance: pages are drawn by seed, Newton's steps are exact.
The table shows hard pages by a model that has not seen their writer. `--write` stores the weights.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.hard_pages.pages import encode_page, read_rows
from benchmarks.page_kind_model.build_pages import Builder, Words, read_sentences
from crawlers.formats.html import html_page, page_kind, page_metadata
from crawlers.formats.html.page_kind import find_stated_kinds
from crawlers.formats.html.script_data import script_article
from malmoi.archive import capture
from malmoi.source import Item

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
HARD = [ROOT / "benchmarks" / "hard_pages" / name for name in ("open", "kinds")]
MODEL = ROOT / "crawlers" / "formats" / "html" / "page_kind_model.toml"
LEARNED = ("article", "index", "gallery", "error", "login", "stub", "generated")
SEED = 20261130
BUILT = {"article": 1500, "index": 700, "gallery": 120, "error": 220, "login": 200, "stub": 200, "generated": 240}
EVERY = 4  # every fourth page of web-ko
PROSE = 250  # code points of sentences in a row; a page of the corpora with so many is shown as an article
RIDGE = 0.005  # of the weights of standardised features
HARD_WEIGHT = 6.0  # a hard page counts as so many built ones
STEPS = 800
HEAD = "# Written by `python -m benchmarks.page_kind_model --write`: bias, then the weight of each feature."

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to learn from: its features, kind, and where it comes from."""

    name: str
    kind: str
    origin: str
    features: tuple[float, ...]
    streak: int
    length: int  # code points of the text; 0 without one
    stated: frozenset[str]


def show(name: str, kind: str, origin: str, item: Item) -> Shown | None:
    """Measure a page; None if its text is in the data of a script."""
    page = html_page.parse(item)
    found = page_metadata.read(page.tree, item.url)
    text, reason = html_page.main_text(page.tree)
    if script_article.choose(page, found, text, reason, html_page.main_text) != (text, reason):
        return None  # decided by its data
    looked = page_kind.look(page, text)
    features = page_kind.measure(looked, page, found, item.url, text)
    streak = page_kind.measure_streak(looked, page_kind.PROSE)
    length = 0 if reason else len(text)
    return Shown(name, kind, origin, tuple(features), streak, length, find_stated_kinds(page, found.title, text))


def built_pages(seed: int) -> Iterator[Shown]:
    """Yield built pages of every kind."""
    rng = random.Random(seed)
    builder = Builder(Words(read_sentences(CORPORA), rng), rng)
    for kind, count in BUILT.items():
        for number in range(count):
            one = builder.build(kind)
            item = Item("k", one.url, one.body.encode(), "text/html", "utf-8", "")
            if (shown := show(f"{kind}-{number}", kind, "built", item)) is not None:
                yield shown


def corpus_pages() -> Iterator[Shown]:
    """Yield pages of the corpora that hold a streak of prose: articles."""
    archive = next(iter(sorted(CORPORA.glob("web-ko/*.warc*"))))
    for number, entry in enumerate(capture.scan(archive)):
        if isinstance(entry, capture.Torn) or number % EVERY:
            continue
        one = show(f"web-ko-{number}", "article", "corpus", Item("k", entry[2].url, entry[2].body, "text/html", "", ""))
        if one is not None and one.streak >= PROSE:
            yield one
    for path in sorted((CORPORA / "debian-installguide-ko").glob("*.html")):
        url = f"https://book.example/install/{path.name}"
        one = show(path.name, "article", "corpus", Item("k", url, path.read_bytes(), "text/html", "", ""))
        if one is not None and one.streak >= PROSE:
            yield one


def hard_pages(folders: Iterable[Path]) -> Iterator[Shown]:
    """Yield the open hard pages with a text; frames and shells are decided without the model."""
    for row in read_rows(folders):
        name, kind = row["name"], row["kind"]
        # The page itself has to say its charset where the facts state one.
        item = Item("k", row["url"], encode_page(row), "text/html", "" if "charset" in row else "utf-8", "")
        if kind in LEARNED and (kind != "article" or html_page.main_text(html_page.parse(item).tree)[0]):
            shown = show(name, kind, name.partition("-")[0], item)
            if shown is not None:
                yield shown


def train(pages: Sequence[Shown]) -> tuple[Floats, Floats]:
    """Return biases (kinds,) and weights (kinds, features) of the raw features."""
    x = np.array([page.features for page in pages])
    mean, scale = x.mean(0), x.std(0) + 1e-3
    x = np.hstack([(x - mean) / scale, np.ones((len(x), 1))])
    y = np.array([LEARNED.index(page.kind) for page in pages])
    target = np.eye(len(LEARNED))[y]
    counts = Counter(page.kind for page in pages)
    share = np.array([HARD_WEIGHT if page.origin not in ("built", "corpus") else 1.0 for page in pages])
    share *= np.array(
        [1.0 if page.kind == "article" else min(4.0, counts["article"] / 6 / counts[page.kind]) for page in pages]
    )
    share /= share.sum()
    weights = np.zeros((len(LEARNED), x.shape[1]))
    ridge = np.full(x.shape[1], RIDGE / len(LEARNED))
    ridge[-1] = 1e-6
    # Böhning's bound (1992) of the Hessian: a fixed matrix, so that each step is exact and lowers the loss.
    bound = 0.5 * (x * share[:, None]).T @ x + np.diag(ridge)
    inverse = np.linalg.inv(bound)
    for _ in range(STEPS):
        scores = x @ weights.T
        scores -= scores.max(1, keepdims=True)
        p = np.exp(scores)
        p /= p.sum(1, keepdims=True)
        gradient = (share[:, None] * (p - target)).T @ x + weights * ridge
        weights -= gradient @ inverse
    raw = weights[:, :-1] / scale
    return weights[:, -1] - raw @ mean, raw


def judge(pages: Sequence[Shown], bias: Floats, weights: Floats) -> list[tuple[Shown, str, float]]:
    """Return each page with the kind that the model gives, and its doubt."""
    found = []
    for page in pages:
        scores = bias + weights @ np.array(page.features)
        p = np.exp(scores - scores.max())
        p /= p.sum()
        chances = dict(zip(LEARNED, p.tolist(), strict=True))
        kind, is_dropped = page_kind.decide(
            chances, partial(frozenset, page.stated), little_prose=page_kind.has_little_prose(page.length, page.streak)
        )
        is_dropped = is_dropped and page.streak < page_kind.PROSE
        found.append((page, kind if is_dropped else "article", 1.0 - chances["article"]))
    return found


def report(name: str, judged: Sequence[tuple[Shown, str, float]]) -> None:
    """Print false drops, and how many pages that are no text are found; short texts are left to the filter `length`."""
    articles = [one for one in judged if one[0].kind == "article"]
    wrong = [one for one in articles if one[1] != "article"]
    others = [one for one in judged if one[0].kind != "article"]
    missed = [one for one in others if one[1] == "article" and one[0].length >= page_kind.BRIEF]
    right = sum(page.kind == kind for page, kind, _ in others)
    print(
        f"{name}: {len(wrong)} of {len(articles)} articles dropped; "
        f"{len(missed)} of {len(others)} others kept, {right} named rightly"
    )
    for page, kind, doubt in [*wrong[:8], *missed[:12]]:
        print(f"    {page.name} ({page.origin}) is {page.kind}, called {kind}: doubt {doubt:.3f}, streak {page.streak}")


def main() -> int:
    """Train, measure, and write with --write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--hard", type=Path, nargs="*", default=HARD)
    arguments = parser.parse_args()
    if not CORPORA.is_dir():
        print(f"benchmarks: the corpora are not at {CORPORA}.", file=sys.stderr)
        return 2
    built, corpus = list(built_pages(SEED)), list(corpus_pages())
    hard = list(hard_pages(arguments.hard))
    test = list(built_pages(SEED + 1))
    writers = sorted({page.origin for page in hard})
    for writer in writers:
        seen = [*built, *corpus, *(page for page in hard if page.origin != writer)]
        report(f"hard pages of {writer}", judge([page for page in hard if page.origin == writer], *train(seen)))
    report("hard pages by built ones alone", judge(hard, *train([*built, *corpus])))
    halves = [corpus[::2], corpus[1::2]]
    for seen, other in (halves, halves[::-1]):
        report("half of the corpora", judge(other, *train([*built, *seen, *hard])))
    bias, weights = train([*built, *corpus, *hard])
    report("other built pages", judge(test, bias, weights))
    if arguments.write:
        rows = "\n".join(
            f"{kind} = [{', '.join(f'{value:.5g}' for value in (one, *row))}]"
            for kind, one, row in zip(LEARNED, bias, weights, strict=True)
        )
        MODEL.write_text(
            f"{HEAD}\n[weights]\n{rows}\n",
            "utf-8",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
