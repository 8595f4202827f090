"""Who stands for whom, and why; and what the documents of earlier releases stand for."""

import tempfile
from dataclasses import replace

import pyarrow as pa
import pytest

from filters.duplicates.duplicate_schema import SKETCH
from filters.duplicates.duplicate_survey import compare_documents, count_faults, sketch
from malmoi.document import Document
from tests.builders.small_survey import FILES, ONE, changed, document, prose, rows, segment, shards, survey

FREE, BOUND = (("use", "redistribute"),), (("use", "train-only"),)
TEXT = prose("글")
BOTH = pytest.mark.parametrize("size", [ONE, FILES], ids=["one", "files"])


def table(docs: list[Document], threshold: float = 0.8) -> dict[str, dict]:
    found = pa.Table.from_pylist([dict(sketch(d)) for d in docs], schema=SKETCH)
    return {r["id"]: r for r in compare_documents(found, {d.id: d.text for d in docs}, threshold=threshold).to_pylist()}


@pytest.mark.parametrize(
    ("keeper", "copy", "reason"),
    [
        (document("b/1", TEXT[:900], labels=FREE), document("a/1", TEXT[:1000], labels=BOUND), "rights"),
        (document("b/1", TEXT), document("a/1", TEXT[: len(TEXT) * 86 // 100]), "completeness"),
        (document("b/1", TEXT, title="제목"), document("a/1", TEXT), "surface"),
        (document("b/1", TEXT), document("a/1", TEXT[:200] + "\ufffd" + TEXT[201:]), "surface"),
        (document("b/1", TEXT, date="2020-01-01"), document("a/1", TEXT + " 끝.", date="2021-01-01"), "date"),
        (document("b/1", TEXT, date="2020-01-01"), document("a/1", TEXT), "date"),
        (document("a/1", TEXT), document("b/1", TEXT + " 끝."), "id"),
    ],
)
def test_the_reason_names_the_first_criterion_that_differs(keeper, copy, reason):
    found = table([keeper, copy])
    assert set(found) == {copy.id}
    assert (found[copy.id]["keeper"], found[copy.id]["reason"]) == (keeper.id, reason)


def test_copies_of_copies_are_measured_against_their_own_keeper():
    docs = [document("a/1", TEXT), document("a/2", TEXT.replace(" ", "")), document("a/3", changed(TEXT, 0.05))]
    found = table(docs)
    assert (found["a/2"]["kind"], found["a/2"]["similarity"], found["a/2"]["measured"]) == ("exact", 1.0, "exact")
    assert found["a/3"]["kind"] == "near" and found["a/3"]["keeper"] == "a/1"


def test_documents_that_are_compared_by_themselves_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert table([document("a/1", TEXT), document("a/2", changed(TEXT, 0.05))])
    assert list(tmp_path.iterdir()) == []


def test_a_whole_sentence_ends_a_line_and_a_list_does_not():
    assert count_faults(document("a/1", "하나\n둘\n셋\n넷", title="목록")) == 1
    assert count_faults(document("a/1", "이것은 문장이다.\n이것도 그렇다.", title="글")) == 0


@BOTH
def test_a_document_of_an_earlier_release_stands_for_its_copies(tmp_path, size):
    old = segment([document("old/1", TEXT, labels=BOUND), document("old/2", prose(2))], tmp_path / "s", "r", "1.0.0")
    docs = [document("a/1", TEXT, labels=BOUND), document("a/2", changed(TEXT, 0.04), labels=BOUND)]
    survey(shards(docs, tmp_path / "in", 1), tmp_path / "out", size, [old])
    found = rows(tmp_path / "out")
    assert {id_: (r["keeper"], r["kind"], r["reason"], r["release"]) for id_, r in found.items()} == {
        "a/1": ("old/1", "exact", "earlier-release", "r/1.0.0"),
        "a/2": ("old/1", "near", "earlier-release", "r/1.0.0"),
    }
    assert found["a/2"]["measured"] == "exact"  # by the text of a/1, which is that of old/1


def test_where_only_the_signature_of_an_earlier_document_is_left_the_estimate_decides(tmp_path):
    old = segment([document("old/1", TEXT)], tmp_path / "s", "r", "1.0.0")
    survey(shards([document("a/1", changed(TEXT, 0.04))], tmp_path / "in", 1), tmp_path / "out", ONE, [old])
    assert rows(tmp_path / "out")["a/1"]["measured"] == "estimated"


@BOTH
def test_freer_rights_are_kept_beside_what_is_published(tmp_path, size):
    old = segment([document("old/1", TEXT, labels=BOUND)], tmp_path / "s", "r", "1.0.0")
    docs = [document("a/1", TEXT, labels=FREE), document("a/2", TEXT + " 끝.", labels=BOUND)]
    survey(shards(docs, tmp_path / "in", 1), tmp_path / "out", size, [old])
    assert {id_: r["keeper"] for id_, r in rows(tmp_path / "out").items()} == {"a/2": "a/1"}


@BOTH
def test_a_published_document_that_comes_in_again_goes_before_others(tmp_path, size):
    old = segment([document("b/1", TEXT)], tmp_path / "s", "r", "1.0.0")
    docs = [document("a/1", TEXT), document("b/1", changed(TEXT, 0.03))]
    survey(shards(docs, tmp_path / "in", 2), tmp_path / "out", size, [old])
    found = rows(tmp_path / "out")
    assert {id_: (r["keeper"], r["reason"], r["release"]) for id_, r in found.items()} == {
        "a/1": ("b/1", "earlier-release", "")
    }


@BOTH
def test_what_has_gone_or_is_masked_or_was_replaced_stands_for_nothing(tmp_path, size):
    gone, masked, replaced = (document(id_, prose(id_)) for id_ in ("a/gone", "old/masked", "old/replaced"))
    first = segment([gone, masked, replaced], tmp_path / "1", "r", "1.0.0", masked=("old/masked",))
    second = segment([document("old/replaced", prose("new"))], tmp_path / "2", "r", "1.10.0")
    docs = [document(f"a/{i}", doc.text) for i, doc in enumerate((gone, masked, replaced))]
    survey(shards([*docs, document("a/3", prose("new"))], tmp_path / "in", 2), tmp_path / "out", size, [second, first])
    assert {id_: r["release"] for id_, r in rows(tmp_path / "out").items()} == {"a/3": "r/1.10.0"}


def test_ids_with_strange_characters_are_ids_like_others(tmp_path):
    ids = ["a/\u0000", "a/'\"", "a/ ", "a/말/모이?x=1#y", "a/\U0001f600", "a/" + "가" * 3000, "A/1", "a/\n"]
    survey(shards([document(i, TEXT) for i in ids], tmp_path / "in", 3), tmp_path / "out", FILES)
    found = rows(tmp_path / "out")
    assert set(found) == set(ids) - {min(ids)} and {r["keeper"] for r in found.values()} == {min(ids)}


@pytest.mark.heavy
@BOTH
def test_thousands_of_copies_of_one_text_have_one_keeper(tmp_path, size):
    docs = [document(f"a/{i:05d}", "같은 글이다. " * 3) for i in range(2000)]
    survey(
        shards(docs, tmp_path / "in", 1000), tmp_path / "out", replace(size, group=1000, partition=9999, members=999)
    )
    assert {r["keeper"] for r in rows(tmp_path / "out").values()} == {"a/00000"}
    assert len(rows(tmp_path / "out")) == 1999


def test_no_two_that_are_kept_are_alike_among_many_from_one_template():
    form = prose("서식", 40).split("\n")
    docs = []
    for i in range(250):
        own = prose(("칸", i), 8).split("\n")
        docs.append(document(f"a/{i:03d}", "\n".join(form[:32] + own)))
    docs += [document(f"b/{d.id}", d.text + "\n끝.") for d in docs[:20]]
    found = table(docs)
    assert {f"b/{d.id}" for d in docs[:20]} <= set(found)
    assert all(row["similarity"] >= 0.8 for row in found.values())
