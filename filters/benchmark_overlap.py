"""Find the items of evaluation sets in texts: who trains on the questions cannot be tested by them."""

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
LIBRARIES = ("datasketch", "numpy")  # of the letters of a text, and of the index

Run: TypeAlias = Annotated[int, Field(ge=8, le=64)]  # letters and digits
MOST_NAMED = 1_000  # items that a label names; the measure counts all


def check_sets(sets: NamedFiles) -> None:
    """Read all `sets` once; CallError says which file is none of an evaluation set, and what to do next."""
    for file in sets:
        item_files.items_of(file)


FILES = {"sets": check_sets}  # parameters that name files → what reads them when the recipe is read


def judge(
    doc: Document,
    *,
    sets: NamedFiles,
    action: Literal["drop", "mark"] = "drop",
    only_mark: tuple[str, ...] = (),
    run: Run = 12,
    min_share: Share = 0.7,
) -> Verdict:
    """Drop a text in which an item of `sets` stands, or mark it; reason `overlap-<set>`.

    Compared are letters and digits, as near duplicates compare them: white space, signs and case count
    for nothing. `measured` is the largest share of the letters of an item that lie in runs of `run` letters
    which stand in the text too, near each other. An item is found from `min_share` on (0.7 of its 8-grams:
    Chowdhery et al. 2022, arXiv 2204.02311, section 8); one of fewer than 40 letters must stand whole.

    A question decides alone if it has 16 letters that are not how tests talk (runs that stand in more than
    eight items); if not, its choices must stand beside it, and where they say too little, its passage.
    Choices or a passage without the question are no leak: laws and encyclopedias are what they quote.

    Label `benchmarks`: the names of the sets that were found, parted by commas; `benchmark_items`: the items,
    by set, file and number, never their text. Measures `benchmark_overlap` and `benchmark_items` (how many).
    With `action = "mark"`, and for sets in `only_mark`, the text is kept and labelled.
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
    """Load the sets, and search once, before the first document: its time is not theirs.

    CallError where `only_mark` names a set that is not there.
    """
    found = load_index(sets, run)
    if unknown := sorted(set(only_mark) - found.items.keys()):
        raise CallError(f"benchmark_overlap: only_mark names {unknown[0]!r}; the sets are {', '.join(found.items)}.")
    found.search("가" * 100, 1.0)


@lru_cache(maxsize=2)
def load_index(sets: NamedFiles, run: int) -> Index:
    """The index over all items of `sets`, built once in a process."""
    return build((item for file in sets for item in item_files.items_of(file)), run)
