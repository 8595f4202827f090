"""Ask hosts anew for their policy files, with the manners of the crawler: guard, throttle, user agent, robots.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from crawlers.fetch import politeness
from crawlers.fetch.streaming_client import Answer, Net, NoAnswer, Refused
from crawlers.rights.host import rsl
from crawlers.web import robots
from crawlers.web.addresses import canonical_url, join_url, origin

ROBOTS = "/robots.txt"
FILES = (ROBOTS, *politeness.OPT_OUT_FILES)
MAX_TERMS = 5  # RSL documents that one robots.txt names; more are not fetched, and count as unavailable
Keep = Callable[[Answer], None]


@dataclass(slots=True)
class PolicyRecheck:
    """The requests to the hosts of one source; `keep` gets every answer, redirects included."""

    net: Net
    keep: Keep
    _robots: dict[str, tuple[int | None, bytes]] = field(default_factory=dict)  # origin → status and body

    def ask(self, site: str) -> Iterator[tuple[str, str]]:
        """Yield (address, why) of each policy file of `site`; `why` is "" if the host has answered for it.

        A host without an answer for robots.txt is asked for nothing else.
        """
        self.net.permit = self._permit
        status, body = self._ask_robots(site)
        if status is None:
            yield site + ROBOTS, body.decode()
            return
        yield site + ROBOTS, "" if status < 500 and status != 429 else f"status-{status}"
        named = (canonical_url(join_url(site, address)) for _, address in rsl.addresses(robots.text_of(body) or ""))
        terms = list(dict.fromkeys(url for url in named if url))[:MAX_TERMS]
        for url in (*(site + path for path in politeness.OPT_OUT_FILES), *terms):
            yield url, self._get(url)[1]

    def _get(self, url: str) -> tuple[Answer | None, str]:
        """Return the last answer, and why it does not last; None without an answer."""
        try:
            answers = self.net.get(url)
        except Refused as error:
            return None, error.reason
        except NoAnswer as error:
            return None, error.why
        for answer in answers:
            self.keep(answer)
        last = answers[-1]
        return last, "" if last.status < 500 and last.status not in (408, 429) else f"status-{last.status}"

    def _ask_robots(self, site: str) -> tuple[int | None, bytes]:
        """Return status and body of the robots.txt of `site`, fetched once; without an answer, None and why."""
        if site not in self._robots:
            answer, why = self._get(site + ROBOTS)
            self._robots[site] = (answer.status, answer.body) if answer else (None, why.encode())
        return self._robots[site]

    def _permit(self, url: str) -> None:
        """Raise Refused if the robots.txt of the host of `url` forbids it; take over its delay."""
        if url.endswith(ROBOTS) and url == origin(url) + ROBOTS:
            return
        status, body = self._ask_robots(origin(url))
        decision = robots.decide(status, body, url, politeness.AGENT)
        self.net.delay = max(self.net.delay, decision.delay or 0.0)
        if not decision.allowed:
            raise Refused(decision.reason, url)
