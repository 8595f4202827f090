"""The law of law.go.kr as git repositories: text, identity in a rewritten history, rights, one work of two sources."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest

from crawlers import catalogue, defaults
from crawlers.extract import Extraction, extractor
from crawlers.fetch import git_collector
from crawlers.fetch.job import Job
from crawlers.formats import ParsedItem
from crawlers.platforms import law_go_kr
from crawlers.rights import claims
from data_cards import render_card
from filters import exact_duplicates
from filters.duplicates.duplicate_schema import SKETCH
from filters.duplicates.duplicate_survey import compare_documents
from flows.collect import collect
from flows.engine.progress import Progress
from malmoi.apply import Dropped, Outcome
from malmoi.archive import collection
from malmoi.archive.capture import Capture, IndexRow, record_id
from malmoi.document import Document, Verdict
from malmoi.errors import SourceError
from malmoi.licensing.rights_decision import Rights, decide
from malmoi.releases.verification.verify import verify
from malmoi.source import Api, Extracted, Git, Item
from malmoi.workspace import Workspace
from tests.builders.rows import each_row
from tests.builders.small_papers import audit, data, run, written
from tests.builders.small_repository import Served, serve

DATA = Path(__file__).parents[1] / "data" / "sources"
FILES = {
    "law_git_statutes": ("law_git_statute", "kr/가상의종이접기진흥법/법률.md"),
    "law_git_precedents": ("law_git_precedent", "민사/하급심/가상지방법원_2030-03-04_2030가999_1000.md"),
    "law_git_rules": ("law_git_rule", "가상부/_본부/고시/가상의 종이 두께 기준/본문.md"),
    "law_git_ordinances": ("law_git_ordinance", "경기도/가상시/조례/경기도 가상시 종이접기 지원 조례/본문.md"),
}
TWINS = {  # of the interface: the source, the file, and the parameter that asks for it
    "law_git_statutes": ("law_statutes", "law_statute.xml", "target=law&ID=009901"),
    "law_git_precedents": ("law_precedents", "law_precedent.xml", "target=prec&ID=990001"),
    "law_git_rules": ("law_rules", "law_rule.xml", "target=admrul&LID=99801"),
}
README = "# 저장소\n\n## 라이선스\n\n- 법령 원문: 공공저작물\n- 저장소 구조, 메타데이터: MIT\n".encode()


def body_of(name: str, *changes: tuple[str, str]) -> bytes:
    """The example of a repository; `changes` are words and what they become."""
    text = (DATA / f"{FILES[name][0]}.md").read_text("utf-8")
    for said, instead in changes:
        assert said in text
        text = text.replace(said, instead)
    return text.encode()


def capture_of(name: str, body: bytes) -> Capture:
    access = catalogue.load(name).source.access
    assert isinstance(access, Git)
    url = git_collector.address_by_identifier(f"{access.url}/blob/main/{{path}}", body, access.named_by)
    return Capture(
        record_id(url, body), url, "2030-11-20T15:00:00Z", 200, (("Content-Type", "text/markdown"),), body, name
    )


def read(name: str, *changes: tuple[str, str]) -> tuple[Item, Extracted, Rights]:
    """The item, its text, its rights and its signals."""
    definition = catalogue.load(name)
    assert definition.items and definition.text and definition.evidence
    (item,) = definition.items(capture_of(name, body_of(name, *changes)))
    parsed = ParsedItem(item)
    archived = {claims.proof_address(claim): "urn:uuid:2" for claim in definition.source.claim}
    evidence, signals = defaults.evidence_for(definition.source, archived, definition.evidence)(parsed)
    return item, definition.text(parsed), decide(evidence, signals)


@pytest.mark.parametrize("name", FILES)
def test_the_text_is_the_law_without_front_matter_and_marks(name):
    _, found, _ = read(name)
    assert found.text == (DATA / f"{FILES[name][0]}.txt").read_text("utf-8").rstrip("\n")
    assert (found.outcome, found.format, found.encoding) == ("kept", "markdown", "utf-8")


@pytest.mark.parametrize(
    ("name", "page", "said"),
    [
        (
            "law_git_statutes",
            "법령/가상의종이접기진흥법",
            ("009901", "가상의 종이접기 진흥법", "2030-01-05", "가상부, 상상부"),
        ),
        (
            "law_git_precedents",
            "LSW/precInfoP.do?precSeq=990001",
            ("990001", "종이학반환", "2030-03-04", "가상지방법원"),
        ),
        ("law_git_rules", "행정규칙/가상의종이두께기준", ("99801", "가상의 종이 두께 기준", "1965-02-10", "가상부")),
        (
            "law_git_ordinances",
            "자치법규/경기도가상시종이접기지원조례",
            ("9902001", "경기도 가상시 종이접기 지원 조례", "2030-05-06", "경기도 가상시"),
        ),
    ],
)
def test_a_document_is_named_by_the_law_and_leads_to_its_page(name, page, said):
    item, _, _ = read(name)
    assert item.url == "https://www.law.go.kr/" + quote(page, safe="/?=")
    assert (item.key, item.title, item.date, item.author) == said


def test_a_date_before_1970_is_the_one_of_the_register_and_dangi_years_are_converted():
    assert read("law_git_rules", ("발령일자보정: true", "발령일자보정: false"))[0].date == "1970-01-01"
    assert read("law_git_rules", ("'19650210'", "'00000000'"))[0].date == ""
    assert read("law_git_precedents", ("선고일자: 2030-03-04", "선고일자: 4289-05-25"))[0].date == "1956-05-25"
    assert read("law_git_precedents", ("선고일자: 2030-03-04\n", ""))[0].date == ""


def test_an_identifier_keeps_its_zeros_and_a_rule_without_one_has_its_serial():
    assert read("law_git_statutes", ("'009901'", "001001"))[0].key == "001001", "YAML reads an octal number"
    assert read("law_git_rules", ("행정규칙ID: '99801'", "행정규칙ID: ''"))[0].key == "9100000000001"
    items = catalogue.load("law_git_statutes").items
    assert items and not list(items(capture_of("law_git_statutes", b"# none")))


BODY = body_of("law_git_rules").decode().partition("# 가상의 종이 두께 기준\n")[2]
CITED = [(f"## {name}", "## 참조판례") for name in ("판시사항", "판결요지", "판례내용")]


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("law_git_precedents", CITED, "judgment-without-text"),
        ("law_git_rules", [("api-text", "parsing-failed")], "attached-only"),
        ("law_git_ordinances", [("api-text", "parsing-failed")], "attached-only"),
        ("law_git_rules", [(BODY, '\n<img id="562">\n</img>\n')], "image-only"),
        ("law_git_rules", [(BODY, "\n")], "empty"),
    ],
)
def test_what_has_no_text_is_left_out_by_a_named_reason(name, changes, reason):
    _, found, _ = read(name, *changes)
    assert (found.text, found.outcome, found.reason) == ("", "dropped", reason)


def test_images_leave_the_text_and_are_noted():
    for name, images in (("law_git_statutes", "1"), ("law_git_ordinances", "1"), ("law_git_precedents", "")):
        _, found, rights = read(name)
        assert "img" not in found.text and "flSeq" not in found.text
        assert [s.quote[-1:] for s in rights.signals if s.name == "images"] == [images] * bool(images)


# Rights


@pytest.mark.parametrize("name", FILES)
def test_a_text_of_the_state_is_granted_by_article_7_and_the_structure_is_named_too(name):
    rights = read(name)[2]
    assert (rights.use, rights.licence) == ("redistribute", law_go_kr.ARTICLE_7)
    assert {(e.licence, e.kind, e.scope) for e in rights.evidence} == {
        (law_go_kr.ARTICLE_7, "statute", "item"), ("MIT", "claim", "source")
    }  # fmt: skip


@each_row(
    ("name", "changes"),
    [
        ("law_git_statutes", [("법령구분: 법률", "법령구분: 정관")]),
        ("law_git_statutes", [("법령구분: 법률", "법령구분: ''")]),
        ("law_git_statutes", [("법령구분: 법률\n", "")]),
        ("law_git_statutes", [("www.law.go.kr/법령", "law.example.kr/법령")]),
        ("law_git_statutes", [("출처: https://www.law.go.kr/법령/가상의종이접기진흥법\n", "")]),
        ("law_git_precedents", [("법원명: 가상지방법원", "법원명: 국세청")]),
        ("law_git_precedents", [("법원명: 가상지방법원", "법원명: ''")]),
        ("law_git_rules", [("행정규칙종류: '고시'", "행정규칙종류: '세칙'")]),
        ("law_git_rules", [("소관부처명: '가상부'", "소관부처명: '가상공사'")]),
        ("law_git_rules", [("소관부처명: '가상부'", "소관부처명: ''")]),
        ("law_git_ordinances", [("'경기도 가상시'", "'대구공공시설관리공단'")]),
        ("law_git_ordinances", [("'경기도 가상시'", "'경기도 가상시시설공단'")]),
        ("law_git_ordinances", [("자치법규종류: '조례'", "자치법규종류: '기타'")]),
    ],
)
def test_a_kind_or_a_body_outside_the_closed_lists_is_not_granted(name, changes):
    assert read(name, *changes)[2].use == "exclude"


@pytest.mark.parametrize(
    "court", ["대법원", "서울고등법원", "광주고등법원(전주)", "서울행정법원", "수원지방법원 성남지원"]
)
def test_courts_are_known_by_their_names(court):
    assert read("law_git_precedents", ("법원명: 가상지방법원", f"법원명: {court}"))[2].use == "redistribute"


@pytest.mark.parametrize("body", ["대통령", "국립전파연구원", "국가재난안전교육원, 가상청"])
def test_bodies_below_and_above_the_ministries_issue_rules_of_the_state(body):
    assert read("law_git_rules", ("소관부처명: '가상부'", f"소관부처명: '{body}'"))[2].use == "redistribute"


@pytest.mark.parametrize(
    "first", ["제1조(시행일) 이 조례는 공포한 날부터 시행한다.", "이 조례는 공포한 날부터 시행한다."]
)
def test_supplementary_provisions_keep_their_heading_where_the_text_does_not_repeat_it(first):
    _, found, _ = read("law_git_ordinances", ("부칙 <제157호,2030.5.6> 이 조례는 공포한 날로부터 시행한다.", first))
    assert found.text.endswith(f"부칙\n\n{first}")


@pytest.mark.parametrize("name", FILES)
def test_the_repository_is_asked_for_its_texts_by_their_identifier(name):
    source = catalogue.load(name).source
    assert isinstance(source.access, Git) and source.access.url.startswith("https://github.com/legalize-kr/")
    assert not source.access.commit, "history is rewritten: a pinned commit would be gone"
    chosen = [
        path
        for path in (FILES[name][1], "README.md", ".gitignore", "metadata.json")
        if git_collector.matches(path, source.access.include, source.access.exclude)
    ]
    assert chosen == [FILES[name][1]]
    (claim,) = source.claim
    claims.check_quote(claim, README.decode())
    with pytest.raises(SourceError):
        claims.check_quote(claim, "모든 권리를 보유합니다.")


# From commit to commit


def local(folder: Path, name: str, served: Served) -> str:
    """The file of a source with the address of a repository on loopback."""
    source = catalogue.load(name).source
    path = folder / f"{name}.py"
    path.write_text(
        "from dataclasses import replace\n"
        f"from crawlers.sources.law import {name} as original\n"
        "from malmoi.source import Expect, Manners\n"
        f"SOURCE = replace(original.SOURCE, access=replace(original.SOURCE.access, url={served.url!r}),\n"
        f"    manners=Manners(loopback=({served.base.removeprefix('http://')!r},)), expect=Expect())\n"
        "items, evidence, text = original.items, original.evidence, original.text\n",
        encoding="utf-8",
    )
    assert catalogue.load(str(path)).source.family == source.family
    return str(path)


def documents(workspace: Workspace, path: str, name: str) -> dict[str, Outcome]:
    """Id → outcome of the current captures, also of those that are gone, as a run extracts them."""
    runs = collection.runs(workspace.captures(name))
    rows = [row for _, shard in collection.cut_shards(runs) for row in shard]
    archived = tuple((said, row.record) for said, row in collection.licence_records(runs).items())
    extract = extractor(Extraction(path, archived, past=tuple(collection.history(runs).items())))
    found = [outcome for row in rows for outcome in extract(row)]
    assert len({one.document.id for one in found}) == len(found), "an id twice stops a release"
    return {one.document.id: one for one in found}


def test_a_rewritten_history_brings_revisions_of_the_same_documents(tmp_path):
    name, workspace = "law_git_statutes", Workspace.open(tmp_path / "w")
    other = body_of(name, ("009901", "009902"), ("가상의 종이접기 진흥법", "가상의 종이비행기법"))
    third = body_of(name, ("009901", "009903"))
    with serve(tmp_path / "served") as served:
        path = local(tmp_path, name, served)
        first = served.commit(
            {"README.md": README, FILES[name][1]: body_of(name), "kr/나/법률.md": other, "kr/다/법률.md": third}
        )
        done = collect(workspace, path, Progress())
        assert (done.new, done.gone, done.current) == (3, 0, 3)
        # The host forgets the first history: one statute is amended and renamed, one moved unchanged, one removed.
        amended = body_of(name, ("창가에 둔다", "책상에 둔다"), ("공포일자: 2030-01-05", "공포일자: 2031-02-03"))
        served.git("update-ref", "-d", "refs/heads/main")
        second = served.commit({"README.md": README, "kr/새이름/법률.md": amended, "kr/옮긴곳/법률.md": other})
        served.git("reflog", "expire", "--expire=now", "--all")
        served.git("gc", "--prune=now", "--quiet")
        done = collect(workspace, path, Progress())
        assert (done.new, done.gone, done.current) == (1, 1, 2)
    runs = collection.runs(workspace.captures(name))
    assert [run.facts["commit"] for run in runs] == [first, second], "each capture is a pinned snapshot"
    found = documents(workspace, path, name)
    assert set(found) == {f"{name}/009901", f"{name}/009902", f"{name}/009903"}
    changed = found[f"{name}/009901"].document
    assert "책상에 둔다" in changed.text and changed.date == "2031-02-03"
    assert [s.name for s in changed.signals if s.name != "images"] == []
    gone = found[f"{name}/009903"].document
    assert [s.name for s in gone.signals if s.name != "images"] == ["gone"]


def test_files_without_an_identifier_and_files_that_share_one_are_counted(tmp_path):
    name, workspace = "law_git_rules", Workspace.open(tmp_path / "w")
    unnamed = body_of(name, ("행정규칙ID: '99801'", "행정규칙ID: ''"), ("'9100000000001'", "''"))
    with serve(tmp_path / "served") as served:
        path = local(tmp_path, name, served)
        files = {
            "가/본문.md": body_of(name),
            "나/본문.md": body_of(name, ("가상의 종이 두께", "옛 종이 두께")),
            "다/본문.md": unnamed,
        }
        served.commit({"README.md": README, **files})
        assert collect(workspace, path, Progress()).current == 1
    (run,) = collection.runs(workspace.captures(name))
    assert run.facts["left_out"] == {"no-identifier": 1, "repeated-identifier": 1}
    (outcome,) = documents(workspace, path, name).values()
    assert outcome.document.title == "가상의 종이 두께 기준"


def test_a_withdrawn_page_of_a_file_is_not_archived_wherever_its_address_comes_from(tmp_path, monkeypatch):
    name = "law_git_rules"
    with serve(tmp_path / "served") as served:
        path = local(tmp_path, name, served)
        served.commit({"README.md": README, "가/본문.md": body_of(name)})
        monkeypatch.setattr(git_collector, "find_by_address", lambda _, source, url: "/blob/main/%EA" in url)
        job = Job(name, tmp_path / "run")
        definition = catalogue.load(path)
        assert isinstance(definition.source.access, Git)
        git_collector.collect(job, definition, definition.source.access)
    stats = json.loads((tmp_path / "run" / "stats.json").read_text("utf-8"))
    assert stats["left_out"] == {"withdrawn": 1} and stats["fetched"] == 1, "the licence file alone"


def test_a_repository_that_no_longer_names_its_licence_stops_the_source(tmp_path):
    with serve(tmp_path / "served") as served:
        path = local(tmp_path, "law_git_rules", served)
        served.commit(
            {"README.md": b"# x", "a/\xeb\xb3\xb8\xeb\xac\xb8.md".encode("latin-1"): body_of("law_git_rules")}
        )
        with pytest.raises(SourceError, match="does not say"):
            collect(Workspace.open(tmp_path / "w"), path, Progress())


@pytest.mark.heavy
def test_a_release_of_a_repository_verifies_and_names_the_law_and_the_structure(tmp_path):
    name = "law_git_ordinances"
    _, recipe = written(tmp_path, {})
    foreign = body_of(name, ("'9902001'", "'9902002'"), ("'경기도 가상시'", "'가상시설공단'"))
    with serve(tmp_path / "served") as served:
        path = local(tmp_path, name, served)
        served.commit({"README.md": README, "가/본문.md": body_of(name), "나/본문.md": foreign})
        *_, made = run(path, recipe, tmp_path / "w")
    assert verify(made.folder, render=render_card) == []
    (row,) = data(made.folder).to_pylist()
    assert (row["id"], row["license"], row["date"]) == (f"{name}/9902001", law_go_kr.ARTICLE_7, "2030-05-06")
    assert "MIT" in row["attribution"] and "경기도 가상시 종이접기 지원 조례" in row["attribution"]
    assert {(e["licence"], e["kind"]) for e in audit(made.folder, "licence_evidence")} >= {("MIT", "claim")}
    dropped = [(one["id"], one["reason"]) for one in audit(made.folder, "dropped")]
    assert dropped == [(f"{name}/9902002", "unknown-licence")], "the house rules of a corporation"


# One work of two sources


def extracted(name: str, capture: Capture, folder: Path) -> Document:
    """The document of a capture as a run extracts it."""
    path, digest = folder / f"{name}.bin", hashlib.sha256(capture.body).hexdigest()
    path.write_bytes(capture.body)
    media = capture.header("content-type")
    row = IndexRow(
        capture.record, capture.url, capture.fetched, 200, media, digest, str(path), 0, len(capture.body), "file"
    )
    (outcome,) = extractor(Extraction(name, (("README.md", "urn:uuid:2"),)))(row)
    assert not isinstance(outcome, Dropped)
    use = decide(outcome.document.evidence, outcome.document.signals).use
    return replace(outcome.document, labels=(*outcome.document.labels, ("use", use)))


def twins(name: str, folder: Path) -> tuple[Document, Document]:
    """The documents of one work, from the repository and from the interface."""
    twin, file, query = TWINS[name]
    url, raw = f"https://www.law.go.kr/DRF/lawService.do?{query}&type=XML", (DATA / file).read_bytes()
    headers = (("Content-Type", "text/xml;charset=UTF-8"),)
    answer = Capture(record_id(url, raw), url, "2030-11-20T15:00:00Z", 200, headers, raw, twin)
    return extracted(name, capture_of(name, body_of(name)), folder), extracted(twin, answer, folder)


def judged(*documents: Document) -> dict[str, Verdict]:
    """Id → verdict of exact_duplicates, by the survey of these documents."""
    sketches = pa.Table.from_pylist([dict(exact_duplicates.SURVEY.sketch(one)) for one in documents], SKETCH)
    table = compare_documents(sketches, {one.id: one.text for one in documents}, threshold=1.0)
    said = {row["id"]: row for row in table.to_pylist()}
    return {one.id: exact_duplicates.judge(one, survey=said) for one in documents}


@pytest.mark.parametrize("name", TWINS)
def test_a_work_of_the_interface_and_of_the_repository_is_one_document(tmp_path, name):
    free, keyed = twins(name, tmp_path)
    assert isinstance(catalogue.load(TWINS[name][0]).source.access, Api)
    assert free.id.partition("/")[2] == keyed.id.partition("/")[2]
    found = judged(keyed, free)
    assert (found[free.id].outcome, found[keyed.id].outcome) == ("keep", "drop")
    assert (found[keyed.id].reason, found[keyed.id].labels) == ("same-work", (("keeper", free.id),))


def test_the_text_of_a_judgment_is_that_of_the_interface(tmp_path):
    free, keyed = twins("law_git_precedents", tmp_path)
    assert free.text == keyed.text


def test_the_document_with_the_freer_rights_is_kept_whatever_its_access(tmp_path):
    free, keyed = twins("law_git_statutes", tmp_path)
    found = judged(replace(free, labels=(*free.labels, ("use", "train-only"))), keyed)
    assert (found[free.id].outcome, found[keyed.id].outcome) == ("drop", "keep")


def test_another_work_with_the_same_key_or_text_is_another_document(tmp_path):
    free, keyed = twins("law_git_statutes", tmp_path)
    rule, _ = twins("law_git_rules", tmp_path)
    amended = replace(rule, labels=tuple((n, "law.go.kr/admrul/009901" if n == "work" else v) for n, v in rule.labels))
    assert {one.outcome for one in judged(free, amended).values()} == {"keep"}
    copy = replace(keyed, id="law_statutes/7", text=free.text, labels=(*keyed.labels, ("work", "law.go.kr/law/7")))
    assert {one.outcome for one in judged(free, copy).values()} == {"keep"}, "near_duplicates judges texts of a family"
