"""Take the pictures of docs/review.md: `python -m tests.review.review_pictures`, with Chromium and Korean fonts."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from flows.review.review_session import ReviewSession, WorkspaceQueue
from flows.review.server import ReviewServer
from malmoi.document import Signal
from tests.builders.headless_browser import Browser, open_browser
from tests.review.small_queue import Waiting, make_workspace, sentences

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
LINK = "https://creativecommons.org/licenses/by/4.0/"
READER = Signal("third-party", "review", "기고: 독자 이하늘", "main > p.by", "")


def take_pictures(browser: Browser, address: str) -> None:
    """Write the page of a group as a desktop shows it, and the confirmation as a phone shows it."""
    browser.resize(1440, 900)
    browser.open(address, "Review of rights")
    browser.press("Enter")
    for number in range(1, 7):
        browser.wait(f"{number} of 200\n")
        browser.press("j")
    browser.wait("7 of 200\n")
    write_picture(browser, "review-page.webp")
    browser.resize(390, 844)
    browser.press("g")
    browser.wait("Grant LicenseRef-KOGL-1 to 200 items")
    browser.type("권리 검토 담당")
    browser.press("Tab")
    browser.type("저작권 정책과 표본 7건을 확인함")
    write_picture(browser, "review-page-phone.webp")


def write_picture(browser: Browser, name: str) -> None:
    browser.run("new Promise(done => setTimeout(done, 500))")  # a focus ring has a transition
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_bytes(browser.capture("webp"))


def main() -> None:
    links = [Waiting("windcity", n, "CC-BY-4.0", "link", "footer > a", f"{LINK} CC BY 4.0") for n in range(1, 43)]
    others = [Waiting("wavemuseum", n, kind="kogl-block", place="div.kogl", signals=(READER,)) for n in range(1, 8)]
    with tempfile.TemporaryDirectory() as folder:
        home = make_workspace(Path(folder) / "w", [*sentences("skylibrary", 200), *links, *others])
        server = ReviewServer(ReviewSession(WorkspaceQueue(home)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        profile = Path(folder) / "browser"
        profile.mkdir()
        with open_browser(profile) as browser:
            browser.speak("en-US")
            take_pictures(browser, server.address)
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
