"""What was made cheaper yields what it yielded: both ways of sorting, the columns of a survey, views of a text."""

import random
from array import array
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import hostile
from filters.duplicates.duplicate_survey import SURVEY
from filters.duplicates.keepers import join, labels, new_parents
from filters.korean import text_views
from malmoi import recipe
from malmoi.document import Document, LicenceEvidence, Morphemes, Note, Provenance, Signal, Span
from malmoi.releases import audit
from malmoi.releases.release_schema import AUDIT
from malmoi.releases.verification.row_checks import _lists
from malmoi.storage import shard
from tests.builders.rows import each_row

VALUES = {pa.string(): ["나", "가", "b", "a'"], pa.float64(): [None, 0.5, -1.0]}


def document(number: int, text: str = "우리말을 모은 사전이다.") -> Document:
    return Document(
        f"a/{number}",
        text,
        Provenance("a", f"https://a.example/{number}", "r", "2026-01-01T00:00:00Z", "0" * 64, "html", "utf-8"),
        title="사전" if number % 2 else "",
        evidence=(LicenceEvidence("MIT", "licence-file", "source", "q", "p", "r"),) * (number % 3),
        signals=(Signal("noai", "opt-out", "q", "p", "r"),) * (number % 2),
        labels=(("language", "ko"), ("use", "redistribute")),
        measures=(("chars", float(number)),),
        spans=(Span(0, 2, "email", "x", 0.5),) * (number % 2),
        morphemes=None if number % 4 == 1 else Morphemes(*layer(number % 4)),
        trail=(Note("length", "judge", "keep", "long-enough", 3.0, None), Note("rights", "judge", "keep", "clear")),
    )


def layer(n: int):
    return array("I", range(n)), array("H", [1] * n), ("NNG",) * n, ("말",) * n, array("I", [0]), array("I", [n])


def test_documents_come_back_from_arrow_as_they_went_in():
    docs = [document(i) for i in range(9)]
    table = shard.to_table(docs)
    table.validate(full=True)
    assert list(shard.to_documents(table)) == docs
    assert list(shard.to_documents(table.slice(2, 3))) == docs[2:5]
    assert list(shard.to_documents(shard.to_table([]))) == []


def test_a_list_that_is_null_is_empty():
    table = shard.to_table([document(1), document(2)])
    at = table.schema.get_field_index("evidence")
    holed = table.set_column(at, table.schema.field(at), pa.array([None, [{"licence": "MIT"}]], table.schema[at].type))
    assert [len(doc.evidence) for doc in shard.to_documents(holed)] == [0, 1]


def test_the_survey_of_copies_sees_all_it_looks_at_in_the_columns_it_reads():
    docs = [document(i, f"{i}번째 글이다. " * 9) for i in range(4)]
    some = shard.to_documents(shard.to_table(docs).select(SURVEY.columns))
    assert [SURVEY.sketch(doc) for doc in some] == [SURVEY.sketch(doc) for doc in docs]


@pytest.mark.parametrize("seed", range(5))
def test_components_are_named_after_their_first_row(seed):
    chance = random.Random(seed)
    pairs = [(chance.randrange(60), chance.randrange(60)) for _ in range(40)]
    label = list(range(60))
    for _ in range(60):  # the slow way: the smallest number spreads until nothing moves
        for a, b in pairs:
            label[a] = label[b] = min(label[a], label[b])
    left, right = np.array(pairs, dtype=np.int64).T
    parent = new_parents(60)
    join(parent, left, right)
    assert labels(parent).tolist() == label


@pytest.mark.parametrize("name", ["signals", "dropped"])
def test_an_audit_table_has_the_same_bytes_however_it_is_sorted(tmp_path, monkeypatch, name):
    chance, parts = random.Random(1), []
    source = AUDIT[name] if name != "dropped" else shard.DROPPED
    for stage in ("", "") if name == "signals" else ("3-clean", "4-judged"):
        plain = {f.name: VALUES[f.type] for f in source if f.type in VALUES}
        rows = [{column: chance.choice(values) for column, values in plain.items()} for _ in range(200)]
        parts.append((stage, [tmp_path / f"{len(parts)}.parquet"]))
        pq.write_table(pa.Table.from_pylist(rows, source), parts[-1][1][0])
    made = []
    for limit in (audit.SMALL, 0):
        monkeypatch.setattr(audit, "SMALL", limit)
        folder = tmp_path / str(limit)
        folder.mkdir()
        assert audit._write_sorted(folder / f"{name}.parquet", parts, tmp_path) == 400
        made.append((folder / f"{name}.parquet").read_bytes())
    assert made[0] == made[1]


def test_the_members_of_a_layer_are_counted_row_by_row():
    kind = pa.struct([("start", pa.list_(pa.uint32())), ("length", pa.list_(pa.uint16()))])
    rows = [{"start": [0, 4], "length": [2, 1]}, None, {"start": [], "length": []}, {"start": [9], "length": [3]}]
    counts, greatest = _lists(pa.array(rows, kind), "start", "length")
    assert (counts, greatest.tolist()) == ([2, None, 0, 1], [5, 0, 0, 12])
    rows[3] = {"start": [1], "length": [1, 2]}  # it counts as not analysed, and spoils no other
    counts, greatest = _lists(pa.array(rows, kind), "start", "length")
    assert (counts, greatest.tolist()) == ([2, None, 0, None], [5, 0, 0, np.iinfo(np.int64).max])


def test_what_no_filter_has_touched_is_taken_from_the_table_it_came_in(monkeypatch):
    table = shard.to_table([document(i) for i in range(9)])
    docs = tuple(shard.to_documents(table))
    told = [replace(docs[i], measures=(("x", 1.0),)) for i in (1, 2, 7)]
    built = []
    made = shard._build_column
    monkeypatch.setattr(shard, "_build_column", lambda name, docs: built.append(name) or made(name, docs))
    assert shard.to_table(told, shard.LoadedTable(table, docs), (1, 2, 7)) == table.take([1, 2, 7]).set_column(
        table.schema.get_field_index("measures"), table.schema.field("measures"), made("measures", told)
    )
    assert built == ["measures"]
    mended = [replace(told[0], text="말", morphemes=None), told[1]]
    assert shard.to_table(mended, shard.LoadedTable(table, docs), (1, 2)) == shard.to_table(mended)
    assert shard.to_table([], shard.LoadedTable(table, docs)).num_rows == 0


@pytest.mark.parametrize("name", [n for n in recipe.list_filters() if hasattr(recipe.load_filter(n), "READS")])
def test_a_filter_finds_the_same_in_the_columns_that_it_says_it_reads(name):
    docs = [document(i) for i in range(4)]
    rows = {
        f"a/{i}": {"id": f"a/{i}", "keeper": "a/9", "similarity": 0.9, "kind": kind}
        for i, kind in ((1, "exact"), (2, "near"))
    }
    step = recipe.Step(name, recipe.verb_of(name), 1, (), survey="copies")
    (bound,) = recipe.bind((step,), {"copies": rows})
    some = shard.to_documents(shard.to_table(docs).select(recipe.columns((step,))))
    assert [bound.call(doc) for doc in some] == [bound.call(doc) for doc in docs]
    assert recipe.columns((step, replace(step, filter="length"))) == ()  # one that reads it all


def test_a_view_answers_for_the_text_at_hand_and_no_other():
    one = "말 \n\n ```\n글"
    assert text_views.words(one) == ("말", "```", "글") and text_views.words(one) is text_views.words(one)
    assert text_views.words("가 나\n다") == ("가", "나", "다") and text_views.words("라") == ("라",)


@each_row("name", sorted(hostile.texts()))
def test_a_hostile_text_has_its_size(name):
    assert len(hostile.texts()[name]()) >= hostile.SIZE
