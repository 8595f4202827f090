"""Run: collect → curate → release; finished work is not repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from crawlers import catalogue
from flows.collect import Collected, collect
from flows.curate import curate
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.release import Released, read_history, refuse_version, release
from flows.reports import crawl_report, curation_report
from flows.source_files import terms_of
from malmoi import recipe as recipes
from malmoi.errors import CallError, MalmoiError, SourceError
from malmoi.recipe import Recipe
from malmoi.storage.location import locate
from malmoi.workspace import Workspace, push

RECIPES = Path(__file__).parent / "recipes"
# It is sent in a header: visible ASCII, and an address at which the operator can be reached.
CONTACT = r"((mailto:)?[!-?A-~]+@[!-?A-~]+|https?://[!-.0-~][!-~]*)"


def list_recipes() -> tuple[str, ...]:
    """Return the names of the shipped recipes, sorted."""
    return tuple(recipes.find_shipped())


def recipe_of(name: str) -> Recipe:
    """Load the shipped recipe `name`, or the one in a file that ends in .toml."""
    return recipes.load(find_recipe(name))


def find_recipe(name: str) -> Path:
    """Return the file of the shipped recipe `name`, or `name` itself if it ends in .toml."""
    found = recipes.find_shipped()
    if name.endswith(".toml"):
        return Path(name)
    if name not in found:
        raise CallError(
            f"no recipe is called {name!r}: choose one of {', '.join(found)}, or name a file that ends in .toml."
        )
    return found[name]


def refuse_call(workspace: Path, recipe: Recipe | None, *, contact: str | None = None, version: str = "") -> None:
    """Raise CallError for a call that could only fail later: at the crawl for `contact`, at the end for `version`.

    Checked before anything is written, so that no crawl is wasted. `recipe` is the one that `version` belongs to.
    """
    if contact is not None and not (contact.isprintable() and re.fullmatch(CONTACT, contact)):
        raise CallError(
            f"contact {contact!r} is not an address; give a mail address, or the address (http or https) of a page "
            "that says who crawls."
        )
    if recipe is not None and version:
        refuse_version(recipe.name, version, read_history(Workspace(locate(workspace))))


def sources_of(recipe: Recipe, recipe_name: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return the sources of a run: those given, else those of the recipe, whose paths are relative to its file."""
    if given:
        chosen = tuple(given)
    else:
        base = Path(recipe_name).parent if recipe_name.endswith(".toml") else Path()
        chosen = tuple(str(base / s) if s.endswith(".py") else s for s in recipe.sources)
    if not chosen:
        raise CallError(
            f"recipe {recipe.name!r} names no source; name sources in the call (--source), or `sources = [...]` in a "
            "recipe of your own. `malmoi sources` lists the catalogue."
        )
    found = index_sources(chosen)
    return tuple(found[name] for name in sorted(found))


def index_sources(chosen: Sequence[str]) -> dict[str, str]:
    """Map the name of each source to how it was given; CallError for none, or one that fails to load or repeats."""
    if not chosen:
        raise CallError("name at least one source; `malmoi sources` lists the catalogue.")
    found: dict[str, str] = {}
    for given in chosen:
        name = catalogue.load(given).source.name
        if name in found:
            raise CallError(
                f"sources {found[name]!r} and {given!r} are both called {name!r}, so their ids would collide; "
                "name each source once."
            )
        found[name] = given
    return found


def collect_all(
    workspace: Workspace,
    names: Sequence[str],
    progress: Progress,
    *,
    limit: int | None,
    contact: str | None,
    collect_one: Callable[..., Collected] = collect,
) -> list[Collected]:
    """Collect each source; one that fails, or lacks a key or a terms check, stops only itself; errors come last."""
    done: list[Collected] = []
    faults: list[MalmoiError] = []
    for name in names:
        try:
            terms = terms_of(workspace, catalogue.load(name).source)
            done.append(collect_one(workspace, name, progress, limit=limit, contact=contact, terms=terms))
        except (SourceError, CallError) as error:
            if len(names) > 1:
                progress.say(f"  {error}")  # now, because the others may take hours; and again at the end
            faults.append(error)
        finally:
            push(workspace.captures(catalogue.load(name).source.name))
    if faults:
        called = all(isinstance(error, CallError) for error in faults)
        raise (CallError if called else SourceError)("\n".join(map(str, faults)))
    return done


def run(
    workspace: Workspace,
    recipe: Recipe,
    sources: Sequence[str],
    mapper: Mapper,
    progress: Progress,
    *,
    limit: int | None = None,
    contact: str | None = None,
    version: str = "",
) -> Released:
    """Collect the sources, curate by the recipe, and release what is kept."""
    try:
        collect_all(workspace, sources, progress, limit=limit, contact=contact)
    except (SourceError, CallError):  # report the other sources as well
        crawl_report.refresh(workspace, sources, progress)
        raise
    return curate_and_release(workspace, recipe, sources, mapper, progress, version=version)


def curate_and_release(
    workspace: Workspace,
    recipe: Recipe,
    sources: Sequence[str],
    mapper: Mapper,
    progress: Progress,
    *,
    version: str = "",
) -> Released:
    """Curate what has been collected, write the reports, and release what is kept."""
    curated = curate(workspace, recipe, sources, mapper, progress)
    crawl_report.refresh(workspace, sources, progress, dict(curated.read))
    curation_report.write(workspace, recipe, curated)
    return release(workspace, recipe, sources, curated, mapper, progress, version=version)
