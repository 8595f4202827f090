"""Values of no person: samples of forms and manuals, example addresses, desk lines.

docs/personal-data.md lists them. The filter has rules of its own for them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

# Numbers of cards that payment services publish for tests.
TEST_CARDS: Final = frozenset(
    "4242424242424242 4111111111111111 4012888888881881 4000056655665556 5555555555554444 5105105105105100 "
    "5200828282828210 2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424 "
    "3056930009020004 3566002020360505 6200000000000005".split()
)
EXAMPLE_HOSTS: Final = ("example.com", "example.net", "example.org", "localhost.localdomain")  # RFC 2606, RFC 6761
EXAMPLE_DOMAINS: Final = frozenset(("example", "invalid", "localhost", "test"))  # top-level domains of the same
ROLES: Final = frozenset(
    "abuse admin contact cs customer editor help helpdesk hostmaster hr info marketing master noreply no-reply office "
    "postmaster press privacy recruit sales service support webmaster".split()
)
FREE_HOSTS: Final = (
    "naver.com", "gmail.com", "hanmail.net", "daum.net", "kakao.com", "nate.com", "hotmail.com", "outlook.com",
    "icloud.com", "yahoo.com", "yahoo.co.kr", "paran.com", "empas.com", "lycos.co.kr", "korea.com", "dreamwiz.com",
)  # fmt: skip
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


def is_example_address(local: str, host: str) -> bool:
    """Whether a mail address is an example, or the mailbox of a role at an institution.

    >>> [is_example_address(*a.split("@")) for a in ("hong@example.com", "info@a.re.kr", "info@naver.com", "hong@a.kr")]
    [True, True, False, False]
    """
    name = host.casefold()
    if name.rpartition(".")[2] in EXAMPLE_DOMAINS or any(
        name == one or name.endswith(f".{one}") for one in EXAMPLE_HOSTS
    ):
        return True
    return local.casefold() in ROLES and name not in FREE_HOSTS
