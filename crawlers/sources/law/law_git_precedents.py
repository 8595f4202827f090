"""Judgments and decisions of the courts as Markdown, from the repository legalize-kr/precedent-kr: no key."""

from crawlers.platforms import law_go_kr, legalize_kr
from malmoi.source import Estimate, Expect

# The files do not state 판결유형: the court says that a text is a judgment or a decision of it.
REPOSITORY = legalize_kr.Repository(
    name="precedent-kr",
    keys=("판례일련번호",),
    title="사건명",
    date="선고일자",
    author="법원명",
    stated="법원명",
    covered=lambda said: law_go_kr.is_court(said.get("법원명", "")),
    blocks=legalize_kr.judgment,
    empty="judgment-without-text",
)

SOURCE = legalize_kr.source(
    REPOSITORY,
    name="law_git_precedents",
    title="국가법령정보 판례 (legalize-kr)",
    register="judicial",
    # Of 171,701 judgments of the list, 48,214 have no text at the interface (AGENTS.md of the pipeline, 2026-04-09).
    expect=Expect(at_least=60_000, at_most=200_000),
    family="law.go.kr/prec",
    attribution="{author} 「{title}」 ({year}), {publisher}, {url}; 저장소 구조와 메타데이터: legalize-kr (MIT)",
    unverified="Whether every file names a court: a text without one needs a review.",
    estimate=Estimate(490_000_000, "123,000 judgments with text × 4,000 characters"),
    note="The same texts as law_precedents, without a key: where both are collected, this one is kept. 28 % of the "
    "judgments of the list have no text there, and so no file here; a file without a text is dropped as "
    "judgment-without-text. Dates of the Dangi calendar are converted. Parties are named A or ○○, with leaks; judges "
    "and counsel are named in full: the recipe must redact.",
)

items, evidence, text = legalize_kr.functions(REPOSITORY)
