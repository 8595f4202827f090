"""Interpretations of statutes by the Ministry of Government Legislation, from the open API of law.go.kr.

Art. 7 (3) of the Copyright Act frees decisions of courts, of administrative appeals "and of similar procedures".
An interpretation decides nothing between parties: it is the ministry's advice to another authority. Whether the
article covers it is doubtful, so each counts as a work of the State (art. 24-2), which a person has to review.
"""

from functools import partial

from crawlers.platforms import law_go_kr
from malmoi.source import Expect

REGISTER = law_go_kr.Register(
    target="expc",
    row="expc",
    listed="법령해석례일련번호",
    asked="ID",
    root="ExpcService",
    own=("법령해석례일련번호",),
    title=("안건명",),
    date=("해석일자", "회신일자"),
    author=("해석기관명", "회신기관명"),
    page="https://www.law.go.kr/LSW/expcInfoP.do?expcSeq={key}",
    parts=lambda root: law_go_kr.fields_with_headings(root, "질의요지", "회답", "이유"),
    stated="해석기관명",
    within="ExpcService",
    allowed=lambda _, words: words == "법제처",
    licence="LicenseRef-KR-CA-Art24-2",
    read=("질의요지", "회답", "이유"),
    ignored=("안건번호", "해석기관코드", "질의기관코드", "질의기관명", "법령해석례상세링크"),
)

SOURCE = law_go_kr.source(
    REGISTER,
    name="law_interpretations",
    title="국가법령정보 법령해석례",
    max_pages=50_000,
    register="administrative",
    # Some thousands since 2005, as is generally known; this API was not counted.
    expect=Expect(at_least=1_000, at_most=40_000),
    attribution="{author}, 「{title}」 ({year}), {publisher}, {url}",
    note="The key is that of law_statutes. Nothing of it is released unless a person has decided on works of the "
    "State; see the head of the file.",
)

follow, items, evidence, text, trouble = law_go_kr.functions(REGISTER)
unknown_fields = partial(law_go_kr.unknown_fields, REGISTER)
