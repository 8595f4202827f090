"""Read an RSL document (rslstandard.org, version 1.0, 2025-12-10): whether it permits free training on a page.

Strict: what the document does not explicitly grant, or what cannot be parsed, is not granted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawlers.formats import safe_xml
from crawlers.formats.unreadable import Unreadable
from crawlers.web.addresses import join_url

if TYPE_CHECKING:
    from lxml import etree

MEDIA = "application/rsl+xml"
MAX_BYTES = 65_536  # of one document
MAX_CONTENTS = 2_000  # <content> elements of one document
_TRAINING = frozenset(("all", "ai-all", "ai-train"))
_FREE = frozenset(("free", "attribution"))


def refusal_reason(text: str, url: str, matches: Callable[[str, str], bool]) -> str:
    """Return why the document does not permit training on the page at `url`; "" if it does or does not cover the page.

    Every content and licence that applies to the page must permit it. `matches` compares a pattern of robots.txt
    with a path.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
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
    about = [one for one in contents if _is_about(one.get("url") or "", url, matches)]
    return next((why for one in about if (why := _content(one))), "")


def _content(content: etree._Element) -> str:
    if content.get("server"):
        return "a licence server decides"
    if (content.get("encrypted") or "").strip().lower() in ("true", "1"):
        return "the content is encrypted"
    licences = [one for one in content.iter() if _name(one) == "license"]
    return next((why for one in licences if (why := _licence(one))), "") if licences else "no licence"


def _licence(licence: etree._Element) -> str:
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
    return "" if permitted & _TRAINING else "training is not among what is permitted"


def _tokens(element: etree._Element) -> set[str]:
    return {word for word in re.split(r"[\s,;]+", (element.text or "").lower()) if word}


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _is_about(pattern: str, url: str, matches: Callable[[str, str], bool]) -> bool:
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
        pattern = (there.path or "/").replace("%2A", "*") + (
            f"?{there.query}".replace("%2A", "*") if there.query else ""
        )
    path = f"{here.path or '/'}{'?' + here.query if here.query else ''}"
    return matches(pattern, path)


def addresses(robots: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, address) of each `License:` line of a robots.txt, inside and outside groups.

    >>> list(addresses("User-agent: *\\nLicense: https://a.kr/license.xml # terms"))
    [(2, 'https://a.kr/license.xml')]
    """
    for number, line in enumerate(robots.splitlines(), 1):
        name, _, value = line.partition("#")[0].partition(":")
        if name.strip().lower() == "license" and value.strip():
            yield number, value.strip()
