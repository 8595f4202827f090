"""What is found on a page: its quotes, places and cost; claims of a source; the runs of text that are read."""

from pathlib import Path

import pytest
from lxml import html

from crawlers import rights_engine
from crawlers.formats.html import runs
from crawlers.formats.html.html_page import parse
from crawlers.rights import claims, page_proofs, refusals, response_signals
from crawlers.sample.sample_page import read_pages
from crawlers.sample.site import build
from crawlers.sources import sample
from malmoi.errors import SourceError
from malmoi.licensing.quoted_licences import is_proof
from malmoi.source import Folder, Git, Item, LicenceClaim, LicenceRule, Source
from tests.rights import rights_cases

CASES = rights_cases.read_cases("marks.toml")
USES = {"kogl-0": "redistribute", "kogl-1": "redistribute", "cc-by-4.0": "redistribute", "cc-by-sa-4.0": "redistribute"}
RULE = LicenceRule(proofs=("kogl-block", "rel-license"), selector=(("", ".kogl, a[rel]"),))


def test_every_page_of_the_sample_site_is_judged_as_it_was_marked() -> None:
    site = build()
    for page in read_pages():
        one = Item(page.path, f"{sample.BASE}{page.path}", site[page.path].body, "text/html", "", "r")
        rights = rights_engine.decide_item(one, sample.SOURCE)
        expected = USES.get(page.licence, "train-only" if page.licence == "kogl-4-ai" else "exclude")
        expected = "exclude" if page.trap == "tdm-reservation" else expected
        assert (page.path, rights.use) == (page.path, expected)


def test_every_quote_of_a_page_that_may_be_published_names_its_licence() -> None:
    rights = [(case["id"], rights_cases.decide(case)) for case in CASES]
    quoted = [(name, e) for name, one in rights if one.use != "exclude" for e in one.evidence if e.quote]
    assert len(quoted) >= 15
    named = [(name, e) for name, e in quoted if e.licence not in ("none", "unknown")]
    assert [(name, e) for name, e in named if not is_proof(e.licence, e.kind, e.quote)] == []


BY, APACHE = "https://creativecommons.org/licenses/by/4.0/", "https://www.apache.org/licenses/LICENSE-2.0"
OF_CODE = [
    f"문서는 <a href={BY}>CC BY 4.0</a>, 예제 코드는 <a href={APACHE}>Apache 2.0</a>으로 배포합니다.",
    f"달리 명시되지 않는 한 이 페이지의 내용에는 <a href={BY}>Creative Commons Attribution 4.0 라이선스</a>에 "
    f"따라 라이선스가 부여되며 코드 샘플에는 <a href={APACHE}>Apache 2.0 라이선스</a>에 따라 라이선스가 부여됩니다.",
    f"Except as otherwise noted, the content of this page is licensed under the <a href={BY}>Creative Commons "
    f"Attribution 4.0 License</a>, and code samples are licensed under the <a href={APACHE}>Apache 2.0 License</a>.",
    f"문서는 <a href={BY}>CC BY 4.0</a>을 따르고, 코드는 Apache License 2.0을 따릅니다.",
    f"이 글은 <a href={BY}>CC BY 4.0</a>을, 코드는 GPL-3+를, 사진은 CC BY-SA 4.0을, 자료는 CC0을 따릅니다.",
    f"이 글은 <a href={BY}>CC BY 4.0</a>을 따릅니다. {'예제는 여러 사람이 고쳤고 ' * 20}코드는 Apache 2.0을 따릅니다.",
]


@pytest.mark.parametrize("words", OF_CODE)
def test_a_licence_of_the_code_beside_that_of_the_text_is_named_by_its_quote(words: str) -> None:
    page = f"<article><h1>글</h1><p>{rights_cases.PROSE}</p></article><footer class=kogl>{words}</footer>"
    source = rights_engine.make_source(RULE, "")
    rights = rights_engine.decide_item(Item("k", "https://example.kr/a", page, "text/html", "", "r"), source)
    quoted = [one for one in rights.evidence if one.licence != "unknown"]
    assert {"CC-BY-4.0"} < {one.licence for one in quoted}
    assert [one for one in quoted if not is_proof(one.licence, one.kind, one.quote)] == []


def test_the_quote_of_a_block_with_a_long_title_names_the_licence() -> None:
    title = "가나다라마바사아자차" * 20
    said = f"「{title}」 저작물은 공공누리 제1유형 “출처표시” 조건에 따라 이용할 수 있습니다."
    mark = f'<div class=kogl><img src="/{"b" * 200}/new_img_opentype01.png" alt=""><p>{said}</p></div>'
    one = Item("k", "https://example.kr/a", f"<article><h1>{title}</h1>{mark}</article>", "text/html", "", "r")
    (proof,) = [e for e in page_proofs.find(one, parse(one), RULE) if e.kind == "kogl-block"]
    assert len(proof.quote) <= 300 and is_proof(proof.licence, proof.kind, proof.quote)


def test_finding_proofs_leaves_the_tree_as_it_is() -> None:
    one = rights_cases.item_of(CASES[0])
    page = parse(one)
    before = html.tostring(page.tree)
    assert page_proofs.find(one, page, RULE)
    assert html.tostring(page.tree) == before


def test_a_page_that_nests_deep_or_repeats_a_lot_is_read_in_linear_time() -> None:
    deep = "<div>" * 1_500 + '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">x</a>'
    flat = '<p>공공누리 <img src="/new_img_opencode1.jpg"></p>' * 2_000
    link = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">x</a>'
    many = f"<main><p>{(link + '<b>a</b> ' * 50) * 24}{'가 ' * 200_000}</p>{link}</main>"
    for body in (deep, flat, many):
        one = Item("k", "https://example.kr/", body, "text/html", "", "r")
        assert page_proofs.find(one, parse(one), LicenceRule()) and page_proofs.find(one, parse(one), RULE)


def test_headers_speak_for_what_is_no_page() -> None:
    headers = (
        ("tdm-reservation", "1"),
        ("Link", '<https://example.kr/l.xml>; rel="license"; type="application/rsl+xml"'),
    )
    one = Item("k", "https://example.kr/a.pdf", b"%PDF", "application/pdf", "", "r", headers=headers)
    assert [(s.name, s.effect) for s in response_signals.find(one, None)] == [
        ("tdm-reservation", "opt-out"),
        ("rsl", "opt-out"),
    ]


def source(*claim: LicenceClaim) -> Source:
    return Source("a", "가", "나", Folder(Path("x")), claim=claim)


def test_what_a_claim_proves_follows_from_where_its_words_are() -> None:
    file, page = LicenceClaim("MIT", "MIT", file="LICENSE"), LicenceClaim("MIT", "MIT", url="https://a.kr/licence")
    git = Source("a", "가", "나", Git("https://github.com/a/b"))
    assert [claims.claim_proof(source().access, one) for one in (file, page)] == ["licence-file", "dump-claim"]
    assert [claims.claim_proof(git.access, one) for one in (file, page)] == ["project-licence"] * 2


def test_a_claim_becomes_evidence_only_for_the_addresses_it_is_about() -> None:
    prose = LicenceClaim("CC-BY-SA-4.0", "CC BY-SA", file="LICENSE", only=("https://example.kr/ko/",))
    whole = LicenceClaim("MIT", "MIT License", url="https://example.kr/licence")
    archived = {"LICENSE": "r1", "https://example.kr/licence": "r2"}
    inside = Item("k", "https://example.kr/ko/a", "", "text/html", "", "r")
    outside = Item("k", "https://example.kr/en/a", "", "text/html", "", "r")
    found = claims.from_claim(source(prose, whole), inside, archived)
    assert [(e.licence, e.scope, e.kind, e.place, e.record) for e in found] == [
        ("CC-BY-SA-4.0", "source", "licence-file", "LICENSE", "r1"),
        ("MIT", "source", "dump-claim", "https://example.kr/licence", "r2"),
    ]
    assert [e.licence for e in claims.from_claim(source(prose, whole), outside, archived)] == ["MIT"]


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        (LicenceClaim("MIT", "MIT License", file="LICENSE"), "a: LICENSE, on which .* was not archived; collect"),
        (LicenceClaim("Nope-1.0", "Nope", file="LICENSE"), "a: the claim names the licence 'Nope-1.0'"),
        (LicenceClaim("MIT", "MIT License"), "a: the claim of MIT names neither"),
    ],
)
def test_a_claim_that_rests_on_nothing_stops_the_source(claim: LicenceClaim, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        claims.from_claim(source(claim), Item("k", "https://example.kr/", "", "text/html", "", "r"), {})


def test_the_words_of_a_claim_must_stand_in_the_archived_file() -> None:
    claim = LicenceClaim("MIT", "공공누리 제1유형", file="LICENSE")
    kogl = LicenceClaim("LicenseRef-KOGL-1", "공공누리 제1유형", file="LICENSE")
    claims.check_quote(claim, "이 자료는 공공누리\n  제1유형입니다.")
    with pytest.raises(SourceError, match="LICENSE: does not say"):
        claims.check_quote(claim, "이 자료는 공공누리 제4유형입니다.")
    with pytest.raises(SourceError, match="LICENSE: the sentence around '공공누리 제1유형' denies"):
        claims.check_quote(kogl, "사진은 공공누리 제1유형으로 이용할 수 없습니다. 글은 누구나 씁니다.")
    with pytest.raises(SourceError, match="denies or limits"):  # a list of types grants none of them
        claims.check_quote(kogl, "공공누리 제1유형: 출처표시 / 제2유형: 출처표시, 상업적 이용금지")
    with pytest.raises(SourceError, match="denies or limits"):
        claims.check_quote(kogl, "글은 공공누리 제1유형입니다. 다만, 연구보고서의 본문은 제외합니다.")
    claims.check_quote(kogl, "글은 공공누리 제1유형입니다. 사진은 공공누리 제1유형이 아닙니다.")  # one place is enough


def test_runs_do_not_keep_what_belongs_to_another_page() -> None:
    first = html.document_fromstring("<main><p>하나</p></main>")
    second = html.document_fromstring("<main><p>둘</p></main>")
    assert [[r.text for r in runs.runs(t)] for t in (first, second, first)] == [["하나"], ["둘"], ["하나"]]


def test_a_link_ends_where_it_ends_though_a_block_stands_in_it():
    page = html.document_fromstring('<main><a href="/x"><div>하나</div></a>둘 <b>셋</b></main>')
    found = runs.runs(page)
    assert [run.text for run in found] == ["", "하나", "둘 셋"]
    assert [link.text for run in found for link in run.links] == ["하나"]


def test_what_is_said_behind_a_comment_or_a_hidden_element_is_said():
    page = html.document_fromstring("<p>하나<!-- 둘 -->셋<b hidden>넷</b>다섯<script>여섯</script>일곱</p>")
    assert [run.text for run in runs.runs(page)] == ["하나셋다섯일곱"]


def test_the_same_words_forbid_in_the_frame_of_a_site_what_they_only_tell_in_long_prose():
    words = "가나 신문의 기사는 무단 전재 및 재배포 금지 대상이다. " + "들과 산을 걸으며 낱말을 모은다. " * 20
    page = html.document_fromstring(f"<main><p>{words}</p></main><footer><p>{words}</p></footer>")
    for _ in range(2):
        inside, frame = runs.runs(page)
        assert (refusals.refusal(inside), refusals.refusal(frame)) == ("", "copying")


def test_ids_that_count_on_are_of_one_make_and_say_what_each_says():
    page = html.document_fromstring(
        "<p id=par_17>하나<p id=par_28>둘<div id=content3>셋</div><div id=content_12 hidden>넷</div><p id=footer2>다섯"
    )
    found = runs.runs(page)
    assert [(run.text, run.state.part) for run in found] == [("하나", ""), ("둘", ""), ("셋", "item"), ("다섯", "site")]
    for called in ("codeview3", "view2", "cont_12_box7", "a1b2_kogl9", "footer10", "par_id31", "7", "h1_2_3_4_ccl"):
        assert runs.classify_names(called) == runs.classify_names(called.translate(runs._SAME_DIGIT))


def test_words_are_folded_in_each_run_where_one_run_of_the_page_has_odd_characters():
    page = html.document_fromstring(
        "<p> 하나\n 둘 </p><p>\u1112\u1161\u11ab \u200b글</p><p>\u200b</p><p>셋\u00a0 넷</p>"
    )
    assert [run.text for run in runs.runs(page)] == ["하나 둘", "한 글", "셋 넷"]
