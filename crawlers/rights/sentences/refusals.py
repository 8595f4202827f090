"""Sentences that forbid copying, free use or training; only as separate notices, never in running prose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from crawlers.formats.html.runs import Run
from crawlers.rights.prefilter import MAX_KNOWN, gate, may_match_any

MAX_NOTICE = 300  # code points of a run in the item; a longer one is prose that may discuss such words
MAX_MATCHES = 8  # of one kind of words in a run
MAX_SHORT = 120  # code points of a notice against commercial use; longer ones describe licences of others
_CANNOT = r"불가(?!피|결|능(?!합|함|$|[.,)\s]))"  # 수집이 불가능하기도 하다: impossible, not forbidden
_FORBIDDEN = (
    rf"(?:금지|금함|금합니다|금한다|불허|{_CANNOT}|허용하지\s?않|할\s?수\s?없|안\s?됩니다|법적\s?(?:책임|제재|처벌))"
)
# Of training, narrower: "AI를 활용하지 않고는 풀 수 없다" forbids nothing.
_REFUSED = (
    rf"(?:금지|금함|금합니다|금한다|불허|{_CANNOT}|허용하지\s?않|(?:용|학습|수집|개발|훈련)(?:하실|할|될|시킬)\s?수\s?없|안\s?됩니다"
    r"|법적\s?(?:책임|제재|처벌)|(?:용하|학습하|학습시키|수집하|쓰)지\s?(?:마|말)|(?:동의|허락|원)하지\s?않(?:습|음|는다)|거부(?:합니다|함|$))"
)
_COPYING = re.compile(
    rf"무단\s?(?:으로\s)?(?:전재|복제|배포|도용|전송|사용|이용|게재|수집|복사)[^.]{{0,60}}{_FORBIDDEN}"
    r"|무단\s?전재\s?(?:및|와|[-·∙ㆍ,&/])?\s?(?:DB|재\s?배포)"
    rf"|(?:불펌|퍼\s?가|무단\s?도용|(?<![가-힣])펌)[^.]{{0,20}}(?:금지|금합|금함|마세요|마십시오|안\s?됩)"
    r"|(?:전재|재\s?배포|복제|수집)[^.]{0,12}(?:금지|금합니다|불허|(?:허용|허락)(?:하|되)지\s?않)"
    r"|(?:전재|복제|재\s?배포|게재|옮겨\s?싣|퍼\s?가|(?:글|저작물|콘텐츠|기사|원고)(?:을|를)\s?(?:이용|사용|인용|활용))(?:하|시|려|고|면|는|\s)"
    r"[^.]{0,30}(?:허락|동의|승인|허가)(?:을|를|이|가)?\s?(?:받|필요|얻|구하)"
    rf"|(?:허락|동의|허가|승인)\s?없이[^.]{{0,40}}(?:전재|복제|복사|배포|이용|사용|게시|인용"
    rf"|전송)[^.]{{0,40}}{_FORBIDDEN}"
    r"|(?:unauthori[sz]ed|without (?:prior )?(?:written )?permission)[^.]{0,60}(?:prohibited|forbidden)"
    r"|(?:republication|republishing|reproduction|redistribution|copying|reprint(?:s|ing)?)[^.]{0,30}(?:requires?"
    r"|needs?|subject to"
    r"|only with)[^.]{0,30}(?:permission|consent|approval)"
    r"|(?:written|prior) (?:permission|consent) (?:is |must be )?(?:required|obtained)"
    r"|(?:reproduction|redistribution|copying)[^.]{0,40}(?:prohibited|forbidden|not permitted|not allowed)",
    re.I,
)
_RESERVED = re.compile(
    r"all\s?rights?\s?(?:are\s)?reserved|모든\s?권리를?\s?(?:보유|유보)"
    r"|저작권자\s?[(<\[]?\s?(?:ⓒ|©|\(c\))|저작권은\s[^.]{1,30}에(?:게)?\s?있(?:습니다|음|다|으며|고)"
    r"|(?:에서|을|를)\s?(?:발췌|전재)(?:했|하였|한\s|함|\.)|\b(?:excerpted from|an excerpt from|originally (?:published"
    r"|appeared) (?:in|on|at|by))\b",
    re.I,
)
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
    rf"|(?:\bnot\b|never|prohibited|forbidden)[^.]{{0,60}}\b(?:fed|feed|input|ingest(?:ed|ion)?|used?"
    rf"|provided?)\b[^.]{{0,40}}{_AI}"
    rf"|(?:AI|인공\s?지능|생성형|언어\s?모델|LLM|챗봇)[^.]{{0,20}}(?:입력|제공|투입|넣)[^.]{{0,20}}{_REFUSED}"
    rf"|(?:AI|인공\s?지능|생성형|언어\s?모델|LLM)[^.]{{0,20}}(?:입력|넣)[가-힣]{{0,2}}\s?(?:마십시오|마세요|말\s?것)"
    rf"|(?:\bnot?\b|never|prohibited|forbidden|without)[^.]{{0,80}}(?:{_AI}[^.]{{0,20}}\btrain"
    rf"|\btrain[^.]{{0,60}}{_AI})"
    rf"|(?:{_AI}[^.]{{0,20}}\btrain|\btrain[^.]{{0,60}}{_AI})[^.]{{0,80}}(?:prohibited|forbidden|\bnot\b"
    rf"|reserved|without)"
    r"|(?:not be used|prohibited)[^.]{0,40}\btrain"
    r"|reserv(?:e|es|ed|ing|ation)\b[^.]{0,60}(?:text and data mining|\bTDM\b|data mining)"
    r"|Directive\s\(?(?:EU\)?\s)?2019/790"
    r"|(?:데이터|텍스트)\s?마이닝[^.]{0,40}(?:유보|거부|제외)"
    r"|(?:scrap(?:e|ing)|crawl(?:ing)?|text and data mining|\bTDM\b|data mining)[^.]{0,60}(?:prohibited"
    r"|forbidden|not (?:permitted|allowed)|reserved)"
    r"|(?:\bno\b|not|never|prohibited)[^.]{0,20}(?:scrap(?:e|ed|ing)|crawl(?:ed|ing)?|text and data mining"
    r"|data mining)\b",
    re.I,
)
# False positives of the training rule: a sentence about what is impossible: 수집할 수 없는 곳.
_DESCRIBED = re.compile(r"가능(?:합|하[며고])|없(?:는|어|던|었|다면|기|을|지|고|다\.\s\S)")
# A ban on commercial use without a licence beside it that says the same.
_COMMERCIAL = re.compile(
    rf"(?:상업|영리)(?:적|용|목적)[^.]{{0,20}}(?:{_FORBIDDEN}|삼가)|비\s?(?:상업|영리)(?:적"
    rf"|용)?[^.]{{0,16}}(?:만\s|만$|으로만|한해|한하여|한정)"
    r"|non-?commercial (?:use|purposes) only|only for non-?commercial|(?:\bno\b"
    r"|\bnot\b)[^.]{0,30}commercial (?:use|purposes)",
    re.I,
)
# A text by others, reproduced with a permission that does not extend to everyone.
_BY_LEAVE = re.compile(
    r"(?:저자|작자|필자|출판사|저작권자|신문사|통신사)의?\s?(?:허락|동의|허가|승인)(?:을|를|하에|아래)?\s?(?:받|얻|하에|아래|로)"
    r"|\b(?:re)?(?:printed|produced|published|posted|used)\b[^.]{0,20}\b(?:with|by)\b[^.]{0,20}\bpermission",
    re.I,
)
# Conditions that open licences do not have: sellers must ask, no changes, only some users.
_ASK_FIRST = re.compile(
    r"(?:상업|영리)(?:적|용|목적)?[^.]{0,30}(?:문의|연락|협의|승인|허락|동의|별도\s?계약|유료|비용)(?![^.]{0,6}(?:없이|않))"
    r"|(?:이용|사용|활용|인용)(?:하려면|하고자|하시려면|하실\s경우|할\s경우|\s?시에?는?)[^.]{0,30}(?:승인|허락|동의|허가)(?:을|를)?\s?(?:받|얻|구|필요)"
    r"|(?:for\s)?commercial (?:use|licen[cs]e?s?|licen[cs]ing|purposes)[^.]{0,40}(?:contact|permission|requires?"
    r"|inquire|purchase"
    r"|separate|fee)|(?:contact|ask|e-?mail|write to)[^.]{0,40}commercial (?:use|licen[cs]|purposes)",
    re.I,
)
_UNCHANGED = re.compile(
    r"(?:글|내용|저작물|콘텐츠|컨텐츠|원문|원고|기사|본문|문구)[^.]{0,16}(?:변경|수정|개작|변형|가공|편집|각색|번역)[^.]{0,24}"
    r"(?:금지|금합니다|금함|불가|삼가|마세요|마십시오|안\s?됩니다|수\s?없)"
    r"|원(?:문|본)\s?그대로(?:만|\s?(?:이용|사용|게재))"
    r"|(?:변경|수정|개작|변형|가공|편집)\s?(?:없이|하지\s?않고|하지\s?않는\s?조건)[^.]{0,30}(?:만|한해|조건)"
    r"|(?:do not|don['’]t|must not|may not)\s(?:\w+\s){0,2}?(?:modify|alter|change|edit|adapt"
    r"|translate)\b[^.]{0,40}(?:text|content|article|work|it\b)"
    r"|\bverbatim\b[^.]{0,40}\bonly\b|\bonly\b[^.]{0,20}\b(?:verbatim|unmodified|unaltered|in full)\b"
    r"|without (?:modification|alteration)s? only",
    re.I,
)
_SOME_ONLY = re.compile(
    r"(?:개인|사적|교육|학습|연구|학술|공익|수업|내부|업무|사내|가정|종교|선교|홍보|취재|보도)(?:적인|적|용|의)?\s?(?:용도|목적|이용|사용)?"
    r"(?:으로|에|로)?\s?(?:만(?:\s|을|\s?이용|\s?사용)|한해|한하여|한정|국한)"
    r"|(?:회원|조합원|학생|교사|직원|구독자|내국인|국내|대한민국|비영리\s?(?:단체|기관)|공공기관)\s?(?:에서|에게|내에서|안에서)?\s?(?:만|에\s?한)[^.]{0,20}(?:이용"
    r"|사용|복제|배포|허용|허락|쓸)"
    r"|(?:personal|private|educational|academic|research|internal|evaluation|classroom|informational|journalistic"
    r"|church|religious|reference)"
    r"(?:,? (?:and|or) \w+)?,? (?:use|purposes?) only|only for (?:\w+\s)?(?:personal|private|educational|academic"
    r"|research|internal|evaluation|classroom|informational)"
    r"|\bonly (?:by|for) (?:members|subscribers|students|teachers|employees|registered)|(?:within"
    r"|inside) (?:korea|the eu|the us) only",
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
_WORK = re.compile(
    r"(?:^|[\s(\"'“‘「])(?:이|본|해당|위|모든)\s?(?:글|기사|자료|저작물|콘텐츠|컨텐츠|게시물|원고|문서|보고서|내용|텍스트|페이지|사이트|홈페이지|누리집)"
    r"|저작물|게시물|콘텐츠|컨텐츠|원고|기사(?:를|의|는)|글(?:을|의|은)\s"
    r"|\b(?:this|these|all|our|the) (?:\w+ )?(?:text|content|article|page|work|material|post|document|report|site)s?\b",
    re.I,
)
_USE = re.compile(
    r"이용|사용|활용|인용|복제|복사|배포|전재|게재|공유|퍼\s?가|금지|금합|금함|불가|마세요|마십시오"
    r"|\b(?:use|used|uses|copy|copied|share|shared|reproduc\w*|republish\w*|redistribut\w*|modif\w*|alter\w*|edit\w*)\b",
    re.I,
)
_RESALE = re.compile(r"(?:할\s?수\s?있|가능)[^.]{0,60}재판매")  # a condition of the AI type, which allows training
_MAIL = re.compile(
    r"(?:이메일|e-?mail|전자\s?우편|메일)[^.]{0,30}(?:무단|수집|추출)", re.I
)  # a notice against collecting addresses
# Notices in the same words about other things than copyright: personal data, forms, boards.
_ABOUT_PEOPLE = re.compile(
    r"개인\s?정보|쿠키|로그인|회원\s?(?:가입|정보)|비밀\s?번호|댓글|신청|접수|예약|전화"
    r"|privacy|cookie|password|sign in",
    re.I,
)
_LEGEND = re.compile(r"유형|공공누리|KOGL|저작자\s?표시|BY-N[CD]|출처\s?표시\s?[+,]", re.I)
_ENDS = re.compile(
    r"다고\s(?:밝|말|전하|전했|알려|주장|설명|적|한다|했)"
    r"|하는\s(?:내용의\s)?(?:조항|문구|법안|규정|제도|정책|방안)|(?:이?라고|이?라는|이?란|다는|는지|라며|는다면|려면"
    r"|[?？])(?:\s|$|[^가-힣]{0,3}$)"
)


_LIMITS_OF_LEAVE = (_ASK_FIRST, _BY_LEAVE)
_LIMITS = (_ASK_FIRST, _UNCHANGED, _SOME_ONLY, _BY_LEAVE)
# All rules that `_refusal` reads. Two gates, as one exceeds the 8 MB of RE2, and is ten times slower then.
_GATES = (gate(_TRAINING), gate(_NOT_FREE, _COPYING, _COMMERCIAL, _RESERVED, *_LIMITS))


def may_refuse(shown: Sequence[Run]) -> bool:
    """Whether a run of a page may forbid anything."""
    return any(may_match_any(may, (run.text for run in shown)) for may in _GATES)


def refusal(run: Run) -> str:
    """Return what a run forbids: "training", "copying", "free-use", "commercial", "limits", "reserved", or "".

    A notice about pictures alone does not apply to the text; a notice that is quoted or asked about
    forbids nothing: 「'무단전재 금지'라는 문구」.
    """
    if run.refused is None:
        text = run.text[:2_000]
        framed = run.state.mark is not None or run.state.part == "site"
        said = _refusal if len(text) > MAX_NOTICE else _short_refusal
        run.refused = said(text, framed) if any(may(text) for may in _GATES) else ""
    return run.refused


def _refusal(text: str, framed: bool) -> str:
    """Return what `text` forbids; `framed`: it is in a mark block or in the site frame."""
    prose = len(text) > MAX_NOTICE and not framed
    if not text or prose:
        return ""
    if _PICTURE.search(text) and not _TEXT.search(text):
        return ""
    mail = bool(_MAIL.search(text))
    found = find_stated(_TRAINING, text)
    described = found is not None and _DESCRIBED.match(text, found.end() - 1) and not _WORK.search(text)
    if found and not described and not _RESALE.search(text) and not (mail and "수집" in found[0]):
        return "training"
    if find_stated(_NOT_FREE, text):
        return "free-use"
    if not mail and find_stated(_COPYING, text):
        return "copying"
    short = len(text) <= MAX_SHORT and not _TERM.fullmatch(text)
    if short and find_stated(_COMMERCIAL, text) and not _LICENCE.search(text):
        return "commercial"
    short = short and not _ABOUT_PEOPLE.search(text) and not _LEGEND.search(text)
    used = bool(_USE.search(text))  # 연구 목적으로만 시작했다: narrative, not a limit on use
    if short and any(find_stated(words, text) for words in (_LIMITS if used else _LIMITS_OF_LEAVE)):
        return "limits"
    return "reserved" if find_stated(_RESERVED, text) else ""


_short_refusal = lru_cache(maxsize=MAX_KNOWN)(_refusal)


def find_stated(words: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the first match in `text` that its sentence asserts rather than mentions: 「'무단전재 금지'라는 문구」."""
    for _, match in zip(range(MAX_MATCHES), words.finditer(text), strict=False):
        begin = max(text.rfind(end, 0, match.start()) for end in (". ", "? ", "! ", "\n")) + 1
        ends = [at for end in (". ", "? ", "! ") if (at := text.find(end, match.end())) >= 0]
        if not _ENDS.search(
            f"{text[begin : match.start()]} \u2025{text[match.end() : min(ends, default=len(text)) + 1]}"
        ):
            return match
    return None


def is_about_work(text: str) -> bool:
    """Whether a short notice is about a work and its use, rather than about machines, money or menus.

    >>> is_about_work("이 글은 개인 용도로만 이용할 수 있습니다."), is_about_work("연구에만 전념하는 환경")
    (True, False)
    """
    return bool(_WORK.search(text) and _USE.search(text))


def denies(value: str) -> bool:
    """Whether a value forbids copying or training; "all rights reserved" does not count, as it is customary.

    >>> denies("무단 전재 및 재배포 금지"), denies("All rights reserved.")
    (True, False)
    """
    text = value[:2_000]
    return any(words.search(text) for words in (_COPYING, _NOT_FREE, _TRAINING, _SOME_ONLY))


def forbids(value: str) -> bool:
    """Whether a value of a field refuses, or reserves all rights.

    >>> forbids("무단 전재 및 재배포 금지"), forbids("ⓒ 가나 출판사. All rights reserved."), forbids("가나 출판사")
    (True, True, False)
    """
    text = value[:2_000]
    return any(words.search(text) for words in (_COPYING, _RESERVED, _NOT_FREE, _TRAINING))
