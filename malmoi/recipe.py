"""Load a recipe: TOML → the ordered filters of each stage with their parameters bound.

`filter = "language"` names `filters/language.py`; the keyword-only parameters of its verb are the schema
of the table. An unknown key, a value out of range, or a filter before one that it `NEEDS` raises CallError
with recipe, filter and key, before the first document is read. Parameters that name files (`FILES`: parameter →
function that reads them) hold names and digests; these files are also read once before the first document.

A recipe that `extends` another is resolved first: keys, digests and releases use the resolved recipe only. Its file
holds the differences. A table `[[stage]]` with a filter of the base replaces the parameters that it names; the others
keep the values of the base. `before` or `after` places a filter, new or of the base. `remove` at the top removes
filters. The table `[expect]` is merged by key. Other keys at the top of the file override those of the base.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import importlib.util
import inspect
import os
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model

from malmoi.apply import Bound, Verb
from malmoi.canonical_json import spell_on_one_line
from malmoi.errors import CallError
from malmoi.licensing.rights_decision import terms
from malmoi.parameter_bounds import Chars, Count, Share
from malmoi.publisher import UNNAMED, Publisher
from malmoi.recipe_files import resolve_files
from malmoi.survey import Rows, Survey

_VERBS: tuple[Verb, ...] = get_args(Verb)
OF_RUN = ("survey", "decisions")  # parameters of filters that a run sets, and no recipe
_Model = TypeVar("_Model", bound=BaseModel)
StageName = Literal["clean", "judged", "curated"]
STAGES: tuple[StageName, ...] = get_args(StageName)
Residue = Literal["report", "quarantine", "stop"]
Table: TypeAlias = dict[str, Any]  # `filter`, and its parameters
_Share = Annotated[float, Field(ge=0, lt=0.5)]
_Splits = Annotated[
    dict[Literal["validation", "test"], _Share], AfterValidator(lambda splits: dict(sorted(splits.items())))
]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
LOW_HANGUL = 0.3  # share of Hangul among letters; a text below it is mostly code, tables or another language


def _check_order(found: tuple[float, float]) -> tuple[float, float]:
    if found[0] > found[1]:
        raise ValueError("a range is [least, most], and the first is greater")
    return found


def _check_licence(found: str) -> str:
    if terms(found) is None:
        raise ValueError("not a licence of the table in docs/rights.md")
    return found


Range: TypeAlias = Annotated[tuple[Share, Share], AfterValidator(_check_order)]  # least and most, both allowed
Licence: TypeAlias = Annotated[str, AfterValidator(_check_licence)]


class Expectations(BaseModel):
    """The table `[expect]`: what a release must be like to be published (docs/recipes.md). It changes no document.

    Shares are 0–1 of the characters of the release, if nothing else is said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_version: Annotated[int, Field(ge=0)] = 0  # 0: any
    min_documents: Count = 0
    min_characters: Chars = 0
    unique: tuple[Literal["id", "text_sha256"], ...] = ()  # columns without repeated values
    languages: tuple[str, ...] = ()  # allowed; (): any
    licences: tuple[Licence, ...] = ()  # allowed; (): any
    min_length: Chars = 0  # of the shortest document
    max_length: Chars | None = None  # of the longest document
    licence_share: dict[Licence, Range] = Field(default_factory=dict)
    source_share: dict[str, Range] = Field(default_factory=dict)
    domain_share: dict[str, Range] = Field(default_factory=dict)
    low_hangul_share: Range = (0.0, 1.0)  # in documents whose Hangul share is below LOW_HANGUL
    max_duplicate_share: Share = 1.0  # documents dropped as copies, among these and the published ones
    # Of the documents that came into the release. One in 100,000 simulated pages is quarantined; one alone is allowed.
    max_quarantined: Share = 0.001
    max_wrong_grants: Share = 1.0  # by `review`, else by the sample of the release; unsure ones count as wrong
    review: str = ""  # CSV with the columns id and verdict (right, wrong, unsure); a path from the recipe's folder


@dataclass(frozen=True, slots=True)
class Step:
    """One filter of a recipe with all its parameters, defaults included."""

    filter: str
    verb: Verb
    version: int
    params: tuple[tuple[str, Any], ...]
    survey: str = ""  # name of the survey that it reads
    libraries: tuple[tuple[str, str], ...] = ()  # on which its findings depend: (package, version)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The ordered filters of each stage, and the purpose of the release."""

    name: str
    purpose: str
    sources: tuple[str, ...]
    shards: int
    steps: tuple[tuple[StageName, tuple[Step, ...]], ...]
    residue: Residue = "report"
    splits: tuple[tuple[str, float], ...] = ()  # share of each split beside train, sorted
    expect: Expectations = field(default=Expectations(), hash=False)  # changes no document, so it is not in the digest
    review: Path | None = None  # the file of `expect.review`
    publisher: Publisher = UNNAMED  # not in the digest either

    def stage(self, name: StageName) -> tuple[Step, ...]:
        """Return the steps of one stage, in order."""
        return dict(self.steps)[name]

    def spell_steps(self) -> tuple[tuple[str, str, str], ...]:
        """Return (stage, filter, all its parameters as one line of JSON) of each filter; files by name and digest."""
        return tuple(
            (stage, step.filter, spell_on_one_line(dict(step.params), default=str))
            for stage, steps in self.steps
            for step in steps
        )

    def digest(self) -> str:
        """Return the sha256 of everything that can change the output of the recipe."""
        return digest([self.name, self.shards, [slice_digest(s) for _, s in self.steps], self.residue, self.splits])


def digest(value: object) -> str:
    """Return the sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(spell_on_one_line(value, default=str).encode()).hexdigest()


def slice_digest(steps: tuple[Step, ...]) -> str:
    """Return the digest of some steps of a recipe: names, versions, parameters and libraries."""
    return digest([[s.filter, s.version, s.params, s.survey, s.libraries] for s in steps])


def load(path: Path) -> Recipe:
    """Load the recipe in the TOML file `path`; CallError names file, filter and key of a fault."""
    return bind_file(path, read_resolved(path))


def bind_file(path: Path, file: RecipeFile) -> Recipe:
    """Bind a resolved recipe file. Errors name `path`; relative paths start from its folder."""
    steps = tuple((stage, tuple(_parse_step(path, stage, table) for table in getattr(file, stage))) for stage in STAGES)
    for fault in _faults([(stage, step) for stage, found in steps for step in found], bool(file.unredacted)):
        raise CallError(f"{path}: {fault}")
    surveys(tuple(step for _, found in steps for step in found))  # CallError for two sets of parameters
    purpose = f"{file.purpose} Personal data is NOT replaced: {file.unredacted}" if file.unredacted else file.purpose
    expect = _parse_table(path, "expect", Expectations, file.expect)
    publisher = _parse_table(path, "publisher", Publisher, file.publisher)
    review = path.parent / expect.review if expect.review else None
    splits = tuple(sorted((str(name), share) for name, share in file.splits.items() if share))
    return Recipe(file.name, purpose, file.sources, file.shards, steps, file.residue, splits, expect, review, publisher)


def _parse_table(path: Path, name: str, model: type[_Model], table: Mapping[str, Any]) -> _Model:
    """Parse the table `[name]` of a recipe; CallError names the key of a fault."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise CallError(f"{path}: [{name}]: {_explain_error(error, list(model.model_fields))}") from error


def read_resolved(path: Path, extended_by: tuple[Path, ...] = ()) -> RecipeFile:
    """Read the TOML file `path` and resolve the recipes that it extends."""
    own = _parse(path)
    with name_recipe(path):
        base = find_base(own, path, extended_by)
    if base is None:
        return own
    found = read_resolved(base, (*extended_by, path.resolve()))
    bind_file(base, found)  # a base is a recipe itself: a fault in it names its own file
    files = {
        (one["filter"], key) for _, one in found.tables() for key in getattr(load_filter(one["filter"]), "FILES", {})
    }
    with name_recipe(path):
        return extend_recipe(relocate_paths(found, base.parent, path.parent, files), own)


def _parse(path: Path) -> RecipeFile:
    try:
        if path.is_fifo():  # reading it waits for a writer
            raise OSError(errno.EINVAL, "is a pipe")
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CallError(f"{path}: no such recipe; correct the path, or name a shipped one without .toml.") from error
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name a readable file.") from error
    except (ValueError, RecursionError) as error:  # of TOML, of its encoding, or of a path with NUL
        raise CallError(f"{path}: not valid TOML: {error}. Correct the file.") from error
    if "unique" in raw:
        raise CallError(
            f"{path}: the list [[unique]] no longer exists. Under [[judged]], put `exact_duplicates` first and then "
            "what was under [[curated]], without `redact`; under [[curated]], put `near_duplicates` and then `redact`."
        )
    try:
        return RecipeFile.model_validate(raw)
    except ValidationError as error:
        raise CallError(f"{path}: {_explain_error(error, list(RecipeFile.model_fields))}") from error


def _faults(steps: list[tuple[StageName, Step]], unredacted: bool) -> Iterator[str]:
    """Yield the faults in the order of a recipe's filters; `bind_file` refuses the recipe with the first one."""
    names = [step.filter for _, step in steps]
    if names[:1] != ["rights"]:
        yield "`rights` is not the first filter under [[clean]]. Put it first: a text is judged before all else."
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"filter {twice[0]!r} appears twice. Keep one table."
    if "redact" not in names or "personal_data" not in names:
        if not unredacted:
            yield (
                "no `personal_data` and `redact`: personal data would be published. Put the first under [[judged]] and "
                'the second under [[curated]], or give a reason at the top: unredacted = "…". The card shows it.'
            )
    elif names.index("personal_data") > names.index("redact"):
        yield "`redact` comes before `personal_data`, whose marks it replaces. Move it behind."
    elif "quarantine" not in names:
        yield (
            "no `quarantine`: documents with resident numbers, or with personal data in their ids, would be published. "
            "Add it under [[judged]], after `personal_data`."
        )
    if "redact" in names and "quarantine" in names[names.index("redact") :]:
        yield "`quarantine` comes after `redact`, which removes the marks that it reads. Move it before."
    yield from _late_drops(steps)
    for stage, step in steps:
        for need in getattr(load_filter(step.filter), "NEEDS", ()):
            if need not in names[: names.index(step.filter)]:
                there = "comes after it" if need in names else "is not in the recipe"
                yield (
                    f"filter {step.filter!r} under [[{stage}]] reads what {need!r} finds, and {need!r} {there}. "
                    f"Put {need!r} before {step.filter!r}."
                )
        if step.survey and stage != (table := load_filter(step.filter).SURVEY.stage):
            where = f"filter {step.filter!r} is under [[{stage}]]"
            yield f"{where}; filters that read its survey belong under [[{table}]]."


def _late_drops(steps: list[tuple[StageName, Step]]) -> Iterator[str]:
    """Yield judges after `near_duplicates`, which could drop the keeper of dropped copies, and a `redact` before it."""
    names = [step.filter for _, step in steps]
    if "near_duplicates" not in names:
        return
    at = names.index("near_duplicates")
    if "redact" in names[:at]:
        yield "`redact` comes before `near_duplicates`, which compares the texts before redaction. Move it after."
    for stage, step in steps[at + 1 :]:
        if step.verb == "judge":
            yield (
                f"filter {step.filter!r} under [[{stage}]] comes after `near_duplicates`: if it drops a document, the "
                f"copies that were dropped in its favour are lost as well. Move {step.filter!r} to [[judged]]."
            )


def bind(steps: tuple[Step, ...], survey_rows: Mapping[str, Rows] | None = None) -> tuple[Bound, ...]:
    """Return the callable filters of `steps`; `survey_rows` maps the name of a survey to rows of the current shard."""
    bound = []
    for step in steps:
        mod = load_filter(step.filter)
        call = getattr(mod, step.verb)
        wanted = inspect.signature(call).parameters
        params: dict[str, Any] = {k: v for k, v in step.params if k in wanted}
        if prepare := getattr(mod, "prepare", None):  # loads data here, not within the budget of the first document
            prepare(**params)
        if step.survey:
            params["survey"] = (survey_rows or {})[step.survey]
        batch = getattr(mod, f"{step.verb}_batch", None)
        if params:
            call, batch = partial(call, **params), batch and partial(batch, **params)
        bound.append(Bound(step.filter, step.verb, call, batch))
    return tuple(bound)


def columns(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return the columns of a document that `steps` read and that a verdict changes; () means all.

    A filter that reads few columns names them as `READS`; other columns are not decoded.
    """
    found: set[str] = {"id", "source", "labels", "measures", "trail"}
    for step in steps:
        reads = getattr(load_filter(step.filter), "READS", None)
        if reads is None:
            return ()
        found |= set(reads)
    return tuple(sorted(found))


def surveys(steps: tuple[Step, ...]) -> tuple[tuple[Survey, dict[str, Any]], ...]:
    """Return the surveys that `steps` read, each once, with the parameters of its reduce or exchange."""
    found: dict[str, tuple[Survey, dict[str, Any]]] = {}
    for step in (s for s in steps if s.survey):
        survey: Survey = load_filter(step.filter).SURVEY
        own = inspect.signature(survey.carrier).parameters
        params = {k: v for k, v in step.params if k in own}
        if found.setdefault(survey.name, (survey, params))[1] != params:
            raise CallError(f"filter {step.filter!r} and another give the survey {survey.name!r} different parameters.")
    return tuple(found[name] for name in sorted(found))


@lru_cache(maxsize=256)
def load_filter(name: str) -> ModuleType:
    """Import the filter module `filters/<name>.py`."""
    return importlib.import_module(f"filters.{name}")


@cache
def list_filters() -> tuple[str, ...]:
    """List the names of all filters: the modules directly in `filters/` that have a verb."""
    spec = importlib.util.find_spec("filters")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    names = sorted(p.stem for folder in folders for p in Path(folder).glob("*.py") if not p.stem.startswith("_"))
    return tuple(n for n in names if any(callable(getattr(load_filter(n), v, None)) for v in _VERBS))


def verb_of(name: str) -> Verb:
    """Return the one verb of a filter: judge, mark or mend."""
    verbs = [v for v in _VERBS if callable(getattr(load_filter(name), v, None))]
    if len(verbs) != 1:
        raise CallError(f"filters/{name}.py has {verbs or 'no verb'}; a filter is one file with one of {_VERBS}.")
    return verbs[0]


@lru_cache(maxsize=256)
def schema(name: str) -> type[BaseModel]:
    """Build a pydantic model of the parameters of a filter from the signatures of its verb and its survey."""
    mod, verb = load_filter(name), verb_of(name)
    calls: list[Callable[..., Any]] = [getattr(mod, verb)]
    if hasattr(mod, "SURVEY"):
        calls.append(mod.SURVEY.carrier)
    fields: dict[str, Any] = {}
    for call in calls:
        hints = get_type_hints(call, include_extras=True)
        for param in inspect.signature(call).parameters.values():
            if param.kind is param.KEYWORD_ONLY and param.name not in OF_RUN:
                default = ... if param.default is param.empty else param.default
                fields[param.name] = (hints[param.name], default)
    return create_model(name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields)


def _parse_step(path: Path, stage: str, table: Mapping[str, Any]) -> Step:
    params = dict(table)
    name = params.pop("filter", None)
    if not isinstance(name, str):
        raise CallError(f'{path}: a [[{stage}]] table has no `filter = "name"`.')
    if name not in list_filters():
        near = get_close_matches(name, list_filters(), 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise CallError(
            f"{path}: [[{stage}]] names the unknown filter {name!r}.{hint} Known: {', '.join(list_filters())}."
        )
    mod, model = load_filter(name), schema(name)
    try:
        readers = {key: read for key, read in getattr(mod, "FILES", {}).items() if key in params}
        bound = model.model_validate(params | {key: resolve_files(path.parent, key, params[key]) for key in readers})
        for key, read in readers.items():
            read(getattr(bound, key))
    except ValidationError as error:
        raise CallError(f"{path}: filter {name!r}: {_explain_error(error, list(model.model_fields))}") from error
    except CallError as error:
        raise CallError(f"{path}: filter {name!r}: {error}") from error
    return Step(
        filter=name,
        verb=verb_of(name),
        version=mod.VERSION,
        params=tuple(sorted(bound.model_dump().items())),
        survey=mod.SURVEY.name if hasattr(mod, "SURVEY") else "",
        libraries=tuple((lib, _library_version(lib)) for lib in getattr(mod, "LIBRARIES", ())),
    )


@cache
def _library_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _explain_error(error: ValidationError, known: list[str]) -> str:
    """Describe the first fault: the key, what is wrong, what is allowed."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        near = get_close_matches(key, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"unknown key {key!r}.{hint} Known keys: {', '.join(known) or 'none'}."
    if first["type"] in ("tuple_type", "list_type", "set_type", "frozen_set_type"):
        example = first["input"] if isinstance(first["input"], str) else "…"
        return f'key {key!r}: not a list (given: {first["input"]!r}). A list: {key} = ["{example}"].'
    says = first["msg"].removeprefix("Value error, ")  # of a validator of Malmoi
    return f"key {key!r}: {says} (given: {first['input']!r})."


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
    expect: Table = Field(default_factory=dict)  # Expectations
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


def merge_expectations(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a recipe that extends another: its keys replace those of the base, also within tables.

    >>> merge_expectations({"unique": ["id"], "source_share": {"a": [0, 1]}}, {"source_share": {"b": [0, 1]}})
    {'unique': ['id'], 'source_share': {'a': [0, 1], 'b': [0, 1]}}
    """
    tables = {key for key, value in own.items() if isinstance(value, dict) and isinstance(base.get(key), dict)}
    return base | own | {key: base[key] | own[key] for key in tables}
