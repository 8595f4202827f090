"""Sentences that declare a KOGL type: *본 저작물은 공공누리 제1유형 … 이용할 수 있습니다.*

A declaration that is revoked, limited to a part, announced, or about a work that was used grants nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import html

from crawlers.formats.html.runs import MAX_QUOTE, Run, State, quote
from crawlers.rights.sentences.self_reference import STEM, title_of, titles_of
from crawlers.rights.sentences.subject import find_subject, is_doubtful
from malmoi.licensing.licence_words import kogl_words

TYPE_0_SINCE = "2026-01"  # month in which type 0 came into force (2026-01-28)
NAME = re.compile(r"공공누리|공고누리|KOGL|공공저작물\s?자유이용\s?허락", re.I)
_VERB = re.compile(
    r"(?:(?:이용|사용|활용)\s?(?:을|이)?\s?(?:할\s?수\s?있|하실\s?수\s?있|가능|허락)"
    r"|(?:개방|제공|공개|적용|해당)\s?(?:하고|되고|되어)?)"
    r"\s?(?:습니다|있습니다|합니다|됩니다|하였습니다|되었습니다|함|됨|음|(?:한|된"
    r"|되는)\s?(?:공공)?저작물입니다)?[.!]?"
    r"\s*(?:[(<\[〈].{0,100})?$"
)
_VERB_EN = re.compile(
    r"(?:(?:can|may) (?:freely )?be (?:freely )?used|(?:is|are) (?:freely )?(?:available|licen[cs]ed"
    r"|provided|released|open)|you (?:can|may) (?:freely )?use)",
    re.I,
)
_OWN_EN = re.compile(
    r"^\W{0,3}(?:this|these|the)\s(?:\w+\s){0,2}?(?:work|publication|article|content|document|material"
    r"|page|post|report)s?\b",
    re.I,
)
_USED = re.compile(r"(?:을|를)\s?(?:이용|활용|사용|참고|인용|가공)(?:하였|했|한\s|하여|합니다)|출처\s?[:：]")
_OF_USED = re.compile(r"^[※*\s]*(?:해당|동|위)\s")
_OWN = re.compile(
    r"^(?:[※*▶■□○●·\-\s]|(?:저작권|이용\s?조건|공공누리)\s?[:：])*(?:(?:본|위|이|해당|동)\s?(?:공공\s?)?"
    r"(?:저작물|게시물|글|기사|콘텐츠|컨텐츠|페이지|문서|보도자료|누리집|홈페이지|웹사이트)|(?:이|본"
    r"|위)\s?(?:자료|보고서|데이터|포스트|책자|간행물)|"
    r"(?:\[\]|「」|『』|《》|[“\"'‘][^”\"'’]{1,100}[”\"'’])\s?(?:저작물|게시물|자료)(?:은|는)|"
    r".{1,60}창작(?:한|하여)\s.{0,120}저작물(?:은|는)"
    # "정책브리핑의 정책뉴스자료는 「공공누리 …」": the notice that a portal sets below each of its items
    r"|[가-힣A-Za-z·()\s]{2,24}(?:뉴스|보도|기사)\s?(?:자료|기사)?\)?\s?(?:자료)?(?:은|는)\s?[「\"“'『])"
)
_UNLIKELY = re.compile(
    r"부터|예정|였으나|이었|였지만|했으나|하였으나|(?:해당|적용|허용)(?:되|하)?지\s?않|(?:유형|대상"
    r"|공공누리)[^.,]{0,8}(?:아닌|아니|아닙)|변경\s?전|별도\s?(?:의\s?)?(?:표시|표기|명시)|부착된|표시된"
    r"|라면|경우|예\s?[:：)]|예시|예를|하려면|유형별|각\s?유형|어떤|란\s|이란"
)
_ANNOUNCED = re.compile(
    r"(?:문구|예시|보기|예를\s?들|다음과\s?같|아래와\s?같|작성\s?례|표기\s?방법|적용\s?방법)[^.]{0,20}[:：.]?$"
)
# Objects of an exception or a limit: parts other than text do not affect the licence.
_PART = re.compile(
    r"사진|이미지|그림|삽화|영상|음악|음원|글꼴|폰트|서체|로고|지도|캐릭터|아이콘|제\s?3\s?자|타인|타\s?기관|첨부"
)
TEXTUAL = re.compile(r"본문|글(?!꼴)|텍스트|기사|전문(?!가)|원고|내용")
_LIMITED = re.compile(
    r"[가-힣]{1,12}(?:에|으로|로|만|에만)?\s?(?:한함|한하여|한해|한정|국한)|[가-힣]{1,12}(?:에만"
    r"|만)\s?(?:해당|적용|이용|사용|허용|가능)"
)
_EXCEPTED = re.compile(
    r"[^.()]{0,60}(?:제외|미적용|적용되지\s?않|해당되?지\s?않|해당하지\s?않)|^(?:다만"
    r"|단)[,\s][^.]{0,80}(?:없|금지|불가|않)"
)
_FOREIGN = re.compile(
    r"(?:사진|이미지|그림|삽화|영상|음악|음원|글꼴|폰트|서체|로고|지도|첨부\s?(?:된\s?)?(?:파일|자료"
    r"|문서)?|붙임\s?(?:파일|자료)?|아이콘|캐릭터)"
    r"(?:들)?(?:은|는|이|가|=|:|\s?출처|의\s?저작권은|\s?저작물(?:은|는)|\s?[“\"'‘][^”\"'’]{1,60}[”\"'’]\s?저작물)"
    r"|(?:포스터|통계표|도면|악보|동영상|만화)(?:은|는|에)"
)
# Words before the name that mean less than the whole work: its original, a part, some years, a selection of it.
_OTHER_WORK = re.compile(
    r"(?:협력|외부|타|참여|위탁|민간|협약)\s?(?:기관|단체|업체|저작물|자료)|제\s?3\s?자|기고|공모|당선|수상|출품|이용자|시민\s?(?:작품|저작물)|기증"
    r"|(?:^|\s)(?:구|옛|종전|기존|예전|과거)(?:의)?\s|원문|원본|원저|원작|원자료|인용|일부|\s중(?:에서)?\s|가운데|[가-힣]만\s|이전|이후|까지|부터|\d\s?(?:장"
    r"|부|권|편|쪽|페이지)(?:은|는|의|과|와)"
)
_TITLE = re.compile(r"「[^「」]{1,200}」|『[^『』]{1,200}』|《[^《》]{1,200}》|\[[^\[\]]{1,200}\]")
_BUT_TEXT = re.compile(r"^(?:다만|단)[,\s].{0,60}(?:본문|글|텍스트|전문|기사).{0,60}(?:없|제외|금지|불가)")
_BOUND = re.compile(
    r"(?:\d\s?(?:년|월|일|주|개월)?|연말|월말|기간|때|시|전)\s?까지|유효|한시적|\d\s?년\s?(?:간|동안)|\buntil\b|\bexpire|이후부터"
    r"|신청|승인\s?(?:후|을)|허가를?\s?받|협의|회원\s?(?:만|에)|대부분|부분적"
)
# Topics of a sentence that still mean the page; any other topic means another thing.
_GENERAL = re.compile(
    r"(?:저작물|게시물|게시글|글|기사|뉴스|콘텐츠|컨텐츠|내용|페이지|문서|보도자료|누리집|홈페이지|웹\s?사이트|사이트|자료|보고서|간행물|책자|포스트"
    r"|저작권|이용\s?조건|본문|텍스트|설명자료|해명자료|정보|소식|공고|공지|원고|연설문|발표문|전체|모두|한)$"
)
_GIVEN_TO = re.compile(
    r"(?:으로|로|에\s?따라)\s?(?:개방|공개|제공|배포|제작)(?:한|된|하는|되는)\s?[\s'\"‘’“”「」『』]{0,3}([^\s'\"‘’“”「」『』]{1,20}?)"
    r"['\"’”」』]?(?:이며|이|가|을|를|입니다|은|는|의|도)(?=[\s,.]|$)"
)
_MADE = re.compile(r"창작(?:한|하여)\s(.{1,120}?)\s?저작물(?:은|는)")
_TOPICS = re.compile(r"([가-힣A-Za-z]{1,20}?)(?:들)?(?:은|는|에는|의\s저작권은)(?=[\s,\"'“‘「])")
MIN_TITLE = 2  # letters of all titles; fewer are not compared
SHARED = 0.6  # of the letter pairs of a title that the titles of its page must have
_NO_AI = re.compile(r"AI\s?유형(?:은|는|이|의)?\s?(?:제외|미적용|미포함|아님|적용\s?안)", re.I)
MAX_BESIDE = 120  # code points of other text in the run of a sentence outside a mark block
MAX_SUBJECT = 40  # code points before the name of the licence that are searched for its subject
MAX_SENTENCE = 600  # code points; longer ones declare nothing
MAX_WORDS = 300  # code points of a mark block that are read for contradictions


@dataclass(frozen=True, slots=True)
class Hit:
    """One statement of types of the licence; "0" with `refused` is the old mark for not free."""

    types: tuple[str, ...]
    ai: bool
    refused: bool
    kind: str  # kogl-link, kogl-image, kogl-sentence
    quote: str
    element: html.HtmlElement
    state: State
    declared: bool = False


def sentences(run: Run, pictured: bool, before: str, date: str, after: Run | None = None) -> Iterator[Hit]:
    """Yield the declarations of a run; `before` is the text of the previous run, `after` the next run."""
    if "유형" not in run.text and "출처" not in run.text and "ype" not in run.text:
        return
    said = re.split(r"(?<=[.!?])\s+", run.text)
    for number, sentence in enumerate(said):
        if len(sentence) > MAX_SENTENCE:
            continue
        whole, sentence = sentence, _blank_titles(_strip_title(sentence), run)
        words = kogl_words(sentence)
        if not words.types or not NAME.search(sentence) or not _has_verb(sentence) or _UNLIKELY.search(sentence):
            continue
        trusted = run.state.mark is not None or pictured or run.state.part == "site"
        alone = number == 0 and len(run.text) - len(sentence) <= MAX_BESIDE and not _ANNOUNCED.search(before)
        # A limit needs less proof than a grant: a limiting sentence may be at the end of a paragraph.
        limits = not {"2", "3", "4"}.isdisjoint(words.types) and not _ANNOUNCED.search(before)
        owned = _OWN.search(sentence) or (_OWN_EN.search(sentence) and not is_doubtful(sentence))
        if not trusted and not ((alone or limits) and owned):
            continue
        if _OF_USED.search(sentence) and not limits and _USED.search(f"{before} {' '.join(said[:number])}"):
            continue  # "가나시의 지도를 이용하였습니다. 해당 저작물은 …": the licence of a work that was used
        if "0" in words.numbers and date and date[:7] < TYPE_0_SINCE and TYPE_0_SINCE[:4] not in sentence:
            continue
        ai = words.ai and not _NO_AI.search(sentence)
        types = ("0",) if words.numbers == ("0",) and words.conditions == "" else words.types
        more = kogl_words(" ".join(said[number + 1 :]))  # a condition may follow the full stop
        more_types = tuple(t for t in (*more.numbers, more.conditions) if t and t not in ("1", *types))
        types += more_types
        before_name = sentence[: NAME.search(sentence).start()]  # type: ignore[union-attr]
        if _FOREIGN.search(before_name[-MAX_SUBJECT:]) and not TEXTUAL.search(before_name):
            types = ("?",) if pictured or run.state.mark is not None else ()  # the mark beside it applies to a part
        elif (
            _BOUND.search(sentence)
            or _is_about_other(sentence, before_name, whole, run)
            or any(_has_limit(one) for one in (sentence, *said[number + 1 :], _continuation(after, run)))
        ):
            types = ("?",)
        if types:
            verbatim = " ".join(said[number:]) if more_types else whole[-MAX_QUOTE:]  # the grant ends the sentence
            yield Hit(types, ai, False, "kogl-sentence", quote(verbatim), run.owner, run.state, True)
        if any(_BUT_TEXT.search(later) for later in said[number + 1 :]):
            yield Hit((), False, True, "kogl-sentence", quote(run.text), run.owner, run.state)


def _is_about_other(sentence: str, before_name: str, whole: str, run: Run) -> bool:
    """Whether a sentence is about something other than the page: a part, a design, a work of another title."""
    if _OTHER_WORK.search(before_name):
        return True
    if not re.search("[가-힣]", before_name) and find_subject(before_name) in ("media", "software"):
        return True
    after = sentence[len(before_name) :]
    if (given := _GIVEN_TO.search(after)) and not _GENERAL.search(given[1]):
        return True  # 공공누리 제1유형으로 개방한 '가나체'가
    names = [name[0][1:-1] for name in _TITLE.finditer(whole) if not NAME.search(name[0]) and "유형" not in name[0]]
    made = _MADE.search(before_name)
    names += [made[1]] if made and made[1].strip("[]「」『』《》\"'“”‘’ ") and not _GENERAL.search(made[1]) else []
    if any(not _is_page_title(name, run) for name in names):
        return True
    topics = [noun[1] for noun in _TOPICS.finditer(before_name)]
    return any(not _GENERAL.search(noun) and not STEM.search(noun) for noun in topics)


def _is_page_title(name: str, run: Run) -> bool:
    """Whether a title is that of the page, by shared letter pairs; True if the page has no title."""
    plain, pool = re.sub(r"\W", "", name).lower(), re.sub(r"\W", "", title_of(run.owner, wide=True)).lower()
    pairs = [plain[n : n + 2] for n in range(len(plain) - 1)]
    return len(pool) <= MIN_TITLE or not pairs or sum(pair in pool for pair in pairs) >= SHARED * len(pairs)


def _has_verb(sentence: str) -> bool:
    return bool(_VERB.search(sentence) or _VERB_EN.search(sentence))


def _strip_title(sentence: str) -> str:
    """Return `sentence` with empty brackets instead of the title of a work, which may contain any words.

    >>> _strip_title("「그림이 없는 밤」 저작물은 「공공누리 제1유형」 조건에 따라")
    '「」 저작물은 「공공누리 제1유형」 조건에 따라'
    """
    return _TITLE.sub(
        lambda title: title[0] if NAME.search(title[0]) or "유형" in title[0] else f"{title[0][0]}{title[0][-1]}",
        sentence,
    )


def _blank_titles(sentence: str, run: Run) -> str:
    """Return `sentence` with empty brackets instead of the title of its own page, which names the text."""
    if not NAME.search(sentence):
        return sentence
    for title in titles_of(run.owner):
        if title in sentence and not NAME.search(title):
            return re.sub(rf"[\[「『《“\"'‘]?{re.escape(title)}[\]」』》”\"'’]?", "「」", sentence, count=1)
    return sentence


def _continuation(after: Run | None, run: Run) -> str:
    """Return the words of the next run if it continues this one and revokes a part: 「※ 단, …」."""
    beside = after is not None and (after.owner.getparent() is run.owner.getparent() or after.owner is run.owner)
    if after is None or not beside or len(after.text) > MAX_WORDS:
        return ""
    return after.text.lstrip("※*·- ") if re.match(r"[※*·\-\s]*(?:단|다만)[,\s]", after.text) else ""


def _has_limit(sentence: str) -> bool:
    """Whether a sentence excepts the text or an unnamed object, or limits the licence to a part.

    >>> [_has_limit(s) for s in ("(사진에 한함)", "(본문에 한함)", "다만, 사진은 제외합니다.")]
    [True, False, False]
    """
    sentence = _NO_AI.sub("", _strip_title(sentence))
    if limit := _LIMITED.search(sentence):
        return not TEXTUAL.search(limit[0])
    if excepted := _EXCEPTED.search(sentence):
        return bool(TEXTUAL.search(excepted[0])) or not _PART.search(excepted[0])
    return False
