"""The administrative rules in force (훈령, 예규, 고시, 공고), from the open API of law.go.kr."""

import re
from functools import partial

from crawlers.formats import ParsedItem, xml_records
from crawlers.platforms import law_go_kr
from malmoi.source import Estimate, Expect, Extracted

MAX_NOTICE = 200  # code points; a longer text that mentions its attachment has text of its own
ATTACHED = re.compile(r"첨부|버튼을 이용|별도\s?파일")


IGNORED = (
    # of an entry
    "행정규칙일련번호", "행정규칙종류코드", "발령번호", "제개정구분명", "제개정구분코드", "조문형식여부",
    "소관부처코드", "상위부처명", "담당부서기관코드", "담당부서기관명", "담당자명", "전화번호", "현행여부",
    "시행일자", "생성일자", "부칙공포일자", "부칙공포번호", "별표", "첨부파일", "개정문", "제개정이유",
    # of a list
    "현행연혁구분", "법령분류코드", "법령분류명", "행정규칙상세링크",
)  # fmt: skip


# As with statutes: 행정규칙ID (parameter LID) names the rule, 행정규칙일련번호 (ID) one version of it.
REGISTER = law_go_kr.Register(
    target="admrul",
    row="admrul",
    listed="행정규칙ID",
    asked="LID",
    root="AdmRulService",
    own=("행정규칙ID",),
    title=("행정규칙명",),
    date=("발령일자",),
    author=("소관부처명",),
    page="https://www.law.go.kr/행정규칙/{title}",
    parts=lambda root: (*law_go_kr.paragraphs(root, "조문내용"), *law_go_kr.paragraphs(root, "부칙내용")),
    stated="행정규칙종류",
    within="AdmRulService/행정규칙기본정보",
    allowed=lambda root, words: law_go_kr.is_rule(words, xml_records.field(root, "소관부처명")),
    read=("조문내용", "부칙내용"),
    ignored=IGNORED,
)

SOURCE = law_go_kr.source(
    REGISTER,
    name="law_rules",
    title="국가법령정보 행정규칙",
    max_pages=100_000,
    register="statutory",
    # Between ten and thirty thousand are in force, as is generally known; this API was not counted.
    expect=Expect(at_least=5_000, at_most=80_000),
    family="law.go.kr/admrul",
    attribution="「{title}」 ({year}), {author}, {publisher}, {url}",
    unverified="How a rule that consists of an attached file is announced, and the names of all bodies that issue "
    "rules.",
    estimate=Estimate(160_000_000, "20,000 rules × 8,000 characters, with annexes"),
    note="The key is that of law_statutes. A rule of a body outside the State (금융감독원 세칙) is in "
    "the register too; it is found, and excluded. A rule may print a private standard, which art. 7 does not reach, "
    "and nothing shows it.",
)

follow, items, evidence, _, trouble = law_go_kr.functions(REGISTER)
unknown_fields = partial(law_go_kr.unknown_fields, REGISTER)


def text(parsed: ParsedItem) -> Extracted:
    """Extract the articles, then the supplementary provisions; `attached-only` if a file holds them instead."""
    found = law_go_kr.text(REGISTER, parsed)
    if len(found.text) <= MAX_NOTICE and ATTACHED.search(found.text):
        return law_go_kr.drop_entry(parsed.item, "attached-only")
    return found
