"""Context of each text on a page: visible or hidden, in the item or around it, in a licence mark or in prose.

One pass over the tree yields the runs of visible text with the links and images inside them. Hidden, quoted
and sample text is excluded: it cannot be the licence of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Literal
from unicodedata import is_normalized

from lxml import etree, html

from crawlers.formats.html.stylesheet import Sheet, sheet
from malmoi.document import Scope
from malmoi.licensing.licence_words import fold

_QUOTED_NAME = re.compile(
    r"(?:user-?)?comments?(?:[_-].*|list|area|box)?|repl(?:y|ies)(?:[_-].*)?|related?(?:[_-].*)?"
    r"|recommend(?:[_-].*)?"
    r"|quote|example|sample|embed(?:[_-].*)?|(?:[\w-]{0,30}[_-])?caption(?:[_-]?text)?|thumb(?:caption|inner)"
    r"|(?:photo|image|img|picture|figure)[_-](?:credit|caption|source|info|desc)s?|code-?(?:block|sample"
    r"|example)|highlight|tooltip(?:[_-].*)?|demo|snippet|specimen"
)
_MARK_NAME = re.compile(
    r"[\w-]{0,30}kogl[\w-]*|(?:[a-z0-9]{1,20}[_-]){0,3}(?:ccl|cc[_-]licen|g(?:o|g)ng?(?:box|nuri|gong|nr)"
    r"|ggnr|gongnr"
    r"|(?:open|public|menu)[_-]?nuri|nuri|codeview\d*$|open(?:code|type)|licen[cs]e|copyright_item"
    r"|source_area)[\w-]*"
)
_SITE_NAME = re.compile(
    r"(?:site|page|global|main)?[_-]?(?:footer|foot)(?:[_-]?(?:wrap|area|menu|info|inner|box|in|copy|\d+))?"
    r"|[glsf]nb(?:[_-].*)?|side(?:bar)?(?:[_-].*)?|aside|header(?:[_-]?(?:wrap|area|\d+))?|nav(?:bar|igation)?"
)
_WEAK_SITE_NAME = re.compile(r"copy(?:rights?)?(?:[_-].*)?")
_ITEM_NAME = re.compile(
    r"(?:sub_?|main_?|page_?)?(?:contents?|cont|article|post|entry|detail)"
    r"(?:[_-]?(?:body|view|area|wrap|box|inner|txt|text|\d+)){0,4}"
    r"|(?:board|bbs|news|article|post)?_?view(?:[_-]?(?:cont|contents?|wrap|area|body|con|box|txt|\d+)){0,4}"
)
_FORMS = (_QUOTED_NAME, _MARK_NAME, _SITE_NAME, _ITEM_NAME, _WEAK_SITE_NAME)
_ANY_NAME = re.compile("|".join(f"(?:{form.pattern})" for form in _FORMS))
NOTHING = (False, False, False, False, False)


@lru_cache(maxsize=20_000)
def classify_names(called: str) -> tuple[bool, bool, bool, bool, bool]:
    """Return what class names and ids indicate: quoted, licence mark, site frame, item, weakly the site's.

    >>> classify_names("sub_content"), classify_names("footer kogl-box")
    ((False, False, False, True, False), (False, True, True, False, False))
    """
    words = [word for word in called.lower().split() if _ANY_NAME.fullmatch(word)]
    if not words:  # common case: an id that no other element has
        return NOTHING
    quoting, marks, framing, holding, weak = (any(map(form.fullmatch, words)) for form in _FORMS)
    return quoting, marks, framing, holding, weak


# rel, property or itemprop values that mark the licence of the surrounding content
RELATIONS = frozenset("license licence cc:license dct:license dcterms:license xhv:license dc:license".split())
MAX_QUOTE = 300  # code points, of LicenceEvidence.quote
MAX_AROUND = 600  # code points on each side of a link that are searched for its subject
MAX_NAMES = 1_000  # code points of an element's class names and id that are read
MAX_DEPTH = 6  # elements of a path for people

Part = Literal["item", "site", ""]  # "" = neither in the item's container nor in the site's boilerplate

_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_HIDDEN = frozenset("script style template noscript head option select datalist textarea iframe object svg".split())
_QUOTED = frozenset("pre code samp kbd blockquote q figure figcaption label button del s strike".split())
_OTHERS = frozenset(("a", "area", "img", "br"))
_NAMES = frozenset("class id role style hidden aria-hidden open".split())  # attributes that determine the state
_TELLING = _QUOTED | {"article", "main", "footer", "header", "nav", "aside"}  # tags with a meaning of their own
_SPEAKING = _TELLING | _HIDDEN | {"dialog"}  # tags that are inspected even without attributes
# Only class names that always mean hidden; text for screen readers ("blind", "sr-only") is meant to be read.
_NOT_SHOWN_NAMES = frozenset(
    "hidden hide is-hidden d-none display-none disp-none dis-none disnone dpnone noshow print-only only-print onlyprint"
    " for-print visible-print visible-print-block visible-print-inline".split()
)
# No rule of `class_names` depends on a digit, so numbered ids share one cache entry.
_SAME_DIGIT = str.maketrans("123456789", "0" * 9)
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # characters that `fold` removes
_NOT_SHOWN = re.compile(
    r"display\s*:\s*none|text-decoration[a-z-]*\s*:[^;]{0,40}line-through|visibility\s*:\s*(?:hidden|collapse)"
    r"|(?:opacity|font-size)\s*:\s*0(?:\.0*)?(?:px"
    r"|em|%)?\s*(?:;|!|$)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class State:
    """The state of everything below an element."""

    part: Part = ""
    article: bool = False  # inside <article>, whose header and footer belong to it
    mark: html.HtmlElement | None = None  # the enclosing licence mark block
    quoted: bool = False
    furniture: bool = False  # <nav> or <aside>


@dataclass(slots=True)
class Link:
    """An `<a>` or `<area>` inside a run."""

    element: html.HtmlElement
    text: str = ""
    image: bool = False
    begin: int = 0  # number of pieces of its run before it
    end: int = 0  # number of pieces of its run up to its end


@dataclass(slots=True)
class Run:
    """Text between two block boundaries, folded, with its links and images; `owner` is the block."""

    owner: html.HtmlElement
    state: State
    text: str = ""
    links: list[Link] = field(default_factory=list)
    images: list[tuple[html.HtmlElement, Link | None]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)  # of the text, before folding
    refused: str | None = None  # cached result of `refusals.refusal`

    def words_around(self, link: Link) -> tuple[str, str]:
        """Return the words of the run before and after one of its links, at most MAX_AROUND code points of each."""
        return self.words_between(0, link.begin)[-MAX_AROUND:], self.words_between(link.end, len(self.pieces))[
            :MAX_AROUND
        ]

    def words_between(self, begin: int, end: int) -> str:
        """Return the words of a range of pieces; of a long range or piece, its two ends."""
        pieces = self.pieces[begin:end]
        if len(pieces) > 2 * MAX_AROUND:
            pieces = pieces[:MAX_AROUND] + pieces[-MAX_AROUND:]
        cut = (one if len(one) <= 2 * MAX_AROUND else one[:MAX_AROUND] + " " + one[-MAX_AROUND:] for one in pieces)
        return fold("".join(cut))


@dataclass(frozen=True, slots=True)
class PageEvidence:
    """One piece of licence evidence before its scope and record are known."""

    licence: str  # an id of the table, "none" or "unknown"
    kind: str
    quote: str
    element: html.HtmlElement
    state: State


def runs(tree: html.HtmlElement) -> list[Run]:
    """Return the visible, unquoted runs of a page in document order.

    >>> page = html.document_fromstring("<main><p>하나 <b>둘</b></p><!-- 셋 --><p hidden>넷</p></main>")
    >>> [(run.text, run.state.part) for run in runs(page)]
    [('하나 둘', 'item')]
    """
    walker = _Walker(sheet(tree))
    walker.walk(tree)
    return walker.done


def list_item_runs(shown: list[Run]) -> list[Run]:
    """Return the runs of the item; of a page without a container for it, all runs outside the frame of the site."""
    paged = any(run.state.part == "item" for run in shown)
    return [run for run in shown if (run.state.part == "item" if paged else run.state.part != "site")]


class _Walker:
    """Build runs without recursion: a page may nest two thousand deep."""

    def __init__(self, style: Sheet) -> None:
        self.style = style
        self.done: list[Run] = []
        self.pieces: list[str] = []
        self.run: Run | None = None
        self.link: Link | None = None

    def walk(self, tree: html.HtmlElement) -> None:
        state, block = State(), tree
        say, enter, flush = self.say, self.enter, self.flush
        around: list[tuple[State, html.HtmlElement]] = []  # of the open elements
        passed: html.HtmlElement | None = None  # a hidden element, whose content is skipped
        styled = bool(self.style.by_name)
        walker = etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
        for event, element in walker:
            if event == "start":
                around.append((state, block))
                tag, said = element.tag, element.items()
                named = [
                    one if one[0] != "id" else ("id", one[1].translate(_SAME_DIGIT)) for one in said if one[0] in _NAMES
                ]
                if named or tag in _SPEAKING:
                    hides, plain = _make(tag, tuple(named))
                    if hides or (styled and named and self.style.hides(element)):
                        passed = element
                        walker.skip_subtree()
                        continue
                    if not plain:
                        state = _state_below(element, tag, element.get, state)
                if tag in _BLOCKS:
                    block = element
                    if self.run is not None:
                        flush()
                elif tag in _OTHERS:
                    enter(element, tag, state, block)
                text = " " if tag == "br" else element.text
                if text and (self.run is not None or not text.isspace()):
                    say(text, state, block)
                continue
            if event == "end":
                state, block = around.pop()
                if element is passed:
                    passed = None
                else:
                    if self.run is not None and element.tag in _BLOCKS:
                        flush()
                    if self.link is not None and self.link.element is element:
                        self.link = None
            text = element.tail
            if text and (self.run is not None or not text.isspace()):
                say(text, state, block)
        flush()
        self.finish()

    def enter(self, element: html.HtmlElement, tag: str, state: State, block: html.HtmlElement) -> None:
        """Record a link, an image or the end of a line."""
        if tag == "br":
            if state.mark is None:
                self.flush()
        elif state.quoted:
            return
        elif tag == "img":
            self.open(state, block).images.append((element, self.link))
            if self.link is not None:
                self.link.image = True
        else:
            self.link = Link(element, begin=len(self.pieces), end=len(self.pieces))
            self.open(state, block).links.append(self.link)

    def open(self, state: State, block: html.HtmlElement) -> Run:
        if self.run is None:
            self.run = Run(block, state, "", [], [], self.pieces)
        return self.run

    def say(self, text: str, state: State, block: html.HtmlElement) -> None:
        if state.quoted:
            text = "\ufffc"  # placeholder for text that is not the page's own
        if self.run is None:
            self.run = Run(block, state, "", [], [], self.pieces)
        self.pieces.append(text)
        if self.link is not None:
            self.link.text += text
            self.link.end = len(self.pieces)

    def flush(self) -> None:
        if self.run is not None:
            self.done.append(self.run)
            self.run, self.pieces = None, []

    def finish(self) -> None:
        """Fold the words of all runs, and leave out those without words, links and images."""
        said = ["".join(run.pieces) for run in self.done]
        whole = "\n".join(said)
        odd = _is_odd(whole)  # checked once for all words: usually nothing is to be folded
        for run, text in zip(self.done, said, strict=True):
            run.text = _fold_fast(text) if odd else " ".join(text.split())
        self.done = [run for run in self.done if run.links or run.images or run.text.strip("\ufffc ")]


def _fold_fast(text: str) -> str:
    """Return `fold(text)`, which is slow per character; a quick check skips it if nothing is to be folded."""
    return fold(text) if _is_odd(text) else " ".join(text.split())


def _is_odd(text: str) -> bool:
    return bool(_UNSEEN.search(text)) or not is_normalized("NFC", text)


def names(element: html.HtmlElement) -> list[str]:
    """Return the class names and the id of an element, in lower case."""
    return f"{element.get('class') or ''} {element.get('id') or ''}".lower().split()


def is_hidden(element: html.HtmlElement) -> bool:
    """Whether the element's own attributes hide it."""
    return _is_hidden(str(element.tag), element.get)


def _is_hidden(tag: str, get: Callable[[str], str | None]) -> bool:
    style, called = get("style"), get("class")
    return (
        (called is not None and not _NOT_SHOWN_NAMES.isdisjoint(called.lower().split()))
        or (style is not None and bool(_NOT_SHOWN.search(style)))
        or get("hidden") is not None
        or (get("aria-hidden") or "").strip().lower() == "true"
        or (tag == "dialog" and get("open") is None)
    )


@lru_cache(maxsize=20_000)
def _make(tag: str, said: tuple[tuple[str, str], ...]) -> tuple[bool, bool]:
    """Return whether elements with these attributes are hidden, and whether they leave the state unchanged.

    `said` are the attributes in _NAMES.
    """
    get = dict(said).get
    if tag in _HIDDEN or _is_hidden(tag, get):
        return True, True
    called = f"{get('class') or ''} {get('id') or ''}"
    silent = tag in ("html", "body") or classify_names(called[:MAX_NAMES]) == NOTHING
    return False, silent and tag not in _TELLING and not get("role")


def is_quoting(element: html.HtmlElement) -> bool:
    """Whether the class or id of an element marks its content as quoted: comments, samples, captions."""
    called = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag not in ("html", "body") and classify_names(called[:MAX_NAMES])[0]


def _state_below(element: html.HtmlElement, tag: str, get: Callable[[str], str | None], outer: State) -> State:
    if tag not in _TELLING and get("class") is None and get("id") is None and get("role") is None:
        return outer
    role = (get("role") or "").lower()
    called = "" if tag in ("html", "body") else f"{get('class') or ''} {get('id') or ''}"
    said = classify_names(called[:MAX_NAMES])
    if said == NOTHING and tag not in _TELLING and not role:
        return outer
    quoting, marks, framing, holding, weak = said
    quoted = outer.quoted or tag in _QUOTED or quoting
    mark = element if marks else outer.mark
    part, furniture = outer.part, outer.furniture
    article = outer.article or tag == "article" or role == "article"
    if part != "site":
        aside = tag in ("nav", "aside") or role in ("navigation", "complementary")
        frame = tag in ("footer", "header") or role in ("contentinfo", "banner")
        frame = frame or framing
        if aside or (frame and not outer.article):
            part, furniture = "site", aside
        elif tag in ("article", "main") or role in ("article", "main") or holding:
            part = "item"
        elif not part and weak:
            part = "site"
    state = State(part, article, mark, quoted, furniture)
    return outer if state == outer else state


def scope(state: State, paged: bool) -> Scope:
    """Return the scope of evidence found in `state`; `paged` means that the page has a container for its item.

    Outside both containers a mark block belongs to the item, and so does everything on a page
    without such a container; the rest belongs to the site.
    """
    if state.part:
        return state.part
    return "site" if paged and state.mark is None else "item"


def path(element: html.HtmlElement) -> str:
    """Return a readable path of an element.

    >>> page = html.document_fromstring('<main id="content"><div class="kogl x"><a>1</a></div></main>')
    >>> path(page.find(".//a"))
    'html > body > main#content > div.kogl > a'
    """
    return " > ".join(reversed(list(islice(_steps(element), MAX_DEPTH))))


def _steps(element: html.HtmlElement | None) -> Iterator[str]:
    while element is not None:
        name, classes = element.get("id"), (element.get("class") or "").split()
        yield f"{element.tag}{'#' + name if name else '.' + classes[0] if classes else ''}"[:60]
        element = element.getparent()


def quote(*words: str) -> str:
    """Return the words as a folded quotation of at most MAX_QUOTE code points."""
    return _fold_fast(" ".join(filter(None, words)))[:MAX_QUOTE]
