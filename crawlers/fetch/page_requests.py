"""Request one URL of the queue, follow its redirects, and return the outcome; find loops and ends of redirects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from scrapy.http import Response

from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import NET_ERRORS, Blocked, Unreadable, failure_word
from crawlers.web.addresses import canonical_url, join_url, origin
from crawlers.web.scope import is_in_scope, origins
from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.source import Crawled

REDIRECTS = frozenset({301, 302, 303, 307, 308})


def redirect_target(response: Response) -> str | None:
    """Return the canonical target of a redirect; None if the response is not one, "" if the target is not a web URL."""
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or location is None:
        return None
    return canonical_url(join_url(response.url, location.decode("utf-8", "replace").strip()))


def is_downgrade(url: str, target: str) -> bool:
    """Whether a redirect leaves TLS: anybody on the network path could forge what follows.

    >>> is_downgrade("https://a.kr/", "http://a.kr/"), is_downgrade("http://a.kr/", "https://a.kr/")
    (True, False)
    """
    return url.startswith("https:") and target.startswith("http:")


def find_loops(moved: Mapping[str, str]) -> list[str]:
    """Return the URLs of `moved` (URL → redirect target) that lead back to themselves; sorted.

    >>> find_loops({"a": "b", "b": "a", "c": "a", "d": "e"})
    ['a', 'b']
    """
    found: set[str] = set()
    done: set[str] = set()
    for start in moved:
        path: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in path and at not in done:
            path[at] = None
            at = moved.get(at)
        if at is not None and at in path:
            walked = list(path)
            found.update(walked[walked.index(at) :])
        done |= path.keys()
    return sorted(found)


def find_end(url: str, moved: Mapping[str, str]) -> str:
    """Return the URL to which redirects lead from `url`; a loop ends where it began."""
    seen = {url}
    while (target := moved.get(url, "")) and target not in seen:
        seen.add(target)
        url = target
    return url


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
            # Many large responses that wait could fill the memory.
            kept = response if len(response.body) <= KEPT_IN_MEMORY else response.replace(body=b"")
            return Visit(url, kept, failed)
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
