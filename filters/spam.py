"""Drop Korean spam for gambling, adult services, loans and the like, by its terms and their context.

One word never decides: 바카라 is also a maker of crystal, 대출 a service of banks and of libraries, and a report on
illegal gambling names its subject. An advertisement has many different terms of one family close together, next to
calls to act and contacts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeAlias

import re2
from pydantic import Field

from filters.korean.ngram_model import load as load_model
from filters.korean.ngram_model import score as wording
from filters.korean.term_lists import MOST_CHARS, MOST_HITS, Term, load, load_finder, to_search_form
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Limit, Score, Share

VERSION = 3
LIBRARIES = ("ahocorasick_rs", "google-re2", "numpy")
LIMITS = (Limit("spam_share", "max_share", "max", "spam"), Limit("spam_model", "max_model", "max", "spam"))

Level: TypeAlias = Annotated[float, Field(ge=-100, le=100)]  # a score of the model: 0 is halfway
Counts: TypeAlias = dict[Term, float]  # occurrences of each term in a text

TERMS = load(Path(__file__).parent / "lexicons" / "spam_terms.txt")
FAMILIES = tuple(sorted({term.family for term in TERMS} - {"call", "report", "none"}))
PLAIN = ("gambling", "adult", "loan", "drug")  # trades whose everyday words, in number, are enough next to a contact
_FIND = load_finder(TERMS)
_GATE = load_finder(tuple(term for term in TERMS if term.kind in ("strong", "core")))
MODEL = load_model(Path(__file__).parent / "lexicons" / "spam.model")

# Weights are our choice, set on tests/data/spam.jsonl: two strong terms and a call are an advertisement, two words of
# a reporter outweigh two strong terms.
STRONG, WEAK, CALL, CONTACT, REPORT, DOUBT = 3.0, 1.0, 1.0, 2.0, -3.0, -1.0
REPEATS = 2  # a strong term counts at most so often: evidence is variety, not repetition
MOST_CALLS, MOST_WEAK = 4, 5  # every shop has both
MANY_WEAK = 4  # from so many on, with a contact and a call, no strong term is required
WINDOW, SHORTEST = 300, 80  # code points, about a paragraph and about a sentence
OVERWHELMING = 12.0  # score
DENSE = 2.0  # weight per 200 code points from which a window advertises
_BASE = 200  # code points; a shorter window is measured as if it were so long
HALF = 0.5  # of a term between quotation marks: a warning quotes its subject
REPORTED = 2  # different words of a reporter from which a text without a contact is kept
# Added to the model's score if the terms, without required context, reach `min_score` too: our choice. With it, a
# model trained only on the advertisements of tests/data/spam.jsonl finds 55 of 100 by another writer instead of 28,
# and none of 90 lookalikes.
AGREED = 2.0
PAGE = 1_000  # code points; the bonus applies to shorter texts only: any manual collects calls and addresses
# Our choice by cross-validation over 763 texts (benchmarks/train_spam.py): 82 of 100 advertisements score above 0.5,
# and one lookalike of 150; above 0.25 a second. Of 4,912 real texts none scores above 0.2.
MAX_MODEL = 0.5

_QUOTED = re2.compile(
    "'[^'\n]{1,60}'|\"[^\"\n]{1,60}\"|[‘‛][^’\n]{1,60}’|[“‟][^”\n]{1,60}”|「[^」\n]{1,60}」|『[^』\n]{1,60}』"
)
# Contact points: a messenger, a handle, a domain with a number, a mobile telephone; the first of `_CONTACTS`.
REACHED = 4
_MOBILE = re2.compile(r"01[016-9][-. ]?\d{3,4}[-. ]?\d{4}")
# Contacts as advertising writes them. Each kind counts once.
_CONTACTS = tuple(
    re2.compile(pattern)
    for pattern in (
        # a messenger and an id, a handle, an open chat
        r"(톡|라인|텔레(그램)?|텔|위챗|id|아이디)\s?(id|아이디|문의|상담|추가)?\s?[:：→@]?\s?@?([a-z][a-z0-9_]{3,}|\d+[a-z][a-z0-9_]{2,})",
        r"(^|\s|[:：])@[a-z0-9_]{3,}|t\.me/|open\.kakao|오픈\s?(톡|채팅|카톡)",
        # a domain with a number, and an address behind an arrow or at the very end
        r"[a-z]+-?\d{2,4}\.(com|net|org|xyz|vip|me|co|io|site|info|kr|top|example)",
        r"(→|▶|☞|👉|➡|⇒|>|링크|주소|여기|주문은|클릭)\s?:?\s?(https?://)?[a-z0-9-]+\.[a-z]{2,7}(/|\s|$)|[a-z0-9-]\.[a-z]{2,7}(/\S*)?\s*$",
        # an entry code, a telephone
        r"코드\s?[:：는은]?\s?[\[(<]?[a-z0-9]{3,}",
        r"(010|070|060|050\d)[-. ]?\d{3,4}[-. ]?\d{4}|1[568]\d\d[-. ]\d{4}",
        # a price by minutes or course
        r"\d{2,3}분[^\n]{0,6}\d{1,2}만|\d시간\s?\d{1,2}만|[a-d]코스",
        # a bonus, a payment
        r"(충전?|페이백|보너스|지급|콤프|캐시백|배당|롤링|루징|입금)\s?(최대\s?)?\d{1,3}(\.\d+)?\s?(%|프로|퍼)"
        r"|\d{1,3}\s?% (보너스|페이백)|\d{1,2}만\s?원?\s?(바로\s?)?(지급|줍|드려|쿠폰)|쿠폰\s?\d",
        # a promise in numbers
        r"(수익률?|적중률|승률|승인)\s?\d{2,4}\s?(%|프로|퍼)|100\s?%|\d{2,4}\s?%\s?(수익|승인|보장)|월\s?[1-9]\d{2,3}만"
        r"|[1-9]\d?(키로|킬로|kg)\s?(빠|감량|뺐)|\d일\s?만에|한\s?달\s?만에",
    )
)
_PLACES = (
    "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주|강남|서초|송파|강동|마포|용산|종로|"
    "은평|노원|성북|동작|관악|구로|금천|영등포|양천|강서|도봉|강북|중랑|광진|성동|동대문|서대문|수원|용인|성남|분당|판교|"
    "안산|안양|화성|동탄|평택|오산|시흥|부천|광명|군포|의왕|하남|남양주|구리|의정부|고양|일산|파주|김포|양주|포천|이천|여주|"
    "천안|아산|청주|충주|전주|익산|군산|목포|여수|순천|포항|구미|경주|경산|창원|김해|진주|거제|통영|양산|춘천|원주|강릉|"
    "속초|해운대|서면|광안리|수성|동래|연산|사상|하단|유성|둔산|상무|수완|송도|구월|부평|계양"
)
_PLACED = re2.compile(rf"({_PLACES})(?:시|구|동|역)?\s?([가-힣]{{2,6}})")
STUFFED = 4  # different place names before the same word
_LISTED = rf"(?:{_PLACES})[가-힣]{{0,2}} ?[가-힣]{{1,6}}"
_LIST = re2.compile("[ ,|/·]+".join([_LISTED] * 3))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence for advertising of one family, and the share of the text it fills."""

    family: str = ""
    score: float = 0.0
    share: float = 0.0  # of the code points, in windows that advertise
    agrees: bool = False  # terms, calls and contacts weigh enough, whatever the context of a term
    reported: bool = False  # has words of a reporter, and no contact


def judge(doc: Document, *, min_score: Score = 5.0, max_share: Share = 0.5, max_model: Level = MAX_MODEL) -> Verdict:
    """Drop a text of which more than `max_share` advertises, or whose wording does (`max_model`); reason `spam`.

    The score of the whole text is the weight of the different terms of its strongest family (strong 3, at most twice;
    weak 1), of calls to act (1, at most four) and of kinds of contact (2), minus each word of those who report, judge,
    tell or help (3, doubtful ones 1); between quotation marks a term counts half. Only a text that reaches `min_score`
    is split into windows of about 300 code points: `spam_share` is the part in windows with a weight of at least 2 per
    200 code points. So one advertisement below a long article does not drop the article.

    `spam_model` is the score of a linear model over character n-grams for the whole text and for half of its windows
    (`filters.korean.ngram_model`): 0 is the midpoint, and if the terms of a shorter text agree it is raised by 2.

    Measures `spam` (the score), `spam_share` and `spam_model`; label `spam` of a dropped text is the family, or
    `wording` if only the model finds it. A drop by terms needs two strong ones, or one next to a call or contact, or
    two weak ones next to a contact and a call: one word never decides.
    """
    text = to_search_form(doc.text[:MOST_CHARS])
    model = wording(MODEL, text)
    page = len(text) <= PAGE
    found = measure(doc.text, min_score=min_score, gate=model <= max_model - (AGREED if page else 0.0))
    agreed = AGREED if found.agrees and page else 0.0
    if model + agreed > max_model:
        model = wording(MODEL, text, windows=True)
    model += agreed
    share, model = round(found.share, 4), round(model, 4)
    termed = share > max_share
    drops = termed or (model > max_model and not found.reported)
    return Verdict(
        "drop" if drops else "keep",
        "spam" if drops else "no-spam",
        measured=share if termed or not drops else model,
        limit=max_share if termed or not drops else max_model,
        labels=(("spam", found.family or "wording"),) if drops else (),
        measures=(("spam", round(found.score, 4)), ("spam_share", share), ("spam_model", model)),
    )


def measure(text: str, *, min_score: float = 5.0, gate: bool = True) -> Evidence:
    """Measure the evidence for the strongest family in `text`; empty if no family reaches two terms.

    With `gate`, a text without a single strong or core term is not measured.

    >>> measure("바카라는 크리스털을 만드는 프랑스의 회사이다.")
    Evidence(family='', score=0.0, share=0.0, agrees=False, reported=False)
    >>> measure("카.지.노 사이트 꽁/머/니 3만 원 지급, 가입코드 7777").family
    'gambling'
    """
    text = to_search_form(text[:MOST_CHARS])
    listed = _LIST.search(text) is not None
    if gate and not listed and not _GATE.any(text):
        return Evidence()
    placed = _find_place_terms(text) if listed else ()
    hits = (*islice(_FIND.all(text), MOST_HITS), *placed)
    counts = _count_terms(text, hits)
    reports = sum(1 for term in counts if term.kind == "report")
    reported = reports >= REPORTED and not any(pattern.search(text) for pattern in (*_CONTACTS[:REACHED], _MOBILE))
    if max(_score_family(family, counts, len(_CONTACTS), alone=not gate) for family in FAMILIES) < min_score:
        return Evidence(reported=reported)
    contacts = sum(1 for pattern in _CONTACTS if pattern.search(text))
    score, family = max((_score_family(family, counts, contacts), family) for family in FAMILIES)
    agrees = not gate and max(_score_family(name, counts, contacts, alone=True) for name in FAMILIES) >= min_score
    # Strong terms of several trades in one text, as in lists of links
    strong = [term for term, n in counts.items() if term.kind == "strong" and n >= 1]
    mixed = 0.0
    if len(strong) >= 3 and len({term.family for term in strong}) >= 2:
        calls = min(MOST_CALLS, sum(1 for term in counts if term.kind == "call"))
        weight = STRONG * len(strong) + CALL * calls + CONTACT * contacts
        mixed = max(0.0, weight + _score_counterevidence(counts))
    if reported or max(score, mixed) < min_score:
        return Evidence(family if score else "", score, 0.0, agrees, reported)
    hits = tuple(sorted(hits, key=lambda hit: hit[0]))
    named = family if score >= min_score else "mixed"
    strongest = max(score, mixed)
    share = _advertising_share(text, hits, "mixed" if mixed > score else family, strongest)
    return Evidence(named, strongest, share, agrees, reported)


def _count_terms(text: str, hits: tuple[tuple[int, int, Term], ...]) -> Counts:
    """Count each term in the text; a term that is always between quotation marks counts half."""
    quoted = [hit.span() for hit in islice(_QUOTED.finditer(text), MOST_HITS)] if hits else []
    counts: Counts = {}
    at = 0
    for start, end, term in sorted(hits, key=lambda hit: hit[0]):
        while at < len(quoted) and quoted[at][1] <= start:
            at += 1
        inside = at < len(quoted) and quoted[at][0] < start and end < quoted[at][1]
        counts[term] = counts.get(term, 0.0) + (HALF if inside else 1.0)
    return counts


def _score_family(family: str, counts: Counts, contacts: int, *, alone: bool = False) -> float:
    """Return the weight of `family` in the whole text; 0 if it has too few terms.

    With `alone` one term of the family is enough: for texts whose wording advertises already.
    """
    strong = sum(min(n, REPEATS) for term, n in counts.items() if term.family == family and term.kind == "strong")
    weak = sum(min(1.0, n) for term, n in counts.items() if term.family == family and term.kind in ("core", "weak"))
    calls = min(MOST_CALLS, sum(1 for term in counts if term.kind == "call"))
    placed = sum(n for term, n in counts.items() if term.kind == "placed") if family == "seo" or strong + weak else 0.0
    if family in PLAIN:
        enough = strong > 1 or bool(strong and calls + contacts) or (weak >= MANY_WEAK and contacts > 0 and calls > 0)
    else:  # every shop says this too
        enough = strong > 1 or bool((strong or placed) and calls and (contacts or weak >= MOST_WEAK))
    if not (enough or (alone and strong + weak)):
        return 0.0
    return max(
        0.0,
        STRONG * (strong + min(REPEATS, placed))
        + WEAK * min(MOST_WEAK, weak)
        + CALL * calls
        + CONTACT * contacts
        + _score_counterevidence(counts),
    )


def _score_counterevidence(counts: Counts) -> float:
    """Return the weight to subtract for words of those who report."""
    return sum({"report": REPORT, "doubt": DOUBT}.get(term.kind, 0.0) for term in counts)


def _find_place_terms(text: str) -> tuple[tuple[int, int, Term], ...]:
    """Find one word after many different place names, as separate terms: 강남출장 서초출장 송파출장 …"""
    places: dict[str, list[re.Match[str]]] = {}
    for hit in _PLACED.finditer(text):
        places.setdefault(hit.group(2)[:2], []).append(hit)
    return tuple(
        (*hit.span(), Term(word, "seo", "placed"))
        for word, found in places.items()
        if len({hit.group(1) for hit in found}) >= STUFFED
        for hit in found
    )


def _advertising_share(text: str, hits: tuple[tuple[int, int, Term], ...], family: str, score: float) -> float:
    """Return the share of code points in windows that advertise `family`; overwhelming evidence halves their limit."""
    weights = {
        "strong": STRONG,
        "placed": STRONG,
        "core": WEAK,
        "weak": WEAK,
        "call": CALL,
        "report": REPORT,
        "doubt": DOUBT,
    }
    enough = DENSE if score < OVERWHELMING else DENSE / 2
    advertising = total = at = 0
    for start, end in _split_windows(text):
        weight, own = 0.0, 0
        while at < len(hits) and hits[at][0] < end:
            term = hits[at][2]
            if term.family in (family, "call", "report") or term.kind == "placed" or family == "mixed":
                weight += weights.get(term.kind, 0.0)
                own += term.family not in ("call", "report")
            at += 1
        total += end - start
        if own and weight * _BASE / max(_BASE, end - start) >= enough:
            advertising += end - start
    return advertising / total if total else 0.0


def _split_windows(text: str) -> list[tuple[int, int]]:
    """Split a text into windows that end after a line once long enough; cut longer lines. Finer in short texts.

    >>> _split_windows("가" * 700)[:2], _split_windows("가나" + chr(10) + "다라")
    ([(0, 140), (140, 280)], [(0, 5)])
    """
    width = min(WINDOW, max(SHORTEST, len(text) // 5))
    windows: list[tuple[int, int]] = []
    start = 0
    for end in [hit.end() for hit in re.finditer(r"\n|\Z", text)]:
        while end - start >= 2 * width:
            windows.append((start, start + width))
            start += width
        if end - start >= width:
            windows.append((start, end))
            start = end
    if start < len(text):
        if windows and len(text) - start < width // 2:
            start = windows.pop()[0]
        windows.append((start, len(text)))
    return windows
