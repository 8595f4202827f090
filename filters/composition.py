"""Measure the composition of a text: code, lists, Hangul.

A trainer mixes by these shares. By default nothing is dropped: how much code or how many lists a corpus wants is the
decision of its recipe. It needs no morphemes, so what a recipe drops by it is not analysed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import re2

from filters.korean.text_views import find_fences, prose
from filters.language import count_letters
from filters.structure import ends_sentence, links_words
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Limit, Share

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


Kind: TypeAlias = Literal["code", "table", "item", "other"]

MOST_CHARS = 400  # code points of a line that are read
_MOST_HANGUL = 0.3  # of the letters of a line of code, comments and strings left out

_QUIET = re2.compile(r"""//[^\n]*$|#\s[^\n]*$|/\*[^\n]*|<!--[^\n]*|"[^"\n]*"|'[^'\n]*'|`[^`\n]*`""")
_OPENERS = ("//", "#", "/*", "<!--", '"', "'", "`")  # of what _QUIET removes
_CODE = re2.compile(
    "|".join(
        (
            r"[;{}]\s*$",  # a statement, a block
            r"^\s*[)\]}]+[,;]?\s*$",
            r"^\s*(?:import|from|package|using|include|require|use)\s+[\w.\"'<{@*/]+(?:\s+(?:import|as|from)\s.*|;)?\s*$",
            r"^\s*(?:def|class|fn|func|function|const|let|var|public|private|static|async|export|struct|enum)\s+[\w가-힣*]+\s*[(:={<\[]",
            r"^\s*(?:if|for|while|elif|else|try|except|with|switch|case|return|print|raise|assert)\b.*(?:[:;{]|\)|==|->)\s*$",
            r"^\s*@\w+(?:\(.*\))?\s*$",  # a decorator
            r"^\s*(?:\$|>>>|\.\.\.|%|PS>|C:\\[^>]*>|[\w.-]+@[\w.-]+:\S*[$#])\s+\S",  # a prompt
            r"^\s*(?:sudo|apt(?:-get)?|pip3?|npm|npx|yarn|git|docker|kubectl|curl|wget|cd|mkdir|chmod|conda|brew)\s+[\w./-]+",
            r"^\s*[\w.\[\]'\"]+\s*(?:[-+*/|&]?=|:=|<-)\s*(?:\w|[^=\s].*[\w)\]}\"';])\s*$",  # an assignment
            r"^\s*[\w.$]+\([^)]*\)(?:\.\w+\([^)]*\))*[;,]?\s*$",  # a call
            r"\w+\.\w+\([^)]*\)\s*[;,){]*\s*$",
            r"^\s*</?[a-zA-Z][\w-]*(?:\s+[\w:-]+=[^>]*)?/?>",  # a tag
            r"(?:=>|->|::|&&|\|\||!=|===|\+=|#include|#define)\s*[\w({\[<\"'*&]",
            r"^\s*(?i:select\s.+\sfrom|insert\s+into|delete\s+from|update\s.+\sset|(?:create|alter|drop)\s+table)\s+[\w`\"(]",
            r"^\s*[\"']?[\w-]+[\"']?\s*:\s*[\"'{\[\d][^.?!]*,?\s*$",  # a pair of JSON, YAML or CSS
        )
    )
)
# A line without any of these matches no alternative of _CODE: most lines of prose need no further look.
_SIGN = re.compile(r"""[;{}=<>$@#&|]|[\w.]\(|::|:\s*["'`{\[\d]|^\s*[A-Za-z)\]}.%"'\[]""")
_ITEM = re.compile(r"[ \t]*(?:[-*+•·○●◦■□◆◇▶▷※]|\d{1,3}[.)]|[가-하][.)]|[①-⑳㉠-㉻])[ \t]+\S")
_LETTER = re.compile(r"[^\W\d_]")
_HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")


def kind_of(line: str) -> Kind:
    """Classify one line outside fenced code.

    >>> [kind_of(line) for line in ("for i in range(3):", "| 가 | 나 |", "- 사과를 산다.", "for you, it is fine.")]
    ['code', 'table', 'item', 'other']
    """
    line = line[:MOST_CHARS]
    bare = line.strip()
    if bare.startswith("|") and bare.count("|") > 2:
        return "table"
    if is_code(line):
        return "code"
    return "item" if _ITEM.match(line) else "other"


def is_code(line: str) -> bool:
    """Whether a line is code, whatever is around it.

    >>> is_code("x = load(path)  # 파일을 읽는다"), is_code("값은 x = 3 이다.")
    (True, False)
    """
    if _SIGN.search(line) is None:
        return False
    line = line if line.isascii() else line.encode("utf-8", "replace").decode()  # RE2 rejects lone surrogates
    quiet = _QUIET.sub('""', line) if not line.isascii() and any(map(line.__contains__, _OPENERS)) else line
    letters = len(_LETTER.findall(quiet)) if not quiet.isascii() else 1
    if len(_HANGUL.findall(quiet)) > _MOST_HANGUL * max(1, letters):
        return False
    return _CODE.search(quiet) is not None
