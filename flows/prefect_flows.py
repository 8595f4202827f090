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

import re
from inspect import Signature
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

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
from prefect.utilities import callables
from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

from crawlers import catalogue
from flows import collect as collecting
from flows import release as releases
from flows import run as runs
from flows import withdrawals
from flows.console import SafeConsole
from flows.curate import curate as curate_all
from flows.deployments.home_folder import find_server, list_clusters, list_files
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
from malmoi.storage.location import REFUSED_IN_FORMS, locate
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


if TYPE_CHECKING:
    _RecipeName: TypeAlias = str
    _SourceName: TypeAlias = str
    _Address: TypeAlias = str
else:
    _RecipeName = Literal[(*runs.list_recipes(), *list_files(".toml"))]
    _SourceName = Literal[(*catalogue.names(), *list_files(".py"))]
    _Address = Literal[("", *list_clusters())]
_SourceNames = Annotated[list[_SourceName], Field(min_length=1, json_schema_extra={"uniqueItems": True})]

RecipeName = Annotated[
    _RecipeName,
    Field(title="recipe", description="Filters and name of the release: a shipped recipe, or one of your own."),
]
Sources = Annotated[
    _SourceNames, Field(title="sources", description="Sources of the catalogue, or your own; at least one.")
]
RecipeSources = Annotated[
    _SourceNames | None,
    Field(
        title="sources",
        description="Sources of the catalogue, or your own; leave empty for those that the recipe names.",
    ),
]
Contact = Annotated[
    Annotated[str, Field(pattern=f"^{runs.CONTACT}$")] | None,
    Field(
        title="contact",
        description="Mail address, or http(s) address of a page, that the crawler sends to each host; required on the "
        "open web. Example: crawl@office.example",
    ),
]
Limit = Annotated[
    Annotated[int, Field(ge=1, le=1_000_000)] | None,
    Field(
        title="limit (captures per source)",
        description="Maximum number of captures of each source, 1 to 1,000,000, for a first look; leave empty for all.",
    ),
]
Version = Annotated[
    str,
    Field(
        pattern=f"^({releases.VERSION})?$",
        title="version",
        description="MAJOR.MINOR.PATCH, higher than all releases of the recipe; leave empty for the next one.",
    ),
]
Replace = Annotated[
    bool,
    Field(
        title="replace",
        description="Publish without the documents of the sources of the version before that this run does not name.",
    ),
]


def _refuse_folder(given: str) -> str:
    """Refuse what the schema refuses, also where a server does not enforce it."""
    if wrong := next((what for what, pattern in REFUSED_IN_FORMS.items() if re.search(pattern, given)), ""):
        raise ValueError(f"{given!r} is {wrong}")
    return given


Folder = Annotated[
    str,
    AfterValidator(_refuse_folder),
    Field(
        title="workspace",
        description="Folder of the workspace on the machine of the worker; a relative path is below MALMOI_HOME.",
    ),
]
Engine = Annotated[
    EngineName,
    Field(title="engine", description="Where shards are processed: the machine of the worker, or a cluster."),
]
Address = Annotated[
    _Address,
    Field(
        title="address (of the cluster)",
        description="Ray or Dask cluster of MALMOI_CLUSTERS; leave empty for this machine, or a trial cluster on it.",
    ),
]
ReleaseName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", title="release", description="Name of a release of the workspace: general"),
]
Kind = Annotated[
    Literal["id", "url", "url-prefix", "text-sha256"],
    Field(
        title="kind (of the keys)",
        description="Ids of documents, addresses of pages, beginnings of addresses (which cover all pages below), or "
        "sha256 (hex) of published texts.",
    ),
]
Keys = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(
        min_length=1,
        title="keys",
        description="What to erase. The server stores it; for a personal value, use `malmoi erase --value` instead.",
        json_schema_extra={"uniqueItems": True},
    ),
]
Reason = Annotated[str, Field(min_length=1, title="reason", description="Reason of the erasure; it is published.")]
Request = Annotated[str, Field(title="request", description="Who asked for it, or the number of the request.")]
Copies = Annotated[bool, Field(title="copies", description="Erase the recorded near-duplicates too.")]
Dry = Annotated[bool, Field(title="dry_run", description="Count what would be erased, and write nothing.")]


# Rules beside the types of fields: a parameter → rules of a flow that has it. One rule, one reason: the server says the
# title of the one that is broken. They are not in the fields, which the form would show as a choice.
_RULES: dict[str, list[dict[str, Any]]] = {
    "address": [  # belongs to an engine that has clusters
        {
            "if": {"properties": {"address": {"minLength": 1}}, "required": ["address"]},
            "then": {"properties": {"engine": {"enum": ["ray", "dask"]}}, "required": ["engine"]},
        }
    ],
    "workspace": [
        {"properties": {"workspace": {"not": {"title": what, "type": "string", "pattern": pattern}}}}
        for what, pattern in REFUSED_IN_FORMS.items()
    ],
    # The $ of the patterns above is for the server also the place before a last line break.
    **{
        name: [
            {"properties": {name: {"not": {"title": "a value with a line break", "type": "string", "pattern": "\n"}}}}
        ]
        for name in ("contact", "version", "release")
    },
}


class _ClosedSchema(callables.ParameterSchema):
    additionalProperties: bool  # noqa: N815  # a keyword of JSON Schema
    allOf: list[dict[str, Any]] | None  # noqa: N815


def _make_form(signature: Signature, docstrings: dict[str, str]) -> callables.ParameterSchema:
    """Make the schema of a flow: unknown parameters refused, titles and help texts of `Annotated`, plain fields.

    A parameter that may be None becomes a field that may stay empty, and not a choice between a type and "None".
    """
    rules = [rule for name in _RULES if name in signature.parameters for rule in _RULES[name]]
    made = _ClosedSchema(
        **_generate(signature, docstrings).model_dump(), additionalProperties=False, allOf=rules or None
    )
    for name, parameter in signature.parameters.items():
        field = made.properties[name]
        for said in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(said, FieldInfo):
                field |= {"title": said.title, "description": said.description}
        shown: list[dict[str, Any]] = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
        if len(shown) == 1 and field.get("default", "") is None:
            field |= shown[0]
            del field["anyOf"], field["default"]
    return made


# Prefect 3.9 drops titles and help texts of `Annotated`, and omits additionalProperties: the server would start a run
# with a misspelt parameter, which crashes. Without a setting for it, the function that makes the schema is wrapped for
# every flow of a process that has loaded this module.
_generate = callables.generate_parameter_schema
callables.generate_parameter_schema = _make_form


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
            copies=copies, dry=dry_run, out=SafeConsole(quiet=True),
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
