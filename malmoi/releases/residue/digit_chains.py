"""Classify chains of digits: resident numbers by date, telephones by prefix, cards by checksum, others by a label."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from typing import Final

from malmoi.releases.residue.code_points import MASKS, Chain, Span
from malmoi.releases.residue.examples import is_desk_line, is_sample_number

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
ORDINARY: Final = (
    "isbn",
    "issn",
    "바코드",
    "ean",
    "사건",
    "문서",
    "접수",
    "주문",
    "송장",
    "버전",
    "특허",
    "출원",
    "epoch",
)
BANKS: Final = ("국민", "신한", "우리", "하나", "기업", "제일", "카뱅", "케이", "토스", "씨티", "부산", "대구", "산업")
VERSIONS: Final = ("버전", "version", "ver.", "앱", "릴리스", "펌웨어", "release", "판본")
MOBILE: Final = ("010", "011", "016", "017", "018", "019")
AREAS: Final = tuple("031 032 033 041 042 043 044 051 052 053 054 055 061 062 063 064".split())
DASHES: Final = tuple("-‐‑‒–—―−－")
SAFE: Final = tuple(f"050{n}" for n in range(2, 9))
REGIONS: Final = tuple("서울 부산 경기 강원 충북 충남 전북 전남 경북 경남 제주 대구 인천 광주 대전 울산".split())
LICENCE_REGIONS: Final = frozenset((*range(11, 27), 28))


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
    if sum(shape) < LABELLED and not _may_be_short(shape, chain.groups[first]):
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


LEAST_DIGITS, MOST_DIGITS = 7, 19
LABELLED: Final = 10  # digits from which a label may decide
_MASKED: Final = ((6, 1), (7,), (6, 2))  # a masked resident number


def _may_be_short(shape: tuple[int, ...], head: str) -> bool:
    """Whether a number of less than LABELLED digits can be an address, a masked resident number or a telephone."""
    return len(shape) == 4 or shape in _MASKED or head[0] == "0"


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
    best: tuple[str, ...] = ()
    at = -1
    for words in choices:
        place = max(map(text.rfind, words))
        if place > at:
            best, at = words, place
    return best


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
    said = _find_nearest(before, RESIDENT, COMPANY, ORDINARY, CARD, ACCOUNT)
    if said in (COMPANY, ORDINARY) or not digits.strip("0"):
        return ""
    parted = shape == (6, 7) and joints[0].strip() and _is_date(digits)
    if said == RESIDENT or parted:
        return _resident_kind(digits)
    # Bare digits may be a Korean barcode (880) or milliseconds since 1970: current ones begin with 1.
    plain = _is_date(digits) and not said and digits[6] in "12345678" and not digits.startswith(("880", "1"))
    return _resident_kind(digits) if plain and _has_check_digit(digits) else ""


def _resident_kind(digits: str) -> str:
    return "frn" if digits[6] in "5678" else "rrn"


def _has_check_digit(digits: str) -> bool:
    """Whether the check digit of a number issued before October 2020 is valid; that of foreigners is greater by two."""
    total = 11 - sum(int(d) * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)) % 11
    return int(digits[12]) in (total % 10, (total + 2) % 10 if digits[6] in "5678" else total % 10)


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
    told = land and ((canonical and _has_separator(joints)) or labelled or abroad)
    return "phone" if told and not is_desk_line(before) else ""


def _has_separator(joints: tuple[str, ...]) -> bool:
    """Whether a dash, dot or bracket separates the last two groups; blanks also separate ordinary numbers."""
    return bool((joints and joints[-1].strip(" ") in (*DASHES, ".", "．")) or
                (len(joints) > 1 and ")" in joints[0]))  # fmt: skip


def _business(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    """Match numbers of sole proprietors only; the policy keeps company numbers (81 to 88 in the middle)."""
    if shape not in ((3, 2, 5), (10,)) or 81 <= int(digits[3:5]) <= 88:
        return ""
    said = _find_nearest(before, BUSINESS, ACCOUNT, TELEPHONE, ORDINARY)
    dashed = len(joints) == 2 and all(joint.strip() in DASHES for joint in joints) and said not in (ACCOUNT, ORDINARY)
    return "brn" if said == BUSINESS or dashed else ""


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
    return "card" if parted and digits[0] in "34569" and _is_luhn(digits) else ""


def _is_luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def _account_or_health(digits: str, shape: tuple[int, ...], joints: tuple[str, ...], before: str, after: str) -> str:
    """Match numbers that need a label: accounts and health insurance."""
    if not 10 <= len(digits) <= 16:
        return ""
    said = _find_nearest(before, ACCOUNT, HEALTH, TELEPHONE, BUSINESS, COMPANY, ORDINARY)
    if said == HEALTH and len(digits) == 11:
        return "health_insurance"
    if any("," in joint or "~" in joint or "/" in joint for joint in joints) or after[:1] in ("원", "년", "월", "만"):
        return ""
    parted = len(shape) >= 3 and all(joint.strip() in DASHES for joint in joints)
    if parted and (before.rstrip(":(").endswith(BANKS) or after.strip(" (").startswith(BANKS)):
        said = ACCOUNT
    if said == ACCOUNT and not _is_calendar(digits, shape):
        return "account" if len(shape) == 1 or all(joint.strip() in (*DASHES, "", ".") for joint in joints) else ""
    return ""


def _is_calendar(digits: str, shape: tuple[int, ...]) -> bool:
    """Whether the digits are a date, a date range or a timestamp."""
    return shape[:3] in ((4, 2, 2), (4, 1, 2), (4, 1, 1)) or (len(shape) > 1 and digits[:2] in ("19", "20"))
