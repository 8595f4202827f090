"""Build the sample site as bytes and serve it on loopback, without clock or log."""

import argparse
import json
import unicodedata
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

from crawlers.sample.sample_page import LEGEND, SECTIONS, Page, body_html, mark, read_pages, variant

BASE = "http://127.0.0.1"
FIRST_DAY = date(2026, 1, 2)  # of lists, robots.txt and files, which have no date of their own
MOVED = {"/index.html": "/", "/news/opening.html": "/news/2026-01.html"}
STRAY = "\ufffd"  # in a page's text: becomes one byte that is invalid in every Korean encoding
STRAY_BYTE = b"\xff"
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
SITE = "말모이 견본 누리집"
NOTICE = "이 누리집의 모든 글은 시험을 위해 새로 쓴 것입니다. 기관, 사람, 사건, 번호는 모두 지어냈습니다."
PER_PAGE = 6  # entries of one list page
PUBLIC = {name: title for name, title in SECTIONS.items() if name != "private"}

FOOTER = f"""<footer id="footer">
<ul class="foot_menu"><li><a href="/about/terms.html">이용 안내</a></li>\
<li><a href="https://example.invalid/partner">관련 누리집</a></li>\
<li><a href="/private/memo.html">직원 전용</a></li></ul>
<address>(00000) 견본도 가상시 시험로 0, {SITE} 대표전화 02-000-0000</address>
<p class="copy">Copyright &copy; {SITE}. All Rights Reserved.</p>
</footer>
</body>
</html>
"""


def page_html(page: Page, siblings: Sequence[Page]) -> str:
    """Render one complete page. `siblings` are all pages of its section, in order."""
    if page.form == "nfd":  # text that a macOS editor pastes into a CMS whose own texts are NFC
        title, author, body = (unicodedata.normalize("NFD", text) for text in (page.title, page.author, page.body))
        page = replace(page, title=title, author=author, body=body)
    if page.template == "bare":
        return f"{_head(page)}<body>\n{_article(page)}</body>\n</html>\n"
    if page.template == "nav":
        links = "".join(f'<li><a href="/{name}/index.html">{title}</a></li>\n' for name, title in PUBLIC.items())
        main = f'<h1>{escape(page.title)}</h1>\n<ul class="sitemap">\n{links}{links}</ul>\n{mark(page)}'
    else:
        main = _article(page) + _neighbours(page, siblings)
    others = "".join(_entry(other) for other in siblings if other.slug != page.slug)
    return (
        f"{_head(page)}<body>\n{_header(page.section)}"
        f'<div id="container">\n<aside class="lnb"><h2>{SECTIONS[page.section]}</h2>\n<ul>{others}</ul>\n'
        '<p><a href="/private/draft.html">작성 중인 글</a></p></aside>\n'
        f'<main id="content">\n{main}</main>\n</div>\n{FOOTER}'
    )


def _head(page: Page) -> str:
    title, section = escape(page.title), SECTIONS[page.section]
    lines = [
        '<!DOCTYPE html>\n<html lang="ko">\n<head>',
        f'<meta charset="{page.encoding}">',
        f"<title>{title} | {section} | {SITE}</title>",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta property="og:title" content="{title}">',
        f'<meta property="og:site_name" content="{SITE}">\n<meta property="og:type" content="article">',
        f'<meta property="article:published_time" content="{page.date}T09:00:00+09:00">',
        f'<link rel="canonical" href="{page.path}">',
        '<link rel="stylesheet" href="/css/common.css">',
    ]
    if page.meta:
        name, _, content = page.meta.partition("=")
        lines.append(f'<meta name="{escape(name)}" content="{escape(content)}">')
    if variant(page, 2, "json-ld"):
        facts: dict[str, object] = {
            "@context": "https://schema.org",
            "@type": "NewsArticle" if page.section in ("news", "notices") else "Article",
            "headline": page.title,
            "datePublished": f"{page.date}T09:00:00+09:00",
            "publisher": {"@type": "Organization", "name": SITE},
        }
        if page.author:
            facts["author"] = {"@type": "Person", "name": page.author}
        data = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
        lines.append(f'<script type="application/ld+json">{data}</script>')
    return "\n".join(lines) + "\n</head>\n"


def _header(section: str) -> str:
    here = f' &gt; <a href="/{section}/index.html">{SECTIONS[section]}</a>' if section in PUBLIC else ""
    menu = "".join(f'<li><a href="/{name}/index.html">{title}</a></li>' for name, title in PUBLIC.items())
    return (
        f'<div id="skip"><a href="#content">본문 바로가기</a></div>\n<header id="header">'
        f'<p class="logo"><a href="/">{SITE}</a></p>\n<nav id="gnb"><ul>{menu}</ul></nav></header>\n'
        f'<div class="breadcrumb"><a href="/">홈</a>{here}</div>\n'
    )


def _entry(page: Page, tail: str = "") -> str:
    return f'<li><a href="{page.path}{tail}">{escape(page.title)}</a></li>'


def _article(page: Page) -> str:
    author = f'<span class="writer">작성자 {escape(page.author)}</span>' if page.author else ""
    body = body_html(page.body)
    if page.template == "broken":
        body = _break_markup(body)
    elif page.template == "legend":
        body += LEGEND
    close = "" if page.template == "broken" else "</div>\n"
    return (
        f'<article class="view">\n<h1>{escape(page.title)}</h1>\n'
        f'<div class="view_info">{author} <span class="date">작성일 {page.date:%Y.%m.%d}</span></div>\n'
        '<div class="share"><button>공유하기</button> <button>인쇄</button> '
        "<button>URL 복사</button></div>\n"
        f'<div class="view_cont">\n{body}{close}{mark(page)}</article>\n'
    )


def _break_markup(body: str) -> str:
    """Break the markup but not the text: nested open tables, open paragraphs, an extra end tag."""
    opened = body.replace("</p>\n<p>", "\n<p><font size=2>")
    half = opened.rfind("<p>", 0, len(opened) // 2)
    return (
        "<table width=100%><tr><td>\n<table><tr><td>\n"
        f"{opened[:half]}</span></div></div></td></tr><tr><td>{opened[half:]}</b></td>\n</table>\n"
    )


def _neighbours(page: Page, siblings: Sequence[Page]) -> str:
    place = next(n for n, other in enumerate(siblings) if other.slug == page.slug)
    before = siblings[place - 1] if place else None
    after = siblings[place + 1] if place + 1 < len(siblings) else None
    lines = [
        f'<dt>{word}</dt><dd><a href="{other.path}">{escape(other.title)}</a></dd>'
        for word, other in (("이전글", before), ("다음글", after))
        if other
    ]
    listing = f'<a class="btn" href="/{page.section}/index.html">목록</a>' if page.section in PUBLIC else ""
    return f'<dl class="prev_next">{"".join(lines)}</dl>\n{listing}\n'


def _plain_page(title: str, main: str, section: str = "") -> str:
    return (
        '<!DOCTYPE html>\n<html lang="ko">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title} | {SITE}</title>\n</head>\n<body>\n{_header(section)}"
        f'<main id="content">\n<h1>{title}</h1>\n{main}</main>\n{FOOTER}'
    )


def front_html(pages: Sequence[Page]) -> str:
    """Render the front page. It holds the crawl traps: a dead link, moved pages, one page under three URLs."""
    newest = "".join(_entry(page) for page in pages if page.section == "news")
    return _plain_page(
        SITE,
        f'<p class="notice">{NOTICE}</p>\n<h2>새 소식</h2>\n<ul>{newest}</ul>\n<h2>바로가기</h2>\n<ul>'
        '<li><a href="/news/index.html?page=1&amp;sort=date">소식 목록</a></li>'
        '<li><a href="/news/index.html?sort=date&amp;page=1">소식 목록(날짜순)</a></li>'
        '<li><a href="/news/2026-01.html#content">개관 소식 본문</a></li>'
        '<li><a href="/news/opening.html">개관 소식(옛 주소)</a></li>'
        '<li><a href="/news/2019-removed.html">지워진 소식</a></li>'
        '<li><a href="/files/logo.png">상징 그림 내려받기</a></li>'
        '<li><a href="https://example.invalid/dictionary">바깥 누리집: 사전</a></li></ul>\n',
    )


def list_pages(section: str, pages: Sequence[Page]) -> dict[str, str]:
    """Render the numbered lists of one section: path → HTML."""
    chunks = [pages[n : n + PER_PAGE] for n in range(0, len(pages), PER_PAGE)] or [()]
    addresses = [f"/{section}/index.html"]
    addresses += [f"/{section}/index-{n}.html" for n in range(2, len(chunks) + 1)]
    numbers = " ".join(f'<a href="{path}">{n}</a>' for n, path in enumerate(addresses, 1))
    return {
        path: _plain_page(
            SECTIONS[section],
            f'<ul class="board">{"".join(map(_entry, chunk))}</ul>\n<div class="paging">{numbers}</div>\n',
            section,
        )
        for path, chunk in zip(addresses, chunks, strict=True)
    }


def missing_html() -> str:
    """Render the page for a missing path."""
    return _plain_page("찾으시는 쪽이 없습니다", "<p>주소를 다시 확인해 주세요.</p>\n")


def robots_txt(base: str) -> str:
    """Render a robots.txt that forbids only the private folder and sets no delay."""
    return f"User-agent: *\nDisallow: /private/\n\nSitemap: {base}/sitemap.xml\n"


def sitemap_xml(base: str, pages: Sequence[Page]) -> str:
    """Render the sitemap of all public pages; the protocol requires absolute URLs, hence `base`."""
    entries = "".join(f"<url><loc>{base}{page.path}</loc><lastmod>{page.date}</lastmod></url>\n" for page in pages)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'


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
    public = [page for page in pages if page.section in PUBLIC]
    site = {
        "/": _text("text/html; charset=utf-8", front_html(public)),
        "/robots.txt": _text("text/plain; charset=utf-8", robots_txt(base)),
        "/sitemap.xml": _text("application/xml; charset=utf-8", sitemap_xml(base, public)),
        "/files/logo.png": _response(200, "image/png", PNG, FIRST_DAY),
    }
    for section in SECTIONS:
        siblings = [page for page in pages if page.section == section]
        if section in PUBLIC:
            for path, html in list_pages(section, siblings).items():
                site[path] = _text("text/html; charset=utf-8", html)
        for page in siblings:
            body = encode(page, page_html(page, siblings))
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


MISSING = Response(404, (("Content-Type", "text/html; charset=utf-8"),), missing_html().encode("utf-8"))


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
        print(f"{SITE}: {base}/  (Ctrl+C ends)", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


if __name__ == "__main__":
    main()
