"""Detect sentences about the text that contains them: the subject comes first, and is the text.

*이 글은 CC BY 4.0 …* matches; *위키백과의 모든 글은 …* and *The abstract of this article …* do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lxml import html

from crawlers.rights.sentences.subject import strip_exceptions

MAX_TITLES = 12  # headings of a page that are read
MAX_TITLE = 300  # code points of each
MAX_ELEMENTS = 400  # of a page that may hold its title
MAX_HELD = 24  # titles that a sentence is compared with
MIN_TITLE = 6  # letters of a title that is searched for in a sentence
MAX_LEFT = 1  # letters before the subject that do not count as words
_PLACE = r"(?:블로그|사이트|웹\s?사이트|홈페이지|누리집|위키|페이지|저장소)"
_TEXT = (
    r"(?:글|저작물|문서|게시물|게시글|포스트|포스팅|콘텐츠|컨텐츠|내용|페이지|기사|번역|번역문|번역본|본문|텍스트|칼럼"
    r"|에세이|항목|블로그|사이트|홈페이지|누리집|위키)"
)
# Nouns that may mean the text or its topic: accepted if the title of the page contains them too.
_MAY_BE = (
    r"(?:책|데이터|강의(?:\s?노트|록)?|노트|자료|작품|보고서|논문|설명서|매뉴얼|간행물|안내서"
    r"|튜토리얼|소설|시집|동화|연재|교재|사전|백서)"
)
_PART = r"(?:\s?(?:의|에\s?(?:있는|실린|게시된|올린|관한|대한)|내)\s?(?:모든\s?|전체\s?)?)"
_KO = re.compile(
    rf"(?:(?:이|본|위|해당)\s?(?:{_PLACE}{_PART})?(?:모든\s?)?(?P<text>{_TEXT})"
    rf"|(?:이|본)\s?(?P<maybe>{_MAY_BE})(?P<inside>{_PART}(?:본문|글|내용|텍스트))?"
    rf"|(?:모든|전체)\s?{_TEXT})"
    r"(?:들)?(?:\s?전체)?(?P<after>은|는|을|를|의|과|와|에는|에\s?(?:관한|대한)|[,:：]|\s?(?:라이[선센]스|이용\s?조건))"
)
_KIND = (
    r"(?:open[- ]access|blog|web|wiki|news|entire|whole|online|present|published|written|free|original(?= (?:work"
    r"|text"
    r"|content)))"
)
_TEXT_EN = (
    r"(?:works?|articles?|posts?|documents?|documentation|docs|pages?|texts?|contents?|translations?|essays?"
    r"|stor(?:y|ies)|tutorials?|guides?|web ?sites?|sites?|blogs?|wiki|materials?|publications?|entry|column)"
)
_MAY_BE_EN = r"(?:books?|reports?|papers?|manuals?|handbooks?|courses?|lectures?|data(?: ?sets?)?)"
_SET_EN = (
    r"(?:texts?|contents?|prose|writings?|articles|posts|pages|documents|documentation"
    r"|docs|materials?|everything|works?)"
)
_EN = re.compile(
    rf"(?:(?:all|any|the|every)\s)?(?:(?:original\s|written\s|textual\s)?{_SET_EN}(?:,?\s(?:and|&)\s\w{{1,20}})?"
    rf"\s(?:of|on|in|from|at)\s)?(?:this|these|our)\s(?:{_KIND}\s){{0,2}}(?:{_TEXT_EN}|(?P<maybe>{_MAY_BE_EN}))\b"
    rf"|\b(?:all|any)\s(?:of\s)?(?:the\s)?(?:original\s|written\s|other\s|site\s|blog\s|text\s|web\s)?{_SET_EN}"
    rf"(?:,?\s(?:and|&)\s\w{{1,20}}){{0,2}}(?:\shere)?(?=\s(?:is|are|may)\b)"
    rf"|(?:\bthe\s)?\b{_SET_EN}(?=\s(?:is|are|may be)\s)"
    r"|\bthis is an?\s(?:[\w-]{1,20}\s){0,2}?(?:article|work|text|document|publication)\b"
    r"|\bwaived? all\b",
    re.I,
)
_CLAUSE = re.compile(r"[,;:：|·•—–]|(?:며|고|지만|으나)\s|\b(?:and|but|while)\b", re.I)
_FILLER = re.compile(
    r"©|ⓒ|\(c\)|\bcopyright\b|\d|\b(?:note|please|also|finally|however|hence|so|and|but|the|an?|as)\b|단\b|다만|또한"
    r"|그리고|참고로|아울러"
    r"|법이\s?허용하는\s?(?:한도?|최대한의\s?)?(?:\s?범위)?(?:에서|내에서)?|(?:글쓴이|저작자|저자|필자|작성자|저|나)는|모든|전체",
    re.I,
)
_REVIEW = re.compile(r"서평|리뷰|읽고|읽은|후기|소개|추천|review|recommend", re.I)
_JOINTS = re.compile(r"\s[-–—|>]\s|\||\n")
_TITLE_NAME = re.compile(r"tit|subject|\bsj|headline|name", re.I)
# Words that limit the texts by author or kind: 독자의 글은, 표시가 있는 글은, 손님이 쓴 글은.
_RESTRICTS = re.compile(
    rf"(?:독자|회원|이용자|사용자|기여자|자원봉사자|손님|외부|다른\s?\w{{1,8}}|기고자|필자|학생|시민|투고자)(?:들)?(?:의|가|이)\s"
    rf"|[가-힣](?:있는|없는|남긴|쓴|올린|보낸|실은|붙은|달린|속한|작성한|작성된|등록된|선정된)\s{_TEXT}|댓글|답글"
    rf"|\s(?:있는|쓴|올린|남긴|붙은|달린|속한|작성한)\s{_TEXT}(?:들)?(?:은|는)"
    r"|\b(?:readers?|users?|members?|volunteers?|guests?|contributors?|students?)['’]s?\s(?:contents?|posts|texts?|articles)",
    re.I,
)
_QUOTES = "\"'“”‘’「『«‹”"
# Another topic between the subject and the licence: 이 글의 초록은 CC BY.
_TOPIC = re.compile(r"([가-힣A-Za-z]{1,20}?)(?:은|는|에만)(?=[\s,]|$)")
STEM = re.compile(r"(?:있|없|같|하|되|쓰|오|가|르|담|히|기|드|보|받|주|않|루|리|치|지|나|내)$")  # 있는, 하는: no topic
_NEUTRAL = re.compile(
    rf"(?:{_TEXT}|{_MAY_BE}|저작권|라이[선센]스|조건|권리|허락|범위|전체|모두|전부|이용|배포|재사용|복제|공유|공개)$"
)
_JOINED = re.compile(rf"{_TEXT}(?:들)?\s?(?:과|와|및|그리고|,|·)\s?(?:[가-힣]{{1,8}}\s)?$")  # 본문과 예제는
_GENITIVE_EN = re.compile(
    r"[’']s\s(?:\w+\s)?$|\b(?:of|by|from|in|on|for|to|that|says?|said|reads|states?|if|whether|how|why)\s$", re.I
)


def is_about_itself(sentence: str, element: html.HtmlElement, *, frame: bool = False) -> bool:
    """Whether the subject of `sentence`, a sentence in `element`, is the text around it.

    In the `frame` of a site or in a mark block a bare noun is enough, also after a name: 가나 블로그의 글은.

    >>> page = html.fromstring("<p>1</p>")
    >>> [is_about_itself(s, page) for s in ("이 글은 CC BY", "위키백과의 모든 글은 CC BY",
    ...  "The abstract of this article is")]
    [True, False, False]
    """
    plain = strip_exceptions(sentence)
    ko = _KO.search(plain)
    en = _EN.search(plain) if ko is None else None
    found = ko or en
    if found is None:
        return frame and not _RESTRICTS.search(plain)
    before = plain[: found.start()].strip()
    if before and (before[0] in _QUOTES or before[-1] in _QUOTES):
        return False
    if frame:
        if ko is None:
            return not _RESTRICTS.search(plain[: found.end()])
        return not has_other_topic(plain[found.start() :])
    if found[0].lower().startswith("waive"):
        return True
    last = _CLAUSE.split(before)[-1]
    if len(re.sub(r"\W", "", _FILLER.sub(" ", last))) > MAX_LEFT or (en and _GENITIVE_EN.search(f"{before} ")):
        return False
    groups = found.groupdict()
    if groups.get("maybe") and not groups.get("inside") and not _has_title_word(element, groups["maybe"]):
        return False
    return ko is None or not has_other_topic(plain[found.start() :])


def has_other_topic(words: str) -> bool:
    """Whether words, up to the name of a licence, have a topic other than a text: 초록은, 표에만.

    >>> (has_other_topic(" 초록은 CC BY"), has_other_topic(" 라이선스는 CC BY"),
    ...  has_other_topic(" 있는 그대로 CC BY, 사진은"))
    (True, False, False)
    """
    head = re.split(
        r"\bCC\b|CC0|creative|크리에이티브|저작자\s?표시|공공누리|MIT|BSD|GPL|GFDL|Apache|[.,;]",
        words,
        maxsplit=1,
        flags=re.I,
    )[0]
    return any(
        not STEM.search(noun[1]) and not _NEUTRAL.search(noun[1]) and not _JOINED.search(head[: noun.start()])
        for noun in _TOPIC.finditer(head)
    )


def _has_title_word(element: html.HtmlElement, word: str) -> bool:
    """Whether the title or the first heading of the page names a kind of work."""
    title = title_of(element).lower()
    return bool(re.search(rf"{word.lower().rstrip('s')}s?(?![을를이가은는과와에의])", title)) and not _REVIEW.search(
        title
    )


_latest: tuple[html.HtmlElement, dict[str, list[str]]] | None = None  # root, and its titles by kind


def title_of(element: html.HtmlElement, *, wide: bool = False) -> str:
    """Return the title and the h1 and h2 headings of the page around an element; `wide`: all possible titles."""
    return _titles(element, "wide" if wide else "narrow")[0]


def titles_of(element: html.HtmlElement) -> list[str]:
    """Return the possible titles of the page around an element, separately and without the name of the site."""
    return _titles(element, "each")


def _titles(element: html.HtmlElement, which: str) -> list[str]:
    """Return the titles, cached for the last page: many sentences of a page ask for them."""
    global _latest
    root = element.getroottree().getroot()
    if _latest is None or _latest[0] is not root:
        _latest = (root, {})
    known = _latest[1]
    if which not in known:
        said = [_first_words(one) for one in islice(root.iter("title", "h1", "h2"), MAX_TITLES)]
        said += _wide_titles(root) if which != "narrow" else ()
        known[which] = _parts(said) if which == "each" else [" ".join(said)]
    return known[which]


def _parts(titles: list[str]) -> list[str]:
    parts = (" ".join(part.split()) for one in titles for part in _JOINTS.split(one))
    return list(islice((one for one in parts if len(re.sub(r"\W", "", one)) >= MIN_TITLE), MAX_HELD))


def _wide_titles(root: html.HtmlElement) -> Iterator[str]:
    many = root.iter("h3", "h4", "meta", "strong", "span", "th", "td", "dt", "dd", "p", "div")
    for _, one in zip(range(MAX_ELEMENTS), many, strict=False):
        if one.tag == "meta":
            yield (one.get("content") or "")[:MAX_TITLE] if one.get("property") == "og:title" else ""
        elif one.tag in ("h3", "h4") or _TITLE_NAME.search(f"{one.get('class') or ''} {one.get('id') or ''}"[:200]):
            yield _first_words(one)


def _first_words(element: html.HtmlElement) -> str:
    """Return the first words of an element, without reading the rest of it."""
    out, length = [], 0
    for piece in element.itertext():
        out.append(piece[:MAX_TITLE])
        length += len(piece)
        if length >= MAX_TITLE:
            break
    return " ".join(out)[:MAX_TITLE]
