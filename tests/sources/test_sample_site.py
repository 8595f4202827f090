"""The sample site: the traps are planted as docs/sample-site.md says, and the server keeps HTTP's promises."""

import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawlers.sample.sample_page import read_pages
from crawlers.sample.site import build, serve

DOCS = (Path(__file__).parents[2] / "docs" / "sample-site.md").read_text(encoding="utf-8")
PAGES = read_pages()
SITE = build()
REGISTERS = {"news", "law", "encyclopedia", "essay", "tale", "qa", "minutes"}

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serve() as address:
        yield address


def ask(base: str, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = HTTPConnection(urlsplit(base).netloc, timeout=10)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_the_site_has_enough_pages_and_registers() -> None:
    assert len(PAGES) >= 60
    assert {page.section for page in PAGES} >= REGISTERS
    ordinary = [page for page in PAGES if page.section in REGISTERS and page.trap != "spam"]
    assert len(ordinary) >= 34
    assert all(len(re.findall("[가-힣]", page.body)) >= 500 for page in ordinary)


def test_every_trap_is_documented_and_every_documented_page_has_its_trap() -> None:
    planted = {(page.path, page.trap) for page in PAGES if page.trap}
    rows = [line.split(" | ") for line in DOCS.splitlines() if re.match(r"\| `/.*\.html` \| `", line)]
    documented = {(path, row[1].strip("`")) for row in rows for path in re.findall(r"`(/.*?)`", row[0])}
    assert planted == documented


def test_every_link_leads_somewhere_but_the_one_that_must_not() -> None:
    links = {
        urlsplit(unescape(link)).path
        for response in SITE.values()
        for link in re.findall(r'<a [^>]*href="(/[^"]*)"', response.body.decode("latin-1"))
    }
    assert links - SITE.keys() == {"/news/2019-removed.html"}
    assert {"/private/memo.html", "/private/draft.html"} <= links


@pytest.mark.parametrize("slug", ["hanji", "rare-syllables"])
def test_an_euc_kr_page_is_really_not_utf_8(slug: str) -> None:
    response = SITE[f"/encyclopedia/{slug}.html"]
    assert response.header("Content-Type") == "text/html; charset=euc-kr"
    with pytest.raises(UnicodeDecodeError):
        response.body.decode("utf-8")


def test_only_one_page_holds_an_invalid_byte_and_only_one() -> None:
    for page in PAGES:
        text = SITE[page.path].body.decode("cp949" if page.encoding == "euc-kr" else "utf-8", "replace")
        assert text.count("\ufffd") == (page.trap == "cp949-stray-byte"), page.path
    rare = SITE["/encyclopedia/rare-syllables.html"].body
    assert all(syllable.encode("cp949") in rare for syllable in "펲뷁똠")
    assert rare.count(b"\xff") == 1


def test_the_nfd_page_is_really_nfd_and_the_others_are_not() -> None:
    for page in PAGES:
        if page.encoding == "utf-8":
            text = SITE[page.path].body.decode("utf-8")
            article = text.partition('<div class="view_cont">')[2].partition("</div>")[0]
            assert unicodedata.is_normalized("NFC", article) == (page.form == "nfc"), page.path
            if page.form == "nfd":
                assert unicodedata.is_normalized("NFD", article)


def test_personal_data_comes_from_impossible_ranges_only() -> None:
    for page in PAGES:
        text = page.body
        for phone in re.findall(r"(?<!\d)01\d[-. ]?\d{3,4}[-. ]?\d{4}(?!\d)", text):
            assert re.fullmatch(r"010[- ]0000[- ]\d{4}", phone), page.path
        for month, day, gender in re.findall(r"(?<!\d)\d\d(\d\d)(\d\d)-(\d)\d{6}(?!\d)", text):
            assert int(month) > 12 and int(day) > 31 and gender == "9", page.path
        for domain in re.findall(r"[\w.+-]+@([\w.-]*\w)", text, re.ASCII):
            assert domain in {"example.com", "example.kr"}, page.path
        for card in re.findall(r"(?<!\d)(\d{4})-\d{4}-\d{4}-\d{4}(?!\d)", text):
            assert card == "0000", page.path
        for digits in re.findall(r"(?<!\d)(\d{3}-\d\d-\d{5})(?!\d)", text):
            assert not is_business_number(digits), page.path


def is_business_number(digits: str) -> bool:
    """The check digit of a Korean business number: weights 1 3 7 1 3 7 1 3 5, and the tens of the last."""
    d = [int(c) for c in digits if c.isdigit()]
    total = sum(a * b for a, b in zip(d, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False)) + d[8] * 5 // 10
    return (10 - total % 10) % 10 == d[9]


def test_copies_are_copies() -> None:
    texts = {page.path: page.body for page in PAGES}
    assert texts["/encyclopedia/ondol.html"] == texts["/archive/ondol.html"]
    assert len(set(texts.values())) == len(texts) - 1


def test_the_same_build_gives_the_same_bytes() -> None:
    assert build() == SITE


def test_edition_two_adds_changes_removes_and_relicenses_a_page() -> None:
    before = {page.path: page for page in PAGES}
    after = {page.path: page for page in read_pages(edition=2)}
    assert after.keys() - before.keys() == {"/news/2026-09.html"}
    assert before.keys() - after.keys() == {"/news/2026-07.html"}
    changed = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    assert changed == {"/qa/kimchi.html", "/encyclopedia/stone-wall.html"}
    wall = "/encyclopedia/stone-wall.html"
    assert before[wall].body == after[wall].body and after[wall].licence == "kogl-4"


def test_a_known_tag_is_answered_with_304_and_no_body(base: str) -> None:
    status, headers, body = ask(base, "/news/2026-01.html")
    assert status == 200 and body == SITE["/news/2026-01.html"].body and "Date" not in headers
    for condition in (headers["ETag"], f'"other", W/{headers["ETag"]}', "*"):
        assert ask(base, "/news/2026-01.html", If_None_Match=condition)[::2] == (304, b"")
    assert ask(base, "/news/2026-01.html", If_None_Match='"other"')[0] == 200
    assert ask(base, "/news/2026-01.html", If_Modified_Since=headers["Last-Modified"])[0] == 304


def test_head_has_the_headers_of_get_and_no_body(base: str) -> None:
    status, headers, body = ask(base, "/", method="HEAD")
    assert (status, body) == (200, b"") and int(headers["Content-Length"]) == len(SITE["/"].body)


def test_robots_and_the_site_map_are_served(base: str) -> None:
    robots = ask(base, "/robots.txt")[2].decode()
    assert "User-agent: *\nDisallow: /private/\n" in robots and "Crawl-delay" not in robots
    listed = re.findall(r"<loc>(.*?)</loc>", ask(base, "/sitemap.xml")[2].decode())
    assert set(listed) == {base + page.path for page in PAGES if page.section != "private"}


def test_redirects_missing_pages_and_queries_behave(base: str) -> None:
    status, headers, _ = ask(base, "/news/opening.html")
    assert (status, headers["Location"]) == (301, "/news/2026-01.html")
    assert ask(base, "/news/2019-removed.html")[0] == 404
    assert ask(base, "/news/index.html?page=1&sort=date")[2] == SITE["/news/index.html"].body
    assert ask(base, "/files/logo.png")[1]["Content-Type"] == "image/png"
