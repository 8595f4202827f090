"""The statutes in force, from the open API of law.go.kr."""

from functools import partial

from crawlers.platforms import law_go_kr
from malmoi.source import Estimate, Expect

IGNORED = (
    # of an entry: its basic facts
    "공포번호", "언어", "법종구분코드", "법령명_한자", "법령명약칭", "편장절관", "소관부처코드", "전화번호",
    "시행일자", "제개정구분", "조문시행일자문자열", "별표시행일자문자열", "별표편집여부", "공포법령여부",
    "연락부서", "공동부령구분", "공동부령정보", "제명변경여부", "한글법령여부", "제안구분", "의결구분",
    "이전법령명", "조문별시행일자", "시행일기준편집여부",
    # beside the words of an article
    "조문번호", "조문가지번호", "조문여부", "조문제목", "조문시행일자", "조문제개정유형", "조문이동이전",
    "조문이동이후", "조문변경여부", "조문참고자료", "항번호", "항제개정유형", "항제개정일자문자열", "호번호",
    "목번호", "부칙공포일자", "부칙공포번호",
    # tables and forms, the words and the reasons of an amendment
    "별표", "개정문", "제개정이유",
    # of a list
    "법령일련번호", "현행연혁코드", "법령명한글", "법령약칭명", "제개정구분명", "소관부처명", "법령구분명",
    "자법타법여부", "법령상세링크",
)  # fmt: skip


# 법령ID is one name for all versions of a statute, and the API returns the version in force for it: an amendment
# becomes a new revision of the same document. 법령일련번호 (MST) would name each version separately.
REGISTER = law_go_kr.Register(
    target="law",
    row="law",
    listed="법령ID",
    asked="ID",
    root="법령",
    own=("법령ID",),
    title=("법령명_한글",),
    date=("공포일자",),
    author=("소관부처",),
    page="https://www.law.go.kr/법령/{title}",
    parts=lambda root: (*law_go_kr.articles(root), *law_go_kr.paragraphs(root, "부칙내용")),
    stated="법종구분",
    within="법령/기본정보",
    allowed=lambda _, words: law_go_kr.is_statute(words),
    read=("조문내용", "항내용", "호내용", "목내용", "부칙내용"),
    ignored=IGNORED,
)

SOURCE = law_go_kr.source(
    REGISTER,
    name="law_statutes",
    title="국가법령정보 현행법령",
    max_pages=20_000,
    register="statutory",
    # Some five thousand statutes are in force, as is generally known; this API was not counted.
    expect=Expect(at_least=3_000, at_most=15_000),
    family="law.go.kr/law",
    attribution="「{title}」 ({year}), {publisher}, {url}",
    unverified="Whether www.law.go.kr/robots.txt lets machines in, and how many statutes the list counts.",
    estimate=Estimate(60_000_000, "5,000 statutes × 12,000 characters"),
    note="The key is the id under which an operator has registered at open.law.go.kr, with the addresses from which "
    "the interface will answer. Left out: tables and forms (별표, 별지), which are files, and the reasons for an "
    "amendment (제개정이유).",
)

follow, items, evidence, text, trouble = law_go_kr.functions(REGISTER)
unknown_fields = partial(law_go_kr.unknown_fields, REGISTER)
