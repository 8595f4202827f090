"""One address of the queue: ask for it, follow where it leads, and say what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from scrapy.http import Response

from crawlers.fetch.failures import NET_ERRORS, Blocked, Unreadable, failure_word
from crawlers.fetch.redirects import is_downgrade, redirect_target
from crawlers.web.addresses import origin
from crawlers.web.scope import is_in_scope, origins
from malmoi import limits
from malmoi.boundary import input_errors

if TYPE_CHECKING:
    from crawlers.fetch.spider import Crawl

KEPT_IN_MEMORY = 1024 * 1024  # bytes of an answer that waits for its turn; of a larger one the archive reminds us

Kind: TypeAlias = Literal["page", "sitemap", "feed", "evidence", "robots"]


@dataclass(frozen=True, slots=True)
class Visit:
    """What became of one queued address."""

    url: str  # after redirects
    response: Response | None = None
    failed: str = ""
    blocked: str = ""

    @property
    def has_page(self) -> bool:
        """Whether there is a page to read."""
        return self.response is not None and 200 <= self.response.status < 300


async def visit(crawl: Crawl, start: str, kind: Kind) -> Visit:
    """Ask for an address and follow its redirects; every hop passes guard and robots again."""
    url = start
    for _ in range(limits.REDIRECTS.value + 1):
        try:
            # The key goes where the first request went, and never to another origin.
            with input_errors(Unreadable, Blocked, *NET_ERRORS):
                response = await crawl.ask(url, kind, keyed=origin(url) == origin(start))
                target = redirect_target(response)
        except Blocked as blocked:
            return Visit(url, blocked=blocked.reason)
        except NET_ERRORS as error:
            return Visit(url, failed=failure_word(error))
        if target is None:
            failed = "" if 200 <= response.status < 300 else f"status-{response.status}"
            return Visit(url, _drop_body(response), failed)
        target = crawl.remove_key(target)
        if not target:
            return Visit(url, failed="redirect-to-nowhere")
        crawl.moved[url] = target
        if len(target) > limits.ADDRESS_BYTES.value:
            return Visit(url, failed="redirect-too-long")
        if reason := crawl.guard.check_url(target) or _redirect_refusal(crawl, url, start, target, kind):
            return Visit(target, blocked=reason)
        if kind != "evidence":
            if target in crawl.seen:  # it has a place in the queue of its own
                return Visit(target)
            crawl.seen.add(target)
        url = target
    return Visit(url, failed="too-many-redirects")


def _redirect_refusal(crawl: Crawl, url: str, start: str, target: str, kind: Kind) -> str:
    """Why a redirect leaves what belongs to the source; "" where it does not."""
    if is_downgrade(url, target):
        return "redirect-downgrade"
    if kind == "page":
        return "" if is_in_scope(target, crawl.access) else "redirect-out-of-scope"
    return "" if origin(target) in {origin(start), *origins(crawl.access)} else "redirect-to-other-host"


def _drop_body(response: Response) -> Response:
    """The response, without its body where many of its size could fill the memory."""
    return response if len(response.body) <= KEPT_IN_MEMORY else response.replace(body=b"")
