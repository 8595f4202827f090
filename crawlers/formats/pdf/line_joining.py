"""Predict whether a space belongs between two lines of a Korean document, from the document's own spacing.

Korean lines break inside words ("위원 / 회가") or between them, and the page does not mark which. Inside
its lines, the document shows thousands of times which syllables it writes together and which apart:
those counts around each joint are weighted (logistic regression), together with features of
Korean in general (particles, endings, short words). Whether the document breaks inside words at all is
inferred from all joints together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEARNED = 300_000  # code points of a document that are counted; more change the result little
# Candidate shares of joints that are spaces (the likeliest is used): 0.4 if lines break anywhere, more if
# a program prefers to break at spaces (0.79 in a book set by TeX), nearly all if it breaks only there.
SHARES = (0.4, 0.6, 0.8, 0.9, 0.995)
LONGEST = 7  # maximum length of a counted string, code points
SPARE = 0.5  # smoothing: added to each count of a ratio, so that unseen strings are neutral
_CLASSES = {ord(digit): "0" for digit in "0123456789"} | {
    ord(char): "a" for char in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
}
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_EASTERN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3041-\u30ff、。，]")
_OPENS = frozenset("([{〔〈《「『【（“‘")
_CLOSES = frozenset(")]}〕〉》」』】）”’,.!?;:%、。，ㆍ·~…")

# Particles, endings and suffixes: alone at the beginning of a line, they continue the last word of the line before.
CONTINUES = frozenset(
    """
    은 는 을 를 의 에 와 과 도 만 로 으로 에서 에게 에는 에도 에만 에서는 에서도 에게는 에게도 으로는 으로도 으로서
    으로써 로서 로써 로는 로도 께 께서 께서는 한테 부터 까지 까지는 까지의 부터의 보다 보다는 보다도 처럼 처럼은 만큼
    만큼은 마다 마저 조차 밖에 뿐 이나 나 이라 라 이라는 라는 이라고 라고 이라도 라도 이란 란 이며 며 이고 고 이다 다
    입니다 니다 습니다 였다 이었다 이든 든 이든지 든지 인 인지 이지만 지만 이므로 므로 이었고 였고 이었던 였던 이자 적
    적인 적으로 적이고 적이다 들 들은 들이 들을 들의 들에게 들과 들도 들에 성 성을 성이 화 화를 화된 화하는 지 지는
    지도 지를 던 던지 면 면서 면서도 어 어서 어야 어도 았다 었다 었고 았고 었습니다 았습니다 었던 았던 었지만 았지만
    았으며 었으며 으며 으면 으니 으나 으려 으려고 으로부터 로부터 에서부터 이라면 라면 이라서 라서 이니 이야 야 여
    여야 였으며 였습니다 이었습니다 이었으며 네 요 죠 지요 군요 네요 세요 십시오 시오 까 는가 는지 는데 은데 인데 는다
    는다는 다고 다는 다며 다면 다가 다고는 라며 자고 자는 냐 느냐 거나 거든 건대 고는 고도 고서 고자 게 게도 기 기도
    기는 기를 기에 기가 도록 려고 려면 려는 며서 므로써 음 음을 음이 음에 음으로 님 님이 님은 님의 씨 째 쯤 씩 당 별
    별로 대로 만의 만이 만을 만으로 간의 간에 내에 상의 상 상에 끼리 답게 답다 스러운 스럽게 롭게 로운 로움 이었을
    이었기 였기 으므로 았기 었기 았을 었을 켜 키는 킨 킬 년 월 일 년에 월에 일에 년의 월의 일의 년부터 년까지 일부터
    일까지 년도 시 분 초 명 명의 명이 명을 개 개의 개를 개가 원 원을 원의 원이 건 건의 회 차 차례 번 번째 호 조 항 장
    절 퍼센트 세 살 억 천 여명
    """.split()
)
# Forms of 하다, 되다, 시키다: they continue a noun, but not a word that ends with a particle.
VERBAL = frozenset(
    """
    하는 하고 하여 해서 해야 하면 하며 하지 하기 하게 하거나 했고 했던 했지만 했습니다 합니다 하였다 하였습니다 하도록
    하려는 하려고 할 한 함 함을 함이 함으로써 함에 하던 하자 되는 되고 되어 돼 되면 되며 되지 되기 되게 되었다
    되었습니다 됩니다 됐다 된 될 됨 되도록 되어야 되거나 시키는 시킨 시켜 시키고 시킬 시킨다 했다 한다 된다 하다 되다
    하기를 하기에 하기도 했으며 했는데 하는데 되는데 되지만 하지만 하면서 되면서 하였고 되었고 하였으며 되었으며 했을
    됐을 되었던 하였던 해
    """.split()
)
# After these particles, neither is a suffix.
PARTICLES = frozenset("은는을를이가의에도로서고만")
# Short words that are complete: at a line end they are whole, at a line beginning they start a word.
ALONE = frozenset(
    """
    그 이 저 수 것 등 및 때 더 또 또는 한 두 세 네 몇 각 매 본 그런 이런 저런 어떤 모든 다른 새 옛 온 전 후 중 간 내
    외 안 밖 위 아래 앞 뒤 옆 곳 데 바 줄 채 체 척 듯 만 뿐 대로 할 될 된 하는 되는 있는 없는 있다 없다 있고 없고 같은
    큰 작은 많은 좋은 못 잘 꼭 다 왜 늘 곧 막 딱 참 좀 덜 즉 혹 단 약 총 제 나 너 우리 나는 내가 그는 그가 저는 제가
    것은 것이 것을 것으로 것이다 것도 수가 수는 수도 때문에 때문 때는 때에 때문이다 경우 경우에 경우에는 대한 대해
    대하여 위한 위해 위하여 의한 의해 의하여 따라 따른 통해 통한 관한 관하여 그리고 그러나 하지만 그래서 따라서 그런데
    그러면 또한 만약 만일 물론 특히 다시 이미 아직 매우 가장 아주 너무 더욱 모두 함께 서로 바로 먼저 이후 이전 이상
    이하 당시 현재 오늘 이는 이를 이에 이와 이러한 그러한 그의 그녀 그녀는 그들 그들은 여러 아니라 아니다 않는 않은
    않고 않을 않는다 않았다 한다 했다 된다 됐다 있었다 있으며 있습니다 합니다 하고 하여 하며 해 일 말 집 물 눈 손 책
    글 사람 사람이 사람은 사람들 년 월 명 개 원 번 건 점 날 밤 속 속에 볼 갈 올 준 난 놓고 두고 보고 가고 오고 주고
    싶은 싶다 보면 보니 왔다 갔다 했던 있을 없을 있어 없이
    """.split()
)
# Endings of complete words: particles and the commonest verb endings.
ENDS = frozenset(
    """
    은 는 을 를 의 에 와 과 도 로 고 며 면 게 서 다 한 된 할 될 던 인 지 에서 에게 으로 까지 부터 보다 처럼 하고 하여
    하며 하는 되는 되어 면서 지만 적인 적으 니다 였다 었다 았다 한다 된다 이다 이나 거나 들은 들이 들을 들의 라는 다는
    이라 에는 에도 로서 로써 해서 기를 것을 것은
    """.split()
)
# One weight per column of line_joining.features, in its order; fitted by logistic regression (ridge 0.5) on 69,960
# joints made by breaking the lines of openly licensed text (book reviews, UNESCO reports, technical
# documentation) at 60, 76 and 90 columns. benchmarks/formats/formats_pdf.py measures them on other text.
WEIGHTS = (
    1.89, 0.44, 0.77, 0.91, 1.53, -0.97, 0.43, 0.70,
    -0.96, -3.68, -0.90, -2.92, -2.83, -0.31, -1.22, 1.81, 1.22, 0.77, -0.35, 1.80, 0.60, 2.89,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Joint:
    """The last word of a line, the first of the next one, and layout evidence about the place between."""

    left: str
    right: str
    spaced: bool = False  # the line ends with a white space character
    short: bool = False  # another syllable would have fit on the line


@dataclass(frozen=True, slots=True)
class Habit:
    """For each joint, whether a space belongs there; and whether the document breaks lines inside words."""

    spaces: tuple[bool, ...]
    within: bool


def learn(joints: Sequence[Joint], lines: Iterable[str]) -> Habit:
    """Predict the spaces of all joints; `lines` are all lines of the document.

    >>> lines = ["위원회가 정한다", "그 위원회가 본다", "각 위원은 위원회가 둔다", "위원회가 연다"]
    >>> learn([Joint("위원", "회가"), Joint("위원회가", "정한"), Joint("정", "한다"), Joint("위", "원회가")], lines)
    Habit(spaces=(False, True, False, False), within=True)
    """
    asked = [  # document statistics are needed: Hangul on one side, and no room left on the line
        index
        for index, joint in enumerate(joints)
        if not joint.short and (_HANGUL.match(joint.left[-1:]) or _HANGUL.match(joint.right[:1]))
    ]
    odds = np.full(len(joints), np.inf)
    if asked:
        weighed = features([joints[index] for index in asked], lines) @ np.array(WEIGHTS)
        spaced = np.array([joints[index].spaced for index in asked])
        for group in (spaced, ~spaced):
            # The prior share of spaces with the highest likelihood.
            factor = np.exp(np.clip(weighed[group], -20, 20))
            likely = [float(np.log(share * factor + 1 - share).sum()) for share in SHARES]
            share = SHARES[int(np.argmax(likely))]
            weighed[group] = np.inf if share == SHARES[-1] else weighed[group] + np.log(share / (1 - share))
        odds[asked] = weighed
    spaces = tuple(bool(odd > 0) and _may_have_space(joint) for joint, odd in zip(joints, odds, strict=True))
    return Habit(spaces, within=bool(np.isfinite(odds).any()))


def _may_have_space(joint: Joint) -> bool:
    """Apply general rules: no space inside brackets, none in Chinese or Japanese."""
    last, first = joint.left[-1:], joint.right[:1]
    if last in _OPENS or first in _CLOSES:
        return False
    return not (_EASTERN.match(last) and _EASTERN.match(first))


def features(joints: Sequence[Joint], lines: Iterable[str]) -> Floats:
    """Return log odds of a space: a row per joint, a column per weight of WEIGHTS."""
    text = "\n".join(lines)[:LEARNED].translate(_CLASSES)
    left = [joint.left.translate(_CLASSES) for joint in joints]
    right = [joint.right.translate(_CLASSES) for joint in joints]
    seen = _Seen(text)
    apart = text.count(" ")
    base = float(np.log((apart + 1) / max(len(text) - 2 * apart - 2 * text.count("\n") + 2, 2)))

    def ratio(spaced: list[str], joined: list[str]) -> Floats:
        return np.asarray(np.log((seen(spaced) + SPARE) / (seen(joined) + SPARE)))

    def context_odds(before: int, after: int) -> Floats:
        pairs = [(a[-before:], b[:after]) for a, b in zip(left, right, strict=True)]
        known = ratio([f"{a} {b}" for a, b in pairs], [a + b for a, b in pairs])
        full = np.array([len(a) == before and len(b) == after for a, b in pairs])
        return np.where(full, known, 0.0)

    ends = [a[-1] for a in left]
    begins = [b[0] for b in right]
    last, first = seen([f"{a} " for a in ends]), seen([f" {b}" for b in begins])
    # Exclude counts at line ends and line beginnings: those are the joints in question.
    inside = seen(ends) - last - seen([f"{a}\n" for a in ends])
    behind = seen(begins) - first - seen([f"\n{b}" for b in begins])
    edges = np.log((last + SPARE) / (inside + 2 * SPARE)) + np.log((first + SPARE) / (behind + 2 * SPARE))
    columns = [
        np.ones(len(joints)),
        edges - 2 * base,
        context_odds(1, 1),
        context_odds(2, 1),
        context_odds(1, 2),
        context_odds(2, 2),
        _word_odds(seen, [f" {a}" for a in left], [f" {a} " for a in left], [f" {a}\n" for a in left]),
        _word_odds(seen, [f"{b} " for b in right], [f" {b} " for b in right], [f"\n{b} " for b in right]),
        *_habits(left, right),
    ]
    return np.stack(columns, axis=1)


def _word_odds(seen: _Seen, parts: list[str], words: list[str], edges: list[str]) -> Floats:
    """Return log odds that the string at the joint is a whole word of the document, not only part of one."""
    whole = seen(words)
    return np.asarray(np.log((whole + SPARE) / (np.maximum(seen(parts) - whole - seen(edges), 0) + SPARE)))


def _habits(left: list[str], right: list[str]) -> list[Floats]:
    """Return features of Korean in general, independent of the document: true 1, false 0."""
    pairs = list(zip(left, right, strict=True))
    bare = [b.rstrip(".,!?)]\"'”’」』:;") for b in right]
    return [
        np.array([a in ALONE for a in left], dtype=float),
        np.array([len(a) == 1 and a not in ALONE for a in left], dtype=float),
        np.array([len(a) == 2 and a not in ALONE for a in left], dtype=float),
        np.array([b in CONTINUES for b in bare], dtype=float),
        np.array([len(b) == 1 and b not in CONTINUES and b not in ALONE for b in bare], dtype=float),
        np.array([b in ALONE for b in bare], dtype=float),
        np.array([b in VERBAL for b in bare], dtype=float),
        np.array([b in VERBAL and a[-1] in PARTICLES for a, b in zip(left, bare, strict=True)], dtype=float),
        np.array([len(a) > 2 and a[-2:] in ENDS for a in left], dtype=float),
        np.array([len(a) > 1 and a[-1] in ENDS for a in left], dtype=float),
        np.array([not _HANGUL.match(a[-1]) for a, _ in pairs], dtype=float),
        np.array([not _HANGUL.match(b[0]) for _, b in pairs], dtype=float),
        np.array([a[-1] in ",.!?;:)”’」』" for a in left], dtype=float),
        np.array([a[-1] in "0a" for a in left], dtype=float),
    ]


class _Seen:
    """Counts of strings of up to LONGEST code points in a text; sorted hashes, counted by binary search."""

    def __init__(self, text: str) -> None:
        self._codes = _codes(text)
        self._sorted: dict[int, NDArray[np.uint64]] = {}

    def __call__(self, strings: list[str]) -> Floats:
        """Return the counts of the strings; 0 for one that is longer than LONGEST."""
        found = np.zeros(len(strings))
        lengths = np.array([len(string) for string in strings])
        for length in range(1, LONGEST + 1):
            places = np.flatnonzero(lengths == length)
            if places.size:
                keys = _hashes(_codes("".join(strings[place] for place in places)).reshape(-1, length).T)
                runs = self._runs(length)
                found[places] = np.searchsorted(runs, keys, "right") - np.searchsorted(runs, keys, "left")
        return found

    def _runs(self, length: int) -> NDArray[np.uint64]:
        if length not in self._sorted:
            size = max(len(self._codes) - length + 1, 0)
            self._sorted[length] = np.sort(_hashes([self._codes[at : at + size] for at in range(length)]))
        return self._sorted[length]


def _codes(text: str) -> NDArray[np.uint64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)


def _hashes(columns: Sequence[NDArray[np.uint64]] | NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a polynomial hash of the code points, modulo 2^64."""
    found = np.zeros_like(columns[0])
    for column in columns:
        found = found * np.uint64(0x9E3779B97F4A7C15) + column
    return found
