"""Sentences in which a text declares its own licence: *이 글은 CC BY 4.0 라이선스에 따라 이용할 수 있습니다.*

A licence is believed only where the sentence says nothing else about it. One that denies, excepts, or speaks
of an original gives `unknown`, which excludes. The public marks of Korea have rules of their own in kogl.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlers.rights.place import Run
from crawlers.rights.subjects import about, doubtful
from malmoi.licence_words import licence_from_text
from malmoi.licences import cc_id, licence_from_url
from malmoi.rights import UNKNOWN, terms

MAX_REST = 3  # letters and digits that may be left of words that say nothing
MAX_SENTENCE = 300  # code points; a longer one is prose that speaks about licences
MAX_ALONE = 120  # code points of a paragraph that is nothing but a licence
MAX_BESIDE = 160  # code points of other text in the run of a sentence of the item that grants
MAX_RUN = 2_000  # code points that are read at the beginning and at the end of a run

_WORK = (
    r"(?:글|저작물|문서|작품|게시물|게시글|포스트|포스팅|자료|콘텐츠|컨텐츠|내용|페이지|기사|번역|번역문"
    r"|번역본|본문|텍스트"
    r"|데이터|강의|책)"
)
_PLACE = r"(?:블로그|사이트|웹사이트|홈페이지|누리집|위키|페이지)"
_OWN = (
    rf"(?:(?:이|본|위|해당|모든)\s?(?:{_PLACE}(?:의|에\s?(?:있는|실린"
    rf"|게시된))?\s?)?(?:모든\s?)?{_WORK}(?:[은는의]|들은|에는)"
    rf"|(?:이|본)\s?{_PLACE}(?:은|는))"
)
_CC = r"(?:CC[ -]?(?:BY|0|L)\b|creative\s?commons|크리에이티브\s?커먼[즈스]|저작자\s?표시)"
_NAME = rf"(?:{_CC}|라이[선센]스|이용\s?허락|licen[cs]e)"
_GIVEN = (
    r"(?:에\s?따라|을\s?따[르릅]|를\s?따[르릅]|따릅니다|따른다|하에|아래|(?:으로|로)\s?(?:배포|제공|이용"
    r"|공개|공유|사용|허락|보호)"
    r"|적용|의거|조건|이용할\s?수|사용할\s?수|배포할\s?수|(?:입니다|이다|임)\s?\.?$)"
)
_LICENSED = (
    r"(?:licen[cs]ed|released|distributed|made available|available|published|shared|provided|offered|covered|used)"
)
_THING = (
    r"(?:works?|articles?|posts?|documents?|documentation|docs|pages?|texts?|contents?|translations?"
    r"|essays?|stor(?:y|ies)"
    r"|books?|data(?:set)?s?|materials?|tutorials?|guides?|(?:web ?)?sites?|blog|wiki)"
)
_SENTENCES = (
    re.compile(rf"{_OWN}.*?{_NAME}.*{_GIVEN}", re.I),
    re.compile(rf"^(?:\W{{0,3}}){_CC}.*(?:라이[선센]스|이용\s?허락)(?!은|는|이란).*{_GIVEN}", re.I),
    re.compile(
        rf"\b(?:this|these|our|all|the (?=contents?\b"
        rf"|texts?\b))\s?(?:[\w.-]+\s){{0,3}}{_THING}(?:\s[\w.-]+){{0,6}}?\s"
        rf"(?:is|are|may be)\s(?:\w+\s){{0,2}}?{_LICENSED}\s(?:to you\s)?(?:under|with|by)\b",
        re.I,
    ),
    re.compile(
        rf"\b{_THING}\s(?:on|of|in|from)\s(?:this|these|our)\s(?:[\w.-]+\s){{1,5}}?(?:is|are"
        rf"|may be)\s(?:\w+\s){{0,2}}?{_LICENSED}"
        r"\s(?:under|with|by)\b",
        re.I,
    ),
    re.compile(r"^\W{0,3}(?:licen[cs]ed|released|available)\sunder\b", re.I),
    re.compile(r"\bwaived? all (?:\w+ ){0,6}?rights\b", re.I),  # CC0
)
# In a footer or a mark block nobody tells a story: there a bare subject declares too.
_FRAME = re.compile(
    rf"\b{_THING}\b.{{0,40}}\b(?:{_LICENSED}\s)?(?:under|by)\b|(?:{_WORK})(?:은|는).*{_NAME}.*{_GIVEN}", re.I
)
_TELLS = re.compile(
    r"[\s)\]'\"”’」]{0,3}(?:라이[선센]스\s?)?(?:으로|로|에\s?따라)\s?(?:공개|배포|제공|이용|출간|출판"
    r"|발행)[가-힣]{0,2}(?:된|한|되는|하는)\s"
    r"(?!(?:저작물|글|문서|콘텐츠|자료|게시물)(?:입니다|이다|임))"
)
_LABEL = re.compile(
    r"^\W{0,3}(?:라이[선센]스|licen[cs]e|이용\s?허락|이용\s?조건|저작권)\s?[:：]\s?(?P<value>.{1,120})$", re.I
)
_TOPIC = re.compile(
    r"[\s)\]'\"”’」]{0,3}(?:(?:라이[선센]스|licen[cs]e|이용\s?허락)\s?)?(?:은|는|이란|란|이라는|라는)(?![가-힣])"
)
_HOLDER = re.compile(r"(?:©|ⓒ|\(c\)|\bcopyright\b|저작권자?\b)[^|·•]{0,60}", re.I)
_NOTHING = re.compile(
    r"라이[선센]스|이용\s?허락|저작권|이용\s?조건|조건|licen[cs]e[ds]?|creative\s?commons"
    r"|크리에이티브\s?커먼[즈스]|attribution|international|unported"
    r"|저작자\s?표시|국제|\b(?:CC|CCL|BY|SA|under|by|the|an?|is|are|this|work|text|article|post|page"
    r"|content|all|rights?|terms|of|and|in|to|on"
    r"|some|reserved|available|see|copyright)\b|이\s(?:글|저작물|문서|포스트|게시물)(?:은|는|의)?"
    r"|본\s(?:글|저작물|문서)(?:은|는)?|에\s?따라|을\s?따릅니다"
    r"|를\s?따릅니다|이용할\s?수|사용할\s?수|있습니다|배포됩니다|적용됩니다|공개(?:합니다|됩니다)|(?:으로"
    r"|로)(?=\s)|\d{4}|[1-4]\.\d|표시|입니다",
    re.I,
)
_SPLIT = re.compile(r"(?<=[.!?。])\s+(?=[^\d])")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:creativecommons\.org|gnu\.org|opensource\.org|opendatacommons\.org)/[\w./+-]*\w/?"
)
_SPELLED = re.compile(
    r"(?:CC[ -]?|creative\s?commons\s)(?:BY(?:[ -]?NC)?(?:[ -]?(?:SA|ND))?)[ -]?(?:v"
    r"|version )?[1-4]\.[05](?:[ -]KR\b)?"
    r"|저작자 ?표시(?:[ -]?비영리)?(?:[ -]?변경 ?금지|[ -]?동일조건 ?변경 ?허락)? [1-4]\.[05](?: 대한민국)?"
    r"|\bCC0\b(?:[ -]1\.0)?",
    re.I,
)
_LONG = re.compile(
    r"attribution(?P<nc>[ -]non-?commercial)?(?:(?P<nd>[ -]no-?deriv(?:ative)?s?(?: works)?)"
    r"|(?P<sa>[ -]share-?alike))?"
    r" (?P<version>[1-4]\.[05])(?P<plain> (?:international|unported|licen[cs]e|public)\b|\W*$)",
    re.I,
)
_SOFTWARE = re.compile(
    r"\b(?:MIT|Apache(?:[- ]License,?)?[- ](?:version )?2\.0|BSD[- ][23]-clause"
    r"|L?GPL(?:[- ]?v?[0-9.]{1,3}\+?)?)(?: licen[cs]e)?\b",
    re.I,
)
_HINT = re.compile(r"licen|라이[선센]스|CC|저작자|commons|커먼|이용\s?허락|GPL|public domain|퍼블릭", re.I)
_FAMILY = re.compile(rf"{_CC}|\b(?:L?GPL|GFDL|MIT|Apache|BSD|MPL|ODbL)\b|public domain|퍼블릭 도메인", re.I)
_ASKS = re.compile(r"[?？]|무엇|이란\s")


def declared(run: Run, *, labels: bool = False) -> Iterator[tuple[str, str]]:
    """Each (licence, sentence) that a run declares of the text it stands in; `unknown` where it cannot be read.

    With `labels` also a line such as "라이선스: CC BY 4.0" or "CC BY 4.0", which a page of HTML has in its mark blocks.
    """
    if run.state.quoted or run.state.furniture:
        return
    if labels and run.owner.tag == "p" and len(run.text) <= MAX_ALONE:
        yield from _alone(run)
    if not _HINT.search(run.text):
        return
    text = run.text if len(run.text) <= 2 * MAX_RUN else f"{run.text[:MAX_RUN]}\n{run.text[-MAX_RUN:]}"
    forms = _SENTENCES if run.state.part == "item" and run.state.mark is None else (*_SENTENCES, _FRAME)
    for sentence in _SPLIT.split(text):
        sentence = sentence.strip()
        if not sentence or len(sentence) > MAX_SENTENCE or _ASKS.search(sentence):
            continue
        label = _LABEL.match(sentence) if labels else None
        if label or any(form.search(sentence) for form in forms):
            # Beside other sentences of the item it may be a story about a book: then it cannot grant, only limit.
            told = run.state.part == "item" and run.state.mark is None and len(text) - len(sentence) > MAX_BESIDE
            for licence in sorted(_declares(run, sentence, label)):
                if not told or not _grants(licence):
                    yield licence, sentence


def is_declaration(sentence: str) -> bool:
    """Whether a sentence has the form in which texts declare their licence."""
    return any(form.search(sentence) for form in _SENTENCES)


def without_holder(words: str) -> str:
    """`words` without a copyright notice: © 2024 by somebody."""
    return _HOLDER.sub(" ", words)


def bare(words: str) -> bool:
    """Whether words beside a licence name it and its holder, and nothing that it could be about.

    >>> bare("© 2024 가나. 라이선스:"), bare("This work is licensed under a"), bare("발표 슬라이드는 으로 공개합니다.")
    (True, True, False)
    """
    return len(re.sub(r"\W", "", _NOTHING.sub(" ", _HOLDER.sub(" ", _SPELLED.sub(" ", words))))) <= MAX_REST


def _grants(licence: str) -> bool:
    found = terms(licence)
    return found is not None and found.use == "redistribute"


def _declares(run: Run, sentence: str, label: re.Match[str] | None) -> set[str]:
    """The licences that a declaring sentence gives to the text; those of pictures and software are none of them."""
    if label and (whole := licence_from_text(label["value"])):
        return {whole}
    found: set[str] = set()
    strange = False
    end, subject = 0, ""
    named = mentions(run, sentence)
    for at, stop, licence in named:
        after = sentence[stop : next((m[0] for m in named if m[0] > stop), len(sentence))]
        if not end or re.search(r"\w", sentence[end:at]):  # else an address in brackets behind the name
            subject = about(sentence[end:at], after)
        if subject not in ("own", "") and not label:
            strange = True
        elif run.state.part == "item" and (_TOPIC.match(sentence, stop) or _TELLS.match(sentence, stop)):
            strange = True  # "CC BY 4.0은 …", "CC BY 4.0으로 공개된 책이라 …": it tells of the licence or of a work
        elif licence:
            found.add(licence)
        end = max(end, stop)
    if not found and not strange and _FAMILY.search(sentence) and about(sentence) in ("own", ""):
        return {UNKNOWN}
    if found and doubtful(_LONG.sub("", _SPELLED.sub("", sentence))):
        return {UNKNOWN}
    return found


def _alone(run: Run) -> Iterator[tuple[str, str]]:
    """A Creative Commons licence that is all a paragraph says: its name, or a link or badge that leads to it."""
    found = {licence_from_text(run.text)}
    linked = "".join(link.text for link in run.links)
    if len(run.links) == 1 and len("".join(linked.split())) >= len("".join(run.text.split())):
        found.add(licence_from_url(run.links[0].element.get("href") or ""))
    if len(run.images) == 1 and not run.text:
        found.add(licence_from_text(run.images[0][0].get("alt") or ""))
    words = run.text or next((link.element.get("href") or "" for link in run.links), "")
    yield from ((licence, words) for licence in sorted(filter(None, found)) if licence.startswith("CC"))


def mentions(run: Run, sentence: str) -> list[tuple[int, int, str]]:
    """(begin, end, licence) of each licence that a sentence spells out or links to, in order; not those of 공공누리.

    The words of a link that leads to a licence are one mention, whatever they spell.
    """
    found: list[tuple[int, int, str]] = []
    at = 0
    for link in run.links:
        words = " ".join(link.text.split())
        licence = licence_from_url(link.element.get("href") or "") or ""
        begin = sentence.find(words, at) if words else -1
        if begin >= 0 and licence:
            at = begin + len(words)
            found.append((begin, at, licence))
    for match in (*_ADDRESS.finditer(sentence), *_SPELLED.finditer(sentence), *_SOFTWARE.finditer(sentence)):
        licence = licence_from_url(match[0]) or licence_from_text(match[0]) or ""
        found.append((match.start(), match.end(), licence))
    for long in _LONG.finditer(sentence):
        kind = "by" + ("-nc" if long["nc"] else "") + ("-nd" if long["nd"] else "-sa" if long["sa"] else "")
        found.append((long.start(), long.end(), cc_id(kind, long["version"], "") or ""))
    return sorted(one for one in set(found) if not one[2].startswith("LicenseRef-KOGL"))
