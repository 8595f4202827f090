"""Sentences in which a text declares its own licence: *이 글은 CC BY 4.0 라이선스에 따라 이용할 수 있습니다.*

A licence counts only if the sentence does not qualify it. A sentence that denies, excepts, or refers to an original
gives `unknown`, which excludes. The KOGL marks have their own rules in kogl_sentences.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crawlers.formats.html.runs import Run
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.rights.sentences.licence_mentions import LONG, SPELLED, mentions
from crawlers.rights.sentences.self_reference import is_about_itself
from crawlers.rights.sentences.subject import find_subject, is_doubtful, strip_exceptions
from malmoi.licensing.licence_words import NO_DERIVATIVES, NON_COMMERCIAL, licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.rights_decision import UNKNOWN, terms

MAX_REST = 3  # letters and digits that may remain after removing filler words
MAX_SENTENCE = 400  # code points; a longer one is prose about licences
MAX_ALONE = 120  # code points of a paragraph that consists of a licence
MAX_BESIDE = 160  # code points of other text in the run of a sentence of the item that grants
MAX_RUN = 2_000  # code points that are read at the beginning and at the end of a run

_WORK = (
    r"(?:글|저작물|문서|작품|게시물|게시글|포스트|포스팅|자료|콘텐츠|컨텐츠|내용|페이지|기사|번역|번역문"
    r"|번역본|본문|텍스트"
    r"|데이터|강의(?:\s?노트|록)?|노트|책|보고서|간행물|설명서|논문|칼럼)"
)
_PLACE = r"(?:블로그|사이트|웹사이트|홈페이지|누리집|위키|페이지)"
_OWN = (
    rf"(?:(?:이|본|위|해당|모든)\s?(?:{_PLACE}(?:의|에\s?(?:있는|실린"
    rf"|게시된))?\s?)?(?:모든\s?)?{_WORK}(?:[은는의과와]|들은|에는)"
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
    re.compile(
        rf"\bthis is an?\s(?:[\w-]+\s){{0,2}}?{_THING},?\s(?:(?:which|that) is\s)?{_LICENSED}\s(?:under|with)\b", re.I
    ),
    # 이 글의 이용 조건: CC BY
    re.compile(rf"(?:이|본)\s?{_WORK}의\s(?:라이[선센]스|이용\s?조건|이용\s?허락(?:\s?범위)?|저작권)\s?[:：]", re.I),
    re.compile(rf"(?:이|본)\s?(?:[가-힣]{{2,4}}의\s)?본문(?:은|은\s모두)\s.*{_GIVEN}", re.I),
)
# 글쓴이는 이 글의 모든 권리를 포기합니다: dedicates the text to the public domain, grants no other licence.
_WAIVES = re.compile(
    rf"(?:이|본)\s?{_WORK}(?:에\s?(?:관한|대한|관련된)|의)\s.{{0,40}}(?:권리|저작권|저작\s?인접권).{{0,60}}포기(?:합니다|한다|함|했|하였)",
    re.I,
)
# A choice between several licences.
_CHOICE = re.compile(
    r"가운데\s?하나|(?<!하나도\s)중\s?(?:에서\s?)?(?:하나|원하는|선택)|둘\s중|택일|선택(?:하여|해)|골라|또는|혹은|이나\s"
    r"|\bor\b|\beither\b|at your (?:option|choice)",
    re.I,
)
_ANNOUNCED = re.compile(
    r"(?:문구|문장|표시|예시|보기|양식|예를\s?들|다음과\s?같|아래와\s?같|작성\s?례|표기\s?방법|적용\s?방법)[^.]{0,40}[:：.]?$"
    r"|(?:넣|붙이|붙여|복사|적어|입력)[^.]{0,16}[:：.]?$|\b(?:copy|paste|insert"
    r"|for example|e\.g\.|like this|such as|sample|template"
    r"|following (?:line|notice|text|sentence|statement))\b[^.]{0,40}[:：.]?$",
    re.I,
)
_TAKES_BACK = re.compile(r"^\W{0,3}(?:다만|단|그러나|하지만|however|but|note that)[,\s]", re.I)
_TAKEN = re.compile(r"않|아니|제외|없|금지|불가|\bnot\b|n['’]t\b|\bexcept|\bonly\b|exclud|reserved|permission", re.I)
# A footer or a mark block is not narrative: there a bare subject declares too.
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
_CC_CLAUSE = (
    ("NC", re.compile(rf"{NON_COMMERCIAL.pattern}|\bBY-NC", re.I)),
    ("ND", re.compile(rf"{NO_DERIVATIVES.pattern}|\bBY-(?:NC-)?ND", re.I)),
    ("SA", re.compile(r"동일\s?조건|share-?\s?alike|\bBY-(?:NC-)?SA", re.I)),
)
# A sentence that begins with the licence and names no work: "Licensed under CC BY 4.0".
_NAMELESS = re.compile(rf"^\W{{0,3}}(?:(?:licen[cs]ed|released|available)\sunder\b|{_CC})", re.I)
_HINT = re.compile(r"licen|라이[선센]스|CC|저작자|commons|커먼|이용\s?허락|GPL|public domain|퍼블릭", re.I)
_may_hint = gate(_HINT)
_FAMILY = re.compile(rf"{_CC}|\b(?:L?GPL|GFDL|MIT|Apache|BSD|MPL|ODbL)\b|public domain|퍼블릭 도메인", re.I)
_ASKS = re.compile(r"[?？]|무엇|이란\s")


def find_declarations(run: Run, *, labels: bool = False, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield each (licence, sentence) that a run declares for its own text; `unknown` if the licence cannot be read.

    `before` is the text of the run before it, which may announce an example. `labels` also accepts a line such as
    "라이선스: CC BY 4.0" or "CC BY 4.0", which an HTML page has in its mark blocks.
    """
    if run.state.quoted or run.state.furniture:
        return
    if labels and run.owner.tag == "p" and len(run.text) <= MAX_ALONE:
        yield from _find_sole_licence(run)
    if not _may_hint(run.text) or not _HINT.search(run.text):
        return
    text = run.text if len(run.text) <= 2 * MAX_RUN else f"{run.text[:MAX_RUN]}\n{run.text[-MAX_RUN:]}"
    forms = _SENTENCES if run.state.part == "item" and run.state.mark is None else (*_SENTENCES, _FRAME)
    sentences = [sentence.strip() for sentence in _SPLIT.split(text)]
    back = any(
        _TAKES_BACK.search(one) and _TAKEN.search(strip_exceptions(one)) and _is_about_text(one) for one in sentences
    )
    for sentence in sentences:
        if not sentence or len(sentence) > MAX_SENTENCE or _ASKS.search(sentence):
            continue
        label = _LABEL.match(sentence) if labels else None
        if label or _WAIVES.search(sentence) or any(form.search(sentence) for form in forms):
            # Beside other sentences of the item it may describe a book: then it cannot grant, only limit.
            told = run.state.part == "item" and run.state.mark is None and len(text) - len(sentence) > MAX_BESIDE
            told = told or bool(before and _ANNOUNCED.search(before[-200:]))
            sure = not back and (
                label or _NAMELESS.search(sentence) or is_about_itself(sentence, run.owner, frame=_is_in_frame(run))
            )
            for licence in sorted(_find_licences(run, sentence, label)):
                if not _is_redistributable(licence) or (not told and sure):
                    yield licence, sentence
                elif not told:
                    yield UNKNOWN, sentence


def may_declare(shown: Sequence[Run]) -> bool:
    """Whether a run of a page may declare without a label: few pages have a word that all declarations contain."""
    return may_match_any(_may_hint, (run.text for run in shown))


def is_declaration(sentence: str, run: Run) -> bool:
    """Whether a sentence of `run` has the form of a licence declaration, and its subject is the text."""
    return (bool(_WAIVES.search(sentence)) or any(form.search(sentence) for form in _SENTENCES)) and (
        bool(_NAMELESS.search(sentence)) or is_about_itself(sentence, run.owner, frame=_is_in_frame(run))
    )


def find_cell_licence(run: Run) -> str:
    """Return the single licence that a labelled cell declares in a sentence about the text, else ""."""
    if len(run.text) > MAX_ALONE or _ASKS.search(run.text):
        return ""
    found = _find_licences(run, run.text, None)
    return next(iter(found)) if len(found) == 1 and is_about_itself(run.text, run.owner, frame=True) else ""


def _is_in_frame(run: Run) -> bool:
    before = run.owner.getprevious() if run.owner.tag in ("td", "dd") else None
    return run.state.part == "site" or run.state.mark is not None or (before is not None and before.tag in ("th", "dt"))


def _is_about_text(sentence: str) -> bool:
    """Whether an exception covers the text or names no subject; exceptions of pictures leave the text licensed."""
    return find_subject(strip_exceptions(sentence)) in ("own", "") or bool(
        re.search("기고|칼럼|원고|외부|guest|contribut", sentence, re.I)
    )


def has_other_clause(licence: str, words: str) -> bool:
    """Whether words name a clause that a Creative Commons licence does not have.

    >>> has_other_clause("CC-BY-4.0", "for non-commercial use"), has_other_clause("CC-BY-NC-4.0", "비영리")
    (True, False)
    """
    clauses = set(licence.removeprefix("LicenseRef-").split("-"))
    return "CC" in clauses and any(name not in clauses and sign.search(words) for name, sign in _CC_CLAUSE)


def strip_holder(words: str) -> str:
    """Return `words` without a copyright notice: © 2024 by a holder."""
    return _HOLDER.sub(" ", words)


def is_bare(words: str) -> bool:
    """Whether words beside a licence name it and its holder, and nothing that it could apply to.

    >>> (is_bare("© 2024 가나. 라이선스:"), is_bare("This work is licensed under a"),
    ...  is_bare("발표 슬라이드는 으로 공개합니다."))
    (True, True, False)
    """
    return len(re.sub(r"\W", "", _NOTHING.sub(" ", _HOLDER.sub(" ", SPELLED.sub(" ", words))))) <= MAX_REST


def _is_redistributable(licence: str) -> bool:
    found = terms(licence)
    return found is not None and found.use == "redistribute"


def _find_licences(run: Run, sentence: str, label: re.Match[str] | None) -> set[str]:
    """Return the licences that a declaring sentence gives to the text, without those of pictures and software."""
    if label and (whole := licence_from_text(label["value"])):
        return {whole}
    found: set[str] = set()
    strange = False
    end, subject = 0, ""
    named = mentions(run, sentence)
    for at, stop, licence in named:
        after = sentence[stop : next((m[0] for m in named if m[0] > stop), len(sentence))]
        if not end or re.search(r"\w", sentence[end:at]):  # else an address in brackets after the name
            subject = find_subject(sentence[end:at], after)
        if subject not in ("own", "") and not label:
            strange = True
        elif run.state.part == "item" and (_TOPIC.match(sentence, stop) or _TELLS.match(sentence, stop)):
            strange = True  # "CC BY 4.0은 …", "CC BY 4.0으로 공개된 책이라 …": about the licence or a work
        elif licence:
            found.add(licence)
        end = max(end, stop)
    if _WAIVES.search(sentence):
        found = {one for one in found if one in ("CC0-1.0", "CC-PDM-1.0")} or ({UNKNOWN} if found else set())
    if len(found) > 1 and _CHOICE.search(sentence) and _is_wiki_pair(found):
        found = {" OR ".join(sorted(found))}
    if any(has_other_clause(one, sentence) for one in found if len(found) == 1):
        return {UNKNOWN}
    if not found and not strange and _FAMILY.search(sentence) and find_subject(sentence) in ("own", ""):
        return {UNKNOWN}
    if found and is_doubtful(LONG.sub("", SPELLED.sub("", sentence))):
        return {UNKNOWN}
    return found


def _is_wiki_pair(found: set[str]) -> bool:
    """Whether licences are the two that wikis offer as a choice: CC BY-SA and the GFDL."""
    return all(one.removeprefix("LicenseRef-").startswith(("CC-BY-SA", "GFDL")) for one in found)


def _find_sole_licence(run: Run) -> Iterator[tuple[str, str]]:
    """Yield a Creative Commons licence that is the whole paragraph: its name, or a link or badge that leads to it."""
    found = {licence_from_text(run.text)}
    linked = "".join(link.text for link in run.links)
    if len(run.links) == 1 and len("".join(linked.split())) >= len("".join(run.text.split())):
        found.add(licence_from_url(run.links[0].element.get("href") or ""))
    if len(run.images) == 1 and not run.text:
        found.add(licence_from_text(run.images[0][0].get("alt") or ""))
    words = run.text or next((link.element.get("href") or "" for link in run.links), "")
    yield from ((licence, words) for licence in sorted(filter(None, found)) if licence.startswith("CC"))
