"""Recipes in words: in full as TOML that runs again, and the differences of two, or of a recipe and a release."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from flows.run import find_recipe
from malmoi import recipe as recipes
from malmoi.recipe import STAGES, Recipe, RecipeFile
from malmoi.releases import manifest

UNITS = {"Share": "share", "Chars": "code points", "Count": "count", "Score": "score"}  # of malmoi/parameter_bounds.py
WIDTH = 110  # of a comment
TOP = tuple(key for key in RecipeFile.model_fields if key not in {"extends", "remove", "expect", *STAGES})
NO_VALUE = "(none)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a recipe with its value in TOML; "" for a default that TOML cannot express: no value."""

    key: str
    value: str
    default: bool  # not set by a recipe

    def render(self, unit: str = "") -> str:
        """Return the line of the key, with unit and bounds, or the choices."""
        note = ", ".join(filter(None, ("default" if self.default else "", unit)))
        line = f"{self.key} = {self.value}" if self.value else f"# {self.key}: no value"
        return f"{line}  # {note}" if note else line


def list_top(file: RecipeFile) -> list[Setting]:
    """List the keys at the top of a resolved recipe."""
    return [Setting(key, spell(getattr(file, key)), key not in file.model_fields_set) for key in TOP]


def list_expectations(file: RecipeFile, recipe: Recipe) -> list[Setting]:
    """List the keys of the table `[expect]` of a resolved recipe."""
    values = recipe.expect.model_dump()
    return [Setting(key, spell(file.expect.get(key, value)), key not in file.expect) for key, value in values.items()]


def render_recipe(path: Path) -> str:
    """Render the recipe in the file `path`, resolved, as TOML with every default; the text gives the same release.

    Paths are relative to the folder of `path`, so save the text there if it names any.
    """
    file = recipes.read_resolved(path)
    recipe = recipes.bind_file(path, file)
    tables = {table["filter"]: table for _, table in file.tables()}
    lines = [f"# digest {recipe.digest()}; `default`: no recipe sets it"]
    lines += [one.render() for one in list_top(file)]
    lines += ["", "[expect]", *(one.render() for one in list_expectations(file, recipe))]
    for stage, step in ((stage, step) for stage, steps in recipe.steps for step in steps):
        # The functions that take the parameters of a filter: its verb, and the function of its survey.
        module, table, previous = recipes.load_filter(step.filter), tables[step.filter], ""
        calls = [getattr(module, step.verb), *([module.SURVEY.carrier] if step.survey else [])]
        docs = (" ".join((inspect.getdoc(call) or "").partition(">>>")[0].split()) for call in calls)
        sentences = [sentence for doc in docs for sentence in re.split(r"(?<=\.)\s(?=[A-Z])", doc)]
        lines += ["", f"[[{stage}]]", *_wrap(f"{step.verb}, version {step.version}. {sentences[0]}")]
        lines.append(f"filter = {spell(step.filter)}")
        model = recipes.schema(step.filter)
        for key in model.model_fields:
            # The first sentence about the key in the docstrings of filter and survey, except the opening one.
            about = next((one for one in sentences if f"`{key}`" in one), "")
            meaning = "" if about == sentences[0] else about
            lines += _wrap(meaning) if meaning != previous else ()
            value = table[key] if key in table else find_spelling(model, key, dict(step.params)[key], table)
            lines.append(Setting(key, spell(value), key not in table).render(_describe_field(model, key, calls)))
            previous = meaning
    return "\n".join(lines) + "\n"


def spell(value: Any) -> str:
    """`value` as TOML; "" for None.

    >>> spell({"phone": "keep", "ip": ("a", 1.5, True)})
    '{"phone" = "keep", "ip" = ["a", 1.5, true]}'
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{spell(key)} = {spell(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(spell, value)) + "]"
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def find_spelling(model: type[BaseModel], key: str, value: Any, table: Mapping[str, Any]) -> Any:
    """Return `value` in the form that the schema reads from a recipe: pairs are a table for some, a list for others."""
    given = {k: v for k, v in table.items() if k != "filter"}
    for form in (list, dict) if isinstance(value, tuple) else ():
        try:
            if getattr(model.model_validate(given | {key: form(value)}), key) == value:
                return form(value)
        except (ValidationError, TypeError, ValueError):
            continue
    return value


def _describe_field(model: type[BaseModel], key: str, calls: Sequence[Any]) -> str:
    """Describe unit and bounds of a parameter, or its choices."""
    field = model.model_fields[key]
    low = [f"at least {bound}" for one in field.metadata if (bound := getattr(one, "ge", None)) is not None]
    high = [f"at most {bound}" for one in field.metadata if (bound := getattr(one, "le", None)) is not None]
    named = [inspect.signature(call).parameters.get(key) for call in calls]
    units = [UNITS[str(one.annotation)] for one in named if one and str(one.annotation) in UNITS]
    kind = next((a for a in get_args(field.annotation) if get_origin(a) is Literal), field.annotation)
    words = get_args(kind) if get_origin(kind) is Literal else ()
    all_chosen = isinstance(field.default, tuple) and set(words) == set(field.default)
    choice = [f"of {', '.join(words)}"] if words and not all_chosen else []
    return ", ".join((*units[:1], *low, *high, *choice))


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a recipe, or the recipe in the manifest of a release."""

    name: str
    digest: str
    top: Mapping[str, str]  # key → value in TOML
    stages: Mapping[str, str]  # filter, in the order of the run → stage; empty if an old manifest has no stages
    settings: Mapping[str, str]  # "[[stage]] filter: key" → value, files by name and digest
    versions: Mapping[str, int]  # filter → version


def read_recipe(name: str) -> Side:
    """Read the recipe `name`: a shipped one, or a file that ends in .toml."""
    path = find_recipe(name)
    file = recipes.read_resolved(path)
    recipe = recipes.bind_file(path, file)
    top = {one.key: one.value for one in list_top(file)}
    top |= {f"[expect] {one.key}": one.value for one in list_expectations(file, recipe)}
    versions = {step.filter: step.version for _, steps in recipe.steps for step in steps}
    return Side(name, recipe.digest(), top, *_read_steps(recipe.spell_steps()), versions)


def read_release(folder: Path) -> Side:
    """Read the recipe in the manifest of a release."""
    made = manifest.read(folder)
    top = {"name": made.recipe_name, "shards": made.n_shards, "splits": dict(made.splits)}
    spelled = {key: spell(value) for key, value in top.items()}
    return Side(str(folder), made.recipe_digest, spelled, *_read_steps(made.recipe_steps), dict(made.recipe_filters))


def _read_steps(steps: Sequence[tuple[str, str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return filter → stage, and the settings."""
    settings = {
        f"[[{stage}]] {name}: {key}": spell(value)
        for stage, name, params in steps
        for key, value in json.loads(params).items()
    }
    return {name: stage for stage, name, _ in steps}, settings


def compare_sides(one: Side, two: Side) -> Iterator[str]:
    """Yield one line for each difference between the recipes of two sides, and one about their digests."""
    lines = [*_compare_values(one.top, two.top)]
    for here, there in ((one, two), (two, one)):
        for name in here.versions:
            if name not in there.versions:
                stage = f", [[{here.stages[name]}]]" if name in here.stages else ""
                lines.append(f"{name}: only in {here.name}{stage}")
    for name in one.versions:
        if name in two.versions and one.versions[name] != two.versions[name]:
            lines.append(f"{name}: version {one.versions[name]} → {two.versions[name]}")
    shared = [
        ", ".join(f"[[{side.stages[n]}]] {n}" for n in side.stages if n in one.stages and n in two.stages)
        for side in (one, two)
    ]
    if shared[0] != shared[1]:
        lines.append(f"order: {shared[0]} → {shared[1]}")
    lines += _compare_values(one.settings, two.settings)
    yield from lines
    if one.digest == two.digest:
        yield f"{'same documents' if lines else 'no difference'}: both have the digest {one.digest}"
    else:
        yield f"digest: {one.digest} → {two.digest}"


def _compare_values(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys that both sides have with different values."""
    for key in a:
        if key in b and a[key] != b[key]:
            yield f"{key} = {a[key] or NO_VALUE} → {b[key] or NO_VALUE}"
