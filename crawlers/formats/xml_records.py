"""Read fields of the XML records of an API, and build URLs that differ in a parameter."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lxml import etree

from crawlers.encodings.decode import decode
from crawlers.formats import safe_xml

# Characters that XML does not allow; registries carry them over from old word processors.
CONTROL = str.maketrans("", "", "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))))
_DECLARATION = re.compile(r"\s{0,100}<\?xml\b[^>]{0,500}\?>")
_TAG = re.compile(  # <개정 2020. 1. 1.> is text of a statute, not markup: only HTML tags are removed
    r"<(/?)(img|br|p|div|span|a|b|u|i|em|strong|font|sup|sub|table|tbody|thead|tr|td|th|hr|caption|col|colgroup)"
    r"(?:\s[^<>]{0,4000})?/?>",
    re.IGNORECASE,
)
_BREAKS = frozenset(("br", "p", "div", "tr", "table", "hr", "caption"))


def parse_xml(body: bytes, charset: str = "") -> etree._Element:
    """Return the root of an answer in XML, whatever its encoding.

    Raises crawlers.formats.unreadable.Unreadable if it is not XML.

    >>> parse_xml("<?xml version='1.0' encoding='UTF-8'?><법령>가</법령>".encode("cp949")).text
    '가'
    """
    return safe_xml.parse(plain_text(body, charset))


def plain_text(body: bytes, charset: str = "") -> str:
    """Return an answer in XML as text, without its declaration and the control characters that XML does not allow."""
    text = decode(body, charset).text
    found = _DECLARATION.match(text)
    return text[found.end() if found else 0 :].translate(CONTROL).strip()


def field(record: etree._Element, *names: str) -> str:
    """Return the text of the first non-empty element called one of `names` anywhere below `record`, or "".

    >>> field(safe_xml.parse("<a><b> </b><c><b> 가 </b></c></a>"), "d", "b")
    '가'
    """
    for name in names:
        for element in record.iter(name):
            if found := words(element):
                return found
    return ""


def words(element: etree._Element) -> str:
    r"""Return the text of an element, with line ends where elements of HTML break it.

    >>> words(safe_xml.parse("<a> 가<br/>나<p>다</p></a>"))
    '가\n나\n다'
    """
    parts: list[str] = []
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        if not isinstance(inner.tag, str):
            continue
        if inner is not element and inner.tag.lower() in _BREAKS and (event == "start" or len(inner) or inner.text):
            parts.append("\n")
        if event == "start":
            parts.append(inner.text or "")
        elif inner is not element:
            parts.append(inner.tail or "")
    return "".join(parts).strip()


def parse_number(value: str) -> int | None:
    """Parse a whole number, with or without commas; None if it is not one.

    >>> parse_number(" 1,024 "), parse_number("-3"), parse_number("")
    (1024, None, None)
    """
    plain = value.replace(",", "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 12 else None


def prose(value: str) -> str:
    r"""Return a field as lines: line breaks of HTML become line ends, other tags are removed, references resolved.

    >>> prose("제1조(목적) &lt;개정 2020. 1. 1.&gt;<br/>  가<b>나</b>&nbsp;다<img id='3'></img>")
    '제1조(목적) <개정 2020. 1. 1.>\n가나 다'
    """

    def replace_tag(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        return "\n" if name in _BREAKS else " " if name in ("td", "th") else ""

    text = html.unescape(_TAG.sub(replace_tag, value))
    lines = text.replace("\xa0", " ").replace("\r", "\n").split("\n")
    return "\n".join(words for line in lines if (words := line.strip()))


def parameter(url: str, name: str) -> str:
    """Return the value of a query parameter, "" if it is missing."""
    return dict(parse_qsl(urlsplit(url).query)).get(name, "")


def rewrite_url(url: str, *, path: str = "", without: tuple[str, ...] = (), **parameters: str | int) -> str:
    """Return the URL with another path and other parameters; query parameters are sorted by name.

    >>> rewrite_url("https://a.kr/list?b=1&page=2", path="/one", without=("page",), a=3)
    'https://a.kr/one?a=3&b=1'
    """
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name not in without}
    query |= {name: str(value) for name, value in parameters.items()}
    return urlunsplit((parts.scheme, parts.netloc, path or parts.path, urlencode(sorted(query.items())), ""))
