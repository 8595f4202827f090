"""Measure the composition of a text: code, lists, Hangul; and whether it reads like a translation.

A trainer mixes by these shares. By default nothing is dropped: how much code or how many lists a corpus wants is the
decision of its recipe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from filters.korean import translation_model
from filters.structure import ends_sentence, links_words
from filters.views.code_fences import find_fences
from filters.views.line_kinds import Kind, kind_of
from filters.views.text_views import prose
from malmoi.document import Document, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Share
from malmoi.threshold import Limit

VERSION = 1
LIBRARIES = ("google-re2", "numpy")
NEEDS = ("morphology",)
LIMITS = (
    Limit("code_share", "max_code", "max", "mostly-code"),
    Limit("list_share", "max_lists", "max", "mostly-lists"),
    Limit("prose_hangul_share", "min_hangul", "min", "little-hangul"),
)
_HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of a text, 0..1."""

    code: float  # of the characters: in fenced code and in lines of code
    lists: float  # of the characters: in items of lists and lines without a sentence; rows of tables are neither
    hangul: float  # of the letters outside code; 1 if there are none


def judge(doc: Document, *, max_code: Share = 1.0, max_lists: Share = 1.0, min_hangul: Share = 0.0) -> Verdict:
    """Keep a text with at most `max_code` code, `max_lists` lists and at least `min_hangul` Hangul; all by default.

    Measures `code_share`, `list_share` (shares of characters without white space), `prose_hangul_share` (of the
    letters outside code) and `translation` (probability that the text was translated). Label `translated`: `yes`,
    `no`, or "" where the model abstains (`filters.korean.translation_model`); nothing is dropped by it. Reasons
    `mostly-code`, `mostly-lists`, `little-hangul`. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'composition' needs morphemes, but the document has none; "
            "put 'morphology' before 'composition' in the recipe"
        )
    found = measure_shares(doc.text)
    chance = translation_model.score_text(doc.morphemes)
    code, lists, hangul = round(found.code, 4), round(found.lists, 4), round(found.hangul, 4)
    measures = [("code_share", code), ("list_share", lists), ("prose_hangul_share", hangul)]
    if chance is not None:
        measures.append(("translation", round(chance, 4)))
    labels = (("translated", translation_model.name_label(chance)),)
    outcomes = (
        (code > max_code, "mostly-code", code, max_code),
        (lists > max_lists, "mostly-lists", lists, max_lists),
        (hangul < min_hangul, "little-hangul", hangul, min_hangul),
    )
    for drops, reason, measured, limit in outcomes:
        if drops:
            return Verdict("drop", reason, measured, limit, labels, tuple(measures))
    return Verdict("keep", "composition", code, max_code, labels, tuple(measures))


def measure_shares(text: str) -> Shares:
    """Measure the shares of code, lists and Hangul in `text`.

    >>> measure_shares("가나를 다라에 둔다.\\n\\n- 사과\\n\\n```\\nlet a = 1;\\n```")
    Shares(code=0.52, lists=0.12, hangul=1.0)
    """
    fenced = sum(_count(text[start:end]) for start, end in find_fences(text))
    sizes: dict[Kind, int] = dict.fromkeys(("code", "table", "item", "other"), 0)
    bare = 0  # characters of lines without a sentence
    kept: list[str] = []
    for line in prose(text).split("\n"):
        size = _count(line)
        if not size:
            continue
        kind = kind_of(line)
        sizes[kind] += size
        if kind != "code":
            kept.append(line)
        if kind == "other" and not (ends_sentence(line.strip()) or links_words(line)):
            bare += size
    whole = fenced + sum(sizes.values())
    rest = "".join(kept)
    letters = sum(map(str.isalpha, rest))
    return Shares(
        code=round((fenced + sizes["code"]) / whole, 4) if whole else 0.0,
        lists=round((sizes["item"] + bare) / whole, 4) if whole else 0.0,
        hangul=len(_HANGUL.findall(rest)) / letters if letters else 1.0,
    )


def _count(text: str) -> int:
    """Count the code points that are not white space."""
    return len(text) - sum(map(text.count, " \n\t\r\u3000"))
