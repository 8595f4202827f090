"""Names of persons that are private in their text: the tagger says what is a name, rules say which name is private.

A name is private in a private role (피해자 …), as the value of a form field, beside another identifier, in a row with
such a name, or in a document of a kind that names private persons (`document_kinds.toml`). Officials with a title,
bylines, authors and public figures keep their names. The tagger reads only lines that a gate opens.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Final, NamedTuple

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.people import document_kinds
from filters.pii_rules.people import name_context as context
from filters.pii_rules.people import name_features as features
from filters.pii_rules.people.document_kinds import Block
from filters.pii_rules.people.name_context import NEAR, Label, is_linked, is_private, read_label
from filters.pii_rules.people.name_features import Excerpt, Piece
from filters.pii_rules.people.name_tagger import Name, tag_batch
from filters.pii_rules.text.digit_runs import ZERO_WIDTH, contains, matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import read_words
from filters.pii_rules.text.table_columns import find_cells
from malmoi.document import Morphemes
from malmoi.prefilter import build_set

_B: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"


def _space(words: Iterable[str]) -> str:
    """Return an alternation of words with optional blanks between the syllables: 신 청 인."""
    return "|".join(f"{_B}*".join(word) for word in sorted(words))


_ROLE: Final = (
    f"(?:{_space(context.PRIVATE_ROLES | context.FIELDS)}|실종된)(?:명|{_B}?(?:성명|이름|성함|인적사항))?[은는이가]?"
    f"(?:{_B}?[(（][가-힣\u4e00-\u9fff]{{2,6}}[)）])?(?:</?[a-z]{{1,6}}>|[^가-힣A-Za-z\u4e00-\u9fff]){{1,8}}"
    "[가-힣A-Z\u4e00-\u9fff]"
)
# A masked number or address no longer identifies a person itself, but still identifies the name next to it.
_MASKED: Final = re2.compile(
    "01[016789][ .-]?(?:[0-9]{1,4}[*]|[0-9]{3,4}[ .-]?[0-9]{0,3}[*]|[*]{2,4}[ .-]?[0-9]{2})[0-9*-]*|"
    "[A-Za-z0-9._-]+[*]{2,}[A-Za-z0-9*]*@[A-Za-z0-9*.-]+"
)
# 성함이 어떻게 되세요? The answer is in the next line, after the speaker.
_ASKED: Final = (
    "(?:성함|성명|예금주|예약자|입금자|이름|영문명|총무|담당자)[^\n]{0,24}"
    "(?:어떻게|알려|말씀|입력|적어|불러|남겨|누구|뭐|[은는]요|으로 떠|부탁|[?？])[^\n]{0,16}\n"
)
_TOLD: Final = f"(?:(?:이름|성함|예금주)[은는이가]|저는?{_B}){_B}?[가-힣]"
_CONTACTS: Final = (
    "연락처|전화|휴대|핸드폰|생년월일|주민|계좌|주소|이메일|차량|여권|면허|카드|[Pp]hone|[Ee]-?mail|tel|TEL"
)
_NAMES: Final = "성명|이름|성함|예금주|세대주|[Nn]ame|NAME|회원명|고객명|환자명|신청인|받는 ?(?:이|분|사람)"
_TABLE: Final = (
    f"(?:{_NAMES})[\"']?{_B}?[|,;\t][^\n]*(?:{_CONTACTS})|(?:{_CONTACTS})[^\n]*[|,;\t]{_B}?[\"']?(?:{_NAMES})"
)
_NAMED: Final = f"(?:이름|성함)(?:{_B}?[:：]|[은이]?{_B})"
_PARTIES: Final = f"갑{_B}[가-힣]{{2}}[^\n]{{0,30}}{_B}을{_B}[가-힣]"  # of a contract
OPEN: Final = tuple(map(re2.compile, (_ROLE, _PARTIES, _ASKED, _TOLD, _NAMED)))
_GATE_BYTES: Final = 16 << 20  # memory for the states of the automaton of `OPEN` and `_TABLE`
_TABLE_HEAD: Final = re2.compile(_TABLE)
_OFFICE_HEAD: Final = re2.compile("직위|직급|직책|직함|보직|부서")
_HEADING: Final = re2.compile(
    "(?:" + "|".join(sorted(context.ROLES | context.FIELDS | context.FORM_LABELS)) + "|받는 ?분|영문 ?성?명)명?"
)
_FORM: Final = re2.compile(f"(?:{_CONTACTS}|나이|생일|성별){_B}?(?:번호)?{_B}?[:：]")
_NUMBER: Final = re2.compile(
    "[0-9０-９][0-9０-９OoＯlI .,()|ㅡ*/_~-]{6,24}[0-9０-９]|"
    "[공영일이삼사오육칠팔구]{3}[^가-힣]?[공영일이삼사오육칠팔구]{3}"
)
_PETS: Final = re2.compile("강아지|고양이|반려|애견|푸들|말티즈|진돗개|믹스견|앵무새")
_PERSONS: Final = ("자", "인", "주", "명", "명의", "객", "님", "생", "원")  # ends of a label before a colon

_BATCH: Final = 1 << 16  # code points that the tagger reads at once; bounds the memory
_REACH: Final = 40  # code points between a name and an identifier of its line
_LINE: Final = 160  # code points of the line of an identifier read on either side
_AROUND: Final = 60  # code points around a field that must contain another form label or a number
_BESIDE: Final = 80  # code points between a field and an identifier of its form
_AROUND_PRIVATE: Final = 400  # code points around an identifier of a private person in which sure names are private
_IN_DOCUMENT: Final = 1.0  # least score of such a name
_FAR: Final = 2_000  # code points before a name in which its office may have been mentioned
_AND: Final = frozenset(
    ("·", ",", "/", "、", "ㆍ", "와", "과", "및", "・", "-", "&", "", "이랑", "하고", "→", "♥", "♡", "|")
)
_FIRMS: Final = ("(주)", "㈜", "(유)", "(사)", "(재)", "회사 ")
_QUARTERS: Final = ("동", "읍", "면", "리", "가")
_OF_PERSONS: Final = frozenset(("rrn", "frn", "passport", "driver_license", "health_insurance"))
_MACHINES: Final = frozenset(("ip", "mac"))
_CONTACT: Final = frozenset(("messenger", "address", "vehicle"))  # a given name beside one may be a speaker
_LIST: Final = 3  # names of a list
_PRIVATE: Final = 0  # tenths that a block must exceed
_CALLED, _LISTED = 8, 8  # tenths of a form of address or a role, and of a list of names
_SURE, _SURER = 20, 0.045  # tenths up to which a name needs less score, by so much for each
_TAIL: Final = 8  # code points behind a name that are read
_TAILS: Final = (*sorted(context.CALLS), *context.words("tails"))  # also of dialects and of cited speech
_SHORT: Final = 0.6  # more score for two syllables without a private identifier beside
_ODD: Final = 0.3  # more score for a name of another form in a document of a kind
_EVIDENCE: Final = _CALLED + _LISTED
_LEFT_OUT: Final = frozenset("모씨某")  # 김모 씨, 김씨
_NOT_FREE: Final = (features.GIVEN, features.WORDS, features.LATIN)  # types that need a field
_OWN: Final = -0.3  # least score behind 성명 and a blank
_AGAIN: Final = 0.0  # least score of a name that is searched again
# Scores of the tagger from which a name is marked for a reason. The surer the reason, the lower.
_LEAST: Final = -1.5
_FIELD, _ROLED, _LINKED, _TIGHT, _IN_LINE, _IN_KIND, _IN_ROW, _COLUMN, _SAID = (
    -1.2, 0.0, -0.1, -0.7, 0.4, 0.5, -0.5, -1.4, -0.5,
)  # fmt: skip


class Text(NamedTuple):
    """A text, its UTF-8 form, the identifiers in it, and an analysis of it, which is further evidence."""

    text: str
    data: bytes
    found: Sequence[Match]
    morphemes: Morphemes | None = None


class _Opened(NamedTuple):
    """What a text has for `_Page`, and the lines that the tagger reads."""

    anchors: Sequence[Match]
    blocks: Sequence[Block]
    cells: Sequence[tuple[int, int]]
    pieces: Sequence[Piece]


def find_person_names(texts: Sequence[Text]) -> list[list[Match]]:
    """Find the names of private persons in each text, in no order. The texts beside a text change nothing.

    Takes time linear in the length of the texts.

    >>> text = "홍길동 010-0000-1234"
    >>> (found,) = find_person_names([Text(text, text.encode(), [Match(4, 17, "phone", 1, "")])])
    >>> [text[f.start : f.end] for f in found]
    ['홍길동']
    """
    opened = [_open_text(*one[:3]) for one in texts]
    read = [i for i, one in enumerate(opened) if one.pieces]
    found: list[list[Match]] = [[] for _ in texts]
    for batch in _split_batch(read, opened):
        excerpts = [Excerpt(texts[i].text, opened[i].pieces, texts[i].morphemes) for i in batch]
        for i, names in zip(batch, tag_batch(excerpts, least=_LEAST), strict=True):
            anchors, blocks, cells, _ = opened[i]
            found[i] = list(_Page(texts[i].text, anchors, blocks, cells, names).find_names())
    return found


def _split_batch(read: Sequence[int], opened: Sequence[_Opened]) -> Iterator[list[int]]:
    """Yield the texts to read in batches of bounded size; a longer text is a batch of its own."""
    batch, size = list[int](), 0
    for i in read:
        more = sum(end - start for start, end in opened[i].pieces)
        if batch and size + more > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(i)
        size += more
    if batch:
        yield batch


def _open_text(text: str, data: bytes, found: Sequence[Match]) -> _Opened:
    anchors = [f for f in found if f.kind != "name"]
    if "*" in text:
        anchors += (Match(*at, "phone", 0.5, "masked") for at in matches(_MASKED, text, data))
    anchors.sort(key=lambda f: f.start)
    blocks = document_kinds.find_blocks(text)
    hits = sorted(_build_gate().Match(data) or ())
    cells = list(_find_name_cells(text, data, anchors, len(OPEN) in hits))
    ranges = [span for i in hits if i < len(OPEN) for span in matches(OPEN[i], text, data)]
    return _Opened(anchors, blocks, cells, _open_lines(text, anchors, blocks, cells, ranges))


@cache
def _build_gate() -> re2.Set:
    """Build the set that says which expressions of `OPEN` match a text, and as the last one `_TABLE`."""
    return build_set([*(pattern.pattern for pattern in OPEN), _TABLE], _GATE_BYTES)


def _open_lines(
    text: str,
    anchors: Sequence[Match],
    blocks: Iterable[Block],
    cells: Iterable[tuple[int, int]],
    fields: Iterable[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Return the ranges that the tagger reads: lines with identifiers, cells, fields and roles, and parts of a kind."""
    reaches = [_AROUND_PRIVATE if _is_of_person(a, text) else _REACH for a in anchors]
    ranges = [_extend_to_lines(text, a.start - reach, a.end + reach) for a, reach in zip(anchors, reaches, strict=True)]
    ranges += [(b.start, b.end) for b in blocks if b.tenths > _PRIVATE - _EVIDENCE]
    ranges += [_extend_to_lines(text, start, end) for start, end in cells]
    ranges += [_extend_to_lines(text, start, end + _REACH) for start, end in fields]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _extend_to_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend a range to whole lines, or by 160 code points to the end of a word."""
    start, end = max(0, start), min(len(text), end)
    first = text.rfind("\n", max(0, start - _LINE), start) + 1
    if not first and start > _LINE:
        first = text.find(" ", start - _LINE, start) + 1 or start
    last = text.find("\n", end, end + _LINE)
    if last < 0:
        last = len(text) if end + _LINE >= len(text) else max(end, text.rfind(" ", end, end + _LINE))
    return first, last


def _find_name_cells(text: str, data: bytes, anchors: Sequence[Match], contacts: bool) -> Iterator[tuple[int, int]]:
    """Find the cells below 성명, 예금주 … in tables with identifiers, or with a heading of `contacts`."""
    if "\n" not in text or not (anchors or contacts):
        return
    starts = [a.start for a in anchors]
    for start, end in sorted(find_cells(text, data, _HEADING)):
        line = text.rfind("\n", max(0, start - _LINE), start) + 1
        stop = text.find("\n", end, end + _LINE)
        stop = stop if stop >= 0 else min(len(text), end + _LINE)
        at = bisect_left(starts, line)
        if at < len(starts) and starts[at] <= stop + 1:
            yield start, end
    if contacts:
        yield from find_cells(
            text, data, _HEADING, lambda h: contains(_TABLE_HEAD, h) and not contains(_OFFICE_HEAD, h)
        )


def _is_of_person(anchor: Match, text: str) -> bool:
    """Whether an identifier shows that a text is about private persons: a mobile, an account, a resident number …"""
    return (
        anchor.kind in _OF_PERSONS
        or anchor.kind in ("account", "birth_date")
        or (anchor.kind == "phone" and is_private(anchor, text))
    )


class _Page:
    """A text with what has been found in it, and the names that are private."""

    def __init__(
        self,
        text: str,
        anchors: Sequence[Match],
        blocks: Sequence[Block],
        cells: Sequence[tuple[int, int]],
        names: Sequence[Name],
    ) -> None:
        self.text, self.anchors, self.blocks, self.names = text, anchors, blocks, names
        self.block_starts = [b.start for b in blocks]
        self.starts = [a.start for a in anchors]
        self.cells = dict(cells)
        self.cell_starts = sorted(self.cells)

    def find_names(self) -> Iterator[Match]:
        """Yield the private names: for a reason of their own, in a row with one, or named again."""
        reasons = [self.explain(name) for name in self.names]
        self._add_rows(reasons)
        marked: list[tuple[int, int]] = []
        for name, reason in zip(self.names, reasons, strict=True):
            if reason and not context.is_sample(self.text, name.start, name.end):
                apart = name.type in (features.SPLIT, features.SPACED)
                end = name.end if apart else context.find_end_with_hanja(self.text, name.end)
                if name.score >= _AGAIN and not reason.startswith("in a document"):
                    marked.append((name.start, end))
                yield Match(name.start, end, "name", 0.85, f"{reason}; {end - name.start} characters")
        again = [self.text[a:b] for a, b in marked[: context.AGAIN]]
        yield from context.find_names_elsewhere(self.text, again, {start for start, _ in marked})

    def explain(self, name: Name) -> str:
        """Return why a name is private, or ""."""
        text, start, end = self.text, name.start, name.end
        if self._is_other(name):
            return ""
        label = read_label(text, start)
        reason = self._explain_field(name, label) or self._explain_link(name, label)
        if reason and self._is_official(name):
            return ""
        if not reason and not context.has_official_rank(text, start, end):
            reason = self._explain_kind(name, label) or self._explain_document(name)
        return "" if reason and context.is_public(text, start, end) else reason

    def _is_official(self, name: Name) -> bool:
        """Whether a rank is next to a name, without a personal identifier."""
        text, start, end = self.text, name.start, name.end
        at = bisect_left(self.starts, end)
        if context.has_office_before(text, start) and not self._has_private(at, at + 1):
            return True
        return context.has_rank(text, start, end) and not self._has_personal(at)

    def _is_other(self, name: Name) -> bool:
        """Whether a range is not a complete name, regardless of its score: 김모, (주)여울담, 제2호서식, a role."""
        text, start, end = self.text, name.start, name.end
        value = text[start:end].replace(" ", "")
        if value.endswith("-"):
            return True  # BEGIN PRIVATE KEY-----
        if self._is_in_heading(end) or (name.type == features.RUN and not self._ends_word(end)):
            return True
        if name.type in (features.SPLIT, features.SPACED) and (value in _NO_NAMES or self._is_part_of_heading(start)):
            return True
        if (len(value) == 2 and value[1] in _LEFT_OUT) or context.is_label(value) or value in context.NO_VALUES:
            return True
        if name.type == features.WORDS and not context.NO_VALUES.isdisjoint(text[start:end].split()):
            return True
        if value[1:] in context.CALLS or contains(_PETS, text[max(0, start - _REACH) : start]):
            return True  # 최기사; 강아지 이름은 …
        if (
            text[start - 1 : start].isdecimal()
            or text[end : end + 1] == "_"
            or (text[end - 1] == "동" and text[end : end + 1].isdecimal())
        ):
            return True
        at = bisect_left(self.starts, end)
        quarter = value.endswith(_QUARTERS) and at > 0 and self.anchors[at - 1].kind == "address"
        if quarter and start - self.anchors[at - 1].end < 3:
            return True
        return text[max(0, start - 3) : start].endswith(_FIRMS)

    def _ends_word(self, end: int) -> bool:
        """Whether a word ends at `end`, or a particle, a form of address or a title follows: not 노인복[지팀]."""
        stop = end
        while stop < end + _TAIL and is_hangul(self.text[stop : stop + 1]):
            stop += 1
        tail = self.text[end:stop]
        return context.is_particle(tail) or tail.startswith(_TAILS)

    def _is_in_heading(self, end: int) -> bool:
        """Whether a cell of names is in the next line, and no number in this one: 사용자 | 장비."""
        at = bisect_left(self.cell_starts, end)
        if at == len(self.cell_starts) or self.text[end : end + 2].lstrip(" ")[:1] not in ("\t", "|"):
            return False
        line = self.text.rfind("\n", end, self.cell_starts[at])
        head = self.text[self.text.rfind("\n", max(0, end - _LINE), end) + 1 : line]
        return line >= 0 and "\n" not in head and not any(map(str.isdecimal, head))

    def _is_part_of_heading(self, start: int) -> bool:
        """Whether a lone syllable, not a label, precedes spaced syllables: 차 [량 번 호]."""
        before = self.text[max(0, start - 6) : start]
        word = before.rstrip(context.BLANKS)
        lone = len(word) < len(before) and is_hangul(word[-1:]) and not is_hangul(word[-2:-1])
        return lone and not context.is_label(read_label(self.text, start).word)

    def _explain_field(self, name: Name, label: Label) -> str:
        """Return the reason of a name that is the value of a field, a cell or an answer, or follows a role."""
        text = self.text
        if name.start in self.cells and name.score >= _COLUMN and self._fills_cell(name):
            return "column of names"
        below = label.mark == "\n"
        own = label.word in context.FIELDS
        if (own or context.is_role_label(text, label)) and not (below and not self._begins_line(label.start)):
            field = own or label.mark == ":"
            least = _FIELD if label.mark in (":", "\n") else _OWN if own else _ROLED
            least += _ODD * (name.type == features.GIVEN and not own)
            if name.score >= least and (field or below or name.type not in _NOT_FREE):
                return f"label {label.word[:5]} before"
        if self._is_form_label(label) and name.score >= _FIELD and self._is_in_form(name, label):
            return "field of a form"
        return self._explain_answer(name, label)

    def _begins_line(self, at: int) -> bool:
        return self.text[max(0, at - 8) : at].rstrip(context.BLANKS)[-1:] in ("", "\n", "|")

    def _fills_cell(self, name: Name) -> bool:
        return self.cells[name.start] <= name.end + 1 or context.is_particle(
            self.text[name.end : self.cells[name.start]]
        )

    def _is_form_label(self, label: Label) -> bool:
        known = label.word in context.FORM_LABELS or label.word.lower() in context.FORM_LABELS
        return known or (label.mark == ":" and len(label.word) > 1 and label.word.endswith(_PERSONS))

    def _is_in_form(self, name: Name, label: Label) -> bool:
        """Whether an identifier or another label of a form is near a field."""
        text = self.text
        at = bisect_left(self.starts, name.end)
        alone = self._begins_line(label.start) and text[name.end : name.end + 1] in ("", "\n", "(", ",")
        if label.mark != " " or label.word in ("이름", "성함") or alone:
            for anchor in self.anchors[max(0, at - 1) : at + 1]:
                if anchor.start - name.end < _BESIDE and name.start - anchor.end < _BESIDE:
                    return text.count("\n", min(anchor.end, name.end), max(anchor.start, name.start)) <= 3
        if label.word not in ("이름", "성함") or label.mark == "":
            return False
        near = text[max(0, label.start - _AROUND) : label.start] + "\n" + text[name.end : name.end + _AROUND]
        return contains(_FORM, near)

    def _explain_answer(self, name: Name, label: Label) -> str:
        """Return the reason of a name in a self-introduction (제 이름은 …), or an answer to a question for it."""
        text = self.text
        line = text.rfind("\n", max(0, name.start - _REACH), name.start)
        if line > 0 and name.score >= _SAID:
            above = text[max(0, line - _AROUND) : line + 1].rpartition("\n")[0].rpartition("\n")[2]
            if contains(_ASK, above + "\n"):
                return "answer to a question"
        own = label.word in ("제이름", "내이름") or text[max(0, name.start - 7) : name.start].startswith(
            ("제 이름", "내 이름")
        )
        if own and name.score >= _SAID:
            return "said by its bearer"
        told = label.word in ("저는", "저", "이름", "성함", "전", "나는") and name.score >= _SAID
        if told and not text[max(0, label.start - 2) : label.start].rstrip().endswith("의"):
            near = text[max(0, name.start - _AROUND) : name.start] + " " + text[name.end : name.end + _AROUND]
            at = bisect_left(self.starts, name.end)
            if contains(_NUMBER, near) or any(a.start < name.end + _AROUND for a in self.anchors[at : at + 1]):
                return "said by its bearer"
        return ""

    def _explain_link(self, name: Name, label: Label) -> str:
        """Return the reason of a name next to an identifier."""
        if not self.anchors:
            return ""
        text, start, end = self.text, name.start, name.end
        if end - start < 3 and text[end : end + 1] in tuple(":：>"):
            return ""  # who speaks in a chat
        at = bisect_left(self.starts, end)
        role = label.word in context.ROLES or context.strip_named(label.word) in context.ROLES
        called = context.has_call_behind(text, end)
        evidence = 0.3 * role + 0.3 * called + name.score - _ODD * (name.type in _NOT_FREE and not (role or called))
        link = self._measure_link(name, at)
        if end - start == 2 and not self._has_private(max(0, at - 1), at + 1):
            evidence -= _SHORT  # 복무 | 041-…: beside the line of a desk, most words of two syllables are tasks
        holder = link > 1 and at > 0 and self.anchors[at - 1].kind == "account" and end - start < 4
        if holder or (link and (evidence >= _LINKED or (link > 1 and evidence >= _TIGHT))):
            return "beside an identifier"
        titled = context.has_title_behind(text, end)
        if evidence + 0.3 * titled < _IN_LINE or context.is_credit(text, end):
            return ""
        first = text.find(text[start:end], max(0, start - _FAR), start)
        if first >= 0 and context.is_public(text, first, first + end - start):
            return ""
        lines = 2 if titled else 1 if text[start - 1 : start] in ("", "\n") or text[end : end + 1] in ("", "\n") else 0
        near = self.anchors[max(0, at - 4) : at + 4]
        return "in the line of an identifier" if any(self._is_near(a, name, lines) for a in near) else ""

    def _is_near(self, anchor: Match, name: Name, lines: int) -> bool:
        """Whether a private identifier is in the line of a name and within reach."""
        speaker = name.type == features.GIVEN and anchor.kind in _CONTACT
        if speaker or not is_private(anchor, self.text) or anchor.kind in ("birth_date", "vehicle"):
            return False
        if anchor.start - name.end > _REACH or name.start - anchor.end > _REACH:
            return False
        return self.text.count("\n", min(anchor.end, name.end), max(anchor.start, name.start)) <= lines

    def _measure_link(self, name: Name, at: int) -> int:
        """Return 2 if only marks or a private identifier make the link, 1 for other links, 0 for none."""
        text, anchors = self.text, self.anchors
        unlinked = _MACHINES | _CONTACT if name.type == features.GIVEN else _MACHINES
        if at < len(anchors) and anchors[at].kind not in unlinked:
            between = text[context.find_end_with_hanja(text, name.end) : anchors[at].start]
            if len(between) <= NEAR and is_linked(between):
                tight = not between.strip(" (<[/,|=:\t·-\"'") or anchors[at].kind in _OF_PERSONS
                return 2 if tight else 1
        if at and anchors[at - 1].kind not in unlinked:
            before = anchors[at - 1]
            between = text[before.end : name.start]
            if 0 < len(between) <= NEAR and is_linked(between):
                quarter = before.kind == "address" and text[name.end - 1] in _QUARTERS
                return 0 if quarter else 2 if before.kind == "account" else 1
        return 0

    def _explain_kind(self, name: Name, label: Label) -> str:
        """Return the reason of a name in a document of a kind that names private persons."""
        at = bisect_right(self.block_starts, name.start) - 1
        if at < 0 or self.blocks[at].end <= name.start:
            return ""
        block = self.blocks[at]
        tenths = block.tenths - document_kinds.read_kinds()[block.kind].get("least", 0)
        if _PRIVATE - _EVIDENCE < tenths <= _PRIVATE:
            tenths += _CALLED * (context.has_call_behind(self.text, name.end) or label.word in context.ROLES)
            tenths += _LISTED * (self._count_names(block) >= _LIST)
        least = _IN_KIND - _SURER * min(_SURE, max(0, tenths)) + _ODD * (name.type in _NOT_FREE)
        return f"in a document of kind {block.kind}" if tenths > _PRIVATE and name.score >= least else ""

    def _explain_document(self, name: Name) -> str:
        """Return the reason of a sure name near an identifier that only a private person has."""
        if name.score < _IN_DOCUMENT or name.type in _NOT_FREE or context.is_credit(self.text, name.end):
            return ""
        if context.has_rank(self.text, name.start, name.end) or context.has_office_before(self.text, name.start):
            return ""
        first = bisect_left(self.starts, name.start - _AROUND_PRIVATE)
        last = bisect_left(self.starts, name.end + _AROUND_PRIVATE)
        near = any(_is_of_person(anchor, self.text) for anchor in self.anchors[first:last])
        return "near an identifier of a private person" if near else ""

    def _count_names(self, block: Block) -> int:
        """Return the number of names in a block of which the tagger is sure."""
        first = bisect_left(self.names, block.start, key=_START)
        last = bisect_left(self.names, block.end, key=_START)
        return sum(name.score >= _IN_KIND for name in self.names[first : min(last, first + 4 * _LIST)])

    def _has_private(self, first: int, last: int) -> bool:
        return any(is_private(a, self.text) for a in self.anchors[first:last])

    def _has_personal(self, at: int) -> bool:
        return any(a.kind == "email" or is_private(a, self.text) for a in self.anchors[max(0, at - 4) : at + 4])

    def _add_rows(self, reasons: list[str]) -> None:
        """Add a reason to names in a row with one that has a reason: 홍길동·김철수 010-0000-1234."""
        names = self.names
        for order in (range(len(names)), range(len(names) - 1, -1, -1)):
            last = -1
            for i in order:
                if not reasons[i] and last >= 0 and self._is_in_row(names[last], names[i]):
                    reasons[i] = "beside another name"
                last = i if reasons[i] else last

    def _is_in_row(self, last: Name, one: Name) -> bool:
        between = self.text[min(last.end, one.end) : max(last.start, one.start)]
        row = len(between) < 12 and between.strip(" \n0123456789.)") in _AND and "\n\n" not in between
        least = _IN_ROW + 2 * _ODD * (one.type in _NOT_FREE) - _ODD * (one.type == features.SPLIT)
        return (
            row
            and one.score >= least
            and not self._is_other(one)
            and not context.is_public(self.text, one.start, one.end)
        )


_ASK: Final = re2.compile(_ASKED)
_NO_NAMES: Final = frozenset(read_words("no_names"))
_START: Final = attrgetter("start")
