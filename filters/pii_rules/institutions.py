"""Contact data of institutions: desk lines, role mailboxes, company numbers, office addresses.

Ambiguous matches count as personal: mobile numbers, mailboxes at free mail hosts, a name or title in the line, a flat.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias

import re2

from filters.pii_rules.text.digit_runs import ZERO_WIDTH
from filters.pii_rules.text.match import Match

Official: TypeAlias = Literal["desk-line", "role-mailbox", "company-number", "office-address"]
_SAYS: Final[dict[Official, str]] = {
    "desk-line": "desk line of an institution",
    "role-mailbox": "mailbox of a role",
    "company-number": "number of a company",
    "office-address": "address of an office",
}
_KINDS: Final = frozenset(("phone", "email", "crn", "brn", "address"))  # what an institution may have
_BEFORE: Final = 40  # code points before a match in which a word for its owner counts
_BEHIND: Final = 24  # the same after a match
_UNITS: Final = (
    "센터|민원실|상담실|행정실|교무실|기획실|감사실|홍보실|상황실|당직실|사무국|사무소|본부|지사|지점|위원회|공단|공사|재단|"
    "협회|진흥원|연구원|교육청|시청|군청|구청|도청|경찰청|경찰서|소방서|보건소|세무서|우체국|도서관|박물관|대학교|병원|"
    "출장소|면사무소|읍사무소|행정복지센터"
)
# 총무과, 지원1팀; words such as 결과 and 효과 are not departments.
_UNIT: Final = f"(?:{_UNITS}|[가-힣]{{2}}[0-9]?[과팀]|[가-힣]담당관)"
_NO_UNITS: Final = re2.compile("(?:[결효성경초통사부전교]과|치과|내과|외과|안과)[^가-힣]*$")
_SIGNS: Final = "[ \u00a0:：.()\\[\\]|/·☎☏-]*"
_LABEL: Final = f"{_SIGNS}(?:대표|전화|전화번호|문의|문의처|연락처|안내|팩스|(?i:tel|fax|t|f))?{_SIGNS}"
_DESK: Final = re2.compile(
    "(?:대표[ ]?(?:전화|번호)|(?:안내|상담)[ ]?전화|교환|고객[ ]?센터|고객만족센터|콜[ ]?센터|담당[ ]?부서)[^0-9\n]*$|"
    f"{_UNIT}{_LABEL}$"
)
_COMPANY: Final = "(?:주식회사|유한회사|㈜|\\(주\\))"
_HOUSE: Final = f"(?:본사|본점|본원|본관|사옥|청사|공장|소재지|{_UNITS}|{_COMPANY}(?: ?[가-힣A-Za-z0-9]{{1,15}})?)"
_OFFICE: Final = re2.compile(f"{_HOUSE}[은는이가의]?{_SIGNS}(?:주소|위치|소재지)?{_SIGNS}$")
_PERSON: Final = re2.compile(
    "담당자|책임자|대표자|대표이사|주무관|사무관|서기관|[과팀계실국부차처청소원회이단서총]장[^가-힣]|센터장|본부장|위원장|대리[^가-힣]|"
    "교수|기자|선생|변호사|씨[^가-힣]|님|자택|자가|거주|주거|휴대|핸드폰|개인|신청인|민원인|피해자"
)
_FLAT: Final = re2.compile("[0-9A-Za-z가-힣]동[ ]*[0-9]+호|아파트|빌라|오피스텔|맨션|연립")
_MOBILE: Final = ("010", "011", "016", "017", "018", "019", "050")
_ROLES: Final = frozenset(
    "info contact admin administrator webmaster master postmaster hostmaster help helpdesk support service services cs "
    "customer customerservice customercenter callcenter voc office privacy security abuse press pr media news editor "
    "sales marketing biz partner partnership hr recruit recruiting job jobs career careers ir legal billing account "
    "accounting order orders shop noreply no-reply donotreply newsletter notice inquiry ask qna faq question hello "
    "mail webadmin sysadmin root library "
    "고객센터 고객지원 문의 대표 대표메일 민원 홍보 관리자 안내 채용 사무국".split()
)
_PLACES: Final = frozenset("kr ko korea en team dept global".split())  # info.kr, cs_team
_FREE: Final = frozenset(
    "naver.com gmail.com googlemail.com daum.net hanmail.net kakao.com nate.com hotmail.com outlook.com outlook.kr "
    "yahoo.com yahoo.co.kr icloud.com me.com live.com msn.com empal.com dreamwiz.com paran.com korea.com lycos.co.kr "
    "chol.com hanmir.com freechal.com proton.me protonmail.com".split()
)
_VISIBLE: Final = dict.fromkeys(map(ord, ZERO_WIDTH))


def filter_official(text: str, found: Sequence[Match], keep: Collection[Official]) -> list[Match]:
    """Drop the matches of institutions that `keep` names; add the type of the others to their `why`.

    `found` must be in text order. Reads a bounded window around each match.

    >>> text = "총무과 02-000-1234"
    >>> line = Match(4, 15, "phone", 0.9, "grouped")
    >>> filter_official(text, [line], ())[0].why, filter_official(text, [line], ("desk-line",))
    ('grouped; desk line of an institution', [])
    """
    names = [f.start for f in found if f.kind == "name"]
    return list(_explain_official(text, found, names, keep))


def _explain_official(
    text: str, found: Sequence[Match], names: list[int], keep: Collection[Official]
) -> Iterator[Match]:
    for item in found:
        what = _classify_official(text, item, names)
        if what is None:
            yield item
        elif what not in keep:
            yield replace(item, why=f"{item.why}; {_SAYS[what]}")


def _classify_official(text: str, item: Match, names: list[int]) -> Official | None:
    value = text[item.start : item.end]
    value = value if value.isascii() else unicodedata.normalize("NFKC", value)
    match item.kind:
        case "phone" if not _normalise_phone(value).startswith(_MOBILE):
            before, line = _read_line_context(text, item)
            desk = _DESK.search(before) is not None and _NO_UNITS.search(before) is None
            return "desk-line" if desk and not _has_person_in_line(line, item, before, names) else None
        case "email" if _is_role_mailbox(value):
            before, line = _read_line_context(text, item)
            return None if _has_person_in_line(line, item, before, names) else "role-mailbox"
        case "crn":
            return "company-number"
        case "brn":
            kind = "".join(c for c in value if c.isdigit())[3:5]
            # 개인 before the number contradicts its type digits, which may be mistyped.
            personal = "개인" in text[max(0, item.start - 16) : item.start]
            return "company-number" if "81" <= kind <= "88" and not personal else None
        case "address" if _FLAT.search(value) is None:
            before, line = _read_line_context(text, item)
            office = _OFFICE.search(before) is not None
            return "office-address" if office and not _has_person_in_line(line, item, before, names) else None
    return None


def _read_line_context(text: str, item: Match) -> tuple[str, str]:
    """Return the text before a match in its line, and the line around it, both truncated."""
    first = max(0, item.start - _BEFORE)
    before = text[first : item.start].rpartition("\n")[2]
    behind = text[item.end : item.end + _BEHIND].partition("\n")[0]
    return before, f"{before}\x00{behind}\n"


def _has_person_in_line(line: str, item: Match, before: str, names: list[int]) -> bool:
    """Whether a name or a word for a person occurs in the line of a match."""
    at = bisect_left(names, item.start - len(before))
    behind = item.end + len(line) - len(before) - 2
    return (at < len(names) and names[at] < behind) or _PERSON.search(line) is not None


def _normalise_phone(value: str) -> str:
    digits = "".join(c for c in value if c.isdigit()).removeprefix("00")
    return "0" + digits[2:].lstrip("0") if digits.startswith("82") else digits


def _is_role_mailbox(value: str) -> bool:
    """Whether the address is info@, cs_team@, 고객센터@ or similar, not at a free mail host and not obfuscated."""
    local, _, host = value.translate(_VISIBLE).casefold().rpartition("@")
    if not local or host in _FREE or any(c.isspace() for c in value):
        return False
    parts = [part for part in local.replace("_", ".").split(".") if part]
    return local in _ROLES or (bool(parts) and parts[0] in _ROLES and all(p in _ROLES or p in _PLACES for p in parts))
