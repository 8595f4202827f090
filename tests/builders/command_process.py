"""A process that runs commands of the command line one after the other, and can be killed."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys

# It has loaded everything: it runs a command for each line, and says its status and output.
CHILD = """
import contextlib, io, json, resource, sys
import flows.cli.releases, flows.release, malmoi.releases.distribution, malmoi.releases.distribution.s3
from flows.cli.main import app, run_guarded
from tests.builders.forked_process import fork_readers
fork_readers()
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
print("ready", flush=True)
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = run_guarded(lambda: app(json.loads(line), exit_on_error=False, result_action="return_value"))
    print(json.dumps([status, said.getvalue()]), flush=True)
"""


class CommandProcess:
    """Start it, then `start` a command and `wait` for its status and output."""

    def __init__(self, env: dict[str, str] | None = None) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=pipe, stdout=pipe, text=True, env=os.environ | (env or {})
        )
        assert self._read(120) == "ready\n"

    def start(self, *command: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps([str(one) for one in command]) + "\n")
        self.process.stdin.flush()

    def wait(self, seconds: float = 120) -> tuple[int, str]:
        """Exit status and output of the command; TimeoutError if it does not end."""
        status, said = json.loads(self._read(seconds) or '[-9, "the process ended"]')
        return status, said

    def run(self, *command: object, seconds: float = 120) -> tuple[int, str]:
        self.start(*command)
        return self.wait(seconds)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def _read(self, seconds: float) -> str:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            self.kill()
            raise TimeoutError(f"no answer within {seconds} seconds")
        return self.process.stdout.readline()
