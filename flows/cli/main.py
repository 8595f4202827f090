"""Command line: parse a call, run the flow, report the result.

Exit status: 0 done · 1 the data fails (verify) · 2 the call is wrong · 3 a source or the run failed.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from flows.cli.exports import ablate, export, tokens
from flows.cli.options import (
    NEXT_VERSION,
    THIS_MACHINE,
    ContactOption,
    DryOption,
    Edition,
    JsonLinesOption,
    LimitOption,
    Machine,
    PrefectOption,
    RecipeArgument,
    SourceOption,
    WaitOption,
    WhereArgument,
    WorkersOption,
    WorkspaceOption,
    out,
    wait_for_lock,
)
from flows.cli.releases import SignOption, check, contains, diff, open_key, publish, rights, sign, sign_with, verify
from flows.cli.review import inspect, review
from flows.cli.sources import sources
from flows.cli.workspaces import cache, erase, index, recipe, withdrawals
from flows.console import ask, open_streams
from malmoi import __version__, erasure_plan
from malmoi.errors import CallError, MalmoiError, explain_os_error
from malmoi.printable import escape_controls
from malmoi.processes.import_path import collect_seldom, exclude_imports, exclude_working_folder
from malmoi.storage.location import locate
from malmoi.workspace_layout import Layout

app = App(
    name="malmoi",
    version=__version__,
    help="Licensed Korean text, with proof of every licence: collect, curate, release, verify.",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=""),
    help_epilogue="Exit status: 0 done, 1 the data fails, 2 the call is wrong, 3 a source or the run failed.",
)


def _resume_erasure(workspace: Any) -> None:
    from flows import withdrawals as withdrawing

    withdrawing.resume(workspace)


erasure_plan.resume_with(_resume_erasure)

for command in (
    ablate, cache, check, contains, diff, erase, export, index, inspect, publish, recipe, review, rights, sign, sources,
    tokens, verify, withdrawals,
):  # fmt: skip
    app.command(command)


@app.command
def demo(*, workspace: WorkspaceOption = Path("workspace/demo"), workers: WorkersOption = None) -> None:
    """Run the whole pipeline on the bundled sample site, served on this machine."""
    from flows.engine import worker_pool

    _configure(workers)
    worker_pool.workers().warm()  # the fork server imports in parallel
    from flows.demo import demo as show

    show(workspace, out)


@app.command
def run(
    recipe: RecipeArgument = "general",
    *,
    source: SourceOption = None,
    workspace: WorkspaceOption = Path("workspace"),
    limit: LimitOption = None,
    contact: ContactOption = None,
    edition: Edition = NEXT_VERSION,
    machine: Machine = THIS_MACHINE,
    dry_run: DryOption = False,
    prefect: PrefectOption = False,
    key: SignOption = None,
) -> None:
    """Collect, curate and release by a recipe; finished work is not repeated."""
    _configure(machine.workers)
    is_fresh = not Layout(workspace).stage("2-documents", "").exists()
    if is_fresh and machine.engine == "local" and not dry_run and not _is_prefect_run(prefect):
        from flows.engine import worker_pool

        worker_pool.workers().warm()  # nothing is finished yet: the fork server imports in parallel
    _publish("run", recipe, source, workspace, edition, machine, key, dry_run, prefect, limit=limit, contact=contact)


@app.command
def collect(
    *sources: str,
    workspace: WorkspaceOption = Path("workspace"),
    limit: LimitOption = None,
    contact: ContactOption = None,
    wait: WaitOption = None,
    dry_run: DryOption = False,
    prefect: PrefectOption = False,
) -> None:
    """Bring the captures of sources up to date."""
    from flows import collect as collecting
    from flows import run as runs
    from flows.engine.progress import Progress
    from flows.reports import crawl_report
    from malmoi.workspace import Workspace

    runs.refuse_call(workspace, None, contact=contact)
    sources = tuple(runs.index_sources(sources).values())
    if dry_run:
        for name in sources:
            out.print(collecting.describe_collection(Workspace(workspace.absolute()), name))
        return
    if _is_prefect_run(prefect):
        from flows import prefect_flows

        prefect_flows.call_flow(
            prefect_flows.collect, wait, sources=list(sources), contact=contact, limit=limit, workspace=str(workspace)
        )
        return
    home, progress = Workspace.open(workspace), Progress()
    with wait_for_lock("collect", wait), home.lock():
        fault: MalmoiError | None = None
        try:
            runs.collect_all(home, sources, progress, limit=limit, contact=contact)
        except MalmoiError as error:  # report the other sources as well
            fault = error
        if funnels := crawl_report.refresh(home, sources, progress):
            crawl_report.show_funnels(funnels, out)
            _show_report_paths(home)
        if fault is not None:
            raise fault


@app.command
def curate(
    recipe: RecipeArgument = "general",
    *,
    source: SourceOption = None,
    workspace: WorkspaceOption = Path("workspace"),
    machine: Machine = THIS_MACHINE,
    dry_run: DryOption = False,
    prefect: PrefectOption = False,
) -> None:
    """Extract, clean, deduplicate and judge collected pages."""
    from flows import curate as curating
    from flows import run as runs
    from flows.engine.clusters import open_mapper
    from flows.engine.progress import Progress
    from flows.reports import curation_report
    from malmoi.workspace import Workspace

    _configure(machine.workers)
    chosen = runs.recipe_of(recipe)
    names = runs.sources_of(chosen, recipe, source or ())
    if dry_run:
        _show_plan(chosen, names, workspace, collect=False)
        return
    if _is_prefect_run(prefect):
        from flows import prefect_flows

        prefect_flows.call_flow(
            prefect_flows.curate, machine.wait, recipe=recipe, sources=list(names),
            engine=machine.engine, address=machine.address, workspace=str(workspace),
        )  # fmt: skip
        return
    with wait_for_lock("curate", machine.wait), open_mapper(machine.engine, machine.address) as mapper:
        home = Workspace.open(workspace)  # not before the cluster has answered
        with home.lock():
            curated = curating.curate(home, chosen, names, mapper, Progress())
            out.print(f"Curation report: {curation_report.write(home, chosen, curated)}")


@app.command
def release(
    recipe: RecipeArgument = "general",
    *,
    source: SourceOption = None,
    workspace: WorkspaceOption = Path("workspace"),
    edition: Edition = NEXT_VERSION,
    machine: Machine = THIS_MACHINE,
    dry_run: DryOption = False,
    prefect: PrefectOption = False,
    key: SignOption = None,
) -> None:
    """Publish curated documents as an immutable, verified release with its card."""
    _configure(machine.workers)
    _publish("release", recipe, source, workspace, edition, machine, key, dry_run, prefect)


def _publish(
    command: Literal["run", "release"],
    recipe: str,
    source: Sequence[str] | None,
    workspace: Path,
    edition: Edition,
    machine: Machine,
    key: Path | None,
    dry_run: bool,
    prefect: bool,
    **crawl: Any,
) -> None:
    """Release by a recipe, after curation alone or, with the options `crawl` of a collection, after a whole run."""
    from flows import release as releases
    from flows import run as runs

    chosen = runs.recipe_of(recipe)
    names = runs.sources_of(chosen, recipe, source or ())
    runs.refuse_call(workspace, chosen, contact=crawl.get("contact"), version=edition.version)
    replace = _confirm_replacement(workspace, chosen.name, names, edition, ask_person=not dry_run)
    if dry_run:
        _show_plan(chosen, names, workspace, collect=command == "run")
        return
    signer = open_key(key, workspace)
    if _is_prefect_run(prefect):
        from flows import prefect_flows
        from flows.release import describe_quarantine

        folder = prefect_flows.call_flow(
            getattr(prefect_flows, command), machine.wait, recipe=recipe, sources=list(names), **crawl,
            version=edition.version, replace=replace, engine=machine.engine, address=machine.address,
            workspace=str(workspace),
        )  # fmt: skip
        out.print(f"Release: {folder}")
        sign_with(signer, Path(folder))
        if note := describe_quarantine(Layout(locate(workspace)), chosen.name):
            out.print(note)
        return
    from flows.curate import curate
    from flows.engine.clusters import open_mapper
    from flows.engine.progress import Progress
    from malmoi.workspace import Workspace

    with wait_for_lock(command, machine.wait), open_mapper(machine.engine, machine.address) as mapper:
        home = Workspace.open(workspace)  # not before the cluster has answered
        with home.lock():
            releases.refuse_replacement(home, chosen.name, names, replace=replace)  # by a run that held the lock
            if command == "run":
                made = runs.run(home, chosen, names, mapper, Progress(), **crawl, version=edition.version)
                _show_report_paths(home)
            else:
                curated = curate(home, chosen, names, mapper, Progress())
                made = releases.release(home, chosen, names, curated, mapper, Progress(), version=edition.version)
    out.print(made.says())
    sign_with(signer, made.folder)


@app.command
def status(
    recipe: RecipeArgument = "general", *, workspace: WorkspaceOption = Path("workspace"), source: SourceOption = None
) -> None:
    """Show what the workspace holds, what is out of date, and what a run would do."""
    from flows.status import show

    show(workspace, recipe, source or (), out)


@app.command
def why(
    where: WhereArgument,
    id: str,
    *,
    against: Annotated[str, Parameter(help="Id of another document, to show both texts side by side.")] = "",
) -> None:
    """Show the history of one document: capture, evidence, verdicts, cluster, redactions.

    WHERE is a workspace or a release. A duplicate is shown beside its keeper, a keeper beside its least similar one.
    """
    from flows.why import show

    show(where, id, out, against=against)


@app.command(name="try")
def try_(
    stage: Annotated[str, Parameter(help="extract, rights, language, clean, judge, segment, pii, domain, duplicates.")],
    *files: Path,
    jsonl: JsonLinesOption = None,
    recipe: RecipeArgument = "general",
) -> None:
    """Run one stage by itself on files or JSON lines; print one JSON object per document, in input order."""
    from flows import try_stage

    try_stage.run(stage, files, jsonl, recipe, sys.stdout)


def _configure(workers: int | None) -> None:
    from flows.engine import worker_pool
    from malmoi.workspace import keep_private

    keep_private()  # before the fork server starts, whose workers inherit it
    if workers is not None and workers < 1:
        raise CallError(f"--workers is {workers}; give at least 1.")
    worker_pool.configure(workers)


def _confirm_replacement(root: Path, name: str, sources: Sequence[str], edition: Edition, *, ask_person: bool) -> bool:
    """Return whether the next version may lose documents of sources that the call leaves out; CallError if it would.

    A person at a terminal is asked.
    """
    from flows import release as releases
    from malmoi.storage.location import locate
    from malmoi.workspace import Workspace

    home = Workspace(locate(root))
    replace = edition.replace
    if ask_person and not replace and (lost := releases.describe_replaced(home, name, sources)):
        replace = ask(f"{lost}. Publish it?")
    releases.refuse_replacement(home, name, sources, replace=replace)
    return replace


def _is_prefect_run(asked: bool) -> bool:
    from flows.deployments.home_folder import find_server

    return asked or find_server() is not None


def _show_plan(recipe: Any, names: tuple[str, ...], workspace: Path, *, collect: bool) -> None:
    from flows.status import show_plan

    show_plan(recipe, names, workspace, out, collect=collect)


def _show_report_paths(home: Any) -> None:
    for name, page in (("Crawl report", home.report("collection")), ("Curation report", home.report("curation"))):
        if page.exists():
            out.print(f"{name}: {page}")


def run_guarded(call: Callable[[], Any]) -> int:
    """Run `call`; turn a known failure into one message and its exit status, without a traceback."""
    try:
        call()
    except UnusedCliTokensError as error:
        words, command = " ".join(error.unused_tokens or ()), " ".join(error.command_chain or ())
        _say(f"{words}: not an argument that the command takes; see `malmoi {command} --help`.")
        return 2
    except CycloptsError as error:
        _say(str(error))
        return 2
    except MalmoiError as error:
        _say(str(error))
        return error.status
    except OSError as error:
        _say(explain_os_error(error))
        return 3
    except Exception as error:  # a bug: name the place, and keep the documented exit status
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {error}"
        _say(f"internal error ({said}). Finished work is kept.")
        if os.environ.get("MALMOI_DEBUG"):
            traceback.print_exc()
        else:
            _say("MALMOI_DEBUG=1 prints the traceback.")
        return 3
    except KeyboardInterrupt:
        _say("stopped. Finished work is kept; run the same command to continue.")
        return 3
    return 0


def _say(message: str) -> None:
    """Print one message on standard error, with control characters escaped."""
    print(f"malmoi: {escape_controls(message)}", file=sys.stderr)


def main() -> None:
    """Run the `malmoi` command."""
    exclude_working_folder()
    collect_seldom()
    open_streams()
    status = run_guarded(lambda: app(exit_on_error=False, print_error=False, result_action="return_value"))
    status = status or run_guarded(lambda: sys.stdout.flush())
    exclude_imports()  # the interpreter collects once more when it ends
    raise SystemExit(status)


if __name__ == "__main__":
    main()
