"""Sentences that forbid: no copying, no free use, no training. Only standing alone, never in running prose."""

from __future__ import annotations

import re

from crawlers.rights.place import Run

MAX_NOTICE = 300  # code points of a run in the item; a longer one is prose that speaks about the words

_FORBIDDEN = r"(?:금지|금함|금합니다|금한다|불허|불가|허용하지\s?않|할\s?수\s?없|안\s?됩니다|법적\s?(?:책임|제재|처벌))"
_COPYING = re.compile(
    rf"무단\s?(?:으로\s)?(?:전재|복제|배포|도용|전송|사용|이용|게재|수집|복사)[^.]{{0,60}}{_FORBIDDEN}"
    r"|무단\s?전재\s?(?:및|와|[-·∙ㆍ,&/])?\s?(?:DB|재\s?배포)"
    r"|(?:전재|재\s?배포|복제|수집)[^.]{0,12}(?:금지|금합니다|불허)"
    rf"|(?:허락|동의|허가|승인)\s?없이[^.]{{0,40}}(?:전재|복제|복사|배포|이용|사용|게시|인용|전송)[^.]{{0,40}}{_FORBIDDEN}"
    r"|(?:unauthori[sz]ed|without (?:prior )?(?:written )?permission)[^.]{0,60}(?:prohibited|forbidden)"
    r"|(?:reproduction|redistribution|copying)[^.]{0,40}(?:prohibited|forbidden|not permitted|not allowed)",
    re.I,
)
_RESERVED = re.compile(r"all\s?rights?\s?(?:are\s)?reserved|모든\s?권리를?\s?(?:보유|유보)", re.I)
_NOT_FREE = re.compile(
    r"자유\s?이용(?:을|이|은)?\s?(?:불가|금지|제한|할\s?수\s?없)|자유롭게\s?이용할\s?수\s?없"
    r"|(?:공공누리|자유이용\s?허락)[^.]{0,20}(?:적용되지\s?않|적용하지\s?않|적용\s?(?:대상이|이)?\s?(?:안|아니|아닙|제외|불가))"
)
_TRAINING = re.compile(
    r"(?:AI|A\.I\.|인공지능|기계\s?학습|머신\s?러닝|생성형)[^.]{0,30}(?:학습|훈련|개발|이용|활용|사용|수집)"
    rf"[^.]{{0,30}}{_FORBIDDEN}"
    rf"|(?:학습|훈련)\s?데이터[^.]{{0,30}}{_FORBIDDEN}"
    r"|(?:not be used|prohibited)[^.]{0,40}\btrain"
    r"|(?:\bno\b|prohibited)[^.]{0,30}(?:AI|machine learning|model)[ -]?training"
    r"|(?:AI|machine learning|model)[ -]?training[^.]{0,30}(?:prohibited|forbidden|not permitted|not allowed)",
    re.I,
)
_PICTURE = re.compile(r"사진|이미지|그림|영상|삽화|글꼴|폰트|로고")
_TEXT = re.compile(r"글|기사|텍스트|본문|콘텐츠|컨텐츠|자료|저작물|게시물|내용|문서|뉴스")
_RESALE = re.compile(r"(?:할\s?수\s?있|가능)[^.]{0,60}재판매")  # a condition of the AI type, which allows training
_MAIL = re.compile(r"(?:이메일|전자\s?우편|메일)[^.]{0,12}(?:무단|수집)")  # a notice against collecting addresses
_ENDS = re.compile(r"(?:이?라고|이?라는|이?란|다는|는지|라며|는다면|려면|[?？])(?:\s|$|[^가-힣]{0,3}$)")


def refusal(run: Run) -> str:
    """What a run forbids: "training", "copying", "free-use", "reserved", or "" where it forbids nothing.

    A notice about pictures alone is not about the text, and one that is quoted or asked about
    forbids nothing: 「'무단전재 금지'라는 문구」.
    """
    text = run.text[:2_000]
    prose = len(text) > MAX_NOTICE and run.state.mark is None and run.state.part != "site"
    if not text or prose or _ENDS.search(text):
        return ""
    if _PICTURE.search(text) and not _TEXT.search(text):
        return ""
    if _TRAINING.search(text) and not _RESALE.search(text):
        return "training"
    if _NOT_FREE.search(text):
        return "free-use"
    if _COPYING.search(text) and not _MAIL.search(text):
        return "copying"
    return "reserved" if _RESERVED.search(text) else ""


def forbids(value: str) -> bool:
    """Whether a value of a field refuses, or reserves all rights.

    >>> forbids("무단 전재 및 재배포 금지"), forbids("ⓒ 가나 출판사. All rights reserved."), forbids("가나 출판사")
    (True, True, False)
    """
    text = value[:2_000]
    return any(words.search(text) for words in (_COPYING, _RESERVED, _NOT_FREE, _TRAINING))
