"""Ordinances and rules of local governments as Markdown, from the repository legalize-kr/ordinance-kr: no key."""

from crawlers.platforms import law_go_kr, legalize_kr
from malmoi.source import Estimate, Expect

REPOSITORY = legalize_kr.Repository(
    name="ordinance-kr",
    keys=("자치법규ID",),
    title="자치법규명",
    date="공포일자",
    author="지자체기관명",
    stated="자치법규종류",
    covered=lambda said: law_go_kr.is_ordinance(said.get("자치법규종류", ""), said.get("지자체기관명", "")),
    blocks=legalize_kr.articles,
    include=("**/본문.md",),
    corrected="공포일자보정",
    original="공포일자원문",
)

SOURCE = legalize_kr.source(
    REPOSITORY,
    name="law_git_ordinances",
    title="국가법령정보 자치법규 (legalize-kr)",
    register="statutory",
    # Of the order of a hundred and fifty thousand are in force, as is generally known; the repository was not counted.
    expect=Expect(at_least=50_000, at_most=400_000),
    attribution="「{title}」 ({year}), {author}, {publisher}, {url}; 저장소 구조와 메타데이터: legalize-kr (MIT)",
    unverified="The names of all issuers: one outside the closed list needs a review.",
    estimate=Estimate(260_000_000, "150,000 ordinances × 3,500 characters, half of them copies"),
    note="The register also lists house rules of corporations of a city as 조례; they are found, and not granted. Half "
    "of the texts are near copies of each other: near_duplicates decides. Left out: annexes (첨부파일 has their "
    "addresses) and images; a text that is an attached file is dropped as attached-only.",
)

items, evidence, text = legalize_kr.functions(REPOSITORY)
