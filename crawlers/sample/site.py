"""Build the sample site as bytes and serve it on loopback, without clock or log."""

import argparse
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

from crawlers.sample import template
from crawlers.sample.sample_page import SECTIONS, Page, read_pages

BASE = "http://127.0.0.1"
FIRST_DAY = date(2026, 1, 2)  # of lists, robots.txt and files, which have no date of their own
MOVED = {"/index.html": "/", "/news/opening.html": "/news/2026-01.html"}
STRAY = "\ufffd"  # in a page's text: becomes one byte that is invalid in every Korean encoding
STRAY_BYTE = b"\xff"
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@dataclass(frozen=True)
class Response:
    """The answer of the server for one path, before conditional headers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of a header, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def build(edition: int = 1, base: str = BASE) -> dict[str, Response]:
    """Build the whole site: path → response. The same arguments give the same bytes.

    `edition` 2 is the site some months later: a page is new, one has changed, one is gone, one has
    another licence. `base` appears only in sitemap.xml and robots.txt; all other links start at the root.
    """
    pages = read_pages(edition)
    public = [page for page in pages if page.section in template.PUBLIC]
    site = {
        "/": _text("text/html; charset=utf-8", template.front_html(public)),
        "/robots.txt": _text("text/plain; charset=utf-8", template.robots_txt(base)),
        "/sitemap.xml": _text("application/xml; charset=utf-8", template.sitemap_xml(base, public)),
        "/files/logo.png": _response(200, "image/png", PNG, FIRST_DAY),
    }
    for section in SECTIONS:
        siblings = [page for page in pages if page.section == section]
        if section in template.PUBLIC:
            for path, html in template.list_pages(section, siblings).items():
                site[path] = _text("text/html; charset=utf-8", html)
        for page in siblings:
            body = encode(page, template.page_html(page, siblings))
            kind = f"text/html; charset={page.encoding}"
            site[page.path] = _response(200, kind, body, page.date)
    for old, new in MOVED.items():
        site[old] = Response(301, (("Location", new), ("Content-Type", "text/html")), b"")
    return dict(sorted(site.items()))


def encode(page: Page, html: str) -> bytes:
    """Encode a page in its encoding.

    Pages that declare EUC-KR are encoded in code page 949, as Windows did: the same bytes for the
    2,350 syllables of KS X 1001, and two bytes for the others. A character outside code page 949
    becomes a character reference; U+FFFD becomes one invalid byte.
    """
    if page.encoding == "utf-8":
        return html.encode("utf-8")
    parts = html.split(STRAY)
    return STRAY_BYTE.join(part.encode("cp949", errors="xmlcharrefreplace") for part in parts)


def _text(kind: str, text: str) -> Response:
    return _response(200, kind, text.encode("utf-8"), FIRST_DAY)


def _response(status: int, kind: str, body: bytes, day: date) -> Response:
    modified = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Response(
        status,
        (
            ("Content-Type", kind),
            ("ETag", f'"{sha256(body).hexdigest()[:16]}"'),
            ("Last-Modified", format_datetime(modified, usegmt=True)),
        ),
        body,
    )


MISSING = Response(404, (("Content-Type", "text/html; charset=utf-8"),), template.missing_html().encode("utf-8"))


def is_unchanged(response: Response, if_none_match: str | None, if_modified_since: str | None) -> bool:
    """Whether the client's copy is current (RFC 9110, section 13.2.2: the ETag takes precedence over the date)."""
    if response.status != 200:
        return False
    if if_none_match is not None:
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or response.header("ETag") in tags
    if if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except ValueError:  # an unreadable date is ignored
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return parsedate_to_datetime(response.header("Last-Modified")) <= since


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from `site`; the query is ignored, as boards with one list do."""

    site: Mapping[str, Response] = {}
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    timeout = 30  # s; an idle connection is closed

    def do_GET(self) -> None:
        """Answer with the body."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        response = self.site.get(urlsplit(self.path).path, MISSING)
        same = is_unchanged(response, self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since"))
        self.send_response_only(304 if same else response.status)  # no Date, no Server: no clock
        for name, value in response.headers:
            if not same or name != "Content-Type":
                self.send_header(name, value)
        if not same:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if with_body and not same:
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextmanager
def serve(port: int = 0, edition: int = 1) -> Iterator[str]:
    """Serve an edition on 127.0.0.1 while the block runs; yield the base URL. Port 0: any free one."""

    class ThisSite(Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", port), ThisSite) as server:
        base = f"{BASE}:{server.server_port}"
        ThisSite.site = build(edition, base)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield base
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m crawlers.sample.site", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free port")
    parser.add_argument("--edition", type=int, default=1, help="2: the site some months later")
    options = parser.parse_args()
    with serve(options.port, options.edition) as base:
        print(f"{template.SITE}: {base}/  (Ctrl+C ends)", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


if __name__ == "__main__":
    main()
