"""Choose the article among all values of a page's embedded data; return nothing rather than a wrong text.

An article is recognised by its shape, not by the names of a framework: a string or a list of blocks that reads as
Korean prose, in an object with a title, outside the parts for comments, related articles and user interfaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from crawlers.formats.html.script_data import rich_nodes, rich_text
from crawlers.formats.html.script_data.js_values import load_json
from crawlers.formats.html.text_lines import plain_words

MIN_BODY = 80  # code points; less is a teaser, a caption or a notice
MIN_ANSWER = 20  # the same, of an answer
MIN_SENTENCES = 2
LONG_BODY = 400  # code points; a text under the key of a body counts from here on with one sentence (lists, tables)
MIN_HANGUL = 0.5  # share of the letters outside code
MIN_HANGUL_BODY = 0.2  # the same, of a value under the key of a body: articles about programs
CLEAR = 2.0  # minimum length ratio to the second candidate, if no title decides
ALIKE = 0.5  # share of shingles; from here on, two values are versions of one text
MOST = 0.6  # share of the text of an object; a value with less is a part of the article
ALL = 0.95  # the same, of several values
ABOUT = 0.85  # minimum length ratio at which the version with more markup is preferred
SHINGLE = 8  # code points
MAX_SHINGLES = 4_000  # of one text
MAX_VALUES = 200_000  # values visited in the data of one script
MAX_DEPTH = 60
MAX_TEXT = 2_000_000  # code points of one string
MAX_RICH = 400  # values tried as a text in blocks, in the data of one script
JUST_A_REQUEST = 400  # code points; a shorter text that mentions JavaScript is a request to enable it

# Keys of article bodies, and keys of teasers, which may hold only the beginning.
# fmt: off
BODY_KEYS = frozenset({
    "articleBody", "article_body", "bodyHtml", "body_html", "bodyText", "body", "contentHtml", "content_html",
    "contentText", "contentBody", "contents", "content", "articleContent", "articleText", "newsContent", "boardContent",
    "nttCn", "bbsCn", "postContent", "mainText", "text", "html", "rendered", "markdown", "__html", "detail", "본문",
    "내용", "blocks", "paragraphs", "children", "document", "doc", "value", "data", "json", "cooked",
    "content_elements", "raw", "rawMarkdown", "bodyMarkdown", "source", "story", "sections", "nodes",
    "components", "editorState", "delta",
})
# fmt: on
_TEASERS = re.compile(
    r"descr|summary|excerpt|teaser|snippet|preview|abstract|^seo|^og|meta|^deck|subtitle|plain_?text|searchtext|요약|search",
    re.IGNORECASE,
)
_TITLES = ("title", "headline", "headlines", "subject", "articletitle", "posttitle", "newstitle", "nttsj", "제목")
_FOREIGN = re.compile(
    r"comment|repl(?:y|ies)|related|recommend|popular|ranking|nav|menu|footer|sidebar|banner|popup|terms|policy|privacy"
    r"|i18n|locale|messages|translat|^seo|^ads?$|advert|config|latest|^hot|trend|featured|^next|^prev|댓글|추천|caption"
    r"|copyright|biograph|^bio$|author|writer|reporter|journalist|publisher|siteinfo|company|credit|alttext|^alt$"
    r"|tooltip|placeholder|notice_?bar|series_?list|widget|newsletter|subscri|error|license|signature|profile|^user"
    r"|disclaimer|cookie|consent|survey|history|revision|^css|style|script",
    re.IGNORECASE,
)
# Fields of an article that are not its text.
_ASIDE = re.compile(
    r"tag|categor|keyword|section|channel|board|menu|date|[a-z]_?Time$|datetime|_at$|At$|url|link|image|img|photo|thumb|video|file|attach"
    r"|type|status|slug|lang|^id$|_id$|Id$|count|region|place|address|^email|phone|department|^source$|^nick",
    re.IGNORECASE,
)
_ANSWERS = re.compile(r"answer|답변", re.IGNORECASE)
_SENTENCE = re.compile(r"[가-힣][.!?。…](?=[\s\"'”’)]|$)")
_HANGUL = re.compile("[가-힣]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_TAGGED = re.compile(r"</[a-z]{1,12}>|<br\s?/?>", re.IGNORECASE)
_CODE = re.compile(r"<pre\b.{0,100000}?</pre>|^```.{0,100000}?^```|<code\b.{0,2000}?</code>", re.DOTALL | re.MULTILINE)
_SPACE = re.compile(r"[\W_]+")
_BLOCK_TAG = re.compile(r"<(?:p|li|h[1-6]|tr|pre|blockquote|br)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be the article.

    `text` are its words, `markup` the value as markup, `title` the title beside or above it. `own` says whether the
    title is in the same object, `listed` whether the value is one of several in a list; `place` identifies the object
    around it, `group` the list around that (0 without one).
    """

    key: str
    text: str
    markup: str
    title: str
    listed: bool = False
    own: bool = False
    place: int = 0
    group: int = 0
    record: dict[str, Any] | None = field(default=None, compare=False)  # the object with the title
    answer: bool = False  # to a question: a part of a thread, never its beginning

    @property
    def strength(self) -> int:
        """2 under the key of a body, 0 under that of a teaser, else 1."""
        return 0 if _TEASERS.search(self.key) else 2 if self.key in BODY_KEYS else 1


@dataclass(frozen=True, slots=True)
class _Around:
    """The surroundings of a value: key, title, and the object and list that hold it."""

    key: str = ""
    title: str = ""
    own: bool = False
    place: int = 0
    group: int = 0
    depth: int = 0
    record: dict[str, Any] | None = None
    answer: bool = False


def candidates(data: Any) -> list[Candidate]:
    """Return every string or rich text in `data` that reads as Korean prose, in order.

    >>> text = "낱말을 하나씩 적는다. 적은 낱말은 상자에 모은다. " * 6
    >>> [(c.title, c.listed) for c in candidates({"post": {"title": "낱말", "body": f"<p>{text}</p>"}})]
    [('낱말', False)]
    >>> candidates({"comments": [{"body": text}]})
    []
    """
    return list(_Walker().walk(data, _Around()))


def choose(found: list[Candidate], title: str) -> str:
    """Return the markup of the article; "" if it is ambiguous.

    An object whose fields are the article together (a recipe: introduction, ingredients, steps) is rendered whole.
    """
    answers = _drop_versions([entry for entry in found if entry.answer])
    chosen = _choose([entry for entry in found if not entry.answer], title)
    if not chosen:
        return ""
    markup = "\n".join(entry.markup for entry in (*chosen, *answers))
    if answers:
        return markup
    record = chosen[0].record
    if record is None or any(entry.record is not record for entry in chosen):
        return markup
    parts = [
        rich_text.to_markup(value)
        for name, value in record.items()
        if not (_FOREIGN.search(name) or _TEASERS.search(name) or _ASIDE.search(name) or name.casefold() in _TITLES)
        and (isinstance(value, (list, dict)) or (isinstance(value, str) and _HANGUL.search(value)))
    ]
    whole = "\n".join(parts)
    size = sum(len(entry.text) for entry in chosen)
    return markup if size >= (MOST if len(chosen) == 1 else ALL) * len(strip_markup(whole)) else whole


def _choose(found: list[Candidate], title: str) -> list[Candidate]:
    """Return the article, as one value or as parts in order; [] if it is ambiguous.

    The article is the candidate with the title of the page; else the only one, or one twice as long as any other.
    An entry of a list is chosen only by its title. Values of one object that are not versions of each other are parts
    of one article, and so are the entries of a list below the title (a thread).
    """
    known = _squeeze(title)
    titled = [entry for entry in found if _is_same_title(known, _squeeze(entry.title))]
    meant = titled or [entry for entry in found if not entry.listed]
    if not meant:
        return []
    best = max(entry.strength for entry in meant)
    different = _drop_versions([entry for entry in meant if entry.strength == best])
    first = max(different, key=lambda entry: len(entry.text))
    if len(different) == 1 or not best:
        return [first]
    beside = [entry for entry in different if entry.place == first.place]
    if len(beside) > 1 and not first.listed:
        others = [entry for entry in different if entry.place != first.place]
        size = sum(len(entry.text) for entry in beside)
        return beside if titled or all(size >= CLEAR * len(entry.text) for entry in others) else []
    if first.group and not first.own and all(entry.group == first.group and not entry.own for entry in different):
        return different if titled else []
    if titled and (near := [entry for entry in different if entry.own]):
        different = near if first in near else different
    others = [entry for entry in different if entry is not first]
    return [first] if all(len(first.text) >= CLEAR * len(other.text) for other in others) else []


def _drop_versions(found: list[Candidate]) -> list[Candidate]:
    """Return one candidate for each text, in order: the longest, or of about equal ones that with most markup."""
    kept: list[tuple[Candidate, set[str]]] = []
    for entry in found:
        squeezed = _squeeze(entry.text)
        own = {squeezed[at : at + SHINGLE] for at in range(min(len(squeezed), MAX_SHINGLES))}
        for at, (other, theirs) in enumerate(kept):
            if len(own & theirs) >= ALIKE * min(len(own), len(theirs)):
                kept[at] = (entry, own) if _is_better(entry, other) else kept[at]
                break
        else:
            kept.append((entry, own))
    return [entry for entry, _ in kept]


def _is_better(one: Candidate, other: Candidate) -> bool:
    if min(len(one.text), len(other.text)) < ABOUT * max(len(one.text), len(other.text)):
        return len(one.text) > len(other.text)
    return len(_BLOCK_TAG.findall(one.markup)) > len(_BLOCK_TAG.findall(other.markup))


def extract_prose(value: str, *, is_body: bool = False, is_answer: bool = False) -> str:
    """Return the text of a string without markup if it reads as Korean prose; else "".

    With `is_body`, code and lists may prevail; with `is_answer`, one sentence is enough.
    """
    least = MIN_ANSWER if is_answer else MIN_BODY
    if not least <= len(value) <= MAX_TEXT:
        return ""
    if not _HANGUL.search(value) and "&#" not in value:  # all Hangul may be encoded as character references
        return ""
    text = strip_markup(value)
    words = strip_markup(_CODE.sub(" ", value)) if is_body else text
    hangul = len("".join(_HANGUL.findall(words)))
    letters = len("".join(_LETTERS.findall(words)))
    if len(text) < least or hangul < (MIN_HANGUL_BODY if is_body else MIN_HANGUL) * letters:
        return ""
    if len(_SENTENCE.findall(text)) < (1 if is_answer or (is_body and len(text) >= LONG_BODY) else MIN_SENTENCES):
        return ""
    asks = len(text) < JUST_A_REQUEST and re.search("자바스크립트|javascript", text, re.IGNORECASE)
    return "" if asks else text


def strip_markup(value: str) -> str:
    """Return a string without markup, each line trimmed, without empty lines."""
    text = plain_words(value)
    if _TAGGED.search(text):
        text = plain_words(text)  # escaped twice
    return "\n".join(line for raw in text.split("\n") if (line := " ".join(raw.split())))


class _Walker:
    """Visit the values of one script, at most MAX_VALUES."""

    def __init__(self) -> None:
        self._left = MAX_VALUES
        self._rich = MAX_RICH

    def walk(self, data: Any, around: _Around) -> Iterator[Candidate]:
        self._left -= 1
        if self._left < 0 or around.depth > MAX_DEPTH:
            return
        around = replace(around, depth=around.depth + 1)
        if isinstance(data, str):
            if data[:1] in "{[" and len(data) > MIN_BODY and (inner := load_json(data)) is not None:  # JSON within JSON
                yield from self.walk(inner, around)
            elif text := extract_prose(data, is_body=around.key in BODY_KEYS, is_answer=around.answer):
                yield self._candidate(around, text, rich_text.to_markup(data))
        elif isinstance(data, (dict, list)) and data:
            if found := self._read_rich(data, around):
                yield found
            elif isinstance(data, dict):
                yield from self._walk_object(data, around)
            else:
                yield from self._walk_list(data, around)

    def _candidate(self, around: _Around, text: str, markup: str) -> Candidate:
        near = (around.title, False, around.own, around.place, around.group, around.record, around.answer)
        return Candidate(around.key, text, markup, *near)

    def _read_rich(self, data: Any, around: _Around) -> Candidate | None:
        """Return the candidate that an article in blocks, or an <article> of React's notation, makes."""
        if isinstance(data, dict) and _title_of(data):
            return None  # an object with a title holds the body, it is not one
        if rich_nodes.is_element(data):
            if data[1] not in ("article", "main"):
                return None
        elif self._rich <= 0 or not rich_nodes.is_rich(data, named=around.key in BODY_KEYS):
            return None
        self._rich -= 1
        markup = rich_text.to_markup(data)
        text = extract_prose(markup, is_body=True, is_answer=around.answer)
        if not text:
            return None
        key = "articleBody" if rich_nodes.is_element(data) or not around.key else around.key
        return self._candidate(replace(around, key=key), text, markup)

    def _walk_list(self, data: list[Any], around: _Around) -> Iterator[Candidate]:
        inside = [list(self.walk(entry, replace(around, group=id(data)))) for entry in data]
        several = sum(map(bool, inside)) > 1 and not rich_nodes.is_element(data)
        for entries in inside:
            for entry in entries:
                yield replace(entry, listed=entry.listed or several)

    def _walk_object(self, data: dict[str, Any], around: _Around) -> Iterator[Candidate]:
        own = _title_of(data)
        # Apollo and similar caches store objects of one type side by side: "Post:1", "Post:2".
        kinds = [name.partition(":")[0] for name in data if ":" in name]
        for name, value in data.items():
            if _FOREIGN.search(name):
                continue
            beside = kinds.count(name.partition(":")[0]) > 1 if ":" in name else False
            key = around.key if name in ("rendered", "__html", "basic") and around.key in BODY_KEYS else name
            place = around.place if key is around.key and not own else id(data)
            inner = replace(around, key=key, title=own or around.title, own=bool(own), place=place)
            answer = around.answer or bool(_ANSWERS.search(name))
            inner = replace(inner, record=data if own else around.record, answer=answer)
            for entry in self.walk(value, inner):
                yield replace(entry, listed=entry.listed or beside)


def _title_of(data: dict[str, Any]) -> str:
    folded = {name.casefold().replace("_", "").replace("-", ""): value for name, value in data.items()}
    for name in _TITLES:
        value = folded.get(name)
        if isinstance(value, dict):  # WordPress: {"title": {"rendered": …}}, Arc: {"headlines": {"basic": …}}
            value = value.get("rendered") or value.get("basic")
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _is_same_title(one: str, other: str) -> bool:
    if min(len(one), len(other)) < 4:
        return one == other != ""
    return one in other or other in one


def _squeeze(text: str) -> str:
    return _SPACE.sub("", text).casefold()
