"""Show a flow run on its server: name, log lines, progress, assets, funnel, and card; and record it in its workspace.

The record says whose process is alive, so that a dead one does not stay "Running". Each flow run locks a file of its id
in `.flow-runs/` while its process lives; the kernel releases the lock however the process ends. A run that ends deletes
its file. Thus a file that can be locked belongs to a dead process, and the next flow run of the workspace marks that
run as crashed on its server, also one that died while it waited for its turn.

A run of the command line has its file before its server shows it as running. The worker of a deployed run reports a
process that dies before that.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_logger, get_run_logger
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import Crashed

from crawlers import catalogue
from flows.deployments.home_folder import find_server
from flows.engine.progress import Progress, Step, format_seconds
from flows.engine.task_mapper import quiet_prefect
from flows.release import Released
from flows.reports import crawl_report
from malmoi.releases import excluded_documents
from malmoi.storage.locks import LockRequest, find_request, is_open_file, request_locks, try_lock
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES

LONGEST_WAIT = 6 * 3600.0  # seconds for the workspace, unless the command line says otherwise
LONGEST_LOOK = 60.0  # seconds that another run takes to look at a record
REASON = "the process of this run ended without a word (it was killed, or its machine failed). Finished work is kept."

EVERY = 5.0  # seconds between two updates of an artifact: a request takes the server 10 ms
SHORT = "survey"  # first word of stages that have an artifact only if they take longer than EVERY
COLLECT = "collect "  # first word of the stage that collects a source
NAMED = 3  # sources that the name of a run spells
SHOWN = 30  # reasons of one step
AWAY_SECONDS = 300.0  # a call to a server that is gone takes Prefect 62 s, with its repetitions
MATERIALIZED, REFERENCED = "prefect.asset.materialization.succeeded", "prefect.asset.referenced"
HOME_URL = "MALMOI_HOME_URL"  # address below which the folder MALMOI_HOME is served, if it is

T = TypeVar("T")
_away_until = 0.0  # time.monotonic() before which no call is made
_turn = threading.RLock()
_held: set[Path] = set()  # the records of this process
_RETRIES = get_current_settings().client.max_retries  # of a call, by Prefect


def name_run() -> str:
    """Return the name of the running flow run: recipe and sources, instead of two random words."""
    return describe_call(flow_run.flow_name or "", flow_run.parameters)


def describe_call(flow: str, parameters: Mapping[str, Any]) -> str:
    """Describe a call: flow, recipe or release, and sources.

    >>> describe_call("run", {"recipe": "general", "sources": ["sample", "mine/news.py"]})
    'run general: sample, news'
    >>> describe_call("collect", {"sources": ["a", "b", "c", "d"], "limit": 10})
    'collect: a, b, c and 1 more, limit 10'
    """
    about = [Path(str(parameters[name])).stem for name in ("recipe", "release") if parameters.get(name)]
    sources = [Path(str(source)).stem for source in parameters.get("sources") or ()]
    said = ", ".join(sources[:NAMED]) + (f" and {len(sources) - NAMED} more" if len(sources) > NAMED else "")
    limits = [f"limit {parameters['limit']}"] if parameters.get("limit") else []
    rest = ", ".join([*([said] if said else []), *limits])
    return " ".join([flow, *about]) + (f": {rest}" if rest else "")


def send(what: str, call: Callable[[], T]) -> T | None:
    """Call the server; an error is logged and stops nothing, because the workspace holds the result.

    A server that is gone costs each call a minute, so none is made for AWAY_SECONDS after one that did not reach it.
    Until one reaches it again, the calls of Prefect itself, such as the three for the final state, are repeated once.
    """
    global _away_until
    with _turn:  # else two threads wait one after the other
        if time.monotonic() < _away_until:
            return None
        try:
            found = call()
        except Exception as error:
            if isinstance(error, httpx.TransportError):
                _away_until = time.monotonic() + AWAY_SECONDS
                get_current_settings().client.max_retries = min(_RETRIES, 1)
            logger = get_run_logger() if FlowRunContext.get() else get_logger()
            logger.warning(f"{what}: the server did not take it ({type(error).__name__}).")
            return None
        get_current_settings().client.max_retries = _RETRIES
        return found


def has_lost_server() -> bool:
    """Return whether a call of this process did not reach the server."""
    return _away_until > 0


class RunProgress(Progress):
    """Show the run of a flow on its server; errors of the server are logged and ignored."""

    def __init__(self, workspace: Workspace, sources: Sequence[str], recipe: str = "") -> None:
        super().__init__()
        self.workspace = workspace
        self.sources = tuple(catalogue.load(name).source.name for name in sources)
        self.recipe = recipe
        self.steps: dict[str, Step] = {}  # stages that have run or were complete, in order
        self.released: Released | None = None
        self._log = get_run_logger()  # of the flow: the loggers of tasks are quiet

    def say(self, line: str) -> None:
        """Log one line."""
        self._log.info(line.strip())

    @contextmanager
    def watch(self, step: Step) -> Iterator[None]:
        """Update a progress artifact while a stage runs."""
        bar, ended = _Bar(step), threading.Event()

        def update() -> None:
            while not ended.wait(EVERY):
                bar.show(step.describe())

        thread = threading.Thread(target=copy_context().run, args=(update,), name="malmoi-progress", daemon=True)
        thread.start()
        whole = False
        try:
            yield
            whole = True
        finally:
            ended.set()
            thread.join(2 * EVERY)
            worked = not step.size or step.size > step.standing
            if whole and (bar.is_shown or (worked and not step.name.startswith(SHORT))):
                bar.show(f"{step.summarise()} · {format_seconds(step.seconds)}", 1.0)
            elif not whole:
                bar.show(f"stopped: {step.describe()}")

    def finish(self, step: Step) -> None:
        """Log the result of a stage, and record what it wrote as an asset."""
        self.steps[step.name] = step
        took = "" if step.size and step.size == step.standing else f" · {format_seconds(step.seconds)}"
        self.say(f"{step.name}: {step.summarise()}{took}")
        emit_stage(self.workspace, self.sources, step)

    def publish(self, made: Released) -> None:
        """Show a release: version, root and links above its card, and its asset, made or still current."""
        self.released = made
        self.say(made.says())
        lines = made.summary.split(" · ")
        for name, path in (
            ("Release", made.folder),
            ("Data card", made.folder / "index.html"),
            ("Crawl report", self.workspace.report("collection")),
            ("Curation report", self.workspace.report("curation")),
        ):
            lines += [make_link(name, path)] if path.exists() else []
        card = (made.folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[-1]
        text = "\n".join(f"- {line}" for line in lines) + "\n\n" + link_from(card, made.folder)
        says = f"{made.name} {made.version} · {'new' if made.new else 'nothing new'} · root {made.root[:12]}"
        key = make_key("release", self.workspace, made.name)
        send("card", lambda: create_markdown_artifact(text, key=key, description=says))
        payload = {"version": made.version, "root": made.root, "documents": made.documents}
        event, upstream = MATERIALIZED if made.new else REFERENCED, [self.workspace.stage(STAGES[-1], "")]
        _emit(event, made.folder.parent, f"release {made.name}", upstream, payload)

    def show_funnel(self) -> None:
        """Publish the funnel of the run as a table: what each step kept and lost, and why."""
        stages, rows = [step for step in self.steps.values() if step.dropped is not None], []
        for report in crawl_report.read_report(self.workspace):
            for stretch in report["steps"] if report["source"] in self.sources else ():
                if not stages or stretch["unit"] != "documents":  # else the stages say it
                    why = dict(stretch["lost"])
                    rows += _list_rows(report["source"], stretch["name"], stretch["count"], sum(why.values()), why)
        for step in stages:
            _, kept, dropped, failed = step.counts
            rows += _list_rows("", step.name, kept, dropped + failed, step.dropped or {})
        if self.released is not None:
            count, kinds = excluded_documents.summarise_list(self.workspace.quarantine(self.released.name))
            why = {f"quarantined: {kind}": documents for kind, documents in kinds.items()}
            rows += _list_rows("", f"6-release {self.released.version}", self.released.documents, count, why)
        if rows:
            says, key = "What each step kept and lost, and why", make_key("funnel", self.workspace, self.recipe)
            send("funnel", lambda: create_table_artifact(rows, key=key, description=says))


@contextmanager
def observe_run(workspace: Workspace, sources: Sequence[str], recipe: str = "") -> Iterator[RunProgress]:
    """Show what happens in the body on the server; the funnel also of a run that fails."""
    progress = RunProgress(workspace, sources, recipe)
    try:
        yield progress
    finally:
        progress.show_funnel()


class _Bar:
    """The progress artifact of one stage, made when it is shown first."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._id: UUID | None = None

    @property
    def is_shown(self) -> bool:
        return self._id is not None

    def show(self, says: str, share: float | None = None) -> None:
        percent = 100 * min(1.0, self._step.share if share is None else share)
        says = f"{self._step.name}: {says}"
        if self._id is None:
            made = send("progress", lambda: create_progress_artifact(percent, description=says))
            self._id = cast(UUID | None, made)
        else:
            id = self._id
            send("progress", lambda: update_progress_artifact(id, percent, description=says))


def emit_stage(workspace: Workspace, sources: Sequence[str], step: Step) -> None:
    """Record what a finished stage wrote as an asset, a folder of the workspace, if it changed anything."""
    if not step.has_changed:
        return
    if step.name.startswith(COLLECT):
        source = step.name.removeprefix(COLLECT)
        _emit(MATERIALIZED, workspace.captures(source), f"captures of {source}", (), {"says": step.says})
    elif step.name in STAGES and step.dropped is not None and step.size > step.standing:
        before = [folder for folder in STAGES if folder < step.name][-1:]
        upstream = [workspace.stage(one, "") for one in before] or [workspace.captures(one) for one in sources]
        counts = dict(zip(("in", "kept", "dropped", "failed"), step.counts, strict=True))
        payload = {**counts, "shards": step.size, "new_shards": step.missing}
        _emit(MATERIALIZED, workspace.stage(step.name, ""), step.name, upstream, payload)


def _emit(event: str, path: Path, name: str, upstream: Sequence[Path], payload: dict[str, Any]) -> None:
    """Emit the event of Prefect's own `@materialize`, without a task run; nothing while its server is away."""
    if time.monotonic() < _away_until:
        return
    resource = {"prefect.resource.id": name_asset(path), "prefect.resource.name": name}
    related = [{"prefect.resource.id": name_asset(one), "prefect.resource.role": "asset"} for one in upstream]
    emit_event(event, resource, related=related, payload=payload)


def name_asset(path: Path) -> str:
    """Return the key of the asset in `path`; characters that Prefect refuses become "-".

    >>> name_asset(Path("/data/my corpus/2-documents"))
    'file:///data/my-corpus/2-documents'
    """
    return "file://" + "".join("-" if one in " #?&%\"'<>[]{}|\\^`\n\r\t\0" else one for one in str(path))


def make_key(kind: str, workspace: Workspace, recipe: str = "") -> str:
    """Return the key of an artifact: kind, workspace as seen from MALMOI_HOME, and recipe.

    >>> make_key("funnel", Workspace(Path.cwd() / "workspace" / "news"), "my_recipe")
    'funnel-workspace-news-my-recipe'
    """
    place = os.path.relpath(workspace.root) if workspace.root.is_relative_to(Path.cwd()) else str(workspace.root)
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{place}-{recipe}".lower()).strip("-")


def make_link(name: str, path: Path) -> str:
    """Return a Markdown link to a file below MALMOI_HOME; its path, if that folder is not served.

    >>> make_link("Card", Path("/nowhere/index.html"))
    'Card: `/nowhere/index.html`'
    """
    base, home = os.environ.get(HOME_URL, "").rstrip("/"), Path.cwd()
    if not base or not path.is_relative_to(home):
        return f"{name}: `{path}`"
    return f"[{name}]({base}/{path.relative_to(home).as_posix()})"


def link_from(markdown: str, folder: Path) -> str:
    """Replace the relative links of a page in `folder`, which lead nowhere on the server.

    >>> link_from("[terms](LICENSE.md), [law](https://law.example/)", Path("/nowhere"))
    'terms (`LICENSE.md`), [law](https://law.example/)'
    """

    def replace(found: re.Match[str]) -> str:
        link = make_link(found[1], folder / found[2])
        return link if link.startswith("[") else found[1] if found[1] == found[2] else f"{found[1]} (`{found[2]}`)"

    return re.sub(r"\[([^\][]+)\]\((?!\w+:|#)([^)\s]+)\)", replace, markdown)


def _list_rows(source: str, step: str, kept: int, lost: int, why: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the row of a step, and below it one for each reason, most frequent first."""
    ordered = Counter(why).most_common()
    rest = [(f"{len(ordered) - SHOWN} more reasons", sum(n for _, n in ordered[SHOWN:]))] if ordered[SHOWN:] else []
    reasons = [*ordered[:SHOWN], *rest]
    head = {"source": source or "all", "step": step, "kept": kept, "lost": lost, "why": ""}
    return [head, *({**head, "kept": "", "lost": count, "why": reason} for reason, count in reasons)]


@contextmanager
def record_run(workspace: Workspace, id: UUID) -> Iterator[None]:
    """Record the flow run `id` in the workspace while the body runs in this process."""
    with _record(workspace.flow_runs / str(id)):
        yield


@contextmanager
def take_turn(workspace: Workspace) -> Iterator[None]:
    """Record the running flow run in the workspace, end runs of dead processes, and set how locks are waited for.

    Another run that holds the workspace is waited for, up to LONGEST_WAIT; the log names it.
    """
    quiet_prefect()
    asked, id = find_request(), str(flow_run.id)
    seconds = LONGEST_WAIT if asked.seconds is None else asked.seconds
    with _record(workspace.flow_runs / id):
        end_dead_runs(workspace)
        with request_locks(LockRequest(f"flow run {flow_run.name!r} ({id})", seconds, get_run_logger().info)):
            yield


@contextmanager
def hold_workspace(workspace: Workspace) -> Iterator[None]:
    """Take the turn of the running flow run, and hold the workspace."""
    with take_turn(workspace), workspace.lock():
        end_dead_runs(workspace)  # the run that held it may have been killed
        yield


def end_dead_runs(workspace: Workspace) -> None:
    """Mark the recorded runs whose processes are gone as crashed on the server of this process, and log their names.

    A record of another server stays, for a run that uses that one.
    """

    def end(record: Path) -> None:
        with suppress(FileNotFoundError), record.open("r+", encoding="utf-8") as stream:
            if not try_lock(stream) or stream.read() != _find_url():
                return
            with suppress(ObjectNotFound), get_client(sync_client=True) as client:
                run = client.read_flow_run(UUID(record.name))
                state, is_deployed = run.state, run.deployment_id is not None
                waits = state is not None and state.is_pending() and not is_deployed  # no worker will start it
                if state is not None and (waits or state.is_running() or state.is_cancelling()):
                    client.set_flow_run_state(run.id, Crashed(message=REASON), force=True)
                    get_run_logger().info(f"flow run {run.name!r} ({run.id}) is marked as crashed: its process is gone")
            record.unlink()

    for path in sorted(workspace.flow_runs.iterdir()):
        send("states of dead runs", partial(end, path))


@contextmanager
def _record(path: Path) -> Iterator[None]:
    """Hold the record of a run while the body runs; one that a killed attempt of the same run left is taken over.

    The record of a run that could not tell its server how it ended stays, so that the next run does.

    No record is made beside that of an earlier attempt that is still alive: the workspace is locked by it.
    """
    if path in _held:
        yield
        return
    path.parent.mkdir(exist_ok=True)
    until = time.monotonic() + LONGEST_LOOK
    while time.monotonic() < until:
        with path.open("a+", encoding="utf-8") as stream:
            if try_lock(stream) and is_open_file(stream, path):  # not deleted meanwhile
                stream.truncate(0)
                stream.write(_find_url())
                stream.flush()
                _held.add(path)
                lost = False
                try:
                    yield
                except httpx.TransportError:
                    lost = True
                    raise
                finally:
                    _held.remove(path)
                    if not lost and not has_lost_server():
                        path.unlink(missing_ok=True)
                return
        time.sleep(0.1)
    yield


def _find_url() -> str:
    """Return the address of the server; "" for the temporary one, whose database is that of PREFECT_HOME."""
    server = find_server()
    return server.url if server else ""
