"""Serve the review page of a workspace until Ctrl-C."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from html import escape
from pathlib import Path
from threading import Thread

from rich.console import Console

from flows.release_index import open_workspace
from flows.review.review_session import ReviewSession
from flows.review.server import ReviewServer
from flows.review.workspace_queue import WorkspaceQueue
from malmoi.workspace import Workspace, keep_private


def serve_page(root: Path, sources: Sequence[str], port: int, out: Console, *, show: bool) -> None:
    """Serve the queue of these sources (of all, if none is named) on loopback; `show` opens a browser.

    CallError if the workspace is missing or the port cannot be bound.
    """
    keep_private()
    home = open_workspace(root)
    server = ReviewServer(ReviewSession(WorkspaceQueue(home, sources)), port)
    out.print(f"Review page: {server.address}", markup=False)
    out.print(
        "The address holds a secret: keep it. Ctrl-C ends the page; the next run applies the decisions.", markup=False
    )
    with _open_browser(home, server.address) if show else nullcontext():
        server.run()
    out.print("Stopped. Decisions are kept.", markup=False)


@contextmanager
def _open_browser(home: Workspace, address: str) -> Iterator[None]:
    """Open the page by a private file within the body: an argument of the browser could be read by other users."""
    home.tmp.mkdir(exist_ok=True)
    file = home.tmp / "review.html"
    file.write_text(f'<meta http-equiv="refresh" content="0; url={escape(address)}">', encoding="utf-8")
    try:
        Thread(target=webbrowser.open, args=(file.absolute().as_uri(),), daemon=True).start()  # some browsers block
        yield
    finally:
        file.unlink(missing_ok=True)
