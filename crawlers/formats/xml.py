"""Text extraction from XML: by shape if the root element is known, else each element is a block.

Known shapes: RSS, Atom, the responses of korea.kr's policy news, and those of law.go.kr's lawService.do as its open API
guide describes them (open.law.go.kr, target law, prec, admrul, detc, expc, decc). Source files use `read`, `prose` and
`field`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from crawlers.encodings.decode import decode
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.html.text_lines import plain_words
from crawlers.formats.safe_xml import local_name, parse
from crawlers.formats.text import normalise_lines
from crawlers.formats.unreadable import Unreadable
from malmoi.source import Extracted, Item

FEEDS = ("item", "entry", "NewsItem")  # RSS, Atom, korea.kr
TRUSTED = 0.9  # share of the characters between tags that a recovered tree must hold; below it, too much text is lost
MAX_DEPTH = 200  # nested elements; deeper ones are left out
_DECLARATION = re.compile(r"\A\s{0,99}<\?xml[^>]{0,400}\?>")
_TAGS = re.compile(r"<[^<>]{0,10000}>")
_LETTER = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"(?:https?://|www\.|/)\S{1,2000}")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)")  # korea.kr: 03/02/2026 09:00:00


@dataclass(frozen=True, slots=True)
class Part:
    """Elements `names`, in document order, inside each element `within`, below a `label` line."""

    within: str
    names: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Elements of title and date (the first that exists is used), and the parts of the text in order."""

    title: tuple[str, ...]
    date: tuple[str, ...]
    parts: tuple[Part, ...]


def _parts_with_labels(root: str, *names: str) -> tuple[Part, ...]:
    return tuple(Part(root, (name,), name) for name in names)


_REASONS = (Part("제개정이유", ("제개정이유내용",)), Part("개정문", ("개정문내용",)))


SHAPES = {
    "법령": Shape(
        ("법령명_한글", "법령명한글"),
        ("공포일자", "시행일자"),
        (
            Part("조문", ("조문내용", "항내용", "호내용", "목내용")),
            Part("부칙", ("부칙내용",)),
            *_REASONS,
        ),
    ),
    "AdmRulService": Shape(
        ("행정규칙명",),
        ("발령일자", "시행일자"),
        (Part("AdmRulService", ("조문내용",)), Part("부칙", ("부칙내용",)), *_REASONS),
    ),
    "PrecService": Shape(
        ("사건명",),
        ("선고일자", "의결일자"),
        _parts_with_labels("PrecService", "판시사항", "판결요지", "참조조문", "참조판례", "판례내용"),
    ),
    "DetcService": Shape(
        ("사건명",),
        ("종국일자",),
        _parts_with_labels("DetcService", "판시사항", "결정요지", "심판대상조문", "참조조문", "참조판례", "전문"),
    ),
    "ExpcService": Shape(
        ("안건명",),
        ("해석일자", "회신일자"),
        _parts_with_labels("ExpcService", "질의요지", "회답", "이유"),
    ),
    "DeccService": Shape(
        ("사건명",),
        ("의결일자",),
        _parts_with_labels("DeccService", "주문", "청구취지", "이유", "재결요지"),
    ),
}


def extract(item: Item) -> Extracted:
    """Extract the text of an XML document, with title and date if its shape is known.

    Dropped as `undecodable`, `damaged`, `too-large`, `xml-entities` or `no-text`. Malformed XML is parsed
    in recovery mode and kept only if nearly all of its text is recovered (`TRUSTED`).
    """
    root, encoding = read(item.body, item.charset)
    shape = SHAPES.get(local_name(root))
    items = [entry for name in FEEDS for entry in root.iter(f"{{*}}{name}")]
    if shape is not None:
        text = text_by_shape(root, shape)
    else:
        text = "\n\n".join(filter(None, map(_text_of_item, items))) if items else prose(root)
    alone = root if shape is not None else items[0] if len(items) == 1 else None
    title = _first(alone, shape.title if shape else ("Title", "title"))
    date = _first(alone, shape.date if shape else ("ApproveDate", "pubDate", "published", "date", "updated"))
    return Extracted(
        text=text,
        title=item.title or " ".join(title.split()),
        date=item.date or parse_date(date),
        author=item.author,
        format="xml",
        encoding=encoding,
        outcome="kept" if text else "dropped",
        reason="" if text else "no-text",
    )


def _text_of_item(item: etree._Element) -> str:
    """Return title and text of one feed item, using the longest of its text elements."""
    children = {name: _leaf("".join(map(str, child.itertext()))) for child in item if (name := local_name(child))}
    title = children.get("title") or children.get("Title") or ""
    names = ("encoded", "content", "DataContents", "description", "summary")
    body = max((children.get(name, "") for name in names), key=len)
    return f"{title}\n{body}".strip()


def text_by_shape(root: etree._Element, shape: Shape) -> str:
    """Return the text of a document of a known shape: its title, then its fields in order, with labels if defined."""
    parts = [_first(root, shape.title)]
    for part in shape.parts:
        found = [
            text
            for box in root.iter(f"{{*}}{part.within}")
            for element in box.iter(*(f"{{*}}{name}" for name in part.names))
            if (text := _leaf(element.text or ""))
        ]
        if found and part.label:
            parts.append(part.label)
        parts += found
    return normalise_lines("\n".join(filter(None, parts)))


def _first(root: etree._Element | None, names: tuple[str, ...]) -> str:
    if root is None:
        return ""
    for name in names:
        found = next(root.iter(f"{{*}}{name}"), None)
        if found is not None and (text := _leaf("".join(map(str, found.itertext())))):
            return text
    return ""


def parse_date(value: str) -> str:
    """Return the ISO date at the beginning of a value, the American order of korea.kr's responses included, or "".

    >>> parse_date("20260302"), parse_date("03/02/2026 09:00:00"), parse_date("2026. 3. 2.")
    ('2026-03-02', '2026-03-02', '2026-03-02')
    """
    value = value.strip()
    if match := _AMERICAN.match(value):
        month, date, year = match.groups()
        value = f"{year}-{month}-{date}"
    return iso_date(value)


def read(body: bytes | str, charset: str = "") -> tuple[etree._Element, str]:
    """Parse a document in any encoding; return its root element and that encoding.

    Raises Unreadable: `undecodable`, `damaged`, `too-large`, `xml-entities`.
    """
    text, encoding = body, ""
    if isinstance(body, bytes):
        decoded = decode(body, charset, html=True)
        if decoded.is_undecodable:
            raise Unreadable("undecodable")
        text, encoding = decoded.text, decoded.encoding
    assert isinstance(text, str)
    # The text is decoded, so the encoding in its declaration no longer applies.
    text = _DECLARATION.sub("", text.lstrip("\ufeff")).replace("\0", "")
    try:
        return parse(text), encoding
    except Unreadable as said:
        if said.reason != "damaged":
            raise
    root = parse(text, recover=True)
    held = sum(len(part.strip()) for part in map(str, root.itertext()))
    there = sum(len(part.strip()) for part in _TAGS.split(text))
    if held < TRUSTED * there:
        raise Unreadable("damaged")
    return root, encoding


def prose(element: etree._Element) -> str:
    r"""Return the readable text of an element and its descendants: a line each, without markup in CDATA or escapes.

    Attributes are left out, and so are values without a letter (numbers, dates, codes of digits) and bare
    addresses. An element with mixed content (words between elements) is one line.

    >>> from lxml import etree
    >>> prose(etree.fromstring("<a><n>12</n><t>낱말</t><c>&lt;p&gt;하나&lt;/p&gt;둘</c><p>셋 <b>넷</b> 다섯</p></a>"))
    '낱말\n하나\n둘\n셋 넷 다섯'
    """
    return normalise_lines("\n".join(_blocks(element, 0)))


def _blocks(element: etree._Element, depth: int) -> Iterator[str]:
    if not isinstance(element.tag, str) or depth > MAX_DEPTH:
        return
    children = [child for child in element if isinstance(child.tag, str)]
    mixed = any((child.tail or "").strip() for child in element)
    if not children or mixed:
        text = _leaf("".join(map(str, element.itertext())))
        if _LETTER.search(text) and not _ADDRESS.fullmatch(text):
            yield text
        return
    if (own := _leaf(element.text or "")) and _LETTER.search(own):
        yield own
    for child in children:
        yield from _blocks(child, depth + 1)


def field(root: etree._Element, path: str) -> str:
    """Return the text of the first element at `path` (names without namespaces, separated by "/"), or "".

    >>> from lxml import etree
    >>> field(etree.fromstring("<법령><기본정보><법종구분>법률</법종구분></기본정보></법령>"), "기본정보/법종구분")
    '법률'
    """
    found = root.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return _leaf("".join(map(str, found.itertext()))) if found is not None else ""


def _leaf(value: str) -> str:
    """Return a value without markup, with normalised white space and no empty lines."""
    return "\n".join(line for raw in plain_words(value).split("\n") if (line := " ".join(raw.split())))
