"""However the work is cut, and wherever it was killed, the exchange of copies leaves the same bytes."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.duplicates import survey_tasks
from filters.duplicates.duplicate_survey import find
from malmoi.errors import StageError
from malmoi.storage import shuffle
from tests.builders.small_survey import FILES, ONE, corpus, document, prose, rows, segment, shards, survey

DATA = Path(__file__).parents[1] / "data" / "duplicates"


@pytest.fixture(scope="module")
def docs():
    return corpus()


@pytest.fixture(scope="module")
def earlier(tmp_path_factory, docs):
    return releases(docs, tmp_path_factory.mktemp("index"))


def releases(docs, folder):
    """The segments of two earlier releases, which hold some of the documents and copies of others."""
    old = [document(f"old/{i}", doc.text, labels=doc.labels) for i, doc in enumerate(docs[::9])]
    return [segment([*old, *docs[:5]], folder / "1", "r", "1.0.0"), segment(old[:3], folder / "2", "q", "1.0.0")]


@pytest.fixture(scope="module")
def truth(tmp_path_factory, docs, earlier) -> bytes:
    folder = tmp_path_factory.mktemp("truth")
    survey(shards(docs, folder / "in", 16), folder / "out", ONE, earlier)
    found = rows(folder / "out")
    assert len(found) > 30 and {r["kind"] for r in found.values()} == {"near", "exact"}
    assert {r["measured"] for r in found.values()} == {"exact", "estimated"}
    assert {r["release"] for r in found.values()} == {"", "q/1.0.0", "r/1.0.0"}
    return (folder / "out/table.parquet").read_bytes()


@pytest.mark.one_case_in(6)
@pytest.mark.parametrize("size", [ONE, FILES], ids=["one", "files"])
@pytest.mark.parametrize(("each", "threads", "seed"), [(16, 1, 0), (5, 2, 1), (1000, 1, 2)])
def test_order_cut_and_threads_leave_no_trace(tmp_path, docs, earlier, truth, size, each, threads, seed):
    shuffled = docs[:]
    random.Random(seed).shuffle(shuffled)
    found = shards(shuffled, tmp_path / "in", each)
    random.Random(seed).shuffle(found)
    survey(found, tmp_path / "out", size, earlier[:: 1 if seed else -1], threads)
    assert (tmp_path / "out/table.parquet").read_bytes() == truth


def test_the_pieces_that_a_task_works_on_leave_no_trace(tmp_path, docs, earlier, truth, monkeypatch):
    """Arrays as small as these are one piece each; here they are cut into many."""
    for name, size in (("READ", 7), ("AT_ONCE", 5), ("PAIRS", 5)):
        monkeypatch.setattr(survey_tasks, name, size)
    survey(shards(docs, tmp_path / "in", 16), tmp_path / "out", ONE, earlier)
    assert (tmp_path / "out/table.parquet").read_bytes() == truth


@pytest.mark.heavy
@pytest.mark.parametrize("case", json.loads((DATA / "expected.json").read_text(encoding="utf-8")), ids=str)
def test_the_tables_are_those_that_two_engines_agreed_on(tmp_path, case):
    """Digests taken when one engine worked in memory and another through files, both with these results."""
    docs = corpus(case["seed"])
    earlier = releases(docs, tmp_path / "index") if case["earlier"] else []
    survey(shards(docs, tmp_path / "in", 16), tmp_path / "out", FILES, earlier, threshold=case["threshold"])
    found = [list(row.values()) for row in rows(tmp_path / "out").values()]
    text = json.dumps(found, ensure_ascii=False)
    assert (len(found), hashlib.sha256(text.encode()).hexdigest()) == (case["copies"], case["sha256"])


@pytest.mark.parametrize("size", [ONE, FILES], ids=["one", "files"])
def test_each_shard_gets_the_rows_about_its_documents_in_the_order_asked_for(tmp_path, docs, size):
    found = shards(docs, tmp_path / "in", 30)[::-1]
    files = survey(found, tmp_path / "out", size)
    for here, path in zip(found, files, strict=True):
        ids = set(pq.read_table(here.sketch)["id"].to_pylist())
        wanted = sorted((r for id_, r in rows(tmp_path / "out").items() if id_ in ids), key=lambda r: r["id"])
        assert pq.read_table(path).to_pylist() == wanted
    assert not (tmp_path / "out/work").exists()


def test_a_small_corpus_is_ten_tasks(tmp_path, docs):
    """One for each step: what starts no process and writes few files costs a small run next to nothing."""
    tasks = []

    def run(call, work):
        tasks.extend(call.__name__ for _ in work)
        return [call(one) for one in work]

    find(shards(docs, tmp_path / "in", 16), (), tmp_path / "out", run, 0.8)
    assert len(tasks) == len(set(tasks)) == 10


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(4))
def test_a_survey_that_was_killed_goes_on_where_it_stood(tmp_path, docs, earlier, truth, seed, monkeypatch):
    """The work is kept and some of its files are lost: what stands is not made again, and nothing differs."""
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    found = shards(docs, tmp_path / "in", 16)
    survey(found, tmp_path / "out", FILES, earlier)
    files = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    for path in random.Random(seed).sample(files, len(files) // 3):
        path.unlink()
    (tmp_path / "out/table.parquet").unlink(missing_ok=True)
    standing = {path: path.stat().st_mtime_ns for path in files if path.exists()}
    survey(found, tmp_path / "out", FILES, earlier)
    assert (tmp_path / "out/table.parquet").read_bytes() == truth
    made_again = {path for path, time in standing.items() if path.exists() and path.stat().st_mtime_ns != time}
    assert len(made_again) < len(standing) / 3  # files that one task writes together, and what was joined from them


def test_what_stands_is_not_made_again(tmp_path, docs):
    found = shards(docs, tmp_path / "in", 30)
    files = survey(found, tmp_path / "out", ONE)
    for here in found:
        here.documents.unlink()
    assert survey(found, tmp_path / "out", ONE) == files


@pytest.mark.parametrize("size", [ONE, FILES], ids=["one", "files"])
@pytest.mark.parametrize("docs", [[], [document("a/1", prose(1))], [document("a/1", ""), document("a/2", "!")]])
def test_no_document_one_and_none_with_letters_are_no_trouble(tmp_path, docs, size):
    files = survey(shards(docs, tmp_path / "in", 1), tmp_path / "out", size)
    assert rows(tmp_path / "out") == {} and all(pq.read_table(path).num_rows == 0 for path in files)


def test_rows_are_spread_and_gathered_by_partition(tmp_path):
    for number in range(2):
        table = pa.table({"n": [number * 10 + i for i in range(4)]})
        shuffle.write_partitions(table, table["n"].to_numpy() % 3, 3, tmp_path / f"{number}.arrow")
    files = [tmp_path / "0.arrow", tmp_path / "1.arrow"]
    assert [shuffle.gather(files, part)["n"].to_pylist() for part in range(3)] == [[0, 3, 12], [1, 10, 13], [2, 11]]


@pytest.mark.parametrize("parts", [1, 300, 65536, 65537, 70000])
def test_however_many_partitions_there_are_rows_keep_their_order_within_them(parts):
    part = np.array([n * 40503 % parts for n in range(500)])
    found = shuffle.partition_rows(pa.table({"n": range(500)}), part, parts)
    assert len(found) == parts
    for number in set(part.tolist()):
        assert found[number].column(0).to_pylist() == np.flatnonzero(part == number).tolist()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    def torn():
        yield pa.record_batch({"n": [1]})
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        shuffle.write(torn(), tmp_path / "f.arrow")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="not even an empty batch"):
        shuffle.write([], tmp_path / "f.arrow")


def test_a_torn_file_is_named(tmp_path):
    shuffle.write_partitions(pa.table({"n": [1]}), pa.array([0]).to_numpy(), 1, tmp_path / "f.arrow")
    content = (tmp_path / "f.arrow").read_bytes()
    Path(tmp_path / "f.arrow").write_bytes(content[:-20])
    with pytest.raises(StageError, match=r"f\.arrow: cannot be read back .* Delete it and run again"):
        shuffle.gather([tmp_path / "f.arrow"], 0)
    with pytest.raises(StageError, match=r"g\.arrow"):
        shuffle.read_piece(tmp_path / "g.arrow", 0)
