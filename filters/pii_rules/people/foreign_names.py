"""Names in other scripts or with spaced syllables, names of foreigners, repeated names, and names in table columns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.people import name_context as context
from filters.pii_rules.people import name_patterns as forms
from filters.pii_rules.people import name_values as values
from filters.pii_rules.people.neighbourhood import REACH, Page, score_adjacency
from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import BARE, GIVEN, is_noun, is_particle, score_name
from filters.pii_rules.text.table_columns import find_neighbours

_LEAST: Final = 3.0  # threshold for a name with blanks between its syllables
AGAIN: Final = 64  # names of a text that are searched again; bounds the work
_PAPERS: Final = frozenset(("passport", "frn"))
_NO_NAME_LAST: Final = frozenset("은는을를의에신한된할")
_FOREIGN: Final = re2.compile(
    "(?:^|[|,;:(\t/.]|국적|[가-힣](?:인|자)|  )[ 0-9.]*([가-힣]{2,7}(?: [가-힣]{2,7})?)"
    "[ ,/|(\t:]*(?:(?:외국인)?등록번호|여권(?:번호)?|거소신고번호)?[ :(|,]*$"
)


def find_repeated_names(text: str, names: Sequence[Match]) -> Iterator[Match]:
    """Find repeats of the names in `text`, of at least three syllables: one identified mention identifies all.

    >>> text = "홍길동 010-0000-1234. 홍길동은 쉽니다."
    >>> [f.start for f in find_repeated_names(text, [Match(0, 3, "name", 1.0, "")])]
    [19]
    """
    values = [text[f.start : min(f.end, f.start + 5)] for f in names[:AGAIN]]
    yield from find_names_elsewhere(text, values, {f.start for f in names})


def find_names_elsewhere(text: str, values: Iterable[str], known: Collection[int]) -> Iterator[Match]:
    """Find names in `text` except at the offsets `known`; skips officials, allows a particle after the name."""
    for name in dict.fromkeys(values):
        if len(name) not in (3, 4) or score_name(name)[0] != len(name) or score_name(name)[1] < BARE:
            continue
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            if at not in known and not is_hangul(text[at - 1 : at]) and not context.is_public(text, at, end):
                stop = end
                while stop < end + 7 and is_hangul(text[stop : stop + 1]):
                    stop += 1
                if is_particle(text[end:stop]):
                    yield Match(at, end, "name", 0.75, f"told elsewhere in the text; {len(name)} characters")
            at = text.find(name, end)


def find_names_in_other_scripts(page: Page, first: int, part: str, coded: bytes) -> Iterator[Match]:
    """Find names in Latin letters, in Chinese characters or with spaced syllables, next to an identifier."""
    text = page.text
    for start, end in matches(forms.OTHERWISE, part, coded):
        start += not (part[start].isupper() or is_hangul(part[start]) or part[start] in forms.HAN)
        value = part[start:end]
        start, end = first + start, first + end
        if values.is_spaced(value):
            if len(value.split()) > 3 or len(value.split()[0]) > 1:  # 부 홍 길 동
                cut = len(value) - len(value.split(maxsplit=1)[1])
                start, value = start + cut, value[cut:]
            fits = values.score_spaced_name(value) >= _LEAST and values.is_whole(text, end, value)
        elif value[0] in forms.HAN:
            fits = not any("\u4e00" <= c <= "\u9fff" for c in (text[start - 1 : start], text[end : end + 1]))
        else:
            words = value.replace("-", " ").split()
            fits = any(w.upper() in forms.ROMANIZED for w in (words[0], words[-1]))
        at = bisect_left(page.starts, end)
        if not fits and value.isupper() and not forms.ON_PASSPORTS.intersection(value.split()):
            fits = any(a.kind in _PAPERS for a in page.anchors[max(0, at - 1) : at + 1])
        if not fits or context.is_public(text, start, end):
            continue
        if score_adjacency(page, start, context.find_end_with_hanja(text, end), at):
            yield Match(start, end, "name", 0.8, f"beside an identifier; {end - start} characters")


def find_foreigner_names(page: Page) -> Iterator[Match]:
    """Find the holder of a foreigner number: one or two words before the number and its label, no form words."""
    for i, anchor in enumerate(page.anchors):
        if anchor.kind != "frn":
            continue
        first = max(page.anchors[i - 1].end if i else 0, anchor.start - REACH)
        line = page.text[first : anchor.start].rpartition("\n")[2]
        words = _FOREIGN.search(line.encode())
        if words is None:
            continue
        value = words.group(1).decode()
        if any(is_noun(word) or word[-1] in _NO_NAME_LAST or context.is_label(word) for word in value.split()):
            continue
        start = anchor.start - len(line) + len(line.encode()[: words.start(1)].decode())
        yield Match(
            start, start + len(value), "name", 0.75, f"before the papers of a foreigner; {len(value)} characters"
        )


def find_names_in_same_column(page: Page, start: int, end: int) -> Iterator[Match]:
    """Find names in the cells above and below a name in a table without headings, if their row has an identifier."""
    text = page.text
    for first, stop in find_neighbours(text, start, end):
        value = text[first:stop]
        known = 2 <= len(value) <= 4 and value.isalpha() and all(map(is_hangul, value))
        if not known or (is_noun(value) and value not in GIVEN):
            continue
        line, last = text.rfind("\n", 0, first) + 1, text.find("\n", stop)
        at = bisect_left(page.starts, line)
        if at < len(page.starts) and (last < 0 or page.starts[at] < last):
            yield Match(first, stop, "name", 0.75, f"in the column of a name; {stop - first} characters")
