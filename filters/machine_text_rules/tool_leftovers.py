"""Find tool residue in a text: the frame of a chat program's answer, empty fields, open particles, a notice as a page.

People quote all of it, to report an error, to teach, to tell the news. So text inside quotation marks or inline code
does not count.
"""

from __future__ import annotations

import re
from itertools import pairwise

import re2

from malmoi.document import Morphemes

# Quotation marks and back quotes around at most 300 code points of a line; their content is someone else's text.
_QUOTED = re.compile(
    r"\"[^\"\n]{1,300}\"|“[^“”\n]{1,300}”|‘[^‘’\n]{1,300}’|`[^`\n]{1,300}`|「[^「」\n]{1,300}」|『[^『』\n]{1,300}』|"
    r"(?<![^\s(,.])'[^'\n]{1,120}'"
)
_MARK = "\u241f"  # replaces a quotation, so that its neighbours do not join

# Tool residue: an answer of a chat program, a statement of being an AI, an empty field.
_RESIDUE = re2.compile(
    r"(?:AI|인공지능)\s?(?:언어\s?)?모델로서,?\s(?:저|제|나는|개인|감정|실시간)|"
    r"(?:저는|제가)\s(?:.{0,12}\s)?(?:AI|인공지능)\s?(?:언어\s?)?모델(?:로서|이기\s때문|이므로|이라|입니다)|"
    r"요청하신\s.{0,40}(?:작성|정리|번역)해\s?(?:드리겠|드렸|드릴게|보았)|"
    r"(?:다음은|아래는)\s.{0,10}요청하신\s.{0,30}(?:글|소개문|기사|요약|번역|초안|이야기|보고서)입니다|"
    r"이\s(?:기사|글|리뷰|게시물|문서|요약)[은는]\s.{0,20}자동(?:으로)?\s?(?:생성|작성)(?:된|되었|됨|\s시스템)|"
    r"\[[가-힣]{2,6}\s이름\]|\[여기에\s.{1,20}(?:삽입|입력)\]|Invalid Date|\[object Object\]|"
    r"(?:null|undefined|NaN)\s?(?:님|원|개|명|건|회|년|월|점|%)(?:$|[^가-힣]|[은는이가을를의에로과와도입])"
)
_FIELD = re2.compile(r"\[|Invalid|null|undefined|NaN")  # a field is not an answer, at any position
# Opening and closing sentences of a chat program; people write one or the other, hardly both.
_OPENS = re2.compile(
    r"^(?:물론(?:입니다|이죠)!|네, (?:알겠|이해했)습니다!)|"
    r"^(?:다음은|아래는)\s.{1,40}(?:요약|초안|번역|예시|글|목록)입니다"
)
_CLOSES = re2.compile(
    r"(?:추가로|더)\s궁금(?:한|하신)\s(?:점|사항)이\s있으시면\s언제든지?\s(?:말씀해|물어|질문해)|"
    r"(?:정보|내용|조건|키워드)[를을]\s(?:더\s)?(?:제공해|알려|말씀해)\s?주시면\s.{0,40}(?:작성|추천|정리|요약|세워|맞춤|드릴\s수)|"
    r"더\s(?:길게|짧게|자세히)\s작성하거나|톤을\s(?:변경|바꾸|조정)"
)
_ENDS = 0.4  # a frame at one end does not decide; at both ends (0.8) it does
_UNFILLED = re.compile(r"\{[a-z_]{2,30}\}\s?[가-힣]")
# A particle that leaves its form to the reader, as only a template does; after a Latin name people do it too.
_SLOT = re2.compile(
    r"[^A-Za-z](?:은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|과\(와\)|와\(과\)|\(으\)로|\(이\)라|\(이\)나)"
)
_OPEN = re2.compile(r"\((?:은|는|이|가|을|를|과|와|으)\)")

# A page that explains why it shows nothing: it lacks a script, consent, payment or the page.
_NOTICE = re2.compile(
    r"(?:자바스크립트|JavaScript)(?:를|을)\s(?:켜|허용|활성화|사용)|쿠키\s정책|모든\s쿠키를|(?:필수|분석|마케팅|광고)\s쿠키|"
    r"(?:당사|저희|사이트|페이지|우리)[는은가]\s.{0,40}쿠키를\s사용|(?:유료|정)\s?(?:회원|구독자)만|회원만\s(?:보|열람|이용)|"
    r"(?:페이지|문서|게시물)[를을]\s찾을\s수\s없|로그인이\s필요|로그인\s?후\s(?:이용|확인|열람)|(?:접근|열람)(?:할|하실)?\s권한이\s없|"
    r"오류\s코드|주소가\s(?:잘못|변경)|(?:삭제|이동|변경)되었(?:거나|을\s수)|존재하지\s않는\s페이지|구독자이신가요|구독을\s신청해"
)
_BESIDE = re2.compile(
    r"로그인(?:하|해)|이전\s페이지로|홈으로|다시\s(?:시도|확인)해|고객\s?센터|불편을\s드려|해지하실|결제\s수단을|첫\s달은|"
    r"무제한으로|설정에서|자세한\s내용은|쿠키는|(?:입력|주소가)\s.{0,20}확인해"
)
_SHORT_PAGE = 600  # code points; our choice: a notice with its advice has 100 to 400
# Three jamo or more in a row, of three kinds: random typing; laughter and sobs have one or two.
_JAMO = re.compile(r"[ㄱ-ㅎㅏ-ㅣ]{3,60}")
_KEYS = ("ㅏ", "ㅓ", "ㅣ", "ㅗ", "ㅐ")  # the most frequent vowels in random typing; searched first, being rare
_MIXED = re.compile(r"[ㄱ-ㅎ][ㅏ-ㅣ]|[ㅏ-ㅣ][ㄱ-ㅎ]")  # riddles of initials (ㅅㄱ) have no vowels

# l for 1 and O for 0 in a number; not after a Latin letter or a number, as in part names.
_MISREAD = re2.compile(r"(?:^|[^A-Za-z0-9._-])(?:l[0-9]|[0-9]{1,8}[lO][0-9조항]|l[.인개명년월일])")


def mask_quotes(text: str) -> str:
    r"""Replace each quotation and each inline code of the text with a sign.

    >>> mask_quotes("제목이 'null님 안녕하세요'로 나온다. `null님`") == f"제목이 {_MARK}로 나온다. {_MARK}"
    True
    """
    return _QUOTED.sub(_MARK, text)


def score_residue(text: str, sentences: int) -> float:
    """Score tool residue: 0, 0.6 for one place in the middle, more for several."""
    if not _RESIDUE.search(text):
        return 0.0
    plain = mask_quotes(text)
    found = [m.start() for m in _RESIDUE.finditer(plain)]
    if not found:
        return 0.0
    if len(found) == 1 and (_FIELD.search(plain[found[0] : found[0] + 10]) or not _is_near_edge(plain, found[0])):
        return min(0.6, 6.0 / sentences)
    return min(3.0, max(1.0, 6.0 * len(found) / sentences))


def _is_near_edge(text: str, at: int) -> bool:
    """Whether an offset is in the first two sentences or the last, where a greeting or 물론입니다! may precede it."""
    return len(re.findall(r"[.!?]\s", text[:at])) < 2 or not re.search(r"[.!?]\s+\S", text[at:])


def score_chat_frame(text: str, found: Morphemes) -> float:
    """Score first and last sentence as those of a chat program: 0, 0.4 for one, 0.8 for both."""
    if len(found.sentence_start) < 2:
        return 0.0
    first = text[found.sentence_start[0] : found.sentence_end[0] + 60]
    last = text[found.sentence_start[-2] : found.sentence_end[-1]][-400:]
    return _ENDS * (bool(_OPENS.search(first[:200])) + bool(_CLOSES.search(last)))


def score_empty_fields(text: str, sentences: int) -> float:
    """Score empty fields such as {name}; each counts a quarter of other residue, as people write about them too."""
    return min(3.0, 1.5 * len(_UNFILLED.findall(mask_quotes(text))) / sentences) if "}" in text else 0.0


def count_open_particles(text: str) -> int:
    """Count the particles that leave their form to the reader.

    >>> count_open_particles("고구마은(는) 채소다. '은(는)'은 조사다. LibreOffice은(는)")
    1
    """
    return len(_SLOT.findall(mask_quotes(text))) if _OPEN.search(text) else 0


def is_notice(text: str, found: Morphemes) -> bool:
    """Whether most sentences of a short page, at least two, explain why it shows nothing or how to proceed."""
    if len(text) > _SHORT_PAGE or not _NOTICE.search(text):
        return False
    bounds = [*found.sentence_start, len(text)]
    sentences = [text[a:b] for a, b in pairwise(bounds)]
    core = [bool(_NOTICE.search(s)) for s in sentences]
    beside = [bool(_BESIDE.search(s)) for s in sentences]
    return sum(core) >= 2 and 2 * sum(a or b for a, b in zip(core, beside, strict=True)) > len(sentences)


def jamo_rate(text: str) -> float:
    """Return unreadable rows of jamo per word.

    >>> jamo_rate("ㅁㄴㅇㄹ ㅣㅏㅁㄴㅇ ㅋㅋㅋㅋ ㅠㅠㅠ"), jamo_rate("초성 ㅅㄱㄹ 문제")
    (0.5, 0.0)
    """
    if not any(vowel in text for vowel in _KEYS):
        return 0.0
    rows = [row for row in _JAMO.findall(text) if len(set(row)) > 2]
    if not any(map(_MIXED.search, rows)):
        return 0.0
    return len(rows) / (text.count(" ") + text.count("\n") + 1)


def scan_error_rate(text: str) -> float:
    """Return numbers scanned partly as letters (l989, 45O), per word; 0 if there are fewer than three.

    >>> scan_error_rate("l989년 l2월 l일에 제2O조를 고쳤다"), scan_error_rate("물 3l와 CO2")
    (0.8, 0.0)
    """
    count = len(_MISREAD.findall(text)) if "l" in text or "O" in text else 0
    return count / (text.count(" ") + text.count("\n") + 1) if count > 2 else 0.0
