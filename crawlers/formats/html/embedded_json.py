"""Find the article of a JavaScript-rendered page: in its embedded data or <noscript>, or nowhere (`needs-script`).

Scripts are not executed. JSON is parsed: `__NEXT_DATA__` and every other `application/json`, the flight chunks of
Next.js (`nextjs_flight.py`), the flattened data of Nuxt 3, states assigned to `window`; of a state that is not
JSON (Nuxt 2) only its string literals. `article_candidates.py` chooses the article among the strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml import html

from crawlers.formats.html import nextjs_flight
from crawlers.formats.html.article_candidates import (
    BODY_KEYS,
    Candidate,
    candidates,
    choose,
    extract_prose,
    parse_literal,
)

MAX_SCRIPT = 8_000_000  # code points of one script; a longer one is skipped
MAX_ALL = 24_000_000  # code points of all scripts of a page
SHORT = 100  # code points of a script; a shorter one can hold a flight chunk, but not an article
MAX_STEPS = 200_000  # values visited while flattened data is rebuilt
MAX_DEPTH = 100
EMPTY_ROOT = 60  # characters; "불러오는 중입니다…" and similar
_ROOTS = frozenset(
    {"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "react-root", "app-root", "main-app", "q-app"}
)
_ROOT_TAGS = ("app-root", "app", "ng-app", "flutter-view")
_ASSIGNED = re.compile(
    r"(?:window|self|globalThis)\s?(?:\.\s?|\[\s?[\"'])([\w$]{1,80})(?:[\"']\s?\])?"
    r"\s{0,5}=\s{0,5}(JSON\.parse\(\s{0,5})?"
)
_LITERAL = re.compile(
    r"[\"']?\b("
    + "|".join(sorted(BODY_KEYS, key=len, reverse=True))
    + r")[\"']?\s{0,3}:\s{0,3}(\"(?:[^\"\\\n]|\\.)*\")"
)
_WRAPPED = frozenset({"Reactive", "ShallowReactive", "Ref", "ShallowRef", "EmptyRef", "EmptyShallowRef", "NuxtError"})
_JSON_TYPES = ("application/json", "application/vnd.api+json", "application/hal+json")
_DECODER = json.JSONDecoder(strict=False)


def article(tree: html.HtmlElement, title: str) -> str:
    """Return the text of the page's article from its embedded data; "" if there is none or it is ambiguous.

    `title` is the title of the page: it distinguishes the article from others in the same data.
    """
    found: list[Candidate] = []
    for data in _data(tree):
        found += candidates(data)
    text = choose(found, title)
    return text or ("" if found else _noscript(tree))


def is_shell(tree: html.HtmlElement) -> bool:
    """Whether the page is an empty container that a script fills.

    >>> is_shell(html.document_fromstring("<body><div id=root></div><script src=a.js></script></body>"))
    True
    >>> is_shell(html.document_fromstring("<body><div id=root><p>낱말을 모은다.</p></div></body>"))
    False
    """
    if next(tree.iter("script"), None) is None:
        return False
    roots = [element for element in tree.iter("div", "main", "section") if element.get("id") in _ROOTS]
    roots += tree.iter(*_ROOT_TAGS)
    return any(len(_visible_text(root)) <= EMPTY_ROOT for root in roots)


def _visible_text(element: html.HtmlElement) -> str:
    hidden = ("script", "style", "noscript", "template")
    words = [part.text or "" for part in element.iter() if part.tag not in hidden]
    words += [part.tail or "" for part in element.iterdescendants()]
    return "".join(words).strip()


def _noscript(tree: html.HtmlElement) -> str:
    """Return the longest <noscript> text that is an article and not a request to enable JavaScript."""
    blocks = (
        "".join((box.text or "", *(str(html.tostring(part, encoding="unicode")) for part in box)))
        for box in tree.iter("noscript")
    )
    return max((text for block in blocks if (text := extract_prose(block))), key=len, default="")


def _data(tree: html.HtmlElement) -> Iterator[Any]:
    """Yield the data of the page's scripts as plain values."""
    left = MAX_ALL
    chunks: list[str | bytes] = []
    for script in tree.iter("script"):
        source = script.text or ""
        left -= len(source)
        pushes = nextjs_flight.PUSH in source
        if len(source) > MAX_SCRIPT or left < 0 or (len(source) < SHORT and not pushes):
            continue
        kind = (script.get("type") or "").partition(";")[0].strip().lower()
        if kind in _JSON_TYPES:
            data = _load(source)
            yield _unflatten(data) if script.get("id") == "__NUXT_DATA__" or _is_flat(data) else data
        elif kind in ("", "text/javascript", "application/javascript", "module"):
            if pushes:
                chunks += nextjs_flight.read_chunks(source)
            yield from _states(source)
    yield from nextjs_flight.rows(chunks)


def _load(source: str) -> Any:
    try:
        return json.loads(source, strict=False)
    except (ValueError, RecursionError):
        return None


def _read(source: str, start: int) -> Any:
    """Parse the JSON value that begins at `start`; None if it is not JSON."""
    try:
        return _DECODER.raw_decode(source, start)[0]
    except (ValueError, RecursionError):
        return None


def _states(source: str) -> Iterator[Any]:
    """Yield values assigned to properties of the window; of non-JSON, the string literals under keys of bodies."""
    for match in _ASSIGNED.finditer(source):
        if source[match.end() : match.end() + 1] not in ("{", "[", '"', "(", "f"):
            continue
        value = _read(source, match.end())
        if match.group(2) and isinstance(value, str):
            value = _load(value)
        if isinstance(value, (dict, list)):
            yield value
        elif value is None and match.group(1).startswith("__"):
            yield from ({key: text} for key, text in _literals(source[match.end() :]))
            return


def _literals(source: str) -> Iterator[tuple[str, str]]:
    for match in _LITERAL.finditer(source):
        if text := parse_literal(match.group(2)):
            yield match.group(1), text


def _is_flat(data: Any) -> bool:
    """Whether the value is Nuxt 3 data under another id: a list that begins with its root and names values by index."""
    return (
        isinstance(data, list)
        and len(data) > 2
        and (isinstance(data[0], list) and len(data[0]) == 2 and data[0][0] in _WRAPPED)
    )


def _unflatten(data: Any) -> Any:
    """Rebuild data in which each value is stored once in a list and is referred to by its index."""
    if not isinstance(data, list) or not data:
        return data
    return _hydrate(data, 0, [MAX_STEPS], frozenset())


def _hydrate(data: list[Any], place: Any, steps: list[int], above: frozenset[int]) -> Any:
    steps[0] -= 1
    if (
        not isinstance(place, int)
        or isinstance(place, bool)
        or not 0 <= place < len(data)
        or place in above
        or steps[0] < 0
        or len(above) > MAX_DEPTH
    ):
        return None
    value = data[place]
    inside = above | {place}
    if isinstance(value, dict):
        return {key: _hydrate(data, entry, steps, inside) for key, entry in value.items()}
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return _hydrate(data, value[1], steps, inside) if value[0] in _WRAPPED and len(value) > 1 else None
        return [_hydrate(data, entry, steps, inside) for entry in value]
    return value
