"""Read expressions from a TOML file of rules; its table [words] names parts that the expressions insert as {name}."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

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
