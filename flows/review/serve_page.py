"""Serve the page of a review or an inspection until Ctrl-C."""

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
from flows.review.server import ReviewServer, Session
from flows.review.workspace_queue import WorkspaceQueue
from malmoi.workspace import keep_private


def serve_page(root: Path, sources: Sequence[str], port: int, out: Console, *, show: bool) -> None:
    """Serve the queue of these sources (of all, if none is named) on loopback; `show` opens a browser.

    CallError if the workspace is missing or the port cannot be bound.
    """
    keep_private()
    home = open_workspace(root)
    words = "Review page", "the next run applies the decisions.", "Decisions are kept."
    serve_session(ReviewSession(WorkspaceQueue(home, sources)), port, out, words, home.tmp if show else None)


def serve_session(session: Session, port: int, out: Console, words: tuple[str, str, str], tmp: Path | None) -> None:
    """Serve a page until Ctrl-C; `words`: its name, what happens next, and the last line.

    If there is a folder `tmp` for a private file, a browser is opened.
    """
    server = ReviewServer(session, port)
    name, after, last = words
    out.print(f"{name}: {server.address}", markup=False)
    out.print(f"The address holds a secret: keep it. Ctrl-C ends the page; {after}", markup=False)
    with _open_browser(tmp, server.address) if tmp else nullcontext():
        server.run()
    out.print(f"Stopped. {last}", markup=False)


@contextmanager
def _open_browser(tmp: Path, address: str) -> Iterator[None]:
    """Open the page by a private file within the body: an argument of the browser could be read by other users."""
    tmp.mkdir(exist_ok=True)
    file = tmp / "review.html"
    file.write_text(f'<meta http-equiv="refresh" content="0; url={escape(address)}">', encoding="utf-8")
    try:
        Thread(target=webbrowser.open, args=(file.absolute().as_uri(),), daemon=True).start()  # some browsers block
        yield
    finally:
        file.unlink(missing_ok=True)
