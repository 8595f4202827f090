"""What strings a pattern needs: so that one automaton of literals can say which patterns are worth a search.

An automaton of literals is built once and is small; that of many patterns at once is built state by
state while texts are read, and every new text asks for new states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

MOST = 250  # strings of one pattern; of more, the pattern itself is the quicker look

Strings = frozenset[str]
_EMPTY: Strings = frozenset(("",))
_TOKEN = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|\(\?:|[*+?]|\{\d+(?:,\d*)?\}|.", re.DOTALL)
_RANGE = re.compile(r"([0-9A-Za-z가-힣])-([0-9A-Za-z가-힣])")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Need:
    """What a pattern matches and needs."""

    exact: Strings | None  # all strings that it matches; None where they are too many, or where their place counts too
    needed: Strings | None  # one of them stands in every match; None where nothing can be said
    ends: Strings | None = None  # one of them begins and one ends every match of a part repeated; else None


def find_need(pattern: str) -> Need:
    """What a pattern needs: of RE2's syntax literals, classes, groups, `|`, `^`, `$` and the signs for repetition.

    >>> sorted(find_need("것[은이] ?좋다").exact)
    ['것은 좋다', '것은좋다', '것이 좋다', '것이좋다']
    >>> find_need("[0-9]+일(은|이)").exact, sorted(find_need("[0-9]+일(은|이)").needed)[:2]
    (None, ['0일은', '0일이'])
    """
    tokens = _TOKEN.findall(pattern)[::-1]
    found = _parse_alternatives(tokens)
    if tokens:
        raise ValueError(f"a bracket too many in the pattern {pattern!r}")
    return found


def keep_shortest(strings: Strings) -> list[str]:
    """Those of them that hold no other: where a longer one stands, a shorter one does.

    >>> keep_shortest(frozenset(("올랐", "올랐다", "늘었")))
    ['늘었', '올랐']
    """
    return sorted(s for s in strings if not any(other in s for other in strings if other != s))


def _parse_alternatives(tokens: list[str]) -> Need:
    """The alternatives up to the end or to a closing bracket, which is left."""
    ways = [_parse_chain(tokens)]
    while tokens and tokens[-1] == "|":
        tokens.pop()
        ways.append(_parse_chain(tokens))
    return Need(_union([w.exact for w in ways]), _union([w.needed for w in ways]))


def _parse_chain(tokens: list[str]) -> Need:
    """What stands one behind the other, up to `|`, a closing bracket or the end."""
    run, exact, needed = _EMPTY, True, list[Strings]()
    while tokens and tokens[-1] not in ("|", ")"):
        part = _parse_part(tokens)
        joined = None if part.exact is None else _concatenate(run, part.exact)
        if joined is not None:
            run = joined
        else:
            if part.ends is not None:
                run = _concatenate(run, part.ends) or run
            needed.append(run)
            run, exact = part.exact or part.ends or _EMPTY, False
        if part.needed is not None:
            needed.append(part.needed)
        if part.exact == _EMPTY:  # `^` and `$` ask for a place
            exact = False
    needed = [strings for strings in (*needed, run) if "" not in strings]
    # The longest strings say most; of equally long ones, the fewest.
    best = max(needed, key=lambda strings: (min(map(len, strings)), -len(strings)), default=None)
    return Need(run if exact else None, best)


def _parse_part(tokens: list[str]) -> Need:
    """The next part with the sign of repetition behind it."""
    token = tokens.pop()
    if token in ("(", "(?:"):
        part = _parse_alternatives(tokens)
        if not tokens:
            raise ValueError("a bracket of a pattern is not closed")
        tokens.pop()
    else:
        part = _parse_atom(token)
    while tokens and (tokens[-1] in ("*", "+", "?") or (tokens[-1][0] == "{" and len(tokens[-1]) > 1)):
        sign = tokens.pop()
        if sign == "?":
            part = Need(None if part.exact is None else part.exact | _EMPTY, None)
        else:
            may_lack = sign == "*" or sign[:2] == "{0"
            part = Need(None, None, None) if may_lack else Need(None, part.needed, part.exact)
    return part


def _parse_atom(token: str) -> Need:
    """A single sign, or a class of them."""
    if token in ("^", "$"):
        return Need(_EMPTY, None)
    if token == "." or (token[0] == "\\" and token[1].isalpha() and token[1] not in _ESCAPED):
        return Need(None, None)
    if token[0] != "[" or len(token) == 1:
        strings = frozenset((_unescape(token),))
        return Need(strings, strings)
    signs = re.findall(r"\\.|.", _RANGE.sub(_expand_range, token[1:-1]), re.DOTALL)
    if signs[0] == "^" or "-" in signs[1:-1] or any(s[0] == "\\" and s[1] in "sSdDwWpP" for s in signs):
        return Need(None, None)
    strings = frozenset(map(_unescape, signs))
    return Need(strings, strings)


def _expand_range(found: re.Match[str]) -> str:
    """A range of signs sign by sign, if they are few: 2-5 is 2345."""
    first, last = map(ord, found.groups())
    return "".join(map(chr, range(first, last + 1))) if last - first < 10 else found[0]


def _unescape(token: str) -> str:
    return token if token[0] != "\\" else _ESCAPED.get(token[1], token[1])


def _union(ways: Iterable[Strings | None]) -> Strings | None:
    every: Strings = frozenset()
    for strings in ways:
        if strings is None:
            return None
        every |= strings
    return every if len(every) <= MOST else None


def _concatenate(heads: Strings, tails: Strings) -> Strings | None:
    if len(heads) * len(tails) > MOST:
        return None
    return frozenset(map("".join, product(heads, tails)))
