"""Prefilter for many patterns: exclude cheaply those that cannot match, so that the patterns read few texts.

A pattern that a person wrote is not one of ours: `compile_linear` compiles it for RE2, so that no text stops a run.

A prefilter is derived from the patterns, so the two cannot diverge. Three kinds, each the cheapest for its use:
`loosen` widens a pattern of `re` until RE2 accepts it, for rules with lookarounds; `need` returns strings of which
every match contains one, for one automaton of literals; `build_set` searches for many patterns in one RE2 pass. An
automaton of literals is built once and is small. That of many patterns is built state by state while texts are read:
for the 95 cues of `register`, which differ from text to text, an RE2 set takes 3 to 20 times as long as the literals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple, TypeAlias

import re2

MOST = 250  # strings of one pattern; with more, the pattern itself is faster
MAX_TIMES = 3  # required repeats of a part; more are not checked
WIDE = 10  # signs of a range; a wider one is not spelled out

Strings: TypeAlias = frozenset[str]
_EMPTY: Strings = frozenset(("",))
_SIGN = r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|x\{[0-9a-fA-F]+\}|.)"
_TOKEN = re.compile(
    rf"{_SIGN}|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:P<\w+>|[:=!]|<[=!])|[*+?]\??|\{{\d+(?:,\d*)?\}}\??|.", re.DOTALL
)
_MEMBER = re.compile(rf"{_SIGN}|.", re.DOTALL)
_TIMES = re.compile(r"([*+?])\??|\{(\d+)(,?)(\d*)\}\??")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_BEYOND = r"\x{80}-\x{10FFFF}"  # Python has more letters, digits and white space than RE2
_DOTS = r"\x{130}\x{131}"  # İ and ı: equal to an i without case in Python, but not in RE2
_UNICODE = {"w": r"\p{L}\p{N}_", "d": r"\p{Nd}", "s": r"\s\v\x{1C}-\x{1F}\x{85}\p{Z}"}  # RE2 means ASCII only
_LETTERS = "AafnrtvxDSWZdsw"  # letters after a backslash with one meaning for RE2 and Python, or a translation
_ANYTHING, _ANY = r"\x{0}-\x{10FFFF}", "(?s:.)"


class Part(NamedTuple):
    """A part of a pattern: a sign, one of a class, a group, or a position, with its number of repeats."""

    kind: str  # class, any, group, place: the last matches no sign, e.g. ^, \\b and lookarounds
    ways: tuple[tuple[Part, ...], ...] = ()  # of a group
    ranges: tuple[tuple[int, int], ...] = ()  # of a class: code points, both ends included
    classes: str = ""  # of a class: letters after a backslash, such as s and W
    negated: bool = False
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class Need:
    """Strings that a pattern matches and needs."""

    exact: Strings | None  # all strings that it matches; None if they are too many, or if their position counts too
    needed: Strings | None  # every match contains one of them; None if unknown
    ends: Strings | None = None  # one of them begins and one ends every match of a repeated part; else None


@lru_cache(maxsize=1024)
def compile_linear(pattern: str) -> re2._Regexp[str]:
    r"""Compile a pattern of `re` that comes from input: RE2 matches the same, in time linear in the text.

    ValueError if it is not one, has what RE2 lacks (lookaround, references to groups), or what RE2 reads otherwise.
    Only the $ differs: it is the very end, and not the place before a last line break.

    >>> compile_linear(r"^https://a[.]kr/[\w-]+$").match("https://a.kr/한글-1") is not None
    True
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile("".join(map(_translate, _TOKEN.findall(pattern))), options)
    except re2.error as error:
        why = error.args[0].decode(errors="replace")
        raise ValueError(f"RE2, which has no lookaround and no references: {why}") from error


def _translate(token: str) -> str:
    """Return a token of a pattern of `re` as RE2 spells it; ValueError if RE2 would read it otherwise."""
    inside = len(token) > 1 and token[0] == "["
    for letter in re.findall(r"\\(.)", token, re.DOTALL):
        if letter.isalpha() and (letter not in _LETTERS or (inside and letter in "ADSWZ")):
            raise ValueError(f"\\{letter} is not supported{' within brackets' if inside else ''}")
    if token == "{" or (inside and "[:" in token[1:]):
        raise ValueError(f"put a backslash before {'{' if token == '{' else '[:'}")
    if inside:
        return re.sub(r"\\(.)", lambda found: _UNICODE.get(found[1], found[0]), token, flags=re.DOTALL)
    if token[0] == "\\" and (ranges := _UNICODE.get(token[1].lower())):
        return f"[{'^' if token[1].isupper() else ''}{ranges}]"
    return {r"\Z": r"\z"}.get(token, token)


def build_set(patterns: Iterable[str], max_bytes: int) -> re2.Set:
    """Build the RE2 set that returns which of `patterns` match given bytes; its automaton takes at most `max_bytes`.

    >>> build_set(["가[0-9]", "나"], 1 << 20).Match("가나1".encode())
    [1]
    """
    options = re2.Options()
    options.max_mem = max_bytes
    built = re2.Set.SearchSet(options)
    for pattern in patterns:
        built.Add(pattern)
    built.Compile()
    return built


def loosen(pattern: str) -> str:
    r"""Return a pattern for RE2 that matches wherever `pattern`, one of `re`, does, and perhaps elsewhere.

    It ignores case and the context of a match, and limits repeats.

    >>> loosen(r"\bAI\b[^.]{0,30}(?:학습|훈련)(?![가-힣])$")
    'A[I\\x{130}\\x{131}][^\\x{2E}]*(?:학습|훈련)'
    """
    return _loosen_ways(_parse(pattern))


def need(pattern: str) -> Need:
    """Return what a pattern needs.

    >>> sorted(need("것[은이] ?좋다").exact)
    ['것은 좋다', '것은좋다', '것이 좋다', '것이좋다']
    >>> need("[0-9]+일(은|이)").exact, sorted(need("[0-9]+일(은|이)").needed)[:2]
    (None, ['0일은', '0일이'])
    """
    return _need_ways(_parse(pattern))


def shortest(strings: Strings) -> list[str]:
    """Return those strings that contain no other: where a longer one occurs, a shorter one does.

    >>> shortest(frozenset(("올랐", "올랐다", "늘었")))
    ['늘었', '올랐']
    """
    return sorted(s for s in strings if not any(other in s for other in strings if other != s))


def _parse(pattern: str) -> tuple[tuple[Part, ...], ...]:
    tokens = _TOKEN.findall(pattern)[::-1]
    found = _parse_ways(tokens)
    if tokens:
        raise ValueError(f"unmatched closing bracket in the pattern {pattern!r}")
    return found


def _parse_ways(tokens: list[str]) -> tuple[tuple[Part, ...], ...]:
    """Parse the alternatives up to the end or to a closing bracket, which is not consumed."""
    ways: list[list[Part]] = [[]]
    while tokens and tokens[-1] != ")":
        token = tokens.pop()
        if token == "|":
            ways.append([])
        elif times := _TIMES.fullmatch(token):
            ways[-1][-1] = _repeat(ways[-1][-1], *times.groups())
        else:
            ways[-1].append(_parse_part(token, tokens))
    return tuple(map(tuple, ways))


def _repeat(part: Part, sign: str | None, least: str, comma: str, most: str) -> Part:
    if sign:
        return part._replace(least=int(sign == "+"), most=1 if sign == "?" else None)
    return part._replace(least=int(least), most=int(most) if most else None if comma else int(least))


def _parse_part(token: str, tokens: list[str]) -> Part:
    if token[0] == "(":
        if tokens and tokens[-1][0] == "?":
            raise ValueError("cannot build a prefilter for a pattern with a (?…) group of this kind")
        ways = _parse_ways(tokens)
        if not tokens:
            raise ValueError("unclosed bracket in a pattern")
        tokens.pop()
        return Part("place") if token[2:] in ("=", "!", "<=", "<!") else Part("group", ways)
    if token in ("^", "$", r"\b", r"\B", r"\A", r"\Z", r"\z"):
        return Part("place")
    if token == ".":
        return Part("any")
    if len(token) > 1 and token[0] == "[":
        return _parse_class(token[1:-1])
    if token[0] == "\\" and token[1] in "123456789":
        raise ValueError("cannot build a prefilter for a pattern with a reference to a group (GROUPREF)")
    return _parse_class(token)


def _parse_class(body: str) -> Part:
    negated = body[0] == "^"
    members, ranges, classes = _MEMBER.findall(body[negated:])[::-1], list[tuple[int, int]](), ""
    while members:
        member = members.pop()
        if len(member) == 2 and member[1].isalpha() and member[1] not in _ESCAPED:
            classes += member[1]
        elif len(members) > 1 and members[-1] == "-":
            members.pop()
            ranges.append((_code(member), _code(members.pop())))
        else:
            ranges.append((_code(member), _code(member)))
    return Part("class", ranges=tuple(ranges), classes=classes, negated=negated)


def _code(sign: str) -> int:
    if len(sign) > 2:
        return int(sign[2:].strip("{}"), 16)
    return ord(_ESCAPED.get(sign[-1], sign[-1]) if sign[0] == "\\" and len(sign) == 2 else sign)


def _loosen_ways(ways: Iterable[Iterable[Part]]) -> str:
    return "|".join("".join(map(_loosen_part, way)) for way in ways)


def _loosen_part(part: Part) -> str:
    if part.kind == "place":
        return ""
    one = f"(?:{_loosen_ways(part.ways)})" if part.kind == "group" else _ANY if part.kind == "any" else _widen(part)
    if part.least == 0:
        return f"{one}?" if part.most == 1 else f"{one}*"
    return one * (min(part.least, MAX_TIMES) - 1) + (one if part.most == part.least else f"{one}+")


def _widen(part: Part) -> str:
    """Return a class for RE2 that holds at least what `part` does in Python."""
    found = ""
    for low, high in part.ranges:
        found += _spell(low) if low == high else f"{_spell(low)}-{_spell(high)}"
        found += _DOTS if not part.negated and any(low <= ord(i) <= high for i in "iI") else ""
    if not part.negated:
        found += "".join(rf"\{c}{_BEYOND}" if c in "swd" else _ANYTHING for c in part.classes)
    if not found:
        return _ANY  # a negated class of Python is not checked
    single = len(part.ranges) == 1 and part.ranges[0][0] == part.ranges[0][1] and found == _spell(part.ranges[0][0])
    return found if single and not part.negated else f"[{'^' if part.negated else ''}{found}]"


def _spell(code: int) -> str:
    return chr(code) if chr(code).isalnum() or code == 32 else rf"\x{{{code:X}}}"


def _need_ways(ways: Iterable[Iterable[Part]]) -> Need:
    found = [_need_way(way) for way in ways]
    return Need(_union([w.exact for w in found]), _union([w.needed for w in found]))


def _need_way(way: Iterable[Part]) -> Need:
    """Return what consecutive parts need."""
    run, exact, needed = _EMPTY, True, list[Strings]()
    for part in map(_need_part, way):
        joined = None if part.exact is None else _join(run, part.exact)
        if joined is not None:
            run = joined
        else:
            if part.ends is not None:
                run = _join(run, part.ends) or run
            needed.append(run)
            run, exact = part.exact or part.ends or _EMPTY, False
        if part.needed is not None:
            needed.append(part.needed)
        if part.exact == _EMPTY:  # a position, which the strings do not express
            exact = False
    needed = [strings for strings in (*needed, run) if "" not in strings]
    # The longest strings are the most selective; of equally long ones, the fewest.
    best = max(needed, key=lambda strings: (min(map(len, strings)), -len(strings)), default=None)
    return Need(run if exact else None, best)


def _need_part(part: Part) -> Need:
    once = _need_once(part)
    if (part.least, part.most) == (1, 1):
        return once
    if part.least == 0:
        return Need(once.exact | _EMPTY if once.exact is not None and part.most == 1 else None, None)
    return Need(None, once.needed, once.exact)


def _need_once(part: Part) -> Need:
    if part.kind == "place":
        return Need(_EMPTY, None)
    if part.kind == "group":
        return _need_ways(part.ways)
    if part.kind == "any" or part.negated or part.classes or any(b - a >= WIDE for a, b in part.ranges):
        return Need(None, None)
    strings = frozenset(chr(code) for low, high in part.ranges for code in range(low, high + 1))
    return Need(strings, strings)


def _union(ways: Iterable[Strings | None]) -> Strings | None:
    every: Strings = frozenset()
    for strings in ways:
        if strings is None:
            return None
        every |= strings
    return every if len(every) <= MOST else None


def _join(heads: Strings, tails: Strings) -> Strings | None:
    if len(heads) * len(tails) > MOST:
        return None
    return frozenset(map("".join, product(heads, tails)))
