"""Prefect flows: the functions of the command line, with parameters as forms and shards as tasks.

Prefect schedules, the workspace holds the state: a flow that runs again continues from the finished shards on disk.
"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.context import SyncClientContext
from prefect.flow_engine import run_flow
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from rich.console import Console

from flows import release as releases
from flows import run as runs
from flows import withdrawals
from flows.collect import Collected
from flows.curate import curate as curate_all
from flows.deployments import source_tasks
from flows.deployments.parameters import (
    Address,
    Contact,
    Copies,
    Dry,
    Engine,
    Folder,
    Keys,
    Kind,
    Limit,
    Reason,
    RecipeName,
    RecipeSources,
    ReleaseName,
    Replace,
    Request,
    Sources,
    Version,
)
from flows.deployments.server_address import find_server
from flows.engine.clusters.mapper import open_engine
from flows.engine.task_mapper import GROUPS, make_mapper, quiet_prefect
from flows.monitoring.run_names import name_run
from flows.monitoring.run_progress import RunProgress, observe_run
from flows.monitoring.run_records import hold_workspace, record_run, take_turn
from flows.release import Released
from flows.reports import crawl_report, curation_report
from malmoi import erasure_plan
from malmoi.errors import StageError, explain_os_error
from malmoi.recipe import Recipe
from malmoi.storage.location import locate
from malmoi.storage.locks import LockRequest, request_locks
from malmoi.workspace import Workspace, pull

PATIENCE = 10.0  # seconds for the first answer of a server

quiet_prefect()  # before Prefect logs that a flow begins: its worker may have been killed meanwhile


erasure_plan.resume_with(withdrawals.resume)


def call_flow(called: Any, wait: float | None, **parameters: Any) -> Any:
    """Run a flow for the command line, which has checked the parameters: its user may name any file.

    `wait` is the time to wait for another run of the workspace, in seconds; None for that of a deployed run.
    StageError says what to do if the server is unreachable or lost.
    """
    try:
        _require_answer()
        called = called.with_options(validate_parameters=False)
        home = Workspace.open(locate(parameters["workspace"]))
        with SyncClientContext.get_or_create() as context:
            # The tag is that of deployments/prefect.yaml, for automations.
            run = context.client.create_flow_run(
                called, parameters=called.serialize_parameters(parameters), tags=["malmoi"]
            )
            with record_run(home, run.id), request_locks(LockRequest(seconds=wait)):
                return run_flow(called, flow_run=run, parameters=parameters)
    except (httpx.TransportError, httpx.InvalidURL, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "API" not in str(error):
            raise
        where, remedy = "the temporary server of Prefect", "Run without --prefect."
        if server := find_server():
            where = f"the Prefect server of {server.named_by}, {server.url},"
            remedy = f"Start it, correct {server.named_by}, or unset it to run without Prefect."
        raise StageError(
            f"{where} does not answer ({type(error).__name__}: {error}). Finished work is kept. {remedy}"
        ) from error


def _require_answer() -> None:
    """Raise httpx.TimeoutException if the server does not answer within PATIENCE: Prefect would ask for minutes."""
    server = find_server()
    try:
        if server is not None:
            httpx.get(f"{server.url}/health", timeout=PATIENCE)
    except httpx.TimeoutException:
        raise
    except (httpx.HTTPError, httpx.InvalidURL):  # Prefect's client says it, or has settings such as a certificate
        return


RUNNER: Any = ThreadPoolTaskRunner(max_workers=GROUPS)  # which mostly wait; the mapper bounds what runs


@contextmanager
def _explain_os_errors() -> Iterator[None]:
    """Explain errors of the operating system, such as a full disk, in the words of the command line."""
    try:
        yield
    except OSError as error:
        raise StageError(explain_os_error(error)) from error


def _check_call(
    recipe: str,
    sources: Sequence[str] | None,
    workspace: str,
    *,
    contact: str | None = None,
    version: str = "",
    replace: bool = True,
) -> tuple[Workspace, Recipe, tuple[str, ...]]:
    """Return the workspace, recipe and sources of a call; CallError, before any write, if it cannot succeed."""
    chosen = runs.recipe_of(recipe)
    names = runs.sources_of(chosen, recipe, sources or ())
    runs.refuse_call(locate(workspace), chosen, contact=contact, version=version)
    releases.refuse_replacement(Workspace(locate(workspace)), chosen.name, names, replace=replace)
    return Workspace.open(locate(workspace)), chosen, names


@flow(name="collect", flow_run_name=name_run, log_prints=False)
def collect(
    sources: Sources, contact: Contact = None, limit: Limit = None, workspace: Folder = "workspace"
) -> State[None]:
    """Bring the captures of sources up to date."""
    with _explain_os_errors():
        runs.refuse_call(locate(workspace), None, contact=contact)
        names = tuple(runs.index_sources(sources).values())
        home = Workspace.open(locate(workspace))
        with hold_workspace(home), observe_run(home, names) as progress:
            done = _collect(progress, names, limit=limit, contact=contact)
        return Completed(message=" · ".join(one.summary for one in done))


@flow(name="curate", flow_run_name=name_run, task_runner=RUNNER, log_prints=False)
def curate(
    recipe: RecipeName,
    sources: RecipeSources = None,
    engine: Engine = "local",
    address: Address = "",
    workspace: Folder = "workspace",
) -> State[None]:
    """Extract, clean, deduplicate and judge what has been collected."""
    with _explain_os_errors(), open_engine(engine, address) as nodes:
        home, chosen, names = _check_call(recipe, sources, workspace)
        with hold_workspace(home), observe_run(home, names, chosen.name) as progress:
            curated = curate_all(home, chosen, names, make_mapper(progress, nodes), progress)
            curation_report.write(home, chosen, curated)
        return Completed(message=f"{chosen.name}: {curated.summary}")


@flow(name="release", flow_run_name=name_run, task_runner=RUNNER, log_prints=False)
def release(
    recipe: RecipeName,
    sources: RecipeSources = None,
    version: Version = "",
    replace: Replace = False,
    engine: Engine = "local",
    address: Address = "",
    workspace: Folder = "workspace",
) -> State[str]:
    """Publish curated documents as an immutable, verified release with its card; return its folder."""
    with _explain_os_errors(), open_engine(engine, address) as nodes:
        home, chosen, names = _check_call(recipe, sources, workspace, version=version, replace=replace)
        with hold_workspace(home), observe_run(home, names, chosen.name) as progress:
            releases.refuse_replacement(home, chosen.name, names, replace=replace)  # by a run that held it before
            mapper = make_mapper(progress, nodes)
            curated = curate_all(home, chosen, names, mapper, progress)
            made = releases.release(home, chosen, names, curated, mapper, progress, version=version)
            progress.publish(made)
        return _end(made)


@flow(name="run", flow_run_name=name_run, task_runner=RUNNER, log_prints=False)
def run(
    recipe: RecipeName,
    sources: RecipeSources = None,
    contact: Contact = None,
    limit: Limit = None,
    version: Version = "",
    replace: Replace = False,
    engine: Engine = "local",
    address: Address = "",
    workspace: Folder = "workspace",
) -> State[str]:
    """Collect, curate and release by a recipe; return the folder of the release."""
    with _explain_os_errors(), open_engine(engine, address) as nodes:
        home, chosen, names = _check_call(recipe, sources, workspace, contact=contact, version=version, replace=replace)
        with hold_workspace(home), observe_run(home, names, chosen.name) as progress:
            releases.refuse_replacement(home, chosen.name, names, replace=replace)  # by a run that held it before
            _collect(progress, names, limit=limit, contact=contact)
            made = runs.curate_and_release(home, chosen, names, make_mapper(progress, nodes), progress, version=version)
            progress.publish(made)
        return _end(made)


@flow(name="refresh", flow_run_name=name_run, task_runner=RUNNER, log_prints=False)
def refresh(
    recipe: RecipeName,
    sources: RecipeSources = None,
    contact: Contact = None,
    replace: Replace = False,
    engine: Engine = "local",
    address: Address = "",
    workspace: Folder = "workspace",
) -> State[str]:
    """Probe the sources, collect what changed, publish the next version, and compare it with the one before.

    Nothing is published if nothing has changed. The folder of the current release is returned.
    """
    with _explain_os_errors(), open_engine(engine, address) as nodes:
        home, chosen, names = _check_call(recipe, sources, workspace, contact=contact, replace=replace)
        with hold_workspace(home), observe_run(home, names, chosen.name) as progress:
            releases.refuse_replacement(home, chosen.name, names, replace=replace)  # by a run that held it before
            source_tasks.probe_all(home, names, contact)
            _collect(progress, names, limit=None, contact=contact)
            made = runs.curate_and_release(home, chosen, names, make_mapper(progress, nodes), progress)
            progress.publish(made)
        return _end(made)


@flow(name="erase", flow_run_name=name_run, log_prints=False)
def erase(
    release: ReleaseName,
    kind: Kind,
    keys: Keys,
    reason: Reason,
    request: Request = "",
    copies: Copies = False,
    dry_run: Dry = True,
    workspace: Folder = "workspace",
) -> State[None]:
    """Erase documents from a release: a patch version without them; they do not come back.

    The log has counts only: `malmoi erase --dry-run` lists documents and near-duplicates.
    """
    from flows.release_index import open_workspace

    with _explain_os_errors(), take_turn(open_workspace(pull(locate(workspace)))):
        done = withdrawals.erase(
            locate(workspace), release, [(kind, key) for key in keys], None, (reason, request),
            copies=copies, dry=dry_run, out=Console(quiet=True),
        )  # fmt: skip
    lines = list(withdrawals.count_erased(done, dry=dry_run))
    for line in lines:
        get_run_logger().info(line)
    return Completed(message=lines[0])


def _end(made: Released) -> State[str]:
    """Return the final state of a run: what it published is its message, the folder of the release its result."""
    return Completed(message=made.summary, data=str(made.folder))


def _collect(progress: RunProgress, names: Sequence[str], *, limit: int | None, contact: str | None) -> list[Collected]:
    """Collect the sources as tasks; report all of them, also if one fails."""
    try:
        return runs.collect_all(
            progress.workspace, names, progress,
            limit=limit, contact=contact, collect_one=source_tasks.collect_as_task,
        )  # fmt: skip
    finally:
        crawl_report.refresh(progress.workspace, names, progress)
