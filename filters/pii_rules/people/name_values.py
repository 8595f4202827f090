"""Field values: whether they are complete, how their syllables are spaced, and which part is a name."""

from __future__ import annotations

from typing import Final

from filters.korean.hangul import is_hangul
from filters.pii_rules.people import name_context as context
from filters.pii_rules.people import name_patterns as forms
from filters.pii_rules.text.digit_runs import contains, match_at_start, starts_with
from filters.pii_rules.text.name_model import GIVEN, STARTS, STOP, is_noun, is_particle, name_length, score_name

FORM: Final = 60  # code points around 이름: that must contain another form label
_APART: Final = 5.0
_SAMPLES: Final = frozenset("홍길동 홍길순 김철수 이영희 김영희 김갑동 성춘향 이몽룡 아무개".split())
_AROUND: Final = 60  # code points around such a name in which the text must call it a sample
_NO_ENDS: Final = frozenset("은는을를의에고며다요니회단점팀")  # of names in another language
NO_VALUES: Final = frozenset(
    "상동 없음 미정 동일 공석 미상 공란 "
    "불명 합계 소계 생략 관리자 사무실 퇴사 휴직 부재 결석 공동 법인 단체 미기재 비공개 "
    "무기명 가명 전체 기타 공용 주차 우편 주택 상가 "
    "익명 무명 테스트 본사 친구 지인 세무서 견본 샘플 홈페이지".split()
)
OPEN: Final = 3.0  # threshold for a name after a label and a blank


def is_whole(text: str, end: int, value: str) -> bool:
    """Whether `value` is complete; after spaced syllables and Latin letters a particle may follow."""
    after = text[end : end + 1]
    if not is_hangul(value[0]) and (after == "_" or (after.isascii() and after.isalnum())):
        return False
    closed = after in forms.CLOSERS or text[end : end + 2] in ("  ", " (", " /")
    if not closed and is_spaced(value) and len("".join(value.split())) == 2:
        rest = "".join(text[end : end + 24].split())
        return rest.startswith(forms.NEXT_LABELS) or rest[:1].isdecimal()
    if is_spaced(value) and starts_with(forms.LOOSE, text[end : end + 6]):
        rest = "".join(text[end : end + 24].split())
        return rest.startswith(forms.NEXT_LABELS)  # 위 반 일  시: more syllables of a heading
    if not is_hangul(after):
        return True
    if is_hangul(value[0]) and not is_spaced(value):
        return False  # twelve syllables and more are a sentence
    stop = end
    while stop < min(end + 6, len(text)) and is_hangul(text[stop]):
        stop += 1
    return is_particle(text[end:stop])


def drop_next_label(text: str, end: int, value: str) -> tuple[int, str]:
    """Drop a last syllable that begins the next label (견 우 전 화 0 1 0); return end and value."""
    if len(value) < 5 or not is_spaced(value) or not starts_with(forms.LOOSE, text[end : end + 6]):
        return end, value
    if not (value[-1] + "".join(text[end : end + 24].split())).startswith(forms.NEXT_LABELS):
        return end, value
    shorter = value[:-1].rstrip(forms.BLANKS)
    return end - len(value) + len(shorter), shorter


def is_spaced(value: str) -> bool:
    """Whether a value is Hangul with blanks between the syllables."""
    return "가" <= value[:1] <= "힣" and not value.isalpha()


def score_spaced_name(value: str) -> float:
    """Return the score of a name with blanks; if only the family name is separate, the given name must be known.

    >>> score_spaced_name("김 철 수") > 0, score_spaced_name("김 철수") > 0, score_spaced_name("최 근에") > 0
    (True, True, False)
    """
    plain = "".join(c for c in value if is_hangul(c))
    if len(plain) == 2:
        return OPEN if plain[0] in STARTS and plain not in STOP else -9.0
    length, points = score_name(plain)
    apart = len(value.split()) == len(plain)
    if length != len(plain) or not (apart or points >= _APART):
        return -9.0
    return points + apart  # ordinary words are not spaced like this


def split_label(whole: str, head: forms.Pattern) -> tuple[str, str]:
    """Return label and value; the value is "" if the label overlaps it."""
    first = len(whole)
    while first and is_hangul(whole[first - 1]):
        first -= 1
    lone = whole[:first].rstrip(forms.BLANKS)[-2:]
    if first and len(whole) - first > 1 and not (is_hangul(lone[-1:]) and not is_hangul(lone[:1])):
        return whole[:first], whole[first:]  # a run of Hangul, separated from its label by marks or blanks
    label = match_at_start(head, whole)
    if label is None:
        return whole, ""
    value = whole[len(label) :]
    return label, value if starts_with(forms.VALUE, value) else ""


def measure_name(value: str, least: float) -> int:
    """Return how many characters of `value` are a name with a score of at least `least`, or 0."""
    if not value or value in forms.NO_LATIN:
        return 0
    if not is_hangul(value[0]):
        return len(value)
    if is_spaced(value):
        return len(value) if score_spaced_name(value) >= least else 0
    return name_length(value, least)


def is_given_name_alone(text: str, end: int, value: str, sure: bool) -> bool:
    """Whether a given name without family name fills the field of a label: 이름: 초롱, 가입자 아현 (010 …)."""
    if text[end : end + 1] in ("\t", "|") and context.is_label(
        text[end + 1 : end + 12].replace("|", "\t").split("\t")[0].strip()
    ):
        return False  # a row of headings
    known = value in GIVEN or (sure and is_hangul(value[0]) and value.isalpha() and not is_noun(value))
    if not known or value in NO_VALUES or value[-1] in "팀점" or contains(forms.PETS, text[max(0, end - FORM) : end]):
        return False
    return (
        text[end : end + 1] in ("\n", ",", "|", "\t", "")
        or text[end : end + 2] in ("  ", " (")
        or text[end : end + 3].lstrip(" (")[:1].isdecimal()
    )


def read_multiword_name(text: str, end: int, value: str) -> tuple[int, int, str]:
    """Return length, end and text of a foreign name of several words that fills its field; otherwise length 0.

    >>> (read_multiword_name("성명: 응우옌 티 란 (베트남)", 7, "응우옌")[2],
    ...  read_multiword_name("성명: 박 알렉세이", 10, "박 알렉세이")[2])
    ('응우옌 티 란', '박 알렉세이')
    """
    start = end - len(value)
    stop = end
    while stop < min(start + 24, len(text)) and (is_hangul(text[stop]) or _is_word_gap(text, stop)):
        stop += 1
    words = text[start:stop].split(" ")
    while len(words) > 2 and context.is_label(words[-1]):
        stop -= len(words.pop()) + 1
    whole = text[start:stop]
    closed = text[stop : stop + 1] in forms.CLOSERS or text[stop : stop + 2] in ("  ", " (", " /") or stop < end + 1
    after = text[stop : stop + 12].split()
    closed = closed or (after != [] and context.is_label(after[0]))
    fits = 2 <= len(words) <= 4 and len(whole) - len(words) + 1 >= 5 and max(map(len, words)) > 2
    if not (fits and closed) or any(is_noun(w) or w[-1] in _NO_ENDS or context.is_label(w) for w in words):
        return 0, end, value
    return len(whole), stop, whole


def _is_word_gap(text: str, at: int) -> bool:
    return text[at] == " " and is_hangul(text[at + 1 : at + 2])


def measure_foreign_name(value: str) -> int:
    """Return the length of a name without a Korean family name that fills its field (응우옌반남); 0 for form words."""
    if not 4 <= len(value) <= 7 or not value.isalpha() or not is_hangul(value[0]) or is_noun(value):
        return 0
    if value[-1] in _NO_ENDS:
        return 0
    return len(value)


def is_sample(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is a sample name and the nearby text says that it shows how to fill in a form.

    >>> is_sample("성명: 홍길동 (작성 예시)", 4, 7), is_sample("성명: 홍길동", 4, 7)
    (True, False)
    """
    if text[start:end] not in _SAMPLES:
        return False
    near = text[max(0, start - _AROUND) : end + _AROUND]
    return "예시" in near or "○○" in near
