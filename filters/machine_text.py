"""Drop texts that no person wrote: literal machine translation, filled templates, stuffed keywords, residue of tools.

Korean shows it in its grammar. A translation word by word puts the verb before its object and closes it with a final
ending in mid-sentence, and says 당신 and 그것 where Korean says nothing. A template does not know whether its slot ends
in a consonant (숫자은(는), 확인를). Stuffed text names one thing in every sentence. No single sign decides; each is
counted per sentence, and the score is their sum. Works on the marks of `morphology`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

import re2

from filters.params import Count, Score
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.limit import Limit

VERSION = 1
LIBRARIES = ("google-re2",)
LIMITS = (Limit("machine", "max_score", "max", "machine-text"),)

# A particle that leaves its form to the reader, as only a template does.
_SLOT = re.compile(
    r"(?:은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|과\(와\)|와\(과\)|\(으\)로|\(이\)라|\(이\)나)"
)
# The object's particle with the sound before it. In five real corpora 50 of 82,029 objects (0.06 %) have the wrong
# form, but for nouns in 을 (가을, 마을, 노을) and verbs that lose their ㅅ (지을, 나을), whose sounds are left out.
_OBJECT = re.compile(r"[가-힣][을를](?![가-힣])")
_EXCEPTIONS = frozenset("가마노고지이나부저그모")
# What tools leave behind: an answer of a chat program, an unfilled slot, a confession.
_RESIDUE = re2.compile(
    r"(?:AI|인공지능)\s?(?:언어\s?)?모델(?:로서|이기\s때문|이라|입니다)|요청하신\s.{0,40}(?:작성|정리|번역)해\s?(?:드리|보)|"
    r"(?:도움이\s되셨|도움이\s되었)(?:기를|으면|길)\s바|궁금(?:한|하신)\s(?:점|사항)이\s있으시면|"
    r"자동(?:으로)?\s?(?:생성|작성)(?:된|되었|됨|\s시스템)|\{[a-z_]{2,30}\}\s?[가-힣]|\[[가-힣]{2,6}\s이름\]"
)
# Sentences that say nothing of the matter they name.
_EMPTY = re2.compile(
    r"(?:알아보|살펴보|소개해\s드리)(?:겠습니다|고자|았습니다)|알아볼까요|"
    r"(?:매우|아주|정말|무척)\s(?:중요합니다|중요하다고|간단합니다|다양합니다|유용합니다)|많은\s(?:분들이|사람들이|관심을|사랑을)|"
    r"궁금해\s?하(?:고|시)|찾고\s계신|놓치지\s마시고|지금\s바로\s확인|아래에서\s.{0,20}확인|"
    r"(?:공감|구독|좋아요)(?:과|와|,)?\s?(?:댓글|구독|좋아요)|간과해서는|핵심적인\s요소|극대화"
)
# Turns of phrase that render a foreign one.
_RENDERED = re2.compile(
    r"필요로\s(?:하|합|한|했)|가지고\s(?:있|계)|만약\s|되어(?:질|져|진|졌)|에\s의(?:해|하여)|중의\s하나|왜냐하면|어떻게\s.{1,20}는지|"
    r"하는\s중입니다|있는\s중입니다|하기를\s(?:원|결정|시작)|그리고\s(?:그|당신|우리)"
)
_PRONOUNS = frozenset(("당신", "그것", "그녀", "그들", "이것", "그", "그이"))
_OTHERS = 1 / 3  # what 나 and 우리 count for: people who tell of themselves say them, if not in each sentence
_NOUNS = frozenset(("NNG", "NNP", "SL"))
_MIN_NOUN = 2  # code points; one-syllable nouns (것, 수, 때) are grammar
_MIN_SENTENCES = 3  # of fewer no rate is taken


@dataclass(frozen=True, slots=True)
class Signs:
    """What is counted, each per sentence but for the shares."""

    sentences: int
    early_verbs: float  # final endings in the middle of a sentence
    pronouns: float  # 당신, 그것, 그녀, 그들, and of all others (나, 우리, 저) a third
    plurals: float  # share of nouns with 들, where there are three
    rendered: float  # turns of phrase that render a foreign one
    slots: float  # particles left open
    wrong_objects: float  # share of the particles 을 and 를 that stand after the wrong sound, where there are two
    residue: float
    empty: float
    stuffed: float  # how far the sentences that name one noun exceed half, where that noun is much of all nouns
    loose: float  # share of words of one syllable: letters torn apart

    @property
    def score(self) -> float:
        """The sum of the signs, each above what people write, with its weight, and cut at its cap."""
        return (
            min(3.0, 2.5 * max(0.0, self.early_verbs - 0.1))
            + min(1.5, 1.2 * max(0.0, self.pronouns - 0.6))
            + min(1.0, 8.0 * max(0.0, self.plurals - 0.08))
            + min(1.0, 2.0 * max(0.0, self.rendered - 0.15))
            + min(3.0, 4.0 * self.slots)
            + min(2.0, 6.0 * max(0.0, self.wrong_objects - 0.15))
            + min(3.0, 6.0 * self.residue)
            + min(1.5, 2.0 * max(0.0, self.empty - 0.1))
            + 1.2 * self.stuffed  # not alone: a tale names its hero in every sentence
            + min(3.0, 8.0 * max(0.0, self.loose - 0.5))
        )


def judge(doc: Document, *, max_score: Score = 0.75, min_morphemes: Count = 30) -> Verdict:
    """Keep a text whose `machine` score is at most `max_score`; reason `machine-text`.

    A text under `min_morphemes` is kept: too little to judge. Measures `machine`. Raises CallError where
    `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'machine_text' reads morphemes and there are none; "
            "put 'morphology' before 'machine_text' in the recipe"
        )
    score = round(signs_of(doc.text, doc.morphemes).score, 4)
    drops = score > max_score and len(doc.morphemes) >= min_morphemes
    return Verdict(
        "drop" if drops else "keep",
        "machine-text" if drops else "no-machine-text",
        measured=score,
        limit=max_score,
        measures=(("machine", score),),
    )


def signs_of(text: str, found: Morphemes) -> Signs:
    """The signs in `text`; rates are 0 where there are fewer than three sentences."""
    n = max(1, len(found.sentence_start))
    many = n >= _MIN_SENTENCES
    tags, forms = found.tag, found.form
    nouns = Counter([f for f, t in zip(forms, tags, strict=True) if t in _NOUNS and len(f) >= _MIN_NOUN])
    plurals = sum([tags[i] == "XSN" for i, form in enumerate(forms) if form == "들"]) if text.count("들") >= 3 else 0
    wrong_objects = _wrong_objects(text)
    plain = text if text.isascii() else text.encode("utf-8", "replace").decode()  # RE2 takes no lone surrogates
    return Signs(
        sentences=n,
        early_verbs=_early_verbs(text, found) / n if many else 0.0,
        pronouns=_pronouns(found) / n if many else 0.0,
        plurals=plurals / nouns.total() if plurals >= 3 else 0.0,
        rendered=len(_RENDERED.findall(plain)) / n if many else 0.0,
        slots=len(_SLOT.findall(text)) / n if "(" in text else 0.0,
        wrong_objects=wrong_objects,
        residue=len(_RESIDUE.findall(plain)) / n,
        empty=len(_EMPTY.findall(plain)) / n if many else 0.0,
        stuffed=_stuffed(nouns, found) if n >= 5 else 0.0,
        loose=_loose(text),
    )


def _pronouns(found: Morphemes) -> float:
    forms = [form for form, tag in zip(found.form, found.tag, strict=True) if tag == "NP"]
    foreign = sum(form in _PRONOUNS for form in forms)
    return foreign + _OTHERS * (len(forms) - foreign)


def _wrong_objects(text: str) -> float:
    """The share of the particles 을 and 를 that stand after the wrong sound; 0 where there are fewer than two."""
    pairs = Counter(_OBJECT.findall(text))
    wrong = sum(n for pair, n in pairs.items() if _is_wrong(pair))
    return wrong / pairs.total() if wrong >= 2 else 0.0


def _is_wrong(pair: str) -> bool:
    """Whether 를 stands behind a consonant or 을 behind a vowel.

    >>> _is_wrong("책를"), _is_wrong("과을"), _is_wrong("마을")
    (True, True, False)
    """
    closed = (ord(pair[0]) - 0xAC00) % 28 > 0
    return closed if pair[1] == "를" else not closed and pair[0] not in _EXCEPTIONS


def _loose(text: str) -> float:
    """The share of Korean words of one syllable; 0 where there are fewer than ten words."""
    if len(text) > 4 * text.count(" "):
        return 0.0  # of words and blanks that are four code points long on average, less than half are one syllable
    sizes = [len(word) for word in text.split() if "가" <= word[0] <= "힣"]
    return sizes.count(1) / len(sizes) if len(sizes) >= 10 else 0.0


def _early_verbs(text: str, found: Morphemes) -> int:
    """How many final endings a word of its own follows, in the same sentence and on the same line, no sign between."""
    tags, starts, firsts = found.tag, found.start, frozenset(found.sentence_start)
    count = at = 0
    for _ in range(tags.count("EF")):
        at = tags.index("EF", at) + 1
        if at == len(tags):
            break
        end, start = starts[at - 1] + found.length[at - 1], starts[at]
        if start > end and start not in firsts and tags[at][0] in "NVMIX" and "\n" not in text[end:start]:
            count += 1
    return count if count >= 2 else 0


def _stuffed(nouns: Counter[str], found: Morphemes) -> float:
    if not nouns:
        return 0.0
    noun, count = max(nouns.items(), key=lambda pair: (pair[1], pair[0]))
    share = count / nouns.total()
    if count < 5 or share < 0.15:
        return 0.0
    places = [found.start[i] for i, form in enumerate(found.form) if form == noun]
    named = {bisect_right(found.sentence_start, place) for place in places}
    return max(0.0, len(named) / len(found.sentence_start) - 0.5) * min(1.0, share / 0.3)
