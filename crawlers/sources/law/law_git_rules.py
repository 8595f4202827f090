"""The administrative rules (훈령, 예규, 고시, 공고) as Markdown, from the repository legalize-kr/admrule-kr: no key."""

from crawlers.platforms import law_go_kr, legalize_kr
from malmoi.source import Estimate, Expect

REPOSITORY = legalize_kr.Repository(
    name="admrule-kr",
    keys=("행정규칙ID", "행정규칙일련번호"),  # a rule without the first has the second alone
    title="행정규칙명",
    date="발령일자",
    author="소관부처명",
    stated="행정규칙종류",
    covered=lambda said: law_go_kr.is_rule(said.get("행정규칙종류", ""), said.get("소관부처명", "")),
    blocks=legalize_kr.articles,
    include=("**/본문.md",),
    corrected="발령일자보정",
    original="발령일자원문",
)

SOURCE = legalize_kr.source(
    REPOSITORY,
    name="law_git_rules",
    title="국가법령정보 행정규칙 (legalize-kr)",
    register="statutory",
    # Of the order of twenty thousand rules are in force, as is generally known; the repository was not counted.
    expect=Expect(at_least=5_000, at_most=80_000),
    family="law.go.kr/admrul",
    attribution="「{title}」 ({year}), {author}, {publisher}, {url}; 저장소 구조와 메타데이터: legalize-kr (MIT)",
    unverified="The names of all bodies that issue rules: one outside the closed list needs a review.",
    estimate=Estimate(160_000_000, "20,000 rules × 8,000 characters, with annexes"),
    note="The same texts as law_rules, without a key: where both are collected, this one is kept. README.md says "
    "that a rule which is no longer in force leaves the head. The repository writes the present name of a ministry. "
    "A rule that is an attached file is dropped as attached-only, one that is an image as image-only. A rule may "
    "print a private standard, which art. 7 does not reach, and nothing shows it.",
)

items, evidence, text = legalize_kr.functions(REPOSITORY)
