"""Run the commands of a page in order, and read what they print.

`python -m tests.builders.small_tutorial` writes the output blocks of the tutorials and of the command line page anew.

A block with `title="path"` is a file that the reader writes; a `bash` or `python` block runs; the `text` block behind
it shows its output. An `sh` block is shown only.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs/tutorial.md", ROOT / "docs/tutorial.ko.md")
COMMANDS = ROOT / "docs/command-line.md"
PORT = 8753  # of the sample site: the port is part of addresses, whose hashes choose samples and shards
SHOWN = "/home/me/corpus"  # stands for the folder in which the commands ran
FENCE = re.compile(r"^```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$", re.M | re.S)
# What differs from run to run: durations, digests, times.
VARIES = re.compile(
    r"\d+\.\d s\b|\d+ seconds|\b[0-9a-f]{32,64}\b|"
    r"\d{4}-\d\d-\d\dT[\d:.]+Z|urn:uuid:\S+"
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its kind, the file it stands for, its text, and where the text lies in the page."""

    kind: str
    title: str
    body: str
    start: int
    end: int


def read_blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(m["kind"], m["title"] or "", m["body"], m.start("body"), m.end("body")) for m in FENCE.finditer(page)]


def wait_for_port(seconds: float = 60) -> None:
    """Wait until nobody listens on the port of the sample site; OSError after `seconds`."""
    for left in range(int(seconds), -1, -1):
        try:
            with socket.socket() as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind(("127.0.0.1", PORT))
            return
        except OSError:
            if not left:
                raise
            time.sleep(1)


def run_block(block: Block, folder: Path, env: dict[str, str]) -> str:
    """The output of one block, both streams, with the folder named as the page names it."""
    call = ["bash", "-c", block.body] if block.kind == "bash" else [sys.executable, "-c", block.body]
    done = subprocess.run(
        call, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=300
    )
    text = done.stdout.replace(f"{Path(sys.executable).parent}/", "").replace(str(folder), SHOWN)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def run_page(page: str, folder: Path) -> Iterator[tuple[Block, str]]:
    """Run a page in `folder`: each block that shows output, with the output that the commands before it gave."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COLUMNS": "88", "PYTHONUNBUFFERED": "1", "MALMOI_SAMPLE_PORT": str(PORT)}
    printed = ""
    wait_for_port()
    for block in read_blocks(page):
        if block.title:
            (folder / block.title).write_text(block.body, encoding="utf-8")
        elif block.kind in ("bash", "python"):
            printed = run_block(block, folder, env)
        elif block.kind == "text":  # the output of the block before it
            yield block, printed


def mask(text: str) -> list[str]:
    """The lines of an output without what differs from run to run; white space counts as one blank."""
    return [" ".join(VARIES.sub("*", line).split()) for line in text.splitlines()]


def read_calls(page: str) -> list[tuple[str, str, str]]:
    """What a page runs and writes, without comments and docstrings: the same in every language."""
    shown = (b for b in read_blocks(page) if b.kind not in ("sh", "text") or b.title)
    strip = re.compile(r"^\"\"\".*| *# .*", re.M)
    return [(b.kind, b.title, strip.sub("", b.body) if b.kind == "python" else b.body) for b in shown]


def write_outputs(*paths: Path) -> None:
    """Run the first page, and write what its commands print into the output blocks of all."""
    with tempfile.TemporaryDirectory() as folder:
        ran = run_page(paths[0].read_text(encoding="utf-8"), Path(folder).resolve())
        outputs = [printed for _, printed in ran]
    for path in paths:
        page = path.read_text(encoding="utf-8")
        blocks = [b for b in read_blocks(page) if b.kind == "text" and not b.title]
        for block, printed in reversed(list(zip(blocks, outputs, strict=True))):
            page = page[: block.start] + printed + page[block.end :]
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_outputs(*PAGES)
    write_outputs(COMMANDS)
