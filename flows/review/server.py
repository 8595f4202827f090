"""Serve a page of `malmoi review` or `malmoi inspect` on loopback, only to the browser that opened the printed address.

The secret of the process is in the fragment of that address, which browsers never send by themselves; the page sends
it as a header. So another site, and another user of this machine, can neither read texts nor decide.
"""

from __future__ import annotations

import json
import secrets
import webbrowser
from collections.abc import Callable, Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from flows.console import SafeConsole
from malmoi.errors import CallError, MalmoiError

HOST = "127.0.0.1"
TOKEN = "X-Malmoi-Review"  # header with the secret of the process
MAX_BODY = 16 * 1024  # bytes of a request
TIMEOUT = 20  # seconds that a connection may be silent
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


class Refusal(Exception):
    """A request that is not carried out; `status` is that of the HTTP answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def unknown_address() -> Refusal:
    """Return the refusal of a path that a session does not have."""
    return Refusal(404, "the server does not know this address.")


def parse_count(text: str) -> int:
    """Return a number of a query, 0 or more, of at most nine digits."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(400, f"{text[:20]!r} is not a number.")
    return int(text)


class Session(Protocol):
    """The data that a page shows and writes. Thread-safe; a Refusal is an answer."""

    lock: Lock  # held while something is written
    files: Mapping[str, str]  # path → file beside this module

    def get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the values at `path` for a query; nothing changes."""

    def post(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Write what the JSON object `asked` says."""


class ReviewServer(ThreadingHTTPServer):
    """The server of one session; `address` is what a person opens."""

    daemon_threads = True  # an idle connection of a browser must not delay the end

    def __init__(self, session: Session, port: int = 0) -> None:
        """Bind `port` of the loopback interface; 0 is a free one. Raises CallError if it cannot be bound."""
        self.session, self.token = session, secrets.token_urlsafe(32)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise CallError(
                f"cannot listen on port {port} of {HOST} ({error.strerror}); pass another --port, or leave it out for "
                "a free one."
            ) from error

    @property
    def address(self) -> str:
        """The address of the page with its secret."""
        return f"http://{HOST}:{self.server_port}/#token={self.token}"

    def run(self) -> None:
        """Answer until Ctrl-C; a decision that is being written is finished first."""
        try:
            self.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass
        finally:
            with self.session.lock:
                self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write no log: connections break without a fault, and texts must not reach a log."""


def serve_session(session: Session, port: int, out: SafeConsole, words: tuple[str, str, str], tmp: Path | None) -> None:
    """Serve a page until Ctrl-C; `words`: its name, what happens next, and the last line.

    If there is a folder `tmp` for a private file, a browser is opened.
    """
    server = ReviewServer(session, port)
    name, after, last = words
    out.print(f"{name}: {server.address}")
    out.print(f"The address holds a secret: keep it. Ctrl-C ends the page; {after}")
    file = tmp / "review.html" if tmp else None
    if file is not None:  # an argument of the browser could be read by other users
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'<meta http-equiv="refresh" content="0; url={escape(server.address)}">', encoding="utf-8")
    try:
        if file is not None:  # some browsers block
            Thread(target=webbrowser.open, args=(file.absolute().as_uri(),), daemon=True).start()
        server.run()
    finally:
        if file is not None:
            file.unlink(missing_ok=True)
    out.print(f"Stopped. {last}")


class _Handler(BaseHTTPRequestHandler):
    """Answer one request."""

    server: ReviewServer
    timeout = TIMEOUT
    server_version, sys_version = "malmoi", ""
    error_message_format, error_content_type = "%(code)d %(message)s\n", "text/plain; charset=utf-8"

    def do_GET(self) -> None:
        """Answer with a file of the page, or with values for it; nothing changes."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Write a decision, or revoke one."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log: addresses hold the ids of documents."""

    def _answer(self, make: Callable[[], tuple[bytes, str]]) -> None:
        status, media = 200, "application/json"
        try:
            self._check_host()
            body, media = make()
        except Refusal as error:
            status, body = error.status, _encode({"message": str(error)})
        except MalmoiError as error:
            status, body = 400 if isinstance(error, CallError) else 500, _encode({"message": str(error)})
        except OSError as error:
            status, body = 500, _encode({"message": f"{error.strerror or error}. Nothing was decided."})
        except Exception as error:  # a bug; its message may hold a text
            status, body = (500, _encode({"message": f"internal error ({type(error).__name__}). Start it again."}))
        self.send_response(status)
        for name, value in (("Content-Type", f"{media}; charset=utf-8"), ("Content-Length", str(len(body))), *HEADERS):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _get(self) -> tuple[bytes, str]:
        parts = urlsplit(self.path)
        if name := self.server.session.files.get(parts.path):
            return (Path(__file__).parent / name).read_bytes(), TYPES[Path(name).suffix]
        self._check_page()
        asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return _encode(self.server.session.get(parts.path, asked)), "application/json"

    def _post(self) -> tuple[bytes, str]:
        asked = self._read_body()
        self._check_page()
        return _encode(self.server.session.post(self.path, asked)), "application/json"

    def _check_host(self) -> None:
        """Refuse other names of this address: a site can make its own name lead to this machine (DNS rebinding)."""
        own = [f"{name}:{self.server.server_port}" for name in (HOST, "localhost")]
        if self.headers.get_all("Host") not in ([own[0]], [own[1]]):
            raise Refusal(403, "the address has another host than the printed one. Open the printed address.")

    def _check_page(self) -> None:
        """Refuse a request that does not come from a page of this server, opened with its secret."""
        origins, sites = self.headers.get_all("Origin", []), self.headers.get_all("Sec-Fetch-Site", [])
        if any(origin != f"http://{self.headers['Host']}" for origin in origins):
            raise Refusal(403, "the request comes from another site.")
        if any(site != "same-origin" for site in sites):
            raise Refusal(403, "the request comes from another site.")
        given = self.headers.get(TOKEN, "").encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, self.server.token.encode()):
            raise Refusal(403, "the secret is missing or of another run. Open the address that was printed.")

    def _read_body(self) -> dict[str, Any]:
        """Return the JSON object of a request; only a script of a page can send this content type to its own site."""
        if self.headers.get_content_type() != "application/json" or "Content-Type" not in self.headers:
            raise Refusal(415, "a decision is sent as application/json.")
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise Refusal(411, "the length of the request is missing.")
        if len(length) > 8 or int(length) > MAX_BODY:
            raise Refusal(413, f"the request is longer than {MAX_BODY} bytes.")
        try:
            found = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "the request is not JSON.") from error
        if not isinstance(found, dict):
            raise Refusal(400, "the request is not a JSON object.")
        return found


def _encode(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()
