"""Names of persons that are private in their text.

The tagger (`name_tagger`) recognises names. The evidence around a name (`name_evidence`) and that of its block (its
words, the kinds of documents that they belong to, its shape) decide whether it is private, by weights learned from
texts with marked private names. The tagger reads only blocks and lines that may contain a private name.
`private_names.toml` holds the weights, `document_kinds.toml` words of each kind of document;
`docs/person-name-model.md` describes training and limits.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, Final, NamedTuple

import re2
from ahocorasick_rs import AhoCorasick, Implementation

from filters.pii_rules import name_evidence as context
from filters.pii_rules.candidate import Match
from filters.pii_rules.digit_runs import contains, matches
from filters.pii_rules.labels import find_cells
from filters.pii_rules.name_evidence import AROUND, LINE, PUBLIC, Page, is_of_person
from filters.pii_rules.name_features import SPACED, SPLIT, Excerpt, Piece
from filters.pii_rules.name_tagger import Name, tag_batch
from malmoi.document import Morphemes
from malmoi.prefilter import build_set

# A masked number or address no longer identifies a person itself, but still identifies the name next to it.
_MASKED: Final = re2.compile(
    "01[016789][ .-]?(?:[0-9]{1,4}[*]|[0-9]{3,4}[ .-]?[0-9]{0,3}[*]|[*]{2,4}[ .-]?[0-9]{2})[0-9*-]*|"
    "[A-Za-z0-9._-]+[*]{2,}[A-Za-z0-9*]*@[A-Za-z0-9*.-]+"
)
_BLANK: Final = f"[{context.BLANKS}]"
_ROLES: Final = "|".join(f"{_BLANK}*".join(word) for word in sorted(context.PRIVATE_ROLES | context.FIELDS))
# A role or a field, and a name behind it: 신 청 인 : 홍길동.
ROLE: Final = re2.compile(
    f"(?:{_ROLES}|실종된)(?:명|{_BLANK}?(?:성명|이름|성함|인적사항))?[은는이가]?"
    f"(?:{_BLANK}?[(（][가-힣\u4e00-\u9fff]{{2,6}}[)）])?(?:</?[a-z]{{1,6}}>|[^가-힣A-Za-z\u4e00-\u9fff]){{1,8}}"
    "[가-힣A-Z\u4e00-\u9fff]"
)
_CONTACTS: Final = (
    "연락처|전화|휴대|핸드폰|생년월일|주민|계좌|주소|이메일|차량|여권|면허|카드|[Pp]hone|[Ee]-?mail|tel|TEL"
)
_NAMES: Final = "성명|이름|성함|예금주|세대주|[Nn]ame|NAME|회원명|고객명|환자명|신청인|받는 ?(?:이|분|사람)"
_TABLE_HEAD: Final = re2.compile(
    f"(?:{_NAMES})[\"']?{_BLANK}?[|,;\t][^\n]*(?:{_CONTACTS})|(?:{_CONTACTS})[^\n]*[|,;\t]{_BLANK}?[\"']?(?:{_NAMES})"
)
_OFFICE_HEAD: Final = re2.compile("직위|직급|직책|직함|보직|부서")
_HEADING: Final = re2.compile(
    "(?:" + "|".join(sorted(context.ROLES | context.FIELDS | context.FORM_LABELS)) + "|받는 ?분|영문 ?성?명)명?"
)
_GATE_BYTES: Final = 16 << 20  # memory for the states of the automaton of `ROLE` and `_TABLE_HEAD`
_BATCH: Final = 1 << 16  # code points that the tagger reads at once; bounds the memory
_REACH: Final = 40  # code points around an identifier that the tagger reads, to the line ends
_OPEN: Final = -30  # tenths of a block from which the tagger reads it whole
LEAST: Final = -1.5  # score from which the tagger asks whether a candidate is private
_NOTHING: Final = -1_000  # tenths: against all evidence
_SURE: Final = 20  # tenths of evidence of a private name that is searched again in the text
_AGAIN: Final = 0.0  # least score of a private name that is searched again in the text


class Text(NamedTuple):
    """A text, its UTF-8 form, the identifiers in it, and an analysis of it, which is further evidence.

    `document` is false for a title, an author or an address, in which only roles, fields and identifiers are reasons.
    """

    text: str
    data: bytes
    found: Sequence[Match]
    morphemes: Morphemes | None = None
    document: bool = True


class _Opened(NamedTuple):
    """Evidence in a text that is collected before the tagger reads `pieces` of it."""

    anchors: Sequence[Match]
    blocks: Sequence[Block]
    cells: Sequence[tuple[int, int]]
    pieces: Sequence[Piece]


def find_person_names(texts: Sequence[Text]) -> list[list[Match]]:
    """Find the names of private persons in each text, in no order. The texts beside a text change nothing.

    Takes time linear in the length of the texts.

    >>> text = "환자 홍길동 010-0000-1234"
    >>> (found,) = find_person_names([Text(text, text.encode(), [Match(7, 20, "phone", 1, "")])])
    >>> [text[f.start : f.end] for f in found]
    ['홍길동']
    """
    opened = [_open_text(*one[:3]) for one in texts]
    read = [i for i, one in enumerate(opened) if one.pieces]
    found: list[list[Match]] = [[] for _ in texts]
    batches, size = list[list[int]](), 0  # of bounded size; a longer text is a batch of its own
    for i in read:
        more = sum(end - start for start, end in opened[i].pieces)
        if not batches or size + more > _BATCH:
            batches.append([])
            size = 0
        batches[-1].append(i)
        size += more
    for batch in batches:
        excerpts = [Excerpt(texts[i].text, opened[i].pieces, texts[i].morphemes) for i in batch]
        for i, names in zip(batch, tag_batch(excerpts, least=LEAST), strict=True):
            found[i] = list(_find_private(texts[i], opened[i], names))
    return found


def _open_text(text: str, data: bytes, found: Sequence[Match]) -> _Opened:
    privacy = load_privacy_model()
    anchors = find_anchors(text, data, found)
    blocks = privacy.read_blocks(text)
    hits = _build_gate().Match(data) or ()
    cells = list(_find_name_cells(text, data, anchors, contacts=1 in hits))
    ranges = [(block.start, block.end) for block in blocks if block.opening >= _OPEN]
    ranges += [_extend_to_lines(text, start, end) for start, end in cells]
    if 0 in hits:
        ranges += [_extend_to_lines(text, start, end + _REACH) for start, end in matches(ROLE, text, data)]
    for anchor in anchors:
        reach = AROUND if is_of_person(anchor, text) else _REACH
        ranges.append(_extend_to_lines(text, anchor.start - reach, anchor.end + reach))
    pieces: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if pieces and start <= pieces[-1][1]:
            pieces[-1] = pieces[-1][0], max(end, pieces[-1][1])
        else:
            pieces.append((start, end))
    return _Opened(anchors, blocks, cells, pieces)


@cache
def _build_gate() -> re2.Set:
    """Build the set that says whether `ROLE` or a heading of names and contacts occurs in a text."""
    return build_set([ROLE.pattern, _TABLE_HEAD.pattern], _GATE_BYTES)


def _find_private(one: Text, opened: _Opened, names: Sequence[Name]) -> Iterator[Match]:
    """Yield the private names, and further occurrences of those with three syllables and more."""
    text, privacy, starts = one.text, load_privacy_model(), [block.start for block in opened.blocks]
    page = Page(text, opened.anchors, names, opened.cells)
    judged: list[_Judged] = []
    for i, name in enumerate(names):
        block = opened.blocks[bisect_right(starts, name.start) - 1]
        judged.append(_judge_name(page, i, privacy, block.weight if one.document else _NOTHING))
    marked: list[tuple[int, int]] = []
    for name, (why, weight, _) in zip(names, _vote_in_rows(page, judged), strict=True):
        if (why or weight > 0) and not context.is_no_name(text, name.start, name.end):
            end = name.end if name.type in (SPLIT, SPACED) else context.find_end_with_hanja(text, name.end)
            if name.score >= _AGAIN and (why or weight >= _SURE):
                marked.append((name.start, end))
            why = why or f"evidence sums to {weight / 10}"
            yield Match(name.start, end, "name", 0.85, f"{why}; {end - name.start} characters")
    again = [text[start:end] for start, end in marked[: context.AGAIN]]
    yield from context.find_names_elsewhere(text, again, {start for start, _ in marked})


class _Judged(NamedTuple):
    """The reason for a name being private that suffices, the weight of its evidence, and whether it may vote."""

    why: str
    weight: int
    votes: bool


def _judge_name(page: Page, i: int, privacy: PrivacyModel, block: int) -> _Judged:
    name, evidence = page.names[i], page.read_evidence(i)
    if not PUBLIC.isdisjoint(evidence) or page.is_short_name(i):
        return _Judged("", _NOTHING, votes=False)
    why = page.find_reason(name, evidence)
    apart = name.type in (SPLIT, SPACED)
    if not why and apart and context.is_in_heading(page.text, name.start, name.end):
        return _Judged("", _NOTHING, votes=False)
    return _Judged(why, privacy.weigh(evidence) + block, name.score >= _AGAIN)


def _vote_in_rows(page: Page, judged: list[_Judged]) -> list[_Judged]:
    """Give the names of a row one judgement: a reason of one of them, or else the mean of their weights."""
    first = 0
    for last in range(1, len(judged) + 1):
        together = last < len(judged) and judged[last - 1].votes and judged[last].votes
        if together and page.is_in_row(page.names[last - 1], page.names[last]):
            continue  # only marks and conjunctions separate them
        if last - first > 1:
            row = judged[first:last]
            why = "beside another name" if any(one.why for one in row) else ""
            weight = sum(one.weight for one in row) // len(row)
            judged[first:last] = [_Judged(one.why or why, weight, votes=True) for one in row]
        first = last
    return judged


def find_anchors(text: str, data: bytes, found: Iterable[Match]) -> list[Match]:
    """Return the identifiers that may belong to a name, masked ones included, in order."""
    anchors = [f for f in found if f.kind != "name"]
    if "*" in text:
        anchors += (Match(*at, "phone", 0.5, "masked") for at in matches(_MASKED, text, data))
    return sorted(anchors, key=lambda f: f.start)


def _find_name_cells(text: str, data: bytes, anchors: Sequence[Match], *, contacts: bool) -> Iterator[tuple[int, int]]:
    """Find the cells below 성명, 예금주 … in tables with identifiers, or with a heading of `contacts`."""
    if "\n" not in text or not (anchors or contacts):
        return
    starts = [a.start for a in anchors]
    for start, end in sorted(find_cells(text, data, _HEADING)):
        line = text.rfind("\n", max(0, start - LINE), start) + 1
        stop = text.find("\n", end, end + LINE)
        stop = stop if stop >= 0 else min(len(text), end + LINE)
        at = bisect_left(starts, line)
        if at < len(starts) and starts[at] <= stop + 1:
            yield start, end
    if contacts:
        yield from find_cells(
            text, data, _HEADING, lambda h: contains(_TABLE_HEAD, h) and not contains(_OFFICE_HEAD, h)
        )


def _extend_to_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend a range to whole lines, or by 160 code points to the end of a word."""
    start, end = max(0, start), min(len(text), end)
    first = text.rfind("\n", max(0, start - LINE), start) + 1
    if not first and start > LINE:
        first = text.find(" ", start - LINE, start) + 1 or start
    last = text.find("\n", end, end + LINE)
    if last < 0:
        last = len(text) if end + LINE >= len(text) else max(end, text.rfind(" ", end, end + LINE))
    return first, last


WEIGHTS: Final = Path(__file__).with_name("people") / "private_names.toml"
_ZEROS: Final = repeat(0)  # for evidence without a weight
START: Final = ""  # evidence of every name and of every block


class Block(NamedTuple):
    """A block of a text, in code points, and what its evidence weighs in tenths: for its names, and for reading it."""

    start: int
    end: int
    weight: int
    opening: int


def rate_opening(opening: int) -> str:
    """Return how likely a block has private names, as evidence for its names: in steps of 5 tenths.

    >>> rate_opening(-12), rate_opening(300)
    ('block -3', 'block 6')
    """
    return f"block {max(-7, min(6, opening // 5))}"


class PrivacyModel:
    """Weighs the evidence of names and of blocks."""

    def __init__(self, names: Mapping[str, int], blocks: Mapping[str, int]) -> None:
        self.names, self.blocks = names, blocks
        self.finder = WordFinder({e.removeprefix(WORD) for e in (*names, *blocks) if e.startswith(WORD)})
        self.words = {e.removeprefix(WORD): weight for e, weight in names.items() if e.startswith(WORD)}
        self.opening_words = {e.removeprefix(WORD): weight for e, weight in blocks.items() if e.startswith(WORD)}

    def weigh(self, evidence: Iterable[str]) -> int:
        """Return the sum of the weights of evidence for a name, in tenths."""
        return sum(map(self.names.get, evidence, _ZEROS))

    def read_blocks(self, text: str) -> list[Block]:
        """Return the blocks of `text` with their weights."""
        return [self._read_block(text, start, end) for start, end in split_blocks(text)]

    def _read_block(self, text: str, start: int, end: int) -> Block:
        part = text[start:end]
        found = self.finder.find_words(part)
        rest = list(self.finder.read_rest(part, found))
        weight = sum(map(self.words.get, found, _ZEROS)) + self.weigh(rest)
        opening = sum(map(self.opening_words.get, found, _ZEROS)) + sum(map(self.blocks.get, rest, _ZEROS))
        opening += self.blocks.get(START, 0)
        return Block(start, end, weight + self.names.get(rate_opening(opening), 0), opening)


@cache
def load_privacy_model(path: Path = WEIGHTS) -> PrivacyModel:
    """Load the weights from a file with the tables `names` and `blocks`: lines of evidence by weight in tenths."""
    tables = tomllib.loads(path.read_text("utf-8"))
    read = [
        {one: int(tenths) for tenths, lines in tables[name].items() for one in lines.removesuffix("\n").split("\n")}
        for name in ("names", "blocks")
    ]
    return PrivacyModel(*read)


WORD: Final = "word="  # begins the evidence of a word
BLOCK: Final = 900  # code points of a block, to the end of a line
_KINDS: Final = Path(__file__).with_name("people") / "document_kinds.toml"
_MOST: Final = 3  # words of a kind that count
_MARKS: Final = "|:,·/-\t"
_ENDS: Final = ("다.", "요.", "까?", "다\n", "음\n")  # of sentences


class WordFinder:
    """Finds words of documents: those of the kinds, and those that training has chosen."""

    def __init__(self, words: Iterable[str]) -> None:
        owners: dict[str, list[str]] = {word: [] for word in words}
        for kind, entry in read_kinds().items():
            for group in ("strong", "signals"):
                for word in split_words(entry.get(group, "")):
                    owners.setdefault(word, []).append(f"kind={kind} {group}")
        self.kinds = {word: tuple(kinds) for word, kinds in owners.items() if kinds}
        self.finder = AhoCorasick(sorted(owners), implementation=Implementation.DFA)

    def find_words(self, text: str) -> set[str]:
        """Return the words in a block."""
        return set(self.finder.find_matches_as_strings(text, overlapping=True))

    def read_evidence(self, text: str) -> list[str]:
        """Return the evidence of a block: its words, kinds and shape."""
        found = self.find_words(text)
        return [*(WORD + word for word in sorted(found)), *self.read_rest(text, found)]

    def read_rest(self, text: str, found: set[str]) -> Iterator[str]:
        """Yield the evidence of a block besides its words: how many words of each kind it has, and its shape."""
        kinds = Counter(kind for word in self.kinds.keys() & found for kind in self.kinds[word])
        yield from (f"{kind} {min(count, _MOST)}" for kind, count in sorted(kinds.items()))
        size, lines = max(1, len(text)), text.count("\n") + 1
        hangul = (len(text.encode("utf-8", "replace")) - len(text)) // 2
        yield f"lines {min(6, 100 * lines // size)}"
        yield f"length {min(6, size // 150)}"
        yield f"sentences {min(5, 300 * sum(map(text.count, _ENDS)) // size)}"
        yield f"marks {min(5, 30 * sum(map(text.count, _MARKS)) // size)}"
        yield f"hangul {min(4, 5 * hangul // size)}"


@cache
def read_kinds() -> dict[str, dict[str, Any]]:
    """Return the entries of `document_kinds.toml`: words and examples by kind."""
    return tomllib.loads(_KINDS.read_text("utf-8"))


def split_words(words: str) -> list[str]:
    """Return the words of a list; _ is a blank in one of them."""
    return [word.replace("_", " ") for word in words.split()]


def split_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield blocks of whole lines; a longer line is a block, or several, of its own."""
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > BLOCK:
            cut = text.rfind("\n", start, start + BLOCK)
            end = cut + 1 if cut > start else start + BLOCK
        yield start, end
        start = end
