"""Tell cheaply that none of many rules can match, so that only few texts are read by the rules themselves.

A gate is made out of the rules, so it cannot fall behind them: each is loosened until RE2 can read it, in ways that
only ever let more through. What is shut out matches no rule; what comes through is still to be read by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from re import _parser  # type: ignore[attr-defined]  # how Python itself reads a rule; a test knows when it changes
from typing import Any

import re2

MAX_KNOWN = 8_192  # short texts that are remembered for each gate: menus and footers say the same on each page
MAX_SHORT = 300  # code points of them; a longer one is prose, which does not come twice
MAX_TIMES = 3  # of a part that must come so often; more often is not asked

_BEYOND = r"\x{80}-\x{10FFFF}"  # letters, digits and white space are more in Python than in RE2
_CLASSES = {
    "CATEGORY_SPACE": rf"\s{_BEYOND}",
    "CATEGORY_WORD": rf"\w{_BEYOND}",
    "CATEGORY_DIGIT": rf"\d{_BEYOND}",
}
_DOTS = r"\x{130}\x{131}"  # İ and ı, which Python takes for an i where case is not asked, and RE2 does not
_ANYTHING = r"\x{0}-\x{10FFFF}"


def gate(*rules: re.Pattern[str]) -> Callable[[str], bool]:
    r"""The function that says whether one of `rules` might match in a text; False is certain, True is not.

    >>> refused = gate(re.compile(r"무단\s?전재[^.]{0,60}금지(?!된)"))
    >>> refused("무단 전재를 금지합니다"), refused("무단 전재를 금지된 것으로 본다"), refused("전재를 금지합니다")
    (True, True, False)
    """
    words = re2.compile("(?i)" + "|".join(f"(?:{loosen(rule)})" for rule in rules))

    def search(text: str) -> bool:
        # As bytes: a lone surrogate, which no rule looks for, has none.
        return words.search(text.encode("utf-8", "replace")) is not None

    short = lru_cache(maxsize=MAX_KNOWN)(search)
    return lambda text: short(text) if len(text) <= MAX_SHORT else search(text)


def may_match_any(may: Callable[[str], bool], texts: Iterable[str]) -> bool:
    """Whether a gate lets one of `texts` through, asked once for all of them.

    >>> may_match_any(gate(re.compile("무단[^.]{0,9}금지")), ["무단", "금지"])
    False
    """
    return may("\n.\n".join(texts))


def loosen(rule: re.Pattern[str]) -> str:
    r"""A pattern for RE2 that matches wherever `rule` does, and perhaps elsewhere.

    Case and what stands beside a match are not asked, and no part may come too often.

    >>> loosen(re.compile(r"\bAI\b[^.]{0,30}(?:학습|훈련)(?![가-힣])$"))
    'A[i\\x{130}\\x{131}][^\\x{2E}]*(?:학습|훈련)'
    """
    return _sequence(_parser.parse(rule.pattern, rule.flags))


def _sequence(parts: Iterable[tuple[Any, Any]]) -> str:
    return "".join(_part(str(kind), said) for kind, said in parts)


def _part(kind: str, said: Any) -> str:
    match kind:
        case "LITERAL":
            return _literal(said) if chr(said) not in "iI" else f"[i{_DOTS}]"
        case "NOT_LITERAL":
            return f"[^{_literal(said)}]"
        case "ANY":
            return "(?s:.)"
        case "IN":
            return _class(said)
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _repeat(*said)
        case "SUBPATTERN":
            return f"(?:{_sequence(said[-1])})"
        case "BRANCH":
            return f"(?:{'|'.join(map(_sequence, said[1]))})"
        case "AT" | "ASSERT" | "ASSERT_NOT":  # a place, or what must or must not stand beside it
            return ""
    raise ValueError(f"no gate can be made of a rule with {kind}")


def _repeat(least: int, most: int, parts: Iterable[tuple[Any, Any]]) -> str:
    part = f"(?:{_sequence(parts)})" if not _is_single(parts) else _sequence(parts)
    if least == 0:
        return f"{part}?" if most == 1 else f"{part}*"
    return part * (min(least, MAX_TIMES) - 1) + (part if most == least else f"{part}+")


def _is_single(parts: Any) -> bool:
    return len(parts) == 1 and str(parts[0][0]) in ("LITERAL", "NOT_LITERAL", "IN", "ANY", "SUBPATTERN")


def _class(members: Iterable[tuple[Any, Any]]) -> str:
    found, negated = "", False
    for kind, said in members:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found += _literal(said) + ("" if negated or chr(said) not in "iI" else _DOTS)
            case "RANGE":
                dotted = not negated and any(said[0] <= ord(i) <= said[1] for i in "iI")
                found += f"{_literal(said[0])}-{_literal(said[1])}" + (_DOTS if dotted else "")
            case _ if negated:
                pass  # that a class is not in another is not asked
            case _:
                found += _CLASSES.get(str(said), _ANYTHING)
    if negated and not found:
        return "(?s:.)"
    return f"[{'^' if negated else ''}{found}]"


def _literal(code: int) -> str:
    return chr(code) if chr(code).isalnum() or code == 32 else rf"\x{{{code:X}}}"
