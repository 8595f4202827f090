"""Drop machine-generated text: literal machine translation, filled templates, keyword stuffing, tool residue.

Korean grammar shows it. A word-by-word translation closes the sentence with a final ending and then adds what belongs
before it (탈 수 있습니다 엘리베이터를.), says 당신 and 그것 where Korean says nothing, and mixes speech levels within
a sentence. A template does not know whether its slot ends in a consonant (숫자은(는), 확인를). Stuffed text names one
thing in every sentence. Few single signs decide; the filter counts each per sentence, and the score is their sum. It
reads the morphemes of `morphology`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from pathlib import Path
from typing import Literal

import re2

from filters.korean.morpheme_signs import CLOSERS, PARTICLE, Grammar, grammar_of
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Count, Limit, Score

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
        elif is_notice(doc.text, doc.morphemes):
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
    open_particles = count_open_particles(plain) if "(" in text else 0
    you, commands = _imperative_share(forms, grammar) if many and "당신" in text else (0.0, 0.0)
    stuffed = keyword_stuffing(nouns, found) if len(found.sentence_start) >= 5 else 0.0
    pronouns, at = 0.0, signs.find("P")
    while at >= 0:
        pronouns += _PRONOUNS.get(forms[at], _OTHERS)
        at = signs.find("P", at + 1)
    mixed = 0  # sentences that say 너 and use the honorific 시
    if many and "너" in forms:
        some = (forms[first:last] for first, last in pairwise(grammar.bounds))
        mixed = sum("너" in sentence and ("시" in sentence or "으시" in sentence) for sentence in some)
    return Signs(
        sentences=n,
        late_words=_late_word_rate(text, found, grammar, n) if many else 0.0,
        commands=commands,
        you=you,
        manners=mixed / n,
        pronouns=pronouns / n if many else 0.0,
        plurals=plurals / max(1, signs.count("N")) if plurals >= 3 else 0.0,
        calques=calques / n,
        rendered=rendered / n,
        slots=open_particles / n,
        slot_share=open_particles / max(1, signs.count(PARTICLE)),
        wrong_objects=_wrong_particle_share(text),
        residue=score_residue(plain, n) + score_empty_fields(plain, n),
        frame=score_chat_frame(plain, found),
        empty=empty / n,
        stuffed=stuffed,
        owned=owner_share(found, grammar) if text.count("의") >= 4 else 0.0,
        phrase=phrase_share(forms, grammar) if stuffed else 0.0,
        crammed=noun_density(text, grammar),
        captions=len(_CAPTION.findall(text)) if "[" in text and 2 * signs.count(".") < n else 0,
        loose=_single_syllable_share(text),
        garbled=len(_GARBLED.findall(plain)) / (plain.count(" ") + plain.count("\n") + 1),
        gibberish=jamo_rate(plain),
        misread=scan_error_rate(plain),
    )


# Quotation marks and back quotes around at most 300 code points of a line; their content is someone else's text.
_QUOTED = re.compile(
    r"\"[^\"\n]{1,300}\"|“[^“”\n]{1,300}”|‘[^‘’\n]{1,300}’|`[^`\n]{1,300}`|「[^「」\n]{1,300}」|『[^『』\n]{1,300}』|"
    r"(?<![^\s(,.])'[^'\n]{1,120}'"
)
_MARK = "\u241f"  # replaces a quotation, so that its neighbours do not join

# Tool residue: an answer of a chat program, a statement of being an AI, an empty field.
_RESIDUE = re2.compile(
    r"(?:AI|인공지능)\s?(?:언어\s?)?모델로서,?\s(?:저|제|나는|개인|감정|실시간)|"
    r"(?:저는|제가)\s(?:.{0,12}\s)?(?:AI|인공지능)\s?(?:언어\s?)?모델(?:로서|이기\s때문|이므로|이라|입니다)|"
    r"요청하신\s.{0,40}(?:작성|정리|번역)해\s?(?:드리겠|드렸|드릴게|보았)|"
    r"(?:다음은|아래는)\s.{0,10}요청하신\s.{0,30}(?:글|소개문|기사|요약|번역|초안|이야기|보고서)입니다|"
    r"이\s(?:기사|글|리뷰|게시물|문서|요약)[은는]\s.{0,20}자동(?:으로)?\s?(?:생성|작성)(?:된|되었|됨|\s시스템)|"
    r"\[[가-힣]{2,6}\s이름\]|\[여기에\s.{1,20}(?:삽입|입력)\]|Invalid Date|\[object Object\]|"
    r"(?:null|undefined|NaN)\s?(?:님|원|개|명|건|회|년|월|점|%)(?:$|[^가-힣]|[은는이가을를의에로과와도입])"
)
_FIELD = re2.compile(r"\[|Invalid|null|undefined|NaN")  # a field is not an answer, at any position
# Opening and closing sentences of a chat program; people write one or the other, hardly both.
_OPENS = re2.compile(
    r"^(?:물론(?:입니다|이죠)!|네, (?:알겠|이해했)습니다!)|"
    r"^(?:다음은|아래는)\s.{1,40}(?:요약|초안|번역|예시|글|목록)입니다"
)
_CLOSES = re2.compile(
    r"(?:추가로|더)\s궁금(?:한|하신)\s(?:점|사항)이\s있으시면\s언제든지?\s(?:말씀해|물어|질문해)|"
    r"(?:정보|내용|조건|키워드)[를을]\s(?:더\s)?(?:제공해|알려|말씀해)\s?주시면\s.{0,40}(?:작성|추천|정리|요약|세워|맞춤|드릴\s수)|"
    r"더\s(?:길게|짧게|자세히)\s작성하거나|톤을\s(?:변경|바꾸|조정)"
)
_ENDS = 0.4  # a frame at one end does not decide; at both ends (0.8) it does
_UNFILLED = re.compile(r"\{[a-z_]{2,30}\}\s?[가-힣]")
# A particle that leaves its form to the reader, as only a template does; after a Latin name people do it too.
_SLOT = re2.compile(
    r"[^A-Za-z](?:은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|과\(와\)|와\(과\)|\(으\)로|\(이\)라|\(이\)나)"
)
_OPEN = re2.compile(r"\((?:은|는|이|가|을|를|과|와|으)\)")

# A page that explains why it shows nothing: it lacks a script, consent, payment or the page.
_NOTICE = re2.compile(
    r"(?:자바스크립트|JavaScript)(?:를|을)\s(?:켜|허용|활성화|사용)|쿠키\s정책|모든\s쿠키를|(?:필수|분석|마케팅|광고)\s쿠키|"
    r"(?:당사|저희|사이트|페이지|우리)[는은가]\s.{0,40}쿠키를\s사용|(?:유료|정)\s?(?:회원|구독자)만|회원만\s(?:보|열람|이용)|"
    r"(?:페이지|문서|게시물)[를을]\s찾을\s수\s없|로그인이\s필요|로그인\s?후\s(?:이용|확인|열람)|(?:접근|열람)(?:할|하실)?\s권한이\s없|"
    r"오류\s코드|주소가\s(?:잘못|변경)|(?:삭제|이동|변경)되었(?:거나|을\s수)|존재하지\s않는\s페이지|구독자이신가요|구독을\s신청해"
)
_BESIDE = re2.compile(
    r"로그인(?:하|해)|이전\s페이지로|홈으로|다시\s(?:시도|확인)해|고객\s?센터|불편을\s드려|해지하실|결제\s수단을|첫\s달은|"
    r"무제한으로|설정에서|자세한\s내용은|쿠키는|(?:입력|주소가)\s.{0,20}확인해"
)
_SHORT_PAGE = 600  # code points; our choice: a notice with its advice has 100 to 400
# Three jamo or more in a row, of three kinds: random typing; laughter and sobs have one or two.
_JAMO = re.compile(r"[ㄱ-ㅎㅏ-ㅣ]{3,60}")
_KEYS = ("ㅏ", "ㅓ", "ㅣ", "ㅗ", "ㅐ")  # the most frequent vowels in random typing; searched first, being rare
_MIXED = re.compile(r"[ㄱ-ㅎ][ㅏ-ㅣ]|[ㅏ-ㅣ][ㄱ-ㅎ]")  # riddles of initials (ㅅㄱ) have no vowels

# l for 1 and O for 0 in a number; not after a Latin letter or a number, as in part names.
_MISREAD = re2.compile(r"(?:^|[^A-Za-z0-9._-])(?:l[0-9]|[0-9]{1,8}[lO][0-9조항]|l[.인개명년월일])")


def mask_quotes(text: str) -> str:
    r"""Replace each quotation and each inline code of the text with a sign.

    >>> mask_quotes("제목이 'null님 안녕하세요'로 나온다. `null님`") == f"제목이 {_MARK}로 나온다. {_MARK}"
    True
    """
    return _QUOTED.sub(_MARK, text)


def score_residue(text: str, sentences: int) -> float:
    """Score tool residue: 0, 0.6 for one place in the middle, more for several."""
    if not _RESIDUE.search(text):
        return 0.0
    plain = mask_quotes(text)
    found = [m.start() for m in _RESIDUE.finditer(plain)]
    if not found:
        return 0.0
    if len(found) == 1:
        # In the first two sentences or the last, a greeting or 물론입니다! may precede it.
        at = found[0]
        near_edge = len(re.findall(r"[.!?]\s", plain[:at])) < 2 or not re.search(r"[.!?]\s+\S", plain[at:])
        if _FIELD.search(plain[at : at + 10]) or not near_edge:
            return min(0.6, 6.0 / sentences)
    return min(3.0, max(1.0, 6.0 * len(found) / sentences))


def score_chat_frame(text: str, found: Morphemes) -> float:
    """Score first and last sentence as those of a chat program: 0, 0.4 for one, 0.8 for both."""
    if len(found.sentence_start) < 2:
        return 0.0
    first = text[found.sentence_start[0] : found.sentence_end[0] + 60]
    last = text[found.sentence_start[-2] : found.sentence_end[-1]][-400:]
    return _ENDS * (bool(_OPENS.search(first[:200])) + bool(_CLOSES.search(last)))


def score_empty_fields(text: str, sentences: int) -> float:
    """Score empty fields such as {name}; each counts a quarter of other residue, as people write about them too."""
    return min(3.0, 1.5 * len(_UNFILLED.findall(mask_quotes(text))) / sentences) if "}" in text else 0.0


def count_open_particles(text: str) -> int:
    """Count the particles that leave their form to the reader.

    >>> count_open_particles("고구마은(는) 채소다. '은(는)'은 조사다. LibreOffice은(는)")
    1
    """
    return len(_SLOT.findall(mask_quotes(text))) if _OPEN.search(text) else 0


def is_notice(text: str, found: Morphemes) -> bool:
    """Whether most sentences of a short page, at least two, explain why it shows nothing or how to proceed."""
    if len(text) > _SHORT_PAGE or not _NOTICE.search(text):
        return False
    bounds = [*found.sentence_start, len(text)]
    sentences = [text[a:b] for a, b in pairwise(bounds)]
    core = [bool(_NOTICE.search(s)) for s in sentences]
    beside = [bool(_BESIDE.search(s)) for s in sentences]
    return sum(core) >= 2 and 2 * sum(a or b for a, b in zip(core, beside, strict=True)) > len(sentences)


def jamo_rate(text: str) -> float:
    """Return unreadable rows of jamo per word.

    >>> jamo_rate("ㅁㄴㅇㄹ ㅣㅏㅁㄴㅇ ㅋㅋㅋㅋ ㅠㅠㅠ"), jamo_rate("초성 ㅅㄱㄹ 문제")
    (0.5, 0.0)
    """
    if not any(vowel in text for vowel in _KEYS):
        return 0.0
    rows = [row for row in _JAMO.findall(text) if len(set(row)) > 2]
    if not any(map(_MIXED.search, rows)):
        return 0.0
    return len(rows) / (text.count(" ") + text.count("\n") + 1)


def scan_error_rate(text: str) -> float:
    """Return numbers scanned partly as letters (l989, 45O), per word; 0 if there are fewer than three.

    >>> scan_error_rate("l989년 l2월 l일에 제2O조를 고쳤다"), scan_error_rate("물 3l와 CO2")
    (0.8, 0.0)
    """
    count = len(_MISREAD.findall(text)) if "l" in text or "O" in text else 0
    return count / (text.count(" ") + text.count("\n") + 1) if count > 2 else 0.0


_HEAD = 7  # morphemes within which the possessor of a sentence ends (주식회사 대온산업의)


def noun_density(text: str, grammar: Grammar) -> float:
    """Return nouns per word in a text of 15 words or more and no final ending: 다이렉트자동차보험비교견적사이트에서."""
    words = text.count(" ") + text.count("\n") + 1
    return grammar.count("N") / words if words >= 15 and "F" not in grammar.signs else 0.0


def phrase_share(forms: Sequence[str], grammar: Grammar) -> float:
    """Return the share of content words that one pair of nouns takes: 수원 맛집."""
    signs = grammar.signs
    pairs: Counter[tuple[str, str]] = Counter()
    at = signs.find("NN")
    while at >= 0:
        pairs[forms[at], forms[at + 1]] += 1
        at = signs.find("NN", at + 1)
    best = max(pairs.values(), default=0)
    return 2 * best / grammar.count("NVLM") if best >= 4 else 0.0


def keyword_stuffing(nouns: Counter[str], found: Morphemes) -> float:
    """Measure by how much the share of sentences with the commonest noun exceeds half, if that noun is frequent."""
    if not nouns:
        return 0.0
    count = max(nouns.values())
    share = count / nouns.total()
    if count < 5 or share < 0.15:
        return 0.0
    noun = max(noun for noun, n in nouns.items() if n == count)
    places = [found.start[i] for i, form in enumerate(found.form) if form == noun]
    named = {bisect_right(found.sentence_start, place) for place in places}
    return max(0.0, len(named) / len(found.sentence_start) - 0.5) * min(1.0, share / 0.3)


def owner_share(found: Morphemes, grammar: Grammar) -> float:
    """Return the share of sentences that open with the same name and 의, in a text of facts with numbers.

    Pages generated from a table look like this (청주시의 습도는 62%이다. 청주시의 기온은 …). Writers who use it for
    style (어머니의 손은 …) give no numbers: they are in fewer than two in five sentences.
    """
    signs, bounds, forms = grammar.signs, grammar.bounds, found.form
    n = len(bounds) - 1
    if n < 5 or signs.count("0") < 0.4 * n:
        return 0.0
    names = Counter(_owner(forms, found.tag, bounds[k], bounds[k + 1]) for k in range(n))
    del names[""]
    best = max(names.values(), default=0)
    return best / n if best >= 4 else 0.0


def _owner(forms: Sequence[str], tags: Sequence[str], start: int, stop: int) -> str:
    """Return the words before 의 that begin a sentence; "" if another particle, an ending or a pronoun comes first."""
    for i in range(start, min(start + _HEAD, stop)):
        if tags[i] == "JKG":
            return "".join(forms[start:i])
        if tags[i][0] in "VEJ" or tags[i] == "NP":
            return ""
    return ""


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
