"""The statutes as Markdown, from the repository legalize-kr/legalize-kr: no key, one file for each statute."""

from crawlers.platforms import law_go_kr, legalize_kr
from malmoi.source import Estimate, Expect

REPOSITORY = legalize_kr.Repository(
    name="legalize-kr",
    keys=("법령ID",),
    title="제목",
    date="공포일자",
    author="소관부처",
    stated="법령구분",
    covered=lambda said: law_go_kr.is_statute(said.get("법령구분", "")),
    blocks=legalize_kr.articles,
    include=("kr/**/*.md",),
)

SOURCE = legalize_kr.source(
    REPOSITORY,
    name="law_git_statutes",
    title="국가법령정보 법령 (legalize-kr)",
    register="statutory",
    # A public study of one revision counted 5,725 files.
    expect=Expect(at_least=3_000, at_most=20_000),
    family="law.go.kr/law",
    attribution="「{title}」 ({year}), {publisher}, {url}; 저장소 구조와 메타데이터: legalize-kr (MIT)",
    unverified="Whether repealed statutes (상태: 폐지) remain at the head.",
    estimate=Estimate(60_000_000, "5,000 statutes × 12,000 characters"),
    note="The same texts as law_statutes, without a key: where both are collected, this one is kept. Left out: annexes "
    "and forms (첨부파일 has their addresses), images, the reasons for an amendment. Middle dots are U+318D, as the "
    "repository writes them.",
)

items, evidence, text = legalize_kr.functions(REPOSITORY)
