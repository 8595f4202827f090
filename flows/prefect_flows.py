"""Prefect flows: the functions of the command line, with parameters as forms and shards as tasks.

Prefect schedules, the workspace holds the state: a flow that runs again continues from the finished shards on disk.
"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

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
from prefect import flow, get_run_logger, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import State
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.context import SyncClientContext
from prefect.exceptions import ObjectAlreadyExists
from prefect.flow_engine import run_flow
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from rich.console import Console

from crawlers import catalogue
from flows import collect as collecting
from flows import release as releases
from flows import run as runs
from flows import withdrawals
from flows.curate import curate as curate_all
from flows.deployments.home_folder import find_server
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
from flows.deployments.run_progress import RunProgress, hold_workspace, name_run, observe_run, record_run, take_turn
from flows.engine.clusters import open_engine
from flows.engine.executors import EngineName, Mapper
from flows.engine.progress import Progress
from flows.engine.task_mapper import GROUPS, make_mapper, quiet_prefect
from flows.reports import crawl_report, curation_report
from flows.source_files import probe
from malmoi import erasure_plan
from malmoi.errors import CallError, HostError, StageError, explain_os_error
from malmoi.recipe import Recipe
from malmoi.source import Source
from malmoi.storage.location import locate
from malmoi.storage.locks import LockRequest, request_locks
from malmoi.workspace import Workspace, pull

PATIENCE = 10.0  # seconds for the first answer of a server
LONGEST_WAIT = 6 * 3600  # seconds for a host that another run collects from
RUNNER: Any = ThreadPoolTaskRunner(max_workers=GROUPS)  # which mostly wait; the mapper bounds what runs
RETRIES: dict[str, Any] = {  # of a task about a source, whose host may answer later
    "retries": 2,
    "retry_delay_seconds": [60, 600],
    "retry_condition_fn": lambda task, run, state: isinstance(state.result(raise_on_failure=False), HostError),
    "persist_result": False,
}

quiet_prefect()  # before Prefect logs that a flow begins: its worker may have been killed meanwhile
erasure_plan.resume_with(withdrawals.resume)


def call_flow(called: Any, wait: float | None, **parameters: Any) -> Any:
    """Run a flow for the command line, which has checked the parameters: its user may name any file.

    `wait` is the time to wait for another run of the workspace, in seconds; None for that of a deployed run.
    StageError says what to do if the server is unreachable or lost.
    """
    server = find_server()
    try:
        try:
            if server is not None:  # Prefect would ask a server that says nothing for minutes
                httpx.get(f"{server.url}/health", timeout=PATIENCE)
        except httpx.TimeoutException:
            raise
        except (httpx.HTTPError, httpx.InvalidURL):  # Prefect's client says it, or has settings such as a certificate
            pass
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
        if server is not None:
            where = f"the Prefect server of {server.named_by}, {server.url},"
            remedy = f"Start it, correct {server.named_by}, or unset it to run without Prefect."
        raise StageError(
            f"{where} does not answer ({type(error).__name__}: {error}). Finished work is kept. {remedy}"
        ) from error


@contextmanager
def _explain_os_errors() -> Iterator[None]:
    """Explain errors of the operating system, such as a full disk, in the words of the command line."""
    try:
        yield
    except OSError as error:
        raise StageError(explain_os_error(error)) from error


@contextmanager
def _begin(
    recipe: str,
    sources: Sequence[str] | None,
    engine: EngineName,
    address: str,
    workspace: str,
    *,
    contact: str | None = None,
    version: str = "",
    replace: bool = True,
) -> Iterator[tuple[Recipe, tuple[str, ...], Mapper, RunProgress]]:
    """Hold the workspace of a run, and show it; CallError, before any write, if the call cannot succeed."""
    with _explain_os_errors(), open_engine(engine, address) as nodes:
        root, chosen = locate(workspace), runs.recipe_of(recipe)
        names = runs.sources_of(chosen, recipe, sources or ())
        runs.refuse_call(root, chosen, contact=contact, version=version)
        releases.refuse_replacement(Workspace(root), chosen.name, names, replace=replace)
        home = Workspace.open(root)
        with hold_workspace(home), observe_run(home, names, chosen.name) as progress:
            releases.refuse_replacement(home, chosen.name, names, replace=replace)  # by a run that held it before
            yield chosen, names, make_mapper(progress, nodes), progress


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
    with _begin(recipe, sources, engine, address, workspace) as (chosen, names, mapper, progress):
        curated = curate_all(progress.workspace, chosen, names, mapper, progress)
        curation_report.write(progress.workspace, chosen, curated)
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
    begun = _begin(recipe, sources, engine, address, workspace, version=version, replace=replace)
    with begun as (chosen, names, mapper, progress):
        curated = curate_all(progress.workspace, chosen, names, mapper, progress)
        made = releases.release(progress.workspace, chosen, names, curated, mapper, progress, version=version)
        progress.publish(made)
    return Completed(message=made.summary, data=str(made.folder))


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
    begun = _begin(recipe, sources, engine, address, workspace, contact=contact, version=version, replace=replace)
    with begun as (chosen, names, mapper, progress):
        _collect(progress, names, limit=limit, contact=contact)
        made = runs.curate_and_release(progress.workspace, chosen, names, mapper, progress, version=version)
        progress.publish(made)
    return Completed(message=made.summary, data=str(made.folder))


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
    begun = _begin(recipe, sources, engine, address, workspace, contact=contact, replace=replace)
    with begun as (chosen, names, mapper, progress):
        probe_all(progress.workspace, names, contact)
        _collect(progress, names, limit=None, contact=contact)
        made = runs.curate_and_release(progress.workspace, chosen, names, mapper, progress)
        progress.publish(made)
    return Completed(message=made.summary, data=str(made.folder))


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


def _collect(
    progress: RunProgress, names: Sequence[str], *, limit: int | None, contact: str | None
) -> list[collecting.Collected]:
    """Collect the sources as tasks; report all of them, also if one fails."""
    try:
        return runs.collect_all(
            progress.workspace, names, progress,
            limit=limit, contact=contact, collect_one=collect_as_task,
        )  # fmt: skip
    finally:
        crawl_report.refresh(progress.workspace, names, progress)


def collect_as_task(workspace: Workspace, name: str, progress: Progress, **options: Any) -> collecting.Collected:
    """Collect a source as a task of the running flow; it is tried again if its host does not answer."""
    source = catalogue.load(name).source

    @task(name=f"collect {source.name}", task_run_name=f"collect {source.name}", **RETRIES)
    def collect_source() -> collecting.Collected:
        with _hold_hosts(source, progress):
            return collecting.collect(workspace, name, progress, **options)

    return collect_source()


def probe_all(workspace: Workspace, names: Sequence[str], contact: str | None) -> None:
    """Probe each source as a task; CallError with what each one lacks, or HostError, before anything is collected."""
    faults: list[CallError | HostError] = []
    for name in names:
        source = catalogue.load(name).source

        @task(name=f"probe {source.name}", task_run_name=f"probe {source.name}", **RETRIES)
        def probe_source(name: str = name) -> None:
            probe(workspace, name, contact)

        try:
            probe_source()
        except (CallError, HostError) as error:
            faults.append(error)
    if faults:
        called = any(isinstance(error, CallError) for error in faults)
        raise (CallError if called else HostError)("\n".join(map(str, faults)))


def list_hosts(source: Source) -> list[str]:
    """List the hosts of a source, sorted; [] for a local one.

    >>> from malmoi.source import Site
    >>> list_hosts(Source("a", "A", "B", Site(("https://b.example/1",), ("https://a.example/",))))
    ['a.example', 'b.example']
    """
    return sorted({urlsplit(url).netloc.rpartition("@")[2].lower() for url in catalogue.addresses(source)})


@contextmanager
def _hold_hosts(source: Source, progress: Progress) -> Iterator[None]:
    """Hold the limits `host:NAME` of a source, made with the value 1: no two runs collect from a host at once.

    StageError if other runs hold one for LONGEST_WAIT, HostError if the server cannot say who does. Limits need a
    server: without one, nothing is held.
    """
    limits = [f"host:{host}" for host in list_hosts(source)]
    if not limits or find_server() is None:
        yield
        return
    with get_client(sync_client=True) as client:
        for limit in limits:
            with suppress(ObjectAlreadyExists):
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=limit, limit=1))
            found = client.read_global_concurrency_limit_by_name(limit)
            if found.active and found.active_slots >= found.limit:
                progress.say(f"{source.name}: waits for {limit}, held by another run")
    with ExitStack() as held:
        try:
            held.enter_context(
                concurrency(limits, timeout_seconds=LONGEST_WAIT, strict=True, raise_on_lease_renewal_failure=False)
            )
        except ConcurrencySlotAcquisitionError as error:
            raise HostError(
                f"{source.name}: the Prefect server could not grant {', '.join(limits)} ({error}). Run again later."
            ) from error
        except TimeoutError as error:
            raise StageError(
                f"{source.name}: other runs have held {', '.join(limits)} for {LONGEST_WAIT // 3600} hours. If none "
                "collects from there, free it: prefect global-concurrency-limit update LIMIT --active-slots 0"
            ) from error
        yield
