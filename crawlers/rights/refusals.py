"""Sentences that forbid: no copying, no free use, no training. Only standing alone, never in running prose."""

from __future__ import annotations

import re

from crawlers.rights.place import Run

MAX_NOTICE = 300  # code points of a run in the item; a longer one is prose that speaks about the words

MAX_SHORT = 120  # code points of a notice against commercial use; longer ones tell of other people's licences
_FORBIDDEN = (
    r"(?:금지|금함|금합니다|금한다|불허|불가(?!피|결)|허용하지\s?않|할\s?수\s?없|안\s?됩니다|법적\s?(?:책임|제재|처벌))"
)
# Of training, narrower: "AI를 활용하지 않고는 풀 수 없다" forbids nothing.
_REFUSED = (
    r"(?:금지|금함|금합니다|금한다|불허|불가(?!피|결)|허용하지\s?않|(?:용|학습|수집|개발|훈련)(?:하실|할|될|시킬)\s?수\s?없|안\s?됩니다"
    r"|법적\s?(?:책임|제재|처벌)|(?:용하|학습하|학습시키|수집하|쓰)지\s?(?:마|말)|(?:동의|허락|원)하지\s?않(?:습|음|는다)|거부(?:합니다|함|$))"
)
_COPYING = re.compile(
    rf"무단\s?(?:으로\s)?(?:전재|복제|배포|도용|전송|사용|이용|게재|수집|복사)[^.]{{0,60}}{_FORBIDDEN}"
    r"|무단\s?전재\s?(?:및|와|[-·∙ㆍ,&/])?\s?(?:DB|재\s?배포)"
    rf"|(?:불펌|퍼\s?가|무단\s?도용|(?<![가-힣])펌)[^.]{{0,20}}(?:금지|금합|금함|마세요|마십시오|안\s?됩)"
    r"|(?:전재|재\s?배포|복제|수집)[^.]{0,12}(?:금지|금합니다|불허)"
    rf"|(?:허락|동의|허가|승인)\s?없이[^.]{{0,40}}(?:전재|복제|복사|배포|이용|사용|게시|인용"
    rf"|전송)[^.]{{0,40}}{_FORBIDDEN}"
    r"|(?:unauthori[sz]ed|without (?:prior )?(?:written )?permission)[^.]{0,60}(?:prohibited|forbidden)"
    r"|(?:reproduction|redistribution|copying)[^.]{0,40}(?:prohibited|forbidden|not permitted|not allowed)",
    re.I,
)
_RESERVED = re.compile(r"all\s?rights?\s?(?:are\s)?reserved|모든\s?권리를?\s?(?:보유|유보)", re.I)
_NOT_FREE = re.compile(
    r"자유\s?이용(?:을|이|은)?\s?(?:불가|금지|제한|할\s?수\s?없)|자유롭게\s?이용할\s?수\s?없"
    r"|(?:공공누리|자유이용\s?허락)[^.]{0,20}(?:적용되지\s?않|적용하지\s?않|적용\s?(?:대상이|이)?\s?(?:안"
    r"|아니|아닙|제외|불가))"
)
_AI = (
    r"(?:\bAI\b|A\.I\.|\bLLMs?\b|machine[- ]learning|(?:large |generative )?language[- ]models?"
    r"|artificial intelligence|\bGPT)"
)
_TRAINING = re.compile(
    r"(?:AI|A\.I\.|인공\s?지능|기계\s?학습|머신\s?러닝|딥\s?러닝|생성형|언어\s?모델|LLM)[^.]{0,30}(?:학습"
    r"|훈련|개발|이용|활용|사용|수집)"
    rf"[^.]{{0,30}}{_REFUSED}"
    rf"|(?:학습|훈련)\s?(?:용\s?)?(?:데이터|자료|목적)[^.]{{0,30}}{_REFUSED}"
    rf"|(?:크롤링|스크래핑|스크레이핑|(?:웹\s?)?크롤러|데이터\s?마이닝|자동\s?(?:화된\s?)?수집"
    rf"|봇을\s?이용)[^.]{{0,40}}(?:{_REFUSED}|차단)"
    rf"|(?:학습|크롤링|스크래핑)[^.]{{0,12}}(?:금지|금합니다|금함|불허|거부)"
    rf"|(?:\bnot?\b|never|prohibited|forbidden|without)[^.]{{0,80}}(?:{_AI}[^.]{{0,20}}\btrain"
    rf"|\btrain[^.]{{0,60}}{_AI})"
    rf"|(?:{_AI}[^.]{{0,20}}\btrain|\btrain[^.]{{0,60}}{_AI})[^.]{{0,80}}(?:prohibited|forbidden|\bnot\b"
    rf"|reserved|without)"
    r"|(?:not be used|prohibited)[^.]{0,40}\btrain"
    r"|(?:scrap(?:e|ing)|crawl(?:ing)?|text and data mining|\bTDM\b|data mining)[^.]{0,60}(?:prohibited"
    r"|forbidden|not (?:permitted|allowed)|reserved)"
    r"|(?:\bno\b|not|never|prohibited)[^.]{0,20}(?:scrap(?:e|ed|ing)|crawl(?:ed|ing)?|text and data mining"
    r"|data mining)\b",
    re.I,
)
# That it is for no commercial use, said beside no licence that says so itself.
_COMMERCIAL = re.compile(
    rf"(?:상업|영리)(?:적|용|목적)[^.]{{0,20}}(?:{_FORBIDDEN}|삼가)|비\s?(?:상업|영리)(?:적"
    rf"|용)?[^.]{{0,16}}(?:만\s|만$|으로만|한해|한하여|한정)"
    r"|non-?commercial (?:use|purposes) only|only for non-?commercial|(?:\bno\b"
    r"|\bnot\b)[^.]{0,30}commercial (?:use|purposes)",
    re.I,
)
_LICENCE = re.compile(r"유형|출처\s?표시|공공누리|KOGL|저작자|\bCC|커먼|licen[cs]e", re.I)
_TERM = re.compile(
    r"(?:상업(?:적|용)\s?(?:이용\s?)?금지|변경\s?금지|비\s?영리|[\s+,·/()-]){1,12}"
)  # as legends name the conditions
_PICTURE = re.compile(
    r"사진|이미지|그림|영상|삽화|글꼴|폰트|로고|\bphotos?\b|\bimages?\b|\bpictures?\b|\blogos?\b", re.I
)
_TEXT = re.compile(
    r"글(?!꼴)|기사|텍스트|본문|콘텐츠|컨텐츠|자료|저작물|게시물|내용|문서|뉴스|\btext|content|article"
    r"|page|site|work|material",
    re.I,
)
_RESALE = re.compile(r"(?:할\s?수\s?있|가능)[^.]{0,60}재판매")  # a condition of the AI type, which allows training
_MAIL = re.compile(
    r"(?:이메일|e-?mail|전자\s?우편|메일)[^.]{0,30}(?:무단|수집|추출)", re.I
)  # a notice against collecting addresses
_ENDS = re.compile(r"(?:이?라고|이?라는|이?란|다는|는지|라며|는다면|려면|[?？])(?:\s|$|[^가-힣]{0,3}$)")


# Every sentence that is looked for has one of these; most runs have none, and plain words are found fast.
_HINTS = (
    "무단", "펌", "퍼", "전재", "배포", "복제", "수집", "허락", "동의", "허가", "승인", "권리", "자유", "공공누리",
    "상업", "영리", "인공", "기계", "러닝", "생성형", "언어", "학습", "훈련", "크롤",
    "스크래", "스크레", "마이닝", "자동", "봇",
    "unauthor", "without", "reproduc", "redistrib", "copying", "reserved", "commercial",
    "ai", "a.i.", "llm", "train", "scrap", "crawl", "mining", "tdm",
)  # fmt: skip


def refusal(run: Run) -> str:
    """What a run forbids: "training", "copying", "free-use", "commercial", "reserved", or "" where it forbids nothing.

    A notice about pictures alone is not about the text, and one that is quoted or asked about
    forbids nothing: 「'무단전재 금지'라는 문구」.
    """
    if run.refused is None:
        run.refused = _refusal(run)
    return run.refused


def _refusal(run: Run) -> str:
    text = run.text[:2_000]
    lowered = text.lower()
    if not any(word in lowered for word in _HINTS):
        return ""
    prose = len(text) > MAX_NOTICE and run.state.mark is None and run.state.part != "site"
    if not text or prose or _ENDS.search(text):
        return ""
    if _PICTURE.search(text) and not _TEXT.search(text):
        return ""
    mail = bool(_MAIL.search(text))
    if (found := _TRAINING.search(text)) and not _RESALE.search(text) and not (mail and "수집" in found[0]):
        return "training"
    if _NOT_FREE.search(text):
        return "free-use"
    if not mail and _COPYING.search(text):
        return "copying"
    if len(text) <= MAX_SHORT and _COMMERCIAL.search(text) and not _LICENCE.search(text) and not _TERM.fullmatch(text):
        return "commercial"
    return "reserved" if _RESERVED.search(text) else ""


def forbids(value: str) -> bool:
    """Whether a value of a field refuses, or reserves all rights.

    >>> forbids("무단 전재 및 재배포 금지"), forbids("ⓒ 가나 출판사. All rights reserved."), forbids("가나 출판사")
    (True, True, False)
    """
    text = value[:2_000]
    return any(words.search(text) for words in (_COPYING, _RESERVED, _NOT_FREE, _TRAINING))
