"""Drop texts that are not mostly Korean.

Hangul is written for one language only, so its share among letters decides; pycld2 is asked
in the grey band, where code, links and loan words blur the share, and for the name of another
language (measured-library-choices section 4: script share alone is right for 99.5 % of texts
of ten characters and calls none of 21,814 foreign sentences Korean).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pycld2

from filters.fences import without_fences
from filters.params import Share
from malmoi.document import Document, Verdict

VERSION = 2
LIBRARIES = ("numpy", "pycld2")

CLEARLY_KOREAN = 0.5  # share of Hangul; above it nothing else is asked
CLEARLY_NOT = 0.1  # share of Hangul; below it nothing else is asked
ASKED_CHARS = 4_000  # code points shown to pycld2; a longer look changed no verdict of web-ko
MIN_KOREAN_BYTES = 0.5  # share of text bytes that pycld2 must call Korean in the grey band

_HANGUL, _LATIN, _HAN, _KANA, _OTHER = 1, 2, 3, 4, 5
_CODE = re.compile(r"`[^`\n]+`|\bhttps?://\S+|\]\([^)\n]{0,500}\)|</?[A-Za-z][^<>\n]{0,500}>")
_UNPRINTABLE = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff]")


@dataclass(frozen=True, slots=True)
class Letters:
    """How many letters of a text belong to which script."""

    hangul: int
    latin: int
    han: int
    kana: int
    other: int

    @property
    def total(self) -> int:
        """All letters, of whatever script."""
        return self.hangul + self.latin + self.han + self.kana + self.other

    @property
    def hangul_share(self) -> float:
        """Hangul syllables and jamo among letters, 0..1; 0 where there is no letter."""
        return self.hangul / self.total if self.total else 0.0

    @property
    def korean_share(self) -> float:
        """Like `hangul_share`, with hanja counted as Korean where Hangul runs through them.

        Hangul particles hold a mixed-script sentence together: at least a fifth of what is
        Hangul or hanja, and no kana. A Chinese text that names a Korean firm stays Chinese.
        """
        both = self.hangul + self.han
        if self.kana or self.hangul < 0.2 * both or not both:
            return self.hangul_share
        return both / self.total


def judge(doc: Document, *, min_share: Share = 0.3) -> Verdict:
    """Keep a text whose share of Hangul among letters is at least `min_share`.

    Fenced code, inline code, tags and addresses are not counted once the raw share falls below
    one half, so that a Korean page about programming is measured by its prose. Between 0.1 and
    `min_share` a text is kept if pycld2 calls half of its bytes Korean. Hanja count as Korean
    where Hangul runs through them.

    Labels `language`: `ko`, `mixed` (kept, but less than half Korean), another ISO 639-1 code,
    or `und`. Measures `hangul_share` (raw) and `language_score` (the share without code, hanja counted).

    >>> from malmoi.document import Provenance
    >>> judge(Document("x/1", "오늘은 React를 배웁니다.", Provenance("x", "", "", "", ""))).outcome
    'keep'
    """
    letters = prose = count_letters(doc.text)
    score, korean, language = letters.korean_share, 0.0, "ko"
    if score < CLEARLY_KOREAN:
        text = _CODE.sub(" ", without_fences(doc.text))
        prose = count_letters(text)
        score = max(score, prose.korean_share)
        if score < CLEARLY_KOREAN:
            korean, language = _ask(text)
    by_share = score >= min_share and letters.hangul > 0
    by_bytes = score >= CLEARLY_NOT and korean >= MIN_KOREAN_BYTES
    kept = by_share or by_bytes
    if score < CLEARLY_KOREAN:
        language = "mixed" if kept else _other_language(prose, language)
    return Verdict(
        "keep" if kept else "drop",
        "korean" if kept else "not-korean",
        measured=round(korean if kept and not by_share else score, 4),
        limit=MIN_KOREAN_BYTES if kept and not by_share else min_share,
        labels=(("language", language),),
        measures=(("hangul_share", round(letters.hangul_share, 4)), ("language_score", round(score, 4))),
    )


def count_letters(text: str) -> Letters:
    """The letters of a text by script; digits, signs and blanks are no letters.

    >>> count_letters("한글 ㅋㅋ ABC 漢字 かな 12")
    Letters(hangul=4, latin=3, han=2, kana=2, other=0)
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    counts = np.bincount(_scripts()[np.minimum(points, 0x2FFFF)], minlength=6)
    return Letters(*(int(n) for n in counts[1:6]))


@cache
def _scripts() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
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
    return table


def _ask(text: str) -> tuple[float, str]:
    """The share of bytes that pycld2 calls Korean, and the language it sees most beside Korean."""
    shown = _UNPRINTABLE.sub(" ", text[:ASKED_CHARS])
    try:
        _, _, found = pycld2.detect(shown.encode(), isPlainText=True)
    except pycld2.error:  # it refuses some byte sequences that are valid; the share then decides alone
        return 0.0, "und"
    korean = sum(percent for _, code, percent, _ in found if code == "ko") / 100
    other = next((str(code) for _, code, percent, _ in found if code not in ("ko", "un") and percent), "und")
    return korean, other


def _other_language(letters: Letters, seen: str) -> str:
    if letters.kana > 0.1 * letters.total:
        return "ja"
    return "zh" if seen == "und" and letters.han > 0.5 * letters.total else seen
