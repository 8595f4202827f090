"""Request one URL of the queue, follow its redirects, and return the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from scrapy.http import Response

from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import NET_ERRORS, Blocked, Unreadable, failure_word
from crawlers.fetch.redirects import is_downgrade, redirect_target
from crawlers.web.addresses import origin
from crawlers.web.scope import is_in_scope, origins
from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.source import Crawled

KEPT_IN_MEMORY = 1024 * 1024  # bytes of an answer kept while it waits; a larger one is read again from the archive

# Of a harvest by OAI-PMH: a list, a list that must come from the network (again), and one record.
Kind: TypeAlias = Literal["page", "sitemap", "feed", "evidence", "robots", "list", "again", "record"]
HARVEST: tuple[Kind, ...] = ("list", "again", "record")


@dataclass(frozen=True, slots=True)
class Visit:
    """The outcome of one queued URL."""

    url: str  # after redirects
    response: Response | None = None
    failed: str = ""
    blocked: str = ""

    @property
    def has_page(self) -> bool:
        """Whether there is a page to read."""
        return self.response is not None and 200 <= self.response.status < 300


class Ask(Protocol):
    """Request one URL; raises Blocked or NET_ERRORS. `keyed`: the key of the source may go with the request."""

    async def __call__(self, url: str, kind: Kind, *, keyed: bool = False) -> Response:
        """Return the answer, a redirect included."""


class Addresses(Protocol):
    """A set of URLs."""

    def __contains__(self, url: str) -> bool: ...
    def add(self, url: str) -> None:
        """Add a URL to the set."""


async def visit(
    context: CrawlContext, ask: Ask, seen: Addresses, moved: dict[str, str], start: str, kind: Kind
) -> Visit:
    """Request a URL and follow its redirects; guard and robots check every hop again.

    `moved` gets each hop. The target of a redirect is added to `seen`; a target already in it has its own place
    in the queue.
    """
    url = start
    for _ in range(limits.REDIRECTS.value + 1):
        try:
            # The key goes to the origin of the first request, never to another origin.
            with input_errors(Unreadable, Blocked, *NET_ERRORS):
                response = await ask(url, kind, keyed=origin(url) == origin(start))
                target = redirect_target(response)
        except Blocked as blocked:
            return Visit(url, blocked=blocked.reason)
        except NET_ERRORS as error:
            return Visit(url, failed=failure_word(error))
        if target is None:
            failed = "" if 200 <= response.status < 300 else f"status-{response.status}"
            return Visit(url, _drop_body(response), failed)
        target = context.remove_key(target)
        if not target:
            return Visit(url, failed="redirect-to-nowhere")
        moved[url] = target
        if len(target) > limits.ADDRESS_BYTES.value:
            return Visit(url, failed="redirect-too-long")
        if reason := context.guard.check_url(target) or _redirect_refusal(context.access, url, start, target, kind):
            return Visit(target, blocked=reason)
        if kind != "evidence" and kind not in HARVEST:
            if target in seen:  # it has its own place in the queue
                return Visit(target)
            seen.add(target)
        url = target
    return Visit(url, failed="too-many-redirects")


def _redirect_refusal(access: Crawled, url: str, start: str, target: str, kind: Kind) -> str:
    """Return why a redirect leaves the scope of the source; "" if it does not."""
    if is_downgrade(url, target):
        return "redirect-downgrade"
    if kind == "page":
        return "" if is_in_scope(target, access) else "redirect-out-of-scope"
    return "" if origin(target) in {origin(start), *origins(access)} else "redirect-to-other-host"


def _drop_body(response: Response) -> Response:
    """Drop the body of a large response: many of them could fill the memory."""
    return response if len(response.body) <= KEPT_IN_MEMORY else response.replace(body=b"")
