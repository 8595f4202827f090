"""A server on loopback that misbehaves on purpose, a trap that counts who calls, and a crawl with small limits.

`python tests/builders/hostile.py JOB.json` runs a crawl as `python -m crawlers.fetch` does; the JSON in the
environment variable HOSTILE says what differs: limits, what names resolve to, whether the first look
at an address is skipped. Whatever is dialled is written down, and nothing but loopback is dialled.
"""

import builtins
import functools
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from malmoi import limits
from tests.builders.forked_process import ForkedCrawler, run_fork

ROOT = Path(__file__).parents[2]
SAY = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@dataclass
class Raw:
    """Answers written by hand: path → bytes, or a function that writes to the connection."""

    port: int = 0
    answers: dict[str, bytes | Callable[[socket.socket], None]] = field(default_factory=dict)
    asked: list[tuple[float, str]] = field(default_factory=list)  # monotonic seconds, request line and headers
    connections: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [said.split(" ")[1] for _, said in self.asked]


def page(body: str | bytes, status: str = "200 OK", **headers: str) -> bytes:
    """An answer with its length; underscores in the names of headers are dashes."""
    raw = body.encode() if isinstance(body, str) else body
    said = {"Content_Type": "text/html; charset=utf-8", "Content_Length": str(len(raw)), **headers}
    lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in said.items())
    return f"HTTP/1.1 {status}\r\n{lines}Connection: close\r\n\r\n".encode() + raw


def links(*urls: str) -> bytes:
    """A page with links."""
    return page("<html><body>" + "".join(f'<a href="{url}">x</a>' for url in urls) + "</body></html>")


def drip(head: bytes, seconds: float = 60.0) -> Callable[[socket.socket], None]:
    """Write one byte every tenth of a second."""

    def write(connection: socket.socket) -> None:
        connection.sendall(head)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(b"a")
            time.sleep(0.1)

    return write


def flood(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Write `piece` for ever."""

    def write(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return write


@contextmanager
def raw_server() -> Iterator[Raw]:
    """Serve `answers` while the block runs; what is not among them is 404."""
    site = Raw()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    site.port = listener.getsockname()[1]

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(30)
            said = b""
            while b"\r\n\r\n" not in said:
                more = connection.recv(65536)
                if not more:
                    return
                said += more
            text = said.decode("latin-1")
            site.asked.append((time.monotonic(), text))
            path = text.split(" ")[1]
            answer = site.answers.get(path, site.answers.get(path.partition("?")[0], page("none", "404 Not Found")))
            answer(connection) if callable(answer) else connection.sendall(answer)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            site.connections += 1
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield site
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def order(folder: Path, source: str, ports: tuple[int, ...], manners: str = "delay=0.0", **job: Any) -> Path:
    """Write a source (the arguments behind name, title and publisher, then any functions) and a job."""
    hosts = ", ".join(f'"127.0.0.1:{port}", "localhost:{port}"' for port in ports)
    arguments, _, functions = source.partition("\n")
    path = folder / "source.py"
    path.write_text(
        "from malmoi.source import *\nfrom crawlers.platforms import api_errors as answers\n"
        f'SOURCE = Source(name="small", title="견본", publisher="발행처", {arguments},\n'
        f"    manners=Manners({manners}, loopback=({hosts},)))\n{functions}\n"
    )
    order_file = folder / f"{len(list(folder.glob('*.json')))}.job.json"
    order_file.write_text(json.dumps({"source": str(path), "run_dir": str(folder / "run"), **job}))
    return order_file


@dataclass
class Ended:
    """What a crawl came to."""

    status: int
    stats: dict[str, Any]
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    dialled: list[tuple[str, int]]

    def why(self, base: str) -> dict[str, str]:
        return {one["url"].removeprefix(base): one["why"] for one in self.stats["failed"]}


class HostileCrawler(ForkedCrawler):
    """A fork that runs `main` below."""

    def crawl(self, order: str) -> int:
        sys.argv = [__file__, order]
        return main()


def crawl(job: Path, *, env: dict[str, str] | None = None, **hostile: Any) -> Ended:
    """Run a job with what `main` below reads; returns how it ended."""
    run_dir = Path(json.loads(job.read_text())["run_dir"])
    dialled = job.with_suffix(".dialled")
    told = json.dumps({"dialled": str(dialled), **hostile})
    began, used = time.monotonic(), _cpu_of_children()
    more = {**(env or {}), "HOSTILE": told, "PYTHONPATH": str(ROOT)}
    if "memory" in hostile:  # that of a fork holds what the test suite has loaded
        command = [sys.executable, str(Path(__file__)), str(job)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | more, capture_output=True, text=True, timeout=120)
    else:
        done = run_fork(HostileCrawler, job, lambda: (os.environ.update(more), os.chdir(ROOT)))
    stats = json.loads((run_dir / "stats.json").read_text()) if (run_dir / "stats.json").exists() else {}
    lines = dialled.read_text().splitlines() if dialled.exists() else []
    calls = [(host, int(port)) for host, _, port in (line.rpartition(" ") for line in lines)]
    seconds, cpu_seconds = time.monotonic() - began, _cpu_of_children() - used
    return Ended(done.returncode, stats, done.stdout, done.stderr, seconds, cpu_seconds, calls)


def _cpu_of_children() -> float:
    """CPU seconds of the processes that this one has started and seen end."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> int:
    """A crawl with other limits and another resolver."""
    told = json.loads(os.environ["HOSTILE"])
    _dial(told["dialled"], told.get("route", {}))
    _resolve(told.get("names", {}))
    if "fsize" in told:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (told["fsize"], told["fsize"]))
    for name, value in told.get("limits", {}).items():
        object.__setattr__(getattr(limits, name), "value", value)  # for those too that have imported the name
    from crawlers.fetch import __main__ as fetch
    from crawlers.fetch import politeness
    from crawlers.web import ssrf_guard

    politeness.TIMEOUT = fetch.TIMEOUT = told.get("timeout", politeness.TIMEOUT)
    politeness.MAX_TRIES = told.get("tries", politeness.MAX_TRIES)
    politeness.FIRST_WAIT = told.get("first_wait", 0.01)
    politeness.MAX_REST = told.get("max_rest", politeness.MAX_REST)
    if told.get("blind"):  # the first look, at the letters, is skipped: resolver and peer must hold alone
        ssrf_guard.Guard.check_url = lambda self, url: None  # type: ignore[method-assign]
    if told.get("trusting"):  # the look at the resolver too: the peer must hold alone
        ssrf_guard.Guard.check_resolved = lambda self, host, port, address: None  # type: ignore[method-assign]
    if told.get("slow_connect"):
        _connect_slowly(told["slow_connect"])
    for door, target in told.get("raising", {}).items():
        _raise_at(door, target)
    settings = fetch.settings
    fetch.settings = lambda *a: {**settings(*a), **told.get("settings", {})}
    status = fetch.main(sys.argv[1:])
    if told.get("memory"):
        # Not getrusage: Linux counts what the parent held when it forked, and that is the whole test suite.
        status_of = Path("/proc/self/status").read_text()
        peak = int(status_of.partition("VmHWM:")[2].split()[0]) // 1024
        Path(told["memory"]).write_text(str(peak))
    return status


class PanicException(BaseException):
    """As compiled Rust raises it."""


def raised(name: str) -> BaseException:
    """A fresh exception called `name`."""
    return PanicException("panic") if name == "PanicException" else getattr(builtins, name)("what it says")


def _raise_at(door: str, target: str) -> None:
    """Let the function `target`, module:attributes, raise X wherever an argument holds the words `raise-<door>-X`."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    real = getattr(owner, name)
    marker = re.compile(rf"raise-{door}-(\w+)")

    def said(value: Any) -> str:
        if isinstance(value, bytes | str):
            return str(value[:200])  # the page that links to all of them is longer
        return str(getattr(value, "url", ""))

    def call(*args: Any, **named: Any) -> Any:
        for value in (*args, *named.values()):
            if found := marker.search(said(value)):
                raise raised(found[1])
        return real(*args, **named)

    setattr(owner, name, call)


def _connect_slowly(seconds: float) -> None:
    """Let the first connection take `seconds`."""
    from twisted.internet import tcp

    real = tcp.Client.resolveAddress
    left = [seconds]

    def resolve_address(self: Any) -> None:
        if left:
            self.reactor.callLater(left.pop(), real, self)
        else:
            real(self)

    tcp.Client.resolveAddress = resolve_address


def _dial(log: str, route: dict[str, list[Any]]) -> None:
    """Write down every address that is dialled; only loopback is, and what `route` leads there."""
    real = socket.socket.connect_ex

    def connect_ex(self: socket.socket, address: Any) -> int:
        with Path(log).open("a") as file:
            file.write(f"{address[0]} {address[1]}\n")
        if address[0] in route:
            return real(self, tuple(route[address[0]]))
        return real(self, address) if address[0].startswith("127.") else 111  # ECONNREFUSED

    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]


def _resolve(names: dict[str, list[str]]) -> None:
    """Answer for `names` one address after the other, the last one again and again; look up no other name."""
    real = socket.gethostbyname
    turns = {name: iter(found) for name, found in names.items()}
    last: dict[str, str] = {}

    def gethostbyname(name: str) -> str:
        if name in turns:
            last[name] = next(turns[name], last.get(name, ""))
            return last[name]
        if name.startswith("0x") or not any(sign.isalpha() for sign in name.replace("x", "")):
            return real(name)  # a number in any notation: no question leaves this machine
        if name == "localhost":
            return "127.0.0.1"
        raise socket.gaierror(f"no such name: {name}")

    socket.gethostbyname = gethostbyname


if __name__ == "__main__":
    sys.exit(main())
