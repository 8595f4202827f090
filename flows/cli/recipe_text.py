"""Print a recipe in full, as TOML that runs again: every filter and parameter with its value and meaning."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from malmoi import recipe as recipes
from malmoi.recipe import Recipe, Step
from malmoi.recipe_inheritance import STAGES, RecipeFile, StageName, Table

UNITS = {
    "Share": "share",
    "Chars": "code points",
    "Count": "count",
    "Score": "score",
}  # names of malmoi/parameter_bounds.py
WIDTH = 110  # of a comment
TOP = tuple(key for key in RecipeFile.model_fields if key not in {"extends", "remove", "expect", *STAGES})


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a recipe with its value in TOML; "" for a default that TOML cannot express: no value."""

    key: str
    value: str
    default: bool  # not set by a recipe
    unit: str = ""  # unit and bounds, or the choices
    meaning: str = ""  # from the docstring of the filter


def list_top(file: RecipeFile) -> list[Setting]:
    """List the keys at the top of a resolved recipe."""
    return [Setting(key, spell(getattr(file, key)), key not in file.model_fields_set) for key in TOP]


def list_expectations(file: RecipeFile, recipe: Recipe) -> list[Setting]:
    """List the keys of the table `[expect]` of a resolved recipe."""
    values = recipe.expect.model_dump()
    return [Setting(key, spell(file.expect.get(key, value)), key not in file.expect) for key, value in values.items()]


def list_filters(file: RecipeFile, recipe: Recipe) -> Iterator[tuple[StageName, Step, list[Setting]]]:
    """Yield stage, filter and settings of a resolved recipe, in the order of the run."""
    tables = {table["filter"]: table for _, table in file.tables()}
    for stage, steps in recipe.steps:
        for step in steps:
            yield stage, step, list(_list_settings(step, tables[step.filter]))


def render_recipe(path: Path) -> str:
    """Render the recipe in the file `path`, resolved, as TOML with every default; the text gives the same release.

    Paths are relative to the folder of `path`, so save the text there if it names any.
    """
    file = recipes.read_resolved(path)
    recipe = recipes.bind_file(path, file)
    lines = [f"# digest {recipe.digest()}; `default`: no recipe sets it"]
    lines += [_render_setting(one) for one in list_top(file)]
    lines += ["", "[expect]", *map(_render_setting, list_expectations(file, recipe))]
    for stage, step, settings in list_filters(file, recipe):
        (opening, *_), said = _split_sentences(_list_calls(step)[0]), ""
        lines += ["", f"[[{stage}]]", *_wrap(f"{step.verb}, version {step.version}. {opening}")]
        lines.append(f"filter = {spell(step.filter)}")
        for one in settings:
            lines += [*(_wrap(one.meaning) if one.meaning != said else ()), _render_setting(one)]
            said = one.meaning
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


def _list_settings(step: Step, table: Table) -> Iterator[Setting]:
    model = recipes.schema(step.filter)
    for key, field in model.model_fields.items():
        given = key in table
        value = spell(table[key] if given else _find_spelling(model, key, dict(step.params)[key], table))
        yield Setting(key, value, not given, _describe_field(step, key, field), _find_meaning(step, key))


def _find_spelling(model: type[BaseModel], key: str, value: Any, table: Table) -> Any:
    """Return `value` in the form that the schema reads from a recipe: pairs are a table for some, a list for others."""
    given = {k: v for k, v in table.items() if k != "filter"}
    for form in (list, dict) if isinstance(value, tuple) else ():
        try:
            if getattr(model.model_validate(given | {key: form(value)}), key) == value:
                return form(value)
        except (ValidationError, TypeError, ValueError):
            continue
    return value


def _describe_field(step: Step, key: str, field: FieldInfo) -> str:
    """Describe unit and bounds of a parameter, or its choices."""
    low = [f"at least {bound}" for one in field.metadata if (bound := getattr(one, "ge", None)) is not None]
    high = [f"at most {bound}" for one in field.metadata if (bound := getattr(one, "le", None)) is not None]
    named = [inspect.signature(call).parameters.get(key) for call in _list_calls(step)]
    units = [UNITS[str(one.annotation)] for one in named if one and str(one.annotation) in UNITS]
    kind = next((a for a in get_args(field.annotation) if get_origin(a) is Literal), field.annotation)
    words = get_args(kind) if get_origin(kind) is Literal else ()
    all_chosen = isinstance(field.default, tuple) and set(words) == set(field.default)
    choice = [f"of {', '.join(words)}"] if words and not all_chosen else []
    return ", ".join((*units[:1], *low, *high, *choice))


def _find_meaning(step: Step, key: str) -> str:
    """Find the first sentence about `key` in the docstrings of the filter or survey, except the opening one."""
    sentences = [one for call in _list_calls(step) for one in _split_sentences(call)]
    found = next((one for one in sentences if f"`{key}`" in one), "")
    return "" if found == sentences[0] else found


def _split_sentences(call: Any) -> list[str]:
    text = " ".join((inspect.getdoc(call) or "").partition(">>>")[0].split())
    return re.split(r"(?<=\.)\s(?=[A-Z])", text)


def _list_calls(step: Step) -> list[Any]:
    """Return the functions that take the parameters of a filter: its verb, and the function of its survey."""
    module = recipes.load_filter(step.filter)
    return [getattr(module, step.verb), *([module.SURVEY.carrier] if step.survey else [])]


def _render_setting(one: Setting) -> str:
    note = ", ".join(filter(None, ("default" if one.default else "", one.unit)))
    line = f"{one.key} = {one.value}" if one.value else f"# {one.key}: no value"
    return f"{line}  # {note}" if note else line


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
