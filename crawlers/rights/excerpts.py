"""Find signs that a page shows excerpts of works instead of a text of its own; each leads to a review by a person.

The shape of the page decides and not its words: quotations that are much of the text, paragraphs that break off, and
links to the rest of a text at another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urljoin, urlsplit

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import Run, list_item_runs, path, quote
from malmoi.document import Signal

MIN_QUOTED = 0.5  # share of quotations in the text
MIN_BROKEN = 0.3  # share of paragraphs that break off in the text
MAX_PARAGRAPHS = 400  # of quotations that are measured
_BROKEN = re.compile(r"(?:…|\.{3,}|‥|[(\[]\s?(?:중략|후략|하략|이하\s?생략|계속)\s?[)\]])\W{0,3}$")
_WHOLE = r"(?:원문|전문|원글|원본|출처|전체|나머지|이어서|계속)(?:을|를)?"
_KIND = r"(?:글|답변|기사|본문|리뷰|칼럼|이야기)(?:을|를)?"
_OPEN = r"(?:보기|읽기|보러 ?가기|읽으러 ?가기|바로 ?가기)"
_REST = re.compile(rf"\W{{0,3}}(?:\S{{1,8}}에서 )?{_WHOLE}(?: {_KIND})?(?: ?{_OPEN})?\W{{0,3}}")
Found = tuple[str, str, str]  # id, quote and place


def find(page: Page, url: str, record: str) -> Iterator[Signal]:
    """Yield at most one signal `third-party` of effect `review` for each shape on the page at `url`."""
    text = list_item_runs([run for run in page.runs if run.text and run.state.mark is None])
    for name, words, where in (*_find_quotations(page, text), *_find_broken(text), *_find_links(text, url)):
        yield Signal("third-party", "review", quote(words), f"{name}: {where}", record)


def _find_quotations(page: Page, text: Sequence[Run]) -> Iterator[Found]:
    quoted = [one for one in page.tree.iter("blockquote") if next(one.iterancestors("blockquote"), None) is None]
    length = sum(len(" ".join(one.text_content().split())) for one in quoted[:MAX_PARAGRAPHS])
    own = sum(len(run.text) for run in text if not run.state.quoted)
    if length and length >= MIN_QUOTED * (length + own):
        yield "quotations", quoted[0].text_content(), path(quoted[0])


def _find_broken(text: Sequence[Run]) -> Iterator[Found]:
    broken = [run for run in text if _BROKEN.search(run.text[-12:])]
    if broken and sum(len(run.text) for run in broken) >= MIN_BROKEN * sum(len(run.text) for run in text):
        yield "breaks-off", broken[0].text[-100:], path(broken[0].owner)


def _find_links(text: Sequence[Run], url: str) -> Iterator[Found]:
    host = urlsplit(url).hostname
    for run in text:
        for link in run.links:
            words = " ".join(link.text.split())
            if _REST.fullmatch(words):
                there = urlsplit(urljoin(url, link.element.get("href") or ""))
                if there.scheme in ("http", "https") and there.hostname != host:
                    yield "rest-elsewhere", words, path(run.owner)
                    return
