"""Label hate speech and abuse; drop it only if a recipe says so, because that decision is the reader's.

Many words that look like a swear word are false positives (시발점, 새끼손가락, 병신년), and a dictionary or a verdict
only cites a slur. So the filter reads terms sentence by sentence, together with the words that excuse them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from filters.lexicons.term_lists import MOST_CHARS, MOST_HITS, Term, load, load_finder, to_search_form
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Share
from malmoi.threshold import Limit

VERSION = 1
LIBRARIES = ("ahocorasick_rs", "google-re2")
LIMITS = (Limit("abuse", "max_share", "max", "abuse"),)  # drops only if a recipe sets `drop`

TERMS = load(Path(__file__).parent / "lexicons" / "abuse_terms.txt")
SPOKEN = ("swear", "slur", "scorn", "mild", "contempt")
SHORT = 80  # code points; in so short a remark one word is enough for scorn (our choice: two lines of a comment)
LONGEST = 1_000  # code points of a sentence; a longer one is cut
_STOP = re.compile(r"[.!?…]+(?=\s|\Z)|\n|\Z")
_QUOTED = re.compile(r"[‘'“\"「『《<][^\n’'”\"」』》>]{1,30}[’'”\"」』》>]")
_OF_ALL = ("들", "은", "는", "이란", "란", "년", "놈", "새끼")
_AROUND = 8  # code points outside a quotation from which its words are cited


def _build_pattern(text: str) -> str:
    """Allow digits and signs between two syllables (시1발, 씨.발), and a blank only where the term has one."""
    letters = text.replace(" ", "")
    if not re.fullmatch("[가-힣]{2,4}", letters):
        return "".join(" ?" if c == " " else re.escape(c) for c in text)
    return "[0-9!@#^*~._/-]?".join(letters) if letters == text else "[ 0-9!@#^*~._/-]?".join(text.split(" "))


_FIND = load_finder(TERMS, _build_pattern)
_GATE = load_finder(tuple(term for term in TERMS if term.kind in SPOKEN), _build_pattern)


@dataclass(frozen=True, slots=True)
class Abuse:
    """The shares of abusive sentences, and of sentences that abuse a group."""

    share: float = 0.0
    hate: float = 0.0


def judge(doc: Document, *, max_share: Share = 0.1, drop: Literal["none", "hate", "offensive"] = "none") -> Verdict:
    """Label `abuse`: "hate", "offensive" or "" by the share of abusive sentences; reason `abuse` if dropped.

    Measure `abuse`: the share of sentences with a swear word, a slur, or scorn or contempt next to the name of a
    group. A text above the threshold `max_share` is labelled: "hate" if slurs and contempt for people by gender, age,
    origin, religion, sexuality, disability or politics alone fill more than half of `max_share`, else "offensive". So
    one swear word in a story does not label the text.

    Cited words do not count: those inside quotation marks in a longer sentence, or next to words of explanation or
    report. `drop = "hate"` drops texts labelled "hate"; `"offensive"` drops both.
    """
    found = measure(doc.text)
    share = round(found.share, 4)
    label = ""
    if share > max_share:
        label = "hate" if found.hate > max_share / 2 else "offensive"
    drops = label != "" and drop in (label, "offensive")
    return Verdict(
        "drop" if drops else "keep",
        "abuse" if label else "no-abuse",
        measured=share,
        limit=max_share,
        labels=(("abuse", label),),
        measures=(("abuse", share),),
    )


def measure(text: str) -> Abuse:
    """Return the shares of abusive and of hateful sentences in `text`.

    >>> measure("이 정책의 시발점은 어디인가? 새끼 고양이가 운다.")
    Abuse(share=0.0, hate=0.0)
    """
    text = to_search_form(text[:MOST_CHARS])
    if not _GATE.any(text):
        return Abuse()
    hits = tuple(islice(_FIND.all(text), MOST_HITS))
    if len(hits) == MOST_HITS:
        text = text[: hits[-1][1]]
    short = len(text) <= SHORT
    sentences = offensive = hate = at = 0
    for start, end in _find_sentences(text):
        first = at
        while at < len(hits) and hits[at][0] < end:
            at += 1
        sentences += 1
        said = _label_sentence(text, start, end, hits[first:at], short)
        offensive += said != ""
        hate += said == "hate"
    if short and not offensive and _count_abusive_words(hits) > 1:
        return Abuse(1.0, 0.0)
    return Abuse(offensive / sentences, hate / sentences) if sentences else Abuse()


def _find_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans between stop marks or line breaks that hold more than signs."""
    start = 0
    for stop in _STOP.finditer(text):
        while start < stop.end():
            end = min(stop.end(), start + LONGEST)
            if len(text[start:end].strip(" .!?…\n")) > 1:
                yield start, end
            start = end


def _label_sentence(text: str, start: int, end: int, hits: tuple[tuple[int, int, Term], ...], short: bool) -> str:
    """Label one sentence: "hate", "offensive" or ""."""
    kinds = {term.kind for *_, term in hits}
    if not kinds & set(SPOKEN) or "cite" in kinds:
        return ""
    cited = [span.span() for span in _QUOTED.finditer(text, start, end) if end - start - len(span.group()) > _AROUND]
    hits = tuple(hit for hit in hits if not _is_inside(hit[0], hit[1], cited))
    found = {kind: sum(1 for *_, term in hits if term.kind == kind) for kind in kinds}
    if "tell" in kinds and found.get("swear", 0) + found.get("slur", 0) < 2:
        return ""
    scorn = found.get("scorn", 0) + found.get("mild", 0)
    if "self" in kinds and not found.get("swear") and not found.get("slur") and scorn < 2:
        return ""  # 내가 한심하다
    groups = [hit for hit in hits if hit[2].kind == "group" and _is_about_group(text, hit)]
    plural = any(text.startswith("들", end) or term.text.endswith("들") for _, end, term in groups)
    if found.get("slur") or (groups and (found.get("scorn") or found.get("contempt") or (plural and scorn))):
        return "hate"
    if found.get("swear") or scorn > 1 or (short and found.get("scorn")):
        return "offensive"
    return ""


def _is_inside(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Whether one of the sorted `spans` contains [start, end)."""
    at = bisect_right(spans, (start, len(spans) and spans[-1][1])) - 1
    return at >= 0 and end <= spans[at][1]


def _is_about_group(text: str, hit: tuple[int, int, Term]) -> bool:
    """Whether the whole group is meant: 여자들은, 여자는, but not 못생긴 남자를 좋아하는 여자가."""
    _, end, term = hit
    return term.family != "gender" or term.text.endswith(_OF_ALL) or text.startswith(_OF_ALL, end)


def _count_abusive_words(hits: tuple[tuple[int, int, Term], ...]) -> int:
    """Count scornful and mild words in a whole short text; 0 if it cites anything."""
    if any(term.kind in ("cite", "tell") for *_, term in hits):
        return 0
    return sum(1 for *_, term in hits if term.kind in ("scorn", "mild"))
