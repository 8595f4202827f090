"""Parse the syntax of robots.txt: groups, rules, path patterns, and the robots that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from protego import Protego

from crawlers.web.robots import normalise_path

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
    """Return the rules of a file with the syntax of robots.txt, by group; lines before any user agent form a group.

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
    """Return those of TRAINING_AGENTS that a robots.txt names; the general rules apply to the others."""
    named = " ".join(re.findall(r"^[ \t]*user-agent[ \t]*:([^#\r\n]{0,500})", text, re.I | re.M)).lower()
    return tuple(agent for agent in TRAINING_AGENTS if agent.lower() in named)


@lru_cache(maxsize=64)
def parse_robots(text: str) -> Protego:
    """Parse the rules of a robots.txt with Protego."""
    return Protego.parse(normalise_path(text))


def preference(rule: Rule) -> tuple[str, str]:
    """Return (path pattern, preferences) of `Content-Usage: /part/ train-ai=n`; no pattern means all paths."""
    first, _, rest = rule.value.partition(" ")
    return (first, rest) if first.startswith("/") else ("", rule.value)


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern of robots.txt matches: a prefix, `*` for anything, `$` for the end; `path` may hold a query."""
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
