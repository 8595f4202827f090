"""Decide from robots.txt whether a URL may be fetched; an unreadable robots.txt forbids. Parse its syntax.

RFC 9309, read more strictly where the RFC leaves a choice: 401, 403 and 429 forbid as 5xx does,
and so does an answer that is not a robots.txt. Scrapy's own middleware allows in all these cases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from protego import Protego

from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.printable import escape_controls

MAX_BYTES = limits.ROBOTS_BYTES.value
MAX_DELAY = 60.0  # seconds; a longer Crawl-delay is cut to this
MAX_LINES = 1000  # that forbid a URL and are compared, to name the decisive one

_SEGMENT = re.compile(r"[^/?&=*$#;\r\n]+")  # percent-escapes never span these characters
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a URL may be fetched, why, and the seconds the host wants between requests."""

    allowed: bool
    reason: str
    delay: float | None = None  # seconds, at most MAX_DELAY


def decide(status: int | None, body: bytes | None, url: str, agent: str) -> Decision:
    """Return the decision for `url`, given the last answer to the robots.txt of its host.

    `status` is the HTTP status, or None without an answer (timeout, no connection); `body` is None if
    it cannot be decompressed. An unfollowed redirect forbids. `agent` is the user agent, of which only the part
    before the first space is used.

    >>> decide(200, "User-agent: *\\nDisallow: /자료/".encode("cp949"), "http://a.kr/%C0%DA%B7%E1/1", "Malmoi").allowed
    False
    >>> decide(404, b"", "http://a.kr/", "Malmoi").allowed
    True
    >>> decide(503, b"", "http://a.kr/", "Malmoi").reason
    'robots-status-503'
    """
    if status is None:
        return Decision(False, "robots-unreachable")
    if 400 <= status < 500 and status not in (401, 403, 429):
        return Decision(True, f"robots-status-{status}")
    if not 200 <= status < 300:
        return Decision(False, f"robots-status-{status}")
    token = agent.split(" ")[0]  # the contact after it could contain another robot's name
    try:
        with input_errors(ValueError):
            rules = None if body is None else _parse(body)
            if rules is None:
                return Decision(False, "robots-unreadable")
            allowed = rules.can_fetch(normalise_path(url), token)
            seconds = [0.0]
            if (wanted := rules.crawl_delay(token)) is not None:
                seconds.append(float(wanted))
            if (rate := rules.request_rate(token)) is not None and rate.requests > 0:
                seconds.append(rate.seconds / rate.requests)
            delay = min(max(seconds), MAX_DELAY) or None
            return Decision(allowed, "robots-allow" if allowed else "robots-disallow", delay)
    except ValueError:
        return Decision(False, "robots-unreadable")


def find_forbidding_line(body: bytes, url: str, agent: str) -> str:
    r"""Return the line of robots.txt that forbids `url`, with its number; "" if no single line does.

    >>> find_forbidding_line(b"User-agent: *\nDisallow: /a\nDisallow: /a/b", "http://a.kr/a/b/c", "Malmoi")
    'line 3: Disallow: /a/b'
    """
    token, agents, in_rules = agent.split(" ")[0], list[str](), False
    lines: list[tuple[int, str]] = []  # that forbid it, with the length of the rule
    try:
        with input_errors(ValueError):
            for number, raw in enumerate((text_of(body) or "").splitlines(), 1):
                name, _, value = (part.strip() for part in raw.partition("#")[0].partition(":"))
                if name.lower() == "user-agent":
                    agents = [*([] if in_rules else agents), value]
                    in_rules = False
                elif value:
                    in_rules = True
                    if name.lower() not in ("allow", "crawl-delay", "sitemap", "host") and len(lines) < MAX_LINES:
                        alone = "".join(f"User-agent: {one}\n" for one in agents[-20:]) + f"Disallow: {value}"
                        if not Protego.parse(normalise_path(alone)).can_fetch(normalise_path(url), token):
                            lines.append((len(value), f"line {number}: {escape_controls(raw.strip()[:200])}"))
    except ValueError:
        return ""
    return max(lines, default=(0, ""))[1]


def text_of(body: bytes) -> str | None:
    """Return the text of a robots.txt, or None if it is not one: HTML, NUL bytes, unknown encoding.

    >>> text_of(b"<!doctype html><title>404</title>") is None
    True
    """
    if len(body) > MAX_BYTES:
        body = _drop_cut_line(body[:MAX_BYTES])
        if not body:
            return None
    body = body.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in body or body.lstrip().startswith(b"<"):
        return None
    for encoding in ("utf-8", "cp949"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def explain_refusal(url: str, reason: str, file: str, why: str) -> str:
    """Return that `url` may not be fetched, which robots.txt is the cause, and what to do; `why` it could not be read.

    >>> explain_refusal("http://a.kr/x", "robots-unreachable", "http://a.kr/robots.txt", "refused")[:79]
    'http://a.kr/x may not be fetched, because http://a.kr/robots.txt cannot be read'
    >>> explain_refusal("https://a.kr/", "robots-unreachable", "https://a.kr/robots.txt", "tls: wrong version")[-60:]
    'version); check that address and the network, then run again'
    """
    if reason == "robots-unreadable":
        cause = f"{file} is {why or 'not a robots.txt'} ({reason}); ask the publisher for rules there, or for a 404"
    elif reason == "robots-unreachable":
        is_theirs = "certificate" in why  # any other failure of TLS may be that the port does not speak it
        step = "ask the publisher to repair its certificate" if is_theirs else "check that address and the network"
        cause = f"{file} cannot be read ({why or reason}); {step}, then run again"
    elif reason.startswith("robots-status-"):
        status = reason.removeprefix("robots-status-")
        step = "run again later" if status == "429" or status >= "500" else "open that address"
        cause = f"{file} answers with status {status} ({reason}); {step}, or ask the publisher"
    else:
        return f"{url} may not be fetched ({reason}); ask the publisher, or retire the source"
    return f"{url} may not be fetched, because {cause}"


def describe_unreadable(body: bytes | None) -> str:
    """Describe an answer that is not a robots.txt.

    >>> describe_unreadable(b"<!doctype html>"), describe_unreadable(None)
    ('a page of HTML, as an application sends for every address', 'damaged in its compression')
    """
    if body is None:
        return "damaged in its compression"
    if body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return "a page of HTML, as an application sends for every address"
    if len(body) > MAX_BYTES and not _drop_cut_line(body[:MAX_BYTES]):
        return f"one line of more than {limits.ROBOTS_BYTES.describe()}"
    return "a file of another kind" if b"\0" in body else "in an unknown encoding"


def normalise_path(path: str) -> str:
    """Undo the percent-escapes of letters beyond ASCII, whether they are UTF-8 or CP949.

    Escaped punctuation keeps its escape: %2F is not a slash. Bytes of neither encoding are left alone.

    >>> normalise_path("/%EC%9E%90%EB%A3%8C/%2F"), normalise_path("/%C0%DA%B7%E1/")
    ('/자료/%2F', '/자료/')
    """
    return _SEGMENT.sub(lambda found: _decode_segment(found[0]), path)


def _decode_segment(segment: str) -> str:
    if not any(int(found, 16) >= 0x80 for found in _ESCAPE.findall(segment)):
        return segment

    def spell(escape: re.Match[str]) -> str:
        value = int(escape[1], 16)
        if value >= 0x80:
            return chr(0xDC00 + value)  # surrogateescape: encoded as this very byte
        # The second byte of a CP949 pair may be an ASCII letter, so letters are decoded with the rest.
        return chr(value) if chr(value).isalnum() else escape[0]

    raw = _ESCAPE.sub(spell, segment)
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.encode("utf-8", "surrogateescape").decode(encoding)
        except UnicodeDecodeError:
            continue
    return segment


def _drop_cut_line(body: bytes) -> bytes:
    # A rule cut in the middle would be a shorter prefix, which means another rule.
    return body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]


@lru_cache(maxsize=64)
def _parse(body: bytes) -> Protego | None:
    text = text_of(body)
    return None if text is None else Protego.parse(normalise_path(text))


# Robots that fetch for training, as their operators name them; search robots and user agents are not included.
TRAINING_AGENTS = (
    "GPTBot",
    "CCBot",
    "ClaudeBot",
    "Claude-Web",
    "anthropic-ai",
    "Google-Extended",
    "Applebot-Extended",
    "Bytespider",
    "Meta-ExternalAgent",
    "FacebookBot",
    "Amazonbot",
    "cohere-ai",
    "cohere-training-data-crawler",
    "AI2Bot",
    "Diffbot",
    "Omgilibot",
    "Webzio-Extended",
    "Timpibot",
    "PanguBot",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a group."""

    name: str
    value: str
    number: int  # of the line, from 1
    line: str
    ours: bool = True  # in a group for all robots or for this crawler, or before any group


@lru_cache(maxsize=64)
def groups(text: str) -> tuple[tuple[Rule, ...], ...]:
    """Return the rules of a file with the syntax of txt, by group; lines before any user agent form a group.

    Several user agents in a row share a group.
    """
    found: list[list[Rule]] = [[]]
    ours, heading = True, False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        name, _, value = (part.strip() for part in line.partition(":"))
        if name.lower() == "user-agent":
            mine = value == "*" or value.lower().startswith("malmoi")
            ours, heading = (mine or (heading and ours)), True
            if found[-1]:
                found.append([])
        elif value:
            heading = False
            found[-1].append(Rule(name.lower(), normalise_path(value), number, line, ours))
    return tuple(tuple(rules) for rules in found if rules)


@lru_cache(maxsize=64)
def training_agents(text: str) -> tuple[str, ...]:
    """Return those of TRAINING_AGENTS that a txt names; the general rules apply to the others."""
    named = " ".join(re.findall(r"^[ \t]*user-agent[ \t]*:([^#\r\n]{0,500})", text, re.I | re.M)).lower()
    return tuple(agent for agent in TRAINING_AGENTS if agent.lower() in named)


@lru_cache(maxsize=64)
def parse_robots(text: str) -> Protego:
    """Parse the rules of a txt with Protego."""
    return Protego.parse(normalise_path(text))


def preference(rule: Rule) -> tuple[str, str]:
    """Return (path pattern, preferences) of `Content-Usage: /part/ train-ai=n`; no pattern means all paths."""
    first, _, rest = rule.value.partition(" ")
    return (first, rest) if first.startswith("/") else ("", rule.value)


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern of txt matches: a prefix, `*` for anything, `$` for the end; `path` may hold a query."""
    pattern, path = normalise_path(pattern), normalise_path(path)
    pattern = pattern if pattern[:1] in ("/", "*", "") else f"/{pattern}"
    return any(_matches_path(pattern, one) for one in dict.fromkeys((path, path.partition("?")[0])))


def _matches_path(pattern: str, path: str) -> bool:
    # By hand: a regular expression built from many stars can take exponential time.
    first, *parts = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at, ends = len(first), pattern.endswith("$")
    if ends and parts:
        last = parts.pop()
        if not path.endswith(last) or len(path) - len(last) < at:
            return False
        path = path[: len(path) - len(last)]
    elif ends:
        return at == len(path)
    for part in parts:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
