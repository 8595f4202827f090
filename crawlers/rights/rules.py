"""Read rules from TOML files, test cheaply whether any of them may match, and compare names with a publisher's.

The table [words] of a file names parts that its expressions insert as {name}.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import re2

from malmoi.prefilter import compile_linear, loosen

MAX_KNOWN = 8_192  # short texts cached for each gate: menus and footers are the same on each page
MAX_SHORT = 300  # code points of a cached text; a longer one is prose, which does not repeat
GATE_BYTES = (
    32 << 20
)  # memory for the states of a gate, built on demand; with RE2's 8 MB, many rules take 20 times as long
Patterns: TypeAlias = tuple[re.Pattern[str], ...]
Compile: TypeAlias = Callable[[Iterable[str]], Patterns]
_NAME = re.compile(r"\{([a-z_]+)\}")


@cache
def load(name: str) -> tuple[dict[str, Any], Compile]:
    """Return the data of a file of this folder, and the function that compiles its expressions."""
    data = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return data, read_words(data["words"])


def read_words(words: dict[str, str]) -> Compile:
    """Return a function that compiles expressions, ignoring case; KeyError for a word that `words` lacks.

    A word may insert those before it.

    >>> read_words({"a": "금지", "b": "{a}|불허"})(["전재 (?:{b})"])[0].pattern
    '전재 (?:금지|불허)'
    """
    known: dict[str, str] = {}
    for name, pattern in words.items():
        known[name] = _NAME.sub(lambda found: known[found[1]], pattern)
    return lambda patterns: tuple(re.compile(_NAME.sub(lambda at: known[at[1]], one), re.I) for one in patterns)


def match_any(patterns: Patterns, text: str) -> bool:
    """Whether one of `patterns` occurs in `text`."""
    return any(rule.search(text) for rule in patterns)


def gate(*rules: re.Pattern[str]) -> Callable[[str], bool]:
    r"""Return a function: whether one of `rules` might match in a text; False is certain, True is not.

    >>> refused = gate(re.compile(r"무단\s?전재[^.]{0,60}금지(?!된)"))
    >>> refused("무단 전재를 금지합니다"), refused("무단 전재를 금지된 것으로 본다"), refused("전재를 금지합니다")
    (True, True, False)
    """
    options = re2.Options()
    options.max_mem = GATE_BYTES
    words = re2.compile("(?i)" + "|".join(f"(?:{loosen(rule.pattern)})" for rule in rules), options)

    def search(text: str) -> bool:
        # As bytes: a lone surrogate, which no rule matches, has no UTF-8 bytes.
        return words.search(text.encode("utf-8", "replace")) is not None

    short = lru_cache(maxsize=MAX_KNOWN)(search)
    return lambda text: short(text) if len(text) <= MAX_SHORT else search(text)


def may_match_any(may: Callable[[str], bool], texts: Iterable[str]) -> bool:
    """Whether a gate accepts one of `texts`, tested once for all of them.

    >>> may_match_any(gate(re.compile("무단[^.]{0,9}금지")), ["무단", "금지"])
    False
    """
    return may("\n.\n".join(texts))


def is_matched(patterns: Sequence[str], text: str) -> bool:
    """Whether one of these patterns, if there are any, is found in an address or an author."""
    if not patterns:
        return True
    words = text.encode("utf-8", "replace").decode()  # RE2 takes no surrogates
    return any(compile_linear(pattern).search(words) for pattern in patterns)


_DATA, _compile = load("third_party.toml")
_REST, _DEPARTMENT, _SELF = (_compile(_DATA["publisher"][name]) for name in ("rest", "department", "self"))
_NAMES = re.compile(r" ?[;,·/()（）] ?")
_WORDS = re.compile(r"[ ,·]+")
_ENDING = re.compile(r"(?:에서|으로부터|로부터|에게|의|은|는|이|가|에)$")
_AROUND = " '\"“”‘’「」『』<>[]()"


def is_publisher(holder: str, publisher: str) -> bool:
    """Whether a holder is the publisher, alone or with its departments, or a department without a name.

    >>> [is_publisher(one, "가나시") for one in ("가나시청 홍보담당관", "문화과", "가나시 다라협회", "다라일보")]
    [True, True, False, False]
    """
    holder = holder.strip(_AROUND)
    if match_any(_SELF, holder) or _are_all(_DEPARTMENT, holder):
        return True
    found = filter(None, (name.match(holder) for name in _read_names(publisher)))
    return any(_are_all(_REST, holder[one.end() :]) for one in found)


def _are_all(patterns: Patterns, words: str) -> bool:
    plain = (_ENDING.sub("", word.strip(_AROUND)) for word in _WORDS.split(words))
    return all(any(pattern.fullmatch(word) for pattern in patterns) for word in plain if word)


@lru_cache(maxsize=256)
def _read_names(publisher: str) -> Patterns:
    """Return patterns of the names in `publisher`, which white space and the ending 청 do not distinguish."""
    names = ("".join(one.split()).removesuffix("청") for one in _NAMES.split(publisher))
    return tuple(re.compile(" ?".join(map(re.escape, name)) + "청?(?![가-힣]{2})", re.I) for name in names if name)
