"""Read the addresses in a page, a sitemap or a feed, within limits of time and memory.

A large answer is parsed in a separate process: libxml2 compares each attribute of a tag with all before it, so that a
page of a megabyte that is one tag takes hours. No cheap check of the text separates such a page safely from a harmless
one, so the size decides.

Sitemaps and feeds are parsed by their tags and not as XML trees: undeclared prefixes, bare ampersands, tags that do
not match and a cut end lose at most the affected entries, not the list. No entities are expanded except the five of XML
and numeric references. Entries beyond the limits, and entries that cannot be read, are reported in `Listed.lost`.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Literal, NamedTuple, TypeAlias

from crawlers.encodings.charset_labels import charset_of
from crawlers.encodings.decode import decode, query_encoding
from crawlers.fetch.payload import BadCoding, Damaged, TooBig, inflate_front
from crawlers.web.addresses import canonical_url, join_url
from crawlers.web.scope import is_html, links
from malmoi import limits
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.limits import InputLimit
from malmoi.processes.import_path import PYTHON
from malmoi.processes.rlimits import lower_limit

Kind: TypeAlias = Literal["page", "sitemap", "feed"]

SMALL = 128 * 1024  # bytes; an answer up to this size costs two seconds at worst
WALL = 120.0  # seconds; on a busy machine CPU time advances slowly
HEADERS = ("Content-Type", "X-Robots-Tag")  # the headers that parsing uses
ROOT_CHARS = 4_096  # in which the first element must begin; servers write warnings before it
SAMPLE = 1 << 20  # bytes used to detect the encoding of a list
CHECK_EVERY = 1_024  # steps between two checks of the clock
GZIP = b"\x1f\x8b"

_ROOT = re.compile(
    r"<(?:[\w.-]{1,40}:)?(urlset|sitemapindex|url|sitemap|rss|rdf|feed|html)([\s/][^<>]{0,9999})?>", re.I
)
_LOC = re.compile(r"<(?:([\w.-]{1,40}):)?(url|sitemap|loc)(?:\s[^<>]{0,9999})?>([^<]*)", re.I)
_ENTRY = re.compile(r"<(/?)(?:[\w.-]{1,40}:)?(?:item|entry)((?:[\s/][^<>]{0,9999})?)>", re.I)
_TAG = re.compile(r"<(/?)(?:[\w.-]{1,40}:)?([\w.-]{1,60})((?:[\s/][^<>]{0,9999})?)>([^<]*)")
_LINE = re.compile(r"[^\r\n]+")
_NESTED = frozenset({"source", "content", "summary", "description", "encoded"})  # of an entry; not its own links
_ATTRIBUTE = re.compile(r"([\w.:-]{1,60})\s{0,99}=\s{0,99}(?:\"([^\"<>]{0,9999})\"|'([^'<>]{0,9999})')")
_REFERENCE = re.compile(r"&(amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class Unread(Exception):
    """The URLs of an answer cannot be read; `reason` is the failure word, with the limit or the exception."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooCostly(Unread):
    """An answer that exceeds the limits of parsing."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"too-costly: {_seconds(kind).describe()}, {limits.PARSE_MEMORY_BYTES.describe()}")


async def addresses_of(capture: Capture, kind: Kind) -> Listed:
    """Return the URLs in a page, a sitemap or a feed.

    Raises:
        Unread: nothing could be read.
    """
    if not capture.body.startswith(GZIP) and (len(capture.body) <= SMALL or (kind == "page" and not is_html(capture))):
        return _read(capture, kind)
    return await asyncio.to_thread(_read_in_process, capture, kind)


def _seconds(kind: Kind) -> InputLimit:
    return limits.PARSE_SECONDS if kind == "page" else limits.LIST_SECONDS


def _read(capture: Capture, kind: Kind) -> Listed:
    """Parse an answer; raise Unread for any error of a library."""
    with input_errors(lambda name: Unread(f"unreadable: {name}"), Unread):
        try:
            if kind == "page":
                return Listed([], list(links(capture)), [])
            charset = charset_of(capture.header("content-type"))
            if kind == "feed":
                return parse_feed(capture.body, capture.url, charset)
            return parse_sitemap(capture.body, charset)
        except NotAList as error:
            raise Unread(str(error)) from error
        except BadCoding as error:
            raise Unread(error.reason) from error


def _read_in_process(capture: Capture, kind: Kind) -> Listed:
    head = [kind, capture.url, *(capture.header(name) for name in HEADERS)]
    try:
        done = subprocess.run(
            [*PYTHON, "-m", "crawlers.fetch.link_reading"],
            input=json.dumps(head).encode() + b"\n" + capture.body,
            capture_output=True,
            timeout=WALL,
            check=True,
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise TooCostly(kind) from error
    if "unread" in answer:
        raise Unread(answer["unread"])
    return Listed(**answer)


class NotAList(ValueError):
    """An answer that is not a sitemap or feed; the message is the reason."""


class Listed(NamedTuple):
    """The content of a list: further sitemaps, pages (both canonical), and messages about what was lost."""

    maps: list[str]
    pages: list[str]
    lost: list[str]


class _Full(Exception):
    """A limit is reached; the entries read so far are kept."""


@dataclass(slots=True)
class _Reader:
    """Collects URLs within the limits."""

    encoding: str = "utf-8"
    maps: dict[str, None] = field(default_factory=dict)
    pages: dict[str, None] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    bomb: bool = False  # its gzip goes beyond the ratio
    steps: int = 0
    began: float = field(default_factory=time.process_time)

    def tick(self) -> None:
        """Count a step; raise _Full when the time is used up."""
        self.steps += 1
        if not self.steps % CHECK_EVERY and time.process_time() - self.began > limits.LIST_SECONDS.value:
            raise _Full(f"read up to {limits.LIST_SECONDS.describe()}")

    def add(self, address: str, into: dict[str, None], base: str = "") -> None:
        """Keep one URL, given as written. Raises _Full."""
        self.tick()
        if not address:
            return
        if len(address) > limits.ADDRESS_BYTES.value:
            self.refused[f"longer than {limits.ADDRESS_BYTES.describe()}"] += 1
            return
        url = canonical_url(join_url(base, address) if base else address, self.encoding)
        if not url:
            self.refused["not of the web"] += 1
        elif url not in into and len(self.maps) + len(self.pages) >= limits.LIST_ADDRESSES.value:
            raise _Full(f"read up to {limits.LIST_ADDRESSES.describe()}")
        else:
            into[url] = None

    @contextmanager
    def stop_at_limits(self) -> Iterator[None]:
        """End the block at a limit. Raises TooBig for a decompression bomb without URLs."""
        try:
            yield
        except _Full as full:
            self.lost.append(str(full))
        except NotAList:
            if not self.bomb:
                raise
        if self.bomb and not self.maps and not self.pages:
            raise TooBig(limits.ANSWER_RATIO.describe())

    def to_listed(self) -> Listed:
        """Return the content of the list."""
        refused = [f"{count:,} addresses are {why}" for why, count in sorted(self.refused.items())]
        return Listed(list(self.maps), list(self.pages), self.lost + refused)


def parse_sitemap(body: bytes, charset: str = "") -> Listed:
    """Return the sitemaps and pages in a sitemap; gzip, XML, plain text, RSS and Atom are supported.

    `charset` is that of the Content-Type.

    Raises:
        NotAList: it has another format, or declares entities.
        crawlers.fetch.payload.BadCoding: its gzip goes beyond the limits, or nothing of it can be read.

    >>> parse_sitemap(b"<urlset><url><loc> http://a.kr/1 </loc><image:loc>http://a.kr/1.png</image:loc></url></urlset>").pages
    ['http://a.kr/1']
    """
    reader = _Reader()
    text = _decode_list(reader, body, charset)
    with reader.stop_at_limits():
        if "<" not in text[:ROOT_CHARS]:  # one address a line; a line that is cut off is another address
            end = len(text) if not reader.lost else max(text.rfind("\n"), text.rfind("\r"), 0)
            for line in _LINE.finditer(text, 0, end):
                reader.add(line[0].strip(), reader.pages)
            if reader.refused and not reader.pages:
                raise NotAList("not-a-sitemap")
        else:
            _read_tags(reader, text, "sitemap", "")
    return reader.to_listed()


def parse_feed(body: bytes, url: str, charset: str = "") -> Listed:
    """Return the pages that the entries of a feed link to, in the order of the feed, each once.

    RSS 0.9x and 2.0 (`link`, or a `guid` that is a URL), RSS 1.0 (`link`, or `rdf:about`), Atom (the
    `alternate` link, or one without a relation); `xml:base` applies. `charset` is that of the Content-Type.

    Raises:
        NotAList: it is not a feed, or declares entities.
        crawlers.fetch.payload.BadCoding: its gzip goes beyond the limits, or nothing of it can be read.

    >>> parse_feed(b"<rss><channel><item><link>/1?b=2&amp;a=1</link></item></channel></rss>", "http://a.kr/rss").pages
    ['http://a.kr/1?a=1&b=2']
    """
    reader = _Reader()
    text = _decode_list(reader, body, charset)
    with reader.stop_at_limits():
        _read_tags(reader, text, "feed", url)
    return reader.to_listed()


def _read_tags(reader: _Reader, text: str, kind: Literal["sitemap", "feed"], url: str) -> None:
    root = _ROOT.search(text[: ROOT_CHARS * 4])
    prolog = text[: root.start()] if root else text
    if "<!ENTITY" in prolog.upper():
        raise NotAList("xml-entities")
    text = "".join(_flatten(reader, text))
    root = _ROOT.search(text[: ROOT_CHARS * 4])
    name = root[1].lower() if root else ""
    if root is None or name == "html" or (kind == "feed" and name not in ("rss", "rdf", "feed")):
        raise NotAList(f"not-a-{kind}")
    whole = (root[2] or "").endswith("/") or re.search(rf"</(?:[\w.-]{{1,40}}:)?{name}\s{{0,99}}>", text[-4096:], re.I)
    if not whole and not reader.lost:
        reader.lost.append(f"it ends without </{name}>")
    if name in ("rss", "rdf", "feed"):
        _read_entries(reader, text, join_url(url, parse_attributes(root[2] or "").get("xml:base", "")) or url)
    else:
        _read_locs(reader, text, name)


def _read_locs(reader: _Reader, text: str, root: str) -> None:
    """Read each `loc` of a `url` or `sitemap` that has the prefix of the first of these; `image:loc` is not a page."""
    inside = "sitemap" if root.startswith("sitemap") else "url"
    first: re.Match[str] | None = None
    for found in _LOC.finditer(text):
        name = found[2].lower()
        first = first or (found if name != "loc" else None)
        if first is not None and found[1] != first[1]:
            continue
        if name != "loc":
            inside = name
        else:
            if found.end() == len(text):
                return  # cut off in the middle of a URL, which would be another URL
            reader.add(resolve(found[3]), reader.maps if inside == "sitemap" else reader.pages)


def _read_entries(reader: _Reader, text: str, base: str) -> None:
    opened: re.Match[str] | None = None
    for found in _ENTRY.finditer(text):
        if opened is not None:
            _read_entry(reader, text[opened.end() : found.start()], opened[2], base)
        alone = found[2].endswith("/")
        opened = None if found[1] or alone else found
        if alone and not found[1]:
            _read_entry(reader, "", found[2], base)
    if opened is not None:
        inner = text[opened.end() :]
        if inner.rpartition(">")[2].strip():  # cut off in the middle of a URL, which would be another URL
            inner = inner[: max(inner.rfind("<"), 0)]
        _read_entry(reader, inner, opened[2], base)


def _read_entry(reader: _Reader, inner: str, tag: str, base: str) -> None:
    own = parse_attributes(tag)
    about = next((value for key, value in own.items() if key.endswith(":about")), "")
    base = join_url(base, own.get("xml:base", "")) or base
    reader.add(_link(inner) or about, reader.pages, base)


def _link(inner: str) -> str:
    """Return the link of an entry, as written."""
    alternate = plain = guid = skipped = ""
    for found in _TAG.finditer(inner):
        closes, name, written = found[1], found[2].lower(), found[3]
        if skipped or closes:
            skipped = "" if closes and name == skipped else skipped
            continue
        if name in _NESTED and not written.endswith("/"):
            skipped = name
            continue
        if name not in ("link", "guid"):
            continue
        said, text = parse_attributes(written), resolve(found[4])
        if name == "link" and said.get("href"):
            if said.get("rel", "alternate") == "alternate":
                alternate = alternate or said["href"]
        elif name == "link":
            plain = plain or text
        elif said.get("ispermalink", "true").lower() == "true" and "://" in text[:12]:
            guid = guid or text
    return plain or alternate or guid


def _flatten(reader: _Reader, text: str) -> Iterator[str]:
    """Yield the text without comments, and with CDATA sections escaped, so that each `<` begins a tag."""
    at = 0
    marks = re.compile(r"<!--|<!\[CDATA\[")
    while (mark := marks.search(text, at)) is not None:
        reader.tick()
        yield text[at : mark.start()]
        closing = "-->" if mark[0] == "<!--" else "]]>"
        end = text.find(closing, mark.end())
        if end < 0:
            reader.lost.append(f"the text after an open {mark[0]} is left out")
            return
        if closing == "]]>":
            yield escape(text[mark.end() : end], quote=False)
        at = end + 3
    yield text[at:]


def _decode_list(reader: _Reader, body: bytes, charset: str) -> str:
    """Decode a list by the encoding of its beginning; record in `lost` what was cut off."""
    for _ in range(limits.ANSWER_CODINGS.value):
        if not body.startswith(GZIP):
            break
        body, fault = inflate_front(body, limits.LIST_BYTES.value + 1)
        reader.bomb = reader.bomb or fault == limits.ANSWER_RATIO.describe()
        if fault and not body:
            raise Damaged(fault)
        if fault:
            reader.lost.append(f"its gzip: {fault}")
    if len(body) > limits.LIST_BYTES.value:
        body = body[: limits.LIST_BYTES.value]
        reader.lost.append(f"read up to {limits.LIST_BYTES.describe()}")
    sample = body[:SAMPLE]
    if len(body) > SAMPLE:
        sample = sample[: max(sample.rfind(b">"), sample.rfind(b"\n")) + 1] or sample
    found = decode(sample, charset, html=True)
    reader.encoding = query_encoding(found.encoding)
    text = found.text if sample is body or len(sample) == len(body) else body.decode(found.encoding, "replace")
    return text.lstrip("\ufeff \t\r\n\0")


def parse_attributes(written: str) -> dict[str, str]:
    """Return lower-case name → value."""
    return {one[1].lower(): resolve(one[2] or one[3] or "") for one in _ATTRIBUTE.finditer(written)}


def resolve(written: str) -> str:
    """Resolve the references in a text; an ampersand that begins no reference is kept."""

    def spell(reference: re.Match[str]) -> str:
        name = reference[1]
        if name in _NAMED:
            return _NAMED[name]
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return chr(code) if 0x20 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else ""

    return _REFERENCE.sub(spell, written).strip()


def main() -> None:
    """Read kind, URL and headers as a line of JSON, then the answer; print the result as JSON."""
    lower_limit(resource.RLIMIT_AS, limits.PARSE_MEMORY_BYTES.value)
    lower_limit(resource.RLIMIT_CORE, 0)
    kind, url, *values = json.loads(sys.stdin.buffer.readline())
    # Parsing a list checks the clock itself and returns what it has read by then; parsing a page cannot.
    seconds = _seconds(kind).value * (1 if kind == "page" else 2)
    lower_limit(resource.RLIMIT_CPU, seconds)
    headers = tuple(zip(HEADERS, values, strict=True))
    try:
        found = _read(Capture("", url, "", 200, headers, sys.stdin.buffer.read()), kind)._asdict()
    except Unread as error:
        found = {"unread": error.reason}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
