"""`malmoi check`: measure a release against the expectations of a recipe."""

from __future__ import annotations

from pathlib import Path

from flows.console import SafeConsole
from flows.plurals import count_of
from flows.rejected_releases import summarise_unmet
from flows.run import recipe_of
from malmoi import recipe as recipes
from malmoi.errors import CallError, DataError
from malmoi.releases import manifest
from malmoi.releases.expectation_checks import measure
from malmoi.releases.verification import untrusted_files


def show(folder: Path, name: str, review: Path | None, out: SafeConsole) -> None:
    """Print a line for each expectation; DataError if the release fails one of them.

    Without `name`, the recipe is the shipped one that made the release.
    """
    if not (folder / manifest.NAME).is_file():
        raise CallError(
            f"{folder} is not a release: it has no {manifest.NAME}. Name the folder of one version, such as "
            "workspace/6-releases/general/1.0.0."
        )
    untrusted_files.refuse(folder)
    made = manifest.read(folder)
    if not name and made.recipe_name not in recipes.find_shipped():
        raise CallError(f"{folder} was made by the recipe {made.recipe_name!r}, which is not shipped; give --recipe.")
    if review is not None and not review.is_file():
        raise CallError(f"{review}: no such file; give the CSV file of a review, or leave --review out.")
    recipe = recipe_of(name or made.recipe_name)
    with untrusted_files.translate_errors(folder):
        outcomes = measure(folder, recipe.expect, review or recipe.review)
    for one in outcomes:
        out.print(f"{'met    ' if one.met else 'NOT MET'} {one.says()}", markup=False)
    if unmet := [one for one in outcomes if not one.met]:
        raise DataError(
            f"{folder}: {summarise_unmet(unmet, len(outcomes))}. Correct sources or filters and release again, or "
            "correct the table [expect] of the recipe."
        )
    print(f"{folder}: {count_of(len(outcomes), 'expectation')} of the recipe {recipe.name}, all met.")
