"""Measure the composition of a text: code, lists, Hangul.

A trainer mixes by these shares. By default nothing is dropped: how much code or how many lists a corpus wants is the
decision of its recipe. It needs no morphemes, so what a recipe drops by it is not analysed.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.korean.text_views import Kind, find_fences, kind_of, prose
from filters.language import count_letters
from filters.structure import ends_sentence, links_words
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Share
from malmoi.threshold import Limit

VERSION = 2
LIBRARIES = ("google-re2", "numpy", "pycld2")
LIMITS = (
    Limit("code_share", "max_code", "max", "mostly-code"),
    Limit("list_share", "max_lists", "max", "mostly-lists"),
    Limit("prose_hangul_share", "min_hangul", "min", "little-hangul"),
)


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of a text, 0..1."""

    code: float  # of the characters: in fenced code and in lines of code
    lists: float  # of the characters: in items of lists and lines without a sentence; rows of tables are neither
    hangul: float  # of the letters outside code; 1 without letters


def judge(
    doc: Document,
    *,
    max_code: Share = 1.0,
    max_lists: Share = 1.0,
    min_hangul: Share = 0.0,
    only_articles: bool = False,
) -> Verdict:
    """Keep a text with at most `max_code` code, `max_lists` lists and at least `min_hangul` Hangul; all by default.

    `only_articles` drops web pages that the extraction kept although they may be an index, a gallery or another page
    that is no text (label `page_kind`).

    Measures `code_share`, `list_share` (shares of characters without white space) and `prose_hangul_share` (of the
    letters outside code). Reasons `mostly-code`, `mostly-lists`, `little-hangul`, `no-article`.
    """
    found = measure_shares(doc.text)
    code, lists, hangul = round(found.code, 4), round(found.lists, 4), round(found.hangul, 4)
    measures = (("code_share", code), ("list_share", lists), ("prose_hangul_share", hangul))
    outcomes = (
        (code > max_code, "mostly-code", code, max_code),
        (lists > max_lists, "mostly-lists", lists, max_lists),
        (hangul < min_hangul, "little-hangul", hangul, min_hangul),
    )
    for drops, reason, measured, limit in outcomes:
        if drops:
            return Verdict("drop", reason, measured, limit, measures=measures)
    if only_articles and doc.label("page_kind", "article") != "article":
        return Verdict("drop", "no-article", measures=measures)
    return Verdict("keep", "composition", code, max_code, measures=measures)


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
    letters = count_letters("\n".join(kept))
    return Shares(
        code=round((fenced + sizes["code"]) / whole, 4) if whole else 0.0,
        lists=round((sizes["item"] + bare) / whole, 4) if whole else 0.0,
        hangul=letters.hangul_share if letters.total else 1.0,
    )


def _count(text: str) -> int:
    """Count the code points that are not white space."""
    return len(text) - sum(map(text.count, " \n\t\r\u3000"))
