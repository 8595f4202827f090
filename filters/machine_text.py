"""Drop machine-generated text: literal machine translation, filled templates, keyword stuffing, tool residue.

Korean grammar shows it. A word-by-word translation closes the sentence with a final ending and then adds what belongs
before it (탈 수 있습니다 엘리베이터를.), says 당신 and 그것 where Korean says nothing, and mixes speech levels within
a sentence. A template does not know whether its slot ends in a consonant (숫자은(는), 확인를). Stuffed text names one
thing in every sentence. Few single signs decide; the filter counts each per sentence, and the score is their sum. It
reads the morphemes of `morphology`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Literal

import re2

from filters.korean.morpheme_signs import CLOSERS, PARTICLE, Grammar, grammar_of
from filters.machine_text_rules import sentence_frames, tool_leftovers
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Count, Score
from malmoi.threshold import Limit

VERSION = 3
LIBRARIES = ("google-re2",)
NEEDS = ("morphology",)
LIMITS = (Limit("machine", "max_score", "max", "machine-text"),)

# The object's particle with the sound before it. In five real corpora 50 of 82,029 objects (0.06 %) have the wrong
# form. The sounds of nouns in 을 (가을, 마을, 노을) and of verbs that lose their ㅅ (지을, 나을) are left out.
_OBJECT = re.compile(r"[가-힣][을를](?![가-힣])")
_EXCEPTIONS = frozenset("가마노고지이나부저그모")
_CAPTION = re.compile(r"\[(?:음악|박수|웃음|환호|노래)\]")
# Sentences without information about what they name.
_EMPTY = re2.compile(
    r"(?:알아보|살펴보|소개해\s드리)(?:겠습니다|고자|았습니다)|알아볼까요|"
    r"(?:매우|아주|정말|무척)\s(?:중요합니다|중요하다고|간단합니다|다양합니다|유용합니다)|많은\s(?:분들이|사람들이|관심을|사랑을)|"
    r"궁금해\s?하(?:고|시)|찾고\s계신|놓치지\s마시고|지금\s바로\s확인|아래에서\s.{0,20}확인|"
    r"(?:공감|구독|좋아요)(?:과|와|,)?\s?(?:댓글|구독|좋아요)|간과해서는|핵심적인\s요소|극대화|"
    r"(?:도움이\s되셨|도움이\s되었)(?:기를|으면|길)\s바|궁금(?:한|하신)\s(?:점|사항)이\s있으시면|"
    r"에\s따라\s(?:다릅니다|달라집니다)|사람마다\s다릅니다|여러\s가지가\s있습니다|방법은\s다양합니다|것이\s(?:매우\s)?중요합니다|"
    r"다양한\s(?:종류|요인|방법|음식)[가-힣]{0,3}\s.{0,6}있|도움이\s될\s수\s있습니다|한\s단계\s업그레이드|"
    r"특별한\s(?:순간|추억|시간|경험)|주목을\s받고|인기를\s끌고|지속될\s것으로\s(?:전망|보고)|정보가\s없습니다|"
    r"알려지지\s않았습니다|활약이\s기대|화제를\s모으|관심을\s받고\s있|이목이\s(?:쏠|집중)"
)
# Phrases that translate a foreign one.
_RENDERED = re2.compile(
    r"필요로\s(?:하|합|한|했)|가지고\s(?:있|계)|만약\s|되어(?:질|져|진|졌)|중의\s하나|왜냐하면|어떻게\s.{1,20}는지|"
    r"하는\s중입니다|있는\s중입니다|하기를\s(?:원|결정|시작|희망)|그리고\s(?:그|당신|우리)|"
    r"[을를]\s특징으로|[와과]\s함께\s(?:옵니다|온다)|있게\s만들|하는\s것을\s(?:고려|시작|결정|좋아|즐|사랑)|당신\s자신|"
    r"당신의\s(?:컴퓨터|계정|비밀번호|장치|기기|브라우저|주문|설정|파일|체계|시스템|정책|경험[을를]|웹사이트|이메일|소프트웨어|데이터)|"
    r"에\s(?:대한|관하여),|[을를]\s향하여|의\s역할을\s(?:합|가정|연기)"
)
_LINES = (Path(__file__).parent / "lexicons" / "machine_calques.txt").read_text(encoding="utf-8").splitlines()
_CALQUES = re2.compile("|".join(line for line in _LINES if line and not line.startswith("#")))
# Mojibake (decoding errors): unreadable characters, a question mark in a word, a row of Latin signs; and unparsed
# HTML. A question mark followed by a word also occurs where a blank was forgotten, so the rate decides.
_GARBLED = re2.compile("\ufffd+|[?][가-힣]|[\u00a1-\u00ff]{2,}|&(?:nbsp|quot|amp|lt|gt|#[0-9]{2,5});")
# Weights of pronouns: novels use 그 and 그녀 up to twice a sentence, first-person stories 나 and 우리.
_PRONOUNS = {"당신": 1.0, "그것": 1.0, "이것": 1.0, "그": 0.5, "그녀": 0.5, "그들": 0.5, "그이": 0.5}
_OTHERS = 1 / 3
_NOUNS = frozenset("NL")  # signs of `grammar`
_MIN_NOUN = 2  # code points; one-syllable nouns (것, 수, 때) are grammar
_WRITTEN = frozenset("다라오까")  # the last syllable of final endings in writing; chat runs its sentences on
_POLITE = ("니다", "시오", "니까", "시다")
_NOT_ALONE = 0.6  # points, our choice: just under the threshold without another small sign
_BIDS = ("시오", "세요", "십시요")
_MAJORITY = 0.4  # share of the particles; Kiwi at times finds two in 은(는)
_DEPENDENT = frozenset("JcNBmP")  # what cannot close a sentence: a particle, a linking ending, a noun
_LONG = 12  # eojeol; a longer sentence counts as several, as those of law do
_MIN_SENTENCES = 3  # with fewer no rate is computed


@dataclass(frozen=True, slots=True)
class Signs:
    """Counts of the signs, per sentence except for the shares."""

    sentences: int
    late_words: float  # words after the final ending of their sentence, before its full stop
    commands: float  # share of imperative sentences (하십시오, 하세요), if 당신 is in more than half of all
    manners: float  # sentences with 너 and an honorific verb
    pronouns: float  # 당신, 그것; 그, 그녀 and 그들 count half, all others (나, 우리, 저) a third
    you: float  # share of sentences with 당신
    plurals: float  # share of nouns with 들, if there are at least three
    calques: float  # phrases that no person writes
    rendered: float  # phrases that translate a foreign one, which people write at times
    slots: float  # particles left open as in 은(는), per sentence
    slot_share: float  # the same, share of all particles
    wrong_objects: float  # share of the particles 을 and 를 after the wrong sound, if there are two
    residue: float  # tool residue, in points: 0.6 for one place in the middle, 1 for the frame of an answer
    frame: float  # first and last sentence typical of a chat program, in points
    empty: float
    stuffed: float  # excess over half of the sentences that name one noun, if that noun is a large share of all nouns
    owned: float  # share of sentences that open with one name and 의, in a text with numbers
    phrase: float  # share of one pair of nouns among all content words, if the text is stuffed
    crammed: float  # nouns per word in a text without any final ending: search terms
    captions: int  # marks such as [음악] in a text that hardly uses full stops
    loose: float  # share of words of one syllable: syllables split apart
    garbled: float  # mojibake places, per word
    gibberish: float  # unreadable rows of jamo, per word
    misread: float  # numbers read as letters (scan errors), per word

    @property
    def score(self) -> float:
        """Sum the signs, each reduced by its normal rate in human text, weighted, and capped."""
        return (
            min(2.0, 6.0 * max(0.0, self.late_words - 0.03))
            + (0.8 * min(0.6, self.pronouns) if self.late_words else 0.0)
            + min(0.6, 4.0 * self.manners)
            + self._foreign
            + min(2.0, 2.0 * self.calques)
            + (3.0 if self.slot_share > _MAJORITY else min(0.4, 4.0 * self.slots))
            + min(2.0, 6.0 * max(0.0, self.wrong_objects - 0.15))
            + self.residue
            + self.frame
            + min(1.5, 2.0 * max(0.0, self.empty - 0.1))
            + 1.2 * self.stuffed  # not enough alone: a tale names its hero in every sentence
            + min(2.0, 6.0 * max(0.0, self.owned - 0.4))
            + min(0.3, 2.0 * max(0.0, self.phrase - 0.25))
            + min(1.5, 5.0 * max(0.0, self.crammed - 2.2))
            + (0.5 if self.captions > 1 else 0.0)  # not enough alone: people make captions too
            + min(3.0, 8.0 * max(0.0, self.loose - 0.75))
            + min(3.0, 10.0 * max(0.0, self.garbled - 0.1))
            + min(3.0, 10.0 * max(0.0, self.gibberish - 0.08))
            + min(3.0, 20.0 * max(0.0, self.misread - 0.03))
        )

    @property
    def _foreign(self) -> float:
        """Weigh pronouns, 들 and translated phrases: human translations have all three, but hardly 당신."""
        pronouns = min(1.5, 1.2 * max(0.0, self.pronouns - 0.6))
        rendered = min(1.0, 2.0 * max(0.0, self.rendered - 0.1))
        plurals = min(0.6, 8.0 * max(0.0, self.plurals - 0.08))  # not enough alone: tales have many animals
        if not self.you:
            return min(_NOT_ALONE, pronouns + rendered + plurals)
        return pronouns + rendered + plurals + (0.35 if self.commands >= 0.25 else 0.0)


def judge(doc: Document, *, max_score: Score = 0.75, min_morphemes: Count = 30) -> Verdict:
    """Keep a text whose `machine` score is at most the threshold `max_score`; reason `machine-text`.

    A short page that only explains why it shows nothing is dropped as `page-notice`. A text under `min_morphemes` is
    kept: it is too short to judge. Measures `machine`. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'machine_text' needs morphemes, but the document has none; "
            "put 'morphology' before 'machine_text' in the recipe"
        )
    score = round(signs_of(doc.text, doc.morphemes).score, 4)
    outcome: Literal["keep", "drop"] = "keep"
    reason = "no-machine-text"
    if len(doc.morphemes) >= min_morphemes:
        if score > max_score:
            outcome, reason = "drop", "machine-text"
        elif tool_leftovers.is_notice(doc.text, doc.morphemes):
            outcome, reason = "drop", "page-notice"
    return Verdict(outcome, reason, score, max_score, measures=(("machine", score),))


def signs_of(text: str, found: Morphemes) -> Signs:
    """Measure the signs in `text`; most rates are 0 with fewer than three sentences."""
    n = max(1, len(found.sentence_start), (text.count(" ") + 1) // _LONG)
    many = len(found.sentence_start) >= _MIN_SENTENCES
    grammar = grammar_of(found)
    signs, forms = grammar.signs, found.form
    nouns = Counter(compress(forms, map(_NOUNS.__contains__, signs)))
    for short in [noun for noun in nouns if len(noun) < _MIN_NOUN]:
        del nouns[short]
    plurals = sum([signs[i] == "x" for i, form in enumerate(forms) if form == "들"]) if text.count("들") >= 3 else 0
    plain = text if text.isascii() else text.encode("utf-8", "replace").decode()  # RE2 rejects lone surrogates
    # One pattern at a time: RE2 can keep the states of one in its memory, but not those of all combined.
    calques, empty, rendered = (len(kind.findall(plain)) if many else 0 for kind in (_CALQUES, _EMPTY, _RENDERED))
    open_particles = tool_leftovers.count_open_particles(plain) if "(" in text else 0
    you, commands = _imperative_share(forms, grammar) if many and "당신" in text else (0.0, 0.0)
    stuffed = sentence_frames.keyword_stuffing(nouns, found) if len(found.sentence_start) >= 5 else 0.0
    return Signs(
        sentences=n,
        late_words=_late_word_rate(text, found, grammar, n) if many else 0.0,
        commands=commands,
        you=you,
        manners=_count_mixed_manners(forms, grammar) / n if many and "너" in forms else 0.0,
        pronouns=_weigh_pronouns(forms, signs) / n if many else 0.0,
        plurals=plurals / max(1, signs.count("N")) if plurals >= 3 else 0.0,
        calques=calques / n,
        rendered=rendered / n,
        slots=open_particles / n,
        slot_share=open_particles / max(1, signs.count(PARTICLE)),
        wrong_objects=_wrong_particle_share(text),
        residue=tool_leftovers.score_residue(plain, n) + tool_leftovers.score_empty_fields(plain, n),
        frame=tool_leftovers.score_chat_frame(plain, found),
        empty=empty / n,
        stuffed=stuffed,
        owned=sentence_frames.owner_share(found, grammar) if text.count("의") >= 4 else 0.0,
        phrase=sentence_frames.phrase_share(forms, grammar) if stuffed else 0.0,
        crammed=sentence_frames.noun_density(text, grammar),
        captions=len(_CAPTION.findall(text)) if "[" in text and 2 * signs.count(".") < n else 0,
        loose=_single_syllable_share(text),
        garbled=_mojibake_rate(plain),
        gibberish=tool_leftovers.jamo_rate(plain),
        misread=tool_leftovers.scan_error_rate(plain),
    )


def _weigh_pronouns(forms: Sequence[str], signs: str) -> float:
    weight = 0.0
    at = signs.find("P")
    while at >= 0:
        weight += _PRONOUNS.get(forms[at], _OTHERS)
        at = signs.find("P", at + 1)
    return weight


def _late_word_rate(text: str, found: Morphemes, grammar: Grammar, n: int) -> float:
    """Measure words after the final ending of their sentence, per sentence: (가져갈 수 있습니다) 엘리베이터를.

    `morphology` lets a sentence end at a final ending without a full stop. If the rest of the line closes with a full
    stop and has no final ending of its own, it was part of that sentence. A whole sentence after such an ending
    (섞으십시오 그리고 구우십시오.) counts half. Texts that hardly use full stops are chat or captions and do not
    count. Poets write like this in the plain form, which counts half; a single place may be style and does not decide.
    """
    signs, bounds = grammar.signs, grammar.bounds
    if 2 * signs.count(".") < len(bounds) - 1:
        return 0.0
    count = weight = 0.0
    for k, first in enumerate(bounds[1:-1]):
        if signs[first - 1] != "F" or found.form[first - 1][-1] not in _WRITTEN:
            continue
        tail = signs[first : bounds[k + 2]]
        said = tail.rstrip(CLOSERS)
        gap = text[found.sentence_end[k] : found.sentence_start[k + 1]]
        if said == tail or not gap or "\n" in gap:
            continue
        late = said[-1:] in _DEPENDENT and "F" not in said[-2:]
        count += 1
        weight += (1.0 if late else 0.5) * (1.0 if found.form[first - 1].endswith(_POLITE) else 0.5)
    return weight / n if count > 1 else min(0.12, 0.7 * weight / n)


def _imperative_share(forms: Sequence[str], grammar: Grammar) -> tuple[float, float]:
    """Return the share of sentences with 당신; if it is above half, also of imperative ones (letters are not)."""
    bounds = grammar.bounds
    sentences = [forms[bounds[k] : bounds[k + 1]] for k in range(len(bounds) - 1)]
    you = sum("당신" in some for some in sentences) / len(sentences)
    bids = sum(any(form.endswith(_BIDS) for form in some[-3:]) for some in sentences) / len(sentences)
    return you, bids if you > 0.5 else 0.0


def _count_mixed_manners(forms: Sequence[str], grammar: Grammar) -> int:
    """Count sentences that say 너 and use the honorific 시."""
    bounds = grammar.bounds
    sentences = [forms[bounds[k] : bounds[k + 1]] for k in range(len(bounds) - 1)]
    return sum(1 for some in sentences if "너" in some and ("시" in some or "으시" in some))


def _mojibake_rate(text: str) -> float:
    """Return mojibake places per word."""
    count = len(_GARBLED.findall(text))
    return count / (text.count(" ") + text.count("\n") + 1) if count else 0.0


def _wrong_particle_share(text: str) -> float:
    """Return the share of the particles 을 and 를 after the wrong sound; 0 if fewer than two are wrong."""
    pairs = Counter(_OBJECT.findall(text))
    wrong = sum(n for pair, n in pairs.items() if _is_wrong_particle(pair))
    return wrong / pairs.total() if wrong >= 2 else 0.0


def _is_wrong_particle(pair: str) -> bool:
    """Whether 를 follows a consonant or 을 follows a vowel.

    >>> _is_wrong_particle("책를"), _is_wrong_particle("과을"), _is_wrong_particle("마을")
    (True, True, False)
    """
    closed = (ord(pair[0]) - 0xAC00) % 28 > 0
    return closed if pair[1] == "를" else not closed and pair[0] not in _EXCEPTIONS


def _single_syllable_share(text: str) -> float:
    """Return the share of Korean words of one syllable; 0 if there are fewer than ten words."""
    if len(text) > 4 * text.count(" "):
        return 0.0  # if words plus blanks average four code points, less than half of the words have one syllable
    sizes = [len(word) for word in text.split() if "가" <= word[0] <= "힣"]
    return sizes.count(1) / len(sizes) if len(sizes) >= 10 else 0.0
