"""`python -m benchmarks.gold [RECIPE [WORKSPACE]]`: does a recipe keep what a careful person would?

The hand-checked set: ids, labels and reasons in `labels/corpora.jsonl` for documents of the corpora beside the
project, whose texts stay there, and `labels/written.jsonl` for texts that were written for it. Half of it was open
while filters were written (`dev`: by the hash of the id, or as the line says); the other half was not (`held-out`):
of it only the counts are printed, so that looking at the table teaches nothing about it. Rights and copies are not
asked here. The texts are extracted anew, or read where a run of `benchmarks/recipes/real.toml` left them (WORKSPACE).
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows import run as runs
from flows.curate import curate
from flows.engine import executors, worker_pool
from flows.engine.progress import Progress
from malmoi import recipe as recipes
from malmoi.apply import Bound, Dropped, walk
from malmoi.document import Document, Provenance
from malmoi.recipe import Recipe
from malmoi.storage import shard
from malmoi.workspace import Workspace

HERE = Path(__file__).parent
LABELS = HERE / "labels"
REAL = str(HERE / "recipes" / "real.toml")
PARTS = ("dev", "held-out")
LEFT_OUT = frozenset(("rights", "personal_data", "quarantine", "redact"))
out = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one document."""

    id: str
    keep: bool
    kind: str  # good, bad or borderline; spam, ham, machine or human for written texts
    reason: str
    part: str = "dev"  # or "held-out"
    text: str | None = None  # None: it lies in the corpora


@dataclass(frozen=True, slots=True)
class Judged:
    """A label, and what the recipe made of its document."""

    label: Label
    kept: bool
    why: str  # filter:reason (measured) of a drop


def labels() -> list[Label]:
    """The whole set, in the order of its files."""
    found = []
    for name in ("corpora.jsonl", "written.jsonl"):
        for line in (LABELS / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            part = row.get("part") or part_of(row["id"])
            found.append(Label(row["id"], row["keep"], row["kind"], row["reason"], part, row.get("text")))
    return found


def part_of(name: str) -> str:
    """`dev` or `held-out`, by the hash of the id.

    >>> part_of("a"), part_of("b")
    ('dev', 'dev')
    """
    return "dev" if hashlib.sha256(name.encode()).digest()[0] % 2 == 0 else "held-out"


def corpora(root: Path) -> dict[str, str]:
    """Id → text as extracted, of every document of the real corpora; extraction only, no filter runs."""
    home, recipe, quiet = Workspace.open(root), runs.recipe_of(REAL), Progress(quiet=True)
    names = runs.sources_of(recipe, REAL, ())
    runs.collect_all(home, names, quiet, limit=None, contact=None)
    bare = replace(recipe, steps=tuple((stage, ()) for stage, _ in recipe.steps))
    curate(home, bare, names, executors.thread_mapper(worker_pool.count()), quiet)
    return extracted(root)


def extracted(root: Path) -> dict[str, str]:
    """Id → text of every document that stands extracted in a workspace.

    A stage's folder without a ledger is not done and is passed over.
    """
    texts: dict[str, str] = {}
    for ledger in sorted(root.glob("2-documents/*/ledger.json")):
        table = shard.read(ledger.with_name("documents.parquet"), ["id", "text"])
        texts |= dict(zip(table.column("id").to_pylist(), table.column("text").to_pylist(), strict=True))
    return texts


def texts_of(workspace: str | None) -> dict[str, str]:
    """The texts of a workspace, or those of the corpora, extracted into one that is thrown away."""
    if workspace is not None:
        return extracted(Path(workspace))
    with tempfile.TemporaryDirectory(prefix="malmoi-gold-") as folder:
        texts = corpora(Path(folder) / "w")
    worker_pool.close()
    return texts


def filters(recipe: Recipe) -> tuple[Bound, ...]:
    """The filters of a recipe that judge or mend one text by itself, in order."""
    steps = [s for _, stage in recipe.steps for s in stage if s.filter not in LEFT_OUT and not s.survey]
    return recipes.bind(tuple(steps))


def document(name: str, text: str) -> Document:
    """A document of which nothing but the text is known."""
    return Document(name, text, Provenance("gold", "", "", "", ""))


def judged(found: Sequence[Label], texts: dict[str, str], bound: tuple[Bound, ...]) -> Iterator[Judged]:
    """What the filters make of each labelled document; a label without a text is left out and said."""
    missing = 0
    for label in found:
        text = label.text if label.text is not None else texts.get(label.id)
        if text is None:
            missing += 1
            continue
        outcome = walk(document(label.id, text), bound)
        if isinstance(outcome, Dropped):
            measured = "" if outcome.verdict.measured is None else f" ({outcome.verdict.measured:g})"
            yield Judged(label, False, f"{outcome.by}:{outcome.verdict.reason}{measured}")
        else:
            yield Judged(label, True, "")
    if missing:
        out.print(f"{missing} labelled documents have no text here; the corpora lie beside the project.")


def score(found: Sequence[Judged]) -> tuple[float, float]:
    """Precision and recall of keep.

    >>> good, bad = Label("a", True, "good", ""), Label("b", False, "bad", "")
    >>> score([Judged(good, True, ""), Judged(bad, True, "")])
    (0.5, 1.0)
    """
    right = sum(1 for one in found if one.kept and one.label.keep)
    kept, wanted = sum(one.kept for one in found), sum(one.label.keep for one in found)
    return right / kept if kept else 1.0, right / wanted if wanted else 1.0


def main(recipe: str = "general", workspace: str | None = None) -> int:
    """Print precision and recall by part and kind, and each open document that is judged otherwise."""
    found = list(judged(labels(), texts_of(workspace), filters(runs.recipe_of(recipe))))
    out.print(_wrong([one for one in found if one.label.part == "dev"]))
    table = Table("part", "documents", "to keep", "precision", "recall", title=f"keep, recipe {recipe}")
    for name, some in _parts(found):
        precision, recall = score(some)
        table.add_row(name, f"{len(some)}", f"{_wanted(some)}", f"{precision:.3f}", f"{recall:.3f}")
    out.print(table)
    kinds = Table("kind", "part", "documents", "to keep", "judged as labelled", title="by kind")
    for kind, part in sorted({(one.label.kind, one.label.part) for one in found}):
        some = [one for one in found if (one.label.kind, one.label.part) == (kind, part)]
        right = sum(one.kept == one.label.keep for one in some)
        kinds.add_row(kind, part, f"{len(some)}", f"{_wanted(some)}", f"{right / len(some):.3f}")
    out.print(kinds)
    return 0


def _parts(found: Sequence[Judged]) -> Iterator[tuple[str, Sequence[Judged]]]:
    for part in PARTS:
        yield part, [one for one in found if one.label.part == part]
    yield "all", found
    yield "without borderline", [one for one in found if one.label.kind != "borderline"]


def _wanted(some: Sequence[Judged]) -> int:
    return sum(one.label.keep for one in some)


def _wrong(found: Sequence[Judged]) -> Table:
    wrong = Table("kind", "id", "label", "judged", "why the label", title="open documents judged otherwise")
    for one in found:
        if one.kept != one.label.keep:
            said = "keep" if one.label.keep else "drop"
            wrong.add_row(one.label.kind, one.label.id, said, one.why or "kept", one.label.reason)
    return wrong


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
