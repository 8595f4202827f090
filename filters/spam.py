"""Drop Korean advertising for gambling, adult services and loans, by families of terms and their density.

One word never decides: 바카라 is also a maker of crystal, 대출 a bank's business and a library's, and a
report on illegal gambling names what it fights. What marks an advertisement is many different
terms of one family close together, beside calls to act.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from filters.params import Count, Score
from malmoi.document import Document, Verdict

VERSION = 1


def _terms(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Family:
    """Terms of one trade: `strong` stand in advertising almost alone, `weak` in any text on the matter."""

    name: str
    strong: tuple[str, ...]
    weak: tuple[str, ...]


FAMILIES: tuple[Family, ...] = (
    Family(
        "gambling",
        _terms(
            "꽁머니 첫충 매충 입플 먹튀검증 먹튀사이트 먹튀없는 안전놀이터 메이저놀이터 메이저사이트 "
            "토토사이트 카지노사이트 바카라사이트 슬롯사이트 온라인카지노 온라인바카라 실시간카지노 "
            "라이브카지노 코인카지노 우리카지노 에볼루션카지노 슬롯머신사이트 파워볼사이트 놀이터추천 "
            "사설토토 스포츠토토사이트 토토커뮤니티 보증업체 롤링금액 무한매충 꽁포인트 슬롯체험 카지노쿠폰 "
            "파워볼픽 사다리픽 총판모집 가입머니 신규가입첫"
        ),
        _terms(
            "토토 카지노 바카라 슬롯 룰렛 블랙잭 홀덤 파워볼 사다리 배팅 베팅 잭팟 먹튀 환전 충전 롤링 픽스터 놀이터"
        ),
    ),
    Family(
        "adult",
        _terms(
            "출장안마 출장마사지 출장샵 출장만남 출장아가씨 콜걸 조건만남 오피사이트 오피걸 건마 안마방 "
            "휴게텔 키스방 립카페 풀싸롱 룸싸롱추천 하이퍼블릭 성인사이트 야동사이트 야동무료 무료야동 섹파 "
            "원나잇만남 성인용품 비아그라구매 비아그라판매 시알리스구매 시알리스판매 정품비아그라 애인대행 "
            "홈타이 여대생만남 스웨디시추천"
        ),
        _terms("야동 오피 마사지 안마 비아그라 시알리스 스웨디시 유흥 룸싸롱 밤문화 업소 매니저 후불"),
    ),
    Family(
        "loan",
        _terms(
            "당일대출 무직자대출 무서류대출 신용불량자대출 개인돈 급전대출 소액결제현금화 신용카드현금화 "
            "휴대폰결제현금화 정보이용료현금화 상품권현금화 카드깡 폰테크 내구제 작업대출 무방문대출 "
            "누구나대출 연체자대출 대출나라 대환대출상담 주부대출 여성대출 비상금대출상담 즉시대출 100%승인"
        ),
        _terms("대출 급전 현금화 한도조회 저금리 무직자 무서류 신불자 연체자 당일 승인 소액결제"),
    ),
)
# Calls to act; alone they mean nothing.
CALLS = _terms(
    "가입코드 추천인코드 추천코드 카톡문의 카톡상담 텔레그램 텔레문의 텔레 24시간상담 24시상담 24시간 "
    "상담문의 바로가기 가입즉시 신규가입 이벤트진행 무료상담 전화상담 문의환영 연중무휴 즉시지급 후불제 "
    "100%당첨 승인률 선착순 지금바로"
)
# Words of those who report, judge or help; an advertisement does not use them.
REPORTS = _terms(
    "경찰 검찰 검거 혐의 구속 기소 단속 수사 처벌 적발 불법 범죄 피해 법원 판결 징역 중독 예방 규제 금융감독원 전문가"
)
STRONG, WEAK, CALL, REPORT = 3.0, 1.0, 1.0, -3.0
REPEATS = 3  # a term counts at most so often: density, not insistence
_BASE_CHARS = 200  # code points; a shorter text is measured as if it were so long

_TERMS: dict[str, tuple[str, float]] = (
    dict.fromkeys(CALLS, ("call", CALL))
    | dict.fromkeys(REPORTS, ("report", REPORT))
    | {term: (family.name, WEAK) for family in FAMILIES for term in family.weak}
    | {term: (family.name, STRONG) for family in FAMILIES for term in family.strong}
)


def _spaced(term: str) -> str:
    """A term of four or more signs is also found with a blank, dot or star between two of them.

    Shorter terms are not: 포토 토론 would be read as 토토.
    """
    return "[ .*_-]?".join(map(re.escape, term)) if len(term) >= 4 else re.escape(term)


_PATTERN = re.compile("|".join(_spaced(t) for t in sorted(_TERMS, key=lambda t: (-len(t), t))))
_GAPS = re.compile("[ .*_-]")


def judge(doc: Document, *, max_score: Score = 4.0, min_terms: Count = 4) -> Verdict:
    """Drop a text whose `spam` score is above `max_score`; reason `spam`.

    The score is the weight of the terms of the strongest family (strong 3, weak 1, each counted
    at most three times), of calls to act (1) and of each different word of those who report or
    judge (-3), for each 200 code points without white space. So an advertisement is found in a
    short text, and a mention in a long one or in a news report is not. A drop needs `min_terms`
    different terms, and among them two strong ones or a strong one and a call to act.

    Measures `spam`; labels `spam` with the family where it drops. Weights and limit were set on
    advertisements written for the purpose and on 5,212 texts in ten registers without any, of
    which none is dropped: a first guess that awaits real advertising.
    """
    family, score, terms = measure(doc.text)
    drops = score > max_score and terms >= min_terms
    return Verdict(
        "drop" if drops else "keep",
        "spam" if drops else "no-spam",
        measured=round(score, 4),
        limit=max_score,
        labels=(("spam", family),) if drops else (),
        measures=(("spam", round(score, 4)),),
    )


def measure(text: str) -> tuple[str, float, int]:
    """(strongest family, score, different terms); ("", 0.0, 0) where no strong term stands.

    >>> measure("바카라는 크리스털을 만드는 프랑스의 회사이다.")
    ('', 0.0, 0)
    """
    found = Counter(_GAPS.sub("", hit) for hit in _PATTERN.findall(text))
    calls = {term: n for term, n in found.items() if _TERMS[term][0] == "call"}
    reports = REPORT * sum(1 for term in found if _TERMS[term][0] == "report")
    best = ("", 0.0, 0)
    for family in FAMILIES:
        terms = {term: n for term, n in found.items() if _TERMS[term][0] == family.name}
        strong = sum(1 for term in terms if _TERMS[term][1] == STRONG)
        if strong + min(1, len(calls)) < 2 or not strong:
            continue
        weight = max(0.0, reports + sum(_TERMS[term][1] * min(n, REPEATS) for term, n in (terms | calls).items()))
        score = weight * _BASE_CHARS / max(_BASE_CHARS, sum(map(len, text.split())))
        if score > best[1]:
            best = (family.name, score, len(terms) + len(calls))
    return best
