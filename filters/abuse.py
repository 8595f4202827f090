"""Label hate speech and abuse; drop it only if a recipe says so, because that decision is the reader's.

Many words that look like a swear word are false positives (시발점, 새끼손가락, 병신년), a dictionary or a verdict only
cites a slur, and much abuse has no swear word. So a linear model decides by sentence: over character n-grams, the
morphemes of Kiwi, and the parts of the terms that a closed list finds. `benchmarks.train_abuse` trains it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeAlias

from filters.korean import ngram_model
from filters.korean.term_lists import MOST_CHARS, MOST_HITS, Term, load, load_finder, to_search_form
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Limit, Share

VERSION = 2
LIBRARIES = ("ahocorasick_rs", "google-re2", "numpy")
NEEDS = ("morphology",)
LIMITS = (Limit("abuse", "max_share", "max", "abuse"),)  # drops only if a recipe sets `drop`

Hit: TypeAlias = tuple[int, int, Term]  # start, end, term

TERMS = load(Path(__file__).parent / "lexicons" / "abuse_terms.txt")
MODEL = Path(__file__).parent / "lexicons" / "abuse.model"
# Score above which a sentence is abusive: by leave-one-writer-out 0.83 of the abusive comments are above it, and 0.01
# of the clean ones.
THRESHOLD = 0.5
SPOKEN = ("swear", "slur", "scorn", "mild", "contempt")
COMMENT = 160  # code points; a text up to here is a remark and judged as a whole, and without any term too
LONGEST = 1_000  # code points of a sentence; a longer one is cut
_SIGNS = {
    kind: chr(0x4E01 + at)  # a sign that no Korean comment has, for each kind of term
    for at, kind in enumerate((*SPOKEN, "group", "cite", "tell", "self"))
}
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

    Measure `abuse`: the share of sentences that the model calls abusive. A text above the threshold `max_share` is
    labelled: "hate" if sentences with a slur, or with scorn or contempt beside the name of a group (gender, age,
    origin, religion, sexuality, disability, politics), fill more than half of `max_share`, else "offensive". So one
    swear word in a story does not label the text. A text of up to 160 code points is one sentence.

    Cited words do not count: those inside quotation marks in a longer sentence, or next to words of explanation or
    report. `drop = "hate"` drops texts labelled "hate"; `"offensive"` drops both. Raises CallError if `morphology` has
    not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'abuse' needs morphemes, but the document has none; "
            "put 'morphology' before 'abuse' in the recipe"
        )
    found = measure(doc.text, doc.morphemes)
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


def measure(text: str, morphemes: Morphemes) -> Abuse:
    """Return the shares of abusive and of hateful sentences in `text`."""
    text = text[:MOST_CHARS]
    remark = len(text) <= COMMENT
    if not remark and not _GATE.any(to_search_form(text)):
        return Abuse()
    sentences = offensive = hate = hits = 0
    for start, end in ((0, len(text)),) if remark else _find_sentences(text):
        sentences += 1
        sentence = to_search_form(text[start:end])
        if hits >= MOST_HITS or not (remark or _GATE.any(sentence)):
            continue
        found = tuple(islice(_FIND.all(sentence), MOST_HITS))
        hits += len(found)
        said = _label_sentence(sentence, found, _list_forms(morphemes, start, end))
        offensive += said != ""
        hate += said == "hate"
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


def _list_forms(morphemes: Morphemes, start: int, end: int) -> list[str]:
    """List the morphemes of [start, end) that carry meaning: nouns, verbs, adverbs, words in other scripts."""
    first, last = bisect_left(morphemes.start, start), bisect_left(morphemes.start, end)
    rows = zip(morphemes.form[first:last], morphemes.tag[first:last], strict=True)
    return [form + tag[0] for form, tag in rows if tag[0] in "NVXM"]


def score_sentence(sentence: str, hits: Sequence[Hit], forms: Sequence[str]) -> float:
    """Score a sentence in search form with its terms and morphemes: above THRESHOLD it is abusive."""
    return ngram_model.score(ngram_model.load(MODEL), spell_features(sentence, hits, forms))


def spell_features(sentence: str, hits: Sequence[Hit], forms: Sequence[str]) -> str:
    """Spell what the model reads: the sentence, a sign for each term, and the morphemes."""
    signs = " ".join([_SIGNS[term.kind] for *_, term in hits if term.kind in _SIGNS])
    return f"{sentence}\n{signs}\n{' '.join(forms)}"


def leave_out_cited(sentence: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Leave out the terms inside quotation marks in a longer sentence."""
    cited = [span.span() for span in _QUOTED.finditer(sentence) if len(sentence) - len(span.group()) > _AROUND]
    kept = []
    for hit in hits:
        at = bisect_right(cited, (hit[0], len(cited) and cited[-1][1])) - 1
        if at < 0 or hit[1] > cited[at][1]:  # `cited` is sorted
            kept.append(hit)
    return tuple(kept)


def _label_sentence(sentence: str, hits: Sequence[Hit], forms: Sequence[str]) -> str:
    """Label one sentence: "hate", "offensive" or ""."""
    if any(term.kind == "cite" for *_, term in hits):
        return ""
    hits = leave_out_cited(sentence, hits)
    if score_sentence(sentence, hits, forms) <= THRESHOLD:
        return ""
    kinds = [term.kind for *_, term in hits]
    # The whole group is meant: 여자들은, 여자는, but not 못생긴 남자를 좋아하는 여자가.
    groups = [
        (start, end, term)
        for start, end, term in hits
        if term.kind == "group"
        and (term.family != "gender" or term.text.endswith(_OF_ALL) or sentence.startswith(_OF_ALL, end))
    ]
    plural = any(sentence.startswith("들", end) or term.text.endswith("들") for _, end, term in groups)
    despised = "scorn" in kinds or "contempt" in kinds or (plural and "mild" in kinds)
    return "hate" if "slur" in kinds or (groups and despised) else "offensive"
