"""Decide which lines of a page are its main content: a linear model over their features, and their neighbours' votes.

The features say where a line is and how it reads. `line_model.json` holds the weights; `benchmarks/hard_pages/train.py`
made it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import repeat
from math import fsum
from pathlib import Path

from lxml import html

from crawlers.formats.html.main_content import Frame
from crawlers.formats.html.text_lines import PlacedLine

LITTLE = 150  # code points; with less, lines of lower odds are kept, too
SHORT_PAGE = 0.5  # log odds added then
FILE = Path(__file__).with_suffix(".json")
FAR = 6  # lines; a longer distance to running text is not distinguished
WINDOW = 3  # lines on each side whose running text is counted
MAX_PARTS = 20  # open parts, one in another
NEAR_HEADING = 3  # ancestors of a heading among which its box is searched
# Signs whose line opens a part that is not main content, or ends the main content.
_OPENING_SIGNS = ("seealso", "comment", "rights", "copied", "file", "survey", "tags", "move", "reporter")
OPENING = 40  # code points; a longer line opens no part
_MARK = re.compile(r"\s*(?:- |\d{1,5}\. )")  # of a list item, as `text_lines` writes it
LONG = 60  # code points outside links; a line with so many is running text
SENTENCE = 25  # the same of a line that ends as a sentence does
FULL = 400  # code points of a line that count for the core
CORE_LEVELS = 5  # ancestors of a line that may be the core of the page
READ = 240  # code points of a line that are read
CUT = ("…", "...")  # end of a teaser
_HANGUL = re.compile("[가-힣]")
_DIGIT = re.compile(r"\d")
_ENDS = re.compile(r"[가-힣A-Za-z0-9][.!?。…][\"'”’)\]]{0,2}\s*\Z")
_CLOSES = re.compile(r"(?:다|요|오|까|죠|임|음|함|됨)[.!?…]?[\"'”’)\]]{0,2}\s*\Z")
# Signs of boilerplate in a short line; each is a feature, the model learns its weight.
_SIGNS = {
    "date": re.compile(r"(?:19|20)\d\d\s?[.\-/년]\s?\d{1,2}"),
    "time": re.compile(r"\d{1,2}:\d\d"),
    "mail": re.compile(r"[\w.+-]{1,60}@[\w-]{1,60}\.\w"),
    "rights": re.compile(r"ⓒ|©|저작권|공공누리|무단\s?(?:전재|복제|배포)|copyright|all rights", re.IGNORECASE),
    "reporter": re.compile(r"기자(?:\s|=|$|\])|특파원|글쓴이|작성자|편집자"),
    "count": re.compile(r"(?:조회|추천|댓글|공감|좋아요|스크랩|hit|views?)\s?:?\s?수?\s?[(:]?\s?\d", re.IGNORECASE),
    "move": re.compile(r"이전\s?글|다음\s?글|목록|처음으로|맨\s?위로|더\s?보기|바로\s?가기|돌아가기|◀|▶|«|»|[▲▼△▽←→]"),
    "copied": re.compile(r"복사|공유|인쇄|스크랩|다운로드|내려받기|즐겨찾기|크게|작게|구독|로그인|회원가입|신고"),
    "seealso": re.compile(
        r"관련\s?(?:기사|글|뉴스|문서|게시)|추천\s?(?:기사|글)|인기|많이\s?본|함께\s?(?:보|읽)|최신|다른\s?글|카테고리"
    ),
    "comment": re.compile(r"(?:댓글|답글|덧글|방명록|한줄\s?평|comments?)", re.IGNORECASE),
    "minutes": re.compile(
        r"\d\s?(?:분|min)\s?(?:읽기|소요|read)|읽는\s?(?:데|시간)|total running time|실행 시간", re.IGNORECASE
    ),
    "picture": re.compile(r"(?:사진|그림|이미지|자료|출처|제공)\s?[=:/]|사진\)|\(사진|제공\s?$|\[사진"),
    "file": re.compile(r"\.(?:hwpx?|pdf|docx?|xlsx?|zip|pptx?|jpe?g|png)\b|첨부", re.IGNORECASE),
    "survey": re.compile(r"만족(?:도|하)|도움이 되|의견을|평가"),
    "tags": re.compile(r"#[가-힣\w]+\s?(?:#|,|$)"),
    "launch": re.compile(r"colab|jupyter notebook|github|binder|\.ipynb", re.IGNORECASE),
    "phone": re.compile(r"\d{2,4}[-)]\s?\d{3,4}-\d{4}|☎|전화|fax", re.IGNORECASE),
    "address": re.compile(
        r"우\)?\s?\d{5}|\(\d{5}\)|(?:로|길)\s?\d{1,4}(?:-\d+)?[\s,(]|사업자|대표이사|발행인|등록번호"
    ),
}
_NUMBERED = re.compile(r"\s*(?:[0-9가-하①-⑮IVX]{1,3}[.)]|[□○◦■●ㅇ※*·-]|제\s?\d+\s?[조장절항])")
_SQUEEZE = re.compile(r"[\W_]+")
MANY_NAMES = 300  # code points of class names and id of one element
# Words of class names and ids, as site builders use them, by what they name.
_GROUPS = {
    "nav": (
        "nav navi navbar navigation gnb lnb snb fnb tnb menu menus breadcrumb breadcrumbs location locator "
        "sitemap skip skipnav path depth sitenav quick"
    ),
    "side": "side sidebar aside widget widgets rail right left wing lside rside",
    "foot": "footer foot bottom familysite family",
    "head": "header head masthead top util gov",
    "share": "share sns social kakao facebook twitter sharing bookmark url clip clipboard",
    "related": (
        "related relate relation recommend recommended popular rank ranking best latest recent other others "
        "hot also another similar series more realtime issue trend headline newest"
    ),
    "comment": "comment comments reply replies disqus cmt utterances giscus guestbook",
    "meta": (
        "meta info byline author authors writer reporter date time published regdate hit profile user nick "
        "member name datetime timestamp modified created dept count views"
    ),
    "tag": "tag tags keyword keywords category categories hashtag hashtags label labels badge",
    "paging": "prev next previous paging pagination pager paginate docnav",
    "file": "file files attach attached attachment attachments download downloads addfile",
    "ad": (
        "ad ads adsense adsbygoogle banner sponsor sponsored promotion promo outbrain taboola dable subscribe "
        "subscription newsletter adv advert event"
    ),
    "layer": "cookie consent popup modal layer login toast dialog dim alert tooltip",
    "caption": "caption figcaption credit cap photo img image imgs pic picture thumb thumbnail",
    "title": "title tit subject subj heading ttl",
    "content": (
        "content contents cont article post entry body view txt text detail read editor markdown prose "
        "document doc story main desc substance wiki section"
    ),
    "control": (
        "btn btns button buttons tool tools toolbar option print font scrap vote like good bad rate rating "
        "survey satisfaction satisfy recommendbtn edit editsection zoom copybtn copy action actions poll "
        "research charge"
    ),
    "rights": "copyright copyrights license licence kogl ccl nuri opencode publicnuri",
    "list": "list lists item items card cards row col column",
    "tab": "tab tabs tabpanel tabcontent accordion collapse collapsible details fold",
    "toc": "toc tocs outline",
    "note": "footnote footnotes note notes reference references reflist admonition tip warning",
}
_SAME_DIGIT = str.maketrans("123456789", "0" * 9)
_GROUP_OF = {word: group for group, words in _GROUPS.items() for word in words.split()}
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[가-힣]+")
_TAG_GROUPS = {
    "nav": "<nav>", "aside": "<aside>", "footer": "<footer>", "header": "<header>", "article": "<article>",
    "main": "<main>", "figure": "<figure>", "figcaption": "<figcaption>", "form": "<form>", "address": "<address>",
    "table": "<table>", "ul": "<ul>", "ol": "<ol>", "dl": "<dl>", "blockquote": "<blockquote>",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BlockModel:
    """`weights` by feature, log odds; `change` is the cost of beginning or ending content between two lines."""

    weights: Mapping[str, float]
    change: float


@cache
def load_model() -> BlockModel:
    """Return the model that is delivered with the package."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return BlockModel(found["weights"], found["change"])


def choose_lines(lines: Sequence[PlacedLine], page: Frame, model: BlockModel) -> list[bool]:
    """Return for each line whether it is main content.

    If little is kept, the page may be a short note: lines in the box of the page are kept with lower odds, too.
    """
    weights = model.weights
    # fsum: names come from sets, and a sum that is rounded at each step follows their order.
    odds = [fsum(map(weights.get, names, repeat(0.0))) for names in describe_lines(lines, page)]
    odds = share_in_tables(lines, odds)
    kept = smooth_odds(odds, model.change)
    if sum(len(line.text) for line, keep in zip(lines, kept, strict=True) if keep) < LITTLE:
        boxed = set(page.box.iter())
        kept = [one + SHORT_PAGE > 0 and line.owner in boxed for one, line in zip(odds, lines, strict=True)]
    return kept


def share_in_tables(lines: Sequence[PlacedLine], odds: Sequence[float]) -> list[float]:
    """Give all rows of a table, and its caption, the mean odds of the rows: they are kept or left out together."""
    found = list(odds)
    start = 0
    for at in range(1, len(lines) + 1):
        if at < len(lines) and _is_row(lines[at]) and _is_row(lines[start]) and "\n" not in lines[at].text:
            continue
        if at - start > 1:
            mean = fsum(odds[start:at]) / (at - start)
            found[start:at] = [mean] * (at - start)
            if start and lines[start - 1].owner.tag == "caption":
                found[start - 1] = mean
        start = at
    return found


def _is_row(line: PlacedLine) -> bool:
    return line.text[:1] == "|"


def smooth_odds(odds: Sequence[float], change: float) -> list[bool]:
    """Return the best sequence of decisions: the sum of the odds of kept lines, less `change` for each change.

    >>> smooth_odds([2.0, -0.5, 2.0, -3.0], 0.5)
    [True, True, True, False]
    """
    inside, outside = 0.0, 0.0  # best sums of a sequence that ends kept, or left out
    came: list[tuple[bool, bool]] = []  # for both, whether the line before is kept
    for one in odds:
        came.append((inside >= outside - change, inside - change > outside))
        inside, outside = max(inside, outside - change) + one, max(outside, inside - change)
    kept = inside > outside
    found = []
    for before_kept, before_left in reversed(came):
        found.append(kept)
        kept = before_kept if kept else before_left
    return found[::-1]


def describe_lines(lines: Sequence[PlacedLine], page: Frame) -> list[list[str]]:
    """Return the names of the features of each line that are present."""
    parts: list[tuple[_Inside, str]] = []  # open parts: their box, and the sign of their first line
    past: dict[str, None] = {}
    begun = False  # whether running text came before
    texts = [_MARK.sub("", line.text, count=1) for line in lines]
    sizes = [(len(text), max(0, len(text) - line.linked)) for text, line in zip(texts, lines, strict=True)]
    shapes = [_shape(length, own) for length, own in sizes]
    long = [
        own >= LONG or (own >= SENTENCE and bool(_ENDS.search(text[-8:])) and not text.endswith(CUT))
        for text, (_, own) in zip(texts, sizes, strict=True)
    ]
    before, after = _distances(long), _distances(long[::-1])[::-1]
    families = _count_running_lines(lines, long)
    core = _find_core(lines, long, page)
    within = _Inside(core) if core is not None else None
    inside = [within is not None and within.holds(line.owner) for line in lines]
    first = inside.index(True) if True in inside else len(lines)
    last = len(lines) - 1 - inside[::-1].index(True) if True in inside else -1
    relations = _Relations(core, page.body)
    contexts: dict[html.HtmlElement, _Context] = {}
    # Names of the core and of what holds it say nothing: a thread of answers may be called comments.
    known = _make_context(core, page, contexts) if core is not None else None
    shared = known.around | known.own if known is not None else frozenset()
    total = max(1, sum(own for _, own in sizes))
    many = 0 if len(sizes) <= 8 else 1 if len(sizes) <= 20 else 2
    links = sum(own < length / 2 for length, own in sizes) / max(1, len(sizes))
    crowd = f"crowd:{many}:{0 if links < 0.1 else 1 if links < 0.3 else 2}"
    title = _SQUEEZE.sub("", page.heading).casefold()
    passed = 0
    described = []
    seen: dict[str, int] = {}
    for at, line in enumerate(lines):
        context = contexts.get(line.owner) or _make_context(line.owner, page, contexts)
        length, own = sizes[at]
        shape = shapes[at]
        near = sum(long[max(0, at - WINDOW) : at + WINDOW + 1])
        features = [
            "bias",
            f"len:{shape}",
            f"tag:{line.owner.tag}",
            f"tag+len:{line.owner.tag}:{shape}",
            _describe_neighbour("prev", lines, shapes, at, at - 1),
            _describe_neighbour("next", lines, shapes, at, at + 1),
            f"before:{before[at]}:{context.boxed}",
            f"after:{after[at]}:{context.boxed}",
            f"between:{before[at] < FAR}:{after[at] < FAR}:{shape[0]}",
            f"near:{near}",
            crowd,
            f"place:{10 * passed // total}",
            f"box+len:{context.boxed}:{shape}",
        ]
        features += context.features
        features += [f"in:{group}" for group in context.around - shared]
        features += [f"own:{group}" for group in context.own - shared]
        parent = line.owner.getparent()
        over = parent.getparent() if parent is not None else None
        peers = min(4, families.get(parent, 0)) if parent is not None else 0
        peers_above = min(4, families.get(over, 0)) if over is not None else 0
        features += [f"peers:{peers}", f"peers_above:{peers_above}", f"peers+len:{max(peers, peers_above)}:{shape}"]
        where = "in" if inside[at] else "above" if at < first else "below" if at > last else "between"
        away, twin = relations.relate(line.owner)
        features += [f"core:{where}", f"core:{where}:{away}", f"core+len:{where}:{shape}"]
        if twin:
            features.append(f"twin:{where}")
        begun = begun or (at > 0 and long[at - 1]) or before[at] < FAR
        words, signs = _describe_words(texts[at][:READ], texts[at][-8:], shape)
        features += words
        while parts and not parts[-1][0].holds(line.owner):
            parts.pop()
        features += [f"under:{sign}" for sign in dict.fromkeys(sign for _, sign in parts)]
        features += [f"past:{sign}:{shape[1]}" for sign in past]
        for sign in signs:
            if sign in _OPENING_SIGNS:
                if length <= OPENING and len(parts) < MAX_PARTS:
                    box = _box_of_part(line.owner, page)
                    if box is not None and not any(one.box is box and name == sign for one, name in parts):
                        parts.append((_Inside(box), sign))
                if begun:
                    past[sign] = None
        if title and length < 200 and _SQUEEZE.sub("", line.text).casefold() == title:
            features.append("title")
        times = seen[line.text] = seen.get(line.text, 0) + 1
        if shape[1] == "3" and length <= OPENING:
            features.append("link")
        if times > 1:
            features.append("again")
        passed += own
        described.append(features)
    return described


@lru_cache(maxsize=10_000)  # the pages of a site repeat its lines
def _describe_words(head: str, tail: str, shape: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return features of the beginning and end of a line, and the names of its signs.

    `shape` is the length of the line and the share of its links, as buckets.
    """
    if tail.endswith(CUT):
        end = "cut"
    elif _ENDS.search(tail):
        end = "dot"
    elif _CLOSES.search(tail):
        end = "says"
    else:
        end = "colon" if tail[-1:] in ":：" else "open"
    hangul = len(_HANGUL.findall(head)) / len(head) if head else 0.0
    features = [f"end:{end}", f"end+len:{end}:{shape}", f"hangul:{int(5 * hangul)}"]
    if len(_DIGIT.findall(head)) / max(1, len(head)) > 0.15:
        features.append("digits")
    if _NUMBERED.match(head):
        features.append("numbered")
    if head[:3] == "```":
        features.append("code")
    signs = tuple(sign for sign, words in _SIGNS.items() if words.search(head))
    size = "s" if shape[0] <= "c" else "m" if shape[0] <= "e" else "l"
    return (*features, *(f"sign:{sign}:{size}" for sign in signs)), signs


@dataclass(frozen=True, slots=True)
class _Context:
    """Features of the boxes around a line."""

    features: tuple[str, ...]
    own: frozenset[str]  # groups of its names
    around: frozenset[str]  # groups of the names of its ancestors
    boxed: str  # "in" the box of the page, "out" of it


def _make_context(element: html.HtmlElement, page: Frame, known: dict[html.HtmlElement, _Context]) -> _Context:
    """Return the context of a block; those of its ancestors are made on the way, and kept in `known`."""
    path = []
    above: html.HtmlElement | None = element
    while above is not None and above not in known:
        path.append(above)
        above = above.getparent() if above is not page.body else None
    for part in reversed(path):
        parent = part.getparent() if part is not page.body else None
        known[part] = _describe_place(part, parent, known.get(parent) if parent is not None else None, page)
    return known[element]


def _describe_place(
    element: html.HtmlElement, parent: html.HtmlElement | None, outer: _Context | None, page: Frame
) -> _Context:
    names = _names_of(element)
    around = outer.around | outer.own if outer is not None else frozenset()
    boxed = "in" if element is page.box or (outer is not None and outer.boxed == "in") else "out"
    features = [*names.words]
    if parent is not None:
        near = _names_of(parent)
        features += near.of_parent
        share = page.own.get(parent, 0) / max(1, page.own.get(page.body, 0))  # of the page's text outside links
        bucket = 0 if share < 0.05 else 1 if share < 0.2 else 2 if share < 0.5 else 3 if share < 0.8 else 4
        features += (f"tags:{parent.tag}>{element.tag}", f"dens:{_density(parent, page)}", f"share:{bucket}:{boxed}")
        over = parent.getparent()
        if over is not None and parent is not page.body:
            features += _names_of(over).of_above
            features.append(f"dens2:{_density(over, page)}")
        before = element.getprevious()
        if before is None:
            before = parent.getprevious()
        is_empty = before is not None and page.own.get(before, 0) == 0
        if is_empty and (before.tag == "img" or next(before.iter("img", "iframe", "video"), None) is not None):
            features.append("picture")
    if not around:
        features.append("in:nothing")
    features.append(f"boxed:{boxed}")
    return _Context(tuple(features), names.groups, around, boxed)


@dataclass(frozen=True, slots=True)
class _Names:
    """The groups that class names and id of an element name, and features of it, of its children and theirs."""

    groups: frozenset[str]
    words: tuple[str, ...]
    of_parent: tuple[str, ...]
    of_above: tuple[str, ...]


def _names_of(element: html.HtmlElement) -> _Names:
    # No word has a digit, so numbered ids share one cache entry.
    name = element.get("id")
    return _read_names(element.tag, element.get("class") or "", name.translate(_SAME_DIGIT) if name else "")


@lru_cache(maxsize=20_000)
def _read_names(tag: str, called: str, name: str) -> _Names:
    words = tuple(dict.fromkeys(word.lower() for word in _NAME_WORDS.findall(f"{called} {name}"[:MANY_NAMES])))
    named = {_GROUP_OF[word] for word in words if word in _GROUP_OF}
    if tag in _TAG_GROUPS:
        named.add(_TAG_GROUPS[tag])
    groups = frozenset(named)
    return _Names(
        groups,
        tuple(f"word:{word}" for word in words),
        (*(f"parent:{group}" for group in groups), *(f"near:{word}" for word in words)),
        tuple(f"above:{group}" for group in groups),
    )


def _density(element: html.HtmlElement, page: Frame) -> str:
    """Bucket of the share of text in links below an element, and of the text outside."""
    own, linked = page.own.get(element, 0), page.linked.get(element, 0)
    share = linked / (own + linked) if own + linked else 0.0
    size = 0 if own < 50 else 1 if own < 200 else 2 if own < 800 else 3
    return f"{0 if share < 0.1 else 1 if share < 0.3 else 2 if share < 0.6 else 3}{size}"


def _shape(length: int, own: int) -> str:
    size = (
        "a" if length <= 4 else "b" if length <= 10 else "c" if length <= 20 else "d" if length <= 40
        else "e" if length <= 80 else "f" if length <= 160 else "g"
    )  # fmt: skip
    share = 1 - own / length if length else 0.0
    return f"{size}{0 if share < 0.1 else 1 if share < 0.5 else 2 if share < 0.9 else 3}"


def _describe_neighbour(name: str, lines: Sequence[PlacedLine], shapes: Sequence[str], at: int, other: int) -> str:
    """Feature of a neighbour: its shape, and whether it is in the same box."""
    if not 0 <= other < len(lines):
        return f"{name}:none"
    one, two = lines[at].owner, lines[other].owner
    same = one is two or one.getparent() is two.getparent()
    return f"{name}:{shapes[other]}:{same}"


def _box_of_part(heading: html.HtmlElement, page: Frame) -> html.HtmlElement | None:
    """Return the box that a heading opens: the nearest that holds more than the heading; None if it is the page's."""
    box: html.HtmlElement | None = heading
    for _ in range(NEAR_HEADING):
        box = box.getparent() if box is not None else None
        if box is None or box is page.body or box is page.box:
            return None
        if len(box) > 1:
            return box
    return None


def _distances(long: Sequence[bool]) -> list[int]:
    """Return the number of lines back to the last line of running text, at most FAR."""
    distances, distance = [], FAR
    for flag in long:
        distance = 0 if flag else min(FAR, distance + 1)
        distances.append(distance)
    return distances


def _find_core(lines: Sequence[PlacedLine], long: Sequence[bool], page: Frame) -> html.HtmlElement | None:
    """Return the box with most running text near below it: each ancestor of a line gets a share of its length."""
    held: dict[html.HtmlElement, float] = {}
    for line, flag in zip(lines, long, strict=True):
        if not flag or line.text.endswith(CUT):
            continue
        own = min(FULL, len(line.text) - line.linked)
        above = line.owner.getparent()
        for level in range(CORE_LEVELS):
            if above is None or above is page.body:
                break
            held[above] = held.get(above, 0.0) + own / (level + 1)
            above = above.getparent()
    return max(held, key=lambda box: held[box], default=None)


def _count_running_lines(lines: Sequence[PlacedLine], long: Sequence[bool]) -> dict[html.HtmlElement, int]:
    """Return the number of lines of running text by the parent of their block, and by its parent."""
    counts: dict[html.HtmlElement, int] = {}
    for line, flag in zip(lines, long, strict=True):
        if flag and not line.text.endswith(CUT):
            parent = line.owner.getparent()
            for box in (parent, parent.getparent() if parent is not None else None):
                if box is not None:
                    counts[box] = counts.get(box, 0) + 1
    return counts


class _Relations:
    """How elements relate to the core; answers are cached, because every line asks, and pages nest deep."""

    def __init__(self, core: html.HtmlElement | None, body: html.HtmlElement) -> None:
        self._branch: list[html.HtmlElement] = []  # the core and its ancestors below the body
        while core is not None and core is not body:
            self._branch.append(core)
            core = core.getparent()
        self._levels = {box: level for level, box in enumerate(self._branch)}
        self._known: dict[html.HtmlElement, tuple[int, bool]] = {}

    def relate(self, element: html.HtmlElement) -> tuple[int, bool]:
        """Return how many levels above the core the nearest common ancestor is (at most CORE_LEVELS); whether twin.

        A twin is in a box with the tag and first class of the box of the core beside it: another post of a thread,
        another part of an article.
        """
        if element in self._levels:
            return self._levels[element], False
        passed = [element]
        above = element.getparent()
        while above is not None and above not in self._levels and above not in self._known:
            passed.append(above)
            above = above.getparent()
        answer = self._known.get(above) if above is not None else None
        if answer is None:
            level = self._levels[above] if above is not None else len(self._branch)
            other = self._branch[level - 1] if level else None
            near = min(CORE_LEVELS, level) if above is not None else CORE_LEVELS
            answer = near, other is not None and _kind_of(passed[-1]) == _kind_of(other)
        self._known |= dict.fromkeys(passed, answer)
        return answer


def _kind_of(box: html.HtmlElement) -> tuple[str, str]:
    return str(box.tag), ((box.get("class") or "").split() or [""])[0]


class _Inside:
    """Whether elements are in a box (or are it); answers are cached."""

    def __init__(self, box: html.HtmlElement) -> None:
        self.box = box
        self._known = {box: True}

    def holds(self, element: html.HtmlElement) -> bool:
        """Whether the box holds an element."""
        passed: list[html.HtmlElement] = []
        above: html.HtmlElement | None = element
        while above is not None and above not in self._known:
            passed.append(above)
            above = above.getparent()
        answer = above is not None and self._known[above]
        self._known |= dict.fromkeys(passed, answer)
        return answer
