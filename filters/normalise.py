"""Normalise a text to NFC with plain white space and without control or zero-width characters.

Never NFKC: it turns ㅋㅋ into conjoining jamo and ① into 1. Left alone are compatibility jamo, Old Hangul (conjoining
jamo without a precomposed syllable), hanja, curly quotes, full-width forms, private-use characters, U+FFFD, variation
selectors, and joiners inside emoji or inside scripts that write with them.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate

from malmoi.document import Document, Edit, Edits

VERSION = 3

# ㅤ (U+3164), its half-width form and the empty braille cell are typed as invisible blanks.
_BLANK = "\\t \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\u3164\\uffa0\\u2800"
_BREAK = "\\n\\x0b\\x0c\\r\\x85\\u2028\\u2029"
# Controls, soft hyphen, zero width and direction marks, object replacement, non-characters.
_GONE = (
    "\\x00-\\x08\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f"
    "\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffc\\ufffe\\uffff"
)
_JOINER = "\\u200c\\u200d"
_HALF = "\\uffa1-\\uffdc"
_MODERN = "\\u1100-\\u1112\\u1161-\\u1175"  # conjoining letters in use today
_JAMO = "\\u1100-\\u11ff\\ua960-\\ua97c\\ud7b0-\\ud7fb\\u0300-\\u036f\\u302e\\u302f"  # and combining marks
_JOINED = "\\u0600-\\u0dff\\u1000-\\u109f\\u1780-\\u17ff\\u20e3\\u2190-\\u2bff\\ufe0f\\U0001f000-\\U0001faff"

# Characters with an emoji and a text presentation, and those with other variants (StandardizedVariants.txt): Han,
# mathematical signs, punctuation of East Asia, Myanmar, Phags-pa.
_PICTURE = "#*0-9\\xa9\\xae\\u203c\\u2049\\u20e3\\u2100-\\u2bff\\u3030\\u303d\\u3297\\u3299\\U0001f000-\\U0001faff"
_HAN = "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\U00020000-\\U0003ffff"
_VARIED = f"{_HAN}0\\u1000-\\u109f\\u2200-\\u2aff\\u3001\\u3002\\ua840-\\ua877\\uff01\\uff0c\\uff1a\\uff1b\\uff1f"
_RARE_SELECTOR = "\\ufe00-\\ufe0d\\U000e0000-\\U000e0fff"  # with tags; U+FE0E and U+FE0F are common
_SELECTORS = f"{_RARE_SELECTOR}\\ufe0e\\ufe0f"
_FLAGS = ["".join(chr(0xE0000 + ord(c)) for c in name) + "\U000e007f" for name in ("gbeng", "gbsct", "gbwls")]
# What stays, and all beside it: a selector that its base takes, and the three flags that tags spell (emoji-test.txt).
_HIDDEN = re.compile(
    f"(?P<stays>(?<=\U0001f3f4)(?:{'|'.join(_FLAGS)})|(?<=[{_PICTURE}])[\\ufe0e\\ufe0f]"
    f"|(?:(?<=[{_VARIED}])[\\ufe00-\\ufe0d]|(?<=[{_HAN}])[\\U000e0100-\\U000e01ef])(?![{_SELECTORS}]))?[{_SELECTORS}]*"
)

# White space other than space, tab and line feed.
_RARE = "\\x0b\\x0c\\r\\x85\\u2028\\u2029\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\u3164\\uffa0\\u2800"

_WORD = re.compile(f"[^{_BLANK}{_BREAK}]+")
# Two or more blanks, a rare one, an empty line at the start, a blank at the end: first the sign, then what is odd.
_ODD_GAP = re.compile(f"[{_RARE}\\t\\n ](?:(?<![ \\t\\n])[{_BLANK}{_BREAK}]*|[{_BLANK}{_BREAK}]+|\\Z|(?<=\\A\\n))")
_ODD = re.compile(
    f"[{_GONE}{_JOINER}{_HALF}{_MODERN}{_RARE_SELECTOR}\\ud800-\\udfff]|(?<![{_PICTURE}])[\\ufe0e\\ufe0f]"
)
_GONE_RE = re.compile(f"[{_GONE}]")
_LOOSE_JOINER = re.compile(f"(?<![{_JOINED}])[{_JOINER}]|[{_JOINER}](?![{_JOINED}])")
_SURROGATE = re.compile("[\\ud800-\\udfff]")
# NFKC turns ㅋㅋ and ㅠㅠ into these. A consonant before a syllable and a vowel after one are part of an old cluster.
_LONE_LEADS = re.compile(f"(?<![{_JAMO}])[\\u1100-\\u1112]+(?![{_JAMO}가-힣])")
_LONE_VOWELS = re.compile(f"(?<![{_JAMO}가-힣])[\\u1161-\\u1175]+(?![{_JAMO}])")
_HALF_RUN = re.compile(f"[{_HALF}]+")
_BREAKS = re.compile(f"\\r\\n|[{_BREAK}]")
_BLANKS = re.compile(f"[{_BLANK}]")
# Marks on one letter. CPython sorts them by moving each past all others; stream-safe Unicode text has at most 30 of
# them (UAX #15, section 13), and a line drawn with signs has more.
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u10ff\u1200-\u1dff\u20d0-\u20f0\u2cef-\u2dff\u302a-\u302f\u3099\u309a\ua66f-\uabff"
    "\ufb1e\ufe20-\ufe2f\U000101fd-\U0001e94a]"  # every sign with a combining class, and scripts around them
)
_LONG_ROW = re.compile(r"[^\w\s\x00-\x7f](?:[^\w\s\x00-\x7f]{63,})")

_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_SYLLABLE = re.compile(f"([{_LEADS}])([{_VOWELS}])(?:([{_TAILS[1:]}])(?![{_VOWELS}]))?")
_HALF_MAP = {c: chr(0x3131 + c - 0xFFA1) for c in range(0xFFA1, 0xFFBF)} | {
    first + i: chr(0x314F + 6 * row + i)  # the vowels are in four rows of six with gaps between
    for row, first in enumerate((0xFFC2, 0xFFCA, 0xFFD2, 0xFFDA))
    for i in range(3 if row == 3 else 6)
}


def mend(doc: Document) -> Edits:
    """Normalise to NFC, plain blanks, at most one empty line in a row, and no stray control characters.

    An edit covers only the characters that change. Its reason is `nfc`, `half-width-jamo`, `stray-jamo`, `control`,
    `hidden-text` (selectors and tags) or `white-space`. Indentation at the start of a line stays; a run of blanks with
    a tab in it becomes one tab, because tables are written like this. The filter is idempotent. A lone surrogate,
    which no file can hold, becomes U+FFFD.

    >>> from malmoi.document import Provenance
    >>> doc = Document("x/1", "\\u1112\\u1161\\u11ab\\u1100\\u1173\\u11af  ㅋㅋ", Provenance("x", "", "", "", ""))
    >>> [(e.start, e.end, e.text, e.reason) for e in mend(doc)]
    [(0, 6, '한글', 'nfc'), (7, 8, '', 'white-space')]
    """
    text = doc.text
    edits: list[Edit] = []
    if _ODD.search(text) is None and _is_nfc(text):  # its words need no edit
        for hit in _ODD_GAP.finditer(text):
            _mend_gap(edits, text, hit.start(), hit.end(), "white-space", at_end=hit.end() == len(text))
        return tuple(edits)
    done, gap = 0, "white-space"  # end of the last word that stays; reason of what the gap behind it loses
    for found in _WORD.finditer(text):
        word = found.group()
        new, reason = word, ""
        if not word.isascii() or _ODD.search(word):
            new, reason = _mend_word(word)
            if not new:  # nothing visible: the word belongs to the gap around it
                gap = reason if reason == "hidden-text" else gap
                continue
        _mend_gap(edits, text, done, found.start(), gap, at_end=False)
        if new != word:
            edits.append(_trim_edit(found.start(), word, new, reason))
        done, gap = found.end(), "white-space"
    _mend_gap(edits, text, done, len(text), gap, at_end=True)
    return tuple(edits)


def _mend_word(word: str) -> tuple[str, str]:
    reason = ""
    new = word
    while True:  # a removed character may let its neighbours compose
        before = new
        if _ODD.search(new):
            shown = _HIDDEN.sub(lambda found: found["stays"] or "", new)
            reason = reason or ("hidden-text" if shown != new else "")
            new = _LOOSE_JOINER.sub("", _GONE_RE.sub("", shown))
            new = _SURROGATE.sub("\ufffd", new)
            reason = reason or ("control" if new != shown else "")
            halves = _HALF_RUN.sub(lambda m: _compose_half_width(m.group()), new)
            reason = reason or ("half-width-jamo" if halves != new else "")
            new = halves
        if not _is_nfc(new):
            new = unicodedata.normalize("NFC", _LONG_ROW.sub(_reorder_marks, new))
            reason = reason or "nfc"
        if _ODD.search(new):
            lone = _LONE_VOWELS.sub(_to_compatibility_jamo, _LONE_LEADS.sub(_to_compatibility_jamo, new))
            reason = reason or ("stray-jamo" if lone != new else "")
            new = lone
        if new == before:
            return new, reason


def _is_nfc(text: str) -> bool:
    if _MARKS.search(text) is None or _LONG_ROW.search(text) is None:
        return unicodedata.is_normalized("NFC", text)
    return unicodedata.normalize("NFC", _LONG_ROW.sub(_reorder_marks, text)) == text


def _reorder_marks(row: re.Match[str]) -> str:
    """Decompose a row of signs and put it in canonical order, so that nothing is left to reorder.

    >>> _LONG_ROW.sub(_reorder_marks, "가" + "\u0301\u0323" * 40) == "가" + "\u0323" * 40 + "\u0301" * 40
    True
    """
    parts = [part for sign in row.group() for part in unicodedata.normalize("NFD", sign)]
    letter = list(accumulate(unicodedata.combining(part) == 0 for part in parts))
    order = sorted(range(len(parts)), key=lambda at: (letter[at], unicodedata.combining(parts[at])))
    return "".join(parts[at] for at in order)


def _to_compatibility_jamo(found: re.Match[str]) -> str:
    """Convert conjoining jamo that join nothing to compatibility jamo.

    >>> _LONE_LEADS.sub(_to_compatibility_jamo, "갔다\u110f\u110f")
    '갔다ㅋㅋ'
    """
    return "".join(_LEADS[ord(c) - 0x1100] if c < "\u1161" else _VOWELS[ord(c) - 0x1161] for c in found.group())


def _compose_half_width(halves: str) -> str:
    """Compose half-width jamo to the syllables they spell; the others become full-width jamo.

    >>> _compose_half_width("ﾾￂﾤﾡￚﾩ"), _compose_half_width("ﾻﾻ")
    ('한글', 'ㅋㅋ')
    """
    return _SYLLABLE.sub(_compose_syllable, halves.translate(_HALF_MAP))


def _compose_syllable(found: re.Match[str]) -> str:
    lead, vowel, tail = found.groups()
    number = (_LEADS.index(lead) * 21 + _VOWELS.index(vowel)) * 28
    return chr(0xAC00 + number + (_TAILS.index(tail) if tail else 0))


def _mend_gap(edits: list[Edit], text: str, start: int, end: int, reason: str, *, at_end: bool) -> None:
    gap = text[start:end]
    if gap in ("", " ") and not (gap and (at_end or start == 0)):
        return
    lines = _BREAKS.split(gap)
    new = "".join("\t" if b == "\t" else " " for b in _BLANKS.findall(lines[-1]))  # of the last line
    if at_end:
        new = ""
    elif start and len(lines) > 1:
        new = "\n" * min(len(lines) - 1, 2) + new
    elif start:
        new = "\t" if "\t" in new else " "
    if new != gap:
        edits.append(_trim_edit(start, gap, new, reason))


def _trim_edit(start: int, old: str, new: str, reason: str) -> Edit:
    """Return the edit from `old` to `new` without their common start and end."""
    shortest = min(len(old), len(new))
    head = 0
    while head < shortest and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shortest - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Edit(start + head, start + len(old) - tail, new[head : len(new) - tail], reason)
