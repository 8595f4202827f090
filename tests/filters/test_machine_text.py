"""What no person wrote is found by its grammar; what people write with the same means stays."""

import json
from pathlib import Path

import pytest

from filters import machine_text, morphology
from malmoi.apply import apply
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from tests.builders.rows import each_row

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
LATE = (
    "전원 단추를 누르고 계십시오 3초 동안. 장치는 자신을 켤 것입니다 당신의 손 안에서. 언어를 고르십시오 그리고 다음을 "
    "두드리십시오. 이것은 몇 분을 가져갈 수 있습니다."
)
MANNERS = (
    "너는 아래의 단추를 누르셔야 합니다. 만약 너의 암호를 잊으셨다면 우리는 너를 도울 수 있습니다. 그러나 너는 먼저 "
    "전화기를 찾으시는 것이 필요합니다."
)
GARBLED = (
    "이번 ** 행사는 *민 여러분의 *여로 잘 *났습니다. 다음 ** 행사는 *월에 열* 예정이며 자세한 내용은 *후 "
    "공지*겠습니다. 많은 *석을 *랍니다."
).replace("*", "\ufffd")
SEARCHED = (
    "텐트추천순위비교 겨울텐트난방용품 감성캠핑용품세트 캠핑의자추천가격비교를 캠핑테이블경량제품 "
    "타프설치방법사이트에서 차박텐트도킹연결부품 캠핑장예약사이트순위 글램핑예약할인쿠폰 백패킹배낭추천용량 "
    "침낭동계용추천 에어매트자동충전식제품을 버너스토브가격비교 랜턴충전식추천 화로대숯불구이세트 캠핑식기세트할인"
)

LYRICS = (
    "보고 싶다 보고 싶다 이렇게 쓰고 보면 더 보고 싶다. 바람이 분다 네가 없는 골목에 바람이 분다. 나는 걷는다 네가 "
    "걷던 길을. 나는 센다 네가 세던 별을. 밤은 길고 나는 아직 여기 있다."
)
NOVEL = (
    "그는 그녀의 손을 잡았다. 그녀는 그를 바라보았다. 그의 눈에는 눈물이 고여 있었다. 그녀는 그의 어깨에 기댔다. "
    "그는 그녀에게 아무것도 묻지 않았다. 창밖에는 눈이 내렸고, 그들은 오래 말이 없었다."
)
LETTER = (
    "당신을 기다리는 동안 나는 당신의 이름을 쓰고 지웠습니다. 당신은 봄에 오신다고 하였습니다. 꽃이 지고 잎이 "
    "피고 다시 잎이 졌습니다. 그래도 나는 당신이 오시는 길에 등불을 걸어 둡니다."
)
ANIMALS = (
    "아이들이 모였습니다. 새들이 날아왔습니다. 나무들은 잎을 흔들었습니다. 아이들은 새들에게 물었습니다. 새들은 먼 "
    "바다들을 건너왔다고 했습니다. 아이들은 새들에게 빵 부스러기를 나누어 주었습니다."
)
CHAT = (
    "어제 영화 봤는데 진짜 재밌더라 너도 꼭 봐 나는 마지막에 울었음 ㅠㅠ 근데 팝콘이 너무 비싸 만이천원이래 다음에는 "
    "집에서 만들어 가려고 너 토요일에 시간 돼? 되면 같이 가자 나 쿠폰 있어"
)
BLOG = (
    "안녕하세요! 오늘은 김장 김치 담그는 법을 알려 드릴게요. 배추는 소금물에 여덟 시간 절였어요. 새우젓을 조금 줄이고 "
    "멸치액젓을 더 넣었더니 맛이 깊어졌어요. 궁금한 점이 있으시면 댓글 남겨 주세요. 도움이 되셨기를 바라요."
)
FORUM = (
    "노트북에 리눅스를 깔았는데 와이파이가 안 잡혀요? 드라이버를 다시 깔아도 똑같습니다?? 같은 모델 쓰시는 분 "
    "계신가요?혹시 커널 버전 때문일까요?도와주세요. 결과는 아래에 붙였고 été 같은 글자도 깨집니다."
)
STRINGS = (
    "문자열에 {name}을 넣으면 이름이 들어갑니다. 자동으로 생성된 파일은 지워도 됩니다. 프로그램은 다시 만들 때 "
    "LibreOffice은(는) 같은 말을 씁니다. 이름을 고치려면 설정을 여십시오."
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


@each_row("text", [LITERAL, TEMPLATE, STUFFED, ANSWER, WRONG, LETTERS, LATE, MANNERS, GARBLED, SEARCHED])
def test_what_no_person_wrote_is_dropped(text):
    found = judged(text)
    assert (found.outcome, found.reason) == ("drop", "machine-text") and found.measured > found.limit


@each_row("text", [TALE, MANUAL, DIARY, HOWTO, AUTUMN, LYRICS, NOVEL, LETTER, ANIMALS, CHAT, BLOG, FORUM, STRINGS])
def test_what_people_write_with_the_same_means_is_kept(text):
    assert judged(text).outcome == "keep"


CASES = [json.loads(s) for s in (Path(__file__).parents[1] / "data/filters/machine.jsonl").open(encoding="utf-8")]


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_a_case_is_judged_as_it_was_made(case, request):
    if case.get("known"):
        request.applymarker(pytest.mark.xfail(reason="known not to be found", strict=True))
    assert judged(case["text"]).outcome == ("drop" if case["machine"] else "keep")


def test_a_text_of_a_few_words_is_too_little_to_judge():
    assert judged("고구마은(는) 채소.").outcome == "keep"


def test_the_right_forms_of_the_object_are_no_sign():
    assert machine_text._wrong_particle_share("가을을 마을을 책을 나무를 물을 노을") == 0.0


def test_it_asks_for_morphemes():
    with pytest.raises(CallError, match="put 'morphology' before"):
        machine_text.judge(Document("x/1", "글", Provenance("x", "", "", "", "")))


def test_a_text_without_korean_has_no_signs():
    assert judged("Nothing here is Korean, {name} and null alike. " * 10).measured == 0.0


NOTICES = {
    "script": "이 누리집은 자바스크립트를 켜야 볼 수 있습니다. 브라우저 설정에서 자바스크립트를 허용해 주세요. "
    "그래도 보이지 않으면 고객 센터로 알려 주세요. 이용에 불편을 드려 죄송합니다.",
    "consent": "저희는 더 나은 화면을 보여 드리려고 쿠키를 사용합니다. 모든 쿠키를 "
    "받아들이거나 설정에서 고르실 수 있습니다. 필수 쿠키는 끌 수 없습니다. 자세한 내용은 쿠키 정책에 있습니다.",
    "money": "이 글은 유료 구독자만 읽을 수 있습니다. 이미 구독자이신가요? 로그인해 주세요. "
    "첫 달은 무료로 보실 수 있습니다. 언제든지 해지하실 수 있습니다.",
    "absent": "찾으시는 페이지를 찾을 수 없습니다. 주소가 잘못 적혔거나 글이 지워졌습니다. "
    "주소가 맞는지 다시 확인해 주세요. 이전 페이지로 돌아가거나 홈으로 가 주세요.",
    "members": "이 게시물을 보려면 로그인이 필요합니다. 로그인하시면 바로 이어집니다. 열람 권한이 없습니다. "
    "정회원만 볼 수 있는 게시판입니다. 이전 페이지로 돌아가 주세요.",
}


@pytest.mark.parametrize("text", NOTICES.values(), ids=NOTICES)
def test_a_page_that_only_says_why_it_shows_nothing_is_dropped_under_its_own_reason(text):
    found = judged(text)
    assert (found.outcome, found.reason) == ("drop", "page-notice")


@pytest.mark.parametrize("text", NOTICES.values(), ids=NOTICES)
def test_an_article_with_a_notice_in_it_is_no_notice(text):
    assert judged(text + " " + " ".join((TALE, MANUAL, HOWTO))).outcome == "keep"


def test_residue_decides_at_an_end_or_where_it_comes_again_but_not_alone_in_the_midst():
    said = "저는 AI 언어 모델이므로 맛을 볼 수 없습니다. "
    assert judged(said + TALE).outcome == "drop"
    assert judged(TALE + " " + said).outcome == "drop"
    middle = judged(TALE + " " + said + HOWTO)
    assert (middle.outcome, middle.measured) == ("keep", pytest.approx(0.6, abs=0.1))
    assert judged(f'{TALE} "{said}"라는 문장이 책에 남아 있었다. ' + HOWTO).measured < 0.1


def test_open_particles_decide_where_they_are_the_most_of_all_particles():
    assert judged(TEMPLATE).measured > 2
    assert judged("박물관은(는) 월요일에 쉰다. " + DIARY).outcome == "keep"


def test_without_당신_pronouns_and_renderings_never_decide_alone():
    text = (
        "그것은 그것이 그것을 부른다. 왜냐하면 그것이 그것이기 때문이다. 만약 그것이 없다면 그것은 그것을 필요로 한다. "
    )
    assert judged(text * 3).measured <= 0.6
