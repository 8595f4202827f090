"""A small site on loopback that counts its visitors: traps, redirects, an outage; no clock in its bytes."""

import gzip
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGES = 40
# What a crawl of the start page must reach, and nothing else.
ODD = ("/", "/gzip", "/chunked", "/moved-here", "/outage", "/%EC%9E%90%EB%A3%8C/1")


@dataclass
class Answer:
    """Status, headers and body of one path; `failures` answers of 503 come first."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    failures: int = 0


@dataclass
class Site:
    """What is served, and what was asked for."""

    base: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)  # seconds, monotonic, of each request
    agents: set[str] = field(default_factory=set)
    pause: float = 0.0  # seconds before each answer
    lock: threading.Lock = field(default_factory=threading.Lock)


def page(text: str, *links: str) -> bytes:
    """A page with links."""
    anchors = "".join(f'<p><a href="{link}">link</a></p>' for link in links)
    return f"<!doctype html><html><head><meta charset=utf-8></head><body><p>{text}</p>{anchors}</body></html>".encode()


def answers(base: str) -> dict[str, Answer]:
    """The paths of the site; page n links to 2n and 2n+1, so that breadth first means counting."""
    tree = [f"/page/{n}" for n in range(1, PAGES + 1)]
    # The odd link of the start page is 비밀 (secret) in CP949, as robots.txt has it.
    traps = ("/private/1", "http://external.example/", "http://169.254.169.254/", "mailto:a@b.kr", "javascript:x()")
    special = ("/gzip", "/chunked", "/moved", "/outage", "/자료/1", "/missing", "/away", "/inside", "/loop", "/other/x")
    html = {"Content-Type": "text/html"}
    site = {
        "/robots.txt": Answer("User-agent: *\nDisallow: /private/\nDisallow: /비밀/\n".encode("cp949")),
        "/": Answer(
            page("start", "/page/1", "/page/1#again", *special, *traps, "/%BA%F1%B9%D0/1")
            + b'<a rel="nofollow" href="/nofollow">n</a>',
            headers=html,
        ),
        "/gzip": Answer(
            gzip.compress(page("packed", "/page/2"), mtime=0), headers={**html, "Content-Encoding": "gzip"}
        ),
        "/chunked": Answer(page("in pieces"), headers={**html, "Transfer-Encoding": "chunked"}),
        "/moved": Answer(b"", 301, {"Location": "/moved-here"}),
        "/moved-here": Answer(page("moved"), headers=html),
        "/away": Answer(b"", 302, {"Location": "http://external.example/x"}),
        "/inside": Answer(b"", 302, {"Location": "http://169.254.169.254/latest/meta-data/"}),
        "/loop": Answer(b"", 302, {"Location": "/loop?n=1"}),
        "/outage": Answer(page("back again"), headers=html, failures=1),
        "/%EC%9E%90%EB%A3%8C/1": Answer(page("hangul path"), headers=html),
    }
    for n in range(1, 10):
        site[f"/loop?n={n}"] = Answer(b"", 302, {"Location": f"/loop?n={n + 1}"})
    for n, path in enumerate(tree, 1):
        below = [f"/page/{m}" for m in (2 * n, 2 * n + 1) if m <= PAGES]
        site[path] = Answer(page(f"{base} {n} " + "글 " * 300, *below), headers={**html, "ETag": f'"{n}"'})
    return site


@contextmanager
def serve(pause: float = 0.0) -> Iterator[Site]:
    """Serve the site on a free port while the block runs."""
    site = Site(pause=pause)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            with site.lock:
                site.hits[self.path] += 1
                site.times.append(time.monotonic())
                site.agents.add(self.headers["User-Agent"])
                answer = site.answers.get(self.path, Answer(page("none"), 404, {"Content-Type": "text/html"}))
                failing = answer.failures > 0
                answer.failures -= failing
            time.sleep(site.pause)
            tag = answer.headers.get("ETag")
            if failing:
                self._send(503, {"Retry-After": "0"}, b"later")
            elif tag and self.headers.get("If-None-Match") == tag:
                self._send(304, {"ETag": tag}, b"")
            else:
                self._send(answer.status, answer.headers, answer.body)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            chunked = "Transfer-Encoding" in headers
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not chunked:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.base = f"http://127.0.0.1:{server.server_port}"
        site.answers = answers(site.base)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
