"""Select the values in which a rule may find something, by expressions that are wider than the rules.

RE2 in Arrow reads 500 MB of text a second and core, the rules 5 to 10. The expressions are built from the tables of the
rules. Each has few states: counted repeats of wide classes beside each other are slow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from malmoi.releases.residue.code_points import JOINTS, MASKS, NO_WIDTH, SPELLED, WIDEST
from malmoi.releases.residue.signs_and_words import (
    BIRTH,
    NAMED,
    PASSPORT,
    PLATES,
    PREFIXES,
    PRIVATE_KEY,
    SECRETS,
    SPELLED_AT,
)

_DIGIT: Final = r"\p{Nd}"
_ZERO: Final = r"[^\x{1}-\x{2F}1-\x{7F}]"  # 0, or a sign that is not ASCII: digits of all scripts count
_ONE: Final = r"[^\x{0}-\x{30}2-\x{7F}]"
_THIRD: Final = r"[^\x{0}-\x{2F}2-5\x{3A}-\x{7F}]"  # of 010, 011, 016 to 019
_BLANK: Final = "[^!-~]"  # searches in ASCII see a blank where another sign is


def _spell(signs: Iterable[str]) -> str:
    return "".join(rf"\x{{{ord(sign):X}}}" for sign in sorted(signs))


def _join(words: Iterable[str]) -> str:
    """Return an expression for words in any case."""
    parts = ("".join(_BLANK if c == " " else f"[{_spell({c.lower(), c.upper()})}]" for c in word) for word in words)
    return f"(?:{'|'.join(parts)})"


_JOINT: Final = f"[{_spell(JOINTS)}]"
_APART: Final = rf"[{_spell(NO_WIDTH)}]*"
_FEW: Final = f"{_JOINT}{{0,{WIDEST}}}"
_GROUP: Final = rf"{_DIGIT}[ {_spell(NO_WIDTH)}{_DIGIT}]*"  # digits that are written one by one are one group
_WORD, _TOKEN, _HEX = "[A-Za-z0-9_.-]", "[A-Za-z0-9_./+=%!$@-]", "[0-9A-Fa-f]"
_QUOTES: Final = r"""["' \x{A0}]*"""

# Ten digits of a chain; nine that begin with zero (Seoul); an address of IPv4; a masked resident number.
NUMBERS: Final = "|".join((
    f"{_DIGIT}(?:{_FEW}{_DIGIT}){{9}}",
    f"{_ZERO}{_FEW}{_DIGIT}(?:{_FEW}{_DIGIT}){{7}}",
    rf"\.{_APART}{_GROUP}\.{_APART}{_GROUP}\.{_APART}{_DIGIT}",
    f"{_DIGIT}[{_spell(MASKS)}xX]{{4}}",
))  # fmt: skip
SPELT: Final = f"{_ZERO}{_JOINT}*{_ONE}{_JOINT}*{_THIRD}(?:{_JOINT}*[{_spell(SPELLED)}{_DIGIT}]){{7}}"
SIGNS: Final = "|".join((
    "[@＠]", _join(SPELLED_AT),
    f"{_HEX}{{2}}(?:[:-]{_HEX}{{2}}){{5}}", rf"{_HEX}{{4}}\.{_HEX}{{4}}\.{_HEX}{{4}}", "[23][0-9A-Fa-f:]*::",
    rf"{_DIGIT}{{2}}[{_spell(PLATES)}] ?{_DIGIT}{{4}}",
    f"{_join(prefix for prefix, _ in PREFIXES)}{_WORD}{{{min(least for _, least in PREFIXES)}}}", _join([PRIVATE_KEY]),
    f"{_join(NAMED)}{_QUOTES}[:=]{_QUOTES}{_TOKEN}{{8}}",
    f"[?&;]{_join(SECRETS).replace('[_]', '[_-]').replace(_spell('_'), '_-')}={_TOKEN}{{8}}",
    _join(PASSPORT), rf"{_join(BIRTH)}[^\n\[]{{0,21}}{_DIGIT}", "일생",
    f"{_DIGIT}동[^!-~가-힣]*[0-9]{{3,4}}호",
))  # fmt: skip


def select_values(texts: pa.Array, expression: str) -> pa.Array:
    """Return the values in which the rules of `expression` may find something.

    >>> select_values(pa.array(["문의 010-0000-1234", "2024. 5. 13.", None]), NUMBERS).to_pylist()
    ['문의 010-0000-1234']
    """
    return texts.filter(pc.match_substring_regex(texts, expression))
