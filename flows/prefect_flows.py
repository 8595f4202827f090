"""Prefect flows: the functions of the command line, with parameters as forms and shards as tasks.

Prefect schedules, the workspace holds the state: a flow that runs again continues from the finished shards on disk.
"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import Signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from malmoi.processes.import_path import exclude_working_folder

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")  # a cold start took 25 s on two cores

if getattr(sys.modules["__main__"], "__spec__", None) is not None:  # `python -m`, as Prefect starts a flow run
    exclude_working_folder()

import httpx
from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities import callables
from pydantic import Field

from crawlers import catalogue
from flows import release as releases
from flows import run as runs
from flows.curate import curate as curate_all
from flows.engine import worker_pool
from flows.engine.task_mapper import make_mapper
from flows.monitoring.run_names import name_run
from flows.monitoring.run_progress import observe_run
from flows.reports import crawl_report, curation_report
from malmoi.errors import StageError, explain_os_error
from malmoi.recipe import Recipe
from malmoi.storage.location import PATTERN, locate
from malmoi.workspace import Workspace

# What a form offers and the server accepts. `_check_call` refuses what a schema cannot check (a missing file, the same
# source under two names, a version that exists) before anything runs.
if TYPE_CHECKING:
    RecipeName: TypeAlias = str
    SourceName: TypeAlias = str
else:
    RecipeName = Literal[runs.list_recipes()] | Annotated[str, Field(pattern=r"^.+\.toml$", title="a file")]
    SourceName = Literal[tuple(catalogue.names())] | Annotated[str, Field(pattern=r"^.+\.py$", title="a file")]
Sources = Annotated[list[SourceName], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
Folder = Annotated[str, Field(pattern=PATTERN)]
Limit = Annotated[int, Field(ge=1)] | None
Contact = Annotated[str, Field(pattern=f"^{runs.CONTACT}$")] | None
Version = Annotated[str, Field(pattern=f"^({releases.VERSION})?$")]


class _ClosedSchema(callables.ParameterSchema):
    additionalProperties: bool  # noqa: N815  # a keyword of JSON Schema


def _close_schema(signature: Signature, docstrings: dict[str, str]) -> callables.ParameterSchema:
    return _ClosedSchema(**_generate(signature, docstrings).model_dump(), additionalProperties=False)


# Prefect 3.9 omits additionalProperties from the schema of a flow, and the server starts a run with a misspelt
# parameter, which crashes. There is no setting, so the function that makes the schema is wrapped for every flow
# of a process that has loaded this module.
_generate = callables.generate_parameter_schema
callables.generate_parameter_schema = _close_schema


@contextmanager
def explain_server_errors() -> Iterator[None]:
    """Run flows in the body; turn an unreachable or lost server into an error that says what to do."""
    try:
        yield
    except (httpx.TransportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "API" not in str(error):
            raise
        where, remedy = "the temporary server of Prefect", "Run without --prefect."
        if url := os.environ.get("PREFECT_API_URL"):
            where = f"the Prefect server of PREFECT_API_URL, {url},"
            remedy = "Start it, correct PREFECT_API_URL, or unset it to run without Prefect."
        raise StageError(
            f"{where} does not answer ({type(error).__name__}: {error}). Finished work is kept. {remedy}"
        ) from error


_runner: Any = ThreadPoolTaskRunner(max_workers=worker_pool.count() + 1)


@contextmanager
def _explain_os_errors() -> Iterator[None]:
    """Explain errors of the operating system, such as a full disk, in the words of the command line."""
    try:
        yield
    except OSError as error:
        raise StageError(explain_os_error(error)) from error


def _check_call(
    recipe: str, sources: Sequence[str] | None, workspace: str, *, contact: str | None = None, version: str = ""
) -> tuple[Workspace, Recipe, tuple[str, ...]]:
    """Return the workspace, recipe and sources of a call; CallError, before any write, if it cannot succeed."""
    chosen = runs.recipe_of(recipe)
    names = runs.sources_of(chosen, recipe, sources or ())
    runs.refuse_call(locate(workspace), chosen, contact=contact, version=version)
    return Workspace.open(locate(workspace)), chosen, names


@flow(name="collect", flow_run_name=name_run, log_prints=False)
def collect(sources: Sources, workspace: Folder = "workspace", limit: Limit = None, contact: Contact = None) -> None:
    """Bring the captures of sources up to date.

    Args:
        sources: Sources of the catalogue, or paths that end in .py.
        workspace: Folder of the workspace on the machine of the worker; a relative path is below MALMOI_HOME.
        limit: Maximum number of captures per source; none for all.
        contact: Contact for the crawl, a mail address or a page; required on the open web.
    """
    with _explain_os_errors():
        runs.refuse_call(locate(workspace), None, contact=contact)
        names = tuple(runs.index_sources(sources).values())
        home = Workspace.open(locate(workspace))
        with home.lock(), observe_run(home, names) as progress:
            try:
                runs.collect_all(home, names, progress, limit=limit, contact=contact)
            finally:  # report the other sources as well
                crawl_report.refresh(home, names, progress)


@flow(name="curate", flow_run_name=name_run, task_runner=_runner, log_prints=False)
def curate(recipe: RecipeName, sources: Sources | None = None, workspace: Folder = "workspace") -> None:
    """Extract, clean, deduplicate and judge what has been collected.

    Args:
        recipe: A shipped recipe, or the path of a recipe that ends in .toml.
        sources: Sources of the catalogue, or paths that end in .py; none for those that the recipe names.
        workspace: Folder of the workspace on the machine of the worker; a relative path is below MALMOI_HOME.
    """
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace)
        with home.lock(), observe_run(home, names, chosen.name) as progress:
            curated = curate_all(home, chosen, names, make_mapper(progress), progress)
            curation_report.write(home, chosen, curated)


@flow(name="release", flow_run_name=name_run, task_runner=_runner, log_prints=False)
def release(
    recipe: RecipeName, sources: Sources | None = None, workspace: Folder = "workspace", version: Version = ""
) -> str:
    """Publish curated documents as an immutable, verified release with its card; return its folder.

    Args:
        recipe: A shipped recipe, or the path of a recipe that ends in .toml.
        sources: Sources of the catalogue, or paths that end in .py; none for those that the recipe names.
        workspace: Folder of the workspace on the machine of the worker; a relative path is below MALMOI_HOME.
        version: MAJOR.MINOR.PATCH, higher than all releases; empty for the next one.
    """
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace, version=version)
        with home.lock(), observe_run(home, names, chosen.name) as progress:
            mapper = make_mapper(progress)
            curated = curate_all(home, chosen, names, mapper, progress)
            made = releases.release(home, chosen, names, curated, mapper, progress, version=version)
            progress.publish(made)
        return str(made.folder)


@flow(name="run", flow_run_name=name_run, task_runner=_runner, log_prints=False)
def run(
    recipe: RecipeName,
    sources: Sources | None = None,
    workspace: Folder = "workspace",
    limit: Limit = None,
    contact: Contact = None,
    version: Version = "",
) -> str:
    """Collect, curate and release by a recipe; return the folder of the release.

    Args:
        recipe: A shipped recipe, or the path of a recipe that ends in .toml.
        sources: Sources of the catalogue, or paths that end in .py; none for those that the recipe names.
        workspace: Folder of the workspace on the machine of the worker; a relative path is below MALMOI_HOME.
        limit: Maximum number of captures per source; none for all.
        contact: Contact for the crawl, a mail address or a page; required on the open web.
        version: MAJOR.MINOR.PATCH, higher than all releases; empty for the next one.
    """
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace, contact=contact, version=version)
        with home.lock(), observe_run(home, names, chosen.name) as progress:
            made = runs.run(
                home, chosen, names, make_mapper(progress), progress, limit=limit, contact=contact, version=version
            )
            progress.publish(made)
        return str(made.folder)
