"""What filters read of a text more than once: its prose, its words, its fenced code, and the kind of a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Literal, TypeAlias, TypeVar

import re2

V = TypeVar("V")


def cache_last(view: Callable[[str], V]) -> Callable[[str], V]:
    """Cache the last result of `view`: filters read one document after the other, and most leave its text unchanged.

    Only the identical string object is answered from the cache, so nothing is hashed or compared; each view holds one
    text and one result. Results are shared, so they must be immutable.

    >>> calls = []
    >>> length = cache_last(lambda text: calls.append(text) or len(text))
    >>> length("우리말"), length("우리말"), calls
    (3, 3, ['우리말'])
    """
    last: tuple[str | None, V | None] = (None, None)

    @wraps(view)
    def look_up(text: str) -> V:
        nonlocal last
        held, found = last
        if held is not text or found is None:
            found = view(text)
            last = (text, found)
        return found

    return look_up


@cache_last
def prose(text: str) -> str:
    """Return the text without fenced code; see `filters.korean.text_views.remove_fences`."""
    return remove_fences(text)


@cache_last
def words(text: str) -> tuple[str, ...]:
    """Return the parts between white space (eojeol, in Korean prose)."""
    return tuple(text.split())


Stretch = tuple[int, int]

_FENCE = re.compile(r"^[ \t]{0,12}(?:>[ \t]?){0,3}(`{3,}|~{3,})([^\n]*)$", re.M)

# Below the head row of a table in Markdown (GFM 0.29, 4.10), with a bar at both ends.
_DELIMITER_ROW = re.compile(r"^\|(?: ?:?-{3,}:? ?\|)+$", re.M)


def find_fences(text: str) -> tuple[Stretch, ...]:
    """Return (start, end) of every fenced block, its fences included, in code points and in text order.

    A block closes at a line of at least as many of the same signs and nothing after them (CommonMark 0.31.2, 4.5). An
    unclosed fence opens no block here: a stray row of signs must not remove the rest of a text.

    >>> find_fences("말\\n```js\\nlet a;\\n```\\n글")
    ((2, 18),)
    """
    if "```" not in text and "~~~" not in text:
        return ()
    lines = [(m.start(), m.end(), m[1], m[2].strip()) for m in _FENCE.finditer(text)]
    found: list[Stretch] = []
    unclosed: dict[str, int] = {}  # sign → length from which on fences are unclosed
    at = 0
    while at < len(lines):
        start, _, signs, said = lines[at]
        at += 1
        opens = not (signs[0] == "`" and "`" in said)  # ```a``` on one line is inline code
        if not opens or len(signs) >= unclosed.get(signs[0], len(signs) + 1):
            continue
        for behind in range(at, len(lines)):
            _, end, closing, rest = lines[behind]
            if not rest and closing.startswith(signs):
                found.append((start, end))
                at = behind + 1
                break
        else:
            unclosed[signs[0]] = len(signs)
    return tuple(found)


def find_unspoken(text: str) -> tuple[Stretch, ...]:
    """Return the fenced blocks and the delimiter rows of tables: neither has words of the text.

    >>> find_unspoken("| 가 | 나 |\\n| --- | --- |\\n| 1 | 2 |")
    ((10, 23),)
    """
    fences = find_fences(text)
    if "---" not in text:
        return fences
    rows = [found.span() for found in _DELIMITER_ROW.finditer(text)]
    inside = {row for row in rows for start, end in fences if start <= row[0] < end} if fences else set()
    return tuple(sorted((*fences, *(row for row in rows if row not in inside))))


def remove_fences(text: str) -> str:
    """Replace each fenced block of `text` with a line break, so that the paragraphs around it stay separate.

    >>> remove_fences("말\\n```\\nlet a;\\n```\\n글")
    '말\\n\\n\\n글'
    """
    blocks = find_fences(text)
    if not blocks:
        return text
    kept, done = [], 0
    for start, end in blocks:
        kept += [text[done:start], "\n"]
        done = end
    return "".join([*kept, text[done:]])


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
