"""Progress of a flow run: log lines, a progress artifact a stage, and at the end the funnel of the whole run."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import cast
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from crawlers import catalogue
from flows.engine.progress import Progress, Step, format_seconds
from flows.monitoring import asset_events, run_artifacts
from flows.release import Released
from malmoi.workspace import Workspace

EVERY = 5.0  # seconds between two updates of an artifact: a request takes the server 10 ms
SHORT = "survey"  # first word of stages that have an artifact only if they take longer than EVERY


class RunProgress(Progress):
    """Show the run of a flow on its server; what the server does not take stops nothing."""

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
        asset_events.emit_stage(self.workspace, self.sources, step)

    def publish(self, made: Released) -> None:
        """Show a release: card, links, version and root, and its asset."""
        self.released = made
        self.say(made.says())
        run_artifacts.show_release(self.workspace, made)
        asset_events.emit_release(self.workspace, made)


@contextmanager
def observe_run(workspace: Workspace, sources: Sequence[str], recipe: str = "") -> Iterator[RunProgress]:
    """Show what happens in the body on the server; the funnel also of a run that fails."""
    progress = RunProgress(workspace, sources, recipe)
    try:
        yield progress
    finally:
        run_artifacts.show_funnel(
            workspace, progress.sources, recipe, tuple(progress.steps.values()), progress.released
        )


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
            made = run_artifacts.send("progress", lambda: create_progress_artifact(percent, description=says))
            self._id = cast(UUID | None, made)
        else:
            id = self._id
            run_artifacts.send("progress", lambda: update_progress_artifact(id, percent, description=says))
