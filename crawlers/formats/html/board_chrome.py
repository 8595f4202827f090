"""Remove the boilerplate around a post of a Korean board: fields, files, adjacent posts, surveys, licence, comments."""

from __future__ import annotations

import re
from itertools import islice

from lxml import etree, html

from crawlers.formats.html.layout import words_of

SHORT = 300  # code points; a longer block is not a field, an adjacent-post link or a licence block
SURVEY = 800  # code points of a survey with its answers
MAX_PARTS = 200  # elements in such a box
MAX_ROWS = 20_000  # rows of tables inspected per page
MAX_CHOICES = 60  # survey answers inspected per page
NEAR = 10  # ancestors of an answer in which its question is searched
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


def clear(body: html.HtmlElement) -> str:
    """Remove the boilerplate in place. Labelled fields become a heading and a byline above the text; return the byline.

    >>> cells = "<tr><th>제목<td>낱말<tr><th>작성자<td>솔방울<th>조회수<td>7<tr><td colspan=4>들에서 쓰는 말이다."
    >>> page = html.fragment_fromstring(f"<div><table>{cells}</table></div>")
    >>> clear(page)
    '작성자 솔방울 조회수 7'
    >>> page.text_content()
    '낱말작성자 솔방울 조회수 7들에서 쓰는 말이다.'
    """
    rows = [MAX_ROWS]
    bylines = [_clear_fields(table, rows) for table in list(body.iter("table"))]
    bylines += [_clear_list(listed) for listed in list(body.iter("dl"))]
    _clear_survey(body)
    etree.strip_elements(body, "input", with_tail=False)
    _clear_words(body)
    return next(filter(None, bylines), "")


def _clear_words(body: html.HtmlElement) -> None:
    """Remove blocks that are recognised by their first words."""
    for box in _find_small_boxes(body):
        if box.getparent() is None:
            continue
        words = words_of(box, SHORT, " ")
        if _RIGHTS.match(words) or (
            not _SENTENCE.search(words) and (_PATH.fullmatch(words) or _leads_away(box, words))
        ):
            box.drop_tree()
    for heading in list(body.iter("h2", "h3", "h4", "h5", "strong")):
        parent = heading.getparent()
        if parent is None or parent.tag not in ("section", "div") or parent is body or parent.index(heading) > 1:
            continue
        if _COMMENTS.fullmatch(words_of(heading, SHORT, " ")):
            parent.drop_tree()


def _leads_away(box: html.HtmlElement, words: str) -> bool:
    """Whether the box links to the previous or next post, or to files."""
    linked = sum(len(words_of(anchor, SHORT, " ")) for anchor in box.iter("a"))
    if _OTHERS.match(words):
        return linked >= OTHERS * len(words)
    if _MARK.match(words):
        return linked >= LINKED * (len(words) - 2)
    return bool(_NEIGHBOUR.match(words) and (linked or "없습니다" in words)) or bool(_FILES.match(words) and linked)


def _find_small_boxes(body: html.HtmlElement) -> list[html.HtmlElement]:
    """Return the boxes with few words and few elements, outer before inner, in linear time."""
    sizes: dict[html.HtmlElement, tuple[int, int]] = {}
    for element in reversed(list(body.iterdescendants())):  # children before their parents
        words, parts = sizes.get(element, (0, 0))
        words += len((element.text or "").strip())
        sizes[element] = words, parts
        if (parent := element.getparent()) is not None:
            before, more = sizes.get(parent, (0, 0))
            sizes[parent] = before + words + len((element.tail or "").strip()), more + parts + 1
    return [box for box in body.iterdescendants(*_ROWS) if 0 < sizes[box][0] <= SHORT and sizes[box][1] <= MAX_PARTS]


def _clear_fields(table: html.HtmlElement, left: list[int]) -> str:
    """Move rows of labels and values to the byline; a table needs two such fields to count as a board's."""
    rows = []
    for row in table.iter("tr"):
        left[0] -= 1
        if left[0] < 0:
            return ""
        if next(row.iterancestors("table"), None) is table:
            rows.append((row, _pairs(row)))
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


def _clear_list(listed: html.HtmlElement) -> str:
    terms, values = list(listed.iter("dt")), list(listed.iter("dd"))
    labels = [_label(term) for term in terms]
    if not labels or len(terms) != len(values) or not all(label in _FIELDS - {"내용"} for label in labels):
        return ""
    if not any(label in _BYLINE for label in labels):
        return ""
    found = [(label, words_of(value, SHORT)) for label, value in zip(labels, values, strict=True)]
    byline = _put_above(listed, found)
    listed.drop_tree()
    return byline


def _put_above(box: html.HtmlElement, values: list[tuple[str, str]]) -> str:
    title = next((value for label, value in values if label in _TITLE), "")
    byline = " ".join(f"{label} {value}" for label, value in values if label in _BYLINE and value)
    for tag, words in (("h2", title), ("p", byline)):
        if words:
            line = box.makeelement(tag)
            line.text = words
            box.addprevious(line)
    return byline


def _clear_survey(body: html.HtmlElement) -> None:
    """Remove the smallest box around multiple-choice answers of a satisfaction survey."""
    choices = (choice for choice in body.iter("input") if (choice.get("type") or "").lower() == "radio")
    for choice in list(islice(choices, MAX_CHOICES)):
        for box in islice(choice.iterancestors("fieldset", "form", "div", "section"), NEAR):
            words = words_of(box, SURVEY, " ")
            if not words or box is body or box.getparent() is None:
                break
            if _SURVEY.search(words):
                box.drop_tree()
                break


def _label(cell: html.HtmlElement) -> str:
    return words_of(cell, SHORT, " ").rstrip(":： ").replace(" ", "")
