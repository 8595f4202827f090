"""The sources that are boards: what a list leads to, which page is a document, and that only its own mark opens it."""

from pathlib import Path

import pytest

from crawlers import catalogue, defaults, extract
from crawlers.formats import ParsedItem
from malmoi.apply import Kept
from malmoi.archive.capture import Capture, record_id
from malmoi.licensing import rights_decision
from tests.builders.rows import each_row

DATA = Path(__file__).parents[1] / "data" / "sources"
# source, a list, what it must lead to (in this order), an article, its key
BOARDS = [
    (
        "etri_trends",
        "https://ettrends.etri.re.kr/ettrends/213/",
        ["https://ettrends.etri.re.kr/ettrends/213/0905213001/", "https://ettrends.etri.re.kr/ettrends/212/"],
        "https://ettrends.etri.re.kr/ettrends/213/0905213001/",
        "213/0905213001",
    ),
    (
        "iitp",
        "https://www.itfind.or.kr/trend/weekly/list.do",
        ["https://www.itfind.or.kr/trend/weekly/weeklyDetail.do?id=1388"],
        "https://www.itfind.or.kr/trend/weekly/weeklyDetail.do?id=1388",
        "1388",
    ),
    (
        "kiet",
        "https://www.kiet.re.kr/research/issueList",
        [
            "https://www.kiet.re.kr/research/economyDetailView?detail_no=3237",
            "https://www.kiet.re.kr/research/issueList?page=2",
        ],
        "https://www.kiet.re.kr/research/economyDetailView?detail_no=3237",
        "research/economyDetailView?detail_no=3237",
    ),
    (
        "kocca",
        "https://www.kocca.kr/kocca/bbs/list/B0000147.do?menuNo=204153&pageIndex=1",
        [
            "https://www.kocca.kr/kocca/bbs/view/B0000147/2010445.do",
            "https://www.kocca.kr/kocca/bbs/list/B0000147.do?menuNo=204153&pageIndex=2",
        ],
        "https://www.kocca.kr/kocca/bbs/view/B0000147/2010445.do",
        "B0000147/2010445",
    ),
    (
        "kisti",
        "https://www.kisti.re.kr/post/issuebrief",
        ["https://www.kisti.re.kr/post/issuebrief/6001", "https://www.kisti.re.kr/post/issuebrief?page=2"],
        "https://www.kisti.re.kr/post/issuebrief/6001",
        "issuebrief/6001",
    ),
]
PROSE = (
    "웨이퍼를 씻는 공정은 앞 공정에서 남은 입자를 걷어 내는 일이다. 물기는 다음 공정에서 얼룩이 되므로 끝까지 말린다. "
)
NAMES = [board[0] for board in BOARDS]


def capture(url: str, page: str) -> Capture:
    body = page.encode()
    return Capture(record_id(url, body), url, "2026-11-24T00:00:00Z", 200, (("Content-Type", "text/html"),), body)


def article(mark: str = "", footer: str = "") -> str:
    return (
        "<!doctype html><html><head><meta charset=utf-8><title>세정 공정의 동향</title></head><body>"
        "<header><a href='/'>처음</a></header><main><article>"
        f"<h1>세정 공정의 동향</h1><p>{PROSE * 6}</p>{mark}</article></main>"
        f"<footer>{footer}</footer></body></html>"
    )


def decided(name: str, page: str, url: str) -> rights_decision.Rights:
    found = catalogue.load(name)
    (item,) = (found.items or defaults.items)(capture(url, page))
    evidence = found.evidence or defaults.evidence_for(found.source, {})
    return rights_decision.decide(*evidence(ParsedItem(item)))


@pytest.mark.parametrize(("name", "where", "leads", "page", "key"), BOARDS, ids=NAMES)
def test_a_list_leads_to_articles_under_one_address_and_on_to_the_next(name, where, leads, page, key):
    found = catalogue.load(name)
    assert found.follow is not None
    listing = (DATA / f"board_{name}.html").read_text("utf-8")
    assert list(found.follow(capture(where, listing))) == leads
    assert not list(found.follow(capture(page, listing))), "an article leads nowhere"


@pytest.mark.parametrize(("name", "where", "leads", "page", "key"), BOARDS, ids=NAMES)
def test_an_article_is_a_document_and_a_list_is_none(name, where, leads, page, key):
    found = catalogue.load(name)
    assert found.items is not None
    (item,) = found.items(capture(page, article()))
    assert item.key == key
    assert not list(found.items(capture(where, article())))


KOGL = (
    '<div class="kogl"><a href="https://www.kogl.or.kr/info/licenseType{0}.do">'
    '<img src="/new_img_opentype0{0}.png" alt="공공누리 제{0}유형"></a></div>'
)


@pytest.mark.parametrize(("name", "where", "leads", "page", "key"), BOARDS, ids=NAMES)
def test_an_article_of_a_board_whose_marks_nobody_has_seen_is_never_open_without_a_review(
    name, where, leads, page, key
):
    assert not catalogue.load(name).source.rule.proofs
    assert decided(name, article(), page).reason == "no-licence"
    assert decided(name, article(KOGL.format(1)), page).reason == "needs-review"
    assert decided(name, article(footer=KOGL.format(1)), page).reason == "needs-review"
    assert all(decided(name, article(KOGL.format(number)), page).use == "exclude" for number in (1, 2, 4))


WORK = "https://gongu.copyright.or.kr/gongu/wrt/wrt/view.do?wrtSn=9000001&menuNo=200019"


def work(condition: str) -> str:
    return (
        "<!doctype html><html><head><meta charset=utf-8><title>달 밝은 밤</title></head><body><div id=contents>"
        "<h3>달 밝은 밤</h3><dl><dt>저작물명</dt><dd>달 밝은 밤</dd><dt>저작(권)자</dt><dd>가나다</dd>"
        f"<dt>이용조건</dt><dd>{condition}</dd></dl><div class=text><p>{PROSE * 6}</p></div></div></body></html>"
    )


@each_row(
    ("condition", "use", "licence"),
    [
        ('<img src="/images/img_license97.png" alt="만료저작물">', "redistribute", "LicenseRef-KR-PD-expired"),
        ('<img src="/images/img_license01.png" alt="공공누리 제1유형">', "redistribute", "LicenseRef-KOGL-1"),
        ('<img src="/images/img_license04.png" alt="공공누리 제4유형">', "exclude", "LicenseRef-KOGL-4"),
        ('<img src="/images/img_license97.png" alt="기증저작물">', "exclude", ""),  # number and words disagree
        (
            '<img src="/images/img_license98.png" alt="기증저작물(자유이용)">',
            "exclude",
            "",
        ),  # nobody has read its terms
        ('<img src="/images/img_license97.png" alt="">', "exclude", ""),
        ("만료저작물", "exclude", ""),  # words alone are what a visitor could have typed
        ("", "exclude", ""),
    ],
)
def test_a_shared_work_is_under_what_image_and_words_say_together(condition, use, licence):
    found = decided("gongu", work(condition), WORK)
    assert (found.use, found.licence) == (use, licence)


def test_a_shared_work_has_its_number_as_key_and_its_author():
    found = catalogue.load("gongu")
    page = capture(WORK.replace("view.do?", "view.do?pageIndex=7&"), work(""))
    outcome = extract.make_document(page, "", *_first(found, page), found.evidence)  # type: ignore[arg-type]
    assert outcome.document.author == "가나다"
    assert outcome.document.id.endswith("/9000001")
    assert isinstance(outcome, Kept) and PROSE.strip() in outcome.document.text


def _first(found: catalogue.Definition, page: Capture) -> tuple[object, object]:
    assert found.items and found.text
    (item,) = found.items(page)
    parsed = ParsedItem(item)
    return parsed, found.text(parsed)


def test_the_lists_of_shared_works_turn_their_pages_by_counting():
    found = catalogue.load("gongu")
    assert found.follow
    where = "https://gongu.copyright.or.kr/gongu/wrt/wrtCl/listWrtText.do?menuNo=200019&licenseCd=97&pageIndex=3"
    listing = (DATA / "board_gongu.html").read_text("utf-8")
    assert list(found.follow(capture(where, listing))) == [
        "https://gongu.copyright.or.kr/gongu/wrt/wrt/view.do?wrtSn=9000001&menuNo=200019",
        "https://gongu.copyright.or.kr/gongu/wrt/wrt/view.do?wrtSn=9000002&menuNo=200019",
        where.replace("pageIndex=3", "pageIndex=4"),
    ]
    assert not list(found.follow(capture(where, "<p>검색 결과가 없습니다.</p>"))), "a list without works is the last"


def test_the_history_data_sets_rest_on_the_record_beside_them(tmp_path, monkeypatch):
    from flows.collect import collect
    from flows.curate import extract_jobs
    from flows.engine.progress import Progress
    from malmoi.errors import SourceError
    from malmoi.workspace import Workspace

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "set.xml").write_bytes((DATA / "history_db.xml").read_bytes())
    monkeypatch.setenv("MALMOI_HISTORY_DIR", str(tmp_path / "data"))
    home = Workspace.open(tmp_path / "w")
    with pytest.raises(SourceError, match=r"catalog\.json does not exist"):
        collect(home, "history_db", Progress(quiet=True))
    (tmp_path / "data" / "catalog.json").write_bytes((DATA / "history_catalog.json").read_bytes())
    collect(home, "history_db", Progress(quiet=True))
    (job,) = extract_jobs(home, "history_db")
    (outcome,) = extract.extractor(job.extraction)(job.rows[0])
    assert isinstance(outcome, Kept) and "가상의 고을" in outcome.document.text
    assert rights_decision.decide(outcome.document.evidence, outcome.document.signals).use == "redistribute"
