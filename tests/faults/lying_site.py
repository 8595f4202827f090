"""A small site on loopback that answers honestly, slowly or wrongly, as it is told for each path."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.builders.small_archive import MARK, prose

# What a crawler can notice: each of them is a failure of the address, not another page.
LIES = ("reset", "short", "unavailable", "broken gzip", "not modified", "no status", "slow", "loop", "endless head")

SECRET, SECRET_PATH = "카나리아본문구오칠", "/read/3"  # of the page that is erased
DUMP_CLAIM = "All text of this wiki is free under CC BY-SA 4.0"
_HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ko">\n  <siteinfo>\n'
    "    <base>https://ko.example.kr/wiki/a</base>\n    <generator>MediaWiki 1.46</generator>\n  </siteinfo>\n"
)


def _dump_page(number: int) -> str:
    return (
        f"  <page>\n    <title>쪽 {number}</title>\n    <ns>0</ns>\n    <id>{number}</id>\n    <revision>\n"
        f"      <id>{number + 5000}</id>\n      <timestamp>2026-08-30T04:05:06Z</timestamp>\n"
        f'      <model>wikitext</model>\n      <text xml:space="preserve">{prose(number + 300, 14)}</text>\n'
        "    </revision>\n  </page>\n"
    )


class LyingSite:
    """`lies` maps a path to what is wrong with its answers; `edition` chooses the pages."""

    def __init__(self, pages: int, port: int = 0) -> None:
        self.lies: dict[str, str] = {}
        self.edition = 0
        self.has_dump = False
        self.pages = pages
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, format: str, *args: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client: object) -> None: ...

        self._server = Server(("127.0.0.1", port), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        """The paths that have an answer, robots.txt left out."""
        if self.has_dump:
            return ["/dump.xml", "/legal.html"]
        last = self.pages + self.edition
        return ["/", *(f"/read/{n}" for n in range(self.edition, last))]

    def page(self, path: str) -> bytes | None:
        """The body at `path`: the second edition has one page more, one less and another text on one; or a dump."""
        if path == "/robots.txt":
            return b"User-agent: *\nAllow: /\n"
        if path not in self.paths():
            return None
        if path == "/dump.xml":
            return (_HEAD + "".join(map(_dump_page, range(1, 9))) + "</mediawiki>\n").encode()
        if path == "/legal.html":
            return f"<html><body><p>{DUMP_CLAIM}.</p></body></html>".encode()
        number = int(path.rpartition("/")[2] or 0)
        text = prose(number + (7000 if self.edition and number == 2 else 0), 14)
        text += f" {SECRET}이라고 적었다." if path == SECRET_PATH else ""
        links = "".join(f'<li><a href="{one}">{one}</a></li>' for one in self.paths()) if path == "/" else ""
        return (
            f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>글 {number}</title></head><body>'
            f"<article><h1>이야기 {number}</h1><p>{text}</p></article>{MARK}<ul>{links}</ul></body></html>"
        ).encode()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body, lie = self.page(request.path), self.lies.get(request.path, "")
        kind = "text/plain" if request.path == "/robots.txt" else "text/html; charset=utf-8"
        head = {"Content-Type": kind, "Content-Length": str(len(body or b""))}
        status = 404 if body is None else 200
        match lie:
            case "reset":
                request.connection.close()
                return
            case "no status":
                request.wfile.write(b"\x00\xff nonsense\r\n\r\n")
                request.close_connection = True
                return
            case "short":
                head["Content-Length"] = str(len(body or b"") + 1000)
                request.close_connection = True
            case "unavailable":
                status, head["Retry-After"] = 503, "0"
            case "broken gzip":
                head["Content-Encoding"] = "gzip"
            case "not modified":
                status, body = 304, b""
            case "slow":
                time.sleep(0.4)
            case "loop":
                status, head["Location"] = 302, request.path
            case "endless head":
                head["X-Long"] = "x" * 200_000
        request.send_response_only(status)
        for name, value in head.items():
            if not (status == 304 and name == "Content-Length"):
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body or b"")
