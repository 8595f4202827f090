"""Lists of terms as data, found in one pass even where their syllables are kept apart or written otherwise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import re2

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
# A letter or digit that is read as a vowel behind a lone consonant: ㅈl노, ㅋr지노.
_AS_VOWEL = str.maketrans({"l": "ㅣ", "I": "ㅣ", "1": "ㅣ", "|": "ㅣ", "i": "ㅣ", "!": "ㅣ", "r": "ㅏ", "ト": "ㅏ"})
_VOWEL_SIGN = re.compile(r"(?<=[ㄱ-ㅎ])[lI1|i!rト]")
# A final consonant is taken along only where no vowel follows it, which makes it an initial.
_JAMO = re.compile(r"([ㄱ-ㅎ])([ㅏ-ㅣ])([ㄱ-ㅎ](?![ㅏ-ㅣ]))?")
# Signs that a plain search cannot read: vowels alone, letters behind consonants, full width, circles, styled letters,
# and pictures or runs of signs between two syllables.
_STYLED = "！-～Ⓐ-ⓩ㈎-㉻\U0001d400-\U0001d7ff\U0001f130-\U0001f189ᄀ-ᇿ"
_GAP = "[•←-⯿\ufe0f\u200d\U0001f000-\U0001faff]"  # arrows, shapes, dingbats, emoji
_ODD = re2.compile(f"([ㅏ-ㅣ]|[ㄱ-ㅎ][lI1|i!rト]|[가-힣][ㄱ-ㅎ][가-힣])|([{_STYLED}])")
_APART = re2.compile(f"[가-힣]{_GAP}{{1,4}}[가-힣]|[가-힣][~!@#$%^&*_+=/|;:-]{{2,3}}[가-힣]")
_STYLED_RUN = re.compile(f"[{_STYLED}]+")
_GAPS = re.compile(f"(?:{_GAP}{{1,4}}|[~!@#$%^&*_+=/|;:-]{{2,3}})(?=[가-힣])")
_LETTERS = re.compile(r"[^가-힣ㄱ-ㅎ]")
MOST_CHARS = (
    100_000  # code points of a text that a filter looks at, from its start: no text needs more to show what it is
)
MOST_HITS = 5_000  # that a filter looks at in one text: a text with more of them is made of nothing else
_BEHIND = 8  # code points behind a rejected hit in which a term inside it may end


@dataclass(frozen=True, slots=True)
class Term:
    """One line of a list: a term, its family and how it weighs; `alone` where no syllable may touch that end."""

    text: str
    family: str
    kind: str
    alone: tuple[bool, bool] = (False, False)


def load(path: Path) -> tuple[Term, ...]:
    """The terms of a file of lines `term family kind`; `_` stands for a blank and `|` at an end for a bound."""
    return tuple(
        _term(line)
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    )


def _term(line: str) -> Term:
    written, family, kind = line.split()
    return Term(written.strip("|").replace("_", " "), family, kind, (written.startswith("|"), written.endswith("|")))


def apart(text: str) -> str:
    """The pattern of a term: an ASCII sign may stand between two of its syllables, as in 카.지.노 and 슬r롯.

    Not a blank in a term of two syllables: it proves nothing, 포토 토론 would be read as 토토. Other
    signs are taken out by `shadow`; a class of all of them in a thousand terms is too much for RE2.
    """
    if not re.fullmatch("[가-힣]{2,}", text):
        return re.escape(text).replace(r"\ ", " ?")
    return ("[ -~·]?" if len(text) > 2 else "[!-~·]?").join(text)


def finder(terms: tuple[Term, ...], pattern: Callable[[str], str] = apart) -> Finder:
    """One search for all `terms`, the longest first."""
    return Finder(terms, pattern)


class Finder:
    """All terms of a list in one pattern that RE2 holds to linear time."""

    def __init__(self, terms: tuple[Term, ...], pattern: Callable[[str], str]) -> None:
        options = re2.Options()
        options.max_mem = 32 << 20  # bytes; a thousand terms with gaps do not fit in the default of 8 MB
        options.log_errors = False
        self._terms = {term.text.replace(" ", ""): term for term in terms} | {term.text: term for term in terms}
        longest = sorted({term.text for term in terms}, key=lambda text: (-len(text), text))
        self._pattern = re2.compile("|".join(map(pattern, longest)), options)

    def any(self, text: str) -> bool:
        """Whether some term stands in `text`."""
        return self._pattern.search(text) is not None and next(self.all(text), None) is not None

    def all(self, text: str) -> Iterator[tuple[int, int, Term]]:
        """Each (start, end, term) in `text`, from left to right, without overlap."""
        for hit in self._pattern.finditer(text):
            start, end = hit.span()
            term = self._term(text, start, end)
            if term is not None:
                yield start, end, term
                continue
            # 겁쟁이 새끼야: 이 새끼 is none, for it begins inside a word; what begins behind its first sign may be one.
            inner = self._pattern.search(text[start + 1 : end + _BEHIND])
            if inner is not None and start + 1 + inner.start() < end:
                inside, outside = start + 1 + inner.start(), start + 1 + inner.end()
                term = self._term(text, inside, outside)
                if term is not None:
                    yield inside, outside, term

    def _term(self, text: str, start: int, end: int) -> Term | None:
        """The term that stands at `start`, or None where its bounds forbid it."""
        hit = text[start:end]
        term = self._terms.get(hit) or self._terms.get(hit.replace(" ", "")) or self._terms.get(_LETTERS.sub("", hit))
        if term is None:
            return None
        before, behind = term.alone
        # 완성 기능 is not 성기능: a short term kept apart by a blank begins where a word begins.
        before = before or (len(term.text) == 3 and " " in hit)
        if (before and start and _is_letter(text[start - 1])) or (behind and end < len(text) and _is_letter(text[end])):
            return None
        return term


def shadow(text: str) -> str:
    """`text` in small letters and as it is meant to be read. Only for searching: offsets are not those of `text`.

    >>> shadow("ㅋr지노★추천, ㅂㅏ카라, ＣＡＳＩＮＯ"), shadow("ㅋㅋ 좋다")
    ('카지노추천, 바카라, casino', 'ㅋㅋ 좋다')
    """
    if _ODD.search(text):
        text = _STYLED_RUN.sub(lambda hit: unicodedata.normalize("NFKC", hit.group()), text)
        text = _VOWEL_SIGN.sub(lambda hit: hit.group().translate(_AS_VOWEL), text)
        text = _JAMO.sub(_syllable, text)
    if _APART.search(text):
        text = _GAPS.sub(_joined, text)
    return text.lower()


def _joined(hit: re.Match[str]) -> str:
    before = hit.start()
    return "" if before and _is_letter(hit.string[before - 1]) else hit.group()


def _syllable(hit: re.Match[str]) -> str:
    initial, vowel, final = hit.groups(default=" ")
    first, last = _INITIALS.find(initial), _FINALS.find(final)
    if first < 0 or last < 0:
        return hit.group()
    return chr(0xAC00 + (first * 21 + _VOWELS.index(vowel)) * 28 + last)


def _is_letter(char: str) -> bool:
    """Whether `char` belongs to a word: a syllable, or a letter of an English word."""
    return "가" <= char <= "힣" or "a" <= char <= "z"
