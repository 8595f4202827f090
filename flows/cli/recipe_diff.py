"""Compare two recipes, or a recipe with the recipe of a release."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.cli import recipe_text
from flows.cli.options import find_release_folder
from flows.run import find_recipe
from malmoi import recipe as recipes
from malmoi.releases import manifest

NO_VALUE = "(none)"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: a recipe, or the recipe in the manifest of a release."""

    name: str
    digest: str
    top: Mapping[str, str]  # key → value in TOML
    stages: Mapping[str, str]  # filter, in the order of the run → stage; empty if an old manifest has no stages
    settings: Mapping[str, str]  # "[[stage]] filter: key" → value, files by name and digest
    versions: Mapping[str, int]  # filter → version


def compare_recipes(a: str, b: str) -> Iterator[str]:
    """Yield one line for each difference between recipes, given as names, .toml files, or folders of releases."""
    yield from compare_sides(*map(_read_either, (a, b)))


def _read_either(given: str) -> Side:
    folder = find_release_folder(given)
    return read_release(folder) if (folder / manifest.NAME).is_file() else read_side(given)


def compare_sides(one: Side, two: Side) -> Iterator[str]:
    """Yield one line for each difference between the recipes of two sides, and one about their digests."""
    found = [*_compare_values(one.top, two.top), *_compare_filters(one, two)]
    found += _compare_values(one.settings, two.settings)
    yield from found
    if one.digest == two.digest:
        yield f"{'same documents' if found else 'no difference'}: both have the digest {one.digest}"
    else:
        yield f"digest: {one.digest} → {two.digest}"


def read_side(name: str) -> Side:
    """Read the recipe `name`: a shipped one, or a file that ends in .toml."""
    path = find_recipe(name)
    file = recipes.read_resolved(path)
    recipe = recipes.bind_file(path, file)
    top = {one.key: one.value for one in recipe_text.list_top(file)}
    top |= {f"[expect] {one.key}": one.value for one in recipe_text.list_expectations(file, recipe)}
    versions = {step.filter: step.version for _, steps in recipe.steps for step in steps}
    return Side(name, recipe.digest(), top, *_read_steps(recipe.spell_steps()), versions=versions)


def read_release(folder: Path) -> Side:
    """Read the recipe in the manifest of a release."""
    made = manifest.read(folder)
    top = {"name": made.recipe_name, "shards": made.n_shards, "splits": dict(made.splits)}
    return Side(
        str(folder),
        made.recipe_digest,
        {key: recipe_text.spell(value) for key, value in top.items()},
        *_read_steps(made.recipe_steps),
        versions=dict(made.recipe_filters),
    )


def _read_steps(steps: Sequence[tuple[str, str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return filter → stage, and the settings."""
    settings = {
        f"[[{stage}]] {name}: {key}": recipe_text.spell(value)
        for stage, name, params in steps
        for key, value in json.loads(params).items()
    }
    return {name: stage for stage, name, _ in steps}, settings


def _compare_values(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys that both sides have with different values."""
    for key in a:
        if key in b and a[key] != b[key]:
            yield f"{key} = {a[key] or NO_VALUE} → {b[key] or NO_VALUE}"


def _compare_filters(a: Side, b: Side) -> Iterator[str]:
    for here, there in ((a, b), (b, a)):
        for name in here.versions:
            if name not in there.versions:
                yield f"{name}: only in {here.name}" + (f", [[{here.stages[name]}]]" if name in here.stages else "")
    for name in a.versions:
        if name in b.versions and a.versions[name] != b.versions[name]:
            yield f"{name}: version {a.versions[name]} → {b.versions[name]}"
    shared = [[f"[[{side.stages[n]}]] {n}" for n in side.stages if n in a.stages and n in b.stages] for side in (a, b)]
    if shared[0] != shared[1]:
        yield f"order: {', '.join(shared[0])} → {', '.join(shared[1])}"
