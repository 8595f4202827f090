"""Benchmark decontamination: find items of evaluation sets in texts, so that a model is not trained on its test."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from filters.evaluation import item_files
from filters.evaluation.item_index import Index, build
from malmoi.document import Document, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Share
from malmoi.recipe_files import NamedFiles

VERSION = 1
LIBRARIES = ("datasketch", "numpy")  # for the letters of a text, and for the index

Run: TypeAlias = Annotated[int, Field(ge=8, le=64)]  # letters and digits
MOST_NAMED = 1_000  # items named in a label; the measure counts all


def check_sets(sets: NamedFiles) -> None:
    """Read all `sets` once; CallError names the file that is not an evaluation set, and what to do next."""
    for file in sets:
        item_files.items_of(file)


FILES = {"sets": check_sets}  # parameters that name files → the check that runs when the recipe is read


def judge(
    doc: Document,
    *,
    sets: NamedFiles,
    action: Literal["drop", "mark"] = "drop",
    only_mark: tuple[str, ...] = (),
    run: Run = 12,
    min_share: Share = 0.7,
) -> Verdict:
    """Drop or mark a text that contains an item of `sets`; reason `overlap-<set>`.

    Letters and digits are compared, as for near-duplicates: white space, signs and case are ignored. `measured` is the
    largest share of the letters of an item that lie in runs of `run` letters which the text also contains, near each
    other. An item counts as found from the threshold `min_share` on (0.7 of its 8-grams: Chowdhery et al. 2022, arXiv
    2204.02311, section 8); an item of fewer than 40 letters must occur whole.

    A question alone is enough if it has 16 letters outside common test phrases (runs that occur in more than eight
    items); if not, its choices must be next to it, and if they say too little, its passage too. Choices or a passage
    without the question are not a leak: laws and encyclopedias are the sources they quote.

    Label `benchmarks`: the names of the sets found, separated by commas; `benchmark_items`: the items by set, file and
    number, never their text. Measures `benchmark_overlap` and `benchmark_items` (a count). With `action = "mark"`, and
    for sets in `only_mark`, the text is kept and labelled.
    """
    hits = load_index(sets, run).search(doc.text, min_share)
    found = hits.items
    names = sorted({hit.set for hit in found})
    labels = [("benchmarks", ",".join(names))]
    if found:
        labels.append(("benchmark_items", ",".join(hit.name for hit in found[:MOST_NAMED])))
    weighed = [hit for hit in found if hit.set not in only_mark] or found
    most = max(weighed, key=lambda hit: hit.share, default=None)  # the first of the largest
    share = round(most.share if most else hits.near, 4)
    drops = most is not None and action == "drop" and most.set not in only_mark
    return Verdict(
        "drop" if drops else "keep",
        f"overlap-{most.set}" if most else "no-overlap",
        measured=share,
        limit=most.needed if most else min_share,
        labels=tuple(labels),
        measures=(("benchmark_overlap", share), ("benchmark_items", float(len(found)))),
    )


def prepare(*, sets: NamedFiles, run: int, only_mark: tuple[str, ...] = (), **_: object) -> None:
    """Load the sets and search once before the first document, so that no document pays for the start-up.

    CallError if `only_mark` names an unknown set.
    """
    found = load_index(sets, run)
    if unknown := sorted(set(only_mark) - found.items.keys()):
        raise CallError(
            f"benchmark_overlap: only_mark names the unknown set {unknown[0]!r}; the sets are {', '.join(found.items)}."
        )
    found.search("가" * 100, 1.0)


@lru_cache(maxsize=2)
def load_index(sets: NamedFiles, run: int) -> Index:
    """Return the index over all items of `sets`; built once per process."""
    return build((item for file in sets for item in item_files.items_of(file)), run)
