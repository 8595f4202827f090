"""Words of the pages in English and Korean: sentences, and labels of codes such as `links-only` (words.toml)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from data_cards.formats import format_value
from malmoi.licensing.licences import LICENCES

LANGUAGES: Final = ("en", "ko")
_SENTENCES: Final = "say"
_FILES: Final = ("words.toml", "report_words.toml")
_HANGUL: Final = re.compile("[가-힣ㄱ-ㆎ]")
_LICENCE: Final = re.compile(r"[A-Za-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: str
    tables: Mapping[str, Mapping[str, str]]  # kind of code, or `say` → code → words

    def say(self, key: str, **values: object) -> Markup:
        """Return a sentence as markup, with `values` escaped in the place of `{name}`; KeyError if it is unknown."""
        return Markup(self.tables[_SENTENCES][key]).format(**values)

    def label(self, kind: str, code: object) -> str:
        """Return the words for a code of `kind`; the code itself if it has none.

        >>> load_words("en").label("stage", "2-documents"), load_words("ko").label("stage", "unheard-of")
        ('Extraction', 'unheard-of')
        """
        text = str(code)
        if kind == "reason" and ":" in text:  # such as `pii:phone`
            reason, _, what = text.partition(":")
            return f"{self.label(kind, reason)} ({self.label('pii', what)})"
        return self.tables[kind].get(text, text)

    def mark(self, value: object) -> Markup:
        """Return a value of the data as markup; on a page in another language, Korean text is marked as such."""
        text = format_value(value)
        if self.language != "ko" and has_hangul(text):
            return Markup('<span lang="ko">{}</span>').format(text)
        return Markup.escape(text)

    def licence(self, expression: str) -> str:
        """Return the names of the licences of an expression.

        >>> load_words("ko").licence("LicenseRef-KOGL-1 OR MIT")
        '공공누리 제1유형 (출처표시) 또는 MIT License'
        """
        return _LICENCE.sub(lambda found: self._name(found[0]), expression)

    def _name(self, id_: str) -> str:
        named = LICENCES[id_].name if id_ in LICENCES else id_
        return self.tables["licence"].get(id_, named)


@cache
def load_words(language: str) -> Words:
    """Return the words of `language`: `en` or `ko`."""
    place = LANGUAGES.index(language)
    return Words(language, {kind: {k: v[place] for k, v in found.items()} for kind, found in _read().items()})


@cache
def _read() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in _FILES:
        for kind, words in tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8")).items():
            found.setdefault(kind, {}).update(words)
    return found


def has_hangul(text: str) -> bool:
    """Return True if `text` has a Hangul letter: on an English page it is marked as Korean."""
    return bool(_HANGUL.search(text))
