"""A git repository served on loopback as hosts serve theirs: smart HTTP, by git's own backend behind a small server."""

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.kr",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.kr",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+09:00",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+09:00",
}  # fmt: skip
COMMITTED = "2026-01-01T18:04:05Z"  # the date above, in UTC


@dataclass
class Served:
    """A repository with its address, and what was asked of it."""

    folder: Path
    base: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    sent: int = 0  # bytes of the answers
    agents: set[str] = field(default_factory=set)
    redirect: str = ""  # where every request is sent instead
    held: bool = False  # answer no request until `free` is set
    arrived: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.base}/o/r"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "--git-dir", str(self.folder), *arguments],
            input=stdin, env=ENVIRONMENT, capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout.decode("ascii").strip()

    def commit(self, files: dict[str | bytes, bytes], *entries: tuple[str, str, bytes], branch: str = "main") -> str:
        """Put a commit with `files` and more tree entries (mode, object, name) at the head of `branch`."""
        rows = []
        for name, body in files.items():
            raw = name.encode() if isinstance(name, str) else name
            rows.append(("100644", self.git("hash-object", "-w", "--stdin", "--no-filters", stdin=body), raw))
        tree = self.tree([*rows, *entries])
        commit = self.git("commit-tree", tree, "-m", "m")
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def tree(self, entries: list[tuple[str, str, bytes]]) -> str:
        """The id of a tree; names with slashes make trees of their own, and no name is checked."""
        below: dict[bytes, list[tuple[str, str, bytes]]] = {}
        flat = []
        for mode, oid, name in entries:
            first, slash, rest = name.partition(b"/")
            if slash:
                below.setdefault(first, []).append((mode, oid, rest))
            else:
                flat.append((mode, oid, name))
        flat += [("40000", self.tree(rows), name) for name, rows in below.items()]
        order = sorted(flat, key=lambda row: row[2] + (b"/" if row[0] == "40000" else b""))
        raw = b"".join(
            mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, oid, name in order
        )
        return self.git("hash-object", "-w", "-t", "tree", "--stdin", "--literally", stdin=raw)


@contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[Served]:
    """Serve a new bare repository on a port, a free one if none is named, while the block runs."""
    served = Served(folder / "o" / "r")
    served.folder.mkdir(parents=True)
    subprocess.run(["git", "init", "--bare", "--quiet", str(served.folder)], env=ENVIRONMENT, check=True)
    served.git("config", "uploadpack.allowFilter", "true")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            served.asked[path] += 1
            served.agents.add(self.headers.get("User-Agent", ""))
            served.arrived.set()
            if served.held:
                served.free.wait(30)
            if served.redirect:
                self.send_response_only(302)
                self.send_header("Location", served.redirect + self.path)
                self.end_headers()
                return
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, check=False,
                env=ENVIRONMENT | {
                    "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command,
                    "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                },
            )  # fmt: skip
            head, _, answer = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response_only(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with suppress(ConnectionError):  # the client was killed
                self.wfile.write(answer)
            served.sent += len(answer)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        served.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.free.set()
            server.shutdown()
            thread.join()
