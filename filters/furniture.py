"""Take away whole lines that belong to the page and not to the text: share buttons, tails, crumbs.

A line goes only when all of it is furniture and it is short. What a sentence says about
sharing, printing or copyright stays, and so does every line that no rule names.
"""

from __future__ import annotations

import re

import re2

from filters.params import Chars
from malmoi.document import Document, Edit, Edits

VERSION = 1
LIBRARIES = ("google-re2",)

_MARK = r"(?:[▶▷◀◁☞※■□▲▼△▽●○◆◇·•|<>\[\]()ⓒ©\-–—*]|\s)*"
_SEP = r"\s*(?:[|·/,ㅣ•:]\s*)?"
_BUTTON = (
    r"(?:공유|인쇄|프린트|스크랩|목록|본문|댓글|좋아요|추천|신고|카카오톡|카카오스토리|페이스북|트위터|네이버\s?블로그|밴드|"
    r"이메일|메일|링크|URL|url|주소|글자\s?크기|확대|축소|글씨|크게|작게|닫기|더보기|복사|보내기|구독|기사)"
)
_ANY = rf"{_BUTTON}(?:하기)?"
_SHARE = r"(?:공유|스크랩|신고|카카오톡|카카오스토리|페이스북|트위터)(?:하기)?"  # one of these must be there
_CRUMB = r"[^<>›»▸\n.?!]{1,20}"

# (name, the whole line). A name is the reason of the edit. Written from what stood on Korean
# news, agency and blog pages; reference/measured-library-choices.md section 1 lists the tails.
RULES: tuple[tuple[str, str], ...] = (
    (
        "copyright-tail",
        r"(?:.{0,60}?[\s,.\-–—:|>)\]]|)(?:무단\s?(?:전재|복제|배포)|무단으로\s?전재)[가-힣\s,·/및∙ㆍAI]{0,30}(?:금지|금합니다|불허)"
        r"(?:합니다|됩니다)?[\s.)\]>]*(?:ⓒ.{0,40})?",
    ),
    (
        "copyright-tail",
        r"(?:(?i:copyrights?)|저작권자)\s?[:(]?\s?[ⓒ©].{0,80}|(?i:copyright).{1,60}(?i:all\s?rights?\s?reserved)\.?|[ⓒ©]\s?.{1,60}(?i:all\s?rights?\s?reserved)\.?",
    ),
    ("copyright-tail", r"(?i:all\s?rights?\s?reserved)\.?"),
    ("copied-notice", r"(?:기사\s?)?(?:URL|url|주소|링크)(?:이|가)?\s?복사\s?(?:되었습니다|됐습니다|완료)[.!]?"),
    # The mark itself is kept as licence evidence before any text is cleaned.
    (
        "licence-mark",
        r"(?:본|이|해당|위)\s?(?:저작물|공공저작물|자료|게시물|콘텐츠)[은는이]\s.{0,50}공공누리.{0,60}(?:이용|사용)\s?(?:할\s수\s있|하실\s수\s있|가능합)"
        r"(?:습)?니다\.?",
    ),
    (
        "share-buttons",
        rf"{_MARK}(?:(?:기사|이\s?글|페이지|SNS|URL|url|링크|{_BUTTON})\s?)?(?:(?:으로|에)\s)?"
        rf"(?:공유하기|스크랩하기|퍼가기|링크\s?복사|URL\s?복사|주소\s?복사){_MARK}",
    ),
    (
        "share-buttons",
        rf"{_MARK}(?:(?:{_ANY}{_SEP})+{_SHARE}|{_SHARE}{_SEP}{_ANY})(?:{_SEP}{_ANY})*{_MARK}",
    ),
    (
        "text-size",
        r"(?:글자|글씨|폰트)\s?(?:크기)?\s?(?:크기\s?(?:조절|변경|설정)|크게(?:\s?보기)?|작게(?:\s?보기)?|확대|축소|키우기|줄이기|[+\-])",
    ),
    (
        "neighbours",
        rf"{_MARK}(?:이전|다음)\s?(?:글|기사|페이지|게시물|목록){_MARK}(?:[|/·\s]*(?:이전|다음)\s?(?:글|기사|페이지|게시물|목록){_MARK})?",
    ),
    ("neighbours", r"(?:이전|다음)\s?(?:글|기사|게시물)\s?[:▲▼|].{0,60}(?:없습니다\.?)?"),
    ("neighbours", r"(?:이전|다음)\s?(?:글|기사|게시물)이\s없습니다\.?"),
    (
        "related",
        rf"{_MARK}(?:관련\s?(?:기사|뉴스|글|링크)|주요\s?뉴스|인기\s?(?:기사|뉴스|글)|많이\s?본\s?(?:기사|뉴스|글)|최신\s?(?:기사|뉴스|글)){_MARK}",
    ),
    ("crumbs", rf"(?:현재\s?위치\s?[:>]?\s*)?(?:홈|HOME|Home|메인|처음)(?:으로)?\s*(?:[>›»▸]\s*{_CRUMB}){{1,8}}"),
    (
        "jump-link",
        r"(?:본문|주메뉴|메인\s?메뉴|하단\s?메뉴|콘텐츠|컨텐츠|검색|푸터|메뉴)\s?(?:내용\s?)?(?:으로\s)?(?:바로\s?가기|건너뛰기)",
    ),
    (
        "jump-link",
        rf"{_MARK}(?:맨\s?위로|(?:페이지\s?)?(?:상단|맨\s?위)(?:으로)?\s?(?:이동|가기)|TOP|위로\s?가기){_MARK}",
    ),
    (
        "cookies",
        r"(?:저희\s|본\s|이\s)?(?:웹\s?)?(?:사이트|홈페이지|페이지)(?:는|은|에서는|에서)\s.{0,40}쿠키를?\s(?:사용|이용).{0,50}(?:니다|세요)\.?",
    ),
    ("cookies", r"(?:모든\s)?쿠키(?:\s?사용)?(?:를|에|을)?\s?(?:모두\s)?(?:허용|수락|동의|거부)(?:하기|합니다)?"),
    (
        "reader-tools",
        r"(?:로그인|회원\s?가입|회원가입|마이\s?페이지|사이트\s?맵|장바구니|즐겨찾기(?:\s?추가)?)(?:\s*[|·/]?\s*(?:로그인|로그아웃|회원\s?가입|마이\s?페이지|사이트\s?맵|장바구니|고객\s?센터|즐겨찾기|ENGLISH|English))+",
    ),
    (
        "reader-tools",
        r"(?:로그인\s?후\s?(?:이용|작성)(?:해|하실)|댓글을\s(?:입력|작성)해)\s?.{0,12}(?:세요|시오|니다)\.?",
    ),
    ("satisfaction", r"(?:이|현재|본)\s?페이지(?:의|에서)\s.{0,40}만족.{0,16}(?:습니까|하십니까|나요)\??"),
    (
        "counter",
        r"(?:조회(?:\s?수)?|추천(?:\s?수)?|댓글(?:\s?수)?|좋아요)\s?[:|]?\s?[\d,]{1,9}(?:회|건|개)?(?:\s*[|·/]?\s*(?:조회(?:\s?수)?|추천(?:\s?수)?|댓글(?:\s?수)?|좋아요)\s?[:|]?\s?[\d,]{1,9}(?:회|건|개)?)*",
    ),
)
# Words that are a button beside other furniture and a heading elsewhere.
_WEAK = re.compile(
    r"(?:공유|인쇄|프린트|인쇄하기|프린트하기|스크랩|목록|페이스북|트위터|카카오톡|카카오스토리|밴드|댓글|좋아요|이전|다음|닫기|"
    r"더\s?보기|메일|내보내기|확대|축소|글자\s?크기)"
)
# RE2: lines are untrusted, and `re` takes exponential time on a long row of 로그인 or 조회 1.
_RULES = tuple((name, re2.compile(rule)) for name, rule in RULES)
# A line without any of these matches no rule; one look spares twenty.
_GATE = re.compile(
    r"무단|[ⓒ©]|공공누리|저작권자|(?i:rights|copyright)|복사|공유|인쇄|프린트|스크랩|목록|퍼가기|내보내기|댓글|좋아요|추천|카카오|페이스북|트위터|블로그|밴드|"
    r"메일|링크|URL|url|주소|글자|글씨|폰트|확대|축소|닫기|더보기|구독|이전|다음|관련|주요|인기|많이|최신|홈|HOME|Home|메인|처음|"
    r"바로|건너뛰기|위로|상단|TOP|쿠키|로그인|회원|마이|사이트|장바구니|즐겨찾기|만족|조회"
)


def mend(doc: Document, *, max_chars: Chars = 120) -> Edits:
    """Edits that remove lines of page furniture; the reason is the rule's name.

    `max_chars` is the longest line that may go, in code points: a longer one holds a sentence
    of its own. A single button word (`인쇄`) goes only beside another furniture line. The empty
    lines that a removed line would leave go with it.

    >>> from malmoi.document import Provenance
    >>> text = "공장이 문을 열었다.\\n\\n기사 URL이 복사되었습니다."
    >>> mend(Document("x/1", text, Provenance("x", "", "", "", "")))
    (Edit(start=11, end=29, text='', reason='copied-notice'),)
    """
    lines = doc.text.split("\n")
    reasons = _reasons(lines, max_chars)
    if not reasons:
        return ()
    return _removals(lines, reasons)


def rule_of(line: str) -> str:
    """The name of the rule that calls the whole line furniture, or "".

    >>> rule_of("홈 > 알림마당 > 보도자료"), rule_of("무단전재는 왜 금지되었는가.")
    ('crumbs', '')
    """
    line = line.strip()
    if not line or _GATE.search(line) is None:
        return ""
    line = line.encode("utf-8", "replace").decode()  # RE2 takes no lone surrogates
    return next((name for name, rule in _RULES if rule.fullmatch(line)), "")


def _reasons(lines: list[str], max_chars: int) -> dict[int, str]:
    found: dict[int, str] = {}
    weak: set[int] = set()
    written = [i for i, line in enumerate(lines) if line.strip()]
    for i in written:
        if len(lines[i]) > max_chars:
            continue
        if name := rule_of(lines[i]):
            found[i] = name
        elif len(lines[i]) <= 8 and _WEAK.fullmatch(lines[i].strip()):
            weak.add(i)
    for order, i in enumerate(written):
        if i in weak:
            beside = written[max(0, order - 1) : order] + written[order + 1 : order + 2]
            if any(j in found or j in weak for j in beside):
                found[i] = "share-buttons"
    return found


def _removals(lines: list[str], reasons: dict[int, str]) -> Edits:
    edits: list[Edit] = []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    length = starts[-1] - 1
    end_of_kept = 0  # where the text that stays ends, its line break left out
    i = 0
    while i < len(lines):
        if i not in reasons:
            end_of_kept = starts[i] + len(lines[i]) if lines[i].strip() else end_of_kept
            i += 1
            continue
        first = i
        start = starts[i]
        while i < len(lines) and (i in reasons or not lines[i].strip()):
            i += 1
        stop = min(starts[i], length)
        if i == len(lines):
            start = end_of_kept  # nothing follows: the breaks before it go too
        elif end_of_kept and lines[first - 1].strip() and not lines[i - 1].strip():
            stop = starts[i] - 1  # the paragraphs around it stay apart
        edits.append(Edit(start, stop, "", reasons[first]))
    return tuple(edits)
