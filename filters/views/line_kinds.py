"""Kinds of lines: code outside fences, rows of a table, items of a list, running words.

A line of code has signs of a programming language or a shell and little Hangul outside its comments and strings. The
patterns are a closed list over the syntax of common languages; an English sentence, an address or a formula has none
of them.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import re2

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
