"""A simulated site on loopback: lists by first digit, twenty pages a list, a licence mark on most pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from benchmarks.simulation.simulated_pages import name_page, write_page
from benchmarks.simulation.simulated_texts import compose_text, seed_draw

ON_LIST = 20
MARK, SHARE_ALIKE = b"/licenses/by/4.0/", b"/licenses/by-sa/4.0/"
SOURCE = '''"""The simulated site, by {kind}."""

from malmoi.source import Expect, LicenceRule, Manners, {kind}, Source

SOURCE = Source(
    name="simulated-{name}",
    title="모의 누리집",
    publisher="모의 발행처",
    access={access},
    rule=LicenceRule(
        proofs=("rel-license",), selector=(("{base}/", "footer"),), expected=("CC-BY-4.0", "CC-BY-SA-4.0")
    ),
    expect=Expect(1, 20_000),
    manners=Manners(delay=0.0, concurrency=4, loopback=("{host}",)),
)
'''


def write_sources(base: str) -> dict[str, str]:
    """Return the source files of the site: name → text."""
    host = base.removeprefix("http://")
    site = f'Site(start=("{base}/",), scope=("{base}/",))'
    sitemap = f'Sitemap(urls=("{base}/sitemap.xml",), scope=("{base}/",))'
    return {
        name: SOURCE.format(kind=kind, name=name, access=access, base=base, host=host)
        for name, kind, access in (("site", "Site", site), ("sitemap", "Sitemap", sitemap))
    }


@contextmanager
def serve(pages: int, seed: int = 0) -> Iterator[str]:
    """Serve the site while the block runs; yield its base address."""
    paths: dict[str, int] = {urlsplit(name_page(seed, number)[1]).path: number for number in range(pages)}
    lists: dict[str, list[str]] = {f"/{digit:x}/index.html": [] for digit in range(16)}
    for path in sorted(paths):
        lists[f"/{path[1]}/index.html"].append(path)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            kind, body = "text/html; charset=utf-8", b""
            if parts.path in paths:
                body = write_marked(seed, paths[parts.path])
            elif parts.path in lists:
                body = write_list(parts.path, lists[parts.path], int(parse_qs(parts.query).get("page", ["1"])[0]))
            elif parts.path == "/":
                body = write_links("처음", sorted(lists))
            elif parts.path == "/sitemap.xml":
                kind, body = "application/xml", write_sitemap(f"http://{self.headers['Host']}", sorted(paths))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def write_marked(seed: int, number: int) -> bytes:
    """The page of a number: CC BY on six in ten, CC BY-SA on three, no mark on the rest; all in one design."""
    draw = seed_draw(seed, number, 5).random()
    page = write_page(1, compose_text(seed, number, 0), seed_draw(seed, number, 3))
    if draw < 0.6:
        return page
    return page.replace(MARK, SHARE_ALIKE if draw < 0.9 else b"/about/")


def write_list(path: str, members: list[str], page: int) -> bytes:
    """One page of a list, with the numbers of the others."""
    others = [f"{path}?page={n}" for n in range(2, -(-len(members) // ON_LIST) + 1)]
    return write_links("목록", [*members[(page - 1) * ON_LIST : page * ON_LIST], *others])


def write_links(title: str, links: list[str]) -> bytes:
    """A page of links."""
    items = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><ul>{items}</ul></body></html>".encode()


def write_sitemap(base: str, paths: list[str]) -> bytes:
    """The sitemap of all pages."""
    rows = "".join(f"<url><loc>{base}{path}</loc></url>" for path in paths)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()
