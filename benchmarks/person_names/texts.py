"""Texts with marked names: `⟦홍길동⟧`; `⟦*홍길동⟧` is private; empty marks and `<org>`, `<place>` are filled by a seed.

Each line of a file is a document: `{"id": "w01-a1/1", "kind": "roster", "text": …}`; `w01-a1` is the batch.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from filters.korean.hangul import is_hangul
from filters.pii_rules.name_model import FAMILY, FAMILY_OF_TWO, read_words

HERE: Final = Path(__file__).parent
NAMED: Final = HERE / "texts.jsonl"  # every name is marked, private or not
PRIVATE: Final = HERE / "private.jsonl"  # of every name, the marks say whether it is private
TUNE: Final = HERE / "tune.jsonl"  # every name is marked, and whether it is private; measures, never trains
ROOT: Final = HERE.parents[1]
SETS: Final = ("tune", "first-exam", "second-exam", "third-exam")
_SLOT: Final = re.compile("⟦(\\*?)([^⟦⟧\n]*)⟧|<(org|place)>")
# Family names by their frequency, in thousandths of the population; the other names share the rest.
_FREQUENT: Final = {
    "김": 215, "이": 147, "박": 84, "최": 47, "정": 43, "강": 24, "조": 21, "윤": 21, "장": 20, "임": 17, "한": 15,
    "오": 15, "서": 15, "신": 15, "권": 14, "황": 14, "안": 14, "송": 14, "전": 11, "홍": 11,
}  # fmt: skip
_APART: Final = 0.08  # share of replaced names whose syllables stand apart
_VARIED: Final = 0.45  # share of family names drawn evenly from all
_PARTICLES: Final = ("은는", "이가", "을를", "과와")
_INITIALS: Final = "g kk n d tt r m b pp s ss  j jj ch k t p h".split(" ")
_VOWELS: Final = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS: Final = " k k k n n n t l k m l l l p l m p p t t ng t t k t p h".split(" ")
_ROMAN_FAMILY: Final = {
    "김": "Kim", "이": "Lee", "박": "Park", "최": "Choi", "정": "Jung", "강": "Kang", "조": "Cho", "윤": "Yoon",
    "임": "Lim", "오": "Oh", "서": "Seo", "신": "Shin", "권": "Kwon", "안": "Ahn", "유": "Yoo", "고": "Ko",
    "문": "Moon", "백": "Baek", "허": "Heo", "심": "Shim", "노": "Noh", "주": "Joo", "우": "Woo", "구": "Koo",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a text; `private` is None where the text does not say it."""

    start: int
    end: int
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A document with all its names, or with some of them if not `complete`."""

    kind: str
    text: str
    names: tuple[Name, ...]
    complete: bool = True


class Draw:
    """A sequence of pseudo-random numbers from a seed, the same in every version of Python."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count, self.block = seed, 0, b""

    def below(self, size: int) -> int:
        """Return a number from 0 up to `size`."""
        if len(self.block) < 4:
            self.count += 1
            self.block = hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()
        value, self.block = int.from_bytes(self.block[:4], "big"), self.block[4:]
        return value * size >> 32

    def pick(self, values: Sequence[str]) -> str:
        """Return one of the values."""
        return values[self.below(len(values))]

    def chance(self, share: float) -> bool:
        """Return True with this probability."""
        return self.below(10_000) < share * 10_000


def read_templates(file: Path) -> Iterator[tuple[str, str]]:
    """Yield kind and text, with its marks, of each document of a file."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            if not {"kind", "text"} <= row.keys():
                raise ValueError(f"{file.name}, line {number}: a document has a kind and a text; add them")
            yield row["kind"], row["text"]


def fill_template(kind: str, template: str, draw: Draw, *, varied: float = 0.0) -> Text:
    """Fill the marks of a template with names, firms and places; correct a particle behind a filled mark.

    `varied` is the share of written Korean names that another name replaces.
    """
    out: list[str] = []
    names: list[Name] = []
    size = at = 0
    for match in _SLOT.finditer(template):
        before = template[at : match.start()]
        star, inside, other = match.groups()
        if inside and len(inside) in (3, 4) and all(map(is_hangul, inside)) and draw.chance(varied):
            inside = "spaced" if draw.chance(_APART) else ""
        value = (
            draw_place(draw) if other == "place" else draw_firm(draw) if other == "org" else _fill_mark(inside, draw)
        )
        out += [before, value]
        size += len(before) + len(value)
        if other is None:
            names.append(Name(size - len(value), size, star == "*"))
        at = match.end()
        after = template[at : at + 2]
        pair = next((p for p in _PARTICLES if after[:1] in p), "") if after and not is_hangul(after[1:]) else ""
        if pair and is_hangul(value[-1]) and (other or inside in _SLOTS):
            out.append(pair[(ord(value[-1]) - 0xAC00) % 28 == 0])
            size, at = size + 1, at + 1
    out.append(template[at:])
    return Text(kind, "".join(out), tuple(names))


def _fill_mark(inside: str, draw: Draw) -> str:
    fill = _SLOTS.get(inside)
    return fill(draw) if fill else inside


def draw_name(draw: Draw) -> str:
    """Return a family name and a given name."""
    return draw_family(draw) + draw_given(draw)


def draw_family(draw: Draw) -> str:
    """Return a family name: a frequent one, or any."""
    if draw.chance(0.04):
        return draw.pick(sorted(FAMILY_OF_TWO))
    if draw.chance(_VARIED):
        return draw.pick(sorted(FAMILY))
    at = draw.below(1000)
    for family, share in _FREQUENT.items():
        at -= share
        if at < 0:
            return family
    return draw.pick(sorted(FAMILY))


def draw_given(draw: Draw) -> str:
    """Return a given name: of the list, or of syllables of given names."""
    at = draw.below(100)
    if at < 60:
        return draw.pick(read_words("given_names"))
    first, last, single, native = _given_parts()
    if at < 90:
        return draw.pick(first) + draw.pick(last)
    return draw.pick(single) if at < 97 else draw.pick(native)


@cache
def _given_parts() -> tuple[list[str], list[str], list[str], list[str]]:
    names = [name for name in read_words("given_names") if len(name) == 2]
    return (
        sorted({name[0] for name in names}),
        sorted({name[1] for name in names}),
        list("건율솔찬현훈환혁준별봄샘열민진웅철석호영희린빈결숙옥란산겸단한윤설은원주미선"),
        "빛나라 한아름 초롱별 새로나 하늘빛 보배롬 가온누리 아름솔 해솔음 나래솔 온새미 다은별 슬기찬 새아라".split(),
    )


def draw_spaced(draw: Draw) -> str:
    """Return a name with blanks between its syllables, or behind the family name."""
    family, given = draw_family(draw), draw_given(draw)
    if draw.chance(0.35) and len(given) < 4:
        return f"{family} {given}"
    return draw.pick((" ", " ", "  ")).join(family + given)


def draw_latin(draw: Draw) -> str:
    """Return a name in Latin letters, in one of the ways passports, letters and forms write it."""
    family, given = draw_family(draw), draw_given(draw)
    last = _ROMAN_FAMILY.get(family, romanise(family).capitalize())
    parts = [romanise(c) for c in given]
    first = draw.pick(("".join(parts), "-".join(parts), " ".join(p.capitalize() for p in parts)))
    first = first[0].upper() + first[1:]
    whole = draw.pick((f"{last} {first}", f"{first} {last}", f"{last}, {first}"))
    return draw.pick((whole, whole.upper(), f"{last} {''.join(parts)}".upper()))


def romanise(word: str) -> str:
    """Return a word in Latin letters, syllable by syllable.

    >>> romanise("길동")
    'gildong'
    """
    out = []
    for char in word:
        code = ord(char) - 0xAC00
        out.append(_INITIALS[code // 588] + _VOWELS[code // 28 % 21] + _FINALS[code % 28])
    return "".join(out)


def draw_foreign(draw: Draw) -> str:
    """Return a name of another language in Hangul."""
    first, last = draw.pick(_words("foreign_given")), draw.pick(_words("foreign_family"))
    at = draw.below(12)
    if at > 9:
        return f"{draw_family(draw)} {first}"
    if at < 3:
        return first + last if len(first + last) < 8 else first
    if at < 5:
        return f"{last} {draw.pick(_words('foreign_given'))} {first}"
    return first if at < 6 else f"{first} {last}"


def draw_firm(draw: Draw) -> str:
    """Return the name of a firm, a school, a hospital …"""
    return draw.pick(_words("firm_first")) + draw.pick(("", " ")) + draw.pick(_words("firm_last"))


def draw_place(draw: Draw) -> str:
    """Return the name of a city, district, quarter or village."""
    if draw.chance(0.4):
        return draw.pick(read_words("districts"))
    return draw.pick(_words("place_first")) + draw.pick("동 동 읍 면 리 마을 로 길 산 천".split())


@cache
def _words(name: str) -> tuple[str, ...]:
    return tuple(tomllib.loads((HERE / "words.toml").read_text("utf-8"))[name].split())


_SLOTS: Final[dict[str, Callable[[Draw], str]]] = {
    "": draw_name,
    "given": draw_given,
    "spaced": draw_spaced,
    "latin": draw_latin,
    "foreign": draw_foreign,
}


def read_sets() -> Iterator[Text]:
    """Yield the documents of the open sets of personal data, in which only private names are marked."""
    for name in SETS:
        path = ROOT / "tests" / "data" / "personal_data" / f"{name}.jsonl"
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            names = tuple(Name(s["start"], s["end"], True) for s in row["spans"] if s["kind"] == "name")
            yield Text(name, row["text"], names, complete=False)


def read_prose() -> Iterator[Text]:
    """Yield the labelled texts of other models of this repository, in which no name is marked."""
    for name in ("domain", "training", "written"):
        for line in (ROOT / "benchmarks" / "labels" / f"{name}.jsonl").read_text("utf-8").splitlines():
            yield Text(name, json.loads(line)["text"], (), complete=False)
