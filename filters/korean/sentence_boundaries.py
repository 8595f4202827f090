"""Sentence boundary detection: correct the sentence starts that Kiwi finds among the morphemes of a line.

Kiwi 0.24.1 has systematic errors: it takes an emoticon for the first word of the next sentence, never starts a
sentence with a bracket or a figure, and ends one at the dots of a hesitation and before a verb of saying or thinking
that takes the preceding clause as its quotation. Each rule below names its grammatical reason. The rules were found on
half of the paragraphs of Kiwi's benchmark (chosen by hash); `python -m benchmarks.sentences` prints both halves.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

# Cannot begin a sentence: particles, endings, the copula, auxiliary verbs and suffixes attach to the word before.
_BOUND = frozenset("JKS JKC JKG JKO JKB JKQ JX JC EP EF EC ETN ETM VCP VX XSN XSV XSA XSM SSC".split())
_PARTICLES = frozenset("JKS JKC JKG JKO JKB JX JC".split())
_FINAL = frozenset(("EF", "Z_CODA"))  # Z_CODA: the consonant added to a final ending, 했답니당
# 이라는, 라고, 란 말: the preceding clause is quoted. 이란 alone may be a country.
_QUOTES = re.compile(
    r"이?(?:라(?:는|고|며|면서|던|기보다|니)|란 (?:생각|느낌|말|소리|의문|질문|이름))(?:[ \n을이에]|$)"
)
_THINKS = frozenset(("생각", "느낌", "마음", "말", "소리"))  # …겠다 생각을 했다: quoted without a particle
_DOTS = re.compile(r"\.{2,}|…+|․{2,}|‥+")
_CRIES = re.compile(r"[ㅋㅎㅠㅜㅇㄷㅡ]{2,}|\^[_.-]*\^|[;:]-?[)D(]|~+|♡+|♥+")
_CRY = frozenset("ㅋㅎㅠㅜㅇㄷㅡ^;:♡♥")
_HESITATES = frozenset(("MAJ", "IC", "MM", *_PARTICLES))
_OPEN = frozenset((*_PARTICLES, "MM", "ETM", "MAJ", "IC", "SP", "EC", "SSO"))
_VERBAL = frozenset("XSV XSA EP VX VCP VCN".split())
_STOPS = frozenset("SF SE SP SSC".split())
_SIGNS = frozenset("SF SE SP SSC SW SO SB".split())
_WORDS = frozenset("NNG NNP NP NR MM MAG MAJ SL XR VV VA".split())
_NOTED = frozenset(("여부", "상태", "없", "있", "없이"))
_NOTE_CHARS = 7  # code points of a note marker with its first bracket: [3], [주 12], [출처 필요
_MOST_CRIES = 20  # emoticons in a row that are skipped: bounds the work, has no linguistic reason
_PAIR_CHARS = 500  # code points between a bracket or quotation mark and its partner; beyond, one is missing
_QUOTE_TAGS = frozenset(("SS", "SSO", "SSC"))
_LOOK = ("SF", "SW", "W_EMOJI", "ETN", "EC")
_FORMAL = "니다"  # 합니다, 했답니다: closes a sentence, though Kiwi may take it for a connective without a full stop
_CLOSES = dict(zip("([{<“‘「『〈《【〔（［｛＜", ")]}>”’」』〉》】〕）］｝＞", strict=True))


def find_sentence_starts(
    text: str, tags: Sequence[str], forms: Sequence[str], starts: Sequence[int], said: Sequence[int]
) -> list[int]:
    """Return the morphemes with which sentences begin, without the first one, sorted.

    The morphemes are those of one line or paragraph, `starts` their offsets in `text`, `said` those with which Kiwi
    begins a sentence.

    >>> (find_sentence_starts("온다😊 좋다", "VV EF W_EMOJI VA EF".split(), "오 ᆫ다 😊 좋 다".split(), [0, 0, 2, 4, 5],
    ...  [2]))
    [3]
    """
    stops = _find_stops(tags, forms)
    if not said and not stops:
        return []
    size = len(tags)
    line = _Line(text, tags, forms, starts)
    found = {line.skip_emoticons(i) for i in said if line.may_end(i)}
    found |= {i for stop in stops if 0 < (i := line.find_start_after(stop)) < size and line.may_end(i)}
    # A sentence is more than the bullet with which it begins.
    found -= {i + 1 for i in found if i < size and tags[i] in ("SW", "SO", "SB") and i + 1 in found}
    return sorted(i for i in found if 0 < i < size)


def _find_stops(tags: Sequence[str], forms: Sequence[str]) -> list[int]:
    """Find signs and endings after which a sentence may begin that Kiwi misses: candidates, without context."""
    found: list[int] = []
    for tag in _LOOK:
        i = -1
        for _ in range(tags.count(tag)):  # most morphemes are none of these: this searches in C
            i = tags.index(tag, i + 1)
            if 0 < i < len(tags) - 1 and (
                tag == "W_EMOJI"
                or (tag == "SF" and tags[i - 1] in _FINAL)
                or (tag == "ETN" and tags[i - 1] in _VERBAL)
                or (tag == "EC" and forms[i].endswith(_FORMAL))
                or (tag == "SW" and forms[i][0] in _CRY)
            ):
                found.append(i)
    return found


class _Line:
    """The morphemes of a line and its pairs of brackets and quotation marks."""

    def __init__(self, text: str, tags: Sequence[str], forms: Sequence[str], starts: Sequence[int]) -> None:
        self.text, self.tags, self.forms, self.starts = text, tags, forms, starts
        pairs = _find_pairs(self._sides(), forms) if "SSO" in tags else []
        #: The outermost brackets and quotations that are closed: opening morpheme → closing one, in text order.
        self.closing = {a: b for a, b in pairs if starts[b] - starts[a] <= _PAIR_CHARS}
        self.opening = {b: a for a, b in self.closing.items()}
        self.opens = list(self.closing)

    def _sides(self) -> Sequence[str]:
        """Return the tags, with straight quotation marks alternately open and closed if the blanks agree."""
        sides = list(self.tags)
        for mark in ('"', "'"):
            if mark not in self.forms:
                continue
            spots = [i for i, form in enumerate(self.forms) if form == mark and sides[i] in _QUOTE_TAGS]
            if (
                len(spots) % 2
                or not all(
                    i == 0 or self.has_blank_before(i) or self.tags[i - 1] in _SIGNS or sides[i - 1] == "SSO"
                    for i in spots[::2]
                )
                or any(self.has_blank_before(i) for i in spots[1::2])
            ):
                continue
            for turn, i in enumerate(spots):
                sides[i] = "SSC" if turn % 2 else "SSO"
        return sides

    def is_inside(self, i: int) -> bool:
        """Whether a bracket or quotation is open between morphemes i - 1 and i."""
        at = bisect_left(self.opens, i) - 1
        return at >= 0 and i <= self.closing[self.opens[at]]

    def has_blank_before(self, i: int) -> bool:
        return self.text[self.starts[i] - 1 : self.starts[i]].isspace()

    def is_emoticon(self, i: int) -> bool:
        """Whether morpheme i is an emoji, ㅋㅋ, ㅠㅠ, ^^ or ~."""
        tag = self.tags[i]
        return tag == "W_EMOJI" or (tag in ("SW", "SO", "IC") and _CRIES.fullmatch(self.forms[i]) is not None)

    def skip_emoticons(self, i: int) -> int:
        """Return the first morpheme at or after i that is not an emoticon: emoticons close what precedes them."""
        first = i
        while i < min(len(self.tags), first + _MOST_CRIES) and (
            self.is_emoticon(i) or (i > first and self.tags[i] == "SF" and not self.has_blank_before(i))
        ):
            i += 1
        return i

    def may_end(self, i: int) -> bool:
        """Whether a sentence may end before morpheme i."""
        tag, before = self.tags[i], self.tags[i - 1]
        if tag in _BOUND or self.is_inside(i):
            return False
        if before == "SSC" and self._is_naming_bracket(i - 1):
            return False
        if self.text[self.starts[i]] in "이라란" and _QUOTES.match(self.text, self.starts[i]):
            return False
        if before in _FINAL and (self.forms[i] in _THINKS or (tag == "VV" and self.forms[i] == "하")):
            return False
        return not (
            i > 1
            and before in ("SF", "SE")
            and self.tags[i - 2] in _HESITATES
            and _DOTS.fullmatch(self.forms[i - 1]) is not None
        )

    def _is_naming_bracket(self, i: int) -> bool:
        """Whether the bracket closed at i, after a full stop, opens a new sentence as its name: [사각형] 도구에는."""
        opened = self.opening.get(i, 0)
        return (
            opened > 0
            and self.tags[opened - 1] == "SF"
            and not self._is_supplement(opened, i)
            and self.tags[i - 1] not in ("SF", "EF", "SE")
        )

    def find_start_after(self, stop: int) -> int:
        """Return the morpheme that begins a sentence because of the sign or ending `stop`, or 0."""
        after, tag = stop + 1, self.tags[stop]
        if stop == 0 or after >= len(self.tags):
            return 0
        before = self.tags[stop - 1]
        if tag == "SF":
            return self._find_start_after_stop(after) if before in _FINAL else 0
        if tag == "EC":
            after = self.skip_emoticons(after)
            return after if after == len(self.tags) or self.has_blank_before(after) else 0
        if not self.has_blank_before(after):
            return 0
        if tag == "ETN":
            return after if self._is_note_ending(stop, after) else 0
        if not self.is_emoticon(stop) or self.has_blank_before(stop) or before in _OPEN:
            return 0
        return after

    def _find_start_after_stop(self, after: int) -> int:
        """Return the morpheme that begins a sentence after a final ending and its full stop."""
        after = self.skip_emoticons(after)
        if after >= len(self.tags) or self.tags[after] in (_STOPS if self.has_blank_before(after) else _SIGNS):
            return 0
        closed = self.closing.get(after, -1)
        while closed >= 0 and self._is_supplement(after, closed):
            after = self.skip_emoticons(closed + 1)
            closed = self.closing.get(after, -1)
        return (
            after
            if after == len(self.tags) or self.tags[after] != "SSO" or closed >= 0 or self.has_blank_before(after)
            else 0
        )

    def _is_supplement(self, opened: int, closed: int) -> bool:
        """Whether a bracket adds to the text before it: (6회 우승), [3]; others name what follows."""
        if self.tags[closed - 1] in ("SF", "EF"):
            return False
        note = self.starts[closed] - self.starts[opened] <= _NOTE_CHARS and not self.has_blank_before(opened)
        return self.forms[opened] in "(（" or (self.forms[opened] == "[" and note)

    def _is_note_ending(self, i: int, after: int) -> bool:
        return self.forms[i] in ("음", "ᆷ", "ㅁ") and self.tags[after] in _WORDS and self.forms[after] not in _NOTED


def _find_pairs(tags: Sequence[str], forms: Sequence[str]) -> list[tuple[int, int]]:
    """Return (opening, closing) morphemes of the outermost closed brackets and quotations, in text order."""
    found: list[tuple[int, int]] = []
    waiting: list[tuple[int, str]] = []
    for i, tag in enumerate(tags):
        if tag == "SSO":
            waiting.append((i, _CLOSES.get(forms[i], forms[i])))
        elif tag == "SSC":
            for depth in range(len(waiting) - 1, max(-1, len(waiting) - 9), -1):
                if waiting[depth][1] == forms[i]:
                    start = waiting[depth][0]
                    del waiting[depth:]
                    while found and found[-1][0] > start:
                        found.pop()
                    found.append((start, i))
                    break
    return found
