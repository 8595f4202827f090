"""What a release says of a document beside its text: no identifier is left in any file of it, in any writing."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import data_cards
from filters.redact import make_redactor
from flows.run import recipe_of
from malmoi import recipe as recipes
from malmoi import url_privacy
from malmoi.apply import Dropped, Kept, apply, walk
from malmoi.document import Document, Note, Provenance, Signal, Verdict
from malmoi.ledger import Failure
from malmoi.releases import audit, masked_ids
from malmoi.releases.partitioning import COPIES
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs, bind_phrases
from malmoi.releases.residue import outcomes
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.storage import shard
from malmoi.url_privacy import digest_id
from tests.builders.rows import each_row
from tests.builders.small_corpus import OTHER, PROSE, malmoi_in_process
from tests.builders.small_release import document, documents, inputs, stage

REDACT = make_redactor(recipe_of("general"))
STEPS = {s.filter: s for _, stage in recipe_of("general").steps for s in stage}
PRIVACY = recipes.bind(tuple(STEPS[name] for name in ("personal_data", "quarantine", "redact")))
MAIL, TELEPHONE = "hong.gildong@example.kr", "010-0000-1234"
# How the two may stand in a file, whatever was escaped.
FORBIDDEN = ("hong.gildong", "gildong%40", "0000-1234", "0000+1234", "0000%2D1234", "word99x", "a1b2c3d4e5f6g7h8k2")
URLS = {
    "an address in the path": f"https://a.kr/members/{MAIL}",
    "escaped": f"https://a.kr/members/{MAIL.replace('@', '%40')}",
    "escaped twice": f"https://a.kr/members/{MAIL.replace('@', '%2540')}",
    "a query": f"https://a.kr/q?tel={TELEPHONE}",
    "a query with escapes": "https://a.kr/q?tel=010%2D0000%2D1234",
    "a query with plus signs": f"https://a.kr/q?tel=010+0000+1234&mail={MAIL.replace('@', '%40')}",
    "a fragment": f"https://a.kr/q#{MAIL}",
    "user and password": "https://hong:word99x@a.kr/q",
    "a secret": "https://a.kr/q?page=2&access_token=a1b2c3d4e5f6g7h8k2",
    "a Korean code page": "https://a.kr/q?%C0%FC%C8%AD=010-0000-1234",
    "a host": "https://010-0000-1234.a.kr/",
}


def strings(folder: Path) -> Iterator[tuple[str, str]]:
    """(file and column, text) of everything in a release: each string of each Parquet file, and every other file."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix != ".parquet":
            yield name, path.read_text(encoding="utf-8")
            continue
        table = pq.ParquetFile(path).read()
        yield f"{name} schema", str(table.schema.metadata)
        for column in table.column_names:
            for value in table.column(column).to_pylist():
                yield f"{name} {column}", json.dumps(value, ensure_ascii=False, default=bytes.hex)
                if column == "morphemes" and value:
                    yield f"{name} forms", "".join(value["form"])


def leaks(folder: Path) -> list[tuple[str, str]]:
    return [(where, word) for where, text in strings(folder) for word in FORBIDDEN if word in text]


def published(tmp: Path, given: Inputs, redact: Any = REDACT) -> Path:
    (tmp / "tmp").mkdir(exist_ok=True)
    publish(given, tmp / "release", tmp=tmp / "tmp", redact=redact)
    return tmp / "release"


def row(folder: Path, id: str) -> dict[str, Any]:
    paths = sorted((folder / "data").rglob("*.parquet"))
    return next(r for p in paths for r in pq.ParquetFile(p).read().to_pylist() if r["id"] == id)


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_nothing_of_an_address_is_left_in_url_or_attribution(tmp_path: Path, url: str) -> None:
    doc = document("ga", 1)
    doc = replace(doc, provenance=replace(doc.provenance, url=url))
    folder = published(tmp_path, replace(inputs(tmp_path / "in", [doc]), clusters=()))
    found = row(folder, "ga/1")
    assert found["url"] != url
    assert found["url"] in found["attribution"]
    assert not leaks(folder)


def test_an_address_without_personal_data_is_published_letter_for_letter(tmp_path: Path) -> None:
    url = "https://a.kr/%EA%B0%80?x=%41+b&newsId=148912345#c"
    doc = document("ga", 1)
    doc = replace(doc, provenance=replace(doc.provenance, url=url))
    found = row(published(tmp_path, replace(inputs(tmp_path / "in", [doc]), clusters=())), "ga/1")
    assert (found["url"], found["record"]) == (url, "urn:uuid:ga-1")


def test_digests_of_an_answer_are_withheld_where_something_of_it_was_replaced(tmp_path: Path) -> None:
    doc = document("ga", 1)
    replaced = replace(doc, id="ga/2", trail=(*doc.trail, Note("redact", "mend", "1", "pii:phone", 1.0)))
    titled = replace(doc, id="ga/3", title=f"문의 {TELEPHONE}")
    folder = published(tmp_path, replace(inputs(tmp_path / "in", [doc, replaced, titled]), clusters=()))
    said = {id: (row(folder, id)["record"], row(folder, id)["revision"]) for id in ("ga/1", "ga/2", "ga/3")}
    assert said["ga/1"] == (doc.provenance.record, doc.provenance.payload_sha256)
    assert said["ga/2"] == said["ga/3"] == ("", "")


def test_the_record_is_withheld_with_the_address_whose_hash_it_is(tmp_path: Path) -> None:
    doc = document("ga", 4)
    doc = replace(doc, provenance=replace(doc.provenance, url=f"https://a.kr/q?tel={TELEPHONE}"))
    folder = published(tmp_path, replace(inputs(tmp_path / "in", [doc]), clusters=()))
    assert row(folder, "ga/4")["record"] == ""
    for table in ("licence_evidence", "signals"):
        rows = pq.read_table(folder / f"audit/{table}.parquet").to_pylist()
        assert {r["record"] for r in rows if r["id"] == "ga/4"} == {""}


def test_titles_authors_quotes_places_and_what_sources_declare_are_treated(tmp_path: Path) -> None:
    escaped = MAIL.replace("@", "%40")
    doc = replace(
        document("ga", 1),
        title=f"문의 {MAIL}",
        author=f"홍길동 {TELEPHONE}",
        evidence=tuple(
            replace(
                e, quote=f"공공누리 제1유형, 문의는 https://a.kr/?m={escaped}", place=f"https://a.kr/{escaped}#mark"
            )
            for e in document("ga", 1).evidence
        ),
        signals=(Signal("noai", "note", f"연락 {TELEPHONE}", f"{MAIL}/robots.txt", "urn:uuid:ga-1"),),
    )
    given = replace(inputs(tmp_path / "in", [doc]), clusters=())
    sources = tuple(replace(s, note=f"asked {MAIL}", terms=f"allowed ({escaped})") for s in given.sources)
    folder = published(tmp_path, replace(given, sources=sources, purpose=f"연락 {TELEPHONE}"))
    data_cards.write(folder)
    assert not leaks(folder)
    assert row(folder, "ga/1")["title"] == "문의 [이메일1]"
    assert pq.read_table(folder / "audit/licence_evidence.parquet")["place"][0].as_py() == "https://a.kr/[이메일1]#mark"


SECRET = (f"ga/members/{MAIL}", f"ga/https://a.kr/q?tel={TELEPHONE}", "na/members/010%2D0000%2D1234")


def with_secret_ids(root: Path) -> Inputs:
    """Inputs in which documents that were dropped, that failed and that are copies have such ids."""
    given = inputs(root, [document("ga", n) for n in range(1, 6)])
    clean = root / "3-clean/secret"
    later = [replace(document("ga", 301), id=SECRET[0]), replace(document("na", 302), id=SECRET[2])]
    verdict = Verdict("drop", "too-short", 12.0, 200.0)
    short = Dropped(replace(document("ga", 303), id=SECRET[1], signals=(optout(MAIL),)), "length", verdict)
    failed = Failure(f"na/{MAIL}", "na", "cpu-limit")
    entered = [*later, short.document, replace(document("na", 304), id=failed.id)]
    near = Verdict("drop", "near-copy", 0.875, 0.8)
    folders = {
        "2-documents": stage(root / "2-documents/secret", "2-documents", entered, []),
        "3-clean": stage(clean, "3-clean", later, [short], (failed,)),
        "4-judged": stage(
            root / "4-judged/secret", "4-judged", later[:1], [Dropped(later[1], "near_duplicates", near)]
        ),
        "5-curated": stage(
            root / "5-curated/secret",
            "5-curated",
            [],
            [Dropped(later[0], "quarantine", Verdict("drop", "personal-data-in-id", 1, 0))],
        ),
    }
    rows = shard.read(given.clusters[0]).to_pylist()
    near = {"kind": "near", "similarity": 0.875, "measured": "exact", "release": ""}
    rows.append({"id": SECRET[2], "keeper": SECRET[0], "reason": "date", **near})
    rows = [r | {"keeper": EARLIER} if r["release"] else r for r in rows]
    rows = [r | {"keeper": "ga/3"} if r["id"] == "ga/106" else r for r in rows]
    pq.write_table(pa.Table.from_pylist(rows, COPIES), given.clusters[0])
    stages = tuple((name, (*paths, folders[name])) for name, paths in given.stages)
    return replace(given, stages=stages)


EARLIER = f"na/old/{TELEPHONE}"  # published before ids were looked at


def optout(quote: str) -> Signal:
    return Signal("tdm-reservation", "opt-out", quote, "header", "urn:uuid:x")


def test_ids_with_personal_data_are_numbered_in_every_table_and_the_release_verifies(tmp_path: Path) -> None:
    folder = published(tmp_path, with_secret_ids(tmp_path / "in"))
    data_cards.write(folder)
    seal(folder)
    assert not leaks(folder)
    assert verify(folder, render=data_cards.render_card) == []
    dropped = {r["id"]: r["reason"] for r in pq.read_table(folder / "audit/dropped.parquet").to_pylist()}
    hidden = {id: reason for id, reason in dropped.items() if "withheld" in id}
    assert hidden == {
        "ga/[withheld 1]": "too-short",
        "ga/[withheld 2]": "personal-data-in-id",
        "na/[withheld 4]": "near-copy",
    }
    assert "na/[withheld 3]" in pq.read_table(folder / "audit/failed.parquet")["id"].to_pylist()
    copies = {r["member"]: r for r in pq.read_table(folder / "audit/clusters.parquet").to_pylist()}
    assert copies["na/[withheld 4]"]["keeper"] == "ga/[withheld 2]"
    assert copies["na/104"]["keeper"] == "na/[withheld 5]"
    signals = pq.read_table(folder / "audit/signals.parquet").to_pylist()
    assert [(s["quote"], s["record"]) for s in signals if s["id"] == "ga/[withheld 1]"] == [("[이메일1]", "")]


def test_the_names_of_withheld_ids_do_not_depend_on_order_or_grouping(tmp_path: Path) -> None:
    def tables(flip: bool) -> list[Any]:
        root = tmp_path / str(flip)
        root.mkdir()
        given = with_secret_ids(root / "in")
        if flip:
            given = replace(given, stages=tuple((name, tuple(reversed(paths))) for name, paths in given.stages))
        folder = published(root, given)
        return [pq.read_table(folder / f"audit/{n}.parquet").to_pylist() for n in ("dropped", "clusters", "signals")]

    assert tables(False) == tables(True)


def test_tables_that_are_sorted_on_disk_name_withheld_ids_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    small = published(tmp_path / "a", with_secret_ids(tmp_path / "a/in"))
    monkeypatch.setattr(audit, "SMALL", 0)
    large = published(tmp_path / "b", with_secret_ids(tmp_path / "b/in"))
    for name in ("dropped", "signals", "licence_evidence"):
        assert (small / f"audit/{name}.parquet").read_bytes() == (large / f"audit/{name}.parquet").read_bytes()


def test_where_a_recipe_leaves_personal_data_alone_ids_and_addresses_stay(tmp_path: Path) -> None:
    doc = document("ga", 1)
    doc = replace(doc, id=SECRET[0], provenance=replace(doc.provenance, url=URLS["user and password"]))
    given = replace(inputs(tmp_path / "in", [doc]), clusters=(), second_look=outcomes(()))  # as such a recipe says
    folder = published(tmp_path, given, None)
    assert row(folder, SECRET[0])["url"] == URLS["user and password"]


def left_out(folder: Path) -> dict[str, str]:
    rows = pq.read_table(folder / "audit/dropped.parquet").to_pylist()
    return {row["id"]: row["reason"] for row in rows if row["stage"] == "6-release"}


@pytest.mark.parametrize("use", ["redistribute", "train-only"])
def test_a_document_with_personal_data_in_its_id_is_left_out_and_not_named(tmp_path: Path, use: str) -> None:
    docs = [replace(document("ga", 1, use=use), id=SECRET[0]), document("na", 2)]
    folder = published(tmp_path, replace(inputs(tmp_path / "in", docs), clusters=()))
    assert left_out(folder) == {"ga/[withheld 1]": "personal-data-in-id"}
    assert row(folder, "na/2") and not leaks(folder)


def test_a_document_that_printed_a_resident_number_is_never_redistributed(tmp_path: Path) -> None:
    note = Note("redact", "mend", "1", "pii:rrn", 1.0)
    doc = document("ga", 1)
    trained = replace(document("ga", 2, use="train-only"), trail=(note,))
    given = inputs(tmp_path / "in", [replace(doc, trail=(note,)), trained])
    folder = published(tmp_path, replace(given, clusters=()))
    assert left_out(folder) == {"ga/[withheld 1]": "resident-number"}
    assert row(folder, digest_id("ga/2"))["pii"] == [{"kind": "rrn", "n": 1}]


PAGE = "<!doctype html><html lang=ko><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article>"
SOURCE = '''"""Papers in a folder."""
from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source(
    name="papers", title="문서", publisher="시험", access=Folder(Path({folder!r}), include=("**/*.html",)),
    claim=(LicenceClaim("CC-BY-4.0", "CC BY 4.0으로 이용할 수 있다", file="LICENCE.txt"),),
    rule=LicenceRule(("licence-file",)), note="asked {mail}",
)
'''
SUBJECTS = {
    "plain.html": ("도서관", ""),
    "contact.html": ("시장", f"문의는 홍길동 {TELEPHONE} 또는 {MAIL}로 주세요."),
    "title.html": (f"바다 문의 {MAIL}", ""),
    "number.html": ("학교", "주민등록번호 990131-1234567은 지워야 한다."),
    "number-title.html": ("숲 990131-1234567", ""),
    f"{MAIL}.html": ("강", ""),
    f"{TELEPHONE}/notes.html": ("산", ""),
}


def essay(subject: str) -> str:
    lines = (
        f"{subject}에 가는 길에는 오래된 나무가 늘어서 있어서 여름에도 그늘이 깊다.",
        f"아침마다 {subject} 앞을 지나는 사람들은 서로 인사를 나누고 천천히 걸음을 옮긴다.",
        f"지난해에 고친 {subject}의 지붕은 비가 많이 내려도 더는 새지 않는다고 한다.",
    )
    return "".join(f"<p>{line} {PROSE if i else OTHER}</p>" for i, line in enumerate(lines))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Workspace and release of a folder of papers with identifiers in texts, titles and names of files."""
    root = tmp_path_factory.mktemp("papers")
    for name, (title, text) in SUBJECTS.items():
        path = root / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = essay(title.split()[0]) + f"<p>{text}</p>"
        path.write_text(PAGE.format(title=title, text=body), encoding="utf-8")
    (root / "pages/LICENCE.txt").write_text("CC BY 4.0으로 이용할 수 있다.\n", encoding="utf-8")
    source = root / "papers.py"
    source.write_text(SOURCE.format(folder=str(root / "pages"), mail=MAIL), encoding="utf-8")
    done = malmoi_in_process("run", "--source", source, "--workspace", root / "ws")
    assert done.returncode == 0, done.stderr
    assert not [word for word in FORBIDDEN if word in done.stdout + done.stderr]
    return root / "ws", next((root / "ws/6-releases/general").glob("*.*.*/manifest.json")).parent


@pytest.mark.heavy
def test_no_file_of_a_release_holds_an_identifier_of_its_corpus(run: tuple[Path, Path]) -> None:
    assert not leaks(run[1])
    assert not [where for where, text in strings(run[1]) if "990131" in text]
    ids = {r["id"] for p in (run[1] / "data").rglob("*.parquet") for r in pq.ParquetFile(p).read().to_pylist()}
    assert ids == {"papers/plain.html", "papers/contact.html", "papers/title.html"}
    contact = row(run[1], "papers/contact.html")
    assert "문의는 [이름1] [전화번호1] 또는 [이메일1]로 주세요." in contact["text"]
    assert {p["kind"] for p in contact["pii"]} == {"name", "phone", "email"}


def test_the_card_counts_documents_with_resident_numbers_and_with_personal_data_in_ids(run: tuple[Path, Path]) -> None:
    rows = pq.read_table(run[1] / "audit/dropped.parquet").to_pylist()
    assert sorted((r["id"], r["filter"], r["reason"], r["measured"]) for r in rows) == [
        ("papers/[withheld 1]", "quarantine", "personal-data-in-id", 1.0),
        ("papers/[withheld 2]", "quarantine", "personal-data-in-id", 1.0),
        ("papers/[withheld 3]", "quarantine", "resident-number", 2.0),  # title and heading
        ("papers/[withheld 4]", "quarantine", "resident-number", 1.0),
    ]
    card = json.loads((run[1] / "card.json").read_text(encoding="utf-8"))
    counted = [r for t in card["tables"].values() for r in t["rows"] if "quarantine" in r and len(t["columns"]) > 2]
    assert {tuple(r)[-2:] for r in counted} >= {("resident-number", 2), ("personal-data-in-id", 2)}


def test_signatures_of_texts_before_redaction_lie_in_the_workspace_and_not_in_the_release(
    run: tuple[Path, Path],
) -> None:
    workspace, release = run
    segments = sorted((workspace / "surveys/index").rglob("documents.parquet"))
    assert segments and "signature" in pq.read_schema(segments[0]).names
    for path in release.rglob("*.parquet"):
        assert not {"signature", "spans", "trail", "value"} & set(pq.read_schema(path).names)
        assert not [f for f in pq.read_schema(path) if pa.types.is_binary(f.type)]


TEXT = f"문의는 홍길동 {TELEPHONE} 또는 {MAIL}로 주세요. 사무실은 부산 해운대구 없는로 9, 1동 203호에 있다."


def test_no_form_of_a_morpheme_keeps_a_part_of_what_was_replaced() -> None:
    filters = recipes.bind(tuple(STEPS[n] for n in ("morphology", "personal_data", "redact")))
    doc = Document("a/1", f"{TEXT} 도서관은 내일 연다.", Provenance("a", "", "", "", ""))
    before = apply(doc, filters[0].name, filters[0].verb, filters[0].call(doc))
    outcome = walk(doc, filters)
    assert isinstance(outcome, Kept) and outcome.document.morphemes and before.morphemes
    values = ("홍길동", TELEPHONE, MAIL, "없는로 9, 1동 203호")
    parts = {part for value in values for part in (value, *value.replace("@", "-").replace(".", "-").split("-"))}
    forms = set(outcome.document.morphemes.form)
    assert parts & set(before.morphemes.form)
    assert not parts & forms
    assert not [value for value in values if value in "".join(outcome.document.morphemes.form)]
    assert {"도서관", "내일", "부산"} <= forms
    for form, _, start, length in outcome.document.morphemes.rows():
        if form in ("도서관", "내일", "부산"):
            assert outcome.document.text[start : start + length] == form
    assert not [s for s in outcome.document.spans if s.value is not None]


@pytest.mark.parametrize("use", ["redistribute", "train-only"])
@pytest.mark.parametrize("where", ["text", "title", "url"])
def test_a_resident_number_anywhere_keeps_a_document_out_whatever_its_use(use: str, where: str) -> None:
    number = "990131-1234567"
    doc = replace(document("ga", 1, use=use), text=PROSE, morphemes=None, spans=())
    provenance = replace(doc.provenance, url=f"https://a.kr/?no={number.replace('-', '%2D')}")
    doc = replace(
        doc,
        **{"text": {"text": f"{PROSE} {number}"}, "title": {"title": number}}.get(where, {"provenance": provenance}),
    )
    outcome = walk(doc, PRIVACY)
    assert isinstance(outcome, Dropped)
    assert (outcome.by, outcome.verdict.reason) == ("quarantine", "resident-number")


# Ids, titles and addresses with names: the text decides about them --------------------------------------------------

# Presidents, kings, places, and words that are no names.
WORDS = "이대호 김춘추 윤석열 문무왕 위구르 최순우 안중근 풍운아 경영권 마주한 대연정 독도 남궁민수 조종하 없어야"
HEADLINES = (
    "{}, 9경기 연속 홈런으로 세계 신기록 달성",
    "신장 {} 폭탄테러, 21명 사상",
    "시대의 풍운아, {}",
    '고개 숙인 {} "제 아이들에게 경영권 주지 않겠다"',
    "에너지 낭비에 {} 지구의 위기",
    "뇌를 보고 {}는 세상에 관하여",
    "북한 {} 피살 (2017년 2월 13일)",
    "수학자 {} 별세, 향년 92세",
    "'갓갓' {}, 항소심서 징역 35년",
    "{} 대통령 취임사",
    "환자 {}의 하루",
    "피해자 {} 씨 사건",
)
TITLES = [headline.format(name) for name in WORDS.split() for headline in HEADLINES]
SHAPES: dict[str, Callable[[str], str]] = {
    "wiki": lambda title: f"https://a.kr/wiki/{title.replace(' ', '_')}",
    "escaped wiki": lambda title: f"https://a.kr/wiki/{quote(title.replace(' ', '_'))}",
    "slug": lambda title: f"https://a.kr/2026/09/{quote(title.replace(' ', '-'))}/",
    "slug of letters": lambda title: (
        "https://a.kr/posts/" + "-".join(filter(None, re.findall("[0-9가-힣@.-]+", title)))
    ),
    "plus": lambda title: f"https://a.kr/?title={quote_plus(title)}",
    "code page": lambda title: f"https://a.kr/?title={quote_plus(title, encoding='cp949')}",
    "escaped twice": lambda title: f"https://a.kr/{quote(quote(title.replace(' ', '_')))}",
    "decomposed": lambda title: quote(unicodedata.normalize("NFD", title.replace(" ", "_"))),
    "file": lambda title: f"news/{title}.html",
    "title": lambda title: title,
}


def is_quarantined(key: str, text: str = PROSE) -> bool:
    outcome = walk(Document(f"ga/{key}", text, Provenance("ga", "", "", "", "")), PRIVACY)
    return isinstance(outcome, Dropped) and outcome.verdict.reason == "personal-data-in-id"


def is_refused(key: str) -> bool:
    return url_privacy.has_personal_data(f"ga/{key}", bind_phrases(REDACT))


@settings(max_examples=400, deadline=None)
@given(
    title=st.sampled_from(TITLES),
    shape=st.sampled_from(sorted(SHAPES)),
    beside=st.sampled_from(("", "", MAIL, TELEPHONE, "총무과 02-000-1234", "990131-1234567", "여권번호 M00000017")),
)
def test_what_the_release_refuses_was_quarantined_and_a_name_alone_is_neither(
    title: str, shape: str, beside: str
) -> None:
    key = SHAPES[shape](f"{title} {beside}".strip())
    assert is_quarantined(key) >= is_refused(key)
    if not beside:
        assert not is_quarantined(key)


@each_row("shape", SHAPES)
def test_no_title_of_many_is_refused_or_masked_for_the_names_in_it(shape: str) -> None:
    phrase = bind_phrases(REDACT)
    keys = [SHAPES[shape](title) for title in TITLES]
    assert [key for key in keys if is_refused(key)] == []
    assert [key for key in keys if url_privacy.redact_url(key, phrase) != key] == []


@each_row("shape", SHAPES)
def test_an_id_with_a_value_that_its_own_text_has_masked_is_quarantined_in_every_spelling(shape: str) -> None:
    text = f"{PROSE} 신청인 용덕수 {TELEPHONE}."
    assert is_quarantined(SHAPES[shape]("용덕수 민원의 답변"), text)
    assert not is_quarantined(
        SHAPES[shape]("용덕수 민원의 답변"), f"{text} 시장 용덕수"
    )  # the text shows the name as well
    assert not is_quarantined(SHAPES[shape]("용덕순 민원의 답변"), text)


def test_an_address_without_its_own_name_is_masked_only_if_the_text_has_the_name_masked() -> None:
    url, title = "https://a.kr/wiki/용덕수_민원", "용덕수 민원"
    told = f"{PROSE} 신청인 용덕수 {TELEPHONE}."
    for text, masked in ((told, True), (f"{told} 시장 용덕수", False), (f"{PROSE} 시장 용덕수", False)):
        outcome = walk(Document("ga/1", text, Provenance("ga", url, "", "", ""), title=title), PRIVACY)
        assert isinstance(outcome, Kept)
        found = (outcome.document.title, outcome.document.provenance.url)
        assert found == (("[이름1] 민원", "https://a.kr/wiki/[이름1]_민원") if masked else (title, url))


def test_documents_with_names_in_id_title_and_address_are_published_as_they_are(tmp_path: Path) -> None:
    docs = []
    for n, title in enumerate(TITLES[:12]):
        doc, url = document("ga", 3 * n + 1), SHAPES["wiki"](title)
        place = tuple(replace(e, place=f"{url}#licence") for e in doc.evidence)
        provenance = replace(doc.provenance, url=url)
        docs.append(
            replace(doc, id=f"ga/{url}", title=title, author="이정수(도서관장)", provenance=provenance, evidence=place)
        )
    folder = published(tmp_path, replace(inputs(tmp_path / "in", docs), clusters=()))
    assert left_out(folder) == {}
    places = {r["id"]: r["place"] for r in pq.read_table(folder / "audit/licence_evidence.parquet").to_pylist()}
    for doc in docs:
        said = row(folder, doc.id)
        assert (said["title"], said["author"], said["url"]) == (doc.title, doc.author, doc.provenance.url)
        assert (said["record"], said["revision"]) == (doc.provenance.record, doc.provenance.payload_sha256)
        assert places[doc.id] == f"{doc.provenance.url}#licence"


def test_a_number_that_the_text_shows_stays_in_the_title_and_a_masked_address_is_in_no_place_of_evidence(
    tmp_path: Path,
) -> None:
    shown, masked = document("ga", 1), document("ga", 2)
    shown = replace(shown, text=f"{shown.text} 총무과 02)000-1234", title="총무과 02-000-1234 안내", morphemes=None)
    url = "https://a.kr/wiki/용덕수_민원"
    masked = replace(
        masked,
        provenance=replace(masked.provenance, url="https://a.kr/wiki/[이름1]_민원"),
        evidence=tuple(replace(e, place=f"{url}#licence") for e in masked.evidence),
        trail=(Note("redact", "mend", "1", "pii:name", 1.0), Note("redact", "mend", "1", "url:pii:name", 1.0)),
    )
    folder = published(tmp_path, replace(inputs(tmp_path / "in", [shown, masked]), clusters=()))
    assert row(folder, "ga/1")["title"] == "총무과 02-000-1234 안내"
    assert not [where for where, text in strings(folder) if "용덕수" in text]


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("가a1%40EBA&?=+/#@:.;[] "), max_size=40))
def test_what_holds_nothing_is_published_letter_for_letter(text: str) -> None:
    assert url_privacy.redact_text(text, str) == text
    assert url_privacy.redact_url(f"https://a.kr/{text}", str) == f"https://a.kr/{text}"


@settings(max_examples=200, deadline=None)
@given(around=st.text(st.sampled_from("가a&?=/#-. "), max_size=12), layers=st.integers(0, 3), bare=st.booleans())
def test_a_mail_address_is_seen_through_every_layer_of_escapes(around: str, layers: int, bare: bool) -> None:
    mail = MAIL
    for _ in range(layers):
        mail = quote(mail, safe="" if bare else ".")
    found = url_privacy.redact_text(f"/{around}/{mail}/x", lambda text: text.replace(MAIL, "[이메일1]"))
    assert "gildong" not in found


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.text(st.sampled_from("ab/1@"), min_size=3, max_size=8)))
def test_withheld_ids_have_names_of_their_own(ids: list[str]) -> None:
    given_names = masked_ids.mask_ids(ids)
    assert len(set(given_names.values())) == len(set(ids))
    assert masked_ids.mask_ids(reversed(ids)) == given_names


EARLY = {
    "text": lambda doc: replace(doc, text=f"{doc.text} 신청인 990131-1234567"),
    "title": lambda doc: replace(doc, title="카드번호 0000-0000-0000-0001"),
    "author": lambda doc: replace(doc, author="990131-1234567"),
    "quote of a signal": lambda doc: replace(doc, signals=(optout("신청인 990131-1234567"),)),
    "a table": lambda doc: replace(doc, text=f"{doc.text}\n| 이름 | 번호 |\n| --- | --- |\n| 가 | 990131-1234567 |"),
}


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("place", EARLY)
def test_what_was_dropped_before_the_search_for_personal_data_is_not_listed_by_its_address_either(
    tmp_path: Path, place: str
) -> None:
    given = inputs(tmp_path / "in", documents())
    shows = EARLY[place](document("ga", 200))
    drop = Dropped(shows, "length", Verdict("drop", "too-short", 12.0, 200.0))
    plain = Dropped(document("ga", 201), "length", Verdict("drop", "too-short", 12.0, 200.0))
    extra = stage(tmp_path / "in/3-clean/more", "3-clean", [], [drop, plain])
    entered = stage(tmp_path / "in/2-documents/more", "2-documents", [shows, plain.document], [])
    more = {"3-clean": (extra,), "2-documents": (entered,)}
    given = replace(given, stages=tuple((name, (*paths, *more.get(name, ()))) for name, paths in given.stages))
    folder = published(tmp_path, given)
    data_cards.write(folder)
    seal(folder)
    assert verify(folder, render=data_cards.render_card) == []
    rows = pq.read_table(folder / "audit/dropped.parquet").to_pylist()
    listed = [row["id"] for row in rows if row["reason"] == "too-short"]
    assert "ga/201" in listed and "ga/[withheld 1]" in listed
    assert not [where for where, text in strings(folder) if "ga/200" in text or "990131-1234567" in text]
