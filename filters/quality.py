"""Drop texts that are not Korean prose: word lists, keyword stuffing, tables without sentences.

Particles and endings carry Korean grammar, so the filter measures how a text uses them instead of stop words: 의, 이,
다 also occur inside nouns. It reads the morphemes of `morphology`.

`quality` is a share of full Korean grammar: at 1 words carry particles and verbs endings as in prose, and every
sentence closes; at 0.5 half of that is present, as in notes and tables among text; at 0 it has bare words only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from filters.korean import text_views
from filters.korean.morpheme_signs import CLOSERS, ENDINGS, FOREIGN, NO_WORDS, PARTICLE, grammar_of
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Count, Limit, Share

VERSION = 5
NEEDS = ("morphology",)
LIMITS = (
    Limit("foreign_share", "max_foreign", "max", "mostly-foreign"),
    Limit("quality", "min_quality", "min", "no-korean-grammar"),
)

# About the lowest tenth of tales, reviews, news and law. Dialogue drops its particles (0.16) and has twice the
# endings.
FULL_JOSA = 0.30  # particles per eojeol
FULL_EOMI = 0.30  # endings per eojeol
WEIGHTS = (0.35, 0.35, 0.30)  # particles, endings, complete sentences

_FINAL = frozenset("Fn")  # a final ending, or the noun form that closes notes and rulings (함, 임)


# A line of an office report: a mark or number, three words and more, closed by a noun that replaces a verb (추진,
# 필요, 예정) or by the noun form of one (함, 음, 됨), followed by a bracket or a number at most. The nouns are those
# that close the most lines in reports of ministries and councils; our choice.
_NOTE_MARK = re.compile(r"\s{0,20}(?:[-–*•·○●□■◦▪ㅇ※▶]|\(?[0-9가-힣][.)]|[①-⑳])\s*(?=\S)")
_NOTE_END = re.compile(
    r"(?:[가-힣][함음임됨]|추진|예정|필요|추세|우려|부담|곤란|미흡|부족|확보|구성|선정|운영|조성|지급|지속|증가|감소|심화|강화|개선|확대|"
    r"축소|지원|개최|실시|수립|완료|검토|마련|활용|도모|제고|구축|개정|시행|발굴|육성|연계|점검|협의|요청|제출|통보|보고|계획|발생|기여|"
    r"유지|유출|착수|공모|상향|하향|사업|강구|촉구|논의|평가|관리|정비|보완|설치|도입|해소|절감)"
    r"(?:\s?\([^()\n]{1,60}\))?[.,;]?$"
)
_NOTE_LINES = 4  # our choice: fewer lines show no style
_NOTE_SHARE = 0.4  # of the lines; the others are headings (추진 배경) and lines that close with a number
_NOTE_WORDS = 3  # a menu (회원 지원, 사업 계획) has one or two


@dataclass(frozen=True, slots=True)
class Evidence:
    """Amount of Korean grammar in a text; shares are 0..1, the others per unit named."""

    morphemes: int
    sentences: int
    eojeol: int  # stretches between blanks outside fenced code that are not all ASCII
    josa: float  # particles (J*) per eojeol
    eomi: float  # endings (E*) per eojeol
    complete: float  # share of sentences, by morphemes, that close with a final ending
    foreign: float  # share of morphemes in other scripts, unknown or unreadable
    sentence_size: float  # eojeol per sentence
    eojeol_size: float  # code points per eojeol

    @property
    def quality(self) -> float:
        """0.35 · min(1, josa / 0.3) + 0.35 · min(1, eomi / 0.3) + 0.30 · complete, in 0..1."""
        josa, eomi, complete = WEIGHTS
        return (
            josa * min(1.0, self.josa / FULL_JOSA) + eomi * min(1.0, self.eomi / FULL_EOMI) + complete * self.complete
        )


def judge(doc: Document, *, min_quality: Share = 0.15, max_foreign: Share = 0.8, min_morphemes: Count = 20) -> Verdict:
    """Keep a text whose grammar reaches `min_quality`, a threshold on `Evidence.quality`.

    Both bounds come from the real corpora and the open half of the hand-checked set (`benchmarks.thresholds`). Texts
    under 0.15 are English pages and bare lists; from 0.15 on symbol tables with their meanings, from 0.19 on manuals
    in note style, which people keep. Those mixed with code reach a foreign share of 0.69.

    A report in the noun style of offices (`is_report`) is kept whatever its grammar.

    Reasons `no-korean-grammar` and `mostly-foreign` (the share of morphemes that are Latin, unknown or signs is above
    `max_foreign`). A text under `min_morphemes` is kept: it is too short to judge. Measures `quality`, `n_morphemes`,
    `n_sentences`, `josa_per_eojeol`, `eomi_per_eojeol`, `complete_sentences`, `foreign_share`, and two
    measures of readability that decide nothing: `eojeol_per_sentence`, `chars_per_eojeol`. Raises CallError if
    `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'quality' needs morphemes, but the document has none; "
            "put 'morphology' before 'quality' in the recipe"
        )
    found = evidence_of(doc.text, doc.morphemes)
    quality, foreign = round(found.quality, 4), round(found.foreign, 4)
    measures = (
        ("quality", quality),
        ("n_morphemes", float(found.morphemes)),
        ("n_sentences", float(found.sentences)),
        ("josa_per_eojeol", round(found.josa, 4)),
        ("eomi_per_eojeol", round(found.eomi, 4)),
        ("complete_sentences", round(found.complete, 4)),
        ("foreign_share", foreign),
        ("eojeol_per_sentence", round(found.sentence_size, 2)),
        ("chars_per_eojeol", round(found.eojeol_size, 2)),
    )
    if found.morphemes >= min_morphemes:
        if foreign > max_foreign:
            return Verdict("drop", "mostly-foreign", foreign, max_foreign, measures=measures)
        if quality < min_quality and not is_report(doc.text):
            return Verdict("drop", "no-korean-grammar", quality, min_quality, measures=measures)
    return Verdict("keep", "quality", quality, min_quality, measures=measures)


def evidence_of(text: str, found: Morphemes) -> Evidence:
    """Measure the Korean grammar of `text` by its morphemes; all zero without morphemes."""
    grammar = grammar_of(found)
    words = len(found) - grammar.count(NO_WORDS)
    eojeol = [word for word in text_views.prose(text).split() if not word.isascii()]
    per_eojeol = 1 / len(eojeol) if eojeol else 0.0
    sentences = len(found.sentence_start)
    # A particle may follow a final ending (갔다고, 왔어요), and a quotation closes with a noun form.
    closed = sum(len(s) for s in grammar.sentences() if not _FINAL.isdisjoint(s.rstrip(CLOSERS)[-2:]))
    return Evidence(
        morphemes=len(found),
        sentences=sentences,
        eojeol=len(eojeol),
        josa=grammar.count(PARTICLE) * per_eojeol,
        eomi=grammar.count(ENDINGS) * per_eojeol,
        complete=closed / len(grammar.signs) if grammar.signs else 0.0,
        foreign=grammar.count(FOREIGN) / words if words else 0.0,
        sentence_size=len(eojeol) / sentences if sentences else 0.0,
        eojeol_size=sum(map(len, eojeol)) * per_eojeol,
    )


def is_report(text: str) -> bool:
    """Whether a text is a list of office notes: at least four lines, two in five closed by a noun form.

    >>> is_report("- 지역 대학 정원 미달 심화\\n" * 4), is_report("- 회사 소개\\n- 고객 지원\\n" * 4)
    (True, False)
    """
    lines = [line for line in map(str.strip, text.splitlines()) if any(map(str.isalpha, line))]
    if len(lines) < _NOTE_LINES:
        return False
    marked = ((line, mark) for line in lines if (mark := _NOTE_MARK.match(line)) is not None)
    notes = sum(
        line[mark.end() :].count(" ") + 1 >= _NOTE_WORDS and bool(_NOTE_END.search(line[-100:]))
        for line, mark in marked
    )
    return notes >= _NOTE_LINES - 1 and notes >= _NOTE_SHARE * len(lines)
