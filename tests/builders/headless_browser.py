"""A real browser without a window, for tests that look at pages: Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

# Nothing is looked up or fetched but the pages of the test.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0", "--window-size=1280,2000",
)  # fmt: skip


class Browser:
    """One page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._session = ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, url: str, wait_for: str, seconds: float = 60) -> str:
        """Open `url`; return the text of the page once it holds `wait_for`."""
        self._ask("Page.navigate", url=url)
        return self.wait(wait_for, seconds)

    def wait(self, text: str, seconds: float = 60) -> str:
        """Return the text of the page once it holds `text`."""
        end = time.monotonic() + seconds
        while text not in (shown := str(self.run("document.body ? document.body.innerText : ''"))):
            assert time.monotonic() < end, f"{text!r} is not on the page:\n{shown}"
            time.sleep(0.2)
        return shown

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        given = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in given, given
        return given["result"].get("value")

    def press(self, key: str) -> None:
        """Press one key, such as Enter or j, as a keyboard does: it also types its character."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        number = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, 0)
        self._ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=number)
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=number)

    def resize(self, width: int, height: int) -> None:
        """Give the page a size in CSS pixels, such as that of a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._ask("Emulation.setDeviceMetricsOverride", **size)

    def speak(self, language: str) -> None:
        """Make `language`, such as en-US, the preferred one of the page."""
        self._ask("Emulation.setUserAgentOverride", userAgent="", acceptLanguage=language)

    def click(self, script: str) -> None:
        """Click the middle of the element that a JavaScript expression gives."""
        x, y = self.run(
            f"(() => {{ const e = {script}; e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Type `text` into the focused field."""
        self._ask("Input.insertText", text=text)

    def shoot(self, path: Path) -> None:
        """Write a picture of the page, for a person to look at."""
        path.write_bytes(self.capture("png"))

    def capture(self, format: str, quality: int = 80) -> bytes:
        """Return a picture of the page: png, or webp of this quality."""
        options = {"format": format} | ({} if format == "png" else {"quality": quality})
        return base64.b64decode(self._ask("Page.captureScreenshot", **options)["data"])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        ask = {"id": number, "method": method, "params": params} | (
            {"sessionId": self._session} if self._session else {}
        )
        self._socket.send(json.dumps(ask))
        while (answer := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium with a new profile in `folder`; skip the test without Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    port = folder / "DevToolsActivePort"
    with (folder / "browser.log").open("w") as log:
        started = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}"], stdout=log, stderr=log, start_new_session=True
        )
    try:
        end = time.monotonic() + 60
        while not port.exists() or port.read_text().count("\n") < 1:
            assert started.poll() is None and time.monotonic() < end, (folder / "browser.log").read_text()
            time.sleep(0.1)
        number, address = port.read_text().splitlines()
        with connect(f"ws://127.0.0.1:{number}{address}", max_size=None, proxy=None) as socket:
            yield Browser(socket)
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
