"""The annexes of the statutes in force, from the open API of law.go.kr and the files that it links to."""

from functools import partial

from crawlers.platforms import law_annexes, law_go_kr
from malmoi.source import Expect

REGISTER = law_annexes.AnnexRegister(
    target="licbyl",
    row="licbyl",
    rule_id="관련법령ID",
    rule_name="관련법령명",
    date="공포일자",
    author="소관부처명",
    stated=("법령종류",),
    allowed=lambda facts: law_go_kr.is_statute(facts["법령종류"]),
    ignored=("관련법령일련번호", "공포번호", "제개정구분명", "별표법령상세링크"),
)

SOURCE = law_annexes.source(
    REGISTER,
    name="law_statute_annexes",
    title="국가법령정보 현행법령 별표",
    max_pages=200_000,
    # The list was not counted; some five thousand statutes are in force, orders among them with several annexes each.
    expect=Expect(at_least=3_000, at_most=150_000),
    unverified="How many annexes the list counts, whether it lists only those in force, and the values of 법령종류.",
    note="The key is that of law_statutes. An id is that of the statute in law_statutes (관련법령ID), a slash, and "
    "별표일련번호. Left out: declared forms (서식), and blank forms by measure.",
)

follow, items, evidence, text, trouble = law_annexes.functions(REGISTER)
unknown_fields = partial(law_annexes.unknown_fields, REGISTER)
