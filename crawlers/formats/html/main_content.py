"""Main-content extraction: find the element with a page's main content, and reduce the page to its visible text.

The element is one that the page names as such, or the deepest that still holds most of the text outside links.
The lines around it stay in the page: the model (`line_model.py`) decides, and the element is one of its features.
The boilerplate around a post of a Korean board is removed by rules: fields, files, adjacent posts, surveys, licences.
"""

from __future__ import annotations

import math
import re
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lxml import etree, html

from crawlers.formats.html.code_blocks import mark_code
from crawlers.formats.html.layout import GONE, OPENED, part_alternatives, show, strip, unwrap_tables, words_of
from crawlers.formats.html.runs import classify_names

SHARE = 0.75  # share of the text outside links; an element with at least so much holds the page's main content
PART = 0.1  # share of the text outside links; an element with less is not the main content, whatever its name
RUNNING = 10  # characters outside links; a box with so many holds running text
NEAR = 3  # ancestors of an element whose siblings are searched for more text, or for its heading
SIBLINGS = 1_000  # siblings of the holder that are inspected
# Names by which site builders mark the content; mostly those of trafilatura 2.3 (its xpaths.py, BODY_XPATH).
_NAMED = re.compile(
    r"^(?:post|entry|article|story|content|text|cell|postarea|Content)$|^(?:main|primary|article )"
    r"|(?:post|entry|page|text|article|art|story|theme|blog|section|single|main)[-_]{0,2}content|articleBody"
    r"|article(?:-|__)?body|post[-_](?:text|body|bodycopy)|content[-_]{1,2}(?:main|body)|main-column|fulltext|body-text"
)
_FRAMES_OF_SITES = ("nav", "header", "footer", "aside")
_PAGING = re.compile(
    r"prev[-_]?next|paging|pagination|pager|docnav|navheader|navfooter|(?:^|[ _-])btns?(?:$|[ _-])", re.IGNORECASE
)
OPENING = 40  # characters; a longer block is not a category, breadcrumb or date above the heading
MUCH = 200  # code points; a longer footer may be the end of the text
# Boxes that may hold whole sentences but are not the page's main content.
_FOREIGN = re.compile(
    r"comment|reply|disqus|foot(?:er)?(?:$|[^n])|(?:^|[^a-z])nav|cookie|consent|byline|banner|newsletter|sns|social"
    r"|area[-_]?reply|box[-_]?reply|reply[-_]?(?:list|area|wrap|box)|cmt[-_]?(?:list|area|wrap|box)|(?:^|\s)toc(?:$|\s)"
    r"|(?:^|[^a-z])ads?(?:$|[^a-z])|outbrain|taboola|dable|copyright|infinite-?scroll",
    re.IGNORECASE,
)
_FRAMES = frozenset({"body", "div", "section", "td", "center", "form", "tr", "tbody", "table"})
_NOT_TEXT = frozenset(
    {"script", "style", "noscript", "template", "nav", "header", "footer", "aside", "select", "button", "textarea", "a"}
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TEXTS = ("p", "pre", "table", "ul", "ol", "dl")
# Of boards.
SHORT = 300  # code points; a longer block is not a field, an adjacent-post link or a licence block
SURVEY = 800  # code points of a survey with its answers
MAX_PARTS = 200  # elements in such a box
MAX_ROWS = 20_000  # rows of tables inspected per page
MAX_CHOICES = 60  # survey answers inspected per page
MAX_ABOVE = 10  # ancestors of an answer in which its question is searched
LINKED = 0.8  # share of words in links of "▲ previous post"; a sentence after a symbol has less
OTHERS = 0.2  # share of words in links of a list of other articles with dates, below its heading
_BYLINE = (
    *("작성자", "글쓴이", "등록자", "게시자", "담당부서", "작성부서", "담당자"),
    *("작성일시", "작성일자", "등록일시", "등록일자", "작성일", "등록일", "게시일", "수정일", "조회수", "조회"),
)
_TITLE = ("제목", "글제목")
_OTHER = ("첨부파일", "첨부", "파일", "전화번호", "연락처", "이메일", "번호", "분류", "부서", "담당", "문의처", "출처")
_FIELDS = frozenset((*_BYLINE, *_TITLE, *_OTHER, "내용"))
_NEIGHBOUR = re.compile(r"(?:[▲▼△▽∧∨]\s?)?(?:이전|다음)\s?(?:글|기사|게시물|게시글|목록)")
_MARK = re.compile(r"[▲▼△▽]\s?(?!\s?(?:이전|다음))\S")
_SENTENCE = re.compile(r"[가-힣](?<!없습니)[다요]\.")
_FILES = re.compile(r"첨부\s?(?:파일|문서)?(?:\s|:|\(|\d|$)")
_RIGHTS = re.compile(
    r"(?:본|이|해당)\s?(?:저작물|공공저작물|게시물|자료|콘텐츠)[은는].{0,120}공공누리"
    r"|.{0,60}(?:창작|제작|작성|보유)한.{0,60}저작물[은는].{0,40}공공누리.{0,40}조건"
    r"|출처표시.{0,40}공공누리.{0,60}이용할 수"
    r"|[<\[(]?\s?(?:저작권자?|copyrights?|ⓒ|©).{0,80}(?:무단\s?(?:전재|복제|배포)|재배포|all rights? reserved)",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?:홈|home|처음|첫\s?화면|메인)(?:\s?으로)?(?:\s?[>›»＞▶/]\s?[^>›»＞▶/]{1,30}){1,8}",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"(?:이 기사와 )?(?:관련|연관|추천|인기|주요|최신|다른|함께 보는|(?:가장 )?많이 본|실시간 인기)\s?(?:된\s?)?"
    r"(?:기사|뉴스|글|게시물|게시글|포스트|콘텐츠|문서)|.{0,30}카테고리의 다른 글"
)
_COMMENTS = re.compile(r"(?:댓글|답글|덧글)\s?(?:목록|달기|쓰기)?\s?(?:[(\[]?\d{1,6}[)\]]?\s?(?:개|건)?)?")
_SURVEY = re.compile(r"만족하(?:셨|십)|만족도")
_ROWS = ("tr", "li", "dl", "p", "div", "ul", "section")


@dataclass(frozen=True, slots=True)
class Frame:
    """A page reduced to its visible text.

    `body` is a copy without scripts, forms and layout tables, `box` the element in it that holds the main content,
    `heading` its heading ("" without one), `byline` the fields of a board, `links` the number of links in the box.
    `own` and `linked` are the characters of each element outside links and boilerplate, and inside links.
    """

    body: html.HtmlElement
    box: html.HtmlElement
    heading: str
    byline: str
    links: int
    own: dict[html.HtmlElement, int]
    linked: dict[html.HtmlElement, int]


def prepare(tree: html.HtmlElement) -> Frame | None:
    """Return the frame of a page; None if the page has no <body>. `tree` is not changed.

    >>> page = html.document_fromstring("<div class=gnb><a>홈</a></div><div class=board_view><h2>고시</h2>본문</div>")
    >>> frame = prepare(page)
    >>> frame.heading, frame.box.text_content()
    ('고시', '고시본문')
    """
    body = tree.find("body")
    if body is None:
        return None
    body = copy(body)
    body.tail = None
    for part in list(body.iter("script", "style", "a", "noscript", "button", "select")):
        if part.tag == "a":
            if part.get("href") is None:
                part.tag = OPENED  # a link target, not a link: it would be counted as a link
        else:  # the question of a folded answer stays
            is_question = part.tag == "button" and next(part.iterancestors(*HEADINGS), None) is not None
            part.tag = OPENED if is_question else GONE
    strip(body)
    byline = clear_board(body)
    part_alternatives(body)
    mark_code(body)
    show(body)
    unwrap_tables(body)
    own, linked = _weigh(body)
    box = _find_named(body, own)
    if (0 if box is None else own.get(box, 0)) < SHARE * own.get(body, 0) and _is_fragment(tree, body):
        box = body.makeelement("article")
        box.text, body.text = body.text, None
        box.extend(list(body))
        body.append(box)
        own[box], linked[box] = own.get(body, 0), linked.get(body, 0)
    if box is None:
        box = _find_holder(body, own)
    links = sum(1 for _ in box.iter("a"))
    heading = _heading_of(box)
    for element in list(box.iterdescendants("a", "div", "dl", "ul", "p", "table")):
        name = f"{element.get('id') or ''} {element.get('class') or ''}"
        if name != " " and _PAGING.search(name) and linked.get(element, 0) > own.get(element, 0):
            element.drop_tree()
    return Frame(body, box, heading, byline, links, own, linked)


def _weigh(body: html.HtmlElement) -> tuple[dict[html.HtmlElement, int], dict[html.HtmlElement, int]]:
    """Return the characters of each element with its descendants: outside links and boilerplate, and in links."""
    own: dict[html.HtmlElement, int] = {}
    linked: dict[html.HtmlElement, int] = {}
    for element in reversed(list(body.iter())):  # children before their parents
        inside = own.get(element, 0) + len((element.text or "").strip())
        links = linked.get(element, 0)
        if element.tag in _NOT_TEXT:
            links = links + inside if element.tag == "a" else 0
            inside = 0
        own[element], linked[element] = inside, links
        parent = element.getparent()
        if parent is not None:
            own[parent] = own.get(parent, 0) + inside + len((element.tail or "").strip())
            linked[parent] = linked.get(parent, 0) + links
    return own, linked


def _find_named(body: html.HtmlElement, own: dict[html.HtmlElement, int]) -> html.HtmlElement | None:
    """Return the element that the page marks as main content: <article>, <main>, or an element named so."""
    articles = [element for element in body.iter("article") if next(element.iterancestors("article"), None) is None]
    best = max(articles, key=lambda element: own.get(element, 0), default=None)
    if best is not None and own.get(best, 0) >= SHARE * sum(own.get(element, 0) for element in articles):
        return best  # a thread has several, inside <main> or the page
    main = next(body.iter("main"), None)
    if main is not None or articles:
        return body if main is None else main
    least = PART * own.get(body, 0)
    named = (element for element in body.iter("div", "section") if _is_named(element))
    first = next((element for element in named if own.get(element, 0) >= least), None)
    if first is None:
        return None
    # Parts of a text are named so as well: `<div class="content">` around each listing or note of a chapter.
    name = first.get("class")
    alike = (one for one in body.iter(first.tag) if one.get("class") == name and _is_named(one))
    whole = sum(own.get(one, 0) for one in alike if first not in one.iterancestors())
    return first if own.get(first, 0) >= SHARE * whole else None


def _is_named(element: html.HtmlElement) -> bool:
    get = element.get
    return any(value and _NAMED.search(value) for value in (get("id"), get("class"), get("itemprop"), get("role")))


def _is_fragment(tree: html.HtmlElement, body: html.HtmlElement) -> bool:
    """Whether the markup is a part of a page, as an API or a site generator stores a text: all of it is content."""
    if any(tree.find(f"head/{name}") is not None for name in ("title", "meta", "link")):
        return False
    for element in body.iter(*_FRAMES_OF_SITES, *HEADINGS, "p", "pre", "div", "ul", "td", "section"):
        if element.tag in _FRAMES_OF_SITES:
            return False  # a page begins with its frame
        if element.tag in HEADINGS or element.tag in ("p", "pre"):
            break
        if classify_names(f"{element.get('class') or ''} {element.get('id') or ''}")[2]:
            return False
    return True


def _find_holder(body: html.HtmlElement, own: dict[html.HtmlElement, int]) -> html.HtmlElement:
    """Return the deepest element that still holds most of the text outside links, with what is beside it."""
    enough = own.get(body, 0) * SHARE
    holder = body
    while enough:
        inner = max(holder, key=lambda child: own.get(child, 0), default=None)
        if inner is None or inner.tag not in _FRAMES or own.get(inner, 0) < enough:
            break
        holder = inner
    # Siblings may hold further parts of the text: paragraphs, or boxes with the same class, as editors make each
    # paragraph, picture and quotation a box.
    for _ in range(NEAR):
        parent = holder.getparent()
        if parent is None or parent.tag not in _FRAMES or holder is body:
            break
        kind = (holder.get("class") or "").split()[:1]
        if not any(
            part is not holder
            and own.get(part, 0) >= RUNNING
            and (
                part.tag in ("p", "blockquote", "pre")
                or (kind and part.tag == holder.tag and (part.get("class") or "").split()[:1] == kind)
            )
            and not _is_foreign(part)
            for part in islice(parent, SIBLINGS)
        ):
            break
        holder = parent
    while holder.tag in ("table", "tbody", "tr"):  # a <div> is not allowed between a table and its cells
        holder = holder.getparent()
    return holder


def _heading_of(box: html.HtmlElement) -> str:
    """Return the first heading in the box, or the one just above it; "" if text precedes it."""
    for element in box.iter():
        if element.tag in HEADINGS:
            if words := _words(element):
                return words
        elif element.tag in _TEXTS and len(_words(element)) >= OPENING:
            break
    above = box
    for _ in range(NEAR):
        if above.tag == "body":
            break
        for sibling in above.itersiblings(preceding=True):
            if (title := _title_in(sibling)) is not None and (words := _words(title)):
                return words
        parent = above.getparent()
        if parent is None:
            break
        above = parent
    return ""


def _title_in(box: html.HtmlElement) -> html.HtmlElement | None:
    """Return the heading, or the only heading in a box that otherwise holds a date or similar."""
    if box.tag in ("h1", "h2", "h3"):
        return box
    if box.tag not in ("div", "header", "section") or _is_foreign(box) or not words_of(box, MUCH):
        return None
    titles = list(islice(box.iter("h1", "h2", "h3"), 2))
    return titles[0] if len(titles) == 1 and next(box.iter("nav", "form", "li"), None) is None else None


def _is_foreign(element: html.HtmlElement) -> bool:
    """Whether the names of an element say that it is not main content: comments, sharing, consent."""
    if element.tag not in _FRAMES or not element.attrib:
        return False
    name = f"{element.get('id') or ''} {element.get('class') or ''}"
    return name != " " and bool(_FOREIGN.search(name))


def _words(element: html.HtmlElement) -> str:
    return " ".join("".join(map(str, element.itertext())).split())


def clear_board(body: html.HtmlElement) -> str:
    """Remove the boilerplate around a post in place: fields, files, adjacent posts, surveys, licence, comments.

    Labelled fields become a heading and a byline above the text; return the byline.

    >>> cells = "<tr><th>제목<td>낱말<tr><th>작성자<td>솔방울<th>조회수<td>7<tr><td colspan=4>들에서 쓰는 말이다."
    >>> page = html.fragment_fromstring(f"<div><table>{cells}</table></div>")
    >>> clear_board(page)
    '작성자 솔방울 조회수 7'
    >>> page.text_content()
    '낱말작성자 솔방울 조회수 7들에서 쓰는 말이다.'
    """
    bylines = []
    rows = 0
    for table in list(body.iter("table")):
        own_rows = []
        for row in table.iter("tr"):
            rows += 1
            if rows > MAX_ROWS:
                break
            if next(row.iterancestors("table"), None) is table:
                own_rows.append((row, _pairs(row)))
        if rows <= MAX_ROWS:
            bylines.append(_clear_table(table, own_rows))
    for listed in list(body.iter("dl")):
        terms, details = list(listed.iter("dt")), list(listed.iter("dd"))
        labels = list(map(_label, terms))
        is_known = len(terms) == len(details) and all(label in _FIELDS - {"내용"} for label in labels)
        if is_known and any(label in _BYLINE for label in labels):
            values = [words_of(detail, SHORT) for detail in details]
            bylines.append(_put_above(listed, list(zip(labels, values, strict=True))))
            listed.drop_tree()
    # The smallest box around the choices of a satisfaction survey.
    choices = (choice for choice in body.iter("input") if (choice.get("type") or "").lower() == "radio")
    for choice in list(islice(choices, MAX_CHOICES)):
        for box in islice(choice.iterancestors("fieldset", "form", "div", "section"), MAX_ABOVE):
            words = words_of(box, SURVEY, " ")
            if not words or box is body or box.getparent() is None:
                break
            if _SURVEY.search(words):
                box.drop_tree()
                break
    etree.strip_elements(body, "input", with_tail=False)
    _clear_words(body)
    return next(filter(None, bylines), "")


def _clear_table(table: html.HtmlElement, rows: list[tuple[html.HtmlElement, list[tuple[str, str]]]]) -> str:
    """Move rows of labels and values to the byline; a table needs two such fields to count as a board's."""
    labels = [label for _, pairs in rows for label, _ in pairs]
    if len(labels) < 2 or not any(label in (*_BYLINE, *_TITLE) for label in labels) or labels.count("제목") > 1:
        return ""
    values: list[tuple[str, str]] = []
    for row, pairs in rows:
        if not pairs or any(label == "내용" for label, _ in pairs):
            for cell in row.iter("th"):
                if words_of(cell, SHORT, " ") == "내용":
                    cell.drop_tree()
            continue
        values += pairs
        row.drop_tree()
    for caption in list(table.iter("caption")):
        caption.drop_tree()
    return _put_above(table, values)


def _pairs(row: html.HtmlElement) -> list[tuple[str, str]]:
    """Return the labels and values of a row; [] if it holds anything else."""
    cells = [cell for cell in row if cell.tag in ("th", "td")]
    if len(cells) < 2 or len(cells) % 2:
        return []
    pairs = [(_label(cells[at]), words_of(cells[at + 1], SHORT)) for at in range(0, len(cells), 2)]
    if any(label == "내용" for label, _ in pairs):
        return pairs
    # If the values are labels too, this is the header row of a list of posts.
    return pairs if all(label in _FIELDS and value not in _FIELDS for label, value in pairs) else []


def _put_above(box: html.HtmlElement, values: list[tuple[str, str]]) -> str:
    title = next((value for label, value in values if label in _TITLE), "")
    byline = " ".join(f"{label} {value}" for label, value in values if label in _BYLINE and value)
    for tag, words in (("h2", title), ("p", byline)):
        if words:
            line = box.makeelement(tag)
            line.text = words
            box.addprevious(line)
    return byline


def _label(cell: html.HtmlElement) -> str:
    return words_of(cell, SHORT, " ").rstrip(":： ").replace(" ", "")


def _clear_words(body: html.HtmlElement) -> None:
    """Remove blocks that are recognised by their first words."""
    sizes: dict[html.HtmlElement, tuple[int, int]] = {}  # code points and elements, in linear time
    for element in reversed(list(body.iterdescendants())):  # children before their parents
        size, parts = sizes.get(element, (0, 0))
        size += len((element.text or "").strip())
        sizes[element] = size, parts
        if (parent := element.getparent()) is not None:
            before, more = sizes.get(parent, (0, 0))
            sizes[parent] = before + size + len((element.tail or "").strip()), more + parts + 1
    blocks = [box for box in body.iterdescendants(*_ROWS) if 0 < sizes[box][0] <= SHORT and sizes[box][1] <= MAX_PARTS]
    for box in blocks:  # outer before inner
        if box.getparent() is None:
            continue
        least = _least_linked(words_of(box, SHORT, " "))
        if least <= 0 or (least < math.inf and least <= sum(len(words_of(a, SHORT, " ")) for a in box.iter("a"))):
            box.drop_tree()
    for heading in list(body.iter("h2", "h3", "h4", "h5", "strong")):
        parent = heading.getparent()
        if parent is None or parent.tag not in ("section", "div") or parent is body or parent.index(heading) > 1:
            continue
        if _COMMENTS.fullmatch(words_of(heading, SHORT, " ")):
            parent.drop_tree()


@lru_cache(maxsize=10_000)  # the pages of a site repeat its boxes
def _least_linked(words: str) -> float:
    """Return how many code points of a box with these words must be in links if it is not text; infinity if it is."""
    if _RIGHTS.match(words):
        return 0
    if _SENTENCE.search(words):
        return math.inf
    if _PATH.fullmatch(words):
        return 0
    if _OTHERS.match(words):
        return OTHERS * len(words)
    if _MARK.match(words):
        return LINKED * (len(words) - 2)
    if _NEIGHBOUR.match(words):  # the previous or next post
        return 0 if "없습니다" in words else 1
    return 1 if _FILES.match(words) else math.inf
