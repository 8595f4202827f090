"""Replace private-use characters of Korean word processors by Unicode: old Hangul of Hanyang, signs of Hancom.

Old Hangul: hanyang_letters.txt, facts of the Korean TeX Users Group. Signs: a closed list of codes whose meaning is
known from documents that exist as HWP and as print (Hancom publishes no list); neighbouring codes are not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_FILE = Path(__file__).with_name("hanyang_letters.txt")
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_FILLED = "❶❷❸❹❺❻❼❽❾❿⓫⓬⓭⓮⓯⓰⓱⓲⓳⓴"


def _read_hanyang() -> dict[int, str]:
    found: dict[int, str] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            start, *letters = line.split(" ")
            found.update(enumerate(letters, int(start, 16)))
    return found


HANYANG = _read_hanyang()
# fmt: off
HANCOM: dict[int, str] = {
    0xF003B: "↓", 0xF0090: "✺", 0xF00DA: "▸", 0xF00E1: "(인)", 0xF012B: "(인)", 0xF02EC: "◇", 0xF02EF: "·",
    0xF02FB: "▸", 0xF02FC: "►", 0xF031C: "■", 0xF03A0: "↵", 0xF03A7: "⊟", 0xF03A8: "⊞", 0xF03C5: "□", 0xF03DA: "□",
    0xF03FF: "□", 0xF0806: "┌", 0xF0807: "┬", 0xF0808: "┐", 0xF080C: "└", 0xF080E: "┘", 0xF080F: "━", 0xF0810: "│",
    0xF081C: "┈", 0xF0827: "■", 0xF0832: "═", 0xF0848: "━", 0xF0854: "《", 0xF0855: "》",
    0xF0288: "⓪",
    **dict(zip(range(0xF0289, 0xF0292), _CIRCLED, strict=False)),
    **dict(zip(range(0xF02B1, 0xF02C5), _CIRCLED, strict=True)),  # in a square
    **dict(zip(range(0xF02CE, 0xF02E2), _FILLED, strict=True)),  # in a filled square
}
# Codes of Wingdings that carry a meaning beyond a bullet; Hancom draws U+F020–F0FF with it whatever the font.
WINGDINGS: dict[int, str] = {
    0xF080: "⓪", **dict(zip(range(0xF081, 0xF08B), _CIRCLED, strict=False)),
    0xF08B: "⓿", **dict(zip(range(0xF08C, 0xF096), _FILLED, strict=False)),
    0xF0DF: "←", 0xF0E0: "→", 0xF0E1: "↑", 0xF0E2: "↓", 0xF0E8: "➔",
    0xF0EF: "⇦", 0xF0F0: "⇨", 0xF0F1: "⇧", 0xF0F2: "⇩",
    0xF0FB: "✗", 0xF0FC: "✔", 0xF0FD: "☒", 0xF0FE: "☑",
}
# fmt: on
LETTERS: dict[int, str] = {**HANYANG, **HANCOM}
_ANY = re.compile("[\ue0bc-\uefff\uf100-\uf8f7\U000f0000-\U000f0fff]")
_HANYANG = re.compile("[\ue0bc-\uefff\uf100-\uf8f7]")
_BESIDE = re.compile("(?:[\u1100-\u11ff\uac00-\ud7ff])[\ue0bc-\uefff\uf100-\uf8f7]|[\ue0bc-\uefff\uf100-\uf8f7]"
                     "(?=[\u1100-\u11ff\uac00-\ud7ff\ue0bc-\uefff\uf100-\uf8f7])")  # fmt: skip


def letters_of(texts: Iterable[str]) -> dict[int, str]:
    """Return the replacements that suit a document of which the fonts are unknown; {} if it has no such character.

    Icon fonts use Hanyang's codes too. The codes are old Hangul if at least half of them adjoin Hangul, as the
    syllables of a word do.

    >>> letters_of(["\\uf53a글 문서"])[0xF53A]
    'ᄒᆞᆫ'
    >>> 0xF53A in letters_of(["\\uf53a 홈으로"])
    False
    """
    seen = beside = 0
    signs = False
    for text in texts:
        if not text.isascii() and _ANY.search(text):
            signs = True
            seen += len(_HANYANG.findall(text))
            beside += len(_BESIDE.findall(text))
    if not signs:
        return {}
    return LETTERS if seen and 2 * beside >= seen else HANCOM
