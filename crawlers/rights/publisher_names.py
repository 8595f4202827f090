"""Recognise the publisher of a source, or one of its departments, in the name of a holder or an author."""

from __future__ import annotations

import re
from functools import lru_cache

from crawlers.rights.rule_files import Patterns, load, match_any

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
