"""Evidence for a name being private: the name itself, its label, its line, the identifiers and names beside it.

Below `Page`, which collects it: labels and roles before a name, titles of public persons, links to an identifier.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.candidate import Match
from filters.pii_rules.digit_runs import ZERO_WIDTH, starts_with
from filters.pii_rules.name_tagger import Name

LINE: Final = 160  # code points of a line read on either side of a name
AROUND: Final = 400  # code points around a name in which an identifier of a private person counts
_TAIL: Final = 8  # code points behind a name that are read
_SHORT: Final = 12  # code points between two names of a row
_SECOND: Final = 4  # code points of a baptismal name
_SURE: Final = 0.5  # score of a name that counts as a neighbour
_OF_PERSONS: Final = frozenset(
    ("rrn", "frn", "passport", "driver_license", "health_insurance", "account", "birth_date")
)
_MACHINES: Final = frozenset(("ip", "mac"))
_MARK_NAMES: Final = {":": ":", "\n": "line", " ": "blank", "": "mark"}
_STARTS: Final = ("", "\n", "|")  # before a label that begins its line
_ENDS: Final = frozenset("다요까죠음임함")  # of a sentence


class Page:
    """A text with the identifiers and names that were found in it."""

    def __init__(
        self, text: str, anchors: Sequence[Match], names: Sequence[Name], cells: Iterable[tuple[int, int]] = ()
    ) -> None:
        self.text, self.anchors, self.names, self.cells = text, anchors, names, dict(cells)
        self.anchor_starts = [anchor.start for anchor in anchors]
        self.name_starts = [name.start for name in names]
        self.sure = [name.start for name in names if name.score >= _SURE]

    def read_evidence(self, i: int) -> list[str]:
        """Return the evidence for name `i`, without that of its block."""
        name = self.names[i]
        text, start, end = self.text, name.start, name.end
        titles = {
            "called": has_call_behind(text, end),
            "title behind": has_title_behind(text, end),
            "office": is_public(text, start, end),
            "official rank": has_official_rank(text, start, end),
            "rank": has_rank(text, start, end),
            "rank before": has_office_before(text, start),
            "credit": is_credit(text, end),
        }
        official = [word for word, holds in titles.items() if holds]
        office = "official" if not _OFFICIAL_EVIDENCE.isdisjoint(official) else "plain"
        score = max(-3, min(4, int(name.score // 0.5)))
        evidence = [
            "",
            *official,
            f"score {max(-6, min(8, int(name.score // 0.25)))}",
            f"type {name.type}",
            f"type {name.type} score {score}",
            f"type {name.type} length {min(5, end - start)}",
        ]
        evidence += _read_label(self.text, name, score)
        evidence += self._read_links(name, office, score)
        evidence += self._read_line(name, office)
        evidence += self._read_neighbours(i)
        return evidence

    def find_reason(self, name: Name, evidence: Collection[str]) -> str:
        """Return a reason that needs no further evidence, or "": a private role, a field, a private identifier."""
        signed = "title behind" in evidence and "lines private official" in evidence
        if signed and name.score >= _SIGNED:  # 홍길동 과장, and a mobile number in the next line
            return "signature with a private number"
        if not _OFFICE_EVIDENCE.isdisjoint(evidence):
            return ""
        if "rank" not in evidence:
            for reason, least in _REASONS.items():
                if reason in evidence and name.score >= least:
                    return reason
            if self.cells.get(name.start, -1) == name.end and name.score >= _IN_CELL:
                return "column of names"
        linked = "link 1 private plain", "link 2 private plain", "link 2 private official"
        return "beside an identifier" if name.score >= _LINKED and not set(linked).isdisjoint(evidence) else ""

    def _read_links(self, name: Name, office: str, score: int) -> Iterator[str]:
        """Yield the identifiers beside a name, in its line, in the lines around, and further away."""
        at = bisect_left(self.anchor_starts, name.end)
        link, kinds = self._measure_link(name, at)
        if link:
            private = any(is_private(a, self.text) for a in self.anchors[max(0, at - 1) : at + 1])
            yield from (f"link {link}", f"link {link} score {score}", f"link {link} type {name.type}")
            yield from (f"link {link} length {name.end - name.start}", f"link {link} {kinds}")
            yield f"link {link} {'private' if private else 'other'} {office}"
        first, last = _find_line(self.text, name)
        for where, reach in (("line", 0), ("lines", 60)):
            near = [
                a for a in self.anchors[max(0, at - 6) : at + 6] if a.start < last + reach and a.end > first - reach
            ]
            if near:
                private = any(is_private(a, self.text) for a in near)
                yield f"{where} {'private' if private else 'other'} {office}"
                yield f"{where} {'private' if private else 'other'} score {score}"
                yield from sorted({f"{where} {a.kind}" for a in near})
        around = slice(
            bisect_left(self.anchor_starts, name.start - AROUND), bisect_left(self.anchor_starts, name.end + AROUND)
        )
        if any(is_of_person(a, self.text) for a in self.anchors[around]):
            yield from (f"near {office}", f"near score {score}")

    def _measure_link(self, name: Name, at: int) -> tuple[int, str]:
        """Return 2 if only marks or a private identifier make a link, 1 for other links, 0 for none; and its kinds."""
        best, kinds = 0, []
        if at < len(self.anchors) and self.anchors[at].kind not in _MACHINES:
            behind = self.anchors[at]
            between = self.text[find_end_with_hanja(self.text, name.end) : behind.start]
            if len(between) <= NEAR and is_linked(between):
                tight = not between.strip(" (<[/,|=:\t·-\"'") or behind.kind in _OF_PERSONS
                best, kinds = 1 + tight, [behind.kind]
        if at and self.anchors[at - 1].kind not in _MACHINES:
            before = self.anchors[at - 1]
            between = self.text[before.end : name.start]
            if 0 < len(between) <= NEAR and is_linked(between):
                best, kinds = max(best, 1 + (before.kind == "account")), [before.kind, *kinds]
        return best, " ".join(kinds)

    def _read_line(self, name: Name, office: str) -> Iterator[str]:
        """Yield the shape of the line: what surrounds the name, how many names it has, whether it is a sentence."""
        first, last = _find_line(self.text, name)
        line = self.text[first:last]
        before = self.text[first : name.start].strip(" \t-*·•0123456789.)(|▲△○●ㅇ□■")
        stop = name.end
        while stop < name.end + _TAIL and is_hangul(self.text[stop : stop + 1]):
            stop += 1
        behind = self.text[stop:last].strip(" \t|.,)")
        shape = ("in" if before else "first") + (" in" if behind else " last")
        names = self.names[bisect_left(self.name_starts, first) : bisect_left(self.name_starts, last)]
        prose = "prose" if line.rstrip(" .!?…~\"'”’)")[-1:] in _ENDS else "list"
        yield from (f"{shape} names {min(4, sum(n.score >= 0 for n in names))}", f"{shape} {prose}")
        yield f"{prose} {office}"
        yield f"{prose} length {min(6, len(line) // 20)}"

    def _read_neighbours(self, i: int) -> Iterator[str]:
        """Yield the number of names around, whether they are in a row with this one, and how often it occurs."""
        name = self.names[i]
        near = bisect_left(self.sure, name.start + 500) - bisect_left(self.sure, name.start - 500)
        yield f"names {min(6, near)}"
        row = (i > 0 and self.is_in_row(self.names[i - 1], name)) + (
            i + 1 < len(self.names) and self.is_in_row(name, self.names[i + 1])
        )
        yield f"row {row}"
        yield f"occurs {min(4, self.text.count(self.text[name.start : name.end]))}"

    def is_short_name(self, i: int) -> bool:
        """Whether name `i` is a nickname before a colon, or a second name in brackets: 길동: …, 홍길동(요셉)."""
        start, end = self.names[i].start, self.names[i].end
        if end - start < 3 and self.text[end : end + 1] in (":", "：", ">"):
            return self.text[start - 1 : start] in (" ", "\n", "]", "")
        behind = i > 0 and self.names[i - 1].end == start - 1 and end - start <= _SECOND
        return behind and self.text[start - 1] in "(（" and self.text[end : end + 1] in (")", "）")

    def is_in_row(self, left: Name, right: Name) -> bool:
        """Whether only a mark, a number or a conjunction separates two names."""
        between = self.text[left.end : right.start]
        return len(between) < _SHORT and between.strip(" \n0123456789.)") in _AND and "\n\n" not in between


_AND: Final = frozenset(
    ("·", ",", "/", "、", "ㆍ", "와", "과", "및", "・", "-", "&", "", "이랑", "하고", "→", "♥", "♡", "|")
)
PUBLIC: Final = frozenset(("office", "rank before"))  # 시장 홍길동, 건설과장 홍길동: never private
_OFFICE_EVIDENCE: Final = frozenset(("official rank", "credit"))
# Scores of the tagger from which a label is reason enough: the value of a field of names is a name.
_REASONS: Final = {
    "field :": -1.5,
    "private role :": -0.7,
    "field line": -1.0,
    "private role line": -1.0,
    "field blank": -0.5,
    "private role blank": -0.5,
}
_IN_CELL, _LINKED, _SIGNED = -1.0, 0.0, 1.0  # likewise for a cell below 성명, beside an identifier, in a signature
_OFFICIAL_EVIDENCE: Final = frozenset(("office", "official rank", "rank", "rank before"))


def is_of_person(anchor: Match, text: str) -> bool:
    """Whether an identifier shows that a text is about private persons: a mobile, an account, a resident number …"""
    return anchor.kind in _OF_PERSONS or (anchor.kind == "phone" and is_private(anchor, text))


def _read_label(text: str, name: Name, score: int) -> Iterator[str]:
    """Yield the label before a name, and what kind of label it is."""
    label = read_label(text, name.start)
    word = label.word
    if word in FIELDS:
        kind = "field"
    elif is_role_label(text, label):
        kind = "private role"
    elif word in FORM_LABELS or word.lower() in FORM_LABELS:
        kind = "form label"
    elif word in ROLES or strip_named(word) in ROLES:
        kind = "role"
    else:
        kind = "word"
    below = label.mark == "\n" and text[max(0, label.start - 8) : label.start].rstrip(BLANKS)[-1:] not in _STARTS
    mark = "far line" if below else _MARK_NAMES[label.mark]
    if mark == "blank" and "\t" in text[label.start : name.start]:
        mark = "cell"
    yield from (f"{kind} {mark}", f"{kind} {mark} score {score}")


def _find_line(text: str, name: Name) -> tuple[int, int]:
    first = text.rfind("\n", max(0, name.start - LINE), name.start) + 1 or max(0, name.start - LINE)
    last = text.find("\n", name.end, name.end + LINE)
    return first, last if last >= 0 else min(len(text), name.end + LINE)


AGAIN: Final = 64  # names of a text that are searched again; bounds the work
NEAR: Final = 32  # code points between a name and its adjacent identifier
BLANKS: Final = " \u00a0\u3000\t" + ZERO_WIDTH
_B: Final = f"[{BLANKS}]"


_LISTS: Final = tomllib.loads((Path(__file__).with_name("people") / "name_words.toml").read_text("utf-8"))


def words(name: str) -> tuple[str, ...]:
    """Return a list of `name_words.toml`."""
    return tuple(_LISTS[name].split())


PRIVATE_ROLES: Final = frozenset(words("private_roles"))
FIELDS: Final = frozenset(words("fields"))
FORM_LABELS: Final = frozenset(words("form_labels"))
ROLES: Final = frozenset(words("roles")) | PRIVATE_ROLES
NO_VALUES: Final = frozenset(words("no_values"))
_LABELS: Final = frozenset(words("labels"))
_OFFICES: Final = words("offices")
_RANKS: Final = words("ranks")
_OFFICIAL: Final = words("official_ranks")
CALLS: Final = frozenset((*words("calls"), *words("jobs"), *words("ranks"))) | ROLES
_TITLES: Final = (*words("jobs"), *words("ranks"))
_IS: Final = ("입니다", "이에요", "예요", "이요", "이고요", "이라고", "라고", "인데", "맞으", "맞아", "맞습")
_CALLS: Final = (*words("calls"), *words("jobs"))
_CREDITS: Final = words("credits")
_BYLINES: Final = frozenset(words("bylines"))
_SAMPLE_SIGNS: Final = ("예시", "○○", "(예)", "assert", "VALUES", "@test.")
_SAMPLES: Final = frozenset(words("samples"))
_FIRMS: Final = ("(주)", "㈜", "(유)", "(사)", "(재)")
_AROUND: Final = 60  # code points around a sample name in which the text must call it a sample
_IN_OFFICE: Final = ("과장", "실장", "부장", "소장")  # 건설과장: an office and a rank in one word
_AFTER_TITLE: Final = frozenset("은는이가을를의과와도께에님")
_PARTICLES: Final = ("은", "는", "이", "가")
_NAMED: Final = ("성명", "이름", "성함", "인적사항", "명", "분", "님")  # behind a role: 환자 성명, 고객명
_MARKS: Final = " \u00a0\u3000\t\n()（）<>[],/|│:：=\"'·・{}「」『』【】〔〕~-–—→;☎☏✆📞📱♡★☆※●■" + ZERO_WIDTH
_MARK_SET: Final = frozenset(_MARKS)
_BETWEEN: Final = dict.fromkeys(map(ord, _MARKS), " ")
_FENCES: Final = BLANKS + "|,/"
_TO_TITLE: Final = _FENCES + ".:：=·"
_PARTIES: Final = ("갑", "을")
_COLONS: Final = frozenset(":：=|│>")
_TAG: Final = re2.compile("(?:</?[a-zA-Z]{1,6}>[ \n]?){1,3}$|[\"'] value=[\"']$")
_NOTE: Final = re2.compile("[(（][가-힣\u4e00-\u9fff]{1,6}[)）]$")
_REACH: Final = 40  # code points before a name in which its label is read
_AGE: Final = re2.compile(
    f"^{_B}?(?:[(（]{_B}?(?:['’]?(?:19|20)?[0-9]{{2}}{_B}?[.년/]|(?:19|20)[0-9]{{2}}-|[0-9]{{6,8}}{_B}?(?:출생|생|[)]))|"
    f"[(（]{_B}?(?:만{_B}?)?(?:[0-9]{{1,3}}{_B}?세?|[남여男女MF]|[0-9]{{2,4}}년?생)[,)）세· /]|"
    f",?{_B}?(?:만{_B}?)?[0-9]{{1,3}}{_B}?세)"
)


_DEAD: Final = re2.compile("^ ?[(（]1[0-8][0-9]{2}[^0-9]")  # born before 1900: no personal data (PIPA art. 2)
_ROLE_ENDS: Final = tuple(sorted(role for role in PRIVATE_ROLES if len(role) > 2))


class Label(NamedTuple):
    """The word before a name: without blanks inside and without a particle; the mark between, and where it begins."""

    word: str
    mark: str  # ":" of a field, "\n" of the line above, " " of blanks only, "" of other signs
    start: int


def read_label(text: str, start: int) -> Label:
    """Return the word before text[start:] as a label: 성 명 :, 성명(한자) :, <th>성명</th><td>, "name": ".

    >>> read_label("신 청 인 : 홍길동", 8), read_label("환자 이름은 홍길동", 7)
    (Label(word='신청인', mark=':', start=0), Label(word='이름', mark=' ', start=3))
    """
    first = max(0, start - _REACH)
    left = text[first:start]
    left = left.rstrip(BLANKS) if left.rstrip(BLANKS)[-1:] == ">" else left
    tag = _TAG.search(left.encode("utf-8", "replace")) if left[-1:] in (">", '"', "'") else None
    if tag is not None:
        left = left[: -len(tag.group().decode())]
    bare = left.rstrip(_MARKS)
    if bare[-1:] in (".", ")") and bare[-2:-1].isdecimal() and bare[-3:-2] in BLANKS:
        bare = bare[:-2].rstrip(_MARKS)  # 청구인 1. 홍길동
    gap = left[len(bare) :]
    note = _NOTE.search((bare + gap[:1]).encode("utf-8", "replace")) if gap[:1] in (")", "）") else None
    if note is not None:
        bare = (bare + gap[0])[: -len(note.group().decode())].rstrip(BLANKS)
        gap = gap[1:]
    at = len(bare)
    while at and (bare[at - 1].isalpha() or bare[at - 1] == "_"):
        at -= 1
    word = bare[at:]
    while len(word) < 6 and at > 1 and is_hangul(bare[at : at + 1]) and bare[at - 1] in BLANKS:
        near = bare[:at].rstrip(BLANKS)
        apart = len(bare) - at == 1 or is_hangul(bare[at + 1 : at + 2]) is False
        if not (apart and is_hangul(near[-1:]) and not is_hangul(near[-2:-1])):
            break
        at, word = len(near) - 1, near[-1] + word
    mark = ":" if tag is not None or not _COLONS.isdisjoint(gap) else "\n" if "\n" in gap else " "
    mark = "" if mark == " " and gap.strip(BLANKS + "[「\"'-") else mark
    if len(word) > 2 and word[-1] in _PARTICLES and (word[:-1] in ROLES or word[:-1].endswith(_NAMED)):
        word = word[:-1]
    return Label(word, mark, first + at)


def is_role_label(text: str, label: Label) -> bool:
    """Whether a label is a private role, or 이름 and the like behind one: 환자명, 신청인 성명, 수술환자:.

    >>> is_role_label("환자 이름은 ", Label("이름", " ", 3)), is_role_label("오늘 ", Label("오늘", " ", 0))
    (True, False)
    """
    if label.word in PRIVATE_ROLES or strip_named(label.word) in PRIVATE_ROLES:
        return True
    if label.mark in (":", " ") and label.word.endswith(_ROLE_ENDS):
        return True  # 수술환자: 홍길동, 이의신청인 홍길동
    if label.word in _PARTIES:  # 갑 홍길동과 을 성춘향; elsewhere a constituency and a particle
        other = _PARTIES[label.word == "갑"]
        return f" {other} " in f" {text[max(0, label.start - _REACH) : label.start + _REACH]} "
    return label.word in _NAMED and read_label(text, label.start).word in PRIVATE_ROLES


def strip_named(word: str) -> str:
    """Return a role without 명, 성명 …: 환자명, 신청인성명."""
    for end in _NAMED:
        if len(word) > len(end) + 1 and word.endswith(end):
            return word[: -len(end)]
    return word


def is_public(text: str, start: int, end: int) -> bool:
    """Whether an office or profession next to the name text[start:end] makes it public.

    >>> is_public("구청장 홍길동", 4, 7), is_public("홍길동 총무", 0, 3)
    (True, False)
    """
    if _has_leading_title(text[end : end + 8].lstrip(BLANKS), _OFFICES) or starts_with(_DEAD, text[end : end + 8]):
        return True
    before = text[max(0, start - 10) : start].rstrip(_TO_TITLE)
    return before.endswith(_OFFICES) or before[-2:].lstrip(_TO_TITLE) in _BYLINES or before[-3:].lstrip() in _BYLINES


def has_office_before(text: str, start: int) -> bool:
    """Whether an office and rank in one word precede a name: 건설과장 홍길동."""
    before = text[max(0, start - 10) : start].rstrip(_TO_TITLE)
    return before.endswith(_IN_OFFICE) and all(map(is_hangul, before[-4:-2])) and len(before) > 3


def has_rank(text: str, start: int, end: int) -> bool:
    """Whether a rank is next to a name: 홍길동 과장, 과장 홍길동."""
    if _has_leading_title(text[end : end + 10].lstrip(_FENCES), _RANKS):
        return True
    return text[max(0, start - 8) : start].rstrip(_FENCES).endswith(_RANKS)


def has_official_rank(text: str, start: int, end: int) -> bool:
    """Whether a rank of an office or firm is next to a name: such a name is kept in documents of every kind.

    >>> has_official_rank("총무과장 홍길동", 5, 8), has_official_rank("회장 홍길동", 3, 6)
    (True, False)
    """
    if _has_leading_title(text[end : end + 10].lstrip(_FENCES), _OFFICIAL):
        return True
    return text[max(0, start - 8) : start].rstrip(_TO_TITLE).endswith(_OFFICIAL)


def _has_leading_title(after: str, titles: tuple[str, ...]) -> bool:
    if not after.startswith(titles):
        return False
    rest = after[max(len(t) for t in titles if after.startswith(t)) :]
    return not rest or not is_hangul(rest[0]) or rest[0] in _AFTER_TITLE


def is_private(anchor: Match, text: str) -> bool:
    """Whether an identifier is private: not a land line, mailbox, address, company number or machine address."""
    if anchor.kind != "phone":
        return anchor.kind not in ("email", "address", "postcode", "brn", "crn", "ip", "mac")
    number = text[anchor.start : anchor.start + 3].lstrip("(+")
    return not number.startswith("0") or number.startswith(("01", "05", "070"))


def has_title_behind(text: str, end: int) -> bool:
    """Whether a rank of a firm or office follows a name: 홍길동 과장, 홍길동 | 사원."""
    return text[end : end + 10].lstrip(_FENCES).startswith(_TITLES)


def has_call_behind(text: str, end: int) -> bool:
    """Whether a form of address, an age, or 입니다 follows a name: 홍길동 님, 홍길동(만 32세), 홍길동이에요."""
    after = text[end : end + 14]
    if not after or after[0] in "\n;\"'":
        return False
    if after[0] in "(（, " and starts_with(_AGE, after):
        return True
    word = after[1:] if after[0] in BLANKS or after[0] == ")" else after
    return word.startswith(_CALLS) or after.startswith(_IS) or (word[:1] in "부모" and word[1:2] in (" ", "(", ":"))


@lru_cache(maxsize=4096)  # at most NEAR code points, mostly a mark and a label
def is_linked(between: str) -> bool:
    """Whether the text between a name and an identifier consists of marks, labels and short numbers only.

    >>> is_linked(" (연락처: "), is_linked("에게 오늘 ")
    (True, False)
    """
    if not between.strip(_MARKS):
        return True
    parts = between.translate(_BETWEEN).split()
    return len(parts) < 7 and (all(map(_is_filler_word, parts)) or "".join(parts) in _LABELS)


_AFTER: Final = re2.compile(
    "^(?:씨|님|쌤|샘|군|양|귀하|선생님?|어르신|어머니|아버지|엄마|아빠|본인)?"
    "(?:은|는|이|가|을|를|의|과|와|도|만|에게서?|께서?는?|한테|에|로|으로|이랑|랑|네|하고|입니다|이고요?|고|이며|며|이에요|예요|"
    "이라고|라고|이란|이다|다|이라|임|으로부터|이요|요|인데요?|쪽|앞|앞으로|이세요|이시고)?$"
)


@lru_cache(maxsize=1024)
def is_particle(run: str) -> bool:
    """Whether all of `run` is a form of address, a particle, or both.

    >>> is_particle("님께서"), is_particle("전화")
    (True, False)
    """
    return not run or _AFTER.match(run.encode("utf-8", "replace")) is not None


def _is_filler_word(word: str) -> bool:
    if word in _LABELS or word.lower() in _LABELS or word in ROLES or (word[0].isdigit() and len(word) < 16):
        return True
    if word in _RANKS:
        return True
    if word.isascii() and (word.isupper() or "." in word):
        return True  # A: speaker in a chat; the same name in Latin letters; a host
    stem = word[:-1] if word[-1] in "은는이가의" else word
    return (
        stem in _LABELS
        or stem in ROLES
        or stem.endswith(("은행", "뱅크", "카드"))
        or (len(word) < 5 and is_particle(word))
        or not word[0].isalnum()
    )


def is_label(word: str) -> bool:
    """Whether a word is a label or a role: 국적, 신청인."""
    return word in _LABELS or word in ROLES or word in FORM_LABELS or word in FIELDS


def find_end_with_hanja(text: str, end: int) -> int:
    """Return the end of a name including Chinese characters in brackets after it.

    >>> find_end_with_hanja("홍길동(洪吉童)", 3)
    8
    """
    opens = end + (text[end : end + 1] == " ")
    if text[opens : opens + 1] not in ("(", "（"):
        return end
    close = max(text.find(")", opens, opens + 7), text.find("）", opens, opens + 7))
    whole = close > opens + 2 and all("\u4e00" <= c <= "\u9fff" for c in text[opens + 1 : close])
    return close + 1 if whole else end


def is_credit(text: str, end: int) -> bool:
    """Whether the rest of the line credits published work: … 옮김, (… 교수)."""
    after = text[end : end + 36].partition("\n")[0]
    return any(word in after for word in _CREDITS)


def is_sample(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is a sample name and the nearby text says that it shows how to fill in a form.

    >>> is_sample("성명: 홍길동 (작성 예시)", 4, 7), is_sample("성명: 홍길동", 4, 7)
    (True, False)
    """
    if text[start:end] not in _SAMPLES:
        return False
    near = text[max(0, start - _AROUND) : end + _AROUND]
    return any(sign in near for sign in _SAMPLE_SIGNS)


def is_no_name(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is a label, a firm, what a field without a name holds, or a sample of a filled form."""
    value = text[start:end].replace(" ", "")
    firm = text[max(0, start - 3) : start].endswith(_FIRMS)
    part = text[end : end + 1] == "_"  # of a handle
    return firm or part or value in NO_VALUES or is_label(value) or is_sample(text, start, end)


def is_in_heading(text: str, start: int, end: int) -> bool:
    """Whether lone syllables surround spaced syllables, or one that does not form a label precedes them: 차 [량 번 호].

    >>> is_in_heading("자 동 차 운 전", 2, 7)
    True
    """
    before = text[max(0, start - 6) : start]
    word = before.rstrip(BLANKS)
    lone = len(word) < len(before) and is_hangul(word[-1:]) and not is_hangul(word[-2:-1])
    after = text[end : end + 3]
    both = after[:1] == " " and is_hangul(after[1:2]) and not is_hangul(after[2:])
    return lone and (both or not is_label(read_label(text, start).word))


def find_names_elsewhere(
    text: str, values: Iterable[str], known: Collection[int], *, officials: bool = False
) -> Iterator[Match]:
    """Find names of three syllables and more again, except at the offsets `known`; skips officials, or not.

    >>> [f.start for f in find_names_elsewhere("홍길동 010-0000-1234. 홍길동은 쉽니다.", ["홍길동"], {0})]
    [19]
    """
    for name in dict.fromkeys(values):
        if not 3 <= len(name) <= 4 or not all(map(is_hangul, name)):
            continue
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            public = not officials and is_public(text, at, end)
            if at not in known and not is_hangul(text[at - 1 : at]) and not public:
                stop = end
                while stop < end + 7 and is_hangul(text[stop : stop + 1]):
                    stop += 1
                if is_particle(text[end:stop]) and not is_sample(text, at, end):
                    yield Match(at, end, "name", 0.75, f"named elsewhere in the text; {len(name)} characters")
            at = text.find(name, end)
