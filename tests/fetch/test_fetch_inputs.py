"""One input never stops its source: whatever a library raises about it is a failure of that input."""

import json
from pathlib import Path
from typing import Any

import pytest

from crawlers.encodings.charset_labels import python_name
from crawlers.fetch import crawl_state, middlewares, payload, politeness
from crawlers.web import robots
from crawlers.web.scope import links as links_in
from malmoi import limits
from malmoi.archive.capture import Capture, index
from tests.builders.hostile import Raw, crawl, links, order, page, raised, raw_server
from tests.builders.rows import each_row

EXCEPTIONS = (
    "LookupError",
    "ValueError",
    "KeyError",
    "RecursionError",
    "AttributeError",
    "MemoryError",
    "UnicodeError",
    "TypeError",
    "OSError",
    "PanicException",
)
# Door → the function of a library that fails there, and the word for it.
DOORS = {
    "text": ("crawlers.web.scope:decode", "links-unread: unreadable: "),
    "tree": ("crawlers.web.scope:html.document_fromstring", "links-unread: unreadable: "),
    "request": ("crawlers.fetch.spider:Request", "unreadable: "),
    "location": ("crawlers.web.addresses:urljoin", "redirect-to-nowhere"),
    "handler": ("scrapy.core.downloader.handlers.http11:HTTP11DownloadHandler.download_request", "broken-answer"),
    "record": ("crawlers.fetch.archive:warc_record", "unreadable: "),
}
LABELS = (
    "hex", "zlib", "bz2", "base64", "uu", "quopri", "rot13", "idna", "punycode", "unicode_escape", "raw_unicode_escape",
    "undefined", "mbcs", "oem", "utf-7", "utf_8_sig\0", "x" * 10_000, "", " ", "../../etc/passwd", "encodings",
    "aliases",     "utf-8;x", "가나다", "charset", "none", "\udcff",
)  # fmt: skip
SITE = 'access=Site(start=("{base}/",), scope=("{base}/",))'


def of(door: str, name: str) -> bytes:
    marker = f"raise-{door}-{name}"
    if door == "location":
        return page("", "302 Found", Location=f"/{marker}")
    return page(f"<html><p>{marker}</p><a href='/{door}/{name}/behind'>x</a>" if door in ("text", "tree") else "fine")


def hostile_site(site: Raw) -> dict[str, str]:
    """Pages that make a library fail, each beside one that does not; path → the word that is expected."""
    expected, names = {}, []
    for door, (_, word) in DOORS.items():
        for name in EXCEPTIONS:
            path = f"/{door}/{name}" if door in ("text", "tree", "location") else f"/raise-{door}-{name}"
            expected[path] = f"{word}{name}" if word.endswith(": ") else word
            if name == "UnicodeError" and door in ("request", "handler", "record"):
                expected[path] = "malformed-host"  # what Twisted says of a host that it cannot encode
            site.answers[path] = of(door, name)
            site.answers[f"/fine/{door}/{name}"] = page("fine")
            names += [path, f"/fine/{door}/{name}"]
    site.answers["/"] = links(*names)
    return expected


@pytest.mark.heavy
def test_an_exception_of_any_library_costs_the_input_and_the_next_visit_works(tmp_path: Path) -> None:
    raising = {door: target for door, (target, _) in DOORS.items()}
    with raw_server() as site:
        expected = hostile_site(site)
        job = order(tmp_path, SITE.format(base=site.base), (site.port,))
        first = crawl(job, raising=raising, tries=1)
        assert first.status == 0, first.err
        assert first.why(site.base) == expected
        pages = 1 + len(expected) + 2 * len(EXCEPTIONS)  # the start, the fine ones, those whose links are lost
        assert first.stats["pages"] == pages
        (tmp_path / "run" / "stats.json").unlink()
        again = crawl(job, raising=raising, tries=1)  # over the archive that holds the poisonous pages
        assert again.status == 0 and again.why(site.base) == expected and again.stats["pages"] == pages, again.err
        (tmp_path / "run" / "stats.json").unlink()
        mended = crawl(job, tries=1)
        assert mended.status == 0, mended.err
        assert f"/text/{EXCEPTIONS[0]}/behind" in mended.why(site.base), "its links are read once the library can"


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_functions_that_judge_one_input_translate_what_a_library_raises(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise raised(name)

    monkeypatch.setattr(robots, "Protego", type("Protego", (), {"parse": fail}))
    robots._parse.cache_clear()
    assert robots.decide(200, b"User-agent: *\nDisallow: /x", "http://a.kr/", "Malmoi").reason == "robots-unreadable"
    assert robots.find_forbidding_line(b"User-agent: *\nDisallow: /x", "http://a.kr/x", "Malmoi") == ""
    monkeypatch.setattr(politeness, "parsedate_to_datetime", fail)
    assert politeness.backoff_seconds(2, 1.0, "Tue, 24 Nov 2026 00:00:09 GMT", politeness.utc_now()) == 1.0
    monkeypatch.setattr(payload.zlib, "decompressobj", fail)
    monkeypatch.setattr(payload.brotli, "Decompressor", fail)
    monkeypatch.setattr(payload.zstd, "ZstdDecompressor", fail)
    for coding in ("gzip", "deflate", "br", "zstd"):
        with pytest.raises(payload.Damaged):
            payload.decode_body(b"x\x9cabc", coding)
    monkeypatch.setattr("crawlers.web.addresses.canonicalize_url", fail)
    assert crawl_state.canonical_url("http://a.kr/") == ""
    robots._parse.cache_clear()


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["LookupError", "PanicException"])
def test_a_page_of_terms_that_a_library_cannot_read_is_noted(tmp_path: Path, name: str) -> None:
    with raw_server() as site:
        site.answers |= {"/": page("start"), "/terms": page(f"<p>raise-terms-{name}</p>")}
        terms = {"reviewer": "r", "date": "2026-11-24", "url": f"{site.base}/terms", "verdict": "allowed"}
        job = order(tmp_path, SITE.format(base=site.base), (site.port,), terms=terms)
        done = crawl(job, raising={"terms": "crawlers.rights.claims:readable_text"})
    assert done.status == 0 and done.why(site.base) == {"/terms": f"unreadable: {name}"}, done.err
    assert done.stats["terms"]["sha256"] == "" and done.stats["pages"] == 1


@each_row("label", LABELS, ids=lambda label: label[:20] or "empty")
def test_a_label_that_is_no_character_set_is_not_believed(label: str) -> None:
    assert python_name(label) == ""
    body = "<p>말모이는 우리말 사전이다</p><a href='/가?q=나'>x</a>".encode()
    for media, head in ((f"text/html; charset={label}", ""), ("text/html", f"<meta charset='{label}'>")):
        raw = head.encode("utf-8", "surrogateescape") + body
        capture = Capture("r", "http://a.kr/", "", 200, (("Content-Type", media),), raw)
        assert list(links_in(capture)) == ["http://a.kr/%EA%B0%80?q=%EB%82%98"]


@pytest.mark.heavy
def test_pages_that_declare_a_codec_are_crawled_and_crawled_again(tmp_path: Path) -> None:
    labels = [label for label in LABELS if label.isascii() and label.isprintable() and label.strip()]
    with raw_server() as site:
        site.answers["/"] = links(*(f"/{n}" for n in range(2 * len(labels))))
        for n, label in enumerate(labels):
            body = f"<html><meta charset='{label}'><a href='/{n}/behind'>x</a></html>"
            site.answers[f"/{2 * n}"] = page(body, Content_Type=f"text/html; charset={label[:200]}")
            site.answers[f"/{2 * n + 1}"] = page(body, Content_Type="text/html")
            site.answers[f"/{n}/behind"] = page("text")
        job = order(tmp_path, SITE.format(base=site.base), (site.port,))
        for _ in range(2):
            done = crawl(job)
            assert done.status == 0 and done.stats["failed"] == [], done.err
            assert done.stats["pages"] == 1 + 3 * len(labels)
            (tmp_path / "run" / "stats.json").unlink()


def test_robots_whose_compression_is_damaged_forbids_and_is_named(tmp_path: Path) -> None:
    with raw_server() as site, raw_server() as other:
        site.answers |= {"/": links("/a", f"{other.base}/b"), "/a": page("a")}
        other.answers["/robots.txt"] = page(b"\x1f\x8b\x08broken", Content_Encoding="gzip", Content_Type="text/plain")
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/", "{other.base}/"))'
        done = crawl(order(tmp_path, source, (site.port, other.port)))
    assert done.status == 0 and done.stats["pages"] == 2, done.err
    assert done.stats["blocked_by"] == {"robots-unreadable": 3}  # /b and the two opt-out files
    assert middlewares.UNGRANTED.isdisjoint({"robots-unreadable"})


def test_a_start_that_leads_to_another_host_names_the_robots_txt_of_that_host(tmp_path: Path) -> None:
    with raw_server() as site, raw_server() as other:
        site.answers["/"] = page("", "301 Moved Permanently", Location=f"{other.base}/")
        other.answers["/robots.txt"] = page("", "503 Service Unavailable")
        source = f'access=Site(start=("{site.base}/",), scope=("{site.base}/", "{other.base}/"))'
        done = crawl(order(tmp_path, source, (site.port, other.port)), tries=1)
    assert done.status == 3 and f"because {other.base}/robots.txt answers with status 503" in done.err, done.err


def test_a_list_all_of_whose_pages_fail_is_not_called_empty(tmp_path: Path) -> None:
    with raw_server() as site:
        named = "".join(f"<url><loc>{site.base}/{n}</loc></url>" for n in range(9))
        head = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        site.answers["/sitemap.xml"] = page(f"{head}{named}</urlset>", Content_Type="text/xml")
        source = f'access=Sitemap(urls=("{site.base}/sitemap.xml",), scope=("{site.base}/",))'
        done = crawl(order(tmp_path, source, (site.port,)), tries=1)
    assert done.status == 3, done.err
    assert (
        f"none of the 9 addresses behind it gave a page (status-404 9); open the first, {site.base}/0. Correct"
        in done.err
    ), done.err


HEADS = {
    "one": (1, 15_000),
    "many": (16, 15_000),
    "small-ones": (5_000, 30),
    "at-32-KiB": (3, 11_000),
    "a-policy": (1, 200_000),
}


def test_headers_up_to_the_limit_are_read_back_and_larger_ones_are_failures(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = links(*HEADS, "beyond")
        for name, (count, size) in HEADS.items():
            site.answers[f"/{name}"] = page(name, **{f"X-{n}": "a" * size for n in range(count)})
        site.answers["/beyond"] = page("beyond", **{f"X-{n}": "a" * 15_000 for n in range(18)})
        done = crawl(order(tmp_path, SITE.format(base=site.base), (site.port,)))
    assert done.status == 0 and done.why(site.base) == {"/beyond": "header-too-big"}, done.err
    assert done.stats["limits"] == {"header-too-big": limits.ANSWER_HEAD_BYTES.describe()}
    rows, torn = index(tmp_path / "run" / "pages.warc.gz", "pages.warc.gz")
    assert not torn and len(rows) == done.stats["records"]
    assert {row.url.removeprefix(f"{site.base}/") for row in rows if row.status == 200} == {"", *HEADS}


def test_a_site_whose_headers_are_all_too_large_fails_and_names_the_limit(tmp_path: Path) -> None:
    with raw_server() as site:
        site.answers["/"] = page("start", **{f"X-{n}": "a" * 15_000 for n in range(18)})
        done = crawl(order(tmp_path, SITE.format(base=site.base), (site.port,)))
    assert done.status == 3 and limits.ANSWER_HEAD_BYTES.describe() in done.err


def test_a_function_of_the_source_that_fails_stops_the_source_loudly(tmp_path: Path) -> None:
    functions = "\nclass PanicException(BaseException): ...\ndef follow(capture):\n    raise {}\n"
    for name, what in (("PanicException()", "PanicException"), ("LookupError('x')", "LookupError")):
        folder = tmp_path / what
        folder.mkdir()
        with raw_server() as site:
            site.answers["/"] = page("start")
            done = crawl(order(folder, SITE.format(base=site.base) + functions.format(name), (site.port,)))
        assert done.status == 3 and f"follow() fails at {site.base}/ ({what}" in done.err
        assert len(done.err.strip().splitlines()) == 1 and json.loads((folder / "run" / "stats.json").read_text())


@pytest.mark.parametrize("opened", ["<font>", "<div>", "<b><i>"])
def test_links_behind_many_unclosed_elements_are_followed(opened: str) -> None:
    body = f"<html><body>{opened * 900}<a href='/behind'>x</a></body></html>".encode()
    capture = Capture("r", "http://a.kr/", "", 200, (("Content-Type", "text/html"),), body)
    assert list(links_in(capture)) == ["http://a.kr/behind"]
