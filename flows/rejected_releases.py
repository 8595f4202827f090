"""Check a finished release against the expectations of its recipe, and keep it aside if it fails one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from shutil import rmtree

from flows.plurals import count_of
from malmoi.canonical_json import canonical_json
from malmoi.errors import DataError
from malmoi.recipe import Recipe
from malmoi.releases import manifest
from malmoi.releases.expectation_checks import Outcome, measure
from malmoi.workspace import Workspace

CHECK, RELEASE = "check.json", "release"  # in the folder of a rejected release


def require_expectations(workspace: Workspace, recipe: Recipe, folder: Path, version: str) -> None:
    """Return if the sealed release in `folder` fulfils the expectations of `recipe`; else move it aside.

    DataError says which expectation is not met and where the release is kept. A release that was rejected before with
    the same data is replaced.
    """
    outcomes = measure(folder, recipe.expect, recipe.review)
    if not (unmet := [one for one in outcomes if not one.met]):
        return
    root = manifest.read(folder).root
    target = workspace.rejections(recipe.name) / f"{version}-{root[:16]}"
    with workspace.temporary_folder() as whole:
        folder.rename(whole / RELEASE)
        text = canonical_json({"recipe": recipe.name, "version": version, "root": root, **describe_check(outcomes)})
        (whole / CHECK).write_text(text, encoding="utf-8")
        if target.exists():
            rmtree(target)
        workspace.move_into_place(whole, target)
    raise DataError(
        f"{recipe.name} {version} was not published: {summarise_unmet(unmet, len(outcomes))}. It is kept in "
        f"{target / RELEASE}, and {CHECK} beside it lists every measure. Correct sources or filters, or the table "
        "[expect] of the recipe, and run again."
    )


def summarise_unmet(unmet: Sequence[Outcome], n: int) -> str:
    """Return how many of `n` expectations are not met, and what was measured."""
    verb = "is" if len(unmet) == 1 else "are"
    return f"{len(unmet)} of {count_of(n, 'expectation')} {verb} not met ({'; '.join(one.says() for one in unmet)})"


def describe_check(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the result of a check as JSON values."""
    return {"met": all(one.met for one in outcomes), "expectations": [asdict(one) for one in outcomes]}
