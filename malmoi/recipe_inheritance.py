"""Recipe inheritance: parse a recipe file and resolve `extends`, a base recipe with filters changed, added or removed.

A file that extends another holds the differences only. A table `[[stage]]` with a filter of the base replaces the
parameters that it names; the others keep the values of the base. `before` or `after` places a filter, new or of the
base. `remove` at the top removes filters. The table `[expect]` is merged by key. Other keys at the top of the file
override those of the base.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from malmoi.errors import CallError
from malmoi.expectations import merge_expectations

StageName = Literal["clean", "judged", "curated"]
STAGES: tuple[StageName, ...] = get_args(StageName)
Residue = Literal["report", "quarantine", "stop"]
Table: TypeAlias = dict[str, Any]  # `filter`, and its parameters
_Share = Annotated[float, Field(ge=0, lt=0.5)]
_Splits = Annotated[
    dict[Literal["validation", "test"], _Share], AfterValidator(lambda splits: dict(sorted(splits.items())))
]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class RecipeFile(BaseModel):
    """The content of a recipe file, before its filters are looked up."""

    model_config = ConfigDict(extra="forbid")
    name: _Name
    purpose: str
    extends: str = ""  # name of a shipped recipe, or a path that ends in .toml, from this file's folder
    remove: tuple[str, ...] = ()  # filters of the base to remove
    unredacted: str = ""  # why personal data may stay; shown on the card
    sources: tuple[str, ...] = ()
    shards: Annotated[int, Field(ge=1, le=65536)] = 4
    splits: _Splits = {"test": 0.01, "validation": 0.01}  # share of all documents
    residue: Residue = "report"  # what a find of the second detector does; docs/personal-data.md
    expect: Table = Field(default_factory=dict)  # malmoi/expectations.py
    publisher: Table = Field(default_factory=dict)  # malmoi/publisher.py
    clean: list[Table] = Field(default_factory=list)
    judged: list[Table] = Field(default_factory=list)
    curated: list[Table] = Field(default_factory=list)

    def tables(self) -> list[tuple[StageName, Table]]:
        """Return all filter tables with their stage, in the order in which they run."""
        return [(stage, table) for stage in STAGES for table in getattr(self, stage)]


def extend_recipe(base: RecipeFile, own: RecipeFile) -> RecipeFile:
    """Apply the changes of `own` to `base`; CallError names a filter that cannot be changed or placed.

    >>> base = RecipeFile(name="b", purpose="p", clean=[{"filter": "rights"}, {"filter": "length", "min_chars": 90}])
    >>> table = {"filter": "length", "min_chars": 40, "before": "rights"}
    >>> extend_recipe(base, RecipeFile(name="c", purpose="q", extends="b", clean=[table])).clean
    [{'filter': 'length', 'min_chars': 40}, {'filter': 'rights'}]
    """
    stages: dict[str, list[Table]] = {stage: list(getattr(base, stage)) for stage in STAGES}
    for name in own.remove:
        stage, index = _locate(stages, name)
        if stage is None:
            raise CallError(f"`remove` names {name!r}, {_describe_absence(stages, own.extends, name)}.")
        del stages[stage][index]
    names = [table.get("filter") for _, table in own.tables()]
    for stage, table in own.tables():
        if names.count(table.get("filter")) > 1:
            raise CallError(f"filter {table.get('filter')!r} appears twice. Write one table with all its changes.")
        _apply_table(stages, own.extends, stage, dict(table))
    top = {key: getattr(own, key) for key in own.model_fields_set - {"extends", "remove", *STAGES}}
    return base.model_copy(update={**top, **stages, "expect": merge_expectations(base.expect, own.expect)})


def find_base(own: RecipeFile, path: Path, extended_by: tuple[Path, ...]) -> Path | None:
    """Return the file of the recipe that `own`, read from `path`, extends, or None if it extends no recipe.

    `extended_by` are the files that lead to `path`. CallError if the recipe is missing or the files form a cycle.
    """
    if not own.extends:
        _refuse_changes(own)
        return None
    if own.extends.endswith(".toml"):
        base = path.parent / own.extends
    elif (shipped := find_shipped()) and own.extends in shipped:
        base = shipped[own.extends]
    else:
        raise CallError(
            f"key 'extends': no shipped recipe is called {own.extends!r}.{_suggest(own.extends, list(shipped))} Choose "
            f"one of {', '.join(shipped)}, or name a file that ends in .toml."
        )
    if base.resolve() in (chain := (*extended_by, path.resolve())):
        ring = " → ".join(one.name for one in (*chain, base))
        raise CallError(f"key 'extends': recipes extend each other in a ring: {ring}. Remove one `extends`.")
    return base


def find_shipped() -> dict[str, Path]:
    """Return name → file of the recipes that come with the package."""
    spec = importlib.util.find_spec("flows")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return {path.stem: path for folder in folders for path in sorted(Path(folder, "recipes").glob("*.toml"))}


def relocate_paths(file: RecipeFile, base: Path, folder: Path, files: Collection[tuple[str, str]]) -> RecipeFile:
    """Return `file`, read from the folder `base`, with its relative paths rewritten to start from `folder`.

    Paths are sources that end in .py, and the parameters in `files`, pairs of filter and key.
    """
    base, folder = base.resolve(), folder.resolve()
    if base == folder:
        return file

    def spell(given: str) -> str:
        return given if Path(given).is_absolute() else os.path.relpath(base / given, folder)

    def spell_table(table: Table) -> Table:
        return {k: [spell(one) for one in v] if (table["filter"], k) in files else v for k, v in table.items()}

    stages: dict[str, list[Table]] = {stage: [spell_table(table) for table in getattr(file, stage)] for stage in STAGES}
    sources = tuple(spell(one) if one.endswith(".py") else one for one in file.sources)
    expect = {k: spell(v) if k == "review" and isinstance(v, str) else v for k, v in file.expect.items()}
    return file.model_copy(update={**stages, "sources": sources, "expect": expect})


@contextmanager
def name_recipe(path: Path) -> Iterator[None]:
    """Put `path` before the message of a CallError that is raised inside."""
    try:
        yield
    except CallError as error:
        raise CallError(f"{path}: {error}") from error


def _refuse_changes(own: RecipeFile) -> None:
    """Raise CallError if a recipe without `extends` removes or places filters."""
    keys: set[str] = {key for _, table in own.tables() for key in ("before", "after") if key in table}
    if own.remove:
        keys.add("remove")
    if keys:
        raise CallError(
            f"key {min(keys)!r} changes a base, and this recipe has none. "
            'Name one at the top (extends = "general"), or write the filters in their order.'
        )


def _apply_table(stages: dict[str, list[Table]], base: str, stage: str, table: Table) -> None:
    """Change, add or move the filter of one table in `stages`."""
    name, before, after = table.get("filter"), table.pop("before", None), table.pop("after", None)
    found, index = _locate(stages, name)
    anchor = after if before is None else before
    if before is not None and after is not None:
        raise CallError(f"filter {name!r} has both `before` and `after`; keep one.")
    if found is None and anchor is None and stages[stage] and isinstance(name, str):
        raise CallError(
            f"filter {name!r} under [[{stage}]] is {_describe_absence(stages, base, name)}. "
            'To add it, give its position: before = "FILTER" or after = "FILTER".'
        )
    if found not in (None, stage) and anchor is None:
        raise CallError(
            f"filter {name!r} is under [[{found}]] in {base!r}, here under [[{stage}]]. "
            f'Write [[{found}]] to change it; add before = "FILTER" or after = "FILTER" to move it.'
        )
    if found is not None:
        table = stages[found][index] | table
        del stages[found][index]
    if anchor is not None:
        there = [one.get("filter") for one in stages[stage]]
        if anchor not in there:
            raise CallError(
                f"filter {name!r}: no {anchor!r} under [[{stage}]] to go {'after' if before is None else 'before'}."
                f"{_suggest(anchor, there)} There: {', '.join(map(str, there)) or 'none'}."
            )
        index = there.index(anchor) + (before is None)
    stages[stage].insert(len(stages[stage]) if found is None and anchor is None else index, table)


def _locate(stages: dict[str, list[Table]], name: object) -> tuple[str | None, int]:
    for stage, tables in stages.items():
        for index, table in enumerate(tables):
            if table.get("filter") == name:
                return stage, index
    return None, 0


def _describe_absence(stages: dict[str, list[Table]], base: str, name: str) -> str:
    known = [str(table.get("filter")) for tables in stages.values() for table in tables]
    return f"not in {base!r}, which this recipe extends.{_suggest(name, known)} It has: {', '.join(known)}"


def _suggest(name: object, known: list[Any]) -> str:
    near = get_close_matches(str(name), [str(one) for one in known], 1)
    return f" Did you mean {near[0]!r}?" if near else ""
