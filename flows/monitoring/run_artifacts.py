"""Artifacts of a run: its funnel as a table, the card of the release, and where release and reports are."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext
from prefect.logging import get_logger, get_run_logger
from prefect.settings import get_current_settings

from flows.engine.progress import Step
from flows.release import Released
from flows.reports import crawl_report, curation_report
from malmoi.releases import excluded_documents
from malmoi.workspace import Workspace

SHOWN = 30  # reasons of one step
AWAY_SECONDS = 300.0  # a call to a server that is gone takes Prefect 62 s, with its repetitions
HOME_URL = "MALMOI_HOME_URL"  # address below which the folder MALMOI_HOME is served, if it is

T = TypeVar("T")
_away_until = 0.0  # time.monotonic() before which no call is made
_turn = threading.RLock()
_RETRIES = get_current_settings().client.max_retries  # of a call, by Prefect


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


def make_key(kind: str, workspace: Workspace, recipe: str = "") -> str:
    """Return the key of an artifact: kind, workspace as seen from MALMOI_HOME, and recipe.

    >>> make_key("funnel", Workspace(Path.cwd() / "workspace" / "news"), "my_recipe")
    'funnel-workspace-news-my-recipe'
    """
    place = os.path.relpath(workspace.root) if workspace.root.is_relative_to(Path.cwd()) else str(workspace.root)
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{place}-{recipe}".lower()).strip("-")


def show_funnel(
    workspace: Workspace, sources: Sequence[str], recipe: str, steps: Sequence[Step], made: Released | None
) -> None:
    """Publish the funnel of a run as a table: what each step kept and lost, and why."""
    stages = [step for step in steps if step.dropped is not None]
    rows = [*_list_crawls(workspace, sources, whole=not stages), *chain.from_iterable(map(_describe_stage, stages))]
    if made is not None:
        count, kinds = excluded_documents.summarise_list(workspace.quarantine(made.name))
        why = {f"quarantined: {kind}": found for kind, found in kinds.items()}
        rows += _list_rows("", f"6-release {made.version}", made.documents, count, why)
    if rows:
        says = "What each step kept and lost, and why"
        send("funnel", lambda: create_table_artifact(rows, key=make_key("funnel", workspace, recipe), description=says))


def show_release(workspace: Workspace, made: Released) -> None:
    """Publish what a run released, with links, above the card of the release."""
    lines = made.summary.split(" · ")
    lines += [make_link(name, path) for name, path in _list_places(workspace, made) if path.exists()]
    card = (made.folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[-1]
    text = "\n".join(f"- {line}" for line in lines) + "\n\n" + link_from(card, made.folder)
    says = f"{made.name} {made.version} · {'new' if made.new else 'nothing new'} · root {made.root[:12]}"
    key = make_key("release", workspace, made.name)
    send("card", lambda: create_markdown_artifact(text, key=key, description=says))


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


def _list_places(workspace: Workspace, made: Released) -> list[tuple[str, Path]]:
    return [
        ("Release", made.folder),
        ("Data card", made.folder / "index.html"),
        ("Crawl report", crawl_report.report_path(workspace)),
        ("Curation report", curation_report.report_path(workspace)),
    ]


def _list_crawls(workspace: Workspace, sources: Sequence[str], *, whole: bool) -> Iterator[dict[str, Any]]:
    """List the steps of the crawl report about sources; without `whole`, up to the captures."""
    for said in crawl_report.read_report(workspace):
        for step in said["steps"] if said["source"] in sources else ():
            if whole or step["unit"] != "documents":
                why = dict(step["lost"])
                yield from _list_rows(said["source"], step["name"], step["count"], sum(why.values()), why)


def _describe_stage(step: Step) -> list[dict[str, Any]]:
    _, kept, dropped, failed = step.counts
    return _list_rows("", step.name, kept, dropped + failed, step.dropped or {})


def _list_rows(source: str, step: str, kept: int, lost: int, why: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the row of a step, and below it one for each reason, most frequent first."""
    ordered = Counter(why).most_common()
    rest = [(f"{len(ordered) - SHOWN} more reasons", sum(n for _, n in ordered[SHOWN:]))] if ordered[SHOWN:] else []
    reasons = [*ordered[:SHOWN], *rest]
    head = {"source": source or "all", "step": step, "kept": kept, "lost": lost, "why": ""}
    return [head, *({**head, "kept": "", "lost": count, "why": reason} for reason, count in reasons)]
