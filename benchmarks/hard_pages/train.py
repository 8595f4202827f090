"""`python -m benchmarks.hard_pages.train [FOLDER …] [--write]`: train the model of main content, and cross-validate it.

Each line of an open page is labelled by its gold text. Pages of one builder are left out together: a page is scored by
a model that saw no page of its builder. With --write, the model of all pages goes to `line_model.json` beside
`crawlers/formats/html/line_model.py`. Pages of the installation guide, beside the project, are added if
they are there; they are never scored here. Deterministic: same pages, same weights.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from lxml.html import HtmlElement, document_fromstring
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from benchmarks.formats.formats_html import BOOK
from benchmarks.hard_pages.measures import score_text
from benchmarks.hard_pages.pages import OPEN, HardPage, read_folders, without_title
from crawlers.formats.html import html_page
from crawlers.formats.html.line_model import FILE, BlockModel, describe_lines
from crawlers.formats.html.main_content import HEADINGS, prepare
from crawlers.formats.html.text_lines import PlacedLine, lines_with_places
from malmoi.source import Item

GRAM = 5  # letters and digits, for the coverage of a line by the gold text
COVERED = 0.7  # share of the grams of a line in the gold text from which on it is main content
SHORT = 12  # letters and digits; a shorter line must equal a gold line, near other content
NEAR = 8  # lines
FOLDS = 12
PENALTY = 0.003  # L2, of the mean loss
CHOSEN = (0.5, 0.2)  # cost of a change, added odds: best of the settings below in cross-validation
SETTINGS = ((0.5, 0.0), (0.5, 0.2), (0.5, 0.4), (1.0, 0.0), (1.0, 0.2))
BUILDERS = 2  # builders in whose pages a word of a class name occurs, or it is left out
MAX_SHARE = 12  # lessons of one builder that count in full; of more, each counts less
# Mean of the prior distribution of some weights, log odds: names that every site builder uses in this sense. All
# others have the mean 0. Few pages show each of them, so that the prior decides where pages say nothing.
PRIORS = {
    **{
        f"{place}:{group}": -2.5
        for place in ("in", "own")
        for group in ("share", "foot", "nav", "ad", "rights", "<nav>")
    },
    **{
        f"{place}:{group}": -1.5
        for place in ("in", "own")
        for group in ("related", "paging", "layer", "<footer>", "<aside>")
    },
    **{
        f"{place}:{group}": -0.5
        for place in ("in", "own")
        for group in ("side", "control", "tag", "caption", "<figcaption>")
    },
    **{f"{place}:comment": -4.5 for place in ("in", "own")},
    "own:head": -0.7,
    "end:cut": -1.0,
    "link": -1.2,
    "code": 1.0,
}
LEAST = 0.01  # weights below are left out
GUIDE = "docbook-guide"  # builder of the pages of the installation guide
AROUND_GUIDE = frozenset({"navheader", "navfooter", "toc"})
FIRST_LINES = 4  # of an article that is learned as a short page
GUIDE_EVERY = 8  # pages of the guide taken: one of so many
_SQUEEZE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A page with features, label (1, 0, or -1: not used) and weight of each line."""

    name: str
    builder: str
    features: list[list[str]]
    labels: list[int]
    weights: list[float]


def learn_page(name: str, builder: str, body: bytes, gold: str, title: str) -> list[Lesson]:
    """Return the labelled lines of a page, of the page without class names, and of its article alone.

    Unknown builders have unknown names, and some pages are only an article: the model must do without either.
    """
    page = html_page.parse(Item(name, "", body, "text/html", "", "r"))
    whole = _learn_tree(name, builder, page.tree, gold, title)
    if whole is None:
        return []
    lessons = [whole, replace(whole, features=[list(filter(_is_nameless, names)) for names in whole.features])]
    if (alone := _isolate(page.tree, gold, title)) is not None:
        lessons += filter(None, [_learn_tree(name, builder, alone, gold, title)])
        lessons += filter(None, [_learn_tree(name, builder, _cut(alone), gold, title)])
    return lessons


def _cut(tree: HtmlElement) -> HtmlElement:
    """Return an article that is alone on its page with its first lines only."""
    frame = prepare(tree)
    if frame is None:
        return tree
    owners = [line.owner for line in lines_with_places(frame.body)]
    kept = {above for owner in owners[:FIRST_LINES] for above in (owner, *owner.iterancestors())}
    for owner in owners[FIRST_LINES:]:
        if owner not in kept and owner.getparent() is not None:
            owner.drop_tree()
    return _make_page(list(frame.body))


def _make_page(parts: list[HtmlElement]) -> HtmlElement:
    page = document_fromstring("<html><body><div></div></body></html>")
    holder = next(page.iter("div"))
    holder.extend(parts)
    return page


def _is_nameless(feature: str) -> bool:
    return not feature.startswith(("word:", "near:", "own:", "parent:", "above:", "in:")) or "<" in feature


def _isolate(tree: HtmlElement, gold: str, title: str) -> HtmlElement | None:
    """Return a page of the smallest element that holds nine in ten letters of the article."""
    frame = prepare(tree)
    if frame is None:
        return None
    lines = lines_with_places(frame.body)
    held: Counter[HtmlElement] = Counter()
    for line, label in zip(lines, label_lines(lines, gold, title), strict=True):
        if label == 1:
            for above in (line.owner, *line.owner.iterancestors()):
                held[above] += len(line.text)
    enough = 0.9 * max(held.values(), default=0)
    good = [
        box for box, letters in held.items() if letters >= enough and box.tag in ("div", "section", "article", "main")
    ]
    if not good:
        return None
    return _make_page([deepcopy(good[0])])  # the first is the innermost


def _learn_tree(name: str, builder: str, tree: HtmlElement, gold: str, title: str) -> Lesson | None:
    frame = prepare(tree)
    if frame is None:
        return None
    lines = lines_with_places(frame.body)
    labels = label_lines(lines, gold, title)
    if builder == GUIDE:  # its text edition has a table of contents, too, and the names of chapters
        around = {one for box in frame.body.iter() if (box.get("class") or "") in AROUND_GUIDE for one in box.iter()}
        labels = [0 if line.owner in around else label for line, label in zip(lines, labels, strict=True)]
    if 1 not in labels:
        return None
    weights = [min(20.0, len(line.text) ** 0.5) * (label >= 0) for line, label in zip(lines, labels, strict=True)]
    total = sum(weights)
    return Lesson(name, builder, describe_lines(lines, frame), labels, [w / total for w in weights])


def label_lines(lines: Sequence[PlacedLine], gold: str, title: str) -> list[int]:
    """Return 1 for main content and its title, 0 for the rest, -1 for other lines with the words of the title."""
    texts = [_squeeze(line.text) for line in lines]
    left = Counter(filter(None, map(_squeeze, gold.split("\n"))))
    grams = _grams(_squeeze(gold))
    labels = []
    for text in texts:
        if not text or text == _squeeze(title):
            labels.append(-1)
        elif len(text) < SHORT:
            labels.append(2 if left[text] else 0)
        else:
            own = _grams(text)
            labels.append(int((own & grams).total() >= COVERED * own.total()))
            if labels[-1]:
                grams -= own  # text that repeats the article, in a list of others, is not the article
    for at, label in enumerate(labels):
        if label == 2:
            labels[at] = int(1 in labels[max(0, at - NEAR) : at + NEAR + 1] and left[texts[at]] > 0)
            left[texts[at]] -= labels[at]
    titles = [at for at, line in enumerate(lines) if labels[at] == -1 and line.owner.tag in HEADINGS]
    if titles and 1 in labels and titles[-1] < labels.index(1):
        labels[titles[-1]] = 1
    return labels


def _grams(text: str) -> Counter[str]:
    return Counter(text[at : at + GRAM] for at in range(max(1, len(text) - GRAM + 1)))


def _squeeze(text: str) -> str:
    return _SQUEEZE.sub("", text).casefold()


def fit(lessons: Sequence[Lesson]) -> dict[str, float]:
    """Return the weights of a logistic regression."""
    builders: defaultdict[str, set[str]] = defaultdict(set)
    for lesson in lessons:
        for names in lesson.features:
            for name in names:
                builders[name].add(lesson.builder)
    names = sorted(name for name, seen in builders.items() if len(seen) >= BUILDERS)
    place = {name: at for at, name in enumerate(names)}
    rows, labels, shares = [], [], []
    pages = Counter(lesson.builder for lesson in lessons)
    for lesson in lessons:
        for features, label, weight in zip(lesson.features, lesson.labels, lesson.weights, strict=True):
            if label >= 0 and weight:
                rows.append([place[name] for name in set(features) if name in place])
                labels.append(2 * label - 1)
                shares.append(weight * min(1.0, MAX_SHARE / pages[lesson.builder]))
    starts = np.cumsum([0, *map(len, rows)])
    matrix = csr_matrix((np.ones(starts[-1]), np.concatenate(rows), starts), shape=(len(rows), len(names)))
    prior = np.array([PRIORS.get(name, 0.0) for name in names])
    target, part = np.array(labels, dtype=float), np.array(shares) / sum(shares)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = target * (matrix @ w)
        value = float(part @ np.logaddexp(0, -margin)) + PENALTY * float((w - prior) @ (w - prior))
        slope = matrix.T @ (-part * target / (1 + np.exp(margin))) + 2 * PENALTY * (w - prior)
        return value, slope

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 400})
    weights = PRIORS | dict(zip(names, map(float, found.x), strict=True))
    return {name: round(weight, 3) for name, weight in weights.items() if abs(weight) >= LEAST}


def extract_with(page: HardPage, model: BlockModel) -> str:
    """Return the text of a page by another model, as a crawl extracts it."""
    item = Item(page.name, page.url, page.body, "text/html", "", "r")
    return html_page.extract_with(item, html_page.parse(item), model).text


def read_guide() -> list[Lesson]:
    """Return some pages of the installation guide, labelled by its text edition; [] where it is not there."""
    if not BOOK.is_dir():
        return []
    gold = gzip.decompress((BOOK / "install.ko.txt.gz").read_bytes()).decode("utf-8")
    paths = sorted(BOOK.glob("*.html"))[::GUIDE_EVERY]
    return [lesson for path in paths for lesson in learn_page(path.name, GUIDE, path.read_bytes(), gold, "")]


def cross_validate(pages: Sequence[HardPage], lessons: Sequence[Lesson], folder: Path | None) -> None:
    """Print the scores of models that saw no page of a page's builder."""
    builders = sorted({page.builder for page in pages})
    visible = {lesson.name for lesson in lessons}
    scores: defaultdict[tuple[float, float], dict[str, float]] = defaultdict(dict)
    right = total = 0.0
    for fold in range(FOLDS):
        held = set(builders[fold::FOLDS])
        weights = fit([lesson for lesson in lessons if lesson.builder not in held])
        for lesson in lessons:
            if lesson.builder in held:
                for names, label, weight in zip(lesson.features, lesson.labels, lesson.weights, strict=True):
                    if label >= 0:
                        odds = sum(weights.get(name, 0.0) for name in names)
                        right, total = right + weight * ((odds > 0) == label), total + weight
        for page in pages:
            if page.builder in held and page.is_article:
                for setting in SETTINGS:
                    change, more = setting
                    model = BlockModel({**weights, "bias": weights.get("bias", 0.0) + more}, change)
                    text = without_title(extract_with(page, model), page.title)
                    scores[setting][page.name] = score_text(page.gold, text).rouge
                    if folder and setting == CHOSEN:
                        (folder / f"{page.name}.txt").write_text(text, encoding="utf-8")
    print(f"lines right, builders left out: {right / total:.4f}")
    for setting in SETTINGS:
        seen = [score for name, score in scores[setting].items() if name in visible]
        mean = fmean(scores[setting].values())
        print(f"change, odds {setting}: ROUGE-5 F1 {mean:.4f}, of visible articles {fmean(seen):.4f}")
    best = max(SETTINGS, key=lambda setting: fmean(scores[setting].values()))
    for name, score in sorted(scores[best].items(), key=lambda pair: pair[1])[:25]:
        print(f"  {score:.3f} {name}")


def main(arguments: Iterable[str] | None = None) -> int:
    """Train, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hard_pages.train", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[OPEN], metavar="FOLDER")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--texts", type=Path, metavar="FOLDER", help="write the texts of the cross-validation there")
    options = parser.parse_args(arguments)
    pages = read_folders(options.folders)
    lessons = [x for p in pages if p.is_article for x in learn_page(p.name, p.builder, p.body, p.gold, p.title)]
    lessons += read_guide()
    print(f"{len(lessons)} pages, {sum(len(lesson.labels) for lesson in lessons):,} lines")
    if options.write:
        weights = fit(lessons)
        weights["bias"] = round(weights.get("bias", 0.0) + CHOSEN[1], 3)
        model = {"change": CHOSEN[0], "weights": dict(sorted(weights.items()))}
        FILE.write_text(json.dumps(model, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
        print(f"{len(weights):,} weights, {FILE.stat().st_size:,} bytes")
    cross_validate(pages, lessons, options.texts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
