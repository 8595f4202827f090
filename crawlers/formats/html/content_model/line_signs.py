"""Describe the words of a line: its end, its letters, and signs of boilerplate."""

from __future__ import annotations

import re

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


def ends_sentence(text: str) -> bool:
    """Whether a line ends as a sentence does, and is not cut off."""
    return bool(_ENDS.search(text[-8:])) and not text.endswith(CUT)


def describe_text(text: str, shape: str) -> list[str]:
    """Return features of the words of a line; `shape` is its length and the share of its links, as buckets."""
    head = text[:READ]
    end = _end_of(text)
    hangul = len(_HANGUL.findall(head)) / len(head) if head else 0.0
    features = [
        f"end:{end}",
        f"end+len:{end}:{shape}",
        f"hangul:{int(5 * hangul)}",
    ]
    digits = len(_DIGIT.findall(head)) / max(1, len(head))
    if digits > 0.15:
        features.append("digits")
    if _NUMBERED.match(head):
        features.append("numbered")
    if text[:3] == "```":
        features.append("code")
    return features


def _end_of(text: str) -> str:
    if text.endswith(CUT):
        return "cut"
    if _ENDS.search(text[-8:]):
        return "dot"
    if _CLOSES.search(text[-8:]):
        return "says"
    return "colon" if text[-1:] in ":：" else "open"


def find_signs(text: str) -> list[str]:
    """Return the names of the signs that the beginning of a line has."""
    head = text[:READ]
    return [name for name, sign in _SIGNS.items() if sign.search(head)]


def size_of(shape: str) -> str:
    """Return the length of a line as one of three sizes."""
    return "s" if shape[0] <= "c" else "m" if shape[0] <= "e" else "l"
