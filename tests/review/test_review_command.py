"""`malmoi review` prints the address of the page, serves it on loopback, and ends with Ctrl-C."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.review.server import TOKEN
from tests.builders.small_corpus import malmoi_in_process
from tests.review.small_queue import make_workspace, sentences


@contextmanager
def start(*options: object, **env: str) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Run `malmoi review` with these options; give the process, the address and the secret."""
    command = [sys.executable, "-m", "flows.cli.main", "review", *map(str, options)]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | env)
    try:
        found = re.search(r"(http://127\.0\.0\.1:\d+/)#token=(\S+)", done.stdout.readline())
        assert found, done.stderr.read()
        yield done, found[1], found[2]
    finally:
        done.kill()
        done.communicate()


def test_the_page_is_served_until_ctrl_c(tmp_path):
    home = make_workspace(tmp_path / "w", [*sentences("sky", 3), *sentences("wind", 2)])
    with start("--workspace", home.root, "--source", "sky") as (process, address, token):
        asked = urllib.request.Request(f"{address}api/groups", headers={TOKEN: token})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            groups = json.load(answer)["groups"]
        assert [(one["source"], one["count"]) for one in groups] == [("sky", 3)]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert "Stopped. Decisions are kept." in out


def test_a_browser_is_opened_by_a_private_file_that_goes_at_the_end(tmp_path):
    home = make_workspace(tmp_path / "w", sentences("sky", 1))
    browser = tmp_path / "browser.sh"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/part && mv {tmp_path}/part {tmp_path}/opened\n')
    browser.chmod(0o755)
    options = ("--workspace", home.root, "--open")
    with start(*options, BROWSER=f"{browser} %s") as (process, address, token):
        opened, end = tmp_path / "opened", time.monotonic() + 20
        while not opened.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        argument = opened.read_text()
        file = Path(argument.removeprefix("file://"))
        assert token not in argument and f"{address}#token={token}" in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert not file.exists()


def test_a_port_in_use_and_a_folder_without_a_workspace_are_named(tmp_path):
    home = make_workspace(tmp_path / "w", [])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = malmoi_in_process("review", "--workspace", home.root, "--port", port)
    assert done.returncode == 2
    assert f"cannot listen on port {port} of 127.0.0.1 (Address already in use); pass another --port" in done.stderr
    done = malmoi_in_process("review", "--workspace", tmp_path / "none")
    assert done.returncode == 2 and "is not a workspace" in done.stderr
    assert malmoi_in_process("review", "--workspace", home.root, "--port", 70000).returncode == 2
