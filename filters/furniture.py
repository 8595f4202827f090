"""Take away whole lines that belong to the page and not to the text: share buttons, tails, crumbs.

A line goes only when all of it is furniture and it is short. What a sentence says about
sharing, printing or copyright stays, and so does every line that no rule names.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import re2

from filters.furniture_rules import BUTTONS, FIELD, RULES
from filters.params import Chars
from malmoi.document import Document, Edit, Edits

VERSION = 2
LIBRARIES = ("google-re2",)

# RE2: lines are untrusted, and `re` takes exponential time on a long row of 로그인 or 조회 1. One by one:
# all rules as one pattern make an automaton of more than 100 MB.
_RULES = tuple((name, re2.compile(rule)) for name, _, rule in RULES)
_BY_WORD: dict[str, list[int]] = {}
for _number, (_, _words, _) in enumerate(RULES):
    for _word in _words.split("|"):
        _BY_WORD.setdefault(_word, []).append(_number)
_FIELD = re2.compile(FIELD)
_BUTTON_CHARS = 12
_FIELD_CHARS = 40  # code points; our choice
# One look over all short lines of a page; a line without any of these words is not asked further.
_GATE = re2.compile("|".join(re2.escape(word) for word in sorted(_BY_WORD)))


def mend(doc: Document, *, max_chars: Chars = 120) -> Edits:
    """Edits that remove lines of page furniture; the reason is the rule's name.

    `max_chars` is the longest line that may go, in code points: a longer one holds a sentence
    of its own. A single button word (`인쇄`) goes only beside another furniture line. The empty
    lines that a removed line would leave go with it.

    >>> from malmoi.document import Provenance
    >>> text = "공장이 문을 열었다.\\n\\n기사 URL이 복사되었습니다."
    >>> mend(Document("x/1", text, Provenance("x", "", "", "", "")))
    (Edit(start=11, end=29, text='', reason='copied-notice'),)
    """
    lines = doc.text.split("\n")
    short = [i for i, line in enumerate(lines) if line and len(line) <= max_chars and not _is_sentence(line)]
    reasons = _reasons(lines, short)
    return _removals(lines, reasons) if reasons else ()


def rule_of(line: str) -> str:
    """The name of the rule that calls the whole line furniture, or "".

    >>> rule_of("홈 > 알림마당 > 보도자료"), rule_of("무단전재는 왜 금지되었는가.")
    ('crumbs', '')
    """
    line = line.strip()
    if not line or _is_sentence(line):
        return ""
    asked = {number for word, numbers in _BY_WORD.items() if word in line for number in numbers}
    plain = _plain(line) if asked else ""
    return next((_RULES[number][0] for number in sorted(asked) if _RULES[number][1].fullmatch(plain)), "")


def _is_sentence(line: str) -> bool:
    """Whether a line ends in the plain style of a written text, in which no page speaks of itself."""
    return line.endswith("다.") and not line.endswith("니다.")


def _plain(line: str) -> str:
    return line.encode("utf-8", "replace").decode()  # RE2 takes no lone surrogates


def _is_field(line: str) -> bool:
    return _FIELD.fullmatch(_plain(line.strip())) is not None


def _hit(lines: list[str], short: list[int]) -> list[int]:
    """Those of `short` whose line holds a word of some rule."""
    parts = [lines[i].encode("utf-8", "replace") for i in short]
    ends = list(accumulate(len(part) + 1 for part in parts))
    hits = dict.fromkeys(bisect_right(ends, found.start()) for found in _GATE.finditer(b"\n".join(parts)))
    return [short[at] for at in hits]


def _reasons(lines: list[str], short: list[int]) -> dict[int, str]:
    """Number of each line that goes → name of its rule."""
    hit = _hit(lines, short)
    names = {line: rule_of(line) for line in {lines[i] for i in hit}}  # a page may say one line many times
    found = {i: names[lines[i]] for i in hit if names[lines[i]]}
    weak = {i for i in short if len(lines[i]) <= _BUTTON_CHARS and "".join(lines[i].split()) in BUTTONS}
    if found:
        fields = {line for line in {lines[i] for i in short} if len(line) <= _FIELD_CHARS and _is_field(line)}
        weak |= {i for i in short if lines[i] in fields}
    if len(found) + len(weak) > 1:
        written = [i for i, line in enumerate(lines) if line and not line.isspace()]
        for before, i, after in zip([-1, *written], written, [*written[1:], -1], strict=False):
            if i in weak and any(j in found or j in weak for j in (before, after)):
                found[i] = "share-buttons"
    return found


def _removals(lines: list[str], reasons: dict[int, str]) -> Edits:
    edits: list[Edit] = []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    length = starts[-1] - 1
    end_of_kept = 0  # where the text that stays ends, its line break left out
    i = 0
    while i < len(lines):
        if i not in reasons:
            end_of_kept = starts[i] + len(lines[i]) if lines[i].strip() else end_of_kept
            i += 1
            continue
        first = i
        start = starts[i]
        while i < len(lines) and (i in reasons or not lines[i].strip()):
            i += 1
        stop = min(starts[i], length)
        if i == len(lines):
            start = end_of_kept  # nothing follows: the breaks before it go too
        elif end_of_kept and lines[first - 1].strip() and not lines[i - 1].strip():
            stop = starts[i] - 1  # the paragraphs around it stay apart
        edits.append(Edit(start, stop, "", reasons[first]))
    return tuple(edits)
