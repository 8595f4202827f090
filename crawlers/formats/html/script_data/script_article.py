"""Choose between the text that a page shows and the article in the data that it carries for its scripts.

Scripts are not executed. JSON is parsed: `__NEXT_DATA__` and every other script of a JSON type, the flight chunks of
Next.js (`nextjs_flight.py`), flattened data (Nuxt 3, SvelteKit, Remix), data attributes (Inertia, Discourse, Astro);
of other scripts the literals are read (`js_values.py`). `article_candidates.py` chooses the article among the values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import html

from crawlers.formats.html import html_tree
from crawlers.formats.html.page_metadata import Metadata
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.script_data import article_candidates, nextjs_flight, rich_nodes, rich_text
from crawlers.formats.html.script_data.article_candidates import Candidate, candidates, extract_prose
from crawlers.formats.html.script_data.js_values import load_json, read_values
from crawlers.formats.html.text_lines import lines_with_marks

SHORT = 200  # code points; less in an empty frame is not an article
LITTLE = 1_500  # code points; below, the embedded data of the page is searched for an article
CLEARLY_MORE = 2  # minimum ratio to the length of the visible text
MORE = 1.2  # the same, if the article contains the visible text: its beginning is shown
LOST = 0.8  # share of the words; with less, extraction took a part of the body for something else
CONTAINED = 0.8  # share of the visible lines
ANOTHER = 0.2  # share of the lines of an `articleBody` in the visible text; with less, the page shows another text
MIN_LINE = 10  # code points; shorter lines are not compared

_SAYS = re.compile(r"[가-힣][.!?](?:[\s\"'”’)]|$)")  # the end of a sentence
_ASKS = re.compile(
    r"[^.!?\n]{0,200}(?:자바스크립트|javascript|스크립트|브라우저|불러오|로딩|잠시만|기다려)[^.!?\n]{0,200}[.!?]?", re.I
)
_CAPTION = re.compile(
    r"caption|(?:img|image|photo|pic|figure|media)[-_]?(?:desc|cap|txt|text|info|source|credit)|credit|byline|reporter"
    r"|copyright|ad[-_]?(?:slot|area|box|wrap)|related",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\$\$[A-Z][A-Z_0-9]{2,40}\$\$|\{\{?\s?(?:AD|ad)[-_\w]{0,30}\s?\}?\}|\[\[?AD[-_\w]{0,30}\]?\]")
_DROPPED = ("script", "style", "figcaption", "button", "iframe", "nav", "aside", "form", "noscript", "select")
_SPACE = re.compile(r"\s+")

Reading = Callable[[html.HtmlElement], tuple[str, str]]
MAX_SCRIPT = 8_000_000  # code points of one script; a longer one is skipped
MAX_ALL = 24_000_000  # code points of all scripts of a page
SHORT_SOURCE = 100  # code points of a script or attribute; a shorter one can hold a flight chunk, but not an article
MAX_STEPS = 200_000  # values visited while flattened data is rebuilt
MAX_DEPTH = 100
EMPTY_ROOT = 60  # characters; "불러오는 중입니다…" and similar
_ROOTS = frozenset(
    {"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "react-root", "app-root", "main-app", "q-app"}
    | {"fusion-app", "app-container", "main-outlet", "react-app", "vue-app", "application", "mount", "viewer"}
)
_UNSEEN = ("script", "style", "noscript", "template")
_ROOT_TAGS = ("app-root", "app", "ng-app", "flutter-view")
_KOREAN = re.compile(r"[가-힣]{2}|\\u[aAbBcCdD][0-9a-fA-F]{3}|%E[A-D]%|&#(?:x[aAbBcC]|[45]\d{4})")
_WRAPPED = frozenset({"Reactive", "ShallowReactive", "Ref", "ShallowRef", "EmptyRef", "EmptyShallowRef", "NuxtError"})
_PLAIN_TYPES = ("text/plain", "text/html", "text/markdown", "text/x-markdown", "text/template", "text/x-template")
_CODE_TYPES = ("", "text/javascript", "application/javascript", "module", "text/ecmascript", "text/babel")
_REMIX = re.compile(r"_\d{1,7}")
_STREAM = re.compile(r"^\[\{\"_\d")


def choose(page: Page, found: Metadata, text: str, reason: str, read: Reading) -> tuple[str, str]:
    """Return the article in the page's embedded data if the visible text is empty or clearly less; else the input.

    `read` extracts the text of a tree: the markup of the article goes through the same extraction as a visible page.
    A page with almost no visible text, no unambiguous article and an empty container for scripts is
    `needs-script`: its visible text is only its frame.
    """
    stated = article_candidates.strip_markup(found.body)
    # The page declares an article (`articleBody`) and shows another text of at most twice its length.
    another = len(stated) >= max(SHORT, len(text) / CLEARLY_MORE) and _measure_shared(stated, text) < ANOTHER
    if len(text) >= LITTLE and len(stated) <= CLEARLY_MORE * len(text) and not another:
        return text, reason
    try:
        carried = read_markup(_find_article(page.tree, found.title, found.body), read)
        shell = len(text) < LITTLE and is_shell(page.tree)
    except RecursionError:  # maliciously deep data
        return text, reason
    if carried and (shell or another or _is_more(carried, text)):
        return carried, ""
    if len(text) < SHORT and shell and not carried and not _SAYS.search(_ASKS.sub("", text)):
        return "", "needs-script"
    return text, reason


def _is_more(carried: str, text: str) -> bool:
    if len(text) < SHORT:
        return len(carried) > len(text)
    if len(carried) > CLEARLY_MORE * len(text):
        return True
    return len(carried) > MORE * len(text) and _measure_shared(text, carried) >= CONTAINED


def _measure_shared(lines: str, text: str) -> float:
    """Return the share of the lines, by code points, that the text contains; 1 if no line is long enough."""
    whole = _SPACE.sub("", text)
    long = [_SPACE.sub("", line) for line in lines.split("\n") if len(line) >= MIN_LINE]
    return sum(len(line) for line in long if line in whole) / sum(map(len, long)) if long else 1.0


def read_markup(markup: str, read: Reading) -> str:
    """Return the text of the markup of an article; "" of an empty one.

    Captions, credits and places for advertisements are removed. Where the extraction loses words, the lines of the
    markup are returned as they are.
    """
    if not markup:
        return ""
    body = _PLACE.sub("\n", markup)
    tree = html_tree.tree_of(f"<html><body><article>{body}</article></body></html>")
    if tree is None:
        return ""
    for part in list(tree.iter(*_DROPPED)):
        if part.tag != "aside" or "quote" not in (part.get("class") or ""):
            part.drop_tree()
    for part in list(tree.iter("em", "span", "p", "div", "strong", "td", "cite", "small")):
        name = f"{part.get('id') or ''} {part.get('class') or ''}"
        if name != " " and _CAPTION.search(name) and part.getparent() is not None and len(part.text_content()) < SHORT:
            part.drop_tree()
    plain = lines_with_marks(tree)
    text, reason = read(tree)
    squeezed = len(_SPACE.sub("", text))
    return text if not reason and squeezed >= LOST * len(_SPACE.sub("", plain)) else plain


def _find_article(tree: html.HtmlElement, title: str, stated: str) -> str:
    """Return the article of the page's embedded data as markup; "" without one, or if it is ambiguous.

    `title` is the title of the page: it distinguishes the article from others in the same data. `stated` is the body
    that the metadata of the page state (JSON-LD).
    """
    found: list[Candidate] = []
    trees: list[str] = []
    for data in _data(tree):
        found += candidates(data)
        if rich_nodes.is_element(data):
            trees.append(rich_text.to_markup(data))
    if stated and (text := extract_prose(stated, is_body=True)):
        found.append(Candidate("articleBody", text, rich_text.to_markup(stated), title, own=True))
    if chosen := article_candidates.choose(found, title):
        return chosen
    if found:
        return ""
    whole = "\n".join(trees)
    if extract_prose(whole):
        return whole
    # The longest <noscript> that is an article and not a request to enable JavaScript.
    blocks = (
        "".join((box.text or "", *(str(html.tostring(part, encoding="unicode")) for part in box)))
        for box in tree.iter("noscript")
    )
    return max((block for block in blocks if extract_prose(block)), key=len, default="")


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
    for root in roots:
        words = [part.text or "" for part in root.iter() if part.tag not in _UNSEEN]
        words += [part.tail or "" for part in root.iterdescendants()]
        if len("".join(words).strip()) <= EMPTY_ROOT:
            return True
    return False


def _data(tree: html.HtmlElement) -> Iterator[Any]:
    """Yield the data of the page's scripts and attributes as plain values."""
    left = MAX_ALL
    chunks: list[str | bytes] = []
    for script in tree.iter("script"):
        source = script.text or ""
        left -= len(source)
        pushes = nextjs_flight.PUSH in source
        if len(source) > MAX_SCRIPT or left < 0 or (len(source) < SHORT_SOURCE and not pushes):
            continue
        kind = (script.get("type") or "").partition(";")[0].strip().lower()
        if pushes and kind in _CODE_TYPES:
            chunks += nextjs_flight.read_chunks(source)
        elif not _KOREAN.search(source) or kind == "application/ld+json":
            continue
        elif "json" in kind:
            yield _unpack(load_json(source), flat=script.get("id") == "__NUXT_DATA__")
        elif kind in _PLAIN_TYPES:
            yield {"articleBody": source}
        elif kind in _CODE_TYPES:
            yield from map(_unpack, read_values(source))
    yield from nextjs_flight.rows(chunks)
    yield from _attributes(tree)


def _attributes(tree: html.HtmlElement) -> Iterator[Any]:
    """Yield the data in attributes and hidden fields."""
    for element in tree.iter(
        "div", "main", "section", "article", "astro-island", "input", "textarea", "iframe", "meta"
    ):
        if element.tag == "textarea":
            style = (element.get("style") or "").replace(" ", "").lower()
            is_hidden = element.get("hidden") is not None or "display:none" in style
            if is_hidden and element.text and len(element.text) >= SHORT_SOURCE:
                yield {"articleBody": element.text}
            continue
        for name, value in element.items():
            if len(value) < SHORT_SOURCE or len(value) > MAX_SCRIPT or not _KOREAN.search(value):
                continue
            if name == "srcdoc" or (element.tag == "input" and name == "value" and element.get("type") == "hidden"):
                yield {"articleBody": value}
            elif value.lstrip()[:1] in ("{", "["):
                data = load_json(value)
                yield _undo_astro([0, data], 0) if element.tag == "astro-island" else _unpack(data)


def _undo_astro(value: Any, depth: int) -> Any:
    """Undo the notation of Astro's islands: each value is [kind, value]."""
    if depth > MAX_DEPTH or not isinstance(value, list) or len(value) != 2:
        return None
    kind, inner = value
    if kind == 1 and isinstance(inner, list):
        return [_undo_astro(entry, depth + 1) for entry in inner]
    if isinstance(inner, dict):
        return {key: _undo_astro(entry, depth + 1) for key, entry in inner.items()}
    return inner


def _unpack(data: Any, *, flat: bool = False) -> Any:
    """Rebuild flattened data; other data is returned as it is."""
    if isinstance(data, str) and _STREAM.match(data):  # Remix
        data = load_json(data.partition("\n")[0])
    if not isinstance(data, list) or not data or not (flat or _is_flat(data)):
        return data
    return _hydrate(data, 0, [MAX_STEPS], frozenset())


def _is_flat(data: list[Any]) -> bool:
    """Whether a list stores each value once and names it by its index, the root first (Nuxt 3, devalue, Remix)."""
    if len(data) < 3:
        return False
    root = data[0]
    if isinstance(root, list) and len(root) == 2 and isinstance(root[0], str):
        return root[0] in _WRAPPED
    if not isinstance(root, dict) or not root:
        return False
    return all(isinstance(place, int) and not isinstance(place, bool) and place < len(data) for place in root.values())


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
        return {
            _key(data, key): _unpack(found)
            if isinstance(found := _hydrate(data, entry, steps, inside), list)
            else found
            for key, entry in value.items()
        }
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return _hydrate_typed(data, value, steps, inside)
        return [_hydrate(data, entry, steps, inside) for entry in value]
    return value


def _hydrate_typed(data: list[Any], value: list[Any], steps: list[int], inside: frozenset[int]) -> Any:
    """Rebuild `[type, …]`: a wrapped value, a set, a map, an object without prototype; None for other types."""
    kind, entries = value[0], value[1:]
    if kind in ("null", "Map"):
        return {
            str(key if kind == "null" else _hydrate(data, key, steps, inside)): _hydrate(data, entry, steps, inside)
            for key, entry in zip(entries[::2], entries[1::2], strict=False)
        }
    if kind == "Set":
        return [_hydrate(data, entry, steps, inside) for entry in entries]
    if kind == "Date":
        return entries[0] if entries else None
    return _hydrate(data, entries[0], steps, inside) if kind in _WRAPPED and entries else None


def _key(data: list[Any], key: str) -> str:
    """Return the name of a member; Remix stores names among the values too, as "_7"."""
    if _REMIX.fullmatch(key) and int(key[1:]) < len(data) and isinstance(said := data[int(key[1:])], str):
        return said
    return key
