"""Language identification: drop texts that are not mostly Korean; name the second language of the others.

Hangul is used for one language only, so its share among letters decides. Measured when the filter was chosen, the
share was right for 99.5 % of texts of ten characters and had no false positive among 21,814 foreign sentences; `python
-m benchmarks.language` measures it again. If code, names and commands blur that share, the filter weighs the lines of
running text instead. pycld2 only names the other language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import pycld2

from filters.korean import text_views
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Limit, Share

U8: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint8]]

VERSION = 4
LIBRARIES = ("numpy", "pycld2")
LIMITS = (Limit("language_score", "min_share", "min", "not-korean"),)

CLEARLY_KOREAN = 0.5  # share of Hangul; above it nothing else is weighed
SECOND_SHARE = 0.2  # of letters; below it another language is not named: it is names, terms, a quotation
SECOND_LETTERS = 60  # code points; our choice: about ten English words
ASKED_CHARS = 800  # code points given to pycld2, without Hangul
# A Korean sentence has half as many letters as its English translation, so each counts twice.
HANGUL_WEIGHT = 2
SHORT_LETTERS = 100  # a sentence or two, in which a few English terms outweigh the words that hold them together
# (Hangul letters in Korean lines, factor for the share of Korean running text). At the default of 0.3 a page with ten
# Korean sentences needs three tenths of its running text in Korean, one with two sentences two fifths, one with a
# single sentence three fifths. Set by reading 40 of the 565 half-translated help pages of web-ko that letters alone
# dropped: below, the running text is English and the headings Korean.
SUBSTANCE = ((500, 1.0), (60, 0.75), (25, 0.5))

_HANGUL, _LATIN, _HAN, _KANA, _OTHER, _SMALL, _BLANK, _BREAK = range(1, 9)
_KINDS = 9
_CODE = re.compile(r"`[^`\n]+`|\bhttps?://\S+|\]\([^()\n]{0,500}\)|</?[A-Za-z][^<>\n]{0,500}>")
_HANGUL_LETTER = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
_MIN_HANGUL, _MIN_LETTERS, _MIN_WORDS = 8, 12, 4  # of a line; our choice: shorter ones are headings
_ENDING = re.compile(r"[가-힣](?:다|요|까|죠|네|지|음|함|임)[.?!~…\u3131-\u318e\s]*\Z")
# A Latin word that Korean inflects: timeout을, deploy한, close되지. Only Korean gives foreign words a Korean ending.
_INFLECTED = re.compile(
    "[A-Za-z](?:[은는이가을를의에로와과도만인들별]|으로|까지|부터|처럼|보다|[하한했할해합함]|[되된됐될돼됩됨]|시[키킨켜킬]|"
    "[였입임])[가-힣]{0,3}(?![가-힣A-Za-z])"
)
_MIN_INFLECTED = 2  # of a line; a single one may be quoted
_MIN_MIXED_SHARE = 0.15  # of Hangul among the letters of such a line; our choice: English about Korean has less
_CLOSE_CHARS = 40  # code points at the end of a line that are searched for its ending
_UNPRINTABLE = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff]")


@dataclass(frozen=True, slots=True)
class Letters:
    """Number of letters of a text per script."""

    hangul: int
    latin: int
    han: int
    kana: int
    other: int

    @property
    def total(self) -> int:
        """All letters, of any script."""
        return self.hangul + self.latin + self.han + self.kana + self.other

    @property
    def hangul_share(self) -> float:
        """Hangul syllables and jamo among letters, 0..1; 0 if there are no letters."""
        return self.hangul / self.total if self.total else 0.0

    @property
    def korean_share(self) -> float:
        """Like `hangul_share`, but hanja count as Korean where Hangul runs through them.

        Hangul particles hold a mixed-script sentence together: Hangul is at least a fifth of Hangul and hanja, and
        there is no kana. A Chinese text that names a Korean firm stays Chinese.
        """
        both = self.hangul + self.han
        if self.kana or self.hangul < 0.2 * both or not both:
            return self.hangul_share
        return both / self.total


def judge(doc: Document, *, min_share: Share = 0.3) -> Verdict:
    """Keep a text whose share of Hangul among letters, or of Korean in its running text, reaches `min_share`.

    If the raw share is below four fifths, fenced code, inline code, tags and addresses are not counted. Below one
    half, lines of Korean are weighed against lines of other prose; commands, declarations and formulas are neither.
    Lines of Korean with English terms (timeout을 늘렸다) count in full. Hanja count as Korean where Hangul runs
    through them.

    Labels `language`: `ko`, `mixed` (kept, but less than half of the letters Korean), another ISO 639-1 code, or
    `und`; and `second_language` if another language has a fifth of a kept text. Measures `hangul_share` (raw) and
    `language_score`, on which the verdict rests.

    >>> from malmoi.document import Provenance
    >>> judge(Document("x/1", "오늘은 React를 배웁니다.", Provenance("x", "", "", "", ""))).outcome
    'keep'
    """
    text, kinds = doc.text, _classify_characters(doc.text)
    letters = prose = _count_kinds(kinds)
    share = letters.korean_share
    if share < 1 - SECOND_SHARE:
        text = text_views.prose(text)
        if any(sign in text for sign in ("`", "://", "](", "<")):
            text = _CODE.sub(" ", text)
        if len(text) != len(doc.text):  # a cut removes three signs or more
            kinds = _classify_characters(text)
            prose = _count_kinds(kinds)
        share = max(share, prose.korean_share)
    score = share if share >= CLEARLY_KOREAN else max(share, _prose_share(kinds), _short_text_share(prose, text))
    if score < min_share and prose.hangul:
        score = max(score, _inflection_share(prose, text))
    kept = score >= min_share and letters.hangul > 0
    language = "ko" if share >= CLEARLY_KOREAN else "mixed"
    labels: tuple[tuple[str, str], ...] = (("language", language),)
    if not kept:
        labels = (("language", _detect_other_language(prose, text)),)
    elif share < 1 - SECOND_SHARE and (1 - share) * prose.total >= SECOND_LETTERS:
        second = _detect_other_language(prose, text, sure=True)
        labels = labels if second == "und" else (*labels, ("second_language", second))
    return Verdict(
        "keep" if kept else "drop",
        "korean" if kept else "not-korean",
        measured=round(score, 4),
        limit=min_share,
        labels=labels,
        measures=(("hangul_share", round(letters.hangul_share, 4)), ("language_score", round(score, 4))),
    )


def count_letters(text: str) -> Letters:
    """Count the letters of a text per script; digits, signs and blanks are not letters.

    >>> count_letters("한글 ㅋㅋ ABC 漢字 かな 12")
    Letters(hangul=4, latin=3, han=2, kana=2, other=0)
    """
    return _count_kinds(_classify_characters(text))


def _classify_characters(text: str) -> U8:
    """Classify each code point: a letter of a script, a blank, a line break, or none of these (0)."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds: U8 = _build_script_table().take(points, mode="clip")
    return kinds


def _count_kinds(kinds: U8) -> Letters:
    n = np.bincount(kinds, minlength=_KINDS).tolist()
    return Letters(n[_HANGUL], n[_LATIN] + n[_SMALL], n[_HAN], n[_KANA], n[_OTHER])


@cache
def _build_script_table() -> U8:
    table = np.zeros(0x30000, dtype=np.uint8)
    table[[c for c in range(0x10000) if chr(c).isalpha()]] = _OTHER
    for first, last, script in (
        (0x41, 0x24F, _LATIN),
        (0x1E00, 0x1EFF, _LATIN),
        (0xFF21, 0xFF5A, _LATIN),
        (0x1100, 0x11FF, _HANGUL),
        (0x3131, 0x318E, _HANGUL),
        (0xA960, 0xA97C, _HANGUL),
        (0xAC00, 0xD7FB, _HANGUL),
        (0xFFA1, 0xFFDC, _HANGUL),
        (0x3041, 0x30FF, _KANA),
        (0x31F0, 0x31FF, _KANA),
        (0xFF66, 0xFF9D, _KANA),
        (0x3400, 0x9FFF, _HAN),
        (0xF900, 0xFAFF, _HAN),
    ):
        part = table[first : last + 1]
        part[part > 0] = script
    table[0x20000:0x30000] = _HAN
    small = table[0x41:0x250]
    small[[n for n in range(len(small)) if small[n] and not chr(0x41 + n).isupper()]] = _SMALL
    table[[0x20, 0x09, 0xA0]] = _BLANK
    table[0x0A] = _BREAK
    return table


def _prose_share(kinds: U8) -> float:
    """Return the share of Korean among lines of running text, reduced if there is little of it; see SUBSTANCE.

    A line of other prose has at least four words, few signs and figures, and few capitals if its script has them. So
    declarations, formulas and commands do not count.
    """
    lines = np.cumsum(kinds == _BREAK, dtype=np.int64)
    if not len(lines):
        return 0.0
    table = np.bincount(lines * _KINDS + kinds, minlength=int(lines[-1] + 1) * _KINDS).reshape(-1, _KINDS)
    length = table.sum(axis=1)
    hangul, blanks, capitals = table[:, _HANGUL], table[:, _BLANK], table[:, _LATIN]
    letters = length - table[:, 0] - blanks - table[:, _BREAK]
    running = (hangul >= _MIN_HANGUL) & (hangul >= 0.3 * letters)
    prose = (hangul < 0.3 * letters) & (letters >= _MIN_LETTERS) & (letters + blanks >= 0.85 * length)
    prose &= (capitals <= 0.2 * letters) & (
        (blanks >= _MIN_WORDS - 1) | (2 * (table[:, _HAN] + table[:, _KANA]) > letters)
    )
    some = prose & (hangul >= _MIN_HANGUL)
    korean = int(hangul[running | some].sum())
    other = int((letters - hangul)[prose].sum())
    share = HANGUL_WEIGHT * korean / max(1, HANGUL_WEIGHT * korean + other)
    return next((weight * share for least, weight in SUBSTANCE if korean >= least), 0.0)


def _short_text_share(letters: Letters, text: str) -> float:
    """Return the share of Hangul, each letter counted twice, of a short text that closes like a Korean sentence."""
    if letters.total > SHORT_LETTERS or letters.kana or letters.han > letters.hangul or _ENDING.search(text) is None:
        return 0.0
    return HANGUL_WEIGHT * letters.hangul / max(1, letters.total)


def _inflection_share(letters: Letters, text: str) -> float:
    """Return the share of Korean letters, counting in full the lines that inflect Latin words as Korean does.

    Such a line holds at least two of these words, closes like a Korean sentence, and Hangul runs through it.
    """
    if letters.latin * 2 < letters.total or letters.kana:
        return 0.0
    whole = 0
    for line in text.split("\n"):
        if _ENDING.search(line[-_CLOSE_CHARS:]) is None or len(_INFLECTED.findall(line)) < _MIN_INFLECTED:
            continue
        of_line = count_letters(line)
        if of_line.hangul_share >= _MIN_MIXED_SHARE:
            whole += of_line.total - of_line.hangul
    return (letters.hangul + whole) / letters.total if whole else 0.0


def _detect_other_language(letters: Letters, text: str, *, sure: bool = False) -> str:
    """Return the ISO 639-1 code of the language next to Korean, or `und`; by script, else by pycld2."""
    foreign = letters.total - letters.hangul
    if letters.kana > 0.1 * foreign:
        return "ja"
    if letters.han > 0.5 * foreign and letters.hangul < 0.2 * (letters.hangul + letters.han):
        return "zh"
    # Lines without Hangul first: Latin words between Korean ones are names and terms, not a language.
    lines = [line for line in text.split("\n", 400)[:400] if not _HANGUL_LETTER.search(line)]
    shown = " ".join(lines)[:ASKED_CHARS]
    if len(shown) < SECOND_LETTERS:
        shown = _HANGUL_LETTER.sub(" ", text[:ASKED_CHARS])
    try:
        reliable, _, found = pycld2.detect(_UNPRINTABLE.sub(" ", shown).encode(), isPlainText=True)
    except pycld2.error:  # pycld2 rejects some valid byte sequences
        return "und"
    if sure and not reliable:
        return "und"
    return next((str(code) for _, code, percent, _ in found if code not in ("ko", "un") and percent), "und")
