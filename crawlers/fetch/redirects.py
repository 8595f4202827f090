"""Find the target of a redirect, TLS downgrades and redirect loops."""

from __future__ import annotations

from collections.abc import Mapping

from scrapy.http import Response

from crawlers.web.addresses import canonical_url, join_url

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
