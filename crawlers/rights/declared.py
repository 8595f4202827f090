"""Sentences in which a text declares its own licence: *이 글은 CC BY 4.0 라이선스에 따라 이용할 수 있습니다.*

A licence is believed only where the sentence says nothing else about it. One that denies, excepts, or speaks
of an original gives `unknown`, which excludes. The public marks of Korea have rules of their own in kogl.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlers.rights.place import Run
from malmoi.licence_words import licence_from_text
from malmoi.licences import cc_id, licence_from_url
from malmoi.rights import UNKNOWN

MAX_SENTENCE = 300  # code points; a longer one is prose that speaks about licences
MAX_ALONE = 120  # code points of a paragraph that is nothing but a licence
MAX_RUN = 2_000  # code points that are read at the beginning and at the end of a run

_WORK = (
    r"(?:글|저작물|문서|작품|게시물|게시글|포스트|포스팅|자료|콘텐츠|컨텐츠|페이지|기사|번역|번역문|번역본|본문|텍스트"
    r"|데이터|강의|책)"
)
_OWN = rf"(?:(?:이|본|위|해당)\s?(?:블로그의\s?|사이트의\s?|웹사이트의\s?)?(?:모든\s?)?{_WORK}(?:[은는의]|들은))"
_CC = r"(?:CC[ -]?(?:BY|0|L)\b|creative\s?commons|크리에이티브\s?커먼[즈스]|저작자\s?표시)"
_NAME = rf"(?:{_CC}|라이[선센]스|이용\s?허락|licen[cs]e)"
_GIVEN = (
    r"(?:에\s?따라|을\s?따[르릅]|를\s?따[르릅]|따릅니다|따른다|하에|아래|(?:으로|로)\s?(?:배포|제공|이용|공개|공유|사용|허락|보호)"
    r"|적용|의거|조건|이용할\s?수|사용할\s?수|배포할\s?수|(?:입니다|이다|임)\s?\.?$)"
)
_SENTENCES = (
    re.compile(rf"{_OWN}.*?{_NAME}.*{_GIVEN}", re.I),
    re.compile(rf"^(?:\W{{0,3}}){_CC}.*(?:라이[선센]스|이용\s?허락).*{_GIVEN}", re.I),
    re.compile(
        r"\b(?:this|the(?:se)?)\s(?:\w+\s)?"
        r"(?:work|article|post|document|page|text|content|translation|essay|story|book|data(?:set)?)s?\s"
        r"(?:is|are|may be)\s(?:\w+\s)?"
        r"(?:licen[cs]ed|released|distributed|made available|available|published|shared|provided|used)"
        r"\s(?:to you\s)?(?:under|with|by)\b",
        re.I,
    ),
    re.compile(r"^\W{0,3}(?:licen[cs]ed|released|available)\sunder\b", re.I),
)
_LABEL = re.compile(
    r"^\W{0,3}(?:라이[선센]스|licen[cs]e|이용\s?허락|이용\s?조건|저작권)\s?[:：]\s?(?P<value>.{1,120})$", re.I
)
_CAREFUL = re.compile(
    r"않|아니|아닙|제외|외에는|일부|원문|원저|원본|출처가|사진|이미지|그림|코드|예제|소스|"
    r"\bnot\b|\bexcept|\bunless\b|\boriginal|\bphoto|\bimages?\b|\bcode\b|\bexamples?\b",
    re.I,
)
_SPLIT = re.compile(r"(?<=[.!?。])\s+(?=[^\d])")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:creativecommons\.org|gnu\.org|opensource\.org|opendatacommons\.org)/[\w./+-]*\w/?"
)
_SPELLED = re.compile(
    r"(?:CC[ -]?|creative\s?commons\s)(?:BY(?:[ -]?NC)?(?:[ -]?(?:SA|ND))?)[ -]?(?:v|version )?[1-4]\.[05](?:[ -]KR\b)?"
    r"|저작자 ?표시(?:[ -]?비영리)?(?:[ -]?변경 ?금지|[ -]?동일조건 ?변경 ?허락)? [1-4]\.[05](?: 대한민국)?"
    r"|\bCC0\b(?:[ -]1\.0)?",
    re.I,
)
_LONG = re.compile(
    r"attribution(?P<nc>[ -]non-?commercial)?(?:(?P<nd>[ -]no-?deriv(?:ative)?s?(?: works)?)|(?P<sa>[ -]share-?alike))?"
    r" (?P<version>[1-4]\.[05])(?P<plain> (?:international|unported|licen[cs]e|public)\b|\W*$)",
    re.I,
)
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
    text = run.text if len(run.text) <= 2 * MAX_RUN else f"{run.text[:MAX_RUN]}\n{run.text[-MAX_RUN:]}"
    for sentence in _SPLIT.split(text):
        sentence = sentence.strip()
        if not sentence or len(sentence) > MAX_SENTENCE or _ASKS.search(sentence):
            continue
        label = _LABEL.match(sentence) if labels else None
        if label or any(form.search(sentence) for form in _SENTENCES):
            addresses = [link.element.get("href") or "" for link in run.links if _inside(link.text, sentence)]
            found = licences(sentence, addresses)
            whole = licence_from_text(label["value"]) if label else None
            found |= {whole} if whole else set()
            if not found and _FAMILY.search(sentence):
                found = {UNKNOWN}
            if found and _CAREFUL.search(_LONG.sub("", _SPELLED.sub("", sentence))):
                found = {UNKNOWN}
            yield from ((licence, sentence) for licence in sorted(found))


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


def licences(sentence: str, addresses: list[str]) -> set[str]:
    """The licences that a sentence spells out or links to; not those of 공공누리.

    >>> licences("이 글은 CC BY-NC-ND 4.0 라이선스를 따릅니다.", ["https://creativecommons.org/licenses/by-nc-nd/4.0/"])
    {'CC-BY-NC-ND-4.0'}
    """
    read = {licence_from_url(address) for address in (*addresses, *_ADDRESS.findall(sentence))}
    read |= {licence_from_text(words) for words in _SPELLED.findall(sentence)}
    for long in _LONG.finditer(sentence):
        kind = "by" + ("-nc" if long["nc"] else "") + ("-nd" if long["nd"] else "-sa" if long["sa"] else "")
        read.add(cc_id(kind, long["version"], ""))
    return {licence for licence in read if licence and not licence.startswith("LicenseRef-KOGL")}


def _inside(words: str, sentence: str) -> bool:
    words = " ".join(words.split())
    return bool(words) and words in sentence
