"""Tasks about one source: probe it, and collect it while no other run collects from its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists

from crawlers import catalogue
from flows.collect import Collected, collect
from flows.deployments.server_address import find_server
from flows.engine.progress import Progress
from flows.probe import probe
from malmoi.errors import CallError, HostError, StageError
from malmoi.source import Source
from malmoi.workspace import Workspace

RETRIES: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [60, 600],
    "retry_condition_fn": lambda task, run, state: _may_pass(state),
    "persist_result": False,
}
LONGEST_WAIT = 6 * 3600  # seconds for a host that another run collects from


def collect_as_task(workspace: Workspace, name: str, progress: Progress, **options: Any) -> Collected:
    """Collect a source as a task of the running flow; it is tried again if its host does not answer."""
    source = catalogue.load(name).source

    @task(name=f"collect {source.name}", task_run_name=f"collect {source.name}", **RETRIES)
    def collect_source() -> Collected:
        with _hold_hosts(source, progress):
            return collect(workspace, name, progress, **options)

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


def _may_pass(state: Any) -> bool:
    return isinstance(state.result(raise_on_failure=False), HostError)


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
