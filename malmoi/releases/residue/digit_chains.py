"""Find chains of digits in a text, and classify them by date, prefix, checksum or label.

A chain is a row of groups of digits with at most four joining signs between two groups, e.g. `010-1234 5678`.
Full-width and other decimal digits count as digits; zero-width signs do not separate groups. Values of no person are
none: samples of forms and manuals, and lines of desks (docs/personal-data.md lists them; the filter has rules of its
own for them).
"""

from __future__ import annotations

import ipaddress
import itertools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Numbers of cards that payment services publish for tests.
TEST_CARDS: Final = frozenset(
    "4242424242424242 4111111111111111 4012888888881881 4000056655665556 5555555555554444 5105105105105100 "
    "5200828282828210 2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424 "
    "3056930009020004 3566002020360505 6200000000000005".split()
)
# Ends of names of desks and institutes, without blanks; none is the end of the name of a person with a particle.
_DUTIES: Final = (
    *"총무 민원 홍보 지원 정책 관리 기획 행정 공개 운영 안전".split(),
    *"복지 산업 경제 문화 교육 환경 건축 도시 사업 개발 영업".split(),
)
DESKS: Final = (
    *"대표전화 대표번호 고객센터 콜센터 상담센터 지원센터 교육센터 문화센터 복지센터 주민센터 민원실 상담실".split(),
    *"담당부서 담당관실 사무국 사무처 위원회 공사 공단 재단 협회 연구소 도서관 박물관 보건소 대학교".split(),
    *"시청 구청 군청 도청 교육청".split(),
    *(f"{duty}{desk}" for duty in _DUTIES for desk in ("과", "팀")),
)
PERSONS: Final = ("자택", "담당자", "과장", "팀장", "주무관", "사무관", "이름", "성명", "본인", "집전화", "씨", "님")
_CALLS: Final = ("전화번호", "전화", "문의처", "문의", "연락처", "팩스", "tel", "fax", "phone", "☎", "☏", "t", "f")
_MARKS: Final = ".:()[]·,-/~"
OTHER, DIGIT, JOINT, LATIN, SPELT, MASK = range(6)
LEAST: Final = 7  # minimum digits of a chain: the shortest number that identifies a person
SPELT_LEAST: Final = 10  # digits of a telephone number written in words
WIDEST: Final = 4  # joining signs between two groups, including a line end
SPELLED: Final = {c: str(i) for i, c in enumerate("공일이삼사오육칠팔구")} | {"영": "0", "륙": "6", "〇": "0"}
NO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
JOINTS: Final = " \n-.()/~·‧ㆍ・,_+\u00a0\u3000‐‑‒–—―−－．（）／" + NO_WIDTH
MASKS: Final = "*＊#•●○■□◯◼×✱※"
Codes = NDArray[np.uint32]
Marks = NDArray[np.uint8]
_TABLE: Final = np.zeros(0x10000, np.uint8)
_TABLE[[code for code in range(0x10000) if unicodedata.decimal(chr(code), None) is not None]] = DIGIT
_TABLE[[ord(c) for c in JOINTS]] = JOINT
_TABLE[[ord(c) for c in MASKS]] = MASK
_TABLE[[ord(c) for c in SPELLED]] = SPELT
_TABLE[[c for c in range(128) if chr(c).isalpha()]] = LATIN
NEAR: Final = 28  # code points before a number in which its label may occur
REACH: Final = 5  # maximum number of groups in a number
# Matched after removing blanks, so each must be longer than the end of one word and the start of the next.
RESIDENT: Final = (
    "주민등록", "주민(등록", "주민번호", "주민:", "주민)", "외국인등록", "외국인번호", "외국인:", "외국인)",
    "거소신고", "거소번호",
)  # fmt: skip
COMPANY: Final = ("법인", "주식회사", "유한회사", "㈜", "(주)")
TELEPHONE: Final = ("전화", "연락", "휴대", "핸드폰", "팩스", "문의", "☎", "tel", "fax", "phone", "mobile", "h.p")
CARD: Final = ("카드", "card")
ACCOUNT: Final = ("계좌", "예금주", "입금", "송금", "은행", "농협", "수협", "신협", "새마을금고", "우체국", "뱅크")
BUSINESS: Final = ("사업자",)
LICENCE: Final = ("면허",)
HEALTH: Final = ("건강보험", "보험증", "의료보험")
ORDINARY: Final = tuple("isbn issn 바코드 ean 사건 문서 접수 주문 송장 버전 특허 출원 epoch".split())
BANKS: Final = ("국민", "신한", "우리", "하나", "기업", "제일", "카뱅", "케이", "토스", "씨티", "부산", "대구", "산업")
VERSIONS: Final = ("버전", "version", "ver.", "앱", "릴리스", "펌웨어", "release", "판본")
MOBILE: Final = ("010", "011", "016", "017", "018", "019")
AREAS: Final = tuple("031 032 033 041 042 043 044 051 052 053 054 055 061 062 063 064".split())
DASHES: Final = tuple("-‐‑‒–—―−－")
SAFE: Final = tuple(f"050{n}" for n in range(2, 9))
REGIONS: Final = tuple("서울 부산 경기 강원 충북 충남 전북 전남 경북 경남 제주 대구 인천 광주 대전 울산".split())
LICENCE_REGIONS: Final = frozenset((*range(11, 27), 28))
LEAST_DIGITS, MOST_DIGITS = 7, 19
LABELLED: Final = 10  # digits from which a label may decide
_MASKED: Final = ((6, 1), (7,), (6, 2))  # a masked resident number


class Span(NamedTuple):
    """A find: its kind, and the code points from `start` to `end` (exclusive) that cover its value."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Groups of digits as ASCII, the joining signs before each but the first, and the offsets of the groups."""

    groups: tuple[str, ...]
    joints: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def digits(self, first: int = 0, last: int | None = None) -> str:
        """Return the digits of the groups from `first` to `last` (exclusive)."""
        return "".join(self.groups[first:last])


def codes_of(text: str) -> Codes:
    """Return the code points of `text`; a lone surrogate remains one code point."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def classes_of(codes: Codes) -> Marks:
    """Return a class for each code point; OTHER beyond the basic plane and for its last code point."""
    return _TABLE[np.minimum(codes, 0xFFFF)]


def chains(text: str, marks: Marks) -> Iterator[Chain]:
    """Find chains of at least LEAST digits, in order.

    >>> text = "문의 02-０００-1234, 2024년"
    >>> [c.groups for c in chains(text, classes_of(codes_of(text)))]
    [('02', '000', '1234', '2024')]
    """
    digit = marks == DIGIT
    starts, ends = _runs(digit)
    if not len(starts):
        return
    # A gap joins two groups if it is short and has joining signs only, i.e. their cumulative count rises by its length.
    joints = np.cumsum(marks == JOINT)
    gaps = starts[1:] - ends[:-1]
    joined = (gaps <= WIDEST) & (joints[starts[1:] - 1] - joints[ends[:-1] - 1] == gaps)
    heads = np.flatnonzero(np.concatenate(([True], ~joined)))
    tails = np.append(heads[1:], len(starts))
    lengths = np.concatenate(([0], np.cumsum(ends - starts)))
    for k in np.flatnonzero(lengths[tails] - lengths[heads] >= LEAST):
        begins, stops = starts[heads[k] : tails[k]].tolist(), ends[heads[k] : tails[k]].tolist()
        yield _join_groups(text, begins, stops)


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the starts and ends of the runs of True."""
    edges = np.flatnonzero(np.diff(mask.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    return edges[::2], edges[1::2]


def _join_groups(text: str, starts: list[int], ends: list[int]) -> Chain:
    """Build a chain: zero-width signs do not separate groups, and digits spaced one by one form one group."""
    groups: list[str] = []
    joints: list[str] = []
    begins: list[int] = []
    stops: list[int] = []
    single = False  # whether the last group consists of single digits
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = "".join(str(unicodedata.decimal(c)) for c in text[start:end])
        joint = "".join(c for c in text[ends[i - 1] : start] if c not in NO_WIDTH) if i else ""
        apart = bool(groups) and single and end - start == 1 and not joint.strip(" ")
        if i and (not joint or apart):
            groups[-1] += part
            stops[-1] = end
            continue
        single = end - start == 1
        if i:
            joints.append(joint)
        groups.append(part)
        begins.append(start)
        stops.append(end)
    return Chain(tuple(groups), tuple(joints), tuple(begins), tuple(stops))


def find_spelled_digits(text: str, marks: Marks) -> Iterator[tuple[str, int, int]]:
    """Find each run of digits, digit words and joining signs with at least SPELT_LEAST digits: digits, start, end.

    >>> text = "공일공 이삼사오 6789"
    >>> list(find_spelled_digits(text, classes_of(codes_of(text))))
    [('01023456789', 0, 13)]
    """
    words = marks == SPELT
    if not words.any():
        return
    starts, ends = _runs(words | (marks == DIGIT) | (marks == JOINT))
    wanted = ends - starts >= SPELT_LEAST
    for start, end in zip(starts[wanted].tolist(), ends[wanted].tolist(), strict=True):
        spelt = int(words[start:end].sum())
        if spelt < 2 or spelt + int((marks[start:end] == DIGIT).sum()) < SPELT_LEAST:
            continue
        part = text[start:end]
        digits = "".join(SPELLED.get(c) or (str(unicodedata.decimal(c)) if c.isdecimal() else "") for c in part)
        yield digits, start, end


def find_numbers(text: str, chain: Chain) -> Iterator[Span]:
    """Yield the numbers in `chain` that have a kind. A group belongs to one number: the first, then the longest."""
    if text[max(0, chain.starts[0] - 1) : chain.starts[0]] in ("&", "#") and len(chain.groups) == 1:
        return  # an HTML character reference
    first = 0
    while first < len(chain.groups):
        for last in range(min(len(chain.groups), first + REACH), first, -1):
            kind = _kind(text, chain, first, last)
            if kind:
                groups = chain.groups[first:last]
                if not (_is_reserved(kind, "".join(groups)) or is_sample_number(kind, groups)):
                    yield Span(kind, chain.starts[first], chain.ends[last - 1])
                first = last - 1
                break
        first += 1


def _kind(text: str, chain: Chain, first: int, last: int) -> str:
    """Return the kind of the number in the groups from `first` to `last` (exclusive), or ""."""
    shape = tuple(map(len, chain.groups[first:last]))
    if not LEAST_DIGITS <= sum(shape) <= MOST_DIGITS or max(shape) < 3:
        return ""
    # A shorter number can be an address, a masked resident number or a telephone.
    if sum(shape) < LABELLED and not (len(shape) == 4 or shape in _MASKED or chain.groups[first][0] == "0"):
        return ""
    joints = chain.joints[first : last - 1]
    if any("\n" in joint and "-" not in joint for joint in joints) or _is_part_of_word(text, chain, first, last):
        return ""
    digits = chain.digits(first, last)
    joints = tuple(joint.replace("\n", "") for joint in joints)
    before = "".join(text[max(0, chain.starts[first] - NEAR) : chain.starts[first]].casefold().split())
    for judge in (_address, _resident, _telephone, _business, _licence, _card, _account_or_health):
        kind = judge(digits, shape, joints, before, text[chain.ends[last - 1] : chain.ends[last - 1] + 8])
        if kind:
            return kind
    return ""


def _is_reserved(kind: str, digits: str) -> bool:
    """Whether the number is in a reserved range, so that a recipe may have put it there."""
    match kind:
        case "brn":  # tax office 000 does not exist
            return digits.startswith("00000")
        case "phone":  # no subscriber number begins with 0, and these stay below 1000
            return digits.startswith("01000000") and len(digits) == 11
        case "rrn" | "frn":  # month 00 does not exist
            return digits.startswith("000000")
        case "card":  # no issuer begins with 0
            return digits.startswith("00000000") and digits.endswith("0000")
    return False


def _is_part_of_word(text: str, chain: Chain, first: int, last: int) -> bool:
    """Whether the digits are part of a longer word, such as a hash, or connected to further digits by a dash."""
    start, end = chain.starts[first], chain.ends[last - 1]
    latin = [c.isascii() and (c.isalpha() or c == "_") for c in (text[start - 1 : start], text[end : end + 1]) if c]
    dashed = any(joint.strip() for joint in chain.joints[first : last - 1])
    if any(latin) and (not dashed or len(latin) == 2 == sum(latin)):
        return True
    tied = first and chain.joints[first - 1] in ("-", ".")
    return bool(tied or (last < len(chain.groups) and chain.joints[last - 1] in ("-", ".")))


def _has_word(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _find_nearest(text: str, *choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choice with the last word in `text`; () if no word occurs."""
    places = [max(map(text.rfind, words)) for words in choices]
    return choices[places.index(max(places))] if max(places) >= 0 else ()


def _address(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    """Match a public IPv4 address; numbers of clauses and versions are shorter or labelled."""
    if len(shape) != 4 or set(joints) != {"."} or max(shape) > 3 or min(shape) == 0:
        return ""
    cuts = [sum(shape[:i]) for i in range(5)]
    parts = [digits[a:b] for a, b in itertools.pairwise(cuts)]
    if (
        any(int(part) > 255 or (len(part) > 1 and part[0] == "0") for part in parts)
        or before[-1:] in ("v", "제")
        or _has_word(VERSIONS, before[-10:])
    ):
        return ""
    return "ip" if ipaddress.ip_address(".".join(parts)).is_global else ""


def _is_date(digits: str) -> bool:
    return 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) <= 31


def _resident(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    masked = after[:2] != "" and all(c in MASKS or c in "xX" for c in after[:4]) and len(after) >= 4
    if shape in _MASKED and masked and _is_date(digits):
        return _resident_kind(digits)
    if shape not in ((6, 7), (13,), (6, 1, 6)) or (len(digits) != 13):
        return ""
    label = _find_nearest(before, RESIDENT, COMPANY, ORDINARY, CARD, ACCOUNT)
    if label in (COMPANY, ORDINARY) or not digits.strip("0"):
        return ""
    parted = shape == (6, 7) and joints[0].strip() and _is_date(digits)
    if label == RESIDENT or parted:
        return _resident_kind(digits)
    # Bare digits may be a Korean barcode (880) or milliseconds since 1970: current ones begin with 1.
    plain = _is_date(digits) and not label and digits[6] in "12345678" and not digits.startswith(("880", "1"))
    if not plain:
        return ""
    # The check digit of a number issued before October 2020; that of foreigners is greater by two.
    rest = 11 - sum(int(d) * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)) % 11
    valid = (rest % 10, (rest + 2) % 10 if digits[6] in "5678" else rest % 10)
    return _resident_kind(digits) if int(digits[12]) in valid else ""


def _resident_kind(digits: str) -> str:
    return "frn" if digits[6] in "5678" else "rrn"


def _telephone(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    abroad = digits.startswith("82") and before.endswith("+")
    rest = ("0" + digits[2:].removeprefix("0")) if abroad else digits
    groups = len(shape) - abroad
    if not rest.startswith("0"):
        return ""
    labelled = _find_nearest(before, TELEPHONE, ACCOUNT, RESIDENT, ORDINARY) == TELEPHONE
    canonical = groups == 3 and shape[-1] == 4 and shape[-2] in (3, 4)
    if any("," in joint or len(joint.replace(" ", "")) > 2 for joint in joints):
        return ""
    if rest.startswith(MOBILE) and len(rest) == (11 if rest.startswith("010") else len(rest)) and len(rest) in (10, 11):
        return "phone" if canonical or labelled or abroad or rest.startswith("010") else ""
    if rest.startswith(SAFE) and len(rest) in (11, 12):
        return "phone" if canonical or labelled else ""
    land = rest.startswith("02") and len(rest) in (9, 10)
    land = land or (rest.startswith((*AREAS, "070", "080")) and len(rest) in (10, 11))
    # A dash, dot or bracket separates the last two groups; blanks also separate ordinary numbers.
    separated = bool(joints) and joints[-1].strip(" ") in (*DASHES, ".", "．")
    separated = separated or (len(joints) > 1 and ")" in joints[0])
    marked = land and ((canonical and separated) or labelled or abroad)
    return "phone" if marked and not is_desk_line(before) else ""


def _business(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    """Match numbers of sole proprietors only; the policy keeps company numbers (81 to 88 in the middle)."""
    if shape not in ((3, 2, 5), (10,)) or 81 <= int(digits[3:5]) <= 88:
        return ""
    label = _find_nearest(before, BUSINESS, ACCOUNT, TELEPHONE, ORDINARY)
    dashed = len(joints) == 2 and all(joint.strip() in DASHES for joint in joints) and label not in (ACCOUNT, ORDINARY)
    return "brn" if label == BUSINESS or dashed else ""


def _licence(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    labelled = _has_word(LICENCE, before)
    if shape == (2, 6, 2) and (labelled or before.rstrip(" -").endswith(REGIONS)):
        return "driver_license"
    if len(digits) != 12 or int(digits[:2]) not in LICENCE_REGIONS:
        return ""
    dashed = shape == (2, 2, 6, 2) and all(joint.strip() for joint in joints)
    return "driver_license" if dashed or labelled else ""


def _card(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    if not (14 <= len(digits) <= 16):
        return ""
    if _find_nearest(before, CARD, ACCOUNT, ORDINARY) == CARD:
        return "card"
    # Four numbers in a table row or list may have a valid checksum too: a card must be separate.
    alone = not before[-1:].isdecimal() and not after.strip(" ,|\t\n")[:1].isdecimal()
    parted = shape in ((4, 4, 4, 4), (4, 6, 5)) and len(set(joints)) == 1 and joints[0] in (*DASHES, " ") and alone
    if not parted or digits[0] not in "34569":
        return ""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))  # the check of Luhn
    return "card" if sum(n - 9 * (n > 9) for n in doubled) % 10 == 0 else ""


def _account_or_health(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    """Match numbers that need a label: accounts and health insurance."""
    if not 10 <= len(digits) <= 16:
        return ""
    label = _find_nearest(before, ACCOUNT, HEALTH, TELEPHONE, BUSINESS, COMPANY, ORDINARY)
    if label == HEALTH and len(digits) == 11:
        return "health_insurance"
    if any("," in joint or "~" in joint or "/" in joint for joint in joints) or after[:1] in ("원", "년", "월", "만"):
        return ""
    parted = len(shape) >= 3 and all(joint.strip() in DASHES for joint in joints)
    if parted and (before.rstrip(":(").endswith(BANKS) or after.strip(" (").startswith(BANKS)):
        label = ACCOUNT
    # A date, a date range or a timestamp is not an account.
    dated = shape[:3] in ((4, 2, 2), (4, 1, 2), (4, 1, 1)) or (len(shape) > 1 and digits[:2] in ("19", "20"))
    if label == ACCOUNT and not dated:
        return "account" if len(shape) == 1 or all(joint.strip() in (*DASHES, "", ".") for joint in joints) else ""
    return ""


def is_sample_number(kind: str, groups: tuple[str, ...]) -> bool:
    """Whether a number is the sample of a form or manual: of one digit, climbing, or a published number for tests.

    >>> is_sample_number("rrn", ("123456", "1234567")), is_sample_number("rrn", ("990131", "1234567"))
    (True, False)
    """
    digits = "".join(groups)
    if kind == "phone":
        return digits.endswith("0000000")  # no subscriber number begins with 0
    if kind == "ip":
        return False
    rows = [group[0] for group in groups if len(set(group)) == 1]
    is_row = len(set(digits)) == 1 or (len(rows) == len(groups) > 2 and _climbs("".join(rows)))
    is_climb = _climbs(digits) or all(len(group) > 2 and group[0] == "1" and _climbs(group) for group in groups)
    return is_row or is_climb or (kind == "card" and digits in TEST_CARDS)


def _climbs(digits: str) -> bool:
    return all((int(b) - int(a)) % 10 == 1 for a, b in pairwise(digits))


def is_desk_line(before: str) -> bool:
    """Whether the text before a land line, without blanks and in lower case, ends with a desk or institute.

    >>> is_desk_line("정보공개과tel."), is_desk_line("신청인홍길동"), is_desk_line("민원실담당자")
    (True, False, False)
    """
    rest = before.rpartition("\n")[2]
    shorter = rest.rstrip(_MARKS)
    while shorter != rest:
        rest = shorter
        shorter = next((rest.removesuffix(word) for word in _CALLS if rest.endswith(word)), rest).rstrip(_MARKS)
    ends = rest.endswith(DESKS) or before.rstrip(_MARKS).endswith(("대표전화", "대표번호"))
    return ends and not any(word in before for word in PERSONS)
