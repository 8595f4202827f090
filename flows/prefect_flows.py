"""Prefect flows: the functions of the command line, with parameters as forms and shards as tasks.

Prefect schedules, the workspace holds the state: a flow that runs again continues from the finished shards on disk.
"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from malmoi.processes.import_path import exclude_working_folder

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")  # a cold start took 25 s on two cores
os.environ.setdefault(
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "60"
)  # seconds; deployments/automations.yaml waits for three

if getattr(sys.modules["__main__"], "__spec__", None) is not None:  # `python -m`, as Prefect starts a flow run
    exclude_working_folder()

import httpx
from prefect import flow, get_run_logger, tags
from prefect.artifacts import create_markdown_artifact
from prefect.task_runners import ThreadPoolTaskRunner
from rich.console import Console

from flows import release as releases
from flows import run as runs
from flows.curate import curate as curate_all
from flows.deployments import source_tasks
from flows.deployments.parameters import (
    Contact,
    Copies,
    Dry,
    Folder,
    Keys,
    Kind,
    Limit,
    Reason,
    RecipeName,
    RecipeSources,
    ReleaseName,
    Request,
    Sources,
    Version,
)
from flows.deployments.server_address import find_server
from flows.engine import worker_pool
from flows.engine.progress import Progress
from flows.engine.task_mapper import map_as_tasks
from flows.reports import crawl_report, curation_report
from malmoi.errors import StageError, explain_os_error
from malmoi.recipe import Recipe
from malmoi.storage.location import locate
from malmoi.workspace import Workspace


class _LoggedProgress(Progress):
    def say(self, line: str) -> None:
        get_run_logger().info(line)


def call_flow(called: Any, **parameters: Any) -> Any:
    """Run a flow for the command line, which has checked the parameters: its user may name any file.

    StageError says what to do if the server is unreachable or lost.
    """
    try:
        with tags("malmoi"):  # as in deployments/prefect.yaml, for automations
            return called.with_options(validate_parameters=False)(**parameters)
    except (httpx.TransportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "API" not in str(error):
            raise
        where, remedy = "the temporary server of Prefect", "Run without --prefect."
        if server := find_server():
            where = f"the Prefect server of {server.named_by}, {server.url},"
            remedy = f"Start it, correct {server.named_by}, or unset it to run without Prefect."
        raise StageError(
            f"{where} does not answer ({type(error).__name__}: {error}). Finished work is kept. {remedy}"
        ) from error


_runner: Any = ThreadPoolTaskRunner(max_workers=worker_pool.count())


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


@flow(name="collect", log_prints=False)
def collect(sources: Sources, contact: Contact = None, limit: Limit = None, workspace: Folder = "workspace") -> None:
    """Bring the captures of sources up to date."""
    with _explain_os_errors():
        runs.refuse_call(locate(workspace), None, contact=contact)
        names = tuple(runs.index_sources(sources).values())
        home = Workspace.open(locate(workspace))
        with home.lock():
            _collect(home, names, limit=limit, contact=contact)


@flow(name="curate", task_runner=_runner, log_prints=False)
def curate(recipe: RecipeName, sources: RecipeSources = None, workspace: Folder = "workspace") -> None:
    """Extract, clean, deduplicate and judge what has been collected."""
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace)
        with home.lock():
            curation_report.write(home, chosen, curate_all(home, chosen, names, map_as_tasks, _LoggedProgress()))


@flow(name="release", task_runner=_runner, log_prints=False)
def release(
    recipe: RecipeName, sources: RecipeSources = None, version: Version = "", workspace: Folder = "workspace"
) -> str:
    """Publish curated documents as an immutable, verified release with its card; return its folder."""
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace, version=version)
        with home.lock():
            curated = curate_all(home, chosen, names, map_as_tasks, _LoggedProgress())
            made = releases.release(home, chosen, names, curated, map_as_tasks, _LoggedProgress(), version=version)
        _show_card(made)
        return str(made.folder)


@flow(name="run", task_runner=_runner, log_prints=False)
def run(
    recipe: RecipeName,
    sources: RecipeSources = None,
    contact: Contact = None,
    limit: Limit = None,
    version: Version = "",
    workspace: Folder = "workspace",
) -> str:
    """Collect, curate and release by a recipe; return the folder of the release."""
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace, contact=contact, version=version)
        with home.lock():
            _collect(home, names, limit=limit, contact=contact)
            made = runs.curate_and_release(home, chosen, names, map_as_tasks, _LoggedProgress(), version=version)
        _show_card(made)
        return str(made.folder)


@flow(name="refresh", task_runner=_runner, log_prints=False)
def refresh(
    recipe: RecipeName, sources: RecipeSources = None, contact: Contact = None, workspace: Folder = "workspace"
) -> str:
    """Probe the sources, collect what changed, publish the next version, and compare it with the one before.

    Nothing is published if nothing has changed. The folder of the current release is returned.
    """
    with _explain_os_errors():
        home, chosen, names = _check_call(recipe, sources, workspace, contact=contact)
        with home.lock():
            source_tasks.probe_all(home, names, contact)
            last = releases.read_history(home).latest(chosen.name)
            _collect(home, names, limit=None, contact=contact)
            made = runs.curate_and_release(home, chosen, names, map_as_tasks, _LoggedProgress())
        _show_card(made)
        get_run_logger().info(made.says())
        if made.new and last is not None:
            _show_changes(home.releases(chosen.name) / last.version, made)
        return str(made.folder)


@flow(name="erase", log_prints=False)
def erase(
    release: ReleaseName,
    kind: Kind,
    keys: Keys,
    reason: Reason,
    request: Request = "",
    copies: Copies = False,
    dry_run: Dry = True,
    workspace: Folder = "workspace",
) -> None:
    """Erase documents from a release: a patch version without them; they do not come back.

    The log has counts only: `malmoi erase --dry-run` lists documents and near-duplicates.
    """
    from flows.cli import show_erasure

    with _explain_os_errors():
        done = show_erasure.erase(
            locate(workspace), release, [(kind, key) for key in keys], None, (reason, request),
            copies=copies, dry=dry_run, out=Console(quiet=True),
        )  # fmt: skip
    for line in show_erasure.count_erased(done, dry=dry_run):
        get_run_logger().info(line)


def _collect(home: Workspace, names: Sequence[str], *, limit: int | None, contact: str | None) -> None:
    """Collect the sources as tasks; report all of them, also if one fails."""
    progress = _LoggedProgress()
    try:
        runs.collect_all(home, names, progress, limit=limit, contact=contact, collect_one=source_tasks.collect_as_task)
    finally:
        _show_funnels(crawl_report.refresh(home, names, progress), "collection")


def _show_funnels(found: Sequence[crawl_report.Funnel], key: str) -> None:
    """Publish the crawl report as an artifact of the run."""
    if found:
        create_markdown_artifact(
            crawl_report.to_markdown(found), key=key, description="from the first address to the usable documents"
        )


def _show_card(made: releases.Released) -> None:
    """Publish the card as an artifact of the run, below the link to its folder."""
    text = (made.folder / "README.md").read_text(encoding="utf-8")
    body = text.split("---\n", 2)[-1]
    create_markdown_artifact(body, key=f"card-{made.name}".replace("_", "-"), description=f"{made.name} {made.version}")


def _show_changes(before: Path, made: releases.Released) -> None:
    """Publish the differences from the version before as an artifact of the run."""
    from flows.cli import diff

    create_markdown_artifact(
        diff.to_markdown(diff.compare_releases(before, made.folder)),
        key=f"changes-{made.name}".replace("_", "-"), description=f"{before.name} → {made.version}",
    )  # fmt: skip
