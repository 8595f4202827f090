"""Take the pictures of docs/inspect.md: `python -m tests.review.inspect_pictures RELEASE`, with Chromium."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

from flows.review import inspection
from flows.review.inspection import InspectSession
from flows.review.server import ReviewServer
from tests.builders.headless_browser import Browser, open_browser
from tests.review.review_pictures import write_picture


def take_pictures(browser: Browser, address: str) -> None:
    """Write the page as a desktop shows it, with one answer, and as a phone shows it."""
    browser.resize(1440, 900)
    browser.open(address, "Other language")
    for number in range(1, 8):
        browser.wait(f"{number} of 60\n")
        browser.press("Enter")
    browser.wait("8 of 60\n")
    browser.press("2")
    write_picture(browser, "inspect-page.webp")
    browser.press("2")
    browser.resize(390, 844)
    write_picture(browser, "inspect-page-phone.webp")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet = inspection.open_sheet(Path(sys.argv[1]), Path(folder) / "inspection", ("a", 60), "kim")
        server = ReviewServer(InspectSession(sheet))
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
