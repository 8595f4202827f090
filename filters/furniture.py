"""Remove boilerplate lines, which belong to the page and not to the text: share buttons, page tails, breadcrumbs.

A line is removed only if all of it is boilerplate, it is short, and its position is typical of boilerplate: at the end
of a page or in a run. The filter keeps sentences about sharing, printing or copyright, headings of a help page
(공유하기), the fields of a notice, and every line that matches no rule.

The rules were written from Korean news, portal, blog, board and government pages. A rule names words of a page *and*
the form in which a page puts them (a label, a command, a figure after it); a sentence ends otherwise.
tests/data/filters/furniture_lines.jsonl holds positive and negative examples.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, groupby, pairwise
from pathlib import Path

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

from malmoi.document import Document, Edit, Edits
from malmoi.parameter_bounds import Chars

VERSION = 3
LIBRARIES = ("ahocorasick_rs", "google-re2")

CONTACT, FIELD, WEAK, EDGE, SURE = range(5)  # strength of a line as evidence; see `mend`
_STRENGTH = {"contact": CONTACT, "field": FIELD, "weak": WEAK, "edge": EDGE, "sure": SURE}
_NAME = re.compile(r"\{([a-z_]+)\}")
_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_PARTS: dict[str, str] = {}
for _part, _pattern in _TABLE["words"].items():
    _PARTS[_part] = _NAME.sub(lambda at: _PARTS[at[1]], _pattern)


def _compile(pattern: str) -> re2._Regexp:
    return re2.compile(_NAME.sub(lambda at: _PARTS[at[1]], pattern))


BUTTONS = frozenset(_TABLE["buttons"].split())
# RE2: lines are untrusted, and `re` takes exponential time on a long row of 로그인 or 조회 1. One pattern per rule:
# all rules as one pattern make an automaton of more than 100 MB.
_RULES = tuple(((_STRENGTH[rule["strength"]], rule["reason"]), _compile(rule["line"])) for rule in _TABLE["rule"])
_BY_WORD: dict[str, list[int]] = {}
for _number, _rule in enumerate(_TABLE["rule"]):
    for _word in _rule["words"].split("|"):
        _BY_WORD.setdefault(_word, []).append(_number)
_FIELD = _compile(_TABLE["beside"])
_NONE = (0, "")
_BUTTON_CHARS = 12
_FIELD_CHARS = 40  # code points; our choice
_INNER_RUN = 4  # lines of two rules between lines of text: a bar of buttons; three may be of a poem. Our choice
# One search over all short lines of a page; a line without any of these words is not checked further.
_WORDS = sorted(_BY_WORD)
_GATE = AhoCorasick(_WORDS, MatchKind.Standard)


def mend(doc: Document, *, max_chars: Chars = 120) -> Edits:
    """Remove lines of page boilerplate; the reason of each edit is the name of the rule.

    `max_chars` is the longest line that may be removed, in code points: a longer one holds a sentence of its own. The
    empty lines that a removed line would leave are removed too.

    Lines are judged in runs, and a run is removed whole or not at all: always, if it holds a line that no text
    contains (a reporter with an address); at the head or tail of the page, if it holds a line of the page (a copyright
    notice) or two that may belong to one (공유하기, 목록); between lines of text only if it matches two rules, and
    holds a line of the page or four others. Dates, names and contacts are removed with others and never alone.

    >>> from malmoi.document import Provenance
    >>> text = "공장이 문을 열었다.\\n\\n기사 URL이 복사되었습니다."
    >>> mend(Document("x/1", text, Provenance("x", "", "", "", "")))
    (Edit(start=11, end=29, text='', reason='copied-notice', field='text'),)
    """
    lines = doc.text.split("\n")
    # A line in the plain style of written text is a sentence: pages do not use it about themselves.
    short = [
        i
        for i, line in enumerate(lines)
        if line and len(line) <= max_chars and (not line.endswith("다.") or line.endswith("니다."))
    ]
    reasons = _explain_lines(lines, short)
    return _build_edits(lines, reasons) if reasons else ()


def _match_rule(line: str, words: set[str]) -> tuple[int, str]:
    """Return strength and name of the first rule that matches a line with these rule words, or (0, "")."""
    plain = _replace_surrogates(line.strip())
    asked = sorted({number for word in words for number in _BY_WORD[word]})
    found = next((_RULES[number][0] for number in asked if _RULES[number][1].fullmatch(plain)), _NONE)
    if found[1] == "pages":  # figures that count up: 1 2 3, and not 1 1 2 3 5
        figures = [int(word) for word in plain.split() if word.isdecimal()]
        return found if all(b == a + 1 for a, b in pairwise(figures)) else _NONE
    return found


def _replace_surrogates(line: str) -> str:
    return line.encode("utf-8", "replace").decode()  # neither search accepts lone surrogates


def _explain_lines(lines: list[str], short: list[int]) -> dict[int, str]:
    """Map the number of each line to remove to the name of its rule."""
    parts = [lines[i] for i in short]
    ends = list(accumulate(len(part) + 1 for part in parts))
    hits: dict[int, set[str]] = {}  # the rule words of a line
    for word, start, _ in _GATE.find_matches_as_indexes(_replace_surrogates("\n".join(parts)), True):
        hits.setdefault(short[bisect_right(ends, start)], set()).add(_WORDS[word])
    # a page may repeat one line many times
    names = {line: _match_rule(line, words) for line, words in {lines[i]: words for i, words in hits.items()}.items()}
    found = {i: names[lines[i]] for i in hits if names[lines[i]][1]}
    for i in short:
        if i not in found and len(lines[i]) <= _BUTTON_CHARS and "".join(lines[i].split()) in BUTTONS:
            found[i] = (WEAK, "share-buttons")
    if not found or (len(found) == 1 and max(found.values())[0] < WEAK):
        return {}
    fields = {
        line
        for line in {lines[i] for i in short}
        if len(line) <= _FIELD_CHARS and _FIELD.fullmatch(_replace_surrogates(line.strip())) is not None
    }
    found |= {i: (FIELD, "share-buttons") for i in short if i not in found and lines[i] in fields}
    written = [i for i, line in enumerate(lines) if line and not line.isspace()]
    going = (
        run
        for run in _find_runs(written, found)
        if _is_removable(run, found, run[0] == written[0], run[-1] == written[-1])
    )
    return {i: found[i][1] for run in going for i in run}


def _find_runs(written: list[int], found: dict[int, tuple[int, str]]) -> Iterator[list[int]]:
    """Yield the longest runs of boilerplate lines; a contact (▷ 전화 : …) joins a run only next to a call for tips."""
    for known, group in groupby(written, found.__contains__):
        if not known:
            continue
        run = list(group)
        if any(found[i][1] == "tips" and found[i][0] != CONTACT for i in run):
            yield run
        else:
            yield from (list(part) for other, part in groupby(run, lambda i: found[i][0] != CONTACT) if other)


def _is_removable(run: list[int], found: dict[int, tuple[int, str]], head: bool, tail: bool) -> bool:
    """Whether a run of boilerplate lines is removed; see `mend`."""
    rules = [found[i] for i in run]
    strongest, name = max(rules)
    if strongest == SURE:
        return True
    if head or tail:
        # a copyright notice never opens a page; a headline may read like one
        alone = strongest == EDGE and (tail or name != "copyright-tail")
        return alone or (len(run) > 1 and strongest >= WEAK)
    weak = sum(strength >= WEAK for strength, _ in rules)
    return len({name for _, name in rules}) > 1 and (weak >= _INNER_RUN or strongest == EDGE)


def _build_edits(lines: list[str], reasons: dict[int, str]) -> Edits:
    edits: list[Edit] = []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    length = starts[-1] - 1
    end_of_kept = 0  # end of the text that is kept, without its line break
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
            start = end_of_kept  # nothing follows: remove the line breaks before it too
        elif end_of_kept and lines[first - 1].strip() and not lines[i - 1].strip():
            stop = starts[i] - 1  # keep the surrounding paragraphs separate
        edits.append(Edit(start, stop, "", reasons[first]))
    return tuple(edits)
