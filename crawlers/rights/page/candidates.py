"""Find everything on a page that names a licence or sounds open, with its element, place and words.

Candidates prove nothing: `page_proofs` picks those that are a proof at a declared place. The others lead to a review
if there is no proof, and on the item they contradict another licence. Hidden and quoted text is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from lxml import html

from crawlers.formats.html.runs import MAX_AROUND, RELATIONS, PageEvidence, Run, State, names, quote
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.web.addresses import join_url
from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, licence_from_text
from malmoi.licensing.licences import cc_id, licence_from_url
from malmoi.licensing.rights_decision import UNKNOWN

MAX_LINKS = 40  # of one run that are read; more are a list
MAX_SENTENCE = 400  # code points of a run that may declare; a longer one is prose
MAX_OWN = 80  # code points of a run that is the name of a licence and little else
MAX_REST = 14  # letters of it beside the name
MAX_ABOVE = 8  # ancestors that may be a card
_CC = r"CC[ -]?BY(?:[ -]?(?:NC|ND|SA)){0,2}|creative ?commons|크리에이티브 ?커먼[즈스]|저작자 ?표시"
_VERSION = re.compile(r"[1-4]\.[05](?:[ -](?:KR|IGO|International|Unported|국제|대한민국)\b)?", re.I)
_NAMED = re.compile(
    rf"\bCCL?\b[ -]?(?:BY|0)?|{_CC}|attribution[- ](?:share|non|no)|\bCC0\b|クリエイティブ・コモンズ|공공누리|KOGL"
    r"|\bMIT\b|\bL?GPL|\bGFDL\b|Apache|BSD-",
    re.I,
)
_LICENCE = re.compile(
    rf"(?:{_CC})[ -]?(?:BY(?:[ -]?(?:NC|ND|SA)){{0,2}})?[\w ,:()-]{{0,60}}?{_VERSION.pattern}|\bCC0(?:[ -]1\.0)?|\bGFDL\b"
    r"|\bMIT(?= licen[cs]e| 라이[선센]스)|\b(?:Apache|L?GPL)[ -]?(?:License,? ?)?(?:v|version )?[23](?:\.[01])?\+?",
    re.I,
)
_LONG = re.compile(
    r"attribution(?P<nc>[ -]non-?commercial)?(?P<nd>[ -]no-?deriv(?:ative)?s?(?: works)?)?(?P<sa>[ -]share-?alike)?"
    r" (?P<version>[1-4]\.[05])",
    re.I,
)
_SELF = re.compile(
    r"(?:이|본|위|해당|동|모든|전체)\s?(?:블로그|사이트|홈페이지|위키|책|저장소)?(?:의|에\s?실린)?\s?(?:모든\s?)?"
    r"(?:글|저작물|문서|게시물|포스트|콘텐츠|컨텐츠|페이지|기사|번역|자료|내용|책|작품|보고서|텍스트|블로그|사이트|위키)"
    r"|\b(?:this|these|all|our|the)\s(?:\w+\s){0,2}(?:work|article|post|page|document|text|content|book|translation|site|blog|wiki)s?\b",
    re.I,
)
_OWN = re.compile(rf"(?:{_SELF.pattern})(?:들)?(?:은|는|의\s저작권은|\s(?:is|are|may be)\s)", re.I)
_GIVES = re.compile(
    r"라이[선센]스|licen[cs]|이용\s?허락|(?:이용|사용|배포|복제|공유|공개)[가-힣]{0,3}\s?(?:수\s?있|가능|됩니다|합니다|됨)|available under",
    re.I,
)
_SOUNDS_OPEN = re.compile(
    r"자유롭게\s?(?:이용|사용|활용|복제|배포|퍼)[가-힣]{0,4}\s?(?:수\s?있|가능|됩니다|좋)|퍼\s?가셔도|마음껏|copyleft|카피레프트"
    r"|만료\s?공공저작물|public\s?domain|퍼블릭\s?도메인|저작권이?\s?(?:소멸|만료|없)|보호\s?기간이?\s?(?:만료|지난|끝난)|freely (?:use|copy|share|distribut)",
    re.I,
)
_PART = re.compile(
    r"(?:사진|이미지|그림|삽화|영상|음악|음원|글꼴|폰트|서체|지도|데이터|아이콘|테마|스킨|소스\s?코드|코드|소프트웨어|프로그램)"
    r"[가-힣]{0,2}(?:은|는|이|가|[:：])?[^.]{0,40}$"
    r"|\b(?:photo|image|picture|figure|video|music|font|icon|map|data|theme|skin|template|code|software|program)s?\b[^.]{0,40}$",
    re.I,
)
_PAGE_TYPES = re.compile(
    r"/(?:\w*Article|BlogPosting|Report|Web(?:Page|Site)|CreativeWork|Blog|\w*Page|LearningResource|Legislation)$"
)
_NC_ND = re.compile(r"\bBY[ -](?:SA[ -])?N[CD]\b|\bN[CD]\b|by-n[cd]|변경\s?금지", re.I)
_BADGE = re.compile(r"/(?:l|licenses|i)/(?P<kind>by(?:-(?:nc|nd|sa)){0,2}|zero)/(?P<version>[1-4]\.[05])", re.I)
_BESIDE = frozenset(
    "related relate recommend prev previous next series widget card cards gallery banner feed recent popular attach "
    "attachment file files download thumb thumbnail slide slider carousel post-list tags author-bio promo popup layer "
    "modal map player review reviews font fonts audio video search".split()
)
_may_sound = gate(_NAMED, _SOUNDS_OPEN)


def find(shown: Sequence[Run], url: str = "") -> Iterator[PageEvidence]:
    """Yield the links, badges and sentences of a page that name a licence; KOGL facts are those of `kogl_block`."""
    for run in shown:
        if run.links or run.images:
            for one in (*_links(run), *_badges(run)):
                yield lay_aside(one, url)
    for run in shown if may_match_any(_may_sound, (run.text for run in shown)) else ():
        if run.text and len(run.text) <= MAX_SENTENCE and _may_sound(run.text):
            yield from (lay_aside(one, url) for one in read_sentence(run))


def _links(run: Run) -> Iterator[PageEvidence]:
    end = 0  # of the last licence link: words before it speak of that one
    for link in run.links[:MAX_LINKS]:
        address = link.element.get("href") or ""
        marked = is_marked(link.element)
        licence = licence_from_url(address)
        if (not marked and licence is None) or (licence or "").startswith("LicenseRef-KOGL"):
            continue
        before = run.words_between(end, link.begin)[-MAX_AROUND:]
        kind = "words" if _PART.search(before) else "link"
        end = link.end
        yield PageEvidence(licence or UNKNOWN, kind, quote(address, link.text), link.element, run.state)


def is_marked(element: html.HtmlElement) -> bool:
    """Whether an element is a link with rel=license that is not a link to RSL terms."""
    rel = f"{element.get('rel') or ''} {element.get('property') or ''} {element.get('itemprop') or ''}".lower()
    return "licen" in rel and not RELATIONS.isdisjoint(rel.split()) and "rsl" not in (element.get("type") or "").lower()


def _badges(run: Run) -> Iterator[PageEvidence]:
    for image, inside in run.images[:MAX_LINKS]:
        if inside is not None and licence_from_url(inside.element.get("href") or ""):
            continue  # the link says it
        source, alternative = image.get("src") or "", image.get("alt") or ""
        badge = _BADGE.search(source[:500])
        licence = (
            licence_from_url(f"https://creativecommons.org/licenses/{badge['kind']}/{badge['version']}/")
            if badge
            else None
        )
        licence = licence or licence_from_text(alternative)
        if licence and not licence.startswith("LicenseRef-KOGL"):
            yield PageEvidence(licence, "image", quote(source, alternative), image, run.state)


def read_sentence(run: Run) -> Iterator[PageEvidence]:
    """Yield what a short run says: `sentence` if it speaks of its own text or names a licence and nothing else."""
    text = run.text
    licences, end = list[tuple[str, str | None]](), 0
    for match in _LICENCE.finditer(text):
        licences.append((text[end : match.start()], _read(match[0])))
        end = match.end()
    licences = [one for one in licences if not (one[1] or "").startswith("LicenseRef-KOGL")]
    rest = re.sub(r"[\W\d_]+", "", _NAMED.sub("", _LICENCE.sub("", text)))
    bare = len(text) <= MAX_OWN and len(rest) <= MAX_REST and bool(_NAMED.search(text))
    own = bare or bool(_SELF.search(text) and _GIVES.search(text))
    if own and not bare and not licences and _is_closed(text):
        yield PageEvidence("none", "refusal-limits", quote(text), run.owner, run.state)
    elif licences and (own or _GIVES.search(text)):
        for before, licence in licences:
            kind = "sentence" if own and not _PART.search(before) else "words"
            yield PageEvidence(licence or UNKNOWN, kind, quote(text), run.owner, run.state)
    elif not run.links and ((_NAMED.search(text) and (own or _GIVES.search(text))) or _SOUNDS_OPEN.search(text)):
        yield PageEvidence("none" if bare and _is_closed(text) else UNKNOWN, "words", quote(text), run.owner, run.state)


def speaks_of_page(words: str) -> bool:
    """Whether the words around a licence link are nothing but its name, or begin with the page itself.

    >>> speaks_of_page("CC BY 4.0"), speaks_of_page("이 글은 라이선스에 따라"), speaks_of_page("원문은 CC BY")
    (True, True, False)
    """
    rest = re.sub(r"[\W\d_]+", "", _NAMED.sub("", _LICENCE.sub("", words)))
    own = _OWN.match(words.lstrip("※*·-©(Cc) ")[:200])
    return not _PART.search(words) and (not rest or bool(own and _GIVES.search(words)))


def is_closed(words: str) -> bool:
    """Whether words beside a licence forbid commercial use or changes."""
    return bool(NON_COMMERCIAL.search(words) or NO_DERIVATIVES.search(words) or _NC_ND.search(words))


def _read(words: str) -> str | None:
    if long := _LONG.search(words):  # Creative Commons Attribution-ShareAlike 4.0 International License
        kind = "by" + "".join(f"-{name}" for name in ("nc", "nd", "sa") if long[name])
        return cc_id(kind, long["version"], "")
    return licence_from_text(words) or licence_from_text(re.sub(r"\s*[(),:]\s*", " ", words))


def _is_closed(text: str) -> bool:
    """Whether a sentence names a Creative Commons licence without version that allows no commercial use or no changes."""
    return bool(re.search(_CC, text, re.I)) and is_closed(text)


def lay_aside(one: PageEvidence, url: str = "") -> PageEvidence:
    """Return a candidate with the state of the site if it stands in a card, list or box about something else."""
    return replace(one, state=State("site")) if one.state.part != "site" and is_beside(one.element, url) else one


def is_beside(element: html.HtmlElement, url: str = "") -> bool:
    """Whether an element is in a card, post or box about something else than the page at `url`.

    So it is if its microdata or RDFa say so, by the class of a box, or as one of several alike that link or have titles.
    """
    for number, above in enumerate((element, *element.iterancestors())):
        about = above.get("about") or above.get("resource") or ""
        if above.get("itemscope") is not None or about:
            type_ = (above.get("itemtype") or "").rstrip("/")
            other = about and not about.startswith("#") and join_url(url, about) != url
            return bool(other) or bool(type_ and not _PAGE_TYPES.search(type_))
        if number > MAX_ABOVE or above.tag in ("body", "html"):
            continue
        called = {part for name in names(above) for part in (name, *re.split(r"[-_]", name))}
        if not _BESIDE.isdisjoint(called) or above.tag in ("aside", "nav", "figure", "form"):
            return True
        if above.tag in ("li", "td", "dd") and _follows_link(element, above):
            return True  # beside a file or an entry
        if above.tag in ("li", "article", "div", "section", "tr", "dl") and _is_card(above):
            return True
    return False


def _is_card(element: html.HtmlElement) -> bool:
    """Whether an element and a sibling of the same tag and class both hold a link to another page, or a heading."""
    sides = (element.itersiblings(element.tag), element.itersiblings(element.tag, preceding=True))
    near = sides[:1] if element.tag == "section" else sides  # a mark in the last section is that of the page
    alike = [one for side in near for one in islice((o for o in side if o.get("class") == element.get("class")), 2)]
    return bool(alike) and any(test(element) and any(map(test, alike)) for test in (_leads_away, _has_heading))


def _has_heading(element: html.HtmlElement) -> bool:
    return next(element.iter("h1", "h2", "h3", "h4"), None) is not None


def _follows_link(element: html.HtmlElement, above: html.HtmlElement) -> bool:
    """Whether a link to another page stands before `element` in the entry `above`: to a file, a post, a product."""
    for link in islice(above.iter("a"), 5):
        if link is element or any(one is element for one in link.iter()):
            return False
        if _leads_to_page(link):
            return True
    return False


def _leads_away(element: html.HtmlElement) -> bool:
    return any(map(_leads_to_page, islice(element.iter("a"), 5)))


def _leads_to_page(link: html.HtmlElement) -> bool:
    address = link.get("href") or ""
    if not address or address.startswith(("#", "javascript:", "mailto:")) or licence_from_url(address):
        return False
    return "kogl.or.kr" not in address and "creativecommons.org" not in address
