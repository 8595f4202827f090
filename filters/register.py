"""Classify the register of a text: news, law, manual, essay, talk …, by endings, persons, formulae and lines.

The registers are those by which a trainer mixes data and which sources declare. The subject of a text is another
question, which `domain` answers.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from math import exp
from pathlib import Path

import re2
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from filters.korean.morpheme_signs import grammar_of
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Share
from malmoi.prefilter import need, shortest

LIBRARIES = ("ahocorasick_rs", "google-re2")
NEEDS = ("morphology",)

# Formulae are at the head and the tail; the middle of a long text has every word once.
HEAD, TAIL = 1_200, 400  # code points
MOST_CHARS = 10_000  # code points of them; a morpheme may be a long address
MOST = 1_000  # morphemes whose endings are counted
LEAST = 25  # morphemes; a shorter text shows too little of its register; our choice, about three sentences

KINDS = (
    "news", "press", "encyclopedia", "technical", "academic", "statutory", "judicial", "administrative",
    "essay", "review", "literature", "spoken", "advertising",
)  # fmt: skip
_CUES = Path(__file__).parent / "lexicons" / "register_cues.txt"
BIAS = 0.8  # score that a register must reach to be more likely than none of them

_PLAIN = frozenset(("다", "ᆫ다", "는다", "ᆯ까", "는가", "ᆫ가"))
_COLON, _COLON_NAME = (
    re.compile(": "),
    re.compile(r"(?:^|[.?!] |\n ?)(?:[가-힣A-Z]{1,6}|[가-힣]{1,4} [가-힣]{1,4}) ?\Z"),
)
_LONGEST_NAME = 12  # code points of _COLON_NAME
_CIRCLE_NAME = re.compile(r"○[가-힣]{2,6} [가-힣]{2,4} ")  # speaker's name as in minutes of councils
_FINAL, _BEFORE, _PERSON, _NOUNED = map(re.compile, "FpPn")  # signs of `filters.korean.morpheme_signs`: EF, EP, NP, ETN
_PAST = frozenset(("었", "았", "였"))
_PERSONS = frozenset(("나", "저", "내", "제", "너"))
_DEFINES = re.compile(
    r"[^.\n]{1,50}?[은는란] [^\n]{3,120}?(?:이다|말한다|가리킨다|뜻한다|일컫는다|부른다|이었다|였다)\."
)


@dataclass(frozen=True, slots=True)
class Manner:
    """The style of a text; shares of its sentences unless noted otherwise."""

    sentences: int
    plain: float  # 한다
    formal: float  # 합니다, 하십시오
    polite: float  # 해요
    intimate: float  # 해, 하자, 하니
    noted: float  # 함, 음
    past: float  # past tense per final ending
    person: float  # 나, 저, 너 per sentence
    quotes: float  # opened quotation marks per sentence
    asks: float  # question marks per sentence
    cries: float  # exclamation marks per sentence
    turns: float  # changes of speaker per sentence
    defines: float  # 1 if the first sentence is a definition
    verse: float  # 1 if the lines are short and few of them end a sentence


@dataclass(frozen=True, slots=True)
class Cues:
    """All cues, and one automaton of strings of which each cue needs one.

    RE2 can search for all cues at once too, but builds the states while it reads, 140 us for a text of 1,200 code
    points that it has not seen; the strings take 14 us, and the patterns that they select 20 us.
    """

    owners: tuple[tuple[str, float], ...]  # kind and weight of each cue
    patterns: tuple[re2._Regexp, ...]
    finder: BytesAhoCorasick
    says: tuple[tuple[int, ...], ...]  # for each string, the cues that match wherever it occurs
    asks: tuple[tuple[int, ...], ...]  # and those that must be searched for where it occurs


def judge(doc: Document, *, min_score: Share = 0.35) -> Verdict:
    """Label a text with its register if the score reaches `min_score`; nothing is dropped.

    The score of a register, in 0..1, is its share among all registers and none, after adding the weights of its cues
    and of the text's style (`Manner`). Label `register`: news, press, encyclopedia, technical, academic, statutory,
    judicial, administrative, essay, review, literature, spoken, advertising, or "" if no score is high enough or the
    text has under 25 morphemes. Measure `register_score`. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'register' needs morphemes, but the document has none; "
            "put 'morphology' before 'register' in the recipe"
        )
    found = score_kinds(doc.text, doc.morphemes)
    name, best = max(found.items(), key=lambda s: s[1]) if found else ("", 0.0)
    labels = (("register", name if best >= min_score else ""),)
    return Verdict("keep", "register", best, min_score, labels, (("register_score", best),))


def score_kinds(text: str, found: Morphemes) -> dict[str, float]:
    """Return the score of each register, rounded to 4 places; together with "none of them" they add up to 1."""
    if len(found) < LEAST:
        return {}
    weight = _weigh_manner(measure_manner(text, found))
    head = text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"
    for name, heavy in find_cues(head):
        weight[name] += heavy
    likely = {name: exp(min(w, 30.0) - BIAS) for name, w in weight.items()}
    total = 1.0 + sum(likely.values())
    return {name: round(value / total, 4) for name, value in likely.items()}


def _weigh_manner(m: Manner) -> dict[str, float]:
    """Weigh the style of a text for and against each register."""
    me, quotes, told = min(m.person, 1.0), min(m.quotes, 1.0), m.plain * m.past
    statement = m.plain * (1.0 - m.past)
    return {
        "news": 1.2 * told + 0.5 * m.plain - 1.5 * me,
        "press": -1.0 * me,
        "encyclopedia": 1.8 * m.defines + 1.0 * statement + 0.3 * told - 3.0 * me - 2.0 * quotes - 1.0 * m.asks,
        "technical": 1.4 * statement
        + 1.0 * m.formal * (1.0 - m.past)
        - 2.5 * m.past
        - 3.0 * me
        - quotes
        - m.cries
        - 0.6 * m.defines,
        "academic": 0.8 * m.plain - 2.0 * me - quotes - m.formal,
        "statutory": 0.5 * statement - 2.0 * me - 2.0 * m.past,
        "judicial": 0.5 * m.plain - 2.0 * me,
        "administrative": 2.5 * m.noted + 0.8 * m.formal - 1.5 * me - 1.0 * m.polite - m.cries,
        "essay": 2.4 * me + 0.6 * m.plain + 0.4 * m.past - 1.5 * m.turns - m.formal - (0.0 if m.person else 1.2),
        "review": 0.4 * (m.plain + m.polite) - 0.5 * quotes - m.turns,
        "literature": 1.2 * m.past + 1.8 * quotes + 3.0 * m.verse - 1.0 * m.noted - m.turns,
        "spoken": 4.0 * min(1.5 * m.turns, 1.0)
        + 2.0 * m.intimate
        + 0.8 * m.polite
        + 1.2 * min(m.asks, 1.0)
        - 2.0 * m.plain,
        "advertising": 1.5 * min(m.cries, 1.0) + 0.6 * (m.formal + m.polite) - m.plain - m.past,
    }


def measure_manner(text: str, found: Morphemes) -> Manner:
    """Measure the style of a text in its first 1,000 morphemes and the code points that they cover."""
    signs, forms = grammar_of(found).signs[:MOST], found.form
    end = found.start[len(signs) - 1] + found.length[len(signs) - 1] if signs else 0
    text = text[: min(end + 2, MOST_CHARS)]
    sentences = max(1, bisect_right(found.sentence_start, end))
    final = Counter(map(_speech, [forms[hit.start()] for hit in _FINAL.finditer(signs)]))
    past = sum([forms[hit.start()] in _PAST for hit in _BEFORE.finditer(signs)])
    person = sum([forms[hit.start()] in _PERSONS for hit in _PERSON.finditer(signs)])
    nouned = [hit.start() for hit in _NOUNED.finditer(signs)]
    closed = max(1, final.total())
    noted = _count_note_endings(found, nouned, len(signs))
    return Manner(
        sentences=sentences,
        plain=final["plain"] / max(closed, sentences),
        formal=final["formal"] / max(closed, sentences),
        polite=final["polite"] / max(closed, sentences),
        intimate=final["intimate"] / max(closed, sentences),
        noted=min(1.0, (noted + final["noted"]) / sentences),
        past=min(1.0, past / closed) if final else 0.0,
        person=person / sentences,
        quotes=(text.count("“") + text.count('"') / 2 + text.count("「") / 2) / sentences,
        asks=text.count("?") / sentences,
        cries=text.count("!") / sentences,
        turns=_count_turns(text) / sentences if text.count(": ") + text.count("○") > 1 else 0.0,
        defines=float(bool(_DEFINES.match(text))),
        verse=_verse_score(text),
    )


@lru_cache(maxsize=4096)
def _speech(form: str) -> str:
    """Return the speech level of a final ending."""
    if form in _PLAIN:
        return "plain"
    if form in ("음", "ᆷ", "슴"):
        return "noted"
    if form.endswith(("니다", "니까", "시오", "ᆸ시다")):
        return "formal"
    return "polite" if form.endswith(("요", "죠")) else "plain" if form.endswith("다") else "intimate"


def _count_turns(text: str) -> int:
    """Count the turns of named speakers who speak more than once."""
    named = Counter(_CIRCLE_NAME.findall(text))
    for colon in _COLON.finditer(text):
        end = colon.start()
        if name := _COLON_NAME.search(text, max(0, end - _LONGEST_NAME), end):
            named[name[0].lstrip(" .?!\n")] += 1
    return sum(n for n in named.values() if n > 1)


def _count_note_endings(found: Morphemes, nouned: list[int], size: int) -> int:
    """Count the sentences in the first `size` morphemes that end in a noun made of a verb (함, 음, 것임).

    `nouned` are the indexes of the endings that make such nouns; at most one morpheme, a full stop, may follow.
    """
    ended = set[int]()
    for i in nouned:
        sentence = bisect_right(found.sentence_end, found.start[i])
        if sentence == len(found.sentence_end):
            break
        after = bisect_left(found.start, found.sentence_end[sentence], i)
        if after <= size and after - i <= 2:
            ended.add(sentence)
    return len(ended)


def _verse_score(text: str) -> float:
    """Return 1 if at least six short lines make up the text and few of them end a sentence."""
    if text.count("\n") < 5:
        return 0.0
    lines = [line for raw in text[:HEAD].split("\n") if (line := raw.strip())]
    if len(lines) < 6 or sum([len(line) <= 25 for line in lines]) < 0.9 * len(lines):
        return 0.0
    ended = sum([line.endswith((".", "?", "!", "다", "요", ":", "음", "함")) for line in lines])
    hangul = sum(["가" <= line[0] <= "힣" for line in lines])
    return float(ended <= 0.4 * len(lines) and hangul >= 0.9 * len(lines))


def find_cues(text: str) -> list[tuple[str, float]]:
    """Find each cue in a text once, as (kind, weight), in the order of register_cues.txt."""
    known = load_cues()
    raw = text.encode()
    found, asked = set[int](), set[int]()
    for string in {hit[0] for hit in known.finder.find_matches_as_indexes(raw, overlapping=True)}:
        found.update(known.says[string])
        asked.update(known.asks[string])
    found.update([i for i in asked if known.patterns[i].search(raw)])
    return [known.owners[i] for i in sorted(found)]


@cache
def load_cues() -> Cues:
    """Load all cues, compiled once per process: 30 ms."""
    owners, patterns = [], []
    says, asks = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for i, (name, heavy, cue) in enumerate(read_cues()):
        owners.append((name, heavy))
        patterns.append(re2.compile(cue))
        found = need(cue)
        strings = found.needed if found.exact is None else found.exact
        if not strings or "" in strings:
            raise ValueError(f"{_CUES.name}: the cue {cue!r} has no word or sign that occurs in every match")
        for string in shortest(strings):
            (asks if found.exact is None else says)[string].append(i)
    written = sorted({*says, *asks})
    # A contiguous automaton: with a table of all transitions (DFA) it takes 2 MB and displaces other filters' data.
    finder = BytesAhoCorasick([s.encode() for s in written], MatchKind.Standard, Implementation.ContiguousNFA)
    at = [tuple(says.get(s, ())) for s in written], [tuple(asks.get(s, ())) for s in written]
    return Cues(tuple(owners), tuple(patterns), finder, *map(tuple, at))


def read_cues() -> Iterator[tuple[str, float, str]]:
    """Yield (kind, weight, pattern) of each line of register_cues.txt."""
    for line in _CUES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, heavy, cue = line.split(" ", 2)
            yield name, float(heavy), cue


# The cues decide too, so the version depends on them: changed cues make stages run again.
VERSION = int(hashlib.sha256(b"2 " + _CUES.read_bytes()).hexdigest()[:8], 16)  # 2: version of this file
