"""Cut what is withdrawn out of other pages: links to it in pages, lists, feeds and JSON, with the entry they belong to.

An entry is the part of a list about one page: an item of a feed, an object of JSON, a row, a list item, a line. Where
the words of an erased text are known they go too, with or without a link. The rest keeps its bytes. An answer that
still names the page, in a form without a rule, goes whole (None).
"""

from __future__ import annotations

import gzip
import html
import json
import re
import zlib
from bisect import bisect_left
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from urllib.parse import unquote, urlsplit

from crawlers.encodings.charset_labels import charset_of
from crawlers.encodings.decode import decode
from crawlers.web.addresses import ESCAPED, canonical_url, join_url
from crawlers.web.text_trees import BLOCKS, Element, Node, Piece, String, list_cuts, parse_json, parse_markup
from malmoi import limits
from malmoi.erasure.passages import PassageFinder
from malmoi.erasure.tombstones import Matcher
from malmoi.erasure.value_digests import normalise_value

MASK = "withdrawn:"  # instead of an address; a scheme that nothing fetches
GZIP = b"\x1f\x8b"
MAX_ADDRESS = 8192  # characters
SMALL = 1000  # characters of text that an entry of a page may have; more is not about one link
FEW = 3  # links beside the withdrawn one in a row or list item: to its author, its category, its file
MOSTLY = 0.5  # share of a piece that is erased words, from which on its entry goes
_BOMS = (BOM_UTF8, BOM_UTF32_LE, BOM_UTF32_BE, BOM_UTF16_LE, BOM_UTF16_BE)
_RUN = re.compile(r"[0-9A-Za-z]+")
_BETWEEN = re.compile(r"[\s\"'<>(),;\\^`{|}\[\]]+")
_ADDRESS = re.compile(r"https?://|^/|^\.{0,2}/|^www\.|^[\w-]+(?:\.[\w-]+)+/", re.IGNORECASE)
_ASCII = re.compile(r"[!-~]+")
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/\"'\\]))")
_LIST_ROOT = re.compile(
    r"<(?!(?:[\w.-]{1,40}:)?html\b)(?:\?xml\b|(?:[\w.-]{1,40}:)?(?:rss|rdf|feed|urlset|sitemapindex|OAI-PMH|item|entry|url)\b)",
    re.I,
)
_TEXTS = ("text", "json", "xml", "html", "rss", "atom", "javascript", "ecmascript", "csv")
_ENTRIES = frozenset("item entry url sitemap record row doc document article page result node outline".split())
_MENTIONS = frozenset("description summary content encoded image thumbnail source video news".split())
_OWN = frozenset("loc link guid id origlink url".split())
_ROWS = frozenset("li tr dt dd option figure".split())
_CARDS = frozenset("div section article dl".split())
_LIMITS = frozenset("p blockquote pre main body table tbody ul ol menu nav form html head".split())
_LARGE = frozenset("html head body main form".split())  # an attribute of theirs is not about what they hold
_IDENTITY = re.compile(r"(?:url|uri|link|href|loc|guid|id|canonical|permalink|self|alternate)$", re.IGNORECASE)
_ANOTHER = re.compile(r"prev|next|first|last|relat|parent|home|refer", re.IGNORECASE)
_BARE = re.compile(r"(?:href|url|uri|link|rel|type|method|self|html|web)$", re.IGNORECASE)

Cut = tuple[int, int, str]  # start, end, what takes its place
Headers = tuple[tuple[str, str], ...]


def addresses_of(matcher: Matcher, source: str) -> list[str]:
    """Return the addresses that tombstones name: their URLs and prefixes, and the ids of `source` that are URLs."""
    begin = f"{source}/"
    keys = (one.key.removeprefix(begin) if one.kind == "id" else one.key for one in matcher.tombstones)
    return [key for key in keys if key.startswith(("http://", "https://"))]


def make_needles(addresses: Iterable[str], *, absolute: bool = False) -> tuple[bytes, ...] | None:
    """Return bytes of which a page has at least one if it links to an address; None if that cannot be decided.

    `absolute`: the links have a host, so that the host will do.

    >>> make_needles(["https://a.kr/people/hong-gildong?no=1"]), make_needles(["https://a.kr/%EC%9E%90"])
    ((b'gildong',), None)
    """
    found: set[bytes] = set()
    for url in addresses:
        parts = urlsplit(url)
        tail = parts.path.rstrip("/").rpartition("/")[2] + " " + parts.query
        runs = _RUN.findall(re.sub(r"%[0-9A-Fa-f]{2}", " ", tail)) or (_RUN.findall(parts.netloc) if absolute else [])
        if not runs:
            return None
        found.add(max(runs, key=len).encode())
    return tuple(sorted(found))


def mask_links(body: bytes, media: str, base: str, is_withdrawn: Callable[[str], bool]) -> bytes | None:
    """Return a page or list without the entries that name an address for which `is_withdrawn`.

    >>> mask_links(b'<a href="/1"><b>Hong</b></a> <a href="/2">Kim</a>', "text/html", "https://a.kr/",
    ...  lambda url: url == "https://a.kr/1")
    b' <a href="/2">Kim</a>'
    """
    return mask_body(body, media, base, Traces(None, True, is_withdrawn))


@dataclass(frozen=True, slots=True)
class Traces:
    """The traces of what is withdrawn: addresses, and passages of erased texts."""

    needles: tuple[bytes, ...] | None  # as `make_needles` returns them
    has_addresses: bool
    is_withdrawn: Callable[[str], bool]
    passages: PassageFinder | None = None

    @staticmethod
    def make(
        addresses: Sequence[str], is_withdrawn: Callable[[str], bool], passages: PassageFinder | None = None
    ) -> Traces:
        """Return what is sought for addresses and passages; a body that may have none of them is not parsed."""
        return Traces(make_needles(addresses), bool(addresses), is_withdrawn, passages)

    def may_name(self, body: bytes) -> bool:
        """Whether a body may name an address: it has its words, or hides words."""
        if not self.has_addresses:
            return False
        hides = b"\0" in body or ESCAPED.search(body) is not None
        return hides or self.needles is None or any(one in body for one in self.needles)

    def names(self, value: str, bases: Sequence[str], *, whole: bool) -> bool:
        """Whether a value names a withdrawn address; `whole`: the value may be a relative address itself."""
        return self.has_addresses and any(
            self.is_withdrawn(url)
            for form in _list_forms(value)
            if self.needles is None or any(needle.decode() in form for needle in self.needles)
            for word in self._list_words(form, whole=whole)
            for base in bases
            if (url := canonical_url(join_url(base, word)))
        )

    def _list_words(self, form: str, *, whole: bool) -> Iterator[str]:
        """Yield what may be an address in a value."""
        alone = form.strip()
        if whole and len(alone) <= MAX_ADDRESS and not any(map(str.isspace, alone)):
            yield alone
        for word in _BETWEEN.split(form):
            if self.needles is not None and not any(needle.decode() in word for needle in self.needles):
                continue
            for one in dict.fromkeys((word, *_ASCII.findall(word)[:8])):  # in Korean a particle follows
                one = one.rstrip(".,:;!?*~")
                if len(one) > MAX_ADDRESS or not _RUN.search(one) or not (whole or _ADDRESS.search(one)):
                    continue
                yield one
                if "://" not in one and not whole and _ADDRESS.search(one) and one[0] not in "./":
                    yield f"https://{one}"
                    yield f"http://{one}"
                for nested in [*re.finditer(r"https?://", one)][:8]:
                    yield one[nested.start() :]
                    yield re.split("[&#]", one[nested.start() :], maxsplit=1)[0]

    def measure_words(self, values: Sequence[str], *, apart: bool) -> list[float]:
        """Return of each value the share of letters that are erased words; unless `apart`, words may span values."""
        if not self.passages:
            return [0.0] * len(values)
        plain = [normalise_value(unquote(_list_forms(value)[-1], errors="replace")) for value in values]
        between = "\0" if apart else ""
        marks = self.passages.find(between.join(plain))
        ends = list(accumulate(len(one) + len(between) for one in plain))
        spans = ((end - len(one) - len(between), end - len(between)) for one, end in zip(plain, ends, strict=True))
        shares = [float(marks[start:end].mean()) if end > start else 0.0 for start, end in spans]
        # A passage may begin by chance with the last words of the value before it.
        return [
            s if s >= MOSTLY or not s or self.passages.find(one).any() else 0.0
            for s, one in zip(shares, plain, strict=True)
        ]

    def find_words(self, value: str) -> list[tuple[int, int]]:
        """Return where a value has erased words; none if letters are escaped or composed, so that places differ."""
        sizes = [len(normalise_value(char)) for char in value]
        plain = normalise_value(value)
        if not self.passages or _list_forms(value) != [value] or sum(sizes) != len(plain):
            return []
        places = [at for at, size in enumerate(sizes) for _ in range(size)]
        edges = [0, *self.passages.find(plain).tolist(), 0]
        starts = [n - 1 for n in range(1, len(edges)) if edges[n] and not edges[n - 1]]
        ends = [n - 2 for n in range(1, len(edges)) if edges[n - 1] and not edges[n]]
        return [(places[start], places[end] + 1) for start, end in zip(starts, ends, strict=True)]

    def has_traces(self, text: str, bases: Sequence[str]) -> bool:
        """Whether a text, whatever its form, names an address as such, or has erased words."""
        if self.names(text, bases, whole=False):
            return True
        if not self.passages:
            return False
        bare = re.sub(r"<[^<>]{0,10000}>", " ", html.unescape(text))
        return any(self.measure_words([text, bare], apart=True))


def _list_forms(value: str) -> list[str]:
    """Return a value as written, and with references, escapes and percent-encoding resolved; last without escapes."""
    forms = [value]
    for _ in range(3):
        if "&" in value and (plain := html.unescape(value)) != value:
            forms.append(value := plain)
    if "\\" in value:
        forms.append(value := _ESCAPE.sub(lambda one: one[3] or chr(int(one[1] or one[2], 16)), value))
    if "%" in value:
        forms.insert(0, unquote(value, errors="replace"))
    return list(dict.fromkeys(forms))


def mask_headers(headers: Headers, base: str, traces: Traces) -> Headers:
    """Return the headers without those that name a withdrawn address, as `Link` may."""
    return tuple(one for one in headers if not traces.names(one[1], [base], whole=False))


def mask_body(body: bytes, media: str, base: str, traces: Traces) -> bytes | None:
    """Return a body without the entries that have a trace; None if traces remain in it, so that it must go whole."""
    kind = media.lower().partition(";")[0].strip()
    is_text = any(word in kind for word in _TEXTS) or kind in ("", "application/octet-stream")
    if body.startswith(GZIP):
        return _mask_packed(body, kind if is_text else "", base, traces)
    is_binary = kind in ("", "application/octet-stream") and b"\0" in body[:1024] and not body.startswith(_BOMS)
    if (
        not is_text or is_binary or (base.endswith("/robots.txt") and "html" not in kind)
    ):  # rules for robots are not about a page
        return body
    named = traces.may_name(body)
    if not named and not traces.passages:
        return body
    found = decode(body, charset_of(media), html=True)
    if not traces.has_traces(found.text, [base]) and not (named and _may_name_text(found.text, traces)):
        return body
    mark = next((one for one in _BOMS if body.startswith(one)), b"")
    text = _decode_exactly(body[len(mark) :], found.encoding, found.text)
    cut = cut_text(text, kind, base, traces)
    if cut == text and not traces.has_traces(text, [base]):
        return body
    if traces.has_traces(cut, [base]):
        return None
    return mark + _encode_exactly(cut, found.encoding)


def _may_name_text(text: str, traces: Traces) -> bool:
    """Whether a text has the words of an address in some spelling, as a relative link has."""
    return traces.needles is None or any(
        needle.decode() in form for form in _list_forms(text) for needle in traces.needles
    )


def _mask_packed(body: bytes, kind: str, base: str, traces: Traces) -> bytes | None:
    """Mask a list that is served as a gzip file, up to what a crawler reads of it."""
    unpack = zlib.decompressobj(31)
    try:
        inner = unpack.decompress(body, limits.LIST_BYTES.value)
    except zlib.error:
        return body
    masked = mask_body(inner, kind, base.removesuffix(".gz"), traces)
    return body if masked == inner else None if masked is None else gzip.compress(masked, mtime=0)


def _decode_exactly(raw: bytes, encoding: str, text: str) -> str:
    """Decode so that the text can be encoded to the same bytes, if the codec can."""
    try:
        return raw.decode(encoding, "surrogateescape")
    except (UnicodeError, LookupError):
        return text


def _encode_exactly(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding, "surrogateescape")
    except (UnicodeError, LookupError):
        return text.encode(encoding, "xmlcharrefreplace")


def cut_text(text: str, kind: str, base: str, traces: Traces, *, depth: int = 0) -> str:
    """Return a text without the entries that have a trace; `kind` is its media type without parameters."""
    head = text[:4096].lstrip("\ufeff \t\r\n\0")
    if "json" in kind or (head[:1] in ("{", "[") and "html" not in kind) or "script" in kind:
        cuts = _cut_json(text, 0, len(text), [base], traces, depth)
    elif ("xml" in kind or _LIST_ROOT.match(head)) and not re.search(r"<html\b", head, re.IGNORECASE):
        cuts = _Xml(text, base, traces, depth).list_cuts()
    elif "<" in head or "html" in kind:
        cuts = _Page(text, base, traces, depth).list_cuts()
    else:
        lines = list(re.finditer(r"[^\n]+\n?|\n", text))
        words = traces.measure_words([one[0] for one in lines], apart=False)
        cuts = [
            (one.start(), one.end(), "")
            for one, share in zip(lines, words, strict=True)
            if share or traces.names(one[0], [base], whole=True)
        ]
    return _apply(text, cuts)


def _apply(text: str, cuts: Iterable[Cut]) -> str:
    pieces, at = [], 0
    for start, end, new in sorted(cuts, key=lambda one: (one[0], -one[1])):
        if start >= at:
            pieces += [text[at:start], new]
        at = max(at, end)
    return "".join((*pieces, text[at:]))


class _Markup:
    """The base of both forms of markup: their pieces, and how much text and how many links an element has."""

    html = True

    def __init__(self, text: str, base: str, traces: Traces, depth: int) -> None:
        self.text, self.traces, self.depth, self.bases = text, traces, depth, [base]
        self.root, self.pieces = parse_markup(text, html=self.html)
        for one in self.pieces:
            if one.element.name == "base" and one.name == "href":
                self.bases.append(join_url(base, html.unescape(self._read(one)).strip()) or base)
        texts = [one for one in self.pieces if one.kind == "text"]
        self._places = [one.start for one in texts]
        self._sums = [0, *accumulate(len(self._read(one).strip()) for one in texts)]
        self._links: list[int] = []  # places of addresses that are not withdrawn
        self._shares = self._measure(texts)

    def list_cuts(self) -> list[Cut]:
        """Return what goes."""
        named = [one for one in self.pieces if one.kind != "script" and self._names(one)]
        hits = set(named)
        self._links = [one.start for one in self.pieces if one not in hits and self._is_link(one)]
        cuts = [cut for one in named for cut in self._cut_address(one)]
        cuts += [cut for one in self.pieces if self._shares.get(one) for cut in self._cut_words(one)]
        return cuts + [cut for one in self.pieces if one.kind == "script" for cut in self._cut_script(one)]

    def _read(self, one: Piece) -> str:
        return self.text[one.start : one.end]

    def _measure(self, texts: Sequence[Piece]) -> dict[Piece, float]:
        if not self.traces.passages:
            return {}
        apart = [one for one in self.pieces if one.kind in ("attribute", "comment")]
        shares = dict(zip(texts, self.traces.measure_words([*map(self._read, texts)], apart=False), strict=True))
        return shares | dict(zip(apart, self.traces.measure_words([*map(self._read, apart)], apart=True), strict=True))

    def _names(self, one: Piece) -> bool:
        whole = one.kind == "attribute" or not self.html
        return self.traces.names(self._read(one), self.bases, whole=whole)

    def _count_links(self, element: Element) -> int:
        return bisect_left(self._links, element.end) - bisect_left(self._links, element.start)

    def _count_text(self, element: Element) -> int:
        return self._sums[bisect_left(self._places, element.end)] - self._sums[bisect_left(self._places, element.start)]

    def _cut_within(self, one: Piece) -> Cut | None:
        """Cut markup that an element has as its text, as in the item of a feed; None if that does not do."""
        written = self._read(one)
        inner = written if "<" in written else html.unescape(written)
        if self.depth > 1 or "<" not in inner:
            return None
        new = cut_text(inner, "text/html", self.bases[0], self.traces, depth=self.depth + 1)
        if new == inner or self.traces.has_traces(new, self.bases):
            return None
        return one.start, one.end, new if "<" in written else html.escape(new, quote=False)

    def _cut_script(self, one: Piece) -> list[Cut]:
        text = self._read(one)
        if not self.traces.has_traces(text, self.bases) and not _may_name_text(text, self.traces):
            return []
        cuts = _cut_json(self.text, one.start, one.end, self.bases, self.traces, self.depth)
        left = _apply(self.text[: one.end], cuts)[one.start :] if cuts else text
        return [(one.start, one.end, "")] if self.traces.has_traces(left, self.bases) else cuts

    def _is_link(self, one: Piece) -> bool:
        raise NotImplementedError

    def _cut_address(self, one: Piece) -> list[Cut]:
        raise NotImplementedError

    def _cut_words(self, one: Piece) -> list[Cut]:
        raise NotImplementedError


class _Page(_Markup):
    """A page of HTML, or a fragment."""

    def _is_link(self, one: Piece) -> bool:
        return one.name == "href" and one.element.name in ("a", "area") and self._read(one)[:1] not in ("#", "")

    def _cut_address(self, one: Piece) -> list[Cut]:
        element = one.element
        if one.kind == "attribute":
            is_large = element.name in _LARGE or (element.name in BLOCKS and self._count_text(element) > SMALL)
            if is_large:
                return [(one.start, one.end, MASK)]
            return self._cut_entry(element) or [(element.start, element.end, "")]
        if one.kind == "comment":
            return [(one.start, one.end, "")]
        words = re.finditer(r"[^\s\"'<>(),]+", self._read(one))
        cuts = [
            (one.start + word.start(), one.start + word.end(), MASK)
            for word in words
            if self.traces.names(word[0], self.bases, whole=False)
        ]
        return [*self._cut_entry(element), *(cuts or [(one.start, one.end, "")])]

    def _cut_words(self, one: Piece) -> list[Cut]:
        if one.kind != "text":
            return [(one.start, one.end, "")]
        if self._shares[one] >= MOSTLY:
            return [*self._cut_entry(one.element), (one.start, one.end, "")]
        spans = self.traces.find_words(self._read(one)) or [(0, one.end - one.start)]
        return [(one.start + start, one.start + end, "") for start, end in spans]

    def _cut_entry(self, element: Element) -> list[Cut]:
        """Return the row, list item or card around an element, if it is about nothing else."""
        card: Element | None = None
        for here in element.climb():
            if here.name in _ROWS:
                if self._count_text(here) <= SMALL and self._count_links(here) <= FEW:
                    return [(here.start, here.end, ""), *self._cut_definitions(here)]
                break
            if here.name in _LIMITS:
                break
            if here.name in _CARDS and here.parent is not None and self._is_card(here, here.parent):
                card = here
        return [(card.start, card.end, "")] if card is not None else []

    def _is_card(self, here: Element, parent: Element) -> bool:
        is_one_of_many = sum(one.name == here.name for one in parent.children) > 1 and self._count_links(parent) > 0
        return is_one_of_many and self._count_links(here) == 0 and self._count_text(here) <= SMALL

    def _cut_definitions(self, term: Element) -> Iterator[Cut]:
        """Yield the definitions that follow a term of a definition list."""
        if term.name == "dt" and term.parent is not None:
            after = term.parent.children[term.parent.children.index(term) + 1 :]
            for one in after:
                if one.name != "dd":
                    return
                yield one.start, one.end, ""


class _Xml(_Markup):
    """A feed, a sitemap, or another list in XML."""

    html = False

    def _is_link(self, one: Piece) -> bool:
        own = one.kind == "text" and one.element.name in _OWN and bool(self._read(one).strip())
        return own or one.name in ("href", "resource", "about", "rdf:about") or "://" in self._read(one)[:2000]

    def _cut_address(self, one: Piece) -> list[Cut]:
        if self._shares.get(one, 0.0) < MOSTLY and (cut := self._cut_within(one)) is not None:
            return [cut]
        if one.kind == "comment":
            return [(one.start, one.end, "")]
        start = one.element
        if one.kind == "text" and not start.children and start.parent is not None:
            start = start.parent
        for here in start.climb():
            if here.name in _ENTRIES:
                child = next((c for c in here.children if c.start <= one.start < c.end), None)
                if child is None or not self._has_own(here, child):
                    child = here
                is_mention = child.name in _MENTIONS or (here.name, child.name) == ("url", "link")
                return [(child.start, child.end, "") if is_mention else (here.start, here.end, "")]
        return [self._cut_unnamed(one)]

    def _has_own(self, entry: Element, beside: Element) -> bool:
        """Whether an entry has an address of its own that is not withdrawn."""
        own = (one for one in entry.children if one is not beside and one.name in _OWN)
        return any(self._count_links(one) for one in own)

    def _cut_unnamed(self, one: Piece) -> Cut:
        """Cut the largest element around a piece that has no other link and is not the root."""
        last: Element | None = None
        for here in one.element.climb():
            if here.parent is None or here.parent.parent is None or (last is not None and self._count_links(here)):
                break
            last = here
        return (last.start, last.end, "") if last is not None else (one.start, one.end, MASK)

    def _cut_words(self, one: Piece) -> list[Cut]:
        if self._shares[one] < MOSTLY and (cut := self._cut_within(one)) is not None:
            return [cut]
        for here in one.element.climb():
            if here.name in _ENTRIES and self._shares[one] >= MOSTLY:
                return [(here.start, here.end, "")]
        return [(one.start, one.end, "")]


def _cut_json(text: str, start: int, end: int, bases: Sequence[str], traces: Traces, depth: int) -> list[Cut]:
    """Return what goes of JSON: the object that is about a trace, or the value that mentions it among others."""
    _, strings = parse_json(text, start, end)
    values = [one.read(text) for one in strings]
    shares = traces.measure_words(values, apart=True)
    gone, cuts = list[tuple[Node, int]](), list[Cut]()
    for one, value, share in zip(strings, values, shares, strict=True):
        named = traces.names(value, bases, whole=True)
        if not named and not share:
            continue
        if share < MOSTLY and not one.is_key and ("<" in value or re.search(r"\s", value)):
            new = cut_text(value, "text/html", bases[0], traces, depth=depth + 1) if depth < 2 else ""
            if not traces.has_traces(new, bases):
                cuts.append((one.start, one.end, json.dumps(new)))
                continue
        if one.is_key or one.node.parent is None:
            cuts.append((one.start, one.end, f'"{MASK}"'))
        if one.node.parent is not None:
            gone.append(_find_row(text, one, bases, traces))
    return [*cuts, *list_cuts(text, gone)]


def _find_row(text: str, one: String, bases: Sequence[str], traces: Traces) -> tuple[Node, int]:
    """Return the item that is about the page that a string names."""
    here = one.node
    assert here.parent is not None  # a string in no object or array belongs to none
    if here.kind == "[":
        is_list = not here.children and all(_ADDRESS.search(other.read(text)) for other in here.strings)
        return (here, one.place) if is_list else (here.parent, here.place)
    if one.is_key:
        return here, one.place
    own = [
        other
        for other in here.strings
        if not other.is_key and other.place != one.place and _IDENTITY.search(other.key)
        and "://" in (value := other.read(text)) and not traces.names(value, bases, whole=True)
    ]  # fmt: skip
    holds_list = here.parent.parent is None and any(len(child.children) > 1 for child in here.children)
    if _ANOTHER.match(one.key) or holds_list or (own and not _IDENTITY.search(one.key)):
        return here, one.place
    while _is_bare(text, here) and here.parent is not None and here.parent.parent is not None:
        above = here.parent
        if above.kind == "[":
            rel = next((other.read(text) for other in here.strings if other.key == "rel" and not other.is_key), "")
            if rel not in ("self", "alternate", "canonical") or above.parent is None or above.parent.kind != "{":
                break
            above = above.parent
        here = above
    return (here.parent, here.place) if here.parent is not None else (here, 0)


def _is_bare(text: str, node: Node) -> bool:
    """Whether an object is no more than a link: who it is about is said around it."""
    return all(_BARE.search(one.key) for one in node.strings)
