"""filters/korean/term_lists.py"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
# A letter or digit read as a vowel after a lone consonant: ㅈl노, ㅋr지노.
_AS_VOWEL = str.maketrans({"l": "ㅣ", "I": "ㅣ", "1": "ㅣ", "|": "ㅣ", "i": "ㅣ", "!": "ㅣ", "r": "ㅏ", "ト": "ㅏ"})
_VOWEL_SIGN = re.compile(r"(?<=[ㄱ-ㅎ])[lI1|i!rト]")
# A final consonant is included only if no vowel follows it, which would make it an initial.
_JAMO = re.compile(r"([ㄱ-ㅎ])([ㅏ-ㅣ])([ㄱ-ㅎ](?![ㅏ-ㅣ]))?")
# Signs that a plain search cannot read: vowels alone, letters after consonants, full width, circles, styled letters,
# and pictures or runs of signs between two syllables.
_STYLED = "！-～Ⓐ-ⓩ㈎-㉻\U0001d400-\U0001d7ff\U0001f130-\U0001f189ᄀ-ᇿ"
_GAP = "[•←-⯿\ufe0f\u200d\U0001f000-\U0001faff]"  # arrows, shapes, dingbats, emoji
_ODD = re2.compile(f"([ㅏ-ㅣ]|[ㄱ-ㅎ][lI1|i!rト]|[가-힣][ㄱ-ㅎ][가-힣])|([{_STYLED}])")
_APART = re2.compile(f"[가-힣]{_GAP}{{1,4}}[가-힣]|[가-힣][~!@#$%^&*_+=/|;:-]{{2,3}}[가-힣]")
_STYLED_RUN = re.compile(f"[{_STYLED}]+")
_GAPS = re.compile(f"(?:{_GAP}{{1,4}}|[~!@#$%^&*_+=/|;:-]{{2,3}})(?=[가-힣])")
_PRINTABLE = bytes(range(0x20, 0x7F))
_LETTERS = re.compile(r"[^가-힣ㄱ-ㅎ]")
MOST_CHARS = 100_000  # code points from the start of a text that a filter reads: enough to classify any text
MOST_HITS = 5_000  # hits read per text: a text with more holds little else
FEW = 30  # lines of a text with a pattern each; from then on all terms in one pattern are cheaper
_BEHIND = 8  # code points after a rejected hit within which a term inside it may end


class Term(NamedTuple):
    """One line of a list: a term, its family and its kind of weight; `alone` if no syllable may touch that end."""

    text: str
    family: str
    kind: str
    alone: tuple[bool, bool] = (False, False)


def load(path: Path) -> tuple[Term, ...]:
    """Load a file of lines `term family kind`; `_` is a blank and `|` at an end a boundary."""
    terms = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            written, family, kind = line.split()
            text = written.strip("|").replace("_", " ")
            terms.append(Term(text, family, kind, (written.startswith("|"), written.endswith("|"))))
    return tuple(terms)


def syllable_pattern(text: str) -> str:
    """Return the pattern of a term: an ASCII sign may separate two of its syllables, as in 카.지.노 and 슬r롯.

    A blank may not separate a term of two syllables: 포토 토론 would match 토토. `to_search_form` removes other signs;
    a class of all of them in a thousand terms is too much for RE2.
    """
    if not re.fullmatch("[가-힣]{2,}", text):
        return re.escape(text).replace(r"\ ", " ?")
    return ("[ -~·]?" if len(text) > 2 else "[!-~·]?").join(text)


def load_finder(terms: tuple[Term, ...], pattern: Callable[[str], str] = syllable_pattern) -> Finder:
    """Build one search for all `terms`, the longest first."""
    return Finder(terms, pattern)


class Finder:
    """Search for all terms of a list: by their letters first, then by the patterns of those that a line may hold.

    One pattern of a thousand terms takes RE2 a tenth of a second to compile, and as much again to build its states.
    """

    def __init__(self, terms: tuple[Term, ...], pattern: Callable[[str], str]) -> None:
        self._terms = {term.text.replace(" ", ""): term for term in terms} | {term.text: term for term in terms}
        self._written = pattern

    def any(self, text: str) -> bool:
        """Whether `text` contains a term."""
        return any(True for _ in self._find_candidates(text)) and next(self.all(text), None) is not None

    def all(self, text: str) -> Iterator[tuple[int, int, Term]]:
        """Yield (start, end, term) in `text`, from left to right, without overlap; no term crosses a line break."""
        at = lines = 0
        for line in text.split("\n"):
            near = set(self._find_candidates(line, overlapping=True)) if line else ()
            if near:
                lines += 1
                pattern = (
                    self._pattern({text for texts in near for text in texts}) if lines <= FEW else self._full_pattern
                )
                yield from ((at + start, at + end, term) for start, end, term in self._find_in_line(pattern, line))
            at += len(line) + 1

    def _find_candidates(self, text: str, *, overlapping: bool = False) -> Iterator[tuple[str, ...]]:
        """Yield the terms that may occur in `text`: after separators are removed, their letters are present."""
        data = text.encode("utf-8", "replace")  # the search rejects lone surrogates
        # Without the separators that a pattern allows between two syllables, and without blanks
        between = data.translate(None, _PRINTABLE).replace("·".encode(), b"").decode()
        bare_texts = (between, data.replace(b" ", b"").decode())
        for (letters, texts), bare in zip(self._letters, bare_texts, strict=True):
            yield from (texts[hit[0]] for hit in letters.find_matches_as_indexes(bare, overlapping))

    def _pattern(self, texts: set[str]) -> re2._Regexp:
        return _compile_patterns(tuple(map(self._written, sorted(texts, key=lambda text: (-len(text), text)))))

    @cached_property
    def _full_pattern(self) -> re2._Regexp:
        return self._pattern({term.text for term in self._terms.values()})

    @cached_property
    def _letters(self) -> tuple[tuple[AhoCorasick, list[tuple[str, ...]]], ...]:
        """Return the letters of Hangul terms, and of the others: each with the terms of that spelling."""
        spelt: dict[str, list[str]] = {}
        for text in dict.fromkeys(term.text for term in self._terms.values()):
            spelt.setdefault(text.replace(" ", ""), []).append(text)
        hangul = {letters: texts for letters, texts in spelt.items() if re.fullmatch("[가-힣]{2,}", letters)}
        others = {letters: texts for letters, texts in spelt.items() if letters not in hangul}
        return tuple(
            (AhoCorasick(list(some), MatchKind.Standard), [tuple(t) for t in some.values()])
            for some in (hangul, others)
        )

    def _find_in_line(self, pattern: re2._Regexp, text: str) -> Iterator[tuple[int, int, Term]]:
        for hit in pattern.finditer(text):
            start, end = hit.span()
            term = self._term(text, start, end)
            if term is not None:
                yield start, end, term
                continue
            # In 겁쟁이 새끼야, 이 새끼 is not a hit, for it begins inside a word; a term after its first sign may be
            # one.
            inner = pattern.search(text[start + 1 : end + _BEHIND])
            if inner is not None and start + 1 + inner.start() < end:
                inside, outside = start + 1 + inner.start(), start + 1 + inner.end()
                term = self._term(text, inside, outside)
                if term is not None:
                    yield inside, outside, term

    def _term(self, text: str, start: int, end: int) -> Term | None:
        """Return the term at `start`, or None if its boundaries forbid it."""
        hit = text[start:end]
        term = self._terms.get(hit) or self._terms.get(hit.replace(" ", "")) or self._terms.get(_LETTERS.sub("", hit))
        if term is None:
            return None
        before, behind = term.alone
        # 완성 기능 is not 성기능: a short term with a blank inside begins where a word begins.
        before = before or (len(term.text) == 3 and " " in hit)
        if (before and start and _is_letter(text[start - 1])) or (behind and end < len(text) and _is_letter(text[end])):
            return None
        return term


@lru_cache(maxsize=1024)
def _compile_patterns(patterns: tuple[str, ...]) -> re2._Regexp:
    options = re2.Options()
    options.max_mem = 32 << 20  # bytes; a thousand terms with gaps do not fit in the default of 8 MB
    options.log_errors = False
    return re2.compile("|".join(patterns), options)


def to_search_form(text: str) -> str:
    """Normalise `text` to lower case and deobfuscated spelling. Only for searching: offsets are not those of `text`.

    >>> to_search_form("ㅋr지노★추천, ㅂㅏ카라, ＣＡＳＩＮＯ"), to_search_form("ㅋㅋ 좋다")
    ('카지노추천, 바카라, casino', 'ㅋㅋ 좋다')
    """
    if _ODD.search(text):
        text = _STYLED_RUN.sub(lambda hit: unicodedata.normalize("NFKC", hit.group()), text)
        text = _VOWEL_SIGN.sub(lambda hit: hit.group().translate(_AS_VOWEL), text)
        text = _JAMO.sub(_compose_syllable, text)
    if _APART.search(text):
        text = _GAPS.sub(_remove_joiner, text)
    return text.lower()


def _remove_joiner(hit: re.Match[str]) -> str:
    before = hit.start()
    return "" if before and _is_letter(hit.string[before - 1]) else hit.group()


def _compose_syllable(hit: re.Match[str]) -> str:
    initial, vowel, final = hit.groups(default=" ")
    first, last = _INITIALS.find(initial), _FINALS.find(final)
    if first < 0 or last < 0:
        return hit.group()
    return chr(0xAC00 + (first * 21 + _VOWELS.index(vowel)) * 28 + last)


def _is_letter(char: str) -> bool:
    """Whether `char` is part of a word: a syllable, or a letter of an English word."""
    return "가" <= char <= "힣" or "a" <= char <= "z"
