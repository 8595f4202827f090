"""Pages, feeds and lists lose the entries that name or quote an erased page, and nothing else."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from crawlers.withdrawn_links import Traces, mask_body, mask_links
from malmoi.erasure.passages import PassageFinder
from tests.builders.rows import each_row
from tests.builders.small_archive import prose

GONE, WORDS = "https://a.kr/people/victimpage", "SECRETWORDS"
HIDDEN = ("victim", WORDS)


def other(number: int) -> str:
    return f"https://a.kr/people/other{number}"


def around(entry: Callable[[str, str], str]) -> str:
    """Three entries, of which the second is to go."""
    return entry(other(1), "KEPT1") + entry(GONE, WORDS) + entry(other(2), "KEPT2")


def dump(value: Any) -> str:
    return json.dumps(value)


HTML, JSON, XML, RSS = "text/html", "application/json", "application/xml", "application/rss+xml"
FORMS: dict[str, tuple[str, str]] = {
    # The 24 forms of which 20 were left, with a kept neighbour where the form has one.
    "title of the link": (HTML, f'KEPT1<a href="{GONE}" title="{WORDS}">{WORDS}</a>KEPT2'),
    "aria-label": (HTML, f'KEPT1<a href="{GONE}" aria-label="{WORDS}"></a>KEPT2'),
    "words in data-title": (HTML, f'KEPT1<a href="{GONE}" data-title="{WORDS}"></a>KEPT2'),
    "image in the link": (HTML, f'KEPT1<a href="{GONE}"><img alt="{WORDS}" src=x></a>KEPT2'),
    "a > in an attribute": (HTML, f'KEPT1<a title="a>b" href="{GONE}">{WORDS}</a>KEPT2'),
    "link without an end tag": (HTML, f'KEPT1<a href="{GONE}">{WORDS}<p>KEPT2'),
    "words longer than 4,000": (HTML, f'KEPT1<a href="{GONE}">{"x" * 4001}{WORDS}</a>KEPT2'),
    "onclick": (HTML, "<table>" + around(lambda u, t: f"<tr onclick=\"location.href='{u}'\"><td>{t}</td></tr>")),
    "option": (HTML, "<select>" + around(lambda u, t: f'<option value="{u}">{t}</option>')),
    "area": (HTML, f'KEPT1<area href="{GONE}" alt="{WORDS}">KEPT2'),
    "entity in href": (HTML, f'KEPT1<a href="https://a.kr/people/victim&#112;age">{WORDS}</a>KEPT2'),
    "unquoted": (HTML, f"KEPT1<a href={GONE}>{WORDS}</a>KEPT2"),
    "next cell of the row": (HTML, "<table>" + around(lambda u, t: f"<tr><td><a href={u}>글</a><td>{t}</tr>")),
    "JSON-LD": (HTML, f'KEPT1<script type="application/ld+json">{dump({"u": GONE, "name": WORDS})}</script>KEPT2'),
    "text sitemap": ("text/plain", f"{other(1)}/KEPT1\r\n{GONE}\r\n{other(2)}/KEPT2\r\n"),
    "JSON list": (JSON,
     dump([{"url": other(1), "t": "KEPT1"}, {"url": GONE, "t": WORDS}, {"url": "/", "t": "KEPT2"}])),
    "RSS item": (RSS, around(lambda u, t: f"<item><title>{t}</title><link>{u}</link><summary>{t}</summary></item>")),
    "RSS content": (RSS, around(lambda u, t: f"<item><link>{u}</link><x:encoded><![CDATA[{t}]]></x:encoded></item>")),
    "Atom link href": (XML, around(lambda u, t: f'<entry><id>i:{t}</id><link href="{u}"/><title>{t}</title></entry>')),
    "RSS CDATA link": (RSS, around(lambda u, t: f"<item><link><![CDATA[{u}]]></link><title>{t}</title></item>")),
    "news sitemap": (XML, around(lambda u, t: f"<url><loc>{u}</loc><news:title>{t}</news:title></url>")),
    "xhtml:link": (XML,
     f'<url><loc>{other(1)}/KEPT1</loc><xhtml:link rel="alternate" href="{GONE}"/></url><url>KEPT2</url>'),
    "image:loc": (XML,
     f"<url><loc>{other(1)}/KEPT1</loc><image:image><image:loc>{GONE}</image:loc></image:image></url>"),
    # Others.
    "list item": (HTML, "<ul>" + around(lambda u, t: f"<li><a href='{u}'>글</a> {t} <span>2024</span>")),
    "row of a board": (HTML, "<table>" + around(
        lambda u, t: f"<tr><td>1<td><a href=/c>c</a><td><a href='{u[12:]}'>글</a> <td>{t}<td><a href=/u>k</a>")),
    "cards": (HTML,
     around(lambda u, t: f"<div class=card><a href='{u}'><img></a><h3><a href='{u}'>{t}</a></h3><p>{t}</p></div>")),
    "definition list": (HTML, "<dl>" + around(lambda u, t: f"<dt><a href='{u}'>글</a></dt><dd>{t}</dd>") + "</dl>"),
    "address in prose": (HTML, f"<p>KEPT1 {GONE}를 보라 KEPT2</p>"),
    "link in prose": (HTML, f"<article><h1>KEPT1</h1><p>앞말 <a href='{GONE}'>{WORDS}</a> 뒷말 KEPT2</p></article>"),
    "shared link": (HTML, f"<p>KEPT1<a href='https://f.kr/s?u={quote(GONE, safe='')}&t={WORDS}'>{WORDS}</a>KEPT2</p>"),
    "srcdoc": (HTML, f"KEPT1<iframe srcdoc=\"{html.escape(f'<a href={GONE}>{WORDS}</a>')}\"></iframe>KEPT2"),
    "state of a script": (HTML,
     f"<script>var x=[{{u:'{other(1)}',t:'KEPT1'}},{{u:'{GONE}',t:'{WORDS}'}},{{t:'KEPT2'}}]</script>"),
    "comment": (HTML, f"KEPT1<!-- <a href='{GONE}'>{WORDS}</a> -->KEPT2"),
    "base": (HTML, f"<base href='https://a.kr/people/'>KEPT1<a href='victimpage'>{WORDS}</a>KEPT2"),
    "percent and capitals": (HTML, f"KEPT1<a HREF='HTTPS://A.KR/%70eople/%76ictimpage#top'>{WORDS}</a>KEPT2"),
    "srcset": (HTML, f"KEPT1<img srcset='{GONE} 2x, y 1x' alt='{WORDS}'>KEPT2"),
    "rows of an interface": (JSON, dump({"total": 3, "items": [
        {"link": other(1), "title": "KEPT1"}, {"title": WORDS, "_links": {"self": {"href": GONE}}}, {"t": "KEPT2"}]})),
    "links with a relation": (JSON,
     dump([{"t": "KEPT1 KEPT2"}, {"t": WORDS, "links": [{"rel": "self", "href": GONE}]}])),
    "escaped JSON": (JSON, dump([{"u": GONE, "t": WORDS}, "KEPT1 KEPT2"]).replace("/", "\\/").replace("v", "\\u0076")),
    "table of JSON": (JSON, dump({"data": [["KEPT1", other(1)], [WORDS, GONE], ["KEPT2", other(2)]]})),
    "neighbour in JSON": (JSON,
     dump({"url": other(1), "title": "KEPT1", "prev": {"url": GONE, "title": WORDS}, "x": "KEPT2"})),
    "markup in JSON": (JSON, dump([{"link": other(1), "body": f"<p>KEPT1 <a href='{GONE}'>{WORDS}</a> KEPT2</p>"}])),
    "key of JSON": (JSON, dump({other(1): "KEPT1", GONE: {"t": WORDS}, other(2): "KEPT2"})),
    "JSON lines": ("application/x-ndjson",
     "".join(f"{dump({'url': u, 't': t})}\n" for u, t in ((GONE, WORDS), (other(1), "KEPT1 KEPT2")))),
    "JSONP": ("text/javascript", f"cb({dump([{'u': other(1), 't': 'KEPT1 KEPT2'}, {'u': GONE, 't': WORDS}])})"),
    "RSS guid": (RSS,
     around(lambda u, t: f"<item><title>{t}</title><guid>{u}</guid><description>{t}</description></item>")),
    "RSS by another name": (RSS,
     around(lambda u, t: f"<item><title>{t}</title><link>http://f.kr/{t}</link><x:origLink>{u}</x:origLink></item>")),
    "mention in a feed": (RSS, f"<item><title>KEPT1</title><link>{other(1)}</link><description>"
                          + html.escape(f"<a href={GONE}>{WORDS}</a>KEPT2") + "</description></item>"),
    "unclosed sitemap": (XML, "<urlset>" + around(lambda u, t: f"<url><loc>{u}<news:title>{t} & x</title></url>")),
    "XML of unknown names": (XML, "<a><bs>" + around(lambda u, t: f"<b><c>{u}</c><d>{t}</d></b>") + "</bs></a>"),
    "CSV": ("text/csv", f"KEPT1,{other(1)}\n{WORDS},{GONE}\nKEPT2,{other(2)}\n"),
}  # fmt: skip


@each_row("encoding", ["utf-8", "utf-16", "gzip"])
@each_row("form", FORMS)
def test_an_entry_goes_and_its_neighbours_stay(form: str, encoding: str) -> None:
    media, text = FORMS[form]
    packed = encoding == "gzip"
    raw = gzip.compress(text.encode()) if packed else text.encode(encoding)
    masked = mask_links(raw, media, "https://a.kr/list", lambda url: url == GONE)
    assert masked is not None
    left = (gzip.decompress(masked) if packed else masked).decode("utf-8" if packed else encoding)
    assert not [word for word in HIDDEN if word in left], left
    assert [word for word in ("KEPT1", "KEPT2") if word in text and word not in left] == [], left
    if media == JSON:
        json.loads(left)


def test_a_page_that_names_nothing_keeps_its_bytes() -> None:
    for raw in (b"<a href='/1>\xff\xfe &#118; %76ictim", '<p class="가">\x1b$)C'.encode("cp949"), b"\0" * 9, b""):
        assert mask_links(raw, HTML, "https://a.kr/list", lambda url: url == GONE) == raw


TITLE, TEXT = "카나리아제목삼칠", prose(77, 30)
TEASER, KEPT = TEXT[:120], [prose(n, 30) for n in range(5)]
QUOTES: dict[str, tuple[str, str]] = {
    "feed without a link": (RSS,
     f"<item>KEPT</item><item><title>{TITLE}</title><x:encoded><![CDATA[<p>{TEXT}</p>]]></x:encoded></item>"),
    "teaser of a feed": (RSS,
     f"<item>KEPT</item><item><description>{html.escape(f'<p>{TEASER}</p>')}</description></item>"),
    "teaser in JSON": (JSON, dump({"items": [{"t": f"KEPT {KEPT[0]}"}, {"summary": TEASER}, {"title": TITLE}]})),
    "quote in markup in JSON": (JSON, dump({"b": f"<p>KEPT {KEPT[0]}</p><p>{TEASER}</p>"})),
    "quote on a page": (HTML, f"<p>KEPT {KEPT[0]}</p><blockquote>{TEASER}</blockquote>"),
    "quote within a paragraph": (HTML, f"<p>KEPT {KEPT[0]} {TEASER} {KEPT[1]}</p>"),
    "title within a paragraph": (HTML, f"<p>KEPT {KEPT[0]} 다음 글: {TITLE}</p>"),
    "title of a picture": (HTML, f"KEPT<img alt='{TITLE}'><a href=/y title='{TITLE}'>y</a>"),
    "description of a page": (HTML, f"<meta name=description content='{TEASER}'>KEPT"),
    "letters in elements": (HTML, "KEPT<p>" + "".join(f"<b>{word}</b> " for word in TEASER.split())),
    "references": (HTML, "KEPT<p>" + "".join(f"&#{ord(char)};" for char in TEASER)),
    "script": (HTML, f"KEPT<script>var x=[{dump(TEASER)}]</script>"),
    "row": (HTML, f"<table><tr><td>KEPT<tr><td>{TITLE}<td>홍길동"),
    "percent": ("text/plain", f"KEPT\n{quote(TEASER)}"),
}  # fmt: skip


@each_row("encoding", ["utf-8", "utf-16", "cp949"])
@each_row("form", QUOTES)
def test_the_words_of_an_erased_text_go_without_a_link_too(form: str, encoding: str) -> None:
    media, text = QUOTES[form]
    passages = PassageFinder([(TITLE, TEXT)])
    for n, kept in enumerate(KEPT):
        passages.add_kept(f"글 {n}", kept)
    traces = Traces.make([GONE], lambda url: url == GONE, passages)
    masked = mask_body(text.encode(encoding), media, "https://a.kr/list", traces)
    assert masked is not None
    left = masked.decode(encoding)
    assert "KEPT" in left and not traces.has_traces(left, ["https://a.kr/"])
    assert TITLE not in left and TEASER[20:60] not in html.unescape(left) and "홍길동" not in left
    assert KEPT[0][:60] in left or KEPT[0] not in text


def test_words_that_kept_documents_have_too_are_no_trace() -> None:
    formula = "이 글은 여러 기관이 함께 쓰는 머리말이며 누구나 아무 때나 그대로 옮겨 쓸 수 있다고 널리 알려져 있다. "
    passages = PassageFinder([("제목입니다", formula + TEXT)])
    for kept in KEPT:
        passages.add_kept("", formula + kept)
    passages.add_kept("", TEXT[100:] + "맺음말")  # a copy, which stays published
    traces = Traces.make([], lambda url: False, passages)
    for text in (formula, TEXT[150:400]):
        body = f"<p>{text}</p>".encode()
        assert mask_body(body, HTML, "https://a.kr/", traces) == body
    assert mask_body(f"<p>{TEXT[:90]}</p>".encode(), HTML, "https://a.kr/", traces) == b"<p></p>"


def test_what_cannot_be_cut_goes_whole() -> None:
    raw = f"show(1) // {GONE}".encode()
    assert mask_links(raw, "text/javascript", "https://a.kr/list", lambda url: url == GONE) is None


HOSTILE = {
    "open tags": b"<a " * 60_000,
    "open quotes": b"<a href='" * 20_000,
    "signs": b"<" * 200_000,
    "deep": b"<div>" * 50_000 + b"<a href='/people/victimpage'>" * 1_000,
    "end tags that match nothing near": b"<b>" * 20_000 + b"<td>" * 20_000 + b"</b>" * 20_000,
    "many links": b"<li><a href='/people/victimpage'>x" * 4_000,
    "many cards": b"<div>" + b"<div><a href=/x></div><div><a href=/people/victimpage></div>" * 2_000,
    "open arrays": b"[" * 100_000,
    "open objects": b'{"a":' * 30_000,
    "quotes": b'["' + b'\\"' * 100_000,
    "many rows": b"[" + b'{"u":"https://a.kr/people/victimpage"},' * 4_000 + b"1]",
}


@pytest.mark.heavy
@each_row("case", HOSTILE)
def test_hostile_markup_ends(case: str) -> None:
    raw = HOSTILE[case] + b" victimpage"
    masked = mask_links(raw, JSON if raw[:1] in b"[{" else HTML, "https://a.kr/list", lambda url: url == GONE)
    assert masked is None or b"people/victimpage" not in masked
