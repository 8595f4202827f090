"""What no person wrote is found by its grammar; what people write with the same means stays."""

import pytest

from filters import machine_text, morphology
from malmoi.corridor import apply
from malmoi.document import Document, Provenance
from malmoi.errors import CallError

LITERAL = (
    "당신은 당신의 컴퓨터를 다시 시작할 필요로 합니다. 그것은 당신의 설정들을 저장할 것입니다 당신이 그것을 닫을 때. "
    "만약 당신이 당신의 비밀번호들을 잊었다면, 당신은 그것들을 복구하기를 원할 것입니다. "
    "우리는 당신의 파일들을 가지고 있지 않습니다 그리고 당신은 그것을 알아야 합니다."
)
TEMPLATE = (
    "고구마은(는) 뿌리를 먹는 채소입니다. 고구마을(를) 보관하는 방법은 서늘한 곳에 두는 것입니다. "
    "고구마와(과) 함께 먹으면 좋은 음식은 우유입니다. 고구마(으)로 만드는 요리는 열두 가지입니다."
)
STUFFED = (
    "겨울 텐트 추천을 찾고 계신가요? 겨울 텐트 추천은 많은 분들이 궁금해하시는 내용입니다. 겨울 텐트 추천 순위를 "
    "알아보겠습니다. 겨울 텐트 추천 제품은 겨울 텐트입니다. 겨울 텐트를 고를 때 겨울 텐트 추천이 매우 중요합니다. "
    "지금까지 겨울 텐트 추천을 알아보았습니다."
)
ANSWER = (
    "요청하신 소개문을 작성해 드리겠습니다. 우리 마을은 산과 강이 아름다운 "
    "곳입니다. 봄에는 꽃이 피고 가을에는 단풍이 듭니다. "
    "도움이 되셨기를 바랍니다. 추가로 궁금하신 점이 있으시면 말씀해 주세요."
)
WRONG = (
    "먼저 저장를 누릅니다. 그다음 목록를 열고 도구을 고릅니다. 표을 넣은 뒤 확인를 누르면 결과을 볼 수 있습니다. "
    "마지막으로 창를 닫습니다."
)
LETTERS = (
    "봄 이 되 어 산 과 들 에 꽃 이 피 었 다. "
    "아 이 들 은 개 울 가 에 나 가 물 고 기 를 잡 았 고 노 인 은 밭 을 갈 았 다."
)

TALE = (
    "나무꾼은 산에 올라 나무를 하였다. 호랑이가 나타나 나무꾼을 보고 울었다. "
    "나무꾼은 호랑이의 목에서 가시를 뽑아 주었다. "
    "호랑이는 그 뒤로 나무꾼의 집 앞에 멧돼지를 두고 갔다. 나무꾼은 오래오래 잘 살았다고 한다."
)
MANUAL = (
    "연결 창을 열려면 도구 모음에서 연결을 누르십시오. 연결 이름과 주소를 입력한 "
    "다음 연결을 저장합니다. 저장한 연결은 왼쪽 목록에 "
    "나타나며, 두 번 누르면 바로 연결됩니다. 연결이 끊어지면 상태 표시줄에 알림이 나옵니다."
)
DIARY = (
    "나는 오늘 우리 반 아이들과 박물관에 갔다. 내가 가장 좋아한 것은 "
    "금관이었다. 우리는 그 앞에서 사진을 찍었고, 나는 친구에게 "
    "엽서를 사 주었다. 돌아오는 길에 우리는 모두 잠이 들었다."
)
HOWTO = (
    "오늘은 된장찌개를 끓이는 법을 알아보겠습니다. 멸치와 다시마로 국물을 내고 된장 "
    "두 숟가락을 풉니다. 감자가 익으면 애호박과 두부를 "
    "넣고 한소끔 더 끓입니다. 청양고추는 마지막에 넣어야 향이 삽니다. 저는 여기에 달래를 조금 얹습니다."
)
AUTUMN = "가을이 오면 마을 사람들은 노을을 보며 밤을 주웠다. 책을 읽는 이도 있었고 집을 지을 나무를 나르는 이도 있었다."


def judged(text):
    doc = Document("x/1", text, Provenance("x", "", "", "", ""))
    return machine_text.judge(apply(doc, "morphology", "mark", morphology.mark(doc)))


@pytest.mark.parametrize("text", [LITERAL, TEMPLATE, STUFFED, ANSWER, WRONG, LETTERS])
def test_what_no_person_wrote_is_dropped(text):
    found = judged(text)
    assert (found.outcome, found.reason) == ("drop", "machine-text") and found.measured > found.limit


@pytest.mark.parametrize("text", [TALE, MANUAL, DIARY, HOWTO, AUTUMN])
def test_what_people_write_with_the_same_means_is_kept(text):
    assert judged(text).outcome == "keep"


def test_a_text_of_a_few_words_is_too_little_to_judge():
    assert judged("고구마은(는) 채소.").outcome == "keep"


def test_the_right_forms_of_the_object_are_no_sign():
    assert machine_text._wrong_objects("가을을 마을을 책을 나무를 물을 노을") == 0.0


def test_it_asks_for_morphemes():
    with pytest.raises(CallError, match="put 'morphology' before"):
        machine_text.judge(Document("x/1", "글", Provenance("x", "", "", "", "")))


def test_a_text_without_korean_has_no_signs():
    assert judged("Nothing here is Korean, {name} and null alike. " * 10).measured == 0.0
