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

from crawlers.formats import safe_xml
from crawlers.formats.html.runs import quote
from crawlers.formats.unreadable import Unreadable
from crawlers.web.addresses import canonical_url, join_url, origin
from crawlers.web.robots import (
    MAX_BYTES,
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

if TYPE_CHECKING:
    from lxml import etree

    from malmoi.archive.collection import Run  # imports pyarrow, which a single page does not need

Kind: TypeAlias = Literal["robots", "ai-txt", "tdmrep", "rsl", "llms-txt"]
PATHS: dict[str, Kind] = {"/robots.txt": "robots", "/ai.txt": "ai-txt", "/.well-known/tdmrep.json": "tdmrep"}
_GIVEN: dict[str, Kind] = {"robots.txt": "robots", "ai.txt": "ai-txt", "tdmrep.json": "tdmrep", "llms.txt": "llms-txt"}
_NAMES = frozenset(path.rpartition("/")[2] for path in PATHS)
Effect: TypeAlias = Literal["opt-out", "inferred-opt-out", "granted", "note"]
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
            out[read_rsl(one.text, url, one.url, one.record, "training is permitted, or not spoken of")] = None
        elif one.kind == "llms-txt":
            out[Signal("llms-txt", "note", "says nothing of licences", "/llms.txt", one.record)] = None
        else:
            out |= dict.fromkeys(_READERS[one.kind](one, path))
        for number, address in list_rsl_addresses(one.text) if one.kind == "robots" else ():
            # Terms that are not available count as an opt-out.
            if not _is_known(address, one.origin, [other for other in here if other.kind == "rsl"]):
                out[Signal("rsl", "opt-out", quote(address), f"/robots.txt, line {number}", one.record)] = None
    return tuple(out)


def resolve_terms(signals: Iterable[Signal], url: str, given: Sequence[Instrument]) -> tuple[Signal, ...]:
    """Return `signals` of the page at `url` without links to RSL documents that are in `given`: `find` reads those.

    >>> said = build_instruments("https://a.kr/1", well_known={"l.xml": "<rsl><content url='/2'/></rsl>"})
    >>> resolve_terms([Signal("rsl", "opt-out", "/l.xml", "page", "")], "https://a.kr/1", said)
    ()
    """
    site = _split_url(url)[0]
    known = [one for one in given if one.kind == "rsl" and one.origin == site]

    def is_resolved(signal: Signal) -> bool:
        if signal.name != "rsl" or signal.effect != "opt-out":
            return False
        header = re.search(r"<([^<>]{1,500})>", signal.quote)  # a Link header
        return _is_known(header[1] if header else signal.quote, url, known)

    return tuple(one for one in signals if not is_resolved(one))


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


def read_latest(runs: Iterable[Run]) -> tuple[Instrument, ...]:
    """Return the policy files in the archives of a source, each in its latest answer, sorted by origin and kind.

    The RSL documents that a robots.txt names follow it; they apply to its hosts. Redirects are followed through the
    archive. Raises CaptureError if a record is missing from its archive.
    """
    last, found = _Latest(list(runs)), list[Instrument]()
    for site, kind, answer, text in _read_answers(last):
        if text is None:
            continue
        found.append(Instrument(site, kind, answer.record, text))
        for _, address in list_rsl_addresses(text) if kind == "robots" else ():
            url = canonical_url(join_url(site, address))
            terms = _follow_redirects(url, last) if url else None
            if terms and _is_available(terms):
                body = capture.read(Path(terms.path), terms.offset, terms.record).body
                found.append(
                    Instrument(site, "rsl", terms.record, body[: MAX_RSL + 1].decode("utf-8-sig", "replace"), url)
                )
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


def _is_available(row: IndexRow) -> bool:
    from malmoi.archive.collection import GONE

    return row.status == 200 and row.kind != GONE


def _follow_redirects(url: str, last: _Latest) -> IndexRow | None:
    row = last.get(url)
    for _ in range(MAX_REDIRECTS):
        if row is None or not 300 <= row.status < 400:
            return row
        target = capture.read(Path(row.path), row.offset, row.record).header("location")
        row = last.get(canonical_url(join_url(row.url, target)))
    return None


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
                if row.kind in ("revisit", "file") or not is_lasting(row):
                    continue
                known = canonical_url(row.url)
                before = last.get(known)
                if before is None or not _repeats(before, row):
                    last[known] = resolve_row(run, row)
        return last


def _repeats(before: IndexRow, row: IndexRow) -> bool:
    """Whether an answer says what the one before said: the same bytes, or again that the file is missing."""
    if (before.status, before.kind) != (row.status, row.kind):
        return False
    return row.status >= 400 or before.payload_sha256 == row.payload_sha256


def _may_be_policy_file(url: str) -> bool:
    """Whether the path of the canonical address of `url` may end in the name of a policy file."""
    if not url.isprintable():  # parsers of addresses remove some control characters
        return True
    name = re.split("[?#]", url.strip(), maxsplit=1)[0].replace("\\", "/").rpartition("/")[2]
    return name in _NAMES or ("%" in name and unquote(name) in _NAMES)


def is_lasting(row: IndexRow) -> bool:
    """Whether an answer says what a host has, rather than that it cannot say so now."""
    return row.status < 500 and row.status not in (304, 408, 429)


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
            said, value = (
                json.dumps(rule, ensure_ascii=False),
                rule.get("tdm-reservation", 1),
            )  # without one, it reserves
            yield Signal("tdm-reservation", read_reservation(str(value)), quote(said), place, one.record)
            return


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
                if len(pattern) < longest:
                    continue
                for signal in read_preferences(name, words, f"/robots.txt, line {rule.number}", one.record):
                    # A group for other robots than all or ours gives only an inferred opt-out.
                    inferred = not rule.ours and signal.effect == "opt-out"
                    yield replace(signal, effect="inferred-opt-out") if inferred else signal


_READERS = {"tdmrep": _tdmrep, "ai-txt": _ai_txt, "robots": _robots}


# Usage preferences as AIPREF, Content-Signal and TDMRep write them: `train-ai=n, search=y`.
# Training in AIPREF (attach-05, vocab-08), its older drafts and Content-Signal, and categories that include training.
_TRAINING = frozenset("train-ai ai train-genai genai ai-train bots tdm all automated".split())
_NO = frozenset(("n", "no", "?0", "false", "0"))
_YES = frozenset(("y", "yes", "?1", "true", "1"))


def read_preferences(name: str, value: str, place: str, record: str) -> Iterator[Signal]:
    """Yield a signal for each use that is refused, an opt-out or a note, and for training that is granted.

    `use` of Content-Signal limits how collected content may be used: only `full` lets it be kept as text.

    >>> [s.effect for s in read_preferences("content-signal", "search=yes, ai-train=no, ai-input=no", "", "")]
    ['opt-out', 'note']
    >>> [s.effect for s in read_preferences("content-usage", "train-ai=y, search=y", "", "")]
    ['granted']
    >>> [s.effect for s in read_preferences("content-signal", "use=reference", "", "")]
    ['opt-out']
    """
    for part in value.lower().replace(";", ",").split(","):
        key, _, answer = (one.strip().strip("\"'") for one in part.partition("="))
        if answer in _NO:
            yield Signal(name, "opt-out" if key in _TRAINING else "note", quote(value), place, record)
        elif key in _TRAINING and answer in _YES:
            yield Signal(name, "granted", quote(value), place, record)
        elif name == "content-signal" and key == "use" and answer != "full":
            yield Signal(name, "opt-out", quote(value), place, record)


def read_reservation(value: str) -> Effect:
    """Return the effect of a `tdm-reservation`; values other than 0 and 1 count as missing (TDMRep, 2024-05-10).

    >>> [read_reservation(value) for value in ("1", " 1 ", "0", "2")]
    ['opt-out', 'opt-out', 'granted', 'granted']
    """
    return "opt-out" if value.strip().strip("\"'").lower() in ("1", "1.0", "true", "yes") else "granted"


# RSL (rslstandard.org, version 1.0, 2025-12-10): whether a document permits free training on a page.
# Strict: what the document does not explicitly grant, or what cannot be parsed, is not granted.
RSL_MEDIA = "application/rsl+xml"
MAX_RSL = 65_536  # bytes of one document
MAX_CONTENTS = 2_000  # <content> elements of one document
_RSL_TRAINING = frozenset(("all", "ai-all", "ai-train"))
_FREE = frozenset(("free", "attribution"))


def read_rsl(text: str, url: str, place: str, record: str, permitted: str = "training is permitted") -> Signal:
    """Return the signal of an RSL document for the page at `url`; `permitted` is the quote if nothing refuses."""
    reason = refusal_reason(text, url)
    return Signal("rsl", "opt-out" if reason else "granted", quote(reason or permitted), place, record)


def refusal_reason(text: str, url: str) -> str:
    """Return why the document does not permit training on the page at `url`; "" if it does or does not cover the page.

    Every content and licence that applies to the page must permit it.
    """
    if len(text.encode("utf-8", "replace")) > MAX_RSL:
        return "longer than 64 KiB"
    try:
        root = safe_xml.parse(text.strip())
    except Unreadable as error:
        return f"cannot be parsed: {error.reason}"
    if _name(root) != "rsl":
        return "no RSL document"
    contents = [one for one in root.iter() if _name(one) == "content"]
    if not contents or len(contents) > MAX_CONTENTS:
        return "no content that can be read"
    for content in contents:
        if not _covers(content.get("url") or "", url):
            continue
        if content.get("server"):
            return "a licence server decides"
        if (content.get("encrypted") or "").strip().lower() in ("true", "1"):
            return "the content is encrypted"
        licences = [one for one in content.iter() if _name(one) == "license"]
        reason = next(filter(None, map(_refusal_of_licence, licences)), "") if licences else "no licence"
        if reason:
            return reason
    return ""


def _refusal_of_licence(licence: etree._Element) -> str:
    permitted: set[str] = set()
    for one in licence.iter():
        name, kind = _name(one), (one.get("type") or "usage").strip().lower()
        if name == "permits" and kind == "usage":
            permitted |= _tokens(one)
        elif name == "permits" and not _tokens(one) & {"all"}:
            return f"only for some ({kind})"
        elif name == "prohibits" and (said := _tokens(one)) - {"search"}:
            return f"prohibits {' '.join(sorted(said))[:100]}"
        elif name == "payment" and (one.get("type") or "free").strip().lower() not in _FREE:
            return f"payment: {(one.get('type') or '')[:40]}"
    return "" if permitted & _RSL_TRAINING else "training is not among what is permitted"


def _tokens(element: etree._Element) -> set[str]:
    return {word for word in re.split(r"[\s,;]+", (element.text or "").lower()) if word}


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _covers(pattern: str, url: str) -> bool:
    """Whether the `url` of a content element covers a page; without a `url` it covers every page."""
    if not pattern or pattern == "*":
        return True
    here = urlsplit(url)
    if re.match(r"(?:https?:)?//", pattern, re.I):
        address = join_url(url, pattern.replace("*", "%2A"))
        if not address:
            return True  # an address that cannot be parsed covers every page: a document can only refuse
        there = urlsplit(address)
        if (there.hostname or "").removeprefix("www.") != (here.hostname or "").removeprefix("www."):
            return False
        query = f"?{there.query}" if there.query else ""
        pattern = f"{there.path or '/'}{query}".replace("%2A", "*")
    return matches(pattern, f"{here.path or '/'}{'?' + here.query if here.query else ''}")


def list_rsl_addresses(robots: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, address) of each `License:` line of a robots.txt, inside and outside groups.

    >>> list(list_rsl_addresses("User-agent: *\\nLicense: https://a.kr/license.xml # terms"))
    [(2, 'https://a.kr/license.xml')]
    """
    for number, line in enumerate(robots.splitlines(), 1):
        name, _, value = line.partition("#")[0].partition(":")
        if name.strip().lower() == "license" and value.strip():
            yield number, value.strip()
