"""Choose the article among all strings of a page's embedded data; return nothing rather than a wrong text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crawlers.formats.html.cell_markup import plain_words

MIN_BODY = 120  # code points; less is a teaser, a caption or a notice
MIN_SENTENCES = 2
MIN_HANGUL = 0.5  # share of the letters
CLEAR = 2.0  # minimum length ratio to the second candidate, if no title decides
SAME = 60  # leading code points by which an excerpt of the same text is recognised
MAX_VALUES = 200_000  # values visited in the data of one script
MAX_DEPTH = 60
MAX_TEXT = 2_000_000  # code points of one string
JUST_A_REQUEST = 400  # code points; a shorter text that mentions JavaScript is a request to enable it

# Keys of article bodies, and keys of teasers, which may hold only the beginning.
# fmt: off
BODY_KEYS = frozenset({
    "articleBody", "article_body", "bodyHtml", "body_html", "bodyText", "body", "contentHtml", "content_html",
    "contentText", "contentBody", "contents", "content", "articleContent", "articleText", "newsContent", "boardContent",
    "nttCn", "bbsCn", "postContent", "mainText", "text", "html", "rendered", "markdown", "__html", "detail", "본문",
    "내용", "description", "summary", "blocks", "paragraphs", "children", "document", "doc", "value", "data", "json",
})
# fmt: on
_TEASERS = frozenset({"description", "summary"})
_BOXES = frozenset({"value", "data", "json", "children", "doc", "document"})  # may hold rich text, never a bare string
_TITLES = ("title", "headline", "subject", "articletitle", "posttitle", "nttsj", "제목")
_FOREIGN = re.compile(
    r"comment|repl(?:y|ies)|related|recommend|popular|ranking|nav|menu|footer|sidebar|banner|popup|terms|policy|privacy"
    r"|i18n|locale|messages|translat|^seo|^ads?$|advert|config|teaser|latest|^hot|trend|featured|^next|^prev|댓글|추천",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[가-힣][.!?。…](?=[\s\"'”’)]|$)")
_HANGUL = re.compile("[가-힣]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_TAGGED = re.compile(r"</[a-z]{1,12}>|<br\s?/?>", re.IGNORECASE)
_SPACE = re.compile(r"[\W_]+")
_RICH_BREAKS = frozenset({"p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "section", "br", "tr"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may be the article: its key, the title beside it, and whether it is one of several in a list."""

    key: str
    text: str
    title: str
    listed: bool


def candidates(data: Any) -> list[Candidate]:
    """Return every string or rich text in `data` that reads as Korean prose and has the key of a body.

    >>> text = "낱말을 하나씩 적는다. 적은 낱말은 상자에 모은다. " * 6
    >>> [(c.title, c.listed) for c in candidates({"post": {"title": "낱말", "body": f"<p>{text}</p>"}})]
    [('낱말', False)]
    >>> candidates({"comments": [{"body": text}]})
    []
    """
    left = [MAX_VALUES]
    return list(_walk(data, "", "", False, 0, left))


def choose(found: list[Candidate], title: str) -> str:
    """Return the text of the article, or "" if it is ambiguous.

    The article is the candidate with the title of the page; else the only one, or one twice as long as any other.
    An entry of a list is chosen only by its title.
    """
    known = _squeeze(title)
    meant = [entry for entry in found if _is_same_title(known, _squeeze(entry.title))]
    if not meant:
        meant = [entry for entry in found if not entry.listed]
    meant.sort(key=lambda entry: (entry.key not in _TEASERS, len(entry.text)), reverse=True)
    different: list[Candidate] = []
    for entry in meant:
        squeezed = _squeeze(entry.text)
        if not any(squeezed[:SAME] in _squeeze(other.text) for other in different):
            different.append(entry)
    if not different:
        return ""
    first = different[0]
    others = [entry for entry in different[1:] if entry.key not in _TEASERS]
    return first.text if all(len(first.text) >= CLEAR * len(other.text) for other in others) else ""


def extract_prose(value: str) -> str:
    """Return the text of a string without markup if it reads as Korean prose; else ""."""
    if not MIN_BODY <= len(value) <= MAX_TEXT:
        return ""
    if not _HANGUL.search(value) and "&#" not in value:  # all Hangul may be encoded as character references
        return ""
    text = strip_markup(value)
    hangul = len("".join(_HANGUL.findall(text)))
    letters = len("".join(_LETTERS.findall(text)))
    if len(text) < MIN_BODY or hangul < MIN_HANGUL * letters or len(_SENTENCE.findall(text)) < MIN_SENTENCES:
        return ""
    asks = len(text) < JUST_A_REQUEST and re.search("자바스크립트|javascript", text, re.IGNORECASE)
    return "" if asks else text


def strip_markup(value: str) -> str:
    """Return a string without markup, each line trimmed, without empty lines."""
    text = plain_words(value)
    if _TAGGED.search(text):
        text = plain_words(text)  # escaped twice
    return "\n".join(line for raw in text.split("\n") if (line := " ".join(raw.split())))


def parse_literal(source: str) -> str:
    """Decode a string literal (JSON escapes only) if it reads as prose, else return ""."""
    if not MIN_BODY <= len(source) <= MAX_TEXT:
        return ""
    try:
        value = json.loads(source, strict=False)
    except ValueError:
        return ""
    return value if isinstance(value, str) and extract_prose(value) else ""


def _walk(data: Any, key: str, title: str, listed: bool, depth: int, left: list[int]) -> Iterator[Candidate]:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return
    if isinstance(data, str):
        if key in BODY_KEYS - _BOXES:
            text = extract_prose(data)
            if text:
                yield Candidate(key, text, title, listed)
        elif data[:1] in "{[" and len(data) > MIN_BODY:  # JSON within JSON
            yield from _walk(_load_json(data), key, title, listed, depth + 1, left)
    elif isinstance(data, dict):
        yield from _walk_object(data, key, title, listed, depth, left)
    elif isinstance(data, list):
        if text := _element(data):
            yield Candidate("articleBody", text, title, listed)
        elif (key in BODY_KEYS or not key) and (text := extract_prose("\n".join(_lines(data)))):
            yield Candidate(key, text, title, listed)
        else:
            inside = [list(_walk(entry, key, title, listed, depth + 1, left)) for entry in data]
            several = sum(map(bool, inside)) > 1
            for entry in inside:
                yield from (Candidate(c.key, c.text, c.title, c.listed or several) for c in entry)


def _walk_object(
    data: dict[str, Any], key: str, title: str, listed: bool, depth: int, left: list[int]
) -> Iterator[Candidate]:
    folded = {name.casefold().replace("_", "").replace("-", ""): value for name, value in data.items()}
    own = next((value for name in _TITLES if isinstance(value := folded.get(name), str) and value.strip()), "")
    if not own:  # WordPress: {"title": {"rendered": …}}
        box = folded.get("title")
        own = box["rendered"] if isinstance(box, dict) and isinstance(box.get("rendered"), str) else ""
    # Apollo and similar caches store objects of one type side by side: "Post:1", "Post:2".
    kinds = [name.partition(":")[0] for name in data if ":" in name]
    for name, value in data.items():
        if _FOREIGN.search(name):
            continue
        beside = kinds.count(name.partition(":")[0]) > 1 if ":" in name else False
        named = key if name in ("rendered", "__html") and key in BODY_KEYS else name
        yield from _walk(value, named, own or title, listed or beside, depth + 1, left)


def _load_json(source: str) -> Any:
    if len(source) > MAX_TEXT:
        return None
    try:
        return json.loads(source, strict=False)
    except (ValueError, RecursionError):
        return None


def _lines(blocks: list[Any]) -> Iterator[str]:
    """Yield the blocks of a rich text (strings, or nodes with a type) as lines; nothing for other lists."""
    for block in blocks:
        if isinstance(block, str):
            if block[:1] != "$":
                yield block
        elif isinstance(block, dict) and any(name in block for name in ("type", "nodeType", "_type", "tag")):
            yield "".join(_inline(block, 0))
        else:
            return


def _inline(node: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    if isinstance(node, list):
        for entry in node:
            yield from _inline(entry, depth + 1)
            if isinstance(entry, dict) and str(entry.get("type", "")).lower() in ("listitem", "list_item", "paragraph"):
                yield "\n"
    elif isinstance(node, dict):
        for name in ("text", "value", "html", "content", "children", "data", "items"):
            inner = node.get(name)
            if isinstance(inner, str):
                yield inner
            elif isinstance(inner, (list, dict)):
                yield from _inline(inner, depth + 1)
    elif isinstance(node, str):
        yield node


def _element(node: list[Any]) -> str:
    """Return the text of an <article> or <main> in React's notation: ["$", tag, key, {children}]."""
    if len(node) < 4 or node[0] != "$" or node[1] not in ("article", "main"):
        return ""
    return extract_prose("".join(_react(node, 0)))


def _react(node: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    if isinstance(node, str):
        yield "" if node[:1] == "$" else node
    elif isinstance(node, list):
        if len(node) >= 4 and node[0] == "$" and isinstance(node[3], dict):
            if node[1] in ("script", "style", "nav", "aside", "footer", "button"):
                return
            edge = "\n" if node[1] in _RICH_BREAKS else ""
            yield edge
            inner = node[3].get("dangerouslySetInnerHTML")
            yield from _react(inner.get("__html") if isinstance(inner, dict) else node[3].get("children"), depth + 1)
            yield edge
        else:
            for entry in node:
                yield from _react(entry, depth + 1)


def _is_same_title(one: str, other: str) -> bool:
    if min(len(one), len(other)) < 4:
        return one == other != ""
    return one in other or other in one


def _squeeze(text: str) -> str:
    return _SPACE.sub("", text).casefold()
