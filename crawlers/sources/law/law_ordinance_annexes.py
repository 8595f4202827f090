"""The annexes of the ordinances of local governments, from the open API of law.go.kr and the files that it links to."""

from functools import partial

from crawlers.platforms import law_annexes, law_go_kr
from malmoi.source import Expect

KINDS = ("조례", "규칙")  # the list has no element for the kind; the name of an ordinance or rule ends in it


REGISTER = law_annexes.AnnexRegister(
    target="ordinbyl",
    row="ordinbyl",
    rule_id="관련자치법규일련번호",
    rule_name="관련자치법규명",
    date="공포일자",
    author="지자체기관명",
    stated=("관련자치법규명", "전체기관명"),
    allowed=lambda facts: any(
        facts["관련자치법규명"].endswith(kind) and law_go_kr.is_ordinance(kind, facts["전체기관명"]) for kind in KINDS
    ),
    ignored=("자치법규시행일자", "공포번호", "제개정구분명", "별표자치법규상세링크"),
)

SOURCE = law_annexes.source(
    REGISTER,
    name="law_ordinance_annexes",
    title="국가법령정보 자치법규 별표",
    max_pages=1_000_000,
    # The list was not counted; some 150,000 ordinances and rules are in force.
    expect=Expect(at_least=10_000, at_most=900_000),
    unverified="Seen is one row that a public program holds. How many annexes the list counts, whether every name of "
    "an ordinance ends in its kind, and whether 전체기관명 names the province before the city.",
    note="The key is that of law_statutes. An id is 관련자치법규일련번호, which names one version of the ordinance, a "
    "slash, and 별표일련번호: the list has no id of the ordinance itself. A row declared as a form is requested if its "
    "name says [별표].",
)

follow, items, evidence, text, trouble = law_annexes.functions(REGISTER)
unknown_fields = partial(law_annexes.unknown_fields, REGISTER)
