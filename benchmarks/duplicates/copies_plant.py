"""Copies planted in real text: each kind of change in a strength that brings the exact Jaccard where it is wanted.

A change takes a text, a strength between 0 and 1, dice that fall the same for every strength, and
foreign text to draw from. A greater strength changes what a smaller one changes and more, so that
the strength for a wanted similarity is found by halving.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from benchmarks.duplicates.copies_truth import LEAST, jaccard, shingles

Change: TypeAlias = Callable[[str, float, random.Random, str], str]
HALVINGS = 8
_SENTENCE = re.compile(r"(?<=[.?!])\s+|\n+")
_TOP = (
    "홈 > 소식 > 알림\n글자 크게 글자 작게 인쇄하기\n",
    "이 글은 회원이 옮겨 온 것입니다. 문제가 있으면 관리자에게 알려 주십시오.\n",
    "[편집자 주] 아래는 독자의 요청으로 다시 싣는 글이다.\n",
)
_END = (
    "\n이 글이 도움이 되었다면 이웃에게도 알려 주세요. 댓글은 언제나 반갑습니다.",
    "\n이전 글 다음 글 목록 위로\n문의: 누리집 담당자",
    "\n무단으로 옮겨 싣거나 다시 나누어 주는 것을 금합니다.",
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the experiment; `kind` is empty for an original, `of` names what a copy was made from."""

    id: str
    text: str
    kind: str = ""
    of: str = ""


def respaced(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Every fifth blank gone and a blank in every twentieth gap between letters, at full strength."""
    made = []
    for char, after in pairwise(text + " "):
        blank, roll = char == " ", dice.random()
        made.append("" if blank and roll < strength / 5 else char)
        if char.isalpha() and after.isalpha() and roll < strength / 20:
            made.append(" ")
    return "".join(made)


def repunctuated(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Signs exchanged or gone, commas after words."""
    made = []
    for char in text:
        roll, sign = dice.random(), dice.choice(("", "·", ",", "!", "…", "”", " - "))
        made.append(sign if not char.isalnum() and not char.isspace() and roll < strength else char)
        made.append("," if char == " " and roll < strength / 10 else "")
    return "".join(made)


def head_cut(text: str, strength: float, _: random.Random, __: str) -> str:
    """Up to 60 % gone at the beginning."""
    return text[int(0.6 * strength * len(text)) :]


def tail_cut(text: str, strength: float, _: random.Random, __: str) -> str:
    """Up to 60 % gone at the end."""
    return text[: len(text) - int(0.6 * strength * len(text))]


def middle_cut(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Up to 60 % gone in the middle."""
    gone = int(0.6 * strength * len(text))
    at = int(dice.random() * (len(text) - gone))
    return text[:at] + text[at + gone :]


def wrapped(text: str, strength: float, dice: random.Random, foreign: str) -> str:
    """Head and foot of a page round it, and foreign sentences as long as the text at full strength."""
    top, end = dice.choice(_TOP), dice.choice(_END)
    more = foreign[: int(strength * len(text))]
    share = int(dice.random() * len(more))
    return f"{top}{more[:share]}\n{text}\n{more[share:]}{end}" if strength > 0.1 else f"{text}{end}"


def shuffled(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Sentences in another order."""
    found = [s for s in _SENTENCE.split(text) if s]
    moved = [i for i in range(len(found)) if dice.random() < strength]
    order = sorted(moved, key=lambda i: hashlib.sha256(found[i].encode("utf-8", "replace")).digest())
    taken = dict(zip(moved, order, strict=True))
    return " ".join(found[taken.get(i, i)] for i in range(len(found)))


def thinned(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Up to 60 % of the sentences gone, here and there."""
    return " ".join(s for s in _SENTENCE.split(text) if dice.random() >= 0.6 * strength)


def reworded(text: str, strength: float, dice: random.Random, foreign: str) -> str:
    """Up to every third word exchanged for a foreign one."""
    words = foreign.split() or ["다른"]
    made = []
    for word in text.split(" "):
        roll, other = dice.random(), dice.choice(words)
        made.append(other if roll < strength / 3 else word)
    return " ".join(made)


def recased(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Latin letters in capitals; Latin letters and figures in full width, all of them at full strength."""
    made = []
    for char in text.upper():
        wide = dice.random() < strength and "!" < char <= "~"
        made.append(chr(ord(char) + 0xFEE0) if wide and char.isalnum() else char)
    return "".join(made)


def renumbered(text: str, strength: float, dice: random.Random, _: str) -> str:
    """Other figures; all of them at full strength."""
    made = []
    for char in text:
        roll, figure = dice.random(), dice.choice("0123456789")
        made.append(figure if char.isdecimal() and roll < strength else char)
    return "".join(made)


def mixed(text: str, strength: float, dice: random.Random, foreign: str) -> str:
    """Spacing, signs, a cut, words and a frame at once."""
    once = thinned(text, strength / 3, dice, foreign)
    twice = reworded(once, strength / 3, dice, foreign[len(foreign) // 2 :])
    return wrapped(repunctuated(respaced(twice, 1, dice, ""), 1, dice, ""), strength / 3, dice, foreign)


CHANGES: dict[str, Change] = {
    "re-spaced": respaced,
    "re-punctuated": repunctuated,
    "head cut": head_cut,
    "tail cut": tail_cut,
    "middle cut": middle_cut,
    "wrapped": wrapped,
    "sentences shuffled": shuffled,
    "sentences dropped": thinned,
    "words replaced": reworded,
    "case and width": recased,
    "numbers changed": renumbered,
    "several at once": mixed,
}


def planted(texts: Sequence[tuple[str, str]], seed: int = 5) -> list[Text]:
    """Originals of (id, text), each with none to three copies, kinds in turn, in the order of hashed ids.

    The similarity aimed at is even between LEAST and 1; what a kind cannot change enough stays as near as it comes.
    """
    made = [Text(name, text) for name, text in texts]
    kinds = list(CHANGES)
    for number, (name, text) in enumerate(texts):
        dice = random.Random(f"{seed}:{name}")
        for copy in range(dice.choice((0, 1, 1, 2, 2, 3))):
            kind = kinds[(number + 5 * copy) % len(kinds)]
            foreign = texts[dice.randrange(len(texts))][1]
            aim = LEAST + (1 - LEAST) * dice.random()
            changed = towards(CHANGES[kind], text, aim, f"{seed}:{name}:{copy}", foreign)
            made.append(Text(f"copy-{copy}/{name}", changed, kind, name))
    return sorted(made, key=lambda one: hashlib.sha256(f"{seed}:{one.id}".encode()).digest())


def towards(change: Change, text: str, aim: float, seed: str, foreign: str) -> str:
    """The change of `text` whose exact Jaccard to it is as near to `aim` as HALVINGS steps come.

    >>> text = " ".join(f"낱말{n}이" for n in range(200))
    >>> 0.78 < jaccard(shingles(text), shingles(towards(tail_cut, text, 0.8, "1", ""))) < 0.82
    True
    """
    whole, low, high = shingles(text), 0.0, 1.0
    best, error = text, 2.0
    for step in range(HALVINGS):
        strength = 1.0 if step == 0 else (low + high) / 2
        made = change(text, strength, random.Random(seed), foreign)
        alike = jaccard(whole, shingles(made))
        if abs(alike - aim) < error:
            best, error = made, abs(alike - aim)
        if alike > aim:
            if step == 0:
                break  # the kind cannot change more
            low = strength
        elif step:
            high = strength
    return best
