"""Read the archived policy files of a host: robots.txt, ai.txt, tdmrep.json and RSL documents.

crawlers/fetch uses robots.txt to decide what to fetch; this module reads what it says about training.
An HTML page at the address of one of these files means that the host does not have the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from crawlers.formats.html.runs import quote
from crawlers.rights.host import rsl, usage_preferences
from crawlers.web.addresses import canonical_url, join_url, origin
from crawlers.web.robots import (
    MAX_BYTES,
    Rule,
    groups,
    matches,
    normalise_path,
    parse_robots,
    preference,
    text_of,
    training_agents,
)
from malmoi.archive import capture
from malmoi.archive.capture import IndexRow
from malmoi.document import Signal

if TYPE_CHECKING:  # it imports pyarrow, which a single page does not need
    from malmoi.archive.collection import Run

Kind: TypeAlias = Literal["robots", "ai-txt", "tdmrep", "rsl", "llms-txt"]
PATHS: dict[str, Kind] = {"/robots.txt": "robots", "/ai.txt": "ai-txt", "/.well-known/tdmrep.json": "tdmrep"}
_GIVEN: dict[str, Kind] = {"robots.txt": "robots", "ai.txt": "ai-txt", "tdmrep.json": "tdmrep", "llms.txt": "llms-txt"}
_NAMES = frozenset(path.rpartition("/")[2] for path in PATHS)
MAX_REDIRECTS = 5  # hops; RFC 9309, section 2.3.1.2
_PREFERENCES = ("content-signal", "content-usage")
# ai.txt names kinds of works by file extension; these mean text, whatever the extension of a page address.
_TEXT_ENDINGS = frozenset(("*.txt", "*.html", "*.htm", "*.xhtml", "*.md", "*.txt$", "*.html$", "*.htm$"))


@dataclass(frozen=True, slots=True)
class Instrument:
    """One policy file of a host."""

    origin: str  # "https://a.kr": scheme, host, port
    kind: Kind
    record: str  # id of the capture that holds it
    text: str  # at most MAX_BYTES bytes of the file
    url: str = ""  # address of an RSL document, which may be on another host; or its file name alone


def find(url: str, given: Sequence[Instrument]) -> tuple[Signal, ...]:
    """Return the distinct signals for the page at `url` in the policy files of its own host.

    An `ai.txt` or `tdmrep.json` that reserves the page is an opt-out, and so is a tdmrep.json that
    cannot be parsed. A robots.txt that disallows training robots but allows others is an inferred opt-out.

    >>> said = build_instruments("https://a.kr/1", robots="User-agent: GPTBot\\nDisallow: /")
    >>> [(s.name, s.effect) for s in find("https://a.kr/1", said)], find("https://b.kr/1", said)
    ([('robots-ai', 'inferred-opt-out')], ())
    """
    site, path = _split_url(url)
    here = [one for one in given if one.origin == site]
    out: dict[Signal, None] = {}
    for one in here:
        if one.kind == "rsl":
            out[_terms(one, url)] = None
        else:
            out |= dict.fromkeys(_READERS[one.kind](one, path))
        if one.kind == "robots":
            out |= dict.fromkeys(_missing_terms(one, here))
    return tuple(out)


def resolve_terms(signals: Iterable[Signal], url: str, given: Sequence[Instrument]) -> tuple[Signal, ...]:
    """Return `signals` of the page at `url` without links to RSL documents that are in `given`: `find` reads those.

    >>> said = build_instruments("https://a.kr/1", well_known={"l.xml": "<rsl><content url='/2'/></rsl>"})
    >>> resolve_terms([Signal("rsl", "opt-out", "/l.xml", "page", "")], "https://a.kr/1", said)
    ()
    """
    site = _split_url(url)[0]
    known = [one for one in given if one.kind == "rsl" and one.origin == site]
    return tuple(
        s for s in signals if s.name != "rsl" or s.effect != "opt-out" or not _is_known(_address(s.quote), url, known)
    )


def _address(said: str) -> str:
    match = re.search(r"<([^<>]{1,500})>", said)  # of a Link header
    return match[1] if match else said


def _is_known(address: str, url: str, known: Sequence[Instrument]) -> bool:
    """Whether the document at an address is among `known`: by its address, or by its file name."""
    whole = canonical_url(join_url(url, address)) or address
    name = whole.partition("?")[0].partition("#")[0].rpartition("/")[2]
    return any(one.url == whole or ("/" not in one.url and one.url == name) for one in known)


def build_instruments(
    url: str, robots: str = "", well_known: Mapping[str, str] | None = None
) -> tuple[Instrument, ...]:
    """Build the policy files of the host of `url` from their texts.

    `well_known` maps file names or addresses to texts: `tdmrep.json`, `ai.txt`, `llms.txt`, and RSL documents
    under any name (`license.xml`, `https://a.kr/rsl.xml`).
    """
    site = _split_url(url)[0]
    out = []
    for name, text in {"robots.txt": robots, **(well_known or {})}.items():
        file = name.rpartition("/")[2].lower()
        if not text.strip():
            continue
        if kind := _GIVEN.get(file):
            if (read := _text(kind, text.encode("utf-8", "replace"))) is not None:
                out.append(Instrument(site, kind, "", read))
        elif file.endswith((".xml", ".rsl")) or "rsl" in file:
            where = (canonical_url(name) or name) if "://" in name else file
            out.append(Instrument(site, "rsl", "", text, where))
    return tuple(out)


def read_latest(runs: Iterable[Run]) -> tuple[Instrument, ...]:
    """Return the policy files in the archives of a source, each in its latest answer, sorted by origin and kind.

    Redirects are followed through the archive. Raises CaptureError if a record is missing from its archive.
    """
    last, found = _Latest(list(runs)), list[Instrument]()
    for site, kind, answer, text in _read_answers(last):
        if text is not None:
            found.append(Instrument(site, kind, answer.record, text))
            found += _find_archived_terms(found[-1], last)
    return tuple(found)


def list_answers(runs: Iterable[Run]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield (origin, kind, "read" or "absent", record, time) of each policy file that a host has answered for.

    Absent is a file with status 404 or 410, or an HTML page in its place. Any other answer says nothing, like none.
    An answer that repeats the one before keeps its record and time, so that crawls without news change nothing.
    """
    for site, kind, answer, text in _read_answers(_Latest(list(runs))):
        if text is not None or answer.status in (200, 404, 410):
            yield site, kind, "absent" if text is None else "read", answer.record, answer.fetched


def _read_answers(last: _Latest) -> Iterator[tuple[str, Kind, IndexRow, str | None]]:
    """Yield (origin, kind, answer, text) of each policy file; no text if the answer has none of that kind."""
    for url in sorted(last.policy_files):
        kind = PATHS.get(urlsplit(url).path)
        if kind and (answer := _follow_redirects(url, last)):
            here = _is_available(answer)
            body = capture.read(Path(answer.path), answer.offset, answer.record).body if here else b"<"
            yield origin(url), kind, answer, _text(kind, body)


@dataclass(frozen=True)
class _Latest:
    """The latest lasting answer at each canonical address; few are looked up, and canonical addresses take long."""

    runs: Sequence[Run]

    @cached_property
    def policy_files(self) -> dict[str, IndexRow]:
        """Those whose last segment is the name of a policy file."""
        return self._find(_may_be_policy_file)

    @cached_property
    def _all(self) -> dict[str, IndexRow]:
        return self._find(lambda _: True)

    def get(self, url: str) -> IndexRow | None:
        """Return the answer at a canonical address."""
        return (self.policy_files if _may_be_policy_file(url) else self._all).get(url)

    def _find(self, is_wanted: Callable[[str], bool]) -> dict[str, IndexRow]:
        from malmoi.archive.collection import resolve_row

        last: dict[str, IndexRow] = {}
        for run in self.runs:
            for row in sorted((r for r in run.rows if is_wanted(r.url)), key=lambda row: (row.fetched, row.offset)):
                known = canonical_url(row.url)
                if row.kind not in ("revisit", "file") and is_lasting(row) and not _repeats(last.get(known), row):
                    last[known] = resolve_row(run, row)
        return last


def _find_archived_terms(one: Instrument, last: _Latest) -> Iterator[Instrument]:
    """Yield the archived RSL documents that a robots.txt names; they apply to the hosts of that robots.txt."""
    for _, address in rsl.addresses(one.text) if one.kind == "robots" else ():
        url = canonical_url(join_url(one.origin, address))
        answer = _follow_redirects(url, last) if url else None
        if answer and _is_available(answer):
            body = capture.read(Path(answer.path), answer.offset, answer.record).body
            text = body[: rsl.MAX_BYTES + 1].decode("utf-8-sig", "replace")
            yield Instrument(one.origin, "rsl", answer.record, text, url)


def _may_be_policy_file(url: str) -> bool:
    """Whether the path of the canonical address of `url` may end in the name of a policy file."""
    if not url.isprintable():  # parsers of addresses remove some control characters
        return True
    name = re.split("[?#]", url.strip(), maxsplit=1)[0].replace("\\", "/").rpartition("/")[2]
    return name in _NAMES or ("%" in name and unquote(name) in _NAMES)


def select_for_hosts(given: Sequence[Instrument], urls: Iterable[str]) -> tuple[Instrument, ...]:
    """Return those of `given` that apply to the host of any of `urls`."""
    if not given:
        return ()
    sites = {_split_url(url)[0] for url in urls}
    return tuple(one for one in given if one.origin in sites)


def _split_url(url: str) -> tuple[str, str]:
    """Return (origin, normalised path with query)."""
    known = canonical_url(url) or url
    parts = urlsplit(known)
    path = f"/{parts.path.lstrip('/')}{'?' + parts.query if parts.query else ''}"
    return origin(known), normalise_path(path)


def _repeats(before: IndexRow | None, row: IndexRow) -> bool:
    """Whether an answer says what the one before said: the same bytes, or again that the file is missing."""
    if before is None or (before.status, before.kind) != (row.status, row.kind):
        return False
    return row.status >= 400 or before.payload_sha256 == row.payload_sha256


def _is_available(row: IndexRow) -> bool:
    from malmoi.archive.collection import GONE

    return row.status == 200 and row.kind != GONE


def is_lasting(row: IndexRow) -> bool:
    """Whether an answer says what a host has, rather than that it cannot say so now."""
    return row.status < 500 and row.status not in (304, 408, 429)


def _follow_redirects(url: str, last: _Latest) -> IndexRow | None:
    row = last.get(url)
    for _ in range(MAX_REDIRECTS):
        if row is None or not 300 <= row.status < 400:
            return row
        target = capture.read(Path(row.path), row.offset, row.record).header("location")
        row = last.get(canonical_url(join_url(row.url, target)))
    return None


def _text(kind: Kind, body: bytes) -> str | None:
    """Return the text of a policy file; None if it is an HTML page or, for files of lines, cannot be decoded."""
    if body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return None
    if kind == "tdmrep":
        return body[:MAX_BYTES].decode("utf-8-sig", "replace")  # if truncated, it cannot be parsed and reserves all
    return text_of(body)


def _tdmrep(one: Instrument, path: str) -> Iterator[Signal]:
    """TDM Reservation Protocol: the first rule whose location matches the path applies."""
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
        if not isinstance(location, str) or matches(location, path):
            said, reserved = json.dumps(rule, ensure_ascii=False), _is_reserved(rule)
            yield Signal("tdm-reservation", "opt-out" if reserved else "granted", quote(said), place, one.record)
            return


def _is_reserved(rule: Mapping[str, Any]) -> bool:
    return usage_preferences.is_reserved(str(rule.get("tdm-reservation", 1)))  # a rule without a value reserves


def _ai_txt(one: Instrument, path: str) -> Iterator[Signal]:
    """Spawning's ai.txt: groups as in robots.txt, about kinds of works; one group that disallows is enough."""
    for group in groups(one.text):
        rules = [rule for rule in group if rule.name in ("allow", "disallow") and rule.value]
        closed = [rule for rule in rules if rule.name == "disallow"]
        texts = [rule for rule in closed if rule.value.lower() in _TEXT_ENDINGS]
        opened = [rule for rule in rules if rule.name == "allow" and matches(rule.value, path)]
        longest = max((len(rule.value) for rule in opened), default=0)
        paths = [rule for rule in closed if matches(rule.value, path) and len(rule.value) >= longest]
        for rule in (*texts, *paths)[:1]:
            yield Signal("ai-txt", "opt-out", quote(rule.line), f"/ai.txt, line {rule.number}", one.record)


def _robots(one: Instrument, path: str) -> Iterator[Signal]:
    agents = training_agents(one.text)
    rules = parse_robots(one.text) if agents else None
    if rules and rules.can_fetch(path, "*"):
        denied = [agent for agent in agents if not rules.can_fetch(path, agent)]
        if denied:
            said = f"Disallow for {', '.join(denied)}"
            yield Signal("robots-ai", "inferred-opt-out", said, "/robots.txt", one.record)
    for group in groups(one.text):
        for name in _PREFERENCES:
            said_here = [(rule, *preference(rule)) for rule in group if rule.name == name]
            about_it = [(rule, pattern, words) for rule, pattern, words in said_here if matches(pattern, path)]
            longest = max((len(pattern) for _, pattern, _ in about_it), default=0)
            for rule, pattern, words in about_it:
                if len(pattern) == longest:
                    yield from _weaken_for_others(
                        rule, usage_preferences.read(name, words, f"/robots.txt, line {rule.number}", one.record)
                    )


def _weaken_for_others(rule: Rule, said: Iterable[Signal]) -> Iterator[Signal]:
    """Keep the effect of groups for all robots or ours; a group for other robots gives only an inferred opt-out."""
    for signal in said:
        quiet = not rule.ours and signal.effect == "opt-out"
        yield replace(signal, effect="inferred-opt-out") if quiet else signal


def _missing_terms(one: Instrument, here: Sequence[Instrument]) -> Iterator[Signal]:
    """Report RSL documents that a robots.txt names and that are not available: unknown terms count as an opt-out."""
    known = [other for other in here if other.kind == "rsl"]
    for number, address in rsl.addresses(one.text):
        if not _is_known(address, one.origin, known):
            yield Signal("rsl", "opt-out", quote(address), f"/robots.txt, line {number}", one.record)


def _terms(one: Instrument, url: str) -> Signal:
    why = rsl.refusal_reason(one.text, url, matches)
    return Signal(
        "rsl",
        "opt-out" if why else "granted",
        quote(why or "training is permitted, or not spoken of"),
        one.url,
        one.record,
    )


def _llms(one: Instrument, _: str) -> Iterator[Signal]:
    yield Signal("llms-txt", "note", "says nothing of licences", "/llms.txt", one.record)


_READERS = {"tdmrep": _tdmrep, "ai-txt": _ai_txt, "robots": _robots, "llms-txt": _llms}
