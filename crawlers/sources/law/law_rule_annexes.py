"""The annexes of the administrative rules in force, from the open API of law.go.kr and the files that it links to."""

from functools import partial

from crawlers.platforms import law_annexes, law_go_kr
from malmoi.source import Expect

REGISTER = law_annexes.AnnexRegister(
    target="admbyl",
    row="admrulbyl",
    rule_id="관련법령ID",
    rule_name="관련행정규칙명",
    date="발령일자",
    author="소관부처명",
    stated=("행정규칙종류", "소관부처명"),
    allowed=lambda facts: law_go_kr.is_rule(facts["행정규칙종류"], facts["소관부처명"]),
    ignored=("관련행정규칙일련번호", "발령번호", "제개정구분명", "별표행정규칙상세링크", "현행연혁행정규칙일련번호"),
)

SOURCE = law_annexes.source(
    REGISTER,
    name="law_rule_annexes",
    title="국가법령정보 행정규칙 별표",
    max_pages=400_000,
    # The list was not counted; some twenty thousand rules are in force, most of them with annexes or forms.
    expect=Expect(at_least=5_000, at_most=300_000),
    unverified="Seen are rows of lists that tests of public programs hold, not a whole page. How many annexes the "
    "list counts, whether it lists those of repealed rules, and whether 관련법령ID is written as 행정규칙ID of "
    "law_rules.",
    note="The key is that of law_statutes. An id is that of the rule in law_rules (관련법령ID), a slash, and "
    "별표일련번호. Left out: declared forms (서식), and blank forms by measure. "
    "Technical notices (test methods, safety standards, equipment, chemicals) are here; the filter domain labels them "
    "by their text. A rule may print a private standard, which art. 7 does not reach; its text does not show it.",
)

follow, items, evidence, text, trouble = law_annexes.functions(REGISTER)
unknown_fields = partial(law_annexes.unknown_fields, REGISTER)
