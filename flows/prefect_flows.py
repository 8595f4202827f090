"""The Prefect flows: the same functions as on the command line, with parameters as forms and shards as tasks.

Prefect owns when, the workspace owns what: a flow that is run again takes up what stands on disk.
"""

# No `from __future__ import annotations` here: Prefect reads the annotations of flows at run time.
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from malmoi.import_path import exclude_working_folder

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")  # a cold start took 25 s on two cores

if getattr(sys.modules["__main__"], "__spec__", None) is not None:  # `python -m`, as Prefect starts a flow run
    exclude_working_folder()

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows import curation, pool, report
from flows import release as releases
from flows import run as runs
from flows.curate import curate as curate_all
from flows.progress import Progress
from malmoi.workspace import Workspace

AT_ONCE = 200  # task runs that are submitted together; the server records about 47 a second
Limit = Annotated[int | None, Field(ge=1, description="At most so many captures a source; empty for all.")]
Folder = Annotated[str, Field(description="Folder of the workspace.")]
RecipeName = Annotated[str, Field(description="A shipped recipe, or a path that ends in .toml.")]
Sources = Annotated[list[str], Field(description="Names or files of sources; empty for those of the recipe.")]
Contact = Annotated[str | None, Field(description="Who answers for the crawl: a mail address or a page.")]
Version = Annotated[str, Field(description="MAJOR.MINOR.PATCH; empty for the next one.")]


def mapped(call: Callable[[Any], Any], jobs: Sequence[Any], done: Callable[[Any], None] = lambda _: None) -> list[Any]:
    """Run each job as a task of the running flow; a task that fails is tried once more."""
    one: Any = task(name=call.__name__, retries=1, persist_result=False)(call)
    results = []
    for at in range(0, len(jobs), AT_ONCE):
        futures = list(one.map(list(jobs[at : at + AT_ONCE])))
        wait(futures)  # all of them, so that none still writes when one has failed and the workspace is let go
        for future in futures:
            results.append(future.result())
            done(results[-1])
    return results


class _Logged(Progress):
    def say(self, line: str) -> None:
        get_run_logger().info(line)


_runner: Any = ThreadPoolTaskRunner(max_workers=pool.count())


@flow(name="collect", log_prints=False)
def collect(sources: Sources, workspace: Folder = "workspace", limit: Limit = None, contact: Contact = None) -> None:
    """Bring the captures of the sources up to date."""
    home = Workspace.open(Path(workspace))
    progress = _Logged()
    with home.lock():
        try:
            runs.collect_all(home, sources, progress, limit=limit, contact=contact)
        finally:  # what one source has failed to give is no reason to be silent about the others
            _show_funnels(report.refresh(home, sources, progress), "collection")


@flow(name="curate", task_runner=_runner, log_prints=False)
def curate(recipe: RecipeName = "general", sources: Sources = [], workspace: Folder = "workspace") -> None:
    """Captures → documents → clean → unique → curated."""
    home, chosen = Workspace.open(Path(workspace)), runs.recipe_of(recipe)
    with home.lock():
        curated = curate_all(home, chosen, runs.sources_of(chosen, recipe, sources), mapped, _Logged())
        curation.write(home, chosen, curated)


@flow(name="release", task_runner=_runner, log_prints=False)
def release(
    recipe: RecipeName = "general", sources: Sources = [], workspace: Folder = "workspace", version: Version = ""
) -> str:
    """What is curated → an immutable, verified release with its card; returns its folder."""
    home, chosen = Workspace.open(Path(workspace)), runs.recipe_of(recipe)
    names = runs.sources_of(chosen, recipe, sources)
    with home.lock():
        curated = curate_all(home, chosen, names, mapped, _Logged())
        made = releases.release(home, chosen, names, curated, mapped, _Logged(), version=version)
    _show(made)
    return str(made.folder)


@flow(name="run", task_runner=_runner, log_prints=False)
def run(
    recipe: RecipeName = "general",
    sources: Sources = [],
    workspace: Folder = "workspace",
    limit: Limit = None,
    contact: Contact = None,
    version: Version = "",
) -> str:
    """Collect → curate → release; returns the folder of the release."""
    home, chosen = Workspace.open(Path(workspace)), runs.recipe_of(recipe)
    names = runs.sources_of(chosen, recipe, sources)
    with home.lock():
        made = runs.run(home, chosen, names, mapped, _Logged(), limit=limit, contact=contact, version=version)
    _show(made)
    return str(made.folder)


def _show_funnels(found: Sequence[report.Funnel], key: str) -> None:
    """The crawl report as an artifact of the run."""
    if found:
        create_markdown_artifact(
            report.markdown(found), key=key, description="from the first address to what may be used"
        )


def _show(made: releases.Released) -> None:
    """The card as an artifact of the run, below the link to its folder."""
    text = (made.folder / "README.md").read_text(encoding="utf-8")
    body = text.split("---\n", 2)[-1]
    create_markdown_artifact(body, key=f"card-{made.name}".replace("_", "-"), description=f"{made.name} {made.version}")
