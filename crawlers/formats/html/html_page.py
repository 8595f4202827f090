"""Parse a web page once, and extract its running text: the lines that the model of main content keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace

from lxml import html

from crawlers.encodings.decode import Decoded, decode
from crawlers.formats.html import broken_markup, html_tree, page_kind, page_metadata, second_reader
from crawlers.formats.html.host_template import Reading
from crawlers.formats.html.layout import GONE, strip, unwrap_tables
from crawlers.formats.html.line_model import BlockModel, choose_lines, load_model
from crawlers.formats.html.main_content import HEADINGS, OPENING, prepare
from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.script_data import article_candidates, script_article
from crawlers.formats.html.text_lines import lines_with_marks, lines_with_places, plain_lines
from crawlers.formats.html.text_lines import strip_tags as strip_tags
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

MIN_OWN = 0.2  # minimum share of the extracted text outside links; a list of pages is not a text
SHORT_NOTE = 100  # characters outside links; less beside many links is a note, such as a licence mark
MANY_LINKS = 10
# The marks around the fields above a page in the sources of a site generator, and how far they are apart.
_FRONT_MARK = re.compile(r"^---[ \t]*\r?\n", re.MULTILINE)
MAX_FRONT = 20_000  # code points
HEAD_LINES = 3  # leading lines in which the heading of a page is searched
# The byline of a Korean page (작성자 … 작성일 …) is metadata.
FIRST = 5  # number of leading lines searched for a byline
MAX_NAME = 20  # code points; a longer value is not a name or a department
_AUTHOR = ("작성자", "글쓴이", "등록자", "게시자", "기자명")
_PLACE = ("담당부서", "작성부서", "담당자", "담당 부서")
_DATE = (
    "작성일시", "작성일자", "등록일시", "등록일자", "작성일", "등록일", "게시일", "수정일",
    "기사입력", "최초입력", "최종수정", "입력", "승인", "수정", "등록",
)  # fmt: skip
_COUNT = ("조회수", "조회")
_LABELS = "|".join((*_AUTHOR, *_PLACE, *_DATE, *_COUNT))
_LABEL = re.compile(rf"(?:^|(?<=[\s|·,/]))({_LABELS})(?=[\s:：]|$)\s{{0,3}}([:：]?)")
_ENTRY = re.compile(r"[-·•*○ㆍ]\s{0,3}")  # an entry of a list that holds only fields
_TIME = re.compile(r"[\d.\-/:\s년월일시분초]{6,30}(?:\([월화수목금토일]\)[\d:\s]{0,10})?")
_NUMBER = re.compile(r"[\d,]{1,12}(?:회|건)?")
_SENTENCE = re.compile(r"[.!?。…「『“\"]")


def parse(item: Item) -> Page:
    """Decode and parse the page of an item; never raises.

    The tree has no comments or processing instructions. A fragment gets an <html> and a
    <body>; an empty or unreadable page gets an empty tree.
    """
    if isinstance(item.body, str):
        text, encoding, replaced = item.body, "", item.body.count("\ufffd")
    else:
        decoded = decode(item.body, item.charset, html=True)
        text, encoding, replaced = decoded.text, decoded.encoding, decoded.replaced
    tree = html_tree.tree_of(broken_markup.repair(_cut_front_matter(text)))
    reason = "" if tree is not None or not text.strip() else "unreadable-html"
    return Page(text, tree if tree is not None else html_tree.empty_page(), encoding, replaced, reason)


def _cut_front_matter(text: str) -> str:
    begin = _FRONT_MARK.match(text)
    end = _FRONT_MARK.search(text, begin.end(), begin.end() + MAX_FRONT) if begin else None
    return text[end.end() :] if end else text


def extract(item: Item) -> Extracted:
    """Extract the running text of a web page, and its metadata.

    Headings, list items ("- …"), table rows ("| … |"), code and paragraphs are separate lines.
    Title, date and author of the item take precedence over those of the page.
    A byline below the heading becomes author and date. Dropped as `undecodable`, `unreadable-html`,
    `links-only` (a page that lists others), `needs-script` (an empty frame that a script fills), `frameset` or
    `no-text`. An article in embedded data only (JSON-LD, framework states, <noscript>) is read
    from there (`script_article`); scripts are not executed.
    """
    return extract_page(item, parse(item))


def extract_page(item: Item, page: Page) -> Extracted:
    """Extract the text of an item that is already parsed."""
    return _extract(item, page, _text)


def extract_with(item: Item, page: Page, model: BlockModel) -> Extracted:
    """Extract the text of an item that is already parsed with another model of main content."""
    return _extract(item, page, lambda page: _text(page, model))


def extract_by(item: Item, page: Page, reading: Reading) -> tuple[Extracted | None, str]:
    """Extract the text with the template of the host; (None, reason) if the page does not fit it."""
    try:
        with input_errors(_to_unreadable, MemoryError):
            text, miss = reading(page)
    except Unreadable:
        text, miss = "", "unreadable"
    return (None, miss) if miss else (_extract(item, page, lambda page: (text, "")), "")


def cut_names(item: Item, page: Page, extracted: Extracted, names: frozenset[str]) -> Extracted:
    """Return the extraction of a page with a title without the names of its site, given as digests.

    A title that the item states stays as it is.
    """
    if item.title or extracted.outcome != "kept" or not page_metadata.has_name(extracted.title, names):
        return extracted
    found = page_metadata.read(page.tree, item.url)
    title = page_metadata.find_title(found.title, found.heading, extracted.text, page.tree, item.url, names)
    return replace(extracted, title=title)


def _extract(item: Item, page: Page, read: Callable[[Page], tuple[str, str]]) -> Extracted:
    found = page_metadata.Metadata()
    text = title = author = date = kind = ""
    reason = page.reason
    if Decoded(page.text, page.encoding, page.replaced).is_undecodable:
        reason = "undecodable"
    elif not reason:
        try:
            with input_errors(_to_unreadable, MemoryError):
                found = page_metadata.read(page.tree, item.url)
                shown, reason = _read_shown(page, read)
                text, reason = script_article.choose(page, found, shown, reason, main_text)
                if reason == "no-text" and (text := second_reader.read_again(page.tree)):
                    shown, reason = text, ""
                kind, reason = page_kind.judge(page, found, item.url, text, reason, carried=text is not shown)
        except Unreadable as said:
            reason = said.reason
        text, author, date = split_byline(text)
        title = page_metadata.find_title(found.title, found.heading, text, page.tree, item.url)
    return Extracted(
        text=text if not reason else "",
        title=item.title or title,
        date=item.date or found.date or date,
        author=item.author or found.author or author,
        format="html",
        encoding=page.encoding,
        canonical=found.canonical,
        outcome="dropped" if reason else "kept",
        reason=reason,
        page_kind=kind,
    )


def _read_shown(page: Page, read: Callable[[Page], tuple[str, str]]) -> tuple[str, str]:
    """Return the visible text; of markup that the extraction cannot read, all words of the page if they are prose."""
    try:
        with input_errors(_to_unreadable, MemoryError):
            return read(page)
    except Unreadable:
        text = article_candidates.extract_prose(plain_lines(page.tree))
        if not text:
            raise
        return text, ""


def _to_unreadable(_: str) -> Unreadable:
    """Exceptions of lxml on a tree are caused by the page."""
    return Unreadable("unreadable-html")


def main_text(tree: html.HtmlElement, model: BlockModel | None = None) -> tuple[str, str]:
    """Return the running text of a parsed page, and "" or the reason for having none: `links-only` or `no-text`.

    `model` decides which lines are main content; without one, the delivered model. The tree is not changed.
    """
    frame = prepare(tree)
    if frame is None:
        return "", "no-text"
    lines = lines_with_places(frame.body)
    kept = [line for line, keep in zip(lines, choose_lines(lines, frame, model or load_model()), strict=True) if keep]
    running = (line for line in kept if 2 * line.linked < len(line.text) and line.owner.tag not in HEADINGS)
    own, linked = sum(len(line.text) - line.linked for line in running), frame.linked.get(frame.box, 0)
    if linked > own and (own < MIN_OWN * (own + linked) or (own < SHORT_NOTE and frame.links >= MANY_LINKS)):
        return "", "links-only"
    if not kept:
        return "", "no-text"
    text = "\n".join(line.text for line in kept)
    if frame.heading and not _has_heading(text, frame.heading):
        text = f"{frame.heading}\n{text}"
    first, _, rest = text.partition("\n")
    if frame.byline and frame.byline not in text and rest:
        text = f"{first}\n{frame.byline}\n{rest}"  # where `split_byline` looks for it
    return text, ""


def _has_heading(text: str, heading: str) -> bool:
    """Whether the heading is among the first lines, before running text."""
    for line in text.split("\n", HEAD_LINES)[:HEAD_LINES]:
        if line == heading:
            return True
        if len(line) >= OPENING:
            break
    return False


def read_box(box: html.HtmlElement) -> str:
    """Return all lines of an element that a source declares to be the text; `box` is not changed.

    Tables and lists are written as in Markdown, layout tables as paragraphs. The titles, scripts and styles of a page
    that was put into another are left out.

    >>> page = "<div><title>쪽</title><style>p{}</style><p>하나</p><table><tr><td>둘</table></div>"
    >>> read_box(html.fragment_fromstring(page))
    '하나\\n둘'
    """
    box = copy(box)
    box.tail = None
    for part in list(box.iter("title", "script", "style", "noscript", "template", "button", "select")):
        part.tag = GONE
    strip(box)
    unwrap_tables(box)
    return lines_with_marks(box)


def _text(page: Page, model: BlockModel | None = None) -> tuple[str, str]:
    if page.tree.find("body") is None and next(page.tree.iter("frameset"), None) is not None:
        inside = "\n".join(plain_lines(box) for box in page.tree.iter("noframes"))
        text = article_candidates.extract_prose(inside)
        return text, "" if text else "frameset"
    try:
        return main_text(page.tree, model)
    except RecursionError:  # lists nested hundreds deep
        flat = html_tree.parse_flat(page.text)
        return main_text(flat, model) if flat is not None else ("", "no-text")


def split_byline(text: str) -> tuple[str, str, str]:
    """Return the text without its byline, and the author and ISO date in the byline ("" if it has none).

    A byline is a line among the first five that consists of labelled fields only, at
    least one of them a date or a count; a line with only a name counts if it has a colon or is beside such a line.
    The first line is never a byline.

    >>> split_byline("주차 안내\\n작성자 안내 담당 작성일 2026.01.19\\n주차장이 좁습니다.")
    ('주차 안내\\n주차장이 좁습니다.', '안내 담당', '2026-01-19')
    >>> split_byline("주차\\n작성자 마음대로 쓴다.")[0]
    '주차\\n작성자 마음대로 쓴다.'
    """
    lines = text.split("\n")
    head = lines[:FIRST]
    fields = [_fields(line) if place else {} for place, line in enumerate(head)]
    sure = [bool(pairs) and any(label in (*_DATE, *_COUNT, ":") for label in pairs) for pairs in fields]
    gone = [
        place
        for place, pairs in enumerate(fields)
        if pairs and (sure[place] or any(sure[near] for near in (place - 1, place + 1) if 0 < near < len(sure)))
    ]
    values = [pair for place in gone for pair in fields[place].items()]
    author = next((value for label, value in values if label in _AUTHOR), "")
    date = next((day for label, value in values if label in _DATE and (day := page_metadata.iso_date(value))), "")
    kept = [line for place, line in enumerate(head) if place not in gone]
    return "\n".join((*kept, *lines[FIRST:])) if gone else text, author, date


def _fields(line: str) -> dict[str, str]:
    """Return the labelled fields of a line, {} if it holds anything else; key ":" is present if a colon was used."""
    if mark := _ENTRY.match(line):
        line = line[mark.end() :]
    labels = list(_LABEL.finditer(line)) if len(line) <= 200 else []
    if not labels or line[: labels[0].start()].strip(" |·"):
        return {}
    fields: dict[str, str] = {}
    ends = [*(label.start() for label in labels[1:]), len(line)]
    for label, end in zip(labels, ends, strict=True):
        name, value = label.group(1), line[label.end() : end].strip(" |·,/")
        if name in _DATE:
            fits = bool(page_metadata.iso_date(value)) and bool(_TIME.fullmatch(value))
        elif name in _COUNT:
            fits = bool(_NUMBER.fullmatch(value))
        else:
            fits = 0 < len(value) <= MAX_NAME and not _SENTENCE.search(value)
        if not fits:
            return {}
        fields[name] = value
        if label.group(2):
            fields[":"] = ""
    return fields
