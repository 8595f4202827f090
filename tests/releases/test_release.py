"""A release: where documents lie, what is written, and that order and grouping leave no trace."""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import data_cards
from malmoi.errors import CallError, StageError
from malmoi.licensing.licences import LICENCES as TABLE
from malmoi.licensing.licences import folder_name
from malmoi.releases import licence_files, version_history
from malmoi.releases import split as assembling
from malmoi.releases.manifest import Manifest
from malmoi.releases.partitioning import PART, clusters, h
from malmoi.releases.publish import publish
from malmoi.releases.published_rows import sentence
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.release_schema import AUDIT, COLUMNS, DATA, MORPHEME_DATA, SCHEMA_VERSION
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from malmoi.releases.version_history import Entry, History, next_version
from tests.builders.small_release import LICENCES, SOURCES, WORDS, document, documents, inputs


def made(tmp: Path, given: Inputs) -> tuple[Path, Manifest]:
    (tmp / "tmp").mkdir(parents=True, exist_ok=True)
    return tmp / "release", publish(given, tmp / "release", tmp=tmp / "tmp")


def digests(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def release(tmp_path: Path) -> tuple[Path, Manifest]:
    return made(tmp_path, inputs(tmp_path / "in", documents()))


def data(folder: Path, top: str = "data") -> list[dict]:
    return [
        row
        for p in sorted((folder / top).rglob("*.parquet"))
        for row in pq.read_table(p, partitioning=None).to_pylist()
    ]


def test_every_document_lies_where_its_id_use_and_licence_say(release: tuple[Path, Manifest]) -> None:
    folder, manifest = release
    assert manifest.documents == 24
    for path in (folder / "data").rglob("*.parquet"):
        rows = pq.read_table(path, partitioning=None).to_pylist()
        named = PART.fullmatch(path.name)
        assert named
        assert {h(r["id"]) % int(named[3]) for r in rows} == {int(named[2])}
        places = {(r["use"], folder_name(r["license"]), r["domain"] or "general") for r in rows}
        assert places == {path.parent.relative_to(folder / "data").parts}
        assert {r["split"] for r in rows} == {named[1]}
        assert [(h(r["id"]), r["id"]) for r in rows] == sorted((h(r["id"]), r["id"]) for r in rows)


def test_the_files_have_the_declared_columns_and_a_page_index(release: tuple[Path, Manifest]) -> None:
    folder, _ = release
    for path in (folder / "data").rglob("*.parquet"):
        file = pq.ParquetFile(path)
        assert file.schema_arrow.equals(DATA)
        assert file.metadata.row_group(0).column(0).has_offset_index
        assert {f.name: f.metadata[b"comment"].decode() for f in file.schema_arrow} == {c.name: c.says for c in COLUMNS}
        group = file.metadata.row_group(0)
        bounded = {c.path_in_schema for c in map(group.column, range(group.num_columns)) if c.is_stats_set}
        assert {"source", "n_chars", "date"} <= bounded and not {"text", "title", "id"} & bounded
        beside = pq.ParquetFile(folder / "morphemes" / path.relative_to(folder / "data"))
        assert beside.schema_arrow.equals(MORPHEME_DATA)
    for name, schema in AUDIT.items():
        assert pq.read_schema(folder / "audit" / f"{name}.parquet").equals(schema)


def test_what_is_said_of_a_text_is_computed_from_the_published_text(release: tuple[Path, Manifest]) -> None:
    rows = {r["id"]: r for r in data(release[0])}
    given = {d.id: d for d in documents()}
    assert rows.keys() == given.keys()
    for id, row in rows.items():
        text = given[id].text
        assert (row["text"], row["n_chars"], row["n_bytes"]) == (text, len(text), len(text.encode()))
        assert row["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert (row["n_sentences"], row["n_morphemes"]) == (1, 2)
    layers = {r["id"]: r["morphemes"]["form"] for r in data(release[0], "morphemes")}
    assert layers == {id: list(doc.morphemes.form) for id, doc in given.items()}


def test_a_document_without_layers_or_measures_has_null_there_not_zero(tmp_path: Path) -> None:
    bare = replace(document("ga", 1), morphemes=None, measures=())
    folder, _ = made(tmp_path, inputs(tmp_path / "in", [bare]))
    (row,), (beside,) = data(folder), data(folder, "morphemes")
    row |= beside
    empty = ("morphemes", "sentences", "n_morphemes", "n_sentences", "quality", "hangul_share")
    assert {row[n] for n in empty} == {None}


def test_evidence_tells_whose_words_it_is(tmp_path: Path) -> None:
    doc = document("ga", 1)
    claim = replace(doc.evidence[0], kind="licence-file", scope="source", place="licence-note.txt")
    page = replace(claim, place="https://ga.example.kr/licence")
    law = replace(document("ga", 4).evidence[0], kind="statute")
    docs = [replace(document("ga", n), evidence=(one,)) for n, one in ((1, claim), (2, page), (4, law))]
    docs.append(replace(document("ga", 5), evidence=(claim, page)))
    # Words of an article that name no licence, and a licence that a page only mentions, prove nothing.
    words = replace(doc.evidence[0], kind="words", licence="unknown", quote="널리 알려져서")
    mention = replace(words, licence="GPL-3.0-only", quote="GNU GENERAL PUBLIC LICENSE")
    item, other = (
        replace(page, kind="rel-license", scope="item"),
        replace(page, scope="site", licence="CC-BY-4.0", quote="CC BY 4.0"),
    )
    decision = replace(item, kind="review", place="reviews.jsonl#item-abc: K, 2026-12-02")
    unprotected = replace(claim, licence="LicenseRef-KR-CA-Art7", quote="저작권법 제7조")
    for n, proofs in (
        (7, (claim, words)), (8, (claim, mention)), (10, (unprotected, words)), (11, (item, decision)),
        (13, (claim, item)), (14, (law, other)),
    ):  # fmt: skip
        docs.append(replace(document("ga", n), evidence=proofs))
    free = tuple((k, unprotected.licence if k == "licence" else v) for k, v in docs[6].labels)
    docs[6] = replace(docs[6], labels=free)
    for n, one in enumerate(docs):
        own = tuple(replace(proof, record=one.provenance.record) for proof in one.evidence)
        docs[n] = replace(one, evidence=own)
    given = replace(inputs(tmp_path / "in", docs), clusters=())
    for access, wanted in (("Folder", "operator"), ("Git", "rights-holder")):
        sources = (replace(given.sources[0], access=access), *given.sources[1:])
        folder, _ = made(tmp_path / access, replace(given, sources=sources))
        rows = pq.read_table(folder / "audit/licence_evidence.parquet").to_pylist()
        found = sorted((row["id"], row["by"]) for row in rows if row["id"] in ("ga/1", "ga/2", "ga/4", "ga/5"))
        assert found == sorted(
            [
                ("ga/1", wanted),
                ("ga/2", "rights-holder"),
                ("ga/4", "statute"),
                ("ga/5", wanted),
                ("ga/5", "rights-holder"),
            ]
        )
        assert not [f for f in verify(folder) if "`by` of evidence" in f.says]
        card = data_cards.derive(folder)["numbers"]
        n = [card[f"{by}_evidence"]["value"] for by in ("rights_holder", "statute", "operator", "item")]
        n.append(card["with_evidence"]["value"])
        # A decision of a person (ga/11) is the operator's; the nearest proof counts (13, 14).
        assert n == ([3, 2, 5, 3, 10] if access == "Folder" else [7, 2, 1, 3, 10])
        assert card["operator_share"]["value"] == ("50.00" if access == "Folder" else "10.00")


def test_redactions_are_counted_by_kind_and_never_shown(release: tuple[Path, Manifest]) -> None:
    folder, _ = release
    table = pq.read_table(folder / "audit/personal_data.parquet").to_pylist()
    assert table == [{"id": f"na/{i}", "kind": "phone", "n": 1} for i in (12, 15, 18, 21, 24, 3, 6, 9)]
    assert {r["id"] for r in data(folder) if r["pii"]} == {r["id"] for r in table}


def test_a_cluster_counts_copies_of_copies_and_says_why_who_stands(release: tuple[Path, Manifest]) -> None:
    folder, _ = release
    sizes = {r["id"]: r["cluster_size"] for r in data(folder)}
    assert (sizes.pop("ga/1"), sizes.pop("na/3")) == (3, 2)
    assert set(sizes.values()) == {1}
    rows = pq.read_table(folder / "audit/clusters.parquet").to_pylist()
    found = [tuple(row.values()) for row in rows]
    assert found == [
        ("ga/1", "ga/1", "ga/101", "near", 0.875, "estimated", "date", ""),
        ("ga/1", "ga/101", "ga/105", "exact", 1.0, "exact", "id", ""),
        ("ga/106", "na/3", "ga/106", "near", 0.8125, "exact", "completeness", ""),
        ("na/104", "na/900", "na/104", "near", 0.953125, "estimated", "earlier-release", "sample/0.9.0"),
    ]


def test_overlaps_with_evaluation_sets_are_named_or_null(tmp_path: Path) -> None:
    marked = replace(document("ga", 1), labels=(*document("ga", 1).labels[:3], ("benchmarks", "kmmlu-law,klue-mrc")))
    plain = replace(document("ga", 2), labels=document("ga", 2).labels[:3])
    rows = data(made(tmp_path, replace(inputs(tmp_path / "in", [marked, plain, document("ga", 4)]), clusters=()))[0])
    found = {row["id"]: row["benchmarks"] for row in rows}
    assert found == {"ga/1": ["kmmlu-law", "klue-mrc"], "ga/2": None, "ga/4": []}


def test_no_tables_of_copies_means_no_copies(tmp_path: Path) -> None:
    assert clusters([]).num_rows == 0
    folder, _ = made(tmp_path, replace(inputs(tmp_path / "in", documents(3)), clusters=()))
    assert {r["cluster_size"] for r in data(folder)} == {1}


def test_signals_of_dropped_documents_are_published_too(release: tuple[Path, Manifest]) -> None:
    rows = pq.read_table(release[0] / "audit/signals.parquet").to_pylist()
    assert {r["id"] for r in rows if r["effect"] == "opt-out"} == {
        "na/102",
        "na/104",
        "na/107",
        *(f"ga/{i}" for i in (101, 105, 106, 108)),
    }


def test_the_order_and_the_grouping_of_shards_leave_no_trace(tmp_path: Path) -> None:
    wanted = digests(made(tmp_path / "a", inputs(tmp_path / "a/in", documents()))[0])
    for i, (cuts, flip) in enumerate([(1, False), (3, True), (5, False)]):
        found = digests(made(tmp_path / f"b{i}", inputs(tmp_path / f"b{i}/in", documents(), cuts=cuts, flip=flip))[0])
        assert found == wanted


@pytest.mark.heavy
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(documents(12)), cuts=st.integers(1, 6))
def test_any_order_of_documents_gives_the_same_root(
    tmp_path_factory: pytest.TempPathFactory, order: list, cuts: int
) -> None:
    def root(docs: list, cuts: int) -> str:
        tmp = tmp_path_factory.mktemp("r")
        return made(tmp, replace(inputs(tmp / "in", docs, cuts=cuts), clusters=()))[1].root

    assert root(order, cuts) == root(documents(12), 1)


def test_row_groups_are_cut_by_size_and_the_release_still_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembling, "GROUP_BYTES", 200)
    folder, _ = made(tmp_path, inputs(tmp_path / "in", documents()))
    assert max(pq.ParquetFile(p).num_row_groups for p in (folder / "data").rglob("*.parquet")) > 2
    assert not [f for f in verify(folder) if f.check in ("rows", "laws", "manifest", "schema")]


@pytest.mark.heavy
def test_the_memory_of_a_shard_is_that_of_its_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shards of a million documents at once would take more than the memory of a machine."""
    given = [replace(one, text=f"{one.text} {'글' * 5_000}") for one in documents(200)]
    common, peaks = pa.default_memory_pool(), []
    for size in (1 << 30, 100_000):
        monkeypatch.setattr(assembling, "GROUP_BYTES", size)

        def run(call: Callable, work: list) -> list:
            if call is not assembling.assemble:
                return list(map(call, work))
            pa.set_memory_pool(pool := pa.proxy_memory_pool(common))
            try:
                return list(map(call, work))
            finally:
                pa.set_memory_pool(common)
                peaks.append(pool.max_memory())

        stages = inputs(tmp_path / f"in-{size}", given, cuts=8)
        publish(stages, tmp_path / f"release-{size}", tmp=tmp_path, run=run)
    assert peaks[1] < peaks[0] / 3


def test_the_work_travels_to_other_processes(tmp_path: Path) -> None:
    def run(call: Callable, work: list) -> list:
        return [pickle.loads(pickle.dumps(call))(pickle.loads(pickle.dumps(w))) for w in work]

    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", documents()), tmp_path / "release", tmp=tmp_path / "tmp", run=run)
    assert not any((tmp_path / "tmp").iterdir())


def no_hangul(text: str, **_: Any) -> str:
    """Hide Hangul, but for the name of a licence: without it the quotes would prove nothing."""
    return "".join("●" if "가" <= c <= "힣" and c not in "공누리제유형" else c for c in text)


def test_titles_and_quotes_go_through_redact(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    publish(inputs(tmp_path / "in", documents()), tmp_path / "r", tmp=tmp_path / "tmp", redact=no_hangul)
    assert {r["title"][:2] for r in data(tmp_path / "r")} == {"● "}
    quotes = pq.read_table(tmp_path / "r/audit/licence_evidence.parquet")["quote"].to_pylist()
    assert set(quotes) == {no_hangul(words) for _, words in WORDS.values()}


def test_what_may_not_be_published_is_left_out_with_its_reason_and_stops_nothing(tmp_path: Path) -> None:
    changes = {
        1: {"labels": (("licence", LICENCES["ga"]),)},
        2: {"labels": (("licence", LICENCES["ga"]), ("use", "exclude"))},
        3: {"labels": (("use", "redistribute"),)},
        4: {"evidence": ()},
        5: {"labels": (("licence", "CC0-1.0"), ("use", "redistribute"))},
    }
    refused = [replace(document("ga", n), **change) for n, change in changes.items()]
    folder, _ = made(tmp_path, replace(inputs(tmp_path / "in", [*refused, document("na", 6)]), clusters=()))
    assert {row["id"] for row in data(folder)} == {"na/6"}
    rows = [row for row in pq.read_table(folder / "audit/dropped.parquet").to_pylist() if row["stage"] == "6-release"]
    assert {(row["id"], row["filter"], row["reason"]) for row in rows} == {
        (f"ga/{n}", "release", "use-not-published" if n < 4 else "evidence-differs") for n in changes
    }
    data_cards.write(folder)
    seal(folder)
    assert verify(folder) == []


def test_a_document_of_an_unknown_source_stops_the_release(tmp_path: Path) -> None:
    doc = replace(document("ga", 1), provenance=replace(document("ga", 1).provenance, source="?"))
    with pytest.raises(StageError, match="facts are not in the inputs"):
        made(tmp_path, inputs(tmp_path / "in", [doc]))


def test_two_documents_with_one_id_stop_the_release(tmp_path: Path) -> None:
    docs = [*documents(4), document("ga", 1, use="train-only")]
    with pytest.raises(StageError, match="ga/1"):
        made(tmp_path, inputs(tmp_path / "in", docs))


def test_a_shard_without_a_ledger_is_not_finished(tmp_path: Path) -> None:
    given = inputs(tmp_path / "in", documents())
    (given.stages[1][1][0] / "ledger.json").unlink()
    with pytest.raises(StageError, match="no ledger"):
        made(tmp_path, given)


def test_a_shard_that_is_not_as_its_ledger_says_stops_the_release(tmp_path: Path) -> None:
    given = inputs(tmp_path / "in", documents())
    path = given.stages[3][1][0] / "documents.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StageError, match="differs from its ledger"):
        made(tmp_path, given)


def test_an_empty_release_and_a_used_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no document is left"):
        made(tmp_path, inputs(tmp_path / "in", []))
    made(tmp_path / "b", inputs(tmp_path / "b/in", documents(3)))
    with pytest.raises(StageError, match="never edited"):
        made(tmp_path / "b", inputs(tmp_path / "b/in2", documents(3)))


def test_the_manifest_reads_back_as_it_was(release: tuple[Path, Manifest]) -> None:
    folder, manifest = release
    assert Manifest.from_json((folder / "manifest.json").read_text(encoding="utf-8")) == manifest


def test_attribution_fills_the_template_and_refuses_unknown_fields() -> None:
    given = {"title": "{url}", "author": "", "date": "", "url": "https://a.kr", "licence": "CC-BY-4.0"}
    assert sentence(SOURCES[0], **given) == "가나부, {url}, https://a.kr"
    assert "연도 미상" in sentence(SOURCES[1], **given)
    with pytest.raises(StageError, match=r"\{publsher\}"):
        sentence(replace(SOURCES[0], attribution="{publsher}"), **given)


def test_two_licence_expressions_never_share_a_folder() -> None:
    expressions = ["MIT", "MIT OR ISC", "MIT_OR_ISC", "(MIT OR ISC)", "MIT/ISC", "../MIT", ".", "..", "", "MIT "]
    names = {folder_name(e) for e in expressions if e.strip() == e}
    assert len(names) == 9
    assert not [n for n in names if "/" in n or n.startswith(".")]


def test_every_licence_of_the_table_is_described_and_copyleft_ships_its_text(tmp_path: Path) -> None:
    licence_files.write(tmp_path, ["GPL-2.0-or-later", "CC-BY-4.0", "MPL-2.0"])
    assert sorted(p.name for p in (tmp_path / "LICENSES").iterdir()) == ["GPL-2.0-or-later.txt", "MPL-2.0.txt"]
    page = licence_files.page(TABLE)
    assert all(f"**{id_}**" in page for id_ in TABLE)
    for row in TABLE.values():
        assert row.url.startswith("https://")
        assert row.family != "copyleft" or (licence_files.TEXTS / f"{row.id.rsplit('-o', 1)[0]}.txt").exists()


def test_versions_follow_what_changed() -> None:
    old = History().add("ko", Entry("1.9.0", "aa", "", 1, 4)).add("ko", Entry("1.10.2", "bb", "", 1, 4))
    same = {"schema_version": 1, "n_shards": 4}
    assert next_version(History(), "ko", "aa", **same) == "1.0.0"
    assert next_version(old, "ko", "bb", **same) == "1.10.2"
    assert next_version(old, "ko", "cc", **same) == "1.11.0"
    assert next_version(old, "ko", "cc", **same, change="erasure") == "1.10.3"
    assert next_version(old, "ko", "cc", schema_version=1, n_shards=8) == "2.0.0"
    with pytest.raises(CallError, match="another root"):
        old.add("ko", Entry("1.9.0", "zz", "", 1, 4))


def test_the_history_reads_back_and_gives_the_version(tmp_path: Path) -> None:
    path, old = tmp_path / "releases.json", History().add("sample", Entry("1.4.0", "aa", "ff", SCHEMA_VERSION, 2))
    version_history.write(path, old)
    assert version_history.read(path) == old
    assert version_history.read(tmp_path / "none.json") == History()
    given = replace(inputs(tmp_path / "in", documents(3)), version="")
    (tmp_path / "tmp").mkdir()
    assert publish(given, tmp_path / "r", tmp=tmp_path / "tmp", history=old).version == "1.5.0"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CallError, match="restore"):
        version_history.read(path)
