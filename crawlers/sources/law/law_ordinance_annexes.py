"""The annexes of the ordinances of local governments, from the open API of law.go.kr and the files that it links to."""

import re
from collections.abc import Mapping

from crawlers.platforms import law_annexes
from malmoi.source import Expect

# Copyright Act art. 7 (1) names ordinances (조례) and rules (규칙). The list has no element for the kind: the name of
# such a rule ends in it. Instructions of a local government (훈령, 규정, 지침) are left for a person.
COVERED = re.compile(r"[^\n]{1,300}(?:조례|규칙)")


def _is_covered(facts: Mapping[str, str]) -> bool:
    return bool(COVERED.fullmatch(facts["관련자치법규명"]))


REGISTER = law_annexes.AnnexRegister(
    target="ordinbyl",
    row="ordinbyl",
    rule_id="관련자치법규일련번호",
    rule_name="관련자치법규명",
    date="공포일자",
    author="지자체기관명",
    stated=("관련자치법규명",),
    allowed=_is_covered,
)

SOURCE = law_annexes.source(
    REGISTER,
    name="law_ordinance_annexes",
    title="국가법령정보 자치법규 별표",
    max_pages=1_000_000,
    # The list was not counted; some 150,000 ordinances and rules are in force.
    expect=Expect(at_least=10_000, at_most=900_000),
    unverified="How many annexes the list counts, and whether every name of an ordinance ends in its kind.",
    note="The key is that of law_statutes. An id is 관련자치법규일련번호, which names one version of the ordinance, a "
    "slash, and 별표일련번호: the list has no id of the ordinance itself. A row declared as a form is requested if its "
    "name says [별표].",
)

follow, items, evidence, text, trouble = law_annexes.functions(REGISTER)
