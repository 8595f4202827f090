"""Ask hosts anew for their policy files, with the manners of the crawler: guard, throttle, user agent, robots.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crawlers.fetch import payload, politeness
from crawlers.fetch.streaming_client import Answer, Net, NoAnswer, Refused
from crawlers.rights.policy_files import list_rsl_addresses
from crawlers.web import robots
from crawlers.web.addresses import canonical_url, join_url, origin

ROBOTS = "/robots.txt"
FILES = (ROBOTS, *politeness.OPT_OUT_FILES)
MAX_TERMS = 5  # RSL documents that one robots.txt names; more are not fetched, and count as unavailable
Keep = Callable[[Answer], None]


class RobotsAnswers:
    """The robots.txt of the hosts that one run asks, each fetched once."""

    def __init__(self, net: Net, fetch: Callable[[str], tuple[int | None, bytes]]) -> None:
        """Remember what `fetch` returns for an address: status, None without an answer, and body."""
        self._net, self._fetch = net, fetch
        self._known: dict[str, tuple[int | None, bytes]] = {}  # origin → status and body

    def ask(self, site: str) -> tuple[int | None, bytes]:
        """Return status and body of the robots.txt of `site`."""
        if site not in self._known:
            self._known[site] = self._fetch(site + ROBOTS)
        return self._known[site]

    def decide(self, url: str) -> robots.Decision:
        """Return the decision for `url`, and take over its delay."""
        decision = robots.decide(*self.ask(origin(url)), url, politeness.AGENT)
        self._net.delay = max(self._net.delay, decision.delay or 0.0)
        return decision


class PolicyRecheck:
    """The requests to the hosts of one source; `keep` gets every answer, redirects included."""

    def __init__(self, net: Net, keep: Keep) -> None:
        self._net, self._keep = net, keep
        self._rules = RobotsAnswers(net, self._get_robots)

    def ask(self, site: str) -> Iterator[tuple[str, str]]:
        """Yield (address, why) of each policy file of `site`; `why` is "" if the host has answered for it.

        A host without an answer for robots.txt is asked for nothing else.
        """
        self._net.permit = self._permit
        status, body = self._rules.ask(site)
        if status is None:
            yield site + ROBOTS, body.decode()
            return
        yield site + ROBOTS, "" if status < 500 and status != 429 else f"status-{status}"
        named = (
            canonical_url(join_url(site, address)) for _, address in list_rsl_addresses(robots.text_of(body) or "")
        )
        terms = list(dict.fromkeys(url for url in named if url))[:MAX_TERMS]
        for url in (*(site + path for path in politeness.OPT_OUT_FILES), *terms):
            yield url, self._get(url)[1]

    def _get(self, url: str) -> tuple[Answer | None, str]:
        """Return the last answer, and why it does not last; None without an answer."""
        try:
            answers = self._net.get(url)
        except Refused as error:
            return None, error.reason
        except NoAnswer as error:
            return None, error.why
        for answer in answers:
            self._keep(answer)
        last = answers[-1]
        return last, "" if payload.is_lasting(last.status) else f"status-{last.status}"

    def _get_robots(self, url: str) -> tuple[int | None, bytes]:
        """Return status and body of a robots.txt; without an answer, None and why."""
        answer, why = self._get(url)
        return (answer.status, answer.body) if answer else (None, why.encode())

    def _permit(self, url: str) -> None:
        """Raise Refused if the robots.txt of the host of `url` forbids it."""
        if url.endswith(ROBOTS) and url == origin(url) + ROBOTS:
            return
        decision = self._rules.decide(url)
        if not decision.allowed:
            raise Refused(decision.reason, url)
