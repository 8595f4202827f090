"""Read what a host says about all its pages: robots.txt, ai.txt and /.well-known/tdmrep.json, as they were archived.

robots.txt decides in crawlers/fetch what is fetched; here it is read for what it says of training.
An HTML page in the place of one of these files is a server's way of saying that there is none.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urljoin, urlsplit

from protego import Protego

from crawlers.addresses import canonical, origin
from crawlers.fetch.robots import MAX_BYTES, one_spelling, text_of
from crawlers.rights import usage
from crawlers.rights.place import quote
from malmoi import capture
from malmoi.capture import IndexRow
from malmoi.collection import GONE, Run, located
from malmoi.document import Signal

Kind: TypeAlias = Literal["robots", "ai-txt", "tdmrep"]
INSTRUMENT = "instrument"  # kind of an index row that holds no text of its source
PATHS: dict[str, Kind] = {"/robots.txt": "robots", "/ai.txt": "ai-txt", "/.well-known/tdmrep.json": "tdmrep"}
# Robots that fetch for training, as their operators name them; search and user agents are not among them.
TRAINING_AGENTS = (
    "GPTBot",
    "CCBot",
    "ClaudeBot",
    "anthropic-ai",
    "Google-Extended",
    "Applebot-Extended",
    "Bytespider",
    "Meta-ExternalAgent",
)
MAX_REDIRECTS = 5  # hops; RFC 9309, section 2.3.1.2
_PREFERENCES = ("content-signal", "content-usage")
# ai.txt names kinds of works by their endings; these stand for text, whatever the address of a page ends in.
_TEXT_ENDINGS = frozenset(("*.txt", "*.html", "*.htm", "*.xhtml", "*.md", "*.txt$", "*.html$", "*.htm$"))

# The root element decides: a page may well speak of "<urlset".
_SITEMAP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^>]{0,500}>\s*|<!--(?:[^-]|-(?!->)){0,1500}-->\s*|<!DOCTYPE[^>\[]{0,500}>\s*){0,8}"
    rb"<(?:[\w-]{1,40}:)?(?:urlset|sitemapindex)[\s>/]",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One file that speaks for a host."""

    origin: str  # "https://a.kr": scheme, host, port
    kind: Kind
    record: str  # id of the capture that holds it
    text: str  # at most MAX_BYTES bytes of the file


def find(url: str, given: Sequence[Instrument]) -> tuple[Signal, ...]:
    """The signals for the page at `url` in the files of its host, each once; other hosts' files do not speak.

    An `ai.txt` or `tdmrep.json` that reserves the page is an opt-out, and so is a tdmrep.json that
    cannot be read. That training robots are turned away where others are let in is an inferred one.

    >>> said = of_texts("https://a.kr/1", robots="User-agent: GPTBot\\nDisallow: /")
    >>> [(s.name, s.effect) for s in find("https://a.kr/1", said)], find("https://b.kr/1", said)
    ([('robots-ai', 'inferred-opt-out')], ())
    """
    site, path = _place(url)
    out: dict[Signal, None] = {}
    for one in given:
        if one.origin == site:
            out |= dict.fromkeys(_READERS[one.kind](one, path))
    return tuple(out)


def of_texts(url: str, robots: str = "", well_known: Mapping[str, str] | None = None) -> tuple[Instrument, ...]:
    """The instruments of the host of `url` from their texts; `well_known` maps `tdmrep.json`, `ai.txt` to theirs."""
    site = _place(url)[0]
    named = {"/robots.txt": robots} | {f"/{name.rpartition('/')[2]}": text for name, text in (well_known or {}).items()}
    kinds = PATHS | {"/tdmrep.json": PATHS["/.well-known/tdmrep.json"]}
    given = [
        (kinds[path], _text(kinds[path], text.encode("utf-8", "replace")))
        for path, text in named.items()
        if path in kinds and text
    ]
    return tuple(Instrument(site, kind, "", text) for kind, text in given if text is not None)


def standing(runs: Iterable[Run]) -> tuple[Instrument, ...]:
    """The instruments that the archives of a source hold, as each was last answered, sorted by origin and kind.

    Redirects are followed through the archive. CaptureError where a record is not in its archive any more.
    """
    last: dict[str, IndexRow] = {}
    for run in runs:
        for row in sorted(run.rows, key=lambda row: (row.fetched, row.offset)):
            if row.kind != "revisit" and row.kind != "file" and _lasting(row):
                last[canonical(row.url)] = located(run, row)
    found = []
    for url in sorted(last):
        kind = PATHS.get(urlsplit(url).path)
        answer = _followed(url, last) if kind else None
        if kind and answer and answer.status == 200 and answer.kind != GONE:
            text = _text(kind, capture.read(Path(answer.path), answer.offset, answer.record).body)
            if text is not None:
                found.append(Instrument(origin(url), kind, answer.record, text))
    return tuple(found)


def about(given: Sequence[Instrument], urls: Iterable[str]) -> tuple[Instrument, ...]:
    """Those of `given` that speak for the host of any of `urls`."""
    sites = {_place(url)[0] for url in urls}
    return tuple(one for one in given if one.origin in sites)


def is_instrument(url: str, body: bytes) -> bool:
    """Whether a capture is what machines read about a site, and no text of it: the files above, or a sitemap.

    >>> is_instrument("https://a.kr/ai.txt", b""), is_instrument("https://a.kr/m.xml", b"<urlset>")
    (True, True)
    """
    path = urlsplit(url).path
    if path in PATHS or path.startswith("/.well-known/"):
        return True
    head = body[:2_048]
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(31).decompress(body[:4096], 2_048)
        except zlib.error:
            return False
    return bool(_SITEMAP.match(head))


def _place(url: str) -> tuple[str, str]:
    """(origin, path with query in one spelling)."""
    known = canonical(url) or url
    parts = urlsplit(known)
    path = f"/{parts.path.lstrip('/')}{'?' + parts.query if parts.query else ''}"
    return origin(known), one_spelling(path)


def _lasting(row: IndexRow) -> bool:
    return row.status < 500 and row.status not in (304, 408, 429)


def _followed(url: str, last: Mapping[str, IndexRow]) -> IndexRow | None:
    row = last.get(url)
    for _ in range(MAX_REDIRECTS):
        if row is None or not 300 <= row.status < 400:
            return row
        target = capture.read(Path(row.path), row.offset, row.record).header("location")
        row = last.get(canonical(urljoin(row.url, target)))
    return None


def _text(kind: Kind, body: bytes) -> str | None:
    """The text of an instrument; None where it is a page of HTML or, for lines, nothing that can be read."""
    if body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return None
    if kind == "tdmrep":
        return body[:MAX_BYTES].decode("utf-8-sig", "replace")  # cut short it cannot be read, and so reserves all
    return text_of(body)


def _tdmrep(one: Instrument, path: str) -> Iterator[Signal]:
    """TDM Reservation Protocol: of the rules the first whose location matches the path counts."""
    place = "/.well-known/tdmrep.json"
    try:
        rules = json.loads(one.text)
    except (ValueError, RecursionError):
        rules = None
    rules = [rules] if isinstance(rules, dict) else rules
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        yield Signal("tdm-reservation", "opt-out", "cannot be read as JSON rules", place, one.record)
        return
    for rule in rules:
        location = rule.get("location")
        if not isinstance(location, str) or _matches(location, path):
            if _reserved(rule):
                said = json.dumps(rule, ensure_ascii=False)
                yield Signal("tdm-reservation", "opt-out", quote(said), place, one.record)
            return


def _reserved(rule: Mapping[str, Any]) -> bool:
    value = rule.get("tdm-reservation", 1)  # a rule that does not say reserves
    return str(value).strip().lower() not in ("0", "false")


def _ai_txt(one: Instrument, path: str) -> Iterator[Signal]:
    """Spawning's ai.txt: groups as in robots.txt, about kinds of works; one group that disallows is enough."""
    for group in _groups(one.text):
        rules = [rule for rule in group if rule.name in ("allow", "disallow") and rule.value]
        closed = [rule for rule in rules if rule.name == "disallow"]
        texts = [rule for rule in closed if rule.value.lower() in _TEXT_ENDINGS]
        opened = [rule for rule in rules if rule.name == "allow" and _matches(rule.value, path)]
        longest = max((len(rule.value) for rule in opened), default=0)
        paths = [rule for rule in closed if _matches(rule.value, path) and len(rule.value) >= longest]
        for rule in (*texts, *paths)[:1]:
            yield Signal("ai-txt", "opt-out", quote(rule.line), f"/ai.txt, line {rule.number}", one.record)


def _robots(one: Instrument, path: str) -> Iterator[Signal]:
    rules = _parsed(one.text)
    if rules.can_fetch(path, "*"):
        denied = [agent for agent in TRAINING_AGENTS if not rules.can_fetch(path, agent)]
        if denied:
            said = f"Disallow for {', '.join(denied)}"
            yield Signal("robots-ai", "inferred-opt-out", said, "/robots.txt", one.record)
    for group in _groups(one.text):
        for name in _PREFERENCES:
            said_here = [(rule, *_preference(rule)) for rule in group if rule.name == name]
            about_it = [(rule, pattern, words) for rule, pattern, words in said_here if _matches(pattern, path)]
            longest = max((len(pattern) for _, pattern, _ in about_it), default=0)
            for rule, pattern, words in about_it:
                if len(pattern) == longest:
                    yield from usage.read(name, words, f"/robots.txt, line {rule.number}", one.record)


_READERS = {"tdmrep": _tdmrep, "ai-txt": _ai_txt, "robots": _robots}


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    value: str
    number: int  # of the line, from 1
    line: str


@lru_cache(maxsize=64)
def _groups(text: str) -> tuple[tuple[_Rule, ...], ...]:
    """The rules of a file in the manner of robots.txt, by group; what stands before any user agent is a group too.

    For whom a group is does not matter: what one is denied, we do not take.
    """
    found: list[list[_Rule]] = [[]]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        name, _, value = (part.strip() for part in line.partition(":"))
        if name.lower() == "user-agent":
            found.append([])
        elif value:
            found[-1].append(_Rule(name.lower(), one_spelling(value), number, line))
    return tuple(tuple(rules) for rules in found if rules)


@lru_cache(maxsize=64)
def _parsed(text: str) -> Protego:
    return Protego.parse(one_spelling(text))


def _preference(rule: _Rule) -> tuple[str, str]:
    """(path pattern, preferences): `Content-Usage: /part/ train-ai=n`; without a pattern it is about all paths."""
    first, _, rest = rule.value.partition(" ")
    return (first, rest) if first.startswith("/") else ("", rule.value)


def _matches(pattern: str, path: str) -> bool:
    """As in robots.txt: the beginning of a path, `*` for anything, `$` for the end; `path` may hold a query."""
    pattern = one_spelling(pattern)
    pattern = pattern if pattern[:1] in ("/", "*", "") else f"/{pattern}"
    return any(_begins(pattern, one) for one in dict.fromkeys((path, path.partition("?")[0])))


def _begins(pattern: str, path: str) -> bool:
    # By hand: a regular expression made of somebody's stars can take for ever.
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
