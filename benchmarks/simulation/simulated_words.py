"""Tables of phrases: common Korean words put together by draw, and Latin ones for pages that are not Korean.

A word of higher rank is drawn less often, as in prose. A table has TABLE phrases, so 14 bits of a draw choose one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache

TABLE = 1 << 14  # phrases of a table

NOUNS = (
    "사람 시간 지역 문제 방법 사회 정보 생각 기술 자료 결과 과정 환경 문화 경제 교육 연구 사업 기관 시장 제품 "
    "기록 역사 마을 학교 도시 나라 계획 변화 활동 관계 상황 이유 기준 내용 제도 정책 조사 시설 건물 도로 하천 "
    "바다 산림 농가 작물 토양 기후 온도 습도 바람 구름 강수량 수온 어민 항구 선박 철도 역사관 박물관 도서관 "
    "전시실 유물 그림 조각 사진 노래 악기 공연 무대 관객 배우 작가 소설 시집 독자 신문 방송 언어 문장 단어 "
    "표현 의미 발음 글자 책상 종이 연필 화면 단추 목록 문서 파일 표 그래프 함수 변수 오류 설정 기능 도구 명령 "
    "자판 저장소 서버 통신망 신호 회로 전압 전류 배터리 소자 금속 유리 섬유 목재 시멘트 기계 부품 공장 창고 "
    "물류 운송 운임 계약 비용 예산 세금 금리 물가 소득 임금 고용 직원 동료 관리자 책임자 위원회 회의 안건 "
    "의견 결정 규정 조항 법률 권리 의무 책임 절차 서류 신청서 증명서 자격 시험 교사 학생 부모 어린이 노인 "
    "환자 의사 약품 증상 검사 치료 수술 병원 건강 식사 채소 과일 곡물 고기 생선 양념 요리 음식 식당 손님 주방 "
    "여행 숙소 풍경 계절 아침 저녁 하루 주말 휴일 축제 행사 주민 이웃 가족 친구 모임 단체 봉사 기부 안전 사고 "
    "화재 경보 구조대 소방서 동물 식물 곤충 나무 꽃 씨앗 뿌리 줄기 열매 숲 강 호수 섬 하늘 별 행성 궤도 "
    "망원경 중력 입자 분자 세포 단백질 유전자 미생물 실험 가설 이론 수식 증명 통계 표본 평균 분포 오차 측정값 "
    "장비 감각 기억 감정 습관 태도 가치 믿음 의식 전통 풍습 신화 전설 왕조 궁궐 성곽 도자기"
).split()
VERBAL = (  # stems of verbs in 하다
    "검토 확인 설명 제시 분석 비교 정리 기록 관찰 측정 조사 평가 개선 보완 설치 운영 관리 지원 제공 공개 발표 "
    "논의 결정 선택 준비 시작 계속 완료 확대 축소 유지 변경 수정 추가 삭제 저장 전달 공유 활용 적용 도입 개발 "
    "생산 판매 구입 수출 보호 복원 보존 재배 수확 가공 운반 전시 공연 감상 기억 이해 표현 주장 반대 동의 요청 "
    "허용 제한 금지 예방 치료 회복 훈련 학습 연습 안내 소개 추천 방문 참여 기부"
).split()
MODIFIERS = (
    "새로운 오래된 중요한 작은 커다란 여러 다양한 서로 다른 가까운 먼 깊은 낮은 높은 복잡한 단순한 조용한 "
    "특별한 평범한 안전한 필요한 부족한 충분한 뚜렷한 흐릿한 뜨거운 차가운 가벼운 무거운 지역의 올해의 과거의 "
    "현재의 마을의 전체의 일부의 처음의 마지막"
).split()
OPENERS = (
    "그러나 그래서 또한 특히 먼저 다음으로 마지막으로 예를 들어 최근에는 이때 한편 실제로 무엇보다 대체로 "
    "처음에는 나중에 조금씩 천천히 빠르게 자주 가끔 함께 따로 다시 이미 아직 거의 모두 직접 오히려 결국 그 뒤 "
    "이듬해 여름에 겨울에 봄부터 가을까지 날마다 해마다"
).split()
ENDINGS = (
    (  # written
        "한다. 하였다. 했다. 하고 있다. 할 수 있다. 하지 않는다. 해야 한다. 하게 되었다. 하기로 했다. 하려고 "
        "한다. 하는 것이 좋다. 한 것으로 보인다. 하기 때문이다. 할 필요가 있다. 하기도 한다."
    ),
    (  # polite
        "합니다. 하였습니다. 했습니다. 하고 있습니다. 할 수 있습니다. 하지 않습니다. 해야 합니다. 하게 됩니다. "
        "하기로 했습니다. 하려고 합니다. 하는 것이 좋습니다. 하십시오. 하기 때문입니다. 할 필요가 있습니다."
    ),
)
JOINERS = "하고 하며 하지만 하면 하여 하는데 하므로 한 뒤 하기 전에 하면서".split(" ")
LATIN = (
    "the of a to in is page file value list option window button select menu open close name data table cell "
    "text format line style default set use this that each when then with from where which column row chart "
    "field print view insert edit tools help search find replace number function returns string type argument "
    "optional result example see also"
).split()


def _join(noun: str, closed: str, open_: str) -> str:
    """A noun with the form of a particle that fits its last syllable."""
    return noun + (closed if (ord(noun[-1]) - 0xAC00) % 28 else open_)


def _rank(words: Sequence[str]) -> Callable[[random.Random], str]:
    """A draw among words that falls with their rank (Zipf–Mandelbrot, shifted by 5)."""
    weights = [1 / (rank + 5) for rank in range(len(words))]
    return lambda draw: draw.choices(words, weights)[0]


@cache
def tables() -> tuple[tuple[str, ...], ...]:
    """Subjects, objects with a place before them, clauses that lead on, written and polite predicates."""
    draw = random.Random("words")
    noun, verb, modifier, opener = map(_rank, (NOUNS, VERBAL, MODIFIERS, OPENERS))

    def subject() -> str:
        first = f"{opener(draw)} " if draw.random() < 0.3 else ""
        name = noun(draw) if draw.random() < 0.93 else f"{draw.randint(2, 1999):,}개의 {noun(draw)}"
        particle = ("은", "는") if draw.random() < 0.5 else ("이", "가")
        return f"{first}{modifier(draw)} {_join(name, *particle)}"

    def complement() -> str:
        thing = _join(noun(draw), "을", "를")
        if draw.random() < 0.4:
            thing = f"{noun(draw)}의 {thing}"
        return f"{noun(draw)}{'에서' if draw.random() < 0.5 else '에'} {thing}"

    def clause() -> str:
        if draw.random() < 0.45:
            return ""
        return f" {_join(noun(draw), '을', '를')} {verb(draw)}{draw.choice(JOINERS)}"

    def predicate(endings: str) -> Callable[[], str]:
        forms = [form.strip() + "." for form in endings.split(".") if form.strip()]
        return lambda: verb(draw) + draw.choice(forms)

    made = (subject, complement, clause, *map(predicate, ENDINGS))
    return tuple(tuple(one() for _ in range(TABLE)) for one in made)


@cache
def latin() -> tuple[str, ...]:
    """Runs of five Latin words."""
    draw, word = random.Random("latin"), _rank(LATIN)
    return tuple(" ".join(word(draw) for _ in range(5)) for _ in range(TABLE))
